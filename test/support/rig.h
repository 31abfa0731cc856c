/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rig: a simulated board: a process of test/sim (its --help has the commands and the lines it tells) with the real firmware image, in
 * real time unless said otherwise. It dies with the test's process.
 *
 * Environment: HEARTH_RIG (default build/test/sim/rig), HEARTH_FIRMWARE (default build/firmware/hearth.elf; the symbols beside
 * it, .sym). Everything here fails the running test if it cannot do what it says; one thread only.
 */
#ifndef TEST_RIG_H
#define TEST_RIG_H

#include <stdbool.h>
#include <stddef.h>

struct house;
struct rig;

/* A line that the rig told. */
struct rig_line {
	double time;    /* simulated seconds */
	char text[240]; /* what is behind the time: "led 128" */
};

/* Starts a rig with an erased EEPROM of its own. `options`: more arguments, such as "--virtual"; NULL: none. */
struct rig *rig_start(const char *options);
/* Quits it and frees it; its EEPROM is removed. */
void rig_free(struct rig *rig);
/* cmocka teardown: ends what a failed test left, and prints the last lines each rig told. */
int rig_teardown(void **state);

/* A command, answered: returns the simulated time at which it took effect. */
double rig_do(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Waits until a line is told that begins with this text (of those not yet waited past), at most so many real seconds. Lines before it are
 * skipped. The line is valid until the next call.
 */
const struct rig_line *rig_wait(struct rig *rig, double seconds, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* True if no such line came for so many real seconds (none of those not yet waited past either). */
bool rig_is_quiet(struct rig *rig, double seconds, const char *text);
/* How many lines since the start begin with this text. */
size_t rig_count(struct rig *rig, const char *text);
/* The newest line that begins with this text, NULL: none yet. Waits for nothing but what is there. */
const struct rig_line *rig_last(struct rig *rig, const char *text);

/* Types a line on the console and waits for its "ok". */
void rig_type(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * Sets network, broker (127.0.0.1 at the house's port), LOCATION/DEVICE and secret over the console, and saves. With `more` lines of
 * "NAME VALUE" separated by ';', such as "period_s 1;safe_after_s 10".
 */
void rig_provision(struct rig *rig, const struct house *house, const char *location, const char *device,
                   const char *secret, const char *more);

#endif
