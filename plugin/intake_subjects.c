/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake: what a message means, one handler a subject.
 */
#include "intake_internal.h"
#include "reading_limits.h"

#include <string.h>

/* The message's name in parts; most messages never ask. */
static struct topic topic_of(const struct arrival *arrival)
{
	return arrival->series != NULL ? series_topic(arrival->series) : arrival->parts;
}

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

bool intake_may_configure(const struct intake *intake, struct slice user)
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

	if (!intake_may_configure(intake, user)) {
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

const intake_handler intake_handlers[SUBJECT_COUNT] = {
	[SUBJECT_VALUE] = on_value,   [SUBJECT_SET] = on_set,     [SUBJECT_STATE] = on_state, [SUBJECT_STATUS] = on_state,
	[SUBJECT_CONFIG] = on_config, [SUBJECT_ALARM] = on_alarm, [SUBJECT_ACK] = on_ack,     [SUBJECT_ERROR] = on_other,
};
