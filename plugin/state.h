/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state: the local state file (SQLite, mode 0600): what must be known for the house to work from a cold start.
 *
 * It holds the retained documents that Hearth answers for (configs, auto switches, helpers) and how far the journal has
 * been taken in. It is written by the keeper thread alone; the plugin reads it once at start, before that thread runs.
 * A removed document stays as a tombstone (empty payload), to be published empty at start.
 */
#ifndef HEARTH_STATE_H
#define HEARTH_STATE_H

#include "topic.h"

struct state;

/* Opens or makes the file and applies missing migrations. NULL with a message if it cannot. */
struct state *state_open(const char *path, char *error, size_t error_size);
void state_close(struct state *state); /* NULL is allowed */

/* How far the journal with this id has been taken in; 0 if it never was. False on an error of the file. */
bool state_position(struct state *state, uint64_t journal_id, uint64_t *position);

/* Changes are made between state_begin and state_commit; a failed call leaves the file as it was before state_begin. */
bool state_begin(struct state *state);
bool state_put_retained(struct state *state, struct slice topic, struct slice payload, int64_t time_us);
bool state_commit(struct state *state, uint64_t journal_id, uint64_t position);
void state_rollback(struct state *state);

/* Calls back for each retained document, tombstones (empty payload) among them. False on an error of the file. */
typedef void (*state_retained_callback)(void *context, struct slice topic, struct slice payload, int64_t time_us);
bool state_each_retained(struct state *state, state_retained_callback callback, void *context);

/* One line on what went wrong last. */
const char *state_error(const struct state *state);

#endif
