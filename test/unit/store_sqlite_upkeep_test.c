/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite: what is too old goes in short steps, and nothing else goes or waits.
 */
#include "store_sqlite_fixture.h"
#include "store_sqlite_internal.h"

#include <limits.h>
#include <time.h>

#define DAY INT64_C(86400000000)

#define ROW_COUNTS                                                                                                     \
	"SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM reading_minute), (SELECT count(*) FROM "             \
	"reading_hour)"

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Stores `count` readings of a series, one each `every_us`, the newest at `last_us`. */
static void fill(struct store *store, const char *name, int count, int64_t every_us, int64_t last_us)
{
	struct store_row *rows = calloc((size_t)count, sizeof *rows);
	int64_t id = series(store, name);
	assert_non_null(rows);
	for (int i = 0; i < count; i++)
		rows[i] = number_row(id, last_us - i * every_us, i, i);
	add(store, rows, (size_t)count);
	free(rows);
}

/* A step that has to work; true if there is more to do. */
static bool step(struct store *store, unsigned raw_days, unsigned minute_days)
{
	const struct store_keep keep = {.now_us = NOON, .raw_days = raw_days, .minute_days = minute_days};
	bool more;
	if (store_sqlite.upkeep(store, &keep, &more) != STORE_OK)
		fail_msg("%s", store_sqlite.error(store));
	return more;
}

static void sweep(struct store *store, unsigned raw_days, unsigned minute_days)
{
	for (int steps = 0; step(store, raw_days, minute_days); steps++)
		assert_true(steps < 1000);
}

static long long rows_left(void)
{
	return strtoll(ask(path, "SELECT (SELECT count(*) FROM reading) + (SELECT count(*) FROM reading_minute)"), NULL,
	               10);
}

static void only_what_is_too_old_goes(void **state)
{
	(void)state;
	struct store *store = open_store();
	fill(store, "a/b/c/value", 21, DAY, NOON);
	fill(store, "a/b/d/value", 3, DAY, NOON - 100 * DAY);
	fill(store, "a/b/e/value", 3, 1, NOON + DAY);
	fill(store, "a/b/f/value", 2, 1, NOON - 10 * DAY); /* one to the microsecond, the other too old */
	fill(store, "a/b/g/value", 1, 1, -DAY);
	sweep(store, 10, 5);
	assert_string_equal(ask(path, "SELECT s.sensor, count(*), (min(ts) - 1795348800000000) / 86400000000"
	                              " FROM reading JOIN series s ON s.id = series_id GROUP BY 1"),
	                    "c|11|-10\ne|3|0\nf|1|-10\n");
	assert_string_equal(ask(path, "SELECT s.sensor, count(*) FROM reading_minute JOIN series s ON s.id = series_id"
	                              " GROUP BY 1; SELECT count(*) FROM reading_hour; SELECT pos FROM ingest_position"),
	                    "c|6\ne|2\n29\n5\n");
	/* And it begins anew. */
	sweep(store, 5, 1);
	assert_string_equal(ask(path, ROW_COUNTS), "9|4|29\n");
	store_sqlite.close(store);
}

static void what_is_kept_for_ever_stays(void **state)
{
	(void)state;
	struct store *store = open_store();
	fill(store, "a/b/c/value", 1000, 3 * DAY, NOON);
	sweep(store, 0, 0);
	sweep(store, UINT_MAX, UINT_MAX);
	assert_string_equal(ask(path, ROW_COUNTS), "1000|1000|1000\n");
	sweep(store, 0, 300);
	assert_string_equal(ask(path, ROW_COUNTS), "1000|101|1000\n");
	sweep(store, 300, 0);
	assert_string_equal(ask(path, ROW_COUNTS), "101|101|1000\n");
	store_sqlite.close(store);
}

/* One series with much, many with little: retention is turned on when all of it is there. */
static void steps_are_short_and_come_to_an_end(void **state)
{
	(void)state;
	enum { SERIES = 600, EACH = 4, MANY = 30000 };
	struct store *store = open_store();
	int steps = 0;
	fill(store, "a/b/c/value", MANY, 10000000, NOON - 41 * DAY);
	fill(store, "a/b/same/value", 5000, 0, NOON - 41 * DAY); /* all at one instant */
	for (int i = 0; i < SERIES; i++) {
		char name[64];
		snprintf(name, sizeof name, "room%d/b/c/value", i);
		fill(store, name, EACH, DAY, NOON - 39 * DAY);
	}
	store_sqlite.close(store);

	store = open_store();
	long long before = rows_left(), left = before;
	for (bool more = true; more; steps++) {
		/* What comes meanwhile is not held up. */
		struct store_row row = number_row(1, NOON + steps * STORE_MINUTE_US, steps, 1);
		more = step(store, 40, 20);
		long long now = rows_left();
		assert_in_range(left - now, 0, LITE_UPKEEP_ROWS);
		add(store, &row, 1);
		left = now + 2;
		assert_true(steps < 200);
	}
	/* No more steps than the work is worth, counting looks at two tables of 602 series as ten rows each. */
	assert_true(steps <= (before + 2 * 602 * 10) / LITE_UPKEEP_ROWS + 3);
	char wanted[64];
	snprintf(wanted, sizeof wanted, "%d|%d\n", SERIES * 2 + steps, steps);
	assert_string_equal(ask(path, "SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM reading_minute)"),
	                    wanted);
	store_sqlite.close(store);
}

