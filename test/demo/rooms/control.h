/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: a named pipe (0600) by which people reach into the house. A line each:
 *
 *   fire LOCATION [SECONDS]          a flame before the sensor, by default for 20 s
 *   wifi LOCATION on|off             the access point
 *   temperature LOCATION +3          the air, warmer by so much; -3: cooler; 24.5: so warm
 */
#ifndef DEMO_CONTROL_H
#define DEMO_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

enum control_verb { CONTROL_FIRE, CONTROL_WIFI, CONTROL_TEMPERATURE };

struct control_command {
	enum control_verb verb;
	char location[33];
	double number;  /* seconds or degrees */
	bool is_change; /* of the temperature, by so many degrees */
	bool on;
};

/* Pure. NULL: `command` is filled in; else what was wanted. */
const char *control_parse(const char *line, struct control_command *command);

struct control {
	int file; /* to wait for */
	char path[256];
	char text[256]; /* a line that is not whole yet */
	size_t length;
};

/* Makes the pipe. False: errno says why. */
bool control_open(struct control *control, const char *path);
/* Hands over every whole line. Never waits. */
void control_poll(struct control *control, void (*take)(void *context, const char *line), void *context);
/* Removes the pipe. */
void control_close(struct control *control);

#endif
