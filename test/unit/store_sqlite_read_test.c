/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite: what is stored, read back over a connection for reading; by which index each statement finds its rows; and
 * that such a connection changes nothing and sees whole batches while another writes.
 */
#include "store_sqlite_fixture.h"
#include "store_sqlite_internal.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define FOR_EVER ((struct store_span){INT64_MIN, INT64_MAX})

static struct store *open_reader(void)
{
	struct store *store;
	char error[256] = "";
	const struct store_place place = {.location = path, .node = "house"};
	if (store_sqlite.open_to_read(&place, &store, error, sizeof error) != STORE_OK)
		fail_msg("%s", error);
	return store;
}

static struct topic topic(const char *name)
{
	struct topic out;
	assert_true(topic_parse(slice_of(name), &out));
	return out;
}

/* What came back, one line each. */
struct answer {
	size_t len;
	size_t lines, limit; /* after so many the callback says: no more */
	char text[4096];
};

__attribute__((format(printf, 2, 3))) static bool answer_add(struct answer *answer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	answer->len += (size_t)vsnprintf(answer->text + answer->len, sizeof answer->text - answer->len, format, arguments);
	va_end(arguments);
	assert_true(answer->len < sizeof answer->text);
	return ++answer->lines < answer->limit;
}

static bool take_series(void *context, struct slice name)
{
	return answer_add(context, "%.*s\n", (int)name.len, name.ptr);
}

static bool take_reading(void *context, struct slice name, const struct store_row *row)
{
	const int64_t time_us = row->time_us;
	const struct value *value = &row->value;
	char number[32] = "-";
	if (value->is_number)
		snprintf(number, sizeof number, "%g", value->number);
	return answer_add(context, "%.*s %lld %s %.*s\n", (int)name.len, name.ptr, (long long)(time_us - NOON), number,
	                  (int)value->text.len, value->text.len > 0 ? value->text.ptr : "");
}

static bool take_bucket(void *context, const struct store_bucket *bucket)
{
	return answer_add(context, "%lld %g %g %g %lld\n", (long long)bucket->time_us, bucket->min, bucket->avg,
	                  bucket->max, (long long)bucket->count);
}

static const char *list(struct store *store, size_t limit)
{
	static struct answer answer;
	answer = (struct answer){.limit = limit};
	assert_int_equal(store_sqlite.list(store, take_series, &answer), STORE_OK);
	return answer.text;
}

static const char *latest(struct store *store, const char *name, size_t limit)
{
	static struct answer answer;
	struct topic parsed = topic(name ? name : "a/b/c/value");
	answer = (struct answer){.limit = limit};
	assert_int_equal(store_sqlite.latest(store, name ? &parsed : NULL, take_reading, &answer), STORE_OK);
	return answer.text;
}

static const char *readings(struct store *store, const char *name, struct store_span span, size_t limit, size_t stop)
{
	static struct answer answer;
	struct topic parsed = topic(name);
	answer = (struct answer){.limit = stop};
	assert_int_equal(store_sqlite.readings(store, &parsed, span, limit, take_reading, &answer), STORE_OK);
	return answer.text;
}

static const char *buckets(struct store *store, const char *name, enum store_source source, struct store_span span,
                           int64_t step_us, size_t stop)
{
	static struct answer answer;
	struct topic parsed = topic(name);
	answer = (struct answer){.limit = stop};
	assert_int_equal(store_sqlite.buckets(store, &parsed, source, span, step_us, take_bucket, &answer), STORE_OK);
	return answer.text;
}

/* ---- reading ---- */

static void an_empty_store_answers_nothing(void **state)
{
	(void)state;
	store_sqlite.close(open_store());
	struct store *store = open_reader();
	assert_string_equal(list(store, 9), "");
	assert_string_equal(latest(store, NULL, 9), "");
	assert_string_equal(latest(store, "a/b/c/value", 9), "");
	assert_string_equal(readings(store, "a/b/c/value", FOR_EVER, 9, 9), "");
	for (enum store_source source = STORE_RAW; source <= STORE_HOUR; source++)
		assert_string_equal(buckets(store, "a/b/c/value", source, FOR_EVER, STORE_HOUR_US, 9), "");
	store_sqlite.close(store);
}

