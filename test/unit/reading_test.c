/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * reading_test: every form of a `value` payload, every way to get it wrong, and payloads made to hurt.
 *
 * A row's times are relative to NOW, which stands for 2026-11-22T10:00:00Z. Every payload ends right before an
 * unreadable page.
 */
#include "guard.h"
#include "json.h"
#include "reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND       INT64_C(1000000)
#define DAY          (86400 * SECOND)
#define NOW          (INT64_C(1795341600) * SECOND)

static struct reading_parser *parser;
static const struct reading *readings;
static struct reading_problem problem;

static int make_parser(void **state)
{
	(void)state;
	parser = reading_parser_new();
	return parser == NULL;
}

static int free_parser(void **state)
{
	(void)state;
	reading_parser_free(parser);
	return 0;
}

static size_t parse(const char *payload, size_t len)
{
	problem = (struct reading_problem){READING_ERROR_COUNT, -2};
	return reading_parse(parser, guarded(payload, len), NOW, &readings, &problem);
}

static size_t parse_text(const char *payload)
{
	return parse(payload, strlen(payload));
}

struct expected {
	double number;
	const char *text;  /* NULL: a plain number */
	const char *unit;  /* NULL: none */
	int64_t offset_us; /* of its time to NOW */
	bool device_time;
	bool can_resend;
};

static bool is_as(const struct reading *reading, const struct expected *expected)
{
	return reading->value.is_number && reading->value.number == expected->number &&
	       slice_is(reading->value.text, expected->text ? expected->text : "") &&
	       slice_is(reading->unit, expected->unit ? expected->unit : "") &&
	       reading->time_us == NOW + expected->offset_us && reading->device_time == expected->device_time &&
	       (reading->resend_key != 0) == expected->can_resend && !reading->ahead;
}

static void reads_one_reading(void **state)
{
	static const struct {
		const char *payload;
		struct expected expected;
	} rows[] = {
		/* bare */
		{"23.5", {.number = 23.5}},
		{"-40", {.number = -40}},
		{"1e3", {.number = 1000}},
		{"0", {.number = 0}},
		{" 23.5\r\n", {.number = 23.5}},
		{"on", {.number = 1, .text = "on"}},
		{"off", {.number = 0, .text = "off"}},
		{"true", {.number = 1, .text = "true"}},
		{"false", {.number = 0, .text = "false"}},
		{"open", {.number = 1, .text = "open"}},
		{"closed", {.number = 0, .text = "closed"}},
		{"\topen ", {.number = 1, .text = "open"}},
		/* JSON */
		{"{\"value\":23.5}", {.number = 23.5}},
		{" { \"value\" : -1.5e2 }\n", {.number = -150}},
		{"{\"value\":true}", {.number = 1, .text = "true"}},
		{"{\"value\":false}", {.number = 0, .text = "false"}},
		{"{\"value\":\"open\"}", {.number = 1, .text = "open"}},
		{"{\"value\":\"off\"}", {.number = 0, .text = "off"}},
		{"{\"value\":\"\\u006fn\"}", {.number = 1, .text = "on"}},
		{"{\"value\":23.5,\"unit\":\"°C\"}", {.number = 23.5, .unit = "°C"}},
		{"{\"value\":23.5,\"unit\":\"\\u00b0C\"}", {.number = 23.5, .unit = "°C"}},
		{"{\"value\":1,\"unit\":\"\"}", {.number = 1}},
		{"{\"value\":1,\"unit\":\"\\ud83d\\ude00\"}", {.number = 1, .unit = "😀"}},
		{"{\"value\":1,\"room\":\"거실\",\"extra\":[{\"value\":2}]}", {.number = 1}},
		{"{\"Value\":2,\"value\":1}", {.number = 1}},
		{"{\"value\":1,\"seq\":5}", {.number = 1}},
		{"{\"value\":1,\"boot\":5}", {.number = 1}},
		/* with a clock */
		{"{\"value\":23.5,\"unit\":\"°C\",\"time\":\"2026-11-22T10:00:00.123Z\"}",
	     {.number = 23.5, .unit = "°C", .offset_us = 123000, .device_time = true, .can_resend = true}},
		{"{\"time\":\"2026-11-22T18:59:59+09:00\",\"value\":\"on\"}",
	     {.number = 1, .text = "on", .offset_us = -SECOND, .device_time = true, .can_resend = true}},
		{"{\"time\":\"2026-11-22T10:00:00Z\",\"value\":0}", {.device_time = true, .can_resend = true}},
		/* without one */
		{"{\"value\":1,\"age\":0}", {.number = 1, .device_time = true}},
		{"{\"value\":1,\"age\":12500}", {.number = 1, .offset_us = -12500000, .device_time = true}},
		{"{\"boot\":7,\"seq\":41,\"age\":12500,\"value\":23.5}",
	     {.number = 23.5, .offset_us = -12500000, .device_time = true, .can_resend = true}},
		{"{\"boot\":0,\"seq\":0,\"value\":1}", {.number = 1, .can_resend = true}},
		{"{\"boot\":9007199254740992,\"seq\":9007199254740992,\"value\":1}", {.number = 1, .can_resend = true}},
		{"{\"value\":1,\"age\":31622400000}", /* 366 days */
	     {.number = 1, .offset_us = -366 * DAY, .device_time = true}},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse_text(rows[i].payload) != 1 || problem.error != READING_OK || problem.index != -1 ||
		    !is_as(&readings[0], &rows[i].expected))
			fail_msg("row %zu: %s: %s", i, rows[i].payload, reading_error_code(problem.error));
	}
}

