/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_read: what a real server's tables hold is what is read, and by which keys and partitions the server finds
 * it. Rows are put there by SQL of the test's own.
 */
#include "store_mariadb_read.h"

#include "mariadb_server.h"
#include "store_mariadb_internal.h"

#include <math.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOON         INT64_C(1795348800000000) /* 2026-11-22T12:00:00Z, which is also the server's own clock here */
#define SECOND       INT64_C(1000000)
#define DAY          (24 * STORE_HOUR_US)
#define ALL_TIME     ((struct store_span){INT64_MIN, INT64_MAX})

static struct mariadb_server *server;
static struct store *store;
static char location[256];

/* ---- a server and what is in it ---- */

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
	char sql[16384];
	va_list arguments;

	va_start(arguments, format);
	int len = vsnprintf(sql, sizeof sql, format, arguments);
	va_end(arguments);
	assert_true(len > 0 && (size_t)len < sizeof sql);
	if (!mariadb_server_run(server, "hearth", sql))
		fail_msg("%.200s: %s", sql, mariadb_server_error(server));
}

/* A partition a month from September to December 2026. */
#define MONTHS                                                                                                         \
	"PARTITION p2026_09 VALUES LESS THAN (1790812800000000), PARTITION p2026_10 VALUES LESS THAN (1793491200000000),"  \
	"PARTITION p2026_11 VALUES LESS THAN (1796083200000000), PARTITION p2026_12 VALUES LESS THAN (1798761600000000),"  \
	"PARTITION later VALUES LESS THAN MAXVALUE"

static int start_server(void **state)
{
	char schema[512];
	const char *folder = getenv("TEST_FOLDER");

	(void)state;
	snprintf(schema, sizeof schema, "%s/../schema/mariadb/001_initial.sql", folder ? folder : "test");
	server = mariadb_server_new(NULL);
	if (!server || !mariadb_server_start(server) || !mariadb_server_run(server, NULL, "CREATE DATABASE hearth") ||
	    !mariadb_server_run_file(server, "hearth", schema) ||
	    !mariadb_server_run(server, "hearth",
	                        "ALTER TABLE reading REORGANIZE PARTITION later INTO (" MONTHS ");"
	                        "ALTER TABLE reading_minute REORGANIZE PARTITION later INTO (" MONTHS ")")) {
		print_error("%s\n", server ? mariadb_server_error(server) : "no server");
		return -1;
	}
	const struct passwd *owner = getpwuid(geteuid());
	snprintf(location, sizeof location, "//%s@%s/hearth", owner ? owner->pw_name : "root",
	         mariadb_server_socket(server));
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	mariadb_server_free_all();
	return 0;
}

static int open_store(void **state)
{
	const struct store_place place = {.location = location, .node = "house"};
	char error[512] = "";

	(void)state;
	if (!mariadb_server_run(server, "hearth",
	                        "TRUNCATE reading; TRUNCATE reading_minute; TRUNCATE reading_hour; TRUNCATE series"))
		return -1;
	if (store_mariadb.open_to_read(&place, &store, error, sizeof error) != STORE_OK) {
		print_error("%s\n", error);
		return -1;
	}
	/* "Last month" is October 2026, whenever the test runs. */
	return maria_run(store, "SET timestamp = 1795348800") ? 0 : -1;
}

static int close_store(void **state)
{
	(void)state;
	store_mariadb.close(store);
	store = NULL;
	return 0;
}

/* Adds a series "ROOM/uno1/temperature/value" of that id. */
static void add_series(int id, const char *room)
{
	run("INSERT INTO series (id, location, device, sensor, subject) VALUES (%d, '%s', 'uno1', 'temperature', 'value')",
	    id, room);
}

/* Adds a reading whose value and text are given as SQL. */
static void add(int id, int64_t time_us, int64_t seq, const char *value, const char *text)
{
	run("INSERT INTO reading (series_id, ts, seq, value, txt) VALUES (%d, %lld, %lld, %s, %s)", id, (long long)time_us,
	    (long long)seq, value, text);
}

/* ---- what was read, as text ---- */

struct notes {
	char text[65536];
	size_t len;
	int stop_after; /* 0: never */
};

