/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper: the thread that keeps the journal's files and the state file.
 *
 * Every sync_ms it syncs the journal, makes spare segments ready, carries changes of configs and accounts into the state file
 * and removes segments that both the history store and the state file have taken in. It also samples the machine's
 * gauges, because reading /proc takes longer than the broker's thread may wait.
 */
#ifndef HEARTH_KEEPER_H
#define HEARTH_KEEPER_H

#include "host.h"
#include "journal.h"
#include "mailbox.h"
#include "state.h"

struct keeper;

struct keeper_options {
	struct journal *journal;
	struct state *state;     /* the keeper's own from keeper_start to keeper_stop; NULL: none */
	struct host *host;       /* the same; NULL: no gauges */
	int sync_ms;             /* 10 … 10000 */
	int gauges_every_s;      /* 0: no gauges */
	int trim_behind_ms;      /* what is stored stays in the journal for so long; 0: 1000 */
	int reserve_ms;          /* and for so long while the journal is less than a quarter full; 0: not longer */
	struct mailbox *notices; /* of struct notice; this thread is its only sender */
	struct mailbox *gauges;  /* of struct host_sample; likewise */
	uint64_t (*stored)(
		void *
			context); /* journal position up to which the history store has all, safe from a loss of power; any thread */
	void *context;
};

/*
 * Before the thread runs: takes in what the state has not seen of the journal yet; in memory, if the file cannot be
 * written. False with a message if there is no memory, or the journal cannot be read; what could be read is taken in.
 */
bool keeper_catch_up(struct journal *journal, struct state *state, char *error, size_t error_size);

struct keeper *keeper_start(const struct keeper_options *options); /* NULL if the thread cannot be started */

/* Takes in the rest of the journal, ends and joins the thread, frees it. */
void keeper_stop(struct keeper *keeper);

#endif
