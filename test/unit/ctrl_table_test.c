/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_table_test: what all rows have to keep to, and help and completion, which come from them.
 */
#include "ctrl/ctrl_help.h"
#include "ctrl/ctrl_parse.h"
#include "ctrl/ctrl_run.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void rows_are_whole(void **state)
{
	(void)state;
	for (const struct ctrl_command *row = ctrl_commands; row->words; row++) {
		assert_non_null(row->summary);
		assert_non_null(row->example);
		assert_true(row->request || row->run);
		/* The example shows this command. */
		assert_non_null(strstr(row->example, row->words));
		for (const struct ctrl_command *other = ctrl_commands; other < row; other++)
			assert_string_not_equal(row->words, other->words);
		for (const struct ctrl_option *option = row->options; option->name; option++) {
			assert_non_null(option->help);
			/* A kind is a form of a value. */
			assert_true(option->value || option->kind == CTRL_TEXT);
			assert_true(!option->may_null || option->key);
		}
		for (const struct ctrl_argument *argument = row->arguments; argument->name; argument++) {
			/* None that is wanted follows one that may be missing; and none follows the one that takes all. */
			if (argument->optional)
				assert_true(!argument[1].name || argument[1].optional);
			if (argument->repeated)
				assert_null(argument[1].name);
		}
	}
}

/* Words are told from values before the command is known. */
static void options_of_one_name_agree_on_having_a_value(void **state)
{
	(void)state;
	for (const struct ctrl_command *row = ctrl_commands; row->words; row++)
		for (const struct ctrl_option *option = row->options; option->name; option++) {
			const struct ctrl_option *any = ctrl_find_option(NULL, option->name, strlen(option->name), '\0');

			assert_non_null(any);
			assert_int_equal(any->value != NULL, option->value != NULL);
			assert_int_equal(option->letter, 0);
		}
}

/* Each example is a command line that is understood. */
static void examples_can_be_typed(void **state)
{
	(void)state;
	for (const struct ctrl_command *row = ctrl_commands; row->words; row++) {
		struct ctrl_call call = {.connection = {.host = "localhost"}};
		char line[256], *words[16], *rest = line, *word;
		int count = 0;

		assert_true(strlen(row->example) < sizeof line);
		memcpy(line, row->example, strlen(row->example) + 1);
		while ((word = strsep(&rest, " ")) != NULL)
			words[count++] = word;
		if (ctrl_parse(count, words, 0, &call) != CTRL_OK)
			fail_msg("%s: %s", row->example, call.error);
		assert_ptr_equal(call.command, row);
		ctrl_call_free(&call);
	}
}

static char *text_of(void (*print)(FILE *, const void *), const void *with)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print(out, with);
	fclose(out);
	return text;
}

static void print_all(FILE *out, const void *with)
{
	(void)with;
	ctrl_help_all(out);
}

static void print_one(FILE *out, const void *with)
{
	ctrl_help_command(out, with);
}

static void help_names_all_there_is(void **state)
{
	char *all = text_of(print_all, NULL);

	(void)state;
	for (const struct ctrl_command *row = ctrl_commands; row->words; row++) {
		char *one = text_of(print_one, row);

		assert_int_equal(strstr(all, row->summary) != NULL, !row->hidden);
		assert_non_null(strstr(one, row->example));
		for (const struct ctrl_option *option = row->options; option->name; option++)
			assert_non_null(strstr(one, option->name));
		for (const struct ctrl_argument *argument = row->arguments; argument->name; argument++)
			assert_non_null(strstr(one, argument->name));
		free(one);
	}
	for (const struct ctrl_option *option = ctrl_globals; option->name; option++)
		assert_non_null(strstr(all, option->name));
	free(all);
}

struct words {
	const char *const *words;
	size_t count;
};

static void print_completion(FILE *out, const void *with)
{
	const struct words *given = with;

	ctrl_complete(out, given->words, given->count);
}

static void offers_what_can_follow(void **state)
{
	static const struct {
		const char *words[6], *offered;
	} cases[] = {
		{{"acc"}, "account\n"},
		{{"account", ""}, "list\nshow\nadd\nmodify\nremove\npassword\nenable\ndisable\n"},
		{{"account", "en"}, "enable\n"},
		{{"comp"}, ""},
		{{"grant", "add", "anna", ""}, "allow\ndeny\n"},
		{{"grant", "add", "anna", "allow", "w"}, "write\n"},
		{{"account", "add", "anna", "--role", "g"}, "guest\n"},
		{{"account", "add", "anna", "--rol"}, "--role\n"},
		{{"-u", "anna", "sess"}, "session\n"},
		{{"-u", "sess"}, ""},
		{{"migrate", "st"}, "status\nstop\n"},
		{{"help", "account", "pass"}, "password\n"},
		{{"init", "--state"}, "--state-dir\n"},
		{{"whoami", "--state"}, ""},
		{{"backup", ""}, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct words given = {.words = cases[i].words};
		char *text;

		while (given.count < 6 && cases[i].words[given.count])
			given.count++;
		text = text_of(print_completion, &given);
		assert_string_equal(text, cases[i].offered);
		free(text);
	}
	/* Each noun is offered once. */
	static const char *const nothing[] = {""};
	char *all = text_of(print_completion, &(struct words){nothing, 1});
	size_t accounts = 0;
	for (const char *at = all; (at = strstr(at, "account\n")) != NULL; at++)
		accounts++;
	assert_int_equal(accounts, 1);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_whole),         cmocka_unit_test(options_of_one_name_agree_on_having_a_value),
		cmocka_unit_test(examples_can_be_typed),  cmocka_unit_test(help_names_all_there_is),
		cmocka_unit_test(offers_what_can_follow),
	};

	return cmocka_run_group_tests_name("ctrl_table", tests, NULL, NULL);
}
