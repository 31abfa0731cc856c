/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer: every reading that went into the journal is in the store exactly once, whatever fails in between. The store
 * is the real one behind a set of functions that fail on demand; each reading's value is its number, so that a lost or
 * doubled one shows in three sums.
 */
#include "record.h"
#include "writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOON         INT64_C(1795348800000000) /* 2026-11-22T12:00:00Z */
#define SERIES       10
#define SEGMENT      65536
#define PATIENCE_MS  60000 /* only a failing test waits so long */

static char folder[64], path[96], journal_path[96];
static struct journal *journal;
static struct mailbox *notices;
static struct writer *writer;       /* that runs */
static uint64_t defined_in[SERIES]; /* segment that has the series' name */
static int appended;
static size_t batch_rows; /* for the next writer; 0: its own default */
static int sync_every_ms; /* likewise */
static int foreign_ms;    /* likewise */
static int settle_ms;     /* likewise */
static int upkeep_every_ms;
static const char *node;

/* ---- the store that fails on demand ---- */

enum fault {
	FAULT_NONE,
	FAULT_OPEN,          /* cannot be reached */
	FAULT_OPEN_NEVER,    /* will never work */
	FAULT_POSITION,      /* breaks when asked for the position */
	FAULT_SERIES,        /* breaks when asked for a series */
	FAULT_BEFORE_COMMIT, /* breaks before anything is stored */
	FAULT_AFTER_COMMIT,  /* stores, and the answer is lost */
	FAULT_MOVED,         /* says that the position was another */
	FAULT_SYNC,          /* cannot make durable what it stored */
	FAULT_LIE            /* says OK and stores nothing, as a cluster can */
};

static atomic_int fault;       /* which; back to FAULT_NONE when it has struck */
static atomic_int fault_delay; /* after so many calls that it could have struck in */
static atomic_bool sync_fails;
static atomic_bool synced_anew; /* as the last sync that worked was asked for */
static atomic_uint attempt;     /* as the last open was told */
static atomic_size_t reject;    /* rows that the next write says it has kept aside */

/* Upkeep, as it is asked for and as it goes. */
static atomic_int upkeeps;          /* so many so far */
static atomic_int upkeep_steps;     /* so many more are wanted at once */
static atomic_uint upkeep_raw_days; /* as the last was told */
static atomic_uint upkeep_minute_days;
static atomic_bool upkeep_fails;
static atomic_bool upkeep_in_transaction; /* one was asked for between a new series and its rows */
static atomic_bool in_transaction;

static bool strikes(enum fault which)
{
	if (atomic_load(&fault) != (int)which || atomic_fetch_sub(&fault_delay, 1) > 0)
		return false;
	atomic_store(&fault, FAULT_NONE);
	return true;
}

static enum store_result faulty_open(const struct store_place *place, struct store **out, char *error,
                                     size_t error_size)
{
	*out = NULL;
	atomic_store(&attempt, place->attempt);
	atomic_store(&in_transaction, false);
	snprintf(error, error_size, "made to fail");
	if (strikes(FAULT_OPEN))
		return STORE_AWAY;
	if (strikes(FAULT_OPEN_NEVER))
		return STORE_NEVER;
	return store_sqlite.open(place, out, error, error_size);
}

static void faulty_close(struct store *store)
{
	store_sqlite.close(store);
}

static enum store_result faulty_position(struct store *store, uint64_t id, struct store_position *out)
{
	return strikes(FAULT_POSITION) ? STORE_AWAY : store_sqlite.position(store, id, out);
}

static enum store_result faulty_series(struct store *store, const struct topic *topic, int64_t *id)
{
	atomic_store(&in_transaction, true);
	return strikes(FAULT_SERIES) ? STORE_AWAY : store_sqlite.series(store, topic, id);
}

static enum store_result faulty_write(struct store *store, const struct store_batch *batch, size_t *rejected)
{
	atomic_store(&in_transaction, false);
	if (strikes(FAULT_BEFORE_COMMIT))
		return STORE_AWAY;
	if (strikes(FAULT_MOVED))
		return STORE_MOVED;
	if (strikes(FAULT_LIE))
		return STORE_OK;
	enum store_result result = store_sqlite.write(store, batch, rejected);
	*rejected += atomic_exchange(&reject, 0);
	return strikes(FAULT_AFTER_COMMIT) ? STORE_AWAY : result;
}