static void reads_batches(void **state)
{
	static const struct {
		const char *payload;
		size_t count;
		struct expected expected[3];
	} rows[] = {
		{"{\"readings\":[]}", 0, {{.number = 0}}},
		{"{\"readings\":[{\"value\":1}]}", 1, {{.number = 1}}},
		{"{\"readings\":[{\"time\":\"2026-11-22T09:59:58Z\",\"value\":1},{\"time\":\"2026-11-22T09:59:59Z\",\"value\":"
	     "2.5},"
	     "{\"time\":\"2026-11-22T10:00:00Z\",\"value\":\"closed\"}]}",
	     3,
	     {{.number = 1, .offset_us = -2 * SECOND, .device_time = true, .can_resend = true},
	      {.number = 2.5, .offset_us = -SECOND, .device_time = true, .can_resend = true},
	      {.number = 0, .text = "closed", .device_time = true, .can_resend = true}}},
		{"{\"boot\":7,\"readings\":[{\"seq\":41,\"age\":12500,\"value\":23.5},{\"seq\":42,\"age\":2500,\"value\":24}]}",
	     2,
	     {{.number = 23.5, .offset_us = -12500000, .device_time = true, .can_resend = true},
	      {.number = 24, .offset_us = -2500000, .device_time = true, .can_resend = true}}},
		/* what stands beside "readings" is for each entry that has none of its own */
		{"{\"unit\":\"°C\",\"readings\":[{\"value\":1},{\"value\":2,\"unit\":\"K\"},{\"value\":3}]}",
	     3,
	     {{.number = 1, .unit = "°C"}, {.number = 2, .unit = "K"}, {.number = 3, .unit = "°C"}}},
		{"{\"time\":\"2026-11-22T09:59:59Z\",\"readings\":[{\"value\":1},{\"value\":2,\"time\":\"2026-11-22T09:00:"
	     "00Z\"}]}",
	     2,
	     {{.number = 1, .offset_us = -SECOND, .device_time = true, .can_resend = true},
	      {.number = 2, .offset_us = -3600 * SECOND, .device_time = true, .can_resend = true}}},
		{"{\"boot\":7,\"unit\":\"%\",\"readings\":[{\"seq\":1,\"value\":1},{\"value\":2},{\"boot\":8,\"seq\":1,"
	     "\"value\":3}]}",
	     3,
	     {{.number = 1, .unit = "%", .can_resend = true},
	      {.number = 2, .unit = "%"},
	      {.number = 3, .unit = "%", .can_resend = true}}},
		{"{\"readings\":[{\"boot\":1,\"seq\":1,\"age\":0.5,\"value\":1}]}",
	     1,
	     {{.number = 1, .offset_us = -500, .device_time = true, .can_resend = true}}},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse_text(rows[i].payload) != rows[i].count || problem.error != READING_OK || problem.index != -1)
			fail_msg("row %zu: %s: %s", i, rows[i].payload, reading_error_code(problem.error));
		for (size_t k = 0; k < rows[i].count; k++) {
			if (!is_as(&readings[k], &rows[i].expected[k]))
				fail_msg("row %zu, reading %zu: %s", i, k, rows[i].payload);
		}
	}
}

struct refusal {
	const char *payload;
	size_t len;
	enum reading_error error;
};

#define BYTES(text) (text), sizeof(text) - 1

static void expect_refusals(const struct refusal *rows, size_t count)
{
	size_t failed = 0;
	for (size_t i = 0; i < count; i++) {
		size_t good = parse(rows[i].payload, rows[i].len);
		if (good == 0 && problem.error == rows[i].error && problem.index == -1)
			continue;
		print_error("row %zu: \"%s\": %zu good, %s instead of %s\n", i, rows[i].payload, good,
		            reading_error_code(problem.error), reading_error_code(rows[i].error));
		failed++;
	}
	assert_int_equal(failed, 0);
}

