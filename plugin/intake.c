/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake: see intake.h.
 *
 *   message → series (one hash look-up) → its subject's handler → feed (journal → latest value → rules) → delivery
 */
#include "intake.h"

#include "delivery.h"
#include "intake_config.h"
#include "intake_losses.h"
#include "own.h"
#include "reading.h"
#include "reading_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct intake {
	const struct broker_ops *broker;
	const struct options *options;
	struct feed feed;
	struct own own;
	struct reporter *reporter;
	struct reading_parser *parser;
	struct delivery *delivery;
	struct intake_counters counters;
	uint64_t gauge_messages; /* counters.messages and the time at the last gauges */
	int64_t gauge_ms;
	struct losses losses;
	struct config_intake config;
	bool accounts; /* user names mean something */
};

/* A message on its way through a handler. */
struct arrival {
	const struct message *message;
	struct series *series; /* NULL: not seen yet */
	enum topic_subject subject;
	struct topic parts; /* of the message's name, while there is no series */
	struct instant now;
};

/* The message's name in parts; most messages never ask. */
static struct topic topic_of(const struct arrival *arrival)
{
	return arrival->series != NULL ? series_topic(arrival->series) : arrival->parts;
}

/* ---- one handler a subject ---- */

static void refuse(struct intake *intake, const struct arrival *arrival, const char *code, struct slice found,
                   const char *wanted)
{
	struct report report = {.code = code, .found = found, .wanted = wanted};
	struct topic topic = topic_of(arrival);
	intake->counters.refused++;
	report_publish(intake->reporter, &topic, &report, arrival->now);
}

static void refuse_reading(struct intake *intake, const struct arrival *arrival, enum reading_error error,
                           struct slice found)
{
	refuse(intake, arrival, reading_error_code(error), found, reading_error_wanted(error));
}

/* The series of an arrival, made if need be; NULL: too many. */
static struct series *series_of(struct intake *intake, struct arrival *arrival)
{
	if (arrival->series == NULL)
		arrival->series = feed_series(&intake->feed, arrival->message->topic, &arrival->parts);
	return arrival->series;
}

/* "all" names no place of one's own, and values and states of the own device are Hearth's to publish. */
static bool is_reserved(const struct arrival *arrival)
{
	const struct topic *parts = &arrival->parts;
	if (arrival->series != NULL)
		return arrival->series->own && arrival->subject != SUBJECT_SET;
	if (slice_is(parts->device, TOPIC_OWN_DEVICE))
		return arrival->subject != SUBJECT_SET;
	return slice_is(parts->location, TOPIC_ALL) || slice_is(parts->device, TOPIC_ALL);
}

static void refuse_reserved(struct intake *intake, const struct arrival *arrival)
{
	refuse(intake, arrival, "reserved", arrival->message->topic,
	       "another name: \"all\" means every location or device, and \"hearth\" is Hearth's own device");
}

static void refuse_limits(struct intake *intake, const struct arrival *arrival, const struct reading *reading,
                          enum reading_error error)
{
	char wanted[LIMITS_WANTED_MAX], number[NUMBER_TEXT_MAX];
	struct slice found = error == READING_BAD_UNIT ? reading->unit : value_print(&reading->value, number);
	limits_wanted(arrival->series->config, error, wanted);
	refuse(intake, arrival, reading_error_code(error), found, wanted);
}

static void reading_take(struct intake *intake, struct arrival *arrival, const struct reading *reading)
{
	struct series *series = arrival->series;
	enum reading_error error = limits_check(series->config, reading);
	if (error != READING_OK) {
		refuse_limits(intake, arrival, reading, error);
		return;
	}
	if (reading->resend_key != 0 && series_is_resend(series, reading->resend_key)) {
		intake->counters.resent++;
		return;
	}
	bool late = reading->device_time && series->latest.known && reading->time_us < series->latest.time_us;
	int mode = (late ? FEED_STORE : FEED_ALL) | (reading->device_time ? FEED_DEVICE_TIME : 0);
	bool kept = feed_value(&intake->feed, series, &reading->value, reading->time_us, mode, 0, arrival->now);
	if (kept && reading->resend_key != 0) /* one that was lost is wanted when it comes again */
		series_remember(series, reading->resend_key);
	delivery_run(intake->delivery, arrival->now);
}

