/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Houses that store in a MariaDB: a great many readings arrive as they were sent; a server that is not there when the broker
 * starts is waited for while people sign in and rules work; several brokers share a database; of several hosts
 * one that works is used.
 *
 * TEST_LONG: 1,000,000 readings in place of 200,000.
 */
#include "mariadb_trial.h"
#include "patience.h"
#include "program.h"
#include "publishers.h"
#include "rows.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a great many ---- */

#define SENDERS     4
#define SENSORS     5 /* of each sender */
#define BATCH       1000
#define READINGS    200000
#define MANY        1000000
#define STEP_US     1000 /* two readings share an instant */
#define BATCH_BYTES 65536

/* A thread, which sends each of its sensors' values 0, 1, 2, … */
struct sender {
	pthread_t thread;
	struct client *client;
	int number;
	int readings; /* of each sensor */
	int64_t from_us;
	bool good;
};

static int put_batch(const struct sender *sender, int from, char *payload)
{
	int len = sprintf(payload, "{\"readings\":[");

	for (int i = from; i < from + BATCH; i++) {
		char time[40];

		iso_time(sender->from_us + (int64_t)(i / 2) * STEP_US, time);
		len += sprintf(payload + len, "%s{\"time\":\"%s\",\"value\":%d}", i > from ? "," : "", time, i);
	}
	return len + sprintf(payload + len, "]}");
}

static void *send_all(void *context)
{
	struct sender *sender = context;
	char *payload = malloc(BATCH_BYTES);

	sender->good = payload != NULL;
	for (int from = 0; sender->good && from < sender->readings; from += BATCH) {
		int len = put_batch(sender, from, payload);

		for (int sensor = 0; sensor < SENSORS; sensor++) {
			char topic[64];

			snprintf(topic, sizeof(topic), "hall/uno%d/sensor%d/value", sender->number, sensor);
			sender->good = sender->good && client_send(sender->client, topic, payload, (size_t)len, 1, false);
		}
	}
	sender->good = sender->good && client_flush(sender->client);
	free(payload);
	return NULL;
}

static void expect_number(const struct house *house, const char *sql, long long number)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "%lld\n", number);
	rows_expect(house, sql, wanted);
}

static void all_arrive_in_order(void **state)
{
	struct house *house = house_new();
	struct sender senders[SENDERS];
	int each = (trial_is_long() ? MANY : READINGS) / (SENDERS * SENSORS);
	int64_t begin = now_ms();

	house->server = *state;
	house_start(house);
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.client = client_connect(house, CLIENT_V3, NULL),
		                             .number = i,
		                             .readings = each,
		                             .from_us = wall_us() - (int64_t)each * STEP_US};
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
	}
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(senders[i].thread, NULL);
		assert_true(senders[i].good);
		client_free(senders[i].client);
	}
	publishers_wait_stored(house);
	print_message("%d readings sent and stored in %lld ms\n", each * SENDERS * SENSORS, (long long)(now_ms() - begin));

	expect_number(house, "select count(*) from series where location='hall'", SENDERS * SENSORS);
	expect_number(house,
	              "select count(*) from (select count(*) as n, sum(value) as total from readings where location='hall'"
	              " group by device, sensor) as each_series where n <> 0 and total = n * (n - 1) / 2",
	              SENDERS * SENSORS);
	expect_number(house, "select count(*) from readings where location='hall'", (long long)each * SENDERS * SENSORS);
	expect_number(house,
	              "select count(*) from (select value, row_number() over (partition by series_id order by ts, seq) - 1"
	              " as place from reading where series_id in (select id from series where location='hall')) as ordered"
	              " where value <> place",
	              0);
	expect_number(
		house, "select min(n) from (select count(*) as n from reading group by series_id having n > 1) as each_series",
		each);
	expect_number(house, "select sum(count) from readings_by_minute where location='hall'",
	              (long long)each * SENDERS * SENSORS);
	expect_number(house, "select cast(round(sum(avg * count)) as integer) from readings_by_hour where location='hall'",
	              (long long)each * (each - 1) / 2 * SENDERS * SENSORS);
	house_free(house);
}

/* ---- absent at the start ---- */

#define START_MS 1000 /* no more than that longer */

