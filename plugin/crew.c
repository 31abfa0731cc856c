/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crew: see crew.h. Two semaphores hand one job over and back.
 */
#include "crew.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_FILE 3 /* standard input, output and error stay */

struct crew {
	pthread_t thread;
	sem_t asked, done;
	void (*function)(void *context); /* NULL: end */
	void *context;
};

/* ThreadSanitizer takes equal numbers of two tables for one file, and would see races where there are none. */
#if defined(__SANITIZE_THREAD__)
#define SHARE_FILES 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SHARE_FILES 1
#endif
#endif

static void files_leave(void)
{
#ifndef SHARE_FILES
	if (close_range(FIRST_FILE, UINT_MAX, CLOSE_RANGE_UNSHARE) != 0)
		unshare(CLONE_FILES);
#endif
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0 && errno == EINTR)
		continue;
}

static void *crew_main(void *argument)
{
	struct crew *crew = argument;

	files_leave();
	sem_post(&crew->done);
	for (;;) {
		wait_for(&crew->asked);
		if (crew->function == NULL)
			return NULL;
		crew->function(crew->context);
		sem_post(&crew->done);
	}
}

struct crew *crew_start(void)
{
	sigset_t all, before;
	struct crew *crew = calloc(1, sizeof *crew);
	if (crew == NULL)
		return NULL;
	sem_init(&crew->asked, 0, 0);
	sem_init(&crew->done, 0, 0);

	/* Signals are the broker's, but for the one that the journal's guard answers in whichever thread it strikes. */
	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&crew->thread, NULL, crew_main, crew);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code != 0) {
		free(crew);
		return NULL;
	}
	wait_for(&crew->done); /* what the broker opens after this is not ours */
	return crew;
}

void crew_run(struct crew *crew, void (*function)(void *context), void *context)
{
	crew->function = function;
	crew->context = context;
	sem_post(&crew->asked);
	wait_for(&crew->done);
}

void crew_stop(struct crew *crew)
{
	if (crew == NULL)
		return;
	crew->function = NULL;
	sem_post(&crew->asked);
	pthread_join(crew->thread, NULL);
	sem_destroy(&crew->asked);
	sem_destroy(&crew->done);
	free(crew);
}
