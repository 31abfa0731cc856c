/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite and migration: what a history file takes in and gives back, and what happens when it cannot. What was
 * stored is always read over a connection of the test's own, as a person with sqlite3 would.
 */
#include "migration.h"
#include "store_sqlite_fixture.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- what is stored ---- */

static void the_view_says_when_where_and_what(void **state)
{
	(void)state;
	struct store *store = open_store();
	int64_t warm = series(store, "거실/uno1/temperature/value");
	int64_t door = series(store, "hall/d'1/door/state");
	struct store_position from = {0, 0}, to = {JOURNAL, 900};
	const struct store_row rows[] = {
		{door, NOON + 7, 3, {.number = 1, .is_number = true, .text = slice_of("open")}},
		{door, NOON + 8, 4, {.text = slice_of("'; DROP TABLE reading; -- 잠김")}},
		{door, NOON + 9, 5, {.text = {NULL, 0}}},
		number_row(warm, NOON + 123456, 2, 23.5),
		number_row(warm, -1, 1, -40),
		number_row(warm, -1000000, 6, 0),
		number_row(warm, INT64_C(253402300799999999), 7, 1e300),
		number_row(warm, INT64_C(-62167219200000000), 8, 5e-324),
		number_row(warm, NOON, 9, NAN),
		number_row(warm, NOON, 10, INFINITY),
	};
	assert_int_equal(write_rows(store, rows, COUNT(rows), &from, &to), STORE_OK);

	assert_string_equal(ask(path, "SELECT time, location, device, sensor, subject, value, text FROM readings"
	                              " ORDER BY time, location, value, text"),
	                    "0000-01-01T00:00:00.000000Z|거실|uno1|temperature|value|4.94065645841247e-324|\n"
	                    "1969-12-31T23:59:59.000000Z|거실|uno1|temperature|value|0.0|\n"
	                    "1969-12-31T23:59:59.999999Z|거실|uno1|temperature|value|-40.0|\n"
	                    "2026-11-22T12:00:00.000000Z|거실|uno1|temperature|value||\n"
	                    "2026-11-22T12:00:00.000000Z|거실|uno1|temperature|value||\n"
	                    "2026-11-22T12:00:00.000007Z|hall|d'1|door|state|1.0|open\n"
	                    "2026-11-22T12:00:00.000008Z|hall|d'1|door|state||'; DROP TABLE reading; -- 잠김\n"
	                    "2026-11-22T12:00:00.000009Z|hall|d'1|door|state||\n"
	                    "2026-11-22T12:00:00.123456Z|거실|uno1|temperature|value|23.5|\n"
	                    "9999-12-31T23:59:59.999999Z|거실|uno1|temperature|value|1.0e+300|\n");
	assert_string_equal(ask(path, "SELECT count(*) FROM readings WHERE time >= '2026-11-22T12:00:00.000008'"
	                              " AND time < '2026-11-23'"),
	                    "3\n");
	assert_string_equal(ask(path, "SELECT txt IS NULL, typeof(txt) FROM reading WHERE seq IN (2, 5) ORDER BY seq"),
	                    "1|null\n0|text\n");
	store_sqlite.close(store);
}

