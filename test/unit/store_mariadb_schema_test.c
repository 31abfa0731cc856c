/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_schema: how a file is cut into statements, and on a real server what applying it makes, again too, for whom
 * it waits, and that it makes the same as the mariadb client does.
 */
#include "mariadb_server.h"
#include "migration.h"
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
static struct store *store;    /* of the last `enter` */
static char first_file[128];   /* schema/mariadb/001_initial.sql, as it is in the plugin */
static const char *owner_name; /* who may do everything */

/* May use what is there, but make nothing. */
static const char users[] = "CREATE USER writer; GRANT SELECT, INSERT, UPDATE, EXECUTE ON hearth.* TO writer;"
							"CREATE USER tables; GRANT ALL ON hearth.* TO tables;"
							"REVOKE CREATE ROUTINE ON hearth.* FROM tables;"
							"CREATE USER stranger; GRANT INSERT ON hearth.* TO stranger";

static void run(const char *sql)
{
	if (!mariadb_server_run(server, NULL, sql))
		fail_msg("%s: %s", sql, mariadb_server_error(server));
}

static int begin(void **state)
{
	const struct passwd *account = getpwuid(geteuid());
	(void)state;

	owner_name = account ? account->pw_name : "root";
	server = mariadb_server_new(NULL);
	if (!server || !mariadb_server_start(server) || !mariadb_server_run(server, NULL, users)) {
		print_error("%s\n", mariadb_server_error(server));
		return -1;
	}
	snprintf(first_file, sizeof first_file, "%s/001_initial.sql", mariadb_server_folder(server));
	FILE *file = fopen(first_file, "we");
	if (!file || fputs(migrations_mariadb[0].sql, file) < 0 || fclose(file) != 0)
		return -1;
	return 0;
}

static int end(void **state)
{
	(void)state;
	mariadb_server_free(server);
	return 0;
}

static int empty_database(void **state)
{
	(void)state;
	run("DROP DATABASE IF EXISTS hearth; CREATE DATABASE hearth CHARACTER SET latin1");
	return 0;
}

static int leave(void **state)
{
	(void)state;
	maria_close(store);
	store = NULL;
	return 0;
}

static void enter(const char *user)
{
	char location[256], error[512];
	struct store_place place = {.location = location, .node = "test"};

	maria_close(store);
	snprintf(location, sizeof location, "//%s@%s/hearth", user, mariadb_server_socket(server));
	if (maria_connect(&place, &store, error, sizeof error) != STORE_OK)
		fail_msg("%s", error);
}

static void expect(enum store_result result, enum store_result wanted, const char *said)
{
	if (result != wanted || (said && !strstr(store->error, said)))
		fail_msg("result %d, wanted %d and \"%s\" in: %s", (int)result, (int)wanted, said ? said : "", store->error);
}

static char *answer(const char *sql)
{
	char *text = mariadb_server_query(server, "hearth", sql);

	if (!text)
		fail_msg("%s: %s", sql, mariadb_server_error(server));
	return text;
}

static void expect_answer(const char *sql, const char *wanted)
{
	char *text = answer(sql);

	if (strcmp(text, wanted) != 0)
		fail_msg("%s: %s", sql, text);
	free(text);
}

/* How everything in the database was made. */
static char *everything(void)
{
	char *statements = answer(
		"SELECT GROUP_CONCAT(CONCAT('SHOW CREATE ', IF(table_type = 'VIEW', 'VIEW ', 'TABLE '), table_name)"
		" ORDER BY table_name SEPARATOR ';') FROM information_schema.tables WHERE table_schema = 'hearth' UNION ALL "
		"SELECT GROUP_CONCAT(CONCAT(';SHOW CREATE PROCEDURE ', routine_name) ORDER BY routine_name SEPARATOR '')"
		" FROM information_schema.routines WHERE routine_schema = 'hearth'");
	char *made = answer(statements);

	free(statements);
	return made;
}

/* ---- cutting ---- */

