/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb: rows that the database refuses for what they hold, and what the rows that it takes come to. Whatever is
 * refused, all else is stored, the position moves, and the roll-ups are those of what `reading` holds.
 */
#include "mariadb_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* No minute or hour may differ from what SQL reckons from `reading`: none missing, none too many. */
static void expect_rollups_of_what_is_stored(void)
{
	static const struct {
		const char *table;
		long long period;
	} rollups[] = {{"reading_minute", STORE_MINUTE_US}, {"reading_hour", STORE_HOUR_US}};
	char sql[800];

	for (size_t i = 0; i < COUNT(rollups); i++) {
		const long long period = rollups[i].period;

		/* Divided before they are added: the sum of the largest numbers is none. */
		snprintf(sql, sizeof(sql),
		         "CREATE OR REPLACE TABLE wanted AS SELECT series_id, ts - MOD(MOD(ts, %lld) + %lld, %lld) AS ts,"
		         " MIN(value) AS mi, AVG(value / 1024) * 1024 AS av, MAX(value) AS ma, COUNT(*) AS n"
		         " FROM reading WHERE value IS NOT NULL GROUP BY 1, 2;"
		         " SELECT w.*, r.* FROM wanted w LEFT JOIN %s r USING (series_id, ts)"
		         " WHERE r.count IS NULL OR r.min <> mi OR r.max <> ma OR r.count <> n"
		         " OR ABS(r.avg - av) > 1e-9 * GREATEST(ABS(mi), ABS(ma));"
		         " SELECT r.* FROM %s r LEFT JOIN wanted w USING (series_id, ts) WHERE n IS NULL",
		         period, period, period, rollups[i].table, rollups[i].table);
		assert_string_equal(maria_ask(sql), "");
	}
}

/* The same numbers in each run. */
static uint32_t below(uint32_t limit)
{
	static uint64_t state = 20261122;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((state >> 33) % limit);
}

/* Stores in the journal's next `count` positions; the batch must be taken. */
static size_t put(struct store *store, const struct store_row *rows, size_t count, uint64_t to)
{
	size_t rejected = 99;

	if (maria_put(store, rows, count, to, &rejected) != STORE_OK)
		fail_msg("%s", store_mariadb.error(store));
	assert_true(maria_position(store, JOURNAL).position == to);
	return rejected;
}

/* ---- refused rows ---- */

static void a_persons_check_refuses_its_rows_alone(void **state)
{
	(void)state;
	static const struct {
		const char *of_which, *name;
		int every, offset;
	} patterns[] = {
		{"one", "none at all", 0, 0},  {"two", "the first", 100000, 0}, {"three", "the last", 100000, 2999},
		{"four", "every other", 2, 1}, {"five", "every 7th", 7, 3},     {"six", "all", 1, 0},
	};
	enum { ROWS = 3000 };
	static struct store_row rows[ROWS];
	struct store *store = maria_open("house");
	uint64_t to = 0;

	maria_ask("ALTER TABLE reading ADD CONSTRAINT plausible CHECK (value < 1000)");
	for (size_t i = 0; i < COUNT(patterns); i++) {
		char name[64], sql[400], wanted[200];
		size_t bad = 0;
		int64_t id;

		snprintf(name, sizeof(name), "%s/b/c/value", patterns[i].of_which);
		id = maria_series(store, name);
		for (int j = 0; j < ROWS; j++) {
			const bool refused = patterns[i].every > 0 && j % patterns[i].every == patterns[i].offset;

			rows[j] = number_row(id, NOON + j * INT64_C(100000), (int64_t)to + j, refused ? 1000 + j : j % 1000);
			bad += refused;
		}
		to += ROWS;
		if (put(store, rows, ROWS, to) != bad)
			fail_msg("%s: not %zu", patterns[i].name, bad);
		snprintf(
			sql, sizeof(sql),
			"SELECT count(*), count(DISTINCT seq), COALESCE(max(value) < 1000, 1) FROM reading WHERE series_id = %lld;"
			" SELECT count(*), count(DISTINCT seq), COALESCE(min(value) >= 1000 AND min(code) = 4025 AND max(code) = "
			"4025"
			" AND min(reason LIKE '%%plausible%%') AND min(value - 1000 = seq - %llu), 1)"
			" FROM reading_reject WHERE series_id = %lld",
			(long long)id, (unsigned long long)(to - ROWS), (long long)id);
		snprintf(wanted, sizeof(wanted), "%zu|%zu|1\n%zu|%zu|1\n", ROWS - bad, ROWS - bad, bad, bad);
		if (strcmp(maria_ask(sql), wanted) != 0)
			fail_msg("%s: %s", patterns[i].name, maria_ask(sql));
		if (bad > 0 && strstr(store_mariadb.error(store), "plausible") == NULL)
			fail_msg("%s: %s", patterns[i].name, store_mariadb.error(store));
	}
	expect_rollups_of_what_is_stored();
}

