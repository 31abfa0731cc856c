/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report: answers as a table for people and as JSON for programs. All figures are medians over the rounds; differences
 * and ratios are taken within each round first.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "fault.h"
#include "machine.h"
#include "message_cost.h"

#include <stddef.h>
#include <stdio.h>

struct summary {
	double main_ns[VARIANT_COUNT];
	double process_ns[VARIANT_COUNT];
	double added_ns;         /* Hearth over the empty plugin, main thread */
	double added_ns_min;     /* the same in the best … */
	double added_ns_max;     /* … and the worst round */
	double added_process_ns; /* the same, all threads */
	double ratio;            /* bare over Hearth, main thread */
	bool ok;                 /* added_ns is at most the target */
};

struct summary report_summary(const struct answer *answer);

/* Everything that the figures depend on. */
struct report {
	const struct machine *machine;
	const struct setup *setup;
	const struct answer *answers;
	size_t count;
};

void report_table(const struct report *report, FILE *out);

/* Writes the file, with all rounds, and the folders that it lies in. */
bool report_json(const struct report *report, const char *path, struct fault *fault);

#endif
