/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_print: the broker's answers for people and, with --json, for programs.
 *
 * In general: what an answer says of itself is a list of names and values, and each array of objects in it a table, one object a
 * row. So keys that a newer broker adds are shown without this program knowing them.
 */
#ifndef HEARTH_CTRL_PRINT_H
#define HEARTH_CTRL_PRINT_H

#include "ctrl_command.h"

#include <stdio.h>

/* Prints an answer as the call wants it; NULL: it has no data. */
void ctrl_print(const struct ctrl_call *call, const struct cJSON *data);

/* As JSON that can be read, whatever is in it. */
void ctrl_print_json(FILE *out, const struct cJSON *data);

/* As lists and tables. `columns`: see ctrl_command. */
void ctrl_print_data(FILE *out, const struct cJSON *data, const char *columns);

/* Printers of rows: */
void ctrl_print_history(const struct cJSON *data);
void ctrl_print_config(const struct cJSON *data);

#endif
