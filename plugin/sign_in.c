/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in: see sign_in.h.
 *
 * A sign-in becomes a question (sign_in_question.h). From there on known and unknown names take the same way: digest,
 * else the budget, else the hasher's thread.
 *
 * What the hasher finds out about a password that was changed meanwhile is remembered for the old form, which nobody is
 * checked against any more.
 */
#include "sign_in.h"

#include "sign_in_budget.h"
#include "sign_in_digests.h"
#include "sign_in_jobs.h"
#include "sign_in_mac.h"
#include "sign_in_question.h"
#include "sign_in_stand_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITERATIONS_MAX (2 * PASSWORD_ITERATIONS) /* more are left to the hasher's thread, if there is one */

struct sign_in {
	struct sign_in_options options;
	struct sign_in_mac *mac;
	struct sign_in_digests *digests;
	struct sign_in_budget *budget;
	struct sign_in_jobs *jobs;
	struct sign_in_job *made, *upgrades; /* done, not fetched */
	struct stand_ins stand_ins;
	struct sign_in_counters counters;
};

/* ---- begin and end ---- */

struct sign_in *sign_in_new(const struct sign_in_options *options)
{
	struct sign_in *sign_in = calloc(1, sizeof *sign_in);
	if (!sign_in)
		return NULL;

	sign_in->options = *options;
	sign_in->mac = sign_in_mac_new(options->key);
	sign_in->digests = sign_in_digests_new();
	sign_in->budget = sign_in_budget_new(options->budget_percent);
	sign_in->jobs = sign_in_jobs_new();
	if (sign_in->mac && sign_in->digests && sign_in->budget && sign_in->jobs)
		return sign_in;
	sign_in_free(sign_in);
	return NULL;
}

/* The first of a list of jobs, taken out; NULL: it is empty. */
static struct sign_in_job *pop(struct sign_in_job **list)
{
	struct sign_in_job *job = *list;

	if (job)
		*list = job->next;
	return job;
}

void sign_in_free(struct sign_in *sign_in)
{
	struct sign_in_job *job;

	if (!sign_in)
		return;
	while ((job = pop(&sign_in->made)) || (job = pop(&sign_in->upgrades)))
		sign_in_job_free(sign_in->jobs, job);
	sign_in_jobs_free(sign_in->jobs);
	sign_in_budget_free(sign_in->budget);
	sign_in_digests_free(sign_in->digests);
	sign_in_mac_free(sign_in->mac);
	free(sign_in);
}

struct sign_in_counters sign_in_counters(const struct sign_in *sign_in)
{
	return sign_in->counters;
}

static void hand_over(struct sign_in *sign_in, int64_t now_ms)
{
	sign_in_jobs_hand_over(sign_in->jobs, sign_in->options.hasher, sign_in->budget, now_ms);
}

/* ---- upgrades ---- */

static bool is_upgrading(const struct sign_in *sign_in, struct slice user)
{
	for (const struct sign_in_job *job = sign_in->upgrades; job; job = job->next) {
		if (slice_is(user, job->user))
			return true;
	}
	return sign_in_jobs_upgrading(sign_in->jobs, user);
}

/*
 * A weak hash was verified. If there is no room now, there will be at the next sign-in; the work begins at the next
 * tick.
 */
static void upgrade(struct sign_in *sign_in, const struct password *password, struct slice stored, struct slice user,
                    struct slice plain)
{
	if (!sign_in->options.hasher || !password_is_weak(password) || is_upgrading(sign_in, user))
		return;
	struct sign_in_job *job = sign_in_jobs_add(sign_in->jobs, JOB_UPGRADE, &(struct sign_in_subject){0}, plain);
	if (!job)
		return;
	memcpy(job->user, user.ptr, user.len);
	memcpy(job->stored, stored.ptr, stored.len);
}

/* ---- verdicts ---- */

static enum sign_in_verdict accept(struct sign_in *sign_in, const struct question *question)
{
	upgrade(sign_in, &question->password, question->stored, question->attempt->user, question->attempt->password);
	return SIGN_IN_YES;
}