static void series_come_in_the_order_of_their_bytes(void **state)
{
	(void)state;
	static const char *const names[] = {"가/나/다/value", "a/b/c/value",  "a b/b/c/value", "a/b/c/state",
	                                    "B/b/c/value",    "a/b-/c/value", "a/b!/c/value"};
	struct store *store = open_store();
	for (size_t i = 0; i < COUNT(names); i++)
		series(store, names[i]);
	assert_int_equal(move(store, (struct store_position){0, 0}, (struct store_position){JOURNAL, 1}), STORE_OK);
	store_sqlite.close(store);
	store = open_reader();
	assert_string_equal(list(store, 99), "B/b/c/value\na b/b/c/value\na/b!/c/value\na/b-/c/value\na/b/c/state\n"
	                                     "a/b/c/value\n가/나/다/value\n");
	assert_string_equal(list(store, 2), "B/b/c/value\na b/b/c/value\n");
	assert_string_equal(list(store, 1), "B/b/c/value\n");
	assert_string_equal(latest(store, NULL, 99), ""); /* none of them has readings */
	store_sqlite.close(store);
}

static void the_latest_reading_is_the_newest(void **state)
{
	(void)state;
	struct store *store = open_store();
	int64_t warm = series(store, "a/b/c/value"), door = series(store, "a/b/door/state");
	int64_t none = series(store, "a/b/none/value");
	int64_t text = series(store, "a/b/text/error");
	const struct store_row rows[] = {
		number_row(warm, NOON + 5, 9, 1),
		number_row(warm, NOON + 7, 4, 2),
		number_row(warm, NOON + 7, 3, 3),
		number_row(warm, NOON + 6, 99, 4),
		{door, NOON + 1, 1, {.number = 1, .is_number = true, .text = slice_of("open")}},
		{text, NOON + 1, 1, {.text = slice_of("잠김; it's \"shut\"")}},
		{text, NOON + 2, 1, {.text = {NULL, 0}}},
	};
	assert_int_not_equal(none, 0);
	add(store, rows, COUNT(rows));
	store_sqlite.close(store);

	store = open_reader();
	assert_string_equal(latest(store, "a/b/c/value", 9), "a/b/c/value 7 2 \n");
	assert_string_equal(latest(store, "a/b/door/state", 9), "a/b/door/state 1 1 open\n");
	assert_string_equal(latest(store, "a/b/none/value", 9), "");
	assert_string_equal(latest(store, "a/b/other/value", 9), "");
	assert_string_equal(latest(store, NULL, 9), "a/b/c/value 7 2 \na/b/door/state 1 1 open\na/b/text/error 2 - \n");
	assert_string_equal(latest(store, NULL, 1), "a/b/c/value 7 2 \n");
	assert_string_equal(readings(store, "a/b/text/error", FOR_EVER, 9, 9),
	                    "a/b/text/error 1 - 잠김; it's \"shut\"\na/b/text/error 2 - \n");
	store_sqlite.close(store);
}

