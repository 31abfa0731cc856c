/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal: a durable outbox of typed byte records in append-only memory-mapped segments.
 *
 * One thread appends (the broker's); a second one keeps the files (syncs, makes segments ready ahead of need, trims);
 * any number read through cursors. They share atomics only: appending takes no lock and makes no system call. Once
 * journal_append has returned, the record survives the death of the process; once journal_sync has, that of the machine.
 *
 * A position is the byte offset of a record in the endless sequence of segments: it grows for ever and is unique.
 */
#ifndef HEARTH_JOURNAL_H
#define HEARTH_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;
struct journal_cursor;

#define JOURNAL_PAYLOAD_MAX 262144

struct journal_options {
	const char *directory; /* made (0700) if missing; its parent must exist */
	uint64_t quota;        /* most bytes of all segments; at least 4 segments */
	uint64_t segment_size; /* bytes a segment, a power of two from 64 KiB; 0: quota / 64 between 1 MiB and 16 MiB */
	int read_patience_ms;  /* for so long a cursor asks a disk again for bytes that it does not give; 0: 5 minutes */
};

/*
 * Opens or makes a journal, recovers the end of what an earlier run wrote, and begins a new segment. NULL with a
 * message in `error` if it cannot, and errno is EROFS or EIO if a read-only or a failing disk is the reason, EWOULDBLOCK
 * if it is open already, here or in another process. With no room on the disk it opens all the same and is full until
 * journal_sync finds room.
 */
struct journal *journal_open(const struct journal_options *options, char *error, size_t error_size);

/* A journal that holds nothing and takes nothing, for a house whose disk cannot be written. NULL: no memory. */
struct journal *journal_open_none(void);

/* Syncs, cuts the last segment to its used length, removes the spare ones, frees. No other thread may use it any more. */
void journal_close(struct journal *journal);

/* A random number made with the first segment: tells this journal from one that replaced it. Never 0, but for "none". */
uint64_t journal_id(const struct journal *journal);

/* Bytes of whole records that a loss of power had left and that were cut off, since others before them are missing. */
uint64_t journal_torn(const struct journal *journal);

/* ---- appending thread ---- */

/* Readings leave room at the end of the last segment for records that must not be lost (configs, switches). */
enum journal_priority { JOURNAL_READING, JOURNAL_CONTROL };

/* Bytes that a record with this payload takes. */
static inline size_t journal_record_size(size_t payload)
{
	return 8 + ((payload + 7) & ~(size_t)7);
}

/*
 * Makes sure that the next `bytes` (sum of journal_record_size) go into one segment, and returns the position where
 * that segment begins, or 0 if the journal is full: nothing may be appended then. A segment never begins at 0.
 */
uint64_t journal_reserve(struct journal *journal, size_t bytes, enum journal_priority priority);

/*
 * Appends a record that was reserved; type 1 … 255, payload up to JOURNAL_PAYLOAD_MAX. Returns its position; 0 if the disk
 * refused it: the record is not there, nor is what was left of the reservation.
 */
uint64_t journal_append(struct journal *journal, uint8_t type, const void *payload, size_t len);

/* ---- keeping thread ---- */

/*
 * Syncs all that was appended before the call and makes spare segments ready. Returns false with a message if the
 * disk refused (full, gone): call it again later.
 */
bool journal_sync(struct journal *journal, char *error, size_t error_size);

/* Blocks until milliseconds have passed or a segment is half full or journal_wake was called. */
void journal_wait(struct journal *journal, int milliseconds);
void journal_wake(struct journal *journal); /* from any thread */

/* Removes the segments that end at or before a position. What the disk refuses, journal_sync tells. */
void journal_trim(struct journal *journal, uint64_t position);

/* ---- any thread ---- */

/*
 * Up to this position all is on the disk, by a sync that succeeded, in files that still have their names: a loss of power
 * takes nothing before it. It only grows. Who waits for it calls journal_wake behind the append.
 */
uint64_t journal_synced(const struct journal *journal);

uint64_t journal_begin(const struct journal *journal); /* where the oldest segment begins */
uint64_t journal_head(const struct journal *journal);  /* behind the last record appended */
uint64_t journal_bytes(const struct journal *journal); /* on disk, spare segments left out */
uint64_t journal_quota(const struct journal *journal);

struct journal_record {
	uint64_t position;      /* of this record */
	uint64_t end;           /* of the next one: what a consumer that is done with this one remembers */
	uint64_t segment;       /* where its segment begins */
	const uint8_t *payload; /* valid until the next call with this cursor */
	size_t len;
	uint8_t type;
};

enum journal_next { JOURNAL_RECORD, JOURNAL_END, JOURNAL_DAMAGED, JOURNAL_FAILED };

/*
 * A cursor on the segment that holds `position` (the oldest, if that is gone; the current one, if it lies beyond).
 * It begins with the segment's first record, not with `position`, so that a consumer sees the segment's definitions again:
 * it passes over other records whose end is not beyond what it has already done. NULL: no memory.
 */
struct journal_cursor *journal_cursor_new(struct journal *journal, uint64_t position);
void journal_cursor_free(struct journal_cursor *cursor);

/*
 * JOURNAL_RECORD with *record set; JOURNAL_END if there is none yet (call again later); JOURNAL_DAMAGED once for a
 * place in a segment that cannot be read, with record->position there and record->end where reading goes on;
 * JOURNAL_FAILED, and errno says why, if the files cannot be opened or read now (call again later).
 */
enum journal_next journal_next(struct journal_cursor *cursor, struct journal_record *record);

#endif
