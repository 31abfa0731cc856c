/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A device cannot get out of its box, whatever it subscribes to, publishes or leaves as a Will.
 */
#include "accounts.h"
#include "client.h"
#include "device_scene.h"
#include "patience.h"
#include "raw.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const int versions[] = {CLIENT_V3, CLIENT_V5};

/* ---- reading ---- */

/* What it may subscribe to, and how many of the messages below it then gets. */
static const struct {
	const char *filter;
	bool granted;
	size_t retained, live;
} subscriptions[] = {
	{"#", true, 1, 3},
	{"+/+/+/+", true, 1, 3},
	{"+/#", true, 1, 3},
	{"livingroom/#", true, 1, 3},
	{"+/uno1/+/set", true, 0, 2},
	{DEVICE "/+/set", true, 0, 2},
	{DEVICE "/led/config", true, 1, 1},
	{"$share/g/" DEVICE "/+/set", false, 0, 0}, /* groups are for services */
	{"+/+/+/value", false, 0, 0},
	{DEVICE "/+/state", false, 0, 0},
	{OTHER_DEVICE "/#", false, 0, 0},
	{"kitchen/#", false, 0, 0},
	{"somewhere/else", false, 0, 0},
	{"$SYS/#", false, 0, 0},
	{"$SYS/broker/version", false, 0, 0},
	{"$SYS/broker/hearth/#", false, 0, 0},
	{"$CONTROL/#", false, 0, 0},
	{CONTROL_RESPONSE, false, 0, 0},
	{"$share/g/#", false, 0, 0}, /* what it is dealt it would take away from others */
	{"$share/g/+/+/+/set", false, 0, 0},
	{"$share/g/" DEVICE "/#", false, 0, 0},
	{"$share/g/" OTHER_DEVICE "/+/set", false, 0, 0},
	{"$share/g/$SYS/#", false, 0, 0},
	{"$share/g/$CONTROL/#", false, 0, 0},
	{"$share/g/$share/h/#", false, 0, 0},
	{"$share/+/#", false, 0, 0},
};

static void publish_live_things(struct client *admin)
{
	static const char *const topics[] = {
		DEVICE "/led/set",          DEVICE "/motor/set",  DEVICE "/led/value",     DEVICE "/led/state",
		DEVICE "/led/more/set",     DEVICE "/led/alarms", OTHER_DEVICE "/led/set", "kitchen/door/door/set",
		"livingroom/uno11/led/set", "livingroom/led/set", "somewhere/else/too",
	};

	for (size_t i = 0; i < COUNT(topics); i++)
		client_publish(admin, topics[i], "1");
	client_publish_retained(admin, DEVICE "/led/config", "{}");
	client_publish_retained(admin, OTHER_DEVICE "/led/config", "{}");
}

/* Takes what came: nothing but its own set and config. Returns how many of these. */
static size_t take_own(struct client *device, const char *filter)
{
	const struct message *message;
	size_t own = 0;

	client_fence(device);
	while ((message = client_take(device, NULL, 0)) != NULL) {
		const char *subject = strrchr(message->topic, '/');

		if (strncmp(message->topic, DEVICE "/", strlen(DEVICE "/")) != 0 ||
		    (strcmp(subject, "/set") != 0 && strcmp(subject, "/config") != 0) ||
		    strcmp(message->topic, DEVICE "/led/more/set") == 0)
			fail_msg("by %s the device got %s: %s", filter, message->topic, message->payload);
		own++;
	}
	return own;
}

static void subscribe_and_look(const struct device_scene *s, struct client *device, size_t i)
{
	const char *filter = subscriptions[i].filter;
	int code = client_try_subscribe(device, filter);
	size_t own;

	if ((code < 128) != subscriptions[i].granted)
		fail_msg("SUBACK %d for %s", code, filter);
	if ((own = take_own(device, filter)) != subscriptions[i].retained)
		fail_msg("by %s the device got %zu retained, wanted %zu", filter, own, subscriptions[i].retained);
	publish_live_things(s->admin);
	client_fence(s->admin); /* so that a configuration's own consequences are out */
	if ((own = take_own(device, filter)) != subscriptions[i].live)
		fail_msg("by %s the device got %zu, wanted %zu", filter, own, subscriptions[i].live);
	if (subscriptions[i].granted)
		client_unsubscribe(device, filter);
}

static void a_device_reads_its_own(void **state)
{
	struct device_scene s = device_scene_begin(NULL);

	(void)state;
	/* What must not get through is there to be seen. */
	client_subscribe(s.admin, "$SYS/#");
	assert_non_null(client_take(s.admin, "$SYS/broker/version", SOON));
	client_unsubscribe(s.admin, "$SYS/#");
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct client *device = device_open(&s, versions[v], (struct client_options){0});

		for (size_t i = 0; i < COUNT(subscriptions); i++)
			subscribe_and_look(&s, device, i);
		client_free(device);
	}
	device_scene_end(&s);
}

