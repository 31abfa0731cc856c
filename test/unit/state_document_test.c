/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state, documents and authors: what is in the file after a commit, a roll-back, a removal and a reopening; a file of the
 * schema before them; and that a removed account stays removed, whatever happens to the file.
 */
#include "migration.h"
#include "state_fixture.h"

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
#include <unistd.h>

#include <cmocka.h>

static void add_document(void *context, const struct document *document, int64_t time_us)
{
	char *text = context;
	size_t len = strlen(text);
	assert_int_not_equal(document->body.len, 0);
	snprintf(text + len, 1024 - len, "%.*s=%.*s@%lld ", (int)document->name.len, document->name.ptr,
	         (int)document->body.len, document->body.ptr, (long long)time_us);
}

/* All documents, "NAME=BODY@TIME " each. */
static const char *documents(struct state *state)
{
	static char text[1024];
	text[0] = '\0';
	assert_true(state_each_document(state, add_document, text));
	return text;
}

static void add_retained(void *context, struct slice topic, struct slice payload, struct slice author, int64_t time_us)
{
	char *text = context;
	size_t len = strlen(text);
	snprintf(text + len, 1024 - len, "%.*s=%.*s by %.*s@%lld ", (int)topic.len, topic.ptr, (int)payload.len,
	         payload.len > 0 ? payload.ptr : "", (int)author.len, author.ptr, (long long)time_us);
}

/* All retained messages, "TOPIC=PAYLOAD by AUTHOR@TIME " each. */
static const char *retained(struct state *state)
{
	static char text[1024];
	text[0] = '\0';
	assert_true(state_each_retained(state, add_retained, text));
	return text;
}

static bool put(struct state *state, const char *name, const char *body, int64_t time_us)
{
	return state_put_document(state, &(struct document){slice_of(name), slice_of(body)}, time_us);
}

static bool put_config(struct state *state, const char *payload, const char *author, int64_t time_us)
{
	return state_put_retained(state, slice_of("a/b/c/config"), slice_of(payload), slice_of(author), time_us);
}

/* One change, of one document. */
static void change(struct state *state, const char *name, const char *body)
{
	assert_true(state_begin(state));
	assert_true(put(state, name, body, 3));
	assert_true(state_commit(state, JOURNAL, 16));
}

/* Accounts of anna and ben, as an earlier run left them. */
static void make_file(void)
{
	struct state *state = open_state();
	assert_true(state_begin(state));
	assert_true(put(state, "account/anna", "{1}", 1));
	assert_true(put(state, "account/ben", "{2}", 2));
	assert_true(put_config(state, "{}", "anna", 1));
	assert_true(state_commit(state, JOURNAL, 8));
	state_close(state);
}

static void expect_in_file(const char *wanted)
{
	struct state *state = open_state();
	assert_true(state_saved(state));
	assert_null(state_news(state));
	assert_string_equal(documents(state), wanted);
	state_close(state);
}

/* ---- a file that is as it should be ---- */

static void what_was_committed_survives_reopening(void **unused)
{
	(void)unused;
	make_file();
	expect_in_file("account/anna={1}@1 account/ben={2}@2 ");
	struct state *state = open_state();
	assert_true(state_begin(state));
	assert_true(put(state, "account/anna", "", 5));
	assert_true(put(state, "account/nobody", "", 5)); /* was not there */
	assert_true(put(state, "account/ben", "{22}", 5));
	assert_true(put(state, "session/거실", "{}", 6));
	assert_true(state_commit(state, JOURNAL, 24));
	assert_false(state_lost(state));
	state_close(state);
	expect_in_file("account/ben={22}@5 session/거실={}@6 ");
	state = open_state();
	change(state, "account/anna", "{again}");
	state_close(state);
	expect_in_file("account/anna={again}@3 account/ben={22}@5 session/거실={}@6 ");
}

static void a_rollback_takes_all_documents_back(void **unused)
{
	(void)unused;
	make_file();
	struct state *state = open_state();
	assert_false(put(state, "account/anna", "{}", 1)); /* a change belongs into a transaction */
	assert_non_null(strstr(state_error(state), "transaction"));
	assert_true(state_begin(state));
	assert_true(put(state, "account/anna", "", 5));
	assert_true(put(state, "account/carl", "{3}", 5));
	state_rollback(state);
	assert_string_equal(documents(state), "account/anna={1}@1 account/ben={2}@2 ");
	/* One that was left open when the process died is gone. */
	assert_true(state_begin(state));
	assert_true(put(state, "account/ben", "", 5));
	state_close(state);
	expect_in_file("account/anna={1}@1 account/ben={2}@2 ");
}

