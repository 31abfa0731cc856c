/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wide_table: the design that Hearth's tables take the place of: one table a house, each row with its whole topic, and how fast
 * MariaDB takes readings into it.
 */
#ifndef BENCH_WIDE_TABLE_H
#define BENCH_WIDE_TABLE_H

#include "bulk_rows.h"
#include "database.h"

/*
 * Readings a second by bulk arrays, in the plan's chunks and transactions; the time in which the benchmark makes the rows'
 * texts is left out. *bytes: what a row takes, with its key.
 */
bool wide_table_arrays(const struct database_place *place, const struct bulk_plan *plan, double *rate, double *bytes,
                       struct fault *fault);

/* Readings a second with an INSERT and a transaction for each, as Node-RED's mysql node does, for some seconds. */
bool wide_table_singles(const struct database_place *place, const struct bulk_plan *plan, int seconds, double *rate,
                        struct fault *fault);

#endif
