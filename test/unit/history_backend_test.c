/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history on both real backends: what was stored is what is answered.
 */
#include "history_fixture.h"

#include "mariadb_server.h"

#include <ftw.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS 7200 /* of one reading a second */
#define JOURNAL UINT64_C(0xFEDCBA9876543210)

static const struct history_question ask_series = {.kind = HISTORY_SERIES};

/* ---- the two backends, with the same readings ---- */

#define NUMBERS "거실/uno1/temperature/value"
#define DOOR    "hall/door 1/door/state"
#define NOTES   "hall/it's \"x\"/note/state"

static const char *const notes[] = {"plain", "\"quoted\" \\ and\ttabbed", "it's\x01\x1f\x7f", "거실 🏠", "", "nan"};

static char folder[64], location[256];
static const struct store_ops *backend;
static struct mariadb_server *server;

static double number_at(int64_t second)
{
	return 20 + (double)(second * 7919 % 1000) / 10;
}

static int64_t series_of(struct store *store, const char *name)
{
	struct topic topic;
	int64_t id = 0;

	assert_true(topic_parse(slice_of(name), &topic));
	assert_int_equal(backend->series(store, &topic, &id), STORE_OK);
	return id;
}

static struct history_options options_of_backend(void)
{
	return (struct history_options){.ops = backend, .place = {.location = location, .node = "house"}};
}

static void fill_store(void)
{
	static struct store_row rows[SECONDS + 100];
	const struct history_options options = options_of_backend();
	char error[512] = "";
	struct store *store;
	size_t count = 0, rejected = 0;

	if (backend->open(&options.place, &store, error, sizeof error) != STORE_OK)
		fail_msg("%s", error);
	int64_t id = series_of(store, NUMBERS);
	for (int64_t i = 0; i < SECONDS; i++, count++)
		rows[count] = (struct store_row){id, NOON + i * SECOND, (int64_t)count, value_of_number(number_at(i))};
	id = series_of(store, DOOR);
	for (int64_t i = 0; i < 4; i++, count++)
		rows[count] =
			(struct store_row){id, NOON + i, (int64_t)count, value_of_text(slice_of(i % 2 ? "open" : "closed"))};
	id = series_of(store, NOTES);
	for (size_t i = 0; i < COUNT(notes); i++, count++)
		rows[count] = (struct store_row){id, NOON + (int64_t)i, (int64_t)count, value_of_text(slice_of(notes[i]))};
	const struct store_batch batch = {rows, count, {0, 0}, {JOURNAL, count}, NULL};
	if (backend->write(store, &batch, &rejected) != STORE_OK || rejected > 0)
		fail_msg("%s", backend->error(store));
	backend->close(store);
}

static int make_sqlite(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(location, sizeof location, "%s/history.db", folder);
	backend = &store_sqlite;
	fill_store();
	return 0;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static int remove_sqlite(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int make_mariadb(void **state)
{
	(void)state;
	server = mariadb_server_new(NULL);
	if (!server || !mariadb_server_start(server) || !mariadb_server_run(server, NULL, "CREATE DATABASE hearth")) {
		print_error("%s\n", server ? mariadb_server_error(server) : "no server");
		return -1;
	}
	const struct passwd *owner = getpwuid(geteuid());
	snprintf(location, sizeof location, "//%s@%s/hearth", owner ? owner->pw_name : "root",
	         mariadb_server_socket(server));
	backend = &store_mariadb;
	fill_store();
	return 0;
}

static int remove_mariadb(void **state)
{
	(void)state;
	mariadb_server_free_all();
	server = NULL;
	return 0;
}

static int start_on_backend(void **state)
{
	(void)state;
	const struct history_options options = options_of_backend();
	history = history_start(&options);
	return history ? 0 : -1;
}

/* ---- what was stored is what is answered ---- */

static void test_series(void **state)
{
	(void)state;
	static const char *const wanted[] = {DOOR, NOTES, NUMBERS}; /* by bytes */
	cJSON *json = ask_json(ask_series);
	cJSON *series = cJSON_GetObjectItem(json, "series");

	assert_int_equal(cJSON_GetArraySize(series), COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_string_equal(cJSON_GetArrayItem(series, (int)i)->valuestring, wanted[i]);
	cJSON_Delete(json);
}

/* Is there exactly one {"latest":[…]} of the topic, and just so? */
static void check_latest(const cJSON *json, const char *topic, const char *time, const char *value, const char *text)
{
	const cJSON *item, *found = NULL;
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(json, "latest"))
	{
		if (strcmp(cJSON_GetObjectItem(item, "topic")->valuestring, topic) != 0)
			continue;
		assert_null(found);
		found = item;
	}
	assert_non_null(found);
	assert_string_equal(cJSON_GetObjectItem(found, "time")->valuestring, time);
	char *printed = cJSON_PrintUnformatted(cJSON_GetObjectItem(found, "value"));
	assert_string_equal(printed, value);
	cJSON_free(printed);
	const cJSON *text_item = cJSON_GetObjectItem(found, "text");
	assert_int_equal(text_item != NULL, text != NULL);
	if (text && text_item)
		assert_string_equal(text_item->valuestring, text);
}

static void test_latest(void **state)
{
	(void)state;
	char number[32];
	snprintf(number, sizeof number, "%.15g", number_at(SECONDS - 1));
	const char *const wanted[][4] = {
		{NUMBERS, "2026-11-22T13:59:59.000000Z", number, NULL},
		{DOOR, "2026-11-22T12:00:00.000003Z", "1", "open"},
		{NOTES, "2026-11-22T12:00:00.000005Z", "null", "nan"},
	};
	cJSON *all = ask_json(latest_of(""));

	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(all, "latest")), COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++) {
		check_latest(all, wanted[i][0], wanted[i][1], wanted[i][2], wanted[i][3]);
		cJSON *one = ask_json(latest_of(wanted[i][0]));
		assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(one, "latest")), 1);
		check_latest(one, wanted[i][0], wanted[i][1], wanted[i][2], wanted[i][3]);
		cJSON_Delete(one);
	}
	cJSON_Delete(all);
	all = ask_json(latest_of("no/such/series/value"));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(all, "latest")), 0);
	cJSON_Delete(all);
}

