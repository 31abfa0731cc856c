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

/* The first ones are all that one has which is opened only to read it. */
enum statement {
	EACH_POSITION,
	EACH_RETAINED,
	EACH_DOCUMENT,
	READING_COUNT,
	BEGIN = READING_COUNT,
	COMMIT,
	ROLLBACK,
	GET_POSITION,
	DROP_OTHER_POSITIONS,
	PUT_POSITION,
	PUT_RETAINED,
	PUT_DOCUMENT,
	DROP_DOCUMENT,
	DROP_ALL_DOCUMENTS,
	STATEMENT_COUNT
};

/* Begins as {0}, which is also what it is when closed. */
struct base {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool has_documents; /* some were put or removed since it was opened; there may be some in any case */
};

/* Opens or makes the file for writing and checks that it is sound: MIGRATION_LATER with *broken set if it is not. */
enum migration_result base_open_file(struct base *base, const char *path, bool *broken, char *error, size_t error_size);

/* An empty one in memory. */
int base_open_memory(struct base *base);

/*
 * Opens a file only to read it, whatever it is like around it: on a full disk, where no shared memory for its WAL can be
 * made, and on a read-only file system. What was committed to the WAL is there. One of an older schema has all that there
 * was then.
 */
int base_open_to_read(struct base *base, const char *path);

void base_close(struct base *base);

/* Runs a statement that gives no rows, its parameters bound. */
int base_run(const struct base *base, enum statement which);

int base_put_retained(const struct base *base, struct slice topic, struct slice payload, struct slice author,
                      int64_t time_us);

/* An empty body removes it. */
int base_put_document(struct base *base, const struct document *document, int64_t time_us);

/* Makes `position` the only one. */
int base_put_position(const struct base *base, sqlite3_int64 journal, sqlite3_int64 position);

int base_each_retained(const struct base *base, state_retained_callback callback, void *context);
int base_each_document(const struct base *base, state_document_callback callback, void *context);

/*
 * Puts every retained message of `from`, and its position, into `to`, in one transaction, and its documents in place of all
 * that `to` has, so that a removed account does not come back. Where there were never any in `from`, those of `to` stay. A
 * transaction that failed is open yet: `to` has to be closed.
 */
int base_copy(const struct base *from, struct base *to);

#endif
