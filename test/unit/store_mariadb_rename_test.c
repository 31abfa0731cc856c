/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb gives a device's series their new names, and the position moves with that or not at all: also wherever the
 * connection is cut. A user who may not rename holds up nothing.
 */
#include "mariadb_fixture.h"
#include "wire_cutter.h"

#include <mariadb/mysql.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PASSWORD     "not secret"
#define PACKETS_MAX  4096
#define TRIES_MAX    20
#define NAMES        "SELECT id, topic FROM series ORDER BY id"

static size_t renamed, kept;

/* A store with these series, each with a reading of its own number. */
static struct store *store_with(const char *const *names, size_t count)
{
	struct store *store = maria_open("house");
	struct store_row rows[16];
	size_t rejected;

	assert_true(count <= COUNT(rows));
	for (size_t i = 0; i < count; i++) {
		rows[i] = number_row(maria_series(store, names[i]), NOON, (int64_t)i, (double)(i + 1));
		assert_int_equal(rows[i].series, i + 1);
	}
	assert_int_equal(maria_put(store, rows, count, 1, &rejected), STORE_OK);
	return store;
}

static void split(const char *name, struct slice *location, struct slice *device)
{
	const char *slash = strchr(name, '/');

	*location = (struct slice){name, (size_t)(slash - name)};
	*device = slice_of(slash + 1);
}

/* The store was asked for its position. */
static enum store_result rename_at(struct store *store, const char *from, const char *to, struct store_position at,
                                   uint64_t end)
{
	struct store_rename rename = {.from = at, .to = {JOURNAL, end}};

	split(from, &rename.from_location, &rename.from_device);
	split(to, &rename.to_location, &rename.to_device);
	renamed = kept = 99;
	return store_mariadb.rename(store, &rename, &renamed, &kept);
}

static void expect_renamed(struct store *store, const char *from, const char *to, uint64_t end)
{
	if (rename_at(store, from, to, maria_position(store, JOURNAL), end) != STORE_OK)
		fail_msg("%s", store_mariadb.error(store));
	const struct store_position at = maria_position(store, JOURNAL);
	assert_true(at.journal == JOURNAL && at.position == end);
}

static void gives_all_series_of_a_device_their_new_name(void **state)
{
	static const char *const names[] = {
		"a/b/temperature/value", "a/b/led/state",  "a/b/led/value", "a/bb/led/value",
		"a/c/led/value",         "ab/b/led/value", "b/a/led/value", "a/b0/led/value",
	};

	(void)state;
	struct store *store = store_with(names, COUNT(names));
	expect_renamed(store, "a/b", "거실/uno 2", 50);
	assert_int_equal(renamed, 3);
	assert_int_equal(kept, 0);
	assert_int_equal(maria_series(store, "거실/uno 2/led/state"), 2);
	assert_string_equal(maria_ask(NAMES), "1|거실/uno 2/temperature/value\n2|거실/uno 2/led/state\n"
	                                      "3|거실/uno 2/led/value\n4|a/bb/led/value\n5|a/c/led/value\n"
	                                      "6|ab/b/led/value\n7|b/a/led/value\n8|a/b0/led/value\n");
	for (int i = 0; i < 3; i++) {
		static const char *const views[] = {"SELECT value FROM readings", "SELECT avg FROM readings_by_minute",
		                                    "SELECT avg FROM readings_by_hour"};
		char sql[160];
		snprintf(sql, sizeof sql, "%s WHERE location = '거실' AND device = 'uno 2' ORDER BY 1", views[i]);
		assert_string_equal(maria_ask(sql), "1\n2\n3\n");
	}
}

static void there_and_back_with_readings_in_between(void **state)
{
	static const char *const names[] = {"a/b/led/value"};
	size_t rejected;

	(void)state;
	struct store *store = store_with(names, 1);
	expect_renamed(store, "a/b", "a/c", 2);
	struct store_row row = number_row(maria_series(store, "a/c/led/value"), NOON, 2, 2);
	assert_int_equal(maria_put(store, &row, 1, 3, &rejected), STORE_OK);
	row = number_row(maria_series(store, "a/b/led/value"), NOON, 3, 2); /* the old name is free, and another series */
	assert_int_equal(maria_put(store, &row, 1, 4, &rejected), STORE_OK);
	expect_renamed(store, "a/b", "a/d", 5);
	expect_renamed(store, "a/c", "a/b", 6);
	assert_string_equal(maria_ask(NAMES), "1|a/b/led/value\n2|a/d/led/value\n");
	assert_string_equal(maria_ask("SELECT series_id, COUNT(*) FROM reading GROUP BY 1"), "1|2\n2|1\n");
}