static void refuses_bare_payloads(void **state)
{
	static const struct refusal rows[] = {
		{BYTES(""), READING_EMPTY},
		{BYTES(" "), READING_EMPTY},
		{BYTES(" \t\r\n"), READING_EMPTY},
		{BYTES("warm"), READING_NOT_A_VALUE},
		{BYTES("ON"), READING_NOT_A_VALUE},
		{BYTES("23,5"), READING_NOT_A_VALUE},
		{BYTES("23.5C"), READING_NOT_A_VALUE},
		{BYTES("23.5 °C"), READING_NOT_A_VALUE},
		{BYTES("+1"), READING_NOT_A_VALUE},
		{BYTES("01"), READING_NOT_A_VALUE},
		{BYTES("0x1F"), READING_NOT_A_VALUE},
		{BYTES("1 2"), READING_NOT_A_VALUE},
		{BYTES("on off"), READING_NOT_A_VALUE},
		{BYTES("\"on\""), READING_NOT_A_VALUE},
		{BYTES("[23.5]"), READING_NOT_A_VALUE},
		{BYTES("null"), READING_NOT_A_VALUE},
		{BYTES("-"), READING_NOT_A_VALUE},
		{BYTES("\0"), READING_NOT_A_VALUE},
		{BYTES("23.5\0"), READING_NOT_A_VALUE},
		{BYTES("on\0"), READING_NOT_A_VALUE},
		{BYTES("2\0003"), READING_NOT_A_VALUE},
		{BYTES("\xFF\xFE"), READING_NOT_A_VALUE},
		{BYTES("\xEF\xBB\xBF"
	           "1"),
	     READING_NOT_A_VALUE},
		{BYTES("거실"), READING_NOT_A_VALUE},
		{BYTES("NaN"), READING_NOT_FINITE},
		{BYTES("nan"), READING_NOT_FINITE},
		{BYTES(" nan\n"), READING_NOT_FINITE},
		{BYTES("1e999"), READING_NOT_FINITE},
		{BYTES("-1e999"), READING_NOT_FINITE},
		{BYTES("1.8e308"), READING_NOT_FINITE},
	};
	(void)state;
	expect_refusals(rows, COUNT(rows));
}

/* What C and Python print for it. */
static void names_infinity(void **state)
{
	static const struct refusal rows[] = {
		{BYTES("inf"), READING_NOT_FINITE},      {BYTES("-inf"), READING_NOT_FINITE},
		{BYTES("Infinity"), READING_NOT_FINITE}, {BYTES("-Infinity"), READING_NOT_FINITE},
		{BYTES("-nan"), READING_NOT_FINITE},
	};
	(void)state;
	expect_refusals(rows, COUNT(rows));
}

