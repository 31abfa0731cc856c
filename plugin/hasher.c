/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * hasher: see hasher.h.
 *
 * A job stays in one place, and only its number crosses: so that no copy of a password is left behind in a mailbox. A
 * place belongs to the asking thread until its number is in `asked`, then to the hasher's until it is in `done`. The
 * password is wiped as soon as the job is done. Each mailbox has room for every place, so putting a number in never
 * fails.
 *
 * The thread sleeps on a semaphore that counts the jobs: posting it never waits.
 */
#include "hasher.h"

#include "mailbox.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE 10

struct place {
	struct hasher_job job;
	struct hasher_result result;
};

struct hasher {
	struct mailbox *asked, *done; /* numbers of places, uint8_t */
	uint64_t used;                /* a bit for each place; the asking thread's */
	atomic_bool stopping;
	sem_t wake; /* one for each job, and one to stop */
	pthread_t thread;
	struct place places[HASHER_JOBS_MAX];
};

_Static_assert(HASHER_JOBS_MAX == 64, "a bit of `used` for each place");

/* ---- the thread ---- */

static bool make(struct slice plain, char out[static PASSWORD_TEXT_MAX])
{
	uint8_t salt[12];

	/* So few bytes come whole or not at all. */
	if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt)
		return false;
	return password_make(plain, PASSWORD_ITERATIONS, salt, out);
}

static void work(struct place *place)
{
	struct hasher_job *job = &place->job;
	struct hasher_result *result = &place->result;
	const struct slice plain = {job->plain, job->plain_len};

	*result = (struct hasher_result){.ticket = job->ticket};
	if (job->plain_len <= sizeof job->plain)
		result->ok = job->kind == HASHER_MAKE ? make(plain, result->made) : password_verify(&job->password, plain);
	OPENSSL_cleanse(job, sizeof *job);
}

static void *hasher_main(void *argument)
{
	struct hasher *hasher = argument;
	uint8_t number;

	/* On Linux a thread has a niceness of its own. If it is refused, there is only less courtesy. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, (id_t)gettid()) + NICE);
	while (!atomic_load(&hasher->stopping)) {
		if (sem_wait(&hasher->wake) != 0 || !mailbox_get(hasher->asked, &number))
			continue;
		work(&hasher->places[number]);
		mailbox_put(hasher->done, &number);
	}
	return NULL;
}

/* ---- start and stop ---- */

static void hasher_free(struct hasher *hasher)
{
	mailbox_free(hasher->asked);
	mailbox_free(hasher->done);
	sem_destroy(&hasher->wake);
	OPENSSL_cleanse(hasher->places, sizeof hasher->places);
	free(hasher);
}

struct hasher *hasher_start(void)
{
	sigset_t all, before;
	struct hasher *hasher = calloc(1, sizeof *hasher);
	if (!hasher)
		return NULL;

	atomic_init(&hasher->stopping, false);
	sem_init(&hasher->wake, 0, 0);
	hasher->asked = mailbox_new(sizeof(uint8_t), HASHER_JOBS_MAX);
	hasher->done = mailbox_new(sizeof(uint8_t), HASHER_JOBS_MAX);
	if (!hasher->asked || !hasher->done)
		goto fail;

	sigfillset(&all); /* signals are the broker's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&hasher->thread, NULL, hasher_main, hasher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0)
		return hasher;

fail:
	hasher_free(hasher);
	return NULL;
}

void hasher_stop(struct hasher *hasher)
{
	if (!hasher)
		return;
	atomic_store(&hasher->stopping, true);
	sem_post(&hasher->wake);
	pthread_join(hasher->thread, NULL);
	hasher_free(hasher);
}

/* ---- the asking thread's ---- */

bool hasher_ask(struct hasher *hasher, const struct hasher_job *job)
{
	if (~hasher->used == 0)
		return false;
	const uint8_t number = (uint8_t)__builtin_ctzll(~hasher->used);

	hasher->used |= UINT64_C(1) << number;
	hasher->places[number].job = *job;
	mailbox_put(hasher->asked, &number);
	sem_post(&hasher->wake);
	return true;
}

bool hasher_next(struct hasher *hasher, struct hasher_result *out)
{
	uint8_t number;

	if (!mailbox_get(hasher->done, &number))
		return false;
	*out = hasher->places[number].result;
	hasher->used &= ~(UINT64_C(1) << number);
	return true;
}
