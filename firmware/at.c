/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See at.h.
 *
 * Bytes gather in `line` until a CR or LF ends them, then its beginning is held against the table of what is known. In a line that
 * begins with "{" the "}" ends a data header, and as many bytes of data follow as its last number says; not so if that is none. There
 * is no other state, so garbage costs the line it is in, or at most the AT_DATA_MAX bytes of a header that it happens to spell.
 *
 * What always holds: length ≤ AT_LINE_MAX; a NUL stands behind the line's bytes; remaining ≤ AT_DATA_MAX; between two lines, and while data comes, length is 0.
 */
#include "at.h"

#include "flash.h"

/* How the lines of AT_OK … AT_STARTED begin, in that order. */
static const char known[] FLASH = "[OK]\0"
								  "[ERROR\0"
								  "[0,,,\0"
								  "[CONNECT 0]\0"
								  "[DISCONNECT 0]\0"
								  "[Link-Up\0"
								  "[Link-Down\0"
								  "WizFi250 V";

/* The number behind the last comma of a data header; of one that is too big, a part. */
static uint16_t announced(const char *at)
{
	uint16_t number = 0;

	for (; *at != '\0'; at++) {
		const uint8_t digit = (uint8_t)(*at - '0');
		if (digit < 10)
			number = (uint16_t)(number * 10 + digit);
		else if (*at == ',')
			number = 0;
	}
	return number & AT_DATA_MAX;
}

static enum at_event end_line(const char *line)
{
	const char *text = known;

	for (uint8_t event = AT_OK; event <= AT_STARTED; event++) {
		bool same = true;
		for (uint8_t i = 0;; i++) {
			const char wanted = (char)pgm_read_byte(text++);
			if (wanted == '\0')
				break;
			if (line[i] != wanted)
				same = false;
		}
		if (same)
			return (enum at_event)event;
	}
	return AT_LINE;
}

enum at_event at_feed(struct at_in *in, uint8_t byte)
{
	if (in->remaining > 0) {
		in->remaining--;
		return AT_DATA;
	}
	if (byte == '\r' || byte == '\n') {
		if (in->length == 0)
			return AT_NOTHING;
		in->length = 0;
		return end_line(in->line);
	}
	if (in->length < AT_LINE_MAX)
		in->line[in->length++] = (char)byte;
	in->line[in->length] = '\0';
	if (byte == '}' && in->line[0] == '{') {
		in->remaining = announced(in->line);
		in->length = 0;
	}
	return AT_NOTHING;
}