static void refuses_documents(void **state)
{
	static const struct refusal rows[] = {
		/* not JSON */
		{BYTES("{"), READING_NOT_JSON},
		{BYTES("{}}"), READING_NOT_JSON},
		{BYTES("{\"value\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"readings\":[{\"value\":2}]}"), READING_NO_VALUE},
		{BYTES("{\"value\":}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,"), READING_NOT_JSON},
		{BYTES("{value:1}"), READING_NOT_JSON},
		{BYTES("{'value':1}"), READING_NOT_JSON},
		{BYTES("{\"value\":on}"), READING_NOT_JSON},
		{BYTES("{\"value\":NaN}"), READING_NOT_JSON},
		{BYTES("{\"value\":Infinity}"), READING_NOT_JSON},
		{BYTES("{\"value\":-}"), READING_NOT_JSON},
		{BYTES("{\"value\":+1}"), READING_NOT_JSON},
		{BYTES("{\"value\":0x10}"), READING_NOT_JSON},
		{BYTES("{\"value\":1e}"), READING_NOT_JSON},
		{BYTES("{\"value\":1 2}"), READING_NOT_JSON},
		{BYTES("{\"value\":1} x"), READING_NOT_JSON},
		{BYTES("{\"value\":1}{\"value\":2}"), READING_NOT_JSON},
		{BYTES("{\"value\":1}\0"), READING_NOT_JSON},
		{BYTES("{\"value\":1}\0 "), READING_NOT_JSON},
		{BYTES("{\"value\":\0001}"), READING_NOT_JSON},
		{BYTES("{\"value\":\"on\0\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":\"on\\u0000\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":\"on\\u0000ly\"}"), READING_NOT_JSON},
		{BYTES("{\"value\\u0000x\":1}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"\\ud800\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"\\udc00\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"\\ud83dx\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"\\ud83d\\n\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"\\ud83d\\ud83d\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"\\ude00\\ud83d\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"\\x\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"\\u00"), READING_NOT_JSON},
		/* no value */
		{BYTES("{}"), READING_NO_VALUE},
		{BYTES("{\"temperature\":23.5}"), READING_NO_VALUE},
		{BYTES("{\"Value\":23.5}"), READING_NO_VALUE},
		{BYTES("{\"value\":null}"), READING_NO_VALUE},
		{BYTES("{\"value\":[1]}"), READING_NO_VALUE},
		{BYTES("{\"value\":{\"value\":1}}"), READING_NO_VALUE},
		{BYTES("{\"value\":\"\"}"), READING_NO_VALUE},
		{BYTES("{\"value\":\"warm\"}"), READING_NO_VALUE},
		{BYTES("{\"readings\":null}"), READING_NO_VALUE},
		{BYTES("{\"readings\":1}"), READING_NO_VALUE},
		{BYTES("{\"readings\":{\"value\":1}}"), READING_NO_VALUE},
		{BYTES("{\"readings\":\"on\"}"), READING_NO_VALUE},
		{BYTES("{\"value\":1e999}"), READING_NOT_FINITE},
		{BYTES("{\"value\":-1e999}"), READING_NOT_FINITE},
		/* times and counts */
		{BYTES("{\"value\":1,\"time\":1795341600}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"time\":null}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"time\":\"\"}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"time\":\"yesterday\"}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"time\":\"2026-11-22T10:00:00\"}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"time\":\"2026-02-29T10:00:00Z\"}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"age\":-1}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"age\":\"5\"}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"age\":31622400001}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"age\":1e999}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"boot\":-1,\"seq\":1}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"boot\":1,\"seq\":-1}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"boot\":1,\"seq\":1e16}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"boot\":1e999,\"seq\":1}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"boot\":true,\"seq\":1}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"boot\":1,\"seq\":\"1\"}"), READING_BAD_TIME},
		/* units */
		{BYTES("{\"value\":1,\"unit\":1}"), READING_BAD_UNIT},
		{BYTES("{\"value\":1,\"unit\":null}"), READING_BAD_UNIT},
		{BYTES("{\"value\":1,\"unit\":[\"K\"]}"), READING_BAD_UNIT},
	};
	(void)state;
	expect_refusals(rows, COUNT(rows));
}

/* A fraction cut off would make two readings one: both would have the same (boot, seq). */
static void wants_whole_counts(void **state)
{
	static const struct refusal rows[] = {
		{BYTES("{\"value\":1,\"boot\":7.5,\"seq\":1}"), READING_BAD_TIME},
		{BYTES("{\"value\":1,\"boot\":7,\"seq\":1.5}"), READING_BAD_TIME},
	};
	(void)state;
	expect_refusals(rows, COUNT(rows));
}

