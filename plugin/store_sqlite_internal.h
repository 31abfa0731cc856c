/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite_internal: what an open SQLite store is in memory. Private to store_sqlite*.c and their tests.
 */
#ifndef HEARTH_STORE_SQLITE_INTERNAL_H
#define HEARTH_STORE_SQLITE_INTERNAL_H

#include "store.h"
#include "store_batch.h"

#include <sqlite3.h>
#include <sys/types.h>

#define LITE_BUSY_MS 1000 /* so long a lock is waited for, as migration_open has it */

/* What is prepared when a store is opened: for writing those before LITE_WRITE_END, for reading the others. */
enum lite_statement {
	LITE_BEGIN,
	LITE_COMMIT,
	LITE_ROLLBACK,
	LITE_GET_POSITION,
	LITE_ADD_POSITION,
	LITE_MOVE_POSITION,
	LITE_FIND_SERIES,
	LITE_ADD_SERIES,
	LITE_RENAME_SERIES,
	LITE_COUNT_SERIES,
	LITE_ADD_READING,
	LITE_ADD_READING_BESIDE,
	LITE_REJECT_READING,
	LITE_ADD_MINUTE,
	LITE_ADD_HOUR,
	LITE_NEXT_SERIES,
	LITE_DROP_READINGS,
	LITE_DROP_MINUTES,
	LITE_WRITE_END,

	LITE_LIST = LITE_WRITE_END,
	LITE_POSITIONS,
	LITE_LATEST,
	LITE_LATEST_OF_ALL,
	LITE_READINGS,
	LITE_BUCKETS_RAW,
	LITE_BUCKETS_MINUTE,
	LITE_BUCKETS_HOUR,
	LITE_STATEMENT_COUNT
};

/* What each of them says, and what its parameters are. */
extern const char *const lite_sql[LITE_STATEMENT_COUNT];

/* Where upkeep goes on. */
struct lite_sweep {
	int64_t series; /* the first that it has not done yet */
	size_t table;   /* of those that it goes through one after the other */
};

struct store {
	sqlite3 *database;
	sqlite3_stmt *statements[LITE_STATEMENT_COUNT]; /* NULL: of the other kind */
	const char *path;
	const char *node;
	struct store_sorted sorted;
	struct lite_sweep sweep;
	dev_t device; /* of the file that is open, to see that the path still leads to it */
	ino_t inode;  /* 0: not known */
	bool reads;   /* it is open for reading only */
	char error[512];
};

/* ---- store_sqlite.c ---- */

/* STORE_AWAY, with "PATH: why" as the error. */
enum store_result lite_away(struct store *store, const char *why);

/* The same with what SQLite says about the last call. */
enum store_result lite_fail(struct store *store);

/* STORE_AWAY if somebody deleted the file or put another one in its place: what is written would be lost with it. */
enum store_result lite_check_file(struct store *store);

/* Runs a statement that gives no rows. */
int lite_run(const struct store *store, enum lite_statement which);

/* Binds the four levels of a topic to ?1 … ?4. It has to live until the statement is reset. */
int lite_bind_topic(sqlite3_stmt *statement, const struct topic *topic);

/* Binds a text; an empty one too is a text and not NULL. It has to live until the statement is reset. */
int lite_bind_text(sqlite3_stmt *statement, int index, struct slice text);

/* ---- store_sqlite_write.c ---- */

enum store_result lite_position(struct store *store, uint64_t journal, struct store_position *out);
enum store_result lite_series(struct store *store, const struct topic *topic, int64_t *id);
enum store_result lite_write(struct store *store, const struct store_batch *batch, size_t *rejected);
enum store_result lite_sync(struct store *store, bool anew);

/* Begins a transaction, unless lite_series has. */
int lite_begin(const struct store *store);

/* *moved: the position was as expected, and is moved. */
int lite_move_position(struct store *store, const struct store_position *from, const struct store_position *to,
                       bool *moved);

/* Takes the transaction back whose position was not as expected. */
enum store_result lite_moved(struct store *store);

/* ---- store_sqlite_rename.c ---- */

enum store_result lite_rename(struct store *store, const struct store_rename *rename, size_t *renamed, size_t *kept);

/* ---- store_sqlite_upkeep.c ---- */

#define LITE_UPKEEP_ROWS 2000 /* are dropped in one step at most */

enum store_result lite_upkeep(struct store *store, const struct store_keep *keep, bool *more);

/* ---- store_sqlite_read.c ---- */

enum store_result lite_list(struct store *store, store_series_callback callback, void *context);
enum store_result lite_positions(struct store *store, store_position_callback callback, void *context);
enum store_result lite_latest(struct store *store, const struct topic *topic, store_reading_callback callback,
                              void *context);
enum store_result lite_readings(struct store *store, const struct topic *topic, struct store_span span, size_t limit,
                                store_reading_callback callback, void *context);
enum store_result lite_buckets(struct store *store, const struct topic *topic, enum store_source source,
                               struct store_span span, int64_t step_us, store_bucket_callback callback, void *context);

#endif
