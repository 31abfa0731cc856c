/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * append_cost: what appending a reading to the journal costs, beside a plain memcpy of the same bytes into a mapped file
 * and beside write(2) of them.
 */
#ifndef BENCH_APPEND_COST_H
#define BENCH_APPEND_COST_H

#include "fault.h"
#include "machine.h"

#include <stdint.h>

enum way { WAY_JOURNAL, WAY_MEMCPY, WAY_WRITE, WAY_COUNT };

extern const char *const WAY_NAMES[WAY_COUNT];

struct append_setup {
	const char *folder; /* exists */
	struct pins pins;
	uint64_t readings; /* in a round, for each way */
};

/* Nanoseconds a reading. */
struct append_round {
	double hot[WAY_COUNT];  /* the median of short rows of readings: their page and segment are there */
	double mean[WAY_COUNT]; /* all of them: with page faults and changes of segment */
	double change;          /* one change of segment, in the mean; 0: there was none */
	int changes;
	int waits; /* how often the disk was too slow for this flood, which is not counted */
};

/* False with the reason in *fault. */
bool append_cost_measure(const struct append_setup *setup, struct append_round *round, struct fault *fault);

#endif
