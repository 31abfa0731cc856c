/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * hasher: the thread that stretches passwords, so that the broker's thread need not. Runs with a lower priority (nice)
 * than the broker. Jobs and results cross by mailboxes; passwords are wiped after use.
 *
 * Like all threads of ours it is to be started from the crew's (crew.h), so that it does not share the broker's file
 * table.
 */
#ifndef HEARTH_HASHER_H
#define HEARTH_HASHER_H

#include "password.h"

struct hasher;

enum hasher_kind { HASHER_VERIFY, HASHER_MAKE };

struct hasher_job {
	uint64_t ticket; /* comes back with the result */
	enum hasher_kind kind;
	size_t plain_len;
	struct password password; /* to verify against */
	char plain[PASSWORD_LENGTH_MAX];
};

struct hasher_result {
	uint64_t ticket;
	bool ok;                      /* verified, or made */
	char made[PASSWORD_TEXT_MAX]; /* of HASHER_MAKE */
};

#define HASHER_JOBS_MAX 64

struct hasher *hasher_start(void);       /* NULL: no memory or no thread */
void hasher_stop(struct hasher *hasher); /* after the job in work; drops the rest. NULL is allowed */

/*
 * Hands a copy of a job over; false if HASHER_JOBS_MAX are not fetched yet. Never waits. One thread only, which is that
 * of hasher_next too.
 */
bool hasher_ask(struct hasher *hasher, const struct hasher_job *job);
/* The next result, in the order of the jobs; false: none yet. */
bool hasher_next(struct hasher *hasher, struct hasher_result *out);

#endif