static enum sign_in_verdict hash_here(struct sign_in *sign_in, const struct question *question, int64_t now_ms)
{
	const int64_t begin_us = sign_in->options.clock_us();
	const bool right = password_verify(&question->password, question->attempt->password);
	const int64_t us = sign_in->options.clock_us() - begin_us;
	const bool yes = right && question->known;

	sign_in->counters.hashed_here++;
	sign_in->counters.us_here += (uint64_t)us;
	sign_in_digests_remember(sign_in->digests, question->digest, yes);
	sign_in_budget_charge(sign_in->budget, &question->subject, us, yes, now_ms);
	return yes ? accept(sign_in, question) : SIGN_IN_NO;
}

/* A job for this question, if need be in the room of another's. NULL: no room or no memory. */
static struct sign_in_job *add_check(struct sign_in *sign_in, const struct question *question, int64_t now_ms)
{
	const struct sign_in_subject *subject = &question->subject;
	struct sign_in_job *displaced = sign_in_jobs_displace(sign_in->jobs, sign_in->budget, subject, now_ms);

	if (displaced)
		sign_in_job_free(sign_in->jobs, displaced);
	return sign_in_jobs_add(sign_in->jobs, JOB_CHECK, subject, question->attempt->password);
}

/* The client has to come again; by then the hasher may have found out. */
static enum sign_in_verdict put_off(struct sign_in *sign_in, const struct question *question, int64_t now_ms)
{
	if (!sign_in->options.hasher)
		return SIGN_IN_LATER;
	struct sign_in_job *job = add_check(sign_in, question, now_ms);
	if (!job)
		return SIGN_IN_LATER;
	job->digest = question->digest;
	job->password = question->password;
	job->known = question->known;
	memcpy(job->user, question->attempt->user.ptr, question->attempt->user.len);
	memcpy(job->stored, question->stored.ptr, question->stored.len);
	hand_over(sign_in, now_ms);
	return SIGN_IN_LATER;
}

static bool may_hash_here(const struct sign_in *sign_in, const struct question *question, int64_t now_ms)
{
	if (question->password.iterations > ITERATIONS_MAX && sign_in->options.hasher)
		return false;
	return sign_in_budget_allows(sign_in->budget, &question->subject, now_ms);
}

static enum sign_in_verdict judge(struct sign_in *sign_in, const struct sign_in_attempt *attempt, int64_t now_ms)
{
	struct question question = {.attempt = attempt};

	if (!question_possible(attempt))
		return SIGN_IN_NO;
	if (!question_identify(&question, sign_in->mac))
		return SIGN_IN_LATER;
	if (!question_choose(&question, sign_in->options.accounts, &sign_in->stand_ins, now_ms))
		return SIGN_IN_NO;
	if (question.password.kind == PASSWORD_SECRET)
		return password_verify(&question.password, attempt->password) && question.known ? SIGN_IN_YES : SIGN_IN_NO;
	if (!question_digest(&question, sign_in->mac))
		return SIGN_IN_LATER;

	const enum digest_memory memory = sign_in_digests_find(sign_in->digests, question.digest);
	if (memory != DIGEST_UNKNOWN)
		return memory == DIGEST_YES ? accept(sign_in, &question) : SIGN_IN_NO;
	if (sign_in_jobs_checking(sign_in->jobs, question.digest))
		return SIGN_IN_LATER;
	sign_in_budget_press(sign_in->budget, &question.subject, now_ms);
	return may_hash_here(sign_in, &question, now_ms) ? hash_here(sign_in, &question, now_ms)
	                                                 : put_off(sign_in, &question, now_ms);
}

enum sign_in_verdict sign_in_check(struct sign_in *sign_in, const struct sign_in_attempt *attempt, int64_t now_ms)
{
	const enum sign_in_verdict verdict = judge(sign_in, attempt, now_ms);

