/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The scenes of a house over real MQTT: a device publishes readings, a watcher sees what the actuators are told.
 *
 * A new rule's first evaluation always fires one way or the other, so each scene begins by bringing its rules into a
 * known state.
 */
#include "client.h"
#include "history.h"
#include "house.h"
#include "json.h"
#include "patience.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scene {
	struct house *house;
	struct client *device;  /* MQTT 3.1.1, like a small board */
	struct client *watcher; /* MQTT 5, subscribed to what the scene is about */
};

static struct scene begin(const char *filter)
{
	struct scene s = {.house = house_new()};

	house_start(s.house);
	s.device = client_connect(s.house, CLIENT_V3, NULL);
	s.watcher = client_connect(s.house, CLIENT_V5, NULL);
	client_subscribe(s.watcher, filter);
	return s;
}

static void end(struct scene *s)
{
	client_free(s->device);
	client_free(s->watcher);
	house_free(s->house);
}

static void config(const struct scene *s, const char *topic, const char *single_quoted)
{
	client_publish_retained(s->device, topic, json(single_quoted));
}

/* Publishes a reading and expects exactly one new message on a topic because of it. */
static void leads_to(const struct scene *s, const char *topic, const char *value, const char *target,
                     const char *wanted)
{
	client_publish(s->device, topic, value);
	client_expect(s->watcher, target, wanted, SOON);
	client_expect_none(s->watcher, target);
}

/* Publishes a reading and expects nothing on a topic. */
static void leads_to_nothing(const struct scene *s, const char *topic, const char *value, const char *target)
{
	client_publish(s->device, topic, value);
	client_expect_none(s->watcher, target);
}

/* ---- the paper's scenes ---- */

static void dark_switches_the_led_on(void **state)
{
	struct scene s = begin("livingroom/+/led/set");
	const char *cds = "livingroom/uno1/cds/value", *led = "livingroom/uno1/led/set";

	(void)state;
	config(&s, "livingroom/uno1/cds/config",
	       "{'rules':[{'name':'dark','when':{'at_most':50},"
	       "'then':[{'set':'{location}/{device}/led','to':1}],'else':[{'set':'{location}/{device}/led','to':0}]}]}");
	leads_to(&s, cds, "51", led, "0");
	leads_to_nothing(&s, cds, "80", led);
	leads_to(&s, cds, "50", led, "1");
	leads_to_nothing(&s, cds, "0", led);
	leads_to(&s, cds, "50.001", led, "0");
	leads_to(&s, cds, json("{'value':12,'unit':'lx'}"), led, "1");
	end(&s);
}

static void window_follows_two_temperatures(void **state)
{
	struct scene s = begin("livingroom/win1/#");
	const char *inside = "livingroom/uno1/temperature/value", *outside = "outdoor/kma/temperature/value";
	const char *window = "livingroom/win1/window/set";

	(void)state;
	config(&s, "livingroom/uno1/temperature/config",
	       "{'unit':'°C','rules':[{'name':'window',"
	       "'when':{'above':{'topic':'outdoor/kma/temperature','plus':0.5},'hysteresis':0.5},"
	       "'then':[{'set':'livingroom/win1/window','to':'open'}],"
	       "'else':[{'set':'livingroom/win1/window','to':'closed'}]}]}");
	/* The reference is not known yet: nothing can be decided. */
	leads_to_nothing(&s, inside, "30", window);
	leads_to(&s, outside, "25", window, "open");
	/* Open above 25.5, closed again at 25.0. */
	leads_to_nothing(&s, inside, "25.3", window);
	leads_to(&s, inside, "25.0", window, "closed");
	leads_to_nothing(&s, inside, "25.5", window);
	leads_to(&s, inside, "25.51", window, "open");
	/* The reference moves, the inside value does not. */
	leads_to(&s, outside, "30", window, "closed");
	leads_to(&s, outside, "20", window, "open");
	end(&s);
}

