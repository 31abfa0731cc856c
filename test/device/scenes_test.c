/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The paper's scenes with a real broker and the real firmware: the world around a simulated board changes, and its pins are
 * watched.
 *
 * One board serves for all, as long as nothing fails, since a start takes four seconds. Each test leaves it without rules,
 * with its outputs off and its automation on. Time is virtual, but real with TEST_LONG; pins are timed by the rig.
 */
#include "board_scene.h"
#include "patience.h"
#include "quotes.h"

#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The light is a mean over 100 ms: one that was taken while it changed must not be the last that is told. */
#define SETTINGS "period_s 3;change_illuminance 1"

#define PERIOD_S     3
#define DHT_PERIOD_S 2 /* the DHT's value is as old as that, when the period is over */

/* What a pin may take to follow: the DHT is asked every 2 s; a command is there at once. */
#define DHT_S 6
#define NOW_S 3

static struct board_scene shared;
static bool lives, passed;

/* A day that nothing follows from: 21.5 °C, 45 %, light, no fire. */
static struct board_scene *begin(void)
{
	if (!lives)
		shared = board_scene_begin(getenv("TEST_LONG") == NULL ? "--virtual" : NULL, SETTINGS);
	lives = true;
	passed = false;
	return &shared;
}

/* Each test's last word. */
static void end(struct board_scene *s)
{
	client_fence(s->admin);
	client_drain(s->admin, NULL);
	passed = true;
}

static int teardown(void **state)
{
	if (passed)
		return 0;
	lives = false;
	return board_scene_teardown(state);
}

static int teardown_all(void **state)
{
	(void)state;
	if (lives)
		board_scene_end(&shared);
	return 0;
}

static void expect_state(struct board_scene *s, const char *actuator, const char *wanted)
{
	const struct message *message;
	char below[32];

	snprintf(below, sizeof(below), "%s/state", actuator);
	message = board_says(s, NOW_S, below);
	if (message == NULL) {
		fail_msg("no state of the %s", actuator);
		return;
	}
	assert_string_equal(message->payload, wanted);
	assert_true(message->retain);
	assert_int_equal(message->qos, 1);
}

/* ---- readings lead to pins ---- */

static void heat_runs_the_motor(void **state)
{
	struct board_scene *s = begin();

	(void)state;
	board_configure(
		s, "temperature",
		"{'rules':[{'name':'cool','when':{'above':28,'hysteresis':1},'then':[{'set':'{location}/{device}/motor',"
		"'to':200}],'else':[{'set':'{location}/{device}/motor','to':0}]}]}");
	board_do(s, "temperature 28.1");
	board_tells(s, DHT_S, "motor 200 forward");
	board_do(s, "temperature 27.6");
	board_reads(s, DHT_S, "temperature", 27.6);
	board_passes(s, 0.2);
	assert_true(rig_is_quiet(s->rig, 0, "motor"));
	board_do(s, "temperature 26.9");
	board_tells(s, DHT_S, "motor 0 stopped");
	board_configure(s, "temperature", NULL);
	end(s);
}

static void damp_runs_the_motor_the_other_way(void **state)
{
	struct board_scene *s = begin();

	(void)state;
	board_configure(s, "humidity",
	                "{'rules':[{'name':'dry','when':{'at_least':70},'then':[{'set':'{location}/{device}/motor',"
	                "'to':-120}],'else':[{'set':'{location}/{device}/motor','to':'off'}]}]}");
	board_do(s, "humidity 71.5");
	board_tells(s, DHT_S, "motor 120 reverse");
	board_do(s, "humidity 50");
	board_tells(s, DHT_S, "motor 0 stopped");
	board_configure(s, "humidity", NULL);
	end(s);
}

static void dark_switches_the_led_on(void **state)
{
	struct board_scene *s = begin();

	(void)state;
	board_do(s, "light 500");
	board_configure(s, "illuminance",
	                "{'rules':[{'name':'dark','when':{'at_most':50},'then':[{'set':'{location}/{device}/led','to':1}],"
	                "'else':[{'set':'{location}/{device}/led','to':0}]}]}");
	board_do(s, "light 50");
	board_tells(s, NOW_S, "led 255");
	board_do(s, "light 400");
	board_tells(s, NOW_S, "led 0");
	board_configure(s, "illuminance", NULL);
	end(s);
}

static void brightness_follows_the_light(void **state)
{
	struct board_scene *s = begin();

	(void)state;
	board_configure(
		s, "illuminance",
		"{'rules':[{'name':'dim','always':[{'set':'{location}/{device}/led','scale':{'from':[0,50],'to':[255,0]}}]}]}");
	board_do(s, "light 10");
	board_tells(s, NOW_S, "led 204");
	board_do(s, "light 40");
	board_tells(s, NOW_S, "led 51");
	board_do(s, "light 0");
	board_tells(s, NOW_S, "led 255");
	board_do(s, "light 500");
	board_tells(s, NOW_S, "led 0");
	board_configure(s, "illuminance", NULL);
	end(s);
}

