/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * clock: the benchmark's stopwatch.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

#define SECOND_NS INT64_C(1000000000)

/* Nanoseconds since some moment; never steps. */
int64_t clock_ns(void);

/* Microseconds since 1970, UTC. */
int64_t clock_wall_us(void);

void clock_sleep_us(int64_t microseconds);

#endif
