/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * What nobody should publish and somebody will: payloads that are broken, huge or forged. An error is said where one is due,
 * nothing wrong is stored, the message itself is delivered all the same, and the broker stays up.
 */
#include "complaint.h"
#include "patience.h"
#include "quotes.h"
#include "rows.h"
#include "scene.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEBIBYTE 1048576

/* A value of `depth` arrays in one another. The caller frees it. */
static char *nested(size_t depth)
{
	char *open = repeated('[', depth), *close = repeated(']', depth), *text = NULL;

	assert_true(asprintf(&text, "{\"value\":%s%s}", open, close) >= 0);
	free(open);
	free(close);
	return text;
}

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
	const char *bytes;
	size_t len;
	const char *code; /* "a|b": either */
} bad_values[] = {
	{BYTES(""), "empty"},
	{BYTES(" \t\r\n"), "empty"},
	{BYTES("NaN"), "not_finite|not_a_value"},
	{BYTES("-nan"), "not_finite|not_a_value"},
	{BYTES("Infinity"), "not_finite|not_a_value"},
	{BYTES("1e999"), "not_finite"},
	{BYTES("-1e999"), "not_finite"},
	{BYTES("{\"value\":1e999}"), "not_finite|not_json"},
	{BYTES("{\"value\":NaN}"), "not_json|not_finite"},
	{BYTES("21.5abc"), "not_a_value"},
	{BYTES("21.5 C"), "not_a_value"},
	{BYTES("21,5"), "not_a_value"},
	{BYTES("0x15"), "not_a_value"},
	{BYTES("1_000"), "not_a_value"},
	{BYTES("+5"), "not_a_value"},
	{BYTES(".5"), "not_a_value"},
	{BYTES("5."), "not_a_value"},
	{BYTES("1e"), "not_a_value"},
	{BYTES("--1"), "not_a_value"},
	{BYTES("on off"), "not_a_value"},
	{BYTES("따뜻"), "not_a_value"},
	{BYTES("21\0"), "not_text|not_a_value"},
	{BYTES("\0"), "not_text|not_a_value"},
	{BYTES("21\0.5"), "not_text|not_a_value"},
	{BYTES("\xED\xA0\x80"), "not_text|not_a_value"}, /* a lone surrogate in UTF-8 */
	{BYTES("\xFF\xFE"), "not_text|not_a_value"},
	{BYTES("{\"value\":\"\\ud800\"}"), "not_json|no_value|not_text"},
	{BYTES("{\"value\":\"\\udc00\\ud800\"}"), "not_json|no_value|not_text"},
	{BYTES("{\"value\":21.5"), "not_json"},
	{BYTES("{\"value\":21.5}}"), "not_json"},
	{BYTES("{\"value\":21.5}x"), "not_json"},
	{BYTES("{\"value\":\0}"), "not_json|not_text"},
	{BYTES("{\"value\":21.5}\0"), "not_json|not_text"},
	{BYTES("{}"), "no_value"},
	{BYTES("{\"value\":null}"), "no_value"},
	{BYTES("{\"value\":{}}"), "no_value"},
	{BYTES("{\"value\":\"\"}"), "no_value"},
	{BYTES("{\"value\":\"21.5abc\"}"), "no_value|not_a_value"},
	{BYTES("{\"readings\":7}"), "no_value"},
	{BYTES("{\"value\":1,\"time\":\"yesterday\"}"), "bad_time"},
	{BYTES("{\"value\":1,\"time\":\"2026-02-30T00:00:00Z\"}"), "bad_time"},
	{BYTES("{\"value\":1,\"time\":\"2026-03-01T00:00:00\"}"), "bad_time"},
	{BYTES("{\"value\":1,\"time\":17}"), "bad_time"},
	{BYTES("{\"value\":1,\"age\":-1}"), "bad_time"},
	{BYTES("{\"value\":1,\"unit\":7}"), "bad_unit"},
};

