/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_jobs: see sign_in_jobs.h.
 *
 * The lists are short (ROOM), so they are walked; but not for each attempt of a flood: who presses much displaces
 * nobody and is not looked at further.
 */
#include "sign_in_jobs.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static const unsigned ROOM[JOB_QUEUES] = {[JOB_MAKE] = 32, [JOB_CHECK] = 128, [JOB_UPGRADE] = 8};

#define PRESSES_MUCH 16

struct list {
	struct sign_in_job *first, *last;
};

struct sign_in_jobs {
	struct list queues[JOB_QUEUES];
	struct list working; /* with the hasher */
	unsigned working_count;
	unsigned taken[JOB_QUEUES]; /* of ROOM */
	uint64_t last_number;
};

/* ---- lists ---- */

static void append(struct list *list, struct sign_in_job *job)
{
	job->next = NULL;
	if (list->last)
		list->last->next = job;
	else
		list->first = job;
	list->last = job;
}

/* Takes out the one behind `before`; NULL: the first. */
static struct sign_in_job *take_behind(struct list *list, struct sign_in_job *before)
{
	struct sign_in_job *job = before ? before->next : list->first;

	if (before)
		before->next = job->next;
	else
		list->first = job->next;
	if (list->last == job)
		list->last = before;
	job->next = NULL;
	return job;
}

static bool checks(const struct list *list, struct digest digest)
{
	for (const struct sign_in_job *job = list->first; job; job = job->next) {
		if (job->queue == JOB_CHECK && digest_equal(job->digest, digest))
			return true;
	}
	return false;
}

static bool upgrades(const struct list *list, struct slice user)
{
	for (const struct sign_in_job *job = list->first; job; job = job->next) {
		if (job->queue == JOB_UPGRADE && slice_is(user, job->user))
			return true;
	}
	return false;
}

static void free_all(struct sign_in_jobs *jobs, struct list *list)
{
	while (list->first)
		sign_in_job_free(jobs, take_behind(list, NULL));
}

/* ---- all of them ---- */

struct sign_in_jobs *sign_in_jobs_new(void)
{
	return calloc(1, sizeof(struct sign_in_jobs));
}

void sign_in_jobs_free(struct sign_in_jobs *jobs)
{
	if (!jobs)
		return;
	for (size_t i = 0; i < JOB_QUEUES; i++)
		free_all(jobs, &jobs->queues[i]);
	free_all(jobs, &jobs->working);
	free(jobs);
}

struct sign_in_job *sign_in_jobs_add(struct sign_in_jobs *jobs, enum job_queue queue,
                                     const struct sign_in_subject *subject, struct slice plain)
{
	if (jobs->taken[queue] == ROOM[queue] || plain.len > PASSWORD_LENGTH_MAX)
		return NULL;
	struct sign_in_job *job = calloc(1, sizeof *job);
	if (!job)
		return NULL;

	jobs->taken[queue]++;
	job->queue = queue;
	job->number = ++jobs->last_number;
	job->subject = *subject;
	job->plain_len = plain.len;
	memcpy(job->plain, plain.ptr, plain.len);
	append(&jobs->queues[queue], job);
	return job;
}

bool sign_in_jobs_checking(const struct sign_in_jobs *jobs, struct digest digest)
{
	return checks(&jobs->working, digest) || checks(&jobs->queues[JOB_CHECK], digest);
}

bool sign_in_jobs_upgrading(const struct sign_in_jobs *jobs, struct slice user)
{
	return upgrades(&jobs->working, user) || upgrades(&jobs->queues[JOB_UPGRADE], user);
}

void sign_in_job_free(struct sign_in_jobs *jobs, struct sign_in_job *job)
{
	jobs->taken[job->queue]--;
	OPENSSL_cleanse(job, sizeof *job);
	free(job);
}

/* ---- with the hasher ---- */

/* Does a press less than b? */
static bool presses_less(struct sign_in_pressure a, struct sign_in_pressure b)
{
	return a.address != b.address ? a.address < b.address : a.user < b.user;
}

