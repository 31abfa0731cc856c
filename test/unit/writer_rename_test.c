/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_rename: a device's new name goes the way of its readings: from feed into the journal, and through the writer into
 * the store, once and in its place, whatever fails in between. And the writer's pause, which leaves the store to others.
 *
 * The store is SQLite behind functions of which one fails on demand.
 */
#include "feed.h"
#include "journal_fixture.h"
#include "patience.h"
#include "record.h"
#include "writer.h"

#include <sqlite3.h>
#include <stdatomic.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOON         INT64_C(1795348800000000) /* 2026-11-22T12:00:00Z */
#define PATIENCE_MS  30000                     /* only a failing test waits so long */

static struct fixture fixture;
static struct feed feed;
static char path[160];
static struct mailbox *notices;
static struct writer *writer;
static int appended;

/* ---- the store that fails on demand ---- */

enum fault { FAULT_NONE, FAULT_BEFORE_COMMIT, FAULT_AFTER_COMMIT, FAULT_MOVED, FAULT_LIE };

static atomic_int fault;
static atomic_int strikes_left;

static bool strikes(enum fault which)
{
	return atomic_load(&fault) == (int)which && atomic_fetch_sub(&strikes_left, 1) > 0;
}

static enum store_result faulty_rename(struct store *store, const struct store_rename *rename, size_t *renamed,
                                       size_t *kept)
{
	*renamed = *kept = 0;
	if (strikes(FAULT_BEFORE_COMMIT))
		return STORE_AWAY;
	if (strikes(FAULT_MOVED))
		return STORE_MOVED;
	if (strikes(FAULT_LIE))
		return STORE_OK;
	enum store_result result = store_sqlite.rename(store, rename, renamed, kept);
	return strikes(FAULT_AFTER_COMMIT) ? STORE_AWAY : result;
}

static struct store_ops store_faulty;

/* ---- fixture ---- */

static void start(void)
{
	const struct writer_options options = {
		.journal = fixture.journal,
		.ops = &store_faulty,
		.place = {.location = path, .node = "house"},
		.notices = notices,
	};
	writer = writer_start(&options);
	assert_non_null(writer);
}

static void stop(int drain_ms)
{
	writer_stop(writer, drain_ms);
	writer = NULL;
}

static int set_up(void **state)
{
	(void)state;
	fixture_make(&fixture);
	fixture_open(&fixture, 4096 * KIB, SMALL);
	snprintf(path, sizeof path, "%s/history.db", fixture.directory);
	feed = (struct feed){.journal = fixture.journal};
	notices = mailbox_new(sizeof(struct notice), 16);
	store_faulty = store_sqlite;
	store_faulty.rename = faulty_rename;
	atomic_store(&fault, FAULT_NONE);
	appended = 0;
	return notices ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	stop(0);
	mailbox_free(notices);
	fixture_remove(&fixture);
	return 0;
}

/* The next reading; its value is its number. */
static void append_reading(uint32_t number, const char *name)
{
	uint8_t series[128], reading[RECORD_READING_HEAD];
	const struct value value = value_of_number(appended);
	size_t series_len = record_put_series(series, number, slice_of(name));
	size_t reading_len = record_put_reading(reading, number, NOON + appended, false, &value);
	size_t size = journal_record_size(series_len) + journal_record_size(reading_len);

	fixture_sync(&fixture);
	assert_int_not_equal(journal_reserve(fixture.journal, size, JOURNAL_READING), 0);
	assert_int_not_equal(journal_append(fixture.journal, RECORD_SERIES, series, series_len), 0);
	assert_int_not_equal(journal_append(fixture.journal, RECORD_READING, reading, reading_len), 0);
	appended++;
}

static void append_renamed(const char *from, const char *to)
{
	uint64_t end = 0;
	assert_true(
		feed_renamed(&feed, slice_of(from), slice_of(to), (struct instant){.wall_us = NOON, .mono_ms = 0}, &end));
	assert_true(end == journal_head(fixture.journal));
}

static void wait_until_all_is_stored(void)
{
	for (const int64_t deadline = deadline_in(PATIENCE_MS); writer_position(writer) != journal_head(fixture.journal);) {
		assert_true(now_ms() < deadline);
		look_again();
	}
}

static const char *ask(const char *sql)
{
	static char result[1024];
	size_t len = 0;
	sqlite3 *database;
	sqlite3_stmt *row;

	result[0] = '\0';
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	sqlite3_busy_timeout(database, 5000);
	assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &row, NULL), SQLITE_OK);
	while (sqlite3_step(row) == SQLITE_ROW)
		len += (size_t)snprintf(result + len, sizeof result - len, "%s\n", (const char *)sqlite3_column_text(row, 0));
	assert_int_equal(sqlite3_finalize(row), SQLITE_OK);
	sqlite3_close(database);
	return result;
}

