/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See at.h.
 *
 * Bytes gather in `line` until a CR or LF ends them, then the line is held against the table of what is known. A line that
 * begins with "{" is a data header instead: its "}" ends it, and if it is well formed `remaining` bytes of data follow,
 * whatever they are; if it is not, all of the line is dropped. There is no other state, so garbage costs the line it is in,
 * or at most the AT_DATA_MAX bytes of a header that it happens to spell.
 *
 * What always holds: length ≤ AT_LINE_MAX; remaining ≤ AT_DATA_MAX; between two lines, and while data comes, length is 0.
 */
#include "at.h"

#include "flash.h"

#define SOCKET_MAX 0x0F

/* What may follow a known text in its line. */
enum rest { REST_NONE, REST_ANY, REST_SOCKET };

struct known {
	char text[18];
	uint8_t event; /* enum at_event */
	uint8_t rest;  /* enum rest */
};

static const struct known known[] FLASH = {
	{"[OK]", AT_OK, REST_NONE},
	{"[ERROR", AT_ERROR, REST_ANY},
	{"[CONNECT ", AT_CONNECTED, REST_SOCKET},
	{"[DISCONNECT ", AT_DISCONNECTED, REST_SOCKET},
	{"[Link-Up Event]", AT_LINK_UP, REST_NONE},
	{"[Link-Down Event]", AT_LINK_DOWN, REST_NONE},
	{"[Reset Event]", AT_RESET, REST_NONE},
	{"WizFi250 Version ", AT_RESET, REST_ANY},
};

/* The value of a decimal or hexadecimal digit; of anything else, 16 or more. */
static uint8_t digit_value(char character)
{
	const uint8_t decimal = (uint8_t)(character - '0');
	const uint8_t letter = (uint8_t)((character | 0x20) - 'a');

	if (decimal < 10)
		return decimal;
	return letter < 6 ? (uint8_t)(letter + 10) : UINT8_MAX;
}

/*
 * Reads a number of 0 … limit, limit ≤ AT_DATA_MAX, and moves behind it. False: there is none, or it is greater.
 */
static bool read_number(const char **at, uint8_t base, uint16_t limit, uint16_t *number)
{
	const char *from = *at;
	uint16_t value = 0;

	for (;; (*at)++) {
		const uint8_t digit = digit_value(**at);
		if (digit >= base)
			break;
		value = (uint16_t)(value * base + digit);
		if (value > limit)
			return false;
	}
	*number = value;
	return *at != from;
}

/*
 * Reads what stands in a data header or a prompt, "0,192.168.1.2,1883,20" with its closing bracket, to the end of the line;
 * address and port may be empty.
 */
static bool read_transfer(const char *at, char bracket, uint16_t *socket, uint16_t *length)
{
	if (!read_number(&at, 16, SOCKET_MAX, socket) || *at++ != ',')
		return false;
	for (uint8_t field = 0; field < 2; field++) {
		while (*at == '.' || digit_value(*at) < 10)
			at++;
		if (*at++ != ',')
			return false;
	}
	return read_number(&at, 10, AT_DATA_MAX, length) && at[0] == bracket && at[1] == '\0';
}

static void end_header(struct at_in *in)
{
	uint16_t socket;

	in->line[in->length] = '\0';
	if (!read_transfer(in->line + 1, '}', &socket, &in->remaining)) {
		in->remaining = 0;
		return;
	}
	in->socket = (uint8_t)socket;
	in->length = 0;
}

static enum at_event known_event(struct at_in *in)
{
	const uint8_t count = sizeof known / sizeof *known;

	for (uint8_t i = 0; i < count; i++) {
		const uint8_t length = (uint8_t)strlen_P(known[i].text);
		const uint8_t rest = pgm_read_byte(&known[i].rest);
		const char *at = in->line + length;

		if (strncmp_P(in->line, known[i].text, length) != 0)
			continue;
		if (rest == REST_SOCKET && (!read_number(&at, 16, SOCKET_MAX, &in->number) || *at++ != ']'))
			continue;
		if (rest == REST_ANY || *at == '\0')
			return (enum at_event)pgm_read_byte(&known[i].event);
	}
	return AT_LINE;
}

static enum at_event end_line(struct at_in *in)
{
	const bool empty = in->length == 0;
	uint16_t socket;

	in->line[in->length] = '\0';
	in->length = 0;
	if (empty || in->line[0] == '{')
		return AT_NOTHING;
	if (in->line[0] == '[' && read_transfer(in->line + 1, ']', &socket, &in->number))
		return AT_PROMPT;
	return known_event(in);
}

void at_in_reset(struct at_in *in)
{
	memset(in, 0, sizeof *in);
}

enum at_event at_feed(struct at_in *in, uint8_t byte)
{
	if (in->remaining > 0) {
		in->remaining--;
		in->number = in->socket;
		return AT_DATA;
	}
	if (byte == '\r' || byte == '\n')
		return end_line(in);
	if (in->length < AT_LINE_MAX)
		in->line[in->length++] = (char)byte;
	if (byte == '}' && in->line[0] == '{')
		end_header(in);
	return AT_NOTHING;
}

const char *at_line_address(const struct at_in *in)
{
	const char *address = in->line;

	for (const char *at = in->line; *at != '\0'; at++)
		if (at[0] == ':' && at[1] == ' ')
			address = at + 2;

	const char *at = address;
	for (uint8_t i = 0; i < 4; i++) {
		uint16_t part;
		if (i > 0 && *at++ != '.')
			return NULL;
		const char *from = at;
		if (!read_number(&at, 10, UINT8_MAX, &part) || at - from > 3)
			return NULL;
	}
	return *at == '\0' ? address : NULL;
}
