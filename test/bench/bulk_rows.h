/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bulk_rows: a house's readings as rows in memory, and what a transaction of them adds to each minute and hour: what the
 * bulk inserts, Hearth's yardsticks, are made from. Written apart from the plugin's own sorting and reckoning on purpose.
 */
#ifndef BENCH_BULK_ROWS_H
#define BENCH_BULK_ROWS_H

#include "fault.h"

#include <stddef.h>
#include <stdint.h>

#define BULK_MINUTE_US INT64_C(60000000)
#define BULK_HOUR_US   INT64_C(3600000000)

struct bulk_plan {
	uint64_t readings; /* of readings_at */
	uint32_t series;
	uint32_t transaction; /* rows */
	uint32_t cache_mib;   /* SQLite: of its pages; 0: as SQLite has it */
	uint32_t chunk;       /* MariaDB: rows in one statement */
	bool without_rollups;
};

struct bulk_row {
	int64_t series; /* 1 … */
	int64_t time_us;
	int64_t seq;
	double number;
};

struct bulk_rollup {
	int64_t series;
	int64_t time_us;
	double min, avg, max;
	int64_t count;
};

struct bulk_rows {
	struct bulk_row *rows; /* as they arrive */
	uint64_t count;
	const struct bulk_row **sorted; /* one transaction, in the order of its keys */
	uint64_t sorted_count;
	struct bulk_rollup *rollups; /* of that transaction, in the order of their keys */
	uint64_t rollup_count;
};

/* All rows of a plan, with room for its transactions. bulk_rows_free in any case. */
bool bulk_rows_make(struct bulk_rows *rows, const struct bulk_plan *plan, struct fault *fault);
void bulk_rows_free(struct bulk_rows *rows);

/* Sets `sorted` to the transaction of so many rows that begins at row `at`. */
void bulk_rows_sort(struct bulk_rows *rows, uint64_t at, uint64_t count);

/* Sets `rollups` to what the sorted rows come to by periods of that length. */
void bulk_rows_roll_up(struct bulk_rows *rows, int64_t period_us);

#endif
