/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite: what readings come to in each minute and hour, held against what SQL reckons from the readings; those of a
 * file that an older Hearth made; and readings that are refused.
 */
#include "migration.h"
#include "store_sqlite_fixture.h"

#include <float.h>
#include <math.h>

#define DAY INT64_C(86400000000)

/* A number from 0 up to and without `limit`, the same ones in each run. */
static uint32_t next_random(uint32_t limit)
{
	static uint64_t state = 20261122;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 33) % limit);
}

/*
 * How many minutes (or hours) from `since_us` on differ from what the readings say, and how many there are. Sums are kept
 * from becoming infinite by a power of two; averages may differ by rounding.
 */
static const char *differences(const char *table, int64_t period_us, int64_t since_us)
{
	char sql[1024];
	snprintf(
		sql, sizeof sql,
		"WITH wanted AS (SELECT series_id, ts - (ts %% %lld + %lld) %% %lld AS ts, min(value) AS min,"
		" avg(value / 1099511627776) * 1099511627776 AS avg, max(value) AS max, count(*) AS count FROM reading"
		" WHERE value IS NOT NULL AND ts >= %lld GROUP BY 1, 2)"
		" SELECT sum(w.min IS NOT r.min OR w.max IS NOT r.max OR w.count IS NOT r.count"
		" OR NOT abs(w.avg / 4 - r.avg / 4) <= max(abs(r.min / 4), abs(r.max / 4)) * 1e-12 OR typeof(r.avg) <> 'real'"
		" OR r.avg NOT BETWEEN r.min AND r.max), count(*) > 0 FROM wanted w FULL JOIN %s r USING (series_id, ts)",
		(long long)period_us, (long long)period_us, (long long)period_us, (long long)since_us, table);
	return ask(path, sql);
}

static void expect_rollups(int64_t minutes_since_us)
{
	assert_string_equal(differences("reading_minute", STORE_MINUTE_US, minutes_since_us), "0|1\n");
	assert_string_equal(differences("reading_hour", STORE_HOUR_US, INT64_MIN), "0|1\n");
}

static double random_number(void)
{
	static const double extremes[] = {0, -0.0, 1e308, -1e308, DBL_MAX, -DBL_MAX, 1.0 / 3};
	return next_random(4) ? (double)next_random(4000) / 100 - 20 : extremes[next_random(COUNT(extremes))];
}

static struct store_row random_row(const int64_t *ids, uint32_t id_count, int64_t seq)
{
	static const int64_t around[] = {NOON, NOON + 7 * DAY, 0, -400 * DAY};
	struct store_row row = {.series = ids[next_random(id_count)], .seq = seq};
	row.time_us = around[next_random(COUNT(around))] + ((int64_t)next_random(4000) - 2000) * 5000000 - next_random(3);
	row.value = (struct value){.number = random_number(), .is_number = true};
	if (next_random(10) == 0)
		row.value = (struct value){.number = 1, .is_number = true, .text = slice_of("open")};
	if (next_random(10) == 0)
		row.value = (struct value){.text = slice_of("a text")};
	if (next_random(20) == 0)
		row.value.number = next_random(2) ? INFINITY : NAN;
	return row;
}

static void rollups_are_what_the_readings_come_to(void **state)
{
	(void)state;
	enum { BATCHES = 80, ROWS = 400 };
	static struct store_row rows[ROWS];
	struct store *store = open_store();
	int64_t ids[3] = {series(store, "a/b/c/value"), series(store, "a/b/d/value"), series(store, "a/b/e/state")};
	for (int batch = 0; batch < BATCHES; batch++) {
		size_t count = next_random(ROWS);
		for (size_t i = 0; i < count; i++)
			rows[i] = random_row(ids, COUNT(ids), next_random(1000)); /* some at the same instant and position */
		add(store, rows, count);
	}
	store_sqlite.close(store);
	expect_rollups(INT64_MIN);
}

static void an_average_of_the_same_number_is_that_number(void **state)
{
	(void)state;
	static const double numbers[] = {23.1, DBL_MAX, -DBL_MAX, 5e-324, 1e308};
	struct store *store = open_store();
	for (int batch = 0; batch < 300; batch++)
		for (size_t i = 0; i < COUNT(numbers); i++) {
			char name[64];
			snprintf(name, sizeof name, "a/b/c%zu/value", i);
			struct store_row row = number_row(series(store, name), NOON + batch, batch, numbers[i]);
			add(store, &row, 1);
		}
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT count(*), sum(min = avg AND avg = max AND count = 300) FROM reading_hour"),
	                    "5|5\n");
}

