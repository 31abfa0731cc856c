/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * query_layout: see query_layout.h.
 */
#include "query_layout.h"

struct query_layout query_layout_make(uint64_t readings, uint32_t series, int64_t end_us)
{
	struct query_layout layout = {
		.readings = readings,
		.series = series,
		.begin_us = end_us - LAYOUT_DAYS * LAYOUT_DAY_US,
		.end_us = end_us,
		.fast = (uint64_t)(LAYOUT_FAST_DAYS * LAYOUT_DAY_US / LAYOUT_SECOND_US),
	};
	layout.slow = (readings - layout.fast) / series;
	layout.slow_of_first = readings - layout.fast - layout.slow * (series - 1);
	return layout;
}

uint64_t query_layout_count(const struct query_layout *layout, uint32_t series)
{
	return series == 0 ? layout->slow_of_first + layout->fast : layout->slow;
}

struct reading query_layout_at(const struct query_layout *layout, uint32_t series, uint64_t index)
{
	const int64_t fast_begin_us = layout->end_us - LAYOUT_FAST_DAYS * LAYOUT_DAY_US;
	const uint64_t slow = series == 0 ? layout->slow_of_first : layout->slow;
	const int64_t slow_end_us = series == 0 ? fast_begin_us : layout->end_us;
	const int64_t step_us = (slow_end_us - layout->begin_us) / (int64_t)slow;
	struct reading reading = {.series = series, .number = 20 + (double)((index / 7 + series) % 100) / 10};
	if (index < slow) {
		/* The series take turns. */
		reading.time_us = layout->begin_us + (int64_t)index * step_us + step_us * series / layout->series;
	} else {
		reading.time_us = fast_begin_us + (int64_t)(index - slow) * LAYOUT_SECOND_US;
	}
	return reading;
}
