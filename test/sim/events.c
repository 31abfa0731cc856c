/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * events: lines on the output. A line is written at once and whole, so that who reads it may wait for it.
 */
#include "events.h"

#include <stdarg.h>

/* The longest: the EEPROM in hexadecimal. */
#define LINE_MAX_BYTES 4096

static FILE *output;
static uint64_t (*clock_us)(void);

void events_begin(FILE *to, uint64_t (*now_us)(void))
{
	output = to;
	clock_us = now_us;
}

static void put_time(void)
{
	const uint64_t now = clock_us ? clock_us() : 0;

	fprintf(output, "%llu.%06llu ", (unsigned long long)(now / 1000000), (unsigned long long)(now % 1000000));
}

void events_tell(const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;

	if (!output)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	put_time();
	for (const char *c = line; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 127)
			fprintf(output, "\\x%02x", (unsigned char)*c);
		else
			putc(*c, output);
	}
	putc('\n', output);
	fflush(output);
}

void events_tell_bytes(const char *word, const uint8_t *bytes, size_t length)
{
	if (!output)
		return;
	put_time();
	fprintf(output, "%s ", word);
	for (size_t i = 0; i < length; i++)
		fprintf(output, "%02x", bytes[i]);
	putc('\n', output);
	fflush(output);
}