static bool note(struct notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool note(struct notes *notes, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	notes->len += (size_t)vsnprintf(notes->text + notes->len, sizeof notes->text - notes->len, format, arguments);
	va_end(arguments);
	assert_true(notes->len < sizeof notes->text);
	return --notes->stop_after != 0;
}

static bool note_series(void *context, struct slice topic)
{
	return note(context, "%.*s\n", (int)topic.len, topic.ptr);
}

/* Four texts at a time. */
static const char *number_text(double number)
{
	static char texts[4][NUMBER_TEXT_MAX];
	static unsigned turn;
	char *buffer = texts[turn++ % COUNT(texts)];
	const struct value value = value_of_number(number);
	const struct slice text = value_print(&value, buffer);

	buffer[text.len] = '\0';
	return buffer;
}

static bool note_reading(void *context, struct slice topic, const struct store_row *row)
{
	const int64_t time_us = row->time_us;
	const struct value *value = &row->value;
	return note(context, "%.*s %+lld %s '%.*s'\n", (int)(topic.len - strlen("/uno1/temperature/value")), topic.ptr,
	            (long long)(time_us - NOON), value->is_number ? number_text(value->number) : "-", (int)value->text.len,
	            value->text.ptr);
}

static bool note_bucket(void *context, const struct store_bucket *bucket)
{
	return note(context, "%lld %s %s %s %lld\n", (long long)bucket->time_us, number_text(bucket->min),
	            number_text(bucket->avg), number_text(bucket->max), (long long)bucket->count);
}

static struct topic topic_of(const char *room)
{
	static char name[TOPIC_MAX + 1];
	struct topic topic;

	snprintf(name, sizeof name, "%s/uno1/temperature/value", room);
	assert_true(topic_parse(slice_of(name), &topic));
	return topic;
}

static const char *list(int stop_after)
{
	static struct notes notes;
	notes = (struct notes){.stop_after = stop_after};
	assert_int_equal(maria_list(store, note_series, &notes), STORE_OK);
	return notes.text;
}

/* room NULL: of all. */
static const char *latest(const char *room, int stop_after)
{
	static struct notes notes;
	notes = (struct notes){.stop_after = stop_after};
	struct topic topic = topic_of(room ? room : "x");
	assert_int_equal(maria_latest(store, room ? &topic : NULL, note_reading, &notes), STORE_OK);
	return notes.text;
}

static const char *readings(const char *room, int64_t from_us, int64_t to_us, size_t limit, int stop_after)
{
	static struct notes notes;
	notes = (struct notes){.stop_after = stop_after};
	struct topic topic = topic_of(room);
	assert_int_equal(maria_readings(store, &topic, (struct store_span){from_us, to_us}, limit, note_reading, &notes),
	                 STORE_OK);
	return notes.text;
}

static const char *buckets(enum store_source source, struct store_span span, int64_t step_us, int stop_after)
{
	static struct notes notes;
	notes = (struct notes){.stop_after = stop_after};
	struct topic topic = topic_of("a");
	assert_int_equal(maria_buckets(store, &topic, source, span, step_us, note_bucket, &notes), STORE_OK);
	return notes.text;
}

/* ---- contents ---- */

static void test_empty(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_string_equal(latest(NULL, 0), "");
		assert_string_equal(latest("a", 0), "");
		assert_string_equal(readings("a", INT64_MIN, INT64_MAX, SIZE_MAX, 0), "");
		for (int source = STORE_RAW; source <= STORE_HOUR; source++)
			assert_string_equal(buckets((enum store_source)source, ALL_TIME, STORE_HOUR_US, 0), "");
		assert_string_equal(list(0), round == 0 ? "" : "a/uno1/temperature/value\n");
		if (round == 0)
			add_series(1, "a"); /* and still no reading */
	}
}

static void test_list(void **state)
{
	(void)state;
	/* By bytes '!' < '/' < 'Z' < 'a', and spaces at an end count. */
	static const char *const rooms[] = {"거실", "b", "a", "a!", "Z", "a\\\\", "it''s \"x\"", "a "};
	for (size_t i = 0; i < COUNT(rooms); i++)
		add_series((int)i + 1, rooms[i]);
	assert_string_equal(list(0), "Z/uno1/temperature/value\na /uno1/temperature/value\na!/uno1/temperature/value\n"
	                             "a/uno1/temperature/value\na\\/uno1/temperature/value\nb/uno1/temperature/value\n"
	                             "it's \"x\"/uno1/temperature/value\n거실/uno1/temperature/value\n");
	assert_string_equal(list(2), "Z/uno1/temperature/value\na /uno1/temperature/value\n");
	add_series(99, "z");
	assert_non_null(strstr(list(0), "\nz/")); /* the connection is as good as before */
}

