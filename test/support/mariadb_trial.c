/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See mariadb_trial.h. */
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

#define OUTAGE_MS      2000
#define OUTAGE_LONG_MS 60000

#define RATE      5000 /* readings a second */
#define MOMENT_MS 20

/* The writer waits at most so long before it tries a lost store again. */
#define PAUSE_MS 2000

#define CREATE "CREATE DATABASE " HOUSE_DATABASE

static struct mariadb_server *common;

void mariadb_must(struct mariadb_server *server, bool good)
{
	if (!good)
		fail_msg("MariaDB: %s", mariadb_server_error(server));
}

const char *mariadb_trial_schema(const char *name)
{
	static char path[400];
	const char *folder = getenv("TEST_FOLDER");

	snprintf(path, sizeof(path), "%.300s/../schema/mariadb/%s", folder == NULL ? "test" : folder, name);
	return path;
}

static struct mariadb_server *installed(const char *data)
{
	struct mariadb_server *server = mariadb_server_new(data);

	mariadb_must(server, server != NULL && mariadb_server_error(server)[0] == '\0');
	return server;
}

struct mariadb_server *mariadb_trial_server(const char *data)
{
	struct mariadb_server *server = installed(data);

	mariadb_must(server, mariadb_server_start(server));
	mariadb_must(server, mariadb_server_run(server, NULL, CREATE));
	return server;
}

int mariadb_trial_begin(void **state)
{
	(void)state;
	common = installed(NULL);
	mariadb_must(common, mariadb_server_listen(common));
	return 0;
}

int mariadb_trial_setup(void **state)
{
	if (mariadb_server_runs(common) && !mariadb_server_stop(common))
		mariadb_server_kill(common);
	mariadb_server_options_clear(common);
	mariadb_must(common, mariadb_server_start(common));
	mariadb_must(common, mariadb_server_run(common, NULL, "DROP DATABASE IF EXISTS " HOUSE_DATABASE "; " CREATE));
	*state = common;
	return 0;
}

int mariadb_trial_end(void **state)
{
	(void)state;
	mariadb_server_free_all();
	return 0;
}

struct trial mariadb_trial_house(struct mariadb_server *server)
{
	struct trial trial = trial_new_in(server);

	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	return trial;
}

int mariadb_trial_outage_ms(void)
{
	return trial_is_long() ? OUTAGE_LONG_MS : OUTAGE_MS;
}

/* Some milliseconds of readings at RATE; rules work. */
static void live_a_moment(struct trial *trial)
{
	int64_t until = now_ms() + MOMENT_MS;

	trial_count(trial, RATE * MOMENT_MS / 1000);
	trial_controls(trial);
	while (now_ms() < until)
		look_again();
}

void mariadb_trial_live_for(struct trial *trial, int ms)
{
	for (int64_t until = now_ms() + ms; now_ms() < until;)
		live_a_moment(trial);
}

void mariadb_trial_catches_up(struct trial *trial, int64_t outage_ms)
{
	int64_t begin = now_ms(), deadline = deadline_in((int)(outage_ms / 5) + PAUSE_MS);
	const char *line;

	while (house_count_log(trial->house, MARIADB_BACK, NULL) == 0) {
		if (now_ms() > deadline)
			fail_msg("what came in %lld ms is not stored %lld ms after the server came back:\n%s", (long long)outage_ms,
			         (long long)(now_ms() - begin), house_log(trial->house));
		live_a_moment(trial);
	}
	line = strstr(house_log(trial->house), MARIADB_BACK);
	print_message("what came in %lld ms was stored %lld ms after the server came back: %.*s\n", (long long)outage_ms,
	              (long long)(now_ms() - begin), (int)strcspn(line, "\n"), line);
}

void mariadb_trial_all_published(struct trial *trial, struct publishers *publishers, const char *when)
{
	char wanted[24];

	client_free(trial->client);
	house_kill(trial->house);
	publishers_end(publishers);
	house_start(trial->house);
	trial_connect(trial);
	publishers_wait_stored(trial->house);
	publishers_check(publishers, trial->house, true, when);
	snprintf(wanted, sizeof(wanted), "%zu\n", publishers_stored(publishers));
	rows_expect(trial->house, "select count(*) from readings where location='" PUBLISHERS_LOCATION "'", wanted);
	trial_expect_exactly_once(trial);
	print_message("%s: %zu readings acknowledged, %zu stored\n", when, publishers_acknowledged(publishers),
	              publishers_stored(publishers));
	assert_true(publishers_acknowledged(publishers) > 1000);
	publishers_free(publishers);
}
