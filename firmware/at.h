/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * at: what the WizFi250 says in command mode, byte by byte: results, events, and data that may come between any two of them.
 * Pure.
 *
 *   \r\n[OK]\r\n   [ERROR…]   [CONNECT 0]   [DISCONNECT 0]   [Link-Up Event]   [Link-Down Event]   [Reset Event]
 *   [0,,,n]              the prompt of AT+SSEND=0,,,n
 *   {0,ip,port,n}data    n bytes received; at the start of a line only
 *   WizFi250 Version …   it has started
 *
 * A line ends with CR or LF; empty lines are nothing. What a line has beyond AT_LINE_MAX bytes is skipped. A line that begins as a
 * data header and is none is dropped. Sockets are 0 … F, in hexadecimal.
 */
#ifndef FIRMWARE_AT_H
#define FIRMWARE_AT_H

#include <stdbool.h>
#include <stdint.h>

#define AT_LINE_MAX 63
#define AT_DATA_MAX 2048 /* bytes that one header or prompt announces */

enum at_event {
	AT_NOTHING,
	AT_OK,
	AT_ERROR,
	AT_PROMPT,       /* number: the bytes it waits for */
	AT_CONNECTED,    /* number: the socket */
	AT_DISCONNECTED, /* number: the socket */
	AT_LINK_UP,
	AT_LINK_DOWN,
	AT_RESET, /* it resets itself, or has started: "[Reset Event]", its banner */
	AT_DATA,  /* the byte just fed is data; number: its socket */
	AT_LINE   /* any other line, in `line` */
};

struct at_in {
	uint16_t number;
	uint16_t remaining; /* data bytes still to come */
	uint8_t socket, length;
	char line[AT_LINE_MAX + 1]; /* NUL-terminated after an event; holds until the next byte */
};

void at_in_reset(struct at_in *in);
enum at_event at_feed(struct at_in *in, uint8_t byte);

/* Is the line a dotted quad, or does it end with one behind ": "? Returns where that begins in `line`, or NULL. */
const char *at_line_address(const struct at_in *in);

#endif
