/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * seam_sqlite: the plugin's calls into SQLite; see fault.h.
 *
 * Of a statement whose step (or column) was made to fail, sqlite3_reset and sqlite3_finalize return the code once more, and
 * sqlite3_errcode and sqlite3_errmsg say what it means: as after a failure of SQLite's own.
 */
#include "fault.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>

#define FAILED_MAX 64 /* statements at once that are not reset yet */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	const sqlite3_stmt *statement; /* NULL: free */
	int code;
} failed[FAILED_MAX];

/* What this thread's last call was made to fail with; 0: it was not. A thread uses one database at a time. */
static _Thread_local int told;

static void failed_note(const sqlite3_stmt *statement, int code)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < FAILED_MAX; i++) {
		if (failed[i].statement == NULL || failed[i].statement == statement) {
			failed[i].statement = statement;
			failed[i].code = code;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

/* The code that a statement failed with, or 0; forgets it if told to. */
static int failed_code(const sqlite3_stmt *statement, bool forget)
{
	int code = 0;
	pthread_mutex_lock(&lock);
	for (int i = 0; statement != NULL && i < FAILED_MAX; i++) {
		if (failed[i].statement != statement)
			continue;
		code = failed[i].code;
		if (forget)
			failed[i].statement = NULL;
	}
	pthread_mutex_unlock(&lock);
	return code;
}

/* Without extended_result_codes a caller sees the low byte; nobody here goes without. */
static int strikes(enum fault_kind kind)
{
	told = fault_strikes(kind);
	return told;
}

SEAM(int, sqlite3_open_v2, (const char *path, sqlite3 **out, int flags, const char *vfs))
{
	int code = strikes(FAULT_SQLITE_OPEN);
	if (code == 0)
		return sqlite3_open_v2(path, out, flags, vfs);
	*out = NULL;
	return code;
}

SEAM(char *, sqlite3_mprintf, (const char *format, ...))
{
	va_list arguments;
	va_start(arguments, format);
	char *text = fault_strikes(FAULT_SQLITE_SETUP) ? NULL : sqlite3_vmprintf(format, arguments);
	va_end(arguments);
	return text;
}

SEAM(int, sqlite3_busy_timeout, (sqlite3 * database, int ms))
{
	int code = strikes(FAULT_SQLITE_SETUP);
	return code != 0 ? code : sqlite3_busy_timeout(database, ms);
}

SEAM(int, sqlite3_extended_result_codes, (sqlite3 * database, int on))
{
	int code = strikes(FAULT_SQLITE_SETUP);
	return code != 0 ? code : sqlite3_extended_result_codes(database, on);
}

SEAM(int, sqlite3_table_column_metadata,
     (sqlite3 * database, const char *schema, const char *table, const char *column, const char **type,
      const char **collation, int *not_null, int *key, int *counts_up))
{
	int code = strikes(FAULT_SQLITE_SETUP);
	return code != 0 ? code
	                 : sqlite3_table_column_metadata(database, schema, table, column, type, collation, not_null, key,
	                                                 counts_up);
}

SEAM(int, sqlite3_prepare_v2, (sqlite3 * database, const char *sql, int size, sqlite3_stmt **out, const char **tail))
{
	int code = strikes(FAULT_SQLITE_PREPARE);
	if (code == 0)
		return sqlite3_prepare_v2(database, sql, size, out, tail);
	*out = NULL;
	return code;
}

SEAM(int, sqlite3_prepare_v3,
     (sqlite3 * database, const char *sql, int size, unsigned flags, sqlite3_stmt **out, const char **tail))
{
	int code = strikes(FAULT_SQLITE_PREPARE);
	if (code == 0)
		return sqlite3_prepare_v3(database, sql, size, flags, out, tail);
	*out = NULL;
	return code;
}

typedef void (*destructor)(void *);

SEAM(int, sqlite3_bind_int, (sqlite3_stmt * statement, int index, int number))
{
	int code = strikes(FAULT_SQLITE_BIND);
	return code != 0 ? code : sqlite3_bind_int(statement, index, number);
}

SEAM(int, sqlite3_bind_int64, (sqlite3_stmt * statement, int index, sqlite3_int64 number))
{
	int code = strikes(FAULT_SQLITE_BIND);
	return code != 0 ? code : sqlite3_bind_int64(statement, index, number);
}

SEAM(int, sqlite3_bind_double, (sqlite3_stmt * statement, int index, double number))
{
	int code = strikes(FAULT_SQLITE_BIND);
	return code != 0 ? code : sqlite3_bind_double(statement, index, number);
}

SEAM(int, sqlite3_bind_null, (sqlite3_stmt * statement, int index))
{
	int code = strikes(FAULT_SQLITE_BIND);
	return code != 0 ? code : sqlite3_bind_null(statement, index);
}

SEAM(int, sqlite3_bind_text, (sqlite3_stmt * statement, int index, const char *text, int size, destructor end))
{
	int code = strikes(FAULT_SQLITE_BIND);
	return code != 0 ? code : sqlite3_bind_text(statement, index, text, size, end);
}

SEAM(int, sqlite3_bind_text64,
     (sqlite3_stmt * statement, int index, const char *text, sqlite3_uint64 size, destructor end,
      unsigned char encoding))
{
	int code = strikes(FAULT_SQLITE_BIND);
	return code != 0 ? code : sqlite3_bind_text64(statement, index, text, size, end, encoding);
}

SEAM(int, sqlite3_bind_blob64,
     (sqlite3_stmt * statement, int index, const void *bytes, sqlite3_uint64 size, destructor end))
{
	int code = strikes(FAULT_SQLITE_BIND);
	return code != 0 ? code : sqlite3_bind_blob64(statement, index, bytes, size, end);
}

SEAM(int, sqlite3_step, (sqlite3_stmt * statement))
{
	int code = failed_code(statement, false); /* of a column: no further row comes */
	if (code == 0)
		code = fault_strikes(FAULT_SQLITE_STEP);
	told = code;
	if (code == 0)
		return sqlite3_step(statement);
	failed_note(statement, code);
	return code;
}

SEAM(const unsigned char *, sqlite3_column_text, (sqlite3_stmt * statement, int column))
{
	int code = strikes(FAULT_SQLITE_COLUMN);
	if (code == 0)
		return sqlite3_column_text(statement, column);
	failed_note(statement, code);
	return NULL;
}

SEAM(const void *, sqlite3_column_blob, (sqlite3_stmt * statement, int column))
{
	int code = strikes(FAULT_SQLITE_COLUMN);
	if (code == 0)
		return sqlite3_column_blob(statement, column);
	failed_note(statement, code);
	return NULL;
}

SEAM(int, sqlite3_reset, (sqlite3_stmt * statement))
{
	told = failed_code(statement, true);
	int code = sqlite3_reset(statement);
	return told != 0 ? told : code;
}

SEAM(int, sqlite3_finalize, (sqlite3_stmt * statement))
{
	int injected = failed_code(statement, true);
	int code = sqlite3_finalize(statement);
	if (statement != NULL) /* else nothing was called, and what was told before holds */
		told = injected;
	return injected != 0 ? injected : code;
}

typedef int (*row_callback)(void *context, int count, char **values, char **names);

SEAM(int, sqlite3_exec, (sqlite3 * database, const char *sql, row_callback callback, void *context, char **error))
{
	int code = strikes(FAULT_SQLITE_EXEC);
	return code != 0 ? code : sqlite3_exec(database, sql, callback, context, error);
}

SEAM(int, sqlite3_wal_checkpoint_v2, (sqlite3 * database, const char *schema, int mode, int *pages, int *moved))
{
	int code = strikes(FAULT_SQLITE_CHECKPOINT);
	return code != 0 ? code : sqlite3_wal_checkpoint_v2(database, schema, mode, pages, moved);
}

SEAM(const char *, sqlite3_errmsg, (sqlite3 * database))
{
	return told != 0 ? sqlite3_errstr(told) : sqlite3_errmsg(database);
}

SEAM(int, sqlite3_errcode, (sqlite3 * database))
{
	return told != 0 ? told : sqlite3_errcode(database);
}

SEAM(int, sqlite3_system_errno, (sqlite3 * database))
{
	return told != 0 ? 0 : sqlite3_system_errno(database);
}
