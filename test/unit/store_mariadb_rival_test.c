/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb: others at the same rows. Whoever is in the way, a batch is stored whole or not at all, and once.
 */
#include "mariadb_fixture.h"
#include "patience.h"

#include <mariadb/mysql.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A write in a thread of its own, for it may wait. */
struct attempt {
	pthread_t thread;
	struct store *store;
	struct store_row row;
	struct store_position from, to;
	enum store_result result;
};

static MYSQL *rival;

static int make_rival(void **state)
{
	maria_make_database(state);
	maria_shut(maria_open("nobody"));
	rival = mariadb_server_connect(maria_server, NULL, NULL, DATABASE);
	return rival == NULL ? -1 : 0;
}

static int close_rival(void **state)
{
	mysql_close(rival);
	return maria_close_stores(state);
}

static void rival_does(const char *sql)
{
	char *text = mariadb_server_query_on(maria_server, rival, sql);

	if (text == NULL)
		fail_msg("%s\n%s", sql, mariadb_server_error(maria_server));
	free(text);
}

static void *try_to_write(void *argument)
{
	struct attempt *attempt = argument;
	const struct store_batch batch = {&attempt->row, 1, attempt->from, attempt->to, NULL};
	size_t rejected;

	attempt->result = store_mariadb.write(attempt->store, &batch, &rejected);
	return NULL;
}

/* Stores a first row, up to position 100, and prepares a second one of the same minute. */
static struct attempt prepare(void)
{
	struct attempt attempt = {.store = maria_open("house"), .from = {0, 0}, .to = {JOURNAL, 100}};

	attempt.row = number_row(maria_series(attempt.store, "a/b/c/value"), NOON, 99, 1);
	maria_position(attempt.store, JOURNAL);
	try_to_write(&attempt);
	assert_int_equal(attempt.result, STORE_OK);
	attempt.row = number_row(attempt.row.series, NOON + 1, 199, 3);
	attempt.from = attempt.to;
	attempt.to.position = 200;
	return attempt;
}

/* Lets the rival act once the write waits for it, and waits for the write's end. */
static void act_when_it_waits(struct attempt *attempt, const char *sql)
{
	const int64_t deadline = deadline_in(SOON);
	bool waits = false;

	assert_int_equal(pthread_create(&attempt->thread, NULL, try_to_write, attempt), 0);
	while (!waits && now_ms() < deadline) {
		waits = strcmp(maria_ask("SHOW STATUS LIKE 'Innodb_row_lock_current_waits'"),
		               "Innodb_row_lock_current_waits|1\n") == 0;
		look_again();
	}
	rival_does(sql);
	pthread_join(attempt->thread, NULL);
	assert_true(waits);
}

#define STORED                                                                                                         \
	"SELECT COUNT(*) FROM reading; SELECT count, avg FROM reading_minute; SELECT count, avg FROM reading_hour;"        \
	" SELECT pos FROM ingest_position"
#define FIRST_STORED "1\n1|1\n1|1\n100\n"
#define BOTH_STORED  "2\n2|2\n2|2\n200\n"

/* As the writer: MOVED asks on the same connection, AWAY on another one. */
static void store_it_after_all(struct attempt *attempt)
{
	if (attempt->result == STORE_AWAY) {
		maria_shut(attempt->store);
		attempt->store = maria_open("house");
	}
	assert_true(maria_position(attempt->store, JOURNAL).position == 100);
	attempt->row.series = maria_series(attempt->store, "a/b/c/value");
	try_to_write(attempt);
	assert_int_equal(attempt->result, STORE_OK);
	assert_string_equal(maria_ask(STORED), BOTH_STORED);
}

static void a_lock_that_is_held_is_not_waited_for_for_ever(void **state)
{
	(void)state;
	struct attempt attempt = prepare();
	const int64_t begin = now_ms();

	rival_does("START TRANSACTION; SELECT * FROM ingest_position FOR UPDATE");
	try_to_write(&attempt);
	assert_in_range(attempt.result, STORE_AWAY, STORE_MOVED);
	assert_in_range(now_ms() - begin, 0, 12000);
	assert_string_equal(maria_ask(STORED), FIRST_STORED);
	rival_does("ROLLBACK");
	store_it_after_all(&attempt);
}

