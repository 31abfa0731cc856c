/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_move: SQLite to MariaDB and back, each with the real one.
 *
 * What two stores hold is compared as text: the three views, and each reading's key, number for number to the last bit. Each
 * test is run in both directions.
 */
#include "store_move.h"

#include "mariadb_fixture.h"
#include "patience.h"

#include <ftw.h>
#include <mariadb/mysql.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define CABIN      UINT64_C(77) /* another broker's journal */
#define LONG_ROWS  21000        /* more than two pages */
#define TEXT_ROWS  300          /* long texts: more than a page, too */
#define MANY       200000
#define MANY_MS    8000 /* for so many, at most */
#define PARTS_MIN  10   /* of what `fill` makes, that is stored one by one */
#define KILLS      5
#define MINUTE     INT64_C(60000000)
#define DAY        INT64_C(86400000000)
#define LITE_STORE 0
#define MARIA      1

static char folder[64];
static char locations[2][160];
static const struct store_ops *const ops[2] = {&store_sqlite, &store_mariadb};
static char line[512]; /* what store_move said last */

/* ---- two empty stores ---- */

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static int start(void **state)
{
	/* No power is lost here. */
	return maria_group_start(state) == 0 &&
	               mariadb_server_run(maria_server, NULL, "SET GLOBAL innodb_flush_log_at_trx_commit = 2")
	           ? 0
	           : -1;
}

static int make_both(void **state)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(locations[LITE_STORE], sizeof locations[0], "%s/history.db", folder);
	snprintf(locations[MARIA], sizeof locations[0], "//%s@%s/%s", mariadb_server_owner(maria_server),
	         mariadb_server_socket(maria_server), DATABASE);
	return maria_make_database(state);
}

static int remove_both(void **state)
{
	(void)state;
	if (!mariadb_server_runs(maria_server) && !mariadb_server_start(maria_server))
		return -1;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void empty(int which)
{
	char path[200];

	if (which == MARIA) {
		maria_make_database(NULL);
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", locations[which], (const char *[]){"", "-wal", "-shm"}[i]);
		unlink(path);
	}
}

static void start_anew(void **state)
{
	assert_int_equal(remove_both(state), 0);
	assert_int_equal(make_both(state), 0);
}

/* ---- what is in them ---- */

struct text {
	char *bytes;
	size_t len, room;
};

static void say(struct text *text, const char *piece)
{
	size_t len = strlen(piece);

	if (text->len + len + 1 > text->room) {
		text->room = 2 * (text->room + len + 1);
		text->bytes = realloc(text->bytes, text->room);
		assert_non_null(text->bytes);
	}
	memcpy(text->bytes + text->len, piece, len + 1);
	text->len += len;
}

/* Both servers' numbers read the same then. */
static void say_number(struct text *text, double number)
{
	char digits[40];

	snprintf(digits, sizeof digits, "%.17g", number);
	say(text, digits);
}

static void dump_lite(struct text *text, const char *sql)
{
	sqlite3 *database;
	sqlite3_stmt *row;

	assert_int_equal(sqlite3_open(locations[LITE_STORE], &database), SQLITE_OK);
	if (sqlite3_prepare_v2(database, sql, -1, &row, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(database));
	while (sqlite3_step(row) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(row); i++) {
			if (sqlite3_column_type(row, i) == SQLITE_FLOAT)
				say_number(text, sqlite3_column_double(row, i));
			else
				say(text,
				    sqlite3_column_type(row, i) == SQLITE_NULL ? "NULL" : (const char *)sqlite3_column_text(row, i));
			say(text, "|");
		}
		say(text, "\n");
	}
	assert_int_equal(sqlite3_finalize(row), SQLITE_OK);
	sqlite3_close(database);
}

static void dump_maria(struct text *text, const char *sql)
{
	MYSQL *link = mariadb_server_connect(maria_server, NULL, NULL, DATABASE);
	MYSQL_ROW row;

	assert_non_null(link);
	if (mysql_query(link, sql) != 0)
		fail_msg("%s: %s", sql, mysql_error(link));
	MYSQL_RES *result = mysql_use_result(link);
	const MYSQL_FIELD *fields = mysql_fetch_fields(result);
	while ((row = mysql_fetch_row(result)) != NULL) {
		for (unsigned i = 0; i < mysql_num_fields(result); i++) {
			if (row[i] != NULL && fields[i].type == MYSQL_TYPE_DOUBLE)
				say_number(text, strtod(row[i], NULL));
			else
				say(text, row[i] == NULL ? "NULL" : row[i]);
			say(text, "|");
		}
		say(text, "\n");
	}
	mysql_free_result(result);
	mysql_close(link);
}

/* All of a store. The caller frees it. */
static char *contents(int which)
{
	static const char *const questions[] = {
		"SELECT location, device, sensor, subject FROM series ORDER BY 1, 2, 3, 4",
		"SELECT * FROM readings ORDER BY location, device, sensor, subject, time, value, text",
		"SELECT location, device, sensor, ts, seq FROM reading JOIN series ON id = series_id ORDER BY 1, 2, 3, 4, 5",
		"SELECT * FROM readings_by_minute ORDER BY location, device, sensor, subject, time",
		"SELECT * FROM readings_by_hour ORDER BY location, device, sensor, subject, time",
	};
	struct text text = {0};

	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
		say(&text, "--\n");
		(which == MARIA ? dump_maria : dump_lite)(&text, questions[i]);
	}
	return text.bytes;
}

