/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb: the contract of store.h's writing half, against a real server: what is stored is what was given, once, and
 * the position moves with it. What only MariaDB has is in store_mariadb_reject_test.c, _rival_test.c, _rights_test.c.
 */
#include "mariadb_fixture.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONG_TEXT    VALUE_TEXT_MAX

static enum store_result write_rows(struct store *store, const struct store_row *rows, size_t count,
                                    struct store_position from, struct store_position to)
{
	const struct store_batch batch = {rows, count, from, to, NULL};
	size_t rejected = 99;
	enum store_result result = store_mariadb.write(store, &batch, &rejected);

	assert_int_equal(rejected, 0);
	return result;
}

static enum store_result move(struct store *store, struct store_position from, struct store_position to)
{
	return write_rows(store, NULL, 0, from, to);
}

/* Stores one row, moving from position `from` to `to` (0: the first write). */
static enum store_result put(struct store *store, int64_t id, uint64_t from, uint64_t to)
{
	const struct store_row row = number_row(id, NOON, (int64_t)to, 1);

	return write_rows(store, &row, 1, (struct store_position){from > 0 ? JOURNAL : 0, from},
	                  (struct store_position){JOURNAL, to});
}

/* Stores all rows in the first write of the journal. */
static void put_first(struct store *store, const struct store_row *rows, size_t count)
{
	const struct store_position begin = maria_position(store, JOURNAL);

	assert_int_equal(begin.journal, 0);
	if (write_rows(store, rows, count, begin, (struct store_position){JOURNAL, 900}) != STORE_OK)
		fail_msg("%s", store_mariadb.error(store));
}

/* ---- what is stored ---- */

static void the_view_says_when_where_and_what(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t warm = maria_series(store, "거실/uno1/temperature/value");
	const int64_t door = maria_series(store, "hall/d'1/door/state");
	const struct store_row rows[] = {
		{door, NOON + 7, 3, {.number = 1, .is_number = true, .text = slice_of("open")}},
		text_row(door, NOON + 8, 4, "'; DROP TABLE reading; -- 잠김"),
		{door, NOON + 9, 5, {.text = {NULL, 0}}},
		text_row(door, NOON + 10, 11, "🔥\\n\"\x01"),
		number_row(warm, NOON + 123456, 2, 23.5),
		number_row(warm, -1, 1, -40),
		number_row(warm, -1000000, 6, 0),
		number_row(warm, INT64_C(253402300799999999), 7, 1e300),
		number_row(warm, INT64_C(-62135596800000000), 8, 1e-300),
		number_row(warm, NOON, 9, NAN),
		number_row(warm, NOON, 10, INFINITY),
		number_row(warm, NOON, 12, -INFINITY),
	};

	put_first(store, rows, COUNT(rows));
	assert_string_equal(maria_ask("SELECT time, location, device, sensor, subject, value, text FROM readings"
	                              " ORDER BY time, location, value, text"),
	                    "0001-01-01T00:00:00.000000Z|거실|uno1|temperature|value|1e-300|\n"
	                    "1969-12-31T23:59:59.000000Z|거실|uno1|temperature|value|0|\n"
	                    "1969-12-31T23:59:59.999999Z|거실|uno1|temperature|value|-40|\n"
	                    "2026-11-22T12:00:00.000000Z|거실|uno1|temperature|value||\n"
	                    "2026-11-22T12:00:00.000000Z|거실|uno1|temperature|value||\n"
	                    "2026-11-22T12:00:00.000000Z|거실|uno1|temperature|value||\n"
	                    "2026-11-22T12:00:00.000007Z|hall|d'1|door|state|1|open\n"
	                    "2026-11-22T12:00:00.000008Z|hall|d'1|door|state||'; DROP TABLE reading; -- 잠김\n"
	                    "2026-11-22T12:00:00.000009Z|hall|d'1|door|state||\n"
	                    "2026-11-22T12:00:00.000010Z|hall|d'1|door|state||🔥\\n\"\x01\n"
	                    "2026-11-22T12:00:00.123456Z|거실|uno1|temperature|value|23.5|\n"
	                    "9999-12-31T23:59:59.999999Z|거실|uno1|temperature|value|1e300|\n");
	assert_string_equal(maria_ask("SELECT count(*) FROM readings WHERE time >= '2026-11-22T12:00:00.000008'"
	                              " AND time < '2026-11-23'"),
	                    "4\n");
	assert_string_equal(maria_ask("SELECT txt IS NULL, LENGTH(txt) FROM reading WHERE seq IN (2, 5) ORDER BY seq"),
	                    "1|\n0|0\n");
}

