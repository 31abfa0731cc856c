/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state: what is in the file after a commit, a roll-back, a refusal and a reopening.
 */
#include "state.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define JOURNAL      UINT64_C(0xFEDCBA9876543210) /* an id with its highest bit set */

static char folder[64];
static char path[96];

static int make_folder(void **unused)
{
	(void)unused;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/state.db", folder);
	return 0;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static int remove_folder(void **unused)
{
	(void)unused;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct state *open_state(void)
{
	char error[256] = "";
	struct state *state = state_open(path, error, sizeof error);
	if (!state)
		fail_msg("%s", error);
	return state;
}

static bool put(struct state *state, const char *topic, const char *payload, int64_t time_us)
{
	return state_put_retained(state, slice_of(topic), slice_of(payload), time_us);
}

static void add_line(void *context, struct slice topic, struct slice payload, int64_t time_us)
{
	char *text = context;
	size_t len = strlen(text);
	snprintf(text + len, 1024 - len, "%.*s=%.*s@%lld\n", (int)topic.len, topic.ptr, (int)payload.len,
	         payload.len > 0 ? payload.ptr : "", (long long)time_us);
}

/* All retained documents, one a line. */
static const char *contents(struct state *state)
{
	static char text[1024];
	text[0] = '\0';
	assert_true(state_each_retained(state, add_line, text));
	return text;
}

static uint64_t position(struct state *state, uint64_t journal)
{
	uint64_t at = 99;
	assert_true(state_position(state, journal, &at));
	return at;
}

static void a_new_file_is_empty_and_private(void **unused)
{
	(void)unused;
	struct stat status;
	mode_t before = umask(0);
	struct state *state = open_state();
	umask(before);
	assert_string_equal(contents(state), "");
	assert_int_equal(position(state, JOURNAL), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	state_close(state);
	state_close(NULL);
}

static void what_was_committed_survives_reopening(void **unused)
{
	(void)unused;
	struct state *state = open_state();
	assert_true(state_begin(state));
	assert_true(put(state, "거실/uno1/temperature/config", "{\"max\":85}", 1000));
	assert_true(put(state, "all/hearth/auto/state", "1", 2000));
	assert_true(put(state, "all/hearth/auto/state", "0", -3000));
	assert_true(put(state, "hall/d1/door/config", "", 4000)); /* removed: a tombstone */
	assert_true(state_commit(state, JOURNAL, 4711));
	state_close(state);

	state = open_state();
	assert_string_equal(contents(state), "all/hearth/auto/state=0@-3000\n"
	                                     "hall/d1/door/config=@4000\n"
	                                     "거실/uno1/temperature/config={\"max\":85}@1000\n");
	assert_int_equal(position(state, JOURNAL), 4711);
	assert_true(state_begin(state));
	assert_true(put(state, "hall/d1/door/config", "{}", 5000));
	assert_true(put(state, "all/hearth/auto/state", "", 6000));
	assert_true(state_commit(state, JOURNAL, 5000));
	state_close(state);

	state = open_state();
	assert_string_equal(contents(state), "all/hearth/auto/state=@6000\n"
	                                     "hall/d1/door/config={}@5000\n"
	                                     "거실/uno1/temperature/config={\"max\":85}@1000\n");
	state_close(state);
}

static void a_payload_may_hold_any_bytes(void **unused)
{
	(void)unused;
	static const char bytes[] = {'a', 0, '\'', (char)0xff, 0};
	struct state *state = open_state();
	sqlite3 *other;
	sqlite3_stmt *statement;
	assert_true(state_begin(state));
	assert_true(state_put_retained(state, slice_of("a/b/c/config"), (struct slice){bytes, sizeof bytes}, 1));
	assert_true(state_put_retained(state, slice_of("a/b/d/config"), (struct slice){NULL, 0}, 1));
	assert_true(state_commit(state, JOURNAL, 8));
	state_close(state);

	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(other, "SELECT payload FROM retained ORDER BY topic", -1, &statement, NULL), 0);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_bytes(statement, 0), sizeof bytes);
	assert_memory_equal(sqlite3_column_blob(statement, 0), bytes, sizeof bytes);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_type(statement, 0), SQLITE_BLOB);
	assert_int_equal(sqlite3_column_bytes(statement, 0), 0);
	sqlite3_finalize(statement);
	sqlite3_close(other);
}

static void a_rollback_takes_all_back(void **unused)
{
	(void)unused;
	struct state *state = open_state();
	state_rollback(state); /* nothing to take back */
	assert_true(state_begin(state));
	assert_true(put(state, "a/b/c/config", "{}", 1));
	state_rollback(state);
	assert_string_equal(contents(state), "");
	/* A change belongs into a transaction. */
	assert_false(put(state, "a/b/c/config", "{}", 1));
	assert_false(state_commit(state, JOURNAL, 8));
	assert_non_null(strstr(state_error(state), "transaction"));
	assert_string_equal(contents(state), "");
	assert_int_equal(position(state, JOURNAL), 0);
	/* One that was left open when the process died is gone. */
	assert_true(state_begin(state));
	assert_true(put(state, "a/b/c/config", "{}", 1));
	state_close(state);
	state = open_state();
	assert_string_equal(contents(state), "");
	state_close(state);
}

