/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A config that is refused changes nothing: it is withheld, its author and everybody else is told why, and the good one
 * stays in force and retained.
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

#define CONFIG "livingroom/uno1/temperature/config"
#define VALUE  "livingroom/uno1/temperature/value"
#define ERROR  "livingroom/uno1/temperature/error"
#define MOTOR  "livingroom/fan1/motor/set"

/* A rule that runs the motor above a limit. */
static const char *cool_above(const char *limit)
{
	char text[512];

	snprintf(text, sizeof(text),
	         "{'rules':[{'name':'cool','when':{'above':%s},'then':[{'set':'livingroom/fan1/motor','to':1}],"
	         "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}",
	         limit);
	return json(text);
}

/* A new client that sees the motor and the errors. */
static struct client *new_watcher(const struct house *house)
{
	struct client *client = client_connect(house, CLIENT_V5, NULL);

	client_subscribe(client, MOTOR);
	client_subscribe(client, "+/+/+/error");
	return client;
}

static const struct {
	const char *document; /* ' for " */
	const char *path;     /* how the named place begins */
} bad[] = {
	{"{", "$"},
	{"hello", "$"},
	{"[]", "$"},
	{"{'min':1}x", "$"},
	{"{'min':'cold'}", "$.min"},
	{"{'min':5,'max':1}", "$"},
	{"{'minimum':5}", "$"},
	{"{'min':5,'min':6}", "$"},
	{"{'rules':{}}", "$.rules"},
	{"{'rules':[{'name':'ok','when':{'above':1},'then':[{'set':'a/b/c','to':1}]},"
     "{'name':'cool','when':{'above':28,'hysteresis':-1},'then':[{'set':'a/b/c','to':1}]}]}",
     "$.rules[1].when.hysteresis"},
	{"{'rules':[{'name':'cool','when':{'above':28},'then':[{'set':'a/b','to':1}]}]}", "$.rules[0].then[0].set"},
	{"{'rules':[{'name':'cool','when':{'abov':28},'then':[{'set':'a/b/c','to':1}]}]}", "$.rules[0].when"},
	{"{'rules':[{'name':'cool','when':{'above':{'topic':'a/b'}},'then':[{'set':'a/b/c','to':1}]}]}",
     "$.rules[0].when.above.topic"},
};

/* Publishes each bad document over a good one: nothing may change, and everybody concerned is told. */
static void refuses(int version)
{
	struct house *house = house_new();
	struct client *author, *watcher;
	const size_t count = sizeof(bad) / sizeof(bad[0]);

	house_start(house);
	author = client_connect(house, version, NULL);
	watcher = new_watcher(house);
	client_subscribe(watcher, "+/+/+/config");
	for (size_t i = 0; i < count; i++) {
		char topic[80], sensor[64], value[80], *path;
		const char *document = json(bad[i].document);
		int reason;

		/* A series each, since errors of one series are at least a second apart. */
		snprintf(sensor, sizeof(sensor), "livingroom/uno%zu/temperature", i);
		snprintf(topic, sizeof(topic), "%s/config", sensor);
		snprintf(value, sizeof(value), "%s/value", sensor);
		client_publish_retained(author, topic, cool_above("28"));
		client_expect(watcher, topic, cool_above("28"), SOON);
		client_publish(author, value, "30");
		client_expect_last(watcher, MOTOR, "1");

		reason = client_publish_bytes(author, topic, document, strlen(document), true);
		assert_int_equal(reason, version == CLIENT_V5 ? REASON_NOT_AUTHORIZED : 0);
		path = expect_complaint(watcher, sensor, "config", "refused_config");
		assert_non_null(path);
		if (strncmp(path, bad[i].path, strlen(bad[i].path)) != 0)
			fail_msg("%s: path %s, wanted %s", document, path, bad[i].path);
		free(path);
		client_expect_none(watcher, topic); /* withheld */
		expect_retained(house, topic, cool_above("28"));
		assert_int_not_equal(house_count_log(house, topic, NULL), 0);
		/* The good rule is still in force, its latch too. */
		client_publish(author, value, "29");
		client_expect_none(watcher, MOTOR);
		client_publish(author, value, "20");
		client_drain(watcher, MOTOR);
	}
	house_restart(house);
	expect_retained(house, "livingroom/uno0/temperature/config", cool_above("28"));
	client_free(author);
	client_free(watcher);
	house_free(house);
}