static void test_latest(void **state)
{
	(void)state;
	add_series(1, "recent");
	add(1, NOON - SECOND, 1, "1.5", "NULL");
	add(1, NOON - 2 * SECOND, 2, "2.5", "NULL"); /* came later, and is older */
	add_series(2, "twins");
	add(2, NOON, 7, "7", "NULL");
	add(2, NOON, 9, "9", "NULL");
	add(2, NOON, 8, "8", "NULL");
	add_series(3, "old");
	add(3, NOON - 60 * DAY, 1, "1", "'open'");
	add(3, NOON - 61 * DAY, 2, "0", "'closed'");
	add_series(4, "older"); /* than any partition */
	add(4, -NOON, 1, "0.1", "NULL");
	add_series(5, "future");
	add(5, NOON, 1, "1", "NULL");
	add(5, NOON + 400 * DAY, 2, "2", "NULL");
	add_series(6, "text"); /* after a number */
	add(6, NOON - SECOND, 1, "1", "NULL");
	add(6, NOON, 2, "NULL", "'it''s \"x\" 거실'");
	add_series(7, "none");
	add_series(8, "nothing"); /* an empty text */
	add(8, NOON, 1, "NULL", "''");

	static const char *const wanted[] = {
		"future +34560000000000 2 ''\n",
		"nothing +0 - ''\n",
		"old -5184000000000 1 'open'\n",
		"older -3590697600000000 0.1 ''\n",
		"recent -1000000 1.5 ''\n",
		"text +0 - 'it's \"x\" 거실'\n",
		"twins +0 9 ''\n",
	};
	char all[1024] = "";
	size_t all_len = 0;
	for (size_t i = 0; i < COUNT(wanted); i++) {
		char room[16] = "";
		strncat(room, wanted[i], strcspn(wanted[i], " "));
		assert_string_equal(latest(room, 0), wanted[i]);
		all_len += (size_t)snprintf(all + all_len, sizeof all - all_len, "%s", wanted[i]);
	}
	assert_string_equal(latest(NULL, 0), all);
	assert_string_equal(latest(NULL, 1), wanted[0]);
	assert_string_equal(latest("none", 0), "");
	assert_string_equal(latest("x' OR '1'='1", 0), "");
}

static void test_readings(void **state)
{
	(void)state;
	add_series(1, "a");
	add(1, NOON + 1, 5, "5", "NULL");
	add(1, NOON + 1, 4, "4", "NULL");
	add(1, NOON, 9, "1", "'on'");
	add(1, NOON - 60 * DAY, 1, "-1e-300", "NULL");
	add(1, -1, 1, "NULL", "'before 1970'");
	add_series(2, "b");
	add(2, NOON, 1, "2", "NULL");

#define FIRST "a -1795348800000001 - 'before 1970'\na -5184000000000 -1e-300 ''\n"
	assert_string_equal(readings("a", INT64_MIN, INT64_MAX, SIZE_MAX, 0), FIRST "a +0 1 'on'\na +1 4 ''\na +1 5 ''\n");
	assert_string_equal(readings("a", INT64_MIN, INT64_MAX, 2, 0), FIRST);
	assert_string_equal(readings("a", INT64_MIN, INT64_MAX, SIZE_MAX, 2), FIRST);
	assert_string_equal(readings("a", INT64_MIN, INT64_MAX, 0, 0), "");
	assert_string_equal(readings("a", NOON, NOON + 1, 10, 0), "a +0 1 'on'\n");
	assert_string_equal(readings("a", NOON + 1, NOON + 1, 10, 0), "");
	assert_string_equal(readings("a", NOON + 2, NOON, 10, 0), "");
	assert_string_equal(readings("c", INT64_MIN, INT64_MAX, 10, 0), "");
}

static bool keep_text(void *context, struct slice topic, const struct store_row *row)
{
	const struct value *value = &row->value;
	(void)topic, (void)row;
	return note(context, "%zu %.3s%.*s", value->text.len, value->text.ptr, 3, value->text.ptr + value->text.len - 3);
}

