/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The retained config over real MQTT: when it takes effect, how defaults merge, and what is still there after the
 * broker's end, orderly or not, with its own persistence or without.
 */
#include "complaint.h"
#include "patience.h"
#include "quotes.h"
#include "rows.h"
#include "scene.h"

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
	client_publish(client, "kitchen/uno1/temperature/value", "-41");
	client_publish(client, VALUE, "-1");
	client_publish(client, "kitchen/uno1/humidity/value", "99"); /* another sensor */
	/* A device whose own config came first takes changes of the house's too. */
	client_publish_retained(client, "all/all/temperature/config", json("{'min':-40,'max':90}"));
	client_publish(client, "kitchen/uno2/temperature/value", "86");
	client_publish(client, "livingroom/uno3/temperature/value", json("{'value':20.5,'unit':'°F'}"));
	client_publish(client, "livingroom/uno1/temperature/value", "49");
	rows_expect(house, "select location,device,value from readings where sensor='temperature' order by 1,2,3",
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
	};

	return cmocka_run_group_tests_name("retained_config", tests, NULL, NULL);
}
