/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * chance: random numbers that can be had again.
 *
 * The seed is printed once; HEARTH_SEED in the environment repeats a run as far as the machine's timing lets it. Used
 * by a test's own thread only.
 */
#ifndef TEST_CHANCE_H
#define TEST_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* Prints the seed and begins with it. */
void chance_begin(void);

/* From 0 up to and without `limit`, which is at least 1. */
uint32_t chance_below(uint32_t limit);

/* True once in `times` calls, on average. */
bool chance_once_in(uint32_t times);

/* Waits for a random time of less than `limit_us` microseconds. */
void chance_pause(uint32_t limit_us);

#endif
