/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A MariaDB that goes away and comes back, and brokers that are killed while they store in it: rules work throughout, the log
 * has one line when an outage begins and one when it ends, what waited is stored sooner than it came, and no reading is
 * lost or doubled, in no roll-up either.
 *
 * TEST_LONG: outages of a minute, in place of some seconds.
 */
#include "chance.h"
#include "mariadb_trial.h"
#include "patience.h"
#include "publishers.h"
#include "rows.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIME_OUT_MS  10000 /* of the plugin's, for one answer of the server */
#define CLIENTS      4
#define WINDOW       2
#define WORD         40 /* bytes */
#define KILLS        20
#define SERVER_KILLS 8 /* TEST_LONG: KILLS */
#define LOAD_US      200000
#define STORED_MS    20000

/* ---- the server is away ---- */

static void server_stopped(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = mariadb_trial_house(server);
	int64_t from = now_ms();

	mariadb_must(server, mariadb_server_stop(server));
	mariadb_trial_live_for(&trial, mariadb_trial_outage_ms());
	trial_expect_lines(&trial, MARIADB_AWAY, trial.history, MARIADB_BACK, 0);
	mariadb_must(server, mariadb_server_start(server));
	mariadb_trial_catches_up(&trial, now_ms() - from);
	trial_expect_exactly_once(&trial);
	trial_expect_lines(&trial, MARIADB_AWAY, trial.history, MARIADB_BACK, 1);
	trial_end(&trial);
}

/* A server that answers before the plugin's time is out was only slow. */
static void server_frozen(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = mariadb_trial_house(server);
	bool noticed = mariadb_trial_outage_ms() > 2 * TIME_OUT_MS;
	int64_t from = now_ms();

	mariadb_must(server, mariadb_server_freeze(server));
	mariadb_trial_live_for(&trial, mariadb_trial_outage_ms());
	assert_int_equal(house_count_log(trial.house, MARIADB_AWAY, NULL), noticed ? 1 : 0);
	mariadb_must(server, mariadb_server_thaw(server));
	if (noticed)
		mariadb_trial_catches_up(&trial, now_ms() - from);
	trial_expect_exactly_once(&trial);
	assert_int_equal(house_count_log(trial.house, MARIADB_AWAY, NULL), noticed ? 1 : 0);
	assert_int_equal(house_count_log(trial.house, MARIADB_BACK, NULL), noticed ? 1 : 0);
	trial_end(&trial);
}

/* The plugin may wait for an answer when the broker is to end, which takes too long for a short test. */
static void end_house(struct house *house)
{
	if (trial_is_long())
		print_message("the broker stopped in %d ms\n", house_stop(house));
	else
		house_kill(house);
}

/* A frozen server keeps the broker neither from ending nor from starting. */
static void broker_restarted_while_the_server_is_frozen(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = mariadb_trial_house(server);
	int64_t from;

	mariadb_must(server, mariadb_server_freeze(server));
	trial_count(&trial, 100);
	trial_controls(&trial);
	client_free(trial.client);
	end_house(trial.house);
	from = now_ms();
	house_start(trial.house);
	trial_connect(&trial);
	assert_true(now_ms() - from < SOON / 2);
	trial_live_for(&trial, 500);
	mariadb_must(server, mariadb_server_thaw(server));
	trial_expect_exactly_once(&trial);
	trial_end(&trial);
}

/* ---- kills under load ---- */

/* Waits until something more has been stored, and returns how far that is. */
static long long wait_stored_beyond(const struct trial *trial, long long position)
{
	int64_t deadline = deadline_in(STORED_MS);

	for (;;) {
		char *row = rows_now(trial->house, "select pos from ingest_position");
		long long now = row == NULL ? 0 : strtoll(row, NULL, 10);

		free(row);
		if (now > position)
			return now;
		if (now_ms() > deadline)
			fail_msg("nothing more is stored:\n%s", house_log(trial->house));
		look_again();
	}
}

static void server_killed(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = mariadb_trial_house(server);
	struct publishers *publishers = publishers_new(CLIENTS);
	long long position = 0;
	size_t kills = trial_is_long() ? KILLS : SERVER_KILLS, outages;

	publishers_begin(publishers, trial.house, WINDOW, WORD);
	for (size_t i = 0; i < kills; i++) {
		position = wait_stored_beyond(&trial, position);
		chance_pause(LOAD_US);
		mariadb_must(server, mariadb_server_kill(server));
		trial_count(&trial, 10);
		trial_controls(&trial);
		mariadb_must(server, mariadb_server_start(server));
	}
	wait_stored_beyond(&trial, position);
	house_wait_log(trial.house, MARIADB_BACK);
	outages = house_count_log(trial.house, MARIADB_AWAY, NULL);
	assert_in_range(outages, 1, kills);
	assert_in_range(outages - house_count_log(trial.house, MARIADB_BACK, NULL), 0, 1);
	mariadb_trial_all_published(&trial, publishers, "server killed");
	trial_end(&trial);
}

/* Its successor finds the server still busy with what it left. */
static void broker_killed(void **state)
{
	struct trial trial = mariadb_trial_house(*state);
	struct publishers *publishers = publishers_new(CLIENTS);

	for (int i = 0; i < KILLS; i++) {
		publishers_begin(publishers, trial.house, WINDOW, WORD);
		chance_pause(LOAD_US);
		trial_count(&trial, 10);
		trial_controls(&trial);
		client_free(trial.client);
		house_kill(trial.house);
		publishers_end(publishers);
		house_start(trial.house);
		trial_connect(&trial);
	}
	publishers_begin(publishers, trial.house, WINDOW, WORD);
	mariadb_trial_all_published(&trial, publishers, "broker killed");
	trial_end(&trial);
}

static int begin_group(void **state)
{
	chance_begin();
	return mariadb_trial_begin(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(server_stopped, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(server_frozen, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(broker_restarted_while_the_server_is_frozen, mariadb_trial_setup,
	                                    client_teardown),
		cmocka_unit_test_setup_teardown(server_killed, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(broker_killed, mariadb_trial_setup, client_teardown),
	};

	return cmocka_run_group_tests_name("mariadb_outage", tests, begin_group, mariadb_trial_end);
}