/* RFC 8259, to the letter: what one form of a payload refuses, the other must not take for something else. */
static void wants_strict_json(void **state)
{
	static const struct refusal rows[] = {
		{BYTES("{\"value\":\"on\\u00g0ly\"}"), READING_NOT_JSON}, /* must not end the string as a NUL would */
		{BYTES("{\"value\":1,\"unit\":\"\\uzzzz\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":01}"), READING_NOT_JSON},
		{BYTES("{\"value\":-01}"), READING_NOT_JSON},
		{BYTES("{\"value\":1.}"), READING_NOT_JSON},
		{BYTES("{\"value\":-.5}"), READING_NOT_JSON},
		{BYTES("{\"value\":1.e5}"), READING_NOT_JSON},
		{BYTES("{\"value\":1,\"unit\":\"a\nb\"}"), READING_NOT_JSON},
		{BYTES("{\"value\":\x01 1}"), READING_NOT_JSON},
	};
	(void)state;
	expect_refusals(rows, COUNT(rows));
}

/* An escaped backslash, then u0000: no NUL. */
static void reads_what_only_looks_like_a_nul(void **state)
{
	(void)state;
	assert_int_equal(parse_text("{\"value\":1,\"note\":\"C:\\\\u0000\"}"), 1);
	assert_int_equal(problem.error, READING_OK);
	assert_int_equal(parse_text("{\"value\":1,\"note\":\"C:\\\\\\u0000\"}"), 0);
	assert_int_equal(problem.error, READING_NOT_JSON);
}

static void keeps_the_good_ones_of_a_batch(void **state)
{
	static const struct {
		const char *payload;
		enum reading_error error;
		int index;
		size_t count;
		double first, last;
	} rows[] = {
		{"{\"readings\":[{\"value\":1},{\"value\":\"warm\"},{\"value\":3}]}", READING_NO_VALUE, 1, 2, 1, 3},
		{"{\"readings\":[{},{\"value\":2},{\"value\":3}]}", READING_NO_VALUE, 0, 2, 2, 3},
		{"{\"readings\":[1,{\"value\":2}]}", READING_NO_VALUE, 0, 1, 2, 2},
		{"{\"readings\":[null,{\"value\":2}]}", READING_NO_VALUE, 0, 1, 2, 2},
		{"{\"readings\":[[],{\"value\":2}]}", READING_NO_VALUE, 0, 1, 2, 2},
		{"{\"readings\":[{\"value\":1},{\"value\":1e999}]}", READING_NOT_FINITE, 1, 1, 1, 1},
		{"{\"readings\":[{\"value\":1},{\"value\":2},{\"value\":3,\"time\":\"?\"}]}", READING_BAD_TIME, 2, 2, 1, 2},
		{"{\"readings\":[{\"value\":1,\"unit\":5},{\"value\":2,\"time\":\"?\"},{\"value\":3}]}", READING_BAD_UNIT, 0, 1,
	     3, 3},
		{"{\"readings\":[{\"value\":1},{\"value\":2,\"age\":-1},{\"value\":3,\"unit\":5}]}", READING_BAD_TIME, 1, 1, 1,
	     1},
		{"{\"unit\":5,\"readings\":[{\"value\":1,\"unit\":\"K\"},{\"value\":2}]}", READING_BAD_UNIT, 1, 1, 1, 1},
		{"{\"readings\":[{\"value\":1},{\"value\":2,\"time\":\"2027-01-01T00:00:00Z\"},{\"value\":3}]}", READING_AHEAD,
	     1, 3, 1, 3},
		{"{\"readings\":[{\"value\":1,\"time\":\"2027-01-01T00:00:00Z\"},{\"value\":\"warm\"}]}", READING_AHEAD, 0, 1,
	     1, 1},
		{"{\"readings\":[{\"value\":\"warm\"},{\"value\":1,\"time\":\"2027-01-01T00:00:00Z\"}]}", READING_NO_VALUE, 0,
	     1, 1, 1},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t count = parse_text(rows[i].payload);
		if (count != rows[i].count || problem.error != rows[i].error || problem.index != rows[i].index ||
		    readings[0].value.number != rows[i].first || readings[count - 1].value.number != rows[i].last)
			fail_msg("row %zu: %s: %zu good, %s at %d", i, rows[i].payload, count, reading_error_code(problem.error),
			         problem.index);
	}
}

/* ---- times ahead, and resends ---- */

static void takes_its_own_time_when_the_device_is_ahead(void **state)
{
	static const struct {
		int64_t ahead_us;
		bool ahead;
	} rows[] = {
		{-SECOND, false},
		{0, false},
		{READING_AHEAD_MAX_US - SECOND, false},
		{READING_AHEAD_MAX_US, false},
		{READING_AHEAD_MAX_US + 1, true},
		{READING_AHEAD_MAX_US + SECOND, true},
		{366 * DAY, true},
	};
	char time[TIME_TEXT_MAX], payload[128];
	(void)state;
	assert_int_equal(READING_AHEAD_MAX_US, 300 * SECOND);
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int batch = 0; batch <= 1; batch++) {
			snprintf(payload, sizeof payload, "%s{\"time\":\"%s\",\"value\":1}%s", batch ? "{\"readings\":[" : "",
			         time_print(NOW + rows[i].ahead_us, time), batch ? "]}" : "");
			assert_int_equal(parse_text(payload), 1);
			assert_int_equal(problem.error, rows[i].ahead ? READING_AHEAD : READING_OK);
			assert_int_equal(problem.index, batch && rows[i].ahead ? 0 : -1);
			assert_int_equal(readings[0].ahead, rows[i].ahead);
			assert_int_equal(readings[0].device_time, !rows[i].ahead);
			assert_int_equal(readings[0].time_us, rows[i].ahead ? NOW : NOW + rows[i].ahead_us);
			assert_int_not_equal(readings[0].resend_key, 0); /* it is recognised all the same if it comes again */
		}
	}
}

static uint64_t key_at(const char *payload, int64_t now_us)
{
	assert_int_equal(reading_parse(parser, guarded_text(payload), now_us, &readings, &problem), 1);
	return readings[0].resend_key;
}

