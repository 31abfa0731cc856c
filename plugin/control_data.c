/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_data: series, latest values and history; each gets what it may read.
 *
 * A list has the live series first, in the order of their first appearance, then what is only stored any more. The history thread
 * answers with JSON text, which may be long: it is walked through item by item, as far as the share of work goes, and
 * never parsed as a whole. A history that cannot be asked makes a list incomplete, and it says so.
 */
#include "control_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- the history thread ---- */

/* Asks, and again at the next tick if too much is pending. CONTROL_DONE once the answer is there, good or bad. */
static enum control_outcome ask(struct control_call *call, const struct history_question *question)
{
	if (call->arrived)
		return CONTROL_DONE;
	struct history_question asked = *question;
	asked.ticket = ++call->control->last_ticket;
	if (history_ask(storage_history(call->control->options.storage), &asked)) {
		call->ticket = asked.ticket;
		call->asked = true;
	}
	return CONTROL_WAIT;
}

/*
 * The end of the JSON value that begins at a text's start; the text was made by us and is whole, so that brackets and
 * quotes are all that there is to look at.
 */
static size_t value_end(const char *text, size_t len)
{
	size_t depth = 0, at = 0;
	bool quoted = false;

	for (; at < len; at++) {
		char c = text[at];
		if (quoted && c == '\\')
			at++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{'))
			depth++;
		else if (!quoted && depth == 0 && (c == ',' || c == ']' || c == '}'))
			break;
		else if (!quoted && (c == ']' || c == '}'))
			depth--;
	}
	return at < len ? at : len;
}

/* The next item of the answer's array, from call->at on; NULL: there is none, or no memory. */
static cJSON *next_item(struct control_call *call)
{
	if (call->at == 0) {
		const char *open = memchr(call->json, '[', call->json_len);
		call->at = open != NULL ? (size_t)(open + 1 - call->json) : call->json_len;
	}
	while (call->at < call->json_len && (call->json[call->at] == ',' || call->json[call->at] == ' '))
		call->at++;
	size_t len = value_end(call->json + call->at, call->json_len - call->at);
	if (len == 0)
		return NULL;
	cJSON *item = cJSON_ParseWithLength(call->json + call->at, len);
	call->starved = call->starved || item == NULL;
	call->at += len;
	return item;
}

/* ---- one list: of names or of values ---- */

enum { PHASE_LIVE, PHASE_ASK, PHASE_STORED };

struct listing {
	const char *key; /* of the array in the answer */
	enum history_kind kind;
	cJSON *(*live)(struct control_call *call, const struct series *series);
};

/* "all of the filter": topics outside the page are only counted. */
static bool is_in_page(struct control_call *call)
{
	return call->passed++ >= control_whole(call, "offset", 0);
}

static bool is_page_full(const struct control_call *call)
{
	return call->passed >= control_whole(call, "offset", 0) + control_count(call);
}

static bool is_asked_for(const struct control_call *call, struct slice topic)
{
	struct slice filter = control_text(call, "filter");
	return (filter.ptr == NULL || topic_matches(filter, topic)) && control_may_read(call, topic);
}

static const struct series *live_series(const struct control_call *call, struct slice topic)
{
	const struct series *series = series_find(intake_feed(call->control->options.intake)->series, topic);
	return series != NULL && series->latest.known ? series : NULL;
}

static enum control_outcome list_live(struct control_call *call, const struct listing *listing)
{
	const struct series_table *table = intake_feed(call->control->options.intake)->series;
	cJSON *list = control_array(call, listing->key);

	for (; call->at < series_count(table) && !is_page_full(call); call->at++) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		const struct series *series = series_at(table, call->at);
		control_work(call, CONTROL_WORK_LOOK);
		if (series->latest.known && is_asked_for(call, (struct slice){series->name, series->name_len}) &&
		    is_in_page(call))
			control_append(call, list, listing->live(call, series));
	}
	return CONTROL_DONE;
}

/* The topic of an item: of a list of names, or of values. */
static const char *item_topic(const cJSON *item)
{
	return cJSON_GetStringValue(cJSON_IsString(item) ? item : cJSON_GetObjectItemCaseSensitive(item, "topic"));
}

