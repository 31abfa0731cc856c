/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bulk_insert: how fast SQLite itself takes readings into Hearth's tables: the yardstick for the way through the journal.
 *
 * A prepared INSERT, rows in memory, WAL and synchronous=NORMAL as in the store, each transaction's rows sorted by key.
 * What is best of transaction size and page cache is left to be tried.
 */
#ifndef BENCH_BULK_INSERT_H
#define BENCH_BULK_INSERT_H

#include "fault.h"

#include <stdint.h>

struct bulk_plan {
	uint64_t readings; /* of readings_at */
	uint32_t series;
	uint32_t transaction; /* rows */
	uint32_t cache_mib;   /* of SQLite's pages; 0: as SQLite has it */
};

/* Makes the database at `path` and inserts the readings. *out: nanoseconds from opening to the last COMMIT. */
bool bulk_insert(const char *path, const struct bulk_plan *plan, int64_t *out, struct fault *fault);

/* How many rows the table `reading` of a database holds; -1 with the reason in *fault. */
int64_t bulk_count(const char *path, struct fault *fault);

#endif