static void expect_same(void *context, const struct document *document, int64_t time_us)
{
	const struct document *wanted = context;
	assert_true(slice_equal(document->name, wanted->name) && slice_equal(document->body, wanted->body));
	assert_int_equal(time_us, 1);
}

static void names_and_bodies_may_hold_any_bytes(void **unused)
{
	(void)unused;
	static const char bytes[] = {'x', 0, '\'', (char)0xff, 0};
	struct document document = {{"session/a\0b", 11}, {bytes, sizeof bytes}};
	struct state *state = open_state();
	assert_true(state_begin(state));
	assert_true(state_put_document(state, &document, 1));
	assert_true(put(state, "session/a", "{}", 2)); /* another name */
	assert_true(state_commit(state, JOURNAL, 8));
	assert_true(state_begin(state));
	assert_true(put(state, "session/a", "", 2));
	assert_true(state_commit(state, JOURNAL, 16));
	assert_true(state_each_document(state, expect_same, &document));
	assert_string_not_equal(documents(state), "");
	state_close(state);
}

static void authors_come_back(void **unused)
{
	(void)unused;
	make_file();
	struct state *state = open_state();
	assert_string_equal(retained(state), "a/b/c/config={} by anna@1 ");
	assert_true(state_begin(state));
	assert_true(put_config(state, "", "소라", 2));
	assert_true(state_commit(state, JOURNAL, 16));
	state_close(state);
	state = open_state();
	assert_string_equal(retained(state), "a/b/c/config= by 소라@2 ");
	assert_true(state_detach(state));
	assert_string_equal(retained(state), "a/b/c/config= by 소라@2 ");
	state_close(state);
}

/* ---- in memory, and back into a file ---- */

static void a_removed_account_stays_removed_after_memory(void **unused)
{
	(void)unused;
	make_file();
	struct state *state = open_state();
	assert_true(state_detach(state));
	change(state, "account/anna", "");
	assert_string_equal(documents(state), "account/ben={2}@2 ");
	assert_int_equal(state_safe(state, 100), 8);
	expect_in_file("account/anna={1}@1 account/ben={2}@2 ");
	assert_true(state_mend(state));
	assert_int_equal(state_safe(state, 100), 100);
	state_close(state);
	expect_in_file("account/ben={2}@2 ");
}

static void the_last_one_that_is_removed_in_memory_stays_removed(void **unused)
{
	(void)unused;
	make_file();
	struct state *state = open_state();
	change(state, "account/ben", "");
	assert_true(state_detach(state));
	change(state, "account/anna", "");
	assert_true(state_mend(state));
	state_close(state);
	expect_in_file("");
}

static void a_deleted_file_is_written_anew_with_its_accounts(void **unused)
{
	(void)unused;
	make_file();
	struct state *state = open_state();
	change(state, "account/ben", "{new}");
	assert_int_equal(unlink(path), 0);
	assert_true(state_mend(state));
	assert_non_null(state_news(state));
	state_close(state);
	expect_in_file("account/anna={1}@1 account/ben={new}@3 ");
}

/* Somebody puts an older copy in its place, with an account that was removed since. */
static void a_replaced_file_does_not_bring_a_removed_account_back(void **unused)
{
	(void)unused;
	char copy[100];
	make_file();
	snprintf(copy, sizeof copy, "%s/copy", folder);
	assert_int_equal(rename(path, copy), 0);
	make_file();
	struct state *state = open_state();
	change(state, "account/anna", "");
	state_close(state);
	state = open_state(); /* this run knows nothing of the removal */
	assert_int_equal(rename(copy, path), 0);
	assert_true(state_mend(state));
	assert_non_null(state_news(state));
	assert_string_equal(documents(state), "account/ben={2}@2 ");
	state_close(state);
	expect_in_file("account/ben={2}@2 ");
}