static enum control_outcome list_stored(struct control_call *call, const struct listing *listing)
{
	cJSON *list = control_array(call, listing->key), *item;

	while (!is_page_full(call)) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		if ((item = next_item(call)) == NULL)
			break;
		control_work(call, 2 * CONTROL_WORK_LOOK);
		const char *name = item_topic(item);
		if (name != NULL && is_asked_for(call, slice_of(name)) && live_series(call, slice_of(name)) == NULL &&
		    is_in_page(call))
			control_append(call, list, item);
		else
			cJSON_Delete(item);
	}
	return CONTROL_DONE;
}

static enum control_outcome list_all(struct control_call *call, const struct listing *listing)
{
	enum control_outcome outcome = CONTROL_DONE;

	if (call->phase == PHASE_LIVE && (outcome = list_live(call, listing)) == CONTROL_DONE) {
		call->phase = PHASE_ASK;
		call->at = 0;
	}
	if (call->phase == PHASE_ASK && !is_page_full(call)) {
		outcome = ask(call, &(struct history_question){.kind = listing->kind});
		if (outcome == CONTROL_DONE)
			call->phase = PHASE_STORED;
	}
	if (call->phase == PHASE_STORED && call->json == NULL)
		control_put(call, control_data(call), "incomplete", cJSON_CreateString(call->error));
	else if (call->phase == PHASE_STORED)
		outcome = list_stored(call, listing);
	if (outcome == CONTROL_DONE && is_page_full(call))
		control_put_number(call, control_data(call), "next", (double)call->passed);
	return outcome;
}

static bool filter_check(struct control_call *call)
{
	struct slice filter = control_text(call, "filter");
	if (filter.ptr == NULL || (filter.len <= FILTER_MAX && topic_filter_valid(filter)))
		return true;
	control_refuse(call, "filter: found \"%.*s\"; wanted an MQTT filter", CONTROL_SHOWN(filter));
	return false;
}

static cJSON *live_name(struct control_call *call, const struct series *series)
{
	(void)call;
	return cJSON_CreateString(series->name);
}

enum control_outcome control_list_series(struct control_call *call)
{
	static const struct listing listing = {"series", HISTORY_SERIES, live_name};
	return filter_check(call) ? list_all(call, &listing) : CONTROL_REFUSED;
}

/* ---- latest values ---- */

/* As the history thread writes it, and how old it is: {"topic":…,"time":…,"value":…,"text":…,"age":…} */
static cJSON *live_value(struct control_call *call, const struct series *series)
{
	const struct latest *latest = &series->latest;
	char time[TIME_TEXT_MAX];
	cJSON *item = cJSON_CreateObject();

	control_put(call, item, "topic", cJSON_CreateString(series->name));
	control_put(call, item, "time", cJSON_CreateString(time_print(latest->time_us, time)));
	control_put(call, item, "value",
	            latest->value.is_number ? cJSON_CreateNumber(latest->value.number) : cJSON_CreateNull());
	if (latest->value.text.len > 0 || !latest->value.is_number)
		control_put_text(call, item, "text", latest->value.text);
	control_put_number(call, item, "age", (double)(call->now.mono_ms - latest->received_ms) / 1000);
	control_work(call, CONTROL_WORK_CALL / 4);
	return item;
}

static enum control_outcome latest_of_topic(struct control_call *call, struct slice name)
{
	struct history_question question = {.kind = HISTORY_LATEST};
	struct topic topic;

	if (name.len > TOPIC_MAX || !topic_parse(name, &topic))
		return control_refuse(call, "topic: found \"%.*s\"; wanted LOCATION/DEVICE/SENSOR/SUBJECT",
		                      CONTROL_SHOWN(name));
	if (!control_may_read(call, name))
		return control_forbid(call, "reading %.*s", CONTROL_SHOWN(name));
	const struct series *series = live_series(call, name);
	if (series != NULL) {
		control_append(call, control_array(call, "latest"), live_value(call, series));
		return CONTROL_DONE;
	}
	memcpy(question.topic, name.ptr, name.len);
	enum control_outcome outcome = ask(call, &question);
	if (outcome == CONTROL_DONE && call->json == NULL)
		return CONTROL_REFUSED;
	if (outcome == CONTROL_DONE)
		call->data = cJSON_CreateRaw(call->json);
	call->starved = call->starved || (outcome == CONTROL_DONE && call->data == NULL);
	return outcome;
}