/* The longest there are; and what another program could have put there, which is cut. */
static void test_long_texts(void **state)
{
	(void)state;
	struct notes notes = {.stop_after = 0};
	struct topic topic = topic_of("a");

	add_series(1, "a");
	run("INSERT INTO reading VALUES (1, 1, 1, NULL, CONCAT('abc', REPEAT('x', 4090), 'xyz'))");
	run("INSERT INTO reading VALUES (1, 2, 1, NULL, REPEAT('거', 1365))");
	run("SET check_constraint_checks = 0; INSERT INTO reading VALUES (1, 3, 1, NULL, REPEAT('거', 4000))");
	assert_int_equal(maria_readings(store, &topic, ALL_TIME, 9, keep_text, &notes), STORE_OK);
	assert_memory_equal(notes.text, "4096 abcxyz4095 거거4096 거", strlen("4096 abcxyz4095 거거4096 거"));

	/* A topic that is longer than any is none of ours. */
	run("INSERT INTO series (location, device, sensor, subject) VALUES (REPEAT('거', 400), 'x', 'y', 'value');"
	    "INSERT INTO reading VALUES (LAST_INSERT_ID(), 1, 1, 1, NULL)");
	assert_string_equal(list(0), "a/uno1/temperature/value\n");
	const char *newest = latest(NULL, 0);
	assert_ptr_equal(strchr(newest, '\n'), newest + strlen(newest) - 1);
}

static void test_buckets_of_readings(void **state)
{
	(void)state;
	add_series(1, "a");
	add(1, -1, 1, "-1", "NULL");
	add(1, -10, 1, "-3", "NULL");
	add(1, -11, 1, "4", "NULL");
	add(1, 0, 1, "0", "'off'");
	add(1, 9, 1, "1", "'on'");
	add(1, 9, 2, "NULL", "'a text'");
	add(1, 25, 1, "7", "NULL");
	add(1, 40, 1, "NULL", "'another'");
	add(1, 50, 1, "1e308", "NULL");
	add(1, 51, 1, "1.7e308", "NULL");
	add(1, 52, 1, "1.2e308", "NULL");
	add(1, 60, 1, "0.1", "NULL");
	add(1, 61, 1, "0.1", "NULL");
	add(1, 62, 1, "0.1", "NULL");

	const struct store_span span = {-100, 100};
	assert_string_equal(buckets(STORE_RAW, span, 10, 0), "-20 4 4 4 1\n-10 -3 -2 -1 2\n0 0 0.5 1 2\n20 7 7 7 1\n"
	                                                     "50 1e+308 1.3e+308 1.7e+308 3\n60 0.1 0.1 0.1 3\n");
	assert_string_equal(buckets(STORE_RAW, span, 10, 2), "-20 4 4 4 1\n-10 -3 -2 -1 2\n");
	assert_string_equal(buckets(STORE_RAW, (struct store_span){-10, 9}, 10, 0), "-10 -3 -2 -1 2\n0 0 0 0 1\n");
	assert_string_equal(buckets(STORE_RAW, (struct store_span){0, 50}, 50, 0), "0 0 2.6666666666666665 7 3\n");
}

static void test_buckets_of_rollups(void **state)
{
	(void)state;
	add_series(1, "a");
	for (int hour = 0; hour < 2; hour++) {
		const char *table = hour ? "reading_hour" : "reading_minute";
		const long long unit = hour ? STORE_HOUR_US : STORE_MINUTE_US;
		run("INSERT INTO %s (series_id, ts, min, avg, max, count) VALUES"
		    " (1, %lld, 1, 2, 3, 1), (1, %lld, -1, 10, 20, 3), (1, %lld, 5, 5, 5, 1),"
		    " (1, 0, 1e307, POW(2, 1022), 1e308, 4000000000), (1, %lld, 2e307, 3 * POW(2, 1022), 1.7e308, 4000000000)",
		    table, -3 * unit, -4 * unit, -5 * unit, unit);
		const enum store_source source = hour ? STORE_HOUR : STORE_MINUTE;
		char wanted[512];
		snprintf(wanted, sizeof wanted,
		         "%lld 5 5 5 1\n%lld -1 8 20 4\n0 1e+307 8.98846567431158e+307 1.7e+308 8000000000\n", -6 * unit,
		         -4 * unit);
		assert_string_equal(buckets(source, ALL_TIME, 2 * unit, 0), wanted);
		snprintf(wanted, sizeof wanted, "%lld 5 5 5 1\n%lld -1 10 20 3\n", -5 * unit, -4 * unit);
		assert_string_equal(buckets(source, ALL_TIME, unit, 2), wanted);
		assert_string_equal(buckets(source, (struct store_span){-5 * unit, -3 * unit}, unit, 0), wanted);
	}
}

