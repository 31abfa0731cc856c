/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_siege: somebody tries wrong passwords, a thousand a second, while two clients exchange messages: what these
 * notice of it.
 */
#ifndef BENCH_SIGN_IN_SIEGE_H
#define BENCH_SIGN_IN_SIEGE_H

#include "latency.h"
#include "sign_in_house.h"

struct siege_plan {
	const struct sign_in_house *house;
	enum sign_in_door door;
	int addresses;  /* that the guesses come from */
	int guess_rate; /* a second */
	int rate;       /* messages of the pair a second */
	int seconds;    /* of peace, and then of the siege */
};

enum siege_phase { SIEGE_PEACE, SIEGE_WAR, SIEGE_PHASES };

struct siege {
	struct latency latency[SIEGE_PHASES]; /* publish to receive */
	double cpu_share[SIEGE_PHASES];       /* of the time, that the broker's thread had a CPU */
	struct attempts_result guesses;
};

bool sign_in_siege_measure(const struct siege_plan *plan, struct siege *out, struct fault *fault);

#endif
