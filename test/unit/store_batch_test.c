/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_batch: rows in key order, and what they add to minutes and hours, held against a reckoning that is slow and plain.
 */
#include "store_batch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MINUTE       STORE_MINUTE_US
#define HOUR         STORE_HOUR_US

static struct store_row number_row(int64_t series, int64_t time_us, int64_t seq, double number)
{
	return (struct store_row){series, time_us, seq, {.number = number, .is_number = true}};
}

static void a_period_begins_at_or_before_its_times(void **state)
{
	(void)state;
	static const struct {
		int64_t time_us, begin;
	} rows[] = {
		{0, 0},
		{1, 0},
		{MINUTE - 1, 0},
		{MINUTE, MINUTE},
		{-1, -MINUTE},
		{-MINUTE, -MINUTE},
		{-MINUTE - 1, -2 * MINUTE},
		{INT64_C(253402300799999999), INT64_C(253402300740000000)},
		{INT64_C(-62167219200000000), INT64_C(-62167219200000000)},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(period_begin(rows[i].time_us, MINUTE), rows[i].begin);
}

static void rows_come_in_the_order_of_their_keys(void **state)
{
	(void)state;
	const struct store_row rows[] = {
		number_row(2, -5, 1, 0), number_row(1, 7, 9, 0),  number_row(1, 7, 3, 0),
		number_row(1, -7, 5, 0), number_row(2, -6, 4, 0), number_row(-1, 99, 1, 0),
	};
	static const size_t order[] = {5, 3, 2, 1, 4, 0};
	struct store_sorted sorted = {0};
	assert_true(sorted_set(&sorted, rows, COUNT(rows)));
	assert_int_equal(sorted.count, COUNT(rows));
	for (size_t i = 0; i < COUNT(order); i++)
		assert_ptr_equal(sorted.rows[i], &rows[order[i]]);
	assert_true(sorted_set(&sorted, rows, 0));
	assert_true(sorted_roll_up(&sorted, MINUTE));
	assert_int_equal(sorted.rollup_count, 0);
	sorted_free(&sorted);
}

/* What the rows add to one period, reckoned for it alone. */
static void check_rollup(const struct rollup *rollup, const struct store_row *rows, size_t count, int64_t period_us)
{
	int64_t found = 0;
	long double sum = 0;
	double min = INFINITY, max = -INFINITY;
	for (size_t i = 0; i < count; i++) {
		const struct value *value = &rows[i].value;
		if (rows[i].series != rollup->series || period_begin(rows[i].time_us, period_us) != rollup->time_us ||
		    !value->is_number || !isfinite(value->number))
			continue;
		found++;
		sum += (long double)value->number;
		min = value->number < min ? value->number : min;
		max = value->number > max ? value->number : max;
	}
	assert_int_equal(rollup->count, found);
	assert_true(rollup->min == min && rollup->max == max);
	assert_true(fabsl(sum / found - (long double)rollup->avg) <= 1e-9L * (1 + fabsl(sum / found)));
}

static void rollups_equal_a_plain_reckoning(void **state)
{
	(void)state;
	enum { ROWS = 3000 };
	struct store_row *rows = calloc(ROWS, sizeof *rows);
	struct store_sorted sorted = {0};
	assert_non_null(rows);
	srandom(7);
	for (int i = 0; i < ROWS; i++) {
		/* Around 1970, so that times are of both signs. */
		rows[i] = number_row(random() % 7, random() % (4 * HOUR) - 2 * HOUR, i, (double)(random() % 2000) / 10 - 100);
		if (i % 11 == 0)
			rows[i].value = (struct value){.text = slice_of("a word")};
		if (i % 13 == 0)
			rows[i].value.number = i % 2 ? INFINITY : NAN;
	}
	assert_true(sorted_set(&sorted, rows, ROWS));
	for (int pass = 0; pass < 2; pass++) {
		int64_t period_us = pass == 0 ? MINUTE : HOUR, total = 0, numbers = 0;
		assert_true(sorted_roll_up(&sorted, period_us));
		for (size_t i = 0; i < sorted.rollup_count; i++) {
			const struct rollup *rollup = &sorted.rollups[i], *before = rollup - 1;
			check_rollup(rollup, rows, ROWS, period_us);
			total += rollup->count;
			assert_true(i == 0 || before->series < rollup->series ||
			            (before->series == rollup->series && before->time_us < rollup->time_us));
		}
		for (int i = 0; i < ROWS; i++)
			numbers += rows[i].value.is_number && isfinite(rows[i].value.number);
		assert_int_equal(total, numbers);
	}
	sorted_free(&sorted);
	free(rows);
}

static void a_row_that_was_refused_counts_for_nothing(void **state)
{
	(void)state;
	const struct store_row rows[] = {number_row(1, 1, 1, 5), number_row(1, 2, 2, 1000), number_row(1, 3, 3, 7),
	                                 number_row(2, 3, 3, 1)};
	struct store_sorted sorted = {0};
	assert_true(sorted_set(&sorted, rows, COUNT(rows)));
	sorted.rows[1] = NULL;
	sorted.rows[3] = NULL;
	assert_true(sorted_roll_up(&sorted, HOUR));
	assert_int_equal(sorted.rollup_count, 1);
	assert_true(sorted.rollups[0].max == 7 && sorted.rollups[0].avg == 6 && sorted.rollups[0].count == 2);
	sorted_free(&sorted);
}

/* The largest numbers there are: each average lies between its ends. */
static void averages_stay_finite(void **state)
{
	(void)state;
	static const double sets[][4] = {
		{1.7e308, 1.7e308, 1.7e308, 1.7e308},
		{-1.7e308, 1.7e308, -1.7e308, 1.7e308},
		{1.7976931348623157e308, -1.7976931348623157e308, 0, 1},
		{5e-324, 5e-324, 5e-324, 5e-324},
	};
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct store_row rows[4];
		struct store_sorted sorted = {0};
		for (int j = 0; j < 4; j++)
			rows[j] = number_row(1, j, j, sets[i][j]);
		assert_true(sorted_set(&sorted, rows, 4) && sorted_roll_up(&sorted, MINUTE));
		assert_true(isfinite(sorted.rollups[0].avg));
		assert_true(sorted.rollups[0].avg >= sorted.rollups[0].min && sorted.rollups[0].avg <= sorted.rollups[0].max);
		sorted_free(&sorted);
	}
}

/* A room that stays at 23.7 degrees shows no other average. */
static void equal_readings_have_exactly_that_average(void **state)
{
	(void)state;
	struct store_row rows[1000];
	struct store_sorted sorted = {0};
	for (int i = 0; i < 1000; i++)
		rows[i] = number_row(1, i, i, 23.7);
	assert_true(sorted_set(&sorted, rows, 1000) && sorted_roll_up(&sorted, HOUR));
	assert_true(sorted.rollups[0].avg == 23.7 && sorted.rollups[0].count == 1000);
	sorted_free(&sorted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_period_begins_at_or_before_its_times),
		cmocka_unit_test(rows_come_in_the_order_of_their_keys),
		cmocka_unit_test(rollups_equal_a_plain_reckoning),
		cmocka_unit_test(a_row_that_was_refused_counts_for_nothing),
		cmocka_unit_test(averages_stay_finite),
		cmocka_unit_test(equal_readings_have_exactly_that_average),
	};
	return cmocka_run_group_tests_name("store_batch", tests, NULL, NULL);
}