static uint64_t chance(void)
{
	static uint64_t number = 42;
	number ^= number << 13;
	number ^= number >> 7;
	number ^= number << 17;
	return number;
}

struct expectation {
	double min[40], max[40], sum[40];
	int64_t count[40];
	int64_t begin_us, step_us;
	int seen;
};

static bool compare_bucket(void *context, const struct store_bucket *bucket)
{
	struct expectation *wanted = context;
	const int64_t i = (bucket->time_us - wanted->begin_us) / wanted->step_us;

	assert_true(i >= 0 && i < 40);
	assert_int_equal(bucket->count, wanted->count[i]);
	assert_true(bucket->min == wanted->min[i] && bucket->max == wanted->max[i]);
	assert_true(fabs(bucket->avg - wanted->sum[i] / (double)wanted->count[i]) < 1e-9);
	wanted->seen++;
	return true;
}

/* Any readings, on both sides of 1970 and of a partition's end. */
static void test_any_buckets(void **state)
{
	(void)state;
	static const int64_t centers[] = {0, INT64_C(1793491200000000)};
	struct topic topic = topic_of("a");

	add_series(1, "a");
	for (size_t c = 0; c < COUNT(centers); c++) {
		struct expectation wanted = {.step_us = 10};
		wanted.begin_us = centers[c] - 200;
		int filled = 0;
		for (int i = 0; i < 300; i++) {
			const int64_t time_us = wanted.begin_us + (int64_t)(chance() % 400);
			const double number = (double)(int64_t)(chance() % 2000) - 1000;
			const int64_t at = (time_us - wanted.begin_us) / 10;
			char text[32];
			snprintf(text, sizeof text, "%.0f", number);
			add(1, time_us, i, text, "NULL");
			filled += wanted.count[at] == 0;
			wanted.min[at] = wanted.count[at] > 0 ? fmin(wanted.min[at], number) : number;
			wanted.max[at] = wanted.count[at] > 0 ? fmax(wanted.max[at], number) : number;
			wanted.sum[at] += number;
			wanted.count[at]++;
		}
		assert_int_equal(maria_buckets(store, &topic, STORE_RAW,
		                               (struct store_span){centers[c] - 200, centers[c] + 200}, 10, compare_bucket,
		                               &wanted),
		                 STORE_OK);
		assert_int_equal(wanted.seen, filled);
	}
}

/* ---- plans ---- */

enum { EXPLAIN_TABLE = 2, EXPLAIN_PARTITIONS, EXPLAIN_TYPE, EXPLAIN_KEY = 6, EXPLAIN_EXTRA = 10, EXPLAIN_COLUMNS };

/* How the server would go about it: "table partitions type key extra", a line each. */
static const char *explain(enum maria_read which, const char *room, int64_t from_us, int64_t to_us)
{
	static char plan[4096];
	char sql[2048], cells[EXPLAIN_COLUMNS][256], name[TOPIC_MAX];
	unsigned long lens[EXPLAIN_COLUMNS];
	my_bool nulls[EXPLAIN_COLUMNS];
	MYSQL_BIND columns[EXPLAIN_COLUMNS] = {0};
	uint64_t limit = 1000;
	size_t len = 0;

	snprintf(name, sizeof name, "%s/uno1/temperature/value", room);
	MYSQL_BIND parameters[] = {maria_bind_text(slice_of(name)), maria_bind_integer(&from_us, false),
	                           maria_bind_integer(&to_us, false), maria_bind_integer(&limit, true)};
	assert_memory_equal(maria_read_sql[which], MARIA_READ_LIMIT, strlen(MARIA_READ_LIMIT));
	snprintf(sql, sizeof sql, "EXPLAIN PARTITIONS %s", maria_read_sql[which] + strlen(MARIA_READ_LIMIT));
	for (size_t i = 0; i < EXPLAIN_COLUMNS; i++)
		columns[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
		                          .buffer = cells[i],
		                          .buffer_length = sizeof cells[i],
		                          .length = &lens[i],
		                          .is_null = &nulls[i]};
	MYSQL_STMT *statement = mysql_stmt_init(store->link);
	if (!statement || mysql_stmt_prepare(statement, sql, strlen(sql)) != 0 ||
	    mysql_stmt_bind_param(statement, parameters) != 0 || mysql_stmt_execute(statement) != 0 ||
	    mysql_stmt_bind_result(statement, columns) != 0)
		fail_msg("%s: %s", sql, statement ? mysql_stmt_error(statement) : "");
	plan[0] = '\0';
	while (mysql_stmt_fetch(statement) == 0) {
		for (size_t i = 0; i < EXPLAIN_COLUMNS; i++)
			if (nulls[i])
				cells[i][0] = '\0';
			else
				cells[i][lens[i] < sizeof cells[i] ? lens[i] : sizeof cells[i] - 1] = '\0';
		len +=
			(size_t)snprintf(plan + len, sizeof plan - len, "%s [%s] %s %s: %s\n", cells[EXPLAIN_TABLE],
		                     cells[EXPLAIN_PARTITIONS], cells[EXPLAIN_TYPE], cells[EXPLAIN_KEY], cells[EXPLAIN_EXTRA]);
		assert_true(len < sizeof plan);
	}
	mysql_stmt_close(statement);
	return plan;
}

