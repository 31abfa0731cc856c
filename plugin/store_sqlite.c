/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite: the history store in one SQLite file; schema/sqlite/history describes its tables.
 *
 * The file is in WAL mode, so it may be read while rows are stored: by people, and by the connection for reading, which
 * SQLite itself keeps from writing. COMMIT does not wait for the disk (synchronous=NORMAL): a power cut can take the
 * newest transactions, but then position and rows fall back together and the journal, which is trimmed only behind what
 * store_ops.sync made durable, brings them again.
 *
 * Here a store is opened and closed; what is done with it is in store_sqlite_write.c, _rename.c, _upkeep.c and _read.c.
 */
#include "migration.h"
#include "migration_explain.h"
#include "store_sqlite_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The WAL is written into the database once it has 4000 pages (16 MiB): a page that many small batches change, as that of
 * the position, is then written once for all of them, not for every few. A WAL that a long reader has let grow is cut
 * back to that size.
 */
#define PRAGMAS                                                                                                        \
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF;"                               \
	"PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 16777216"

enum store_result lite_away(struct store *store, const char *why)
{
	snprintf(store->error, sizeof store->error, "%s: %s", store->path, why);
	return STORE_AWAY;
}

enum store_result lite_fail(struct store *store)
{
	migration_explain(store->database, store->path, store->error, sizeof store->error);
	return STORE_AWAY;
}

static const char *lite_error(const struct store *store)
{
	return store->error;
}

int lite_run(const struct store *store, enum lite_statement which)
{
	sqlite3_step(store->statements[which]);
	return sqlite3_reset(store->statements[which]);
}

