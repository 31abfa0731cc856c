/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bulk_insert: see bulk_insert.h.
 */
#include "bulk_insert.h"
#include "clock.h"
#include "migration.h"
#include "readings.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORD_SIZE 32 /* of a number in the journal: positions, which are part of the key, are so far apart */

struct row {
	int64_t series;
	int64_t time_us;
	int64_t seq;
	double number;
};

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = *(const struct row *const *)left;
	const struct row *b = *(const struct row *const *)right;
	if (a->series != b->series) {
		return a->series < b->series ? -1 : 1;
	}
	if (a->time_us != b->time_us) {
		return a->time_us < b->time_us ? -1 : 1;
	}
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static struct row *make_rows(const struct bulk_plan *plan)
{
	struct row *rows = calloc(plan->readings, sizeof(*rows));
	for (uint64_t i = 0; rows != NULL && i < plan->readings; i++) {
		struct reading reading = readings_at(i, plan->series);
		rows[i] = (struct row){
			.series = (int64_t)reading.series + 1,
			.time_us = reading.time_us,
			.seq = (int64_t)(i + 1) * RECORD_SIZE,
			.number = reading.number,
		};
	}
	return rows;
}

static int exec(sqlite3 *database, const char *sql)
{
	return sqlite3_exec(database, sql, NULL, NULL, NULL);
}

static int insert_series(sqlite3 *database, uint32_t series)
{
	sqlite3_stmt *insert = NULL;
	int code = sqlite3_prepare_v2(database,
	                              "INSERT INTO series (location, device, sensor, subject)"
	                              " VALUES ('" READINGS_LOCATION "', ?1, '" READINGS_SENSOR "', 'value')",
	                              -1, &insert, NULL);
	if (code == SQLITE_OK) {
		code = exec(database, "BEGIN");
	}
	for (uint32_t i = 0; i < series && code == SQLITE_OK; i++) {
		char device[READINGS_NAME_MAX];
		int len = (int)readings_device(i, device);
		sqlite3_bind_text(insert, 1, device, len, SQLITE_TRANSIENT);
		sqlite3_step(insert);
		code = sqlite3_reset(insert);
	}
	sqlite3_finalize(insert);
	return code == SQLITE_OK ? exec(database, "COMMIT") : code;
}

/* One transaction; `sorted` has room for `count` pointers. */
static int insert_rows(sqlite3 *database, sqlite3_stmt *insert, const struct row *rows, uint64_t count,
                       const struct row **sorted)
{
	for (uint64_t i = 0; i < count; i++) {
		sorted[i] = &rows[i];
	}
	qsort(sorted, count, sizeof(*sorted), compare_rows);
	int code = exec(database, "BEGIN");
	for (uint64_t i = 0; i < count && code == SQLITE_OK; i++) {
		sqlite3_bind_int64(insert, 1, sorted[i]->series);
		sqlite3_bind_int64(insert, 2, sorted[i]->time_us);
		sqlite3_bind_int64(insert, 3, sorted[i]->seq);
		sqlite3_bind_double(insert, 4, sorted[i]->number);
		sqlite3_step(insert);
		code = sqlite3_reset(insert);
	}
	return code == SQLITE_OK ? exec(database, "COMMIT") : code;
}

static int insert_all(sqlite3 *database, const struct bulk_plan *plan, const struct row *rows,
                      const struct row **sorted)
{
	sqlite3_stmt *insert = NULL;
	int code = insert_series(database, plan->series);
	if (code == SQLITE_OK) {
		code = sqlite3_prepare_v2(database, "INSERT INTO reading (series_id, ts, seq, value) VALUES (?1, ?2, ?3, ?4)",
		                          -1, &insert, NULL);
	}
	for (uint64_t at = 0; at < plan->readings && code == SQLITE_OK; at += plan->transaction) {
		uint64_t left = plan->readings - at;
		code = insert_rows(database, insert, rows + at, left < plan->transaction ? left : plan->transaction, sorted);
	}
	sqlite3_finalize(insert);
	return code;
}

bool bulk_insert(const char *path, const struct bulk_plan *plan, int64_t *out, struct fault *fault)
{
	char pragmas[160];
	char error[256] = "";
	sqlite3 *database = NULL;
	bool done = false;
	struct row *rows = make_rows(plan);
	const struct row **sorted = calloc(plan->transaction, sizeof(*sorted));
	if (rows == NULL || sorted == NULL) {
		fault_set(fault, "no memory");
		goto out;
	}
	int len = snprintf(pragmas, sizeof(pragmas), "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
	if (plan->cache_mib > 0) {
		snprintf(pragmas + len, sizeof(pragmas) - (size_t)len, "PRAGMA cache_size = -%u", plan->cache_mib * 1024);
	}
	int64_t start_ns = clock_ns();
	if (migration_open(path, migrations_history, pragmas, &database, error, sizeof(error)) != MIGRATION_OK) {
		fault_set(fault, "%s", error);
		goto out;
	}
	if (insert_all(database, plan, rows, sorted) != SQLITE_OK) {
		fault_set(fault, "%s: %s", path, sqlite3_errmsg(database));
		goto out;
	}
	*out = clock_ns() - start_ns;
	done = true;
out:
	sqlite3_close(database);
	free(sorted);
	free(rows);
	return done;
}

int64_t bulk_count(const char *path, struct fault *fault)
{
	int64_t count = -1;
	sqlite3 *database = NULL;
	sqlite3_stmt *ask = NULL;
	int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL);
	if (code == SQLITE_OK) {
		code = sqlite3_prepare_v2(database, "SELECT count(*) FROM reading", -1, &ask, NULL);
	}
	if (code == SQLITE_OK && sqlite3_step(ask) == SQLITE_ROW) {
		count = sqlite3_column_int64(ask, 0);
	} else {
		fault_set(fault, "%s: %s", path, database == NULL ? "no memory" : sqlite3_errmsg(database));
	}
	sqlite3_finalize(ask);
	sqlite3_close(database);
	return count;
}
