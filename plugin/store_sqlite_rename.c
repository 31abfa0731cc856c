/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite_rename: another name for a device's series, and the position, in one transaction. Readings, minutes and
 * hours know a series by its id only, so they follow.
 *
 * A name that is taken stays apart: readings of both may have one instant and one position, and what two minutes come to
 * together depends on which came first.
 */
#include "store_shared.h"
#include "store_sqlite_internal.h"

static int bind_device(sqlite3_stmt *statement, int index, struct slice location, struct slice device)
{
	int code = lite_bind_text(statement, index, location);
	return code == SQLITE_OK ? lite_bind_text(statement, index + 1, device) : code;
}

/* A trigger or a constraint that somebody gave the table refuses; that takes back this statement alone. */
static bool is_refused(const struct store *store, int code)
{
	return (code & 0xff) == SQLITE_CONSTRAINT && !sqlite3_get_autocommit(store->database);
}

static int rename_series(struct store *store, const struct store_rename *rename, size_t *renamed)
{
	sqlite3_stmt *statement = store->statements[LITE_RENAME_SERIES];
	int code = bind_device(statement, 1, rename->from_location, rename->from_device);
	if (code == SQLITE_OK)
		code = bind_device(statement, 3, rename->to_location, rename->to_device);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int(statement, 5, TOPIC_MAX);
	if (code == SQLITE_OK)
		code = lite_run(store, LITE_RENAME_SERIES);
	if (code == SQLITE_OK)
		*renamed = (size_t)sqlite3_changes(store->database);
	return code;
}

static int count_kept(const struct store *store, const struct store_rename *rename, size_t *kept)
{
	sqlite3_stmt *count = store->statements[LITE_COUNT_SERIES];
	int code = bind_device(count, 1, rename->from_location, rename->from_device);
	if (code != SQLITE_OK)
		return code;
	if (sqlite3_step(count) == SQLITE_ROW)
		*kept = (size_t)sqlite3_column_int64(count, 0);
	return sqlite3_reset(count);
}

enum store_result lite_rename(struct store *store, const struct store_rename *rename, size_t *renamed, size_t *kept)
{
	bool moved = false;

	*renamed = *kept = 0;
	if (lite_check_file(store) != STORE_OK)
		return STORE_AWAY;
	int code = lite_begin(store);
	if (code == SQLITE_OK)
		code = lite_move_position(store, &rename->from, &rename->to, &moved);
	if (code == SQLITE_OK && !moved)
		return lite_moved(store);
	lite_away(store, STORE_NAME_TAKEN);
	if (code == SQLITE_OK)
		code = rename_series(store, rename, renamed);
	if (is_refused(store, code)) {
		lite_away(store, sqlite3_errmsg(store->database));
		code = SQLITE_OK;
	}
	if (code == SQLITE_OK)
		code = count_kept(store, rename, kept);
	if (code == SQLITE_OK)
		code = lite_run(store, LITE_COMMIT);
	if (code == SQLITE_OK)
		return STORE_OK;
	*renamed = *kept = 0;
	return lite_fail(store); /* closing the store rolls back what was not committed */
}