static void a_number_comes_back_bit_by_bit(void **state)
{
	(void)state;
	static const double numbers[] = {
		0.1, 1.0 / 3, DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, -2.5e-310, 9007199254740993.0, 123456789.123456789};
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/value");
	struct store_row rows[COUNT(numbers)];
	const char *text;

	for (size_t i = 0; i < COUNT(numbers); i++)
		rows[i] = number_row(id, NOON + (int64_t)i, (int64_t)i, numbers[i]);
	put_first(store, rows, COUNT(rows));
	text = maria_ask("SELECT value FROM reading ORDER BY seq");
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char *end;
		const double number = strtod(text, &end);

		if (number != numbers[i])
			fail_msg("%a came back as %a", numbers[i], number);
		text = end;
	}
}

static void the_longest_texts_fill_more_than_a_packet(void **state)
{
	(void)state;
	enum { ROWS = 5000 };                                 /* 20 MB */
	maria_ask("SET GLOBAL max_allowed_packet = 1048576"); /* as an old configuration has it; usual is 16 MB */
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/state");
	struct store_row *rows = calloc(ROWS, sizeof(*rows));
	char *text = malloc(LONG_TEXT + 1);

	assert_non_null(rows);
	assert_non_null(text);
	for (size_t i = 0; i < LONG_TEXT; i++)
		text[i] = (char)('a' + i % 26);
	text[LONG_TEXT] = '\0';
	for (int i = 0; i < ROWS; i++)
		rows[i] = text_row(id, NOON + i, i, text);
	put_first(store, rows, ROWS);
	free(rows);
	free(text);
	assert_string_equal(maria_ask("SELECT count(*), min(LENGTH(txt)), max(LENGTH(txt)), count(DISTINCT MD5(txt)),"
	                              " RIGHT(max(txt), 3) FROM reading"),
	                    "5000|4096|4096|1|lmn\n");
}

static void a_series_keeps_its_id(void **state)
{
	(void)state;
	static const char *const names[] = {"a/b/c/value",  "a/b/c/state",         "ab/b/c/value", "a/bb/c/value",
	                                    "a/b/cc/value", "A/b/c/value",         "a/b/c /value", " a/b/c/value",
	                                    "é/b/c/value",  "e\xCC\x81/b/c/value", "ss/b/c/value", "ß/b/c/value"};
	const struct store_position none = {0, 0}, first = {JOURNAL, 100}, wrong = {JOURNAL, 50};
	int64_t ids[COUNT(names)];
	struct store *store = maria_open("house");

	for (size_t i = 0; i < COUNT(names); i++) {
		ids[i] = maria_series(store, names[i]);
		for (size_t j = 0; j < i; j++)
			if (ids[i] == ids[j])
				fail_msg("'%s' is taken for '%s'", names[i], names[j]);
		assert_int_equal(maria_series(store, names[i]), ids[i]);
	}
	/* New ones are kept with the rows that they are for. */
	struct store_row row = number_row(ids[0], NOON, 10, 1);
	assert_int_equal(write_rows(store, &row, 1, none, first), STORE_OK);
	maria_shut(store);
	store = maria_open("house");
	for (size_t i = COUNT(names); i-- > 0;)
		assert_int_equal(maria_series(store, names[i]), ids[i]);

	/* And go with rows that are not stored. */
	row = number_row(maria_series(store, "x/y/z/value"), NOON, 20, 1);
	assert_true(maria_position(store, JOURNAL).position == 100);
	assert_int_equal(write_rows(store, &row, 1, wrong, first), STORE_MOVED);
	assert_int_equal(maria_ask_number("SELECT count(*) FROM series"), COUNT(names));
	row.series = maria_series(store, "x/y/z/value");
	assert_int_equal(write_rows(store, &row, 1, first, wrong), STORE_OK);
	assert_string_equal(maria_ask("SELECT location, topic FROM series JOIN reading ON id = series_id WHERE seq = 20"),
	                    "x|x/y/z/value\n");
}

static void the_longest_topic_is_one(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	char name[TOPIC_MAX + 1];
	const int len = TOPIC_MAX - (int)strlen("/b/c/value");
	int64_t id;

	snprintf(name, sizeof(name), "%0*d/b/c/value", len, 1);
	id = maria_series(store, name);
	assert_int_equal(maria_series(store, name), id);
	name[len - 1] = '2';
	assert_int_not_equal(maria_series(store, name), id);
}

