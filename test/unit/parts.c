/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * parts: see parts.h.
 */
#include "parts.h"

#include "fake_broker.h"
#include "journal_text.h"

void parts_make(struct parts *parts, size_t max_series)
{
	memset(parts, 0, sizeof *parts);
	fake_broker_reset();
	fixture_make(&parts->journal);
	fixture_open(&parts->journal, PARTS_QUOTA, PARTS_SEGMENT);
	parts->reporter = reporter_new(&fake_broker);
	parts->delivery = delivery_new(&fake_broker, &parts->feed, &parts->own);
	assert_non_null(parts->reporter);
	assert_non_null(parts->delivery);
	parts->feed.journal = parts->journal.journal;
	parts->feed.series = series_table_new(max_series, 1);
	parts->feed.action = action_new(delivery_callbacks(parts->delivery));
	assert_non_null(parts->feed.series);
	assert_non_null(parts->feed.action);
	parts->feed.catalog = catalog_new(parts->feed.series, parts->feed.action);
	assert_non_null(parts->feed.catalog);
	parts->own = (struct own){&parts->feed, &fake_broker, parts->reporter, "node1"};
}

void parts_remove(struct parts *parts)
{
	catalog_free(parts->feed.catalog);
	action_free(parts->feed.action);
	series_table_free(parts->feed.series);
	delivery_free(parts->delivery);
	reporter_free(parts->reporter);
	fixture_remove(&parts->journal);
	fake_broker_reset();
}

struct slice quoted(const char *text)
{
	static char *copy;
	free(copy);
	copy = strdup(text);
	assert_non_null(copy);
	for (char *at = copy; *at != '\0'; at++) {
		if (*at == '\'')
			*at = '"';
	}
	return slice_of(copy);
}

enum catalog_result parts_config(struct parts *parts, const char *sensor, const char *text, struct config_error *error)
{
	char name[TOPIC_MAX + 1];
	struct topic topic;
	snprintf(name, sizeof name, "%s/config", sensor);
	assert_true(topic_parse(slice_of(name), &topic));
	return catalog_put(parts->feed.catalog, slice_of(name), &topic, quoted(text), slice_of(""), error);
}

void parts_rules(struct parts *parts, const char *sensor, const char *text)
{
	struct config_error error = {0};
	if (parts_config(parts, sensor, text, &error) != CATALOG_CHANGED)
		fail_msg("%s: found %s; wanted %s", error.path, error.found, error.wanted);
}

struct series *parts_series(struct parts *parts, const char *topic)
{
	struct topic split;
	assert_true(topic_parse(slice_of(topic), &split));
	return feed_series(&parts->feed, slice_of(topic), &split);
}

void parts_feed(struct parts *parts, const char *topic, const char *text, int64_t at_ms)
{
	struct value value = value_of_text(slice_of(text));
	struct instant now = instant_at(at_ms);
	struct series *series = parts_series(parts, topic);
	assert_non_null(series);
	feed_value(&parts->feed, series, &value, now.wall_us, FEED_ALL, 0, now);
	delivery_run(parts->delivery, now);
}