/* Changes the device's account, and returns when whoever was connected with it has had to go. */
static void change_account(const struct device_scene *s, const char *command)
{
	struct client *witness = device_open(s, CLIENT_V3, (struct client_options){0});

	accounts_do(s->admin, "%s", command);
	assert_true(client_ends(witness, SOON));
	client_free(witness);
}

/* What comes to a stored session is checked as well, also if the rights went after it was queued. */
static void a_stored_session_is_no_way_out(void **state)
{
	struct device_scene s = device_scene_begin(NULL);
	const struct client_options stored = {.id = "uno1", .stored = true};

	(void)state;
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct client *device = device_open(&s, versions[v], stored);

		client_subscribe(device, "#");
		take_own(device, "#");
		client_free(device);
		client_fence(s.admin);
		publish_live_things(s.admin);
		device = device_open(&s, versions[v], stored);
		assert_int_equal(take_own(device, "#"), 3);
		client_free(device);
		client_fence(s.admin);
		publish_live_things(s.admin);
		change_account(&s, "{'command':'addGrant','username':'" DEVICE "','deny':'read','topic':'" DEVICE "/+/set'}");
		device = device_open(&s, versions[v], stored);
		assert_int_equal(take_own(device, "#"), 1); /* the config */
		client_unsubscribe(device, "#");
		client_free(device);
		change_account(&s, "{'command':'modifyAccount','username':'" DEVICE "','grants':null}");
	}
	device_scene_end(&s);
}

/* Whoever joins a group of subscribers without the right to what they share takes nothing away from them. */
static void a_device_takes_nothing_from_a_group(void **state)
{
	struct device_scene s = device_scene_begin(NULL);
	struct client *member, *device;

	(void)state;
	accounts_add(s.admin, "{'username':'nodered','role':'service','grants':[{'allow':'all','topic':'#'}]}");
	member = accounts_sign_in(s.house, CLIENT_V5, "nodered", ACCOUNTS_SECRET);
	client_subscribe(member, "$share/nodered/#");
	device = device_open(&s, CLIENT_V5, (struct client_options){0});
	client_try_subscribe(device, "$share/nodered/#");
	for (int i = 0; i < 10; i++)
		client_publish(s.admin, "kitchen/door/door/set", "1");
	assert_int_equal(client_drain(member, "kitchen/door/door/set"), 10);
	client_free(member);
	client_free(device);
	device_scene_end(&s);
}

/* ---- writing ---- */

static const struct {
	const char *topic;
	bool allowed;
} publications[] = {
	{DEVICE "/t/value", true},
	{DEVICE "/led/state", true},
	{DEVICE "/device/status", true},
	{DEVICE "/t/error", true},
	{DEVICE "/led/set", false},
	{DEVICE "/led/config", false},
	{DEVICE "/led/alarm", false},
	{DEVICE "/led/ack", false},
	{DEVICE "/value", false},
	{DEVICE "/a/b/value", false},
	{DEVICE "//x/value", false},
	{"/" DEVICE "/t/value", false},
	{DEVICE "/t/value/", false},
	{"livingroom/uno11/t/value", false},
	{"livingroom/uno/t/value", false},
	{"Livingroom/uno1/t/value", false},
	{OTHER_DEVICE "/t/value", false},
	{OTHER_DEVICE "/led/set", false},
	{"livingroom/hearth/auto/set", false},
	{"all/hearth/auto/set", false},
	{"livingroom/all/t/value", false},
	{"somewhere/else", false},
	{"value", false},
	{"/", false},
	{"$SYS/broker/uptime", false},
	{"$SYS/broker/connection/x/state", false},
	{"$CONTROL/hearth/v1", false},
	{"$CONTROL/hearth/v1/response", false},
	{"$CONTROL/dynamic-security/v1", false},
	{"$share/g/" DEVICE "/t/value", false},
	{"$" DEVICE "/t/value", false},
};

static void expect_publication(const struct device_scene *s, struct client *device, const char *topic, bool allowed)
{
	const char *text = strncmp(topic, "$CONTROL", 8) == 0 ? "{\"commands\":[{\"command\":\"whoAmI\"}]}" : "1";
	int reason = client_publish_bytes(device, topic, text, strlen(text), false);

	if (device->version == CLIENT_V5 && (reason == REASON_NOT_AUTHORIZED) == allowed)
		fail_msg("PUBACK %d for %s", reason, topic);
	client_fence(s->admin);
	if ((client_take(s->admin, topic, 0) != NULL) != allowed)
		fail_msg("%s %s", topic, allowed ? "did not arrive" : "arrived");
}

static void a_device_writes_its_own(void **state)
{
	struct device_scene s = device_scene_begin(NULL);

	(void)state;
	client_subscribe(s.admin, "$SYS/broker/connection/#");
	for (size_t v = 0; v < COUNT(versions); v++) {
		struct client *device = device_open(&s, versions[v], (struct client_options){0});

		for (size_t i = 0; i < COUNT(publications); i++)
			expect_publication(&s, device, publications[i].topic, publications[i].allowed);
		client_fence(device);
		assert_null(client_take(device, NULL, 0)); /* control did not answer either */
		client_free(device);
	}
	device_scene_end(&s);
}

