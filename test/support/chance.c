/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See chance.h. The generator is splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
 */
#include "chance.h"

#include "patience.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static uint64_t state;

void chance_begin(void)
{
	const char *repeat = getenv("HEARTH_SEED");

	state = repeat != NULL && repeat[0] != '\0' ? strtoull(repeat, NULL, 10) : (uint64_t)wall_us() % 1000000000;
	print_message("HEARTH_SEED=%llu\n", (unsigned long long)state);
}

static uint64_t next(void)
{
	uint64_t mixed = state += UINT64_C(0x9E3779B97F4A7C15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
	return mixed ^ mixed >> 31;
}

uint32_t chance_below(uint32_t limit)
{
	return (uint32_t)((next() >> 32) * limit >> 32);
}

bool chance_once_in(uint32_t times)
{
	return chance_below(times) == 0;
}

void chance_pause(uint32_t limit_us)
{
	uint32_t us = chance_below(limit_us);
	const struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

	nanosleep(&pause, NULL);
}