static void a_trigger_refuses_with_its_own_words(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/state");
	const struct store_row rows[] = {
		text_row(id, NOON, 1, "good"),
		text_row(id, NOON, 2, "나쁜"),
		number_row(id, NOON, 3, 5),
	};

	maria_ask("CREATE TRIGGER no_bad_words BEFORE INSERT ON reading FOR EACH ROW"
	          " IF NEW.txt = '나쁜' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '그 말은 안 됩니다'; END IF");
	assert_int_equal(put(store, rows, COUNT(rows), 10), 1);
	assert_string_equal(
		maria_ask("SELECT seq, value, txt FROM reading; SELECT code, reason, series_id = (SELECT id FROM"
	              " series), ts = 1795348800000000, seq, value, txt FROM reading_reject"),
		"1||good\n3|5|\n1644|그 말은 안 됩니다|1|1|2||나쁜\n");
	expect_rollups_of_what_is_stored();
}

static void what_does_not_fit_is_kept_as_it_is(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/state");
	char *too_long = malloc(4098);
	struct store_row rows[] = {
		text_row(id, NOON, 1, "no \xFF UTF-8"),
		text_row(id, NOON, 2, "overlong \xC0\xAF"),
		number_row(id, NOON, 3, 1),
		text_row(id, NOON, 4, "cut \xE2\x82"),
		text_row(id, NOON, 5, ""),
	};

	assert_non_null(too_long);
	memset(too_long, 'x', 4097);
	too_long[4097] = '\0';
	rows[4] = text_row(id, NOON, 5, too_long);
	size_t rejected = 0;
	/* The journal holds no such text; it is the store's last defence, and must not be what blocks it. */
	if (maria_put(store, rows, COUNT(rows), 10, &rejected) != STORE_OK)
		fail_msg("%s", store_mariadb.error(store));
	free(too_long);
	assert_int_equal(rejected, 4);
	assert_string_equal(maria_ask("SELECT seq FROM reading; SELECT seq, code, HEX(LEFT(txt, 9)), LENGTH(txt) FROM"
	                              " reading_reject ORDER BY seq"),
	                    "3\n1|1366|6E6F20FF205554462D|10\n2|1366|6F7665726C6F6E6720|11\n4|1366|63757420E282|6\n"
	                    "5|4025|787878787878787878|4096\n");
}

/* A refused row and one that is there already, in one chunk. */
static void refused_rows_do_not_stop_those_beside_another_journals(void **state)
{
	(void)state;
	enum { ROWS = 64 };
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/value");
	struct store_row rows[ROWS];
	struct store_batch batch = {rows, ROWS, {JOURNAL, 100}, {77, 100}, NULL};
	size_t rejected = 0;

	for (int i = 0; i < ROWS; i++)
		rows[i] = number_row(id, NOON + i / 8, i, 1);
	assert_int_equal(put(store, rows, ROWS, 100), 0);
	maria_ask("ALTER TABLE reading ADD CHECK (value < 1000)");
	for (int i = 0; i < ROWS; i++)
		rows[i].value.number = i % 5 == 0 ? 1000 : 2;
	assert_int_equal(store_mariadb.write(store, &batch, &rejected), STORE_OK);
	assert_int_equal(rejected, 13);
	assert_string_equal(maria_ask("SELECT value, count(*) FROM reading GROUP BY value;"
	                              " SELECT count(*), sum(code = 4025) FROM reading_reject"),
	                    "1|64\n2|51\n13|13\n");
	expect_rollups_of_what_is_stored();
}

/* ---- roll-ups ---- */

