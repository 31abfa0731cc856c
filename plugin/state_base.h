/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state_base: one database with the state's tables, in a file or in memory. Private to state*.c.
 *
 * Functions that give an int give a result code of SQLite; its words are then sqlite3_errmsg's.
 */
#ifndef HEARTH_STATE_BASE_H
#define HEARTH_STATE_BASE_H

#include "migration.h"
#include "state.h"

#include <sqlite3.h>

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	GET_POSITION,
	EACH_POSITION,
	DROP_OTHER_POSITIONS,
	PUT_POSITION,
	PUT_RETAINED,
	EACH_RETAINED,
	STATEMENT_COUNT
};

/* Begins as {0}, which is also what it is when closed. */
struct base {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* Opens or makes the file for writing and checks that it is sound: MIGRATION_LATER with *broken set if it is not. */
enum migration_result base_open_file(struct base *base, const char *path, bool *broken, char *error, size_t error_size);

/* An empty one in memory. */
int base_open_memory(struct base *base);

/*
 * Opens a file only to read it, whatever it is like around it: on a full disk, where no shared memory for its WAL can be
 * made, and on a read-only file system. What was committed to the WAL is there.
 */
int base_open_to_read(struct base *base, const char *path);

void base_close(struct base *base);

/* Runs a statement that gives no rows, its parameters bound. */
int base_run(const struct base *base, enum statement which);

int base_put_retained(const struct base *base, struct slice topic, struct slice payload, int64_t time_us);

/* Makes `position` the only one. */
int base_put_position(const struct base *base, sqlite3_int64 journal, sqlite3_int64 position);

int base_each_retained(const struct base *base, state_retained_callback callback, void *context);

/*
 * Puts every document of `from`, and its position, into `to`, in one transaction. One that failed is open yet: `to` has to
 * be closed.
 */
int base_copy(const struct base *from, const struct base *to);

#endif
