/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * words: the words of topics and of commands, in one place in program memory. Pure.
 */
#ifndef FIRMWARE_WORDS_H
#define FIRMWARE_WORDS_H

#include <stdint.h>

/* Where the groups begin, and the words that are written. */
enum word {
	WORD_ACTUATORS,   /* in the order of enum actuator */
	WORD_SENSORS = 5, /* in the order of enum sensor */
	WORD_OFF = 9,     /* off, false, closed: 0 */
	WORD_CLOSED = 11,
	WORD_ON = 12, /* on, true, open: 1 */
	WORD_OPEN = 14,
	WORD_ALARM = 15,
	WORD_NONE,
	WORD_WANTED = WORD_NONE /* by enum actuator: what it understands, for people */
};

/* NUL-terminated, in program memory. */
const char *word_text(uint8_t index);
/* Which of the words before WORD_NONE these bytes are, or WORD_NONE. */
uint8_t word_find(const char *text, uint8_t length);

#endif