static void tells_resends(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}", "{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}", true},
		{"{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}",
	     "{\"value\":1.0,\"time\":\"2026-11-22T19:00:00.000+09:00\"}", true},
		{"{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}", "{\"time\":\"2026-11-22T10:00:00Z\",\"value\":\"on\"}",
	     true},
		{"{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}", "{\"time\":\"2026-11-22T10:00:00Z\",\"value\":2}", false},
		{"{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}", "{\"time\":\"2026-11-22T10:00:00Z\",\"value\":0}", false},
		{"{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}", "{\"time\":\"2026-11-22T10:00:00.000001Z\",\"value\":1}",
	     false},
		{"{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}",
	     "{\"readings\":[{\"time\":\"2026-11-22T10:00:00Z\",\"value\":1}]}", true},
		{"{\"time\":\"2027-11-22T10:00:00Z\",\"value\":1}", "{\"time\":\"2027-11-22T10:00:00Z\",\"value\":1}", true},
		{"{\"time\":\"2027-11-22T10:00:00Z\",\"value\":1}", "{\"time\":\"2027-11-22T10:00:01Z\",\"value\":1}", false},
		{"{\"boot\":7,\"seq\":41,\"value\":1}", "{\"boot\":7,\"seq\":41,\"value\":1}", true},
		{"{\"boot\":7,\"seq\":41,\"age\":5,\"value\":1}", "{\"boot\":7,\"seq\":41,\"age\":900,\"value\":1}", true},
		{"{\"boot\":7,\"seq\":41,\"value\":1}", "{\"boot\":7,\"readings\":[{\"seq\":41,\"value\":1}]}", true},
		{"{\"boot\":7,\"seq\":41,\"value\":1}", "{\"boot\":7,\"seq\":42,\"value\":1}", false},
		{"{\"boot\":7,\"seq\":41,\"value\":1}", "{\"boot\":8,\"seq\":41,\"value\":1}", false},
		{"{\"boot\":7,\"seq\":41,\"value\":1}", "{\"boot\":41,\"seq\":7,\"value\":1}", false},
		{"{\"boot\":0,\"seq\":1,\"value\":1}", "{\"boot\":1,\"seq\":0,\"value\":1}", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t a = key_at(rows[i].a, NOW), b = key_at(rows[i].b, NOW + 77 * SECOND);
		if (a == 0 || b == 0 || (a == b) != rows[i].same)
			fail_msg("row %zu: %s, %s", i, rows[i].a, rows[i].b);
	}
	assert_int_equal(key_at("23.5", NOW), 0);
	assert_int_equal(key_at("on", NOW), 0);
	assert_int_equal(key_at("{\"value\":23.5}", NOW), 0);
	assert_int_equal(key_at("{\"value\":23.5,\"age\":100}", NOW), 0);
	assert_int_equal(key_at("{\"value\":23.5,\"boot\":1,\"age\":100}", NOW), 0);
}