/* Two series, one motor: it stops only when neither rule wants it. */
static void heat_or_damp_runs_the_motor(void **state)
{
	struct scene s = begin("bath/fan1/#");
	const char *heat = "bath/uno1/temperature/value", *damp = "bath/uno1/humidity/value",
			   *motor = "bath/fan1/motor/set";

	(void)state;
	config(&s, "bath/uno1/temperature/config",
	       "{'rules':[{'name':'hot','when':{'above':28},'then':[{'set':'bath/fan1/motor','to':1}],"
	       "'else':[{'set':'bath/fan1/motor','to':0}]}]}");
	config(&s, "bath/uno1/humidity/config",
	       "{'rules':[{'name':'damp','when':{'above':70},'then':[{'set':'bath/fan1/motor','to':1}],"
	       "'else':[{'set':'bath/fan1/motor','to':0}]}]}");
	client_publish(s.device, heat, "20");
	client_publish(s.device, damp, "50");
	client_expect_last(s.watcher, motor, "0");
	client_publish(s.device, heat, "29");
	client_expect_last(s.watcher, motor, "1");
	client_publish(s.device, damp, "71");
	client_publish(s.device, heat, "20");
	client_expect_last(s.watcher, motor, "1");
	client_publish(s.device, damp, "60");
	client_expect_last(s.watcher, motor, "0");
	client_publish(s.device, damp, "90");
	client_expect_last(s.watcher, motor, "1");
	end(&s);
}

static void led_brightness_follows_the_light(void **state)
{
	struct scene s = begin("livingroom/led1/#");
	const char *light = "livingroom/uno1/illuminance/value", *led = "livingroom/led1/led/set";

	(void)state;
	config(&s, "livingroom/uno1/illuminance/config",
	       "{'rules':[{'name':'dim','always':[{'set':'livingroom/led1/led','scale':{'from':[0,50],'to':[255,0]}}]}]}");
	leads_to(&s, light, "0", led, "255");
	leads_to(&s, light, "25", led, "128"); /* 127.5, half away from zero */
	leads_to(&s, light, "10", led, "204");
	leads_to_nothing(&s, light, "10.01", led); /* the same whole number */
	leads_to(&s, light, "50", led, "0");
	leads_to_nothing(&s, light, "900", led); /* clamped */
	leads_to(&s, light, "-5", led, "255");
	end(&s);
}

