/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage: the real thing in a temporary folder, opened, fed as the broker's thread feeds it, and closed.
 *
 * The databases are looked into only while the storage is closed: the kernel keeps a lock on a file for a file table,
 * SQLite takes it for the whole process', and the storage's threads have a table of their own.
 */
#include "storage.h"

#include "crew.h"
#include "record.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOON         INT64_C(1795348800000000) /* 2026-11-22T12:00:00Z */
#define SERIES       7
#define TOPIC        "거실/uno1/temperature/value"
#define PATIENCE_MS  60000 /* only a failing test waits so long */

static char folder[64];
static struct options options;
static struct storage *storage; /* that is open */
static uint64_t defined_in;     /* segment that has the series' name */

/* ---- fixture ---- */

/* A path in the folder; each call has memory of its own, for a test. */
static const char *in_folder(const char *name)
{
	static char paths[16][160];
	static size_t next;
	char *path = paths[next++ % COUNT(paths)];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

/* NULL for `store`: the default. */
static void set_options(const char *state_dir, const char *store, const char *gauges_every)
{
	char error[OPTIONS_ERROR_MAX];
	const struct option_line lines[] = {
		{"node", "node1"},
		{"sync_ms", "10"},
		{"journal_max", "16M"},
		{"state_dir", state_dir},
		{"gauges_every", gauges_every},
		{"store", store},
	};
	options_free(&options);
	memset(&options, 0, sizeof options);
	if (!options_read(lines, COUNT(lines) - (store ? 0 : 1), &options, error))
		fail_msg("%s", error);
}

static void open_storage(void)
{
	char error[512] = "";
	defined_in = 0;
	storage = storage_open(&options, error, sizeof error);
	if (!storage)
		fail_msg("%s", error);
}

static void close_storage(int drain_ms)
{
	storage_close(storage, drain_ms);
	storage = NULL;
}

static int set_up(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	set_options(in_folder("hearth"), NULL, "0");
	return 0;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static int tear_down(void **state)
{
	(void)state;
	close_storage(0);
	options_free(&options);
	memset(&options, 0, sizeof options);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- what the broker's thread does ---- */

static void put_reading(double number, int64_t time_us)
{
	struct journal *journal = storage_journal(storage);
	uint8_t series[64], reading[RECORD_READING_HEAD];
	struct value value = value_of_number(number);
	size_t series_len = record_put_series(series, SERIES, slice_of(TOPIC));
	size_t reading_len = record_put_reading(reading, SERIES, time_us, false, &value);
	uint64_t segment =
		journal_reserve(journal, journal_record_size(series_len) + journal_record_size(reading_len), JOURNAL_READING);

	assert_int_not_equal(segment, 0);
	if (segment != defined_in)
		assert_int_not_equal(journal_append(journal, RECORD_SERIES, series, series_len), 0);
	defined_in = segment;
	assert_int_not_equal(journal_append(journal, RECORD_READING, reading, reading_len), 0);
}

static void put_retained(const char *topic, const char *payload)
{
	struct journal *journal = storage_journal(storage);
	uint8_t record[256];
	size_t len = record_put_retained(record, NOON, slice_of(topic), slice_of(payload), slice_of("anna"));

	assert_int_not_equal(journal_reserve(journal, journal_record_size(len), JOURNAL_CONTROL), 0);
	assert_int_not_equal(journal_append(journal, RECORD_RETAINED, record, len), 0);
}

static void put_document(const char *name, const char *body)
{
	struct journal *journal = storage_journal(storage);
	struct document document = {slice_of(name), slice_of(body)};
	uint8_t record[256];
	size_t len = record_put_documents(record, NOON, &document, 1);

	assert_int_not_equal(journal_reserve(journal, journal_record_size(len), JOURNAL_CONTROL), 0);
	assert_int_not_equal(journal_append(journal, RECORD_DOCUMENTS, record, len), 0);
}

/* ---- looking ---- */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Looks again in a moment, unless it has waited too long. */
static void look_again(int64_t since_ms, const char *what)
{
	if (now_ms() - since_ms > PATIENCE_MS)
		fail_msg("waited in vain for %s", what);
	nanosleep(&(struct timespec){0, 2000000}, NULL);
}

static void wait_for_empty_queue(void)
{
	int64_t since = now_ms();
	while (storage_queue(storage) > 0)
		look_again(since, "an empty queue");
}

static void wait_for_notice(enum notice_level level, const char *beginning)
{
	struct notice notice;
	int64_t since = now_ms();
	while (!storage_notice(storage, &notice))
		look_again(since, beginning);
	if (notice.level != level || strncmp(notice.text, beginning, strlen(beginning)) != 0)
		fail_msg("found \"%s\", wanted \"%s\"", notice.text, beginning);
}

static void assert_no_notice(void)
{
	struct notice notice;
	if (storage_notice(storage, &notice))
		fail_msg("%s", notice.text);
}

/* What a query of one text says to a database; storage must be closed. Valid until the next call. */
static const char *ask(const char *path, const char *sql)
{
	static char answer[512];
	sqlite3 *database;
	sqlite3_stmt *statement;

	assert_null(storage);
	assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	snprintf(answer, sizeof answer, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return answer;
}

static void assert_readings(const char *path, int count, int sum)
{
	char wanted[64];
	snprintf(wanted, sizeof wanted, "%d readings, sum %d", count, sum);
	assert_string_equal(
		ask(path, "SELECT printf('%d readings, sum %d', count(*), coalesce(sum(value), 0)) FROM readings"), wanted);
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(left, right);
}

static char retained_lines[8][128];
static size_t retained_count;

static void note_retained(void *context, struct slice topic, struct slice payload, struct slice author)
{
	*(size_t *)context += 1;
	assert_true(slice_is(author, "anna"));
	if (retained_count < COUNT(retained_lines))
		snprintf(retained_lines[retained_count++], sizeof retained_lines[0], "%.*s=%.*s;", (int)topic.len, topic.ptr,
		         (int)payload.len, payload.ptr);
}

/* The documents by topic, "TOPIC=PAYLOAD;" each: their order is not promised. */
static void assert_retained(const char *wanted)
{
	char found[1024] = "";
	size_t calls = 0, len = 0;

	retained_count = 0;
	storage_each_retained(storage, note_retained, &calls);
	assert_int_equal(calls, retained_count);
	qsort(retained_lines, retained_count, sizeof retained_lines[0], compare_lines);
	for (size_t i = 0; i < retained_count; i++)
		len += (size_t)snprintf(found + len, sizeof found - len, "%s", retained_lines[i]);
	assert_string_equal(found, wanted);
}

static void note_document(void *context, const struct document *document)
{
	note_retained(context, document->name, document->body, slice_of("anna"));
}

/* The same for documents, and whether they are all that there were. */
static void assert_documents(const char *wanted, bool known)
{
	char found[1024] = "";
	size_t calls = 0, len = 0;

	retained_count = 0;
	assert_int_equal(storage_each_document(storage, note_document, &calls), known);
	assert_int_equal(calls, retained_count);
	qsort(retained_lines, retained_count, sizeof retained_lines[0], compare_lines);
	for (size_t i = 0; i < retained_count; i++)
		len += (size_t)snprintf(found + len, sizeof found - len, "%s", retained_lines[i]);
	assert_string_equal(found, wanted);
}

/* ---- a fresh folder ---- */

static int bad_mode_count;

static int check_mode(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)place;
	if ((status->st_mode & 07777) != (type == FTW_D ? 0700 : 0600)) {
		print_error("%s has mode %o\n", name, status->st_mode & 07777);
		bad_mode_count++;
	}
	return 0;
}

/* Others may read nothing: not what must be there, and not what SQLite keeps beside it. */
static void test_fresh_folder(void **state)
{
	static const char *const wanted[] = {"hearth/journal", "hearth/state.db", "hearth/history.db"};

	(void)state;
	mode_t before = umask(0);
	open_storage();
	put_reading(1.0, NOON);
	put_retained("all/hearth/auto/state", "1");
	wait_for_empty_queue();
	umask(before);
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_int_equal(access(in_folder(wanted[i]), F_OK), 0);
	bad_mode_count = 0;
	assert_int_equal(nftw(in_folder("hearth"), check_mode, 8, FTW_PHYS), 0);
	assert_int_equal(bad_mode_count, 0);
	assert_no_notice();
}

static void test_close_null(void **state)
{
	(void)state;
	storage_close(NULL, 1000);
}

static size_t count_open_files(void)
{
	size_t count = 0;
	DIR *list = opendir("/proc/self/fd");
	assert_non_null(list);
	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

static void open_one(void *context)
{
	*(int *)context = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* False under ThreadSanitizer, and where the kernel refuses. */
static bool crew_has_own_files(void)
{
	int file = -1;
	struct crew *crew = crew_start();
	assert_non_null(crew);
	size_t before = count_open_files();
	crew_run(crew, open_one, &file);
	bool own = count_open_files() == before;
	crew_stop(crew);
	if (!own)
		close(file);
	return own;
}

/* All files are the crew's, so the broker's thread sees none of them come, and none stay. */
static void test_opens_nothing_here(void **state)
{
	(void)state;
	size_t before = count_open_files();
	open_storage();
	put_reading(1.0, NOON);
	size_t meanwhile = count_open_files();
	close_storage(PATIENCE_MS);
	assert_int_equal(count_open_files(), before);
	if (!crew_has_own_files())
		skip();
	assert_int_equal(meanwhile, before);
}

/* ---- what can never work ---- */

/* %s stands for the folder. */
static const struct {
	const char *what, *state_dir, *store, *error;
} error_rows[] = {
	{"the state folder's parent is missing", "none/hearth", NULL,
     "plugin_opt_state_dir %s/none/hearth: No such file or directory; wanted a folder in one that exists and that the "
     "broker's user may write"},
	{"the state folder's parent is a file", "text/hearth", NULL,
     "plugin_opt_state_dir %s/text/hearth: Not a directory; wanted a folder in one that exists and that the broker's "
     "user may write"},
	{"the state folder is a file", "text", NULL,
     "plugin_opt_state_dir %s/text: %s/text/journal: cannot be opened or made: Not a directory"},
	{"the journal is a file", "odd_journal", NULL,
     "plugin_opt_state_dir %s/odd_journal: %s/odd_journal/journal: cannot be opened or made: Not a directory"},
	{"the state file is a folder", "odd_state", NULL,
     "plugin_opt_state_dir %s/odd_state: %s/odd_state/state.db: Is a directory"},
	{"the store is a folder", "hearth", "sqlite:%s/empty",
     "plugin_opt_store sqlite:%s/empty: %s/empty: Is a directory"},
	{"the store lies in a file", "hearth", "sqlite:%s/text/history.db",
     "plugin_opt_store sqlite:%s/text/history.db: %s/text/history.db: Not a directory"},
};

/* Writes a text with the folder in place of each %s. */
static void with_folder(const char *text, char *out, size_t size)
{
	size_t len = 0;
	for (const char *at; (at = strstr(text, "%s")) != NULL; text = at + 2)
		len += (size_t)snprintf(out + len, size - len, "%.*s%s", (int)(at - text), text, folder);
	snprintf(out + len, size - len, "%s", text);
}

static void make_text_file(const char *name)
{
	FILE *file = fopen(in_folder(name), "w");
	assert_non_null(file);
	for (int i = 0; i < 100; i++)
		assert_true(fputs("This is a letter, and it is no database.\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_odd_files(void)
{
	static const char *const folders[] = {"empty", "odd_journal", "odd_state", "odd_state/state.db"};
	static const char *const texts[] = {"text", "odd_journal/journal"};
	for (size_t i = 0; i < COUNT(folders); i++)
		assert_int_equal(mkdir(in_folder(folders[i]), 0700), 0);
	for (size_t i = 0; i < COUNT(texts); i++)
		make_text_file(texts[i]);
}

static void test_errors(void **state)
{
	char store[256], wanted[512], error[512];

	(void)state;
	make_odd_files();
	size_t files = count_open_files();
	for (size_t i = 0; i < COUNT(error_rows); i++) {
		with_folder(error_rows[i].error, wanted, sizeof wanted);
		with_folder(error_rows[i].store ? error_rows[i].store : "", store, sizeof store);
		set_options(in_folder(error_rows[i].state_dir), error_rows[i].store ? store : NULL, "0");
		error[0] = '\0';
		storage = storage_open(&options, error, sizeof error);
		if (storage || strcmp(error, wanted) != 0)
			fail_msg("%s: found \"%s\", wanted \"%s\"", error_rows[i].what, error, wanted);
	}
	assert_int_equal(count_open_files(), files);

	/* What failed has let go of everything. */
	set_options(in_folder("hearth"), NULL, "0");
	open_storage();
}

static void test_error_of_a_second_one(void **state)
{
	char error[512] = "", wanted[256];

	(void)state;
	open_storage();
	assert_null(storage_open(&options, error, sizeof error));
	snprintf(wanted, sizeof wanted, "plugin_opt_state_dir %s/hearth: %s/hearth/journal: this journal is open already",
	         folder, folder);
	assert_memory_equal(error, wanted, strlen(wanted));
	assert_null(strchr(error, '\n'));
	put_reading(1.0, NOON);
	close_storage(PATIENCE_MS);
	assert_readings(in_folder("hearth/history.db"), 1, 1);
}

/* A message that does not fit is cut, not written beyond its end. */
static void test_error_is_cut(void **state)
{
	char error[24];

	(void)state;
	memset(error, '#', sizeof error);
	set_options(in_folder("none/hearth"), NULL, "0");
	assert_null(storage_open(&options, error, sizeof error - 1));
	assert_string_equal(error, "plugin_opt_state_dir /");
	assert_int_equal(error[sizeof error - 1], '#');
}

/* What holds no reading does not wait: neither a new journal's beginning nor the gap that a restart leaves. */
static void test_queue_of_an_idle_house(void **state)
{
	(void)state;
	set_options(in_folder("hearth"), NULL, "0");
	for (int run = 0; run < 3; run++) {
		open_storage();
		wait_for_empty_queue();
		close_storage(PATIENCE_MS);
	}
}

/* ---- a store that is away ---- */

static void test_store_away(void **state)
{
	char store[256];

	(void)state;
	snprintf(store, sizeof store, "sqlite:%s", in_folder("card/history.db"));
	set_options(in_folder("hearth"), store, "0");
	open_storage();
	wait_for_notice(NOTICE_WARNING, "The history store (sqlite) cannot be used: ");
	uint64_t queue = storage_queue(storage), head = journal_head(storage_journal(storage));
	put_reading(23.0, NOON);
	assert_int_equal(storage_queue(storage) - queue, journal_head(storage_journal(storage)) - head);

	assert_int_equal(mkdir(in_folder("card"), 0700), 0);
	wait_for_notice(NOTICE_INFO, "The history store (sqlite) works again: 1 waiting readings are stored.");
	wait_for_empty_queue();
	close_storage(PATIENCE_MS);
	assert_readings(in_folder("card/history.db"), 1, 23);
}

/* A history that a bad card damaged keeps nothing from starting, not even by its first page. */
static void test_store_with_a_damaged_first_page(void **state)
{
	(void)state;
	open_storage();
	put_reading(23.0, NOON);
	wait_for_empty_queue();
	close_storage(PATIENCE_MS);
	make_text_file("hearth/history.db");

	open_storage();
	wait_for_notice(NOTICE_WARNING, "The history store (sqlite) cannot be used: ");
	put_reading(24.0, NOON);
	assert_no_notice();
	assert_int_equal(unlink(in_folder("hearth/history.db")), 0);
	wait_for_notice(NOTICE_INFO, "The history store (sqlite) works again: 2 waiting readings are stored.");
	close_storage(PATIENCE_MS);
	assert_readings(in_folder("hearth/history.db"), 2, 47);
}

/* Closing does not wait for it, and what the journal holds is stored by the next run. */
static void test_store_away_until_the_next_run(void **state)
{
	char store[256];

	(void)state;
	snprintf(store, sizeof store, "sqlite:%s", in_folder("card/history.db"));
	set_options(in_folder("hearth"), store, "0");
	open_storage();
	put_reading(1.0, NOON);
	int64_t since = now_ms();
	close_storage(PATIENCE_MS);
	assert_true(now_ms() - since < PATIENCE_MS / 2);

	assert_int_equal(mkdir(in_folder("card"), 0700), 0);
	open_storage();
	put_reading(2.0, NOON);
	close_storage(PATIENCE_MS);
	assert_readings(in_folder("card/history.db"), 2, 3);
}

/* What waits, and for how long, is known while the store is away. */
static void test_lag(void **state)
{
	char store[256];

	(void)state;
	snprintf(store, sizeof store, "sqlite:%s", in_folder("card/history.db"));
	assert_int_equal(mkdir(in_folder("card"), 0700), 0);
	set_options(in_folder("hearth"), store, "0");
	open_storage();
	wait_for_empty_queue();
	assert_true(storage_lag_s(storage, NOON) == 0);
	put_reading(1.0, NOON);
	wait_for_empty_queue();
	assert_true(storage_lag_s(storage, NOON + 5000000) == 0);

	/* Asked only when something has just come, and each time it is stored soon: none waits for long. */
	for (int64_t second = 10; second < 20; second++) {
		put_reading(1.5, NOON + second * 1000000);
		assert_true(storage_lag_s(storage, NOON + second * 1000000) == 0);
		wait_for_empty_queue();
	}

	/* Seen while it is still there: the oldest reading's own time counts. */
	assert_int_equal(rename(in_folder("card"), in_folder("elsewhere")), 0);
	put_reading(2.0, NOON + 2000000);
	put_reading(3.0, NOON + 3000000);
	wait_for_notice(NOTICE_WARNING, "The history store (sqlite) cannot be used: ");
	assert_true(storage_lag_s(storage, NOON + 4500000) == 2.5);
	assert_true(storage_lag_s(storage, NOON) == 0); /* the clock was set back */

	/* Away since the start: since when something was seen to wait. */
	close_storage(0);
	open_storage();
	wait_for_notice(NOTICE_WARNING, "The history store (sqlite) cannot be used: ");
	assert_true(storage_lag_s(storage, NOON + 9000000) == 0);
	assert_true(storage_lag_s(storage, NOON + 10500000) == 1.5);
	assert_int_equal(rename(in_folder("elsewhere"), in_folder("card")), 0);
	wait_for_notice(NOTICE_INFO, "The history store (sqlite) works again: 2 waiting readings are stored.");
	wait_for_empty_queue();
	assert_true(storage_lag_s(storage, NOON + 20000000) == 0);
}

/* ---- disks: a small one is mounted over the test's folder, in a mount namespace of this process' own ---- */

static bool mount_disk(const char *how)
{
	static bool own;
	if (!own && (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
		return false;
	own = true;
	return mount("tmpfs", folder, "tmpfs", 0, how) == 0;
}

static bool mount_small_disk(void)
{
	return mount_disk("size=24m,mode=0700");
}

static int tear_down_disk(void **state)
{
	close_storage(0);
	umount2(folder, MNT_DETACH);
	return tear_down(state);
}

static void remount(unsigned long flags)
{
	assert_int_equal(mount("none", folder, NULL, MS_REMOUNT | flags, NULL), 0);
}

static const char *write_big_file(void)
{
	static const char zeros[4096];
	const char *name = in_folder("big");
	int file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	while (write(file, zeros, sizeof zeros) > 0)
		continue;
	close(file);
	return name;
}

/* The documents are there, nothing else is, and it is said once. */
static void test_read_only_disk(void **state)
{
	(void)state;
	if (!mount_small_disk())
		skip();
	open_storage();
	put_retained("all/hearth/auto/state", "1");
	put_reading(1.0, NOON);
	close_storage(PATIENCE_MS);

	remount(MS_RDONLY);
	set_options(in_folder("hearth"), NULL, "1");
	open_storage();
	assert_retained("all/hearth/auto/state=1;");
	wait_for_notice(NOTICE_ERROR, "plugin_opt_state_dir ");
	assert_int_equal(journal_reserve(storage_journal(storage), 64, JOURNAL_CONTROL), 0);
	assert_int_equal(storage_queue(storage), 0);
	assert_true(storage_lag_s(storage, NOON) == 0);
	struct host_sample sample;
	for (int64_t since = now_ms(); !storage_gauges(storage, &sample);)
		look_again(since, "a sample");
	assert_no_notice();
	close_storage(PATIENCE_MS);

	set_options(in_folder("none"), NULL, "0"); /* which cannot be made */
	open_storage();
	wait_for_notice(NOTICE_ERROR, "plugin_opt_state_dir ");
	close_storage(PATIENCE_MS);

	remount(0);
	set_options(in_folder("hearth"), NULL, "0");
	open_storage();
	assert_retained("all/hearth/auto/state=1;");
	put_reading(2.0, NOON);
	close_storage(PATIENCE_MS);
	assert_readings(in_folder("hearth/history.db"), 2, 3);
}

static void test_start_on_a_full_disk(void **state)
{
	(void)state;
	if (!mount_small_disk())
		skip();
	open_storage();
	put_retained("all/hearth/auto/state", "1");
	close_storage(PATIENCE_MS);
	const char *big = write_big_file();
	open_storage();
	assert_retained("all/hearth/auto/state=1;");
	assert_int_equal(journal_reserve(storage_journal(storage), 64, JOURNAL_READING), 0);

	assert_int_equal(unlink(big), 0);
	for (int64_t since = now_ms(); journal_reserve(storage_journal(storage), 4096, JOURNAL_READING) == 0;)
		look_again(since, "room in the journal");
	put_retained("all/hearth/auto/state", "0");
	put_reading(5.0, NOON);
	wait_for_empty_queue();
	close_storage(PATIENCE_MS);
	open_storage();
	assert_retained("all/hearth/auto/state=0;");
	close_storage(PATIENCE_MS);
	assert_readings(in_folder("hearth/history.db"), 1, 5);
}

/* Neither the folder nor the journal can be made: rules that come work, and it is said what to do. */
static void test_first_start_on_a_full_disk(void **state)
{
	(void)state;
	for (int there = 0; there < 2; there++) {
		if (!mount_disk("size=1m,nr_inodes=3,mode=0700"))
			skip();
		if (there)
			assert_int_equal(mkdir(in_folder("hearth"), 0700), 0);
		else
			make_text_file("big");
		make_text_file("large");
		open_storage();
		struct notice notice;
		for (int64_t since = now_ms(); !storage_notice(storage, &notice);)
			look_again(since, "a line");
		assert_non_null(strstr(notice.text, "is on a full disk: "));
		assert_non_null(strstr(notice.text, "Make room on it and restart the broker."));
		assert_int_equal(journal_reserve(storage_journal(storage), 64, JOURNAL_CONTROL), 0);
		assert_no_notice();
		close_storage(PATIENCE_MS);
		umount2(folder, MNT_DETACH);
	}
}

/* ---- the state file ---- */

/* That the rules of a read-only disk work is said, and that these do not. */
static void test_damaged_state_file_on_a_read_only_disk(void **state)
{
	(void)state;
	if (!mount_small_disk())
		skip();
	open_storage();
	put_retained("all/hearth/auto/state", "1");
	close_storage(PATIENCE_MS);
	assert_int_equal(unlink(in_folder("hearth/state.db")), 0);
	make_text_file("hearth/state.db");
	remount(MS_RDONLY);
	open_storage();
	assert_retained("");
	wait_for_notice(NOTICE_ERROR, "plugin_opt_state_dir ");
	struct notice notice;
	for (int64_t since = now_ms(); !storage_notice(storage, &notice);)
		look_again(since, "a second line");
	assert_non_null(strstr(notice.text, "The state file cannot be used: "));
	assert_non_null(strstr(notice.text, "file is not a database"));
	assert_non_null(strstr(notice.text, "not in force"));
	assert_no_notice();
}

/* It is not moved aside in silence. */
static void test_damaged_state_file_of_a_refused_start(void **state)
{
	char store[256], error[1024] = "";

	(void)state;
	open_storage();
	close_storage(PATIENCE_MS);
	assert_int_equal(unlink(in_folder("hearth/state.db")), 0);
	make_text_file("hearth/state.db");
	assert_int_equal(mkdir(in_folder("empty"), 0700), 0);
	snprintf(store, sizeof store, "sqlite:%s", in_folder("empty"));
	set_options(in_folder("hearth"), store, "0");
	assert_null(storage_open(&options, error, sizeof error));
	assert_non_null(strstr(error, "plugin_opt_store "));
	assert_non_null(strstr(error, ". The state file was damaged "));
	assert_null(strchr(error, '\n'));
}

static void test_damaged_state_file(void **state)
{
	(void)state;
	open_storage();
	put_retained("all/hearth/auto/state", "1");
	close_storage(PATIENCE_MS);
	assert_int_equal(unlink(in_folder("hearth/state.db")), 0);
	make_text_file("hearth/state.db");
	open_storage();
	assert_retained("all/hearth/auto/state=1;"); /* from the journal */
	wait_for_notice(NOTICE_ERROR, "The state file was damaged ");
	assert_no_notice();
}

/*
 * Another program has a transaction open on a database until the returned end of a pipe is closed; storage must be closed.
 * It is another process, since SQLite would hand file descriptors over between threads that have tables of their own.
 */
static int lock_elsewhere(const char *path)
{
	int ready[2], release[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(release), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		sqlite3 *database;
		close(release[1]);
		if (sqlite3_open(path, &database) != SQLITE_OK ||
		    sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK || write(ready[1], "", 1) != 1)
			_exit(1);
		_exit(read(release[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	close(release[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return release[1];
}

static void release_elsewhere(int end)
{
	int status;
	close(end);
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
}

/* What was acknowledged is in force, though the file could not be written since. */
static void test_locked_state_file(void **state)
{
	(void)state;
	open_storage();
	put_retained("all/hearth/auto/state", "1");
	close_storage(PATIENCE_MS);
	int lock = lock_elsewhere(in_folder("hearth/state.db"));
	open_storage();
	put_retained("all/hearth/auto/state", "0");
	put_retained("hall/door1/door/config", "{}");
	wait_for_notice(NOTICE_ERROR, "The state file cannot be written: ");
	close_storage(0);
	open_storage();
	assert_retained("all/hearth/auto/state=0;hall/door1/door/config={};");
	wait_for_notice(NOTICE_ERROR, "The state file cannot be written: ");
	release_elsewhere(lock);
	wait_for_notice(NOTICE_INFO, "The state file is written again after ");
	close_storage(0);
	open_storage();
	assert_retained("all/hearth/auto/state=0;hall/door1/door/config={};");
	assert_no_notice();
}

/* ---- readings ---- */

static void test_reading_is_stored_at_close(void **state)
{
	(void)state;
	open_storage();
	put_reading(23.5, NOON + 123456);
	close_storage(PATIENCE_MS);
	assert_string_equal(ask(in_folder("hearth/history.db"),
	                        "SELECT printf('%s %s/%s/%s/%s %s %s', time, location, device, sensor, subject, value,"
	                        " coalesce(text, '-')) FROM readings"),
	                    "2026-11-22T12:00:00.123456Z 거실/uno1/temperature/value 23.5 -");
}

/* More than one batch. */
static void test_close_drains(void **state)
{
	enum { READINGS = 20000 };

	(void)state;
	open_storage();
	for (int i = 1; i <= READINGS; i++)
		put_reading(i, NOON + i);
	close_storage(PATIENCE_MS);
	assert_readings(in_folder("hearth/history.db"), READINGS, READINGS / 2 * (READINGS + 1));
}

/* Whatever part is stored when it is closed in a hurry, the next run stores the rest, and nothing twice. */
static void test_close_in_a_hurry(void **state)
{
	enum { READINGS = 20000, RUNS = 4 };

	(void)state;
	for (int run = 0; run < RUNS; run++) {
		open_storage();
		for (int i = 1; i <= READINGS / RUNS; i++)
			put_reading(i, NOON + run * READINGS + i);
		close_storage(0);
	}
	open_storage();
	close_storage(PATIENCE_MS);
	assert_readings(in_folder("hearth/history.db"), READINGS, RUNS * (READINGS / RUNS) / 2 * (READINGS / RUNS + 1));
}

static void test_queue_empties(void **state)
{
	(void)state;
	open_storage();
	for (int round = 1; round <= 3; round++) {
		for (int i = 0; i < 100; i++)
			put_reading(round, NOON + round);
		wait_for_empty_queue();
	}
	close_storage(0); /* nothing is left to do */
	assert_readings(in_folder("hearth/history.db"), 300, 600);
}

/* ---- retained documents ---- */

static void test_retained_come_back(void **state)
{
	(void)state;
	open_storage();
	assert_retained("");
	put_retained("livingroom/uno1/temperature/config", "{\"min\":1}");
	put_retained("livingroom/uno1/temperature/config", "{\"min\":2}");
	put_retained("all/hearth/auto/state", "0");
	put_retained("hall/door1/door/config", "{}");
	put_retained("hall/door1/door/config", "");
	put_retained("all/hearth/auto/state", "1");
	assert_retained(""); /* as they were when it was opened */
	close_storage(PATIENCE_MS);

	open_storage();
	assert_retained("all/hearth/auto/state=1;hall/door1/door/config=;livingroom/uno1/temperature/config={\"min\":2};");
	put_retained("hall/door1/door/config", "{\"max\":3}");
	put_retained("all/hearth/auto/state", "");
	close_storage(PATIENCE_MS);

	open_storage();
	assert_retained("all/hearth/auto/state=;hall/door1/door/config={\"max\":3};"
	                "livingroom/uno1/temperature/config={\"min\":2};");
}

/* They do not wait for the history store, nor for a drain. */
static void test_retained_without_a_store(void **state)
{
	char store[256];

	(void)state;
	snprintf(store, sizeof store, "sqlite:%s", in_folder("none/history.db"));
	set_options(in_folder("hearth"), store, "0");
	open_storage();
	put_retained("all/hearth/auto/state", "0");
	put_retained("all/hearth/auto/state", "1");
	close_storage(0);
	open_storage();
	assert_retained("all/hearth/auto/state=1;");
}

/* A state file that was lost is made again of what the journal still holds. */
static void test_retained_from_the_journal(void **state)
{
	(void)state;
	open_storage();
	put_retained("all/hearth/auto/state", "0");
	put_retained("all/hearth/auto/state", "1");
	close_storage(PATIENCE_MS);
	assert_int_equal(unlink(in_folder("hearth/state.db")), 0);
	open_storage();
	assert_retained("all/hearth/auto/state=1;");
}

/* ---- gauges ---- */

static void test_documents_come_back(void **state)
{
	(void)state;
	open_storage();
	assert_documents("", true);
	put_document("account/anna", "{1}");
	put_document("account/ben", "{2}");
	put_document("account/anna", "");
	put_document("session/거실", "{3}");
	assert_documents("", true); /* as they were when it was opened */
	close_storage(PATIENCE_MS);

	open_storage();
	assert_documents("account/ben={2};session/거실={3};", true);
	storage_forget_retained(storage);
	assert_documents("account/ben={2};session/거실={3};", true);
	storage_forget_documents(storage);
	storage_forget_documents(storage);
	assert_documents("", true);
	put_document("account/ben", "");
	close_storage(PATIENCE_MS);
	open_storage();
	assert_documents("session/거실={3};", true);
}

/* A damaged state file: nobody may take what is left for all the accounts there are. */
static void test_documents_of_a_damaged_state_file(void **state)
{
	(void)state;
	open_storage();
	put_document("account/anna", "{1}");
	close_storage(PATIENCE_MS);
	assert_int_equal(unlink(in_folder("hearth/state.db")), 0);
	make_text_file("hearth/state.db");
	open_storage();
	assert_documents("account/anna={1};", false); /* from the journal, by chance */
	wait_for_notice(NOTICE_ERROR, "The state file was damaged ");
	close_storage(PATIENCE_MS);
	open_storage();
	assert_documents("account/anna={1};", true);
}

static void test_gauges(void **state)
{
	(void)state;
	set_options(in_folder("hearth"), NULL, "1");
	open_storage();
	int64_t since = now_ms();
	for (int samples = 0; samples < 2; samples++) {
		struct host_sample sample;
		while (!storage_gauges(storage, &sample))
			look_again(since, "a sample");
		assert_true(sample.known[HOST_MEMORY]);
		assert_true(sample.known[HOST_DISK]); /* the state folder's file system: it was made before */
		assert_true(sample.value[HOST_DISK] >= 0.0 && sample.value[HOST_DISK] <= 100.0);
	}
	assert_true(now_ms() - since >= 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fresh_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_null, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_opens_nothing_here, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_error_of_a_second_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_error_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_queue_of_an_idle_house, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_store_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_store_with_a_damaged_first_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_store_away_until_the_next_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lag, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_only_disk, set_up, tear_down_disk),
		cmocka_unit_test_setup_teardown(test_start_on_a_full_disk, set_up, tear_down_disk),
		cmocka_unit_test_setup_teardown(test_first_start_on_a_full_disk, set_up, tear_down_disk),
		cmocka_unit_test_setup_teardown(test_damaged_state_file_on_a_read_only_disk, set_up, tear_down_disk),
		cmocka_unit_test_setup_teardown(test_damaged_state_file_of_a_refused_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_state_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_locked_state_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reading_is_stored_at_close, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_drains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_in_a_hurry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_queue_empties, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_retained_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_retained_without_a_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_retained_from_the_journal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_documents_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_documents_of_a_damaged_state_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gauges, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("storage", tests, NULL, NULL);
}
