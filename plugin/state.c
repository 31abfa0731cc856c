/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state: the local state file; schema/sqlite/state describes its tables.
 *
 * A commit waits for the disk (synchronous=FULL): once the journal is trimmed this file is the only one that knows. WAL
 * mode makes that one flush a commit instead of three, which counts on an SD card.
 *
 * A change that fails rolls the whole transaction back at once; the calls after it fail too, until the next state_begin.
 *
 * All of it is in one database, the file or one in memory. What is in memory came from the file and the journal and is at
 * least as new, so that it goes into any file that is found later: retained messages one by one, documents as a whole, since
 * of a removed one nothing tells. Only if the file could not be read, that is not known: a loss of power may have taken from
 * the journal what the file has. Then the file stays as it is, and the keeper takes in what it lacks.
 */
#include "state.h"

#include "migration_explain.h"
#include "state_base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 640
#define LINE_SIZE 508

/* At the start a lock is waited for, since without the file its configs are not in force. */
#define LOCK_PATIENCE_S 5
#define LOCK_NAP_MS     50

struct state {
	struct base base;
	bool saved;    /* `base` is the file */
	bool unread;   /* see state_unread */
	bool lost;     /* see state_lost */
	bool changing; /* something was put since state_begin */
	bool unsaved;  /* a change is only in memory: it lies beyond `safe` */
	uint64_t safe;
	dev_t device; /* of the file, to see that the path still leads to it */
	ino_t inode;
	char *path;
	char error[LINE_SIZE];
	char news[LINE_SIZE];
	bool has_news;
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
	migration_explain(state->base.database, state->path, state->error, sizeof state->error);
	state_rollback(state);
	return false;
}

static bool is(struct state *state, int code)
{
	return code == SQLITE_OK || fail_sqlite(state);
}

static void __attribute__((format(printf, 2, 3))) tell(struct state *state, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(state->news, sizeof state->news, format, arguments);
	va_end(arguments);
	state->has_news = true;
}

/* ---- the file comes and goes ---- */

static bool is_in_place(const struct state *state)
{
	struct stat status;
	return stat(state->path, &status) == 0 && status.st_dev == state->device && status.st_ino == state->inode;
}

/* Renames a damaged file, and what SQLite keeps beside it, so that somebody can look at it. */
static bool move_aside(struct state *state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char why[256], from[PATH_SIZE], to[PATH_SIZE], stamp[20];
	struct tm utc;
	time_t now = time(NULL);

	snprintf(why, sizeof why, "%.255s", state->error);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(from, sizeof from, "%s%s", state->path, ends[i]);
		snprintf(to, sizeof to, "%s.broken-%s%s", state->path, stamp, ends[i]);
		if (rename(from, to) != 0 && i == 0) {
			snprintf(state->error, sizeof state->error, "%s; it cannot be moved away: %m", why);
			return false;
		}
	}
	tell(state,
	     "The state file was damaged (%s) and is now %s.broken-%s: only the configs and switches that the journal still"
	     " has are in force, publish the others again.",
	     why, state->path, stamp);
	state->lost = state->lost || !state->base.database; /* else it is in memory */
	state->unread = false;                              /* what it held is given up */
	return true;
}

/* Opens the file for writing, a new one in place of a damaged one, and notes which it is. */
static enum migration_result open_file(struct state *state, struct base *file)
{
	struct stat status;
	bool broken;
	enum migration_result result = base_open_file(file, state->path, &broken, state->error, sizeof state->error);
	if (broken && move_aside(state))
		result = base_open_file(file, state->path, &broken, state->error, sizeof state->error);
	if (result != MIGRATION_OK)
		return result;
	if (stat(state->path, &status) != 0) {
		base_close(file);
		fail(state, "the file disappeared");
		return MIGRATION_LATER;
	}
	state->device = status.st_dev;
	state->inode = status.st_ino;
	return MIGRATION_OK;
}

/* Reads into memory what the file holds. A result code; the memory is closed if it is not SQLITE_OK. */
static int read_file(struct state *state)
{
	struct base file = {0};

	int code = base_open_memory(&state->base);
	if (code == SQLITE_OK && (access(state->path, F_OK) == 0 || errno != ENOENT)) {
		code = base_open_to_read(&file, state->path);
		if (code == SQLITE_OK)
			code = base_copy(&file, &state->base);
		else if (code == SQLITE_ERROR) /* it has no tables: it was made, and then there was no room */
			code = SQLITE_OK;
	}
	base_close(&file);
	if (code != SQLITE_OK)
		base_close(&state->base);
	return code;
}

/* Begins in memory without what the file holds. False: no memory. */
static bool open_unread(struct state *state)
{
	size_t len = strlen(state->error);

	snprintf(
		state->error + len, sizeof state->error - len,
		". It cannot be read either: the configs and switches in it are not in force until it can and the broker is"
		" restarted");
	state->unread = state->lost = true;
	return base_open_memory(&state->base) == SQLITE_OK;
}

/* Opens the file, or in memory with what can be read of it. */
static enum migration_result open_somewhere(struct state *state)
{
	struct timespec begin, now;
	bool locked = false;
	int code;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (;;) {
		enum migration_result result = open_file(state, &state->base);
		state->saved = result == MIGRATION_OK;
		if (result != MIGRATION_LATER)
			return result;
		code = read_file(state);
		bool was_locked = locked; /* then it may have been let go of between the two */
		locked = (code & 0xff) == SQLITE_BUSY;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((!locked && !was_locked) || now.tv_sec - begin.tv_sec > LOCK_PATIENCE_S)
			break;
		base_close(&state->base);
		nanosleep(&(struct timespec){0, LOCK_NAP_MS * 1000000L}, NULL);
	}
	if (code == SQLITE_OK || open_unread(state))
		return MIGRATION_LATER;
	fail(state, "out of memory");
	return MIGRATION_NEVER;
}