static void assert_same(const char *left, const char *right)
{
	size_t at = 0;

	while (left[at] != '\0' && left[at] == right[at])
		at++;
	if (left[at] == right[at])
		return;
	while (at > 0 && left[at - 1] != '\n')
		at--;
	fail_msg("\n%.300s\nis not\n%.300s", left + at, right + at);
}

static struct store *open_as(int which, const char *node)
{
	const struct store_place place = {.location = locations[which], .node = node};
	struct store *store = NULL;
	char error[512] = "";

	if (ops[which]->open(&place, &store, error, sizeof error) != STORE_OK)
		fail_msg("%s", error);
	return store;
}

static struct store_position position_of(int which, const char *node, uint64_t journal)
{
	struct store *store = open_as(which, node);
	struct store_position at = {9, 9};

	assert_int_equal(ops[which]->position(store, journal, &at), STORE_OK);
	ops[which]->close(store);
	return at;
}

/* A broker goes on in the new store where it was in the old one. */
static void assert_moved(int from)
{
	char *left = contents(from), *right = contents(!from);

	assert_same(left, right);
	free(left);
	free(right);
	const struct store_position house = position_of(!from, "house", JOURNAL),
								cabin = position_of(!from, "cabin", CABIN);
	assert_int_equal(house.journal, JOURNAL);
	assert_int_equal(house.position, position_of(from, "house", JOURNAL).position);
	assert_int_equal(cabin.journal, CABIN);
	assert_int_equal(cabin.position, position_of(from, "cabin", CABIN).position);
}

/* ---- filling the old one ---- */

static int64_t series_of(int which, struct store *store, const char *name)
{
	struct topic topic;
	int64_t id = 0;

	assert_true(topic_parse(slice_of(name), &topic));
	assert_int_equal(ops[which]->series(store, &topic, &id), STORE_OK);
	return id;
}

static void put(int which, struct store *store, uint64_t journal, const struct store_row *rows, size_t count)
{
	struct store_position at;
	size_t rejected;

	assert_int_equal(ops[which]->position(store, journal, &at), STORE_OK);
	const struct store_batch batch = {rows, count, at, {journal, at.position + 100 + count}, NULL};
	if (ops[which]->write(store, &batch, &rejected) != STORE_OK)
		fail_msg("%s", ops[which]->error(store));
	assert_int_equal(rejected, 0);
}

static void put_odd(int which, struct store *store)
{
	const int64_t number = series_of(which, store, "거실/uno1/온도/value");
	const int64_t word = series_of(which, store, "hall/door/contact/state");
	const struct store_row rows[] = {
		number_row(number, -3 * DAY - 1, 1, -40.5),
		number_row(number, -1, 2, 0.1),
		number_row(number, 0, 3, 1e308),
		number_row(number, 1, 4, 1e308),
		number_row(number, NOON, 5, 5e-324),
		number_row(number, NOON, 6, 21.123456789012345),
		number_row(number, NOON, 7, 21.123456789012345),
		text_row(number, NOON, 8, "현관문이 열렸다 🙂 'a|b'\n\\"),
		{word, NOON, 9, {.number = 1, .text = slice_of("on"), .is_number = true}},
		{word, NOON + 1, 10, {.number = 0, .text = slice_of("closed"), .is_number = true}},
		text_row(word, NOON + 2, 11, ""),
		text_row(word, -NOON, 12, "ajar"),
	};

	put(which, store, JOURNAL, rows, sizeof rows / sizeof rows[0]);
	series_of(which, store, "현관/door/never_read/value"); /* the last one */
	put(which, store, JOURNAL, NULL, 0);
}

