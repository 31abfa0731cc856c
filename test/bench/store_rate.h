/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_rate: how many readings a second go from the journal into a database, beside that database's own best bulk insert of
 * the same rows, and of what they add to each minute and hour, into the same tables.
 */
#ifndef BENCH_STORE_RATE_H
#define BENCH_STORE_RATE_H

#include "fault.h"
#include "store_target.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_PAIRS_MAX  99
#define STORE_TRIALS_MAX 16

struct store_setup {
	const char *folder; /* exists */
	uint64_t readings;  /* in each of a pair */
	uint64_t sustained; /* readings of the one long run at the end; 0: none */
	int pairs;          /* after one that warms up */
	/* The database's side as it is known to be best here; transaction 0: several are tried. */
	struct store_trial best;
};

/* Readings a second. */
struct store_pair {
	double hearth;
	double bulk;
};

/* MariaDB's alone, for comparison: medians of some runs. */
struct store_beside {
	double without_rollups; /* the bulk insert of the readings alone */
	double bytes;           /* a reading takes with its share of the roll-ups */
	double wide;            /* bulk arrays into one wide table */
	double wide_single;     /* an INSERT and a transaction for each reading into that */
	double wide_bytes;
};

struct store_answer {
	uint32_t series;
	int trial_count;
	struct store_trial trials[STORE_TRIALS_MAX];
	int best; /* of the trials: what the pairs are measured with */
	int pairs;
	struct store_pair pair[STORE_PAIRS_MAX];
	double sustained; /* Hearth alone; 0: not measured */
	struct store_beside beside;
};

/* Measures a house with so many series. False with the reason in *fault. */
bool store_rate_measure(const struct store_setup *setup, const struct store_target *target, uint32_t series,
                        struct store_answer *answer, struct fault *fault);

#endif
