/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer: the thread that carries readings from the journal to the history store.
 *
 * Owns the store's connection. Reads the journal, stores batches with their position in one transaction, and after any
 * error closes, waits (250 ms doubling to 2 s), opens again and asks the store where it stands. So it neither loses nor
 * doubles a row, whatever fails in between. A device that was renamed has its series renamed in the store on the way.
 */
#ifndef HEARTH_WRITER_H
#define HEARTH_WRITER_H

#include "journal.h"
#include "mailbox.h"
#include "store.h"

struct writer;

struct writer_options {
	struct journal *journal;
	const struct store_ops *ops;
	struct store_place place; /* its texts outlive the thread */
	unsigned keep_raw_days;   /* readings; 0: for ever */
	unsigned keep_minute_days;
	struct mailbox *notices; /* of struct notice; this thread is its only sender */
	size_t batch_rows;       /* the most that are stored in one transaction; 0: 100000 */
	int sync_every_ms;       /* how often the store is made durable; 0: 2000 */
	int foreign_ms;          /* another journal's position that rests so long is nobody's; 0: 60000 */
	int settle_ms;           /* nothing is dropped for its age before this; 0: 600000. A clock may be set late */
	int upkeep_every_ms;     /* 0: 3600000 */
};

/* Starts the thread. NULL if it cannot. */
struct writer *writer_start(const struct writer_options *options);

/* Lets it store what the journal holds for at most `drain_ms`, then ends and joins the thread and frees it. */
void writer_stop(struct writer *writer, int drain_ms);

/*
 * Has it leave the store alone and close it, after the batch in work, and waits until that is so. Readings wait in the
 * journal until it is resumed; one that is stopped in between stores nothing more. Any thread, one at a time, and never
 * beside writer_stop. What the functions below say stays as it was.
 */
void writer_pause(struct writer *writer);
void writer_resume(struct writer *writer);

/* Any thread: the journal position up to which all is stored and durable, some seconds behind writer_position. */
uint64_t writer_durable(const struct writer *writer);

/*
 * Any thread: rows stored in this run, each counted once though the store may have lost it and got it again; and the
 * journal position up to which all is stored (0: not known yet).
 */
uint64_t writer_stored(const struct writer *writer);
uint64_t writer_position(const struct writer *writer);

/* Any thread: rows that the store refused for what they hold, and has kept aside, in this run. */
uint64_t writer_rejected(const struct writer *writer);

/*
 * Any thread: no reading before this journal position waits (0: not known). Unlike writer_position it also passes what holds
 * no reading, so it is not where a restart goes on.
 */
uint64_t writer_passed(const struct writer *writer);

/*
 * Any thread: when the oldest reading that is known to wait was received, in microseconds since 1970; 0: none, or none
 * has been seen yet. It stays while the store is away. Readings that tell only their device's time are not counted.
 */
int64_t writer_waiting_since_us(const struct writer *writer);

#endif
