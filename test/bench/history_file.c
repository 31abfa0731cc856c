/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_file: see history_file.h.
 */
#include "history_file.h"

#include <sqlite3.h>
#include <stdlib.h>

#define BUSY_TIMEOUT_MS 10000 /* the writer's transactions are shorter */
#define SERIES_MAX      1024

/* ?2 and ?3: the last row that was counted. */
#define COUNT_ON "SELECT count(*) FROM reading WHERE series_id = ?1 AND (ts, seq) > (?2, ?3)"
#define LAST_ROW "SELECT ts, seq FROM reading WHERE series_id = ?1 ORDER BY ts DESC, seq DESC LIMIT 1"

struct counted {
	int64_t rows;
	int64_t time_us;
	int64_t seq;
};

struct history_file {
	sqlite3 *database;
	sqlite3_stmt *all_series;
	sqlite3_stmt *count_on;
	sqlite3_stmt *last_row;
	struct counted series[SERIES_MAX]; /* by the store's id */
};

static bool complain(const struct history_file *file, struct fault *fault)
{
	const char *reason = file->database == NULL ? "no memory" : sqlite3_errmsg(file->database);
	return fault_set(fault, "the history database: %s", reason);
}

struct history_file *history_file_open(const char *path, struct fault *fault)
{
	struct history_file *file = calloc(1, sizeof(*file));
	if (file == NULL) {
		fault_set(fault, "no memory");
		return NULL;
	}
	if (sqlite3_open_v2(path, &file->database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(file->database, BUSY_TIMEOUT_MS) != SQLITE_OK ||
	    sqlite3_prepare_v2(file->database, "SELECT id FROM series", -1, &file->all_series, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(file->database, COUNT_ON, -1, &file->count_on, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(file->database, LAST_ROW, -1, &file->last_row, NULL) != SQLITE_OK) {
		complain(file, fault);
		history_file_close(file);
		return NULL;
	}
	return file;
}

void history_file_close(struct history_file *file)
{
	if (file == NULL) {
		return;
	}
	sqlite3_finalize(file->all_series);
	sqlite3_finalize(file->count_on);
	sqlite3_finalize(file->last_row);
	sqlite3_close(file->database);
	free(file);
}

bool history_file_lock(struct history_file *file, struct fault *fault)
{
	return sqlite3_exec(file->database, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK || complain(file, fault);
}

bool history_file_unlock(struct history_file *file, struct fault *fault)
{
	return sqlite3_exec(file->database, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK || complain(file, fault);
}

/* Counts what a series has got since, up to the row that is its last one now. */
static bool count_series(struct history_file *file, int64_t id)
{
	struct counted *counted = &file->series[id];
	sqlite3_bind_int64(file->count_on, 1, id);
	sqlite3_bind_int64(file->count_on, 2, counted->rows == 0 ? INT64_MIN : counted->time_us);
	sqlite3_bind_int64(file->count_on, 3, counted->seq);
	sqlite3_bind_int64(file->last_row, 1, id);
	bool done = sqlite3_step(file->count_on) == SQLITE_ROW;
	int step = sqlite3_step(file->last_row);
	if (done && step == SQLITE_ROW) {
		counted->rows += sqlite3_column_int64(file->count_on, 0);
		counted->time_us = sqlite3_column_int64(file->last_row, 0);
		counted->seq = sqlite3_column_int64(file->last_row, 1);
	}
	sqlite3_reset(file->count_on);
	sqlite3_reset(file->last_row);
	return done && (step == SQLITE_ROW || step == SQLITE_DONE);
}

int64_t history_file_count(struct history_file *file, struct fault *fault)
{
	int64_t sum = 0;
	bool done = true;
	/* The statement on the series stays open meanwhile, so that all of them see one state of the file. */
	while (done && sqlite3_step(file->all_series) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(file->all_series, 0);
		if (id < 0 || id >= SERIES_MAX) {
			sqlite3_reset(file->all_series);
			fault_set(fault, "the history database has more than %d series", SERIES_MAX);
			return -1;
		}
		done = count_series(file, id);
		sum += file->series[id].rows;
	}
	if (sqlite3_reset(file->all_series) != SQLITE_OK || !done) {
		complain(file, fault);
		return -1;
	}
	return sum;
}

int64_t history_file_recount(struct history_file *file, struct fault *fault)
{
	int64_t rows = -1;
	sqlite3_stmt *count = NULL;
	if (sqlite3_prepare_v2(file->database, "SELECT count(*) FROM reading", -1, &count, NULL) == SQLITE_OK &&
	    sqlite3_step(count) == SQLITE_ROW) {
		rows = sqlite3_column_int64(count, 0);
	} else {
		complain(file, fault);
	}
	sqlite3_finalize(count);
	return rows;
}