/* Publishes one wrong payload on a series of its own: it is delivered, and an error says why. */
static void wrong_value(const struct scene *s, size_t number, const void *bytes, size_t len, const char *code)
{
	char sensor[64], topic[80];

	snprintf(sensor, sizeof(sensor), "lab/uno%zu/temperature", number);
	snprintf(topic, sizeof(topic), "%s/value", sensor);
	assert_true(client_publish_bytes(s->device, topic, bytes, len, false) < 128);
	expect_bytes(s, topic, bytes, len);
	free(expect_complaint(s->watcher, sensor, "value", code));
}

static void wrong_values_are_delivered_said_and_not_stored(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	const size_t count = sizeof(bad_values) / sizeof(bad_values[0]);
	char *big, *deep = nested(200), *digits;

	(void)state;
	for (size_t i = 0; i < count; i++)
		wrong_value(&s, i, bad_values[i].bytes, bad_values[i].len, bad_values[i].code);
	big = repeated('x', MEBIBYTE);
	wrong_value(&s, count, big, MEBIBYTE, "too_long");
	digits = repeated('9', MEBIBYTE);
	wrong_value(&s, count + 1, digits, MEBIBYTE, "too_long");
	wrong_value(&s, count + 2, deep, strlen(deep), "not_json|no_value");
	memset(big, '[', MEBIBYTE);
	wrong_value(&s, count + 3, big, MEBIBYTE, "too_long");
	wrong_value(&s, count + 4, big, 65536, "not_json|no_value|not_a_value");
	/* All of it left the house as it was: the next good reading is stored, and is the only one. */
	passes(&s, "lab/uno0/temperature/value", "21.5", false);
	rows_expect(s.house, "select device,value,text from readings", "uno0|21.5|\n");
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	free(big);
	free(digits);
	free(deep);
	scene_end(&s);
}

static void errors_come_at_most_once_a_second(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	int64_t begun = now_ms();
	size_t errors = 0;

	(void)state;
	for (int i = 0; i < 2000; i++)
		assert_true(client_send(s.device, i % 2 == 0 ? "lab/uno1/a/value" : "lab/uno1/b/value", "junk", 4, 1, false));
	assert_true(client_flush(s.device));
	client_fence(s.watcher);
	while (client_take(s.watcher, "lab/uno1/a/error", 0) != NULL)
		errors++;
	assert_in_range(errors, 1, 1 + (now_ms() - begun) / 1000);
	assert_non_null(client_take(s.watcher, "lab/uno1/b/error", 0)); /* the limit is a series' own */
	scene_end(&s);
}

/* Commands and states may be any text, but not any bytes, and not for ever long. */
static void wrong_commands_are_delivered_and_not_stored(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	char *big = repeated('x', MEBIBYTE), *longest = repeated('y', 4096);

	(void)state;
	assert_true(client_publish_bytes(s.device, "lab/fan1/motor/set", "1\0", 2, false) < 128);
	expect_bytes(&s, "lab/fan1/motor/set", "1\0", 2);
	assert_true(client_publish_bytes(s.device, "lab/fan1/motor/state", "\xC0\x80", 2, true) < 128);
	expect_bytes(&s, "lab/fan1/motor/state", "\xC0\x80", 2);
	assert_true(client_publish_bytes(s.device, "lab/fan2/motor/set", big, MEBIBYTE, false) < 128);
	expect_bytes(&s, "lab/fan2/motor/set", big, MEBIBYTE);
	passes(&s, "lab/fan3/motor/state", longest, true);
	rows_expect(s.house, "select device,length(text) from readings", "fan3|4096\n");
	free(big);
	free(longest);
	scene_end(&s);
}

