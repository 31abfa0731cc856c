/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bulk_mariadb: how fast MariaDB takes readings, and what they add to each minute and hour, into Hearth's tables by
 * libmariadb's bulk arrays alone: the yardstick for the way through the journal.
 *
 * One connection, prepared statements, rows in memory, each transaction's rows sorted by key. What is best of transaction
 * and chunk (rows in one statement) is left to be tried.
 */
#ifndef BENCH_BULK_MARIADB_H
#define BENCH_BULK_MARIADB_H

#include "bulk_rows.h"
#include "database.h"

/* Inserts the readings into tables that are there and empty. *out: nanoseconds from connecting to the last COMMIT. */
bool bulk_mariadb_insert(const struct database_place *place, const struct bulk_plan *plan, int64_t *out,
                         struct fault *fault);

#endif