static enum verdict on_value(struct intake *intake, struct arrival *arrival)
{
	const struct reading *readings;
	struct reading_problem problem;

	if (is_reserved(arrival)) {
		refuse_reserved(intake, arrival);
		return INTAKE_PASS;
	}
	size_t count = reading_parse(intake->parser, arrival->message->payload, arrival->now.wall_us, &readings, &problem);
	intake->counters.received += count > 0 ? count : 1;
	if (count > 0 && series_of(intake, arrival) == NULL)
		return INTAKE_PASS;
	for (size_t i = 0; i < count; i++)
		reading_take(intake, arrival, &readings[i]);
	if (problem.error != READING_OK)
		refuse_reading(intake, arrival, problem.error, arrival->message->payload);
	return INTAKE_PASS;
}

/* What can be stored of a `set`, `state`, `status` or `ack`; anything else is reported. */
static bool text_check(struct intake *intake, const struct arrival *arrival, struct value *value)
{
	struct slice payload = arrival->message->payload;
	enum reading_error error = READING_OK;
	*value = value_of_text(payload);
	intake->counters.received++;
	if (!value->is_number && value->text.len == 0 && arrival->subject != SUBJECT_ACK)
		error = READING_EMPTY;
	else if (value->text.len > VALUE_TEXT_MAX)
		error = READING_TOO_LONG;
	else if (!utf8_valid(value->text))
		error = READING_NOT_TEXT;
	if (error == READING_OK)
		return true;
	refuse(intake, arrival, reading_error_code(error), payload,
	       error == READING_EMPTY ? "a number or a word" : reading_error_wanted(error));
	return false;
}

static enum verdict on_set(struct intake *intake, struct arrival *arrival)
{
	struct value value;

	if (is_reserved(arrival)) {
		refuse_reserved(intake, arrival);
		return INTAKE_PASS;
	}
	if (arrival->message->retain && arrival->message->payload.len == 0)
		return INTAKE_PASS; /* takes a retained command away */
	if (!text_check(intake, arrival, &value))
		return INTAKE_PASS;
	struct series *series = series_of(intake, arrival);
	struct topic topic = topic_of(arrival);
	bool own = slice_is(topic.device, TOPIC_OWN_DEVICE);
	if (series == NULL && !own) /* a switch is thrown all the same */
		return INTAKE_PASS;
	if (series != NULL)
		feed_value(&intake->feed, series, &value, arrival->now.wall_us,
		           arrival->message->retain ? FEED_STORE : FEED_ALL, 0, arrival->now);
	if (arrival->message->retain) {
		refuse(intake, arrival, "retained_set", arrival->message->payload,
		       "a set without the retain flag: a retained command would be carried out again at every reconnect");
		return INTAKE_PASS;
	}
	if (own)
		own_set(&intake->own, &topic, arrival->message->payload, 0, arrival->now);
	else
		action_overridden(intake->feed.action,
		                  (struct slice){arrival->message->topic.ptr, arrival->message->topic.len - strlen("/set")});
	delivery_run(intake->delivery, arrival->now);
	return INTAKE_PASS;
}

/* `state` and `status`. An empty one takes the retained message away and says nothing. */
static enum verdict on_state(struct intake *intake, struct arrival *arrival)
{
	struct value value;
	int mode = arrival->subject == SUBJECT_STATE ? FEED_ALL : FEED_LATEST | FEED_RULES;

	if (arrival->message->payload.len == 0)
		return INTAKE_PASS;
	if (is_reserved(arrival)) {
		refuse_reserved(intake, arrival);
		return INTAKE_PASS;
	}
	if (!text_check(intake, arrival, &value) || series_of(intake, arrival) == NULL)
		return INTAKE_PASS;
	feed_value(&intake->feed, arrival->series, &value, arrival->now.wall_us, mode, 0, arrival->now);
	delivery_run(intake->delivery, arrival->now);
	return INTAKE_PASS;
}

