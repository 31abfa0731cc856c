/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store: what a history backend must do, as one struct of functions.
 *
 * Exactly once: the position in the journal up to which rows are stored lives in the same database and moves in the
 * same transaction as the rows, by compare-and-set. Whoever loses the comparison reads the position again. A backend
 * is used by one thread at a time; only the writer thread writes.
 */
#ifndef HEARTH_STORE_H
#define HEARTH_STORE_H

#include "value.h"

struct store;

enum store_result {
	STORE_OK,
	STORE_AWAY,  /* cannot be reached or is busy: close, wait, open again */
	STORE_MOVED, /* the position was not the expected one: nothing was stored; read it again */
	STORE_NEVER /* can never work as configured: a directory, no permission, another program's tables, a newer schema */
};

/* Where a journal stands in the store. */
struct store_position {
	uint64_t journal; /* journal_id; 0: nothing was ever stored for this journal, nor for this node */
	uint64_t position;
};

struct store_row {
	int64_t series;  /* as store_ops.series gave it since the last open */
	int64_t time_us; /* microseconds since 1970, UTC */
	int64_t seq;     /* journal position: tells two readings of one instant apart */
	struct value value;
};

struct store_ops {
	const char *scheme; /* what plugin_opt_store begins with, such as "sqlite" */

	/*
	 * Opens the store at `location` (what follows "scheme:") and applies missing migrations. `node` is this broker's
	 * name: the position of a journal that is new takes the place of that node's last one. On anything but STORE_OK, *out is NULL and error has one line for a person.
	 */
	enum store_result (*open)(const char *location, const char *node, struct store **out, char *error,
	                          size_t error_size);
	void (*close)(struct store *store); /* NULL is allowed */

	/* Where this journal stands, whatever its node was called then; else where the node's last journal stood. */
	enum store_result (*position)(struct store *store, uint64_t journal, struct store_position *out);

	/*
	 * The store's own id of a series, made if it is new. A new one may be kept no earlier than by the next write: after
	 * anything but STORE_OK from a function, ids have to be asked for again.
	 */
	enum store_result (*series)(struct store *store, const struct topic *topic, int64_t *id);

	/*
	 * Stores rows and moves the position from `from`, as `position` gave it for the journal of `to`, to `to` in one
	 * transaction. count may be 0.
	 */
	enum store_result (*write)(struct store *store, const struct store_row *rows, size_t count,
	                           const struct store_position *from, const struct store_position *to);

	/*
	 * Makes durable what was written. A store that already is at COMMIT has nothing to do. `anew`: one has failed since
	 * the last that did not; a disk that is asked once more may say yes to what it has dropped, so it is all handed to it
	 * once more.
	 */
	enum store_result (*sync)(struct store *store, bool anew);

	/* One line on what went wrong last. Valid until the next call. */
	const char *(*error)(const struct store *store);
};

extern const struct store_ops store_sqlite;

#endif
