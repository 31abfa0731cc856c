/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_error: what an error number means, what is left of a transaction that failed, and the line that tells it.
 */
#include "mariadb_server.h"
#include "store_mariadb_internal.h"

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct mariadb_server *server;
static struct store *store; /* of the last `enter` */

static int begin(void **state)
{
	(void)state;
	server = mariadb_server_new(NULL);
	if (!server || !mariadb_server_start(server) ||
	    !mariadb_server_run(server, NULL,
	                        "CREATE DATABASE hearth; CREATE USER plain; GRANT ALL ON hearth.* TO plain")) {
		print_error("%s\n", mariadb_server_error(server));
		return -1;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	mariadb_server_free(server);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	maria_close(store);
	store = NULL;
	return 0;
}

/* User NULL: the owner of the server, the system's account of this process. */
static void enter(const char *user)
{
	const struct passwd *account = getpwuid(geteuid());
	char location[256], error[512];
	struct store_place place = {.location = location, .node = "test"};

	snprintf(location, sizeof location, "//%s@%s/hearth",
	         user      ? user
	         : account ? account->pw_name
	                   : "root",
	         mariadb_server_socket(server));
	if (maria_connect(&place, &store, error, sizeof error) != STORE_OK)
		fail_msg("%s", error);
}

static void expect_answer(const char *sql, const char *wanted)
{
	char *text = mariadb_server_query_on(server, store->link, sql);

	if (!text || strcmp(text, wanted) != 0)
		fail_msg("%s: %s", sql, text ? text : mariadb_server_error(server));
	free(text);
}

static void rolls_back_what_failed(void **state)
{
	static const struct {
		const char *sql;
		enum store_result result;
		const char *said, *advice;
	} rows[] = {
		{"SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'deadlock'", STORE_MOVED, "deadlock (1213)",
	     ""},
		{"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205, MESSAGE_TEXT = 'wait'", STORE_MOVED, "wait (1205)", "holds"},
		{"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1020, MESSAGE_TEXT = 'changed'", STORE_MOVED, "changed (1020)", ""},
		{"SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = 1047, MESSAGE_TEXT = 'wsrep'", STORE_AWAY, "(1047)", "majority"},
		{"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'full'", STORE_AWAY, "(1114)",
	     "make room on the"},
		{"SELECT * FROM nothing", STORE_AWAY, "Table 'hearth.nothing' doesn't exist (1146)",
	     "restore it from a backup"},
		{"CALL nothing()", STORE_AWAY, "PROCEDURE hearth.nothing does not exist (1305)", "/mariadb/001_initial.sql"},
		{"INSERT INTO t VALUES ('x')", STORE_AWAY, "(1366)", ""},
		{"INSERT INTO t (b) VALUES (1)", STORE_AWAY, "(1054)", "not as schema/mariadb/001_initial.sql makes them"},
	};
	(void)state;

	enter(NULL);
	assert_true(maria_run(store, "CREATE OR REPLACE TABLE t (a INT)"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(maria_begin(store));
		assert_true(maria_run(store, "INSERT INTO t VALUES (1)"));
		assert_false(maria_run(store, rows[i].sql));
		assert_int_equal(maria_fail(store, NULL), rows[i].result);
		assert_false(store->in_transaction);
		if (!strstr(store->error, rows[i].said) || !strstr(store->error, rows[i].advice))
			fail_msg("%s: %s", rows[i].sql, store->error);
		expect_answer("SELECT COUNT(*) FROM t", "0\n");
	}
	MYSQL_STMT *statement = maria_statement(store, MARIA_LIST_SERIES);
	assert_null(statement);
	assert_int_equal(maria_fail(store, store->statements[MARIA_LIST_SERIES]), STORE_AWAY);
	assert_non_null(strstr(store->error, "Table 'hearth.series' doesn't exist (1146)"));
}

static void tells_a_server_that_only_reads(void **state)
{
	(void)state;
	enter("plain");
	assert_true(mariadb_server_run(server, NULL, "SET GLOBAL read_only = 1"));
	bool ran = maria_run(store, "CREATE TABLE t2 (a INT)");
	assert_true(mariadb_server_run(server, NULL, "SET GLOBAL read_only = 0"));
	assert_false(ran);
	assert_int_equal(maria_fail(store, NULL), STORE_AWAY);
	assert_non_null(strstr(store->error, "(1290); this server only reads"));
}

static void survives_a_connection_that_is_killed(void **state)
{
	char sql[64];
	(void)state;

	enter(NULL);
	assert_true(maria_begin(store));
	snprintf(sql, sizeof sql, "KILL %lu", mysql_thread_id(store->link));
	assert_true(mariadb_server_run(server, NULL, sql));
	assert_false(maria_run(store, "SELECT 1"));
	assert_int_equal(maria_fail(store, NULL), STORE_AWAY);
	assert_false(store->in_transaction);
	assert_false(maria_run(store, "SELECT 1")); /* it does not come back by itself */
}

static void sorts_errors(void **state)
{
	static const unsigned data[] = {1048, 1062, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1526, 1452, 1644, 1690, 4025};
	static const unsigned conflict[] = {1020, 1205, 1213, 1412, 1615, 1689};
	static const unsigned away[] = {0,    1021, 1030, 1040, 1044, 1045, 1047, 1049, 1053, 1054,
	                                1105, 1114, 1136, 1142, 1146, 1153, 1180, 1290, 1305, 1364,
	                                1836, 1927, 2002, 2006, 2013, 2026, 5010, 65000};
	(void)state;
	for (size_t i = 0; i < COUNT(data); i++)
		assert_int_equal(maria_sort(data[i]), MARIA_FAULT_DATA);
	for (size_t i = 0; i < COUNT(conflict); i++)
		assert_int_equal(maria_sort(conflict[i]), MARIA_FAULT_CONFLICT);
	for (size_t i = 0; i < COUNT(away); i++)
		assert_int_equal(maria_sort(away[i]), MARIA_FAULT_AWAY);
}

static void writes_one_line_of_text(void **state)
{
	struct store here = {.host = (char *)"db:3306", .user = (char *)"me", .database = (char *)"house"};
	char message[2000];
	(void)state;

	maria_explain_code(&here, 1049, "Unknown\ndatabase\x01\x7F");
	assert_string_equal(here.error,
	                    "mariadb://me@db:3306/house: Unknown database   (1049); CREATE DATABASE house; and give me "
	                    "the grants that Hearth's README names for MariaDB");
	maria_explain_code(&here, 1030, "Got error 28 \"No space left on device\" from storage engine InnoDB");
	assert_non_null(strstr(here.error, "(1030); make room on the server's disk"));
	maria_explain_code(&here, 9999, "new");
	assert_string_equal(here.error, "mariadb://me@db:3306/house: new (9999)");
	for (size_t shift = 0; shift < 3; shift++) { /* a long one is cut between characters, and the advice stays */
		memset(message, 'x', shift);
		for (size_t i = shift; i + 3 < sizeof message; i += 3)
			memcpy(message + i, "집", 4);
		maria_explain_code(&here, 1040, message);
		assert_true(utf8_valid(slice_of(here.error)));
		assert_non_null(strstr(here.error, "(1040); raise the server's max_connections"));
		maria_say(&here, "%s", message);
		assert_true(utf8_valid(slice_of(here.error)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(rolls_back_what_failed, leave),
		cmocka_unit_test_teardown(tells_a_server_that_only_reads, leave),
		cmocka_unit_test_teardown(survives_a_connection_that_is_killed, leave),
		cmocka_unit_test(sorts_errors),
		cmocka_unit_test(writes_one_line_of_text),
	};
	return cmocka_run_group_tests_name("store_mariadb_error", tests, begin, end);
}
