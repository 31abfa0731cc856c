/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * arguments: the benchmark's command line, as a table: adding an option is adding a row.
 */
#ifndef BENCH_ARGUMENTS_H
#define BENCH_ARGUMENTS_H

#include "fault.h"

#include <stddef.h>
#include <stdint.h>

enum argument_kind { ARGUMENT_FLAG, ARGUMENT_TEXT, ARGUMENT_NUMBER };

/* "--name VALUE"; where it goes depends on the kind. Numbers are whole and from `min` to `max`. */
struct argument {
	const char *name; /* with its dashes */
	const char *help;
	enum argument_kind kind;
	bool *flag;
	const char **text;
	int64_t *number;
	int64_t min;
	int64_t max;
};

/* Reads words[1] and on. False with a line that names the option and the wanted form. */
bool arguments_parse(const struct argument *known, size_t count, int word_count, char **words, struct fault *fault);

/* Prints one line an option, with the value that holds now. */
void arguments_help(const struct argument *known, size_t count);

#endif
