/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state: what is in the file after a commit, a roll-back, a refusal and a reopening.
 */
#include "state_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool put(struct state *state, const char *topic, const char *payload, int64_t time_us)
{
	return state_put_retained(state, slice_of(topic), slice_of(payload), slice_of(""), time_us);
}

static void add_line(void *context, struct slice topic, struct slice payload, struct slice author, int64_t time_us)
{
	char *text = context;
	assert_non_null(author.ptr);
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
	assert_true(
		state_put_retained(state, slice_of("a/b/c/config"), (struct slice){bytes, sizeof bytes}, slice_of(""), 1));
	assert_true(
		state_put_retained(state, slice_of("a/b/d/config"), (struct slice){NULL, 0}, (struct slice){NULL, 0}, 1));
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
	/* The keeper's thread has a journal to sync, so it does not wait. */
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_false(state_begin(state));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 500);
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

/* ---- what only a person can correct ---- */

static void make_text_file(const char *name)
{
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	for (int i = 0; i < 100; i++)
		fputs("no database ", file);
	fclose(file);
}

static void what_a_person_must_correct_is_named(void **unused)
{
	(void)unused;
	static const struct {
		const char *name; /* in the test's folder */
		const char *words;
	} places[] = {
		{"", "directory"},
		{"/text/state.db", "Not a directory"},
		{"/newer", "newer Hearth"},
	};
	char name[160], error[256];
	sqlite3 *newer;

	snprintf(name, sizeof name, "%s/text", folder);
	make_text_file(name);
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

/* ---- a file that cannot be written now ---- */

/* Puts documents in, as an earlier run. */
static void make_file_with(const char *payload)
{
	struct state *state = open_state();
	assert_true(state_begin(state));
	assert_true(put(state, "a/b/c/config", payload, 1));
	assert_true(put(state, "a/b/d/config", "", 2));
	assert_true(state_commit(state, JOURNAL, 8));
	state_close(state);
}

static void change(struct state *state, const char *payload)
{
	assert_true(state_begin(state));
	assert_true(put(state, "a/b/c/config", payload, 3));
	assert_true(state_commit(state, JOURNAL, 16));
}

static void without_a_folder_it_waits(void **unused)
{
	(void)unused;
	char missing[96];
	snprintf(missing, sizeof missing, "%.80s/disk", folder);
	snprintf(path, sizeof path, "%.80s/disk/state.db", folder);
	struct state *state = open_state();
	assert_false(state_saved(state));
	assert_non_null(strstr(state_error(state), "No such file"));
	assert_string_equal(contents(state), "");
	assert_int_equal(position(state, JOURNAL), 0);
	change(state, "{}");
	assert_false(state_saved(state));
	assert_false(state_mend(state));
	assert_non_null(strstr(state_error(state), path));

	assert_int_equal(mkdir(missing, 0700), 0);
	assert_true(state_mend(state));
	assert_true(state_saved(state));
	state_close(state);
	state = open_state();
	assert_true(state_saved(state));
	assert_string_equal(contents(state), "a/b/c/config={}@3\n");
	assert_int_equal(position(state, JOURNAL), 16);
	assert_null(state_news(state));
	state_close(state);
}

/* ---- disks: a small one is mounted over the test's folder, in a mount namespace of this process' own ---- */

static bool mount_small_disk(void)
{
	static bool own;
	if (!own && (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
		return false;
	own = true;
	return mount("tmpfs", folder, "tmpfs", 0, "size=512k,mode=0700") == 0;
}

static int remove_mounted_folder(void **unused)
{
	umount2(folder, MNT_DETACH);
	return remove_folder(unused);
}

static void fill_disk(void)
{
	char name[96];
	static const char zeros[4096];
	snprintf(name, sizeof name, "%s/big", folder);
	int file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	while (write(file, zeros, sizeof zeros) > 0)
		continue;
	close(file);
}

static void free_disk(void)
{
	char name[96];
	snprintf(name, sizeof name, "%s/big", folder);
	assert_int_equal(unlink(name), 0);
}

static void remount(unsigned long flags)
{
	assert_int_equal(mount("none", folder, NULL, MS_REMOUNT | flags, NULL), 0);
}

/* Leaves a WAL with a document in it, as a power cut does. */
static void cut_power_after(const char *payload)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		change(open_state(), payload);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	char shm[100], wal[100];
	snprintf(wal, sizeof wal, "%s-wal", path);
	snprintf(shm, sizeof shm, "%s-shm", path);
	assert_int_equal(access(wal, F_OK), 0);
	assert_int_equal(unlink(shm), 0);
}

enum trouble { FULL, READ_ONLY };

static void opens_in_trouble(enum trouble trouble, bool cut)
{
	if (!mount_small_disk())
		skip();
	make_file_with("old");
	if (cut)
		cut_power_after("newer");
	if (trouble == FULL)
		fill_disk();
	else
		remount(MS_RDONLY);
	struct state *state = open_state();
	assert_false(state_saved(state));
	assert_non_null(strstr(state_error(state), path));
	assert_non_null(strstr(state_error(state), trouble == FULL ? "its disk needs room" : "mount its disk for writing"));
	assert_string_equal(contents(state),
	                    cut ? "a/b/c/config=newer@3\na/b/d/config=@2\n" : "a/b/c/config=old@1\na/b/d/config=@2\n");
	assert_int_equal(position(state, JOURNAL), cut ? 16 : 8);
	change(state, "newest");
	assert_false(state_mend(state));
	assert_false(state_saved(state));

	if (trouble == FULL)
		free_disk();
	else
		remount(0);
	assert_true(state_mend(state));
	assert_null(state_news(state));
	state_close(state);
	state = open_state();
	assert_true(state_saved(state));
	assert_string_equal(contents(state), "a/b/c/config=newest@3\na/b/d/config=@2\n");
	state_close(state);
}

static void opens_on_a_full_disk(void **unused)
{
	(void)unused;
	opens_in_trouble(FULL, false);
}

static void opens_on_a_full_disk_after_a_power_cut(void **unused)
{
	(void)unused;
	opens_in_trouble(FULL, true);
}

static void opens_on_a_read_only_file_system(void **unused)
{
	(void)unused;
	opens_in_trouble(READ_ONLY, false);
}

static void opens_on_a_read_only_file_system_after_a_power_cut(void **unused)
{
	(void)unused;
	opens_in_trouble(READ_ONLY, true);
}

static void a_new_one_waits_for_the_disk(void **unused)
{
	(void)unused;
	for (enum trouble trouble = FULL; trouble <= READ_ONLY; trouble++) {
		if (!mount_small_disk())
			skip();
		if (trouble == FULL)
			fill_disk();
		else
			remount(MS_RDONLY);
		struct state *state = open_state();
		assert_false(state_saved(state));
		change(state, "{}");
		if (trouble == FULL)
			free_disk();
		else
			remount(0);
		assert_true(state_mend(state));
		assert_string_equal(contents(state), "a/b/c/config={}@3\n");
		state_close(state);
		assert_int_equal(umount2(folder, 0), 0);
	}
}

static sqlite3 *lock_wholly(void)
{
	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL),
	                 SQLITE_OK);
	return other;
}

