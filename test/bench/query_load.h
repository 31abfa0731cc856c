/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * query_load: fills an empty database with a layout's readings and their roll-ups, by the quickest way that it has.
 */
#ifndef BENCH_QUERY_LOAD_H
#define BENCH_QUERY_LOAD_H

#include "query_layout.h"
#include "store_target.h"

/* The minutes are those that are kept: of the last so many days. */
#define QUERY_MINUTE_DAYS 30

/* False with the reason in *fault. */
bool query_load(const struct store_target *target, const struct query_layout *layout, struct fault *fault);

#endif
