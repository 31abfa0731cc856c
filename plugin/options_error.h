/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options_error: what a person reads when a plugin_opt_ line is wrong.
 *
 * Keys and values are somebody's bytes: they are shown up to 100 bytes, '?' standing for each control character and
 * each byte that is not UTF-8. A message is always NUL-terminated and valid UTF-8, however little room is left.
 */
#ifndef HEARTH_OPTIONS_ERROR_H
#define HEARTH_OPTIONS_ERROR_H

#include "options.h"

/* plugin_opt_KEY "VALUE": PROBLEM — without the quoted value if it is empty. */
void options_error_value(char error[OPTIONS_ERROR_MAX], const char *key, struct slice value, const char *problem);

/* plugin_opt_KEY: no such option; did you mean plugin_opt_NAME? Known: NAME, NAME, … */
void options_error_unknown(char error[OPTIONS_ERROR_MAX], const char *key, const char *const *names, size_t count);

#endif