#define ITS_SERIES "series [] const by_topic: Using index\n"
#define EVERY      "p2026_09,p2026_10,p2026_11,p2026_12,later"

/* 20 series with 5,000 readings each, over three months. */
static void fill(void)
{
	run("INSERT INTO series (location, device, sensor, subject)"
	    " SELECT CONCAT('r', seq), 'uno1', 'temperature', 'value' FROM seq_1_to_20");
	run("INSERT INTO reading SELECT s.id, %lld - q.seq * 1555200000, q.seq, q.seq / 7, NULL FROM series s,"
	    " seq_1_to_5000 q",
	    (long long)NOON);
	run("INSERT INTO reading_minute SELECT series_id, ts - MOD(ts, 60000000), MIN(value), AVG(value), MAX(value),"
	    " COUNT(value) FROM reading GROUP BY 1, 2");
	run("INSERT INTO reading_hour SELECT series_id, ts - MOD(ts, 3600000000), MIN(value), AVG(value), MAX(value),"
	    " COUNT(value) FROM reading GROUP BY 1, 2");
	/* Else the server reckons with what the tables held before. */
	if (!mariadb_server_run(server, "hearth", "ANALYZE TABLE series, reading, reading_minute, reading_hour"))
		fail_msg("%s", mariadb_server_error(server));
}

static void test_plans(void **state)
{
	(void)state;
	const int64_t october = INT64_C(1790812800000000), november = INT64_C(1793491200000000);

	fill();
	assert_string_equal(explain(MARIA_READ_LIST, "r1", 0, 0), "series [] index by_topic: Using index\n");
	/* One look into each partition, from its end: no file is sorted. */
	assert_string_equal(explain(MARIA_READ_LATEST, "r1", 0, 0),
	                    "reading [" EVERY "] ref PRIMARY: Using where\n" ITS_SERIES);
	/* By the full (series, time), and that only since October unless there is nothing. */
	assert_string_equal(explain(MARIA_READ_LATEST_OF_ALL, "r1", 0, 0),
	                    "s [] index by_topic: Using index; Using temporary; Using filesort\n"
	                    "r [" EVERY "] ref PRIMARY: Using where\n"
	                    "reading [" EVERY "] ref PRIMARY: Using where; Using index\n"
	                    "reading [p2026_10,p2026_11,p2026_12,later] ref PRIMARY: Using where; Using index\n");

	static const struct {
		const char *table;
		enum maria_read which;
		bool partitions;
	} spans[] = {
		{"reading", MARIA_READ_READINGS, true},
		{"reading", MARIA_READ_RAW, true},
		{"reading_minute", MARIA_READ_MINUTES, true},
		{"reading_hour", MARIA_READ_HOURS, false},
	};
	static const char *const pruned[] = {"p2026_11", "p2026_10,p2026_11", "p2026_10"};
	for (size_t i = 0; i < COUNT(spans); i++) {
		const int64_t of[][2] = {{NOON - DAY, NOON}, {november - 1, november + 1}, {october, november}};
		for (size_t k = 0; k < COUNT(of); k++) {
			char wanted[256];
			snprintf(wanted, sizeof wanted, "%s [%s] range PRIMARY: Using where\n" ITS_SERIES, spans[i].table,
			         spans[i].partitions ? pruned[k] : "");
			assert_string_equal(explain(spans[i].which, "r7", of[k][0], of[k][1]), wanted);
		}
	}
}

