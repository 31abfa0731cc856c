/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * clock: see clock.h.
 */
#include "clock.h"

#include <time.h>

int64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

int64_t clock_wall_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

void clock_sleep_us(int64_t microseconds)
{
	struct timespec time = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
	nanosleep(&time, NULL);
}