static void a_deadlock_stores_nothing(void **state)
{
	(void)state;
	struct attempt attempt = prepare();

	/* Of two the server ends the one that has done less. */
	rival_does(
		"CREATE TABLE much (n INT PRIMARY KEY); START TRANSACTION; INSERT INTO much SELECT seq FROM seq_1_to_1000;"
		" UPDATE reading_minute SET count = count + 0 WHERE series_id > 0 ORDER BY ts; SELECT * FROM reading_minute"
		" FOR UPDATE");
	act_when_it_waits(&attempt, "UPDATE ingest_position SET pos = pos + 0; SELECT * FROM ingest_position FOR UPDATE");
	assert_int_equal(attempt.result, STORE_MOVED);
	rival_does("ROLLBACK");
	assert_string_equal(maria_ask(STORED), FIRST_STORED);
	store_it_after_all(&attempt);
}

#define ZOMBIE                                                                                                         \
	"START TRANSACTION; UPDATE ingest_position SET pos = 200 WHERE node = 'house' AND pos = 100;"                      \
	" UPDATE witness_position SET pos = 200 WHERE node = 'house' AND pos = 100;"                                       \
	" INSERT INTO reading SELECT id, 1795348800000001, 199, 3, NULL FROM series;"                                      \
	" UPDATE reading_minute SET avg = 2, max = 3, count = 2; UPDATE reading_hour SET avg = 2, max = 3, count = 2"

/* A connection that everybody thought gone commits the very rows that are being stored again. */
static void a_zombie_that_commits_doubles_nothing(void **state)
{
	(void)state;
	struct attempt attempt = prepare();

	rival_does(ZOMBIE);
	act_when_it_waits(&attempt, "COMMIT");
	assert_int_equal(attempt.result, STORE_MOVED);
	assert_true(maria_position(attempt.store, JOURNAL).position == 200);
	assert_string_equal(maria_ask(STORED), BOTH_STORED);
}

static void a_zombie_that_ends_is_as_if_it_had_not_been(void **state)
{
	(void)state;
	struct attempt attempt = prepare();

	rival_does(ZOMBIE);
	act_when_it_waits(&attempt, "ROLLBACK");
	assert_int_equal(attempt.result, STORE_OK);
	assert_string_equal(maria_ask(STORED), BOTH_STORED);
}

static void a_connection_that_is_ended_is_away(void **state)
{
	(void)state;
	struct attempt attempt = prepare();

	maria_ask("BEGIN NOT ATOMIC FOR r IN (SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND"
	          " command <> 'Daemon') DO KILL r.id; END FOR; END");
	try_to_write(&attempt);
	assert_int_equal(attempt.result, STORE_AWAY);
	assert_string_equal(maria_ask(STORED), FIRST_STORED);
	store_it_after_all(&attempt);
}

/* ---- two at once ---- */

enum { STEPS = 120, ROWS = 8, SERIES = 4 };

struct racer {
	pthread_t thread;
	struct store *store;
	const int64_t *series;
	uint64_t journal;
	int won, lost;
	bool failed;
};

/* What is stored behind a position follows from the position, as it does with a journal. */
static void *race(void *argument)
{
	struct racer *racer = argument;
	struct store_row rows[ROWS];
	struct store_position at;
	size_t rejected;

	while (!racer->failed) {
		if (store_mariadb.position(racer->store, racer->journal, &at) != STORE_OK) {
			racer->failed = true;
			break;
		}
		const uint64_t begin = at.journal == 0 ? 0 : at.position;
		if (begin == (uint64_t)STEPS * ROWS)
			break;
		for (size_t i = 0; i < ROWS; i++)
			rows[i] = number_row(racer->series[i % SERIES], NOON + (int64_t)(begin / ROWS) * 1000000,
			                     (int64_t)(begin + i), (double)begin);
		const struct store_batch batch = {rows, ROWS, at, {racer->journal, begin + ROWS}, NULL};
		switch (store_mariadb.write(racer->store, &batch, &rejected)) {
		case STORE_OK:
			racer->won++;
			break;
		case STORE_MOVED:
			racer->lost++;
			break;
		default:
			racer->failed = true;
		}
	}
	return NULL;
}