	sign_in->counters.yes += verdict == SIGN_IN_YES;
	sign_in->counters.no += verdict == SIGN_IN_NO;
	sign_in->counters.later += verdict == SIGN_IN_LATER;
	return verdict;
}

/* ---- what the hasher found out ---- */

/* Is what was asked about still the user's password? */
static bool still_current(const struct sign_in *sign_in, const struct sign_in_job *job)
{
	const struct account *account = account_find(sign_in->options.accounts, slice_of(job->user));

	return account && slice_is(account_password(account), job->stored);
}

static void settle_verified(struct sign_in *sign_in, struct sign_in_job *job, int64_t now_ms)
{
	const bool yes = job->ok && job->known;

	sign_in_digests_remember(sign_in->digests, job->digest, yes);
	sign_in_budget_charge(sign_in->budget, &job->subject, 0, yes, now_ms);
	if (yes && still_current(sign_in, job))
		upgrade(sign_in, &job->password, slice_of(job->stored), slice_of(job->user),
		        (struct slice){job->plain, job->plain_len});
	sign_in_job_free(sign_in->jobs, job);
}

static void keep(struct sign_in_job **list, struct sign_in_job *job)
{
	while (*list)
		list = &(*list)->next;
	*list = job;
}

static void settle(struct sign_in *sign_in, struct sign_in_job *job, int64_t now_ms)
{
	sign_in->counters.hashed_there++;
	if (job->queue == JOB_MAKE)
		keep(&sign_in->made, job);
	else if (job->queue != JOB_UPGRADE)
		settle_verified(sign_in, job, now_ms);
	else if (job->ok && still_current(sign_in, job))
		keep(&sign_in->upgrades, job);
	else
		sign_in_job_free(sign_in->jobs, job);
}

void sign_in_tick(struct sign_in *sign_in, int64_t now_ms)
{
	struct sign_in_job *job;

	if (!sign_in->options.hasher)
		return;
	while ((job = sign_in_jobs_finish(sign_in->jobs, sign_in->options.hasher)))
		settle(sign_in, job, now_ms);
	hand_over(sign_in, now_ms);
}

/* So that who signed in before the upgrade is known by the new form too, without another hash. */
static void remember_upgraded(struct sign_in *sign_in, const struct sign_in_job *job)
{
	const struct sign_in_attempt attempt = {.user = slice_of(job->user), .password = {job->plain, job->plain_len}};
	struct question question = {.attempt = &attempt, .stored = slice_of(job->made), .known = true};

	if (question_digest(&question, sign_in->mac))
		sign_in_digests_remember(sign_in->digests, question.digest, true);
}

bool sign_in_next_upgrade(struct sign_in *sign_in, struct sign_in_upgrade *out)
{
	struct sign_in_job *job = pop(&sign_in->upgrades);
	if (!job)
		return false;

	snprintf(out->user, sizeof out->user, "%s", job->user);
	snprintf(out->old, sizeof out->old, "%s", job->stored);
	snprintf(out->made, sizeof out->made, "%s", job->made);
	remember_upgraded(sign_in, job);
	sign_in_job_free(sign_in->jobs, job);
	return true;
}

/* ---- new passwords ---- */

bool sign_in_make(struct sign_in *sign_in, uint64_t ticket, struct slice plain)
{
	if (!sign_in->options.hasher)
		return false;
	struct sign_in_job *job = sign_in_jobs_add(sign_in->jobs, JOB_MAKE, &(struct sign_in_subject){0}, plain);
	if (!job)
		return false;
	job->ticket = ticket; /* it goes to the hasher at the next tick */
	return true;
}

bool sign_in_next_made(struct sign_in *sign_in, uint64_t *ticket, bool *ok, char made[static PASSWORD_TEXT_MAX])
{
	struct sign_in_job *job = pop(&sign_in->made);
	if (!job)
		return false;

	*ticket = job->ticket;
	*ok = job->ok;
	memcpy(made, job->made, PASSWORD_TEXT_MAX);
	sign_in_job_free(sign_in->jobs, job);
	return true;
}
