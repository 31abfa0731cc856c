/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * setup: brings a board's settings to what they should be, over its console, as a person with a USB cable would: `show`, a `set` for
 * each that differs, `save`. A new board gets them all; on a later start it is the broker's port at most. Pure.
 *
 * The board's secret is never shown: it is set if there is one to set, and else must have been.
 */
#ifndef DEMO_SETUP_H
#define DEMO_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#define SETUP_SECRET_MAX  42 /* with its NUL */
#define SETUP_COMMAND_MAX 96

enum setup_state { SETUP_WAITS, SETUP_SHOWS, SETUP_SETS, SETUP_SAVES, SETUP_DONE, SETUP_FAILED };

struct setup {
	const char *location, *device;
	char secret[SETUP_SECRET_MAX]; /* empty: the board has one. Wiped when it is saved */
	char port[6];
	enum setup_state state;
	uint16_t differ; /* a bit for each setting that is not as it should be */
	bool was_set;    /* the board says that it has a secret */
};

/* `location` and `device` must stay. `secret` may be empty. */
void setup_init(struct setup *setup, const char *location, const char *device, const char *secret, int port);

/*
 * Takes a line of the console. True: `command` is to be typed next. The board's banner begins the whole anew, whatever
 * came before.
 */
bool setup_hear(struct setup *setup, const char *line, char command[static SETUP_COMMAND_MAX]);

#endif