static void a_series_keeps_its_id(void **state)
{
	(void)state;
	const char *const names[] = {"a/b/c/value", "a/b/c/state", "ab/b/c/value", "a/bb/c/value", "a/b/cc/value"};
	int64_t ids[COUNT(names)];
	struct store *store = open_store();
	for (size_t i = 0; i < COUNT(names); i++) {
		ids[i] = series(store, names[i]);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
		assert_int_equal(series(store, names[i]), ids[i]);
	}
	/* New ones are kept with the rows that they are for. */
	struct store_position none = {0, 0}, first = {JOURNAL, 100}, wrong = {JOURNAL, 50};
	struct store_row row = number_row(ids[0], NOON, 10, 1);
	assert_int_equal(write_rows(store, &row, 1, &none, &first), STORE_OK);
	store_sqlite.close(store);
	store = open_store();
	for (size_t i = COUNT(names); i-- > 0;)
		assert_int_equal(series(store, names[i]), ids[i]);

	/* And go with rows that are not stored. */
	row.series = series(store, "x/y/z/value");
	assert_int_equal(write_rows(store, &row, 1, &wrong, &first), STORE_MOVED);
	assert_string_equal(ask(path, "SELECT count(*) FROM series"), "5\n");
	row.series = series(store, "x/y/z/value");
	assert_int_equal(write_rows(store, &row, 1, &first, &wrong), STORE_OK);
	assert_string_equal(ask(path, "SELECT count(*), location FROM series WHERE id > 5"), "1|x\n");
	store_sqlite.close(store);
}

static void two_readings_of_one_instant_are_both_kept(void **state)
{
	(void)state;
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	struct store_position none = {0, 0}, first = {JOURNAL, 100}, other = {77, 100}, last = {77, 200};
	struct store_row rows[] = {number_row(id, NOON, 10, 1), number_row(id, NOON, 20, 2)};
	assert_int_equal(write_rows(store, rows, 2, &none, &first), STORE_OK);
	/* A journal that replaced the first one can have other readings at the same positions. */
	rows[0].value.number = 3;
	rows[1].value.number = 4;
	assert_int_equal(write_rows(store, rows, 1, &first, &other), STORE_OK);
	assert_int_equal(write_rows(store, rows + 1, 1, &other, &last), STORE_OK);
	assert_string_equal(ask(path, "SELECT seq, value FROM reading ORDER BY value"), "10|1.0\n20|2.0\n21|3.0\n22|4.0\n");
	store_sqlite.close(store);
}

static void a_large_unsorted_batch_is_stored_whole(void **state)
{
	(void)state;
	enum { SERIES = 250, ROWS = 20000 };
	struct store *store = open_store();
	struct store_row *rows = calloc(ROWS, sizeof *rows);
	int64_t ids[SERIES];
	struct store_position from = {0, 0}, to = {JOURNAL, 1};
	assert_non_null(rows);
	for (int i = 0; i < SERIES; i++) {
		char name[64];
		snprintf(name, sizeof name, "room%d/node/temperature/value", i);
		ids[i] = series(store, name);
	}
	for (int i = 0; i < ROWS; i++) /* 7919 is prime: all series in turn, times up and down */
		rows[i] = number_row(ids[i * 7919 % SERIES], NOON + i * 7919 % 1000, i, i);
	assert_int_equal(write_rows(store, rows, ROWS, &from, &to), STORE_OK);
	assert_string_equal(ask(path, "SELECT count(*), count(DISTINCT seq), count(DISTINCT series_id), sum(value = seq),"
	                              " sum((seq * 7919 % 1000) = ts - 1795348800000000) FROM reading"),
	                    "20000|20000|250|20000|20000\n");
	assert_int_equal(rows[1].seq, 1); /* the caller's array is as it was */
	free(rows);
	store_sqlite.close(store);
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
	struct store_position at = {9, 9}, wanted = {0, 0};
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	int rows = 0;

	for (size_t i = 0; i < COUNT(steps); i++) {
		struct store_row row = number_row(id, NOON, (int64_t)i, 1);
		enum store_result result = write_rows(store, &row, 1, &steps[i].from, &steps[i].to);
		if (result != steps[i].wanted)
			fail_msg("step %zu gave %d", i, (int)result);
		if (result == STORE_OK) {
			wanted = steps[i].to;
			rows++;
		}
		assert_int_equal(store_sqlite.position(store, JOURNAL, &at), STORE_OK);
		assert_true(at.journal == wanted.journal && at.position == wanted.position);
		assert_int_equal(strtol(ask(path, "SELECT count(*) FROM reading"), NULL, 10), rows);
	}
	store_sqlite.close(store);
	store = open_store();
	assert_int_equal(store_sqlite.position(store, JOURNAL, &at), STORE_OK);
	assert_true(at.journal == wanted.journal && at.position == wanted.position);
	store_sqlite.close(store);
}