enum control_outcome control_get_latest(struct control_call *call)
{
	static const struct listing listing = {"latest", HISTORY_LATEST, live_value};
	struct slice topic = control_text(call, "topic");

	if (topic.ptr != NULL && control_key(call, "filter") != NULL)
		return control_refuse(call, "topic, filter: found both; wanted one of them");
	if (topic.ptr != NULL)
		return latest_of_topic(call, topic);
	return filter_check(call) ? list_all(call, &listing) : CONTROL_REFUSED;
}

/* ---- history ---- */

#define SECONDS_MAX 253402300799.0 /* 9999-12-31T23:59:59Z */

/* "-24h": so long before now. */
static bool read_relative(struct slice text, int64_t now_us, int64_t *out)
{
	static const struct {
		char unit;
		double seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'y', 31557600}};
	double number;

	if (text.ptr == NULL || text.len < 3 || text.ptr[0] != '-' ||
	    !number_parse((struct slice){text.ptr + 1, text.len - 2}, &number))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		double seconds = number * units[i].seconds;
		if (units[i].unit == text.ptr[text.len - 1] && seconds >= 0 && seconds <= SECONDS_MAX) {
			*out = now_us - (int64_t)(seconds * 1e6);
			return true;
		}
	}
	return false;
}

static bool read_time(struct control_call *call, const char *key, int64_t *out)
{
	const cJSON *item = control_key(call, key);
	struct slice text = control_text(call, key);
	double seconds = 0;
	bool number = cJSON_IsNumber(item) || (text.ptr != NULL && number_parse(text, &seconds));

	if (item == NULL || slice_is(text, "now")) {
		*out = call->now.wall_us;
		return true;
	}
	if (cJSON_IsNumber(item))
		seconds = item->valuedouble;
	if (number && seconds >= 0 && seconds <= SECONDS_MAX) {
		*out = (int64_t)(seconds * 1e6 + 0.5);
		return true;
	}
	if (!number && (time_parse(text, out) || read_relative(text, call->now.wall_us, out)))
		return true;
	control_refuse(call, "%s: found %.40s; wanted ISO-8601, seconds since 1970, now, or such as -24h (s m h d w y)",
	               key, text.ptr != NULL ? text.ptr : "another number");
	return false;
}

enum control_outcome control_get_history(struct control_call *call)
{
	struct history_question question = {.kind = HISTORY_RANGE};
	struct slice name = control_text(call, "topic");
	size_t buckets = control_whole(call, "buckets", 0);
	struct topic topic;

	if (name.len > TOPIC_MAX || !topic_parse(name, &topic))
		return control_refuse(call, "topic: found \"%.*s\"; wanted LOCATION/DEVICE/SENSOR/SUBJECT",
		                      CONTROL_SHOWN(name));
	if (!control_may_read(call, name))
		return control_forbid(call, "reading %.*s", CONTROL_SHOWN(name));
	if (buckets > HISTORY_BUCKETS_MAX)
		return control_refuse(call, "buckets: found %zu; wanted at most %d", buckets, HISTORY_BUCKETS_MAX);
	if (!read_time(call, "from", &question.from_us) || !read_time(call, "to", &question.to_us))
		return CONTROL_REFUSED;
	question.buckets = (unsigned)buckets;
	memcpy(question.topic, name.ptr, name.len);
	enum control_outcome outcome = ask(call, &question);
	if (outcome != CONTROL_DONE)
		return outcome;
	if (call->json == NULL)
		return CONTROL_REFUSED;
	if (call->json_len > CONTROL_ANSWER_MAX)
		return control_refuse(call, "the answer has more than 8 MiB: ask for less");
	call->data = cJSON_CreateRaw(call->json);
	call->starved = call->data == NULL;
	return CONTROL_DONE;
}
