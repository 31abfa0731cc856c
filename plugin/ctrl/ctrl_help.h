/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_help: help and completion, from the rows.
 */
#ifndef HEARTH_CTRL_HELP_H
#define HEARTH_CTRL_HELP_H

#include "ctrl_command.h"

#include <stdio.h>

/* All commands. */
void ctrl_help_all(FILE *out);
/* One command: usage, arguments, options, example. */
void ctrl_help_command(FILE *out, const struct ctrl_command *command);

/* Commands whose words begin with these. False: there is none. */
bool ctrl_help_group(FILE *out, const char *const *words, size_t count);

/* What can stand in place of the last of these words, a line each; nothing: perhaps a file. */
void ctrl_complete(FILE *out, const char *const *words, size_t count);

/* Rows' functions. */
int ctrl_run_help(struct ctrl_call *call);
int ctrl_run_completion(struct ctrl_call *call);

#endif
