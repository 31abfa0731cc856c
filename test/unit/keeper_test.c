/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper: what it carries from a real journal into a real state file, what it trims and when, and what it says while
 * the disk refuses. The state file is looked into over a connection of the test's own.
 */
#include "keeper.h"
#include "record.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOON        INT64_C(1795348800000000) /* 2026-11-22T12:00:00Z */
#define SEGMENT     65536
#define PATIENCE_MS 60000 /* only a failing test waits so long */

static char folder[64], path[96], journal_path[96];
static struct journal *journal;
static struct state *file;
static struct host *host;
static struct keeper *keeper; /* that runs */
static struct mailbox *notices, *gauges;
static uint64_t quota;          /* of the journal that is opened next */
static _Atomic uint64_t stored; /* what the history store is said to have */

/* ---- fixture ---- */

static void open_both(void)
{
	char error[256] = "";
	struct journal_options options = {.directory = journal_path, .quota = quota, .segment_size = SEGMENT};
	journal = journal_open(&options, error, sizeof error);
	if (!journal)
		fail_msg("%s", error);
	file = state_open(path, error, sizeof error);
	if (!file)
		fail_msg("%s", error);
}

static void close_both(void)
{
	state_close(file);
	if (journal)
		journal_close(journal);
	file = NULL;
	journal = NULL;
}

static uint64_t told_stored(void *context)
{
	return atomic_load((_Atomic uint64_t *)context);
}

static uint64_t (*ask_stored)(void *context);
static int reserve_ms, sync_ms; /* for the next keeper */

static void start(int trim_behind_ms, int gauges_every_s)
{
	struct keeper_options options = {.journal = journal,
	                                 .state = file,
	                                 .host = host,
	                                 .sync_ms = sync_ms,
	                                 .gauges_every_s = gauges_every_s,
	                                 .trim_behind_ms = trim_behind_ms,
	                                 .reserve_ms = reserve_ms,
	                                 .notices = notices,
	                                 .gauges = gauges,
	                                 .stored = ask_stored,
	                                 .context = &stored};
	keeper = keeper_start(&options);
	assert_non_null(keeper);
}

static void stop(void)
{
	keeper_stop(keeper);
	keeper = NULL;
}

