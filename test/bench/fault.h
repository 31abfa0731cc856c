/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fault: why something in the benchmark could not be done, as one line for a person.
 */
#ifndef BENCH_FAULT_H
#define BENCH_FAULT_H

#include <stdbool.h>

struct fault {
	char text[512];
};

/* Sets the text, printf fashion. Always returns false, so that a function can end with `return fault_set(…)`. */
bool fault_set(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts where it happened before the text: "where: text". Always returns false. */
bool fault_add(struct fault *fault, const char *where);

#endif