static void *close_after_a_while(void *other)
{
	nanosleep(&(struct timespec){2, 0}, NULL);
	sqlite3_close(other);
	return NULL;
}

/* A program that looks into the file while the house starts does not leave it without its rules. */
static void a_lock_at_the_start_is_waited_for(void **unused)
{
	(void)unused;
	pthread_t thread;
	make_file_with("old");
	assert_int_equal(pthread_create(&thread, NULL, close_after_a_while, lock_wholly()), 0);
	struct state *state = open_state();
	pthread_join(thread, NULL);
	assert_true(state_saved(state));
	assert_false(state_unread(state));
	assert_string_equal(contents(state), "a/b/c/config=old@1\na/b/d/config=@2\n");
	assert_null(state_news(state));
	state_close(state);
}

/*
 * It is not read past the lock of somebody who may be writing, and nothing in it is written over. What was taken in meanwhile
 * is for the keeper to take in again.
 */
static void a_file_that_cannot_be_read_is_left_alone(void **unused)
{
	(void)unused;
	make_file_with("old");
	sqlite3 *other = lock_wholly();
	struct state *state = open_state();
	assert_false(state_saved(state));
	assert_non_null(strstr(state_error(state), "another program uses it"));
	assert_non_null(strstr(state_error(state), "not in force"));
	assert_true(state_lost(state));
	assert_string_equal(contents(state), "");
	assert_true(state_begin(state));
	assert_true(put(state, "a/b/e/config", "new", 3));
	assert_true(state_commit(state, JOURNAL, 16));
	assert_int_equal(state_safe(state, 16), 0);
	assert_true(state_unread(state));
	assert_false(state_mend(state));
	assert_null(state_news(state));
	sqlite3_close(other);
	assert_true(state_mend(state));
	assert_false(state_unread(state));
	const char *news = state_news(state);
	assert_non_null(news);
	assert_non_null(strstr(news, path));
	assert_non_null(strstr(news, "restart the broker now"));
	assert_string_equal(contents(state), "a/b/c/config=old@1\na/b/d/config=@2\n");
	assert_int_equal(position(state, JOURNAL), 8);
	state_close(state);
}

