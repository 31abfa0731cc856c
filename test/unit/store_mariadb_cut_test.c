/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb: exactly once, wherever the connection is cut.
 *
 * A scenario of some batches (new series, readings of one instant, a row that the database refuses) is stored through a
 * socket that is cut once, after the nth byte in either direction: within the handshake, before the server saw COMMIT,
 * after it did and before its OK came back. The driver does what writer.c does. In the end each row has to be
 * there once, in `reading` and in the roll-ups, and the position behind the last.
 *
 * n is each packet's last byte and one in its middle; each byte there is, with TEST_LONG.
 *
 * That this can fail is tested, too: by drivers that believe what one could believe of a connection that was cut.
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

#define ROWS        14
#define BATCH_ROWS  4
#define REFUSED     9 /* the row that the database refuses */
#define TRIES_MAX   20
#define PACKETS_MAX 4096

/* What a driver makes of a write that did not answer. */
enum driver {
	DRIVER_ASKS,    /* nothing: it asks where the store stands (as writer.c does) */
	DRIVER_REPEATS, /* that nothing was stored: it sends the batch again */
	DRIVER_GOES_ON  /* that all was stored: it goes on with the next */
};

struct run {
	struct store *store;
	char place_name[32]; /* all the run's series are there */
	char node[32];
	uint64_t journal;
	struct store_position at;
	size_t done; /* rows before the next batch */
	bool unconfirmed;
	bool moved;
};

static struct wire_cutter *cutter;
static MYSQL *owner; /* what was stored is read here, past the cutter */
static char location[160];
static uint64_t run_count;