static bool may_configure(const struct intake *intake, struct slice user)
{
	const struct word_list *allowed = &intake->options->config_from;
	if (allowed->count == 0)
		return true;
	for (size_t i = 0; i < allowed->count; i++) {
		if (slice_is(user, allowed->words[i]))
			return true;
	}
	return false;
}

static enum verdict on_config(struct intake *intake, struct arrival *arrival)
{
	const struct message *message = arrival->message;
	const char *name = intake->broker->username(message->client);
	struct slice user = slice_of(name != NULL ? name : "");
	struct topic topic = topic_of(arrival);
	struct config_refusal refusal;

	if (!may_configure(intake, user)) {
		refuse(intake, arrival, "not_permitted", (struct slice){"", 0}, "a user that plugin_opt_config_from names");
		return INTAKE_WITHHOLD;
	}
	if (!message->retain) {
		refuse(intake, arrival, "not_retained", message->payload,
		       "a config with the retain flag (mosquitto_pub -r), so that it is still known after a restart");
		return INTAKE_WITHHOLD;
	}
	if (!intake->accounts) /* then a name is what anybody says */
		user.len = 0;
	struct config_message config = {message->topic, &topic, message->payload, user};
	bool taken = config_take(&intake->config, &config, &refusal, arrival->now);
	if (refusal.code == NULL)
		return INTAKE_PASS;
	const struct config_error *error = &refusal.error;
	intake->counters.refused++;
	report_publish(intake->reporter, &topic,
	               &(struct report){refusal.code, error->path[0] != '\0' ? error->path : NULL, slice_of(error->found),
	                                error->wanted},
	               arrival->now);
	return taken ? INTAKE_PASS : INTAKE_WITHHOLD;
}

static enum verdict on_alarm(struct intake *intake, struct arrival *arrival)
{
	refuse(intake, arrival, "reserved", arrival->message->payload, "nothing: alarms are Hearth's alone to publish");
	return INTAKE_WITHHOLD;
}

/* Who acknowledged what is kept, safe before it is answered; what it does to an alarm is the alarm's. */
static enum verdict on_ack(struct intake *intake, struct arrival *arrival)
{
	struct value value;

	if (is_reserved(arrival)) {
		refuse_reserved(intake, arrival);
		return INTAKE_PASS;
	}
	if (arrival->message->retain) {
		if (arrival->message->payload.len > 0)
			refuse(intake, arrival, "retained_ack", arrival->message->payload,
			       "an ack without the retain flag: a retained one would acknowledge alarms to come");
		return INTAKE_PASS;
	}
	if (!text_check(intake, arrival, &value) || series_of(intake, arrival) == NULL)
		return INTAKE_PASS;
	if (!feed_value(&intake->feed, arrival->series, &value, arrival->now.wall_us, FEED_STORE | FEED_CONTROL, 0,
	                arrival->now))
		refuse(intake, arrival, "journal_full", arrival->message->payload,
		       "room in the journal: the ack holds until the broker stops");
	return INTAKE_PASS;
}

static enum verdict on_other(struct intake *intake, struct arrival *arrival)
{
	(void)intake;
	(void)arrival;
	return INTAKE_PASS;
}

typedef enum verdict (*handler)(struct intake *intake, struct arrival *arrival);

static const handler handlers[SUBJECT_COUNT] = {
	[SUBJECT_VALUE] = on_value,   [SUBJECT_SET] = on_set,     [SUBJECT_STATE] = on_state, [SUBJECT_STATUS] = on_state,
	[SUBJECT_CONFIG] = on_config, [SUBJECT_ALARM] = on_alarm, [SUBJECT_ACK] = on_ack,     [SUBJECT_ERROR] = on_other,
};

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
	return handlers[arrival.subject](intake, &arrival);
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
	if (!may_configure(intake, author)) {
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