int lite_bind_text(sqlite3_stmt *statement, int index, struct slice text)
{
	/* A NULL pointer would bind NULL instead of an empty text. */
	return sqlite3_bind_text64(statement, index, text.len > 0 ? text.ptr : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

int lite_bind_topic(sqlite3_stmt *statement, const struct topic *topic)
{
	int code = lite_bind_text(statement, 1, topic->location);
	if (code == SQLITE_OK)
		code = lite_bind_text(statement, 2, topic->device);
	if (code == SQLITE_OK)
		code = lite_bind_text(statement, 3, topic->sensor);
	if (code == SQLITE_OK)
		code = lite_bind_text(statement, 4, slice_of(topic_subject_name(topic->subject)));
	return code;
}

/* ---- the file ---- */

static bool file_is_gone(const struct store *store)
{
	struct stat status;
	return stat(store->path, &status) != 0 || status.st_dev != store->device || status.st_ino != store->inode;
}

enum store_result lite_check_file(struct store *store)
{
	return file_is_gone(store) ? lite_away(store, "the file was deleted or replaced while in use") : STORE_OK;
}

static enum store_result note_file(struct store *store)
{
	struct stat status;
	if (stat(store->path, &status) != 0)
		return lite_away(store, "the file disappeared");
	store->device = status.st_dev;
	store->inode = status.st_ino;
	return STORE_OK;
}

/*
 * The WAL of a file that is gone is emptied into it, and where a reader of it hinders that, removed: by the one that wrote
 * it, since for a reader it may by now be that of the file in its place.
 */
static void close_database(const struct store *store)
{
	bool stale = !store->reads && store->inode != 0 && file_is_gone(store) &&
	             sqlite3_wal_checkpoint_v2(store->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK;
	sqlite3_close(store->database);
	if (stale)
		migration_remove_wal(store->path);
}

/* ---- opening ---- */

static void lite_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < LITE_STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	close_database(store);
	sorted_free(&store->sorted);
	free(store);
}

static struct store *make_store(const struct store_place *place)
{
	struct store *store = calloc(1, sizeof *store);
	if (!store)
		return NULL;
	store->path = place->location;
	store->node = place->node;
	return store;
}

static enum store_result no_memory(const struct store_place *place, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s: out of memory", place->location);
	return STORE_AWAY;
}

/* Gives the store away if it could be opened, or closes it and hands on what it says. */
static enum store_result hand_out(struct store *store, enum store_result result, struct store **out, char *error,
                                  size_t error_size)
{
	if (result == STORE_OK) {
		*out = store;
		return STORE_OK;
	}
	snprintf(error, error_size, "%s", store->error);
	lite_close(store);
	return result;
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

static enum store_result refuse(struct store *store, int code)
{
	lite_fail(store);
	return result_of(migration_judge(store->database, code));
}

/* The statements from `first` to before `end`. */
static enum store_result prepare(struct store *store, enum lite_statement first, enum lite_statement end)
{
	for (size_t i = first; i < end; i++) {
		int code = sqlite3_prepare_v3(store->database, lite_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
		                              &store->statements[i], NULL);
		if (code != SQLITE_OK)
			return refuse(store, code);
	}
	return STORE_OK;
}

static enum store_result lite_open(const struct store_place *place, struct store **out, char *error, size_t error_size)
{
	*out = NULL;
	struct store *store = make_store(place);
	if (!store)
		return no_memory(place, error, error_size);
	enum store_result result = result_of(
		migration_open(store->path, migrations_history, PRAGMAS, &store->database, store->error, sizeof store->error));
	if (result == STORE_OK)
		result = prepare(store, 0, LITE_WRITE_END);
	if (result == STORE_OK)
		result = note_file(store);
	return hand_out(store, result, out, error, error_size);
}

/* ---- opening what is there, and no more ---- */

static int newest_version(void)
{
	int newest = 0;
	for (const struct migration *m = migrations_history; m->version != 0; m++)
		newest = m->version;
	return newest;
}

static enum store_result connect_to_read(struct store *store)
{
	if (store->path[0] != '/') {
		snprintf(store->error, sizeof store->error, "\"%s\": wanted the absolute path of a file", store->path);
		return STORE_NEVER;
	}
	if (access(store->path, F_OK) != 0 && errno == ENOENT)
		return lite_away(store, "there is no history yet");
	int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	int code = sqlite3_open_v2(store->path, &store->database, flags, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_extended_result_codes(store->database, 1);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(store->database, LITE_BUSY_MS);
	if (code == SQLITE_OK)
		code = sqlite3_exec(store->database, "PRAGMA query_only = ON", NULL, NULL, NULL);
	return code == SQLITE_OK ? STORE_OK : refuse(store, code);
}

/* The schema's version; 0 if there is none yet. */
static enum store_result read_version(struct store *store, int *version)
{
	sqlite3_stmt *ask;
	*version = 0;
	int code = sqlite3_prepare_v2(store->database, "SELECT max(version) FROM schema_version", -1, &ask, NULL);
	if (code == SQLITE_ERROR)
		return STORE_OK; /* no such table */
	if (code == SQLITE_OK) {
		if (sqlite3_step(ask) == SQLITE_ROW)
			*version = sqlite3_column_int(ask, 0);
		code = sqlite3_finalize(ask);
	}
	return code == SQLITE_OK ? STORE_OK : refuse(store, code);
}

static enum store_result check_version(struct store *store)
{
	int version, newest = newest_version();
	enum store_result result = read_version(store, &version);
	if (result != STORE_OK || version == newest)
		return result;
	if (version == 0)
		return lite_away(store, "there is no history in it yet");
	if (version < newest) {
		snprintf(store->error, sizeof store->error,
		         "%s: made by an older Hearth (schema version %d, this one reads %d); it is brought up to date once it"
		         " is opened for writing",
		         store->path, version, newest);
		return STORE_AWAY;
	}
	snprintf(store->error, sizeof store->error, "%s: made by a newer Hearth (schema version %d, this one knows %d)",
	         store->path, version, newest);
	return STORE_NEVER;
}

static enum store_result lite_open_to_read(const struct store_place *place, struct store **out, char *error,
                                           size_t error_size)
{
	*out = NULL;
	struct store *store = make_store(place);
	if (!store)
		return no_memory(place, error, error_size);
	store->reads = true;
	enum store_result result = connect_to_read(store);
	if (result == STORE_OK)
		result = check_version(store);
	if (result == STORE_OK)
		result = prepare(store, LITE_WRITE_END, LITE_STATEMENT_COUNT);
	if (result == STORE_OK)
		result = note_file(store);
	return hand_out(store, result, out, error, error_size);
}

/* An older Hearth's file that may be written. */
static bool waits_for_migration(const struct store_place *place)
{
	int version = 0;
	struct store *store = make_store(place);
	if (!store)
		return false;
	store->reads = true;
	bool older = connect_to_read(store) == STORE_OK && read_version(store, &version) == STORE_OK && version > 0 &&
	             version < newest_version() && access(store->path, W_OK) == 0;
	lite_close(store);
	return older;
}

/* What an older file lacks may take minutes to reckon from years of readings: that is for the thread that writes. */
static enum store_result lite_check(const struct store_place *place, char *error, size_t error_size)
{
	struct store *store;
	if (waits_for_migration(place))
		return STORE_OK;
	enum store_result result = lite_open(place, &store, error, error_size);
	lite_close(store);
	return result;
}

const struct store_ops store_sqlite = {
	.scheme = "sqlite",
	.check = lite_check,
	.open = lite_open,
	.close = lite_close,
	.error = lite_error,
	.position = lite_position,
	.series = lite_series,
	.write = lite_write,
	.rename = lite_rename,
	.sync = lite_sync,
	.upkeep = lite_upkeep,
	.open_to_read = lite_open_to_read,
	.list = lite_list,
	.positions = lite_positions,
	.latest = lite_latest,
	.readings = lite_readings,
	.buckets = lite_buckets,
};