/* The servo moves to `us`, and is let go a second later, at the end of a pulse. */
static void expect_move(struct board_scene *s, double seconds, const char *servo, int us)
{
	double moved = board_tells(s, seconds, "%s %d", servo, us)->time;
	double off = board_tells(s, NOW_S, "%s off", servo)->time;

	if (off - moved < 0.95 || off - moved > 1.1)
		fail_msg("%s was let go after %.3f s", servo, off - moved);
}

static void window_follows_two_temperatures(void **state)
{
	struct board_scene *s = begin();

	(void)state;
	board_do(s, "temperature 24");
	board_reads(s, DHT_S, "temperature", 24);
	client_publish(s->admin, "outdoor/weather/temperature/value", "30");
	board_configure(s, "temperature",
	                "{'rules':[{'name':'window','when':{'above':{'topic':'outdoor/weather/temperature','plus':0.5},"
	                "'hysteresis':0.5},'then':[{'set':'{location}/{device}/window','to':'open'}],"
	                "'else':[{'set':'{location}/{device}/window','to':'closed'}]}]}");
	/* The first evaluation says what holds. */
	expect_move(s, DHT_S, "window", 1000);
	expect_state(s, "window", "closed");
	client_publish(s->admin, "outdoor/weather/temperature/value", "20");
	expect_move(s, NOW_S, "window", 2000);
	expect_state(s, "window", "open");
	board_do(s, "temperature 19.5");
	expect_move(s, DHT_S, "window", 1000);
	board_do(s, "temperature 21.5");
	expect_move(s, DHT_S, "window", 2000);
	board_configure(s, "temperature", NULL);
	end(s);
}

static void automation_that_is_off_commands_nothing(void **state)
{
	struct board_scene *s = begin();

	(void)state;
	board_configure(
		s, "illuminance",
		"{'rules':[{'name':'dim','always':[{'set':'{location}/{device}/led','scale':{'from':[0,50],'to':[255,0]}}]}]}");
	board_do(s, "light 0");
	board_tells(s, NOW_S, "led 255");
	client_publish(s->admin, BOARD_LOCATION "/hearth/auto/set", "0");
	client_expect(s->admin, BOARD_LOCATION "/hearth/auto/state", "0", SOON);
	client_fence(s->admin);
	client_drain(s->admin, BOARD "/led/set");
	board_do(s, "light 30");
	board_reads(s, NOW_S, "illuminance", 30);
	client_fence(s->admin);
	client_expect_none(s->admin, BOARD "/led/set");
	board_passes(s, 0.3);
	assert_true(rig_is_quiet(s->rig, 0, "led"));
	client_publish(s->admin, BOARD_LOCATION "/hearth/auto/set", "1");
	board_tells(s, NOW_S, "led 102");
	board_do(s, "light 500");
	board_tells(s, NOW_S, "led 0");
	board_configure(s, "illuminance", NULL);
	end(s);
}

/* ---- people command pins ---- */

/* In this order; each begins with another level than it leaves. */
static const struct manual {
	const char *actuator, *command, *line, *state;
} manual[] = {
	{"led", "128", "led 128", "128"},
	{"led", "on", "led 255", "1"},
	{"led", "2", "led 2", "2"},
	{"led", "0", "led 0", "0"},
	{"motor", "180", "motor 180 forward", "180"},
	{"motor", "-90", "motor 90 reverse", "-90"},
	{"motor", "true", "motor 255 forward", "1"},
	{"motor", "-255", "motor 255 reverse", "-255"},
	{"motor", "off", "motor 0 stopped", "0"},
	{"window", "25", "window 1250", "25"},
	{"window", "open", "window 2000", "open"},
	{"window", "0", "window 1000", "closed"},
	{"door", "75", "door 1750", "75"},
	{"door", "1", "door 2000", "open"},
	{"door", "closed", "door 1000", "closed"},
	{"buzzer", "500", "buzzer 500", "500"},
	{"buzzer", "2500", "buzzer 2500", "2500"},
	{"buzzer", "on", "buzzer 2000", "1"},
	{"buzzer", "off", "buzzer 0", "0"},
};

/* A new subscriber gets the last of them. */
static void expect_retained_states(struct board_scene *s)
{
	client_unsubscribe(s->admin, BOARD_LOCATION "/#");
	client_drain(s->admin, NULL);
	client_subscribe(s->admin, BOARD_LOCATION "/#");
	expect_state(s, "led", "0");
	expect_state(s, "motor", "0");
	expect_state(s, "window", "closed");
	expect_state(s, "door", "closed");
	expect_state(s, "buzzer", "0");
}

static void people_command_each_actuator(void **state)
{
	struct board_scene *s = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(manual) / sizeof(*manual); i++) {
		board_do(s, "humidity 45");
		board_set(s, manual[i].actuator, manual[i].command);
		board_tells(s, NOW_S, "%s", manual[i].line);
		expect_state(s, manual[i].actuator, manual[i].state);
	}
	expect_retained_states(s);
	end(s);
}

