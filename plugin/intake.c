/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake: see intake.h.
 *
 *   message → series (one hash look-up) → its subject's handler → feed (journal → latest value → rules) → delivery
 */
#include "intake_internal.h"

#include <stdlib.h>
#include <string.h>

static bool is_ignored(const struct intake *intake, struct slice topic)
{
	const struct word_list *ignore = &intake->options->ignore;
	for (size_t i = 0; i < ignore->count; i++) {
		if (topic_matches(slice_of(ignore->words[i]), topic))
			return true;
	}
	return false;
}

enum verdict intake_message(struct intake *intake, const struct message *message, struct instant now)
{
	struct arrival arrival;

	arrival.message = message;
	arrival.now = now;
	arrival.series = series_find(intake->feed.series, message->topic);
	intake->counters.messages++;
	if (arrival.series == NULL) {
		if (!topic_parse(message->topic, &arrival.parts) || is_ignored(intake, message->topic))
			return INTAKE_PASS;
		arrival.subject = arrival.parts.subject;
	} else {
		arrival.subject = (enum topic_subject)arrival.series->subject;
	}
	return intake_handlers[arrival.subject](intake, &arrival);
}

/* ---- ticks, gauges, restart ---- */

void intake_tick(struct intake *intake, struct instant now)
{
	action_tick(intake->feed.action, now.mono_ms);
	delivery_run(intake->delivery, now);
	losses_log(&intake->losses, &intake->feed, intake->broker, now.mono_ms);
}

void intake_gauges(struct intake *intake, const struct host_sample *sample, uint64_t queue, struct instant now)
{
	int64_t elapsed_ms = now.mono_ms - intake->gauge_ms;
	uint64_t messages = intake->counters.messages - intake->gauge_messages;
	double per_second = elapsed_ms > 0 ? (double)messages * 1000 / (double)elapsed_ms : 0;

	intake->gauge_ms = now.mono_ms;
	intake->gauge_messages = intake->counters.messages;
	own_gauges(&intake->own, sample, (double)(int64_t)(per_second * 10 + 0.5) / 10, (double)queue, now);
	delivery_run(intake->delivery, now);
}

/* Configs from the house's down to a device's own, so that each is checked against those above it. */
static int pass_of(const struct topic *topic)
{
	if (topic->subject != SUBJECT_CONFIG || slice_is(topic->location, TOPIC_ALL))
		return 0;
	return slice_is(topic->device, TOPIC_ALL) ? 1 : 2;
}

void intake_restore(struct intake *intake, struct slice name, struct slice payload, struct slice author, int pass,
                    struct instant now)
{
	struct topic topic;

	if (name.len > TOPIC_MAX || !topic_parse(name, &topic) || pass_of(&topic) != pass || is_ignored(intake, name))
		return;
	if (topic.subject == SUBJECT_STATE) {
		own_restore(&intake->own, name, &topic, payload, now);
		return;
	}
	if (topic.subject == SUBJECT_CONFIG)
		config_restore(&intake->config, &(struct config_message){name, &topic, payload, author});
}

bool intake_configure(struct intake *intake, struct slice name, struct slice payload, struct slice author,
                      struct config_error *error, struct instant now)
{
	char text[TOPIC_MAX + 1];
	struct topic topic;
	struct config_refusal refusal;

	if (!topic_parse(name, &topic) || topic.subject != SUBJECT_CONFIG || is_ignored(intake, name)) {
		*error = (struct config_error){"topic", "another topic", "LOCATION/DEVICE/SENSOR/config"};
		return false;
	}
	if (!intake_may_configure(intake, author)) {
		*error =
			(struct config_error){"topic", "a config of who may make none", "a user that plugin_opt_config_from names"};
		return false;
	}
	bool taken = config_take(&intake->config, &(struct config_message){name, &topic, payload, author}, &refusal, now);
	*error = refusal.error;
	if (!taken)
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	intake->broker->publish(text, payload, 1, true, NULL, 0);
	delivery_run(intake->delivery, now);
	return true;
}

void intake_permit(struct intake *intake, const struct catalog_permission *permission)
{
	intake->accounts = true;
	catalog_permit(intake->feed.catalog, permission);
}

void intake_rights_changed(struct intake *intake, const struct catalog_authors *authors, struct instant now)
{
	config_recheck(&intake->config, authors, now);
	delivery_run(intake->delivery, now);
}

struct feed *intake_feed(struct intake *intake)
{
	return &intake->feed;
}

struct intake_counters intake_counters(const struct intake *intake)
{
	struct intake_counters counters = intake->counters;
	counters.stored = intake->feed.counters.stored;
	counters.lost = intake->feed.counters.lost;
	counters.crowded = intake->feed.counters.crowded;
	counters.commands = action_commands(intake->feed.action);
	counters.fired = action_fired(intake->feed.action);
	return counters;
}

struct intake *intake_new(const struct intake_options *options)
{
	struct intake *intake = calloc(1, sizeof *intake);
	if (intake == NULL)
		return NULL;
	intake->broker = options->broker;
	intake->options = options->options;
	intake->gauge_ms = options->now.mono_ms;
	intake->parser = reading_parser_new();
	intake->reporter = reporter_new(options->broker);
	intake->feed.journal = options->journal;
	intake->feed.series = series_table_new(options->options->max_series, options->seed);
	intake->delivery = delivery_new(options->broker, &intake->feed, &intake->own);
	intake->feed.action = intake->delivery != NULL ? action_new(delivery_callbacks(intake->delivery)) : NULL;
	intake->feed.catalog = intake->feed.series != NULL && intake->feed.action != NULL
	                           ? catalog_new(intake->feed.series, intake->feed.action)
	                           : NULL;
	intake->config = (struct config_intake){&intake->feed, options->broker, intake->reporter, false};
	intake->own = (struct own){&intake->feed, options->broker, intake->reporter, options->options->node};
	if (intake->parser == NULL || intake->reporter == NULL || intake->feed.catalog == NULL) {
		intake_free(intake);
		return NULL;
	}
	return intake;
}

void intake_free(struct intake *intake)
{
	if (intake == NULL)
		return;
	catalog_free(intake->feed.catalog);
	action_free(intake->feed.action);
	series_table_free(intake->feed.series);
	reporter_free(intake->reporter);
	reading_parser_free(intake->parser);
	delivery_free(intake->delivery);
	free(intake);
}
