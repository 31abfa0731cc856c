/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The scenes of a house over real MQTT: a device publishes readings, a watcher sees what the actuators are told.
 *
 * A new rule's first evaluation always fires one way or the other, so each scene begins by bringing its rules into a
 * known state.
 */
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

/* ---- the paper's scenes ---- */

static void dark_switches_the_led_on(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/+/led/set");
	const char *cds = "livingroom/uno1/cds/value", *led = "livingroom/uno1/led/set";

	(void)state;
	configure(&s, "livingroom/uno1/cds/config",
	          "{'rules':[{'name':'dark','when':{'at_most':50},"
	          "'then':[{'set':'{location}/{device}/led','to':1}],'else':[{'set':'{location}/{device}/led','to':0}]}]}");
	leads_to(&s, cds, "51", led, "0");
	leads_to_nothing(&s, cds, "80", led);
	leads_to(&s, cds, "50", led, "1");
	leads_to_nothing(&s, cds, "0", led);
	leads_to(&s, cds, "50.001", led, "0");
	leads_to(&s, cds, json("{'value':12,'unit':'lx'}"), led, "1");
	scene_end(&s);
}

static void window_follows_two_temperatures(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/win1/#");
	const char *inside = "livingroom/uno1/temperature/value", *outside = "outdoor/kma/temperature/value";
	const char *window = "livingroom/win1/window/set";

	(void)state;
	configure(&s, "livingroom/uno1/temperature/config",
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
	scene_end(&s);
}

/* Two series, one motor: it stops only when neither rule wants it. */
static void heat_or_damp_runs_the_motor(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "bath/fan1/#");
	const char *heat = "bath/uno1/temperature/value", *damp = "bath/uno1/humidity/value",
			   *motor = "bath/fan1/motor/set";

	(void)state;
	configure(&s, "bath/uno1/temperature/config",
	          "{'rules':[{'name':'hot','when':{'above':28},'then':[{'set':'bath/fan1/motor','to':1}],"
	          "'else':[{'set':'bath/fan1/motor','to':0}]}]}");
	configure(&s, "bath/uno1/humidity/config",
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
	scene_end(&s);
}

static void led_brightness_follows_the_light(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/led1/#");
	const char *light = "livingroom/uno1/illuminance/value", *led = "livingroom/led1/led/set";

	(void)state;
	configure(
		&s, "livingroom/uno1/illuminance/config",
		"{'rules':[{'name':'dim','always':[{'set':'livingroom/led1/led','scale':{'from':[0,50],'to':[255,0]}}]}]}");
	leads_to(&s, light, "0", led, "255");
	leads_to(&s, light, "25", led, "128"); /* 127.5, half away from zero */
	leads_to(&s, light, "10", led, "204");
	leads_to_nothing(&s, light, "10.01", led); /* the same whole number */
	leads_to(&s, light, "50", led, "0");
	leads_to_nothing(&s, light, "900", led); /* clamped */
	leads_to(&s, light, "-5", led, "255");
	scene_end(&s);
}

static void fire_acts_on_the_whole_house(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "+/+/+/set");
	const char *fire = "hall/uno3/fire/value";

	(void)state;
	configure(&s, "hall/uno3/fire/config",
	          "{'rules':[{'name':'fire','when':{'equals':1},'auto':false,'priority':100,'then':["
	          "{'set':'livingroom/fan1/motor','to':1},{'set':'hall/door1/door','to':'open'},"
	          "{'set':'hall/door1/buzzer','to':'alarm'}],'else':[{'set':'hall/door1/buzzer','to':'off'}]}]}");
	configure(&s, "livingroom/uno1/temperature/config",
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
	scene_end(&s);
}

static void manual_command_passes_through(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/fan1/motor/set");
	struct client *person = client_connect(s.house, CLIENT_V5, NULL);
	const struct message *message;

	(void)state;
	client_publish(person, "livingroom/fan1/motor/set", " 1 ");
	message = client_expect(s.watcher, "livingroom/fan1/motor/set", " 1 ", SOON);
	assert_null(message_property(message, "hearth-rule"));
	client_expect_none(s.watcher, "livingroom/fan1/motor/set");
	rows_expect(s.house, "select location,device,sensor,subject,value from readings",
	            "livingroom|fan1|motor|set|1.0\n");
	client_free(person);
	scene_end(&s);
}

/* ---- the automation switch and helpers ---- */

/* Switches the automation with `topic`, and back: what the rule wants meanwhile is sent when it is on again. */
static void automation_switch(const char *topic)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/fan1/motor/set");
	const char *heat = "livingroom/uno1/temperature/value", *motor = "livingroom/fan1/motor/set";
	char *state_topic = NULL, *said;

	configure(
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
	scene_end(&s);
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
	struct scene s = scene_begin(CLIENT_V3, "+/fan1/motor/set");
	const char *heat = "livingroom/uno1/temperature/value";

	(void)state;
	configure(&s, "livingroom/uno1/temperature/config",
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
	scene_end(&s);
}

static void helper_is_remembered_and_referred_to(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/heater/#");
	const char *heat = "livingroom/uno1/temperature/value", *heater = "livingroom/heater/power/set";
	char *said;

	(void)state;
	configure(&s, "livingroom/uno1/temperature/config",
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
	scene_end(&s);
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
	};

	return cmocka_run_group_tests_name("scenes", tests, NULL, NULL);
}
