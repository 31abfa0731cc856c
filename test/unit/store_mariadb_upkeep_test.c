/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb: upkeep makes partitions ahead of time and drops old ones: what is to be kept is kept to the day, what is
 * not goes within the month that its partition covers.
 */
#include "mariadb_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DAY_US       (24 * STORE_HOUR_US)

/* One reading of each of these ages in days, a day after the other; the youngest is of tomorrow. */
static const int ages[] = {1500, 1100, 800, 500, 432, 399, 370, 300, 100, 62, 29, 10, 1, 0, -1};

static int64_t now_us(void)
{
	return (int64_t)time(NULL) * 1000000;
}

static void keep_up(struct store *store, int64_t now, unsigned raw_days, unsigned minute_days)
{
	const struct store_keep keep = {now, raw_days, minute_days};
	bool more = true;

	for (int i = 0; more && i < 100; i++)
		if (store_mariadb.upkeep(store, &keep, &more) != STORE_OK)
			fail_msg("%s", store_mariadb.error(store));
	assert_false(more);
}

/* Stores one reading of each age; its value is its number in `ages`. */
static void put_ages(struct store *store, uint64_t to)
{
	const int64_t id = maria_series(store, "a/b/c/value"), now = now_us();
	struct store_row rows[COUNT(ages)];
	size_t rejected;

	for (size_t i = 0; i < COUNT(ages); i++)
		rows[i] = number_row(id, now - ages[i] * DAY_US, (int64_t)(to + i), (double)i);
	assert_int_equal(maria_put(store, rows, COUNT(rows), to + COUNT(rows), &rejected), STORE_OK);
	assert_int_equal(rejected, 0);
}

static bool holds(const char *table, const char *column, size_t age)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s WHERE %s = %zu", table, column, age);
	return maria_ask_number(sql) > 0;
}

/* What is younger than `days` is there, and what is older by more than a month is not; 0: all is there. */
static void expect_kept(const char *table, const char *column, int days)
{
	for (size_t i = 0; i < COUNT(ages); i++) {
		const bool found = holds(table, column, i);

		if (!found && (days == 0 || ages[i] < days))
			fail_msg("%s has lost what is %d days old, of %d", table, ages[i], days);
		if (found && days > 0 && ages[i] > days + 31)
			fail_msg("%s still has what is %d days old, of %d", table, ages[i], days);
	}
}

#define PARTITIONS(of)                                                                                                 \
	"SELECT partition_name FROM information_schema.partitions WHERE table_schema = DATABASE() AND table_name = '" of   \
	"' ORDER BY partition_ordinal_position"

/* As if upkeep had been called in each month since then, for ever. */
static void pretend_years(int64_t now)
{
	char sql[256];

	for (int64_t then = now - 1600 * DAY_US; then < now; then += 28 * DAY_US) {
		snprintf(sql, sizeof(sql), "CALL upkeep_of('reading', %lld, 0); CALL upkeep_of('reading_minute', %lld, 0)",
		         (long long)then, (long long)then);
		maria_ask(sql);
	}
}

static void partitions_are_there_before_they_are_needed(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t now = now_us();
	char before[2000], sql[300];

	keep_up(store, now, 400, 30);
	snprintf(before, sizeof(before), "%s", maria_ask(PARTITIONS("reading")));
	/* From the month of 400 days ago to the next two: 13 or 14 and 2, and the last one for what lies ahead. */
	assert_in_range(
		maria_ask_number("SELECT COUNT(*) FROM information_schema.partitions WHERE table_schema = DATABASE()"
	                     " AND table_name = 'reading'"),
		16, 18);
	snprintf(sql, sizeof(sql), "SELECT DATE_FORMAT(FROM_UNIXTIME(%lld) + INTERVAL 2 MONTH, 'p%%Y_%%m')",
	         (long long)(now / 1000000));
	maria_ask("SET GLOBAL time_zone = '+00:00'");
	char next[32];
	snprintf(next, sizeof(next), "%.8s", maria_ask(sql));
	assert_non_null(strstr(before, next));

	put_ages(store, 0);
	keep_up(store, now, 400, 30);
	assert_string_equal(maria_ask(PARTITIONS("reading")), before);
	/* None of them lies in the one for what lies ahead. */
	assert_int_equal(maria_ask_number("SELECT COUNT(*) FROM reading PARTITION (later)"), 0);
	assert_int_equal(maria_ask_number("SELECT COUNT(*) FROM reading"), COUNT(ages));
}

static void what_is_old_is_dropped_and_hours_stay(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t now = now_us();

	pretend_years(now);
	put_ages(store, 0);
	keep_up(store, now, 400, 30);
	expect_kept("reading", "value", 400);
	expect_kept("reading_minute", "avg", 30);
	expect_kept("reading_hour", "avg", 0);

	/* A reading that comes after its month is gone is taken, and goes with the oldest. */
	put_ages(store, 100);
	expect_kept("reading", "value", 0);
	keep_up(store, now, 40, 30);
	expect_kept("reading", "value", 40);
	expect_kept("reading_hour", "avg", 0);
}