static enum store_result faulty_rename(struct store *store, const struct store_rename *rename, size_t *renamed,
                                       size_t *kept)
{
	return store_sqlite.rename(store, rename, renamed, kept);
}

static enum store_result faulty_sync(struct store *store, bool anew)
{
	if (strikes(FAULT_SYNC) || atomic_load(&sync_fails))
		return STORE_AWAY;
	enum store_result result = store_sqlite.sync(store, anew);
	if (result == STORE_OK)
		atomic_store(&synced_anew, anew);
	return result;
}

static enum store_result faulty_upkeep(struct store *store, const struct store_keep *keep, bool *more)
{
	(void)store;
	assert_true(keep->now_us > NOON - INT64_C(31536000000000));
	atomic_store(&upkeep_raw_days, keep->raw_days);
	atomic_store(&upkeep_minute_days, keep->minute_days);
	if (atomic_load(&in_transaction))
		atomic_store(&upkeep_in_transaction, true);
	*more = atomic_load(&upkeep_steps) > 0 && atomic_fetch_sub(&upkeep_steps, 1) > 1;
	atomic_fetch_add(&upkeeps, 1);
	return atomic_load(&upkeep_fails) ? STORE_AWAY : STORE_OK;
}

static const char *faulty_error(const struct store *store)
{
	return store_sqlite.error(store);
}

static const struct store_ops store_faulty = {
	.scheme = "faulty",
	.open = faulty_open,
	.close = faulty_close,
	.position = faulty_position,
	.series = faulty_series,
	.write = faulty_write,
	.rename = faulty_rename,
	.sync = faulty_sync,
	.upkeep = faulty_upkeep,
	.error = faulty_error,
};

/* ---- the journal ---- */

static void open_journal(void)
{
	char error[256] = "";
	struct journal_options options = {.directory = journal_path, .quota = 64 << 20, .segment_size = SEGMENT};
	journal = journal_open(&options, error, sizeof error);
	if (!journal)
		fail_msg("%s", error);
	memset(defined_in, 0, sizeof defined_in);
}

static void close_journal(void)
{
	if (journal)
		journal_close(journal);
	journal = NULL;
}

static uint64_t reserve(size_t bytes)
{
	char error[256] = "";
	uint64_t segment = journal_reserve(journal, bytes, JOURNAL_READING);
	if (segment != 0)
		return segment;
	if (!journal_sync(journal, error, sizeof error))
		fail_msg("%s", error);
	segment = journal_reserve(journal, bytes, JOURNAL_READING);
	assert_true(segment != 0);
	return segment;
}

static void append_name(uint32_t number, const char *name)
{
	uint8_t record[128];
	size_t len = record_put_series(record, number, slice_of(name));
	assert_true(journal_append(journal, RECORD_SERIES, record, len) != 0);
}

/* One reading of a series, which is named first where its segment does not know it. */
static uint64_t append_reading(uint32_t number, int64_t time_us, bool device_time, struct value value)
{
	uint8_t record[RECORD_READING_MAX];
	uint64_t segment = reserve(journal_record_size(128) + journal_record_size(sizeof record));
	if (defined_in[number] != segment) {
		char name[64];
		snprintf(name, sizeof name, "room%u/node/temperature/value", number);
		append_name(number, name);
		defined_in[number] = segment;
	}
	size_t len = record_put_reading(record, number, time_us, device_time, &value);
	uint64_t position = journal_append(journal, RECORD_READING, record, len);
	assert_true(position != 0);
	return position;
}

static uint64_t append_value(uint32_t number, struct value value)
{
	return append_reading(number, NOON + appended, false, value);
}

/* Readings with the values `appended`, `appended` + 1 … */
static void append(int count)
{
	for (; count > 0; count--) {
		append_value((uint32_t)(appended % SERIES), value_of_number(appended));
		appended++;
	}
}

static void append_retained(size_t payload_len)
{
	static char payload[32768];
	static uint8_t record[sizeof payload + 256];
	reserve(journal_record_size(sizeof record));
	size_t len =
		record_put_retained(record, NOON, slice_of("a/b/c/config"), (struct slice){payload, payload_len}, slice_of(""));
	assert_true(journal_append(journal, RECORD_RETAINED, record, len) != 0);
}

