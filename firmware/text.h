/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * text: what is sent or shown, byte by byte, without a buffer; numbers from and to text. Pure.
 *
 * A message is never put together in RAM: a text_source writes it into a sink as often as it is asked to, the same each time:
 * once to be counted, then once for each part that goes out.
 */
#ifndef FIRMWARE_TEXT_H
#define FIRMWARE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Takes bytes. The struct around it may hold more. */
struct sink {
	void (*put)(struct sink *sink, uint8_t byte);
};

/* Something that can be written; `context` must outlive its use and not change between two writes. */
struct text_source {
	void (*write)(struct sink *sink, const void *context);
	const void *context;
};

/* Bytes that a source writes (0 … 65535). */
uint16_t text_length(const struct text_source *source);

void text_put(struct sink *sink, uint8_t byte);
void text_string(struct sink *sink, const char *string); /* NUL-terminated, in RAM */
void text_flash(struct sink *sink, const char *string);  /* NUL-terminated, in program memory */
void text_unsigned(struct sink *sink, uint32_t number);
void text_signed(struct sink *sink, int16_t number);
/* -405 → "-40.5", 230 → "23". */
void text_tenths(struct sink *sink, int16_t tenths);

/* A whole decimal number with nothing before or after it; false: none, or beyond ±32767. */
bool text_parse(const char *text, uint8_t length, int16_t *number);
/* 0 … 65535. */
bool text_parse_unsigned(const char *text, uint8_t length, uint16_t *number);
/* "23.5" → 235; at most one digit behind the point; false: none, or beyond ±3276.7. */
bool text_parse_tenths(const char *text, uint8_t length, int16_t *tenths);

#endif