static void brokers_do_not_see_each_others_position(void **state)
{
	(void)state;
	struct store *house = open_store_as("house"), *barn = open_store_as("barn");
	struct store_position at, none = {0, 0}, one = {11, 111}, two = {22, 222};
	assert_int_equal(move(house, none, one), STORE_OK);
	assert_int_equal(store_sqlite.position(barn, 22, &at), STORE_OK);
	assert_true(at.journal == 0 && at.position == 0);
	assert_int_equal(move(barn, none, two), STORE_OK);
	assert_int_equal(store_sqlite.position(house, 11, &at), STORE_OK);
	assert_true(at.journal == 11 && at.position == 111);
	store_sqlite.close(house);
	store_sqlite.close(barn);
}

static void a_renamed_brokers_journal_goes_on(void **state)
{
	(void)state;
	struct store *store = open_store_as("house");
	struct store_position at;
	int64_t id = series(store, "a/b/c/value");
	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	store_sqlite.close(store);

	store = open_store_as("barn");
	assert_int_equal(store_sqlite.position(store, JOURNAL, &at), STORE_OK);
	assert_true(at.journal == JOURNAL && at.position == 8);
	assert_int_equal(put(store, id, 0, 16), STORE_MOVED);
	assert_int_equal(put(store, id, 8, 16), STORE_OK);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT node, pos FROM ingest_position; SELECT seq FROM reading"),
	                    "barn|16\n8\n16\n");
}

/* Two that swapped their names: neither journal's position goes. */
static void a_name_that_another_journal_has_is_not_taken(void **state)
{
	(void)state;
	struct store *house = open_store_as("house"), *barn = open_store_as("barn");
	struct store_position at, none = {0, 0}, one = {11, 111}, next = {11, 112}, two = {22, 222};
	assert_int_equal(move(house, none, one), STORE_OK);
	assert_int_equal(move(barn, none, two), STORE_OK);
	assert_int_equal(move(barn, one, next), STORE_OK);
	assert_int_equal(store_sqlite.position(barn, 11, &at), STORE_OK);
	assert_true(at.journal == 11 && at.position == 112);
	assert_int_equal(store_sqlite.position(house, 22, &at), STORE_OK);
	assert_true(at.journal == 22 && at.position == 222);
	store_sqlite.close(house);
	store_sqlite.close(barn);
}

/* As a node's name in place of the journal's id left it: the journal twice, once for each name. */
static void of_two_positions_of_a_journal_the_farther_counts(void **state)
{
	(void)state;
	struct store *store = open_store_as("barn");
	struct store_position at, from = {11, 200}, to = {11, 300};
	ask(path, "INSERT INTO ingest_position VALUES ('house', 11, 200), ('barn', 11, 100)");
	assert_int_equal(store_sqlite.position(store, 11, &at), STORE_OK);
	assert_true(at.journal == 11 && at.position == 200);
	assert_int_equal(move(store, from, to), STORE_OK);
	assert_int_equal(store_sqlite.position(store, 11, &at), STORE_OK);
	assert_true(at.journal == 11 && at.position == 300);
	store_sqlite.close(store);
}

/* ---- the file ---- */

static void the_file_is_private_whatever_the_umask(void **state)
{
	(void)state;
	static const mode_t masks[] = {0, 0777};
	for (size_t i = 0; i < COUNT(masks); i++) {
		struct stat status;
		mode_t before = umask(masks[i]);
		struct store *store = open_store();
		umask(before);
		assert_int_equal(put(store, series(store, "a/b/c/value"), 0, 8), STORE_OK);
		static const char *const ends[] = {"", "-wal", "-shm"};
		for (size_t j = 0; j < COUNT(ends); j++) {
			char name[128];
			snprintf(name, sizeof name, "%s%s", path, ends[j]);
			assert_int_equal(stat(name, &status), 0);
			assert_int_equal(status.st_mode & 0777, 0600);
		}
		store_sqlite.close(store);
		assert_int_equal(unlink(path), 0);
	}
}

