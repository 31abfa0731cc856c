/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite: the history store in one SQLite file; schema/sqlite/history describes its tables.
 *
 * The file is in WAL mode, so people may read it while rows are stored. COMMIT does not wait for the disk
 * (synchronous=NORMAL): a power cut can take the newest transactions, but then position and rows fall back together and
 * the journal, which is trimmed only behind what store_ops.sync made durable, brings them again.
 *
 * A batch's rows go in in key order: with many series that touches each page of the B-tree once instead of once a row.
 */
#include "migration.h"
#include "migration_explain.h"
#include "store.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The WAL file is cut back to this many bytes once a long reader has let it grow. */
#define PRAGMAS                                                                                                        \
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF;"                               \
	"PRAGMA journal_size_limit = 16777216"

/*
 * The row of journal ?2. One whose broker had another name comes before that of node ?1 with another journal: nothing of
 * a journal is stored twice because somebody renamed its broker.
 */
#define ITS_ROW                                                                                                        \
	"(SELECT rowid FROM ingest_position WHERE journal = ?2 OR node = ?1"                                               \
	" ORDER BY journal = ?2 DESC, pos DESC, node = ?1 DESC LIMIT 1)"

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	GET_POSITION,
	ADD_POSITION,
	MOVE_POSITION,
	FIND_SERIES,
	ADD_SERIES,
	ADD_READING,
	ADD_READING_BESIDE,
	STATEMENT_COUNT
};

static const char *const statement_sql[STATEMENT_COUNT] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[GET_POSITION] = "SELECT journal, pos FROM ingest_position WHERE rowid = " ITS_ROW,
	[ADD_POSITION] = "INSERT INTO ingest_position (node, journal, pos) SELECT ?1, ?2, ?3 WHERE " ITS_ROW " IS NULL",
	/* It keeps its old name while another journal has the new one. */
	[MOVE_POSITION] = "UPDATE ingest_position SET journal = ?2, pos = ?3, node = CASE"
					  " WHEN EXISTS (SELECT 1 FROM ingest_position WHERE node = ?1) THEN node ELSE ?1 END"
					  " WHERE rowid = " ITS_ROW " AND journal = ?4 AND pos = ?5",
	[FIND_SERIES] = "SELECT id FROM series WHERE location = ?1 AND device = ?2 AND sensor = ?3 AND subject = ?4",
	[ADD_SERIES] = "INSERT INTO series (location, device, sensor, subject) VALUES (?1, ?2, ?3, ?4)",
	[ADD_READING] = "INSERT INTO reading (series_id, ts, seq, value, txt) VALUES (?1, ?2, ?3, ?4, ?5)",
	[ADD_READING_BESIDE] = ("INSERT INTO reading (series_id, ts, seq, value, txt)"
                            " SELECT ?1, ?2, max(seq) + 1, ?4, ?5 FROM reading WHERE series_id = ?1 AND ts = ?2"),
};

struct store {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	char *path;
	char *node;
	dev_t device;                  /* of the file that is open, to see that the path still leads to it */
	ino_t inode;                   /* 0: not known */
	const struct store_row **rows; /* in key order; room for `capacity` */
	size_t capacity;
	char error[512];
};

static enum store_result away(struct store *store, const char *why)
{
	snprintf(store->error, sizeof store->error, "%s: %s", store->path, why);
	return STORE_AWAY;
}

static enum store_result away_sqlite(struct store *store)
{
	migration_explain(store->database, store->path, store->error, sizeof store->error);
	return STORE_AWAY;
}

