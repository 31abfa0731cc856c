/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A day in the life of a board, in virtual time: 24 hours with TEST_LONG, else ten minutes into which a whole day's curves of light and
 * temperature are pressed. A rule of Hearth's follows the light, people command now and then, there is a fire, and in the midst the
 * board's milliseconds wrap. In the end it must be as it was in the beginning: no reset, no keepalive missed, nothing left in its
 * outbox, no more stack than before, and still obedient.
 */
#include "board_scene.h"
#include "patience.h"

#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEPS       240 /* of a day, whatever its length */
#define SHORT_DAY_S 600.0
#define LONG_DAY_S  86400.0

#define KEEPALIVE_S  30
#define GAP_MOST_S   (1.5 * KEEPALIVE_S)
#define PERIOD_S     120 /* longer than the keepalive, so that pings are needed */
#define NOW_S        5
#define FIRE_STEP    150
#define WRAP_STEP    100
#define SET_EVERY    12
#define STACK_GROWTH 32 /* interrupts may yet find a deeper moment */

static double step_seconds(void)
{
	return (getenv("TEST_LONG") == NULL ? SHORT_DAY_S : LONG_DAY_S) / STEPS;
}

/* From 0 at midnight to 1 at noon. */
static double sun(int step)
{
	return 0.5 - 0.5 * cos(2 * 3.14159265358979 * step / STEPS);
}

static void expect_obedience(const struct board_scene *s, int level)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", level);
	board_do(s, "humidity %d", 40 + level % 20);
	board_set(s, "motor", text);
	board_tells(s, NOW_S, "motor %d", level);
}

static void burn(const struct board_scene *s)
{
	board_do(s, "flame on");
	board_tells(s, NOW_S, "buzzer 2");
	board_reads(s, NOW_S, "fire", 1);
	board_do(s, "flame off");
	board_set(s, "buzzer", "off");
	board_tells(s, NOW_S, "buzzer 0");
}

/* Its clock stands two seconds before 2^32 ms: much later than it was, and soon much earlier. */
static void wrap(const struct board_scene *s)
{
	board_do(s, "poke clock_count 30f8ffff");
	board_passes(s, 3);
	expect_obedience(s, 99);
	board_reads(s, PERIOD_S + NOW_S, "fire", 0);
}

/* The longest time without a byte sent, of all `run`s. */
static double longest_gap(struct rig *rig, double before)
{
	const struct rig_line *line = rig_last(rig, "keepalive ");
	double gap;

	assert_non_null(line);
	gap = strtod(line->text + strlen("keepalive "), NULL);
	return gap > before ? gap : before;
}

/* What its console says of itself. */
static void expect_status(const struct board_scene *s)
{
	board_do(s, "type status");
	board_passes(s, 0.5);
	assert_non_null(rig_last(s->rig, "console link: online"));
	assert_non_null(rig_last(s->rig, "console readings kept: "));
	if (strcmp(rig_last(s->rig, "console readings kept: ")->text, "console readings kept: 0") != 0)
		fail_msg("%s", rig_last(s->rig, "console readings kept: ")->text);
	assert_string_equal(rig_last(s->rig, "console readings lost: ")->text, "console readings lost: 0");
}

static void a_day_leaves_no_trace(void **state)
{
	struct board_scene s = board_scene_begin("--virtual", "period_s 120;keepalive_s 30");
	size_t values = 0, connections;
	double gap = 0;
	int stack;

	(void)state;
	board_configure(&s, "illuminance",
	                "{'rules':[{'name':'dim','always':[{'set':'{location}/{device}/"
	                "led','scale':{'from':[0,1000],'to':[255,0]}}]}]}");
	burn(&s);
	expect_obedience(&s, 55);
	expect_status(&s);
	stack = board_stack(&s);
	connections = rig_count(s.rig, "module connected");
	for (int step = 0; step < STEPS; step++) {
		board_do(&s, "light %d", (int)(1000 * sun(step)));
		board_do(&s, "temperature %.1f", 12 + 15 * sun(step));
		if (step % SET_EVERY == 0)
			expect_obedience(&s, 100 + step / SET_EVERY);
		if (step == WRAP_STEP)
			wrap(&s);
		if (step == FIRE_STEP)
			burn(&s);
		board_passes(&s, step_seconds());
		gap = longest_gap(s.rig, gap);
		client_fence(s.admin);
		values += client_drain(s.admin, BOARD "/illuminance/value");
		client_drain(s.admin, NULL);
	}
	/* Noon was bright, and now it is dark: the LED has followed. */
	assert_true(rig_count(s.rig, "led ") > 20);
	board_passes(&s, PERIOD_S);
	gap = longest_gap(s.rig, gap);
	expect_obedience(&s, 200);
	board_passes(&s, 1);
	expect_status(&s);
	print_message("a day of %g s: %zu values of the light, longest silence %.1f s, stack %d B, then %d B\n",
	              STEPS * step_seconds(), values, gap, stack, board_stack(&s));
	assert_true(values >= STEPS / 8);
	assert_true(gap > 0 && gap < GAP_MOST_S);
	assert_int_equal(rig_count(s.rig, "reset"), 1);
	assert_int_equal(rig_count(s.rig, "module connected"), connections);
	assert_true(board_stack(&s) <= stack + STACK_GROWTH);
	board_scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_day_leaves_no_trace, board_scene_teardown),
	};

	return cmocka_run_group_tests_name("device day", tests, NULL, NULL);
}
