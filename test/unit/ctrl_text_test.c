/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_text_test: nothing that steers a terminal gets out, columns are aligned with Hangul in them, and near words are found.
 */
#include "ctrl/ctrl_text.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NO "\xEF\xBF\xBD"

static void cleans_what_steers_a_terminal(void **state)
{
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"거실/uno1 °C 😀", "거실/uno1 °C 😀"},
		{"a\033[31mb", "a" NO "[31mb"},
		{"line\nfeed\rtab\tbell\a", "line" NO "feed" NO "tab" NO "bell" NO},
		{"del\x7F", "del" NO},
		/* CSI as a C1 control: one byte (no UTF-8), and as U+009B. */
		{"\x9B"
	     "2J",
	     NO "2J"},
		{"\xC2\x9B"
	     "2J",
	     NO "2J"},
		{"\xC2\xA0", "\xC2\xA0"},
		/* The direction of writing, and what cannot be seen. */
		{"a\xE2\x80\xAE-\xE2\x80\xAC-", "a" NO "-" NO "-"},
		{"a\xE2\x80\x8B-", "a" NO "-"},
		{"a\xE2\x81\xA6-\xE2\x81\xA9-", "a" NO "-" NO "-"},
		{"\xEF\xBB\xBF-", NO "-"},
		/* No UTF-8: too long a form, a surrogate, beyond the end, cut off. */
		{"\xC0\x9B", NO NO},
		{"\xED\xA0\x80", NO NO NO},
		{"\xF4\x90\x80\x80", NO NO NO NO},
		{"a\xEA\xB1", "a" NO NO},
		{"\xFF", NO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *clean = ctrl_text_clean(cases[i].text);

		assert_string_equal(clean, cases[i].clean);
		free(clean);
	}
}

static void cleans_json_and_says_the_same(void **state)
{
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{"{\n\t\"a\":\t\"거실\"\n}", "{\n\t\"a\":\t\"거실\"\n}"},
		{"\"\x7F\xC2\x9B\"", "\"\\u007f\\u009b\""},
		{"\"\xE2\x80\xAE \xE2\x80\xAC\"", "\"\\u202e \\u202c\""},
		{"\"\xF3\xA0\x80\x81\"", "\"\\udb40\\udc01\""},
		{"\"\xFF\"", "\"\\ufffd\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *clean = ctrl_text_clean_json(cases[i].text);

		assert_string_equal(clean, cases[i].clean);
		free(clean);
	}
}

static void knows_the_width_of_hangul(void **state)
{
	(void)state;
	assert_int_equal(ctrl_text_width(""), 0);
	assert_int_equal(ctrl_text_width("abc"), 3);
	assert_int_equal(ctrl_text_width("거실"), 4);
	assert_int_equal(ctrl_text_width("°C"), 2);
	assert_int_equal(ctrl_text_width("e\xCC\x81"), 1); /* an accent of its own */
	assert_int_equal(ctrl_text_width(NO), 1);
}

static char *printed(struct ctrl_grid *grid)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	ctrl_grid_print(grid, out);
	fclose(out);
	return text;
}

static void aligns_columns(void **state)
{
	static const char *const cells[] = {"name", "role", "count", "거실", "admin", "7", "uno1", "", "1250"};
	struct ctrl_grid grid = {.columns = 3};
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		ctrl_grid_add(&grid, cells[i]);
	text = printed(&grid);
	assert_string_equal(text, "name  role   count\n"
	                          "거실  admin      7\n"
	                          "uno1          1250\n");
	free(text);
	assert_int_equal(grid.count, 0);
	text = printed(&grid);
	assert_string_equal(text, "");
	free(text);
}

static void a_list_of_names_and_values_is_not_turned_to_the_right(void **state)
{
	static const char *const cells[] = {"1", "5", "long", "12"};
	struct ctrl_grid grid = {.columns = 2, .plain = true};
	char *text;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		ctrl_grid_add(&grid, cells[i]);
	text = printed(&grid);
	assert_string_equal(text, "1     5\nlong  12\n");
	free(text);
}

static void finds_what_is_near(void **state)
{
	static const struct {
		const char *written, *meant;
		size_t distance;
		bool near;
	} cases[] = {
		{"list", "list", 0, true}, {"lsit", "list", 1, true},   {"lst", "list", 1, true},
		{"LIST", "list", 4, true}, {"grnat", "grant", 1, true}, {"acount", "account", 1, true},
		{"xyz", "list", 4, false}, {"", "init", 4, false},      {"account", "init", 6, false},
		{"ad", "add", 1, true},    {"remove", "add", 6, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(ctrl_text_distance(cases[i].written, cases[i].meant), cases[i].distance);
		assert_int_equal(ctrl_text_near(cases[i].written, cases[i].meant), cases[i].near);
	}
	/* Words beyond all that are compared are only equal or not. */
	assert_false(ctrl_text_near("a word that is much longer than any command or option is", "list"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleans_what_steers_a_terminal),
		cmocka_unit_test(cleans_json_and_says_the_same),
		cmocka_unit_test(knows_the_width_of_hangul),
		cmocka_unit_test(aligns_columns),
		cmocka_unit_test(a_list_of_names_and_values_is_not_turned_to_the_right),
		cmocka_unit_test(finds_what_is_near),
	};

	return cmocka_run_group_tests_name("ctrl_text", tests, NULL, NULL);
}