/* Its disk was not there yet when a house without accounts started: a house does not lose its accounts so. */
static void accounts_of_a_file_that_appears_stay_where_there_were_none(void **unused)
{
	(void)unused;
	char copy[100];
	make_file();
	snprintf(copy, sizeof copy, "%s/copy", folder);
	assert_int_equal(rename(path, copy), 0);
	struct state *state = open_state();
	assert_true(state_begin(state));
	assert_true(put_config(state, "newer", "", 9));
	assert_true(state_commit(state, JOURNAL, 16));
	assert_int_equal(rename(copy, path), 0);
	assert_true(state_mend(state));
	assert_string_equal(retained(state), "a/b/c/config=newer by @9 ");
	state_close(state);
	expect_in_file("account/anna={1}@1 account/ben={2}@2 ");
}

/* But where accounts were removed since, what the file has is older. */
static void a_file_that_appears_is_older_than_a_removal(void **unused)
{
	(void)unused;
	char disk[96], away[100];
	make_file();
	snprintf(away, sizeof away, "%s/away", folder);
	assert_int_equal(rename(path, away), 0);
	snprintf(disk, sizeof disk, "%.80s/disk", folder);
	snprintf(path, sizeof path, "%.80s/disk/state.db", folder);
	struct state *state = open_state();
	assert_false(state_saved(state));
	change(state, "account/anna", "");
	assert_int_equal(mkdir(disk, 0700), 0);
	assert_int_equal(rename(away, path), 0);
	assert_true(state_mend(state));
	state_close(state);
	expect_in_file("");
}

/* ---- a file of version 1 ---- */

/* As Hearth made it before there were accounts. */
static void make_file_of_version_1(void)
{
	sqlite3 *old;
	assert_int_equal(sqlite3_open(path, &old), SQLITE_OK);
	assert_int_equal(sqlite3_exec(old, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(old, migrations_state[0].sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(old,
	                              "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	                              " applied TEXT NOT NULL);"
	                              "INSERT INTO schema_version VALUES (1, '001_initial', '2026-11-22T10:00:00Z');"
	                              "INSERT INTO retained (topic, payload, changed) VALUES ('a/b/c/config', x'7B7D', 7);"
	                              "INSERT INTO journal_position VALUES (5, 4711)",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	sqlite3_close(old);
	assert_int_equal(chmod(path, 0600), 0);
}

static void a_file_of_version_1_is_brought_up_to_date(void **unused)
{
	(void)unused;
	uint64_t position;
	make_file_of_version_1();
	struct state *state = open_state();
	assert_true(state_saved(state));
	assert_string_equal(retained(state), "a/b/c/config={} by @7 ");
	assert_string_equal(documents(state), "");
	assert_true(state_position(state, 5, &position));
	assert_int_equal(position, 4711);
	change(state, "account/anna", "{}");
	state_close(state);
	expect_in_file("account/anna={}@3 ");
}

static void a_file_of_version_1_is_read_from_a_read_only_disk(void **unused)
{
	(void)unused;
	uint64_t position;
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=512k,mode=0700") != 0)
		skip();
	make_file_of_version_1();
	assert_int_equal(mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	struct state *state = open_state();
	assert_false(state_saved(state));
	assert_false(state_lost(state));
	assert_string_equal(retained(state), "a/b/c/config={} by @7 ");
	assert_string_equal(documents(state), "");
	assert_true(state_position(state, 5, &position));
	assert_int_equal(position, 4711);
	change(state, "account/anna", "{}");

	assert_int_equal(mount("none", folder, NULL, MS_REMOUNT, NULL), 0);
	assert_true(state_mend(state));
	state_close(state);
	expect_in_file("account/anna={}@3 ");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(what_was_committed_survives_reopening),
		TEST(a_rollback_takes_all_documents_back),
		TEST(names_and_bodies_may_hold_any_bytes),
		TEST(authors_come_back),
		TEST(a_removed_account_stays_removed_after_memory),
		TEST(the_last_one_that_is_removed_in_memory_stays_removed),
		TEST(a_deleted_file_is_written_anew_with_its_accounts),
		TEST(a_replaced_file_does_not_bring_a_removed_account_back),
		TEST(accounts_of_a_file_that_appears_stay_where_there_were_none),
		TEST(a_file_that_appears_is_older_than_a_removal),
		TEST(a_file_of_version_1_is_brought_up_to_date),
		TEST(a_file_of_version_1_is_read_from_a_read_only_disk),
	};
	return cmocka_run_group_tests_name("state documents", tests, NULL, NULL);
}
