/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rooms_test: the demo's day, physics, and the dialogues with a rig, a console and a person, without any of them.
 */
#include "rooms/control.h"
#include "rooms/day.h"
#include "rooms/outputs.h"
#include "rooms/room.h"
#include "rooms/setup.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE (1.0 / 60)
#define NEARLY 1e-6

static const struct room_build build = {
	.leak = 0.25, .window = 1.5, .fan = 1, .sun_heat = 1.5, .people = 0.3, .moisture = 45, .light = 900};
static const struct room_outputs shut = {0};

/* ---- day ---- */

static void test_day(void **state)
{
	(void)state;
	for (int quarter = 0; quarter < 96; quarter++) {
		const double hour = quarter / 4.0;
		const struct outdoor now = day_outdoor(hour), next_day = day_outdoor(hour + 24);
		assert_true(fabs(now.temperature - next_day.temperature) < NEARLY);
		assert_true(fabs(now.humidity - next_day.humidity) < NEARLY);
		assert_true(fabs(now.sun - next_day.sun) < NEARLY);
		assert_true(now.temperature >= 18.5 - NEARLY && now.temperature <= 31.5 + NEARLY);
		assert_true(now.humidity >= 40 - NEARLY && now.humidity <= 80 + NEARLY);
		assert_true(now.sun >= 0 && now.sun <= 1);
	}
	assert_true(day_outdoor(15).temperature > 31.4);
	assert_true(day_outdoor(3).temperature < 18.6);
	assert_true(day_outdoor(13).sun > 0.99);
	assert_true(day_outdoor(5.9).sun == 0 && day_outdoor(20.1).sun == 0);
	assert_true(day_evening(20) > 0.99 && day_evening(17.9) == 0 && day_evening(22.1) == 0);
}

/* ---- room ---- */

static struct room after(struct room room, const struct room_outputs *outputs, double hour, double hours)
{
	for (int minute = 0; minute < hours * 60; minute++)
		room_step(&room, &build, outputs, hour + minute * MINUTE, MINUTE);
	return room;
}

static void test_outputs_act_on_the_air(void **state)
{
	const struct room_outputs fan = {.fan = 1}, half = {.fan = 0.5}, window = {.window = 1};
	const struct room hot = {32, 50};
	(void)state;

	const double alone = after(hot, &shut, 17, 1).temperature;
	assert_true(after(hot, &half, 17, 1).temperature < alone - 1);
	assert_true(after(hot, &fan, 17, 1).temperature < after(hot, &half, 17, 1).temperature - 1);
	/* At night the window lets the cold in, at noon the heat. */
	assert_true(after(hot, &window, 23, 1).temperature < after(hot, &shut, 23, 1).temperature - 3);
	const struct room cool = {24, 50};
	assert_true(after(cool, &window, 13, 1).temperature > after(cool, &shut, 13, 1).temperature + 2);
}

static void test_world_acts_on_the_air(void **state)
{
	const struct room_build shaded = {.leak = 0.25, .people = 0.3};
	(void)state;

	assert_true(room_settled(&build, 15).temperature > room_settled(&shaded, 15).temperature + 1);
	/* The evening takes the humidity over the 70 % of the demo's rule, the fan under the 65 % that end it. */
	const struct room evening = after(room_settled(&build, 18), &shut, 18, 3);
	assert_true(evening.humidity > 75 && evening.humidity <= 98);
	assert_true(after(evening, &(struct room_outputs){.fan = 1}, 21, 2).humidity < 65);
	/* The hot afternoon takes the temperature over the 28 °C of the rule, the fan under the 27 °C that end it. */
	assert_true(room_settled(&build, 17).temperature > 28);
	assert_true(after(room_settled(&build, 17), &(struct room_outputs){.fan = 1}, 17, 3).temperature < 27);
}

static void test_steps_of_any_length_are_stable(void **state)
{
	const struct room_outputs all = {.fan = 1, .lamp = 1, .window = 1};
	(void)state;

	for (int power = -6; power < 10; power++) {
		struct room room = {35, 90};
		room_step(&room, &build, &all, 12, pow(2, power));
		assert_true(room.temperature > 18 && room.temperature <= 35);
		assert_true(room.humidity >= 5 && room.humidity <= 98);
	}
	const struct room once = after(room_settled(&build, 6), &all, 6, 24);
	const struct room again = after(room_settled(&build, 6), &all, 6, 24);
	assert_memory_equal(&once, &again, sizeof once);
}

