/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * room: the physics of one room: what its air does with the weather and with what the board's outputs do. Pure, and the
 * same each time.
 *
 * The air is drawn towards other air, each with a rate (1/h): that outside through walls and chinks, much more of it through an open
 * window, and the cellar's, cool and dry, which the fan blows in. Sun and people heat it, cooking and showers moisten it. Over a step in
 * which all that stays as it is, the exact solution is an exponential, which is stable for steps of any length.
 */
#ifndef DEMO_ROOM_H
#define DEMO_ROOM_H

#include "day.h"

/* How the room is built. */
struct room_build {
	double leak;     /* 1/h: walls and chinks */
	double window;   /* 1/h: the window, wide open; 0: there is none */
	double fan;      /* 1/h: the fan at full duty */
	double sun_heat; /* °C/h at noon */
	double people;   /* °C/h at all times */
	double moisture; /* %/h at the evening's height */
	double light;    /* what the light sensor's converter reads at noon: 0 dark … 1023 */
};

/* What the board does that the room feels. */
struct room_outputs {
	double fan;    /* 0 … 1 of full duty */
	double lamp;   /* 0 … 1 */
	double window; /* 0 closed … 1 wide open */
};

struct room {
	double temperature; /* °C */
	double humidity;    /* % */
};

/* As the air is at that hour after a day with everything shut and off. */
struct room room_settled(const struct room_build *build, double hour);

/* So many hours pass, from `hour` on. */
void room_step(struct room *room, const struct room_build *build, const struct room_outputs *outputs, double hour,
               double hours);

/* What the light sensor's converter reads: 0 … 1023. The lamp at its brightest adds 20. */
int room_light(const struct room_build *build, const struct room_outputs *outputs, double hour);

#endif
