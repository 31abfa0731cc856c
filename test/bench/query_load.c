/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * query_load: see query_load.h.
 *
 * The store makes its tables by itself. Then series after series goes in, each in the order of its keys and in one
 * transaction, and what it comes to by hour and minute is asked of the database: the SQL for that is the same in both.
 */
#include "query_load.h"
#include "array_insert.h"
#include "progress.h"

#include <sqlite3.h>
#include <stdio.h>

#define CHUNK       5000
#define RECORD_SIZE 32 /* as in bulk_rows */

#define ADD_SERIES                                                                                                     \
	"INSERT INTO series (id, location, device, sensor, subject)"                                                       \
	" VALUES (%u, '" READINGS_LOCATION "', '%s', '" READINGS_SENSOR "', 'value')"
#define ADD_READING "INSERT INTO reading (series_id, ts, seq, value) VALUES (?, ?, ?, ?)"
#define ADD_ROLLUPS                                                                                                    \
	"INSERT INTO %s (series_id, ts, min, avg, max, count)"                                                             \
	" SELECT series_id, ts - ts %% %lld, MIN(value), AVG(value), MAX(value), COUNT(value)"                             \
	" FROM reading WHERE series_id = %u AND ts >= %lld GROUP BY series_id, ts - ts %% %lld"

/* A database that is being filled. */
struct loader {
	sqlite3 *file; /* of these two, one is used */
	sqlite3_stmt *file_insert;
	MYSQL *link;
	struct array_insert link_insert;
};

static bool complain(const struct loader *loader, struct fault *fault)
{
	return fault_set(fault, "SQLite: %s", loader->file == NULL ? "no memory" : sqlite3_errmsg(loader->file));
}

static bool run(const struct loader *loader, const char *sql, struct fault *fault)
{
	if (loader->link != NULL) {
		return database_run(loader->link, sql, fault);
	}
	return sqlite3_exec(loader->file, sql, NULL, NULL, NULL) == SQLITE_OK || complain(loader, fault);
}

static bool loader_open(struct loader *loader, const struct store_target *target, struct fault *fault)
{
	if (target->mariadb.server != NULL) {
		loader->link = database_open(&target->mariadb.database, fault);
		return loader->link != NULL &&
		       array_insert_open(&loader->link_insert, loader->link, ADD_READING, "uiid", CHUNK, fault);
	}
	return (sqlite3_open_v2(target->location, &loader->file, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	        sqlite3_exec(loader->file, "PRAGMA synchronous = OFF", NULL, NULL, NULL) == SQLITE_OK &&
	        sqlite3_prepare_v2(loader->file, ADD_READING, -1, &loader->file_insert, NULL) == SQLITE_OK) ||
	       complain(loader, fault);
}

static void loader_close(struct loader *loader)
{
	array_insert_close(&loader->link_insert);
	mysql_close(loader->link);
	sqlite3_finalize(loader->file_insert);
	sqlite3_close(loader->file);
}

static bool add_reading(struct loader *loader, const struct reading *reading, int64_t seq, struct fault *fault)
{
	if (loader->link != NULL) {
		struct array_insert *insert = &loader->link_insert;
		insert->columns[0].ids[insert->rows] = reading->series + 1;
		insert->columns[1].integers[insert->rows] = reading->time_us;
		insert->columns[2].integers[insert->rows] = seq;
		insert->columns[3].numbers[insert->rows] = reading->number;
		return array_insert_next(insert, fault);
	}
	sqlite3_bind_int64(loader->file_insert, 1, reading->series + 1);
	sqlite3_bind_int64(loader->file_insert, 2, reading->time_us);
	sqlite3_bind_int64(loader->file_insert, 3, seq);
	sqlite3_bind_double(loader->file_insert, 4, reading->number);
	sqlite3_step(loader->file_insert);
	return sqlite3_reset(loader->file_insert) == SQLITE_OK || complain(loader, fault);
}

static bool add_rollups(const struct loader *loader, const char *table, int64_t period_us, uint32_t series,
                        int64_t from_us, struct fault *fault)
{
	char sql[400];
	snprintf(sql, sizeof(sql), ADD_ROLLUPS, table, (long long)period_us, series + 1,
	         (long long)(from_us - from_us % period_us), (long long)period_us);
	return run(loader, sql, fault);
}

static bool load_series(struct loader *loader, const struct query_layout *layout, uint32_t series, struct fault *fault)
{
	char sql[300];
	char device[READINGS_NAME_MAX];
	readings_device(series, device);
	snprintf(sql, sizeof(sql), ADD_SERIES, series + 1, device);
	bool done = run(loader, "BEGIN", fault) && run(loader, sql, fault);
	for (uint64_t i = 0; done && i < query_layout_count(layout, series); i++) {
		struct reading reading = query_layout_at(layout, series, i);
		done = add_reading(loader, &reading, (int64_t)(i + 1) * RECORD_SIZE, fault);
	}
	done = done && (loader->link == NULL || array_insert_flush(&loader->link_insert, fault));
	int64_t minutes_from_us = layout->end_us - QUERY_MINUTE_DAYS * LAYOUT_DAY_US;
	return done && add_rollups(loader, "reading_hour", STORE_HOUR_US, series, layout->begin_us, fault) &&
	       add_rollups(loader, "reading_minute", STORE_MINUTE_US, series, minutes_from_us, fault) &&
	       run(loader, "COMMIT", fault);
}

static bool make_tables(const struct store_target *target, struct fault *fault)
{
	struct store *store = NULL;
	if (target->backend->ops->open(&target->place, &store, fault->text, sizeof(fault->text)) != STORE_OK) {
		return false;
	}
	target->backend->ops->close(store);
	return true;
}

bool query_load(const struct store_target *target, const struct query_layout *layout, struct fault *fault)
{
	struct loader loader = {0};
	bool done = make_tables(target, fault) && loader_open(&loader, target, fault);
	for (uint32_t series = 0; done && series < layout->series; series++) {
		done = (progress_show("filling %s: %u of %u series", target->backend->title, series, layout->series) ||
		        fault_set(fault, "stopped")) &&
		       load_series(&loader, layout, series, fault);
	}
	loader_close(&loader);
	return done;
}