static int64_t time_of(const cJSON *row)
{
	return llround(cJSON_GetArrayItem(row, 0)->valuedouble * 1e6);
}

static void check_head(const cJSON *json, const char *topic, const char *source)
{
	assert_string_equal(cJSON_GetObjectItem(json, "topic")->valuestring, topic);
	assert_string_equal(cJSON_GetObjectItem(json, "source")->valuestring, source);
}

static void test_readings(void **state)
{
	(void)state;
	cJSON *json = ask_json(range_of(NUMBERS, NOON + 100 * SECOND, NOON + 5000 * SECOND, 0));
	const cJSON *row;
	int64_t second = 100;

	check_head(json, NUMBERS, "raw");
	cJSON_ArrayForEach(row, cJSON_GetObjectItem(json, "readings"))
	{
		assert_int_equal(cJSON_GetArraySize(row), 2);
		assert_int_equal(time_of(row), NOON + second * SECOND);
		assert_true(cJSON_GetArrayItem(row, 1)->valuedouble == number_at(second));
		second++;
	}
	assert_int_equal(second, 5000);
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "more")));
	cJSON_Delete(json);

	json = ask_json(range_of(DOOR, NOON - SECOND, NOON + SECOND, 0));
	for (int i = 0; i < 4; i++) {
		row = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "readings"), i);
		assert_int_equal(cJSON_GetArraySize(row), 3);
		assert_int_equal(time_of(row), NOON + i);
		assert_true(cJSON_GetArrayItem(row, 1)->valuedouble == i % 2);
		assert_string_equal(cJSON_GetArrayItem(row, 2)->valuestring, i % 2 ? "open" : "closed");
	}
	cJSON_Delete(json);

	json = ask_json(range_of(NOTES, INT64_MIN, INT64_MAX, 0));
	check_head(json, NOTES, "raw");
	for (size_t i = 0; i < COUNT(notes); i++) {
		row = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "readings"), (int)i);
		assert_true(cJSON_IsNull(cJSON_GetArrayItem(row, 1)));
		assert_string_equal(cJSON_GetArrayItem(row, 2)->valuestring, notes[i]);
	}
	cJSON_Delete(json);

	json = ask_json(range_of(NUMBERS, NOON - SECOND, NOON, 0));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "readings")), 0);
	cJSON_Delete(json);
}

static void check_bucket(const cJSON *row, int64_t step_us)
{
	const int64_t begin = (time_of(row) - NOON) / SECOND, end = begin + step_us / SECOND;
	double min = INFINITY, max = -INFINITY, sum = 0;
	int64_t count = 0;

	for (int64_t i = begin < 0 ? 0 : begin; i < end && i < SECONDS; i++, count++) {
		min = fmin(min, number_at(i));
		max = fmax(max, number_at(i));
		sum += number_at(i);
	}
	assert_true(cJSON_GetArrayItem(row, 1)->valuedouble == min);
	assert_true(fabs(cJSON_GetArrayItem(row, 2)->valuedouble - sum / (double)count) < 1e-9);
	assert_true(cJSON_GetArrayItem(row, 3)->valuedouble == max);
	assert_int_equal(cJSON_GetArrayItem(row, 4)->valueint, count);
}

