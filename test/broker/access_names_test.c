/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Names open nothing: user names and client ids that look like filters or hold a NUL; and nobody can have a client id that is
 * another's, while its owner is connected or the broker keeps its session.
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
#define NOT_ALLOWED  5 /* CONNACK of MQTT 3.1.1 */

/* ---- names ---- */

/* A NUL would cut a name off for whoever reads it as a string. */
static void a_nul_ends_no_name(void **state)
{
	struct device_scene s = device_scene_begin(NULL);
	struct raw_connect connect = {.version = 4, .id = "a", .id_len = 1, .user = DEVICE, .user_len = strlen(DEVICE)};
	int fd, code;

	(void)state;
	connect.password = s.secret;
	connect.password_len = strlen(s.secret);
	fd = raw_sign_in(s.house, &connect, &code);
	assert_int_equal(code, 0);
	raw_close(fd);

	connect.user = DEVICE "\0x";
	connect.user_len = strlen(DEVICE) + 2;
	raw_sign_in(s.house, &connect, &code);
	assert_int_not_equal(code, 0);
	connect.user_len = strlen(DEVICE);
	connect.id = "a\0b";
	connect.id_len = 3;
	raw_sign_in(s.house, &connect, &code);
	assert_int_not_equal(code, 0);
	device_scene_end(&s);
}

/* What is no name of one level is none of a device, and stands for nothing in a filter. */
static void names_that_are_filters(void **state)
{
	static const char *const names[] = {"+", "#", "a/b", "a+", "#b", "$SYS", "all", "hearth"};
	struct device_scene s = device_scene_begin(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		free(accounts_refusal(s.admin, "{'command':'addDevice','location':'%s','device':'x'}", names[i]));
		free(accounts_refusal(s.admin,
		                      "{'command':'createAccount','username':'d','role':'device','location':'a',"
		                      "'device':'%s'}",
		                      names[i]));
	}
	for (size_t i = 0; i < 5; i++) {
		struct client *client;

		free(accounts_refusal(s.admin,
		                      "{'command':'createAccount','username':'%s','role':'service',"
		                      "'grants':[{'allow':'all','topic':'users/%%u/#'}]}",
		                      names[i]));
		/* As a name alone it is one like any other. */
		accounts_add(s.admin, "{'username':'%s','role':'service','grants':[{'allow':'read','topic':'users/x'}]}",
		             names[i]);
		client = accounts_sign_in(s.house, CLIENT_V5, names[i], ACCOUNTS_SECRET);
		assert_non_null(client);
		client_subscribe(client, "#");
		client_publish(s.admin, "users/x", "1");
		client_publish(s.admin, "users/y", "1");
		client_publish(s.admin, DEVICE "/led/set", "1");
		client_fence(client);
		assert_string_equal(client_take(client, NULL, 0)->topic, "users/x");
		assert_null(client_take(client, NULL, 0));
		client_free(client);
	}
	device_scene_end(&s);
}

/* %c stands for the client id, which its owner chooses. */
static void client_ids_that_are_filters(void **state)
{
	static const char *const ids[] = {"+", "#", "+/+", "a/b", "/", "cam+", "%c", "%u"};
	struct device_scene s = device_scene_begin(NULL);

	(void)state;
	accounts_add(s.admin, "{'username':'cam','role':'service','grants':[{'allow':'all','topic':'cams/%%c/#'},"
	                      "{'allow':'all','topic':'%%c/picture'},{'allow':'read','topic':'cams/none'}]}");
	for (size_t i = 0; i < COUNT(ids); i++) {
		struct client *client = client_open(
			s.house,
			&(struct client_options){.id = ids[i], .version = CLIENT_V5, .user = "cam", .password = ACCOUNTS_SECRET});

		assert_int_equal(client->connack, 0);
		client_try_subscribe(client, "#");
		client_try_subscribe(client, "cams/#");
		client_publish(s.admin, "cams/cam1/x", "1");
		client_publish(s.admin, "cams/a/b/x", "1");
		client_publish(s.admin, "front/picture", "1");
		client_publish(s.admin, "cams/cam/x", "1");
		client_fence(client);
		assert_null(client_take(client, NULL, 0));
		assert_int_equal(client_publish_bytes(client, "cams/cam1/x", "1", 1, false), REASON_NOT_AUTHORIZED);
		assert_int_equal(client_publish_bytes(client, "front/picture", "1", 1, false), REASON_NOT_AUTHORIZED);
		client_free(client);
	}
	/* A device is in its box under any client id. */
	for (size_t i = 0; i < COUNT(ids); i++) {
		struct client *device;

		client_fence(s.admin); /* the client id is free */
		device = device_open(&s, CLIENT_V5, (struct client_options){.id = ids[i]});
		assert_true(client_try_subscribe(device, OTHER_DEVICE "/#") >= 128);
		assert_int_equal(client_publish_bytes(device, OTHER_DEVICE "/t/value", "1", 1, false), REASON_NOT_AUTHORIZED);
		client_free(device);
	}
	device_scene_end(&s);
}

