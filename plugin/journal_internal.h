/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_internal: what an open journal is in memory. Private to journal*.c.
 *
 * The segments of this run are a chain. The appending thread writes into one of them and, when it is full, seals it
 * and follows `next` to a spare one. The keeping thread makes spare segments and hangs them on the chain's end, syncs,
 * and takes from the chain's front what is synced and left. It never frees a segment before `current` says that the
 * appending thread has left it, and the appending thread never looks back. The quota is kept by making no more spares.
 *
 * Where not even the first segment can be made, the chain begins with a stub: no file, no room.
 */
#ifndef HEARTH_JOURNAL_INTERNAL_H
#define HEARTH_JOURNAL_INTERNAL_H

#include "journal_guard.h"
#include "journal_recovery.h"

#include <semaphore.h>
#include <stdatomic.h>

#define CACHE_LINE 64

struct segment {
	struct mapping mapping;
	uint64_t begin;
	uint64_t end;
	uint64_t reading_end; /* readings stop here unless there is a next segment: the rest is for control records */
	uint64_t synced;      /* the keeping thread's: durable up to here */
	bool soiled;          /* the keeping thread's: a sync failed, so that the next one must begin with segment_soil */
	struct segment *_Atomic next;
};

struct journal {
	/* The appending thread's alone: one cache line. */
	_Alignas(CACHE_LINE) uint8_t *bytes; /* where the segment is mapped */
	uint64_t begin;                      /* its begin */
	uint64_t end;                        /* its end */
	uint64_t at;                         /* position of the next record */
	uint64_t easy_end;                   /* up to here journal_reserve need not think */
	uint64_t marked;                     /* what the last mark says */
	struct guard *guard;                 /* watches over `bytes` */
	struct segment *segment;

	/* The keeping thread's alone. */
	_Alignas(CACHE_LINE) struct segment *front; /* of the chain */
	struct segment *back;
	struct segment_file *files; /* all segment files, spare ones too, oldest first */
	size_t file_count;

	/* Written by the keeping thread, read by all. */
	_Atomic uint64_t oldest;
	_Atomic uint64_t bytes_from; /* head − bytes_from = bytes on disk */
	_Atomic uint64_t synced;     /* all before it is safe from a loss of power: for the next mark */
	_Atomic uint64_t durable;    /* the same, up to the first file that lost its name: journal_synced */

	/* Written by the appending thread, read by all. */
	_Alignas(CACHE_LINE) _Atomic uint64_t head;
	struct segment *_Atomic current; /* only the keeping thread may follow it */

	/* Never changes while the journal is open. */
	uint64_t id;
	uint64_t run_begin; /* position where this run began */
	uint64_t torn;
	uint64_t quota;
	uint64_t segment_size;
	char *path;
	sem_t wake; /* any thread posts, the keeping thread waits */
	int read_patience_ms;
	int folder; /* -1: journal_open_none made it */
	int lock;

	size_t file_room;  /* the keeping thread's: for so many files there is memory */
	uint64_t nameless; /* the keeping thread's: where the first segment begins that had lost its name; 0: none has */
	int remove_error;  /* the keeping thread's: errno of the last removal that the disk refused; 0: none */
	uint64_t ended;    /* the appending thread's: where the records of the segments before end, in this run */
	bool half_told;    /* the appending thread's: it woke the keeping thread because the segment is half full */
};

/* ---- journal_keep.c: keeping thread, or the only one while the journal opens and closes ---- */

/* A segment that has no room, to stand before the first one. NULL: no memory. */
struct segment *journal_make_stub(uint64_t begin);

/* Makes a segment and its file, and notes it among the files; the caller hangs it on the chain. NULL with a message. */
struct segment *journal_make_segment(struct journal *journal, uint64_t begin, char *error, size_t error_size);

/* Makes spare segments, as many as are wanted and the quota allows. False with a message. */
bool journal_make_spares(struct journal *journal, char *error, size_t error_size);

/* Syncs the chain up to the head, oldest first, and frees what the appending thread has left. False with a message. */
bool journal_sync_segments(struct journal *journal, char *error, size_t error_size);

/* Unmaps and frees; the file stays. */
void journal_free_segment(struct segment *segment);

/* Bytes of all segment files. */
uint64_t journal_files_size(const struct journal *journal);

/* Tells the other threads which files there are. */
void journal_publish_files(struct journal *journal);

#endif
