/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_internal: what storage*.c share.
 */
#ifndef HEARTH_STORAGE_INTERNAL_H
#define HEARTH_STORAGE_INTERNAL_H

#include "crew.h"
#include "keeper.h"
#include "state.h"
#include "storage.h"
#include "storage_loaded.h"
#include "writer.h"

struct storage {
	const struct options *options;
	const struct store_ops *ops;
	struct store_place place;
	struct crew *crew;
	struct mailbox *keeper_notices, *writer_notices, *gauges;
	struct host *host;
	struct journal *journal;
	struct state *state;
	struct writer *writer;
	struct keeper *keeper;
	struct history *history;
	struct storage_move *move; /* the last one, which may have ended; NULL: there was none */
	struct loaded_lists loaded;
	char *error;
	size_t error_size;
	bool opened;
	bool documents_known; /* all that the state file held were read */
	bool had_accounts;
	bool without_journal; /* nor a writer; nothing changes the state */
	int drain_ms;

	/* The broker's thread's. */
	uint64_t queue_passed;  /* what the writer had passed then */
	int64_t queue_since_us; /* wall clock: the queue was first seen not empty; 0: it is empty */
	uint64_t dropped_told;  /* log lines */
};

/* Reading may be another user's. */
struct store_place storage_place_to_read(const struct storage *storage);

/* Run in the crew's thread while the broker's waits; the context is the storage. Opened or not is in `opened`. */
void storage_open_in_crew(void *context);
void storage_close_in_crew(void *context);

#endif