/* Many of one series, of which some around the pages' ends are of one instant. */
static void put_many(int which, struct store *store, const char *name, size_t count, int64_t step_us)
{
	struct store_row *rows = calloc(count, sizeof *rows);
	const int64_t id = series_of(which, store, name);
	int64_t time_us = NOON - 40 * DAY;

	assert_non_null(rows);
	for (size_t i = 0; i < count; i++) {
		if ((i + 5) % 10000 > 10)
			time_us += step_us;
		rows[i] = number_row(id, time_us, (int64_t)i, (double)(i * 7919 % 1000) / 8);
	}
	put(which, store, JOURNAL, rows, count);
	free(rows);
}

static void put_texts(int which, struct store *store)
{
	static char text[VALUE_TEXT_MAX + 1];
	struct store_row rows[TEXT_ROWS];
	const int64_t id = series_of(which, store, "hall/door/words/state");

	/* Each begins in its own way: a database may sort by the beginning only. */
	for (int i = 0; i < VALUE_TEXT_MAX; i++)
		text[i] = (char)('a' + i % 26);
	for (int i = 0; i < TEXT_ROWS; i++)
		rows[i] = text_row(id, NOON + i / 3, i, text + i % 5);
	put(which, store, JOURNAL, rows, TEXT_ROWS);
}

static void run_sql(int which, const char *sql)
{
	sqlite3 *database;

	if (which == MARIA) {
		maria_ask(sql);
		return;
	}
	assert_int_equal(sqlite3_open(locations[LITE_STORE], &database), SQLITE_OK);
	if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(database));
	sqlite3_close(database);
}

/* Two brokers' readings, and what retention has left of some. */
static void fill_little(int which)
{
	struct store *store = open_as(which, "house");

	put_odd(which, store);
	for (int i = 0; i < 4; i++) {
		char name[40];
		snprintf(name, sizeof name, "room%d/a/b/value", i);
		put_many(which, store, name, 20, 17 * MINUTE);
	}
	ops[which]->close(store);
	store = open_as(which, "cabin");
	const struct store_row row = number_row(series_of(which, store, "room1/a/b/value"), NOON, 1, 3);
	put(which, store, CABIN, &row, 1);
	ops[which]->close(store);
	/* Retention: hours without minutes and readings, minutes without readings. */
	run_sql(which, "DELETE FROM reading WHERE series_id = (SELECT id FROM series WHERE location = 'room3');"
	               "DELETE FROM reading_minute WHERE series_id = (SELECT id FROM series WHERE location = 'room3')"
	               " AND ts < 1795348800000000 - 40 * 86400000000 + 100 * 60000000");
}

/* The same with series of several pages. */
static void fill(int which)
{
	fill_little(which);
	struct store *store = open_as(which, "house");
	put_texts(which, store);
	put_many(which, store, "attic/a/b/value", LONG_ROWS, MINUTE);
	ops[which]->close(store);
}

/* ---- moving ---- */

struct progress {
	size_t calls, stop_at; /* 0: never */
	void (*at_stop)(void);
	size_t done, all;
	uint64_t rows;
};

static bool on_progress(void *context, size_t series_done, size_t series_all, uint64_t rows)
{
	struct progress *progress = context;

	progress->calls++;
	progress->done = series_done;
	progress->all = series_all;
	progress->rows = rows;
	if (progress->calls != progress->stop_at)
		return true;
	if (!progress->at_stop)
		return false;
	progress->at_stop();
	return true;
}

static enum move_result move_with(int from, struct progress *progress, uint64_t *rows)
{
	const struct store_move move = {
		.from_ops = ops[from],
		.to_ops = ops[!from],
		.from = {.location = locations[from]},
		.to = {.location = locations[!from]},
		.progress = progress ? on_progress : NULL,
		.context = progress,
	};