static void two_readings_of_one_instant_are_both_kept(void **state)
{
	(void)state;
	const struct store_position none = {0, 0}, first = {JOURNAL, 100}, other = {77, 100}, last = {77, 200};
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/value");
	struct store_row rows[] = {number_row(id, NOON, 10, 1), number_row(id, NOON, 20, 2), number_row(id, NOON, 21, 5)};

	assert_int_equal(write_rows(store, rows, 2, none, first), STORE_OK);
	/* A journal that replaced the first one can have other readings at the same positions. */
	rows[0].value.number = 3;
	rows[1].value.number = 4;
	assert_true(maria_position(store, 77).position == 100);
	assert_int_equal(write_rows(store, rows, 1, first, other), STORE_OK);
	assert_int_equal(write_rows(store, rows + 1, 2, other, last), STORE_OK);
	assert_string_equal(maria_ask("SELECT value FROM reading ORDER BY value; SELECT count(DISTINCT seq) FROM reading;"
	                              " SELECT min, max, count FROM reading_hour"),
	                    "1\n2\n3\n4\n5\n5\n1|5|5\n");
	assert_int_equal(maria_ask_number("SELECT count(*) FROM reading_reject"), 0);
}

/* A journal that begins anew, with all of its rows where another one's are. */
static void a_whole_batch_beside_another_journals_is_kept(void **state)
{
	(void)state;
	enum { ROWS = 300 };
	const struct store_position none = {0, 0}, first = {JOURNAL, 100}, other = {77, 100};
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/value");
	struct store_row rows[ROWS];

	for (int i = 0; i < ROWS; i++)
		rows[i] = number_row(id, NOON + i / 100, i, 1);
	assert_int_equal(write_rows(store, rows, ROWS, none, first), STORE_OK);
	for (int i = 0; i < ROWS; i++)
		rows[i].value.number = 2;
	assert_int_equal(write_rows(store, rows, ROWS, first, other), STORE_OK);
	assert_string_equal(maria_ask("SELECT value, count(*) FROM reading GROUP BY value; SELECT sum(count) FROM"
	                              " reading_minute"),
	                    "1|300\n2|300\n600\n");
}

static void a_large_unsorted_batch_is_stored_whole(void **state)
{
	(void)state;
	enum { SERIES = 250, ROWS = 100000 };
	struct store *store = maria_open("house");
	struct store_row *rows = calloc(ROWS, sizeof(*rows));
	int64_t ids[SERIES];

	assert_non_null(rows);
	for (int i = 0; i < SERIES; i++) {
		char name[64];
		snprintf(name, sizeof(name), "room%d/node/temperature/value", i);
		ids[i] = maria_series(store, name);
	}
	for (int i = 0; i < ROWS; i++) /* 7919 is prime: all series in turn, times up and down */
		rows[i] = number_row(ids[i * 7919LL % SERIES], NOON + i * 7919LL % 1000, i, i);
	put_first(store, rows, ROWS);
	assert_string_equal(maria_ask("SELECT count(*), count(DISTINCT seq), count(DISTINCT series_id), sum(value = seq),"
	                              " sum((seq * 7919 % 1000) = ts - 1795348800000000) FROM reading;"
	                              " SELECT count(*), sum(count), min(min), max(max) FROM reading_minute;"
	                              " SELECT count(*) FROM reading r JOIN series s ON s.id = series_id"
	                              " WHERE location <> CONCAT('room', seq * 7919 % 250)"),
	                    "100000|100000|250|100000|100000\n250|100000|0|99999\n0\n");
	assert_int_equal(rows[1].seq, 1); /* the caller's array is as it was */
	free(rows);
}

/* ---- positions ---- */