static void the_largest_numbers_do_not_block(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/value");
	static const double numbers[] = {1e308, 1.7e308, 1e308, -1e308, -1.7e308, 1.7976931348623157e308};

	/* In one batch, and each in its own. */
	for (uint64_t i = 0; i < 4 * COUNT(numbers); i++) {
		const struct store_row rows[] = {
			number_row(id, NOON, (int64_t)(10 * i), numbers[i % COUNT(numbers)]),
			number_row(id, NOON, (int64_t)(10 * i + 1), numbers[(i / 4) % COUNT(numbers)]),
			number_row(id, NOON, (int64_t)(10 * i + 2), NAN),
		};
		assert_int_equal(put(store, rows, COUNT(rows), 10 * i + 9), 0);
	}
	assert_string_equal(maria_ask("SELECT min, max, count, ABS(avg) < 1e308 FROM reading_minute;"
	                              " SELECT min, max, count, ABS(avg) < 1e308 FROM reading_hour"),
	                    "-1.7e308|1.7976931348623157e308|48|1\n-1.7e308|1.7976931348623157e308|48|1\n");
	expect_rollups_of_what_is_stored();
}

static void words_and_nothing_make_no_minute(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/state");
	const struct store_row rows[] = {
		text_row(id, NOON, 1, "stuck"),
		number_row(id, NOON, 2, NAN),
		{id, NOON + STORE_HOUR_US, 3, {.number = 1, .is_number = true, .text = slice_of("open")}},
		number_row(id, -1, 4, 7), /* the minute before 1970 */
	};

	assert_int_equal(put(store, rows, COUNT(rows), 10), 0);
	assert_string_equal(maria_ask("SELECT time, min, avg, max, count FROM readings_by_minute ORDER BY time;"
	                              " SELECT time, avg, count FROM readings_by_hour ORDER BY time"),
	                    "1969-12-31T23:59:00Z|7|7|7|1\n2026-11-22T13:00:00Z|1|1|1|1\n"
	                    "1969-12-31T23:00:00Z|7|1\n2026-11-22T13:00:00Z|1|1\n");
}

/* Late, out of order, doubled, words, nothing, before 1970: the sum of all batches is what SQL reckons. */
static void many_batches_come_to_what_sql_reckons(void **state)
{
	(void)state;
	enum { BATCHES = 60, ROWS = 200, SERIES = 5 };
	struct store *store = maria_open("house");
	uint64_t to = 0;

	maria_ask("ALTER TABLE reading ADD CHECK (txt IS NULL OR txt <> 'bad')");
	for (int batch = 0; batch < BATCHES; batch++) {
		struct store_row rows[ROWS];
		const size_t count = below(ROWS) + 1;

		for (size_t i = 0; i < count; i++) {
			char name[32];
			const int64_t span = below(4) == 0 ? 5 * STORE_HOUR_US : 3 * STORE_MINUTE_US;
			const int64_t begin = below(8) == 0 ? -STORE_HOUR_US : NOON;
			const int64_t time_us = begin + (int64_t)below((uint32_t)(span / 1000000)) * 1000000;

			snprintf(name, sizeof(name), "room%d/b/c/state", (int)below(SERIES));
			rows[i] =
				number_row(maria_series(store, name), time_us, (int64_t)(to + i), (double)below(2000000) / 1000 - 1000);
			switch (below(12)) {
			case 0:
				rows[i].value = (struct value){.text = slice_of("word")};
				break;
			case 1:
				rows[i].value.number = NAN;
				break;
			case 2:
				rows[i].value.text = slice_of("on");
				break;
			case 3:
				rows[i].value.text = slice_of("bad");
				break;
			default:
				break;
			}
		}
		to += count;
		put(store, rows, count, to);
	}
	assert_int_equal(maria_ask_number("SELECT (SELECT count(*) FROM reading) + (SELECT count(*) FROM reading_reject)"),
	                 to);
	assert_true(maria_ask_number("SELECT count(*) FROM reading_reject") > 0);
	assert_true(maria_ask_number("SELECT count(*) FROM reading_minute WHERE count > 100") > 0);
	expect_rollups_of_what_is_stored();
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, maria_make_database, maria_close_stores)
	const struct CMUnitTest tests[] = {
		TEST(a_persons_check_refuses_its_rows_alone), TEST(a_trigger_refuses_with_its_own_words),
		TEST(what_does_not_fit_is_kept_as_it_is),     TEST(refused_rows_do_not_stop_those_beside_another_journals),
		TEST(the_largest_numbers_do_not_block),       TEST(words_and_nothing_make_no_minute),
		TEST(many_batches_come_to_what_sql_reckons),
	};

	return cmocka_run_group_tests_name("store_mariadb_reject", tests, maria_group_start, maria_group_end);
}
