/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report_test: what a report says, how often it is said, and that nothing unprintable gets through.
 *
 * The broker is a pair of functions that remember what they were told.
 */
#include "guard.h"
#include "report.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINES_KEPT   128
#define WALL_US      (INT64_C(1795341600) * 1000000) /* 2026-11-22T10:00:00Z */

static struct {
	size_t published;
	char topic[TOPIC_MAX + 8];
	char payload[2048];
	bool refuses; /* to publish */
	size_t logged;
	char lines[LINES_KEPT][1024];
} broker;

static bool broker_publish(const char *topic, struct slice payload, int qos, bool retain,
                           const struct user_property *properties, size_t property_count)
{
	assert_int_equal(qos, 0);
	assert_false(retain);
	assert_null(properties);
	assert_int_equal(property_count, 0);
	assert_true(payload.len < sizeof broker.payload && strlen(topic) < sizeof broker.topic);
	if (broker.refuses)
		return false;
	snprintf(broker.topic, sizeof broker.topic, "%s", topic);
	memcpy(broker.payload, payload.ptr, payload.len);
	broker.payload[payload.len] = '\0';
	broker.published++;
	return true;
}

static void broker_log(enum notice_level level, const char *line)
{
	assert_int_equal(level, NOTICE_WARNING);
	assert_true(broker.logged < LINES_KEPT);
	snprintf(broker.lines[broker.logged++], sizeof broker.lines[0], "%s", line);
}

static const struct broker_ops ops = {.publish = broker_publish, .log = broker_log};

static int make_reporter(void **state)
{
	memset(&broker, 0, sizeof broker);
	*state = reporter_new(&ops);
	return *state == NULL;
}

static int free_reporter(void **state)
{
	reporter_free(*state);
	return 0;
}

static const struct report bad_value = {.code = "not_a_value", .found = {"warm", 4}, .wanted = "a number"};

static struct instant at(int64_t ms)
{
	return (struct instant){.wall_us = WALL_US + ms * 1000, .mono_ms = ms};
}

/* Reports about a four-level topic at a time; true if that was published. */
static bool report_at(struct reporter *reporter, const char *name, const struct report *report, int64_t ms)
{
	struct topic topic;
	assert_true(topic_parse(slice_of(name), &topic));
	size_t before = broker.published;
	bool published = report_publish(reporter, &topic, report, at(ms));
	assert_int_equal(broker.published, before + published);
	return published;
}

static const char *field(const char *key)
{
	static char text[1024];
	cJSON *json = cJSON_Parse(broker.payload);
	assert_non_null(json);
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
	snprintf(text, sizeof text, "%s", value ? value : "(none)");
	cJSON_Delete(json);
	return text;
}

/* ---- what it says ---- */

static void says_what_was_refused(void **state)
{
	struct report report = {.code = "out_of_range", .found = {"430", 3}, .wanted = "a value between -40 and 85"};
	assert_true(report_at(*state, "거실/uno1/temperature/value", &report, 5000));
	assert_string_equal(broker.topic, "거실/uno1/temperature/error");
	assert_string_equal(field("subject"), "value");
	assert_string_equal(field("code"), "out_of_range");
	assert_string_equal(field("path"), "(none)");
	assert_string_equal(field("found"), "430");
	assert_string_equal(field("wanted"), "a value between -40 and 85");
	assert_string_equal(field("time"), "2026-11-22T10:00:05.000000Z");
	assert_int_equal(broker.logged, 1);
	assert_string_equal(broker.lines[0],
	                    "거실/uno1/temperature/value: out_of_range: found 430; wanted a value between -40 and 85");

	report =
		(struct report){.code = "bad_config", .path = "$.rules[0].when", .found = {"\"hot\"", 5}, .wanted = "a number"};
	assert_true(report_at(*state, "all/all/temperature/config", &report, 6000));
	assert_string_equal(broker.topic, "all/all/temperature/error");
	assert_string_equal(field("subject"), "config");
	assert_string_equal(field("path"), "$.rules[0].when");
	assert_string_equal(field("found"), "\"hot\"");
	assert_string_equal(broker.lines[1],
	                    "all/all/temperature/config: bad_config at $.rules[0].when: found \"hot\"; wanted a number");

	report = (struct report){.code = "empty", .wanted = "a number"};
	assert_true(report_at(*state, "a/b/c/value", &report, 7000));
	assert_string_equal(field("found"), "");
	assert_string_equal(broker.lines[2], "a/b/c/value: empty: found nothing; wanted a number");
}