static void put_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Opens a place that cannot be opened: the message must have these words in it. */
static void expect_refusal(const char *location, enum store_result wanted, const char *words)
{
	struct store *store;
	const struct store_place place = {.location = location, .node = "house"};
	char error[256] = "";
	enum store_result result = store_sqlite.open(&place, &store, error, sizeof error);
	if (result != wanted || store || !strstr(error, words))
		fail_msg("%s: %d, %s", location, (int)result, error);
	assert_int_equal(store_sqlite.check(&place, error, sizeof error), wanted);
	assert_non_null(strstr(error, words));
}

static void a_place_that_cannot_be_opened_is_named(void **state)
{
	(void)state;
	char name[160];

	expect_refusal("history.db", STORE_NEVER, "absolute");
	expect_refusal("", STORE_NEVER, "absolute");
	expect_refusal(":memory:", STORE_NEVER, "absolute");
	expect_refusal("file:/tmp/x", STORE_NEVER, "absolute");
	expect_refusal(folder, STORE_NEVER, "directory");
	expect_refusal("/dev/null", STORE_NEVER, "/dev/null");

	put_file(path, "This was never a database, and it is long enough to be sure of that. It has no header at all.");
	expect_refusal(path, STORE_AWAY, "not a database; it is damaged, or never was one: move it away");
	snprintf(name, sizeof name, "%s/history.db", path);
	expect_refusal(name, STORE_NEVER, "Not a directory");

	snprintf(name, sizeof name, "%s/missing/history.db", folder);
	expect_refusal(name, STORE_AWAY, "No such file");

	snprintf(name, sizeof name, "%s/other.db", folder);
	ask(name, "CREATE TABLE reading (x)");
	expect_refusal(name, STORE_NEVER, "001_initial");
	assert_string_equal(ask(name, "SELECT name FROM sqlite_schema"), "reading\n");

	snprintf(name, sizeof name, "%s/newer.db", folder);
	ask(name, "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT, applied TEXT);"
	          "INSERT INTO schema_version VALUES (99, '099_future', '')");
	expect_refusal(name, STORE_NEVER, "newer Hearth");
	assert_string_equal(ask(name, "SELECT name FROM sqlite_schema"), "schema_version\n");
}

static void a_forbidden_place_is_refused(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip(); /* nothing is forbidden to root */
	store_sqlite.close(open_store());
	assert_int_equal(chmod(path, 0400), 0);
	expect_refusal(path, STORE_NEVER, "not written");
	assert_int_equal(chmod(path, 0), 0);
	expect_refusal(path, STORE_NEVER, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(folder, 0500), 0);
	expect_refusal(path, STORE_NEVER, "Permission denied");
	assert_int_equal(chmod(folder, 0700), 0);
}

static void a_locked_file_is_away_until_it_is_released(void **state)
{
	(void)state;
	struct store *store = open_store(), *second = NULL;
	int64_t id = series(store, "a/b/c/value");
	assert_int_equal(put(store, id, 0, 8), STORE_OK);

	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(put(store, id, 8, 16), STORE_AWAY);
	assert_non_null(strstr(store_sqlite.error(store), "locked"));
	assert_non_null(strstr(store_sqlite.error(store), path));
	/* A file that is up to date can be opened without the lock. */
	second = open_store();
	store_sqlite.close(second);

	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(put(store, id, 8, 16), STORE_OK);
	sqlite3_close(other);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT seq FROM reading; SELECT pos FROM ingest_position"), "8\n16\n16\n");
}