/* A series that was silent this month costs no walk through what the others sent. */
static int64_t rows_read(void)
{
	char *text = NULL;
	int64_t sum = 0;
	MYSQL_RES *result;
	MYSQL_ROW row;

	assert_true(maria_run(store, "SHOW SESSION STATUS LIKE 'Handler_read%'"));
	result = mysql_store_result(store->link);
	assert_non_null(result);
	while ((row = mysql_fetch_row(result)) != NULL)
		sum += strtoll(row[1], &text, 10);
	mysql_free_result(result);
	return sum;
}

static void test_latest_reads_little(void **state)
{
	(void)state;
	fill();
	for (int silent = 0; silent < 2; silent++) {
		int64_t before = rows_read();
		assert_int_equal(strncmp(latest(NULL, 0), "r1 ", 3), 0);
		/* 20 series: a few looks into each of 5 partitions; there are 100,000 readings. */
		assert_true(rows_read() - before < (int64_t)20 * 5 * 6);
		run("DELETE FROM reading WHERE ts >= 1793491200000000 + %d", silent);
	}
}

/* ---- failures ---- */

/* Somebody holds the table: the server gives up, and the next question finds the connection as good as before. */
static void test_takes_too_long(void **state)
{
	(void)state;
	MYSQL *other = mariadb_server_connect(server, NULL, NULL, "hearth");

	add_series(1, "a");
	add(1, NOON, 1, "1", "NULL");
	assert_non_null(other);
	assert_int_equal(mysql_query(other, "LOCK TABLES reading WRITE"), 0);
	enum store_result result = maria_latest(store, NULL, note_reading, &(struct notes){0});
	mysql_close(other); /* before anything can fail and leave the table locked */
	assert_int_equal(result, STORE_NEVER);
	assert_non_null(strstr(store_mariadb.error(store), "longer than 5 s"));
	assert_string_equal(latest(NULL, 0), "a +0 1 ''\n");
}

static void test_away(void **state)
{
	(void)state;
	struct topic topic = topic_of("a");
	struct notes notes = {.stop_after = 0};

	run("KILL %lu", mysql_thread_id(store->link));
	assert_int_equal(maria_list(store, note_series, &notes), STORE_AWAY);
	assert_int_not_equal(store_mariadb.error(store)[0], '\0');
	assert_int_equal(maria_latest(store, &topic, note_reading, &notes), STORE_AWAY);
	assert_int_equal(maria_readings(store, &topic, ALL_TIME, 1, note_reading, &notes), STORE_AWAY);
	assert_int_equal(maria_buckets(store, &topic, STORE_RAW, ALL_TIME, 10, note_bucket, &notes), STORE_AWAY);
	assert_string_equal(notes.text, "");
}

static bool kill_link(void *context, struct slice topic, const struct store_row *row)
{
	(void)topic, (void)row, (void)row;
	int *count = context;
	if ((*count)++ == 0)
		assert_true(mariadb_server_kill(server));
	return true;
}

/* The server dies while its rows are on their way: that is no end of the rows. */
static void test_away_in_the_midst(void **state)
{
	(void)state;
	struct topic topic = topic_of("r1");
	int count = 0;

	run("INSERT INTO series VALUES (1, 'r1', 'uno1', 'temperature', 'value', DEFAULT)");
	run("INSERT INTO reading SELECT 1, seq, 1, NULL, REPEAT('x', 1000) FROM seq_1_to_20000");
	assert_int_equal(maria_readings(store, &topic, ALL_TIME, SIZE_MAX, kill_link, &count), STORE_AWAY);
	assert_true(count < 20000);
	assert_true(mariadb_server_start(server));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_store, close_store)
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_list),
		TEST(test_latest),
		TEST(test_readings),
		TEST(test_long_texts),
		TEST(test_buckets_of_readings),
		TEST(test_buckets_of_rollups),
		TEST(test_any_buckets),
		TEST(test_plans),
		TEST(test_latest_reads_little),
		TEST(test_takes_too_long),
		TEST(test_away),
		TEST(test_away_in_the_midst),
	};
	return cmocka_run_group_tests_name("store_mariadb_read", tests, start_server, stop_server);
}
