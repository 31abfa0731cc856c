/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * console: the USB serial wire. What the board writes is told line by line ("console TEXT"; a line that does not end is told
 * after 50 ms); what is typed reaches it at 115200 baud.
 *
 * With a link, there is a pseudo-terminal as well: all goes there too, what is written to it is typed, and when a program opens
 * it the board is reset, as the DTR line does it.
 */
#ifndef SIM_CONSOLE_H
#define SIM_CONSOLE_H

#include "board.h"

#include <stddef.h>

struct console;

/* NULL: the pseudo-terminal cannot be made (said on stderr). link NULL: none. */
struct console *console_new(struct board *board, const char *link);
/* Takes the link away. */
void console_free(struct console *console);
/* False: more than the board could read in a long time. */
bool console_type(struct console *console, const char *text, size_t length);
/* To be called each slice (0.5 ms). */
void console_poll(struct console *console);

#endif
