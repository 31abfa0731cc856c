/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_rename: SQLite gives a device's series their new names, and the position moves with that or not at all.
 */
#include "store_sqlite_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES "SELECT id || ' ' || location || '/' || device || '/' || sensor || '/' || subject FROM series ORDER BY id"

static const struct store_position start = {JOURNAL, 1};

/* A store with these series, each with a reading of its own id. */
static struct store *store_with(const char *const *names, size_t count)
{
	struct store *store = open_store();
	struct store_row rows[16];

	assert_true(count <= COUNT(rows));
	for (size_t i = 0; i < count; i++) {
		rows[i] = number_row(series(store, names[i]), NOON, (int64_t)i, (double)(i + 1));
		assert_int_equal(rows[i].series, i + 1);
	}
	add(store, rows, count);
	return store;
}

/* The two levels of "location/device". */
static void split(const char *name, struct slice *location, struct slice *device)
{
	const char *slash = strchr(name, '/');

	*location = (struct slice){name, (size_t)(slash - name)};
	*device = slice_of(slash + 1);
}

static size_t renamed, kept;

static enum store_result rename_at(struct store *store, const char *from, const char *to, struct store_position at,
                                   uint64_t end)
{
	struct store_rename rename = {.from = at, .to = {JOURNAL, end}};

	split(from, &rename.from_location, &rename.from_device);
	split(to, &rename.to_location, &rename.to_device);
	renamed = kept = 99;
	return store_sqlite.rename(store, &rename, &renamed, &kept);
}

static void assert_at(struct store *store, uint64_t position)
{
	struct store_position at;

	assert_int_equal(store_sqlite.position(store, JOURNAL, &at), STORE_OK);
	assert_true(at.journal == JOURNAL && at.position == position);
}

static void gives_all_series_of_a_device_their_new_name(void **state)
{
	static const char *const names[] = {
		"a/b/temperature/value", "a/b/led/state",  "a/b/led/value", "a/bb/led/value",
		"a/c/led/value",         "ab/b/led/value", "b/a/led/value",
	};

	(void)state;
	struct store *store = store_with(names, COUNT(names));
	assert_int_equal(rename_at(store, "a/b", "거실/uno 2", start, 50), STORE_OK);
	assert_int_equal(renamed, 3);
	assert_int_equal(kept, 0);
	assert_at(store, 50);
	assert_int_equal(series(store, "거실/uno 2/led/state"), 2);
	store_sqlite.close(store);
	assert_string_equal(ask(path, NAMES), "1 거실/uno 2/temperature/value\n2 거실/uno 2/led/state\n"
	                                      "3 거실/uno 2/led/value\n4 a/bb/led/value\n5 a/c/led/value\n"
	                                      "6 ab/b/led/value\n7 b/a/led/value\n");
	for (int i = 0; i < 3; i++) {
		static const char *const views[] = {"SELECT value FROM readings", "SELECT avg FROM readings_by_minute",
		                                    "SELECT avg FROM readings_by_hour"};
		char sql[160];
		snprintf(sql, sizeof sql, "%s WHERE location = '거실' AND device = 'uno 2' ORDER BY 1", views[i]);
		assert_string_equal(ask(path, sql), "1.0\n2.0\n3.0\n");
	}
}

static void there_and_back_with_readings_in_between(void **state)
{
	static const char *const names[] = {"a/b/led/value"};

	(void)state;
	struct store *store = store_with(names, 1);
	assert_int_equal(rename_at(store, "a/b", "a/c", start, 2), STORE_OK);
	assert_int_equal(put(store, series(store, "a/c/led/value"), 2, 3), STORE_OK);
	assert_int_equal(rename_at(store, "a/c", "a/b", (struct store_position){JOURNAL, 3}, 4), STORE_OK);
	assert_int_equal(put(store, series(store, "a/b/led/value"), 4, 5), STORE_OK);
	store_sqlite.close(store);
	assert_string_equal(ask(path, NAMES), "1 a/b/led/value\n");
	assert_string_equal(ask(path, "SELECT count(*), count(DISTINCT series_id) FROM reading"), "3|1\n");
}

static void keeps_what_has_its_new_name_already(void **state)
{
	static const char *const names[] = {"a/b/led/value", "a/b/led/state", "a/c/led/value"};

	(void)state;
	struct store *store = store_with(names, COUNT(names));
	assert_int_equal(rename_at(store, "a/b", "a/c", start, 2), STORE_OK);
	assert_int_equal(renamed, 1);
	assert_int_equal(kept, 1);
	assert_non_null(strstr(store_sqlite.error(store), "there are series of the new name already"));
	assert_at(store, 2);
	store_sqlite.close(store);
	assert_string_equal(ask(path, NAMES), "1 a/b/led/value\n2 a/c/led/state\n3 a/c/led/value\n");
	assert_string_equal(ask(path, "SELECT series_id, value FROM reading"), "1|1.0\n2|2.0\n3|3.0\n");
}

/* A topic that nobody can publish on is none. */
static void keeps_what_would_be_too_long(void **state)
{
	static const char *const names[] = {"a/b/led/value", "a/b/le/value"};
	char name[TOPIC_MAX];

	(void)state;
	struct store *store = store_with(names, COUNT(names));
	memset(name, 'x', sizeof name);
	name[1] = '/';
	name[TOPIC_MAX - strlen("/le/value")] = '\0';
	assert_int_equal(rename_at(store, "a/b", name, start, 2), STORE_OK);
	assert_int_equal(renamed, 1);
	assert_int_equal(kept, 1);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT max(length(location || device || sensor || subject)) + 3, min(device)"
	                              " FROM series"),
	                    "512|b\n");
}