/* A place in a list: behind this job; NULL: the first. */
struct place {
	struct sign_in_job *before;
	struct sign_in_pressure pressure;
};

/* Who of a list that is not empty presses least, and who most; among equals the oldest. */
static void weigh(const struct list *list, const struct sign_in_budget *budget, int64_t now_ms, struct place *least,
                  struct place *most)
{
	struct sign_in_job *before = NULL;

	for (struct sign_in_job *job = list->first; job; before = job, job = job->next) {
		const struct place place = {before, sign_in_budget_pressure(budget, &job->subject, now_ms)};
		if (job == list->first || presses_less(place.pressure, least->pressure))
			*least = place;
		if (job == list->first || presses_less(most->pressure, place.pressure))
			*most = place;
	}
}

struct sign_in_job *sign_in_jobs_displace(struct sign_in_jobs *jobs, const struct sign_in_budget *budget,
                                          const struct sign_in_subject *subject, int64_t now_ms)
{
	const struct sign_in_pressure own = sign_in_budget_pressure(budget, subject, now_ms);
	struct list *list = &jobs->queues[JOB_CHECK];
	struct place least = {0};
	struct place most = {0};

	if (jobs->taken[JOB_CHECK] < ROOM[JOB_CHECK] || own.address > PRESSES_MUCH || !list->first)
		return NULL;
	weigh(list, budget, now_ms, &least, &most);
	return presses_less(own, most.pressure) ? take_behind(list, most.before) : NULL;
}

/* The queue that comes next, and where in it the job is; NULL: all are empty. */
static struct list *most_urgent(struct sign_in_jobs *jobs, const struct sign_in_budget *budget, int64_t now_ms,
                                struct place *least)
{
	struct place most = {0};

	*least = (struct place){0};
	for (size_t i = 0; i < JOB_QUEUES; i++) {
		if (!jobs->queues[i].first)
			continue;
		if (i == JOB_CHECK)
			weigh(&jobs->queues[i], budget, now_ms, least, &most);
		return &jobs->queues[i];
	}
	return NULL;
}

static bool ask(struct hasher *hasher, const struct sign_in_job *job)
{
	struct hasher_job question = {.ticket = job->number, .plain_len = job->plain_len, .password = job->password};

	question.kind = job->queue == JOB_MAKE || job->queue == JOB_UPGRADE ? HASHER_MAKE : HASHER_VERIFY;
	memcpy(question.plain, job->plain, job->plain_len);
	const bool taken = hasher_ask(hasher, &question);
	OPENSSL_cleanse(&question, sizeof question);
	return taken;
}

void sign_in_jobs_hand_over(struct sign_in_jobs *jobs, struct hasher *hasher, const struct sign_in_budget *budget,
                            int64_t now_ms)
{
	struct place place;
	struct list *queue;

	while (jobs->working_count < JOBS_WITH_HASHER && (queue = most_urgent(jobs, budget, now_ms, &place))) {
		if (!ask(hasher, place.before ? place.before->next : queue->first))
			return;
		append(&jobs->working, take_behind(queue, place.before));
		jobs->working_count++;
	}
}

/* The job with this number, taken from the hasher's; NULL: it is of somebody who asked before us. */
static struct sign_in_job *take_number(struct sign_in_jobs *jobs, uint64_t number)
{
	struct sign_in_job *before = NULL;

	for (struct sign_in_job *job = jobs->working.first; job; before = job, job = job->next) {
		if (job->number == number) {
			jobs->working_count--;
			return take_behind(&jobs->working, before);
		}
	}
	return NULL;
}

struct sign_in_job *sign_in_jobs_finish(struct sign_in_jobs *jobs, struct hasher *hasher)
{
	struct hasher_result result;
	struct sign_in_job *job = NULL;

	while (!job && hasher_next(hasher, &result))
		job = take_number(jobs, result.ticket);
	if (!job)
		return NULL;
	job->ok = result.ok;
	memcpy(job->made, result.made, sizeof job->made);
	return job;
}