static void hostile_configs_are_refused(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	char *deep = nested(200), *big = repeated(' ', MEBIBYTE);
	const struct {
		const char *bytes;
		size_t len;
	} documents[] = {
		{deep, strlen(deep)},
		{big, MEBIBYTE},
		{BYTES("{\"min\":1}\0")},
		{BYTES("{\"unit\":\"\xED\xA0\x80\"}")},
		{BYTES("{\"unit\":\"\\ud800\"}")},
		{BYTES("{\"min\":1e999}")},
		{BYTES("{\"min\":NaN}")},
	};

	(void)state;
	big[0] = '{';
	big[MEBIBYTE - 1] = '}';
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		char sensor[64], topic[80];

		snprintf(sensor, sizeof(sensor), "lab/uno%zu/temperature", i);
		snprintf(topic, sizeof(topic), "%s/config", sensor);
		assert_int_equal(client_publish_bytes(s.device, topic, documents[i].bytes, documents[i].len, true),
		                 REASON_NOT_AUTHORIZED);
		free(expect_complaint(s.watcher, sensor, "config", "refused_config"));
		client_expect_none(s.watcher, topic);
		assert_null(retained_text(s.house, topic));
	}
	free(deep);
	free(big);
	scene_end(&s);
}

/* ---- what is Hearth's alone, and commands that stay ---- */

static void alarm_is_reserved(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	struct client *old = client_connect(s.house, CLIENT_V3, NULL);

	(void)state;
	assert_int_equal(client_publish_bytes(s.device, "lab/uno1/fire/alarm", "{}", 2, true), REASON_NOT_AUTHORIZED);
	free(expect_complaint(s.watcher, "lab/uno1/fire", "alarm", "reserved"));
	assert_int_equal(client_publish_bytes(old, "lab/uno2/fire/alarm", "", 0, true), 0); /* 3.1.1 cannot be told */
	free(expect_complaint(s.watcher, "lab/uno2/fire", "alarm", "reserved"));
	client_expect_none(s.watcher, "lab/uno1/fire/alarm");
	client_expect_none(s.watcher, "lab/uno2/fire/alarm");
	assert_null(retained_text(s.house, "lab/uno1/fire/alarm"));
	passes(&s, "lab/uno1/temperature/value", "1", false);
	rows_expect(s.house, "select sensor from readings", "temperature\n");
	client_free(old);
	scene_end(&s);
}

static void retained_command_triggers_nothing(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	const char *led = "lab/led1/led/set";

	(void)state;
	/* A rule that follows the fan's command. */
	passes(&s, "lab/uno1/cds/config",
	       json("{'rules':[{'name':'follow','when':{'below':{'topic':'lab/fan1/motor/set'}},"
	            "'then':[{'set':'lab/led1/led','to':1}],'else':[{'set':'lab/led1/led','to':0}]}]}"),
	       true);
	passes(&s, "lab/uno1/cds/value", "5", false);
	passes(&s, "lab/fan1/motor/set", "0", false);
	client_expect(s.watcher, led, "0", SOON);
	passes(&s, "lab/fan1/motor/set", "9", true);
	free(expect_complaint(s.watcher, "lab/fan1/motor", "set", "retained_set"));
	client_expect_none(s.watcher, led);
	passes(&s, "lab/fan1/motor/set", "8", false);
	client_expect(s.watcher, led, "1", SOON);
	/* A helper and the automation switch take none either. */
	passes(&s, "lab/hearth/auto/set", "0", true);
	free(expect_complaint(s.watcher, "lab/hearth/auto", "set", "retained_set"));
	client_expect_none(s.watcher, "lab/hearth/auto/state");
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(wrong_values_are_delivered_said_and_not_stored, client_teardown),
		cmocka_unit_test_teardown(errors_come_at_most_once_a_second, client_teardown),
		cmocka_unit_test_teardown(wrong_commands_are_delivered_and_not_stored, client_teardown),
		cmocka_unit_test_teardown(hostile_configs_are_refused, client_teardown),
		cmocka_unit_test_teardown(alarm_is_reserved, client_teardown),
		cmocka_unit_test_teardown(retained_command_triggers_nothing, client_teardown),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