	line[0] = '\0';
	return store_move(&move, rows, line, sizeof line);
}

static void move_all(int from)
{
	uint64_t rows;

	if (move_with(from, NULL, &rows) != MOVE_DONE)
		fail_msg("%s", line);
}

static void assert_refused(int from, const char *why)
{
	char *before = contents(!from);
	uint64_t rows;

	assert_int_equal(move_with(from, NULL, &rows), MOVE_FAILED);
	if (!strstr(line, why) || strchr(line, '\n'))
		fail_msg("\"%s\": wanted \"%s\" in it", line, why);
	char *after = contents(!from);
	assert_same(before, after);
	free(before);
	free(after);
}

/* ---- tests ---- */

static void moves_all_there_is(void **state)
{
	for (int from = 0; from < 2; from++) {
		struct progress progress = {0};
		uint64_t rows, again;
		start_anew(state);
		fill(from);
		if (move_with(from, &progress, &rows) != MOVE_DONE)
			fail_msg("%s", line);
		assert_moved(from);
		assert_int_equal(progress.done, progress.all);
		assert_int_equal(progress.rows, rows);
		assert_int_equal(progress.all, 9);
		if (from != MARIA) /* in the partitions that it would have gone into */
			assert_true(maria_ask_number("SELECT COUNT(*) FROM information_schema.partitions WHERE table_schema ="
			                             " '" DATABASE "' AND table_name = 'reading'") > 12);

		char *before = contents(!from);
		progress = (struct progress){0};
		assert_int_equal(move_with(from, &progress, &again), MOVE_DONE);
		assert_int_equal(again, rows);
		assert_int_equal(progress.calls, 0);
		char *after = contents(!from);
		assert_same(before, after);
		free(before);
		free(after);
	}
}

/* The broker has gone on in the new store, and somebody calls it once more. */
static void leaves_a_broker_that_went_on(void **state)
{
	for (int from = 0; from < 2; from++) {
		start_anew(state);
		fill_little(from);
		move_all(from);
		struct store *store = open_as(!from, "house");
		const struct store_row row = number_row(series_of(!from, store, "room1/a/b/value"), NOON + 5, 1, 3);
		put(!from, store, JOURNAL, &row, 1);
		ops[!from]->close(store);
		const struct store_position at = position_of(!from, "house", JOURNAL);
		assert_true(at.position > position_of(from, "house", JOURNAL).position);
		char *before = contents(!from);
		move_all(from);
		char *after = contents(!from);
		assert_same(before, after);
		free(before);
		free(after);
		assert_int_equal(position_of(!from, "house", JOURNAL).position, at.position);
	}
}

static void goes_on_after_each_part(void **state)
{
	for (int from = 0; from < 2; from++) {
		enum move_result result;
		uint64_t rows = 0;
		size_t stops = 0;
		start_anew(state);
		fill(from);
		do {
			struct progress progress = {.stop_at = 1};
			uint64_t before = rows;
			result = move_with(from, &progress, &rows);
			if (result == MOVE_FAILED)
				fail_msg("%s", line);
			stops += result == MOVE_STOPPED;
			assert_true(result == MOVE_DONE || rows > before);
		} while (result == MOVE_STOPPED);
		assert_true(stops >= PARTS_MIN);
		assert_moved(from);
	}
}

/* All parts are there, and it was interrupted before the brokers' positions were. */
static void goes_on_before_the_positions(void **state)
{
	for (int from = 0; from < 2; from++) {
		start_anew(state);
		fill_little(from);
		move_all(from);
		run_sql(!from, "DELETE FROM ingest_position WHERE node = 'house'");
		if (from != MARIA)
			run_sql(MARIA, "DELETE FROM witness_position WHERE node = 'house'");
		move_all(from);
		assert_moved(from);
	}
}

static void pause_us(int64_t us)
{
	const struct timespec time = {us / 1000000, us % 1000000 * 1000};
	nanosleep(&time, NULL);
}