static void a_device_without_history_moves_the_position(void **state)
{
	(void)state;
	struct store *store = open_store();
	assert_int_equal(rename_at(store, "a/b", "a/c", (struct store_position){0, 0}, 7), STORE_OK);
	assert_int_equal(renamed + kept, 0);
	assert_at(store, 7);
	store_sqlite.close(store);
}

static void nothing_is_done_at_another_position(void **state)
{
	static const char *const names[] = {"a/b/led/value"};
	static const struct store_position wrong[] = {{JOURNAL, 2}, {JOURNAL, 0}, {JOURNAL + 1, 1}, {0, 0}};

	(void)state;
	struct store *store = store_with(names, 1);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(rename_at(store, "a/b", "a/c", wrong[i], 9), STORE_MOVED);
		assert_int_equal(renamed + kept, 0);
		assert_at(store, 1);
	}
	assert_int_equal(rename_at(store, "a/b", "a/c", start, 9), STORE_OK); /* no transaction was left open */
	store_sqlite.close(store);
	assert_string_equal(ask(path, NAMES), "1 a/c/led/value\n");
}

/* Somebody's own rule must not hold up the readings. */
static void a_trigger_that_refuses_keeps_the_names(void **state)
{
	static const char *const names[] = {"a/b/led/value"};

	(void)state;
	store_sqlite.close(store_with(names, 1));
	ask(path, "CREATE TRIGGER x BEFORE UPDATE ON series BEGIN SELECT RAISE(ABORT, 'names are for ever'); END");
	struct store *store = open_store();
	assert_int_equal(rename_at(store, "a/b", "a/c", start, 9), STORE_OK);
	assert_int_equal(renamed, 0);
	assert_int_equal(kept, 1);
	assert_non_null(strstr(store_sqlite.error(store), "names are for ever"));
	assert_at(store, 9);
	store_sqlite.close(store);
	assert_string_equal(ask(path, NAMES), "1 a/b/led/value\n");
}

static void a_locked_file_is_away_and_nothing_was_done(void **state)
{
	static const char *const names[] = {"a/b/led/value"};
	sqlite3 *other;

	(void)state;
	struct store *store = store_with(names, 1);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(rename_at(store, "a/b", "a/c", start, 9), STORE_AWAY);
	assert_int_equal(renamed + kept, 0);
	store_sqlite.close(store);
	sqlite3_close(other);
	store = open_store();
	assert_at(store, 1);
	assert_int_equal(rename_at(store, "a/b", "a/c", start, 9), STORE_OK);
	assert_int_equal(renamed, 1);
	store_sqlite.close(store);
}

/* A process that renames to and fro, each time at the position where the store stands. */
static void rename_for_ever(int ready)
{
	struct store *store = open_store();
	struct store_position at;

	while (store_sqlite.position(store, JOURNAL, &at) == STORE_OK) {
		bool there = at.position % 2 == 0;
		if (rename_at(store, there ? "a/c" : "a/b", there ? "a/b" : "a/c", at, at.position + 1) != STORE_OK)
			break;
		if (ready >= 0 && at.position > 20) {
			close(ready);
			ready = -1;
		}
	}
	_exit(1);
}

/* Wherever it is killed, names and position belong together. */
static void killed_it_is_done_with_its_position_or_not_at_all(void **state)
{
	enum { KILLS = 15 };
	static const char *const names[] = {"a/b/led/value", "a/b/led/state"};
	int seen[2] = {0, 0};

	(void)state;
	store_sqlite.close(store_with(names, COUNT(names)));
	for (int i = 0; i < KILLS; i++) {
		int ready[2], status;
		char byte;
		assert_int_equal(pipe(ready), 0);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			rename_for_ever(ready[1]);
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 0);
		close(ready[0]);
		usleep((useconds_t)(i * 137 % 1000)); /* any moment will do */
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));

		struct store *store = open_store();
		struct store_position at;
		assert_int_equal(store_sqlite.position(store, JOURNAL, &at), STORE_OK);
		store_sqlite.close(store);
		bool there = at.position % 2 == 0;
		assert_string_equal(ask(path, NAMES),
		                    there ? "1 a/c/led/value\n2 a/c/led/state\n" : "1 a/b/led/value\n2 a/b/led/state\n");
		seen[there]++;
	}
	print_message("%d kills, %d times renamed\n", KILLS, seen[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_all_series_of_a_device_their_new_name),
		TEST(there_and_back_with_readings_in_between),
		TEST(keeps_what_has_its_new_name_already),
		TEST(keeps_what_would_be_too_long),
		TEST(a_device_without_history_moves_the_position),
		TEST(nothing_is_done_at_another_position),
		TEST(a_trigger_that_refuses_keeps_the_names),
		TEST(a_locked_file_is_away_and_nothing_was_done),
		TEST(killed_it_is_done_with_its_position_or_not_at_all),
	};

	return cmocka_run_group_tests_name("store_rename", tests, NULL, NULL);
}
