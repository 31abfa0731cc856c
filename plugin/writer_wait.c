/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_wait: how the writer's thread waits and rests, and how others end that. All of it goes by one lock and one
 * condition, which everybody looks at again when it is signalled.
 */
#include "writer_internal.h"

#include <time.h>

int64_t writer_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the writer's thread ---- */

void writer_wait(struct writer *writer, int milliseconds)
{
	int64_t until_ms = writer_clock_ms() + milliseconds;
	struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

	pthread_mutex_lock(&writer->lock);
	while (!writer->stopping && !writer->pausing && pthread_cond_timedwait(&writer->wake, &writer->lock, &until) == 0)
		;
	pthread_mutex_unlock(&writer->lock);
}

bool writer_is_stopping(struct writer *writer, int64_t *deadline_ms)
{
	pthread_mutex_lock(&writer->lock);
	bool stopping = writer->stopping;
	*deadline_ms = writer->deadline_ms;
	pthread_mutex_unlock(&writer->lock);
	return stopping;
}

bool writer_is_pausing(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	bool pausing = writer->pausing;
	pthread_mutex_unlock(&writer->lock);
	return pausing;
}

void writer_rest(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->resting = true;
	pthread_cond_broadcast(&writer->wake);
	while (writer->pausing && !writer->stopping)
		pthread_cond_wait(&writer->wake, &writer->lock);
	writer->resting = false;
	pthread_mutex_unlock(&writer->lock);
}

/* ---- others ---- */

void writer_pause(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->pausing = true;
	pthread_cond_broadcast(&writer->wake);
	while (!writer->resting)
		pthread_cond_wait(&writer->wake, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
}

void writer_resume(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->pausing = false;
	pthread_cond_broadcast(&writer->wake);
	pthread_mutex_unlock(&writer->lock);
}
