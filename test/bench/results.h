/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * results: answers as a table for people and as JSON for programs. All figures are medians over the rounds.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include "fault.h"
#include "machine.h"
#include "message_cost.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct summary {
	struct round median; /* of each figure by itself */
	double added_ns_min; /* in the best … */
	double added_ns_max; /* … and the worst round */
	bool ok;             /* median.added_ns is at most the target */
};

struct summary results_summary(const struct answer *answer);

/* Everything that the figures depend on. */
struct results {
	const struct machine *machine;
	const struct setup *setup;
	const struct answer *answers;
	size_t count;
};

void results_table(const struct results *results, FILE *out);

/* Writes the file, with all rounds, and the folders that it lies in. */
bool results_json(const struct results *results, const char *path, struct fault *fault);

#endif