static void cuts_files_into_statements(void **state)
{
	static const struct {
		const char *file;
		const char *statements[4];
	} rows[] = {
		{"", {NULL}},
		{" \n\t\n", {NULL}},
		{"-- only; words\n--\n-- ", {NULL}},
		{"SELECT 1;", {"SELECT 1"}},
		{"SELECT 1", {"SELECT 1"}},
		{"A;B ;\nC\n;\n", {"A", "B", "C"}},
		{"-- a; b\nA -- c; 'd\n  B; -- e\nC;", {"A \n  B", "C"}},
		{"A --b;C--", {"A --b", "C"}}, /* no white space, no comment */
		{"A ';' \"; -- \" `;` '\\';' ';;';", {"A ';' \"; -- \" `;` '\\';' ';;'"}},
		{"A `\\`;B '", {"A `\\`", "B '"}},
		{"DELIMITER //\nA;\nB;\n//\nC//\nDELIMITER ;\nD;", {"A;\nB;", "C", "D"}},
		{"DELIMITER //\r\nA;//\r\nDELIMITER ;\r\nB;\r\n", {"A;", "B"}},
		{"DELIMITER \nA;DELIMITER 123456789\nB;", {"A", "B"}}, /* none, and one that is too long */
		{"A 집 '집;';", {"A 집 '집;'"}},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char delimiter[MARIA_DELIMITER_MAX + 1] = ";";
		char *file = strdup(rows[i].file), *statement; /* its end is the end of its memory */
		const char *at = file;
		size_t count = 0;
		while ((statement = maria_next_statement(&at, delimiter)) != NULL) {
			if (count == COUNT(rows[i].statements) || !rows[i].statements[count] ||
			    strcmp(statement, rows[i].statements[count]) != 0)
				fail_msg("row %zu: statement %zu: \"%s\"", i, count, statement);
			count++;
			free(statement);
		}
		assert_true(count == COUNT(rows[i].statements) || rows[i].statements[count] == NULL);
		assert_int_equal(*at, '\0');
		free(file);
	}
}

/* ---- applying ---- */

static void makes_what_the_client_makes(void **state)
{
	(void)state;
	enter(owner_name);
	expect(maria_migrate(store), STORE_OK, NULL);
	char *ours = everything();
	assert_non_null(strstr(ours, "upkeep_of"));
	assert_non_null(strstr(ours, "readings_by_hour"));
	empty_database(state);
	if (!mariadb_server_run_file(server, "hearth", first_file))
		fail_msg("%s", mariadb_server_error(server));
	char *theirs = everything();
	assert_string_equal(ours, theirs);
	free(ours);
	free(theirs);
}

static void can_be_applied_again(void **state)
{
	(void)state;
	enter(owner_name);
	expect(maria_migrate(store), STORE_OK, NULL);
	char *once = everything();
	run("INSERT INTO hearth.series (location, device, sensor, subject) VALUES ('a', 'b', 'c', 'value')");
	run("DELETE FROM hearth.schema_version WHERE version > 0"); /* as if cut short before its last statement */
	expect(maria_schema_check(store), STORE_AWAY, "schema/mariadb/001_initial.sql is not applied yet; waiting");
	expect(maria_migrate(store), STORE_OK, NULL);
	if (!mariadb_server_run_file(server, "hearth", first_file))
		fail_msg("%s", mariadb_server_error(server));
	char *twice = everything();
	static const char counter[] = " AUTO_INCREMENT=2";
	char *found = strstr(twice, counter);
	assert_non_null(found);
	memmove(found, found + strlen(counter), strlen(found + strlen(counter)) + 1);
	assert_string_equal(once, twice);
	free(once);
	free(twice);
	expect_answer("SELECT topic FROM series; SELECT version, name FROM schema_version",
	              "a/b/c/value\n0|begun\n1|001_initial\n");
}

/* Tables that Hearth made in the middle of a dump would be in its way. */
static void keeps_out_of_a_dump_that_comes_back(void **state)
{
	(void)state;
	static const char *const gone[] = {"DROP TABLE hearth.schema_version", "DELETE FROM hearth.schema_version"};

	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		run("DROP DATABASE IF EXISTS hearth");
		run("CREATE DATABASE hearth");
		enter(owner_name);
		expect(maria_migrate(store), STORE_OK, NULL);
		run(gone[i]);
		run("DROP TABLE hearth.witness_position");
		expect(maria_migrate(store), STORE_AWAY, "a backup is being put back? waiting until it is whole");
		expect_answer("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'hearth'"
		              " AND table_name = 'witness_position'",
		              "0\n");
	}
	run("DROP DATABASE hearth");
	run("CREATE DATABASE hearth");
	enter(owner_name);
	store->known = true; /* it was stored to in this run */
	expect(maria_migrate(store), STORE_AWAY, "the tables are gone: a backup is being put back?");
	store->known = false;
	expect(maria_migrate(store), STORE_OK, NULL);
}

