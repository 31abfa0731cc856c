/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * What nobody should publish and somebody will: broken payloads, odd topics, other systems' topics. An error is said where
 * one is due, nothing wrong is stored, the message itself is delivered all the same, and the broker stays up.
 */
#include "client.h"
#include "complaint.h"
#include "history.h"
#include "house.h"
#include "json.h"
#include "patience.h"
#include "topic.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEBIBYTE  1048576
#define TOPIC_END 65535 /* bytes of the longest topic name */

struct scene {
	struct house *house;
	struct client *author;  /* MQTT 5: sees reason codes */
	struct client *watcher; /* MQTT 5, subscribed to everything */
};

static struct scene begin(void)
{
	struct scene s = {.house = house_new()};

	house_start(s.house);
	s.author = client_connect(s.house, CLIENT_V5, NULL);
	s.watcher = client_connect(s.house, CLIENT_V5, NULL);
	client_subscribe(s.watcher, "#");
	return s;
}

static void end(struct scene *s)
{
	client_free(s->author);
	client_free(s->watcher);
	house_free(s->house);
}

/* `count` times the same byte, and a NUL behind them. The caller frees it. */
static char *repeated(char byte, size_t count)
{
	char *bytes = malloc(count + 1);

	assert_non_null(bytes);
	memset(bytes, byte, count);
	bytes[count] = '\0';
	return bytes;
}

/* `depth` arrays in one another. The caller frees it. */
static char *nested(int depth)
{
	char *text = malloc((size_t)depth * 2 + 32);
	size_t len;

	assert_non_null(text);
	len = (size_t)sprintf(text, "{\"value\":");
	memset(text + len, '[', (size_t)depth);
	memset(text + len + depth, ']', (size_t)depth);
	strcpy(text + len + 2 * depth, "}");
	return text;
}

/* The next message on the topic must be these bytes. */
static void delivered(const struct scene *s, const char *topic, const void *bytes, size_t len)
{
	const struct message *message = client_take(s->watcher, topic, SOON);

	if (message == NULL) {
		fail_msg("%.200s was not delivered", topic);
		return;
	}
	assert_int_equal(message->len, len);
	if (len > 0)
		assert_memory_equal(message->payload, bytes, len);
}

/* Publishes to a topic that is none of Hearth's business: it passes, and nothing else happens. */
static void passes(const struct scene *s, const char *topic, const char *text, bool retain)
{
	int reason = client_publish_bytes(s->author, topic, text, strlen(text), retain);

	if (reason >= 128)
		fail_msg("%.200s: refused with reason %d", topic, reason);
	delivered(s, topic, text, strlen(text));
}

/* ---- payloads ---- */

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
	assert_true(client_publish_bytes(s->author, topic, bytes, len, false) < 128);
	delivered(s, topic, bytes, len);
	free(expect_complaint(s->watcher, sensor, "value", code));
}

static void wrong_values_are_delivered_said_and_not_stored(void **state)
{
	struct scene s = begin();
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
	history_expect(s.house, "select device,value,text from readings", "uno0|21.5|\n");
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	free(big);
	free(digits);
	free(deep);
	end(&s);
}

static void errors_come_at_most_once_a_second(void **state)
{
	struct scene s = begin();
	int64_t begun = now_ms();
	size_t errors = 0;

	(void)state;
	for (int i = 0; i < 2000; i++)
		assert_true(client_send(s.author, i % 2 == 0 ? "lab/uno1/a/value" : "lab/uno1/b/value", "junk", 4, 1, false));
	assert_true(client_flush(s.author));
	client_fence(s.watcher);
	while (client_take(s.watcher, "lab/uno1/a/error", 0) != NULL)
		errors++;
	assert_in_range(errors, 1, 1 + (now_ms() - begun) / 1000);
	assert_non_null(client_take(s.watcher, "lab/uno1/b/error", 0)); /* the limit is a series' own */
	end(&s);
}

