/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * place: one location of the house: a room, the board in it, and the way between them: the room's air and light are what the board's
 * sensors measure, and what its outputs do is what the room feels. Says what happens there.
 */
#ifndef DEMO_PLACE_H
#define DEMO_PLACE_H

#include "board.h"
#include "outputs.h"
#include "room.h"
#include "setup.h"

#include <stdio.h>

#define PLACE_COUNT 3

struct place {
	/* Set by the table in rooms.c. */
	const char *location, *device;
	struct room_build build;

	/* For place.c only. */
	struct room room;
	struct board board;
	struct outputs outputs;
	struct setup setup;
	bool runs;          /* the board */
	double flame_until; /* clock_seconds(); 0: there is none */
	/* What the board's sensors were told last. */
	struct {
		int temperature, humidity; /* tenths */
		int light;
	} told;
	char secret_file[256];
};

/* The programs, and the folder in which each board's EEPROM is kept, and its secret until it has it: LOCATION.eeprom, LOCATION.secret. */
struct place_files {
	const char *rig, *elf, *folder;
};

/* Starts its board. False: it has said on stderr why not. */
bool place_start(struct place *place, const struct place_files *files, int port, double hour);

/* Hears what the board told. To be called whenever its `board.out` has something. */
void place_poll(struct place *place);

/* So many hours of the house pass. */
void place_step(struct place *place, double hour, double hours);

/* What people do: a flame in front of the sensor, the access point, warm or cold air. */
void place_fire(struct place *place, double seconds);
void place_wifi(struct place *place, bool on);
void place_temperature(struct place *place, double degrees, bool is_change);

/* How it is there: "livingroom 27.9 °C 52 % light 713, fan on". */
void place_write(const struct place *place, double hour, FILE *to);

#endif
