/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * latency: how long many things took, as a histogram whose buckets are as fine as 1.6 % of what they hold.
 *
 * Log-linear: each power of two is cut into 64 buckets of equal width, below 64 ns each bucket is 1 ns wide. What is longer than
 * LATENCY_MAX_NS counts as that.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_STEP_BITS 6
#define LATENCY_MAX_BITS  40
#define LATENCY_MAX_NS    ((INT64_C(1) << LATENCY_MAX_BITS) - 1) /* 18 minutes */
#define LATENCY_BUCKETS   ((LATENCY_MAX_BITS - LATENCY_STEP_BITS + 1) << LATENCY_STEP_BITS)

/* Begins as {0}. */
struct latency {
	uint64_t count;
	int64_t max_ns;
	uint32_t buckets[LATENCY_BUCKETS];
};

/* A negative time counts as none. */
void latency_add(struct latency *latency, int64_t ns);

/* The time that a share of all (0.99) did not exceed, as the upper end of its bucket; 0 if there are none. */
int64_t latency_quantile(const struct latency *latency, double share);

#endif