/* Leaves the file for memory. */
static bool leave_file(struct state *state)
{
	struct base memory = {0};

	if (base_open_memory(&memory) != SQLITE_OK || base_copy(&state->base, &memory) != SQLITE_OK) {
		base_close(&memory);
		return fail(state, "it cannot be read into memory");
	}
	base_close(&state->base);
	state->base = memory;
	state->saved = false;
	return true;
}

/* Brings what is in memory into the file, and goes on there. */
static bool enter_file(struct state *state)
{
	struct base file = {0};

	if (open_file(state, &file) != MIGRATION_OK)
		return false;
	if (!state->unread && base_copy(&state->base, &file) != SQLITE_OK) {
		migration_explain(file.database, state->path, state->error, sizeof state->error);
		base_close(&file);
		return false;
	}
	base_close(&state->base);
	state->base = file;
	state->saved = true;
	state->unsaved = false;
	if (state->unread)
		tell(state,
		     "The state file %s can be read again, but its configs and switches are not in force until the broker is"
		     " started again: restart the broker now.",
		     state->path);
	state->unread = false;
	return true;
}

/* The path leads elsewhere. */
static bool write_anew(struct state *state)
{
	if (!leave_file(state))
		return false;
	state->unsaved = true; /* all of it */
	state->safe = 0;
	migration_remove_wal(state->path);
	if (!enter_file(state))
		return false;
	tell(state, "The state file %s was deleted or replaced while in use; it was written anew and nothing is lost.",
	     state->path);
	return true;
}

bool state_saved(const struct state *state)
{
	return state->saved;
}

bool state_unread(const struct state *state)
{
	return state->unread;
}

bool state_lost(const struct state *state)
{
	return state->lost;
}

uint64_t state_safe(const struct state *state, uint64_t position)
{
	return state->unsaved ? state->safe : position;
}

bool state_mend(struct state *state)
{
	if (!state->saved)
		return enter_file(state);
	return is_in_place(state) || write_anew(state);
}

bool state_detach(struct state *state)
{
	return !state->saved || leave_file(state);
}

const char *state_news(struct state *state)
{
	bool has_news = state->has_news;
	state->has_news = false;
	return has_news ? state->news : NULL;
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
	if (open_somewhere(state) != MIGRATION_NEVER)
		return state;
	snprintf(error, error_size, "%s%s%s", state->error, state->has_news ? ". " : "", state->news);

fail:
	state_close(state);
	return NULL;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	base_close(&state->base);
	free(state->path);
	free(state);
}

/* ---- what is in it ---- */

bool state_position(struct state *state, uint64_t journal_id, uint64_t *position)
{
	sqlite3_stmt *get = state->base.statements[GET_POSITION];

	*position = 0;
	if (!is(state, sqlite3_bind_int64(get, 1, (sqlite3_int64)journal_id)))
		return false;
	if (sqlite3_step(get) == SQLITE_ROW)
		*position = (uint64_t)sqlite3_column_int64(get, 0);
	return is(state, sqlite3_reset(get));
}

bool state_begin(struct state *state)
{
	/* One that cannot be written anew is kept in memory, where changes may be made as well. */
	if (state->saved && !state_mend(state) && state->saved)
		return false;
	state->changing = false;
	return is(state, base_run(&state->base, BEGIN));
}

/* False outside a transaction. */
static bool changes(struct state *state)
{
	state->changing = true;
	return !sqlite3_get_autocommit(state->base.database) || fail(state, "a change outside a transaction");
}

bool state_put_retained(struct state *state, struct slice topic, struct slice payload, struct slice author,
                        int64_t time_us)
{
	return changes(state) && is(state, base_put_retained(&state->base, topic, payload, author, time_us));
}

bool state_put_document(struct state *state, const struct document *document, int64_t time_us)
{
	return changes(state) && is(state, base_put_document(&state->base, document, time_us));
}

bool state_commit(struct state *state, uint64_t journal_id, uint64_t position)
{
	if (sqlite3_get_autocommit(state->base.database))
		return fail(state, "a commit outside a transaction");
	uint64_t before;
	if (!state_position(state, journal_id, &before) ||
	    !is(state, base_put_position(&state->base, (sqlite3_int64)journal_id, (sqlite3_int64)position)) ||
	    !is(state, base_run(&state->base, COMMIT)))
		return false;
	if (!state->saved && state->changing && !state->unsaved) {
		state->unsaved = true;
		state->safe = before;
	}
	return true;
}

void state_rollback(struct state *state)
{
	if (state->base.database && !sqlite3_get_autocommit(state->base.database))
		base_run(&state->base, ROLLBACK);
}

bool state_each_retained(struct state *state, state_retained_callback callback, void *context)
{
	return is(state, base_each_retained(&state->base, callback, context));
}

bool state_each_document(struct state *state, state_document_callback callback, void *context)
{
	return is(state, base_each_document(&state->base, callback, context));
}

const char *state_error(const struct state *state)
{
	return state->error;
}
