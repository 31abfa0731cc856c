/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * kill -9 of the broker while eight clients publish: every acknowledged reading is in the database exactly once.
 *
 * One house lives through all rounds, so that journal and database grow. A round lets the clients publish, kills the
 * broker at some moment, mostly kills the next start too, and starts again. Every few rounds a marker is published:
 * when it is stored, all before it in the journal has been, and what came since the last comparison is compared. The
 * last comparison is of everything.
 *
 * TEST_KILLS says how many rounds there are, HEARTH_SEED repeats a run.
 */
#include "chance.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "publishers.h"
#include "rows.h"

#include <dirent.h>
#include <poll.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CLIENTS       8
#define KILLS         20
#define KILLS_LONG    500
#define CHECK_EVERY   4
#define LOAD_US       250000
#define START_US      40000
#define DRAIN_US      10000
#define EVENT_US_BITS 11
#define EVENT_MS      400
#define TRIM_MS       60000
#define LOCKED_LIVES  4
#define MEBIBYTE      1048576

/* The most that still means segments of 1 MiB, so that they change often. */
#define JOURNAL_MAX "120M"
/* No more may wait in the journal's folder, or readings would rightly be lost: time to let the broker trim it. */
#define JOURNAL_FILL (80 * MEBIBYTE)

static bool is_long(void)
{
	const char *wanted = getenv("TEST_LONG");

	return wanted != NULL && strcmp(wanted, "1") == 0;
}

static unsigned rounds_wanted(void)
{
	const char *wanted = getenv("TEST_KILLS");

	if (wanted != NULL && wanted[0] != '\0')
		return (unsigned)strtoul(wanted, NULL, 10);
	return is_long() ? KILLS_LONG : KILLS;
}

/* ---- what goes on in the house's files ---- */

/* −1 if there is no such file at this moment. */
static int watch(const struct house *house, const char *name, uint32_t events)
{
	char path[160];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/hearth/%s", house->folder, name);
	if (inotify_add_watch(fd, path, events) >= 0)
		return fd;
	close(fd);
	return -1;
}

/* Waits for the next event, at most `ms` milliseconds; just as long if nothing is watched. */
static void wait_event(int fd, int ms)
{
	struct pollfd wanted = {.fd = fd, .events = POLLIN};
	char old[4096];

	while (fd >= 0 && read(fd, old, sizeof(old)) > 0)
		;
	poll(&wanted, 1, ms);
}

static size_t journal_size(const struct house *house)
{
	char path[400];
	size_t sum = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/hearth/journal", house->folder);
	folder = opendir(path);
	assert_non_null(folder);
	for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		struct stat file;

		snprintf(path, sizeof(path), "%s/hearth/journal/%s", house->folder, entry->d_name);
		if (stat(path, &file) == 0 && S_ISREG(file.st_mode))
			sum += (size_t)file.st_size;
	}
	closedir(folder);
	return sum;
}

/* ---- moments ---- */

enum moment { AT_ANY_TIME, WHILE_STORING, AT_A_NEW_SEGMENT, WHILE_STOPPING };

/* A transaction of the writer is where most could go wrong. */
static const enum moment moments[] = {
	AT_ANY_TIME, AT_A_NEW_SEGMENT, WHILE_STOPPING, WHILE_STORING, WHILE_STORING, WHILE_STORING,
};

static unsigned extra_kills; /* beside one a round */

static void kill_at_event(struct house *house, const char *name, uint32_t events, int ms)
{
	int fd = watch(house, name, events);

	wait_event(fd, ms);
	chance_pause(1u << chance_below(EVENT_US_BITS)); /* what it belongs to takes microseconds or a millisecond */
	house_kill(house);
	if (fd >= 0)
		close(fd);
}

/* The load has just begun. */
static void kill_at(struct house *house, enum moment moment)
{
	chance_pause(LOAD_US);
	switch (moment) {
	case WHILE_STORING:
		kill_at_event(house, "history.db-wal", IN_MODIFY, EVENT_MS);
		break;
	case AT_A_NEW_SEGMENT:
		kill_at_event(house, "journal", IN_CREATE | IN_MOVED_TO, EVENT_MS);
		break;
	case WHILE_STOPPING:
		house_signal(house, SIGTERM);
		chance_pause(DRAIN_US);
		house_kill(house);
		break;
	default:
		house_kill(house);
	}
}

/* What the last life left is being recovered and stored meanwhile. */
static void kill_while_starting(struct house *house)
{
	house_launch(house);
	if (chance_once_in(2)) {
		kill_at_event(house, "history.db-wal", IN_MODIFY, EVENT_MS);
	} else {
		chance_pause(START_US);
		house_kill(house);
	}
	extra_kills++;
}

/* The broker removes files that have been stored for some ten seconds; it dies while it does, and then may. */
static void trim(struct house *house)
{
	int64_t deadline;

	house_start(house);
	kill_at_event(house, "journal", IN_DELETE, TRIM_MS);
	extra_kills++;
	house_start(house);
	deadline = deadline_in(TRIM_MS);
	while (journal_size(house) > JOURNAL_FILL / 2) {
		if (now_ms() > deadline)
			fail_msg("the journal is not trimmed: %zu bytes", journal_size(house));
		look_again();
	}
	house_kill(house);
	extra_kills++;
}

