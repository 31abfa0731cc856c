/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_move: the history goes from the store in use into another one while the broker runs.
 *
 * A thread of its own has the writer leave the store (readings wait in the journal meanwhile) and then runs store_move. When
 * all is there the writer stays away: what comes is for the new store, and a broker that is started with it goes on exactly
 * where the old one ended, since the position is moved too. The journal is never trimmed beyond that, because the writer says
 * what it said before. On failure the writer goes on in the old store.
 *
 * A move that has come some way is tried again for a minute: a server that is restarted need not end it. Questions are
 * answered from the old store all the time, since nobody writes there.
 *
 * Private to storage.c, but for the state; the functions are the broker's thread's.
 */
#ifndef HEARTH_STORAGE_MOVE_H
#define HEARTH_STORAGE_MOVE_H

#include "crew.h"
#include "mailbox.h"
#include "store.h"
#include "writer.h"

enum storage_move_phase {
	MOVE_NONE,
	MOVE_RUNNING,
	MOVE_FINISHED, /* all is in the new store, for which the broker has to be restarted */
	MOVE_ERROR     /* it was stopped or has failed, and `error` says why; the old store is in use */
};

struct storage_move_state {
	uint64_t rows; /* moved so far: series, readings, and what minutes and hours come to */
	size_t series_done, series_all;
	enum storage_move_phase phase;
	char error[512];
};

struct storage_move;

struct storage_move_options {
	const struct store_ops *ops; /* the store in use */
	struct store_place place;    /* how it is read; its texts outlive the move */
	struct writer *writer;
	struct crew *crew; /* the thread is to share its files */
};

/*
 * Checks what can be checked without waiting, and starts the thread. `password_file` and `ca_file` may be NULL. NULL and
 * one line, in which no password is: it cannot be.
 */
struct storage_move *storage_move_new(const struct storage_move_options *options, const char *to,
                                      const char *password_file, const char *ca_file, char *error, size_t error_size);

/* Asks it to stop before long, and does not wait for that. What was begun can be gone on with while nobody stores anything. */
void storage_move_cancel(struct storage_move *move);

/* Stops it if it runs, waits for its end, and leaves the writer paused: nothing is to be stored any more. NULL is allowed. */
void storage_move_end(struct storage_move *move);

/* Frees one that has ended, by itself or by storage_move_end. NULL is allowed. */
void storage_move_free(struct storage_move *move);

/* NULL: MOVE_NONE. */
struct storage_move_state storage_move_look(const struct storage_move *move);

/* One line for the log, once it has ended. NULL is allowed. */
bool storage_move_notice(struct storage_move *move, struct notice *out);

#endif
