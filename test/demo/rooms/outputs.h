/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outputs: what a board's pins do, from the lines that the rig tells. Pure.
 */
#ifndef DEMO_OUTPUTS_H
#define DEMO_OUTPUTS_H

#include "room.h"

#include <stdbool.h>

struct outputs {
	int led;       /* 0 … 255 */
	int motor;     /* duty: 0 … 255, whichever way it turns */
	int window_us; /* the servo's last pulse; it stays where it is when let go */
	int door_us;
	int buzzer_hz;
};

/* As they are when the board has power: windows and doors shut. */
extern const struct outputs outputs_at_start;

/* Takes a line of the rig, without its time: "motor 255 forward". False: it is about something else. */
bool outputs_hear(struct outputs *outputs, const char *line);

struct room_outputs outputs_in_room(const struct outputs *outputs);

bool outputs_window_open(const struct outputs *outputs);
bool outputs_door_open(const struct outputs *outputs);

#endif