static void alarm_has_two_tones(void **state)
{
	struct board_scene *s = begin();
	double before, after;

	(void)state;
	board_do(s, "humidity 45");
	board_set(s, "buzzer", "alarm");
	before = board_tells(s, NOW_S, "buzzer 2500")->time;
	for (int i = 0; i < 4; i++) {
		after = board_tells(s, NOW_S, i % 2 == 0 ? "buzzer 2000" : "buzzer 2500")->time;
		/* The first one may be any shorter. */
		if (after - before > 0.27 || (i > 0 && after - before < 0.24))
			fail_msg("a tone of %.3f s", after - before);
		before = after;
	}
	expect_state(s, "buzzer", "alarm");
	board_set(s, "buzzer", "0");
	board_tells(s, NOW_S, "buzzer 0");
	end(s);
}

static const struct {
	const char *actuator, *command, *error, *code;
} refusals[] = {
	{"led", "foo", "led", "refused_set"},
	{"led", "256", "led", "refused_set"},
	{"led", "-1", "led", "refused_set"},
	{"led", "12.5", "led", "refused_set"},
	{"led", "0000000000000000000000000000000000000009", "led", "refused_set"},
	{"motor", "256", "motor", "refused_set"},
	{"motor", "forward", "motor", "refused_set"},
	{"window", "101", "window", "refused_set"},
	{"window", "-1", "window", "refused_set"},
	{"door", "opened", "door", "refused_set"},
	{"buzzer", "499", "buzzer", "refused_set"},
	{"buzzer", "5001", "buzzer", "refused_set"},
	{"buzzer", "{\"hz\":900}", "buzzer", "refused_set"},
	{"heater", "1", "device", "refused_set"},
	{"led2", "1", "device", "refused_set"},
};

static const char *const outputs[] = {"led", "motor", "window", "door", "buzzer"};

static void what_is_refused_changes_nothing(void **state)
{
	struct board_scene *s = begin();

	(void)state;
	board_passes(s, 1.5); /* no servo is to be let go in the midst of this */
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		char below[32], wanted[64];
		const struct message *message;

		board_do(s, "humidity 45");
		board_set(s, refusals[i].actuator, refusals[i].command);
		snprintf(below, sizeof(below), "%s/error", refusals[i].error);
		snprintf(wanted, sizeof(wanted), "{'subject':'set','code':'%s','wanted':'", refusals[i].code);
		message = board_says(s, NOW_S, below);
		if (message == NULL) {
			fail_msg("\"%s\" for the %s was not answered", refusals[i].command, refusals[i].actuator);
			return;
		}
		if (strncmp(message->payload, json(wanted), strlen(wanted)) != 0)
			fail_msg("\"%s\" for the %s: %s", refusals[i].command, refusals[i].actuator, message->payload);
		assert_false(message->retain);
		for (size_t k = 0; k < sizeof(outputs) / sizeof(*outputs); k++)
			assert_true(rig_is_quiet(s->rig, 0, outputs[k]));
	}
	client_fence(s->admin);
	client_expect_none(s->admin, BOARD "/led/state");
	client_expect_none(s->admin, BOARD "/buzzer/state");
	end(s);
}

/* ---- what it says by itself ---- */

static void values_come_on_change_and_every_period(void **state)
{
	static const char *const sensors[] = {"temperature/value", "humidity/value", "illuminance/value", "fire/value"};
	struct board_scene *s = begin();

	(void)state;
	board_do(s, "light 300");
	board_reads(s, 1.5, "illuminance", 300);
	board_do(s, "humidity 60");
	board_reads(s, 2.5, "humidity", 60);
	client_drain(s->admin, NULL);
	/* A change that is too small waits for the period. */
	board_do(s, "humidity 60.9");
	assert_null(board_says(s, 2.2, "humidity/value"));
	board_reads(s, 3, "humidity", 60.9);
	for (size_t i = 0; i < sizeof(sensors) / sizeof(*sensors); i++) {
		client_drain(s->admin, NULL);
		assert_non_null(board_says(s, PERIOD_S + DHT_PERIOD_S + 0.5, sensors[i]));
		assert_non_null(board_says(s, PERIOD_S + DHT_PERIOD_S + 0.5, sensors[i]));
	}
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(heat_runs_the_motor, teardown),
		cmocka_unit_test_teardown(damp_runs_the_motor_the_other_way, teardown),
		cmocka_unit_test_teardown(dark_switches_the_led_on, teardown),
		cmocka_unit_test_teardown(brightness_follows_the_light, teardown),
		cmocka_unit_test_teardown(window_follows_two_temperatures, teardown),
		cmocka_unit_test_teardown(automation_that_is_off_commands_nothing, teardown),
		cmocka_unit_test_teardown(values_come_on_change_and_every_period, teardown),
		cmocka_unit_test_teardown(people_command_each_actuator, teardown),
		cmocka_unit_test_teardown(alarm_has_two_tones, teardown),
		cmocka_unit_test_teardown(what_is_refused_changes_nothing, teardown),
	};

	return cmocka_run_group_tests_name("device scenes", tests, NULL, teardown_all);
}