static void the_position_moves_by_compare_and_set(void **state)
{
	(void)state;
	static const struct {
		struct store_position from, to;
		enum store_result wanted;
	} steps[] = {
		{{JOURNAL, 0}, {JOURNAL, 50}, STORE_MOVED}, /* nothing there yet */
		{{0, 0}, {JOURNAL, 100}, STORE_OK},
		{{0, 0}, {JOURNAL, 150}, STORE_MOVED}, /* there is one already */
		{{JOURNAL, 99}, {JOURNAL, 200}, STORE_MOVED},
		{{JOURNAL + 1, 100}, {JOURNAL, 200}, STORE_MOVED},
		{{JOURNAL, 100}, {JOURNAL, 200}, STORE_OK},
		{{JOURNAL, 100}, {JOURNAL, 200}, STORE_MOVED}, /* the same once more */
		{{JOURNAL, 200}, {5, 8}, STORE_OK},            /* the journal was replaced */
		{{JOURNAL, 200}, {JOURNAL, 300}, STORE_MOVED},
		{{5, 8}, {5, UINT64_C(1) << 62}, STORE_OK},
	};
	struct store_position wanted = {0, 0}, at;
	struct store *store = maria_open("house");
	int stored = 0;

	for (size_t i = 0; i < COUNT(steps); i++) {
		const struct store_row row = number_row(maria_series(store, "a/b/c/value"), NOON, (int64_t)i, 1);
		const enum store_result result = write_rows(store, &row, 1, steps[i].from, steps[i].to);

		if (result != steps[i].wanted)
			fail_msg("step %zu gave %d: %s", i, (int)result, store_mariadb.error(store));
		if (result == STORE_OK) {
			wanted = steps[i].to;
			stored++;
		}
		at = maria_position(store, JOURNAL);
		assert_true(at.journal == wanted.journal && at.position == wanted.position);
		assert_int_equal(maria_ask_number("SELECT count(*) FROM reading"), stored);
		assert_int_equal(maria_ask_number("SELECT COALESCE(sum(count), 0) FROM reading_hour"), stored);
	}
	maria_shut(store);
	at = maria_position(maria_open("house"), JOURNAL);
	assert_true(at.journal == wanted.journal && at.position == wanted.position);
}

static void brokers_do_not_see_each_others_position(void **state)
{
	(void)state;
	struct store *house = maria_open("house"), *barn = maria_open("barn");
	const struct store_position none = {0, 0}, one = {11, 111}, two = {22, 222};
	struct store_position at;

	assert_int_equal(move(house, none, one), STORE_OK);
	at = maria_position(barn, 22);
	assert_true(at.journal == 0 && at.position == 0);
	assert_int_equal(move(barn, none, two), STORE_OK);
	at = maria_position(house, 11);
	assert_true(at.journal == 11 && at.position == 111);
	/* Nor do names that differ in case or blanks. */
	at = maria_position(maria_open("House"), 33);
	assert_int_equal(at.journal, 0);
	at = maria_position(maria_open("house "), 33);
	assert_int_equal(at.journal, 0);
}

static void a_renamed_brokers_journal_goes_on(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	int64_t id = maria_series(store, "a/b/c/value");
	struct store_position at;

	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	maria_shut(store);

	store = maria_open("헛간");
	at = maria_position(store, JOURNAL);
	assert_true(at.journal == JOURNAL && at.position == 8);
	id = maria_series(store, "a/b/c/value");
	assert_int_equal(put(store, id, 0, 16), STORE_MOVED);
	maria_position(store, JOURNAL);
	assert_int_equal(put(store, id, 8, 16), STORE_OK);
	assert_int_equal(put(store, id, 16, 24), STORE_OK);
	assert_string_equal(maria_ask("SELECT node, pos FROM ingest_position; SELECT seq FROM reading"),
	                    "헛간|24\n8\n16\n24\n");
}

/* Two that swapped their names: neither journal's position goes. */
static void a_name_that_another_journal_has_is_not_taken(void **state)
{
	(void)state;
	struct store *house = maria_open("house"), *barn = maria_open("barn");
	const struct store_position none = {0, 0}, one = {11, 111}, next = {11, 112}, two = {22, 222};
	struct store_position at;

	assert_int_equal(move(house, none, one), STORE_OK);
	assert_int_equal(move(barn, none, two), STORE_OK);
	maria_position(barn, 11);
	assert_int_equal(move(barn, one, next), STORE_OK);
	at = maria_position(barn, 11);
	assert_true(at.journal == 11 && at.position == 112);
	at = maria_position(house, 22);
	assert_true(at.journal == 22 && at.position == 222);
}

/* As a node's name in place of the journal's id left it: the journal twice, once for each name. */
static void of_two_positions_of_a_journal_the_farther_counts(void **state)
{
	(void)state;
	struct store *store = maria_open("barn");
	const struct store_position from = {11, 200}, to = {11, 300};
	struct store_position at;

	maria_ask("INSERT INTO ingest_position VALUES ('house', 11, 200), ('barn', 11, 100);"
	          " INSERT INTO witness_position SELECT * FROM ingest_position");
	at = maria_position(store, 11);
	assert_true(at.journal == 11 && at.position == 200);
	assert_int_equal(move(store, from, to), STORE_OK);
	at = maria_position(store, 11);
	assert_true(at.journal == 11 && at.position == 300);
}

/* ---- a backup ---- */

