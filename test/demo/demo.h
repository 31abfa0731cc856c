/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * demo: `make run` for tests: its script with copies of the plugin and of mosquitto_ctrl's module in a house's temporary folder, where it
 * finds no boards unless it is told of them.
 *
 * Environment: HEARTH_ROOMS (default test/demo/rooms/rooms beside the plugin), HEARTH_RIG (build/test/sim/rig), HEARTH_FIRMWARE
 * (build/firmware/hearth.elf), TEST_FOLDER (default test).
 */
#ifndef TEST_DEMO_H
#define TEST_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct client;
struct house;

struct demo {
	struct house *house; /* lends its folder, and its port to the client; it is never started itself */
	pid_t pid;
	int output;
	char text[16384]; /* all that it has printed so far */
	size_t len;
};

enum demo_boards { DEMO_WITHOUT_BOARDS, DEMO_WITH_BOARDS };

/* A house whose folder holds a copy of what the demo takes from the build. */
struct house *demo_house(void);

/*
 * Runs the demo in that folder. `first` goes before PATH; NULL: nothing. With boards it begins with the evening, and an hour takes
 * 7.5 s.
 */
void demo_launch(struct demo *demo, struct house *house, const char *first, enum demo_boards boards);
/* Reads what the demo says until it has said `wanted`. */
void demo_wait_text(struct demo *demo, const char *wanted);
/* Waits until it has printed everything, and lends the house its port. */
void demo_wait_start(struct demo *demo);

/* A first start, without boards, of a new house. */
void demo_start(struct demo *demo);

/* The administrator's, which the first start has shown. */
void demo_password(const struct demo *demo, char password[static 64]);

/* The administrator, signed in with that. */
struct client *demo_client(const struct demo *demo);

/* Tells the whole group of processes, as Ctrl-C and a closed terminal do; then as demo_wait_end. */
int demo_signal(struct demo *demo, int signal);
/* Ctrl-C. */
int demo_interrupt(struct demo *demo);
/* Waits until the demo has ended and nobody of its group is left. Returns its exit status. */
int demo_wait_end(struct demo *demo);

/* The path of one of the demo's scripts. */
void demo_script(char script[static 512], const char *name);

#endif
