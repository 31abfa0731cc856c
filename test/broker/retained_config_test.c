/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The retained config over real MQTT: what takes effect when, what is refused and how that is said, and what is still there
 * after the broker's end, orderly or not, with its own persistence or without.
 */
#include "client.h"
#include "complaint.h"
#include "history.h"
#include "house.h"
#include "json.h"
#include "patience.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
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

static void expect_retained(const struct house *house, const char *topic, const char *wanted)
{
	char *found = retained_text(house, topic);

	if (wanted == NULL) {
		assert_null(found);
	} else {
		assert_non_null(found);
		assert_string_equal(found, wanted);
	}
	free(found);
}

/* A new client that sees the motor and the errors. */
static struct client *new_watcher(const struct house *house)
{
	struct client *client = client_connect(house, CLIENT_V5, NULL);

	client_subscribe(client, MOTOR);
	client_subscribe(client, "+/+/+/error");
	return client;
}

static void takes_effect_on_the_next_reading(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_start(house);
	client = new_watcher(house);
	client_publish(client, VALUE, "25");
	client_expect_none(client, MOTOR);
	client_publish_retained(client, CONFIG, cool_above("28"));
	client_expect_none(client, MOTOR); /* no reading yet */
	client_publish(client, VALUE, "25");
	client_expect(client, MOTOR, "0", SOON);
	client_publish_retained(client, CONFIG, cool_above("20"));
	client_publish(client, VALUE, "25");
	client_expect(client, MOTOR, "1", SOON);
	/* The same document again is no change: the latch is kept. */
	client_publish_retained(client, CONFIG, cool_above("20"));
	client_publish(client, VALUE, "25");
	client_expect_none(client, MOTOR);
	expect_retained(house, CONFIG, cool_above("20"));
	client_free(client);
	house_free(house);
}

/* After an end of the broker: the config is retained, byte for byte, and its rule works. */
static void survives(bool persistence, bool killed)
{
	struct house *house = house_new();
	struct client *client;
	char *config;

	house_conf(house, "persistence %s", persistence ? "true" : "false");
	house_start(house);
	assert_true(asprintf(&config, " %s\n", cool_above("2.80e1")) >= 0); /* not how any program would write it again */
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish_retained(client, CONFIG, config);
	client_free(client);
	if (killed)
		house_kill(house);
	else
		house_stop(house);
	house_start(house);
	expect_retained(house, CONFIG, config);
	client = new_watcher(house);
	client_publish(client, VALUE, "28.1");
	client_expect(client, MOTOR, "1", SOON);
	client_publish(client, VALUE, "28");
	client_expect(client, MOTOR, "0", SOON);
	client_free(client);
	free(config);
	house_free(house);
}

static void survives_a_restart(void **state)
{
	(void)state;
	survives(false, false);
}

static void survives_a_restart_with_persistence(void **state)
{
	(void)state;
	survives(true, false);
}

/* It was durable before its PUBACK. */
static void survives_a_kill(void **state)
{
	(void)state;
	survives(false, true);
}

static void survives_a_kill_with_persistence(void **state)
{
	(void)state;
	survives(true, true);
}

static void defaults_merge_key_by_key(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_start(house);
	client = new_watcher(house);
	client_publish_retained(client, "all/all/temperature/config", json("{'unit':'°C','min':-40,'max':85}"));
	client_publish_retained(client, "livingroom/all/temperature/config", json("{'max':50}"));
	client_publish_retained(client, CONFIG, json("{'min':0}"));

	client_publish(client, VALUE, "51"); /* the location's max */
	free(expect_complaint(client, "livingroom/uno1/temperature", "value", "out_of_range"));
	client_publish(client, "livingroom/uno2/temperature/value", "-20"); /* the house's min: fine */
	client_publish(client, "livingroom/uno2/temperature/value", "51");
	free(expect_complaint(client, "livingroom/uno2/temperature", "value", "out_of_range"));
	client_publish(client, "livingroom/uno3/temperature/value",
	               json("{'value':20,'unit':'°F'}")); /* the house's unit */
	free(expect_complaint(client, "livingroom/uno3/temperature", "value", "bad_unit"));
	client_publish(client, "kitchen/uno1/temperature/value", "84");
	client_publish(client, "kitchen/uno1/temperature/value", "86"); /* the house's max */
	free(expect_complaint(client, "kitchen/uno1/temperature", "value", "out_of_range"));
	client_publish(client, "kitchen/uno1/humidity/value", "99"); /* another sensor */
	/* A device whose own config came first takes changes of the house's too. */
	client_publish_retained(client, "all/all/temperature/config", json("{'min':-40,'max':90}"));
	client_publish(client, "kitchen/uno2/temperature/value", "86");
	client_publish(client, "livingroom/uno3/temperature/value", json("{'value':20.5,'unit':'°F'}"));
	client_publish(client, "livingroom/uno1/temperature/value", "49");
	history_expect(house, "select location,device,value from readings where sensor='temperature' order by 1,2,3",
	               "kitchen|uno1|84.0\nkitchen|uno2|86.0\nlivingroom|uno1|49.0\nlivingroom|uno2|-20.0\n"
	               "livingroom|uno3|20.5\n");
	client_free(client);
	house_free(house);
}