/* Commands and states may be any text, but not any bytes, and not for ever long. */
static void wrong_commands_are_delivered_and_not_stored(void **state)
{
	struct scene s = begin();
	char *big = repeated('x', MEBIBYTE), *longest = repeated('y', 4096);

	(void)state;
	assert_true(client_publish_bytes(s.author, "lab/fan1/motor/set", "1\0", 2, false) < 128);
	delivered(&s, "lab/fan1/motor/set", "1\0", 2);
	assert_true(client_publish_bytes(s.author, "lab/fan1/motor/state", "\xC0\x80", 2, true) < 128);
	delivered(&s, "lab/fan1/motor/state", "\xC0\x80", 2);
	assert_true(client_publish_bytes(s.author, "lab/fan2/motor/set", big, MEBIBYTE, false) < 128);
	delivered(&s, "lab/fan2/motor/set", big, MEBIBYTE);
	passes(&s, "lab/fan3/motor/state", longest, true);
	history_expect(s.house, "select device,length(text) from readings", "fan3|4096\n");
	free(big);
	free(longest);
	end(&s);
}

static void hostile_configs_are_refused(void **state)
{
	struct scene s = begin();
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
		assert_int_equal(client_publish_bytes(s.author, topic, documents[i].bytes, documents[i].len, true),
		                 REASON_NOT_AUTHORIZED);
		free(expect_complaint(s.watcher, sensor, "config", "refused_config"));
		client_expect_none(s.watcher, topic);
		assert_null(retained_text(s.house, topic));
	}
	free(deep);
	free(big);
	end(&s);
}

/* ---- topics ---- */

static void topics_of_another_shape_pass_unread(void **state)
{
	struct scene s = begin();
	static const char *const topics[] = {
		"value",           "a/b/value",      "a/b/c/d/value",    "a//c/value", "/b/c/value",          "a/b//value",
		"a/b/c/",          "a/b/c/values",   "a/b/c/VALUE",      "a/b/c/d",    "a/$b/c/value",        "//////",
		"거실/온도/value", "lab/uno1/value", "lab/uno1/x/y/set", "/",          "a/b/c/config/nested", "a/b/config",
	};
	char *longest = repeated('x', TOPIC_END);

	(void)state;
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		passes(&s, topics[i], i % 2 == 0 ? "junk" : "21.5", false);
	passes(&s, longest, "21.5", true);
	longest[10] = '/';
	longest[20] = '/';
	passes(&s, longest, "21.5", true);
	passes(&s, "lab/uno1/temperature/value", "1", false);
	assert_int_equal(client_drain(s.watcher, NULL), 0); /* no error for any of them */
	history_expect(s.house, "select count(*) from readings", "1\n");
	free(longest);
	end(&s);
}

/* A topic of so many bytes with this end. The caller frees it. */
static char *long_topic(size_t len, const char *end)
{
	char *topic = repeated('x', len);

	strcpy(topic + len - strlen(end), end);
	return topic;
}

/* Up to TOPIC_MAX bytes a topic is like any other, even where a sibling topic is longer; a longer one passes unread. */
static void long_topics(void **state)
{
	static const char *const ends[] = {"/uno1/temperature/value", "/fan1/motor/set",  "/fan1/motor/state",
	                                   "/hearth/helper/set",      "/hearth/auto/set", "/uno1/device/status",
	                                   "/uno1/fire/ack",          "/uno1/fire/config"};
	struct scene s = begin();
	char *topic = long_topic(TOPIC_MAX, ends[0]), wanted[64];

	(void)state;
	passes(&s, topic, "21.5", false);
	snprintf(wanted, sizeof(wanted), "%zu|uno1|temperature|value|21.5\n", TOPIC_MAX - strlen(ends[0]));
	history_expect(s.house, "select length(location),device,sensor,subject,value from readings", wanted);
	passes(&s, topic, "junk", false);
	topic[TOPIC_MAX - strlen("/value")] = '\0';
	free(expect_complaint(s.watcher, topic, "value", "not_a_value"));
	free(topic);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (size_t len = TOPIC_MAX - 4; len <= TOPIC_MAX + 4; len++) {
			bool is_config = strstr(ends[i], "/config") != NULL;

			topic = long_topic(len, ends[i]);
			if (!is_config) /* which is always retained */
				passes(&s, topic, "1", false);
			passes(&s, topic, is_config ? "{\"min\":1}" : "1", true);
			free(topic);
		}
	client_drain(s.watcher, NULL);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		topic = long_topic(TOPIC_END, ends[i]);
		passes(&s, topic, "junk", true);
		free(topic);
	}
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	snprintf(wanted, sizeof(wanted), "%d\n", TOPIC_MAX);
	history_expect(s.house, "select max(length(location||device||sensor||subject))+3 from readings", wanted);
	end(&s);
}