static void readings_come_by_span_and_limit(void **state)
{
	(void)state;
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value"), other = series(store, "a/b/d/value");
	struct store_row rows[20];
	for (int i = 0; i < 10; i++) {
		rows[i] = number_row(id, NOON + i, i, i);
		rows[10 + i] = number_row(other, NOON + i, i, 100 + i);
	}
	rows[9].time_us = NOON + 8; /* two of one instant, by position */
	add(store, rows, COUNT(rows));
	store_sqlite.close(store);

	const struct store_span middle = {NOON + 3, NOON + 6}, end = {NOON + 8, NOON + 99}, nothing = {NOON + 3, NOON + 3};
	store = open_reader();
	assert_string_equal(readings(store, "a/b/c/value", middle, 99, 99),
	                    "a/b/c/value 3 3 \na/b/c/value 4 4 \na/b/c/value 5 5 \n");
	assert_string_equal(readings(store, "a/b/c/value", middle, 2, 99), "a/b/c/value 3 3 \na/b/c/value 4 4 \n");
	assert_string_equal(readings(store, "a/b/c/value", middle, 99, 1), "a/b/c/value 3 3 \n");
	assert_string_equal(readings(store, "a/b/c/value", middle, 0, 99), "");
	assert_string_equal(readings(store, "a/b/c/value", nothing, 99, 99), "");
	assert_string_equal(readings(store, "a/b/c/value", end, SIZE_MAX, 99), "a/b/c/value 8 8 \na/b/c/value 8 9 \n");
	assert_string_equal(readings(store, "a/b/d/value", FOR_EVER, 1, 99), "a/b/d/value 0 100 \n");
	store_sqlite.close(store);
}

/* ---- buckets ---- */

static void buckets_hold_what_lies_in_them(void **state)
{
	(void)state;
	const int64_t minute = STORE_MINUTE_US;
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value"), wide = series(store, "a/b/wide/value");
	struct store_row rows[] = {
		number_row(id, -1, 1, -5),         number_row(id, 0, 2, 1),
		number_row(id, minute, 3, 2),      number_row(id, minute + 1, 4, 4),
		number_row(id, 2 * minute, 5, 10), number_row(id, 2 * minute + 1, 6, 77),
		number_row(id, 60 * minute, 7, 8), number_row(id, -61 * minute, 8, 6),
		number_row(wide, 0, 9, DBL_MAX),   number_row(wide, 1, 10, DBL_MAX),
		number_row(wide, 2, 11, DBL_MAX),
	};
	rows[5].value = (struct value){.text = slice_of("a text does not count")};
	add(store, rows, COUNT(rows));
	store_sqlite.close(store);

	store = open_reader();
	assert_string_equal(buckets(store, "a/b/c/value", STORE_RAW, (struct store_span){-2, 1000}, 1, 99),
	                    "-1 -5 -5 -5 1\n0 1 1 1 1\n");
	static const char *const by_hour =
		"-7200000000 6 6 6 1\n-3600000000 -5 -5 -5 1\n0 1 4.25 10 4\n3600000000 8 8 8 1\n";
	for (enum store_source source = STORE_RAW; source <= STORE_HOUR; source++) {
		assert_string_equal(buckets(store, "a/b/c/value", source, FOR_EVER, STORE_HOUR_US, 99), by_hour);
		assert_string_equal(buckets(store, "a/b/c/value", source, FOR_EVER, STORE_HOUR_US, 1), "-7200000000 6 6 6 1\n");
		assert_string_equal(
			buckets(store, "a/b/c/value", source, (struct store_span){0, STORE_HOUR_US}, STORE_HOUR_US, 99),
			"0 1 4.25 10 4\n");
		assert_string_equal(buckets(store, "a/b/c/value", source, FOR_EVER, 24 * STORE_HOUR_US, 99),
		                    "-86400000000 -5 0.5 6 2\n0 1 5 10 5\n");
		assert_string_equal(buckets(store, "a/b/wide/value", source, FOR_EVER, 24 * STORE_HOUR_US, 99),
		                    "0 1.79769e+308 1.79769e+308 1.79769e+308 3\n");
	}
	static const char *const by_two_minutes = "-3720000000 6 6 6 1\n-120000000 -5 -5 -5 1\n0 1 2.33333 4 3\n"
											  "120000000 10 10 10 1\n3600000000 8 8 8 1\n";
	assert_string_equal(buckets(store, "a/b/c/value", STORE_RAW, FOR_EVER, 2 * minute, 99), by_two_minutes);
	assert_string_equal(buckets(store, "a/b/c/value", STORE_MINUTE, FOR_EVER, 2 * minute, 99), by_two_minutes);
	assert_string_equal(buckets(store, "a/b/c/value", STORE_MINUTE, FOR_EVER, 2 * minute, 2),
	                    "-3720000000 6 6 6 1\n-120000000 -5 -5 -5 1\n");
	store_sqlite.close(store);
}

