/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_parse: see ctrl_parse.h.
 *
 * Options come in two steps. Whether one has a value must be known before the command is, since the command's words may stand behind
 * it; so options of one name agree in that in all rows (a test holds it). What it means is looked up with the command.
 */
#include "ctrl_parse.h"

#include "ctrl_request.h"
#include "ctrl_text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

const struct ctrl_command *ctrl_find(const char *const *words, size_t count, size_t *used)
{
	const struct ctrl_command *best = NULL;

	*used = 0;
	for (const struct ctrl_command *command = ctrl_commands; command->words; command++) {
		const char *rest = command->words;
		size_t n = 0;

		while (*rest && n < count) {
			size_t len = strcspn(rest, " ");

			if (strlen(words[n]) != len || memcmp(words[n], rest, len) != 0)
				break;
			rest += len + (rest[len] == ' ');
			n++;
		}
		if (*rest == '\0' && n > *used) {
			best = command;
			*used = n;
		}
	}
	return best;
}

static const struct ctrl_option *find_in(const struct ctrl_option *options, const char *name, size_t len, char letter)
{
	for (; options->name; options++)
		if (letter ? options->letter == letter : strlen(options->name) == len && memcmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

const struct ctrl_option *ctrl_find_option(const struct ctrl_command *command, const char *name, size_t len,
                                           char letter)
{
	const struct ctrl_option *found = command ? find_in(command->options, name, len, letter) : NULL;

	if (!found)
		found = find_in(ctrl_globals, name, len, letter);
	for (const struct ctrl_command *any = ctrl_commands; !command && !found && any->words; any++)
		found = find_in(any->options, name, len, letter);
	return found;
}

bool ctrl_is_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);

	for (;;) {
		size_t choice = strcspn(choices, "|");

		if (choice == len && len > 0 && memcmp(choices, text, len) == 0)
			return true;
		if (choices[choice] == '\0')
			return false;
		choices += choice + 1;
	}
}

static int unknown_option(struct ctrl_call *call, const char *written, size_t len)
{
	const char *near = NULL;
	char name[64];

	snprintf(name, sizeof name, "%.*s", (int)len, written);
	for (const struct ctrl_command *command = ctrl_commands; command->words; command++)
		for (const struct ctrl_option *option = command->options; option->name && !near; option++)
			near = ctrl_text_near(name, option->name) ? option->name : NULL;
	for (const struct ctrl_option *option = ctrl_globals; option->name && !near; option++)
		near = ctrl_text_near(name, option->name) ? option->name : NULL;
	if (near)
		return ctrl_fail(call, CTRL_USAGE, "there is no option --%s; is --%s meant?", name, near);
	return ctrl_fail(call, CTRL_USAGE, "there is no option --%s; see: mosquitto_ctrl hearth help", name);
}

/* The option at argv[*at], which is moved to its value if that is the next word. */
static int read_option(int argc, char *const *argv, int *at, struct ctrl_call *call)
{
	const char *word = argv[*at];
	bool is_long = word[1] == '-';
	const char *name = is_long ? word + 2 : word + 1;
	size_t len = is_long ? strcspn(name, "=") : 1;
	const struct ctrl_option *option = ctrl_find_option(NULL, name, len, (char)(is_long ? '\0' : word[1]));
	const char *value = NULL;

	if (!option && is_long)
		return unknown_option(call, name, len);
	if (!option || (!is_long && !option->value && name[1]))
		return ctrl_fail(call, CTRL_USAGE, "there is no option %s; see: mosquitto_ctrl hearth help", word);
	if (name[len])
		value = name + len + (is_long ? 1 : 0);
	if (value && !option->value)
		return ctrl_fail(call, CTRL_USAGE, "--%s takes no value", option->name);
	if (!value && option->value && *at + 1 == argc)
		return ctrl_fail(call, CTRL_USAGE, "--%s wants %s", option->name, option->value);
	if (!value && option->value)
		value = argv[++*at];
	call->set[call->set_count++] = (struct ctrl_set){.option = option, .value = value};
	return CTRL_OK;
}

/* Splits the words into options and the rest. */
static int read_words(int argc, char *const *argv, struct ctrl_call *call)
{
	bool options_ended = false;

	for (int at = 0; at < argc; at++) {
		int status = CTRL_OK;

		if (options_ended || argv[at][0] != '-' || argv[at][1] == '\0')
			call->arguments[call->argument_count++] = argv[at];
		else if (strcmp(argv[at], "--") == 0)
			options_ended = true;
		else
			status = read_option(argc, argv, &at, call);
		if (status)
			return status;
	}
	return CTRL_OK;
}