static void a_reader_does_not_hold_up_the_writer(void **state)
{
	(void)state;
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	sqlite3 *reader;
	assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT * FROM readings", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(put(store, id, 8, 16), STORE_OK);
	sqlite3_close(reader);
	store_sqlite.close(store);
}

static void a_deleted_file_is_noticed_and_made_anew(void **state)
{
	(void)state;
	struct store *store = open_store();
	struct store_position at;
	int64_t id = series(store, "a/b/c/value");
	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(put(store, id, 8, 16), STORE_AWAY);
	assert_non_null(strstr(store_sqlite.error(store), "deleted"));
	store_sqlite.close(store);

	store = open_store();
	assert_int_equal(store_sqlite.position(store, JOURNAL, &at), STORE_OK);
	assert_int_equal(at.journal, 0);
	assert_int_equal(put(store, series(store, "a/b/c/value"), 0, 24), STORE_OK);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT seq FROM reading"), "24\n");
}

static void a_backup_put_in_its_place_stays_whole(void **state)
{
	(void)state;
	char backup[128], sql[192];
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	snprintf(backup, sizeof backup, "%s/backup.db", folder);
	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	snprintf(sql, sizeof sql, "VACUUM INTO '%s'", backup);
	ask(path, sql);
	assert_int_equal(put(store, id, 8, 16), STORE_OK);
	assert_int_equal(rename(backup, path), 0);
	assert_int_equal(put(store, id, 16, 24), STORE_AWAY);
	store_sqlite.close(store);

	store = open_store();
	assert_string_equal(ask(path, "PRAGMA integrity_check; SELECT seq FROM reading; SELECT pos FROM ingest_position"),
	                    "ok\n8\n8\n");
	assert_int_equal(put(store, id, 8, 32), STORE_OK);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "PRAGMA integrity_check; SELECT seq FROM reading"), "ok\n8\n32\n");
}

/* A reader of the old file keeps its WAL from being emptied; the new file must not be opened with it. */
static void a_backup_put_in_its_place_beside_a_reader_stays_whole(void **state)
{
	(void)state;
	char backup[128], sql[192];
	sqlite3 *reader;
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	snprintf(backup, sizeof backup, "%s/backup.db", folder);
	snprintf(sql, sizeof sql, "VACUUM INTO '%s'", backup);
	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	ask(path, sql);
	assert_int_equal(put(store, id, 8, 16), STORE_OK);
	assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT * FROM reading", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(put(store, id, 16, 24), STORE_OK);
	assert_int_equal(rename(backup, path), 0);
	assert_int_equal(put(store, id, 24, 32), STORE_AWAY);
	store_sqlite.close(store);

	store = open_store();
	assert_string_equal(ask(path, "PRAGMA integrity_check; SELECT seq FROM reading; SELECT pos FROM ingest_position"),
	                    "ok\n8\n8\n");
	assert_int_equal(put(store, id, 8, 40), STORE_OK);
	sqlite3_close(reader);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "PRAGMA integrity_check; SELECT seq FROM reading"), "ok\n8\n40\n");
}

/* ---- a disk that does not sync: SQLite's own VFS with another xSync of the WAL ---- */

static bool disk_fails;
static sqlite3_vfs vfs_ours, *vfs_theirs;
static sqlite3_io_methods methods_ours;
static const sqlite3_io_methods *methods_theirs;

static int failing_sync(sqlite3_file *file, int flags)
{
	return disk_fails ? SQLITE_IOERR_FSYNC : methods_theirs->xSync(file, flags);
}

static int failing_control(sqlite3_file *file, int which, void *argument)
{
	if (!disk_fails || which != SQLITE_FCNTL_LAST_ERRNO)
		return methods_theirs->xFileControl(file, which, argument);
	*(int *)argument = EIO;
	return SQLITE_OK;
}

