/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_jobs: what waits for the hasher's thread, in three queues by urgency, each with room of its own:
 *
 *   MAKE     new passwords: an administrator waits, and no flood of sign-ins is to hold that up
 *   CHECK    sign-ins, from the address that presses least first: so people get in during a flood from elsewhere
 *   UPGRADE  weak hashes to be made anew, when there is nothing else to do
 *
 * The hasher gets a few at a time, so that what is more urgent has not to wait for all that came before.
 *
 * A job is in a queue or with the hasher until sign_in_jobs_finish; then it is the caller's until sign_in_job_free,
 * which wipes it. It counts in its queue's room until then.
 */
#ifndef HEARTH_SIGN_IN_JOBS_H
#define HEARTH_SIGN_IN_JOBS_H

#include "account.h"
#include "hasher.h"
#include "sign_in_budget.h"
#include "sign_in_mac.h"

#define JOBS_WITH_HASHER 4

enum job_queue { JOB_MAKE, JOB_CHECK, JOB_UPGRADE, JOB_QUEUES };

struct sign_in_job {
	struct sign_in_job *next;
	uint64_t number; /* the hasher's ticket */
	uint64_t ticket; /* of MAKE: the caller's */
	struct sign_in_subject subject;
	struct digest digest;     /* of CHECK; else zero */
	struct password password; /* to verify against */
	size_t plain_len;
	enum job_queue queue;
	bool known;                      /* the user has an account with this password; else the answer is no */
	bool ok;                         /* the hasher's result */
	char user[ACCOUNT_NAME_MAX + 1]; /* of all but MAKE */
	char stored[PASSWORD_TEXT_MAX];  /* what `password` was read from; of UPGRADE: the weak hash */
	char made[PASSWORD_TEXT_MAX];    /* of MAKE and UPGRADE */
	char plain[PASSWORD_LENGTH_MAX];
};

struct sign_in_jobs;

struct sign_in_jobs *sign_in_jobs_new(void);       /* NULL: no memory */
void sign_in_jobs_free(struct sign_in_jobs *jobs); /* and all jobs that are not finished; NULL is allowed */

/*
 * Puts a job at the end of its queue: `queue`, `subject` and `plain` are set, the rest is zero and for the caller to
 * fill in before the next sign_in_jobs_hand_over. NULL: no room or no memory. `plain` has at most PASSWORD_LENGTH_MAX
 * bytes.
 */
struct sign_in_job *sign_in_jobs_add(struct sign_in_jobs *jobs, enum job_queue queue,
                                     const struct sign_in_subject *subject, struct slice plain);

/*
 * A CHECK to give way for one of this subject, because its address presses more; taken out of its queue and the
 * caller's, as from sign_in_jobs_finish. NULL: there is room anyway, or none presses more, or the subject itself
 * presses much.
 */
struct sign_in_job *sign_in_jobs_displace(struct sign_in_jobs *jobs, const struct sign_in_budget *budget,
                                          const struct sign_in_subject *subject, int64_t now_ms);

/* Is a job to find out about this digest, queued or with the hasher? */
bool sign_in_jobs_checking(const struct sign_in_jobs *jobs, struct digest digest);

/* Is an upgrade of this user under way? */
bool sign_in_jobs_upgrading(const struct sign_in_jobs *jobs, struct slice user);

/* Gives the hasher as many as it is to have, the most urgent first. */
void sign_in_jobs_hand_over(struct sign_in_jobs *jobs, struct hasher *hasher, const struct sign_in_budget *budget,
                            int64_t now_ms);

/* The next job that the hasher has done, result filled in. NULL: none. */
struct sign_in_job *sign_in_jobs_finish(struct sign_in_jobs *jobs, struct hasher *hasher);

void sign_in_job_free(struct sign_in_jobs *jobs, struct sign_in_job *job);

#endif