/* Moves in a process of its own, which is killed after some time. True: it was done before. */
static bool move_and_die(int from, int64_t kill_us)
{
	int status;
	uint64_t rows;

	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(move_with(from, NULL, &rows) == MOVE_DONE ? 0 : 1);
	pause_us(kill_us);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void goes_on_after_kills(void **state)
{
	const unsigned seed = (unsigned)time(NULL);
	const int kills_wanted = getenv("TEST_LONG") ? 20 * KILLS : KILLS;

	srandom(seed);
	for (int from = 0; from < 2; from++) {
		start_anew(state);
		fill(from);
		const int64_t begin = now_ms();
		move_all(from);
		const int64_t took_us = (now_ms() - begin) * 1000;
		for (int kills = 0; kills < kills_wanted;) {
			empty(!from);
			while (kills < kills_wanted && !move_and_die(from, random() % took_us))
				kills++;
			int64_t deadline = deadline_in(SOON);
			uint64_t rows;
			/* The server may still be at a killed one's last transaction. */
			while (move_with(from, NULL, &rows) != MOVE_DONE) {
				if (now_ms() > deadline)
					fail_msg("%s (seed %u)", line, seed);
				look_again();
			}
			assert_moved(from);
		}
	}
}

static void kill_server(void)
{
	assert_true(mariadb_server_kill(maria_server));
}

static void goes_on_after_the_server_was_away(void **state)
{
	for (int from = 0; from < 2; from++) {
		start_anew(state);
		fill(from);
		for (size_t part = 1; part <= 5; part += 2) {
			struct progress progress = {.stop_at = part, .at_stop = kill_server};
			uint64_t rows;
			assert_int_equal(move_with(from, &progress, &rows), MOVE_FAILED);
			assert_non_null(strstr(line, mariadb_server_socket(maria_server)));
			assert_null(strchr(line, '\n'));
			assert_int_equal(move_with(from, NULL, &rows), MOVE_FAILED); /* nor can it begin */
			assert_non_null(strstr(line, mariadb_server_socket(maria_server)));
			assert_true(mariadb_server_start(maria_server));
		}
		move_all(from);
		assert_moved(from);
	}
}

static void refuses_a_store_that_was_started_with(void **state)
{
	for (int from = 0; from < 2; from++) {
		struct progress progress = {.stop_at = 2};
		uint64_t rows;

		/* Behind, and further: its journal went in from where it begins. */
		for (int batches = 1; batches < 40; batches += 38) {
			start_anew(state);
			fill_little(from);
			struct store *store = open_as(!from, "cabin");
			for (int i = 0; i < batches; i++)
				put(!from, store, CABIN, NULL, 0);
			ops[!from]->close(store);
			assert_refused(from, "\"cabin\" already");
		}
		/* Before all was moved. */
		start_anew(state);
		fill_little(from);
		assert_int_equal(move_with(from, &progress, &rows), MOVE_STOPPED);
		struct store *store = open_as(!from, "house");
		put(!from, store, JOURNAL + 1, NULL, 0);
		ops[!from]->close(store);
		assert_refused(from, "\"house\" already");
	}
}

static void refuses_another_history(void **state)
{
	for (int from = 0; from < 2; from++) {
		struct progress progress = {.stop_at = 2};
		uint64_t rows;

		start_anew(state);
		fill_little(from);
		assert_int_equal(move_with(from, &progress, &rows), MOVE_STOPPED);
		struct store *store = open_as(from, "house");
		put(from, store, JOURNAL, NULL, 0);
		ops[from]->close(store);
		assert_refused(from, "another history was moved");

		start_anew(state);
		fill_little(from);
		move_all(from);
		run_sql(from, "UPDATE ingest_position SET journal = journal + 1, node = 'shed' WHERE node = 'house'");
		assert_refused(from, "another history was moved");
	}
}

static void moves_an_empty_one(void **state)
{
	for (int from = 0; from < 2; from++) {
		uint64_t rows = 9;
		start_anew(state);
		ops[from]->close(open_as(from, "house"));
		for (int i = 0; i < 2; i++) {
			assert_int_equal(move_with(from, NULL, &rows), MOVE_DONE);
			assert_int_equal(rows, 0);
		}
		char *left = contents(from), *right = contents(!from);
		assert_same(left, right);
		free(left);
		free(right);
		assert_int_equal(position_of(!from, "house", JOURNAL).journal, 0);
	}
}

static void refuses_an_old_store_that_is_none(void **state)
{
	uint64_t rows;

	for (int from = 0; from < 2; from++) {
		start_anew(state);
		assert_int_equal(move_with(from, NULL, &rows), MOVE_FAILED);
		assert_non_null(strstr(line, from == MARIA ? mariadb_server_socket(maria_server) : "there is no history yet"));
		fill_little(from);
		run_sql(from, "DELETE FROM schema_version WHERE version = (SELECT * FROM (SELECT MAX(version) FROM"
		              " schema_version) AS v)");
		assert_int_equal(move_with(from, NULL, &rows), MOVE_FAILED);
		assert_non_null(strstr(line, from == MARIA ? "schema" : "made by an older Hearth (schema version 1"));
	}
}

/* Another broker's readings of the same series are in the new store. */
static void adds_to_what_is_there(void **state)
{
	for (int from = 0; from < 2; from++) {
		start_anew(state);
		fill_little(from);
		struct store *store = open_as(!from, "barn");
		const struct store_row rows[] = {
			number_row(series_of(!from, store, "barn/a/b/value"), NOON, 1, 3),
			number_row(series_of(!from, store, "room1/a/b/value"), NOON, 1, 5), /* as the cabin's is, instant and all */
		};
		put(!from, store, JOURNAL - 1, rows, 2);
		ops[!from]->close(store);
		move_all(from);
		struct text text = {0};
		(from == MARIA ? dump_lite : dump_maria)(&text,
		                                         "SELECT value FROM readings WHERE location = 'room1' AND time LIKE "
		                                         "'2026-11-22T12:00%' ORDER BY value");
		(from == MARIA ? dump_lite : dump_maria)(&text,
		                                         "SELECT min, avg, max, count FROM readings_by_hour WHERE location = "
		                                         "'room1' AND time = '2026-11-22T12:00:00Z'");
		assert_string_equal(text.bytes, "3|\n5|\n3|4|5|2|\n");
		free(text.bytes);
	}
}

static void is_fast(void **state)
{
	/* All of them are eighths, so that sums are exact. */
	static const char *const totals[] = {
		"SELECT COUNT(*), SUM(value), MIN(ts), MAX(ts), MAX(seq) FROM reading",
		"SELECT COUNT(*), SUM(min), SUM(max), CAST(SUM(count) AS CHAR) FROM reading_minute",
		"SELECT COUNT(*), SUM(min), SUM(max), CAST(SUM(count) AS CHAR) FROM reading_hour",
	};

	for (int from = 0; from < 2; from++) {
		start_anew(state);
		struct store *store = open_as(from, "house");
		for (int i = 0; i < 4; i++) {
			char name[40];
			snprintf(name, sizeof name, "room%d/a/b/value", i);
			put_many(from, store, name, MANY / 4, 1000000);
		}
		ops[from]->close(store);
		const int64_t begin = now_ms();
		move_all(from);
		const int64_t took = now_ms() - begin;
		print_message("%s -> %s: %d readings in %lld ms, %lld a second\n", ops[from]->scheme, ops[!from]->scheme, MANY,
		              (long long)took, MANY * 1000LL / (long long)took);
		if (!getenv("HEARTH_PRELOAD"))
			assert_true(took < MANY_MS);
		struct text sums[2] = {{0}};
		for (size_t i = 0; i < 3; i++) {
			dump_lite(&sums[LITE_STORE], totals[i]);
			dump_maria(&sums[MARIA], totals[i]);
		}
		assert_string_equal(sums[0].bytes, sums[1].bytes);
		free(sums[0].bytes);
		free(sums[1].bytes);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_both, remove_both)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(moves_all_there_is),
		TEST(leaves_a_broker_that_went_on),
		TEST(goes_on_after_each_part),
		TEST(goes_on_before_the_positions),
		TEST(goes_on_after_kills),
		TEST(goes_on_after_the_server_was_away),
		TEST(refuses_a_store_that_was_started_with),
		TEST(refuses_another_history),
		TEST(moves_an_empty_one),
		TEST(refuses_an_old_store_that_is_none),
		TEST(adds_to_what_is_there),
		TEST(is_fast),
	};

	return cmocka_run_group_tests_name("store_move", tests, start, maria_group_end);
}
