/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_parse: the words behind `mosquitto_ctrl hearth` → a command, its arguments and options, and the request they make.
 *
 * Options may stand anywhere, as --name value, --name=value or -n value; -- ends them. An option of the command itself goes
 * before a general one of the same name.
 */
#ifndef HEARTH_CTRL_PARSE_H
#define HEARTH_CTRL_PARSE_H

#include "ctrl_command.h"

#include <stdint.h>

/*
 * Fills in the call, whose connection says already what stood before `hearth`. `now_us` (wall clock) is what times like 24h are
 * counted from. CTRL_OK, or CTRL_USAGE with a line in call->error. ctrl_call_free in either case.
 */
int ctrl_parse(int argc, char *const *argv, int64_t now_us, struct ctrl_call *call);
void ctrl_call_free(struct ctrl_call *call);

/* The command that the first of these words name; the longest one. NULL: none. */
const struct ctrl_command *ctrl_find(const char *const *words, size_t count, size_t *used);

/* The option of this name or letter that the command takes; with no command, that any takes. NULL: none. */
const struct ctrl_option *ctrl_find_option(const struct ctrl_command *command, const char *name, size_t len,
                                           char letter);

/* Is the text one of a|b|c? */
bool ctrl_is_choice(const char *choices, const char *text);

/* "now", "90s", "30m", "24h", "7d", "2w" ago, 2026-11-22 (UTC), or ISO-8601 → microseconds since 1970. False: none of them. */
bool ctrl_time_read(const char *text, int64_t now_us, int64_t *out_us);

#endif