struct comparison {
	sqlite3_stmt *wanted;
	int count;
};

static bool compare_bucket(void *context, const struct store_bucket *bucket)
{
	struct comparison *comparison = context;
	sqlite3_stmt *wanted = comparison->wanted;
	assert_int_equal(sqlite3_step(wanted), SQLITE_ROW);
	assert_int_equal(bucket->time_us, sqlite3_column_int64(wanted, 0));
	assert_true(bucket->min == sqlite3_column_double(wanted, 1));
	assert_true(fabs(bucket->avg - sqlite3_column_double(wanted, 2)) < 1e-9);
	assert_true(bucket->max == sqlite3_column_double(wanted, 3));
	assert_int_equal(bucket->count, sqlite3_column_int64(wanted, 4));
	comparison->count++;
	return true;
}

static void buckets_are_what_sql_makes_of_the_readings(void **state)
{
	(void)state;
	enum { ROWS = 20000 };
	static const int64_t steps_us[] = {STORE_HOUR_US, 5 * STORE_HOUR_US, 24 * STORE_HOUR_US};
	static struct store_row rows[ROWS];
	struct store *store = open_store();
	struct topic name = topic("a/b/c/value");
	int64_t id = series(store, "a/b/c/value");
	uint64_t random = 1;
	for (int i = 0; i < ROWS; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		rows[i] = number_row(id, (int64_t)(random >> 26) - (INT64_C(1) << 37), i, (double)(random >> 40) / 1000);
		rows[i].value.is_number = i % 9 != 0;
	}
	for (int i = 0; i < ROWS; i += 100)
		add(store, rows + i, 100);
	store_sqlite.close(store);

	store = open_reader();
	for (size_t i = 0; i < COUNT(steps_us); i++)
		for (enum store_source source = STORE_RAW; source <= STORE_HOUR; source++) {
			struct comparison comparison = {.count = 0};
			assert_int_equal(sqlite3_prepare_v2(store->database,
			                                    "SELECT ts - (ts % ?1 + ?1) % ?1, min(value), avg(value), max(value),"
			                                    " count(*) FROM reading WHERE value IS NOT NULL GROUP BY 1 ORDER BY 1",
			                                    -1, &comparison.wanted, NULL),
			                 SQLITE_OK);
			sqlite3_bind_int64(comparison.wanted, 1, steps_us[i]);
			assert_int_equal(
				store_sqlite.buckets(store, &name, source, FOR_EVER, steps_us[i], compare_bucket, &comparison),
				STORE_OK);
			assert_int_equal(sqlite3_step(comparison.wanted), SQLITE_DONE);
			assert_true(comparison.count >= 4);
			sqlite3_finalize(comparison.wanted);
		}
	store_sqlite.close(store);
}

/* ---- how rows are found ---- */

/* What the query planner says about a statement, one line a step. */
static const char *plan(sqlite3 *database, const char *sql)
{
	static char text[2048];
	char explain[1024];
	size_t len = 0;
	sqlite3_stmt *statement;
	snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
	text[0] = '\0';
	if (sqlite3_prepare_v2(database, explain, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", explain, sqlite3_errmsg(database));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", (const char *)sqlite3_column_text(statement, 3));
		assert_true(len < sizeof text);
	}
	sqlite3_finalize(statement);
	return text;
}