static int compare_keys(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Neighbouring boots and sequence numbers must not share a key. */
static void makes_different_keys(void **state)
{
	enum { BOOTS = 50, SEQS = 200 };
	static uint64_t keys[BOOTS * SEQS];
	char payload[64];
	(void)state;
	for (int i = 0; i < BOOTS * SEQS; i++) {
		snprintf(payload, sizeof payload, "{\"boot\":%d,\"seq\":%d,\"value\":1}", i / SEQS, i % SEQS);
		keys[i] = key_at(payload, NOW);
	}
	qsort(keys, COUNT(keys), sizeof keys[0], compare_keys);
	for (size_t i = 1; i < COUNT(keys); i++)
		assert_true(keys[i] != keys[i - 1] && keys[i - 1] != 0);
}

/* ---- bounds ---- */

/* A batch of `count` readings whose values count from 0. The caller frees it. */
static char *batch_make(int count)
{
	char *payload = malloc(32 + (size_t)count * 16);
	assert_non_null(payload);
	int len = sprintf(payload, "{\"readings\":[");
	for (int i = 0; i < count; i++)
		len += sprintf(payload + len, "%s{\"value\":%d}", i > 0 ? "," : "", i);
	sprintf(payload + len, "]}");
	return payload;
}

static void bounds_the_size_of_batches(void **state)
{
	static const int counts[] = {READING_BATCH_MAX - 1, READING_BATCH_MAX, READING_BATCH_MAX + 1, 3000};
	(void)state;
	assert_int_equal(READING_BATCH_MAX, 1024);
	for (size_t i = 0; i < COUNT(counts); i++) {
		char *payload = batch_make(counts[i]);
		bool fits = counts[i] <= READING_BATCH_MAX;
		size_t count = parse_text(payload);
		free(payload);
		assert_int_equal(count, fits ? counts[i] : READING_BATCH_MAX);
		assert_int_equal(problem.error, fits ? READING_OK : READING_TOO_LONG);
		assert_int_equal(problem.index, fits ? -1 : READING_BATCH_MAX);
		for (size_t k = 0; k < count; k++)
			assert_true(readings[k].value.number == (double)k);
	}
}

/* Bad entries count too: a batch of nothing else is not read to its end. */
static void bounds_the_entries_looked_at(void **state)
{
	enum { BAD_MAX = READING_BATCH_MAX + 1 };
	(void)state;
	for (int bad = READING_BATCH_MAX - 1; bad <= BAD_MAX; bad++) {
		char payload[32 + BAD_MAX * 2];
		int len = sprintf(payload, "{\"readings\":[");
		for (int i = 0; i < bad; i++)
			len += sprintf(payload + len, "0,");
		sprintf(payload + len, "{\"value\":1}]}");
		assert_int_equal(parse_text(payload), bad < READING_BATCH_MAX ? 1 : 0);
		assert_int_equal(problem.error, READING_NO_VALUE);
		assert_int_equal(problem.index, 0);
	}
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#define IS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SANITIZED false
#endif

/* What stands beside "readings" is looked at once, not once an entry. */
static void reads_crowded_batches_quickly(void **state)
{
	enum { ENTRIES = 1000, KEYS = 8000 };
	static char payload[READING_PAYLOAD_MAX + 1];
	(void)state;
	int len = sprintf(payload, "{");
	for (int i = 0; i < KEYS; i++)
		len += sprintf(payload + len, "\"\":0,");
	len += sprintf(payload + len, "\"boot\":7,\"unit\":\"K\",\"readings\":[");
	for (int i = 0; i < ENTRIES; i++)
		len += sprintf(payload + len, "%s{\"value\":%d}", i > 0 ? "," : "", i % 10);
	len += sprintf(payload + len, "]}");
	assert_true(len <= READING_PAYLOAD_MAX);

	clock_t begin = clock();
	assert_int_equal(parse(payload, (size_t)len), ENTRIES);
	double ms = 1000.0 * (double)(clock() - begin) / CLOCKS_PER_SEC;
	assert_int_equal(problem.error, READING_OK);
	for (size_t i = 0; i < ENTRIES; i++)
		assert_true(readings[i].value.number == (double)(i % 10) && slice_is(readings[i].unit, "K"));
	if (!IS_SANITIZED && ms >= 50)
		fail_msg("%.1f ms", ms);
}

static void bounds_the_length_of_payloads(void **state)
{
	static const char json[] = "{\"value\":1}", long_json[] = "{\"value\":1,\"x\":\"", end[] = "\"}";
	char *payload = malloc(READING_PAYLOAD_MAX + 1);
	(void)state;
	assert_int_equal(READING_PAYLOAD_MAX, 65536);
	assert_non_null(payload);
	memset(payload, ' ', READING_PAYLOAD_MAX + 1);
	memcpy(payload, json, sizeof json - 1);
	assert_int_equal(parse(payload, READING_PAYLOAD_MAX), 1);
	assert_int_equal(problem.error, READING_OK);
	assert_int_equal(parse(payload, READING_PAYLOAD_MAX + 1), 0);
	assert_int_equal(problem.error, READING_TOO_LONG);
	assert_int_equal(problem.index, -1);
	/* One long string instead of white space. */
	memset(payload, 'x', READING_PAYLOAD_MAX + 1);
	memcpy(payload, long_json, sizeof long_json - 1);
	memcpy(payload + READING_PAYLOAD_MAX - 2, end, sizeof end - 1);
	assert_int_equal(parse(payload, READING_PAYLOAD_MAX), 1);
	memset(payload, '1', READING_PAYLOAD_MAX + 1);
	assert_int_equal(parse(payload, READING_PAYLOAD_MAX), 0);
	assert_int_equal(problem.error, READING_NOT_A_VALUE);
	assert_int_equal(parse(payload, READING_PAYLOAD_MAX + 1), 0);
	assert_int_equal(problem.error, READING_TOO_LONG);
	free(payload);
}

/* {"value":1,"x":[[[…]]]}; with `closed` false the ends are missing. */
static size_t parse_nested(size_t depth, bool closed)
{
	char *payload = malloc(32 + 2 * depth);
	assert_non_null(payload);
	size_t len = (size_t)sprintf(payload, "{\"value\":1,\"x\":");
	memset(payload + len, '[', depth);
	memset(payload + len + depth, ']', depth);
	payload[len + 2 * depth] = '}';
	size_t count = parse(payload, closed ? len + 2 * depth + 1 : len + depth);
	free(payload);
	return count;
}

static void survives_deep_json(void **state)
{
	(void)state;
	assert_int_equal(parse_nested(JSON_DEPTH_MAX - 1, true), 1);
	assert_int_equal(problem.error, READING_OK);
	assert_true(readings[0].value.number == 1);
	assert_int_equal(parse_nested(JSON_DEPTH_MAX, true), 0);
	assert_int_equal(problem.error, READING_NOT_JSON);
	assert_int_equal(parse_nested(200, true), 0);
	assert_int_equal(problem.error, READING_NOT_JSON);
	assert_int_equal(parse_nested(200, false), 0);
	assert_int_equal(problem.error, READING_NOT_JSON);
	assert_int_equal(parse_nested(30000, true), 0);
	assert_int_equal(problem.error, READING_NOT_JSON);
	assert_int_equal(parse_nested(60000, false), 0);
	assert_int_equal(problem.error, READING_NOT_JSON);
}

static const char *const documents[] = {
	"{\"value\":23.5,\"unit\":\"\\u00b0C \\ud83d\\ude00\",\"time\":\"2026-11-22T10:00:00.123Z\"}",
	"{\"boot\":7,\"readings\":[{\"seq\":41,\"age\":12500,\"value\":-2.5e1},{\"seq\":42,\"age\":0,\"value\":\"off\"}]}",
	"{\"value\":true,\"a\":[null,false,[],{},\"\\\\\\\"\\n\"]}",
	"{\"1\":1,\"value\":-1}",
};

static void survives_cut_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		for (size_t len = 0; len < strlen(documents[i]); len++) {
			assert_int_equal(parse(documents[i], len), 0);
			assert_int_equal(problem.error, len == 0 ? READING_EMPTY : READING_NOT_JSON);
		}
		assert_true(parse_text(documents[i]) > 0);
		assert_int_equal(problem.error, READING_OK);
	}
}