static void the_views_say_when_where_and_what(void **state)
{
	(void)state;
	struct store *store = open_store();
	int64_t id = series(store, "거실/uno1/temperature/value");
	const struct store_row rows[] = {
		number_row(id, NOON + 59999999, 1, 10),
		number_row(id, NOON, 2, 20),
		number_row(id, NOON + 60000000, 3, 60),
		number_row(id, -1, 4, 5),
		number_row(id, 0, 5, 6),
	};
	add(store, rows, COUNT(rows));
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT * FROM readings_by_minute ORDER BY time"),
	                    "1969-12-31T23:59:00Z|거실|uno1|temperature|value|5.0|5.0|5.0|1\n"
	                    "1970-01-01T00:00:00Z|거실|uno1|temperature|value|6.0|6.0|6.0|1\n"
	                    "2026-11-22T12:00:00Z|거실|uno1|temperature|value|10.0|15.0|20.0|2\n"
	                    "2026-11-22T12:01:00Z|거실|uno1|temperature|value|60.0|60.0|60.0|1\n");
	assert_string_equal(ask(path, "SELECT * FROM readings_by_hour ORDER BY time"),
	                    "1969-12-31T23:00:00Z|거실|uno1|temperature|value|5.0|5.0|5.0|1\n"
	                    "1970-01-01T00:00:00Z|거실|uno1|temperature|value|6.0|6.0|6.0|1\n"
	                    "2026-11-22T12:00:00Z|거실|uno1|temperature|value|10.0|30.0|60.0|3\n");
}

/* ---- a file that an older Hearth made ---- */

static void make_version_1(void)
{
	const struct migration first[] = {migrations_history[0], {0, NULL, NULL}};
	sqlite3 *database;
	char error[256];
	if (migration_open(path, first, "PRAGMA journal_mode = WAL", &database, error, sizeof error) != MIGRATION_OK)
		fail_msg("%s", error);
	sqlite3_close(database);
}

static void what_an_older_file_holds_is_rolled_up(void **state)
{
	(void)state;
	char error[256] = "";
	const struct store_place place = {.location = path, .node = "house"};
	make_version_1();
	/* A reading a minute and a half over 50 days for one, some before 1970 for another; words, texts, extremes. */
	ask(path, "INSERT INTO series VALUES (1, 'a', 'b', 'c', 'value'), (2, 'a', 'b', 'd', 'value'), (9, 'a', 'b', 'e',"
	          " 'value');"
	          "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 48000)"
	          " INSERT INTO reading SELECT 1, 1795348800000000 - i * 90000000, i,"
	          " CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN 1e308 WHEN 2 THEN -1e308 WHEN 3 THEN 1.7e308 ELSE i / 7.0 END,"
	          " iif(i % 5, NULL, 'word') FROM n;"
	          "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
	          " INSERT INTO reading SELECT 2, i * 20000000 - 10000000001, i, i / 7.0, NULL FROM n;"
	          "INSERT INTO ingest_position VALUES ('house', 5, 77)");

	/* Asking whether it can work does not yet take the time. */
	assert_int_equal(store_sqlite.check(&place, error, sizeof error), STORE_OK);
	assert_string_equal(ask(path, "SELECT max(version) FROM schema_version"), "1\n");

	struct store *store = open_store();
	struct store_position at;
	assert_int_equal(store_sqlite.position(store, 5, &at), STORE_OK);
	assert_true(at.journal == 5 && at.position == 77);
	expect_rollups(NOON - 30 * DAY);
	assert_string_equal(ask(path, "SELECT min(ts) >= 1795348800000000 - 30 * 86400000000, max(ts) = 1795348800000000 -"
	                              " 120000000 FROM reading_minute"),
	                    "1|1\n"); /* the newest reading is none that counts */

	/* What comes later is added to what was there. */
	const struct store_row rows[] = {number_row(1, NOON - 1, 99, 4), number_row(9, NOON, 99, 4),
	                                 number_row(2, -1, 9999, -3)};
	struct store_position to = {5, 78};
	assert_int_equal(write_rows(store, rows, 2, &at, &to), STORE_OK);
	expect_rollups(NOON - 30 * DAY);
	at = to;
	to.position++;
	assert_int_equal(write_rows(store, rows + 2, 1, &at, &to), STORE_OK);
	assert_string_equal(differences("reading_hour", STORE_HOUR_US, INT64_MIN), "0|1\n");
	store_sqlite.close(store);
}

static void an_older_file_without_readings_is_brought_up_to_date(void **state)
{
	(void)state;
	make_version_1();
	struct store *store = open_store();
	assert_int_equal(put(store, series(store, "a/b/c/value"), 0, 8), STORE_OK);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT count(*) FROM reading_hour; SELECT max(version) FROM schema_version"),
	                    "1\n2\n");
}

