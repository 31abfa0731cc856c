/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bulk_rows: see bulk_rows.h.
 */
#include "bulk_rows.h"
#include "readings.h"

#include <math.h>
#include <stdlib.h>

#define RECORD_SIZE 32 /* of a number in the journal: positions, which are part of the key, are so far apart */

static int compare_rows(const void *left, const void *right)
{
	const struct bulk_row *a = *(const struct bulk_row *const *)left;
	const struct bulk_row *b = *(const struct bulk_row *const *)right;
	if (a->series != b->series) {
		return a->series < b->series ? -1 : 1;
	}
	if (a->time_us != b->time_us) {
		return a->time_us < b->time_us ? -1 : 1;
	}
	return (a->seq > b->seq) - (a->seq < b->seq);
}

bool bulk_rows_make(struct bulk_rows *rows, const struct bulk_plan *plan, struct fault *fault)
{
	*rows = (struct bulk_rows){
		.rows = calloc(plan->readings, sizeof(*rows->rows)),
		.count = plan->readings,
		.sorted = calloc(plan->transaction, sizeof(*rows->sorted)),
		.rollups = calloc(plan->transaction, sizeof(*rows->rollups)),
	};
	if (rows->rows == NULL || rows->sorted == NULL || rows->rollups == NULL) {
		return fault_set(fault, "no memory");
	}
	for (uint64_t i = 0; i < plan->readings; i++) {
		struct reading reading = readings_at(i, plan->series);
		rows->rows[i] = (struct bulk_row){
			.series = (int64_t)reading.series + 1,
			.time_us = reading.time_us,
			.seq = (int64_t)(i + 1) * RECORD_SIZE,
			.number = reading.number,
		};
	}
	return true;
}

void bulk_rows_free(struct bulk_rows *rows)
{
	free(rows->rows);
	free(rows->sorted);
	free(rows->rollups);
	*rows = (struct bulk_rows){0};
}

void bulk_rows_sort(struct bulk_rows *rows, uint64_t at, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		rows->sorted[i] = &rows->rows[at + i];
	}
	rows->sorted_count = count;
	qsort(rows->sorted, count, sizeof(*rows->sorted), compare_rows);
}

void bulk_rows_roll_up(struct bulk_rows *rows, int64_t period_us)
{
	struct bulk_rollup *last = NULL;
	rows->rollup_count = 0;
	for (uint64_t i = 0; i < rows->sorted_count; i++) {
		const struct bulk_row *row = rows->sorted[i];
		int64_t begin_us = row->time_us - row->time_us % period_us;
		if (last == NULL || last->series != row->series || last->time_us != begin_us) {
			last = &rows->rollups[rows->rollup_count++];
			*last = (struct bulk_rollup){row->series, begin_us, row->number, 0, row->number, 0};
		}
		last->min = fmin(last->min, row->number);
		last->max = fmax(last->max, row->number);
		last->count++;
		last->avg += (row->number - last->avg) / (double)last->count;
	}
}
