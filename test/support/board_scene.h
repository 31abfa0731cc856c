/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * board_scene: a house with accounts and one simulated board (rig.h) that is online in it as BOARD, with a secret of its own.
 *
 * The administrator is MQTT 5 and sees all there is in the board's location. In virtual time what waits here lets time pass,
 * in steps, so that the board is never far ahead of the broker, which lives in real time.
 */
#ifndef TEST_BOARD_SCENE_H
#define TEST_BOARD_SCENE_H

#include "client.h"
#include "house.h"
#include "rig.h"

#include <stdbool.h>

#define BOARD_LOCATION "livingroom"
#define BOARD_DEVICE   "uno1"
#define BOARD          BOARD_LOCATION "/" BOARD_DEVICE /* its user name, and where its topics begin */

struct board_scene {
	struct house *house;
	struct client *admin;
	struct rig *rig;
	char *secret;
	bool is_virtual;
};

/* `options` as of rig_start, `settings` as of rig_provision. The board's `online` is taken, and what it says with it. */
struct board_scene board_scene_begin(const char *options, const char *settings);
void board_scene_end(struct board_scene *s);
/* cmocka teardown: ends what a failed test left. */
int board_scene_teardown(void **state);

/* Publishes the config of one of the board's sensors or actuators; ' stands for ". NULL: takes it away. */
void board_configure(const struct board_scene *s, const char *sensor, const char *single_quoted);
/* A command by a person, to NAME/set of the board. */
void board_set(const struct board_scene *s, const char *actuator, const char *text);

/* As rig_wait, of simulated seconds in virtual time. */
const struct rig_line *board_tells(const struct board_scene *s, double seconds, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A command to the rig, and what was told until then is none of what comes. Returns when it took effect. */
double board_do(const struct board_scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next message on BOARD/`below` that the administrator gets within so many seconds; NULL: none. */
const struct message *board_says(const struct board_scene *s, double seconds, const char *below);
/* Waits until the board says, or has said since the last that was taken, that it is online. */
void board_comes_online(const struct board_scene *s);
/* Waits for a `value` of the sensor with this value, skipping others; all readings of a batch are looked at. */
void board_reads(const struct board_scene *s, double seconds, const char *sensor, double value);
/* The deepest stack since the rig was started, in bytes. */
int board_stack(const struct board_scene *s);
/* Lets time pass. */
void board_passes(const struct board_scene *s, double seconds);

#endif