/* Each series with the numbers of its readings. */
#define STORED                                                                                                         \
	"SELECT location || '/' || device || '/' || sensor || '/' || subject || ' ' || group_concat(CAST(value AS"         \
	" INTEGER), ' ') FROM (SELECT * FROM reading ORDER BY ts) JOIN series ON id = series_id GROUP BY id ORDER BY id"

static void expect_notice(const char *words)
{
	struct notice notice;
	for (const int64_t deadline = deadline_in(PATIENCE_MS); !mailbox_get(notices, &notice); look_again())
		if (now_ms() > deadline)
			fail_msg("no notice: %s", words);
	if (!strstr(notice.text, words))
		fail_msg("%s", notice.text);
}

static void expect_no_notice(void)
{
	struct notice notice;
	if (mailbox_get(notices, &notice))
		fail_msg("%s", notice.text);
}

/* ---- tests ---- */

static void append_a_house(void)
{
	append_reading(0, "a/b/led/value");
	append_reading(1, "a/b/led/state");
	append_reading(2, "a/x/led/value");
	append_renamed("a/b", "거실/uno");
	append_reading(2, "a/x/led/value");
	append_reading(3, "거실/uno/led/value");
	append_renamed("거실/uno", "a/c");
	append_renamed("a/x", "a/b"); /* which is free */
	append_reading(4, "a/b/led/value");
	append_reading(5, "a/c/led/state");
	append_reading(1, "a/b/led/state"); /* the old number once more, as if somebody used the old name */
}

#define A_HOUSE "a/c/led/value 0 4\na/c/led/state 1 6\na/b/led/value 2 3 5\na/b/led/state 7\n"

static void readings_before_and_behind_it_are_one_series(void **state)
{
	(void)state;
	append_a_house();
	start();
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 8);
	stop(0);
	assert_string_equal(ask(STORED), A_HOUSE);
	expect_no_notice();
}

static void one_by_one_as_well(void **state)
{
	(void)state;
	start();
	append_reading(0, "a/b/led/value");
	wait_until_all_is_stored();
	append_renamed("a/b", "a/c");
	wait_until_all_is_stored();
	append_reading(1, "a/c/led/value");
	wait_until_all_is_stored();
	append_renamed("a/c", "a/d");
	stop(PATIENCE_MS); /* drains it */
	assert_string_equal(ask(STORED), "a/d/led/value 0 1\n");
}

static void whatever_fails_it_is_done_once(void **state)
{
	for (int which = FAULT_BEFORE_COMMIT; which <= FAULT_LIE; which++)
		for (int times = 1; times <= 3; times++) {
			atomic_store(&strikes_left, times);
			atomic_store(&fault, which);
			append_a_house();
			start();
			wait_until_all_is_stored();
			stop(0);
			assert_true(atomic_load(&strikes_left) <= 0);
			assert_string_equal(ask(STORED), A_HOUSE);
			assert_int_equal(tear_down(state), 0);
			assert_int_equal(set_up(state), 0);
		}
}

/* The journal is read from its begin into a history that is new, names and all. */
static void a_new_history_comes_to_the_same(void **state)
{
	(void)state;
	append_a_house();
	for (int i = 0; i < 2; i++) {
		start();
		wait_until_all_is_stored();
		stop(0);
		assert_string_equal(ask(STORED), A_HOUSE);
		assert_int_equal(unlink(path), 0);
	}
}

static void what_is_kept_is_told_once(void **state)
{
	(void)state;
	start();
	append_reading(0, "a/b/led/value");
	append_reading(1, "a/b/led/state");
	append_reading(2, "a/c/led/value");
	append_renamed("a/b", "a/c");
	append_reading(2, "a/c/led/value");
	wait_until_all_is_stored();
	stop(0);
	assert_string_equal(ask(STORED), "a/b/led/value 0\na/c/led/state 1\na/c/led/value 2 3\n");
	expect_notice("keeps 1 of 2 series of a/b under that name, in place of a/c: ");
	expect_no_notice();
}

static void append_bytes(const void *record, size_t len)
{
	assert_int_not_equal(journal_reserve(fixture.journal, journal_record_size(len), JOURNAL_CONTROL), 0);
	assert_int_not_equal(journal_append(fixture.journal, RECORD_RENAMED, record, len), 0);
}

