/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state: the local state file (SQLite, mode 0600): what must be known for the house to work from a cold start.
 *
 * It holds the retained messages that Hearth answers for (configs, auto switches, helpers), the documents that it keeps for
 * itself (accounts, whose a session is), and how far the journal has been taken in. It is written by the keeper thread
 * alone; the plugin reads it once at start, before that thread runs. A removed message stays as a tombstone (empty payload),
 * to be published empty at start; of a removed document nothing stays.
 *
 * The house must start without the file too. While that cannot be written, its contents are kept in memory, all
 * functions work on that, and state_saved is false: what is taken in meanwhile has to stay in the journal. state_mend brings
 * it into the file once it can.
 */
#ifndef HEARTH_STATE_H
#define HEARTH_STATE_H

#include "document.h"

struct state;

/*
 * Opens or makes the file and applies missing migrations. On a full disk or a read-only file system what the file holds is
 * read into memory; a damaged file is moved aside. One that another program has locked is waited for, some seconds. NULL
 * with a message for what only a person can correct: a folder in its place, no permission, a newer schema, and for a lack
 * of memory.
 */
struct state *state_open(const char *path, char *error, size_t error_size);
void state_close(struct state *state); /* NULL is allowed */

/* True if all that was committed is in the file; if not, state_error says why. */
bool state_saved(const struct state *state);

/*
 * What the file held was not to be had when it was opened: only what has been taken in since is there. The file has a
 * position of its own once it is mended: what the journal has beyond that is to be taken in again.
 */
bool state_unread(const struct state *state);

/*
 * There was a file when it was opened, and what it held was not to be had: it was damaged, or state_unread. Nobody knows then
 * which accounts there are.
 */
bool state_lost(const struct state *state);

/*
 * Of what has been taken in up to `position`: up to where no change is only in memory. What the journal holds beyond has to
 * stay.
 */
uint64_t state_safe(const struct state *state, uint64_t position);

/*
 * Between two changes: sees to it that the path leads to a file that has all that was committed. Opens it if that was not
 * possible before, and writes it anew if it was deleted or replaced. One that was unread is gone on with as it is. False
 * if that cannot be done now; call it again later.
 */
bool state_mend(struct state *state);

/* Goes on in memory because the file refuses changes, until state_mend. False if there is no memory. */
bool state_detach(struct state *state);

/* One line for the log on what has happened to the file, once; NULL if there is none. */
const char *state_news(struct state *state);

/* How far the journal with this id has been taken in; 0 if it never was. False on an error of the file. */
bool state_position(struct state *state, uint64_t journal_id, uint64_t *position);

/*
 * Changes are made between state_begin and state_commit; a failed call leaves all as it was before state_begin. A file that
 * was deleted or replaced is mended first.
 */
bool state_begin(struct state *state);
bool state_put_retained(struct state *state, struct slice topic, struct slice payload, struct slice author,
                        int64_t time_us);
bool state_put_document(struct state *state, const struct document *document,
                        int64_t time_us); /* empty body: removed */
bool state_commit(struct state *state, uint64_t journal_id, uint64_t position);
void state_rollback(struct state *state);

/* Calls back for each retained message, tombstones (empty payload) among them. False on an error of the file. */
typedef void (*state_retained_callback)(void *context, struct slice topic, struct slice payload, struct slice author,
                                        int64_t time_us);
bool state_each_retained(struct state *state, state_retained_callback callback, void *context);

/* The same for each document; none of them is empty. */
typedef void (*state_document_callback)(void *context, const struct document *document, int64_t time_us);
bool state_each_document(struct state *state, state_document_callback callback, void *context);

/* One line on what went wrong last. */
const char *state_error(const struct state *state);

#endif
