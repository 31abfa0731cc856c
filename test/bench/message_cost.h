/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * message_cost: what one message costs a broker that is bare, has an empty plugin, or has Hearth.
 */
#ifndef BENCH_MESSAGE_COST_H
#define BENCH_MESSAGE_COST_H

#include "fault.h"
#include "machine.h"

#include <stddef.h>
#include <stdint.h>

enum variant { VARIANT_BARE, VARIANT_EMPTY, VARIANT_HEARTH, VARIANT_COUNT };

extern const char *const VARIANT_NAMES[VARIANT_COUNT];

struct question {
	const char *name;
	int qos;
	int subscribers;
	double target_ns; /* most that Hearth may add to the empty plugin, on the main thread, a message */
};

struct setup {
	const char *mosquitto;
	const char *plugins[VARIANT_COUNT]; /* absolute paths; NULL: none */
	const char *folder;                 /* for the servers' folders; exists */
	struct pins pins;
	uint64_t messages; /* in a round, for each variant */
	int pairs;         /* rounds, after one that is discarded */
	int publishers;
	int batch;
	int window;
	/* Called before each slice (round 0 warms up). False: stop. */
	bool (*go_on)(const struct question *question, int round);
};

/* CPU nanoseconds a message; differences and ratios are between slices that were measured one after the other. */
struct round {
	double main_ns[VARIANT_COUNT];    /* the broker's own thread */
	double process_ns[VARIANT_COUNT]; /* all threads, until they have come to rest */
	double added_ns;                  /* Hearth - empty plugin, main thread */
	double ratio;                     /* bare / Hearth, main thread */
};

#define PAIRS_MAX 99

struct answer {
	const struct question *question;
	int pairs;
	struct round rounds[PAIRS_MAX];
	char mosquitto_version[32];
};

/* Starts the three brokers, asks the question, stops them. False with the reason in *fault. */
bool message_cost_measure(const struct setup *setup, const struct question *question, struct answer *answer,
                          struct fault *fault);

#endif
