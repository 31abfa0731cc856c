/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * How long it takes, in real time on real sockets: from a sensor's change over the device, the broker, a rule of Hearth's, and the device to
 * the pin; and from a person's command to the pin. Median and p99 are printed.
 *
 * Of the first way up to 100 ms are the light's own: it is the mean over that time. The bounds are those of a busy machine.
 */
#include "board_scene.h"
#include "chance.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS_SHORT 10
#define ROUNDS_LONG  50

#define SOON_S 10

/* In milliseconds. */
#define SENSOR_MEDIAN 250
#define SENSOR_P99    1500
#define SET_MEDIAN    50
#define SET_P99       1000

struct latencies {
	size_t count;
	double ms[2 * ROUNDS_LONG];
};

static size_t rounds(void)
{
	return getenv("TEST_LONG") == NULL ? ROUNDS_SHORT : ROUNDS_LONG;
}

static int compare(const void *a, const void *b)
{
	const double *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static void check(struct latencies *latencies, const char *name, double median_most, double p99_most)
{
	double median, p99;

	qsort(latencies->ms, latencies->count, sizeof(*latencies->ms), compare);
	median = latencies->ms[latencies->count / 2];
	p99 = latencies->ms[(latencies->count * 99 + 99) / 100 - 1];
	print_message("%s: median %.1f ms, p99 %.1f ms, of %zu\n", name, median, p99, latencies->count);
	assert_true(median > 0);
	assert_true(median < median_most);
	assert_true(p99 < p99_most);
}

static void light_reaches_the_led(const struct board_scene *s)
{
	struct latencies latencies = {0};

	board_configure(
		s, "illuminance",
		"{'rules':[{'name':'dark','when':{'at_most':50},'then':[{'set':'{location}/{device}/led','to':200}],"
		"'else':[{'set':'{location}/{device}/led','to':10}]}]}");
	board_do(s, "light 400");
	board_tells(s, SOON_S, "led 10");
	for (size_t i = 0; i < rounds(); i++) {
		double pin;

		/* At any moment of the mean's. */
		chance_pause(100000);
		pin = board_do(s, "light %d", i % 2 == 0 ? 20 : 500);
		latencies.ms[latencies.count++] = (board_tells(s, SOON_S, "led %d", i % 2 == 0 ? 200 : 10)->time - pin) * 1000;
		board_reads(s, SOON_S, "illuminance", i % 2 == 0 ? 20 : 500);
	}
	check(&latencies, "light to LED, through a rule", SENSOR_MEDIAN, SENSOR_P99);
	board_configure(s, "illuminance", NULL);
}

static void command_reaches_the_led(const struct board_scene *s)
{
	struct latencies latencies = {0};

	for (size_t i = 0; i < 2 * rounds(); i++) {
		char level[8];
		double given;

		snprintf(level, sizeof(level), "%d", (int)(i % 200) + 2);
		chance_pause(30000);
		/* The rig's own clock, read as late as it can be. */
		given = board_do(s, "humidity 45");
		assert_true(client_send(s->admin, BOARD "/led/set", level, strlen(level), 1, false));
		latencies.ms[latencies.count++] = (board_tells(s, SOON_S, "led %s", level)->time - given) * 1000;
		assert_true(client_flush(s->admin));
		assert_non_null(board_says(s, SOON_S, "led/state"));
	}
	check(&latencies, "publish to LED", SET_MEDIAN, SET_P99);
}

static void pins_follow_soon(void **state)
{
	struct board_scene s = board_scene_begin(NULL, "change_illuminance 1");

	(void)state;
	light_reaches_the_led(&s);
	command_reaches_the_led(&s);
	board_scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(pins_follow_soon, board_scene_teardown),
	};

	chance_begin();
	return cmocka_run_group_tests_name("device latency", tests, NULL, NULL);
}