static int open_failing(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *got)
{
	(void)vfs;
	int code = vfs_theirs->xOpen(vfs_theirs, name, file, flags, got);
	if (code != SQLITE_OK || !(flags & SQLITE_OPEN_WAL))
		return code;
	methods_theirs = file->pMethods;
	methods_ours = *methods_theirs;
	methods_ours.xSync = failing_sync;
	methods_ours.xFileControl = failing_control;
	file->pMethods = &methods_ours;
	return code;
}

static int make_disk(void **state)
{
	vfs_theirs = sqlite3_vfs_find(NULL);
	vfs_ours = *vfs_theirs;
	vfs_ours.zName = "failing";
	vfs_ours.xOpen = open_failing;
	return sqlite3_vfs_register(&vfs_ours, 1) == SQLITE_OK ? make_folder(state) : -1;
}

static int remove_disk(void **state)
{
	disk_fails = false;
	return sqlite3_vfs_unregister(&vfs_ours) == SQLITE_OK ? remove_folder(state) : -1;
}

static long long wal_size(void)
{
	char name[128];
	struct stat status;
	snprintf(name, sizeof name, "%s-wal", path);
	return stat(name, &status) == 0 ? (long long)status.st_size : -1;
}

static void what_a_sync_failed_on_is_written_anew(void **state)
{
	(void)state;
	sqlite3 *reader;
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	assert_int_equal(store_sqlite.sync(store, false), STORE_OK);
	assert_true(wal_size() > 0);

	disk_fails = true;
	assert_int_equal(store_sqlite.sync(store, false), STORE_AWAY);
	assert_non_null(strstr(store_sqlite.error(store), "cannot be brought to the disk: Input/output error; its disk"));
	assert_int_equal(store_sqlite.sync(store, true), STORE_AWAY);
	disk_fails = false;

	/* A reader keeps the old place of the rows in use. */
	assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT * FROM reading", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(put(store, id, 8, 16), STORE_OK);
	assert_int_equal(store_sqlite.sync(store, true), STORE_AWAY);
	assert_int_equal(store_sqlite.sync(store, false), STORE_OK);
	sqlite3_close(reader);
	assert_int_equal(store_sqlite.sync(store, true), STORE_OK);
	assert_int_equal(wal_size(), 0);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT seq FROM reading"), "8\n16\n");
}

static void a_full_disk_stores_all_or_nothing(void **state)
{
	(void)state;
	enum { ROWS = 5000 };
	struct store *store = open_store();
	int64_t id = series(store, "a/b/c/value");
	struct store_position from = {JOURNAL, 8}, to = {JOURNAL, 16};
	static struct store_row rows[ROWS];
	struct rlimit before, small;

	assert_int_equal(put(store, id, 0, 8), STORE_OK);
	for (int i = 0; i < ROWS; i++)
		rows[i] = number_row(id, NOON + i, i, i);
	/* Files may not grow beyond 100 KiB: the kernel refuses as a full disk would. */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100 * 1024;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum store_result result = write_rows(store, rows, ROWS, &from, &to);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(result, STORE_AWAY);
	store_sqlite.close(store);

	assert_string_equal(ask(path, "PRAGMA integrity_check; SELECT count(*), pos FROM reading, ingest_position"),
	                    "ok\n1|8\n");
	store = open_store();
	assert_int_equal(write_rows(store, rows, ROWS, &from, &to), STORE_OK);
	store_sqlite.close(store);
	assert_string_equal(ask(path, "SELECT count(*), pos FROM reading, ingest_position"), "5001|16\n");
}

/* ---- migrations ---- */

static const struct migration good[] = {
	{1, "001_one", "CREATE TABLE one (x); INSERT INTO one VALUES ('it''s')"},
	{2, "002_two", "CREATE TABLE two (x); INSERT INTO two SELECT x FROM one"},
	{0, NULL, NULL},
};
static const struct migration first_only[] = {{1, "001_one", "CREATE TABLE one (x); INSERT INTO one VALUES ('it''s')"},
                                              {0, NULL, NULL}};
