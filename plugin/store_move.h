/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_move: a whole history from one store into another, such as SQLite → MariaDB. Readings, minutes, hours, and how far each
 * broker's journal is stored, so that the broker goes on in the new store where it was in the old one.
 *
 * No broker may use either store meanwhile. What was interrupted is gone on with by calling it again: each part is stored
 * with the count of what was moved, in one transaction.
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

/* *rows: how much was moved in all, this time and before: readings, and what minutes and hours came to. */
enum move_result store_move(const struct store_move *move, uint64_t *rows, char *error, size_t error_size);

#endif