static void keeps_what_has_its_new_name_already(void **state)
{
	static const char *const names[] = {"a/b/led/value", "a/b/led/state", "a/c/led/value"};

	(void)state;
	struct store *store = store_with(names, COUNT(names));
	expect_renamed(store, "a/b", "a/c", 2);
	assert_int_equal(renamed, 1);
	assert_int_equal(kept, 1);
	assert_string_equal(maria_ask(NAMES), "1|a/b/led/value\n2|a/c/led/state\n3|a/c/led/value\n");
}

static void keeps_what_would_be_too_long(void **state)
{
	static const char *const names[] = {"a/b/led/value", "a/b/le/value"};
	char name[TOPIC_MAX] = "거실/"; /* it is bytes that count, not characters */

	(void)state;
	struct store *store = store_with(names, COUNT(names));
	memset(name + strlen(name), 'x', sizeof name - strlen(name));
	name[TOPIC_MAX - strlen("/le/value")] = '\0';
	expect_renamed(store, "a/b", name, 2);
	assert_int_equal(renamed, 1);
	assert_int_equal(kept, 1);
	assert_string_equal(maria_ask("SELECT LENGTH(topic) FROM series ORDER BY id"), "13\n512\n");
}

static void a_device_without_history_moves_the_position(void **state)
{
	(void)state;
	struct store *store = maria_open("house");
	expect_renamed(store, "a/b", "a/c", 7);
	assert_int_equal(renamed + kept, 0);
}

static void nothing_is_done_at_another_position(void **state)
{
	static const char *const names[] = {"a/b/led/value"};
	static const struct store_position wrong[] = {{JOURNAL, 2}, {JOURNAL, 0}, {JOURNAL + 1, 1}, {0, 0}};

	(void)state;
	struct store *store = store_with(names, 1);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_true(maria_position(store, JOURNAL).position == 1);
		assert_int_equal(rename_at(store, "a/b", "a/c", wrong[i], 9), STORE_MOVED);
		assert_int_equal(renamed + kept, 0);
	}
	expect_renamed(store, "a/b", "a/c", 9); /* no transaction was left open */
	assert_string_equal(maria_ask(NAMES), "1|a/c/led/value\n");
}

/* Grants of an older Hearth: the names stay, readings go on, and the line says what to grant. */
static void a_user_who_may_not_holds_up_nothing(void **state)
{
	static const char *const names[] = {"a/b/led/value", "a/b/led/state"};
	size_t rejected;

	(void)state;
	maria_shut(store_with(names, COUNT(names)));
	maria_ask("DROP USER IF EXISTS old@localhost; CREATE USER old@localhost IDENTIFIED BY '" PASSWORD "';"
	          "GRANT SELECT ON schema_version TO old@localhost; GRANT SELECT, INSERT ON series TO old@localhost;"
	          "GRANT INSERT ON reading TO old@localhost;"
	          "GRANT SELECT, INSERT, UPDATE ON reading_minute TO old@localhost;"
	          "GRANT SELECT, INSERT, UPDATE ON reading_hour TO old@localhost;"
	          "GRANT SELECT, INSERT, UPDATE ON ingest_position TO old@localhost;"
	          "GRANT SELECT, INSERT, UPDATE ON witness_position TO old@localhost");
	struct store *store = maria_open_as("old", PASSWORD, "house");
	expect_renamed(store, "a/b", "a/c", 2);
	assert_int_equal(renamed, 0);
	assert_int_equal(kept, 2);
	maria_position(store, JOURNAL);
	assert_int_equal(rename_at(store, "a/b", "a/c", maria_position(store, JOURNAL), 3), STORE_OK);
	if (!strstr(store_mariadb.error(store), "GRANT UPDATE (location, device) ON hearth.series TO old"))
		fail_msg("%s", store_mariadb.error(store));
	assert_string_equal(maria_ask(NAMES), "1|a/b/led/value\n2|a/b/led/state\n");
	struct store_row row = number_row(maria_series(store, "a/c/led/value"), NOON, 3, 3);
	assert_int_equal(maria_put(store, &row, 1, 4, &rejected), STORE_OK);

	maria_ask("GRANT UPDATE (location, device) ON series TO old@localhost");
	expect_renamed(store, "a/b", "a/d", 5);
	assert_int_equal(renamed, 2);
	maria_ask("DROP USER old@localhost");
}

/* Somebody's own rule must not hold up the readings either. */
static void a_trigger_that_refuses_keeps_the_names(void **state)
{
	static const char *const names[] = {"a/b/led/value"};

	(void)state;
	struct store *store = store_with(names, 1);
	maria_ask("CREATE TRIGGER x BEFORE UPDATE ON series FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'");
	expect_renamed(store, "a/b", "a/c", 2);
	assert_int_equal(kept, 1);
	assert_string_equal(maria_ask(NAMES), "1|a/b/led/value\n");
}