static int set_up(void **state)
{
	(void)state;
	reserve_ms = 0;
	sync_ms = 10;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/state.db", folder);
	snprintf(journal_path, sizeof journal_path, "%s/journal", folder);
	atomic_store(&stored, 0);
	ask_stored = told_stored;
	quota = 64 << 20;
	notices = mailbox_new(sizeof(struct notice), 16);
	gauges = mailbox_new(sizeof(struct host_sample), 16);
	host = host_new("", folder);
	open_both();
	return notices && gauges && host ? 0 : -1;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static int remove_inside(const char *name, const struct stat *status, int type, struct FTW *place)
{
	return place->level == 0 ? 0 : remove_one(name, status, type, place);
}

static int tear_down(void **state)
{
	(void)state;
	stop();
	close_both();
	mailbox_free(notices);
	mailbox_free(gauges);
	host_free(host);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
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

/* All retained documents in the state file, "topic=payload " each. */
static const char *contents(void)
{
	static char text[1024];
	size_t len = 0;
	sqlite3 *database;
	sqlite3_stmt *statement;

	text[0] = '\0';
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	sqlite3_busy_timeout(database, 5000);
	assert_int_equal(sqlite3_prepare_v2(database, "SELECT topic || '=' || payload FROM retained ORDER BY topic", -1,
	                                    &statement, NULL),
	                 SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s ", (const char *)sqlite3_column_text(statement, 0));
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	sqlite3_close(database);
	return text;
}

static void wait_for_contents(const char *wanted)
{
	int64_t since_ms = now_ms();
	while (strcmp(contents(), wanted) != 0)
		look_again(since_ms, wanted);
}

static uint64_t state_file_position(void)
{
	uint64_t position = 0;
	assert_true(state_position(file, journal_id(journal), &position));
	return position;
}

/* ---- the journal ---- */

static void append(uint8_t type, const uint8_t *record, size_t len)
{
	int64_t since_ms = now_ms();
	while (journal_reserve(journal, journal_record_size(len), JOURNAL_CONTROL) == 0) {
		if (!keeper)
			assert_true(journal_sync(journal, (char[256]){0}, 256));
		else
			look_again(since_ms, "room in the journal");
	}
	assert_true(journal_append(journal, type, record, len) != 0);
}

static void append_retained(const char *topic, const char *payload)
{
	uint8_t record[512];
	append(RECORD_RETAINED, record,
	       record_put_retained(record, NOON, slice_of(topic), slice_of(payload), slice_of("anna")));
}

/* One record of a name and a body each; NULL ends them. Returns the journal's head behind it. */
static uint64_t append_documents(const char *const *names_and_bodies)
{
	uint8_t record[512];
	struct document documents[8];
	size_t count = 0;
	for (const char *const *at = names_and_bodies; *at; at += 2)
		documents[count++] = (struct document){slice_of(at[0]), slice_of(at[1])};
	append(RECORD_DOCUMENTS, record, record_put_documents(record, NOON, documents, count));
	return journal_head(journal);
}

#define DOCUMENTS(...) append_documents((const char *const[]){__VA_ARGS__, NULL})

/* So many bytes, or a little more, of readings. */
static void append_readings(int bytes)
{
	uint8_t record[RECORD_READING_MAX];
	struct value one = value_of_number(1);
	size_t len = record_put_reading(record, 1, NOON, false, &one);
	for (int done = 0; done < bytes; done += (int)journal_record_size(len))
		append(RECORD_READING, record, len);
}

/* ---- catching up ---- */

static void catching_up_takes_in_what_is_new(void **state)
{
	(void)state;
	char error[256] = "";
	append_retained("a/b/c/config", "1");
	append_retained("a/b/d/config", "2");
	append_readings(3 * SEGMENT);
	append_retained("a/b/c/config", "3");
	append_retained("a/b/d/config", "");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_string_equal(contents(), "a/b/c/config=3 a/b/d/config= ");
	assert_int_equal(state_file_position(), journal_head(journal));

	/* What has been taken in is not taken in again: nobody else writes here, so a mark would stay. */
	assert_true(state_begin(file));
	assert_true(state_put_retained(file, slice_of("a/b/c/config"), slice_of("mark"), slice_of(""), NOON));
	assert_true(state_commit(file, journal_id(journal), journal_head(journal)));
	close_both();
	open_both();
	append_retained("a/b/e/config", "4");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_string_equal(contents(), "a/b/c/config=mark a/b/d/config= a/b/e/config=4 ");
}

static void add_retained(void *context, struct slice topic, struct slice payload, struct slice author, int64_t time_us)
{
	size_t len = strlen(context);
	(void)author, (void)time_us;
	snprintf((char *)context + len, 256 - len, "%.*s=%.*s ", (int)topic.len, topic.ptr, (int)payload.len,
	         payload.len > 0 ? payload.ptr : "");
}

/* What the state gives, from wherever it has it. */
static const char *documents(void)
{
	static char text[256];
	text[0] = '\0';
	assert_true(state_each_retained(file, add_retained, text));
	return text;
}

static void add_document(void *context, const struct document *document, int64_t time_us)
{
	size_t len = strlen(context);
	assert_int_equal(time_us, NOON);
	snprintf((char *)context + len, 256 - len, "%.*s=%.*s ", (int)document->name.len, document->name.ptr,
	         (int)document->body.len, document->body.ptr);
}

/* The accounts that the state gives. */
static const char *accounts(void)
{
	static char text[256];
	text[0] = '\0';
	assert_true(state_each_document(file, add_document, text));
	return text;
}

/* Somebody else has a transaction open on the state file. */
static sqlite3 *lock_state_file(void)
{
	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return other;
}

static void release_state_file(sqlite3 *other)
{
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
}

/* The start is not refused: what the journal has is known, and goes into the file when that can be written. */
static void catching_up_goes_on_in_memory(void **state)
{
	(void)state;
	char error[256] = "";
	append_retained("a/b/d/config", "0");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	append_retained("a/b/c/config", "1");
	append_readings(3 * SEGMENT);
	uint64_t begin = journal_begin(journal);
	atomic_store(&stored, UINT64_MAX);
	sqlite3 *other = lock_state_file();
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_false(state_saved(file));
	assert_non_null(strstr(state_error(file), "locked"));
	assert_string_equal(documents(), "a/b/c/config=1 a/b/d/config=0 ");
	assert_string_equal(contents(), "a/b/d/config=0 ");

	start(1, 0);
	expect_notice("The state file cannot be written: ");
	append_retained("a/b/d/config", "2");
	for (int64_t since_ms = now_ms();
	     now_ms() - since_ms < 3000;) /* an attempt or two, each of which waits for the lock */
		look_again(since_ms, "");
	expect_no_notice();
	assert_int_equal(journal_begin(journal), begin);

	release_state_file(other);
	expect_notice("The state file is written again after ");
	wait_for_contents("a/b/c/config=1 a/b/d/config=2 ");
	int64_t since_ms = now_ms();
	while (journal_begin(journal) != begin + 3 * SEGMENT)
		look_again(since_ms, "the trim");
	stop();
	assert_true(state_saved(file));
	expect_no_notice();
}

/* Room that the state file may be waiting for is made, as far as no change is lost. */
static void trimming_goes_on_up_to_a_change_in_memory(void **state)
{
	(void)state;
	char error[256] = "";
	append_retained("a/b/c/config", "1");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	append_readings(3 * SEGMENT);
	uint64_t begin = journal_begin(journal);
	atomic_store(&stored, UINT64_MAX);
	sqlite3 *other = lock_state_file();
	assert_true(state_detach(file));
	start(1, 0);
	expect_notice("The state file cannot be written: ");
	int64_t since_ms = now_ms();
	while (journal_begin(journal) != begin + 3 * SEGMENT)
		look_again(since_ms, "the trim in memory");
	append_retained("a/b/c/config", "2");
	append_readings(3 * SEGMENT);
	for (since_ms = now_ms(); now_ms() - since_ms < 3000;) /* an attempt or two */
		look_again(since_ms, "");
	assert_int_equal(journal_begin(journal), begin + 3 * SEGMENT);

	release_state_file(other);
	expect_notice("The state file is written again after ");
	wait_for_contents("a/b/c/config=2 ");
	for (since_ms = now_ms(); journal_begin(journal) != begin + 6 * SEGMENT;)
		look_again(since_ms, "the trim");
}

/* In one step, too: the trim stops at the change, not where the step began. */
static void catching_up_in_memory_holds_the_change_alone(void **state)
{
	(void)state;
	char error[256] = "";
	uint64_t begin = journal_begin(journal);
	append_readings(3 * SEGMENT);
	append_retained("a/b/c/config", "1");
	append_readings(SEGMENT);
	sqlite3 *other = lock_state_file();
	assert_true(state_detach(file));
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_true(state_safe(file, journal_head(journal)) >= begin + 3 * SEGMENT);
	assert_true(state_safe(file, journal_head(journal)) < begin + 4 * SEGMENT);
	release_state_file(other);
}

/* The state file is not to blame, and what could be read is in it. */
static void a_journal_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	char error[256] = "", name[160], away[160];
	uint64_t begin = journal_begin(journal);
	append_retained("a/b/c/config", "1");
	append_readings(2 * SEGMENT);
	append_retained("a/b/d/config", "2");
	snprintf(name, sizeof name, "%s/%016llx.journal", journal_path, (unsigned long long)begin + SEGMENT);
	snprintf(away, sizeof away, "%s/away", folder);
	assert_int_equal(rename(name, away), 0);
	assert_int_equal(symlink(name, name), 0);
	assert_false(keeper_catch_up(journal, file, error, sizeof error));
	assert_non_null(strstr(error, "the journal cannot be read: Too many levels"));
	assert_true(state_saved(file));
	assert_string_equal(contents(), "a/b/c/config=1 ");

	start(0, 0);
	for (int64_t since_ms = now_ms(); now_ms() - since_ms < 1500;) /* an attempt or two */
		look_again(since_ms, "");
	struct notice notice;
	while (mailbox_get(notices, &notice)) /* the journal's own is right: its segment has lost its name */
		assert_null(strstr(notice.text, "state file"));
	assert_int_equal(rename(away, name), 0);
	wait_for_contents("a/b/c/config=1 a/b/d/config=2 ");
	stop();
	while (mailbox_get(notices, &notice))
		assert_null(strstr(notice.text, "state file"));
}

/*
 * The state file could not be read at the start, and a loss of power took from the journal what the file has: an older
 * document does not come back from the journal, and what is new, at positions that are given once more, gets in.
 */
static void an_unread_file_keeps_what_is_newer(void **state)
{
	(void)state;
	char error[256] = "";
	append_retained("a/b/c/config", "old");
	assert_true(state_begin(file));
	assert_true(state_put_retained(file, slice_of("a/b/c/config"), slice_of("newer"), slice_of(""), NOON));
	assert_true(state_commit(file, journal_id(journal), journal_head(journal) + 3000));
	state_close(file);
	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL),
	                 SQLITE_OK);
	file = state_open(path, error, sizeof error);
	assert_non_null(file);
	assert_true(state_unread(file));
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_string_equal(documents(), "a/b/c/config=old ");
	start(0, 0);
	expect_notice("The state file cannot be written: ");
	append_retained("a/b/d/config", "1");
	sqlite3_close(other);
	expect_notice("restart the broker now");
	expect_notice("The state file is written again after ");
	wait_for_contents("a/b/c/config=newer a/b/d/config=1 ");
	stop();
	assert_int_equal(state_file_position(), journal_head(journal));
}