static void a_refusing_file_is_left_for_memory(void **unused)
{
	(void)unused;
	sqlite3 *other;
	make_file_with("old");
	struct state *state = open_state();
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_false(state_begin(state));
	assert_true(state_saved(state));
	assert_true(state_detach(state));
	assert_true(state_detach(state));
	assert_false(state_saved(state));
	assert_non_null(strstr(state_error(state), "locked"));
	/* The file has all of it until a document changes. */
	assert_true(state_begin(state));
	assert_true(state_commit(state, JOURNAL, 12));
	assert_int_equal(state_safe(state, 14), 14);
	change(state, "new");
	assert_int_equal(state_safe(state, 18), 12);
	change(state, "new");
	assert_int_equal(state_safe(state, 18), 12);
	assert_string_equal(contents(state), "a/b/c/config=new@3\na/b/d/config=@2\n");
	assert_false(state_mend(state));
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_true(state_mend(state));
	assert_int_equal(state_safe(state, 18), 18);
	state_close(state);
	state = open_state();
	assert_string_equal(contents(state), "a/b/c/config=new@3\na/b/d/config=@2\n");
	state_close(state);
}

/* ---- a damaged file ---- */

/* How many files of the folder have this in their name. */
static int count_files(const char *words)
{
	int count = 0;
	DIR *directory = opendir(folder);
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		count += strstr(entry->d_name, words) != NULL;
	closedir(directory);
	return count;
}

static void expect_moved_aside(void)
{
	struct state *state = open_state();
	const char *news = state_news(state);
	assert_non_null(news);
	assert_non_null(strstr(news, path));
	assert_non_null(strstr(news, ".broken-"));
	assert_null(state_news(state));
	assert_true(state_saved(state));
	assert_true(state_lost(state));
	assert_string_equal(contents(state), "");
	change(state, "new");
	state_close(state);
	assert_int_equal(count_files("state.db.broken-"), 1);
	state = open_state();
	assert_string_equal(contents(state), "a/b/c/config=new@3\n");
	assert_null(state_news(state));
	state_close(state);
}

static void what_is_no_database_is_moved_aside(void **unused)
{
	(void)unused;
	make_text_file(path);
	expect_moved_aside();
}

/* Its first page is as it was, one that holds documents is not. */
static void a_damaged_file_is_moved_aside(void **unused)
{
	(void)unused;
	static char large[20000], rubbish[4096];
	make_file_with("old");
	memset(large, 'x', sizeof large - 1);
	memset(rubbish, 0xa5, sizeof rubbish);
	struct state *state = open_state();
	assert_true(state_begin(state));
	for (int i = 0; i < 40; i++) {
		char topic[32];
		snprintf(topic, sizeof topic, "a/b/c%d/config", i);
		assert_true(put(state, topic, large, 1));
	}
	assert_true(state_commit(state, JOURNAL, 8));
	state_close(state);
	int damaged = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(damaged >= 0);
	for (int page = 2; page < 12; page++)
		assert_int_equal(pwrite(damaged, rubbish, sizeof rubbish, page * 4096), sizeof rubbish);
	close(damaged);
	expect_moved_aside();
}

static void a_damaged_file_on_a_read_only_file_system_stays(void **unused)
{
	(void)unused;
	if (!mount_small_disk())
		skip();
	make_text_file(path);
	remount(MS_RDONLY);
	struct state *state = open_state();
	assert_false(state_saved(state));
	assert_string_equal(contents(state), "");
	assert_non_null(strstr(state_error(state), "cannot be moved away"));
	remount(0);
	assert_true(state_mend(state));
	assert_non_null(state_news(state));
	assert_int_equal(count_files("state.db.broken-"), 1);
	state_close(state);
}

/* ---- a file that is deleted or replaced while in use ---- */

