/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb with the users that schema/mariadb/grants makes: each can do what it must, and nothing else. The files are
 * run as they are, but for the passwords.
 */
#include "mariadb_fixture.h"

#include <mariadb/mysql.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Tests are run in the project's folder. */
#define SCHEMA   "schema/mariadb"
#define PASSWORD "it's; not secret"

/* A file of schema/mariadb; valid until the next call. */
static const char *schema_file(const char *name)
{
	static char path[4096];
	const char *tests = getenv("TEST_FOLDER");

	snprintf(path, sizeof(path), "%s/../schema/mariadb/%s", tests == NULL ? "test" : tests, name);
	return path;
}

/* Runs a file of grants as a person does who has put a password in it. */
static void run_grants(const char *name)
{
	char path[160];
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "grants/%s", name);
	file = fopen(schema_file(path), "re");
	if (file == NULL) {
		fail_msg("%s", schema_file(path));
		return;
	}
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);

	snprintf(path, sizeof(path), "%s/%s", mariadb_server_folder(maria_server), name);
	file = fopen(path, "we");
	if (file == NULL) {
		fail_msg("%s", path);
		return;
	}
	char *at = text;
	for (char *mark; (mark = strstr(at, "'CHANGE ME'")) != NULL; at = mark + strlen("'CHANGE ME'"))
		fprintf(file, "%.*s'it''s; not secret'", (int)(mark - at), at);
	fputs(at, file);
	assert_int_equal(fclose(file), 0);
	free(text);
	if (!mariadb_server_run_file(maria_server, NULL, path))
		fail_msg("%s", mariadb_server_error(maria_server));
}

static int forget_users(void **state)
{
	(void)state;
	maria_ask("DROP DATABASE IF EXISTS " DATABASE "; DROP USER IF EXISTS hearth@localhost, hearth_migrator@localhost,"
	          " hearth_writer@localhost, hearth_reader@localhost");
	return 0;
}

static void make_hardened(void)
{
	run_grants("hardened.sql");
	if (!mariadb_server_run_file_as(maria_server, "hearth_migrator", PASSWORD, DATABASE,
	                                schema_file("001_initial.sql")))
		fail_msg("%s", mariadb_server_error(maria_server));
	run_grants("hardened.sql");
}

/* The user's statement must be refused for want of a right, and for nothing else. */
static void expect_refused(const char *user, const char *sql)
{
	static const char *const refusals[] = {"1044:", "1142:", "1143:", "1227:", "1370:", "1045:"};
	MYSQL *link = mariadb_server_connect(maria_server, user, PASSWORD, DATABASE);
	char *text;

	if (link == NULL)
		fail_msg("%s: %s", user, mariadb_server_error(maria_server));
	text = mariadb_server_query_on(maria_server, link, sql);
	mysql_close(link);
	if (text != NULL)
		fail_msg("%s may: %s", user, sql);
	for (size_t i = 0; i < COUNT(refusals); i++)
		if (strncmp(mariadb_server_error(maria_server), refusals[i], strlen(refusals[i])) == 0)
			return;
	fail_msg("%s: %s", sql, mariadb_server_error(maria_server));
}

static int64_t now_us(void)
{
	return (int64_t)time(NULL) * 1000000;
}

/* One of location a; the position moves by 1. */
static void rename_device(struct store *store, const char *from, const char *to)
{
	const struct store_position at = maria_position(store, JOURNAL);
	const struct store_rename rename = {
		slice_of("a"), slice_of(from), slice_of("a"), slice_of(to), at, {JOURNAL, at.position + 1}};
	size_t renamed, kept;

	if (store_mariadb.rename(store, &rename, &renamed, &kept) != STORE_OK)
		fail_msg("%s", store_mariadb.error(store));
	assert_int_equal(kept, 0);
}

/* All that the plugin's writer ever does. */
static void do_all_a_writer_does(const char *user)
{
	struct store *store = maria_open_as(user, PASSWORD, "house");
	const struct store_keep keep = {.now_us = now_us(), .raw_days = 400, .minute_days = 30};
	const int64_t id = maria_series(store, "a/b/c/state");
	const struct store_row rows[] = {
		number_row(id, NOON, 1, 1),
		text_row(id, NOON, 2, "no \xFF UTF-8"),
		number_row(id, NOON, 3, 2),
	};
	size_t rejected = 0;
	bool more = true;

	if (maria_put(store, rows, COUNT(rows), 10, &rejected) != STORE_OK)
		fail_msg("%s", store_mariadb.error(store));
	assert_int_equal(rejected, 1);
	while (more)
		if (store_mariadb.upkeep(store, &keep, &more) != STORE_OK)
			fail_msg("%s", store_mariadb.error(store));
	if (maria_put(store, rows, 1, 20, &rejected) != STORE_OK)
		fail_msg("%s", store_mariadb.error(store));
	rename_device(store, "x", "b");
	rename_device(store, "b", "x");
	rename_device(store, "x", "b");
	maria_shut(store);
	store = maria_open_as(user, PASSWORD, "house");
	assert_int_equal(maria_series(store, "a/b/c/state"), id);
	assert_true(maria_position(store, JOURNAL).position == 23);
	assert_string_equal(
		maria_ask("SELECT COUNT(*) FROM reading; SELECT count, avg FROM reading_minute; SELECT COUNT(*) FROM"
	              " reading_reject"),
		"3\n3|1.3333333333333333\n1\n");
	assert_true(maria_ask_number("SELECT COUNT(*) FROM information_schema.partitions WHERE table_schema = DATABASE()"
	                             " AND table_name = 'reading'") > 14);
	maria_shut(store);
}