static int start(void **state)
{
	char path[96];

	if (maria_group_start(state) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/cut", mariadb_server_folder(maria_server));
	snprintf(location, sizeof(location), "//%s@%s/%s", mariadb_server_owner(maria_server), path, DATABASE);
	cutter = cutter_new(path, mariadb_server_socket(maria_server));
	return cutter == NULL ? -1 : 0;
}

static int end(void **state)
{
	cutter_free(cutter);
	return maria_group_end(state);
}

static int make_schema(void **state)
{
	maria_make_database(state);
	maria_shut(maria_open("nobody"));
	/* No power is lost here, and thousands of runs go faster without waiting for the disk. */
	maria_ask("SET GLOBAL innodb_flush_log_at_trx_commit = 0; ALTER TABLE reading ADD CHECK (value < 1000)");
	owner = mariadb_server_connect(maria_server, NULL, NULL, DATABASE);
	return owner == NULL ? -1 : 0;
}

static int close_all(void **state)
{
	mysql_close(owner);
	return maria_close_stores(state);
}

/* ---- the driver ---- */

static void close_store(struct run *run)
{
	store_mariadb.close(run->store);
	run->store = NULL;
}

static bool begin(struct run *run, enum driver driver)
{
	struct store_position at;

	if (store_mariadb.position(run->store, run->journal, &at) != STORE_OK) {
		close_store(run);
		return false;
	}
	run->at = at;
	run->unconfirmed = false;
	if (driver == DRIVER_ASKS)
		run->done = at.journal == run->journal ? at.position : 0;
	return true;
}

static bool open_store(struct run *run, enum driver driver)
{
	const struct store_place place = {.location = location, .node = run->node};
	char error[400];

	return store_mariadb.open(&place, &run->store, error, sizeof(error)) == STORE_OK && begin(run, driver);
}

static enum store_result ask_series(struct run *run, size_t row, int64_t *id)
{
	char name[64];
	struct topic topic;

	/* The third one appears in the middle. */
	snprintf(name, sizeof(name), "%s/d%zu/temperature/value", run->place_name, row % (row < 6 ? 2 : 3));
	assert_true(topic_parse(slice_of(name), &topic));
	return store_mariadb.series(run->store, &topic, id);
}

static enum store_result write_batch(struct run *run, size_t count)
{
	const struct store_position to = {run->journal, run->done + count};
	struct store_row rows[BATCH_ROWS];
	const struct store_batch batch = {rows, count, run->at, to, NULL};
	enum store_result result = STORE_OK;
	size_t rejected = 0;

	for (size_t i = 0; i < count && result == STORE_OK; i++) {
		const size_t row = run->done + i;

		rows[i] =
			number_row(0, NOON + (int64_t)(row / 4) * 30000000, (int64_t)row, row == REFUSED ? 2000 : (double)row);
		result = ask_series(run, row, &rows[i].series);
	}
	return result == STORE_OK ? store_mariadb.write(run->store, &batch, &rejected) : result;
}

/* One step as the writer's. False: the end is reached and confirmed. */
static bool step(struct run *run, enum driver driver)
{
	struct store_position at;

	if (run->store == NULL && !open_store(run, driver))
		return true;
	const size_t left = ROWS - run->done, count = left < BATCH_ROWS ? left : BATCH_ROWS;
	if (count == 0) {
		if (!run->unconfirmed || driver != DRIVER_ASKS)
			return false;
		at = run->at;
		if (begin(run, driver) && at.journal == run->at.journal && at.position == run->at.position)
			run->unconfirmed = false;
		return true;
	}
	switch (write_batch(run, count)) {
	case STORE_OK:
		run->done += count;
		run->at = (struct store_position){run->journal, run->done};
		run->unconfirmed = true;
		run->moved = false;
		return true;
	case STORE_MOVED:
		if (!run->moved) {
			run->moved = true;
			begin(run, driver);
			return true;
		}
		break;
	default:
		break;
	}
	close_store(run);
	if (driver == DRIVER_GOES_ON)
		run->done += count;
	return true;
}

/* ---- a run ---- */

/* What has to be there: nothing more, nothing less, nothing twice. */
static bool is_stored_once(const struct run *run, bool is_shown)
{
	char sql[1600], wanted[160];
	char *found;
	bool good;

	snprintf(
		sql, sizeof(sql),
		"SELECT COUNT(*), COUNT(DISTINCT seq), SUM(value = seq), MIN(seq), MAX(seq) FROM series JOIN reading ON"
		" id = series_id WHERE topic LIKE '%s/%%';"
		"SELECT COUNT(*), MIN(seq) FROM reading_reject WHERE series_id IN (SELECT id FROM series WHERE topic LIKE"
		" '%s/%%');"
		"SELECT COUNT(*), SUM(count), ROUND(1000 * SUM(avg * count)), MIN(min), MAX(max) FROM series JOIN "
		"reading_minute"
		" ON id = series_id WHERE topic LIKE '%s/%%';"
		"SELECT COUNT(*), SUM(count), ROUND(1000 * SUM(avg * count)), MIN(min), MAX(max) FROM series JOIN reading_hour"
		" ON id = series_id WHERE topic LIKE '%s/%%';"
		"SELECT COUNT(*) FROM series WHERE topic LIKE '%s/%%';"
		"SELECT node, pos FROM ingest_position WHERE journal = %llu",
		run->place_name, run->place_name, run->place_name, run->place_name, run->place_name,
		(unsigned long long)run->journal);
	snprintf(wanted, sizeof(wanted), "13|13|13|0|13\n1|9\n5|13|82000|0|13\n3|13|82000|0|13\n3\n%s|%d\n", run->node,
	         ROWS);
	found = mariadb_server_query_on(maria_server, owner, sql);
	good = found != NULL && strcmp(found, wanted) == 0;
	if (!good && is_shown)
		print_message("found\n%swanted\n%s", found == NULL ? mariadb_server_error(maria_server) : found, wanted);
	free(found);
	return good;
}

/* What other runs left would make the list of series longer. */
static void empty_tables(void)
{
	free(mariadb_server_query_on(maria_server, owner,
	                             "DELETE FROM reading; DELETE FROM reading_minute; DELETE FROM reading_hour;"
	                             "DELETE FROM reading_reject; DELETE FROM series; DELETE FROM ingest_position;"
	                             "DELETE FROM witness_position"));
}

/* Stores the scenario; the names are as long in each run, so that the bytes are those of the run that was watched. */
static bool stores_once(enum driver driver)
{
	struct run run = {.journal = (UINT64_C(1) << 60) + ++run_count};
	int tries = 0;

	empty_tables();
	snprintf(run.place_name, sizeof(run.place_name), "room%08llu", (unsigned long long)run_count);
	snprintf(run.node, sizeof(run.node), "node%08llu", (unsigned long long)run_count);
	while (step(&run, driver))
		if (++tries > TRIES_MAX)
			break;
	store_mariadb.close(run.store);
	return tries <= TRIES_MAX && is_stored_once(&run, driver == DRIVER_ASKS);
}

/* Watches a run that is not cut. */
static size_t watch(enum way way, uint64_t ends[PACKETS_MAX])
{
	const uint64_t *seen;
	size_t count;

	cutter_watch(cutter);
	assert_true(stores_once(DRIVER_ASKS));
	count = cutter_packets(cutter, way, &seen);
	assert_in_range(count, 20, PACKETS_MAX - 1);
	memcpy(ends, seen, count * sizeof(*ends));
	return count;
}

static void expect_once(enum way way, uint64_t bytes, enum cut how)
{
	cutter_arm(cutter, way, bytes, how);
	if (!stores_once(DRIVER_ASKS))
		fail_msg("cut after %llu bytes to the %s%s (run %llu)", (unsigned long long)bytes,
		         way == TO_SERVER ? "server" : "client", how == CUT_LATE ? ", which gets its last packet late" : "",
		         (unsigned long long)run_count);
	assert_true(cutter_has_cut(cutter));
}

/* ---- tests ---- */

static void each_row_is_stored_once_wherever_it_is_cut(enum way way, enum cut how)
{
	static uint64_t ends[PACKETS_MAX];
	const bool all = getenv("TEST_LONG") != NULL && how == CUT_BOTH;
	const size_t packets = watch(way, ends);
	const uint64_t first_run = run_count;
	uint64_t begin = 0;

	for (size_t i = 0; i < packets; begin = ends[i++]) {
		const uint64_t middle = begin + (ends[i] - begin) / 2;

		if (how == CUT_LATE) {
			expect_once(way, ends[i], how);
			continue;
		}
		for (uint64_t n = begin + 1; n <= ends[i]; n++)
			if (all || n == middle || n == ends[i])
				expect_once(way, n, how);
	}
	print_message("%zu packets, %llu bytes, %llu cuts\n", packets, (unsigned long long)begin,
	              (unsigned long long)(run_count - first_run));
}

static void once_if_cut_on_the_way_to_the_server(void **state)
{
	(void)state;
	each_row_is_stored_once_wherever_it_is_cut(TO_SERVER, CUT_BOTH);
}

static void once_if_cut_on_the_way_back(void **state)
{
	(void)state;
	each_row_is_stored_once_wherever_it_is_cut(TO_CLIENT, CUT_BOTH);
}

/* The next connection comes while the one that was cut holds its locks; then that commits, or is gone. */
static void once_if_the_last_packet_comes_late(void **state)
{
	(void)state;
	each_row_is_stored_once_wherever_it_is_cut(TO_SERVER, CUT_LATE);
}

/* The test of the test: it sees what such a driver does wrong, at some packet. */
static void expect_fault_of(enum driver driver, enum way way)
{
	static uint64_t ends[PACKETS_MAX];
	const size_t packets = watch(way, ends);

	for (size_t i = 0; i < packets; i++) {
		cutter_arm(cutter, way, ends[i] - (way == TO_CLIENT), CUT_BOTH);
		if (!stores_once(driver))
			return;
	}
	fail_msg("driver %d made no mistake", (int)driver);
}

static void a_driver_that_repeats_the_batch_doubles_rows(void **state)
{
	(void)state;
	expect_fault_of(DRIVER_REPEATS, TO_CLIENT);
}

static void a_driver_that_goes_on_loses_rows(void **state)
{
	(void)state;
	expect_fault_of(DRIVER_GOES_ON, TO_SERVER);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_schema, close_all)
	const struct CMUnitTest tests[] = {
		TEST(once_if_cut_on_the_way_to_the_server), TEST(once_if_cut_on_the_way_back),
		TEST(once_if_the_last_packet_comes_late),   TEST(a_driver_that_repeats_the_batch_doubles_rows),
		TEST(a_driver_that_goes_on_loses_rows),
	};

	return cmocka_run_group_tests_name("store_mariadb_cut", tests, start, end);
}