static const struct migration bad[] = {
	{1, "001_one", "CREATE TABLE one (x)"},
	{2, "002_two", "CREATE TABLE two (x); INSERT INTO nowhere VALUES (1)"},
	{0, NULL, NULL},
};

static enum migration_result migrate(const struct migration *migrations, char error[static 256])
{
	sqlite3 *database;
	enum migration_result result = migration_open(path, migrations, "PRAGMA journal_mode = WAL", &database, error, 256);
	assert_true((database != NULL) == (result == MIGRATION_OK));
	sqlite3_close(database);
	return result;
}

static void each_migration_is_applied_once(void **state)
{
	(void)state;
	char error[256];
	assert_int_equal(migrate(first_only, error), MIGRATION_OK);
	assert_int_equal(migrate(first_only, error), MIGRATION_OK);
	assert_int_equal(migrate(good, error), MIGRATION_OK);
	assert_int_equal(migrate(good, error), MIGRATION_OK);
	assert_string_equal(ask(path, "SELECT version, name, length(applied) FROM schema_version; SELECT x FROM two"),
	                    "1|001_one|20\n2|002_two|20\nit's\n");
	assert_int_equal(migrate(first_only, error), MIGRATION_NEVER);
	assert_non_null(strstr(error, "version 2, this one knows 1"));
}

static void a_migration_that_fails_leaves_nothing(void **state)
{
	(void)state;
	char error[256];
	assert_int_equal(migrate(bad, error), MIGRATION_NEVER);
	assert_non_null(strstr(error, "002_two"));
	assert_string_equal(ask(path, "SELECT name FROM sqlite_schema WHERE type = 'table'; SELECT version FROM"
	                              " schema_version"),
	                    "schema_version\none\n1\n");
}

static void the_history_schema_is_applied_once(void **state)
{
	(void)state;
	struct store *store = open_store();
	assert_int_equal(put(store, series(store, "a/b/c/value"), 0, 8), STORE_OK);
	store_sqlite.close(store);
	store_sqlite.close(open_store());
	assert_string_equal(ask(path, "SELECT version, name FROM schema_version; SELECT seq FROM reading"),
	                    "1|001_initial\n2|002_rollups\n8\n");
	assert_string_equal(ask(path, "PRAGMA journal_mode"), "wal\n");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(the_view_says_when_where_and_what),
		TEST(a_series_keeps_its_id),
		TEST(two_readings_of_one_instant_are_both_kept),
		TEST(a_large_unsorted_batch_is_stored_whole),
		TEST(the_position_moves_by_compare_and_set),
		TEST(brokers_do_not_see_each_others_position),
		TEST(a_renamed_brokers_journal_goes_on),
		TEST(a_name_that_another_journal_has_is_not_taken),
		TEST(of_two_positions_of_a_journal_the_farther_counts),
		TEST(the_file_is_private_whatever_the_umask),
		TEST(a_place_that_cannot_be_opened_is_named),
		TEST(a_forbidden_place_is_refused),
		TEST(a_locked_file_is_away_until_it_is_released),
		TEST(a_reader_does_not_hold_up_the_writer),
		TEST(a_deleted_file_is_noticed_and_made_anew),
		TEST(a_backup_put_in_its_place_stays_whole),
		TEST(a_backup_put_in_its_place_beside_a_reader_stays_whole),
		cmocka_unit_test_setup_teardown(what_a_sync_failed_on_is_written_anew, make_disk, remove_disk),
		TEST(a_full_disk_stores_all_or_nothing),
		TEST(each_migration_is_applied_once),
		TEST(a_migration_that_fails_leaves_nothing),
		TEST(the_history_schema_is_applied_once),
	};
	return cmocka_run_group_tests_name("store_sqlite", tests, NULL, NULL);
}
