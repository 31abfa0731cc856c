/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state: the local state file; schema/sqlite/state describes its tables.
 *
 * A commit waits for the disk (synchronous=FULL): once the journal is trimmed this file is the only one that knows. WAL
 * mode makes that one flush a commit instead of three, which counts on an SD card.
 *
 * A change that fails rolls the whole transaction back at once; the calls after it fail too, until the next state_begin.
 */
#include "state.h"
#include "migration.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRAGMAS "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	GET_POSITION,
	DROP_OTHER_POSITIONS,
	PUT_POSITION,
	PUT_RETAINED,
	EACH_RETAINED,
	STATEMENT_COUNT
};

static const char *const statement_sql[STATEMENT_COUNT] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[GET_POSITION] = "SELECT pos FROM journal_position WHERE journal = ?1",
	[DROP_OTHER_POSITIONS] = "DELETE FROM journal_position WHERE journal <> ?1",
	[PUT_POSITION] = ("INSERT INTO journal_position (journal, pos) VALUES (?1, ?2)"
                      " ON CONFLICT (journal) DO UPDATE SET pos = excluded.pos"),
	[PUT_RETAINED] = ("INSERT INTO retained (topic, payload, changed) VALUES (?1, ?2, ?3)"
                      " ON CONFLICT (topic) DO UPDATE SET payload = excluded.payload, changed = excluded.changed"),
	[EACH_RETAINED] = "SELECT topic, payload, changed FROM retained ORDER BY topic",
};

struct state {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	char *path;
	char error[512];
};

/* Notes what went wrong and takes back what the transaction has done so far. */
static bool fail(struct state *state, const char *why)
{
	snprintf(state->error, sizeof state->error, "%s: %s", state->path, why);
	state_rollback(state);
	return false;
}

static bool fail_sqlite(struct state *state)
{
	return fail(state, sqlite3_errmsg(state->database));
}

/* Runs a statement that gives no rows. */
static bool run(const struct state *state, enum statement which)
{
	sqlite3_step(state->statements[which]);
	return sqlite3_reset(state->statements[which]) == SQLITE_OK;
}

struct state *state_open(const char *path, char *error, size_t error_size)
{
	struct state *state = calloc(1, sizeof *state);
	if (state)
		state->path = strdup(path);
	if (!state || !state->path) {
		snprintf(error, error_size, "%s: out of memory", path);
		goto fail;
	}
	if (migration_open(path, migrations_state, PRAGMAS, &state->database, error, error_size) != MIGRATION_OK)
		goto fail;
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		if (sqlite3_prepare_v3(state->database, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &state->statements[i],
		                       NULL) != SQLITE_OK) {
			snprintf(error, error_size, "%s: %s", path, sqlite3_errmsg(state->database));
			goto fail;
		}
	}
	return state;

fail:
	state_close(state);
	return NULL;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(state->statements[i]);
	sqlite3_close(state->database);
	free(state->path);
	free(state);
}

bool state_position(struct state *state, uint64_t journal_id, uint64_t *position)
{
	sqlite3_stmt *get = state->statements[GET_POSITION];

	sqlite3_bind_int64(get, 1, (sqlite3_int64)journal_id);
	*position = sqlite3_step(get) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(get, 0) : 0;
	return sqlite3_reset(get) == SQLITE_OK || fail_sqlite(state);
}

bool state_begin(struct state *state)
{
	return run(state, BEGIN) || fail_sqlite(state);
}

bool state_put_retained(struct state *state, struct slice topic, struct slice payload, int64_t time_us)
{
	sqlite3_stmt *put = state->statements[PUT_RETAINED];

	if (sqlite3_get_autocommit(state->database))
		return fail(state, "a change outside a transaction");
	/* A NULL pointer would bind NULL instead of nothing. */
	sqlite3_bind_text64(put, 1, topic.len > 0 ? topic.ptr : "", topic.len, SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_blob64(put, 2, payload.len > 0 ? payload.ptr : "", payload.len, SQLITE_STATIC);
	sqlite3_bind_int64(put, 3, time_us);
	return run(state, PUT_RETAINED) || fail_sqlite(state);
}

bool state_commit(struct state *state, uint64_t journal_id, uint64_t position)
{
	sqlite3_stmt *drop = state->statements[DROP_OTHER_POSITIONS];
	sqlite3_stmt *put = state->statements[PUT_POSITION];

	if (sqlite3_get_autocommit(state->database))
		return fail(state, "a commit outside a transaction");
	sqlite3_bind_int64(drop, 1, (sqlite3_int64)journal_id);
	sqlite3_bind_int64(put, 1, (sqlite3_int64)journal_id);
	sqlite3_bind_int64(put, 2, (sqlite3_int64)position);
	return (run(state, DROP_OTHER_POSITIONS) && run(state, PUT_POSITION) && run(state, COMMIT)) || fail_sqlite(state);
}

void state_rollback(struct state *state)
{
	if (!sqlite3_get_autocommit(state->database))
		run(state, ROLLBACK);
}

bool state_each_retained(struct state *state, state_retained_callback callback, void *context)
{
	sqlite3_stmt *each = state->statements[EACH_RETAINED];

	while (sqlite3_step(each) == SQLITE_ROW) {
		struct slice topic = {(const char *)sqlite3_column_text(each, 0), (size_t)sqlite3_column_bytes(each, 0)};
		struct slice payload = {sqlite3_column_blob(each, 1), (size_t)sqlite3_column_bytes(each, 1)};
		callback(context, topic, payload, sqlite3_column_int64(each, 2));
	}
	return sqlite3_reset(each) == SQLITE_OK || fail_sqlite(state);
}

const char *state_error(const struct state *state)
{
	return state->error;
}
