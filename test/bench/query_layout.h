/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * query_layout: fourteen months of a house's readings, made from their index: each series has one every few minutes, and the
 * first one has one a second over the last two days besides.
 */
#ifndef BENCH_QUERY_LAYOUT_H
#define BENCH_QUERY_LAYOUT_H

#include "readings.h"

#define LAYOUT_SECOND_US INT64_C(1000000)
#define LAYOUT_DAY_US    (86400 * LAYOUT_SECOND_US)
#define LAYOUT_DAYS      425
#define LAYOUT_FAST_DAYS 2

/* Fewer would leave hours without a reading. */
#define LAYOUT_PER_SERIES_MIN (LAYOUT_DAYS * 24 * 5 / 4)

struct query_layout {
	uint64_t readings; /* of all series together */
	uint32_t series;
	int64_t begin_us;
	int64_t end_us; /* the last reading is before it */
	uint64_t slow;  /* of each series but the first */
	uint64_t slow_of_first;
	uint64_t fast; /* of the first alone */
};

struct query_layout query_layout_make(uint64_t readings, uint32_t series, int64_t end_us);

/* How many readings a series (0 … series - 1) has, and reading `index` of it, in the order of time. */
uint64_t query_layout_count(const struct query_layout *layout, uint32_t series);
struct reading query_layout_at(const struct query_layout *layout, uint32_t series, uint64_t index);

#endif
