/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * feed: see feed.h.
 */
#include "feed.h"

#include "record.h"

#include <math.h>
#include <stdlib.h>

#define APPEND_TRIES 4

struct series *feed_series(struct feed *feed, struct slice name, const struct topic *topic)
{
	bool made;
	struct series *series = series_intern(feed->series, name, topic, &made);
	if (series == NULL)
		feed->counters.crowded++;
	else if (made)
		catalog_bind_new(feed->catalog);
	return series;
}

/* Each segment of the journal explains the series numbers that it uses. */
static bool define(struct feed *feed, struct series *series, uint64_t segment)
{
	uint8_t record[8 + TOPIC_MAX];
	size_t len = record_put_series(record, series->number, (struct slice){series->name, series->name_len});
	if (journal_append(feed->journal, RECORD_SERIES, record, len) == 0)
		return false;
	series->segment = segment;
	return true;
}

static bool store(struct feed *feed, struct series *series, const struct value *value, int64_t time_us, int mode)
{
	uint8_t record[RECORD_READING_MAX];
	size_t len = record_put_reading(record, series->number, time_us, mode & FEED_DEVICE_TIME, value);
	size_t need = journal_record_size(len) + journal_record_size(8 + (size_t)series->name_len);
	enum journal_priority priority = mode & FEED_CONTROL ? JOURNAL_CONTROL : JOURNAL_READING;
	uint64_t segment;
	/* A disk that refuses a page takes its segment with it, and there may be another one. */
	for (int tries = 0; tries < APPEND_TRIES && (segment = journal_reserve(feed->journal, need, priority)) != 0;
	     tries++) {
		if ((series->segment == segment || define(feed, series, segment)) &&
		    journal_append(feed->journal, RECORD_READING, record, len) != 0) {
			feed->counters.stored++;
			return true;
		}
	}
	feed->counters.lost++;
	return false;
}

/* The store policy of the series' config: small changes need not be kept, but now and then one is. */
static bool worth_storing(const struct series *series, const struct value *value, int64_t time_us)
{
	const struct config *config = series->config;
	if (config == NULL || config->deadband <= 0)
		return true;
	if (series->stored_us == INT64_MIN || series->text_stored || !value->is_number)
		return true;
	if (config->at_least_every_us > 0 && time_us - series->stored_us >= config->at_least_every_us)
		return true;
	return fabs(value->number - series->stored_number) >= config->deadband;
}

static bool store_latest(struct feed *feed, struct series *series, const struct value *value, int64_t time_us, int mode)
{
	if (!worth_storing(series, value, time_us))
		return true;
	if (!store(feed, series, value, time_us, mode))
		return false;
	series->stored_us = time_us;
	series->stored_number = value->number;
	series->text_stored = !value->is_number;
	return true;
}

bool feed_value(struct feed *feed, struct series *series, const struct value *value, int64_t time_us, int mode, int hop,
                struct instant now)
{
	bool kept = true;
	if ((mode & FEED_STORE) && (mode & FEED_LATEST))
		kept = store_latest(feed, series, value, time_us, mode);
	else if (mode & FEED_STORE) /* comes late: the deadband knows only what is around the latest */
		kept = store(feed, series, value, time_us, mode);
	if ((mode & FEED_LATEST) && series_set_latest(series, value, time_us, now.mono_ms) && (mode & FEED_RULES))
		action_run(feed->action, series, hop, now.mono_ms);
	return kept;
}

/* ---- what people decide ---- */

static bool has_room(struct feed *feed, size_t len)
{
	return len <= JOURNAL_PAYLOAD_MAX && journal_reserve(feed->journal, journal_record_size(len), JOURNAL_CONTROL) != 0;
}

/* Again and again as long as there is room: a disk that refuses a page takes its segment with it. */
static bool append(struct feed *feed, uint8_t type, const uint8_t *record, size_t len)
{
	for (int tries = 0; tries < APPEND_TRIES && has_room(feed, len); tries++) {
		if (journal_append(feed->journal, type, record, len) != 0)
			return true;
	}
	return false;
}

bool feed_has_room(struct feed *feed, struct slice topic, struct slice payload, struct slice author)
{
	return has_room(feed, record_retained_size(topic, payload, author));
}

bool feed_retain(struct feed *feed, struct slice topic, struct slice payload, struct slice author, struct instant now)
{
	if (!feed_has_room(feed, topic, payload, author))
		return false;
	uint8_t *record = malloc(record_retained_size(topic, payload, author));
	if (record == NULL)
		return false;
	size_t len = record_put_retained(record, now.wall_us, topic, payload, author);
	bool kept = append(feed, RECORD_RETAINED, record, len);
	free(record);
	return kept;
}

bool feed_documents(struct feed *feed, const struct document *documents, size_t count, struct instant now,
                    uint64_t *end)
{
	if (!has_room(feed, record_documents_size(documents, count)))
		return false;
	uint8_t *record = malloc(record_documents_size(documents, count));
	if (record == NULL)
		return false;
	size_t len = record_put_documents(record, now.wall_us, documents, count);
	bool kept = append(feed, RECORD_DOCUMENTS, record, len);
	free(record);
	if (kept)
		*end = journal_head(feed->journal);
	return kept;
}

bool feed_renamed(struct feed *feed, struct slice from, struct slice to, struct instant now, uint64_t *end)
{
	uint8_t record[16 + 2 * TOPIC_MAX];
	struct slice location, device;
	if (!record_split_device(from, &location, &device) || !record_split_device(to, &location, &device) ||
	    slice_equal(from, to))
		return false;
	size_t len = record_put_renamed(record, now.wall_us, from, to);
	if (!append(feed, RECORD_RENAMED, record, len))
		return false;
	*end = journal_head(feed->journal);
	return true;
}
