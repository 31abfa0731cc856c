/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * at: what the WizFi250 says in command mode, byte by byte: results, events, and data that may come between any two of them.
 * Pure.
 *
 *   \r\n[OK]\r\n   [ERROR…]   [CONNECT 0]   [DISCONNECT 0]   [Link-Up Event]   [Link-Down Event]
 *   [0,,,n]              the prompt of AT+SSEND=0,,,n
 *   {0,ip,port,n}data    n bytes received; at the start of a line only
 *   WizFi250 Version …   it has started
 *
 * A line ends with CR or LF; empty lines are nothing. What a line has beyond AT_LINE_MAX bytes is skipped.
 */
#ifndef FIRMWARE_AT_H
#define FIRMWARE_AT_H

#include <stdbool.h>
#include <stdint.h>

#define AT_LINE_MAX 47
#define AT_DATA_MAX 2047 /* bytes that one header announces */

/* In the order of the table in at.c. */
enum at_event {
	AT_NOTHING,
	AT_OK,
	AT_ERROR,
	AT_PROMPT,
	AT_CONNECTED,
	AT_DISCONNECTED,
	AT_LINK_UP,
	AT_LINK_DOWN,
	AT_STARTED,
	AT_LINE, /* any other line, in `line` */
	AT_DATA  /* the byte just fed is data */
};

/* Begins as all zeros. */
struct at_in {
	uint16_t remaining; /* data bytes still to come */
	uint8_t length;
	char line[AT_LINE_MAX + 1]; /* NUL-terminated after an event; holds until the next byte */
};

enum at_event at_feed(struct at_in *in, uint8_t byte);

#endif