static void survives_damaged_documents(void **state)
{
	uint64_t seed = 4;
	char text[256];
	(void)state;
	for (int run = 0; run < 100000; run++) {
		const char *document = documents[(size_t)run % COUNT(documents)];
		size_t len = strlen(document);
		assert_true(len < sizeof text);
		memcpy(text, document, len + 1);
		for (int hits = 1 + run % 3; hits > 0; hits--) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			text[(seed >> 33) % len] = (char)(seed >> 24);
		}
		size_t count = parse(text, len);
		assert_true(count <= 2 && problem.error < READING_ERROR_COUNT);
		assert_true(count > 0 || problem.error != READING_OK || strstr(document, "readings") != NULL);
		for (size_t i = 0; i < count; i++)
			assert_true(readings[i].value.is_number && readings[i].value.number - readings[i].value.number == 0);
	}
}

static void names_every_error(void **state)
{
	(void)state;
	for (int error = READING_OK; error < READING_ERROR_COUNT; error++) {
		const char *code = reading_error_code((enum reading_error)error);
		assert_non_null(code);
		assert_non_null(reading_error_wanted((enum reading_error)error));
		assert_true(error == READING_OK || reading_error_wanted((enum reading_error)error)[0] != '\0');
		for (int other = READING_OK; other < error; other++)
			assert_string_not_equal(code, reading_error_code((enum reading_error)other));
	}
	assert_string_equal(reading_error_code(READING_OUT_OF_RANGE), "out_of_range");
	reading_parser_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_one_reading),
		cmocka_unit_test(reads_batches),
		cmocka_unit_test(refuses_bare_payloads),
		cmocka_unit_test(names_infinity),
		cmocka_unit_test(refuses_documents),
		cmocka_unit_test(wants_whole_counts),
		cmocka_unit_test(wants_strict_json),
		cmocka_unit_test(reads_what_only_looks_like_a_nul),
		cmocka_unit_test(keeps_the_good_ones_of_a_batch),
		cmocka_unit_test(takes_its_own_time_when_the_device_is_ahead),
		cmocka_unit_test(tells_resends),
		cmocka_unit_test(makes_different_keys),
		cmocka_unit_test(bounds_the_size_of_batches),
		cmocka_unit_test(bounds_the_entries_looked_at),
		cmocka_unit_test(reads_crowded_batches_quickly),
		cmocka_unit_test(bounds_the_length_of_payloads),
		cmocka_unit_test(survives_deep_json),
		cmocka_unit_test(survives_cut_documents),
		cmocka_unit_test(survives_damaged_documents),
		cmocka_unit_test(names_every_error),
	};
	return cmocka_run_group_tests_name("reading", tests, make_parser, free_parser);
}
