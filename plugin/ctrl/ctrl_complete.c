/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_complete: what a shell may offer in place of the word that is being typed.
 *
 * The script for bash asks this program itself, so that it never knows less than the rows.
 */
#include "ctrl_help.h"
#include "ctrl_parse.h"

#include <stdlib.h>
#include <string.h>

static const char bash[] =
	"# Completion of `mosquitto_ctrl hearth` for bash.\n"
	"_mosquitto_ctrl_hearth()\n"
	"{\n"
	"\tlocal i=1 IFS=$'\\n'\n"
	"\tCOMPREPLY=()\n"
	"\twhile ((i < COMP_CWORD)) && [[ ${COMP_WORDS[i]} != hearth ]]; do ((i++)); done\n"
	"\t((i < COMP_CWORD)) || return 0\n"
	"\tCOMPREPLY=($(\"$1\" hearth completion words -- \"${COMP_WORDS[@]:i + 1:COMP_CWORD - i}\" 2>/dev/null))\n"
	"}\n"
	"complete -o default -F _mosquitto_ctrl_hearth mosquitto_ctrl\n";

/* Each of a|b|c that begins with the word; a value of another form is anything. */
static void offer_choices(FILE *out, const char *choices, const char *word)
{
	if (!choices || !strchr(choices, '|'))
		return;
	for (;;) {
		size_t len = strcspn(choices, "|");

		if (strncmp(choices, word, strlen(word)) == 0)
			fprintf(out, "%.*s\n", (int)len, choices);
		if (choices[len] == '\0')
			return;
		choices += len + 1;
	}
}

/* `word` begins with a dash. */
static void offer_options(FILE *out, const struct ctrl_option *options, const char *word)
{
	const char *name = word + strspn(word, "-");

	for (; options->name; options++)
		if (strncmp(options->name, name, strlen(name)) == 0)
			fprintf(out, "--%s\n", options->name);
}

/* The next words of commands that begin with `given`, once each: those of a noun stand together in the rows. */
static void offer_words(FILE *out, const char *const *given, size_t count, const char *word)
{
	char last[32] = "";

	for (const struct ctrl_command *command = ctrl_commands; command->words; command++) {
		const char *at = command->words;
		size_t i = 0;

		for (; i < count && *at; i++) {
			size_t len = strcspn(at, " ");

			if (strlen(given[i]) != len || memcmp(at, given[i], len) != 0)
				break;
			at += len + (at[len] == ' ');
		}
		if (command->hidden || i < count || *at == '\0' || strncmp(at, word, strlen(word)) != 0)
			continue;
		if (strlen(last) == strcspn(at, " ") && memcmp(last, at, strlen(last)) == 0)
			continue;
		snprintf(last, sizeof last, "%.*s", (int)strcspn(at, " "), at);
		fprintf(out, "%s\n", last);
	}
}

static const struct ctrl_option *option_of(const struct ctrl_command *command, const char *word)
{
	if (word[0] != '-' || word[1] == '\0' || strchr(word, '='))
		return NULL;
	return word[1] == '-' ? ctrl_find_option(command, word + 2, strlen(word + 2), '\0')
	                      : ctrl_find_option(command, "", 0, word[1]);
}

void ctrl_complete(FILE *out, const char *const *words, size_t count)
{
	const char *word = count ? words[count - 1] : "";
	const char **given = ctrl_must(calloc(count + 1, sizeof *given));
	const struct ctrl_option *waiting = NULL; /* the option whose value is being typed */
	const struct ctrl_command *command;
	size_t given_count = 0, used;

	for (size_t i = 0; i + 1 < count; i++) {
		const struct ctrl_option *option = waiting ? NULL : option_of(NULL, words[i]);

		if (!waiting && !option && words[i][0] != '-')
			given[given_count++] = words[i];
		waiting = option && option->value ? option : NULL;
	}
	command = ctrl_find(given, given_count, &used);
	if (waiting) {
		const struct ctrl_option *own = ctrl_find_option(command, waiting->name, strlen(waiting->name), '\0');

		offer_choices(out, own ? own->value : waiting->value, word);
	} else if (*word == '-') {
		if (command)
			offer_options(out, command->options, word);
		offer_options(out, ctrl_globals, word);
	} else if (given_count > 0 && strcmp(given[0], "help") == 0) {
		offer_words(out, given + 1, given_count - 1, word);
	} else {
		offer_words(out, given, given_count, word);
		if (command && given_count - used < CTRL_ARGUMENTS_MAX)
			offer_choices(out, command->arguments[given_count - used].name, word);
	}
	free(given);
}

int ctrl_run_completion(struct ctrl_call *call)
{
	if (strcmp(call->arguments[0], "bash") == 0)
		fputs(bash, stdout);
	else
		ctrl_complete(stdout, call->arguments + 1, call->argument_count - 1);
	return CTRL_OK;
}
