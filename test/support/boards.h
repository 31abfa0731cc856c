/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * boards: simulated boards (rig.h) that are devices of a house with accounts, and what tests say of them most often.
 *
 * A board is the device lab/NAME with ACCOUNTS_SECRET. Each takes seconds to be set up, for its EEPROM is slow, so all of a test
 * are set up side by side. The time of a virtual board passes only in the functions here, and in boards_run.
 */
#ifndef TEST_BOARDS_H
#define TEST_BOARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct house;
struct message;
struct rig;
struct rig_line;

#define BOARDS_LOCATION "lab"

struct board {
	const char *name;
	const char *more; /* further settings, "NAME VALUE" apart by ';'; NULL: none */
	bool is_virtual;  /* set before boards_begin */
	struct house *house;
	struct client *admin; /* the administrator, who sees all that lab says */
	struct rig *rig;
	int light, led; /* as last set here: another each time, by which new is told from old */
	char topic[96];
};

/* A reading as a board told it. */
struct told {
	int64_t boot, seq, age; /* ms; 0: now */
	double value;
};
#define TOLD_MAX 16

/* The administrator's client, which sees all that lab says. */
struct client *boards_admin(const struct house *house);

/* An account for each, and their rigs with their settings saved; name, more and is_virtual are set. They may be online or not. */
void boards_begin(struct board *boards, size_t count, struct house *house, struct client *admin);
/* Ends its rig. */
void board_end(struct board *board);

/* Makes an account with ACCOUNTS_SECRET, or gives it that again. */
void board_account(struct client *admin, const char *name);

/* LOCATION/NAME/… of such a board; valid until the next call for the same one. */
const char *board_topic(struct board *board, const char *sensor, const char *subject);

/* Lets time pass on a virtual one; does nothing to another, whose time passes by itself. */
void board_run(struct board *board, double seconds);
/* As rig_wait, in the board's seconds. */
const struct rig_line *board_wait(struct board *board, double seconds, const char *text);

/* It says "online", in a message not taken yet, within so many of its seconds. */
bool board_is_online(struct board *board, double seconds);
/* It measures and publishes: a new light arrives as a `value` within so many of its seconds. */
bool board_publishes(struct board *board, double seconds);
/* It must receive and obey: a new `set` reaches the LED, its `state` arrives; and its `status` must be "online". */
void board_expect_obeys(struct board *board);
/* Both. */
void board_expect_alive(struct board *board, double seconds);

/* The readings of a `value`; returns how many. */
size_t board_told(const struct message *message, struct told out[static TOLD_MAX]);

/* How often its processor began anew. */
size_t board_resets(struct board *board);
/* How often a connection or the network was lost or given up, as its module tells. */
size_t board_losses(struct board *board);

#endif
