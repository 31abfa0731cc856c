/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_plan: see history_plan.h.
 *
 * Buckets begin at multiples of their width, so that two questions a moment apart get the same buckets, and a chart that
 * moves on does not flicker. Such a bucket seldom begins just where the span does, so a width that would fit
 * so many times into the span may need one bucket more; then it is made wider.
 *
 * All spans are cut to the years 0 to 9999, outside of which no time can be written, so nothing here can overflow.
 */
#include "history_plan.h"

#define DAY_US       INT64_C(86400000000)
#define YEAR_0_US    INT64_C(-62167219200000000)
#define YEAR_9999_US INT64_C(253402300800000000) /* its end */
#define WIDEST_US    (YEAR_9999_US - YEAR_0_US)

/* In place of minutes that are gone, readings are reckoned up for so long a span; at one a second that is 172,800. */
#define RAW_SPAN_MAX_US (2 * DAY_US)

/* What a step is a multiple of. Readings have no width of their own; with whole milliseconds, times stay short. */
static const int64_t unit_us[] = {[STORE_RAW] = 1000, [STORE_MINUTE] = STORE_MINUTE_US, [STORE_HOUR] = STORE_HOUR_US};

static int64_t clamp(int64_t time_us)
{
	if (time_us < YEAR_0_US)
		return YEAR_0_US;
	return time_us > YEAR_9999_US ? YEAR_9999_US : time_us;
}

/* How often `width` is needed to make up `length`; neither is negative. */
static int64_t pieces(int64_t length, int64_t width)
{
	return length / width + (length % width != 0);
}

static int64_t round_up(int64_t length, int64_t unit)
{
	return pieces(length, unit) * unit;
}

static int64_t round_down(int64_t time_us, int64_t step_us)
{
	int64_t inside = time_us % step_us;
	return time_us - (inside < 0 ? inside + step_us : inside);
}

/* Is what is kept for so many days (0: for ever) still there from this time on? */
static bool reaches(int64_t from_us, unsigned days, int64_t now_us)
{
	return days == 0 || days > WIDEST_US / DAY_US || from_us >= now_us - (int64_t)days * DAY_US;
}

/* The coarsest source whose rows are at most want_us wide, if it reaches back far enough; else one that does. */
static enum store_source choose(struct store_span span, int64_t want_us, const struct store_keep *keep)
{
	const int64_t now_us = clamp(keep->now_us);
	const bool raw = reaches(span.from_us, keep->raw_days, now_us);
	const bool minutes = reaches(span.from_us, keep->minute_days, now_us);

	if (want_us >= STORE_HOUR_US)
		return STORE_HOUR;
	if (raw && want_us < STORE_MINUTE_US)
		return STORE_RAW;
	if (minutes)
		return STORE_MINUTE;
	return raw && span.to_us - span.from_us <= RAW_SPAN_MAX_US ? STORE_RAW : STORE_HOUR;
}

struct history_plan history_plan(struct store_span span, unsigned buckets, const struct store_keep *keep)
{
	struct history_plan plan = {.span = {clamp(span.from_us), clamp(span.to_us)}};
	if (plan.span.to_us < plan.span.from_us)
		plan.span.to_us = plan.span.from_us;
	if (buckets == 0)
		buckets = 1;

	const int64_t length = plan.span.to_us - plan.span.from_us;
	int64_t step = length > 0 ? pieces(length, buckets) : 1;
	plan.source = choose(plan.span, step, keep);
	const int64_t unit = unit_us[plan.source];
	step = round_up(step, unit);
	int64_t begin = round_down(plan.span.from_us, step);
	while (pieces(plan.span.to_us - begin, step) > buckets && step < WIDEST_US) {
		step = round_up(step + pieces(step, buckets), unit);
		begin = round_down(plan.span.from_us, step);
	}
	plan.step_us = step;
	plan.span.from_us = begin;
	return plan;
}