static void cleans_and_cuts_what_it_found(void **state)
{
	static const char syllable[] = "실";
	char found[400];
	struct report report = bad_value;
	memset(found, 'x', sizeof found);
	report.found = guarded(found, sizeof found);
	assert_true(report_at(*state, "a/b/c/value", &report, 1000));
	assert_int_equal(strlen(field("found")), 127);
	/* 127 bytes would cut the 43rd of these in two */
	for (size_t i = 0; i < sizeof found; i++)
		found[i] = syllable[i % (sizeof syllable - 1)];
	report.found = guarded(found, sizeof found);
	assert_true(report_at(*state, "a/b/c/value", &report, 2000));
	assert_int_equal(strlen(field("found")), 126);
	assert_true(utf8_valid(slice_of(field("found"))));
	report.found = guarded("a\0b\n\"\xFF\x1B[31m", 11);
	assert_true(report_at(*state, "a/b/c/value", &report, 3000));
	assert_string_equal(field("found"), "a?b?\"??[31m");
	assert_null(strchr(broker.lines[2], '\x1B'));
}

static void says_it_for_every_subject(void **state)
{
	char name[64];
	for (int subject = 0; subject < SUBJECT_COUNT; subject++) {
		snprintf(name, sizeof name, "a/b/c/%s", topic_subject_name((enum topic_subject)subject));
		assert_true(report_at(*state, name, &bad_value, 1000));
		assert_string_equal(broker.topic, "a/b/c/error");
		assert_string_equal(field("subject"), topic_subject_name((enum topic_subject)subject));
	}
}

/* "error" is longer than "set" and "ack": the sibling of the longest name is longer than any name that is read. */
static void answers_the_longest_topic(void **state)
{
	static const char *const tails[] = {"/b/c/value", "/b/c/config", "/b/c/error", "/b/c/set", "/b/c/ack"};
	char name[TOPIC_MAX + 1];
	for (size_t i = 0; i < COUNT(tails); i++) {
		size_t before = broker.logged, tail = strlen(tails[i]);
		memset(name, 'a', sizeof name);
		memcpy(name + TOPIC_MAX - tail, tails[i], tail + 1);
		if (!report_at(*state, name, &bad_value, 1000 * (int64_t)i + 1000))
			fail_msg("%s was not answered", tails[i]);
		assert_int_equal(broker.logged, before + 1);
	}
}

static void tells_when_it_was_not_published(void **state)
{
	broker.refuses = true;
	assert_false(report_at(*state, "a/b/c/value", &bad_value, 1000));
	assert_false(report_at(*state, "a/b/c/config", &bad_value, 1000));
	broker.refuses = false;
	assert_true(report_at(*state, "a/b/c/value", &bad_value, 2000));
}

/* ---- how often ---- */

static void reports_once_a_second_a_series_and_subject(void **state)
{
	static const struct {
		int64_t ms;
		const char *name;
		bool published;
	} rows[] = {
		{10000, "a/b/c/value", true},  {10000, "a/b/c/value", false},
		{10000, "a/b/c/set", true},   /* another subject */
		{10001, "a/b/d/value", true}, /* other series */
		{10001, "a/d/c/value", true},  {10001, "d/b/c/value", true},
		{10500, "a/b/c/set", false},   {10999, "a/b/c/value", false},
		{10999, "a/b/d/value", false}, {11000, "a/b/c/value", true}, /* what was held back does not count */
		{11001, "a/b/d/value", true},  {11999, "a/b/c/value", false},
		{12000, "a/b/c/value", true},  {90000, "a/b/c/value", true},
		{90999, "a/b/c/value", false}, {91000, "a/b/c/set", true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (report_at(*state, rows[i].name, &bad_value, rows[i].ms) != rows[i].published)
			fail_msg("row %zu: %s at %lld", i, rows[i].name, (long long)rows[i].ms);
	}
	/* What was held back was not logged either. */
	assert_int_equal(broker.logged, broker.published);
}

static void publishes_one_of_a_flood(void **state)
{
	for (int i = 0; i < 10000; i++)
		report_at(*state, "a/b/c/value", &bad_value, 10000 + i);
	assert_int_equal(broker.published, 10);
	assert_int_equal(broker.logged, 10);
}

/* A person who corrects a config wants each answer. */
static void never_holds_back_an_answer_to_a_config(void **state)
{
	for (int i = 0; i < 200; i++)
		assert_true(report_at(*state, "a/b/c/config", &bad_value, 1000));
	assert_int_equal(broker.published, 200);
	assert_int_equal(broker.logged, 20);
	/* Nor does it hold back others. */
	assert_true(report_at(*state, "a/b/c/value", &bad_value, 1000));
}

/* Most of many topics are reported in the same second: few share a slot of the table. */
static void seldom_holds_back_other_topics(void **state)
{
	char name[64];
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof name, "room%d/uno%d/temperature/value", i % 20, i / 20);
		report_at(*state, name, &bad_value, 1000);
	}
	assert_in_range(broker.published, 360, 400);
}