/* ---- another's client id ---- */

static int knock(const struct device_scene *s, int version, const char *id, bool stored)
{
	struct client *thief = client_open(
		s->house,
		&(struct client_options){
			.version = version, .user = OTHER_DEVICE, .password = s->other_secret, .id = id, .stored = stored});
	int code = thief->connack;

	client_free(thief);
	return code;
}

static void expect_refused(const struct device_scene *s)
{
	assert_int_equal(knock(s, CLIENT_V3, "uno1", false), NOT_ALLOWED);
	assert_int_equal(knock(s, CLIENT_V3, "uno1", true), NOT_ALLOWED);
	assert_int_equal(knock(s, CLIENT_V5, "uno1", false), REASON_NOT_AUTHORIZED);
	assert_int_equal(knock(s, CLIENT_V5, "uno1", true), REASON_NOT_AUTHORIZED);
}

static void reconnect_admin(struct device_scene *s)
{
	client_free(s->admin);
	s->admin = accounts_admin(s->house);
}

/* The owner is connected, away, away over a restart, away over a kill -9. */
static void another_users_client_id(int version)
{
	struct device_scene s = device_scene_begin("persistence true");
	const struct client_options stored = {.id = "uno1", .stored = true};
	struct client *device = device_open(&s, version, stored);

	client_subscribe(device, DEVICE "/+/set");
	expect_refused(&s);
	client_publish(s.admin, DEVICE "/led/set", "1");
	client_expect(device, DEVICE "/led/set", "1", SOON); /* it is connected still */
	client_free(device);
	client_fence(s.admin);
	client_publish(s.admin, DEVICE "/led/set", "2");
	expect_refused(&s);
	house_restart(s.house);
	reconnect_admin(&s);
	expect_refused(&s);
	client_publish(s.admin, DEVICE "/led/set", "3");
	expect_refused(&s);
	device = device_open(&s, version, stored);
	client_expect(device, DEVICE "/led/set", "2", SOON);
	client_expect(device, DEVICE "/led/set", "3", SOON);
	client_free(device);
	client_fence(s.admin);
	house_kill(s.house);
	house_start(s.house);
	reconnect_admin(&s);
	expect_refused(&s);
	/* What only connects is nobody's once it is gone. */
	client_free(device_open(&s, version, (struct client_options){.id = "uno1"}));
	client_fence(s.admin);
	assert_int_equal(knock(&s, version, "uno1", false), 0);
	device_scene_end(&s);
}

static void another_users_client_id_v3(void **state)
{
	(void)state;
	another_users_client_id(CLIENT_V3);
}

static void another_users_client_id_v5(void **state)
{
	(void)state;
	another_users_client_id(CLIENT_V5);
}

/* An administrator may give it away; what waits for the old owner is still not for the new one. */
static void a_forgotten_session_tells_nothing(void **state)
{
	struct device_scene s = device_scene_begin(NULL);
	struct client *client = device_open(&s, CLIENT_V3, (struct client_options){.id = "uno1", .stored = true});

	(void)state;
	client_subscribe(client, DEVICE "/+/set");
	free(accounts_refusal(s.admin, "{'command':'forgetSession','clientId':'uno1'}")); /* it is connected */
	client_free(client);
	client_fence(s.admin);
	client_publish(s.admin, DEVICE "/led/set", "1");
	accounts_do(s.admin, "{'command':'forgetSession','clientId':'uno1'}");
	client = client_open(s.house, &(struct client_options){
									  .user = OTHER_DEVICE, .password = s.other_secret, .id = "uno1", .stored = true});
	assert_int_equal(client->connack, 0);
	client_publish(s.admin, DEVICE "/led/set", "2");
	client_fence(client);
	assert_null(client_take(client, NULL, 0));
	client_free(client);
	device_scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_nul_ends_no_name, client_teardown),
		cmocka_unit_test_teardown(names_that_are_filters, client_teardown),
		cmocka_unit_test_teardown(client_ids_that_are_filters, client_teardown),
		cmocka_unit_test_teardown(another_users_client_id_v3, client_teardown),
		cmocka_unit_test_teardown(another_users_client_id_v5, client_teardown),
		cmocka_unit_test_teardown(a_forgotten_session_tells_nothing, client_teardown),
	};

	return cmocka_run_group_tests_name("access_names", tests, NULL, NULL);
}
