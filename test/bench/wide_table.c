/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wide_table: see wide_table.h. The table is made anew by each call and dropped in the end.
 */
#include "wide_table.h"
#include "array_insert.h"
#include "clock.h"
#include "readings.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAKE                                                                                                           \
	"CREATE OR REPLACE TABLE wide (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"                            \
	" location VARCHAR(64) NOT NULL, device VARCHAR(64) NOT NULL, sensor VARCHAR(64) NOT NULL,"                        \
	" subject VARCHAR(64) NOT NULL, value VARCHAR(64) NOT NULL, time DATETIME NOT NULL)"                               \
	" ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4"
#define ADD   "INSERT INTO wide (location, device, sensor, subject, value, time) VALUES "
#define DROP  "DROP TABLE wide"
#define COUNT "SELECT count(*) FROM wide"
#define BYTES                                                                                                          \
	"SELECT data_length + index_length FROM information_schema.tables"                                                 \
	" WHERE table_schema = DATABASE() AND table_name = 'wide'"

enum field { LOCATION, DEVICE, SENSOR, SUBJECT, VALUE, TIME, FIELD_COUNT };

struct wide_row {
	char text[FIELD_COUNT][READINGS_NAME_MAX];
	size_t len[FIELD_COUNT];
};

static void print_row(uint64_t index, uint32_t series, struct wide_row *row)
{
	struct reading reading = readings_at(index, series);
	time_t seconds = (time_t)(reading.time_us / 1000000);
	struct tm utc;
	row->len[LOCATION] = (size_t)snprintf(row->text[LOCATION], READINGS_NAME_MAX, "%s", READINGS_LOCATION);
	row->len[DEVICE] = readings_device(reading.series, row->text[DEVICE]);
	row->len[SENSOR] = (size_t)snprintf(row->text[SENSOR], READINGS_NAME_MAX, "%s", READINGS_SENSOR);
	row->len[SUBJECT] = (size_t)snprintf(row->text[SUBJECT], READINGS_NAME_MAX, "value");
	row->len[VALUE] = (size_t)snprintf(row->text[VALUE], READINGS_NAME_MAX, "%.1f", reading.number);
	row->len[TIME] = strftime(row->text[TIME], READINGS_NAME_MAX, "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &utc));
}

static bool check_count(MYSQL *link, uint64_t wanted, struct fault *fault)
{
	int64_t rows;
	if (!database_number(link, COUNT, &rows, fault)) {
		return false;
	}
	return (uint64_t)rows == wanted || fault_set(fault, "the wide table has %lld rows of %llu readings",
	                                             (long long)rows, (unsigned long long)wanted);
}

/* One chunk from index `at` on. */
static bool insert_chunk(struct array_insert *insert, const struct bulk_plan *plan, uint64_t at, uint64_t count,
                         struct wide_row *rows, int64_t *spent_ns, struct fault *fault)
{
	for (uint64_t i = 0; i < count; i++) {
		print_row(at + i, plan->series, &rows[i]);
		for (int field = 0; field < FIELD_COUNT; field++) {
			insert->columns[field].texts[i] = rows[i].text[field];
			insert->columns[field].lengths[i] = (unsigned long)rows[i].len[field];
		}
	}
	insert->rows = (uint32_t)count;
	int64_t start_ns = clock_ns();
	bool done = array_insert_flush(insert, fault);
	*spent_ns += clock_ns() - start_ns;
	return done;
}

static bool commit(MYSQL *link, int64_t *spent_ns, struct fault *fault)
{
	int64_t start_ns = clock_ns();
	bool done = mysql_commit(link) == 0 || database_complain(link, fault);
	*spent_ns += clock_ns() - start_ns;
	return done;
}

static bool insert_arrays(MYSQL *link, const struct bulk_plan *plan, int64_t *spent_ns, struct fault *fault)
{
	struct array_insert insert = {0};
	struct wide_row *rows = calloc(plan->chunk, sizeof(*rows));
	if (rows == NULL) {
		return fault_set(fault, "no memory");
	}
	bool done = array_insert_open(&insert, link, ADD "(?, ?, ?, ?, ?, ?)", "tttttt", plan->chunk, fault);
	uint64_t count = 0;
	for (uint64_t at = 0; done && at < plan->readings; at += count) {
		count = plan->readings - at < plan->chunk ? plan->readings - at : plan->chunk;
		done = insert_chunk(&insert, plan, at, count, rows, spent_ns, fault);
		if (at / plan->transaction != (at + count) / plan->transaction) {
			done = done && commit(link, spent_ns, fault);
		}
	}
	array_insert_close(&insert);
	free(rows);
	return done && commit(link, spent_ns, fault);
}

bool wide_table_arrays(const struct database_place *place, const struct bulk_plan *plan, double *rate, double *bytes,
                       struct fault *fault)
{
	int64_t spent_ns = 0;
	int64_t size = 0;
	MYSQL *link = database_open(place, fault);
	bool done = link != NULL && database_run(link, MAKE, fault) && database_run(link, "SET autocommit = 0", fault) &&
	            insert_arrays(link, plan, &spent_ns, fault) && check_count(link, plan->readings, fault) &&
	            database_run(link, "ANALYZE TABLE wide", fault) && database_number(link, BYTES, &size, fault) &&
	            database_run(link, DROP, fault);
	mysql_close(link);
	*rate = (double)plan->readings * (double)SECOND_NS / (double)spent_ns;
	*bytes = (double)size / (double)plan->readings;
	return done;
}

static bool insert_single(MYSQL *link, const struct bulk_plan *plan, uint64_t index, struct fault *fault)
{
	char sql[sizeof(ADD) + sizeof(struct wide_row)];
	struct wide_row row;
	print_row(index, plan->series, &row);
	snprintf(sql, sizeof(sql), ADD "('%s', '%s', '%s', '%s', '%s', '%s')", row.text[LOCATION], row.text[DEVICE],
	         row.text[SENSOR], row.text[SUBJECT], row.text[VALUE], row.text[TIME]);
	return mysql_query(link, sql) == 0 || database_complain(link, fault);
}

bool wide_table_singles(const struct database_place *place, const struct bulk_plan *plan, int seconds, double *rate,
                        struct fault *fault)
{
	uint64_t count = 0;
	MYSQL *link = database_open(place, fault);
	bool done = link != NULL && database_run(link, MAKE, fault);
	int64_t start_ns = clock_ns();
	int64_t end_ns = start_ns;
	while (done && end_ns - start_ns < seconds * SECOND_NS) {
		done = insert_single(link, plan, count, fault);
		count++;
		end_ns = clock_ns();
	}
	done = done && check_count(link, count, fault) && database_run(link, DROP, fault);
	mysql_close(link);
	*rate = done ? (double)count * (double)SECOND_NS / (double)(end_ns - start_ns) : 0;
	return done;
}