static void nobody_waits_for_it(void **state)
{
	(void)state;
	sqlite3 *other;
	struct store *store = open_store();
	fill(store, "a/b/c/value", 100, DAY, NOON);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	int64_t begin_ms = monotonic_ms();
	for (int i = 0; i < 5; i++)
		assert_false(step(store, 10, 10));
	assert_true(monotonic_ms() - begin_ms < 900); /* a lock is waited for 1000 ms otherwise */
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_string_equal(ask(path, ROW_COUNTS), "100|100|100\n");

	sqlite3_stmt *timeout;
	assert_int_equal(sqlite3_prepare_v2(store->database, "PRAGMA busy_timeout", -1, &timeout, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(timeout), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(timeout, 0), LITE_BUSY_MS);
	sqlite3_finalize(timeout);

	/* Nor does it break into the transaction that a new series began. */
	int64_t id = series(store, "x/y/z/value");
	assert_false(step(store, 10, 10));
	struct store_row row = number_row(id, NOON, 1, 1);
	add(store, &row, 1);
	sweep(store, 10, 10);
	assert_string_equal(ask(path, ROW_COUNTS), "12|12|101\n");
	store_sqlite.close(store);
}

static long long count_over(sqlite3 *database)
{
	sqlite3_stmt *count;
	assert_int_equal(sqlite3_prepare_v2(database, "SELECT count(*) FROM reading", -1, &count, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(count), SQLITE_ROW);
	long long rows = sqlite3_column_int64(count, 0);
	sqlite3_finalize(count);
	return rows;
}

static void a_reader_sees_all_of_its_moment(void **state)
{
	(void)state;
	sqlite3 *reader;
	struct store *store = open_store();
	fill(store, "a/b/c/value", 5000, 1000000, NOON - 20 * DAY);
	assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(count_over(reader), 5000);
	assert_true(step(store, 10, 10));
	assert_int_equal(count_over(reader), 5000);
	sweep(store, 10, 10);
	assert_int_equal(count_over(reader), 5000);
	assert_int_equal(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(count_over(reader), 0);
	sqlite3_close(reader);
	store_sqlite.close(store);
}

static void a_step_that_fails_leaves_all_as_it_was(void **state)
{
	(void)state;
	struct store *store = open_store();
	const struct store_keep keep = {.now_us = NOON, .raw_days = 10, .minute_days = 10};
	bool more = true;
	fill(store, "a/b/c/value", 20, DAY, NOON);
	fill(store, "a/b/d/value", 20, DAY, NOON);
	ask(path, "CREATE TRIGGER museum BEFORE DELETE ON reading WHEN OLD.series_id = 2"
	          " BEGIN SELECT RAISE(ABORT, 'nothing is thrown away here'); END");
	assert_int_equal(store_sqlite.upkeep(store, &keep, &more), STORE_AWAY);
	assert_false(more);
	assert_non_null(strstr(store_sqlite.error(store), "nothing is thrown away here"));
	assert_string_equal(ask(path, ROW_COUNTS), "40|40|40\n");
	ask(path, "DROP TRIGGER museum");
	sweep(store, 10, 10);
	sweep(store, 10, 10);
	assert_string_equal(ask(path, ROW_COUNTS), "22|22|40\n");
	store_sqlite.close(store);
}

static void the_space_of_what_went_is_used_again(void **state)
{
	(void)state;
	struct store *store = open_store();
	fill(store, "a/b/c/value", 20000, 1000000, NOON - 20 * DAY);
	long pages = strtol(ask(path, "PRAGMA page_count"), NULL, 10);
	for (int i = 0; i < 5; i++) {
		sweep(store, 10, 10);
		fill(store, "a/b/c/value", 20000, 1000000, NOON - (20 + i) * DAY);
	}
	assert_in_range(strtol(ask(path, "PRAGMA page_count"), NULL, 10), pages, pages + pages / 10);
	store_sqlite.close(store);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(only_what_is_too_old_goes),
		TEST(what_is_kept_for_ever_stays),
		TEST(steps_are_short_and_come_to_an_end),
		TEST(nobody_waits_for_it),
		TEST(a_reader_sees_all_of_its_moment),
		TEST(a_step_that_fails_leaves_all_as_it_was),
		TEST(the_space_of_what_went_is_used_again),
	};
	return cmocka_run_group_tests_name("store_sqlite_upkeep", tests, NULL, NULL);
}