/* The table of series may be gone through where SQLite has counted few. */
static void expect_keys(sqlite3 *database)
{
	static const char *const by_key[LITE_STATEMENT_COUNT] = {
		[LITE_ADD_READING_BESIDE] = "SEARCH reading USING PRIMARY KEY (series_id=? AND ts=?)",
		[LITE_DROP_READINGS] = "SEARCH reading USING PRIMARY KEY (series_id=? AND ts<?)",
		[LITE_DROP_MINUTES] = "SEARCH reading_minute USING PRIMARY KEY (series_id=? AND ts<?)",
		[LITE_LATEST] = "SEARCH reading USING PRIMARY KEY (series_id=?)",
		[LITE_LATEST_OF_ALL] = "SEARCH r USING PRIMARY KEY (series_id=? AND ts=? AND seq=?)",
		[LITE_READINGS] = "SEARCH reading USING PRIMARY KEY (series_id=? AND ts>? AND ts<?)",
		[LITE_BUCKETS_RAW] = "SEARCH reading USING PRIMARY KEY (series_id=? AND ts>? AND ts<?)",
		[LITE_BUCKETS_MINUTE] = "SEARCH reading_minute USING PRIMARY KEY (series_id=? AND ts>? AND ts<?)",
		[LITE_BUCKETS_HOUR] = "SEARCH reading_hour USING PRIMARY KEY (series_id=? AND ts>? AND ts<?)",
	};
	for (int i = 0; i < LITE_STATEMENT_COUNT; i++) {
		const char *steps = plan(database, lite_sql[i]);
		if (strstr(steps, "SCAN reading") || strstr(steps, "SCAN r\n") || strstr(steps, "SCAN r ") ||
		    (by_key[i] && !strstr(steps, by_key[i])) ||
		    (i >= LITE_WRITE_END && i != LITE_LIST && strstr(steps, "TEMP B-TREE")))
			fail_msg("%s:\n%s", lite_sql[i], steps);
	}
	assert_non_null(
		strstr(plan(database, lite_sql[LITE_LATEST_OF_ALL]), "SEARCH reading USING PRIMARY KEY (series_id=?)"));
}

static void every_statement_finds_its_rows_by_a_key(void **state)
{
	(void)state;
	static const char *const fillings[] = {
		"SELECT 1",
		"INSERT INTO series VALUES (1, 'a', 'b', 'c', 'value'); INSERT INTO reading VALUES (1, 2, 3, 4, NULL)",
		"WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
		" INSERT INTO series SELECT i, 'a', 'b' || i, 'c', 'value' FROM n;"
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
		" INSERT INTO reading SELECT i % 50, i / 50, i, i, NULL FROM n;"
		"INSERT OR IGNORE INTO reading_minute SELECT series_id, ts, 1, 1, 1, 1 FROM reading;"
		"INSERT OR IGNORE INTO reading_hour SELECT series_id, ts, 1, 1, 1, 1 FROM reading",
	};
	store_sqlite.close(open_store());
	for (size_t i = 0; i < COUNT(fillings); i++) {
		ask(path, fillings[i]);
		for (int counted = 0; counted < 2; counted++) { /* also once somebody has let SQLite count what is there */
			struct store *store = open_reader();
			expect_keys(store->database);
			store_sqlite.close(store);
			ask(path, "ANALYZE");
		}
	}
}

/* ---- beside a writer ---- */

static void a_connection_for_reading_changes_nothing(void **state)
{
	(void)state;
	static const char *const changes[] = {"INSERT INTO series VALUES (77, 'a', 'b', 'c', 'value')",
	                                      "DROP TABLE reading", "DELETE FROM reading", "PRAGMA user_version = 5",
	                                      "PRAGMA query_only = OFF; DELETE FROM reading"};
	struct store *store = open_store();
	assert_int_equal(put(store, series(store, "a/b/c/value"), 0, 8), STORE_OK);
	struct store *reader = open_reader();
	assert_int_equal(sqlite3_db_readonly(reader->database, "main"), 1);
	for (size_t i = 0; i < COUNT(changes); i++)
		assert_int_equal(sqlite3_exec(reader->database, changes[i], NULL, NULL, NULL) & 0xff, SQLITE_READONLY);
	store_sqlite.close(reader);
	assert_int_equal(put(store, 1, 8, 16), STORE_OK);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT count(*) FROM reading; PRAGMA integrity_check"), "2\nok\n");
}