static void run_race(const char *const nodes[2], const uint64_t journals[2])
{
	struct racer racers[2];
	int64_t series[SERIES];

	for (size_t i = 0; i < 2; i++)
		racers[i] = (struct racer){.store = maria_open(nodes[i]), .series = series, .journal = journals[i]};
	for (int i = 0; i < SERIES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "a/b%d/c/value", i);
		series[i] = maria_series(racers[0].store, name);
	}
	/* The series are kept before the other one needs them. */
	const struct store_batch first = {NULL, 0, maria_position(racers[0].store, 7), {7, 1}, NULL};
	size_t rejected;
	assert_int_equal(store_mariadb.write(racers[0].store, &first, &rejected), STORE_OK);
	maria_ask("DELETE FROM ingest_position; DELETE FROM witness_position");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (size_t i = 0; i < 2; i++) {
		pthread_join(racers[i].thread, NULL);
		if (racers[i].failed)
			fail_msg("%s", store_mariadb.error(racers[i].store));
	}
	print_message("won and lost: %d, %d and %d, %d\n", racers[0].won, racers[0].lost, racers[1].won, racers[1].lost);
	assert_int_equal(racers[0].won + racers[1].won, journals[0] == journals[1] ? STEPS : 2 * STEPS);
}

#define ALL_OF_IT                                                                                                      \
	"SELECT COUNT(*), COUNT(DISTINCT seq), SUM(value = seq DIV 8 * 8) FROM reading; SELECT SUM(count), COUNT(*) FROM"  \
	" reading_minute; SELECT SUM(count), MAX(max), ROUND(SUM(avg)) FROM reading_hour; SELECT pos FROM ingest_position"

/* Two brokers' connections to one journal: what one of them stored, the other one does not. */
static void two_that_store_one_journal_store_it_once(void **state)
{
	(void)state;
	static const char *const nodes[] = {"house", "house"};
	static const uint64_t journals[] = {JOURNAL, JOURNAL};

	run_race(nodes, journals);
	assert_string_equal(maria_ask(ALL_OF_IT), "960|960|960\n960|8\n960|952|1904\n960\n");
}

/* Two brokers with series of the same names, as a bridge makes them: both are stored, in the same minutes. */
static void two_journals_with_the_same_series_are_both_stored(void **state)
{
	(void)state;
	static const char *const nodes[] = {"house", "barn"};
	static const uint64_t journals[] = {JOURNAL, 5};

	run_race(nodes, journals);
	assert_string_equal(
		maria_ask("SELECT COUNT(*) FROM reading; SELECT SUM(count), COUNT(*) FROM reading_minute; SELECT"
	              " SUM(count), ROUND(SUM(avg)) FROM reading_hour; SELECT pos FROM ingest_position"),
		"1920\n1920|8\n1920|1904\n960\n960\n");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_rival, close_rival)
	const struct CMUnitTest tests[] = {
		TEST(a_lock_that_is_held_is_not_waited_for_for_ever),
		TEST(a_deadlock_stores_nothing),
		TEST(a_zombie_that_commits_doubles_nothing),
		TEST(a_zombie_that_ends_is_as_if_it_had_not_been),
		TEST(a_connection_that_is_ended_is_away),
		TEST(two_that_store_one_journal_store_it_once),
		TEST(two_journals_with_the_same_series_are_both_stored),
	};

	return cmocka_run_group_tests_name("store_mariadb_rival", tests, maria_group_start, maria_group_end);
}