static void what_is_no_renaming_is_passed_over(void **state)
{
	static const char *const names[][2] = {{"a", "a/c"},      {"a/b", "a/c/d"}, {"a/b", "a/b"}, {"a/b", "/"},
	                                       {"a/b", "a/\xFF"}, {"a/+", "a/c"},   {"", ""},       {"a/b", "$a/c"}};
	uint8_t record[64] = {0};
	uint64_t end;

	(void)state;
	append_reading(0, "a/b/led/value");
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_false(feed_renamed(&feed, slice_of(names[i][0]), slice_of(names[i][1]), (struct instant){0}, &end));
		append_bytes(record, record_put_renamed(record, NOON, slice_of(names[i][0]), slice_of(names[i][1])));
	}
	size_t len = record_put_renamed(record, NOON, slice_of("a/b"), slice_of("a/c"));
	for (size_t cut = 1; cut < len; cut++)
		append_bytes(record, len - cut);
	append_reading(0, "a/b/led/value");
	start();
	wait_until_all_is_stored();
	stop(0);
	assert_string_equal(ask(STORED), "a/b/led/value 0 1\n");
}

static void a_record_is_laid_out_as_it_says(void **state)
{
	static const uint8_t wanted[] = {0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 3,   0,   0,  0,
	                                 4,    0,    0,    0,    'a',  '/',  'b',  'c',  '/', 'd', 'e'};
	uint8_t record[64];
	int64_t time_us;
	struct slice from, to;

	(void)state;
	assert_int_equal(record_put_renamed(record, -2, slice_of("a/b"), slice_of("c/de")), sizeof wanted);
	assert_memory_equal(record, wanted, sizeof wanted);
	assert_true(record_get_renamed(record, sizeof wanted, &time_us, &from, &to));
	assert_int_equal(time_us, -2);
	assert_true(slice_is(from, "a/b") && slice_is(to, "c/de"));
	memset(record + 8, 0xFF, 8);
	assert_false(record_get_renamed(record, sizeof wanted, &time_us, &from, &to));
}

/* ---- pause ---- */

static void a_paused_writer_leaves_the_store_alone(void **state)
{
	char wal[200];

	(void)state;
	snprintf(wal, sizeof wal, "%s-wal", path);
	start();
	append_reading(0, "a/b/led/value");
	wait_until_all_is_stored();
	for (int i = 0; i < 3; i++) {
		writer_pause(writer);
		const uint64_t position = writer_position(writer);
		append_reading(0, "a/b/led/value");
		assert_int_not_equal(access(wal, F_OK), 0); /* SQLite removes it when the last one closes the file */
		assert_true(writer_position(writer) == position);
		writer_resume(writer);
		wait_until_all_is_stored();
	}
	stop(0);
	assert_string_equal(ask(STORED), "a/b/led/value 0 1 2 3\n");
	expect_no_notice();
}

static void a_paused_writer_that_is_stopped_stores_nothing(void **state)
{
	(void)state;
	start();
	append_reading(0, "a/b/led/value");
	wait_until_all_is_stored();
	writer_pause(writer);
	append_reading(0, "a/b/led/value");
	const int64_t begin = now_ms();
	stop(PATIENCE_MS);
	assert_true(now_ms() - begin < PATIENCE_MS / 2);
	assert_string_equal(ask(STORED), "a/b/led/value 0\n");
	start();
	wait_until_all_is_stored();
	stop(0);
	assert_string_equal(ask(STORED), "a/b/led/value 0 1\n");
}

/* Also one whose store is away. */
static void a_writer_in_an_outage_can_be_paused(void **state)
{
	char folder[200];

	(void)state;
	snprintf(folder, sizeof folder, "%s/none", fixture.directory);
	snprintf(path, sizeof path, "%s/none/history.db", fixture.directory);
	append_reading(0, "a/b/led/value");
	start();
	expect_notice("cannot be used");
	writer_pause(writer);
	assert_int_equal(mkdir(folder, 0700), 0);
	writer_resume(writer);
	wait_until_all_is_stored();
	expect_notice("works again");
	stop(0);
	assert_string_equal(ask(STORED), "a/b/led/value 0\n");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(readings_before_and_behind_it_are_one_series),
		TEST(one_by_one_as_well),
		TEST(whatever_fails_it_is_done_once),
		TEST(a_new_history_comes_to_the_same),
		TEST(what_is_kept_is_told_once),
		TEST(what_is_no_renaming_is_passed_over),
		TEST(a_record_is_laid_out_as_it_says),
		TEST(a_paused_writer_leaves_the_store_alone),
		TEST(a_paused_writer_that_is_stopped_stores_nothing),
		TEST(a_writer_in_an_outage_can_be_paused),
	};

	return cmocka_run_group_tests_name("writer_rename", tests, NULL, NULL);
}