/* Takes connections and never says a word. */
static int silent_server(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(listen(fd, 16), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* Nobody else may come in. */
static void keep_people(struct house *house)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/people", house->folder);
	program_run((const char *const[]){"mosquitto_passwd", "-c", "-b", path, "anna", "of green gables", NULL});
	house_conf(house, "password_file %s\nallow_anonymous false", path);
}

static int start_ms(struct house *house)
{
	int64_t from = now_ms();

	house_start(house);
	return (int)(now_ms() - from);
}

static void sign_in(struct trial *trial)
{
	assert_null(client_sign_in(trial->house, "anna", "of red gables"));
	trial->client = client_sign_in(trial->house, "anna", "of green gables");
	assert_non_null(trial->client);
	client_subscribe(trial->client, TRIAL_MOTOR);
}

static void absent_at_the_start(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = trial_new_in(server);
	struct house *bare = house_new();
	int bare_ms, ms, port, fd = silent_server(&port);

	bare->bare = true;
	bare_ms = start_ms(bare);
	house_free(bare);

	mariadb_must(server, mariadb_server_stop(server));
	keep_people(trial.house);
	house_conf(trial.house, "plugin_opt_store mariadb://root@127.0.0.1:%d/" HOUSE_DATABASE, port);
	ms = start_ms(trial.house);
	print_message("a broker starts in %d ms, with a database that does not answer in %d ms\n", bare_ms, ms);
	assert_in_range(ms, 0, bare_ms + START_MS);
	sign_in(&trial);
	trial_set_rule(&trial);
	trial_live_for(&trial, 500);

	/* A second start finds the rule and what waits, and now nobody even listens. */
	client_free(trial.client);
	house_kill(trial.house);
	close(fd);
	house_conf_clear(trial.house);
	keep_people(trial.house);
	ms = start_ms(trial.house);
	assert_in_range(ms, 0, bare_ms + START_MS);
	sign_in(&trial);
	trial_live_for(&trial, 500);
	trial_expect_lines(&trial, MARIADB_AWAY, "see that MariaDB runs there", MARIADB_BACK, 0);
	mariadb_must(server, mariadb_server_start(server));
	trial_expect_exactly_once(&trial);
	trial_controls(&trial);
	house_wait_log(trial.house, MARIADB_BACK);
	trial_expect_lines(&trial, MARIADB_AWAY, "see that MariaDB runs there", MARIADB_BACK, 1);
	trial_end(&trial);
}

/* ---- two brokers, one database ---- */

static void two_brokers_share_a_database(void **state)
{
	static const char *const nodes[] = {"alpha", "beta"};
	struct house *houses[2];
	struct publishers *publishers[2];
	size_t stored = 0;

	for (int i = 0; i < 2; i++) {
		houses[i] = house_new();
		houses[i]->server = *state;
		house_conf(houses[i], "plugin_opt_node %s", nodes[i]);
		publishers[i] = publishers_new(2);
		house_launch(houses[i]); /* so that both find an empty database */
	}
	for (int i = 0; i < 2; i++) {
		house_wait_log(houses[i], " running");
		publishers_wait_stored(houses[i]);
		publishers_begin(publishers[i], houses[i], 4, 40);
	}
	for (int i = 0; i < 2; i++) {
		publishers_wait_stored(houses[i]);
		house_kill(houses[i]);
		publishers_end(publishers[i]);
		house_start(houses[i]);
	}
	for (int i = 0; i < 2; i++) {
		publishers_wait_stored(houses[i]);
		publishers_check(publishers[i], houses[i], true, nodes[i]);
		assert_true(publishers_acknowledged(publishers[i]) > 100);
		stored += publishers_stored(publishers[i]);
	}
	expect_number(houses[0], "select count(*) from readings where location='" PUBLISHERS_LOCATION "'",
	              (long long)stored);
	rows_expect(houses[0],
	            "select node from ingest_position order by node; select count(distinct journal) from ingest_position",
	            "alpha\nbeta\n2\n");
	for (int i = 0; i < 2; i++) {
		publishers_free(publishers[i]);
		house_free(houses[i]);
	}
}

/* ---- two hosts ---- */

/* Each server has each reading once at most; together they have all. */
static void expect_union(const struct trial *trial, struct mariadb_server *servers[2])
{
	unsigned char *seen = calloc((size_t)trial->sent, 1);

	assert_non_null(seen);
	for (int i = 0; i < 2; i++) {
		char *rows = mariadb_server_query(servers[i], HOUSE_DATABASE,
		                                  "select cast(value as integer) from readings where sensor='count'");
		char *at = rows;

		mariadb_must(servers[i], rows != NULL);
		for (; at != NULL && *at != '\0'; at++) {
			long long value = strtoll(at, &at, 10);

			assert_in_range(value, 0, trial->sent - 1);
			if ((seen[value] & 1U << i) != 0)
				fail_msg("%lld is in server %d twice", value, i);
			seen[value] = (unsigned char)(seen[value] | 1U << i);
		}
		free(rows);
	}
	for (long long value = 0; value < trial->sent; value++)
		if (seen[value] == 0)
			fail_msg("%lld is in neither server", value);
	free(seen);
}

/* Where a broker has stored before it makes no tables anew: there the second server's are made by hand. */
static void second_host_takes_over(void **state)
{
	struct mariadb_server *servers[2] = {*state, mariadb_trial_server(NULL)};
	struct trial trial = trial_new_in(servers[0]);

	mariadb_must(servers[1],
	             mariadb_server_run_file(servers[1], HOUSE_DATABASE, mariadb_trial_schema("001_initial.sql")));

	house_conf(trial.house, "plugin_opt_store mariadb://root@%s,%s/" HOUSE_DATABASE, mariadb_server_socket(servers[0]),
	           mariadb_server_socket(servers[1]));
	trial_begin(&trial);
	for (int i = 0; i < 2; i++) {
		trial_count(&trial, 1000);
		publishers_wait_stored(trial.house);
		mariadb_must(servers[i], mariadb_server_stop(servers[i]));
		trial_live_for(&trial, 500);
		if (i == 1)
			mariadb_must(servers[0], mariadb_server_start(servers[0]));
		trial.house->server = servers[1 - i];
		publishers_wait_stored(trial.house);
		house_wait_log(trial.house, MARIADB_BACK);
		trial_expect_lines(&trial, MARIADB_AWAY, trial.history, MARIADB_BACK, 1);
		client_free(trial.client);
		house_restart(trial.house);
		trial_connect(&trial);
	}
	mariadb_must(servers[1], mariadb_server_start(servers[1]));
	expect_union(&trial, servers);
	trial_end(&trial);
	mariadb_server_free(servers[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_arrive_in_order, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(absent_at_the_start, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(two_brokers_share_a_database, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(second_host_takes_over, mariadb_trial_setup, client_teardown),
	};

	return cmocka_run_group_tests_name("mariadb", tests, mariadb_trial_begin, mariadb_trial_end);
}