static void retention_can_be_turned_on_later(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t now = now_us();

	pretend_years(now);
	put_ages(store, 0);
	keep_up(store, now, 0, 0);
	expect_kept("reading", "value", 0);
	expect_kept("reading_minute", "avg", 0);
	keep_up(store, now, 400, 0);
	expect_kept("reading", "value", 400);
	expect_kept("reading_minute", "avg", 0);
	keep_up(store, now, 400, 30);
	expect_kept("reading_minute", "avg", 30);
	keep_up(store, now, 0, 0);
	expect_kept("reading", "value", 400);
}

/* One that was filled before its first upkeep has everything in one partition. */
static void a_database_without_partitions_keeps_what_it_has(void **state)
{
	(void)state;
	struct store *store = maria_open("house");

	put_ages(store, 0);
	assert_int_equal(maria_ask_number("SELECT COUNT(*) FROM reading PARTITION (later)"), COUNT(ages));
	keep_up(store, now_us(), 400, 30);
	assert_int_equal(maria_ask_number("SELECT COUNT(*) FROM reading PARTITION (later)"), 0);
	for (size_t i = 0; i < COUNT(ages); i++)
		if (ages[i] < 400)
			assert_true(holds("reading", "value", i));
	assert_string_equal(maria_ask("SELECT SUM(count) FROM reading_hour"), "15\n");
}

static void a_clock_that_is_ahead_drops_nothing(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t now = now_us();

	pretend_years(now);
	put_ages(store, 0);
	keep_up(store, now + 3000 * DAY_US, 400, 30);
	expect_kept("reading", "value", 400);
	/* Nor does one that is behind make trouble: a machine that was started without a clock. */
	keep_up(store, 0, 400, 30);
	keep_up(store, now, 400, 30);
	expect_kept("reading", "value", 400);
	assert_true(
		maria_ask_number("SELECT COUNT(*) FROM information_schema.partitions WHERE table_schema = DATABASE() AND"
	                     " table_name = 'reading'") < 20);
}

/* A server and a broker that both were ten years ahead for a while: afterwards months are made and dropped as ever. */
static void a_clock_that_was_ahead_leaves_nothing_behind(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t now = now_us();

	keep_up(store, now, 400, 30);
	put_ages(store, 0);
	char *before = strdup(maria_ask("SELECT GROUP_CONCAT(partition_name) FROM information_schema.partitions WHERE"
	                                " table_schema = DATABASE() AND table_name = 'reading'"));
	maria_ask(
		"CALL upkeep_of('reading', TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6) + INTERVAL 10 YEAR), 0)");
	assert_true(
		maria_ask_number("SELECT COUNT(*) FROM information_schema.partitions WHERE table_schema = DATABASE() AND"
	                     " table_name = 'reading' AND partition_name > 'p2033'") > 3);
	keep_up(store, now, 400, 30);
	assert_string_equal(maria_ask("SELECT GROUP_CONCAT(partition_name) FROM information_schema.partitions WHERE"
	                              " table_schema = DATABASE() AND table_name = 'reading'"),
	                    before);
	free(before);
	for (size_t i = 0; i < COUNT(ages); i++)
		if (ages[i] < 400 && !holds("reading", "value", i))
			fail_msg("what is %d days old is lost", ages[i]);
}

static void a_clock_that_begins_in_1970_makes_no_600_partitions(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t now = now_us();

	keep_up(store, 1000000, 400, 30);
	put_ages(store, 0);
	keep_up(store, now, 400, 30);
	for (size_t i = 0; i < COUNT(ages); i++)
		if (ages[i] < 400 && !holds("reading", "value", i))
			fail_msg("what is %d days old is lost", ages[i]);
	assert_true(
		maria_ask_number("SELECT COUNT(*) FROM information_schema.partitions WHERE table_schema = DATABASE() AND"
	                     " table_name = 'reading'") < 25);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, maria_make_database, maria_close_stores)
	const struct CMUnitTest tests[] = {
		TEST(partitions_are_there_before_they_are_needed),
		TEST(what_is_old_is_dropped_and_hours_stay),
		TEST(retention_can_be_turned_on_later),
		TEST(a_database_without_partitions_keeps_what_it_has),
		TEST(a_clock_that_is_ahead_drops_nothing),
		TEST(a_clock_that_was_ahead_leaves_nothing_behind),
		TEST(a_clock_that_begins_in_1970_makes_no_600_partitions),
	};

	return cmocka_run_group_tests_name("store_mariadb_upkeep", tests, maria_group_start, maria_group_end);
}
