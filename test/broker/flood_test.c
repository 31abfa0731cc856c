/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Many readings at once: all that was acknowledged is stored, once and in order, also if the broker is stopped or killed
 * right after the last acknowledgement.
 */
#include "client.h"
#include "house.h"
#include "patience.h"
#include "rows.h"

#include <pthread.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PUBLISHERS     20
#define EACH           10000 /* readings a publisher, over two series */
#define SERIES_EACH    2
#define FLOOD_READINGS (PUBLISHERS * EACH)

struct publisher {
	struct client *client;
	pthread_t thread;
	int number, count;
	bool good;
};

/* Publishes 0, 1, 2, … to each of its series. */
static void *publish_flood(void *context)
{
	struct publisher *publisher = context;

	for (int i = 0; i < publisher->count; i++) {
		char topic[64], value[16];
		int len = snprintf(value, sizeof(value), "%d", i / SERIES_EACH);

		snprintf(topic, sizeof(topic), "flood/uno%d/sensor%d/value", publisher->number, i % SERIES_EACH);
		if (!client_send(publisher->client, topic, value, (size_t)len, 1, false))
			return NULL;
	}
	publisher->good = client_flush(publisher->client);
	return NULL;
}

/* Lets `publishers` clients publish `each` readings at the same time; returns when all are acknowledged. */
static void flood(const struct house *house, int publishers, int each)
{
	struct publisher all[PUBLISHERS];

	for (int i = 0; i < publishers; i++)
		all[i] = (struct publisher){.client = client_connect(house, CLIENT_V3, NULL), .number = i, .count = each};
	for (int i = 0; i < publishers; i++)
		assert_int_equal(pthread_create(&all[i].thread, NULL, publish_flood, &all[i]), 0);
	for (int i = 0; i < publishers; i++)
		pthread_join(all[i].thread, NULL);
	for (int i = 0; i < publishers; i++) {
		assert_true(all[i].good);
		client_free(all[i].client);
	}
}

/* All rows of a flood are there, and each series is 0, 1, 2, … in order of time. */
static void expect_flood(const struct house *house, int publishers, int each)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "%d|%d\n", publishers * each, publishers * SERIES_EACH);
	rows_expect(house, "select count(*), count(distinct device||sensor) from readings where location='flood'", wanted);
	snprintf(wanted, sizeof(wanted), "%d\n", publishers * SERIES_EACH);
	rows_expect(house,
	            "with step as (select value, lag(value, 1, -1) over "
	            "(partition by device, sensor order by time, value) as before from readings where location='flood') "
	            "select sum(value<>before+1) from step",
	            "0\n");
}

static void flood_is_stored_exactly(void **state)
{
	struct house *house = house_new();

	(void)state;
	house_start(house);
	flood(house, PUBLISHERS, EACH);
	assert_int_equal(FLOOD_READINGS, 200000);
	expect_flood(house, PUBLISHERS, EACH);
	house_free(house);
}

static void stop_drains(void **state)
{
	struct house *house = house_new();
	int took_ms;

	(void)state;
	house_start(house);
	flood(house, 4, EACH);
	took_ms = house_stop(house);
	assert_in_range(took_ms, 0, deadline_in(5000) - now_ms());
	expect_flood(house, 4, EACH);
	house_free(house);
}

static void kill_loses_nothing_acknowledged(void **state)
{
	struct house *house = house_new();

	(void)state;
	house_start(house);
	flood(house, 4, EACH);
	house_kill(house);
	house_start(house);
	expect_flood(house, 4, EACH);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(flood_is_stored_exactly, client_teardown),
		cmocka_unit_test_teardown(stop_drains, client_teardown),
		cmocka_unit_test_teardown(kill_loses_nothing_acknowledged, client_teardown),
	};

	return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
