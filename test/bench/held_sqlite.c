/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * held_sqlite: see held.h.
 */
#include "held.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define BUSY_TIMEOUT_MS 10000 /* the writer's transactions are shorter */

struct held {
	sqlite3 *database;
	char store[PATH_MAX + 32]; /* "sqlite:PATH" */
};

#define SCHEME "sqlite:"

static bool complain(const struct held *held, struct fault *fault)
{
	const char *reason = held->database == NULL ? "no memory" : sqlite3_errmsg(held->database);
	return fault_set(fault, "the history database: %s", reason);
}

static struct held *make(const char *folder, const struct pins *pins, struct fault *fault)
{
	(void)pins;
	struct held *held = calloc(1, sizeof(*held));
	if (held == NULL) {
		fault_set(fault, "no memory");
		return NULL;
	}
	snprintf(held->store, sizeof(held->store), SCHEME "%s/history.db", folder);
	return held;
}

static void free_held(struct held *held)
{
	if (held != NULL) {
		sqlite3_close(held->database);
		free(held);
	}
}

static const char *store(const struct held *held)
{
	return held->store;
}

static bool open_held(struct held *held, struct fault *fault)
{
	const char *path = held->store + sizeof(SCHEME) - 1;
	return (sqlite3_open_v2(path, &held->database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	        sqlite3_busy_timeout(held->database, BUSY_TIMEOUT_MS) == SQLITE_OK) ||
	       complain(held, fault);
}

static bool hold(struct held *held, struct fault *fault)
{
	return sqlite3_exec(held->database, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK || complain(held, fault);
}

static bool release(struct held *held, struct fault *fault)
{
	return sqlite3_exec(held->database, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK || complain(held, fault);
}

static int64_t ask(struct held *held, const char *sql, struct fault *fault)
{
	int64_t number = -1;
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(held->database, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW) {
		number = sqlite3_column_int64(statement, 0);
	} else {
		complain(held, fault);
	}
	sqlite3_finalize(statement);
	return number;
}

static int64_t count(struct held *held, struct fault *fault)
{
	return ask(held, HELD_COUNT_SQL, fault);
}

static int64_t recount(struct held *held, struct fault *fault)
{
	return ask(held, HELD_RECOUNT_SQL, fault);
}

const struct held_way held_sqlite_locked = {
	.name = "sqlite locked",
	.title = "another program holds the SQLite file",
	.make = make,
	.free = free_held,
	.store = store,
	.open = open_held,
	.hold = hold,
	.release = release,
	.count = count,
	.recount = recount,
};