/* ---- rounds ---- */

static size_t random_window(void)
{
	static const size_t windows[] = {1, 10, 100};

	return windows[chance_below(3)];
}

static size_t random_word(void)
{
	static const size_t words[] = {16, 16, 40, 200};

	return words[chance_below(4)];
}

/* Once the journal is full, readings are acknowledged and counted as lost: this test is about all others. */
static void expect_room(struct house *house)
{
	if (house_count_log(house, "journal is full", NULL) > 0)
		fail_msg("%zu bytes in a journal of %s, and it was full:\n%s", journal_size(house), JOURNAL_MAX,
		         house_log(house));
}

/* One life under load, from its start to its kill. */
static void live(struct house *house, struct publishers *publishers, enum moment moment)
{
	house_start(house);
	publishers_begin(publishers, house, random_window(), random_word());
	kill_at(house, moment);
	publishers_end(publishers);
	expect_room(house);
}

static void one_round(struct house *house, struct publishers *publishers)
{
	live(house, publishers, moments[chance_below(sizeof(moments) / sizeof(moments[0]))]);
	for (uint32_t starts = chance_below(4); starts > 0; starts--)
		kill_while_starting(house);
	if (journal_size(house) > JOURNAL_FILL)
		trim(house);
}

/* Once the marker is stored, so is all that came before it in the journal. */
static void wait_drained(struct house *house, unsigned marker)
{
	char text[16], wanted[24];
	struct client *client = client_connect(house, CLIENT_V3, NULL);

	snprintf(text, sizeof(text), "%u", marker);
	snprintf(wanted, sizeof(wanted), "%u\n", marker);
	client_publish(client, "marker/test/count/value", text);
	client_free(client);
	rows_expect(house,
	            "select cast(max(value) as integer) from readings where "
	            "location='marker'",
	            wanted);
	expect_room(house);
}

static void check(struct house *house, struct publishers *publishers, unsigned round, bool from_start)
{
	char when[40];

	snprintf(when, sizeof(when), "after round %u", round);
	wait_drained(house, round);
	publishers_check(publishers, house, from_start, when);
}

/* No row but those that the checks have seen. */
static void expect_nothing_else(const struct house *house, const struct publishers *publishers)
{
	char wanted[24];

	snprintf(wanted, sizeof(wanted), "%zu\n", publishers_stored(publishers));
	rows_expect(house, "select count(*) from readings where location='" PUBLISHERS_LOCATION "'", wanted);
}

static void end(struct house *house, struct publishers *publishers, const char *what, unsigned rounds)
{
	house_start(house);
	check(house, publishers, rounds + 1, true);
	expect_nothing_else(house, publishers);
	print_message("%s: %u kills under load and %u others, %zu readings "
	              "published, %zu acknowledged, %zu stored\n",
	              what, rounds, extra_kills, publishers_published(publishers), publishers_acknowledged(publishers),
	              publishers_stored(publishers));
	assert_true(publishers_acknowledged(publishers) > (size_t)rounds * CLIENTS);
	publishers_free(publishers);
	house_free(house);
}

static struct house *new_house(void)
{
	struct house *house = house_new();

	house_conf(house, "plugin_opt_journal_max %s", JOURNAL_MAX);
	house_conf(house, "plugin_opt_sync_ms %d", 10);
	extra_kills = 0;
	return house;
}

static void killed_under_load(void **state)
{
	struct house *house = new_house();
	struct publishers *publishers = publishers_new(CLIENTS);
	unsigned rounds = rounds_wanted();

	(void)state;
	for (unsigned round = 1; round <= rounds; round++) {
		one_round(house, publishers);
		if (round % CHECK_EVERY == 0) {
			house_start(house);
			check(house, publishers, round, false);
			house_kill(house);
			extra_kills++;
		}
	}
	end(house, publishers, "killed under load", rounds);
}

/* ---- another program holds the database ---- */

static sqlite3 *lock_history(const struct house *house)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open_v2(house->history, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	sqlite3_busy_timeout(database, SOON);
	assert_int_equal(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return database;
}

/* Some lives with nothing stored, then starts that are killed while they store all that waited. */
static void killed_while_locked(void **state)
{
	struct house *house = new_house();
	struct publishers *publishers = publishers_new(CLIENTS);
	sqlite3 *lock;

	(void)state;
	house_start(house);
	wait_drained(house, 0);
	house_kill(house);
	lock = lock_history(house);
	for (int life = 0; life < LOCKED_LIVES; life++)
		live(house, publishers, AT_ANY_TIME);
	sqlite3_close(lock);
	for (int start = 0; start < LOCKED_LIVES; start++)
		kill_while_starting(house);
	end(house, publishers, "killed while the database was locked", LOCKED_LIVES);
}

static int begin(void **state)
{
	(void)state;
	chance_begin();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(killed_under_load, client_teardown),
		cmocka_unit_test_teardown(killed_while_locked, client_teardown),
	};

	return cmocka_run_group_tests_name("kill", tests, begin, NULL);
}
