/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * demo_test: what `make run` starts is a working house: real input flows, a threshold on it acts, what it prints to
 * type next works, and Ctrl-C stops it clean. The first start makes an account and shows its password, once. The demo is run
 * with copies of the plugin and of mosquitto_ctrl's module in a temporary folder, where it finds no boards; with them: test/demo/boards_test.c.
 */
#include "../demo/demo.h"
#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "program.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count_row(void *count, int columns, char **values, char **names)
{
	(void)columns;
	(void)names;
	*(int *)count = (int)strtol(values[0], NULL, 10);
	return 0;
}

static void test_demo(void **state)
{
	struct demo demo;
	char history[192];
	(void)state;

	demo_start(&demo);
	assert_non_null(strstr(demo.text, "No simulated boards"));
	struct client *client = demo_client(&demo);
	client_subscribe(client, "#");
	/* Real input: the machine's own gauges, and the lamp that follows its load. */
	assert_non_null(client_take(client, "broker/hearth/cpu/value", 10000));
	assert_non_null(client_take(client, "broker/hearth/memory/value", SOON));
	client_publish(client, "livingroom/uno1/temperature/value", "29.5");
	const struct message *command = client_expect(client, "livingroom/uno1/motor/set", "1", SOON);
	assert_string_equal(message_property(command, "hearth-rule"), "cool");
	client_publish(client, "livingroom/uno1/temperature/value", "26");
	client_expect(client, "livingroom/uno1/motor/set", "0", SOON);
	client_free(client);

	assert_int_equal(demo_interrupt(&demo), 0);
	demo_wait_text(&demo, "Stopped.");
	close(demo.output);

	int count = 0;
	sqlite3 *db = NULL;
	snprintf(history, sizeof history, "%s/run/hearth/history.db", demo.house->folder);
	assert_int_equal(sqlite3_open_v2(history, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "SELECT count(*) FROM readings WHERE location = 'livingroom'", count_row, &count, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(count, 4);
	house_free(demo.house);
}

/* A second demo beside a broker on the first one's port takes another one and says so. */
static void test_port_taken(void **state)
{
	struct demo first, second;
	(void)state;

	demo_start(&first);
	demo_start(&second);
	assert_int_not_equal(first.house->port, second.house->port);
	assert_non_null(strstr(second.text, "is taken"));
	assert_int_equal(demo_interrupt(&second), 0);
	assert_int_equal(demo_interrupt(&first), 0);
	close(first.output);
	close(second.output);
	house_free(second.house);
	house_free(first.house);
}

/* A closed terminal, and a kill of the script alone, end the broker too. */
static void test_every_end_ends_the_broker(void **state)
{
	struct demo demo;
	(void)state;

	demo_start(&demo);
	assert_int_equal(demo_signal(&demo, SIGHUP), 0);
	demo_wait_text(&demo, "Stopped.");
	close(demo.output);

	demo_launch(&demo, demo.house, NULL, DEMO_WITHOUT_BOARDS);
	demo_wait_text(&demo, "Ctrl-C stops it.");
	assert_non_null(strstr(demo.text, "with the accounts it has"));
	kill(demo.pid, SIGTERM);
	assert_int_equal(demo_wait_end(&demo), 0);
	demo_wait_text(&demo, "Stopped.");
	close(demo.output);
	house_free(demo.house);
}

/* Any command of the script may fail behind the broker's start: here, the last one. */
static void test_failure_ends_the_broker(void **state)
{
	struct demo demo;
	char folder[96], cat[128];
	struct house *house = demo_house();
	(void)state;

	snprintf(folder, sizeof folder, "%s/bin", house->folder);
	snprintf(cat, sizeof cat, "%s/cat", folder);
	program_run((const char *const[]){"mkdir", folder, NULL});
	program_run((const char *const[]){"ln", "-s", "/bin/false", cat, NULL});
	demo_launch(&demo, house, folder, DEMO_WITHOUT_BOARDS);
	demo_wait_text(&demo, "hearth: version"); /* the broker has come that far */
	assert_int_equal(demo_wait_end(&demo), 1);
	close(demo.output);
	house_free(house);
}

/* Two brokers cannot share a state folder: the second demo says so, and leaves the first one's files alone. */
static void test_runs_already(void **state)
{
	struct demo first, second;
	char wanted[128];
	(void)state;

	demo_start(&first);
	snprintf(wanted, sizeof wanted, "A demo runs already here (port %d)", first.house->port);
	for (int i = 0; i < 2; i++) {
		demo_launch(&second, first.house, NULL, DEMO_WITHOUT_BOARDS);
		demo_wait_text(&second, wanted);
		assert_int_equal(demo_wait_end(&second), 1);
		close(second.output);
	}
	assert_int_equal(demo_interrupt(&first), 0);
	close(first.output);
	house_free(first.house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_demo, client_teardown),
		cmocka_unit_test_teardown(test_port_taken, client_teardown),
		cmocka_unit_test_teardown(test_every_end_ends_the_broker, client_teardown),
		cmocka_unit_test_teardown(test_failure_ends_the_broker, client_teardown),
		cmocka_unit_test_teardown(test_runs_already, client_teardown),
	};
	return cmocka_run_group_tests_name("demo", tests, NULL, NULL);
}
