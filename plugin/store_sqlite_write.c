/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite_write: rows, what they add to minutes and hours, and the position, in one transaction.
 *
 * Everything goes in in key order: with many series that touches each page of a B-tree once instead of once a row. The
 * failure of one row's statement takes back that statement alone, so that the transaction goes on without it.
 */
#include "migration_explain.h"
#include "store_sqlite_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define REASON_MAX 256

int lite_begin(const struct store *store)
{
	return sqlite3_get_autocommit(store->database) ? lite_run(store, LITE_BEGIN) : SQLITE_OK;
}

/* ---- positions and series ---- */

/* Node and journal, for the statements on positions. */
static int bind_key(sqlite3_stmt *statement, const struct store *store, uint64_t journal)
{
	int code = sqlite3_bind_text(statement, 1, store->node, -1, SQLITE_STATIC);
	return code == SQLITE_OK ? sqlite3_bind_int64(statement, 2, (sqlite3_int64)journal) : code;
}

enum store_result lite_position(struct store *store, uint64_t journal, struct store_position *out)
{
	sqlite3_stmt *get = store->statements[LITE_GET_POSITION];

	*out = (struct store_position){0, 0};
	if (bind_key(get, store, journal) != SQLITE_OK)
		return lite_fail(store);
	if (sqlite3_step(get) == SQLITE_ROW) {
		out->journal = (uint64_t)sqlite3_column_int64(get, 0);
		out->position = (uint64_t)sqlite3_column_int64(get, 1);
	}
	return sqlite3_reset(get) == SQLITE_OK ? STORE_OK : lite_fail(store);
}

enum store_result lite_series(struct store *store, const struct topic *topic, int64_t *id)
{
	sqlite3_stmt *find = store->statements[LITE_FIND_SERIES];

	if (lite_bind_topic(find, topic) != SQLITE_OK)
		return lite_fail(store);
	int step = sqlite3_step(find);
	*id = step == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
	if (sqlite3_reset(find) != SQLITE_OK)
		return lite_fail(store);
	if (step == SQLITE_ROW)
		return STORE_OK;

	/* In the transaction of the rows to come: one for each would take longer than the rows. */
	if (lite_begin(store) != SQLITE_OK || lite_bind_topic(store->statements[LITE_ADD_SERIES], topic) != SQLITE_OK ||
	    lite_run(store, LITE_ADD_SERIES) != SQLITE_OK)
		return lite_fail(store);
	*id = sqlite3_last_insert_rowid(store->database);
	return STORE_OK;
}

int lite_move_position(struct store *store, const struct store_position *from, const struct store_position *to,
                       bool *moved)
{
	enum lite_statement which = from->journal == 0 ? LITE_ADD_POSITION : LITE_MOVE_POSITION;
	sqlite3_stmt *statement = store->statements[which];

	int code = bind_key(statement, store, to->journal);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 3, (sqlite3_int64)to->position);
	if (code == SQLITE_OK && which == LITE_MOVE_POSITION)
		code = sqlite3_bind_int64(statement, 4, (sqlite3_int64)from->journal);
	if (code == SQLITE_OK && which == LITE_MOVE_POSITION)
		code = sqlite3_bind_int64(statement, 5, (sqlite3_int64)from->position);
	if (code == SQLITE_OK)
		code = lite_run(store, which);
	*moved = sqlite3_changes(store->database) == 1;
	return code;
}

enum store_result lite_moved(struct store *store)
{
	lite_run(store, LITE_ROLLBACK);
	lite_away(store, "its position moves by itself");
	return STORE_MOVED;
}

/* ---- rows ---- */

static int bind_value(sqlite3_stmt *statement, int index, const struct value *value)
{
	bool has_number = value->is_number && isfinite(value->number);
	int code = has_number ? sqlite3_bind_double(statement, index, value->number) : sqlite3_bind_null(statement, index);
	if (code != SQLITE_OK)
		return code;
	if (value->is_number && value->text.len == 0)
		return sqlite3_bind_null(statement, index + 1);
	return lite_bind_text(statement, index + 1, value->text);
}

/* For the statements on readings. */
static int bind_row(sqlite3_stmt *statement, const struct store_row *row)
{
	int code = sqlite3_bind_int64(statement, 1, row->series);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 2, row->time_us);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 3, row->seq);
	return code == SQLITE_OK ? bind_value(statement, 4, &row->value) : code;
}

static int add_row(const struct store *store, enum lite_statement which, const struct store_row *row)
{
	int code = bind_row(store->statements[which], row);
	return code == SQLITE_OK ? lite_run(store, which) : code;
}

