/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * events: what the rig tells, one line each on its output, led by the simulated time: "12.345678 led 255".
 */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Where the lines go (NULL: nowhere), and the clock that dates them, in microseconds. */
void events_begin(FILE *to, uint64_t (*now_us)(void));

/* Tells a line; what is no printable text in it is told as \xNN. */
void events_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Tells bytes: the word, then two hexadecimal digits each. */
void events_tell_bytes(const char *word, const uint8_t *bytes, size_t length);

#endif