static void leaves_a_current_schema_alone(void **state)
{
	(void)state;
	enter(owner_name);
	expect(maria_migrate(store), STORE_OK, NULL);
	run("DROP TABLE hearth.reading_hour");
	enter("writer"); /* who could not make it */
	expect(maria_migrate(store), STORE_OK, NULL);
	expect(maria_schema_check(store), STORE_OK, NULL);
	expect_answer("SHOW TABLES LIKE 'reading_hour'", "");
	assert_null(maria_statement(store, MARIA_ADD_HOURS));
	expect(maria_fail(store, store->statements[MARIA_ADD_HOURS]), STORE_AWAY,
	       "Table 'hearth.reading_hour' doesn't exist (1146); restore it from a backup, or have it made anew and "
	       "empty, as "
	       "one who may: mariadb hearth < " HEARTH_SHARE "/mariadb/001_initial.sql");
}

/* ---- who may not ---- */

static void says_what_to_apply_by_hand(void **state)
{
	char wanted[256];
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		const char *user = i == 0 ? "writer" : "tables"; /* nothing, or all but the procedures */
		empty_database(state);
		enter(user);
		expect(maria_schema_check(store), STORE_AWAY, "001_initial.sql is not applied yet");
		snprintf(wanted, sizeof wanted, "schema/mariadb/001_initial.sql is not applied and user %s may not apply it (",
		         user);
		expect(maria_migrate(store), STORE_AWAY, wanted);
		expect(maria_migrate(store), STORE_AWAY,
		       "; as one who may: mariadb hearth < " HEARTH_SHARE "/mariadb/001_initial.sql; waiting");
		if (!mariadb_server_run_file(server, "hearth", first_file))
			fail_msg("%s", mariadb_server_error(server));
		expect(maria_migrate(store), STORE_OK, NULL);
		expect(maria_schema_check(store), STORE_OK, NULL);
	}
}

static void says_that_it_may_not_look(void **state)
{
	(void)state;
	enter(owner_name);
	expect(maria_migrate(store), STORE_OK, NULL);
	enter("stranger");
	expect(maria_migrate(store), STORE_AWAY, "give stranger the grants that Hearth's README names");
	expect(maria_schema_check(store), STORE_AWAY, "(1142)");
}

static void refuses_a_newer_schema(void **state)
{
	(void)state;
	enter(owner_name);
	expect(maria_migrate(store), STORE_OK, NULL);
	run("INSERT INTO hearth.schema_version (version, name) VALUES (99, '099_later')");
	expect(maria_migrate(store), STORE_NEVER, "made by a newer Hearth (schema version 99, this one knows 1)");
	expect(maria_schema_check(store), STORE_NEVER, "made by a newer Hearth");
}

static void refuses_tables_of_another_program(void **state)
{
	(void)state;
	run("CREATE TABLE hearth.schema_version (v INT)");
	enter(owner_name);
	expect(maria_migrate(store), STORE_NEVER,
	       "(1054); the tables are not as schema/mariadb/001_initial.sql makes them");
	expect(maria_schema_check(store), STORE_NEVER, "give Hearth a database of its own");
}

/* Somebody else holds the lock for longer than one waits. */
static void applies_without_the_lock(void **state)
{
	(void)state;
	if (!getenv("TEST_LONG"))
		skip();
	MYSQL *other = mariadb_server_connect(server, NULL, NULL, "hearth");
	assert_non_null(other);
	free(mariadb_server_query_on(server, other, "DO GET_LOCK(CONCAT('hearth ', MD5(DATABASE())), 0)"));
	enter(owner_name);
	enum store_result result = maria_migrate(store);
	mysql_close(other);
	expect(result, STORE_OK, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_files_into_statements),
		cmocka_unit_test_setup_teardown(makes_what_the_client_makes, empty_database, leave),
		cmocka_unit_test_setup_teardown(can_be_applied_again, empty_database, leave),
		cmocka_unit_test_setup_teardown(keeps_out_of_a_dump_that_comes_back, empty_database, leave),
		cmocka_unit_test_setup_teardown(leaves_a_current_schema_alone, empty_database, leave),
		cmocka_unit_test_setup_teardown(says_what_to_apply_by_hand, empty_database, leave),
		cmocka_unit_test_setup_teardown(says_that_it_may_not_look, empty_database, leave),
		cmocka_unit_test_setup_teardown(refuses_a_newer_schema, empty_database, leave),
		cmocka_unit_test_setup_teardown(refuses_tables_of_another_program, empty_database, leave),
		cmocka_unit_test_setup_teardown(applies_without_the_lock, empty_database, leave),
	};
	return cmocka_run_group_tests_name("store_mariadb_schema", tests, begin, end);
}
