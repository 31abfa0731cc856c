/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * value: what a payload says, when, and how both are written.
 *
 * A value is a number, one of six words that mean 1 or 0 (on true open, off false closed), or, on subjects other than
 * `value`, any other text. Equality follows from it: two numbers compare as numbers, all else byte for byte.
 */
#ifndef HEARTH_VALUE_H
#define HEARTH_VALUE_H

#include "topic.h"

/* One moment on both clocks: wall for what is stored and shown, monotonic for durations. */
struct instant {
	int64_t wall_us; /* microseconds since 1970-01-01T00:00:00Z */
	int64_t mono_ms; /* milliseconds since an arbitrary start; never steps */
};

struct value {
	double number;     /* finite; meaningful if is_number */
	struct slice text; /* the word as it was written; empty for a plain number */
	bool is_number;
};

/* Longest text of a value in bytes; longer payloads are delivered but neither stored nor compared. */
#define VALUE_TEXT_MAX 4096
/* The value of a number. */
struct value value_of_number(double number);

/*
 * The value of any text: white space at the ends is ignored, a JSON number or one of the six words becomes a number
 * (a word keeps its text). The text points into `text`.
 */
struct value value_of_text(struct slice text);

/* Equal by the contract's rule: as numbers if both are numbers, else the same bytes. */
bool value_equal(const struct value *a, const struct value *b);

/* Longest text that value_print makes of a number, NUL included. */
#define NUMBER_TEXT_MAX 32

/*
 * The payload that says this value: its text if it has one, else a decimal of 15 to 17 digits at most that reads back as
 * the same number, written to `buffer`. The slice points to the text or to the buffer.
 */
struct slice value_print(const struct value *value, char buffer[static NUMBER_TEXT_MAX]);

#define NUMBER_DIGITS_MAX 512

/*
 * Reads a JSON number (RFC 8259 grammar, all of the slice). False if it is none; infinite results (1e999) read as true
 * with *out infinite, so that the caller can tell "not finite" from "not a number". More than NUMBER_DIGITS_MAX bytes
 * are none. Independent of the locale.
 */
bool number_parse(struct slice text, double *out);

/* ISO-8601 with date, time, up to 9 decimals and 'Z' or ±hh:mm → microseconds since 1970. False if it is none. */
bool time_parse(struct slice text, int64_t *out_us);

#define TIME_TEXT_MAX 32
/* Microseconds since 1970 (years 0000 … 9999) → "2026-11-22T10:00:00.123456Z". Returns buffer. */
char *time_print(int64_t time_us, char buffer[static TIME_TEXT_MAX]);

#endif
