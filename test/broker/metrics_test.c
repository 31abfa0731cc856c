/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Hearth's counters under $SYS/broker/hearth/, as a dashboard sees them.
 */
#include "client.h"
#include "house.h"
#include "patience.h"
#include "quotes.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOT "$SYS/broker/hearth/"

/* Waits until the metric is between two values; returns it. */
static long long wait_between(struct client *client, const char *topic, long long least, long long most)
{
	int64_t deadline = deadline_in(15000);
	const struct message *message;
	long long value = -1;

	while ((message = client_take(client, topic, (int)(deadline - now_ms()))) != NULL) {
		assert_true(message->len > 0 && strspn(message->payload, "0123456789") == message->len);
		value = strtoll(message->payload, NULL, 10);
		if (value >= least && value <= most)
			return value;
	}
	fail_msg("%s is %lld, wanted %lld to %lld", topic, value, least, most);
	return -1;
}

static void what_happens_is_counted(void **state)
{
	struct house *house = house_new();
	struct client *client, *watcher;

	(void)state;
	house_conf(house, "plugin_opt_gauges_every 1");
	house_start(house);
	watcher = client_connect(house, CLIENT_V5, NULL);
	client_subscribe(watcher, ROOT "#");
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish_retained(client, "livingroom/uno1/temperature/config",
	                        json("{'max':85,'rules':[{'name':'cool','when':{'above':28},"
	                             "'then':[{'set':'livingroom/fan1/motor','to':1}],"
	                             "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}"));
	client_publish(client, "livingroom/uno1/temperature/value", "20");
	client_publish(client, "livingroom/uno1/temperature/value", "30");
	client_publish(client, "livingroom/uno1/temperature/value", "99");
	for (int i = 0; i < 2; i++)
		client_publish(client, "livingroom/uno1/temperature/value", json("{'boot':1,'seq':1,'value':31}"));
	client_publish(client, "livingroom/uno1/temperature/ack", "cool");
	wait_between(watcher, ROOT "readings/received", 6, 6);
	wait_between(watcher, ROOT "readings/refused", 1, 1);
	wait_between(watcher, ROOT "readings/resent", 1, 1);
	wait_between(watcher, ROOT "rules/fired", 2, 2);
	wait_between(watcher, ROOT "rules/commands", 2, 2);
	/* Three values, an ack, two commands, and at least one round of six gauges. */
	wait_between(watcher, ROOT "readings/journaled", 12, 1000);
	wait_between(watcher, ROOT "readings/stored", 12, 1000);
	wait_between(watcher, ROOT "readings/lost", 0, 0);
	wait_between(watcher, ROOT "journal/bytes", 500, 1000000);
	wait_between(watcher, ROOT "journal/quota", 1073741824, 1073741824);
	client_free(client);
	client_free(watcher);

	/* Retained: whoever comes later sees them too. */
	char *quota = retained_text(house, ROOT "journal/quota");
	assert_non_null(quota);
	assert_string_equal(quota, "1073741824");
	free(quota);
	house_free(house);
}

static void a_store_that_is_away_shows_as_lag(void **state)
{
	struct house *house = house_new();
	struct client *client, *watcher;
	sqlite3 *lock;

	(void)state;
	house_conf(house, "plugin_opt_gauges_every 1");
	house_start(house);
	watcher = client_connect(house, CLIENT_V5, NULL);
	client_subscribe(watcher, ROOT "#");
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish(client, "livingroom/uno1/temperature/value", "20");
	wait_between(watcher, ROOT "readings/stored", 1, 1000);
	assert_int_equal(sqlite3_open(house->history, &lock), SQLITE_OK);
	sqlite3_busy_timeout(lock, SOON);
	assert_int_equal(sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	client_publish(client, "livingroom/uno1/temperature/value", "21");
	wait_between(watcher, ROOT "store/lag", 3, 10);
	wait_between(watcher, ROOT "journal/waiting", 40, 100000);
	assert_int_equal(sqlite3_exec(lock, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(lock);
	wait_between(watcher, ROOT "store/lag", 0, 0);
	client_free(client);
	client_free(watcher);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_happens_is_counted, client_teardown),
		cmocka_unit_test_teardown(a_store_that_is_away_shows_as_lag, client_teardown),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
