/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite_read: what is stored, read back.
 *
 * Each function steps one statement and resets it before it returns. So what it reads is of one moment, whatever is written
 * meanwhile, and the WAL, which cannot be emptied beside a reader, does not grow for long.
 */
#include "store_batch.h"
#include "store_sqlite_internal.h"

#include <math.h>
#include <stdio.h>

/* A text that lives until the statement's next step. */
static struct slice column_text(sqlite3_stmt *row, int column)
{
	const char *text = sqlite3_column_blob(row, column); /* unlike the text, never a copy */
	return (struct slice){text, text ? (size_t)sqlite3_column_bytes(row, column) : 0};
}

static struct slice topic_text(const struct topic *topic, char buffer[static TOPIC_MAX + 1])
{
	snprintf(buffer, TOPIC_MAX + 1, "%.*s/%.*s/%.*s/%s", (int)topic->location.len, topic->location.ptr,
	         (int)topic->device.len, topic->device.ptr, (int)topic->sensor.len, topic->sensor.ptr,
	         topic_subject_name(topic->subject));
	return slice_of(buffer);
}

/* What a statement that is reset said at last. */
static enum store_result result_of(struct store *store, int code)
{
	return code == SQLITE_OK ? STORE_OK : lite_fail(store);
}

enum store_result lite_list(struct store *store, store_series_callback callback, void *context)
{
	sqlite3_stmt *row = store->statements[LITE_LIST];

	if (lite_check_file(store) != STORE_OK)
		return STORE_AWAY;
	while (sqlite3_step(row) == SQLITE_ROW)
		if (!callback(context, column_text(row, 0)))
			break;
	return result_of(store, sqlite3_reset(row));
}

/* ---- readings ---- */

/* Hands on the rows of a statement whose columns are time, number, text, and, if no topic is given, topic. */
static int each_reading(sqlite3_stmt *row, const struct slice *topic, store_reading_callback callback, void *context)
{
	while (sqlite3_step(row) == SQLITE_ROW) {
		struct value value = {
			.is_number = sqlite3_column_type(row, 1) != SQLITE_NULL,
			.number = sqlite3_column_double(row, 1),
			.text = column_text(row, 2),
		};
		if (!callback(context, topic ? *topic : column_text(row, 3), sqlite3_column_int64(row, 0), &value))
			break;
	}
	return sqlite3_reset(row);
}

enum store_result lite_latest(struct store *store, const struct topic *topic, store_reading_callback callback,
                              void *context)
{
	sqlite3_stmt *statement = store->statements[topic ? LITE_LATEST : LITE_LATEST_OF_ALL];
	char buffer[TOPIC_MAX + 1];

	if (lite_check_file(store) != STORE_OK)
		return STORE_AWAY;
	if (!topic)
		return result_of(store, each_reading(statement, NULL, callback, context));
	struct slice name = topic_text(topic, buffer);
	int code = lite_bind_topic(statement, topic);
	if (code == SQLITE_OK)
		code = each_reading(statement, &name, callback, context);
	return result_of(store, code);
}

static int bind_span(sqlite3_stmt *statement, const struct topic *topic, struct store_span span)
{
	int code = lite_bind_topic(statement, topic);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 5, span.from_us);
	return code == SQLITE_OK ? sqlite3_bind_int64(statement, 6, span.to_us) : code;
}

enum store_result lite_readings(struct store *store, const struct topic *topic, struct store_span span, size_t limit,
                                store_reading_callback callback, void *context)
{
	sqlite3_stmt *statement = store->statements[LITE_READINGS];
	char buffer[TOPIC_MAX + 1];
	struct slice name = topic_text(topic, buffer);

	if (lite_check_file(store) != STORE_OK)
		return STORE_AWAY;
	int code = bind_span(statement, topic, span);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 7, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
	if (code == SQLITE_OK)
		code = each_reading(statement, &name, callback, context);
	return result_of(store, code);
}

/* ---- buckets ---- */

/*
 * Adds what comes next of the same bucket. As in LITE_ADD_HOUR the averages are weighted before they are added, and the sum
 * stays between the extremes.
 */
static void bucket_add(struct store_bucket *bucket, const struct store_bucket *next)
{
	double share = (double)next->count / (double)(bucket->count + next->count);

	bucket->min = fmin(bucket->min, next->min);
	bucket->max = fmax(bucket->max, next->max);
	bucket->avg = fmax(bucket->min, fmin(bucket->max, bucket->avg * (1 - share) + next->avg * share));
	bucket->count += next->count;
}

/*
 * Rows come in the order of time, so each belongs to the last bucket or begins one. Adding them up here, and not by GROUP BY,
 * saves SQLite to sort what is in order.
 */
static int each_bucket(sqlite3_stmt *row, int64_t step_us, store_bucket_callback callback, void *context)
{
	struct store_bucket bucket = {.count = 0};
	bool wanted = true;

	while (wanted && sqlite3_step(row) == SQLITE_ROW) {
		const struct store_bucket next = {
			.time_us = period_begin(sqlite3_column_int64(row, 0), step_us),
			.min = sqlite3_column_double(row, 1),
			.avg = sqlite3_column_double(row, 2),
			.max = sqlite3_column_double(row, 3),
			.count = sqlite3_column_int64(row, 4),
		};
		if (bucket.count > 0 && bucket.time_us == next.time_us) {
			bucket_add(&bucket, &next);
			continue;
		}
		wanted = bucket.count == 0 || callback(context, &bucket);
		bucket = next;
	}
	int code = sqlite3_reset(row);
	if (code == SQLITE_OK && wanted && bucket.count > 0)
		callback(context, &bucket);
	return code;
}

enum store_result lite_buckets(struct store *store, const struct topic *topic, enum store_source source,
                               struct store_span span, int64_t step_us, store_bucket_callback callback, void *context)
{
	static const enum lite_statement of_source[] = {
		[STORE_RAW] = LITE_BUCKETS_RAW,
		[STORE_MINUTE] = LITE_BUCKETS_MINUTE,
		[STORE_HOUR] = LITE_BUCKETS_HOUR,
	};
	sqlite3_stmt *statement = store->statements[of_source[source]];

	if (lite_check_file(store) != STORE_OK)
		return STORE_AWAY;
	int code = bind_span(statement, topic, span);
	if (code == SQLITE_OK)
		code = each_bucket(statement, step_us, callback, context);
	return result_of(store, code);
}
