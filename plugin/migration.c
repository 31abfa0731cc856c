/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * migration: an SQLite file of Hearth's own, opened and brought to the newest schema.
 *
 * A database file is never opened here but by SQLite itself, except to make it: closing any descriptor of a file drops
 * all POSIX locks that this process has on it, those of SQLite's other connections too.
 */
#include "migration.h"

#include "migration_explain.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 1000

static enum migration_result judge_errno(int number)
{
	switch (number) {
	case EACCES:
	case EPERM:
	case EISDIR:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return MIGRATION_NEVER;
	default:
		return MIGRATION_LATER;
	}
}

enum migration_result migration_judge(sqlite3 *database, int code)
{
	switch (code & 0xff) {
	case SQLITE_ERROR: /* the SQL does not fit the tables: it is somebody else's database */
	case SQLITE_PERM:
		return MIGRATION_NEVER;
	case SQLITE_READONLY:
		return sqlite3_system_errno(database) == EROFS ? MIGRATION_LATER : MIGRATION_NEVER;
	case SQLITE_CANTOPEN:
		return judge_errno(sqlite3_system_errno(database));
	default: /* corruption too, even of the first page: a broken card must not keep the house from starting */
		return MIGRATION_LATER;
	}
}

/* Makes an empty file, 0600, unless there is one. */
static enum migration_result make_file(const char *path, char *error, size_t error_size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd >= 0) {
		bool private = fchmod(fd, S_IRUSR | S_IWUSR) == 0; /* the umask may have taken bits away */
		if (!private)
			snprintf(error, error_size, "%s: %m", path);
		close(fd);
		return private ? MIGRATION_OK : MIGRATION_LATER;
	}

	struct stat status;
	if (errno == EEXIST && stat(path, &status) == 0) {
		if (S_ISREG(status.st_mode))
			return MIGRATION_OK;
		errno = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
	}
	snprintf(error, error_size, "%s: %m", path);
	return judge_errno(errno);
}

/* The newest version in the file; 0 for a new one. */
static int read_version(sqlite3 *database, int *version)
{
	*version = 0;
	int code = sqlite3_table_column_metadata(database, NULL, "schema_version", NULL, NULL, NULL, NULL, NULL, NULL);
	if (code == SQLITE_ERROR)
		return SQLITE_OK; /* no such table */
	if (code != SQLITE_OK)
		return code;

	sqlite3_stmt *statement;
	code = sqlite3_prepare_v2(database, "SELECT coalesce(max(version), 0) FROM schema_version", -1, &statement, NULL);
	if (code != SQLITE_OK)
		return code;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*version = sqlite3_column_int(statement, 0);
	return sqlite3_finalize(statement);
}

static int record_version(sqlite3 *database, const struct migration *migration)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(database,
	                              "INSERT INTO schema_version (version, name, applied)"
	                              " VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
	                              -1, &statement, NULL);
	if (code != SQLITE_OK)
		return code;
	code = sqlite3_bind_int(statement, 1, migration->version);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(statement, 2, migration->name, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		sqlite3_step(statement); /* finalizing tells what came of it */
	int ended = sqlite3_finalize(statement);
	return code != SQLITE_OK ? code : ended;
}

/* Applies one migration unless another process was faster. */
static int apply_one(sqlite3 *database, const struct migration *migration)
{
	int version = 0;
	int code = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = read_version(database, &version);
	if (code == SQLITE_OK && version < migration->version) {
		code = sqlite3_exec(database,
		                    "CREATE TABLE IF NOT EXISTS schema_version"
		                    " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL)",
		                    NULL, NULL, NULL);
		if (code == SQLITE_OK)
			code = sqlite3_exec(database, migration->sql, NULL, NULL, NULL);
		if (code == SQLITE_OK)
			code = record_version(database, migration);
	}
	if (code == SQLITE_OK)
		code = sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
	return code;
}

static enum migration_result apply_all(sqlite3 *database, const char *path, const struct migration *migrations,
                                       char *error, size_t error_size)
{
	int version;
	int code = read_version(database, &version);
	if (code != SQLITE_OK) {
		migration_explain(database, path, error, error_size);
		return migration_judge(database, code);
	}

	int newest = 0;
	for (const struct migration *m = migrations; m->version != 0; m++) {
		newest = m->version;
		if (m->version <= version)
			continue;
		code = apply_one(database, m);
		if (code != SQLITE_OK) { /* closing the database rolls back */
			/* Of a statement that never ran SQLite knows no more than the code. */
			bool explained = sqlite3_errcode(database) != SQLITE_OK;
			snprintf(error, error_size, "%s: migration %s: %s", path, m->name,
			         explained ? sqlite3_errmsg(database) : sqlite3_errstr(code));
			return migration_judge(database, code);
		}
	}
	if (version > newest) {
		snprintf(error, error_size, "%s: made by a newer Hearth (schema version %d, this one knows %d)", path, version,
		         newest);
		return MIGRATION_NEVER;
	}
	return MIGRATION_OK;
}

enum migration_result migration_open(const char *path, const struct migration *migrations, const char *pragmas,
                                     sqlite3 **out, char *error, size_t error_size)
{
	sqlite3 *database = NULL;
	*out = NULL;
	if (path[0] != '/') { /* SQLite gives "", ":memory:" and "file:" meanings of their own */
		snprintf(error, error_size, "\"%s\": wanted the absolute path of a file", path);
		return MIGRATION_NEVER;
	}
	enum migration_result result = make_file(path, error, error_size);
	if (result != MIGRATION_OK)
		return result;

	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	int code = sqlite3_open_v2(path, &database, flags, NULL);
	if (code == SQLITE_OK && sqlite3_db_readonly(database, "main") == 1) {
		bool disk = access(path, W_OK) != 0 && errno == EROFS;
		snprintf(error, error_size, "%s: may be read but not written%s", path,
		         disk ? "; mount its disk for writing" : "");
		result = disk ? MIGRATION_LATER : MIGRATION_NEVER;
		goto fail;
	}
	if (code == SQLITE_OK)
		code = sqlite3_extended_result_codes(database, 1);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
	if (code == SQLITE_OK)
		code = sqlite3_exec(database, pragmas, NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		migration_explain(database, path, error, error_size);
		result = migration_judge(database, code);
		goto fail;
	}
	result = apply_all(database, path, migrations, error, error_size);
	if (result != MIGRATION_OK)
		goto fail;
	*out = database;
	return MIGRATION_OK;

fail:
	sqlite3_close(database);
	return result;
}

void migration_remove_wal(const char *path)
{
	static const char *const ends[] = {"-wal", "-shm"};

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		char *name = malloc(strlen(path) + strlen(ends[i]) + 1);
		if (!name)
			return;
		stpcpy(stpcpy(name, path), ends[i]);
		unlink(name);
		free(name);
	}
}