static int bind_slice(sqlite3_stmt *statement, int index, struct slice text)
{
	/* A NULL pointer would bind NULL instead of an empty text. */
	return sqlite3_bind_text64(statement, index, text.len > 0 ? text.ptr : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

/* Runs a statement that gives no rows. */
static int run(const struct store *store, enum statement which)
{
	sqlite3_step(store->statements[which]);
	return sqlite3_reset(store->statements[which]);
}

/* Begins a transaction, unless sqlite_series has. */
static int begin(const struct store *store)
{
	return sqlite3_get_autocommit(store->database) ? run(store, BEGIN) : SQLITE_OK;
}

/* ---- opening ---- */

/* True if somebody deleted the file or put another one in its place: what is written would be lost with it. */
static bool file_is_gone(const struct store *store)
{
	struct stat status;
	return stat(store->path, &status) != 0 || status.st_dev != store->device || status.st_ino != store->inode;
}

/*
 * The WAL of a file that is gone is emptied into it, and where a reader of it hinders that, removed.
 */
static void close_database(const struct store *store)
{
	bool stale = store->inode != 0 && file_is_gone(store) &&
	             sqlite3_wal_checkpoint_v2(store->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK;
	sqlite3_close(store->database);
	if (stale)
		migration_remove_wal(store->path);
}

static void sqlite_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	close_database(store);
	free(store->rows);
	free(store->path);
	free(store->node);
	free(store);
}

static enum store_result result_of(enum migration_result result)
{
	switch (result) {
	case MIGRATION_OK:
		return STORE_OK;
	case MIGRATION_NEVER:
		return STORE_NEVER;
	default:
		return STORE_AWAY;
	}
}

static enum store_result prepare(struct store *store)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		int code = sqlite3_prepare_v3(store->database, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
		                              &store->statements[i], NULL);
		if (code != SQLITE_OK) {
			away_sqlite(store);
			return result_of(migration_judge(store->database, code));
		}
	}
	return STORE_OK;
}

static enum store_result sqlite_open(const char *location, const char *node, struct store **out, char *error,
                                     size_t error_size)
{
	enum store_result result = STORE_AWAY;
	struct stat status;

	*out = NULL;
	struct store *store = calloc(1, sizeof *store);
	if (store) {
		store->path = strdup(location);
		store->node = strdup(node);
	}
	if (!store || !store->path || !store->node) {
		snprintf(error, error_size, "%s: out of memory", location);
		goto fail;
	}
	result = result_of(migration_open(location, migrations_history, PRAGMAS, &store->database, error, error_size));
	if (result != STORE_OK)
		goto fail;
	result = prepare(store);
	if (result == STORE_OK && stat(location, &status) != 0)
		result = away(store, "the file disappeared");
	if (result != STORE_OK) {
		snprintf(error, error_size, "%s", store->error);
		goto fail;
	}
	store->device = status.st_dev;
	store->inode = status.st_ino;
	*out = store;
	return STORE_OK;

fail:
	sqlite_close(store);
	return result;
}

/* ---- positions and series ---- */

/* For the statements with ITS_ROW. */
static int bind_key(sqlite3_stmt *statement, const struct store *store, uint64_t journal)
{
	int code = sqlite3_bind_text(statement, 1, store->node, -1, SQLITE_STATIC);
	return code == SQLITE_OK ? sqlite3_bind_int64(statement, 2, (sqlite3_int64)journal) : code;
}

static enum store_result sqlite_position(struct store *store, uint64_t journal, struct store_position *out)
{
	sqlite3_stmt *get = store->statements[GET_POSITION];

	*out = (struct store_position){0, 0};
	if (bind_key(get, store, journal) != SQLITE_OK)
		return away_sqlite(store);
	if (sqlite3_step(get) == SQLITE_ROW) {
		out->journal = (uint64_t)sqlite3_column_int64(get, 0);
		out->position = (uint64_t)sqlite3_column_int64(get, 1);
	}
	return sqlite3_reset(get) == SQLITE_OK ? STORE_OK : away_sqlite(store);
}

static int bind_series(sqlite3_stmt *statement, const struct topic *topic)
{
	int code = bind_slice(statement, 1, topic->location);
	if (code == SQLITE_OK)
		code = bind_slice(statement, 2, topic->device);
	if (code == SQLITE_OK)
		code = bind_slice(statement, 3, topic->sensor);
	if (code == SQLITE_OK)
		code = bind_slice(statement, 4, slice_of(topic_subject_name(topic->subject)));
	return code;
}

static enum store_result sqlite_series(struct store *store, const struct topic *topic, int64_t *id)
{
	sqlite3_stmt *find = store->statements[FIND_SERIES];

	if (bind_series(find, topic) != SQLITE_OK)
		return away_sqlite(store);
	int step = sqlite3_step(find);
	*id = step == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
	if (sqlite3_reset(find) != SQLITE_OK)
		return away_sqlite(store);
	if (step == SQLITE_ROW)
		return STORE_OK;

	/* In the transaction of the rows to come: one for each would take longer than the rows. */
	if (begin(store) != SQLITE_OK || bind_series(store->statements[ADD_SERIES], topic) != SQLITE_OK ||
	    run(store, ADD_SERIES) != SQLITE_OK)
		return away_sqlite(store);
	*id = sqlite3_last_insert_rowid(store->database);
	return STORE_OK;
}

/* ---- writing ---- */

