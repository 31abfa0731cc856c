/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * clock: milliseconds since the start, from Timer2, and its other half, the buzzer's tone. Hardware; the arithmetic is not.
 *
 * The count wraps after 49.7 days, so moments are compared by their difference only.
 */
#ifndef FIRMWARE_CLOCK_H
#define FIRMWARE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

void clock_init(void);
uint32_t clock_ms(void);

/* A tone on the buzzer's pin, 500 … 5000 Hz; 0: silent, pin low. */
void clock_tone(uint16_t hz);

/* Is `now` at or behind `moment`? Right as long as they are less than 24.8 days apart. */
static inline bool clock_reached(uint32_t now, uint32_t moment)
{
	return (int32_t)(now - moment) >= 0;
}

/* The same of the low 16 bits, which are enough, and half the code and RAM, for moments less than 32.7 s apart. */
static inline bool clock_reached_short(uint16_t now, uint16_t moment)
{
	return (int16_t)(uint16_t)(now - moment) >= 0;
}

#endif