static void test_light(void **state)
{
	const struct room_outputs lamp = {.lamp = 1};
	const struct room_build glaring = {.light = 5000};
	(void)state;

	assert_int_equal(room_light(&build, &shut, 0), 0);
	assert_int_equal(room_light(&build, &lamp, 0), 20);
	assert_int_equal(room_light(&build, &shut, 13), 900);
	assert_int_equal(room_light(&glaring, &shut, 13), 1023);
}

/* The demo's rule dims the lamp by the light, which the lamp adds to: the two must come to rest. */
static void test_lamp_and_rule_come_to_rest(void **state)
{
	(void)state;
	for (int minute = 17 * 60; minute < 24 * 60; minute += 5) {
		double led = 0, before = -1;
		for (int i = 0; i < 40; i++) {
			const int light = room_light(&build, &(struct room_outputs){.lamp = led / 255}, minute * MINUTE);
			before = led;
			led = light >= 50 ? 0 : round(255 - 255.0 * light / 50);
		}
		assert_true(fabs(led - before) <= 6); /* a step of the converter */
	}
}

/* ---- outputs ---- */

static void test_outputs(void **state)
{
	struct outputs outputs = outputs_at_start;
	(void)state;

	assert_false(outputs_window_open(&outputs) || outputs_door_open(&outputs));
	assert_true(outputs_hear(&outputs, "led 128"));
	assert_true(outputs_hear(&outputs, "motor 255 reverse"));
	assert_true(outputs_hear(&outputs, "window 1500"));
	assert_true(outputs_hear(&outputs, "door 2000"));
	assert_true(outputs_hear(&outputs, "buzzer 2500"));
	assert_int_equal(outputs.led, 128);
	assert_int_equal(outputs.motor, 255);
	assert_int_equal(outputs.buzzer_hz, 2500);
	assert_true(outputs_window_open(&outputs) && outputs_door_open(&outputs));
	/* Let go, a servo stays where it is. */
	outputs_hear(&outputs, "window off");
	assert_int_equal(outputs.window_us, 1500);
	const struct room_outputs felt = outputs_in_room(&outputs);
	assert_true(fabs(felt.fan - 1) < NEARLY && fabs(felt.window - 0.5) < NEARLY && fabs(felt.lamp - 0.502) < 0.001);
	outputs.window_us = 700;
	assert_true(outputs_in_room(&outputs).window == 0);

	assert_false(outputs_hear(&outputs, "input type set port 1883"));
	assert_false(outputs_hear(&outputs, "console led = 1"));
	assert_false(outputs_hear(&outputs, ""));
}

/* ---- control ---- */

static void test_control(void **state)
{
	static const struct {
		const char *line;
		bool fine;
		struct control_command command;
	} cases[] = {
		{"fire livingroom", true, {CONTROL_FIRE, "livingroom", 20, false, false}},
		{"fire hall 5", true, {CONTROL_FIRE, "hall", 5, false, false}},
		{"  fire   hall   5  ", true, {CONTROL_FIRE, "hall", 5, false, false}},
		{"wifi bedroom on", true, {CONTROL_WIFI, "bedroom", 0, false, true}},
		{"wifi bedroom off", true, {CONTROL_WIFI, "bedroom", 0, false, false}},
		{"temperature hall +3", true, {CONTROL_TEMPERATURE, "hall", 3, true, false}},
		{"temperature hall -2.5", true, {CONTROL_TEMPERATURE, "hall", -2.5, true, false}},
		{"temperature hall 24", true, {CONTROL_TEMPERATURE, "hall", 24, false, false}},
		{"", false, {0}},
		{"fire", false, {0}},
		{"fire hall 0", false, {0}},
		{"fire hall 4000", false, {0}},
		{"fire hall soon", false, {0}},
		{"fire hall 5 now", false, {0}},
		{"wifi hall", false, {0}},
		{"wifi hall maybe", false, {0}},
		{"temperature hall", false, {0}},
		{"temperature hall warm", false, {0}},
		{"temperature hall nan", false, {0}},
		{"flood hall", false, {0}},
		{"firefirefirefirefire hall", false, {0}},
	};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct control_command command;
		const char *wanted = control_parse(cases[i].line, &command);
		if ((wanted == NULL) != cases[i].fine)
			fail_msg("\"%s\": %s", cases[i].line, wanted ? wanted : "was taken");
		if (wanted)
			continue;
		assert_int_equal(command.verb, cases[i].command.verb);
		assert_string_equal(command.location, cases[i].command.location);
		assert_true(command.number == cases[i].command.number);
		assert_int_equal(command.is_change, cases[i].command.is_change);
		assert_int_equal(command.on, cases[i].command.on);
	}
}

/* ---- setup ---- */