/* The house starts; the position is asked for again. */
static void a_position_that_cannot_be_read_is_waited_for(void **state)
{
	(void)state;
	sqlite3 *other;
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "ALTER TABLE journal_position RENAME TO away", NULL, NULL, NULL), SQLITE_OK);
	start(0, 0);
	expect_notice("The state file cannot be written: ");
	append_retained("a/b/c/config", "1");
	assert_int_equal(sqlite3_exec(other, "ALTER TABLE away RENAME TO journal_position", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	expect_notice("The state file is written again after ");
	wait_for_contents("a/b/c/config=1 ");
}

static void an_older_copy_of_the_journal_goes_on(void **state)
{
	(void)state;
	char error[256] = "";
	append_retained("a/b/c/config", "old");
	assert_true(state_begin(file));
	assert_true(state_put_retained(file, slice_of("a/b/c/config"), slice_of("newer"), slice_of(""), NOON));
	assert_true(state_commit(file, journal_id(journal), journal_head(journal) + 3000));
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	append_retained("a/b/d/config", "1"); /* at a position that was given before */
	start(0, 0);
	wait_for_contents("a/b/c/config=newer a/b/d/config=1 ");
}

/* ---- accounts ---- */

static void catching_up_takes_in_accounts(void **state)
{
	(void)state;
	char error[256] = "";
	DOCUMENTS("account/anna", "1", "account/ben", "2", "session/c", "3");
	append_readings(2 * SEGMENT);
	append_retained("a/b/c/config", "1");
	DOCUMENTS("account/anna", "", "account/ben", "22", "account/ben", "222");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_string_equal(accounts(), "account/ben=222 session/c=3 ");
	assert_int_equal(state_file_position(), journal_head(journal));
	close_both();
	open_both();
	assert_string_equal(accounts(), "account/ben=222 session/c=3 ");
	DOCUMENTS("session/c", "", "account/carl", "4");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_string_equal(accounts(), "account/ben=222 account/carl=4 ");
}

/* The process died in the middle of a record, wherever: nothing of it is taken, and what comes later is. */
static void a_half_written_change_is_not_taken_at_all(void **state)
{
	(void)state;
	static const size_t whole = 72; /* the second record in the file, its frame included */
	char error[256] = "", name[160];
	for (size_t cut = 0; cut <= whole; cut += 8) {
		close_both();
		assert_int_equal(nftw(folder, remove_inside, 8, FTW_DEPTH | FTW_PHYS), 0);
		open_both();
		uint64_t begin = journal_begin(journal);
		uint64_t first = DOCUMENTS("account/anna", "1", "account/ben", "2");
		uint64_t second = DOCUMENTS("account/anna", "", "account/ben", "22");
		assert_int_equal(second - first, whole);
		close_both();
		/* The file as it was when so much of the record was written. */
		snprintf(name, sizeof name, "%s/%016llx.journal", journal_path, (unsigned long long)begin);
		assert_int_equal(truncate(name, (off_t)(first - begin + cut)), 0);
		assert_int_equal(truncate(name, SEGMENT), 0);
		open_both();
		assert_true(keeper_catch_up(journal, file, error, sizeof error));
		assert_string_equal(accounts(), cut < whole ? "account/anna=1 account/ben=2 " : "account/ben=22 ");
		DOCUMENTS("account/carl", "3");
		assert_true(keeper_catch_up(journal, file, error, sizeof error));
		assert_string_equal(accounts(), cut < whole ? "account/anna=1 account/ben=2 account/carl=3 "
		                                            : "account/ben=22 account/carl=3 ");
	}
}

/* Whole in the journal, but not what a change looks like: none of it, and it holds nothing up. */
static void a_change_that_makes_no_sense_is_passed_over(void **state)
{
	(void)state;
	char error[256] = "";
	uint8_t record[256];
	const struct document two[] = {{slice_of("account/anna"), slice_of("1")}, {slice_of("account/ben"), slice_of("2")}};
	size_t len = record_put_documents(record, NOON, two, 2);
	append(RECORD_DOCUMENTS, record, len - 1);
	append(RECORD_DOCUMENTS, record, 7);
	DOCUMENTS("account/carl", "3");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_string_equal(accounts(), "account/carl=3 ");
}

/* A change is in the file with the position behind it, or neither is: the second of its documents is refused. */
static void a_change_that_is_refused_in_the_middle_is_not_there(void **state)
{
	(void)state;
	char error[256] = "";
	sqlite3 *other;
	DOCUMENTS("account/anna", "1", "account/ben", "2");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	uint64_t position = state_file_position();
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
	                              "CREATE TRIGGER refuse BEFORE UPDATE ON document WHEN new.name = 'account/ben'"
	                              " BEGIN SELECT raise(ABORT, 'not now'); END",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	start(0, 0);
	DOCUMENTS("account/anna", "", "account/ben", "22");
	expect_notice("not now");
	stop();
	assert_string_equal(accounts(), "account/anna=1 account/ben=2 ");
	assert_int_equal(state_file_position(), position);
	assert_int_equal(sqlite3_exec(other, "DROP TRIGGER refuse", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_string_equal(accounts(), "account/ben=22 ");
}

static void a_deleted_state_file_is_written_anew_with_its_accounts(void **state)
{
	(void)state;
	start(0, 0);
	DOCUMENTS("account/anna", "1", "account/ben", "2");
	DOCUMENTS("account/anna", "");
	append_retained("a/b/c/config", "1");
	wait_for_contents("a/b/c/config=1 ");
	assert_int_equal(unlink(path), 0);
	expect_notice("was deleted or replaced while in use");
	stop();
	close_both();
	open_both();
	assert_string_equal(accounts(), "account/ben=2 ");
}

/* Its disk refuses, accounts are removed meanwhile, and the house is stopped and started again before it works. */
static void a_removal_waits_in_the_journal(void **state)
{
	(void)state;
	char error[256] = "";
	DOCUMENTS("account/anna", "1", "account/ben", "2");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	sqlite3 *other = lock_state_file();
	start(1, 0);
	DOCUMENTS("account/anna", "");
	expect_notice("The state file cannot be written: ");
	stop();
	close_both();
	release_state_file(other);
	open_both();
	assert_string_equal(accounts(), "account/anna=1 account/ben=2 ");
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	assert_string_equal(accounts(), "account/ben=2 ");
}

/* Who waits for the disk does not wait for the next round. */
static void a_call_brings_the_journal_to_the_disk_at_once(void **state)
{
	(void)state;
	sync_ms = 10000;
	start(0, 0);
	for (int i = 0; i < 5; i++) {
		int64_t since_ms = now_ms();
		uint64_t end = DOCUMENTS("account/anna", "1");
		journal_wake(journal);
		while (journal_synced(journal) < end)
			look_again(since_ms, "the sync");
		assert_true(now_ms() - since_ms < 5000);
	}
}

/* ---- the thread ---- */

static void changes_reach_the_state_file(void **state)
{
	(void)state;
	append_retained("a/b/c/config", "1");
	start(0, 0);
	wait_for_contents("a/b/c/config=1 ");
	append_readings(2 * SEGMENT);
	append_retained("a/b/c/config", "2");
	append_retained("a/b/d/state", "on");
	wait_for_contents("a/b/c/config=2 a/b/d/state=on ");
	append_retained("a/b/c/config", "");
	stop(); /* takes in the rest */
	assert_string_equal(contents(), "a/b/c/config= a/b/d/state=on ");
	assert_int_equal(state_file_position(), journal_head(journal));
	expect_no_notice();
}

static void the_state_file_follows_once_a_segment(void **state)
{
	(void)state;
	append_readings(5 * SEGMENT);
	start(0, 0);
	stop();
	assert_int_equal(state_file_position(), journal_head(journal));
	append_readings(100);
	start(0, 0);
	append_readings(100);
	stop();
	assert_in_range(state_file_position(), journal_head(journal) - 300, journal_head(journal));
}

static void what_both_have_is_trimmed(void **state)
{
	(void)state;
	uint64_t begin = journal_begin(journal);
	start(1, 0);
	append_readings(6 * SEGMENT);
	append_retained("a/b/c/config", "1");
	wait_for_contents("a/b/c/config=1 ");
	assert_int_equal(journal_begin(journal), begin); /* the store has nothing yet */

	atomic_store(&stored, begin + 3 * SEGMENT);
	int64_t since_ms = now_ms();
	while (journal_begin(journal) != begin + 3 * SEGMENT)
		look_again(since_ms, "three segments to go");
	atomic_store(&stored, journal_head(journal));
	while (journal_begin(journal) != begin + 6 * SEGMENT)
		look_again(since_ms, "six segments to go");
}

static void a_reserve_stays_while_there_is_room(void **state)
{
	(void)state;
	uint64_t begin = journal_begin(journal);
	append_readings(2 * SEGMENT);
	reserve_ms = 1500;
	int64_t since_ms = now_ms();
	start(1, 0);
	atomic_store(&stored, journal_head(journal));
	while (journal_begin(journal) == begin)
		look_again(since_ms, "the trim");
	assert_true(now_ms() - since_ms >= reserve_ms);
	stop();

	/* Where room is short it goes at once. */
	reserve_ms = 3600000;
	start(1, 0);
	begin = journal_begin(journal);
	append_readings((int)(journal_quota(journal) / 4));
	atomic_store(&stored, journal_head(journal));
	while (journal_begin(journal) == begin)
		look_again(since_ms, "the trim for room");
}

static void what_is_stored_stays_for_a_while(void **state)
{
	(void)state;
	enum { BEHIND_MS = 400 };
	uint64_t begin = journal_begin(journal);
	append_readings(3 * SEGMENT);
	int64_t since_ms = now_ms();
	start(BEHIND_MS, 0);
	atomic_store(&stored, journal_head(journal));
	while (journal_begin(journal) == begin)
		look_again(since_ms, "the trim");
	assert_true(now_ms() - since_ms >= 2 * BEHIND_MS); /* once until it asks, once until it trims */
}

/* Says 2, 6, and from then on 4 segments. */
static uint64_t told_in_turn(void *context)
{
	static const uint64_t segments[] = {2, 6, 4};
	uint64_t asked = atomic_fetch_add((_Atomic uint64_t *)context, 1);
	return SEGMENT * (1 + segments[asked < 2 ? asked : 2]);
}

static void a_store_that_falls_back_keeps_its_segments(void **state)
{
	(void)state;
	uint64_t begin = journal_begin(journal);
	assert_int_equal(begin, SEGMENT);
	append_readings(7 * SEGMENT);
	ask_stored = told_in_turn;
	start(1, 0);
	for (int64_t since_ms = now_ms(); atomic_load(&stored) < 6;)
		look_again(since_ms, "six rounds");
	assert_int_equal(journal_begin(journal), begin + 4 * SEGMENT);
}

static void a_refused_change_waits_in_the_journal(void **state)
{
	(void)state;
	uint64_t begin = journal_begin(journal);
	atomic_store(&stored, UINT64_MAX);
	sqlite3 *other = lock_state_file();
	start(1, 0);
	append_retained("a/b/c/config", "1");
	expect_notice("state file cannot be written");
	append_retained("a/b/d/config", "2");
	append_readings(3 * SEGMENT);
	for (int64_t since_ms = now_ms(); now_ms() - since_ms < 1500;) /* an attempt or two */
		look_again(since_ms, "");
	expect_no_notice();
	assert_int_equal(journal_begin(journal), begin);

	release_state_file(other);
	expect_notice("The state file is written again after ");
	wait_for_contents("a/b/c/config=1 a/b/d/config=2 ");
	int64_t since_ms = now_ms();
	while (journal_begin(journal) != begin + 3 * SEGMENT)
		look_again(since_ms, "the trim");
}

/* Nothing changes in it meanwhile, and still it is noticed. */
static void a_deleted_state_file_is_written_anew(void **state)
{
	(void)state;
	start(0, 0);
	append_retained("a/b/c/config", "1");
	append_retained("a/b/d/config", "");
	wait_for_contents("a/b/c/config=1 a/b/d/config= ");
	assert_int_equal(unlink(path), 0);
	expect_notice("was deleted or replaced while in use");
	wait_for_contents("a/b/c/config=1 a/b/d/config= ");
	assert_int_equal(unlink(path), 0);
	append_retained("a/b/c/config", "2"); /* before anybody looked */
	expect_notice("was deleted or replaced while in use");
	wait_for_contents("a/b/c/config=2 a/b/d/config= ");
	stop();
	assert_int_equal(state_file_position(), journal_head(journal));
	expect_no_notice();
}

/* ---- the journal's quota ---- */

static void a_journal_that_fills_up_is_told_in_time(void **state)
{
	(void)state;
	enum { QUOTA = 20 * SEGMENT };
	char error[256] = "";
	close_both();
	assert_int_equal(nftw(folder, remove_inside, 8, FTW_DEPTH | FTW_PHYS), 0);
	quota = QUOTA;
	open_both();
	uint64_t begin = journal_begin(journal);
	assert_true(keeper_catch_up(journal, file, error, sizeof error));
	start(1, 0);
	append_readings(15 * SEGMENT);
	for (int64_t since_ms = now_ms(); now_ms() - since_ms < 200;) /* rounds enough */
		look_again(since_ms, "");
	expect_no_notice();
	append_readings(SEGMENT + 1000);
	expect_notice("The journal is 80 % full: ");
	atomic_store(&stored, begin + 2 * SEGMENT); /* between the two marks nothing is said */
	for (int64_t since_ms = now_ms(); journal_begin(journal) != begin + 2 * SEGMENT;)
		look_again(since_ms, "the first trim");
	append_readings(2 * SEGMENT);
	expect_no_notice();
	atomic_store(&stored, begin + 6 * SEGMENT);
	expect_notice("The journal is below 70 % again: ");
	stop();
	expect_no_notice();
}

static void a_position_that_cannot_be_written_holds_nothing_up(void **state)
{
	(void)state;
	uint64_t begin = journal_begin(journal);
	atomic_store(&stored, UINT64_MAX);
	sqlite3 *other = lock_state_file();
	append_readings(3 * SEGMENT);
	start(1, 0);
	expect_notice("state file cannot be written");
	int64_t since_ms = now_ms();
	while (journal_begin(journal) != begin + 3 * SEGMENT)
		look_again(since_ms, "the trim");
	expect_no_notice();
	release_state_file(other);
	expect_notice("The state file is written again after ");
	stop();
	assert_int_equal(state_file_position(), journal_head(journal));
}

static void a_journal_that_cannot_be_synced_is_told_once(void **state)
{
	(void)state;
	struct rlimit before, small;
	start(0, 0);
	/* No file may become as large as a segment: the kernel refuses as a full disk would. */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = SEGMENT - 1;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	append_readings(SEGMENT + SEGMENT / 2);
	expect_notice("journal cannot be brought to the disk");
	append_retained("a/b/c/config", "1");
	wait_for_contents("a/b/c/config=1 "); /* the rest of its work goes on */
	expect_no_notice();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	expect_notice("The journal is brought to the disk again after ");
	append_readings(3 * SEGMENT);
	expect_no_notice();
}

static void gauges_come_at_once_and_then_regularly(void **state)
{
	(void)state;
	struct host_sample sample;
	int64_t since_ms = now_ms();
	start(0, 1);
	while (!mailbox_get(gauges, &sample))
		look_again(since_ms, "the first sample");
	assert_true(now_ms() - since_ms < 900);
	assert_false(sample.known[HOST_CPU]);
	assert_true(sample.known[HOST_MEMORY]);
	while (!mailbox_get(gauges, &sample))
		look_again(since_ms, "the second sample");
	assert_true(now_ms() - since_ms >= 999);
	assert_true(sample.known[HOST_CPU]);
	stop();
	assert_false(mailbox_get(gauges, &sample));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(catching_up_takes_in_what_is_new),
		TEST(catching_up_goes_on_in_memory),
		TEST(trimming_goes_on_up_to_a_change_in_memory),
		TEST(catching_up_in_memory_holds_the_change_alone),
		TEST(a_journal_that_cannot_be_read_is_named),
		TEST(an_unread_file_keeps_what_is_newer),
		TEST(a_position_that_cannot_be_read_is_waited_for),
		TEST(an_older_copy_of_the_journal_goes_on),
		TEST(catching_up_takes_in_accounts),
		TEST(a_half_written_change_is_not_taken_at_all),
		TEST(a_change_that_makes_no_sense_is_passed_over),
		TEST(a_change_that_is_refused_in_the_middle_is_not_there),
		TEST(a_deleted_state_file_is_written_anew_with_its_accounts),
		TEST(a_removal_waits_in_the_journal),
		TEST(a_call_brings_the_journal_to_the_disk_at_once),
		TEST(changes_reach_the_state_file),
		TEST(the_state_file_follows_once_a_segment),
		TEST(what_both_have_is_trimmed),
		TEST(a_reserve_stays_while_there_is_room),
		TEST(what_is_stored_stays_for_a_while),
		TEST(a_store_that_falls_back_keeps_its_segments),
		TEST(a_refused_change_waits_in_the_journal),
		TEST(a_deleted_state_file_is_written_anew),
		TEST(a_journal_that_fills_up_is_told_in_time),
		TEST(a_position_that_cannot_be_written_holds_nothing_up),
		TEST(a_journal_that_cannot_be_synced_is_told_once),
		TEST(gauges_come_at_once_and_then_regularly),
	};
	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
