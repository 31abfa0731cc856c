/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_beside: what MariaDB does without roll-ups, and with the one wide table of other designs.
 */
#ifndef BENCH_STORE_BESIDE_H
#define BENCH_STORE_BESIDE_H

#include "store_rate.h"

/* With the rows of a plan, and in its chunks and transactions. The target is empty before and after. */
bool store_beside_measure(const struct store_target *target, const struct bulk_plan *plan, struct store_beside *out,
                          struct fault *fault);

#endif
