/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_house: the same people before two doors: Mosquitto with its password file, and Mosquitto with Hearth. There are
 * devices, some residents with passwords that they chose, and a service for a pair of clients on pair/#.
 */
#ifndef BENCH_SIGN_IN_HOUSE_H
#define BENCH_SIGN_IN_HOUSE_H

#include "machine.h"
#include "server.h"
#include "sign_in_accounts.h"
#include "sign_in_attempts.h"

enum sign_in_door { DOOR_FILE, DOOR_HEARTH, DOORS };

extern const char *const DOOR_NAMES[DOORS];

#define HOUSE_RESIDENTS  20
#define HOUSE_PAIR       "pair"
#define HOUSE_PAIR_TOPIC "pair/here"

struct sign_in_house {
	const char *mosquitto;
	const char *hearth; /* absolute path of the plugin */
	const char *folder; /* exists */
	struct pins pins;
	int devices;
	struct sign_in_passwords passwords;
};

/* Writes the people for both doors. The fields before `passwords` are set. */
bool sign_in_house_make(struct sign_in_house *house, struct fault *fault);

/* Starts a broker, which knows the people as after a restart. */
bool sign_in_house_start(const struct sign_in_house *house, enum sign_in_door door, struct server *server,
                         struct fault *fault);

/* What devices and the pair sign in with there. */
const char *sign_in_house_password(const struct sign_in_house *house, enum sign_in_door door);

/* The n-th device, with the right password. */
void sign_in_house_device(const struct sign_in_house *house, enum sign_in_door door, int n, struct attempt *out);

/*
 * The n-th attempt of somebody who guesses: a resident, a device, or a name that nobody has, each time with another wrong
 * password, from so many addresses in turn.
 */
void sign_in_house_guess(const struct sign_in_house *house, int n, int addresses, struct attempt *out);

#endif