/* ---- fixture ---- */

static void start_at(const char *location)
{
	struct writer_options options = {
		.journal = journal,
		.ops = &store_faulty,
		.place = {.location = location, .node = node},
		.keep_raw_days = 400,
		.keep_minute_days = 30,
		.notices = notices,
		.batch_rows = batch_rows,
		.sync_every_ms = sync_every_ms,
		.foreign_ms = foreign_ms,
		.settle_ms = settle_ms,
		.upkeep_every_ms = upkeep_every_ms,
	};
	writer = writer_start(&options);
	assert_non_null(writer);
}

static void start(void)
{
	start_at(path);
}

static void stop(int drain_ms)
{
	writer_stop(writer, drain_ms);
	writer = NULL;
}

static int set_up(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/history.db", folder);
	snprintf(journal_path, sizeof journal_path, "%s/journal", folder);
	notices = mailbox_new(sizeof(struct notice), 64);
	appended = 0;
	batch_rows = 0;
	sync_every_ms = 0;
	foreign_ms = 0;
	settle_ms = 0;
	upkeep_every_ms = 0;
	atomic_store(&upkeeps, 0);
	atomic_store(&upkeep_steps, 0);
	atomic_store(&upkeep_fails, false);
	atomic_store(&upkeep_in_transaction, false);
	atomic_store(&reject, 0);
	node = "house";
	atomic_store(&fault, FAULT_NONE);
	atomic_store(&sync_fails, false);
	open_journal();
	return notices ? 0 : -1;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static int tear_down(void **state)
{
	(void)state;
	stop(0);
	close_journal();
	mailbox_free(notices);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

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

static void wait_until_all_is_stored(void)
{
	int64_t since_ms = now_ms();
	while (writer_position(writer) != journal_head(journal))
		look_again(since_ms, "the writer to reach the journal's head");
}

static void wait_until_fault_has_struck(void)
{
	int64_t since_ms = now_ms();
	while (atomic_load(&fault) != FAULT_NONE)
		look_again(since_ms, "the fault to strike");
}

/* The next notice must have these words in it. */
static void expect_notice(const char *words)
{
	struct notice notice;
	int64_t since_ms = now_ms();
	while (!mailbox_get(notices, &notice))
		look_again(since_ms, words);
	if (!strstr(notice.text, words))
		fail_msg("%s", notice.text);
}

static void expect_no_notice(void)
{
	struct notice notice;
	if (mailbox_get(notices, &notice))
		fail_msg("%s", notice.text);
}

/* One row of SQL on the history file, columns joined by '|'. */
static const char *ask(const char *sql)
{
	static char result[512];
	sqlite3 *database;
	sqlite3_stmt *statement;

	result[0] = '\0';
	assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(database, 5000);
	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(database));
	size_t len = 0;
	if (sqlite3_step(statement) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(statement); i++)
			len += (size_t)snprintf(result + len, sizeof result - len, "%s%s", i > 0 ? "|" : "",
			                        (const char *)sqlite3_column_text(statement, i));
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	sqlite3_close(database);
	return result;
}

/* All that was appended is there exactly once, under its series and time. */
static void expect_exactly_once(void)
{
	char wanted[128];
	long long n = appended;
	snprintf(wanted, sizeof wanted, "%lld|%lld|%lld|%lld", n, n, n * (n - 1) / 2, n);
	assert_string_equal(ask("SELECT count(*), count(DISTINCT value), CAST(sum(value) AS INTEGER),"
	                        " sum(ts = 1795348800000000 + value AND"
	                        "     location = 'room' || CAST(value % 10 AS INTEGER))"
	                        " FROM reading JOIN series ON series.id = series_id"),
	                    wanted);
}

/* ---- the way of a reading ---- */

static void readings_arrive_as_they_were(void **state)
{
	(void)state;
	char sql[128];
	struct value word = {.number = 1, .is_number = true, .text = slice_of("open")};
	append_retained(10);
	uint64_t position = append_value(3, word);
	assert_true(journal_reserve(journal, 64, JOURNAL_READING) != 0);
	assert_true(journal_append(journal, 200, "a record of a later Hearth", 26) != 0);
	append_value(4, (struct value){.text = slice_of("잠김")});
	append_name(7, "room7/node/temperature/value"); /* and never a reading */

	start();
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 2);
	stop(0);
	snprintf(sql, sizeof sql, "SELECT seq = %llu, value, txt FROM reading WHERE txt = 'open'",
	         (unsigned long long)position);
	assert_string_equal(ask(sql), "1|1.0|open");
	assert_string_equal(ask("SELECT time, location, device, sensor, subject, text FROM readings WHERE text = '잠김'"),
	                    "2026-11-22T12:00:00.000000Z|room4|node|temperature|value|잠김");
	assert_string_equal(ask("SELECT count(*) FROM series"), "2");
	expect_no_notice();
}

