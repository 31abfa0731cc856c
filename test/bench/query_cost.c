/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * query_cost: see query_cost.h.
 */
#include "query_cost.h"
#include "clock.h"
#include "history_plan.h"
#include "median.h"
#include "progress.h"
#include "query_load.h"
#include "topic.h"

#include <math.h>

#define WARM_UP      5
#define DAY_BUCKETS  300
#define YEAR_BUCKETS (365 * 24 + 1) /* the first and the last hour in part */
#define RAW_LIMIT    1000

/* The series that is asked for is the first one, which has readings a second. */
struct asker {
	const struct store_ops *ops;
	struct store *store;
	const struct query_layout *layout;
	struct topic topic;

	/* What came, and what has to come. */
	uint64_t rows, readings;
	uint64_t wanted_rows, wanted_readings;
};

/* ---- what comes ---- */

static bool on_series(void *context, struct slice topic)
{
	struct asker *asker = context;
	asker->rows += topic.len > 0;
	return true;
}

static bool on_reading(void *context, struct slice topic, const struct store_row *row)
{
	const int64_t time_us = row->time_us;
	const struct value *value = &row->value;
	struct asker *asker = context;
	asker->rows++;
	asker->readings += topic.len > 0 && value->is_number && time_us < asker->layout->end_us;
	return true;
}

static bool on_bucket(void *context, const struct store_bucket *bucket)
{
	struct asker *asker = context;
	asker->rows++;
	asker->readings += (uint64_t)bucket->count;
	return true;
}

/* ---- the questions ---- */

static enum store_result ask_latest_of_all(struct asker *asker)
{
	asker->wanted_rows = asker->layout->series;
	asker->wanted_readings = asker->layout->series;
	return asker->ops->latest(asker->store, NULL, on_reading, asker);
}

static enum store_result ask_latest(struct asker *asker)
{
	asker->wanted_rows = 1;
	asker->wanted_readings = 1;
	return asker->ops->latest(asker->store, &asker->topic, on_reading, asker);
}

/* How many readings the first series has in a span, and in how many buckets they lie. */
static void expect(struct asker *asker, const struct history_plan *plan)
{
	int64_t last_us = -1;
	asker->wanted_rows = 0;
	asker->wanted_readings = 0;
	for (uint64_t i = 0; i < query_layout_count(asker->layout, 0); i++) {
		int64_t time_us = query_layout_at(asker->layout, 0, i).time_us;
		if (time_us >= plan->span.from_us && time_us < plan->span.to_us) {
			int64_t bucket_us = time_us - time_us % plan->step_us;
			asker->wanted_rows += bucket_us != last_us;
			asker->wanted_readings++;
			last_us = bucket_us;
		}
	}
}

static struct history_plan plan_of(const struct asker *asker, int64_t days, unsigned buckets)
{
	const struct store_keep keep = {
		.now_us = asker->layout->end_us, .raw_days = LAYOUT_DAYS, .minute_days = QUERY_MINUTE_DAYS};
	const struct store_span span = {asker->layout->end_us - days * LAYOUT_DAY_US, asker->layout->end_us};
	return history_plan(span, buckets, &keep);
}

static enum store_result ask_buckets(struct asker *asker, int64_t days, unsigned buckets)
{
	const struct history_plan plan = plan_of(asker, days, buckets);
	if (asker->wanted_rows == 0) {
		expect(asker, &plan); /* once, while it warms up */
	}
	return asker->ops->buckets(asker->store, &asker->topic, plan.source, plan.span, plan.step_us, on_bucket, asker);
}

static enum store_result ask_day(struct asker *asker)
{
	return ask_buckets(asker, 1, DAY_BUCKETS);
}

static enum store_result ask_year(struct asker *asker)
{
	return ask_buckets(asker, 365, YEAR_BUCKETS);
}

static enum store_result ask_raw(struct asker *asker)
{
	const struct store_span span = {asker->layout->end_us - LAYOUT_DAY_US, asker->layout->end_us};
	asker->wanted_rows = RAW_LIMIT;
	asker->wanted_readings = RAW_LIMIT;
	return asker->ops->readings(asker->store, &asker->topic, span, RAW_LIMIT, on_reading, asker);
}

static enum store_result ask_list(struct asker *asker)
{
	asker->wanted_rows = asker->layout->series;
	asker->wanted_readings = 0;
	return asker->ops->list(asker->store, on_series, asker);
}

const char *const QUERY_NAMES[QUERY_QUESTIONS] = {
	"latest of all series", "24 h of 1 Hz, 300 buckets", "a year hourly",
	"latest of one series", "1000 readings, raw",        "the list of series",
};

static enum store_result (*const QUESTIONS[QUERY_QUESTIONS])(struct asker *asker) = {
	ask_latest_of_all, ask_day, ask_year, ask_latest, ask_raw, ask_list,
};

/* ---- measuring ---- */

static bool ask(struct asker *asker, int question, struct fault *fault)
{
	asker->rows = 0;
	asker->readings = 0;
	if (QUESTIONS[question](asker) != STORE_OK) {
		return fault_set(fault, "%s: %s", QUERY_NAMES[question], asker->ops->error(asker->store));
	}
	if (asker->rows != asker->wanted_rows || asker->readings != asker->wanted_readings) {
		return fault_set(fault, "%s: %llu rows of %llu readings came; wanted %llu of %llu", QUERY_NAMES[question],
		                 (unsigned long long)asker->rows, (unsigned long long)asker->readings,
		                 (unsigned long long)asker->wanted_rows, (unsigned long long)asker->wanted_readings);
	}
	return true;
}

static bool measure_question(struct asker *asker, int question, int runs, struct query_cost *cost, struct fault *fault)
{
	double times_ms[QUERY_RUNS_MAX];
	asker->wanted_rows = 0;
	for (int i = -WARM_UP; i < runs; i++) {
		int64_t start_ns = clock_ns();
		if (!ask(asker, question, fault)) {
			return false;
		}
		if (i >= 0) {
			times_ms[i] = (double)(clock_ns() - start_ns) * 1e-6;
		}
	}
	cost->rows = asker->rows;
	cost->median_ms = median(times_ms, runs); /* sorts them */
	cost->p99_ms = times_ms[(int)ceil(0.99 * runs) - 1];
	cost->max_ms = times_ms[runs - 1];
	return true;
}

bool query_cost_measure(const struct store_target *target, const struct query_layout *layout, int runs,
                        struct query_answer *answer, struct fault *fault)
{
	char name[READINGS_NAME_MAX];
	struct asker asker = {.ops = target->backend->ops, .layout = layout};
	size_t len = readings_topic(0, name);
	if (!topic_parse((struct slice){name, len}, &asker.topic)) {
		return fault_set(fault, "%s: no topic", name);
	}
	if (asker.ops->open_to_read(&target->place, &asker.store, fault->text, sizeof(fault->text)) != STORE_OK) {
		return false;
	}
	bool done = true;
	for (int i = 0; done && i < QUERY_QUESTIONS; i++) {
		done = (progress_show("%s: %s", target->backend->title, QUERY_NAMES[i]) || fault_set(fault, "stopped")) &&
		       measure_question(&asker, i, runs, &answer->questions[i], fault);
	}
	asker.ops->close(asker.store);
	return done;
}
