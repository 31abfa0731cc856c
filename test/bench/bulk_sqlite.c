/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bulk_sqlite: see bulk_sqlite.h.
 */
#include "bulk_sqlite.h"
#include "clock.h"
#include "migration.h"
#include "readings.h"

#include <sqlite3.h>
#include <stdio.h>

#define ADD_READING "INSERT INTO reading (series_id, ts, seq, value) VALUES (?1, ?2, ?3, ?4)"

#define ADD_ROLLUP(table)                                                                                              \
	"INSERT INTO " table " (series_id, ts, min, avg, max, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"                      \
	" ON CONFLICT (series_id, ts) DO UPDATE SET min = min(min, excluded.min), max = max(max, excluded.max),"           \
	" avg = avg + (excluded.avg - avg) * excluded.count / (count + excluded.count), count = count + excluded.count"

enum statement { READING, MINUTE, HOUR, STATEMENT_COUNT };

static const char *const statement_sql[STATEMENT_COUNT] = {
	[READING] = ADD_READING,
	[MINUTE] = ADD_ROLLUP("reading_minute"),
	[HOUR] = ADD_ROLLUP("reading_hour"),
};

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

static int insert_rows(sqlite3_stmt *insert, const struct bulk_rows *rows)
{
	int code = SQLITE_OK;
	for (uint64_t i = 0; i < rows->sorted_count && code == SQLITE_OK; i++) {
		const struct bulk_row *row = rows->sorted[i];
		sqlite3_bind_int64(insert, 1, row->series);
		sqlite3_bind_int64(insert, 2, row->time_us);
		sqlite3_bind_int64(insert, 3, row->seq);
		sqlite3_bind_double(insert, 4, row->number);
		sqlite3_step(insert);
		code = sqlite3_reset(insert);
	}
	return code;
}

static int add_rollups(sqlite3_stmt *insert, struct bulk_rows *rows, int64_t period_us)
{
	int code = SQLITE_OK;
	bulk_rows_roll_up(rows, period_us);
	for (uint64_t i = 0; i < rows->rollup_count && code == SQLITE_OK; i++) {
		const struct bulk_rollup *rollup = &rows->rollups[i];
		sqlite3_bind_int64(insert, 1, rollup->series);
		sqlite3_bind_int64(insert, 2, rollup->time_us);
		sqlite3_bind_double(insert, 3, rollup->min);
		sqlite3_bind_double(insert, 4, rollup->avg);
		sqlite3_bind_double(insert, 5, rollup->max);
		sqlite3_bind_int64(insert, 6, rollup->count);
		sqlite3_step(insert);
		code = sqlite3_reset(insert);
	}
	return code;
}

static int insert_transaction(sqlite3 *database, sqlite3_stmt *const *statements, struct bulk_rows *rows)
{
	int code = exec(database, "BEGIN");
	if (code == SQLITE_OK) {
		code = insert_rows(statements[READING], rows);
	}
	if (code == SQLITE_OK) {
		code = add_rollups(statements[MINUTE], rows, BULK_MINUTE_US);
	}
	if (code == SQLITE_OK) {
		code = add_rollups(statements[HOUR], rows, BULK_HOUR_US);
	}
	return code == SQLITE_OK ? exec(database, "COMMIT") : code;
}

static int insert_all(sqlite3 *database, const struct bulk_plan *plan, struct bulk_rows *rows)
{
	sqlite3_stmt *statements[STATEMENT_COUNT] = {NULL};
	int code = insert_series(database, plan->series);
	for (int i = 0; i < STATEMENT_COUNT && code == SQLITE_OK; i++) {
		code = sqlite3_prepare_v2(database, statement_sql[i], -1, &statements[i], NULL);
	}
	for (uint64_t at = 0; at < rows->count && code == SQLITE_OK; at += plan->transaction) {
		uint64_t left = rows->count - at;
		bulk_rows_sort(rows, at, left < plan->transaction ? left : plan->transaction);
		code = insert_transaction(database, statements, rows);
	}
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(statements[i]);
	}
	return code;
}

bool bulk_sqlite_insert(const char *path, const struct bulk_plan *plan, int64_t *out, struct fault *fault)
{
	char pragmas[160];
	char error[256] = "";
	sqlite3 *database = NULL;
	struct bulk_rows rows;
	bool done = false;
	if (!bulk_rows_make(&rows, plan, fault)) {
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
	if (insert_all(database, plan, &rows) != SQLITE_OK) {
		fault_set(fault, "%s: %s", path, sqlite3_errmsg(database));
		goto out;
	}
	*out = clock_ns() - start_ns;
	done = true;
out:
	sqlite3_close(database);
	bulk_rows_free(&rows);
	return done;
}

int64_t bulk_sqlite_number(const char *path, const char *sql, struct fault *fault)
{
	int64_t number = -1;
	sqlite3 *database = NULL;
	sqlite3_stmt *ask = NULL;
	int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL);
	if (code == SQLITE_OK) {
		code = sqlite3_prepare_v2(database, sql, -1, &ask, NULL);
	}
	if (code == SQLITE_OK && sqlite3_step(ask) == SQLITE_ROW) {
		number = sqlite3_column_int64(ask, 0);
	} else {
		fault_set(fault, "%s: %s", path, database == NULL ? "no memory" : sqlite3_errmsg(database));
	}
	sqlite3_finalize(ask);
	sqlite3_close(database);
	return number;
}
