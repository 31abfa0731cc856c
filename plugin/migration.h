/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * migration: an SQLite file of Hearth's own, opened and brought to the newest schema.
 *
 * The schema is a row of numbered SQL files (schema/sqlite/FOLDER/NNN_name.sql) that embed.sh puts into the plugin. Each
 * is applied once, in one transaction with its row in the file's table schema_version. A published file is never
 * edited: a change is a new number.
 */
#ifndef HEARTH_MIGRATION_H
#define HEARTH_MIGRATION_H

#include <stddef.h>

struct sqlite3;

/* A table of these ends with version 0. */
struct migration {
	int version; /* 1, 2, 3 … */
	const char *name;
	const char *sql;
};

extern const struct migration migrations_history[];
extern const struct migration migrations_state[];
extern const struct migration migrations_mariadb[]; /* applied by store_mariadb_schema.c */

enum migration_result {
	MIGRATION_OK,
	MIGRATION_LATER, /* may work at another time: locked, full, damaged, read-only file system, the folder is missing */
	MIGRATION_NEVER  /* cannot work with this path: no permission, another program's tables, a newer schema */
};

/*
 * Opens the database at an absolute path, making it (mode 0600 whatever the umask) if it is missing, runs `pragmas` and
 * applies the migrations it lacks. The connection waits up to a second for a lock, gives extended result codes and is
 * for one thread at a time. On anything but MIGRATION_OK, *out is NULL and error has one line.
 */
enum migration_result migration_open(const char *path, const struct migration *migrations, const char *pragmas,
                                     struct sqlite3 **out, char *error, size_t error_size);

/*
 * Removes the WAL that a file left beside its path when it was deleted or replaced, after it was closed: it would be taken
 * for that of the file in its place.
 */
void migration_remove_wal(const char *path);

/* What a result code of this connection (not SQLITE_OK) means for opening again later. */
enum migration_result migration_judge(struct sqlite3 *database, int code);

#endif