static void logs_20_lines_a_second_and_counts_the_rest(void **state)
{
	for (int i = 0; i < 50; i++)
		assert_true(report_at(*state, "a/b/c/config", &bad_value, 10000 + i));
	assert_int_equal(broker.logged, 20);
	report_at(*state, "a/b/c/config", &bad_value, 10999);
	assert_int_equal(broker.logged, 20);
	/* The next second begins with what the last one left out. */
	report_at(*state, "a/b/c/config", &bad_value, 11000);
	assert_int_equal(broker.logged, 22);
	assert_string_equal(broker.lines[20], "31 more messages were refused");
	assert_string_equal(broker.lines[21], "a/b/c/config: not_a_value: found warm; wanted a number");
	for (int i = 0; i < 19; i++)
		report_at(*state, "a/b/c/config", &bad_value, 11001);
	assert_int_equal(broker.logged, 41);
	report_at(*state, "a/b/c/config", &bad_value, 11002);
	assert_int_equal(broker.logged, 41);
	/* A second without any comes between; the count is not lost. */
	report_at(*state, "a/b/c/config", &bad_value, 15000);
	assert_string_equal(broker.lines[41], "1 more messages were refused");
	assert_int_equal(broker.logged, 43);
	/* Nothing left out, nothing said of it. */
	report_at(*state, "a/b/c/config", &bad_value, 17000);
	assert_int_equal(broker.logged, 44);
	assert_int_equal(broker.published, 50 + 1 + 1 + 19 + 1 + 1 + 1);
}

/* ---- text_clean ---- */

struct cleaning {
	const char *text;
	size_t len;
	const char *clean;
};

#define BYTES(text) (text), sizeof(text) - 1

static void expect_cleanings(const struct cleaning *rows, size_t count)
{
	char buffer[64];
	size_t failed = 0;
	for (size_t i = 0; i < count; i++) {
		struct slice text = guarded(rows[i].text, rows[i].len);
		memset(buffer, 'X', sizeof buffer);
		assert_ptr_equal(text_clean(text, buffer, sizeof buffer), buffer);
		if (strcmp(buffer, rows[i].clean) == 0)
			continue;
		print_error("row %zu: \"%s\" instead of \"%s\"\n", i, buffer, rows[i].clean);
		failed++;
	}
	assert_int_equal(failed, 0);
}

static void cleans_text(void **state)
{
	static const struct cleaning rows[] = {
		{BYTES(""), ""},
		{BYTES("plain"), "plain"},
		{BYTES("거실 23.5 °C 😀"), "거실 23.5 °C 😀"},
		{BYTES("a\tb\nc\rd"), "a?b?c?d"},
		{BYTES("\0"), "?"},
		{BYTES("a\0b\0"), "a?b?"},
		{BYTES("\x1B[31mred"), "?[31mred"},
		{BYTES("\x7F"), "?"},
		{BYTES("\x01\x1F "), "?? "},
		{BYTES("\xFF\xFE"), "??"},
		{BYTES("\x80"), "?"},
		{BYTES("\x80\x80\x80\x80\x80"), "?????"},
		{BYTES("a\xFFz"), "a?z"},
		{BYTES("\xC3"), "?"},
		{BYTES("a\xC3"), "a?"},
		{BYTES("\xC3z"), "?z"},
		{BYTES("\xE2\x82"), "??"},
		{BYTES("\xE2\x82z"), "??z"},
		{BYTES("\xF0\x9F\x98"), "???"},
		{BYTES("\xC0\xAF"), "??"},           /* overlong */
		{BYTES("\xED\xA0\x80"), "???"},      /* a surrogate */
		{BYTES("\xF4\x90\x80\x80"), "????"}, /* beyond U+10FFFF */
		{BYTES("\xEF\xBF\xBF"), "\xEF\xBF\xBF"},
		{BYTES("실\n실"), "실?실"},
		{BYTES("\xC3\xC3\xA9"), "?é"},
	};
	(void)state;
	expect_cleanings(rows, COUNT(rows));
}