static void fire_acts_on_the_whole_house(void **state)
{
	struct scene s = begin("+/+/+/set");
	const char *fire = "hall/uno3/fire/value";

	(void)state;
	config(&s, "hall/uno3/fire/config",
	       "{'rules':[{'name':'fire','when':{'equals':1},'auto':false,'priority':100,'then':["
	       "{'set':'livingroom/fan1/motor','to':1},{'set':'hall/door1/door','to':'open'},"
	       "{'set':'hall/door1/buzzer','to':'alarm'}],'else':[{'set':'hall/door1/buzzer','to':'off'}]}]}");
	config(&s, "livingroom/uno1/temperature/config",
	       "{'rules':[{'name':'cool','when':{'above':28},'then':[{'set':'livingroom/fan1/motor','to':1}],"
	       "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	/* Fire is not a matter of automation. */
	client_publish(s.device, "all/hearth/auto/set", "0");
	client_publish(s.device, "hall/hearth/auto/set", "0");
	leads_to(&s, fire, "0", "hall/door1/buzzer/set", "off");
	client_publish(s.device, fire, "1");
	client_expect(s.watcher, "livingroom/fan1/motor/set", "1", SOON);
	client_expect(s.watcher, "hall/door1/door/set", "open", SOON);
	client_expect(s.watcher, "hall/door1/buzzer/set", "alarm", SOON);
	/* A lesser rule does not stop the motor meanwhile, even with the automation on. */
	client_publish(s.device, "all/hearth/auto/set", "1");
	leads_to_nothing(&s, "livingroom/uno1/temperature/value", "20", "livingroom/fan1/motor/set");
	client_expect_none(s.watcher, "hall/door1/door/set");
	end(&s);
}

static void manual_command_passes_through(void **state)
{
	struct scene s = begin("livingroom/fan1/motor/set");
	struct client *person = client_connect(s.house, CLIENT_V5, NULL);
	const struct message *message;

	(void)state;
	client_publish(person, "livingroom/fan1/motor/set", " 1 ");
	message = client_expect(s.watcher, "livingroom/fan1/motor/set", " 1 ", SOON);
	assert_null(message_property(message, "hearth-rule"));
	client_expect_none(s.watcher, "livingroom/fan1/motor/set");
	history_expect(s.house, "select location,device,sensor,subject,value from readings",
	               "livingroom|fan1|motor|set|1.0\n");
	client_free(person);
	end(&s);
}

/* ---- the automation switch and helpers ---- */

/* Switches the automation with `topic`, and back: what the rule wants meanwhile is sent when it is on again. */
static void automation_switch(const char *topic)
{
	struct scene s = begin("livingroom/fan1/motor/set");
	const char *heat = "livingroom/uno1/temperature/value", *motor = "livingroom/fan1/motor/set";
	char *state_topic = NULL, *said;

	config(
		&s, "livingroom/uno1/temperature/config",
		"{'rules':[{'name':'cool','when':{'above':28,'hysteresis':1},'then':[{'set':'livingroom/fan1/motor','to':1}],"
		"'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	leads_to(&s, heat, "20", motor, "0");
	assert_true(asprintf(&state_topic, "%.*s/state", (int)(strlen(topic) - 4), topic) >= 0);
	client_subscribe(s.watcher, state_topic);
	client_drain(s.watcher, NULL);

	client_publish(s.device, topic, "0");
	client_expect(s.watcher, state_topic, "0", SOON);
	leads_to_nothing(&s, heat, "30", motor);
	said = retained_text(s.house, state_topic);
	assert_non_null(said);
	assert_string_equal(said, "0");
	free(said);

	client_publish(s.device, topic, "1");
	client_expect(s.watcher, state_topic, "1", SOON);
	client_expect(s.watcher, motor, "1", SOON);
	client_expect_none(s.watcher, motor);
	said = retained_text(s.house, state_topic);
	assert_non_null(said);
	assert_string_equal(said, "1");
	free(said);
	leads_to(&s, heat, "27", motor, "0");
	free(state_topic);
	end(&s);
}

static void automation_of_a_location(void **state)
{
	(void)state;
	automation_switch("livingroom/hearth/auto/set");
}

static void automation_of_the_house(void **state)
{
	(void)state;
	automation_switch("all/hearth/auto/set");
}

/* Both switches must be on, and it is the target's location that counts. */
static void automation_needs_both_switches(void **state)
{
	struct scene s = begin("+/fan1/motor/set");
	const char *heat = "livingroom/uno1/temperature/value";

	(void)state;
	config(&s, "livingroom/uno1/temperature/config",
	       "{'rules':[{'name':'cool','when':{'above':28},'then':[{'set':'kitchen/fan1/motor','to':1},"
	       "{'set':'bath/fan1/motor','to':1}]}]}");
	client_publish(s.device, "livingroom/hearth/auto/set", "0");
	client_publish(s.device, "kitchen/hearth/auto/set", "0");
	client_publish(s.device, heat, "30");
	client_expect(s.watcher, "bath/fan1/motor/set", "1", SOON);
	client_expect_none(s.watcher, "kitchen/fan1/motor/set");
	client_publish(s.device, "all/hearth/auto/set", "0");
	client_publish(s.device, "kitchen/hearth/auto/set", "1");
	client_expect_none(s.watcher, "kitchen/fan1/motor/set");
	client_publish(s.device, "all/hearth/auto/set", "1");
	client_expect(s.watcher, "kitchen/fan1/motor/set", "1", SOON);
	client_expect_none(s.watcher, "kitchen/fan1/motor/set");
	end(&s);
}

static void helper_is_remembered_and_referred_to(void **state)
{
	struct scene s = begin("livingroom/heater/#");
	const char *heat = "livingroom/uno1/temperature/value", *heater = "livingroom/heater/power/set";
	char *said;

	(void)state;
	config(&s, "livingroom/uno1/temperature/config",
	       "{'rules':[{'name':'heat','when':{'below':{'topic':'livingroom/hearth/target/state'}},"
	       "'then':[{'set':'livingroom/heater/power','to':1}],'else':[{'set':'livingroom/heater/power','to':0}]}]}");
	client_subscribe(s.watcher, "livingroom/hearth/target/state");
	leads_to_nothing(&s, heat, "20", heater);
	client_publish(s.device, "livingroom/hearth/target/set", "21.5");
	client_expect(s.watcher, "livingroom/hearth/target/state", "21.5", SOON);
	client_expect(s.watcher, heater, "1", SOON);
	leads_to(&s, heat, "21.5", heater, "0");
	leads_to(&s, "livingroom/hearth/target/set", "23", heater, "1");

	/* It survives a restart, and so does the rule that refers to it. */
	client_free(s.watcher);
	client_free(s.device);
	house_restart(s.house);
	said = retained_text(s.house, "livingroom/hearth/target/state");
	assert_non_null(said);
	assert_string_equal(said, "23");
	free(said);
	s.device = client_connect(s.house, CLIENT_V3, NULL);
	s.watcher = client_connect(s.house, CLIENT_V5, NULL);
	client_subscribe(s.watcher, heater);
	client_publish(s.device, heat, "22.9");
	client_expect_last(s.watcher, heater, "1");
	leads_to(&s, heat, "23", heater, "0");
	end(&s);
}

/* ---- timing, chains, arbitration ---- */

static void for_waits_its_time(void **state)
{
	struct scene s = begin("livingroom/fan1/motor/set");
	const char *heat = "livingroom/uno1/temperature/value", *motor = "livingroom/fan1/motor/set";
	const struct message *message;
	int64_t before;

	(void)state;
	config(&s, "livingroom/uno1/temperature/config",
	       "{'rules':[{'name':'cool','when':{'above':28,'for':0.7},'then':[{'set':'livingroom/fan1/motor','to':1}],"
	       "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	leads_to(&s, heat, "20", motor, "0");
	/* Not held long enough: neither branch fires. */
	leads_to_nothing(&s, heat, "29", motor);
	leads_to_nothing(&s, heat, "20", motor);
	/* Held: it fires after 0.7 s, at the tick that follows (at most 0.1 s later), though no reading comes then. */
	before = now_ms();
	client_publish(s.device, heat, "29");
	message = client_expect(s.watcher, motor, "1", SOON);
	assert_in_range(message->arrived_ms - before, 690, deadline_in(1300) - now_ms());
	/* Becoming false takes no time. */
	leads_to(&s, heat, "20", motor, "0");
	end(&s);
}

static void commands_say_what_caused_them(void **state)
{
	struct scene s = begin("livingroom/+/+/set");
	const struct message *message;

	(void)state;
	config(&s, "livingroom/uno1/temperature/config",
	       "{'rules':[{'name':'a','when':{'above':28},'then':[{'set':'livingroom/fan1/motor','to':2.5}]},"
	       "{'name':'낮은','when':{'below':{'topic':'livingroom/uno2/temperature'}},"
	       "'then':[{'set':'livingroom/fan2/motor','to':'full'}]}]}");
	client_publish(s.device, "livingroom/uno1/temperature/value", "28.50");
	message = client_expect(s.watcher, "livingroom/fan1/motor/set", "2.5", SOON);
	assert_int_equal(message->qos, 1);
	assert_false(message->retain);
	assert_non_null(message_property(message, "hearth-rule"));
	assert_string_equal(message_property(message, "hearth-rule"), "a");
	assert_non_null(message_property(message, "hearth-cause"));
	assert_string_equal(message_property(message, "hearth-cause"), "livingroom/uno1/temperature/value=28.5");

	client_publish(s.device, "livingroom/uno2/temperature/value", "31");
	message = client_expect(s.watcher, "livingroom/fan2/motor/set", "full", SOON);
	assert_string_equal(message_property(message, "hearth-rule"), "낮은");
	assert_string_equal(message_property(message, "hearth-cause"), "livingroom/uno2/temperature/value=31");
	assert_null(retained_text(s.house, "livingroom/fan2/motor/set"));
	end(&s);
}

/* A rule may follow another rule's command; two rules in a ring are cut, and the log says so once. */
static void ring_of_rules_is_cut(void **state)
{
	struct scene s = begin("r/d/+/set");
	size_t turns;

	(void)state;
	/* a := not b, b := a */
	config(&s, "r/d/a/config",
	       "{'rules':[{'name':'not','when':{'above':{'topic':'r/d/b/set'}},'then':[{'set':'r/d/a','to':1}],"
	       "'else':[{'set':'r/d/a','to':0}]}]}");
	config(&s, "r/d/b/config",
	       "{'rules':[{'name':'copy','when':{'below':{'topic':'r/d/a/set'}},'then':[{'set':'r/d/b','to':1}],"
	       "'else':[{'set':'r/d/b','to':0}]}]}");
	client_publish(s.device, "r/d/a/value", "0.5");
	client_publish(s.device, "r/d/b/value", "0.5");
	client_publish(s.device, "r/d/b/set", "0");
	turns = client_drain(s.watcher, NULL);
	assert_in_range(turns, 3, 12);
	/* Over for good: nothing goes on turning behind the fence. */
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	assert_int_equal(house_count_log(s.house, "chain", "r/d/"), 1);
	client_publish(s.device, "r/d/b/set", "1");
	client_publish(s.device, "r/d/b/set", "0");
	assert_in_range(client_drain(s.watcher, NULL), 2, 24);
	assert_int_equal(house_count_log(s.house, "chain", "r/d/"), 1);
	end(&s);
}

static void commands_keep_their_order(void **state)
{
	struct scene s = begin("+/+/+/set");
	const struct message *message;

	(void)state;
	config(&s, "livingroom/uno1/cds/config",
	       "{'rules':[{'name':'x','when':{'at_most':50},'then':[{'set':'o/d/a','to':1},{'set':'o/d/b','to':1},"
	       "{'set':'o/d/c','to':1}],'else':[{'set':'o/d/c','to':0},{'set':'o/d/b','to':0},{'set':'o/d/a','to':0}]}]}");
	for (int i = 0; i < 300; i++)
		assert_true(client_send(s.device, "livingroom/uno1/cds/value", i % 2 == 0 ? "10" : "90", 2, 1, false));
	assert_true(client_flush(s.device));
	for (int i = 0; i < 300; i++)
		for (int k = 0; k < 3; k++) {
			static const char *const topics[2][3] = {{"o/d/a/set", "o/d/b/set", "o/d/c/set"},
			                                         {"o/d/c/set", "o/d/b/set", "o/d/a/set"}};

			message = client_take_any(s.watcher, SOON);
			assert_non_null(message);
			assert_string_equal(message->topic, topics[i % 2][k]);
			assert_string_equal(message->payload, i % 2 == 0 ? "1" : "0");
		}
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	end(&s);
}

static void priority_decides(void **state)
{
	struct scene s = begin("livingroom/fan1/#");
	const char *heat = "livingroom/uno1/temperature/value", *smoke = "livingroom/uno1/smoke/value";
	const char *motor = "livingroom/fan1/motor/set";

	(void)state;
	config(&s, "livingroom/uno1/smoke/config",
	       "{'rules':[{'name':'smoke','priority':10,'when':{'above':5},'then':[{'set':'livingroom/fan1/motor','to':9}],"
	       "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	config(&s, "livingroom/uno1/temperature/config",
	       "{'rules':[{'name':'cool','when':{'above':28},'then':[{'set':'livingroom/fan1/motor','to':3}],"
	       "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	client_publish(s.device, smoke, "1");
	client_publish(s.device, heat, "20");
	client_drain(s.watcher, NULL);
	leads_to(&s, smoke, "6", motor, "9");
	leads_to_nothing(&s, heat, "30", motor);
	leads_to(&s, smoke, "1", motor, "3"); /* the lesser rule still wants it */
	leads_to(&s, smoke, "7", motor, "9");
	leads_to_nothing(&s, heat, "20", motor);
	leads_to(&s, smoke, "0", motor, "0");
	end(&s);
}

static void the_latest_decides_among_equals(void **state)
{
	struct scene s = begin("livingroom/fan1/#");
	const char *heat = "livingroom/uno1/temperature/value", *damp = "livingroom/uno1/humidity/value";
	const char *motor = "livingroom/fan1/motor/set";

	(void)state;
	config(&s, "livingroom/uno1/humidity/config",
	       "{'rules':[{'name':'damp','when':{'above':70},'then':[{'set':'livingroom/fan1/motor','to':2}],"
	       "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	config(&s, "livingroom/uno1/temperature/config",
	       "{'rules':[{'name':'hot','when':{'above':28},'then':[{'set':'livingroom/fan1/motor','to':3}],"
	       "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	client_publish(s.device, damp, "50");
	client_publish(s.device, heat, "20");
	client_drain(s.watcher, NULL);
	leads_to(&s, damp, "80", motor, "2");
	leads_to(&s, heat, "30", motor, "3");
	leads_to(&s, heat, "20", motor, "2"); /* what the other one still wants */
	leads_to(&s, heat, "30", motor, "3");
	leads_to_nothing(&s, damp, "50", motor);
	leads_to(&s, heat, "20", motor, "0");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(dark_switches_the_led_on, client_teardown),
		cmocka_unit_test_teardown(window_follows_two_temperatures, client_teardown),
		cmocka_unit_test_teardown(heat_or_damp_runs_the_motor, client_teardown),
		cmocka_unit_test_teardown(led_brightness_follows_the_light, client_teardown),
		cmocka_unit_test_teardown(fire_acts_on_the_whole_house, client_teardown),
		cmocka_unit_test_teardown(manual_command_passes_through, client_teardown),
		cmocka_unit_test_teardown(automation_of_a_location, client_teardown),
		cmocka_unit_test_teardown(automation_of_the_house, client_teardown),
		cmocka_unit_test_teardown(automation_needs_both_switches, client_teardown),
		cmocka_unit_test_teardown(helper_is_remembered_and_referred_to, client_teardown),
		cmocka_unit_test_teardown(for_waits_its_time, client_teardown),
		cmocka_unit_test_teardown(commands_say_what_caused_them, client_teardown),
		cmocka_unit_test_teardown(ring_of_rules_is_cut, client_teardown),
		cmocka_unit_test_teardown(commands_keep_their_order, client_teardown),
		cmocka_unit_test_teardown(priority_decides, client_teardown),
		cmocka_unit_test_teardown(the_latest_decides_among_equals, client_teardown),
	};

	return cmocka_run_group_tests_name("scenes", tests, NULL, NULL);
}