/* No command has these words: what could be meant? */
static int unknown_command(struct ctrl_call *call)
{
	const char *first = call->arguments[0];
	size_t first_len = strlen(first);
	char written[128], verbs[256] = "";

	snprintf(written, sizeof written, "%s%s%s", first, call->argument_count > 1 ? " " : "",
	         call->argument_count > 1 ? call->arguments[1] : "");
	for (const struct ctrl_command *command = ctrl_commands; command->words; command++)
		if (!command->hidden && strncmp(command->words, first, first_len) == 0 && command->words[first_len] == ' ') {
			size_t len = strlen(verbs);

			snprintf(verbs + len, sizeof verbs - len, "%s%s", len ? ", " : "", command->words + first_len + 1);
		}
	for (const struct ctrl_command *command = ctrl_commands; command->words; command++)
		if (!command->hidden && (ctrl_text_near(written, command->words) || ctrl_text_near(first, command->words)))
			return ctrl_fail(call, CTRL_USAGE, "there is no command \"%s\"; is \"%s\" meant?", written, command->words);
	if (*verbs)
		return ctrl_fail(call, CTRL_USAGE, "%s: wanted one of %s", first, verbs);
	for (const struct ctrl_command *command = ctrl_commands; command->words; command++) {
		char noun[32];

		snprintf(noun, sizeof noun, "%.*s", (int)strcspn(command->words, " "), command->words);
		if (!command->hidden && ctrl_text_near(first, noun))
			return ctrl_fail(call, CTRL_USAGE, "there is no command \"%s\"; is \"%s\" meant?", written, noun);
	}
	return ctrl_fail(call, CTRL_USAGE, "there is no command \"%s\"; see: mosquitto_ctrl hearth help", written);
}

static int check_arguments(struct ctrl_call *call)
{
	const struct ctrl_argument *argument = call->command->arguments;
	size_t n = 0;

	for (; argument->name && !argument->repeated; argument++, n++) {
		if (n >= call->argument_count) {
			if (argument->optional)
				return CTRL_OK;
			return ctrl_fail(call, CTRL_USAGE, "%s: %s is missing; for example: mosquitto_ctrl hearth %s",
			                 call->command->words, argument->name, call->command->example);
		}
		if (strchr(argument->name, '|') && !ctrl_is_choice(argument->name, call->arguments[n]))
			return ctrl_fail(call, CTRL_USAGE, "%s: found \"%s\"; wanted %s", call->command->words, call->arguments[n],
			                 argument->name);
	}
	if (!argument->name && n < call->argument_count)
		return ctrl_fail(call, CTRL_USAGE, "%s: \"%s\" is one word too many", call->command->words, call->arguments[n]);
	return CTRL_OK;
}

/* Looks the options up again, now that the command is known. */
static int resolve_options(struct ctrl_call *call)
{
	for (size_t i = 0; i < call->set_count; i++) {
		struct ctrl_set *set = &call->set[i];
		const char *name = set->option->name;
		const struct ctrl_option *option = ctrl_find_option(call->command, name, strlen(name), '\0');

		if (!option)
			return ctrl_fail(call, CTRL_USAGE, "%s takes no --%s; see: mosquitto_ctrl hearth help %s",
			                 call->command->words, name, call->command->words);
		if (option->value && strchr(option->value, '|') && !ctrl_is_choice(option->value, set->value))
			return ctrl_fail(call, CTRL_USAGE, "--%s: found \"%s\"; wanted %s", name, set->value, option->value);
		set->option = option;
		if (strcmp(name, "json") == 0)
			call->json = true;
		else if (strcmp(name, "help") == 0)
			call->help = true;
	}
	return CTRL_OK;
}

int ctrl_parse(int argc, char *const *argv, int64_t now_us, struct ctrl_call *call)
{
	static const char *const help[] = {"help"};
	size_t used;
	int status;

	call->arguments = ctrl_must(calloc((size_t)argc + 1, sizeof *call->arguments));
	call->set = ctrl_must(calloc((size_t)argc + 1, sizeof *call->set));
	status = read_words(argc, argv, call);
	if (status)
		return status;
	call->command =
		call->argument_count ? ctrl_find(call->arguments, call->argument_count, &used) : ctrl_find(help, 1, &used);
	for (size_t i = 0; i < call->set_count; i++)
		call->help = call->help || strcmp(call->set[i].option->name, "help") == 0;
	if (!call->command && call->help) {
		/* `account --help` */
		call->command = ctrl_find(help, 1, &used);
		return CTRL_OK;
	}
	if (!call->command)
		return unknown_command(call);
	if (call->argument_count) {
		call->argument_count -= used;
		memmove(call->arguments, call->arguments + used, call->argument_count * sizeof *call->arguments);
	}
	status = resolve_options(call);
	if (status || call->help)
		return status;
	status = check_arguments(call);
	return status ? status : ctrl_request_fill(call, now_us);
}

void ctrl_call_free(struct ctrl_call *call)
{
	cJSON_Delete(call->request);
	free(call->arguments);
	free(call->set);
	if (call->sign_in)
		explicit_bzero(call->sign_in, strlen(call->sign_in));
	free(call->sign_in);
	*call = (struct ctrl_call){0};
}
