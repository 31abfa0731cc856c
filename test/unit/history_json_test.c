/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_json: whatever is written reads back as the same, by Hearth's own strict grammar and by cJSON.
 */
#include "history_json.h"

#include "json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t chance(void)
{
	static uint64_t number = 42;
	number ^= number << 13;
	number ^= number >> 7;
	number ^= number << 17;
	return number;
}

static void test_texts(void **state)
{
	(void)state;
	static const struct {
		struct slice text;
		const char *json;
	} cases[] = {
		{{"", 0}, "\"\""},
		{{NULL, 0}, "\"\""},
		{{"a/b c/거실", 12}, "\"a/b c/거실\""},
		{{"\"\\/", 3}, "\"\\\"\\\\/\""},
		{{"\x01\t\n\x1f\x7f", 5}, "\"\\u0001\\u0009\\u000a\\u001f\x7f\""},
		{{"a\0b", 3}, "\"a\\ufffdb\""},
		{{"\xff\xc3", 2}, "\"\\ufffd\\ufffd\""},                  /* no character, and one that is cut */
		{{"\xed\xa0\x80", 3}, "\"\\ufffd\\ufffd\\ufffd\""},       /* a surrogate */
		{{"\xc0\xaf", 2}, "\"\\ufffd\\ufffd\""},                  /* overlong */
		{{"\xf0\x9f\x8f\xa0\xf0\x9f", 6}, "\"🏠\\ufffd\\ufffd\""}, /* and one that is cut */
		{{"</script>\xe2\x80\xa8", 12}, "\"</script>\xe2\x80\xa8\""},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct history_json json = {.len = 0};
		history_json_text(&json, cases[i].text);
		assert_true(history_json_good(&json));
		assert_string_equal(json.text, cases[i].json);
		assert_int_equal(json.len, strlen(cases[i].json));
		free(json.text);
	}
}

/* Any bytes come to JSON; those of a valid text come back. */
static void test_any_bytes(void **state)
{
	(void)state;
	struct history_json json = {.len = 0};
	struct json_fault fault;

	for (int i = 0; i < 20000; i++) {
		char bytes[24] = "";
		size_t len = chance() % sizeof bytes;
		for (size_t k = 0; k < len; k++)
			bytes[k] = (char)(chance() % 3 ? chance() : chance() % 128);
		char *exact = malloc(len > 0 ? len : 1); /* so that one byte too far is seen */
		assert_non_null(exact);
		memcpy(exact, bytes, len);
		history_json_clear(&json);
		history_json_text(&json, (struct slice){exact, len});
		assert_true(history_json_good(&json));
		assert_true(json_check((struct slice){json.text, json.len}, &fault));
		assert_true(utf8_valid((struct slice){json.text, json.len}));
		cJSON *read = cJSON_ParseWithLength(json.text, json.len);
		assert_true(cJSON_IsString(read));
		if (utf8_valid((struct slice){exact, len})) {
			assert_int_equal(strlen(read->valuestring), len);
			assert_memory_equal(read->valuestring, exact, len);
		}
		cJSON_Delete(read);
		free(exact);
	}
	free(json.text);
}

static void test_numbers(void **state)
{
	(void)state;
	static const struct {
		double number;
		const char *json;
	} cases[] = {
		{23.5, "23.5"},     {0, "0"},           {-0.1, "-0.1"},      {1e22, "1e+22"},
		{5e-324, "5e-324"}, {INFINITY, "null"}, {-INFINITY, "null"}, {NAN, "null"},
	};
	struct history_json json = {.len = 0};
	struct json_fault fault;

	for (size_t i = 0; i < COUNT(cases); i++) {
		history_json_clear(&json);
		history_json_number(&json, cases[i].number);
		assert_string_equal(json.text, cases[i].json);
	}
	for (int i = 0; i < 100000; i++) {
		uint64_t bits = chance();
		double number, read;
		memcpy(&number, &bits, sizeof number);
		if (!isfinite(number))
			continue;
		history_json_clear(&json);
		history_json_number(&json, number);
		assert_true(json_check((struct slice){json.text, json.len}, &fault));
		assert_true(number_parse((struct slice){json.text, json.len}, &read) && read == number);
	}
	free(json.text);
}

static void test_seconds(void **state)
{
	(void)state;
	static const struct {
		int64_t time_us;
		const char *json;
	} cases[] = {
		{0, "0"},
		{1, "0.000001"},
		{-1, "-0.000001"},
		{-1000000, "-1"},
		{-1500000, "-1.5"},
		{10000000, "10"},
		{INT64_C(1795348800000000), "1795348800"},
		{INT64_C(1795348800123456), "1795348800.123456"},
		{INT64_C(1795348800250000), "1795348800.25"},
		{INT64_MAX, "9223372036854.775807"},
		{INT64_MIN, "-9223372036854.775808"},
	};
	struct history_json json = {.len = 0};

	for (size_t i = 0; i < COUNT(cases); i++) {
		history_json_clear(&json);
		history_json_seconds(&json, cases[i].time_us);
		assert_string_equal(json.text, cases[i].json);
	}
	/* What a phone has for numbers is exact to the microsecond. */
	for (int i = 0; i < 100000; i++) {
		int64_t time_us = (int64_t)(chance() % UINT64_C(4102444800000000)); /* until 2100 */
		double read;
		history_json_clear(&json);
		history_json_seconds(&json, time_us);
		assert_true(number_parse((struct slice){json.text, json.len}, &read));
		assert_int_equal(llround(read * 1e6), time_us);
	}
	free(json.text);
}

static void test_items(void **state)
{
	(void)state;
	struct history_json json = {.len = 0};

	history_json_add(&json, "{\"a\":[");
	history_json_item(&json, "1");
	history_json_item(&json, "[");
	history_json_item(&json, "2");
	history_json_add(&json, "]");
	history_json_item(&json, "{");
	history_json_item(&json, "\"b\":3");
	history_json_add(&json, "}]}");
	assert_string_equal(json.text, "{\"a\":[1,[2],{\"b\":3}]}");
	free(json.text);
}

/* It grows up to its bound to the byte, and not beyond. */
static void test_bound(void **state)
{
	(void)state;
	struct history_json json = {.len = 0};
	char *piece = malloc(4097);

	assert_non_null(piece);
	memset(piece, 'x', 4096);
	piece[4096] = '\0';
	for (size_t i = 0; i < HISTORY_JSON_MAX / 4096; i++)
		history_json_add(&json, piece);
	assert_true(history_json_good(&json));
	assert_int_equal(json.len, HISTORY_JSON_MAX);
	history_json_add(&json, "y");
	assert_false(history_json_good(&json));
	assert_true(json.too_long);
	history_json_add(&json, "");
	history_json_text(&json, slice_of("z"));
	assert_int_equal(json.len, HISTORY_JSON_MAX);
	assert_int_equal(json.text[json.len - 1], 'x');

	history_json_clear(&json);
	history_json_add(&json, "[]");
	assert_true(history_json_good(&json));
	assert_string_equal(json.text, "[]");
	free(json.text);
	free(piece);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),   cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_seconds), cmocka_unit_test(test_items),     cmocka_unit_test(test_bound),
	};
	return cmocka_run_group_tests_name("history_json", tests, NULL, NULL);
}
