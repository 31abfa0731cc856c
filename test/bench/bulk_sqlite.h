/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bulk_sqlite: how fast SQLite itself takes readings, and what they add to each minute and hour, into Hearth's tables: the
 * yardstick for the way through the journal.
 *
 * Prepared statements, rows in memory, WAL and synchronous=NORMAL as in the store, each transaction's rows sorted by key.
 * What is best of transaction size and page cache is left to be tried.
 */
#ifndef BENCH_BULK_SQLITE_H
#define BENCH_BULK_SQLITE_H

#include "bulk_rows.h"

/* Makes the database at `path` and inserts the readings. *out: nanoseconds from opening to the last COMMIT. */
bool bulk_sqlite_insert(const char *path, const struct bulk_plan *plan, int64_t *out, struct fault *fault);

/* The first column of a query's first row, of a database that is not open; -1 with the reason in *fault. */
int64_t bulk_sqlite_number(const char *path, const char *sql, struct fault *fault);

#endif
