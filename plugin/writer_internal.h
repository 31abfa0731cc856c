/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_internal: what a writer is in memory. Private to writer*.c.
 */
#ifndef HEARTH_WRITER_INTERNAL_H
#define HEARTH_WRITER_INTERNAL_H

#include "writer.h"
#include "writer_series.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * A batch is what waits, up to here. Alone a few rows are stored at once; after an outage large transactions catch up
 * sooner, since rows of one series come to lie beside each other.
 */
#define WRITER_BATCH_ROWS 100000
#define WRITER_BATCH_TEXT (1 << 20) /* bytes of text in a batch */

/* When the store is looked after, and how it went. */
struct writer_upkeep {
	int64_t due_ms;
	int64_t settled_ms; /* nothing is dropped for its age before */
	unsigned keep_raw_days, keep_minute_days;
	int every_ms;
	bool failing; /* it was said */
};

/* A device's new name, which the journal has behind the batch. */
struct writer_renaming {
	uint64_t end; /* of its record; 0: there is none */
	size_t from_len;
	size_t to_len;
	char from[TOPIC_MAX], to[TOPIC_MAX]; /* "location/device" */
};

struct writer {
	struct journal *journal;
	const struct store_ops *ops;
	struct store_place place;
	struct mailbox *notices;
	pthread_t thread;

	pthread_mutex_t lock; /* of those below up to `resting`, and of nothing else */
	pthread_cond_t wake;
	int64_t deadline_ms; /* when stopping */
	bool stopping;
	bool pausing; /* it is to leave the store alone */
	bool resting; /* it does */

	_Atomic uint64_t stored;
	_Atomic uint64_t rejected;
	_Atomic uint64_t position;
	_Atomic uint64_t passed;
	_Atomic uint64_t durable;
	_Atomic int64_t waiting_since_us;

	/* All below is the thread's own. */
	struct store *store; /* NULL: closed */
	struct journal_cursor *cursor;
	struct store_position at; /* what the store holds */
	uint64_t done;            /* what ends at or before it is stored or in the batch */
	uint64_t flushed;         /* what ends at or before it is stored */
	int64_t synced_ms;        /* when the store was made durable last */
	int sync_every_ms;
	bool unconfirmed; /* `at` was written and not read back yet */
	bool moved;       /* the last write lost the comparison */
	bool owned;       /* the store held a position of this journal in this run */
	bool unsynced;    /* the store could not be made durable, and was not since */
	bool rival;       /* another Hearth of this name; it was said */
	bool dated;       /* waiting_since_us is the batch's */
	uint64_t head_at_start;
	struct store_position foreign; /* what the store held in place of ours last, and since when */
	int64_t foreign_since_ms;
	int foreign_ms;
	uint64_t lost_position; /* what the store holds, if that is beyond head_at_start; see begin_at */

	struct store_row *rows;
	size_t count;
	size_t room; /* in rows */
	char *text;
	size_t text_len;
	struct meanings meanings;
	struct writer_renaming renaming;

	uint64_t counted;     /* readings before this position are in `stored` */
	uint64_t outage_rows; /* since the outage began, those too that were stored before */
	uint64_t nameless_segment;
	int backoff_ms;
	int last_tries; /* how often the store may be opened again when stopping */
	bool outage;
	bool unreadable; /* the journal; it was said */

	uint64_t rejected_told;
	int64_t rejected_told_ms;
	struct writer_upkeep upkeep;
};

/* ---- writer_wait.c ---- */

/* Monotonic. */
int64_t writer_clock_ms(void);

/* Waits; writer_stop and writer_pause end it early. */
void writer_wait(struct writer *writer, int milliseconds);

bool writer_is_stopping(struct writer *writer, int64_t *deadline_ms);
bool writer_is_pausing(struct writer *writer);

/* The store is closed; comes back with writer_resume or writer_stop. */
void writer_rest(struct writer *writer);

/* ---- writer_batch.c ---- */

enum gathered {
	GATHERED_ENOUGH,
	GATHERED_ALL,     /* there is no more */
	GATHERED_RENAME,  /* a device is to be renamed behind it */
	GATHERED_BLOCKED, /* the journal cannot be read on now */
	GATHERED_FAILED   /* the store was lost, and the batch with it */
};

/* Reads the journal until the batch is full or nothing is left to read. */
enum gathered writer_gather(struct writer *writer);

void writer_empty_batch(struct writer *writer);

/* ---- writer_rename.c ---- */

/*
 * Renames the device of writer->renaming, once all before it is stored, and moves the position behind it. On anything but
 * STORE_OK nothing was done.
 */
enum store_result writer_rename(struct writer *writer);

/* ---- writer_upkeep.c ---- */

/* Looks after the store if that is due; see store_ops.upkeep. No transaction may be open. */
void writer_look_after(struct writer *writer, int64_t now_ms);

/* ---- writer.c ---- */

/* Closes the store; the first time in an outage it also says why. */
void writer_lose_store(struct writer *writer, const char *why);

#endif