static int compare_rows(const void *left, const void *right)
{
	const struct store_row *a = *(const struct store_row *const *)left;
	const struct store_row *b = *(const struct store_row *const *)right;
	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	if (a->time_us != b->time_us)
		return a->time_us < b->time_us ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static bool sort_rows(struct store *store, const struct store_row *rows, size_t count)
{
	if (count > store->capacity) {
		const struct store_row **bigger = realloc(store->rows, count * sizeof(const struct store_row *));
		if (!bigger)
			return false;
		store->rows = bigger;
		store->capacity = count;
	}
	for (size_t i = 0; i < count; i++)
		store->rows[i] = &rows[i];
	if (count > 1)
		qsort(store->rows, count, sizeof(const struct store_row *), compare_rows);
	return true;
}

static int move_position(struct store *store, const struct store_position *from, const struct store_position *to,
                         bool *moved)
{
	enum statement which = from->journal == 0 ? ADD_POSITION : MOVE_POSITION;
	sqlite3_stmt *statement = store->statements[which];

	int code = bind_key(statement, store, to->journal);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 3, (sqlite3_int64)to->position);
	if (code == SQLITE_OK && which == MOVE_POSITION)
		code = sqlite3_bind_int64(statement, 4, (sqlite3_int64)from->journal);
	if (code == SQLITE_OK && which == MOVE_POSITION)
		code = sqlite3_bind_int64(statement, 5, (sqlite3_int64)from->position);
	if (code == SQLITE_OK)
		code = run(store, which);
	*moved = sqlite3_changes(store->database) == 1;
	return code;
}

static int bind_value(sqlite3_stmt *statement, int index, const struct value *value)
{
	bool has_number = value->is_number && isfinite(value->number);
	int code = has_number ? sqlite3_bind_double(statement, index, value->number) : sqlite3_bind_null(statement, index);
	if (code != SQLITE_OK)
		return code;
	if (value->is_number && value->text.len == 0)
		return sqlite3_bind_null(statement, index + 1);
	return bind_slice(statement, index + 1, value->text);
}

/* Adds a row by one of the two statements that do; they have the same parameters. */
static int add_row(const struct store *store, enum statement which, const struct store_row *row)
{
	sqlite3_stmt *statement = store->statements[which];
	int code = sqlite3_bind_int64(statement, 1, row->series);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 2, row->time_us);
	if (code == SQLITE_OK && which == ADD_READING)
		code = sqlite3_bind_int64(statement, 3, row->seq);
	if (code == SQLITE_OK)
		code = bind_value(statement, 4, &row->value);
	return code == SQLITE_OK ? run(store, which) : code;
}

static int add_rows(struct store *store, size_t count)
{
	int code = SQLITE_OK;
	for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
		code = add_row(store, ADD_READING, store->rows[i]);
		if (code == SQLITE_CONSTRAINT_PRIMARYKEY)
			/* An earlier journal had a reading of the same instant at the same position. Both are kept. */
			code = add_row(store, ADD_READING_BESIDE, store->rows[i]);
	}
	return code;
}

static enum store_result sqlite_write(struct store *store, const struct store_row *rows, size_t count,
                                      const struct store_position *from, const struct store_position *to)
{
	bool moved = false;

	if (file_is_gone(store))
		return away(store, "the file was deleted or replaced while in use");
	if (!sort_rows(store, rows, count))
		return away(store, "out of memory");

	int code = begin(store);
	if (code == SQLITE_OK)
		code = move_position(store, from, to, &moved);
	if (code == SQLITE_OK && !moved) {
		run(store, ROLLBACK);
		return STORE_MOVED;
	}
	if (code == SQLITE_OK)
		code = add_rows(store, count);
	if (code == SQLITE_OK)
		code = run(store, COMMIT);
	return code == SQLITE_OK ? STORE_OK : away_sqlite(store); /* closing the store rolls back what was not committed */
}

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
	return code == SQLITE_OK ? STORE_OK : away_sqlite(store);
}

static enum store_result sqlite_sync(struct store *store, bool anew)
{
	enum store_result result = anew ? empty_wal(store) : sync_wal(store);
	if (result != STORE_OK)
		return result;
	return file_is_gone(store) ? away(store, "the file was deleted or replaced while in use") : STORE_OK;
}

static const char *sqlite_error(const struct store *store)
{
	return store->error;
}

const struct store_ops store_sqlite = {
	.scheme = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.position = sqlite_position,
	.series = sqlite_series,
	.write = sqlite_write,
	.sync = sqlite_sync,
	.error = sqlite_error,
};