/* ---- a connection that is cut ---- */

static struct wire_cutter *cutter;
static char location[160];

/* As the writer does it: after whatever failed, the position says whether it was done. */
static void rename_through_the_cutter(void)
{
	const struct store_place place = {.location = location, .node = "house"};
	struct store_position at = {0, 0};
	char error[400];

	for (int tries = 0; at.position < 2; tries++) {
		struct store *store = NULL;
		assert_in_range(tries, 0, TRIES_MAX);
		if (store_mariadb.open(&place, &store, error, sizeof error) == STORE_OK &&
		    store_mariadb.position(store, JOURNAL, &at) == STORE_OK && at.position < 2 &&
		    rename_at(store, "a/b", "a/c", at, 2) == STORE_OK)
			at.position = 0; /* only the position is to be believed */
		store_mariadb.close(store);
	}
}

static void expect_once(enum way way, uint64_t bytes, enum cut how)
{
	maria_ask("UPDATE series SET device = 'b' WHERE device = 'c'; UPDATE ingest_position SET pos = 1;"
	          "UPDATE witness_position SET pos = 1");
	cutter_arm(cutter, way, bytes, how);
	rename_through_the_cutter();
	if (!cutter_has_cut(cutter))
		fail_msg("not cut after %llu bytes", (unsigned long long)bytes);
	assert_string_equal(maria_ask(NAMES "; SELECT pos FROM ingest_position; SELECT pos FROM witness_position"),
	                    "1|a/c/led/value\n2|a/c/led/state\n2\n2\n");
}

static void it_is_done_once_wherever_the_connection_is_cut(void **state)
{
	static const struct {
		enum way way;
		enum cut how;
	} rows[] = {{TO_SERVER, CUT_BOTH}, {TO_CLIENT, CUT_BOTH}, {TO_SERVER, CUT_LATE}};
	static const char *const names[] = {"a/b/led/value", "a/b/led/state"};
	static uint64_t ends[PACKETS_MAX];
	char path[96];
	size_t cuts = 0;

	(void)state;
	maria_shut(store_with(names, COUNT(names)));
	snprintf(path, sizeof path, "%s/cut", mariadb_server_folder(maria_server));
	snprintf(location, sizeof location, "//%s@%s/%s", mariadb_server_owner(maria_server), path, DATABASE);
	cutter = cutter_new(path, mariadb_server_socket(maria_server));
	assert_non_null(cutter);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint64_t *seen;
		maria_ask("UPDATE series SET device = 'b' WHERE device = 'c'; UPDATE ingest_position SET pos = 1;"
		          "UPDATE witness_position SET pos = 1");
		cutter_watch(cutter);
		const struct store_place place = {.location = location, .node = "house"};
		struct store *store;
		struct store_position at;
		char error[400];
		assert_int_equal(store_mariadb.open(&place, &store, error, sizeof error), STORE_OK);
		assert_int_equal(store_mariadb.position(store, JOURNAL, &at), STORE_OK);
		assert_int_equal(rename_at(store, "a/b", "a/c", at, 2), STORE_OK);
		store_mariadb.close(store);
		const size_t packets = cutter_packets(cutter, rows[i].way, &seen);
		assert_in_range(packets, 10, PACKETS_MAX);
		memcpy(ends, seen, packets * sizeof *ends);
		for (size_t j = 0; j < packets; j++, cuts++) {
			expect_once(rows[i].way, ends[j], rows[i].how);
			if (rows[i].how == CUT_BOTH)
				expect_once(rows[i].way, ends[j] - 1, CUT_BOTH);
		}
	}
	print_message("%zu cuts\n", cuts);
	cutter_free(cutter);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, maria_make_database, maria_close_stores)
	const struct CMUnitTest tests[] = {
		TEST(gives_all_series_of_a_device_their_new_name),
		TEST(there_and_back_with_readings_in_between),
		TEST(keeps_what_has_its_new_name_already),
		TEST(keeps_what_would_be_too_long),
		TEST(a_device_without_history_moves_the_position),
		TEST(nothing_is_done_at_another_position),
		TEST(a_user_who_may_not_holds_up_nothing),
		TEST(a_trigger_that_refuses_keeps_the_names),
		TEST(it_is_done_once_wherever_the_connection_is_cut),
	};

	return cmocka_run_group_tests_name("store_mariadb_rename", tests, maria_group_start, maria_group_end);
}