static void long_texts_survive_a_batch(void **state)
{
	(void)state;
	enum { TEXTS = 600 }; /* more than a batch has room for */
	static char text[VALUE_TEXT_MAX];
	for (int i = 0; i < TEXTS; i++) {
		memset(text, 'a' + i % 26, sizeof text);
		append_value(0, (struct value){.text = {text, sizeof text - (size_t)(i % 2)}});
		appended++;
	}
	start();
	wait_until_all_is_stored();
	stop(0);
	assert_string_equal(ask("SELECT count(*), sum(length(txt)), sum(txt = replace(printf('%.*c', 4096 - i % 2, 'x'),"
	                        " 'x', char(97 + i % 26))) FROM (SELECT txt, ts - 1795348800000000 AS i FROM reading)"),
	                    "600|2457300|600");
}

static void readings_are_stored_while_more_come(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 40; i++) {
		append(500);
		if (i % 10 == 0)
			wait_until_all_is_stored();
	}
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 20000);
	stop(0);
	expect_exactly_once();
	expect_no_notice();
}

static void the_position_passes_over_other_records(void **state)
{
	(void)state;
	start();
	append_retained(10);
	wait_until_all_is_stored(); /* idle with progress */
	for (int i = 0; i < 100; i++)
		append_retained(30000);
	wait_until_all_is_stored();
	append(1);
	wait_until_all_is_stored();
	stop(0);
	expect_exactly_once();
}

static void a_stop_stores_the_rest(void **state)
{
	(void)state;
	append(30000);
	start();
	stop(PATIENCE_MS);
	expect_exactly_once();
	append(100);
	start();
	stop(0); /* no time at all: whatever it did, nothing is lost */
	start();
	stop(PATIENCE_MS);
	expect_exactly_once();
}

/* ---- faults ---- */

static void nothing_is_lost_or_doubled_by_a_fault(void **state)
{
	(void)state;
	static const struct {
		enum fault fault;
		int delay;
		bool outage; /* it is announced */
	} cases[] = {
		{FAULT_MOVED, 0, false},       {FAULT_MOVED, 2, false},       {FAULT_LIE, 0, false},
		{FAULT_LIE, 1, false},         {FAULT_LIE, 2, false},         {FAULT_AFTER_COMMIT, 0, true},
		{FAULT_AFTER_COMMIT, 1, true}, {FAULT_AFTER_COMMIT, 2, true}, {FAULT_BEFORE_COMMIT, 1, true},
		{FAULT_SERIES, 4, true},       {FAULT_POSITION, 0, true},     {FAULT_POSITION, 1, true},
		{FAULT_OPEN, 0, true},         {FAULT_OPEN_NEVER, 0, true},
	};
	batch_rows = 5000;
	for (size_t i = 0; i < COUNT(cases); i++) {
		append(12000); /* three batches */
		atomic_store(&fault_delay, cases[i].delay);
		atomic_store(&fault, cases[i].fault);
		start();
		wait_until_fault_has_struck();
		if (cases[i].outage) {
			append(100);
			expect_notice("cannot be used");
			expect_notice("works again");
		}
		wait_until_all_is_stored();
		stop(0);
		expect_exactly_once();
		expect_no_notice();
	}
}

static void writers_may_end_at_any_moment(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		append(1500);
		start();
		uint64_t wanted = (uint64_t)(i % 3) * 700;
		for (int64_t since_ms = now_ms(); writer_stored(writer) < wanted;)
			look_again(since_ms, "some rows");
		append(100);
		stop(i % 2);
		if (i % 5 == 0) {
			close_journal();
			open_journal();
		}
	}
	start();
	stop(PATIENCE_MS);
	expect_exactly_once();
}

