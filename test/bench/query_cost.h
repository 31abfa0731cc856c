/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * query_cost: how long the history store takes to answer what people ask of it, by the plugin's own reading functions.
 *
 * Every answer is also checked: how many rows, and how many readings they stand for.
 */
#ifndef BENCH_QUERY_COST_H
#define BENCH_QUERY_COST_H

#include "query_layout.h"
#include "store_target.h"

#define QUERY_RUNS_MAX  1000
#define QUERY_QUESTIONS 6

extern const char *const QUERY_NAMES[QUERY_QUESTIONS];

/* What one question cost. */
struct query_cost {
	uint64_t rows; /* of the answer */
	double median_ms;
	double p99_ms;
	double max_ms;
};

struct query_answer {
	struct query_cost questions[QUERY_QUESTIONS];
};

/* Asks each question so many times, after some that warm up. False with the reason in *fault. */
bool query_cost_measure(const struct store_target *target, const struct query_layout *layout, int runs,
                        struct query_answer *answer, struct fault *fault);

#endif
