/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * migration_explain: SQLite's words where they are plain, the system's where SQLite only says that the disk failed, and
 * behind them what helps.
 */
#include "migration_explain.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *migration_advice(int code, int number)
{
	code &= 0xff;
	if (code == SQLITE_FULL || number == ENOSPC || number == EDQUOT)
		return "; its disk needs room";
	if (number == EROFS)
		return "; mount its disk for writing";
	if (number == EIO)
		return "; its disk fails: look after it";
	switch (code) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "; another program uses it and must let go";
	case SQLITE_READONLY:
		return "; the broker's user must be allowed to write it";
	case SQLITE_CORRUPT:
		return "; the file is damaged: move it away, and it is made anew";
	case SQLITE_NOTADB:
		return "; it is damaged, or never was one: move it away, and it is made anew";
	default:
		return "";
	}
}

void migration_explain(sqlite3 *database, const char *path, char *out, size_t size)
{
	if (!database) {
		snprintf(out, size, "%s: out of memory", path);
		return;
	}
	int code = sqlite3_errcode(database) & 0xff;
	bool of_system = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
	int number = of_system ? sqlite3_system_errno(database) : 0;

	if (number != 0)
		snprintf(out, size, "%s: %s: %s%s", path, sqlite3_errmsg(database), strerror(number),
		         migration_advice(code, number));
	else
		snprintf(out, size, "%s: %s%s", path, sqlite3_errmsg(database), migration_advice(code, number));
}
