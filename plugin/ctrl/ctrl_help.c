/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_help: see ctrl_help.h.
 */
#include "ctrl_help.h"

#include "ctrl_parse.h"
#include "ctrl_text.h"

#include <string.h>

static void add_usage(FILE *out, const struct ctrl_command *command)
{
	fprintf(out, "Usage: mosquitto_ctrl [CONNECTION] hearth %s", command->words);
	for (const struct ctrl_argument *argument = command->arguments; argument->name; argument++)
		fprintf(out, argument->optional ? " [%s%s]" : " %s%s", argument->name, argument->repeated ? "…" : "");
	fprintf(out, "%s\n", command->options[0].name ? " [OPTIONS]" : "");
}

static void print_options(FILE *out, const struct ctrl_option *options)
{
	struct ctrl_grid grid = {.columns = 2, .plain = true};

	for (; options->name; options++) {
		char letter[] = "    ", form[128];

		if (options->letter) {
			letter[0] = '-';
			letter[1] = options->letter;
			letter[2] = ',';
		}
		snprintf(form, sizeof form, "  %s--%s%s%s", letter, options->name, options->value ? " " : "",
		         options->value ? options->value : "");
		ctrl_grid_add(&grid, form);
		ctrl_grid_add(&grid, options->help);
	}
	ctrl_grid_print(&grid, out);
}

static void add_command(struct ctrl_grid *grid, const struct ctrl_command *command)
{
	char words[64];

	snprintf(words, sizeof words, "  %s", command->words);
	ctrl_grid_add(grid, words);
	ctrl_grid_add(grid, command->summary);
}

void ctrl_help_all(FILE *out)
{
	struct ctrl_grid grid = {.columns = 2, .plain = true};

	fputs("Usage: mosquitto_ctrl [CONNECTION] hearth COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n", out);
	for (const struct ctrl_command *command = ctrl_commands; command->words; command++)
		if (!command->hidden)
			add_command(&grid, command);
	ctrl_grid_print(&grid, out);
	fputs("\nOptions of every command (those of the CONNECTION may stand before `hearth` too):\n", out);
	print_options(out, ctrl_globals);
	fputs("\nThe password is taken from -P, --password-file, the environment's HEARTH_PASSWORD, or asked for.\n"
	      "~/.config/mosquitto_ctrl may hold CONNECTION options, one a line.\n"
	      "\nExit codes:\n"
	      "  0  done\n"
	      "  1  the broker answered with an error\n"
	      "  2  the command line is wrong\n"
	      "  3  no connection, or the sign-in was refused\n"
	      "  4  no answer in time\n"
	      "  5  a file could not be read or written\n"
	      "\nMore about one command: mosquitto_ctrl hearth help COMMAND\n"
	      "Completion in bash: source <(mosquitto_ctrl hearth completion bash)\n",
	      out);
}

void ctrl_help_command(FILE *out, const struct ctrl_command *command)
{
	add_usage(out, command);
	fprintf(out, "\n%s\n", command->summary);
	if (command->options[0].name) {
		fputs("\nOptions:\n", out);
		print_options(out, command->options);
	}
	fprintf(out, "\nExample:\n  mosquitto_ctrl hearth %s\n", command->example);
}

/* Do the command's words begin with these? The last of them may be cut if `cut`. *rest is what follows those before it. */
static bool begins_with(const struct ctrl_command *command, const char *const *words, size_t count, bool cut,
                        const char **rest)
{
	const char *at = command->words;

	*rest = at;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(words[i]), have = strcspn(at, " ");

		*rest = at;
		if (*at == '\0' || len > have || memcmp(at, words[i], len) != 0 || (len < have && !(cut && i + 1 == count)))
			return false;
		at += have + (at[have] == ' ');
	}
	return true;
}

bool ctrl_help_group(FILE *out, const char *const *words, size_t count)
{
	struct ctrl_grid grid = {.columns = 2, .plain = true};
	const char *rest;
	bool any;

	for (const struct ctrl_command *command = ctrl_commands; command->words; command++)
		if (!command->hidden && begins_with(command, words, count, false, &rest))
			add_command(&grid, command);
	any = grid.count > 0;
	ctrl_grid_print(&grid, out);
	return any;
}

int ctrl_run_help(struct ctrl_call *call)
{
	size_t used = 0, count = call->argument_count;
	const struct ctrl_command *command = count ? ctrl_find(call->arguments, count, &used) : NULL;

	if (count == 0)
		ctrl_help_all(stdout);
	else if (command && used == count)
		ctrl_help_command(stdout, command);
	else if (!ctrl_help_group(stdout, call->arguments, count))
		return ctrl_fail(call, CTRL_USAGE, "help: there is no command \"%s\"; see: mosquitto_ctrl hearth help",
		                 call->arguments[0]);
	return CTRL_OK;
}