static void expect_written_anew(struct state *state)
{
	const char *news = state_news(state);
	assert_non_null(news);
	assert_non_null(strstr(news, path));
	assert_non_null(strstr(news, "deleted or replaced"));
	assert_true(state_saved(state));
	state_close(state);
	state = open_state();
	assert_string_equal(contents(state), "a/b/c/config=new@3\na/b/d/config=@2\n");
	assert_int_equal(position(state, JOURNAL), 16);
	state_close(state);
}

static void a_deleted_file_is_written_anew(void **unused)
{
	(void)unused;
	make_file_with("old");
	struct state *state = open_state();
	change(state, "new"); /* is in the WAL */
	assert_true(state_mend(state));
	assert_null(state_news(state));
	assert_int_equal(unlink(path), 0);
	assert_true(state_mend(state));
	expect_written_anew(state);
}

static void a_change_finds_that_the_file_was_deleted(void **unused)
{
	(void)unused;
	make_file_with("old");
	struct state *state = open_state();
	assert_int_equal(unlink(path), 0);
	change(state, "new");
	expect_written_anew(state);
}

static void a_replaced_file_gets_all_that_was_lost_with_the_other(void **unused)
{
	(void)unused;
	char copy[100];
	make_file_with("old");
	snprintf(copy, sizeof copy, "%s/copy", folder);
	assert_int_equal(rename(path, copy), 0);
	make_file_with("older");
	struct state *state = open_state();
	change(state, "new");
	assert_int_equal(rename(copy, path), 0);
	assert_true(state_mend(state));
	expect_written_anew(state);
	/* Whatever it is. */
	state = open_state();
	snprintf(copy, sizeof copy, "%s/text", folder);
	make_text_file(copy);
	assert_int_equal(rename(copy, path), 0);
	assert_true(state_mend(state));
	assert_false(state_lost(state)); /* it was in memory */
	expect_written_anew(state);
	assert_int_equal(count_files("state.db.broken-"), 1);
}

static void a_deleted_file_waits_in_memory_for_room(void **unused)
{
	(void)unused;
	if (!mount_small_disk())
		skip();
	make_file_with("old");
	struct state *state = open_state();
	change(state, "new");
	assert_int_equal(unlink(path), 0);
	fill_disk();
	assert_false(state_mend(state));
	assert_false(state_saved(state));
	assert_int_equal(state_safe(state, 16), 0); /* what the journal still has of it is in no file */
	assert_non_null(strstr(state_error(state), path));
	assert_string_equal(contents(state), "a/b/c/config=new@3\na/b/d/config=@2\n");
	change(state, "new");
	free_disk();
	assert_true(state_mend(state));
	state_close(state);
	state = open_state();
	assert_string_equal(contents(state), "a/b/c/config=new@3\na/b/d/config=@2\n");
	state_close(state);
}

int main(void)
{
#define TEST(function)         cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
#define TEST_ON_DISK(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_mounted_folder)
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_is_empty_and_private),
		TEST(what_was_committed_survives_reopening),
		TEST(a_payload_may_hold_any_bytes),
		TEST(a_rollback_takes_all_back),
		TEST(a_refused_change_takes_all_back),
		TEST(only_the_current_journal_is_remembered),
		TEST(a_locked_file_refuses_until_it_is_released),
		TEST(a_full_disk_leaves_the_file_as_it_was),
		TEST(what_a_person_must_correct_is_named),
		TEST(without_a_folder_it_waits),
		TEST_ON_DISK(opens_on_a_full_disk),
		TEST_ON_DISK(opens_on_a_full_disk_after_a_power_cut),
		TEST_ON_DISK(opens_on_a_read_only_file_system),
		TEST_ON_DISK(opens_on_a_read_only_file_system_after_a_power_cut),
		TEST_ON_DISK(a_new_one_waits_for_the_disk),
		TEST(a_lock_at_the_start_is_waited_for),
		TEST(a_file_that_cannot_be_read_is_left_alone),
		TEST(a_refusing_file_is_left_for_memory),
		TEST(what_is_no_database_is_moved_aside),
		TEST(a_damaged_file_is_moved_aside),
		TEST_ON_DISK(a_damaged_file_on_a_read_only_file_system_stays),
		TEST(a_deleted_file_is_written_anew),
		TEST(a_change_finds_that_the_file_was_deleted),
		TEST(a_replaced_file_gets_all_that_was_lost_with_the_other),
		TEST_ON_DISK(a_deleted_file_waits_in_memory_for_room),
	};
	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