static void bad_ones_are_refused_v5(void **state)
{
	(void)state;
	refuses(CLIENT_V5);
}

static void bad_ones_are_refused_v3(void **state)
{
	(void)state;
	refuses(CLIENT_V3);
}

/* A default that is good by itself may not break what is more specific. */
static void clash_of_levels_is_refused(void **state)
{
	struct house *house = house_new();
	struct client *client;
	const char *house_wide;

	(void)state;
	house_start(house);
	client = new_watcher(house);
	client_publish_retained(client, CONFIG, json("{'min':60}"));
	house_wide = json("{'max':50}");
	assert_int_equal(client_publish_bytes(client, "all/all/temperature/config", house_wide, strlen(house_wide), true),
	                 REASON_NOT_AUTHORIZED);
	free(expect_complaint(client, "all/all/temperature", "config", "refused_config"));
	client_publish(client, VALUE, "70");
	rows_expect(house, "select value from readings", "70.0\n");
	client_free(client);
	house_free(house);
}

/* It would be gone after a restart, and nobody could see what holds. */
static void config_must_be_retained(void **state)
{
	struct house *house = house_new();
	struct client *client;
	const char *config = cool_above("28");

	(void)state;
	house_start(house);
	client = new_watcher(house);
	assert_int_equal(client_publish_bytes(client, CONFIG, config, strlen(config), false), REASON_NOT_AUTHORIZED);
	free(expect_complaint(client, "livingroom/uno1/temperature", "config", "not_retained"));
	client_publish(client, VALUE, "30");
	client_expect_none(client, MOTOR);
	client_free(client);
	house_free(house);
}

static void only_the_named_may_configure(void **state)
{
	struct house *house = house_new();
	struct client *admin, *second, *anonymous, *other;
	const char *config = cool_above("28");

	(void)state;
	house_conf(house, "plugin_opt_config_from admin second");
	house_start(house);
	admin = client_connect(house, CLIENT_V5, "admin");
	second = client_connect(house, CLIENT_V5, "second");
	other = client_connect(house, CLIENT_V5, "adm");
	anonymous = client_connect(house, CLIENT_V5, NULL);
	client_subscribe(admin, ERROR);
	assert_int_equal(client_publish_bytes(other, CONFIG, config, strlen(config), true), REASON_NOT_AUTHORIZED);
	free(expect_complaint(admin, "livingroom/uno1/temperature", "config", "not_permitted"));
	assert_int_equal(client_publish_bytes(anonymous, CONFIG, config, strlen(config), true), REASON_NOT_AUTHORIZED);
	expect_retained(house, CONFIG, NULL);
	client_publish_retained(admin, CONFIG, config);
	expect_retained(house, CONFIG, config);
	/* Nor may anybody else take it away. */
	assert_int_equal(client_publish_bytes(anonymous, CONFIG, "", 0, true), REASON_NOT_AUTHORIZED);
	expect_retained(house, CONFIG, config);
	client_publish_retained(second, CONFIG, "");
	expect_retained(house, CONFIG, NULL);
	client_publish(anonymous, VALUE, "21"); /* a reading is no config */
	rows_expect(house, "select value from readings", "21.0\n");
	client_free(admin);
	client_free(second);
	client_free(other);
	client_free(anonymous);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(bad_ones_are_refused_v5, client_teardown),
		cmocka_unit_test_teardown(bad_ones_are_refused_v3, client_teardown),
		cmocka_unit_test_teardown(clash_of_levels_is_refused, client_teardown),
		cmocka_unit_test_teardown(config_must_be_retained, client_teardown),
		cmocka_unit_test_teardown(only_the_named_may_configure, client_teardown),
	};

	return cmocka_run_group_tests_name("refused_config", tests, NULL, NULL);
}
