/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_move: see storage_move.h. The thread writes the counts, then its error, and last the phase; what it has written
 * before the phase is there for who has seen that.
 */
#include "storage_move.h"

#include "options.h"
#include "store_mariadb_url.h"
#include "store_move.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define AGAIN_MS    1000
#define PATIENCE_MS 60000 /* so long without anything moved it is tried again */

struct storage_move {
	struct storage_move_options options;
	struct options target; /* as the options would be that name the new store */
	struct store_move move;
	pthread_t thread;
	sem_t wake; /* to stop */
	_Atomic uint64_t rows;
	atomic_size_t series_done, series_all;
	atomic_int phase;
	atomic_bool stopping;
	atomic_bool ending; /* the writer is not to go on */
	bool started;
	bool told;
	char error[512];

	/* The thread's own. */
	int64_t moved_ms; /* when something was moved last; 0: nothing was */
};

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the thread ---- */

static bool progress(void *context, size_t series_done, size_t series_all, uint64_t rows)
{
	struct storage_move *move = context;

	move->moved_ms = monotonic_ms();
	atomic_store(&move->series_done, series_done);
	atomic_store(&move->series_all, series_all);
	atomic_store(&move->rows, rows);
	return !atomic_load(&move->stopping);
}

static bool is_same_file(const struct storage_move *move)
{
	struct stat from, to;

	return move->move.from_ops == &store_sqlite && move->move.to_ops == &store_sqlite &&
	       stat(move->move.from.location, &from) == 0 && stat(move->move.to.location, &to) == 0 &&
	       from.st_dev == to.st_dev && from.st_ino == to.st_ino;
}

/* Can it ever work? The writer goes on meanwhile. */
static bool check(struct storage_move *move)
{
	if (is_same_file(move)) {
		snprintf(move->error, sizeof move->error, "%s is the store in use; wanted another one", move->target.store);
		return false;
	}
	return move->move.to_ops->check(&move->move.to, move->error, sizeof move->error) != STORE_NEVER;
}

