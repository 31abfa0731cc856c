/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_move: the history goes from SQLite to a real MariaDB while readings come in, and every one of them is in the new
 * store exactly once after a restart with it; or, where the move fails or is stopped, in the old one.
 *
 * A reading's value is its number, of which each series has its own, so that one that was lost or doubled shows in the sums.
 * The SQLite file is looked into only while the storage is closed (see storage_test.c).
 */
#include "mariadb_fixture.h"
#include "patience.h"
#include "record.h"
#include "storage.h"

#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SERIES       5
#define MANY         60000 /* takes a moment to move */
#define PATIENCE_MS  60000 /* only a failing test waits so long */

static char folder[64];
static char maria_url[200];
static struct options options;
static struct storage *storage;     /* that is open */
static uint64_t defined_in[SERIES]; /* segment that has the series' name */
static int put_count[SERIES];

/* ---- fixture ---- */

static const char *in_folder(const char *name)
{
	static char paths[4][160];
	static size_t next;
	char *path = paths[next++ % COUNT(paths)];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

/* NULL for `store`: the default. */
static void open_storage(const char *store)
{
	char error[OPTIONS_ERROR_MAX] = "";
	const struct option_line lines[] = {
		{"node", "house"},     {"sync_ms", "10"},     {"journal_max", "8M"},
		{"state_dir", folder}, {"gauges_every", "0"}, {"store", store},
	};
	options_free(&options);
	if (!options_read(lines, COUNT(lines) - (store ? 0 : 1), &options, error))
		fail_msg("%s", error);
	memset(defined_in, 0, sizeof defined_in);
	storage = storage_open(&options, error, sizeof error);
	if (!storage)
		fail_msg("%s", error);
}

static void close_storage(int drain_ms)
{
	storage_close(storage, drain_ms);
	storage = NULL;
}

static int start(void **state)
{
	/* No power is lost here. */
	return maria_group_start(state) == 0 &&
	               mariadb_server_run(maria_server, NULL, "SET GLOBAL innodb_flush_log_at_trx_commit = 2")
	           ? 0
	           : -1;
}

static int set_up(void **state)
{
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(maria_url, sizeof maria_url, "mariadb://%s@%s/%s", mariadb_server_owner(maria_server),
	         mariadb_server_socket(maria_server), DATABASE);
	memset(put_count, 0, sizeof put_count);
	return maria_make_database(state);
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static int tear_down(void **state)
{
	(void)state;
	if (!mariadb_server_runs(maria_server) && !mariadb_server_start(maria_server))
		return -1;
	mariadb_server_thaw(maria_server);
	close_storage(0);
	options_free(&options);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- readings ---- */

/* The next one of a series, as the broker's thread appends it. False: the journal is full, or its next segment not ready. */
static bool put_one(uint32_t number)
{
	struct journal *journal = storage_journal(storage);
	char name[64];
	uint8_t series[80], reading[RECORD_READING_HEAD];
	snprintf(name, sizeof name, "거실/uno%u/temperature/value", number);
	const struct value value = value_of_number(put_count[number] + 1);
	size_t series_len = record_put_series(series, number, slice_of(name));
	size_t reading_len = record_put_reading(reading, number, NOON + put_count[number] * INT64_C(1000), false, &value);
	uint64_t segment =
		journal_reserve(journal, journal_record_size(series_len) + journal_record_size(reading_len), JOURNAL_READING);

	if (segment == 0)
		return false;
	if (segment != defined_in[number])
		assert_int_not_equal(journal_append(journal, RECORD_SERIES, series, series_len), 0);
	defined_in[number] = segment;
	assert_int_not_equal(journal_append(journal, RECORD_READING, reading, reading_len), 0);
	put_count[number]++;
	return true;
}

static void put(int count)
{
	const int64_t deadline = deadline_in(PATIENCE_MS);
	for (int i = 0; i < count;) {
		if (put_one((uint32_t)(i % SERIES))) {
			i++;
			continue;
		}
		assert_true(now_ms() < deadline);
		look_again();
	}
}

static void wait_for_empty_queue(void)
{
	for (const int64_t deadline = deadline_in(PATIENCE_MS); storage_queue(storage) > 0; look_again())
		assert_true(now_ms() < deadline);
}

/* "COUNT|DISTINCT|SUM" of each series that was put. */
static const char *wanted_sums(void)
{
	static char sums[SERIES * 40];
	size_t len = 0;
	for (int i = 0; i < SERIES; i++) {
		const long long n = put_count[i];
		len += (size_t)snprintf(sums + len, sizeof sums - len, "%lld|%lld|%lld\n", n, n, n * (n + 1) / 2);
	}
	return sums;
}

static void assert_all_in_maria(void)
{
	assert_string_equal(maria_ask("SELECT COUNT(*), COUNT(DISTINCT value), CAST(SUM(value) AS SIGNED) FROM reading JOIN"
	                              " series ON id = series_id GROUP BY topic ORDER BY topic"),
	                    wanted_sums());
	assert_int_equal(
		maria_ask_number("SELECT (SELECT SUM(count) FROM reading_minute) - (SELECT COUNT(*) FROM reading)"), 0);
	assert_int_equal(maria_ask_number("SELECT (SELECT SUM(count) FROM reading_hour) - (SELECT COUNT(*) FROM reading)"),
	                 0);
}

static void assert_all_in_lite(void)
{
	sqlite3 *database;
	sqlite3_stmt *row;
	char found[SERIES * 40] = "";
	size_t len = 0;

	assert_null(storage);
	assert_int_equal(sqlite3_open(in_folder("history.db"), &database), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(database,
	                                    "SELECT count(*) || '|' || count(DISTINCT value) || '|' || CAST(sum(value) AS"
	                                    " INTEGER) FROM reading JOIN series ON id = series_id GROUP BY device ORDER BY"
	                                    " device",
	                                    -1, &row, NULL),
	                 SQLITE_OK);
	while (sqlite3_step(row) == SQLITE_ROW)
		len += (size_t)snprintf(found + len, sizeof found - len, "%s\n", (const char *)sqlite3_column_text(row, 0));
	sqlite3_finalize(row);
	sqlite3_close(database);
	assert_string_equal(found, wanted_sums());
}

/* ---- the move ---- */

static void begin_move(const char *to)
{
	char error[512] = "";
	if (!storage_move_start(storage, to, NULL, NULL, error, sizeof error))
		fail_msg("%s", error);
}

static struct storage_move_state await_move(enum storage_move_phase phase)
{
	const int64_t deadline = deadline_in(PATIENCE_MS);
	struct storage_move_state state;
	while ((state = storage_move_state(storage)).phase == MOVE_RUNNING) {
		assert_true(now_ms() < deadline);
		look_again();
	}
	if (state.phase != phase)
		fail_msg("phase %d: %s", (int)state.phase, state.error);
	return state;
}

static void await_notice(const char *words)
{
	struct notice notice;
	for (const int64_t deadline = deadline_in(PATIENCE_MS); !storage_notice(storage, &notice); look_again())
		if (now_ms() > deadline)
			fail_msg("no notice: %s", words);
	if (!strstr(notice.text, words))
		fail_msg("%s", notice.text);
	assert_false(storage_notice(storage, &notice));
}

static void assert_history_answers(void)
{
	const struct history_question question = {.kind = HISTORY_SERIES, .ticket = 7};
	struct history_answer answer;
	assert_true(history_ask(storage_history(storage), &question));
	for (const int64_t deadline = deadline_in(PATIENCE_MS); !history_next(storage_history(storage), &answer);) {
		assert_true(now_ms() < deadline);
		look_again();
	}
	if (!answer.json)
		fail_msg("%s", answer.error);
	assert_non_null(strstr(answer.json, "거실/uno0/temperature/value"));
	free(answer.json);
}

static void every_reading_is_in_the_new_store_once(void **state)
{
	(void)state;
	open_storage(NULL);
	put(MANY);
	wait_for_empty_queue();
	assert_int_equal(storage_move_state(storage).phase, MOVE_NONE);
	begin_move(maria_url);
	int meanwhile = 0;
	for (; storage_move_state(storage).phase == MOVE_RUNNING; meanwhile += 10) {
		put(10);
		if (meanwhile == 0)
			assert_history_answers();
		look_again();
	}
	struct storage_move_state end = await_move(MOVE_FINISHED);
	print_message("%llu rows moved, %d readings came meanwhile\n", (unsigned long long)end.rows, meanwhile);
	assert_true(meanwhile > 0);
	assert_true(end.rows >= MANY);
	assert_int_equal(end.series_done, SERIES);
	assert_int_equal(end.series_all, SERIES);
	await_notice(maria_url);

	/* More than would stay in the journal if it were trimmed. */
	put(MANY);
	assert_history_answers();
	assert_true(storage_queue(storage) > 0);
	char error[512];
	assert_false(storage_move_start(storage, maria_url, NULL, NULL, error, sizeof error));
	assert_non_null(strstr(error, "restart the broker"));
	close_storage(PATIENCE_MS); /* nothing is drained into the old store */

	open_storage(maria_url);
	put(100);
	wait_for_empty_queue();
	close_storage(PATIENCE_MS);
	assert_all_in_maria();
}

static void a_move_that_is_stopped_leaves_the_old_store_in_use(void **state)
{
	char error[512];

	(void)state;
	open_storage(NULL);
	storage_move_stop(storage); /* which is nothing */
	put(1000);
	wait_for_empty_queue();
	assert_true(mariadb_server_freeze(maria_server));
	begin_move(maria_url);
	assert_false(storage_move_start(storage, maria_url, NULL, NULL, error, sizeof error));
	assert_non_null(strstr(error, "being moved already"));
	storage_move_stop(storage);
	assert_true(mariadb_server_thaw(maria_server));
	put(1000);
	struct storage_move_state end = await_move(MOVE_ERROR);
	assert_string_equal(end.error, "stopped");
	await_notice("stays where it was: stopped.");
	wait_for_empty_queue();
	put(1000);
	wait_for_empty_queue();
	close_storage(0);
	assert_all_in_lite();
}

static void a_server_that_is_away_fails_and_the_old_store_goes_on(void **state)
{
	(void)state;
	open_storage(NULL);
	put(1000);
	assert_true(mariadb_server_kill(maria_server));
	begin_move(maria_url);
	struct storage_move_state end = await_move(MOVE_ERROR);
	assert_non_null(strstr(end.error, mariadb_server_socket(maria_server)));
	await_notice("The history is not moved and stays where it was: mariadb://");
	put(1000);
	wait_for_empty_queue();

	/* Another time it works. */
	assert_true(mariadb_server_start(maria_server));
	begin_move(maria_url);
	await_move(MOVE_FINISHED);
	put(1000);
	close_storage(0);
	open_storage(maria_url);
	wait_for_empty_queue();
	close_storage(0);
	assert_all_in_maria();
}

static void a_server_that_is_restarted_does_not_end_it(void **state)
{
	(void)state;
	open_storage(NULL);
	put(2 * MANY);
	wait_for_empty_queue();
	begin_move(maria_url);
	for (const int64_t deadline = deadline_in(PATIENCE_MS); storage_move_state(storage).rows == 0; look_again())
		assert_true(now_ms() < deadline);
	assert_true(mariadb_server_kill(maria_server));
	const bool in_time = storage_move_state(storage).phase == MOVE_RUNNING;
	print_message("killed after %llu rows%s\n", (unsigned long long)storage_move_state(storage).rows,
	              in_time ? "" : ", which was too late");
	put(1000);
	assert_true(mariadb_server_start(maria_server));
	await_move(MOVE_FINISHED);
	close_storage(0);
	open_storage(maria_url);
	wait_for_empty_queue();
	close_storage(0);
	assert_all_in_maria();
}

/* The broker's stop does not wait for all of it, and the next run has lost nothing. */
static void a_stop_in_the_middle_loses_nothing(void **state)
{
	(void)state;
	open_storage(NULL);
	put(2 * MANY);
	wait_for_empty_queue();
	begin_move(maria_url);
	for (const int64_t deadline = deadline_in(PATIENCE_MS); storage_move_state(storage).rows == 0; look_again())
		assert_true(now_ms() < deadline);
	put(100);
	close_storage(PATIENCE_MS);
	assert_true(maria_ask_number("SELECT COUNT(*) FROM reading") < 2 * MANY);
	open_storage(NULL);
	put(100);
	wait_for_empty_queue();
	close_storage(0);
	assert_all_in_lite();
}

static void what_can_never_work_is_refused(void **state)
{
	static const struct {
		const char *to, *password_file, *error;
	} rows[] = {
		{"", NULL, "wanted sqlite:PATH"},
		{"postgres://a@b/c", NULL, "no such kind of store"},
		{"sqlite:history.db", NULL, "wanted sqlite:PATH"},
		{"mariadb://a@b", NULL, "wanted"},
		{"mariadb://hearth:secret@localhost/hearth", NULL, "plugin_opt_store"},
		{"//hearth:secret@localhost/hearth", NULL, "plugin_opt_store"},
		{"mariadb://hearth@localhost/hearth", "secret", "plugin_opt_store_password_file"},
	};
	char error[512], same[200];

	(void)state;
	open_storage(NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		error[0] = '\0';
		assert_false(storage_move_start(storage, rows[i].to, rows[i].password_file, NULL, error, sizeof error));
		if (!strstr(error, rows[i].error) || strstr(error, "secret"))
			fail_msg("%s: %s", rows[i].to, error);
		assert_int_equal(storage_move_state(storage).phase, MOVE_NONE);
	}
	put(10);
	wait_for_empty_queue();
	snprintf(same, sizeof same, "sqlite:%s/../%s/history.db", folder, strrchr(folder, '/') + 1);
	begin_move(same);
	assert_non_null(strstr(await_move(MOVE_ERROR).error, "is the store in use"));
	put(10);
	wait_for_empty_queue();
	close_storage(0);
	assert_all_in_lite();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_reading_is_in_the_new_store_once),
		TEST(a_move_that_is_stopped_leaves_the_old_store_in_use),
		TEST(a_server_that_is_away_fails_and_the_old_store_goes_on),
		TEST(a_server_that_is_restarted_does_not_end_it),
		TEST(a_stop_in_the_middle_loses_nothing),
		TEST(what_can_never_work_is_refused),
	};

	return cmocka_run_group_tests_name("storage_move", tests, start, maria_group_end);
}
