/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_storm: all devices of a house come back at once after their broker was started again: how long until all are in.
 */
#ifndef BENCH_SIGN_IN_STORM_H
#define BENCH_SIGN_IN_STORM_H

#include "sign_in_house.h"

#define STORM_ROUNDS_MAX 99

struct storm {
	int rounds;
	double in_ms[DOORS][STORM_ROUNDS_MAX];    /* from the first connect to the last CONNACK */
	double start_ms[DOORS][STORM_ROUNDS_MAX]; /* the broker's start, until it answered */
	double cpu_ms[DOORS][STORM_ROUNDS_MAX];   /* what all sign-ins took of the broker's thread */
	double ratio[STORM_ROUNDS_MAX];           /* Hearth's in_ms by the password file's, of brokers started in a row */
	char mosquitto_version[32];
};

/* Each round starts both brokers, one after the other. `at_once` devices wait for their answer at the same time. */
bool sign_in_storm_measure(const struct sign_in_house *house, int rounds, int at_once, struct storm *out,
                           struct fault *fault);

#endif