static void wait_for_stop(struct storage_move *move, int milliseconds)
{
	const int64_t until_ms = monotonic_ms() + milliseconds;
	const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

	while (sem_clockwait(&move->wake, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
		continue;
}

/* It goes on where it was as long as nobody stores anything. */
static enum move_result move_patiently(struct storage_move *move)
{
	for (;;) {
		uint64_t rows;
		if (atomic_load(&move->stopping))
			return MOVE_STOPPED;
		enum move_result result = store_move(&move->move, &rows, move->error, sizeof move->error);
		if (result == MOVE_DONE)
			atomic_store(&move->rows, rows);
		if (result != MOVE_FAILED || move->moved_ms == 0 || monotonic_ms() - move->moved_ms > PATIENCE_MS)
			return result;
		move->move.to.attempt++;
		move->move.from.attempt++;
		wait_for_stop(move, AGAIN_MS);
	}
}

static void *move_main(void *argument)
{
	struct storage_move *move = argument;
	enum move_result result = MOVE_FAILED;

	if (check(move)) {
		writer_pause(move->options.writer);
		result = move_patiently(move);
		if (result != MOVE_DONE && !atomic_load(&move->ending))
			writer_resume(move->options.writer);
	}
	if (result == MOVE_STOPPED)
		snprintf(move->error, sizeof move->error, "stopped");
	atomic_store(&move->phase, result == MOVE_DONE ? MOVE_FINISHED : MOVE_ERROR);
	return NULL;
}

static void start_in_crew(void *context)
{
	struct storage_move *move = context;
	sigset_t all, before;

	sigfillset(&all); /* signals are the broker's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	move->started = pthread_create(&move->thread, NULL, move_main, move) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the broker's thread ---- */

/* Reads the new store as the options that will name it are read, so that what is taken here is taken there. */
static bool read_target(struct storage_move *move, const char *to, const char *password_file, const char *ca_file,
                        char *error, size_t error_size)
{
	struct option_line lines[3] = {{"store", to}};
	struct mariadb_url url;
	char problem[OPTIONS_ERROR_MAX];
	size_t count = 1;

	if (password_file != NULL)
		lines[count++] = (struct option_line){"store_password_file", password_file};
	if (ca_file != NULL)
		lines[count++] = (struct option_line){"store_ca", ca_file};
	if (!options_read(lines, count, &move->target, problem)) {
		snprintf(error, error_size, "%s", problem);
		return false;
	}
	const char *location = strchr(move->target.store, ':') + 1;
	const bool is_mariadb = strncmp(move->target.store, "mariadb:", strlen("mariadb:")) == 0;
	move->move = (struct store_move){
		.from_ops = move->options.ops,
		.to_ops = is_mariadb ? &store_mariadb : &store_sqlite,
		.from = move->options.place,
		.to = {.location = location,
	           .node = move->target.node,
	           .password_file = move->target.store_password_file,
	           .ca_file = move->target.store_ca},
		.progress = progress,
		.context = move,
	};
	if (!is_mariadb)
		return true;
	bool good = mariadb_url_parse(location, &url, error, error_size);
	mariadb_url_free(&url);
	return good;
}

struct storage_move *storage_move_new(const struct storage_move_options *options, const char *to,
                                      const char *password_file, const char *ca_file, char *error, size_t error_size)
{
	struct storage_move *move = calloc(1, sizeof *move);
	if (move == NULL) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	move->options = *options;
	atomic_init(&move->phase, MOVE_RUNNING);
	sem_init(&move->wake, 0, 0);
	if (!read_target(move, to, password_file, ca_file, error, error_size))
		goto fail;
	crew_run(options->crew, start_in_crew, move);
	if (move->started)
		return move;
	snprintf(error, error_size, "no thread for it can be started");

fail:
	storage_move_free(move);
	return NULL;
}

void storage_move_cancel(struct storage_move *move)
{
	atomic_store(&move->stopping, true);
	sem_post(&move->wake);
}

void storage_move_end(struct storage_move *move)
{
	if (move == NULL)
		return;
	atomic_store(&move->ending, true);
	storage_move_cancel(move);
	if (move->started)
		pthread_join(move->thread, NULL);
	move->started = false;
}

void storage_move_free(struct storage_move *move)
{
	if (move == NULL)
		return;
	storage_move_end(move);
	options_free(&move->target);
	sem_destroy(&move->wake);
	free(move);
}

struct storage_move_state storage_move_look(const struct storage_move *move)
{
	struct storage_move_state state = {.phase = MOVE_NONE};

	if (move == NULL)
		return state;
	state.phase = (enum storage_move_phase)atomic_load(&move->phase);
	state.rows = atomic_load(&move->rows);
	state.series_done = atomic_load(&move->series_done);
	state.series_all = atomic_load(&move->series_all);
	if (state.phase == MOVE_ERROR)
		snprintf(state.error, sizeof state.error, "%s", move->error);
	return state;
}

bool storage_move_notice(struct storage_move *move, struct notice *out)
{
	const int phase = move != NULL ? atomic_load(&move->phase) : MOVE_NONE;

	if (phase == MOVE_NONE || phase == MOVE_RUNNING || move->told)
		return false;
	move->told = true;
	out->level = phase == MOVE_FINISHED ? NOTICE_INFO : NOTICE_ERROR;
	if (phase == MOVE_FINISHED)
		snprintf(out->text, sizeof out->text,
		         "The history is moved, %llu rows. Readings wait in the journal until the broker is restarted with"
		         " plugin_opt_store %s",
		         (unsigned long long)atomic_load(&move->rows), move->target.store);
	else
		snprintf(out->text, sizeof out->text, "The history is not moved and stays where it was: %.400s.", move->error);
	return true;
}