static void rules_are_one_key(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V5, NULL);
	client_subscribe(client, "+/+/+/set");
	client_publish_retained(client, "all/all/temperature/config",
	                        json("{'rules':[{'name':'cool','when':{'above':28},"
	                             "'then':[{'set':'{location}/{device}/motor','to':1}]}]}"));
	client_publish_retained(client, "bath/uno1/temperature/config",
	                        json("{'rules':[{'name':'hot','when':{'above':40},"
	                             "'then':[{'set':'{location}/fan9/motor','to':2}]}]}"));
	client_publish_retained(client, "cellar/uno1/temperature/config", json("{'rules':[]}"));
	client_publish(client, "kitchen/uno1/temperature/value", "30");
	client_expect(client, "kitchen/uno1/motor/set", "1", SOON);
	client_publish(client, "bath/uno1/temperature/value", "30");
	client_publish(client, "cellar/uno1/temperature/value", "30");
	assert_int_equal(client_drain(client, NULL), 0);
	client_publish(client, "bath/uno1/temperature/value", "41");
	client_expect(client, "bath/fan9/motor/set", "2", SOON);
	assert_int_equal(client_drain(client, NULL), 0);
	client_free(client);
	house_free(house);
}

static void empty_payload_removes(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_start(house);
	client = new_watcher(house);
	client_publish_retained(client, CONFIG, cool_above("28"));
	client_publish(client, VALUE, "20");
	client_expect(client, MOTOR, "0", SOON);
	client_publish_retained(client, CONFIG, "");
	client_publish(client, VALUE, "30");
	client_expect_none(client, MOTOR);
	expect_retained(house, CONFIG, NULL);
	house_restart(house);
	expect_retained(house, CONFIG, NULL);
	client_free(client);
	client = new_watcher(house);
	client_publish(client, VALUE, "30");
	client_publish(client, VALUE, "20");
	client_expect_none(client, MOTOR);
	client_free(client);
	house_free(house);
}

/* The broker's own autosave still has it: the tombstone must win over what the broker restores. */
static void removed_stays_removed_after_a_kill(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_conf(house, "persistence true");
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish_retained(client, CONFIG, cool_above("28"));
	client_publish_retained(client, "x/y", "witness");
	house_signal(house, SIGUSR1);
	house_wait_file(house, "mosquitto.db");
	client_publish_retained(client, CONFIG, "");
	client_publish_retained(client, "x/y", "");
	client_free(client);
	house_kill(house);
	house_start(house);
	expect_retained(house, "x/y", "witness"); /* so the autosave was restored */
	expect_retained(house, CONFIG, NULL);
	client = new_watcher(house);
	client_publish(client, VALUE, "30");
	client_expect_none(client, MOTOR);
	client_free(client);
	house_free(house);
}

/* The same for a change: the newer document wins over the autosave's. */
static void changed_stays_changed_after_a_kill(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_conf(house, "persistence true");
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish_retained(client, CONFIG, cool_above("28"));
	client_publish(client, "livingroom/hearth/auto/set", "1");
	house_signal(house, SIGUSR1);
	house_wait_file(house, "mosquitto.db");
	client_publish_retained(client, CONFIG, cool_above("35"));
	client_publish(client, "kitchen/hearth/auto/set", "0");
	client_publish(client, "livingroom/hearth/target/set", "23");
	client_free(client);
	house_kill(house);
	house_start(house);
	expect_retained(house, CONFIG, cool_above("35"));
	expect_retained(house, "kitchen/hearth/auto/state", "0");
	expect_retained(house, "livingroom/hearth/target/state", "23");
	client = new_watcher(house);
	client_publish(client, VALUE, "30");
	client_expect(client, MOTOR, "0", SOON);
	client_publish(client, VALUE, "36");
	client_expect(client, MOTOR, "1", SOON);
	client_free(client);
	house_free(house);
}

/* ---- refused documents ---- */

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
	history_expect(house, "select value from readings", "70.0\n");
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
	history_expect(house, "select value from readings", "21.0\n");
	client_free(admin);
	client_free(second);
	client_free(other);
	client_free(anonymous);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(takes_effect_on_the_next_reading, client_teardown),
		cmocka_unit_test_teardown(survives_a_restart, client_teardown),
		cmocka_unit_test_teardown(survives_a_restart_with_persistence, client_teardown),
		cmocka_unit_test_teardown(survives_a_kill, client_teardown),
		cmocka_unit_test_teardown(survives_a_kill_with_persistence, client_teardown),
		cmocka_unit_test_teardown(defaults_merge_key_by_key, client_teardown),
		cmocka_unit_test_teardown(rules_are_one_key, client_teardown),
		cmocka_unit_test_teardown(empty_payload_removes, client_teardown),
		cmocka_unit_test_teardown(removed_stays_removed_after_a_kill, client_teardown),
		cmocka_unit_test_teardown(changed_stays_changed_after_a_kill, client_teardown),
		cmocka_unit_test_teardown(bad_ones_are_refused_v5, client_teardown),
		cmocka_unit_test_teardown(bad_ones_are_refused_v3, client_teardown),
		cmocka_unit_test_teardown(clash_of_levels_is_refused, client_teardown),
		cmocka_unit_test_teardown(config_must_be_retained, client_teardown),
		cmocka_unit_test_teardown(only_the_named_may_configure, client_teardown),
	};

	return cmocka_run_group_tests_name("retained_config", tests, NULL, NULL);
}
