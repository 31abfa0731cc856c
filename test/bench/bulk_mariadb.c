/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bulk_mariadb: see bulk_mariadb.h.
 */
#include "bulk_mariadb.h"
#include "array_insert.h"
#include "clock.h"
#include "readings.h"

#include <stdlib.h>

#define ADD_SERIES                                                                                                     \
	"INSERT INTO series (id, location, device, sensor, subject)"                                                       \
	" VALUES (?, '" READINGS_LOCATION "', ?, '" READINGS_SENSOR "', 'value')"
#define ADD_READING "INSERT INTO reading (series_id, ts, seq, value) VALUES (?, ?, ?, ?)"

/* Assignments are done from left to right, so the average comes before the count that it needs. */
#define ADD_ROLLUP(table)                                                                                              \
	"INSERT INTO " table " (series_id, ts, min, avg, max, count) VALUES (?, ?, ?, ?, ?, ?)"                            \
	" ON DUPLICATE KEY UPDATE min = LEAST(min, VALUES(min)), max = GREATEST(max, VALUES(max)),"                        \
	" avg = avg + (VALUES(avg) - avg) * (VALUES(count) / (count + VALUES(count) + 0e0)),"                              \
	" count = count + VALUES(count)"

struct inserts {
	struct array_insert reading, minute, hour;
};

static bool open_inserts(struct inserts *inserts, MYSQL *link, uint32_t chunk, struct fault *fault)
{
	return array_insert_open(&inserts->reading, link, ADD_READING, "uiid", chunk, fault) &&
	       array_insert_open(&inserts->minute, link, ADD_ROLLUP("reading_minute"), "uidddu", chunk, fault) &&
	       array_insert_open(&inserts->hour, link, ADD_ROLLUP("reading_hour"), "uidddu", chunk, fault);
}

static void close_inserts(struct inserts *inserts)
{
	array_insert_close(&inserts->reading);
	array_insert_close(&inserts->minute);
	array_insert_close(&inserts->hour);
}

static bool insert_series(MYSQL *link, const struct bulk_plan *plan, struct fault *fault)
{
	struct array_insert insert;
	char(*devices)[READINGS_NAME_MAX] = calloc(plan->series, sizeof(*devices));
	bool done = devices != NULL || fault_set(fault, "no memory");
	done = array_insert_open(&insert, link, ADD_SERIES, "ut", plan->chunk, fault) && done;
	for (uint32_t i = 0; done && i < plan->series; i++) {
		insert.columns[0].ids[insert.rows] = i + 1;
		insert.columns[1].texts[insert.rows] = devices[i];
		insert.columns[1].lengths[insert.rows] = readings_device(i, devices[i]);
		done = array_insert_next(&insert, fault);
	}
	done = done && array_insert_flush(&insert, fault);
	array_insert_close(&insert);
	free(devices);
	return done;
}

static bool insert_rows(struct array_insert *insert, const struct bulk_rows *rows, struct fault *fault)
{
	for (uint64_t i = 0; i < rows->sorted_count; i++) {
		const struct bulk_row *row = rows->sorted[i];
		insert->columns[0].ids[insert->rows] = (uint32_t)row->series;
		insert->columns[1].integers[insert->rows] = row->time_us;
		insert->columns[2].integers[insert->rows] = row->seq;
		insert->columns[3].numbers[insert->rows] = row->number;
		if (!array_insert_next(insert, fault)) {
			return false;
		}
	}
	return array_insert_flush(insert, fault);
}

static bool add_rollups(struct array_insert *insert, struct bulk_rows *rows, int64_t period_us, struct fault *fault)
{
	bulk_rows_roll_up(rows, period_us);
	for (uint64_t i = 0; i < rows->rollup_count; i++) {
		const struct bulk_rollup *rollup = &rows->rollups[i];
		insert->columns[0].ids[insert->rows] = (uint32_t)rollup->series;
		insert->columns[1].integers[insert->rows] = rollup->time_us;
		insert->columns[2].numbers[insert->rows] = rollup->min;
		insert->columns[3].numbers[insert->rows] = rollup->avg;
		insert->columns[4].numbers[insert->rows] = rollup->max;
		insert->columns[5].ids[insert->rows] = (uint32_t)rollup->count;
		if (!array_insert_next(insert, fault)) {
			return false;
		}
	}
	return array_insert_flush(insert, fault);
}

static bool insert_all(MYSQL *link, const struct bulk_plan *plan, struct inserts *inserts, struct bulk_rows *rows,
                       struct fault *fault)
{
	bool done = true;
	for (uint64_t at = 0; done && at < rows->count; at += plan->transaction) {
		uint64_t left = rows->count - at;
		bulk_rows_sort(rows, at, left < plan->transaction ? left : plan->transaction);
		done = insert_rows(&inserts->reading, rows, fault);
		if (!plan->without_rollups) {
			done = done && add_rollups(&inserts->minute, rows, BULK_MINUTE_US, fault) &&
			       add_rollups(&inserts->hour, rows, BULK_HOUR_US, fault);
		}
		done = done && (mysql_commit(link) == 0 || database_complain(link, fault));
	}
	return done;
}

bool bulk_mariadb_insert(const struct database_place *place, const struct bulk_plan *plan, int64_t *out,
                         struct fault *fault)
{
	struct bulk_rows rows;
	struct inserts inserts = {0};
	MYSQL *link = NULL;
	bool done = bulk_rows_make(&rows, plan, fault);
	int64_t start_ns = clock_ns();
	link = done ? database_open(place, fault) : NULL;
	done = link != NULL && (mysql_autocommit(link, 0) == 0 || database_complain(link, fault)) &&
	       insert_series(link, plan, fault) && open_inserts(&inserts, link, plan->chunk, fault) &&
	       insert_all(link, plan, &inserts, &rows, fault);
	*out = clock_ns() - start_ns;
	close_inserts(&inserts);
	mysql_close(link);
	bulk_rows_free(&rows);
	return done;
}