static void a_refused_change_takes_all_back(void **unused)
{
	(void)unused;
	struct state *state = open_state();
	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
	                              "CREATE TRIGGER no BEFORE INSERT ON retained WHEN new.topic = 'bad'"
	                              " BEGIN SELECT RAISE(ABORT, 'refused'); END",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	sqlite3_close(other);
	assert_true(state_begin(state));
	assert_true(put(state, "a/b/c/config", "{}", 1));
	assert_false(put(state, "bad", "{}", 1));
	assert_non_null(strstr(state_error(state), "refused"));
	assert_false(put(state, "a/b/d/config", "{}", 1));
	assert_false(state_commit(state, JOURNAL, 8));
	assert_string_equal(contents(state), "");
	state_close(state);
}

static void only_the_current_journal_is_remembered(void **unused)
{
	(void)unused;
	struct state *state = open_state();
	assert_true(state_begin(state));
	assert_true(state_commit(state, 5, 50));
	assert_true(state_begin(state));
	assert_true(state_commit(state, 5, 60));
	assert_int_equal(position(state, 5), 60);
	assert_true(state_begin(state));
	assert_true(state_commit(state, JOURNAL, 70));
	assert_int_equal(position(state, 5), 0);
	assert_int_equal(position(state, JOURNAL), 70);
	state_close(state);
}

static void a_locked_file_refuses_until_it_is_released(void **unused)
{
	(void)unused;
	struct state *state = open_state();
	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_false(state_begin(state));
	assert_non_null(strstr(state_error(state), "locked"));
	assert_non_null(strstr(state_error(state), path));
	assert_false(put(state, "a/b/c/config", "{}", 1));
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_true(state_begin(state));
	assert_true(put(state, "a/b/c/config", "{}", 1));
	assert_true(state_commit(state, JOURNAL, 8));
	sqlite3_close(other);
	state_close(state);
}

static void a_full_disk_leaves_the_file_as_it_was(void **unused)
{
	(void)unused;
	static char large[200000];
	struct rlimit before, small;
	struct state *state = open_state();
	assert_true(state_begin(state));
	assert_true(put(state, "a/b/c/config", "old", 1));
	assert_true(state_commit(state, JOURNAL, 8));

	memset(large, 'x', sizeof large - 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100 * 1024;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(state_begin(state));
	bool stored = put(state, "a/b/d/config", "new", 2) && put(state, "a/b/c/config", large, 2) &&
	              state_commit(state, JOURNAL, 16);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(stored);
	assert_string_equal(contents(state), "a/b/c/config=old@1\n");
	assert_int_equal(position(state, JOURNAL), 8);

	assert_true(state_begin(state));
	assert_true(put(state, "a/b/c/config", large, 3));
	assert_true(state_commit(state, JOURNAL, 16));
	assert_int_equal(position(state, JOURNAL), 16);
	state_close(state);
}

static void a_file_that_cannot_be_opened_is_named(void **unused)
{
	(void)unused;
	static const struct {
		const char *name; /* in the test's folder */
		const char *words;
	} places[] = {
		{"", "directory"},           {"/missing/state.db", "No such file"},
		{"/text", "not a database"}, {"/text/state.db", "Not a directory"},
		{"/newer", "newer Hearth"},
	};
	char name[160], error[256];
	sqlite3 *newer;

	snprintf(name, sizeof name, "%s/text", folder);
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	for (int i = 0; i < 100; i++)
		fputs("no database ", file);
	fclose(file);
	snprintf(name, sizeof name, "%s/newer", folder);
	assert_int_equal(sqlite3_open(name, &newer), SQLITE_OK);
	assert_int_equal(sqlite3_exec(newer,
	                              "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT, applied TEXT);"
	                              "INSERT INTO schema_version VALUES (9999, '', '')",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	sqlite3_close(newer);

	for (size_t i = 0; i < COUNT(places); i++) {
		snprintf(name, sizeof name, "%s%s", folder, places[i].name);
		if (state_open(name, error, sizeof error) || !strstr(error, places[i].words) || !strstr(error, name))
			fail_msg("%s: %s", name, error);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_is_empty_and_private),
		TEST(what_was_committed_survives_reopening),
		TEST(a_payload_may_hold_any_bytes),
		TEST(a_rollback_takes_all_back),
		TEST(a_refused_change_takes_all_back),
		TEST(only_the_current_journal_is_remembered),
		TEST(a_locked_file_refuses_until_it_is_released),
		TEST(a_full_disk_leaves_the_file_as_it_was),
		TEST(a_file_that_cannot_be_opened_is_named),
	};
	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