/* A stray byte spoils itself, not the good character before it. */
static void keeps_the_character_before_a_stray_byte(void **state)
{
	static const struct cleaning rows[] = {
		{BYTES("a\x80"), "a?"}, {BYTES("a\x80z"), "a?z"},      {BYTES("on\xA0\xA0off"), "on??off"},
		{BYTES("é\x80"), "é?"}, {BYTES("실\xBF\xBF"), "실??"},
	};
	(void)state;
	expect_cleanings(rows, COUNT(rows));
}

/* U+0080 to U+009F steer a terminal as well: U+009B is what ESC [ is. */
static void replaces_the_other_control_characters(void **state)
{
	static const struct cleaning rows[] = {
		{BYTES("\xC2\x9B"
	           "31m"),
	     "?31m"},
		{BYTES("\xC2\x80"), "?"},
		{BYTES("\xC2\x85z"), "?z"},
		{BYTES("\xC2\x9F"), "?"},
		{BYTES("\xC2\xA0"), "\xC2\xA0"}, /* the first that is none */
	};
	(void)state;
	expect_cleanings(rows, COUNT(rows));
}

static void cuts_text_between_characters(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		const char *clean;
	} rows[] = {
		{"abc", 1, ""}, {"abc", 2, "a"}, {"abc", 3, "ab"}, {"abc", 4, "abc"},    {"abc", 5, "abc"}, {"실", 1, ""},
		{"실", 2, ""},  {"실", 3, ""},   {"실", 4, "실"},  {"a실", 4, "a"},      {"a실", 5, "a실"}, {"실a", 4, "실"},
		{"😀", 4, ""},   {"😀", 5, "😀"},   {"éa", 3, "é"},   {"\xFF\xFF", 2, "?"}, {"\n\n", 2, "?"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		/* The buffer's end is unreadable's beginning. */
		static const char room[8] = "XXXXXXX";
		char *buffer = (char *)guarded_at(1, room, rows[i].size).ptr;
		assert_string_equal(text_clean(guarded_text(rows[i].text), buffer, rows[i].size), rows[i].clean);
	}
}

static void cleans_noise(void **state)
{
	uint64_t seed = 6;
	char bytes[64], buffer[65];
	(void)state;
	for (int run = 0; run < 100000; run++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		size_t len = (size_t)(seed >> 33) % (sizeof bytes + 1);
		for (size_t i = 0; i < len; i++) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			bytes[i] = (char)(seed >> 40);
		}
		struct slice clean = slice_of(text_clean(guarded(bytes, len), buffer, sizeof buffer));
		assert_true(utf8_valid(clean));
		assert_true(clean.len <= len && (clean.len > 0) == (len > 0));
		for (size_t i = 0; i < clean.len; i++)
			assert_true((unsigned char)clean.ptr[i] >= 0x20 && clean.ptr[i] != 0x7F);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_reporter, free_reporter)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_what_was_refused),
		TEST(cleans_and_cuts_what_it_found),
		TEST(says_it_for_every_subject),
		TEST(answers_the_longest_topic),
		TEST(tells_when_it_was_not_published),
		TEST(reports_once_a_second_a_series_and_subject),
		TEST(publishes_one_of_a_flood),
		TEST(never_holds_back_an_answer_to_a_config),
		TEST(seldom_holds_back_other_topics),
		TEST(logs_20_lines_a_second_and_counts_the_rest),
		cmocka_unit_test(cleans_text),
		cmocka_unit_test(keeps_the_character_before_a_stray_byte),
		cmocka_unit_test(replaces_the_other_control_characters),
		cmocka_unit_test(cuts_text_between_characters),
		cmocka_unit_test(cleans_noise),
	};
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