/* Runs a writer in a process of its own until it is killed. */
static void run_to_be_killed(void)
{
	open_journal();
	start();
	for (;;)
		pause();
}

static void a_killed_writer_loses_nothing(void **state)
{
	(void)state;
	append(100000);
	close_journal();
	for (int i = 0; i < 6; i++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0)
			run_to_be_killed();
		nanosleep(&(struct timespec){0, (5 + 12 * i) * 1000000}, NULL); /* the moment itself does not matter */
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	open_journal();
	append(1);
	start();
	wait_until_all_is_stored();
	stop(0);
	expect_exactly_once();
}

/* ---- what the journal may be trimmed by ---- */

static void wait_until_durable(uint64_t position)
{
	int64_t since_ms = now_ms();
	while (writer_durable(writer) != position)
		look_again(since_ms, "the store to be durable");
}

static void stored_is_not_durable_before_the_store_is_synced(void **state)
{
	(void)state;
	sync_every_ms = 1000000;
	append(100);
	start();
	wait_until_all_is_stored();
	assert_int_equal(writer_durable(writer), 0);
	stop(0);

	/* Also where nothing new comes, as after a restart. */
	sync_every_ms = 20;
	start();
	wait_until_durable(journal_head(journal));
	append(100);
	wait_until_all_is_stored();
	wait_until_durable(journal_head(journal));

	/* What the disk refused is not durable, and the store is asked anew where it stands. */
	atomic_store(&fault, FAULT_SYNC);
	append(100);
	wait_until_fault_has_struck();
	expect_notice("cannot be used");
	expect_notice("works again");
	wait_until_durable(journal_head(journal));
	stop(0);
	expect_exactly_once();
}

/* An outage that a failed sync began does not end because rows can be written. */
static void a_failed_sync_is_over_with_one_that_works(void **state)
{
	(void)state;
	sync_every_ms = 600; /* longer than the first pause: rows are stored before the next sync */
	append(100);
	start();
	wait_until_durable(journal_head(journal));
	assert_false(atomic_load(&synced_anew));
	atomic_store(&sync_fails, true);
	append(100);
	expect_notice("cannot be used");
	for (int64_t since_ms = now_ms(); now_ms() - since_ms < 2000; append(1)) /* an attempt or two */
		look_again(since_ms, "");
	wait_until_all_is_stored();
	expect_no_notice();
	assert_int_equal(writer_durable(writer), 0);
	atomic_store(&sync_fails, false);
	expect_notice("works again");
	wait_until_durable(journal_head(journal));
	assert_true(atomic_load(&synced_anew));
	append(100);
	wait_until_all_is_stored();
	wait_until_durable(journal_head(journal));
	assert_false(atomic_load(&synced_anew));
	stop(0);
	expect_exactly_once();
	expect_no_notice();
}

/* ---- outages ---- */

static void an_outage_is_told_once(void **state)
{
	(void)state;
	char location[160], missing[128];
	snprintf(missing, sizeof missing, "%s/disk", folder);
	snprintf(location, sizeof location, "%s/history.db", missing);
	append(50);
	start_at(location);
	expect_notice("No such file");
	append(50);
	/* A directory where the file should be can never work when starting, but here a person may mend it. */
	assert_int_equal(mkdir(missing, 0700), 0);
	assert_int_equal(mkdir(location, 0700), 0);
	int64_t since_ms = now_ms();
	while (now_ms() - since_ms < 1500) /* an attempt or two */
		look_again(since_ms, "");
	expect_no_notice();
	assert_int_equal(writer_position(writer), 0);
	assert_int_equal(rmdir(location), 0);
	expect_notice("works again: 100 waiting readings");
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 100);
	stop(0);
	expect_no_notice();
}

static void a_locked_file_is_waited_for(void **state)
{
	(void)state;
	sqlite3 *other;
	start();
	append(10);
	wait_until_all_is_stored();
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	append(10);
	expect_notice("locked");
	append(10);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	expect_notice("works again: 20 waiting readings");
	stop(0);
	expect_exactly_once();
}

/* Locks the history file against writers. */
static sqlite3 *lock_the_file(void)
{
	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return other;
}

static void release_the_file(sqlite3 *other)
{
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
}

