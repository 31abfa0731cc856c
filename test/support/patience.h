/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * patience: how long a test waits, and for what.
 *
 * A test never sleeps for a fixed time and hopes: it looks again and again until a deadline. Deadlines are generous,
 * because only a failing test waits for them, and are longer still under a sanitizer (HEARTH_PRELOAD is set).
 */
#ifndef TEST_PATIENCE_H
#define TEST_PATIENCE_H

#include <stdint.h>

/* Deadline for what should happen at once, in milliseconds. */
#define SOON 5000

/* Monotonic milliseconds. */
int64_t now_ms(void);

/* Wall clock, microseconds since 1970. */
int64_t wall_us(void);

/* The moment (as now_ms) that lies `ms` ahead, or a multiple of that on a slow build. */
int64_t deadline_in(int ms);

/* Lets other processes run for a moment between two looks. */
void look_again(void);

/* ISO-8601 UTC with microseconds, as Hearth writes times. Returns buffer. */
char *iso_time(int64_t us, char buffer[static 40]);

#endif
