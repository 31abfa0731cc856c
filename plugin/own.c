/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * own: see own.h.
 */
#include "own.h"

#include <stdio.h>

/* The sibling topic of another subject, NUL-terminated. */
static struct slice sibling(const struct topic *topic, const char *subject, char buffer[static TOPIC_MAX + 8])
{
	int len = snprintf(buffer, TOPIC_MAX + 8, "%.*s/%.*s/%.*s/%s", (int)topic->location.len, topic->location.ptr,
	                   (int)topic->device.len, topic->device.ptr, (int)topic->sensor.len, topic->sensor.ptr, subject);
	return (struct slice){buffer, (size_t)len};
}

static void refuse(struct own *own, const struct topic *topic, const char *code, struct slice found, const char *wanted,
                   struct instant now)
{
	struct report report = {.code = code, .found = found, .wanted = wanted};
	report_publish(own->reporter, topic, &report, now);
}

/* The new state becomes the latest value of the `state` series and moves the rules that refer to it. */
static void state_feed(struct own *own, struct slice name, const struct value *value, int mode, int hop,
                       struct instant now)
{
	struct topic topic;
	struct series *series = topic_parse(name, &topic) ? feed_series(own->feed, name, &topic) : NULL;
	if (series != NULL)
		feed_value(own->feed, series, value, now.wall_us, mode, hop, now);
}

void own_set(struct own *own, const struct topic *topic, struct slice payload, int hop, struct instant now)
{
	struct value value = value_of_text(payload);
	bool is_auto = slice_is(topic->sensor, "auto");
	char name_buffer[TOPIC_MAX + 8], number[NUMBER_TEXT_MAX];
	struct slice name = sibling(topic, "state", name_buffer);

	if (name.len > TOPIC_MAX) {
		refuse(own, topic, "too_long", payload, "a shorter name: its state's topic has at most 512 bytes", now);
		return;
	}
	if (is_auto) {
		if (!value.is_number || (value.number != 0 && value.number != 1)) {
			refuse(own, topic, "not_a_switch", payload, "1 or 0 (on, off, true, false)", now);
			return;
		}
		value = value_of_number(value.number);
	} else if (!value.is_number && value.text.len == 0) {
		refuse(own, topic, "empty", payload, "a number or a word", now);
		return;
	}

	struct slice text = value_print(&value, number);
	if (!feed_retain(own->feed, name, text, (struct slice){"", 0}, now))
		refuse(own, topic, "journal_full", payload, "room in the journal: the change holds until the broker stops",
		       now);
	own->broker->publish(name.ptr, text, 1, true, NULL, 0);
	state_feed(own, name, &value, FEED_ALL, hop, now);
	if (is_auto)
		action_set_auto(own->feed->action, topic->location, value.number != 0, hop);
}

void own_restore(struct own *own, struct slice name, const struct topic *topic, struct slice payload,
                 struct instant now)
{
	char name_buffer[TOPIC_MAX + 8];
	struct value value = value_of_text(payload);
	own->broker->publish(sibling(topic, "state", name_buffer).ptr, payload, 1, true, NULL, 0);
	if (!value.is_number && value.text.len == 0)
		return;
	state_feed(own, name, &value, FEED_LATEST, 0, now);
	if (slice_is(topic->sensor, "auto"))
		action_set_auto(own->feed->action, topic->location, value.is_number && value.number != 0, 0);
}

static void gauge(struct own *own, const char *name, double number, struct instant now)
{
	char topic_name[TOPIC_MAX + 8], text[NUMBER_TEXT_MAX];
	int len = snprintf(topic_name, sizeof topic_name, "%s/" TOPIC_OWN_DEVICE "/%s/value", own->node, name);
	struct slice slice = {topic_name, (size_t)len};
	struct value value = value_of_number(number);
	struct topic topic;
	struct series *series = topic_parse(slice, &topic) ? feed_series(own->feed, slice, &topic) : NULL;

	own->broker->publish(topic_name, value_print(&value, text), 0, false, NULL, 0);
	if (series != NULL)
		feed_value(own->feed, series, &value, now.wall_us, FEED_ALL, 0, now);
}

void own_gauges(struct own *own, const struct host_sample *sample, double messages_per_s, double queue,
                struct instant now)
{
	static const char *const names[HOST_GAUGE_COUNT] = {
		[HOST_CPU] = "cpu",         [HOST_MEMORY] = "memory", [HOST_DISK] = "disk", [HOST_TEMPERATURE] = "temperature",
		[HOST_CLIENTS] = "clients",
	};
	for (int i = 0; i < HOST_GAUGE_COUNT; i++) {
		if (sample->known[i])
			gauge(own, names[i], sample->value[i], now);
	}
	gauge(own, "messages", messages_per_s, now);
	gauge(own, "queue", queue, now);
}