#define SECRET     "hearth-abcdefghijklmnopqrstuvwxyz"
#define SET_SECRET "set secret hearth-abcdefghijklmnopqrstuvwxyz"
#define BANNER     "hearth device 0.1.0, /, boot 1"

/* What `show` of a board says that has everything, up to the port. */
static const char *const shown[] = {
	"> show",        "ssid = hearth-demo", "key = ",        "broker = 127.0.0.1",     "location = hall",
	"device = uno3", "secret = (set)",     "period_s = 10", "change_illuminance = 5",
};

static void hear_nothing(struct setup *setup, const char *line)
{
	char command[SETUP_COMMAND_MAX];
	assert_false(setup_hear(setup, line, command));
}

static void hear(struct setup *setup, const char *line, const char *wanted)
{
	char command[SETUP_COMMAND_MAX];
	assert_true(setup_hear(setup, line, command));
	assert_string_equal(command, wanted);
}

static void hear_shown(struct setup *setup, const char *port)
{
	hear(setup, BANNER, "show");
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		hear_nothing(setup, shown[i]);
	hear_nothing(setup, port);
}

static void test_setup_of_a_new_board(void **state)
{
	static const char *const sets[] = {
		SET_SECRET,          "set ssid hearth-demo", "set broker 127.0.0.1", "set port 1884",
		"set location hall", "set device uno3",      "set period_s 10",      "set change_illuminance 5",
	};
	struct setup setup;
	(void)state;

	setup_init(&setup, "hall", "uno3", SECRET, 1884);
	hear_nothing(&setup, "ok"); /* nobody has asked */
	hear(&setup, BANNER, "show");
	hear_nothing(&setup, "location = ");
	hear_nothing(&setup, "port = 1883");
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		hear(&setup, "ok", sets[i]);
	hear(&setup, "ok", "save");
	hear_nothing(&setup, "still to be set: nothing");
	assert_int_equal(setup.state, SETUP_SAVES);
	hear_nothing(&setup, "ok");
	assert_int_equal(setup.state, SETUP_DONE);
	assert_string_equal(setup.secret, "");
	hear_nothing(&setup, BANNER);
}

static void test_setup_of_a_known_board(void **state)
{
	struct setup setup;
	(void)state;

	setup_init(&setup, "hall", "uno3", "", 1883);
	hear_shown(&setup, "port = 1883");
	hear_nothing(&setup, "ok");
	assert_int_equal(setup.state, SETUP_DONE);

	/* Another port, of which the first one is a beginning. */
	setup_init(&setup, "hall", "uno3", "", 188);
	hear_shown(&setup, "port = 1883");
	hear(&setup, "ok", "set port 188");
	hear(&setup, "ok", "save");
	hear_nothing(&setup, "ok");
	assert_int_equal(setup.state, SETUP_DONE);
}

static void test_setup_that_fails(void **state)
{
	struct setup setup;
	(void)state;

	/* A board without a secret, and none to give it. */
	setup_init(&setup, "hall", "uno3", "", 1883);
	hear(&setup, BANNER, "show");
	hear_nothing(&setup, "secret = ");
	hear_nothing(&setup, "ok");
	assert_int_equal(setup.state, SETUP_FAILED);

	setup_init(&setup, "hall", "uno3", SECRET, 1883);
	hear(&setup, BANNER, "show");
	hear(&setup, "ok", SET_SECRET);
	hear_nothing(&setup, "error: wanted 1 to 41 bytes");
	assert_int_equal(setup.state, SETUP_FAILED);
	assert_string_equal(setup.secret, "");
}

/* A board that was reset on the way begins with what it has. */
static void test_setup_begins_anew(void **state)
{
	struct setup setup;
	(void)state;

	setup_init(&setup, "hall", "uno3", SECRET, 1883);
	hear_shown(&setup, "port = 1883");
	hear(&setup, "ok", SET_SECRET);
	hear_shown(&setup, "port = 1883");
	hear(&setup, "ok", SET_SECRET);
	hear(&setup, "ok", "save");
	hear_nothing(&setup, "ok");
	assert_int_equal(setup.state, SETUP_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_day),
		cmocka_unit_test(test_outputs_act_on_the_air),
		cmocka_unit_test(test_world_acts_on_the_air),
		cmocka_unit_test(test_steps_of_any_length_are_stable),
		cmocka_unit_test(test_light),
		cmocka_unit_test(test_lamp_and_rule_come_to_rest),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_setup_of_a_new_board),
		cmocka_unit_test(test_setup_of_a_known_board),
		cmocka_unit_test(test_setup_that_fails),
		cmocka_unit_test(test_setup_begins_anew),
	};
	return cmocka_run_group_tests_name("rooms", tests, NULL, NULL);
}