static void after_a_backup_the_rest_is_stored_again(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/value");
	const struct store_position second = {JOURNAL, 200}, third = {JOURNAL, 300};

	assert_int_equal(put(store, id, 0, 100), STORE_OK);
	assert_true(mariadb_server_backup(maria_server, DATABASE, "backup"));
	assert_int_equal(put(store, id, 100, 200), STORE_OK);
	if (!mariadb_server_restore(maria_server, DATABASE, "backup"))
		fail_msg("%s", mariadb_server_error(maria_server));
	assert_int_not_equal(move(store, second, third), STORE_OK);
	maria_shut(store);
	store = maria_open("house");
	assert_true(maria_position(store, JOURNAL).position == 100);
	assert_int_equal(put(store, maria_series(store, "a/b/c/value"), 100, 200), STORE_OK);
	assert_string_equal(maria_ask("SELECT seq FROM reading; SELECT count FROM reading_minute; SELECT count FROM"
	                              " reading_hour"),
	                    "100\n200\n2\n2\n");
}

/* The tables come back one after the other; what was stored in between would be lost, or there twice. */
static void nothing_is_stored_while_a_backup_is_put_back(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	const int64_t id = maria_series(store, "a/b/c/value");
	struct store_position at;

	assert_int_equal(put(store, id, 0, 100), STORE_OK);
	assert_int_equal(put(store, id, 100, 200), STORE_OK);
	maria_ask("UPDATE ingest_position SET pos = 100");
	assert_int_equal(put(store, id, 200, 300), STORE_MOVED);
	assert_int_equal(store_mariadb.position(store, JOURNAL, &at), STORE_AWAY);
	assert_non_null(strstr(store_mariadb.error(store), "backup"));
	assert_int_not_equal(put(store, id, 100, 300), STORE_OK);
	maria_ask("DELETE FROM reading WHERE seq = 200; UPDATE witness_position SET pos = 100");
	maria_shut(store);
	store = maria_open("house");
	assert_true(maria_position(store, JOURNAL).position == 100);
	assert_int_equal(put(store, maria_series(store, "a/b/c/value"), 100, 200), STORE_OK);
	assert_string_equal(maria_ask("SELECT seq FROM reading"), "100\n200\n");
}

/* ---- the schema ---- */

/* A cluster may take back what COMMIT said OK to: a new series goes with it, and has to be made again. */
static void a_series_that_was_taken_back_is_made_again(void **state)
{
	(void)state;
	struct store *store = maria_open("house");

	assert_int_equal(put(store, maria_series(store, "a/b/c/value"), 0, 100), STORE_OK);
	assert_int_equal(put(store, maria_series(store, "d/e/f/value"), 100, 200), STORE_OK);
	maria_ask("UPDATE ingest_position SET pos = 100; UPDATE witness_position SET pos = 100;"
	          "DELETE FROM series WHERE location = 'd'; DELETE FROM reading WHERE seq = 200");
	assert_true(maria_position(store, JOURNAL).position == 100);
	assert_int_equal(put(store, maria_series(store, "d/e/f/value"), 100, 200), STORE_OK);
	assert_string_equal(maria_ask("SELECT location FROM readings ORDER BY location"), "a\nd\n");
}

static void the_schema_is_applied_once(void **state)
{
	(void)state;
	struct store *store = maria_open("house");

	assert_int_equal(put(store, maria_series(store, "a/b/c/value"), 0, 8), STORE_OK);
	maria_shut(store);
	maria_open("house");
	assert_string_equal(
		maria_ask("SELECT version, name FROM schema_version WHERE version > 0; SELECT seq FROM reading"),
		"1|001_initial\n8\n");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, maria_make_database, maria_close_stores)
	const struct CMUnitTest tests[] = {
		TEST(the_view_says_when_where_and_what),
		TEST(a_number_comes_back_bit_by_bit),
		TEST(the_longest_texts_fill_more_than_a_packet),
		TEST(a_series_keeps_its_id),
		TEST(the_longest_topic_is_one),
		TEST(two_readings_of_one_instant_are_both_kept),
		TEST(a_whole_batch_beside_another_journals_is_kept),
		TEST(a_large_unsorted_batch_is_stored_whole),
		TEST(the_position_moves_by_compare_and_set),
		TEST(brokers_do_not_see_each_others_position),
		TEST(a_renamed_brokers_journal_goes_on),
		TEST(a_name_that_another_journal_has_is_not_taken),
		TEST(of_two_positions_of_a_journal_the_farther_counts),
		TEST(after_a_backup_the_rest_is_stored_again),
		TEST(nothing_is_stored_while_a_backup_is_put_back),
		TEST(a_series_that_was_taken_back_is_made_again),
		TEST(the_schema_is_applied_once),
	};

	return cmocka_run_group_tests_name("store_mariadb", tests, maria_group_start, maria_group_end);
}