static void a_will_is_a_publication(void **state)
{
	struct device_scene s = device_scene_begin(NULL);

	(void)state;
	for (size_t v = 0; v < COUNT(versions); v++)
		for (size_t i = 0; i < COUNT(publications); i++) {
			const char *topic = publications[i].topic;

			client_cut(device_open(&s, versions[v], (struct client_options){.will_topic = topic, .will = "offline"}));
			client_fence(s.admin);
			if (publications[i].allowed)
				client_expect(s.admin, topic, "offline", SOON);
			else if (client_take(s.admin, topic, 0) != NULL)
				fail_msg("a Will arrived on %s", topic);
		}
	device_scene_end(&s);
}

static void a_topic_alias_is_no_way_out(void **state)
{
	struct device_scene s = device_scene_begin(NULL);
	struct client *device;

	(void)state;
	device = device_open(&s, CLIENT_V5, (struct client_options){0});
	assert_true(client_publish_alias(device, 1, DEVICE "/t/value", "1") < 128);
	assert_true(client_publish_alias(device, 1, NULL, "2") < 128);
	client_expect(s.admin, DEVICE "/t/value", "1", SOON);
	client_expect(s.admin, DEVICE "/t/value", "2", SOON);
	assert_int_equal(client_publish_alias(device, 1, OTHER_DEVICE "/t/value", "3"), REASON_NOT_AUTHORIZED);
	assert_int_equal(client_publish_alias(device, 1, NULL, "4"), REASON_NOT_AUTHORIZED);
	assert_int_equal(client_publish_alias(device, 2, OTHER_DEVICE "/t/value", "5"), REASON_NOT_AUTHORIZED);
	assert_int_equal(client_publish_alias(device, 2, NULL, "6"), REASON_NOT_AUTHORIZED);
	client_expect_none(s.admin, OTHER_DEVICE "/t/value");
	assert_true(client_publish_alias(device, 2, DEVICE "/t/value", "7") < 128);
	assert_true(client_publish_alias(device, 2, NULL, "8") < 128);
	client_expect(s.admin, DEVICE "/t/value", "7", SOON);
	client_expect(s.admin, DEVICE "/t/value", "8", SOON);
	client_free(device);
	device_scene_end(&s);
}

/* ---- bridges ---- */

/* Whoever says in his CONNECT that he is a bridge is none: the broker makes its bridges itself. */
static void a_bridge_bit_opens_nothing(void **state)
{
	struct device_scene s = device_scene_begin(NULL);
	struct raw_connect connect = {.version = 0x84, .id = "b", .id_len = 1, .user = DEVICE, .user_len = strlen(DEVICE)};
	struct raw_packet packet = {0};
	int fd, code;

	(void)state;
	connect.password = s.secret;
	connect.password_len = strlen(s.secret);
	fd = raw_sign_in(s.house, &connect, &code);
	assert_int_equal(code, 0);
	raw_put(&packet, "\0\1", 2);
	raw_put_text(&packet, "#", 1);
	raw_put_byte(&packet, 0);
	raw_send(fd, RAW_SUBSCRIBE, &packet);
	assert_int_equal(raw_receive(fd, &packet), RAW_SUBACK);
	/* By QoS 0: one it may publish, behind one it may not. */
	for (int i = 0; i < 2; i++) {
		const char *topic = i == 0 ? OTHER_DEVICE "/t/value" : DEVICE "/t/value";

		packet = (struct raw_packet){0};
		raw_put_text(&packet, topic, strlen(topic));
		raw_put(&packet, "1", 1);
		raw_send(fd, RAW_PUBLISH, &packet);
	}
	client_expect(s.admin, DEVICE "/t/value", "1", SOON);
	client_expect_none(s.admin, OTHER_DEVICE "/t/value");
	publish_live_things(s.admin);
	packet.len = 0;
	raw_send(fd, RAW_PINGREQ, &packet);
	for (int first; (first = raw_receive(fd, &packet)) != RAW_PINGRESP;) {
		assert_int_equal(first & 0xF0, RAW_PUBLISH);
		if (memcmp(packet.bytes + 2, DEVICE "/", strlen(DEVICE "/")) != 0)
			fail_msg("it got %.*s", (int)packet.len - 2, (const char *)packet.bytes + 2);
	}
	raw_close(fd);
	device_scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_device_reads_its_own, client_teardown),
		cmocka_unit_test_teardown(a_stored_session_is_no_way_out, client_teardown),
		cmocka_unit_test_teardown(a_device_takes_nothing_from_a_group, client_teardown),
		cmocka_unit_test_teardown(a_device_writes_its_own, client_teardown),
		cmocka_unit_test_teardown(a_will_is_a_publication, client_teardown),
		cmocka_unit_test_teardown(a_topic_alias_is_no_way_out, client_teardown),
		cmocka_unit_test_teardown(a_bridge_bit_opens_nothing, client_teardown),
	};

	return cmocka_run_group_tests_name("access_device", tests, NULL, NULL);
}
