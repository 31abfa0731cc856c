/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_shared: see store_shared.h.
 */
#include "store_shared.h"

#include "store_batch.h"

#include <math.h>
#include <stdio.h>

struct slice store_topic_name(const struct topic *topic, char buffer[static TOPIC_MAX + 1])
{
	snprintf(buffer, TOPIC_MAX + 1, "%.*s/%.*s/%.*s/%s", (int)topic->location.len, topic->location.ptr,
	         (int)topic->device.len, topic->device.ptr, (int)topic->sensor.len, topic->sensor.ptr,
	         topic_subject_name(topic->subject));
	return slice_of(buffer);
}

/*
 * The averages are weighted before they are added, so that their sum cannot become infinite, and whatever rounding does, it
 * stays between the extremes.
 */
static void add(struct store_bucket *bucket, const struct store_bucket *row)
{
	const double share = (double)row->count / (double)(bucket->count + row->count);

	bucket->min = fmin(bucket->min, row->min);
	bucket->max = fmax(bucket->max, row->max);
	bucket->avg = fmax(bucket->min, fmin(bucket->max, bucket->avg * (1 - share) + row->avg * share));
	bucket->count += row->count;
}

bool bucketing_add(struct store_bucketing *bucketing, const struct store_bucket *row)
{
	struct store_bucket *bucket = &bucketing->bucket;
	const int64_t time_us = period_begin(row->time_us, bucketing->step_us);

	if (bucket->count > 0 && bucket->time_us == time_us) {
		add(bucket, row);
		return true;
	}
	bool wanted = bucket->count == 0 || bucketing->callback(bucketing->context, bucket);
	*bucket = *row;
	bucket->time_us = time_us;
	return wanted;
}

void bucketing_end(struct store_bucketing *bucketing)
{
	if (bucketing->bucket.count > 0)
		bucketing->callback(bucketing->context, &bucketing->bucket);
}