static void at_home_one_user_makes_everything(void **state)
{
	(void)state;
	run_grants("home.sql");
	do_all_a_writer_does("hearth");
	expect_refused("hearth", "SELECT * FROM mysql.global_priv");
	expect_refused("hearth", "CREATE DATABASE another");
	expect_refused("hearth", "CREATE USER another");
}

static void a_writer_without_rights_says_what_to_do(void **state)
{
	(void)state;
	char error[512] = "", location[160];
	struct store *store = NULL;

	run_grants("hardened.sql");
	snprintf(location, sizeof(location), "//hearth_writer@%s/%s", mariadb_server_socket(maria_server), DATABASE);
	const struct store_place place = {.location = location, .node = "house"};
	setenv(STORE_PASSWORD_VARIABLE, PASSWORD, 1);
	assert_int_equal(store_mariadb.open(&place, &store, error, sizeof(error)), STORE_AWAY);
	unsetenv(STORE_PASSWORD_VARIABLE);
	assert_null(store);
	if (strstr(error, "001_initial.sql") == NULL && strstr(error, "grants") == NULL)
		fail_msg("%s", error);
	assert_null(strstr(error, PASSWORD));
}

static void the_writer_can_do_what_it_must(void **state)
{
	(void)state;
	make_hardened();
	do_all_a_writer_does("hearth_writer");
}

static void the_writer_can_do_nothing_else(void **state)
{
	(void)state;
	static const char *const statements[] = {
		"DROP TABLE reading",
		"DROP DATABASE hearth",
		"TRUNCATE TABLE reading",
		"DELETE FROM reading",
		"UPDATE reading SET value = 1",
		"SELECT value FROM reading",
		"SELECT * FROM readings",
		"SELECT COUNT(*) FROM reading_reject",
		"DELETE FROM reading_reject",
		"DELETE FROM reading_minute",
		"DELETE FROM reading_hour",
		"DELETE FROM series",
		"UPDATE series SET sensor = 'x'",
		"UPDATE series SET id = 9",
		"DELETE FROM ingest_position",
		"DELETE FROM witness_position",
		"UPDATE schema_version SET version = 2",
		"INSERT INTO schema_version (version, name) VALUES (2, 'x')",
		"ALTER TABLE reading DROP PARTITION later",
		"ALTER TABLE reading ADD COLUMN x INT",
		"CREATE TABLE x (y INT)",
		"CREATE INDEX x ON series (device)",
		"CREATE TRIGGER x BEFORE INSERT ON reading FOR EACH ROW SET NEW.value = 0",
		"CALL upkeep_of('reading', 0, 1)",
		"DROP PROCEDURE upkeep",
		"SELECT LOAD_FILE('/etc/passwd') FROM mysql.user",
		"GRANT SELECT ON hearth.reading TO hearth_writer@localhost",
		"CREATE USER x",
		"SET GLOBAL max_connections = 1",
	};

	make_hardened();
	for (size_t i = 0; i < COUNT(statements); i++)
		expect_refused("hearth_writer", statements[i]);
}

static void the_reader_can_read_and_nothing_else(void **state)
{
	(void)state;
	static const char *const statements[] = {
		"INSERT INTO reading VALUES (1, 1, 1, 1, NULL)",
		"INSERT INTO series (location, device, sensor, subject) VALUES ('a', 'b', 'c', 'value')",
		"INSERT INTO reading_minute VALUES (1, 1, 1, 1, 1, 1)",
		"INSERT INTO ingest_position VALUES ('x', 1, 1)",
		"UPDATE ingest_position SET pos = 0",
		"DELETE FROM reading",
		"DROP TABLE reading",
		"DROP VIEW readings",
		"CREATE TABLE x (y INT)",
		"CALL upkeep(0, 1, 1)",
		"SELECT * FROM mysql.global_priv",
	};
	char error[512] = "", location[160], *text;
	struct store *store = NULL;
	MYSQL *link;

	make_hardened();
	do_all_a_writer_does("hearth_writer");
	link = mariadb_server_connect(maria_server, "hearth_reader", PASSWORD, DATABASE);
	assert_non_null(link);
	text = mariadb_server_query_on(maria_server, link,
	                               "SELECT DISTINCT location, device FROM readings; SELECT avg > 1 FROM"
	                               " readings_by_minute; SELECT avg > 1 FROM readings_by_hour");
	mysql_close(link);
	assert_string_equal(text, "a|b\n1\n1\n");
	free(text);
	snprintf(location, sizeof(location), "//hearth_writer@%s/%s", mariadb_server_socket(maria_server), DATABASE);
	const struct store_place place = {.location = location, .node = "house", .user = "hearth_reader"};
	setenv(STORE_PASSWORD_VARIABLE, PASSWORD, 1);
	if (store_mariadb.open_to_read(&place, &store, error, sizeof(error)) != STORE_OK)
		fail_msg("%s", error);
	unsetenv(STORE_PASSWORD_VARIABLE);
	store_mariadb.close(store);
	for (size_t i = 0; i < COUNT(statements); i++)
		expect_refused("hearth_reader", statements[i]);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, forget_users, maria_close_stores)
	const struct CMUnitTest tests[] = {
		TEST(at_home_one_user_makes_everything),    TEST(a_writer_without_rights_says_what_to_do),
		TEST(the_writer_can_do_what_it_must),       TEST(the_writer_can_do_nothing_else),
		TEST(the_reader_can_read_and_nothing_else),
	};

	return cmocka_run_group_tests_name("store_mariadb_rights", tests, maria_group_start, maria_group_end);
}
