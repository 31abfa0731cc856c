/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_batch: see store_batch.h.
 *
 * The average is kept, not the sum: of two readings of 1e308 the sum is infinite, and a table that takes no infinity
 * would then refuse the whole batch for ever.
 */
#include "store_batch.h"

#include <math.h>
#include <stdlib.h>

static int compare_rows(const void *left, const void *right)
{
	const struct store_row *a = *(const struct store_row *const *)left;
	const struct store_row *b = *(const struct store_row *const *)right;
	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	if (a->time_us != b->time_us)
		return a->time_us < b->time_us ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

bool sorted_set(struct store_sorted *sorted, const struct store_row *rows, size_t count)
{
	if (count > sorted->capacity) {
		const struct store_row **bigger = realloc(sorted->rows, count * sizeof(const struct store_row *));
		if (!bigger)
			return false;
		sorted->rows = bigger;
		sorted->capacity = count;
	}
	for (size_t i = 0; i < count; i++)
		sorted->rows[i] = &rows[i];
	sorted->count = count;
	sorted->rollup_count = 0;
	if (count > 1)
		qsort(sorted->rows, count, sizeof(const struct store_row *), compare_rows);
	return true;
}

int64_t period_begin(int64_t time_us, int64_t period_us)
{
	int64_t inside = time_us % period_us;
	return time_us - (inside < 0 ? inside + period_us : inside);
}

static bool make_room(struct store_sorted *sorted)
{
	if (sorted->rollup_count < sorted->rollup_capacity)
		return true;
	size_t capacity = sorted->rollup_capacity > 0 ? 2 * sorted->rollup_capacity : 256;
	struct rollup *bigger = realloc(sorted->rollups, capacity * sizeof *bigger);
	if (!bigger)
		return false;
	sorted->rollups = bigger;
	sorted->rollup_capacity = capacity;
	return true;
}

static void add_number(struct rollup *rollup, double number)
{
	rollup->count++;
	if (number < rollup->min)
		rollup->min = number;
	if (number > rollup->max)
		rollup->max = number;
	/* Each term is scaled before it is added, so that none becomes infinite on the way, nor what is rounded in the end. */
	rollup->avg += number / (double)rollup->count - rollup->avg / (double)rollup->count;
	rollup->avg = fmin(fmax(rollup->avg, rollup->min), rollup->max);
}

bool sorted_roll_up(struct store_sorted *sorted, int64_t period_us)
{
	struct rollup *last = NULL;

	sorted->rollup_count = 0;
	for (size_t i = 0; i < sorted->count; i++) {
		const struct store_row *row = sorted->rows[i];
		if (!row || !row->value.is_number || !isfinite(row->value.number))
			continue;
		/* Rows come in the order of time, so a row belongs to the last period or begins one. */
		if (last && last->series == row->series && row->time_us - last->time_us < period_us) {
			add_number(last, row->value.number);
			continue;
		}
		if (!make_room(sorted))
			return false;
		last = &sorted->rollups[sorted->rollup_count++];
		*last = (struct rollup){
			.series = row->series,
			.time_us = period_begin(row->time_us, period_us),
			.min = row->value.number,
			.max = row->value.number,
			.avg = row->value.number,
			.count = 1,
		};
	}
	return true;
}

bool sorted_rollups(struct store_sorted *sorted, const struct store_batch *batch, size_t period,
                    const struct rollup **rollups, size_t *count)
{
	if (batch->rollups) {
		*rollups = batch->rollups->rows[period];
		*count = batch->rollups->counts[period];
		return true;
	}
	bool made = sorted_roll_up(sorted, period == 0 ? STORE_MINUTE_US : STORE_HOUR_US);
	*rollups = sorted->rollups;
	*count = sorted->rollup_count;
	return made;
}

void sorted_free(struct store_sorted *sorted)
{
	free(sorted->rows);
	free(sorted->rollups);
	*sorted = (struct store_sorted){0};
}