static void korean_topics_work(void **state)
{
	struct scene s = begin();
	const char *config = json("{'unit':'°C','rules':[{'name':'시원하게','when':{'above':28},"
	                          "'then':[{'set':'{location}/선풍기/모터','to':'켜짐'}]}]}");

	(void)state;
	passes(&s, "거실/uno1/온도/config", config, true);
	passes(&s, "거실/uno1/온도/value", "28.5", false);
	client_expect(s.watcher, "거실/선풍기/모터/set", "켜짐", SOON);
	passes(&s, "거실/uno1/온도/value", "더움", false);
	free(expect_complaint(s.watcher, "거실/uno1/온도", "value", "not_a_value"));
	history_expect(s.house, "select location,device,sensor,subject,value,text from readings order by time",
	               "거실|uno1|온도|value|28.5|\n거실|선풍기|모터|set||켜짐\n");
	end(&s);
}

/* Home Assistant's and Tasmota's discovery look like a config of Hearth's, and are none. */
static void other_systems_are_left_alone(void **state)
{
	struct scene s = begin();
	static const char *const topics[] = {
		"homeassistant/sensor/garden/config",
		"homeassistant/binary_sensor/0x00158d00/config",
		"homeassistant/sensor/node/object/config",
		"tasmota/discovery/D8BFC01A2B3C/config",
		"tasmota/discovery/D8BFC01A2B3C/sensors",
		"zigbee2mqtt/bridge/devices/config",
		"esphome/node/sensor/state",
		"shellies/shelly1/relay/set",
		"homeassistant/light/x/alarm",
	};
	const char *discovery = json("{'~':'homeassistant/light/kitchen','name':'Kitchen','cmd_t':'~/set','min':'x'}");
	char *kept;

	(void)state;
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		passes(&s, topics[i], discovery, true);
		kept = retained_text(s.house, topics[i]);
		assert_non_null(kept);
		assert_string_equal(kept, discovery);
		free(kept);
	}
	passes(&s, "homeassistant/sensor/x/value", "21.5", false);
	passes(&s, "lab/uno1/temperature/value", "1", false);
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	history_expect(s.house, "select location from readings", "lab\n");
	end(&s);
}

/* ---- what is Hearth's alone, and commands that stay ---- */

static void alarm_is_reserved(void **state)
{
	struct scene s = begin();
	struct client *old = client_connect(s.house, CLIENT_V3, NULL);

	(void)state;
	assert_int_equal(client_publish_bytes(s.author, "lab/uno1/fire/alarm", "{}", 2, true), REASON_NOT_AUTHORIZED);
	free(expect_complaint(s.watcher, "lab/uno1/fire", "alarm", "reserved"));
	assert_int_equal(client_publish_bytes(old, "lab/uno2/fire/alarm", "", 0, true), 0); /* 3.1.1 cannot be told */
	free(expect_complaint(s.watcher, "lab/uno2/fire", "alarm", "reserved"));
	client_expect_none(s.watcher, "lab/uno1/fire/alarm");
	client_expect_none(s.watcher, "lab/uno2/fire/alarm");
	assert_null(retained_text(s.house, "lab/uno1/fire/alarm"));
	passes(&s, "lab/uno1/temperature/value", "1", false);
	history_expect(s.house, "select sensor from readings", "temperature\n");
	client_free(old);
	end(&s);
}

static void retained_command_triggers_nothing(void **state)
{
	struct scene s = begin();
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
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(wrong_values_are_delivered_said_and_not_stored, client_teardown),
		cmocka_unit_test_teardown(errors_come_at_most_once_a_second, client_teardown),
		cmocka_unit_test_teardown(wrong_commands_are_delivered_and_not_stored, client_teardown),
		cmocka_unit_test_teardown(hostile_configs_are_refused, client_teardown),
		cmocka_unit_test_teardown(topics_of_another_shape_pass_unread, client_teardown),
		cmocka_unit_test_teardown(long_topics, client_teardown),
		cmocka_unit_test_teardown(korean_topics_work, client_teardown),
		cmocka_unit_test_teardown(other_systems_are_left_alone, client_teardown),
		cmocka_unit_test_teardown(alarm_is_reserved, client_teardown),
		cmocka_unit_test_teardown(retained_command_triggers_nothing, client_teardown),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