/* However long it was away, a store is tried again every few seconds. */
static void a_store_that_works_again_is_used_soon(void **state)
{
	(void)state;
	enum { AWAY_MS = 9200, SOON_MS = 2900 }; /* at worst the longest pause, and a look at the lock */
	start();
	append(10);
	wait_until_all_is_stored();
	sqlite3 *other = lock_the_file();
	append(10);
	for (int64_t since_ms = now_ms(); now_ms() - since_ms < AWAY_MS;)
		look_again(since_ms, "");
	int64_t since_ms = now_ms();
	release_the_file(other);
	expect_notice("locked");
	expect_notice("works again: 10 waiting readings");
	assert_true(now_ms() - since_ms < SOON_MS);
	stop(0);
	expect_exactly_once();
}

static void wait_for_waiting_since(int64_t wanted_us)
{
	int64_t since_ms = now_ms();
	while (writer_waiting_since_us(writer) != wanted_us)
		look_again(since_ms, "the oldest reading's time");
}

static void the_oldest_reading_that_waits_is_known(void **state)
{
	(void)state;
	batch_rows = 1000;
	start();
	assert_int_equal(writer_waiting_since_us(writer), 0);
	append(10);
	wait_until_all_is_stored();
	wait_for_waiting_since(0);

	sqlite3 *other = lock_the_file();
	append_reading(1, NOON - 3600000000, true, value_of_number(-1)); /* taken in now, measured an hour ago */
	append_reading(1, NOON + 5000000, false, value_of_number(-2));
	append_reading(1, NOON + 6000000, false, value_of_number(-3));
	append(5000); /* to be gone through in batches */
	wait_for_waiting_since(NOON + 5000000);
	expect_notice("locked");
	assert_int_equal(writer_waiting_since_us(writer), NOON + 5000000);
	release_the_file(other);
	expect_notice("works again");
	wait_for_waiting_since(0);

	/* Where only the device's own clock is known, none is said to wait. */
	other = lock_the_file();
	append_reading(1, NOON - 3600000000, true, value_of_number(-1));
	expect_notice("locked");
	assert_int_equal(writer_waiting_since_us(writer), 0);
	release_the_file(other);
	expect_notice("works again");
}

static void a_deleted_file_is_filled_again_from_the_journal(void **state)
{
	(void)state;
	start();
	append(3000);
	wait_until_all_is_stored();
	assert_int_equal(unlink(path), 0);
	append(10);
	expect_notice("deleted");
	expect_notice("works again: 3010 waiting readings");
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 3010); /* each once */
	stop(0);
	expect_exactly_once();
}

static void a_stop_does_not_wait_for_a_lost_store(void **state)
{
	(void)state;
	start_at(folder); /* a directory */
	append(10);
	expect_notice("directory");
	int64_t since_ms = now_ms();
	stop(PATIENCE_MS);
	assert_true(now_ms() - since_ms < PATIENCE_MS / 2);
}

static void a_second_hearth_of_the_same_name_is_refused(void **state)
{
	(void)state;
	start();
	append(10);
	wait_until_all_is_stored();
	ask("UPDATE ingest_position SET journal = 5, pos = 5");
	append(10);
	expect_notice("another journal's position");
	ask("UPDATE ingest_position SET pos = 6");
	expect_notice("another Hearth");
	ask("UPDATE ingest_position SET pos = 7");
	stop(0);
	assert_string_equal(ask("SELECT count(*), journal, pos FROM reading, ingest_position"), "10|5|7");
	expect_no_notice();
}

/* Only a position that moves is another Hearth's; one that rests is of a history from before this journal. */
static void a_history_from_before_this_journal_is_filled_from_its_begin(void **state)
{
	(void)state;
	foreign_ms = 600;
	start();
	append(10);
	wait_until_all_is_stored();
	ask("DELETE FROM reading");
	ask("UPDATE ingest_position SET journal = 5, pos = 5");
	append(10);
	expect_notice("another journal's position");
	expect_notice("works again: 20 waiting readings");
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 20);
	stop(0);
	expect_exactly_once();
	expect_no_notice();
}

static void a_renamed_broker_stores_nothing_twice(void **state)
{
	(void)state;
	append(100);
	start();
	stop(PATIENCE_MS);
	node = "barn";
	append(10);
	start();
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 10);
	stop(0);
	expect_exactly_once();
	assert_string_equal(ask("SELECT count(*), node FROM ingest_position"), "1|barn");
	expect_no_notice();
}