/* ---- refused readings ---- */

static void a_refused_reading_is_kept_aside_and_the_rest_goes_on(void **state)
{
	(void)state;
	enum { ROWS = 1000 };
	static struct store_row rows[ROWS];
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	struct store_batch batch = {rows, ROWS, {0, 0}, {JOURNAL, 8}, NULL};
	size_t rejected = 99;
	for (int i = 0; i < ROWS; i++)
		rows[i] = number_row(id, NOON + i * INT64_C(1000000), i, i % 100 == 7 ? 5000 + i : 20);
	rows[7].value.text = slice_of("hot");
	assert_int_equal(put(store, id, 0, 4), STORE_OK);
	batch.from = (struct store_position){JOURNAL, 4};
	ask(path, "CREATE TRIGGER plausible BEFORE INSERT ON reading WHEN NEW.value > 1000"
	          " BEGIN SELECT RAISE(ABORT, 'too hot to be true'); END");

	assert_int_equal(store_sqlite.write(store, &batch, &rejected), STORE_OK);
	assert_int_equal(rejected, ROWS / 100);
	assert_non_null(strstr(store_sqlite.error(store), path));
	assert_non_null(strstr(store_sqlite.error(store), "too hot to be true"));
	assert_string_equal(ask(path, "SELECT count(*), max(value) FROM reading; SELECT pos FROM ingest_position"),
	                    "991|20.0\n8\n");
	assert_string_equal(ask(path, "SELECT count(*), count(DISTINCT code), min(reason) FROM reading_reject;"
	                              "SELECT id, length(refused), series_id, ts - 1795348800000000, seq, value, txt"
	                              " FROM reading_reject WHERE id < 3"),
	                    "10|1|too hot to be true\n1|20|1|7000000|7|5007.0|hot\n2|20|1|107000000|107|5107.0|\n");
	expect_rollups(INT64_MIN);

	/* One that refuses everything, and then none. */
	batch = (struct store_batch){rows + 7, 1, {JOURNAL, 8}, {JOURNAL, 16}, NULL};
	assert_int_equal(store_sqlite.write(store, &batch, &rejected), STORE_OK);
	assert_int_equal(rejected, 1);
	ask(path, "DROP TRIGGER plausible");
	batch = (struct store_batch){rows + 7, 1, {JOURNAL, 16}, {JOURNAL, 24}, NULL};
	assert_int_equal(store_sqlite.write(store, &batch, &rejected), STORE_OK);
	assert_int_equal(rejected, 0);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT count(*) FROM reading; SELECT count(*) FROM reading_reject"), "992\n11\n");
}

/* Then there is no transaction any more that could go on. */
static void a_trigger_that_rolls_back_stores_nothing(void **state)
{
	(void)state;
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	const struct store_row rows[] = {number_row(id, NOON, 1, 1), number_row(id, NOON, 2, 2000),
	                                 number_row(id, NOON, 3, 3)};
	const struct store_batch batch = {rows, 3, {JOURNAL, 8}, {JOURNAL, 16}, NULL};
	size_t rejected;
	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	ask(path, "CREATE TRIGGER harsh BEFORE INSERT ON reading WHEN NEW.value > 1000"
	          " BEGIN SELECT RAISE(ROLLBACK, 'away with all of it'); END");
	assert_int_equal(store_sqlite.write(store, &batch, &rejected), STORE_AWAY);
	assert_int_equal(rejected, 0);
	assert_non_null(strstr(store_sqlite.error(store), "away with all of it"));
	assert_string_equal(ask(path, "SELECT count(*) FROM reading; SELECT count(*) FROM reading_reject;"
	                              "SELECT pos FROM ingest_position"),
	                    "1\n0\n8\n");
	ask(path, "DROP TRIGGER harsh");
	assert_int_equal(store_sqlite.write(store, &batch, &rejected), STORE_OK);
	store_sqlite.close(store);
	expect_rollups(INT64_MIN);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(rollups_are_what_the_readings_come_to),
		TEST(an_average_of_the_same_number_is_that_number),
		TEST(the_views_say_when_where_and_what),
		TEST(what_an_older_file_holds_is_rolled_up),
		TEST(an_older_file_without_readings_is_brought_up_to_date),
		TEST(a_refused_reading_is_kept_aside_and_the_rest_goes_on),
		TEST(a_trigger_that_rolls_back_stores_nothing),
	};
	return cmocka_run_group_tests_name("store_sqlite_rollup", tests, NULL, NULL);
}