static void expect_no_reader(const char *location, enum store_result wanted, const char *words)
{
	struct store *store;
	char error[512] = "";
	const struct store_place place = {.location = location, .node = "house"};
	enum store_result result = store_sqlite.open_to_read(&place, &store, error, sizeof error);
	if (result != wanted || store || !strstr(error, words))
		fail_msg("%s: %d, %s", location, (int)result, error);
}

static void what_cannot_be_read_is_named(void **state)
{
	(void)state;
	char name[160];
	expect_no_reader("history.db", STORE_NEVER, "absolute");
	expect_no_reader(path, STORE_AWAY, "there is no history yet");
	assert_int_not_equal(access(path, F_OK), 0);
	expect_no_reader(folder, STORE_AWAY, folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	expect_no_reader(path, STORE_AWAY, "no history in it yet");
	assert_true(fputs("This was never a database, and it is long enough to be sure of that. It has no header at all.",
	                  file) >= 0);
	assert_int_equal(fclose(file), 0);
	expect_no_reader(path, STORE_AWAY, "not a database");

	snprintf(name, sizeof name, "%s/older.db", folder);
	ask(name, "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT, applied TEXT);"
	          "INSERT INTO schema_version VALUES (1, '001_initial', '')");
	expect_no_reader(name, STORE_AWAY, "made by an older Hearth (schema version 1, this one reads 2)");
	ask(name, "INSERT INTO schema_version VALUES (99, '099_future', '')");
	expect_no_reader(name, STORE_NEVER, "made by a newer Hearth (schema version 99, this one knows 2)");
}

static void a_file_that_was_replaced_is_not_read_on(void **state)
{
	(void)state;
	struct store *store = open_store();
	assert_int_equal(put(store, series(store, "a/b/c/value"), 0, 8), STORE_OK);
	struct store *reader = open_reader();
	struct answer answer = {.limit = 9};
	struct topic name = topic("a/b/c/value");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_sqlite.list(reader, take_series, &answer), STORE_AWAY);
	assert_non_null(strstr(store_sqlite.error(reader), "deleted or replaced"));
	assert_int_equal(store_sqlite.latest(reader, NULL, take_reading, &answer), STORE_AWAY);
	assert_int_equal(store_sqlite.readings(reader, &name, FOR_EVER, 9, take_reading, &answer), STORE_AWAY);
	assert_int_equal(store_sqlite.buckets(reader, &name, STORE_RAW, FOR_EVER, 1, take_bucket, &answer), STORE_AWAY);
	assert_string_equal(answer.text, "");
	store_sqlite.close(store);

	/* The file in its place keeps its WAL when the reader of the old one goes. */
	store = open_store();
	assert_int_equal(put(store, series(store, "a/b/d/value"), 0, 8), STORE_OK);
	store_sqlite.close(reader);
	char wal[128];
	snprintf(wal, sizeof wal, "%s-wal", path);
	assert_int_equal(access(wal, F_OK), 0);
	assert_int_equal(put(store, 1, 8, 16), STORE_OK);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT count(*) FROM reading; PRAGMA integrity_check"), "2\nok\n");
}

/* Writes one more batch while a statement is being read from. */
static bool write_meanwhile(void *context, struct slice name, const struct store_row *row)
{
	static int64_t position = 8;
	(void)name, (void)row, (void)row;
	assert_int_equal(put(context, 1, position, position + 8), STORE_OK);
	position += 8;
	return true;
}

static void an_answer_is_of_one_moment(void **state)
{
	(void)state;
	struct store *store = open_store();
	assert_int_equal(put(store, series(store, "a/b/c/value"), 0, 4), STORE_OK);
	assert_int_equal(put(store, 1, 4, 8), STORE_OK);
	struct store *reader = open_reader();
	struct topic name = topic("a/b/c/value");
	assert_int_equal(store_sqlite.readings(reader, &name, FOR_EVER, 99, write_meanwhile, store), STORE_OK);
	assert_string_equal(readings(reader, "a/b/c/value", FOR_EVER, 99, 99),
	                    "a/b/c/value 0 1 \na/b/c/value 0 1 \na/b/c/value 0 1 \na/b/c/value 0 1 \n");
	store_sqlite.close(reader);
	store_sqlite.close(store);
}

