/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * arguments: see arguments.h.
 */
#include "arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct argument *argument_find(const struct argument *known, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(known[i].name, name) == 0) {
			return &known[i];
		}
	}
	return NULL;
}

static bool argument_set_number(const struct argument *argument, const char *value, struct fault *fault)
{
	char *end = NULL;
	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < argument->min || number > argument->max) {
		return fault_set(fault, "%s \"%s\": wanted a whole number from %" PRId64 " to %" PRId64, argument->name, value,
		                 argument->min, argument->max);
	}
	*argument->number = number;
	return true;
}

bool arguments_parse(const struct argument *known, size_t count, int word_count, char **words, struct fault *fault)
{
	for (int i = 1; i < word_count; i++) {
		const struct argument *argument = argument_find(known, count, words[i]);
		if (argument == NULL) {
			return fault_set(fault, "unknown option %s: see --help", words[i]);
		}
		if (argument->kind == ARGUMENT_FLAG) {
			*argument->flag = true;
			continue;
		}
		if (++i == word_count) {
			return fault_set(fault, "%s: wanted a value after it", argument->name);
		}
		if (argument->kind == ARGUMENT_TEXT) {
			*argument->text = words[i];
		} else if (!argument_set_number(argument, words[i], fault)) {
			return false;
		}
	}
	return true;
}

void arguments_help(const struct argument *known, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct argument *argument = &known[i];
		printf("  %-14s %s", argument->name, argument->help);
		if (argument->kind == ARGUMENT_NUMBER) {
			printf(" (%" PRId64 ")", *argument->number);
		} else if (argument->kind == ARGUMENT_TEXT && *argument->text != NULL) {
			printf(" (%s)", *argument->text);
		}
		putchar('\n');
	}
}
