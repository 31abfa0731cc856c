/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_batch: what every backend makes of a batch before it stores it: the rows in the order of their keys, and what they
 * add to each minute and each hour of their series. Private to store*.c.
 */
#ifndef HEARTH_STORE_BATCH_H
#define HEARTH_STORE_BATCH_H

#include "store.h"

/* What rows of one series add to one minute or hour. */
struct rollup {
	int64_t series;
	int64_t time_us; /* where the minute or hour begins */
	double min, avg, max;
	int64_t count; /* never 0 */
};

/* Memory for batches, to be used again and again. All 0 is an empty one. */
struct store_sorted {
	const struct store_row **rows; /* in the order of (series, time_us, seq); NULL: refused, left out of what follows */
	size_t count, capacity;
	struct rollup *rollups;
	size_t rollup_count, rollup_capacity;
};

/* False: no memory. The rows have to outlive what is made of them. */
bool sorted_set(struct store_sorted *sorted, const struct store_row *rows, size_t count);

/*
 * Reckons the rollups of all rows that are finite numbers, by periods of period_us (STORE_MINUTE_US, STORE_HOUR_US), in the
 * order of (series, time_us). False: no memory. The next call replaces them.
 */
bool sorted_roll_up(struct store_sorted *sorted, int64_t period_us);

/*
 * The minutes (period 0) or hours (1) that are to be stored with a batch whose rows were set: those that it brings, or those
 * that its rows come to. False: no memory. Valid until the next call of any of these.
 */
bool sorted_rollups(struct store_sorted *sorted, const struct store_batch *batch, size_t period,
                    const struct rollup **rollups, size_t *count);

void sorted_free(struct store_sorted *sorted);

/* The beginning of the period that a time lies in; before 1970 too. */
int64_t period_begin(int64_t time_us, int64_t period_us);

#endif
