/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_move: a whole history from one store into another, such as SQLite → MariaDB. Readings, minutes, hours, and how far each
 * broker's journal is stored, so that the broker goes on in the new store where it was in the old one.
 *
 * No broker may use either store meanwhile. What was interrupted is gone on with by calling it again: each part is stored
 * with the count of what was moved, in one transaction. An old store that was written to in between is refused then, and so is
 * a new one that its broker was started with before all was moved.
 *
 * The old store is only read, in pages, and must be of this version's schema. The new one is made if it is not there, and may
 * have other brokers' readings. What it refuses for what it holds is kept aside there, as by store_ops.write; what the
 * old one keeps aside stays there.
 */
#ifndef HEARTH_STORE_MOVE_H
#define HEARTH_STORE_MOVE_H

#include "store.h"

struct store_move {
	const struct store_ops *from_ops, *to_ops;
	struct store_place from, to; /* their `node` is not used */

	/* Called after each part; false: stop here, to go on another time. NULL is allowed. */
	bool (*progress)(void *context, size_t series_done, size_t series_all, uint64_t rows);
	void *context;
};

enum move_result {
	MOVE_DONE,
	MOVE_STOPPED, /* by `progress` */
	MOVE_FAILED   /* error has one line; call it again when that is mended */
};

/* *rows: how much was moved in all, this time and before: series, readings, and what minutes and hours came to. */
enum move_result store_move(const struct store_move *move, uint64_t *rows, char *error, size_t error_size);

#endif
