/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite_read: what is stored, read back.
 *
 * Each function steps one statement and resets it before it returns. So what it reads is of one moment, whatever is written
 * meanwhile, and the WAL, which cannot be emptied beside a reader, does not grow for long.
 */
#include "store_shared.h"
#include "store_sqlite_internal.h"

/* A text that lives until the statement's next step. */
static struct slice column_text(sqlite3_stmt *row, int column)
{
	const char *text = sqlite3_column_blob(row, column); /* unlike the text, never a copy */
	return (struct slice){text, text ? (size_t)sqlite3_column_bytes(row, column) : 0};
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

enum store_result lite_positions(struct store *store, store_position_callback callback, void *context)
{
	sqlite3_stmt *row = store->statements[LITE_POSITIONS];

	if (lite_check_file(store) != STORE_OK)
		return STORE_AWAY;
	while (sqlite3_step(row) == SQLITE_ROW) {
		const struct store_position at = {(uint64_t)sqlite3_column_int64(row, 1),
		                                  (uint64_t)sqlite3_column_int64(row, 2)};
		if (!callback(context, column_text(row, 0), &at))
			break;
	}
	return result_of(store, sqlite3_reset(row));
}

/* ---- readings ---- */

/* Hands on the rows of a statement whose columns are time, seq, number, text, and, if no topic is given, topic. */
static int each_reading(sqlite3_stmt *row, const struct slice *topic, store_reading_callback callback, void *context)
{
	while (sqlite3_step(row) == SQLITE_ROW) {
		const struct store_row reading = {
			.time_us = sqlite3_column_int64(row, 0),
			.seq = sqlite3_column_int64(row, 1),
			.value = {.is_number = sqlite3_column_type(row, 2) != SQLITE_NULL,
		              .number = sqlite3_column_double(row, 2),
		              .text = column_text(row, 3)},
		};
		if (!callback(context, topic ? *topic : column_text(row, 4), &reading))
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
	struct slice name = store_topic_name(topic, buffer);
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
	struct slice name = store_topic_name(topic, buffer);

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

static int each_bucket(sqlite3_stmt *row, struct store_bucketing *bucketing)
{
	bool wanted = true;

	while (wanted && sqlite3_step(row) == SQLITE_ROW) {
		const struct store_bucket next = {
			.time_us = sqlite3_column_int64(row, 0),
			.min = sqlite3_column_double(row, 1),
			.avg = sqlite3_column_double(row, 2),
			.max = sqlite3_column_double(row, 3),
			.count = sqlite3_column_int64(row, 4),
		};
		wanted = bucketing_add(bucketing, &next);
	}
	int code = sqlite3_reset(row);
	if (code == SQLITE_OK && wanted)
		bucketing_end(bucketing);
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
	struct store_bucketing bucketing = {.step_us = step_us, .callback = callback, .context = context};

	if (lite_check_file(store) != STORE_OK)
		return STORE_AWAY;
	int code = bind_span(statement, topic, span);
	if (code == SQLITE_OK)
		code = each_bucket(statement, &bucketing);
	return result_of(store, code);
}
