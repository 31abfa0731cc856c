/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_error_test: what is said of a document that is refused.
 */
#include "config_fixture.h"

static void test_error_texts(void **state)
{
	static const struct {
		const char *text, *path, *found, *wanted;
	} rows[] = {
		{WHEN("\"above\":null"), "$.rules[0].when.above", "null",
	     "a number or {\"topic\": \"location/device/sensor\", \"plus\": 0, \"times\": 1}"},
		{WHEN("\"equals\":[1, 2]"), "$.rules[0].when.equals", "[1,2]",
	     "a number, a word of 1 to 255 bytes or {\"topic\": \"location/device/sensor\", \"plus\": 0, \"times\": 1}"},
		{WHEN("\"abov\":1"), "$.rules[0].when.abov", "an unknown key",
	     "did you mean \"above\"? one of: above, below, at_least, at_most, equals, not_equals, outside, hysteresis, "
	     "for"},
		{WHEN("\"atleast\":1"), "$.rules[0].when.atleast", "an unknown key",
	     "did you mean \"at_least\"? one of: above, below, at_least, at_most, equals, not_equals, outside, hysteresis, "
	     "for"},
		{WHEN("\"above\":1,\"hysterisys\":1"), "$.rules[0].when.hysterisys", "an unknown key",
	     "did you mean \"hysteresis\"? one of: above, below, at_least, at_most, equals, not_equals, outside, "
	     "hysteresis, "
	     "for"},
		{WHEN("\"rises_by\":1"), "$.rules[0].when.rises_by", "an unknown key",
	     "one of: above, below, at_least, at_most, equals, not_equals, outside, hysteresis, for"},
		{WHEN(""), "$.rules[0].when", "{}", "one of: above, below, at_least, at_most, equals, not_equals, outside"},
		{WHEN("\"above\":1,\"below\":0"), "$.rules[0].when.below", "a second comparison",
	     "one comparison in a condition"},
		{WHEN("\"above\":1e999"), "$.rules[0].when.above", "a number beyond all bounds",
	     "a number or {\"topic\": \"location/device/sensor\", \"plus\": 0, \"times\": 1}"},
		{WHEN("\"above\":{\"topic\":\"{x}/b/c\"}"), "$.rules[0].when.above.topic", "\"{x}/b/c\"",
	     "no braces but in {location} and {device}"},
		{WHEN("\"above\":{\"topic\":\"all/b/c\"}"), "$.rules[0].when.above.topic", "\"all/b/c\"",
	     "one location and device; \"all\" is only for \"all/hearth/NAME\""},
		{RULE("\"then\":[{\"set\":\"a/b/c\",\"to\":1}]"), "$.rules[0].when", "nothing",
	     "a condition for \"then\" or \"else\", such as {\"above\": 28}"},
		{"{\"rules\":[{}]}", "$.rules[0].name", "nothing", "a name of 1 to 64 bytes without control characters"},
		{"{\"rulez\":[]}", "$.rulez", "an unknown key",
	     "did you mean \"rules\"? one of: unit, min, max, stale_after, store, rules"},
		{"{\"x\":1}", "$.x", "an unknown key", "one of: unit, min, max, stale_after, store, rules"},
		{"{\"\\u0001\\n\":1}", "$[\"? \"]", "an unknown key", "one of: unit, min, max, stale_after, store, rules"},
		{"{\"a\\u0080b\\u009f\xC2\x84\\u00a0\":1}", "$[\"a?b??\u00a0\"]", "an unknown key",
	     "one of: unit, min, max, stale_after, store, rules"},
		{"{\"unit\":[\"\\u009b31m \u00a9\"]}", "$.unit", "[\"?31m \u00a9\"]",
	     "a unit of 1 to 32 bytes, such as \"°C\""},
		{"{\"min\":3,\"max\":2.5}", "$.max", "2.5", "more than \"min\""},
		{"{\"store\":{\"deadband\":1,\"deadband\":1}}", "$.store.deadband", "the same key again",
	     "each key once in an object"},
		{"[]", "$", "[]", "an object, such as {\"unit\": \"°C\"}"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config_error error;
		assert_null(compile(rows[i].text, &error));
		assert_string_equal(error.path, rows[i].path);
		assert_string_equal(error.found, rows[i].found);
		assert_string_equal(error.wanted, rows[i].wanted);
	}
}

/* A name that is too long is not called misshapen. */
static void test_long_names(void **state)
{
	(void)state;
	for (int len = TOPIC_MAX - 20; len < TOPIC_MAX + 20; len++) {
		char level[TOPIC_MAX + 20], text[2048];
		struct config_error error;
		memset(level, 'a', sizeof level);
		snprintf(text, sizeof text, WHEN("\"above\":{\"topic\":\"a/b/%.*s\"}"), len, level);
		struct config *config = compile(text, &error);
		assert_int_equal(config != NULL, len + (int)sizeof "a/b//value" - 1 <= TOPIC_MAX);
		if (config == NULL)
			assert_string_equal(error.wanted,
			                    "a name of at most 512 bytes with its subject, and its placeholders replaced");
		config_free(config);
	}
}

/* However long a text and wherever its characters begin, an error is whole characters and ends in "…" if it was cut. */
static void test_errors_are_cut_between_characters(void **state)
{
	static const char *const around[][2] = {
		{"{\"unit\":\"", "\"}"}, /* found is long */
		{"{\"x-", "\":1}"},      /* path is long */
		{"{\"unit\":", "}"},     /* no JSON */
	};
	(void)state;
	for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
		for (int shift = 0; shift < 8; shift++) {
			char text[1024];
			int len = snprintf(text, sizeof text, "%s%.*s", around[i][0], shift, "aaaaaaa");
			for (int j = 0; j < 60; j++)
				len += snprintf(text + len, sizeof text - (size_t)len, "%s", j % 2 ? "가" : "🔥");
			snprintf(text + len, sizeof text - (size_t)len, "%s", around[i][1]);

			struct config_error error;
			assert_null(compile(text, &error));
			assert_error_is_text(&error);
			bool in_path = i == 1;
			const char *cut = in_path ? error.path : error.found;
			size_t size = in_path ? sizeof error.path : sizeof error.found;
			assert_string_equal(cut + strlen(cut) - strlen("…"), "…");
			assert_true(strlen(cut) + 4 >= size - 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_texts),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_errors_are_cut_between_characters),
	};
	return cmocka_run_group_tests_name("config_error", tests, raise_fence, lower_fence);
}
