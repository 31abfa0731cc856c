/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_attempts: many clients that sign in, all at once or so many a second, each over a connection of its own. All on
 * the calling thread.
 */
#ifndef BENCH_SIGN_IN_ATTEMPTS_H
#define BENCH_SIGN_IN_ATTEMPTS_H

#include "fault.h"
#include "packet.h"

#include <stdatomic.h>
#include <stdint.h>

struct attempt {
	char client_id[64];
	char user[64];
	char password[64];
	uint32_t address; /* of 127.0.0.0/8 that it comes from, in the machine's byte order; 0: any */
};

struct attempts_plan {
	int port; /* on 127.0.0.1 */
	int count;
	double rate; /* a second, whatever became of those before; 0: all at once */
	int at_once; /* most that are under way; Mosquitto's listening socket holds 100 until it accepts them */
	bool keep;   /* who is let in stays until all are answered */
	void (*make)(const void *context, int number, struct attempt *out);
	const void *context;
	const atomic_bool *stop; /* once set, by any thread, no more are begun; NULL: none */
};

struct attempts_result {
	int begun;
	int accepted;
	int refused;         /* by a CONNACK */
	int dropped;         /* the connection was closed without an answer */
	int late;            /* began much later than they were due, since too many were under way */
	int64_t duration_ns; /* from the first connect to the last answer */
};

/* False if something of ours failed, or nothing was answered for 20 s; what the broker answered is in *result. */
bool attempts_run(const struct attempts_plan *plan, struct attempts_result *result, struct fault *fault);

#endif
