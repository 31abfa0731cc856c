/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * board: a simulated board: a child process of test/sim (rig --help has its protocol), with a pipe each way. Nothing here waits but
 * board_stop.
 */
#ifndef DEMO_BOARD_H
#define DEMO_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct board {
	pid_t pid; /* 0: none */
	int in, out;
	size_t length;
	char text[4096]; /* told, up to a line that is not whole yet */
};

/* Starts the rig with this image; its EEPROM is kept in that file. False: errno says why. */
bool board_start(struct board *board, const char *rig, const char *elf, const char *eeprom);

/* A command for the rig. It is lost if the rig takes nothing, which is seen by its end. */
void board_command(struct board *board, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands every whole line that was told, without its time, to `hear`. False: the rig has ended. */
bool board_poll(struct board *board, void (*hear)(void *context, const char *line), void *context);

/* Two steps, so that several end at the same time: tells it to end; waits until it has, two seconds at most, or kills it. */
void board_end(struct board *board);
void board_wait(struct board *board);

#endif