enum { BATCHES = 300, PER_BATCH = 50 };
static atomic_bool written;

/* Each batch has the same numbers for both series. */
static void *write_batches(void *context)
{
	struct store *store = context;
	struct store_position at = {JOURNAL, 1};
	for (int batch = 0; batch < BATCHES; batch++) {
		struct store_row rows[2 * PER_BATCH];
		size_t rejected;
		for (int i = 0; i < PER_BATCH; i++) {
			int n = batch * PER_BATCH + i;
			rows[i] = number_row(1, NOON + n * INT64_C(100000), n, n);
			rows[PER_BATCH + i] = number_row(2, NOON + n * INT64_C(100000), n, n);
		}
		const struct store_batch both = {rows, COUNT(rows), at, {JOURNAL, at.position + 1}, NULL};
		if (store_sqlite.write(store, &both, &rejected) != STORE_OK)
			break;
		at = both.to;
	}
	atomic_store(&written, true);
	return NULL;
}

/* The latest readings of the two series. */
struct pair {
	int count;
	double number[2];
	int64_t time_us[2];
};

static bool take_pair(void *context, struct slice name, const struct store_row *row)
{
	const int64_t time_us = row->time_us;
	const struct value *value = &row->value;
	struct pair *pair = context;
	(void)name;
	pair->number[pair->count] = value->number;
	pair->time_us[pair->count++] = time_us;
	return pair->count < 2;
}

static bool take_count(void *context, const struct store_bucket *bucket)
{
	*(int64_t *)context += bucket->count;
	return true;
}

static void a_reader_sees_whole_batches(void **state)
{
	(void)state;
	pthread_t thread;
	struct store *store = open_store();
	struct topic name = topic("a/b/c/value");
	int rounds = 0;
	assert_int_equal(series(store, "a/b/c/value"), 1);
	assert_int_equal(series(store, "a/b/d/value"), 2);
	assert_int_equal(move(store, (struct store_position){0, 0}, (struct store_position){JOURNAL, 1}), STORE_OK);
	atomic_store(&written, false);
	assert_int_equal(pthread_create(&thread, NULL, write_batches, store), 0);
	for (bool last = false; !last; rounds++) {
		last = atomic_load(&written);
		struct store *reader = open_reader();
		for (int i = 0; i < 10; i++) {
			struct pair pair = {.count = 0};
			assert_int_equal(store_sqlite.latest(reader, NULL, take_pair, &pair), STORE_OK);
			assert_true(pair.count == 0 || pair.count == 2);
			assert_true(pair.number[0] == pair.number[1] && pair.time_us[0] == pair.time_us[1]);
			for (enum store_source source = STORE_RAW; source <= STORE_HOUR; source++) {
				int64_t count = 0;
				assert_int_equal(
					store_sqlite.buckets(reader, &name, source, FOR_EVER, STORE_HOUR_US, take_count, &count), STORE_OK);
				assert_true(count % PER_BATCH == 0);
				assert_true(!last || count == BATCHES * PER_BATCH);
			}
		}
		store_sqlite.close(reader);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	store_sqlite.close(store);
	assert_true(rounds >= 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_store_answers_nothing),
		TEST(series_come_in_the_order_of_their_bytes),
		TEST(the_latest_reading_is_the_newest),
		TEST(readings_come_by_span_and_limit),
		TEST(buckets_hold_what_lies_in_them),
		TEST(buckets_are_what_sql_makes_of_the_readings),
		TEST(every_statement_finds_its_rows_by_a_key),
		TEST(a_connection_for_reading_changes_nothing),
		TEST(what_cannot_be_read_is_named),
		TEST(a_file_that_was_replaced_is_not_read_on),
		TEST(an_answer_is_of_one_moment),
		TEST(a_reader_sees_whole_batches),
	};
	return cmocka_run_group_tests_name("store_sqlite_read", tests, NULL, NULL);
}