/* What answered OK and was not there is stored again, and counted once. */
static void a_reading_is_counted_once(void **state)
{
	(void)state;
	batch_rows = 1000;
	append(2500);
	atomic_store(&fault_delay, 1);
	atomic_store(&fault, FAULT_LIE);
	start();
	wait_until_fault_has_struck();
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 2500);
	stop(0);
	expect_exactly_once();
}

/* ---- journals ---- */

static void a_replaced_journal_is_stored_from_its_begin(void **state)
{
	(void)state;
	append(100);
	start();
	stop(PATIENCE_MS);
	close_journal();
	assert_int_equal(nftw(journal_path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	open_journal();
	append(100);
	start();
	wait_until_all_is_stored();
	stop(0);
	expect_exactly_once();
}

static void an_older_copy_of_the_journal_goes_on(void **state)
{
	(void)state;
	char sql[128];
	append(100);
	start();
	stop(PATIENCE_MS);
	/* The store has seen more than this journal knows of. */
	snprintf(sql, sizeof sql, "UPDATE ingest_position SET pos = %llu",
	         (unsigned long long)journal_head(journal) + 100000);
	ask(sql);
	atomic_store(&fault_delay, 0);
	atomic_store(&fault, FAULT_BEFORE_COMMIT); /* the position is read twice before it has moved */
	start();
	append(100);
	wait_until_fault_has_struck();
	append(5000);
	wait_until_all_is_stored();
	stop(0);
	expect_exactly_once();
}

static void series_numbers_may_change_their_meaning(void **state)
{
	(void)state;
	uint8_t record[RECORD_READING_MAX];
	struct value one = value_of_number(1);
	append_value(1, one);
	close_journal();
	open_journal(); /* a new run, a new segment */
	reserve(1000);
	size_t len = record_put_reading(record, 1, NOON, false, &one);
	assert_true(journal_append(journal, RECORD_READING, record, len) != 0); /* not named in this segment */
	append_name(1, "attic/node/light/value");
	assert_true(journal_append(journal, RECORD_READING, record, len) != 0);
	assert_true(journal_append(journal, RECORD_READING, record, len) != 0);
	start();
	wait_until_all_is_stored();
	stop(0);
	assert_string_equal(ask("SELECT sum(location = 'room1'), sum(location = 'attic') FROM readings"), "1|2");
	expect_notice("does not name");
	expect_no_notice();
}

/* Overwrites some bytes in the middle of the journal's oldest segment. */
static void damage_the_journal(void)
{
	char name[384] = "", first[256] = "~";
	DIR *directory = opendir(journal_path);
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		if (strstr(entry->d_name, ".journal") && strcmp(entry->d_name, first) < 0)
			snprintf(first, sizeof first, "%s", entry->d_name);
	closedir(directory);
	snprintf(name, sizeof name, "%s/%s", journal_path, first);
	int file = open(name, O_WRONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(pwrite(file, "DAMAGE", 6, SEGMENT / 2 + 3), 6);
	close(file);
}

static void damage_is_told_and_passed_over(void **state)
{
	(void)state;
	append(5000);
	close_journal();
	damage_the_journal();
	open_journal();
	append(1);
	start();
	wait_until_all_is_stored();
	expect_notice("journal is damaged");
	expect_no_notice();
	int stored = (int)writer_stored(writer);
	stop(0);
	assert_in_range(stored, 5001 - SEGMENT / 2 / 32, 5000); /* at worst the rest of that segment */
	/* It is passed over for good. */
	append(10);
	start();
	wait_until_all_is_stored();
	assert_int_equal(writer_stored(writer), 10);
	stop(0);
	expect_no_notice();
}

/* ---- rejected rows, hosts in turn, upkeep ---- */

static void refused_rows_are_counted_and_told(void **state)
{
	(void)state;
	atomic_store(&reject, 3);
	append(10);
	start();
	wait_until_all_is_stored();
	expect_notice("refuses 3 readings, which are kept in its table reading_reject");
	assert_int_equal(writer_rejected(writer), 3);
	atomic_store(&reject, 4); /* told no sooner than a minute later */
	append(10);
	wait_until_all_is_stored();
	assert_int_equal(writer_rejected(writer), 7);
	expect_no_notice();
}

static void each_loss_begins_with_another_host(void **state)
{
	(void)state;
	atomic_store(&fault, FAULT_OPEN);
	start();
	append(1);
	wait_until_all_is_stored();
	assert_int_equal(atomic_load(&attempt), 1);
	atomic_store(&fault, FAULT_BEFORE_COMMIT);
	append(1);
	wait_until_fault_has_struck();
	wait_until_all_is_stored();
	assert_int_equal(atomic_load(&attempt), 2);
}

static void wait_for_upkeeps(int count)
{
	int64_t since_ms = now_ms();
	while (atomic_load(&upkeeps) < count)
		look_again(since_ms, "upkeep");
}

static void an_opened_store_is_looked_after_before_rows_come(void **state)
{
	(void)state;
	append(5);
	start();
	wait_until_all_is_stored();
	assert_int_equal(atomic_load(&upkeeps), 1);
	assert_false(atomic_load(&upkeep_in_transaction));
	atomic_store(&fault, FAULT_BEFORE_COMMIT); /* another database may be there afterwards */
	append(5);
	wait_until_fault_has_struck();
	wait_until_all_is_stored();
	assert_int_equal(atomic_load(&upkeeps), 2);
}

static void nothing_is_dropped_before_the_clock_can_be_trusted(void **state)
{
	(void)state;
	settle_ms = 300;
	start();
	wait_for_upkeeps(1);
	assert_int_equal(atomic_load(&upkeep_raw_days), 0);
	assert_int_equal(atomic_load(&upkeep_minute_days), 0);
	wait_for_upkeeps(2); /* not an hour later */
	assert_int_equal(atomic_load(&upkeep_raw_days), 400);
	assert_int_equal(atomic_load(&upkeep_minute_days), 30);
}

static void steps_follow_each_other_with_batches_between_them(void **state)
{
	(void)state;
	atomic_store(&upkeep_steps, 20);
	upkeep_every_ms = 3600000;
	start();
	for (int i = 0; i < 10; i++) {
		append(3);
		wait_until_all_is_stored();
	}
	wait_for_upkeeps(20);
	append(3);
	wait_until_all_is_stored();
	assert_int_equal(atomic_load(&upkeeps), 20);
	assert_false(atomic_load(&upkeep_in_transaction));
}

static void upkeep_that_fails_holds_up_nothing(void **state)
{
	(void)state;
	atomic_store(&upkeep_fails, true);
	start();
	append(50);
	wait_until_all_is_stored();
	expect_notice("cannot be looked after");
	append(50);
	wait_until_all_is_stored();
	expect_no_notice();
	assert_int_equal(writer_stored(writer), 100);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(readings_arrive_as_they_were),
		TEST(long_texts_survive_a_batch),
		TEST(readings_are_stored_while_more_come),
		TEST(the_position_passes_over_other_records),
		TEST(a_stop_stores_the_rest),
		TEST(nothing_is_lost_or_doubled_by_a_fault),
		TEST(writers_may_end_at_any_moment),
		TEST(a_killed_writer_loses_nothing),
		TEST(stored_is_not_durable_before_the_store_is_synced),
		TEST(a_failed_sync_is_over_with_one_that_works),
		TEST(an_outage_is_told_once),
		TEST(a_locked_file_is_waited_for),
		TEST(a_store_that_works_again_is_used_soon),
		TEST(the_oldest_reading_that_waits_is_known),
		TEST(a_deleted_file_is_filled_again_from_the_journal),
		TEST(a_stop_does_not_wait_for_a_lost_store),
		TEST(a_second_hearth_of_the_same_name_is_refused),
		TEST(a_history_from_before_this_journal_is_filled_from_its_begin),
		TEST(a_renamed_broker_stores_nothing_twice),
		TEST(a_reading_is_counted_once),
		TEST(a_replaced_journal_is_stored_from_its_begin),
		TEST(an_older_copy_of_the_journal_goes_on),
		TEST(series_numbers_may_change_their_meaning),
		TEST(damage_is_told_and_passed_over),
		TEST(refused_rows_are_counted_and_told),
		TEST(each_loss_begins_with_another_host),
		TEST(an_opened_store_is_looked_after_before_rows_come),
		TEST(nothing_is_dropped_before_the_clock_can_be_trusted),
		TEST(steps_follow_each_other_with_batches_between_them),
		TEST(upkeep_that_fails_holds_up_nothing),
	};
	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