/* Keeps a row aside that the last statement refused with `why`. */
static int reject_row(struct store *store, const struct store_row *row, int why)
{
	sqlite3_stmt *statement = store->statements[LITE_REJECT_READING];
	char reason[REASON_MAX];

	snprintf(reason, sizeof reason, "%s", sqlite3_errmsg(store->database));
	lite_away(store, reason);
	int code = bind_row(statement, row);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int(statement, 6, why);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(statement, 7, reason, -1, SQLITE_STATIC);
	return code == SQLITE_OK ? lite_run(store, LITE_REJECT_READING) : code;
}

static int add_rows(struct store *store, size_t *rejected)
{
	int code = SQLITE_OK;
	for (size_t i = 0; i < store->sorted.count && code == SQLITE_OK; i++) {
		const struct store_row *row = store->sorted.rows[i];
		code = add_row(store, LITE_ADD_READING, row);
		if (code == SQLITE_CONSTRAINT_PRIMARYKEY)
			code = add_row(store, LITE_ADD_READING_BESIDE, row);
		/* A trigger may also have rolled everything back; then there is no transaction to go on with. */
		if ((code & 0xff) != SQLITE_CONSTRAINT || sqlite3_get_autocommit(store->database))
			continue;
		code = reject_row(store, row, code);
		store->sorted.rows[i] = NULL;
		(*rejected)++;
	}
	return code;
}

static int add_rollups(struct store *store, const struct store_batch *batch, size_t period)
{
	const enum lite_statement which = period == 0 ? LITE_ADD_MINUTE : LITE_ADD_HOUR;
	sqlite3_stmt *statement = store->statements[which];
	const struct rollup *rollups;
	size_t count;
	int code = SQLITE_OK;

	if (!sorted_rollups(&store->sorted, batch, period, &rollups, &count))
		return SQLITE_NOMEM;
	for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
		const struct rollup *rollup = &rollups[i];
		code = sqlite3_bind_int64(statement, 1, rollup->series);
		if (code == SQLITE_OK)
			code = sqlite3_bind_int64(statement, 2, rollup->time_us);
		if (code == SQLITE_OK)
			code = sqlite3_bind_double(statement, 3, rollup->min);
		if (code == SQLITE_OK)
			code = sqlite3_bind_double(statement, 4, rollup->avg);
		if (code == SQLITE_OK)
			code = sqlite3_bind_double(statement, 5, rollup->max);
		if (code == SQLITE_OK)
			code = sqlite3_bind_int64(statement, 6, rollup->count);
		if (code == SQLITE_OK)
			code = lite_run(store, which);
	}
	return code;
}

enum store_result lite_write(struct store *store, const struct store_batch *batch, size_t *rejected)
{
	bool moved = false;

	*rejected = 0;
	if (lite_check_file(store) != STORE_OK)
		return STORE_AWAY;
	if (!sorted_set(&store->sorted, batch->rows, batch->count))
		return lite_away(store, "out of memory");

	int code = lite_begin(store);
	if (code == SQLITE_OK)
		code = lite_move_position(store, &batch->from, &batch->to, &moved);
	if (code == SQLITE_OK && !moved)
		return lite_moved(store);
	if (code == SQLITE_OK)
		code = add_rows(store, rejected);
	if (code == SQLITE_OK)
		code = add_rollups(store, batch, 0);
	if (code == SQLITE_OK)
		code = add_rollups(store, batch, 1);
	if (code == SQLITE_OK)
		code = lite_run(store, LITE_COMMIT);
	if (code == SQLITE_OK)
		return STORE_OK;
	*rejected = 0;
	/* Closing the store rolls back what was not committed. */
	return code == SQLITE_NOMEM ? lite_away(store, "out of memory") : lite_fail(store);
}

/* ---- the disk ---- */

/*
 * Syncs the WAL. Not by a checkpoint: beside a long reader that may have nothing to do, and then it does not sync the WAL
 * either.
 */
static enum store_result sync_wal(struct store *store)
{
	sqlite3_file *wal = NULL;
	int number = 0;

	int code = sqlite3_file_control(store->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (code == SQLITE_OK && wal != NULL && wal->pMethods != NULL) {
		code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
		if (code != SQLITE_OK)
			wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &number);
	}
	if (code == SQLITE_OK)
		return STORE_OK;
	snprintf(store->error, sizeof store->error, "%s: cannot be brought to the disk: %s%s", store->path,
	         number != 0 ? strerror(number) : sqlite3_errstr(code), migration_advice(code, number));
	return STORE_AWAY;
}

/*
 * Writes all of the WAL into the database, which is synced then, and empties it: of what the disk has dropped, a part
 * could be found after a loss of power and put over what is newer.
 */
static enum store_result empty_wal(struct store *store)
{
	int code = sqlite3_wal_checkpoint_v2(store->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return code == SQLITE_OK ? STORE_OK : lite_fail(store);
}

enum store_result lite_sync(struct store *store, bool anew)
{
	enum store_result result = anew ? empty_wal(store) : sync_wal(store);
	return result == STORE_OK ? lite_check_file(store) : result;
}
