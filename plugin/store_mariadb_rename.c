/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_rename: another name for a device's series, and the position, in one transaction. Readings, minutes and
 * hours know a series by its id only, so they follow.
 *
 * A user who may not do that (grants made by an older Hearth) holds up nothing: the position moves on, the old names stay, and
 * what is to be granted is said.
 */
#include "store_mariadb_internal.h"
#include "store_shared.h"

#include <mariadb/mysqld_error.h>
#include <stdio.h>

#define DEVICE_MAX (2 * TOPIC_MAX + 2)

/* "location/device" with the byte `last` behind it: '/', as its topics have, or the one that follows that. */
static struct slice device_name(struct slice location, struct slice device, char last, char buffer[static DEVICE_MAX])
{
	int len =
		snprintf(buffer, DEVICE_MAX, "%.*s/%.*s%c", (int)location.len, location.ptr, (int)device.len, device.ptr, last);
	return (struct slice){buffer, (size_t)len};
}

/* After this statement failed: is it only that the old names stay? Then says why. */
static bool names_stay(struct store *store, MYSQL_STMT *statement)
{
	const unsigned code = maria_code(store, statement);

	switch (code) {
	case ER_DUP_ENTRY: /* another broker has made one of the new names just now */
		return false;
	case ER_TABLEACCESS_DENIED_ERROR:
	case ER_COLUMNACCESS_DENIED_ERROR:
		maria_say(store, "user %s may not (%u); GRANT UPDATE (location, device) ON %s.series TO %s", store->user, code,
		          store->database, store->user);
		return true;
	default:
		if (maria_sort(code) != MARIA_FAULT_DATA)
			return false;
		maria_explain(store, statement);
		return true;
	}
}

static enum store_result rename_series(struct store *store, const struct store_rename *rename, size_t *renamed)
{
	char from[DEVICE_MAX], end[DEVICE_MAX], to[DEVICE_MAX];
	const int64_t longest = TOPIC_MAX;
	const struct slice new_name = device_name(rename->to_location, rename->to_device, '/', to);
	MYSQL_BIND parameters[] = {
		maria_bind_text(rename->to_location),
		maria_bind_text(rename->to_device),
		maria_bind_text(device_name(rename->from_location, rename->from_device, '/', from)),
		maria_bind_text(device_name(rename->from_location, rename->from_device, '/' + 1, end)),
		maria_bind_text(new_name),
		maria_bind_integer(&longest, false),
		maria_bind_text(new_name),
	};

	maria_say(store, STORE_NAME_TAKEN);
	MYSQL_STMT *statement = maria_execute(store, MARIA_RENAME_SERIES, parameters);
	if (statement) {
		*renamed = (size_t)mysql_stmt_affected_rows(statement);
		return STORE_OK;
	}
	statement = store->statements[MARIA_RENAME_SERIES];
	if (names_stay(store, statement))
		return STORE_OK;
	bool again = maria_code(store, statement) == ER_DUP_ENTRY;
	enum store_result result = maria_fail(store, statement);
	return again ? STORE_MOVED : result;
}

static enum store_result count_kept(struct store *store, const struct store_rename *rename, size_t *kept)
{
	char from[DEVICE_MAX], end[DEVICE_MAX];
	int64_t count = 0;
	MYSQL_BIND parameters[] = {
		maria_bind_text(device_name(rename->from_location, rename->from_device, '/', from)),
		maria_bind_text(device_name(rename->from_location, rename->from_device, '/' + 1, end)),
	};
	MYSQL_BIND column = maria_bind_integer(&count, false);

	MYSQL_STMT *statement = maria_execute(store, MARIA_COUNT_SERIES, parameters);
	if (!statement || mysql_stmt_bind_result(statement, &column) != 0 || mysql_stmt_fetch(statement) != 0)
		return maria_fail(store, store->statements[MARIA_COUNT_SERIES]);
	mysql_stmt_free_result(statement);
	*kept = (size_t)count;
	return STORE_OK;
}

enum store_result maria_rename(struct store *store, const struct store_rename *rename, size_t *renamed, size_t *kept)
{
	*renamed = *kept = 0;
	if (!maria_begin(store))
		return maria_fail(store, NULL);
	enum store_result result = maria_move_position(store, &rename->from, &rename->to);
	if (result == STORE_OK)
		result = rename_series(store, rename, renamed);
	if (result == STORE_OK)
		result = count_kept(store, rename, kept);
	if (result == STORE_OK && !maria_run(store, "COMMIT"))
		result = maria_fail(store, NULL);
	if (result != STORE_OK) {
		*renamed = *kept = 0;
		return result;
	}
	store->in_transaction = false;
	store->stored = rename->to;
	maria_forget_series(store);
	return STORE_OK;
}
