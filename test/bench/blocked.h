/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * blocked: readings at a fixed rate into a broker with Hearth, while the history database is taken from it for some time and
 * then given back: what the publishers notice, and how soon everything is stored.
 *
 *    settling |  before  |    during: the database is held      |  after: catching up  |
 *         start                                              release               caught up
 */
#ifndef BENCH_BLOCKED_H
#define BENCH_BLOCKED_H

#include "fault.h"
#include "held.h"
#include "machine.h"

#include <stdint.h>

enum phase { PHASE_BEFORE, PHASE_DURING, PHASE_AFTER, PHASE_COUNT };

extern const char *const PHASE_NAMES[PHASE_COUNT];

struct blocked_setup {
	const struct held_way *way;
	const char *mosquitto;
	const char *hearth; /* absolute path of the plugin */
	const char *folder; /* exists */
	struct pins pins;
	int seconds; /* for which the database is held; half of it is measured before */
	int rate;    /* readings a second of all publishers together */
	int publishers;
	int64_t window_ns;
};

#define BLOCKED_WINDOWS_MAX 2000

/* PUBLISH to PUBACK from the moment the message was due, in nanoseconds. */
struct blocked_window {
	double p50_ns;
	double p99_ns;
};

struct blocked_answer {
	int window_count[PHASE_COUNT];
	struct blocked_window
		*windows[PHASE_COUNT]; /* of whole windows; the last phase has at least one, perhaps shorter */
	int64_t max_ns[PHASE_COUNT];
	double held_s;      /* how long the database was away */
	double first_row_s; /* from the release to the first row stored: how long the writer still waited */
	double caught_up_s; /* from the release until nothing waited any more; what came meanwhile is part of it */
	uint64_t acknowledged;
	int64_t stored; /* rows, of this load alone */
	char mosquitto_version[32];
};

/* False with the reason in *fault. blocked_answer_free in any case. */
bool blocked_measure(const struct blocked_setup *setup, struct blocked_answer *answer, struct fault *fault);

void blocked_answer_free(struct blocked_answer *answer);

#endif