static void test_buckets(void **state)
{
	(void)state;
	static const struct {
		unsigned buckets;
		const char *source;
		int64_t step_s;
	} cases[] = {{300, "raw", 24}, {7200, "raw", 1}, {120, "minute", 60}, {40, "minute", 180}, {2, "hour", 3600}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		cJSON *json = ask_json(range_of(NUMBERS, NOON, NOON + SECONDS * SECOND, cases[i].buckets));
		const cJSON *row, *rows = cJSON_GetObjectItem(json, "buckets");
		int64_t time_us = NOON;
		check_head(json, NUMBERS, cases[i].source);
		assert_true(cJSON_GetObjectItem(json, "step")->valuedouble == (double)cases[i].step_s);
		assert_int_equal(cJSON_GetArraySize(rows), cases[i].buckets);
		cJSON_ArrayForEach(row, rows)
		{
			assert_int_equal(time_of(row), time_us);
			check_bucket(row, cases[i].step_s * SECOND);
			time_us += cases[i].step_s * SECOND;
		}
		cJSON_Delete(json);
	}
	/* Texts have no average; nor has a time without readings. */
	cJSON *json = ask_json(range_of(NOTES, NOON - SECOND, NOON + SECOND, 10));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "buckets")), 0);
	cJSON_Delete(json);
	json = ask_json(range_of(NUMBERS, INT64_MIN, INT64_MAX, 10000));
	check_head(json, NUMBERS, "hour");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "buckets")), 1);
	cJSON_Delete(json);
}

static void test_many_questions(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		const int64_t second = i * 7;
		cJSON *json = ask_json(range_of(NUMBERS, NOON + second * SECOND, NOON + (second + 3) * SECOND, 0));
		const cJSON *rows = cJSON_GetObjectItem(json, "readings");
		assert_int_equal(cJSON_GetArraySize(rows), second + 3 <= SECONDS ? 3 : SECONDS - second);
		assert_true(cJSON_GetArrayItem(cJSON_GetArrayItem(rows, 0), 1)->valuedouble == number_at(second));
		cJSON_Delete(json);
	}
}

/* Each connection of Hearth's to the server. */
static void await_connections(const char *wanted)
{
	const int64_t deadline = deadline_in(PATIENCE_MS);
	for (;;) {
		char *count = mariadb_server_query(server, NULL,
		                                   "SELECT COUNT(*) FROM information_schema.processlist WHERE db = 'hearth'");
		assert_non_null(count);
		bool same = strcmp(count, wanted) == 0;
		if (!same && now_ms() > deadline)
			fail_msg("%s connections", count);
		free(count);
		if (same)
			return;
		look_again();
	}
}

static void test_server_goes_and_comes(void **state)
{
	(void)state;
	assert_true(mariadb_server_kill(server));
	assert_non_null(strstr(ask_error(ask_series), "mariadb://"));
	assert_true(mariadb_server_start(server));
	const int64_t deadline = deadline_in(PATIENCE_MS);
	struct history_answer answer = ask(ask_series);
	while (!answer.json && now_ms() < deadline) {
		look_again();
		answer = ask(ask_series);
	}
	assert_non_null(answer.json);
	free(answer.json);

	/* One that was restarted since the last question is not even noticed. */
	assert_true(mariadb_server_stop(server));
	assert_true(mariadb_server_start(server));
	cJSON_Delete(ask_json(ask_series));
}

static void test_server_is_left_alone(void **state)
{
	(void)state;
	struct history_options options = options_of_backend();
	options.idle_ms = 50;
	stop_history(NULL);
	start_with(&options);
	await_connections("0\n"); /* nobody has asked yet */
	for (int i = 0; i < 3; i++) {
		cJSON_Delete(ask_json(ask_series));
		await_connections("0\n");
	}
	stop_history(NULL);
	options.idle_ms = 0;
	start_with(&options);
	cJSON_Delete(ask_json(ask_series));
	await_connections("1\n");
	stop_history(NULL);
	await_connections("0\n");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start_on_backend, stop_history)
	const struct CMUnitTest of_sqlite[] = {
		TEST(test_series), TEST(test_latest), TEST(test_readings), TEST(test_buckets), TEST(test_many_questions),
	};
	const struct CMUnitTest of_mariadb[] = {
		TEST(test_series),
		TEST(test_latest),
		TEST(test_readings),
		TEST(test_buckets),
		TEST(test_many_questions),
		TEST(test_server_goes_and_comes),
		TEST(test_server_is_left_alone),
	};
	int failed = cmocka_run_group_tests_name("history, SQLite", of_sqlite, make_sqlite, remove_sqlite);
	failed += cmocka_run_group_tests_name("history, MariaDB", of_mariadb, make_mariadb, remove_mariadb);
	return failed;
}
