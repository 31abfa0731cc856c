/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history: see history.h.
 *
 * The thread sleeps on a semaphore that counts the questions: posting it never waits. Every question finds room for its
 * answer, for no more of them are taken than the mailbox of the answers holds.
 *
 * A connection that broke is opened anew, on the next host, and the question asked once more: a server that was restarted
 * since the last one is not worth an error. One that cannot be opened is left alone for a moment, and what was asked
 * meanwhile answered with the same error: a page of twenty charts would else wait for twenty time-outs.
 */
#include "history.h"

#include "history_json.h"
#include "history_plan.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_MS  60000
#define AGAIN_MS 1000 /* a store that could not be opened is tried again */

struct history {
	struct history_options options;
	struct mailbox *questions, *answers;
	unsigned pending; /* asked and not fetched; the asking thread's */
	atomic_bool stopping;
	sem_t wake; /* one for each question, and one to stop */
	pthread_t thread;

	/* The thread's own. */
	struct store *store; /* NULL: closed */
	int64_t closed_until_ms;
	char refusal[512]; /* why, until then */
};

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- what the store gives, as JSON ---- */

/* What the callbacks write to. */
struct writing {
	struct history_json json;
	size_t count;
	bool more;
};

static bool write_series(void *context, struct slice topic)
{
	struct writing *writing = context;

	history_json_item(&writing->json, "");
	history_json_text(&writing->json, topic);
	return history_json_good(&writing->json);
}

static void write_value(struct history_json *json, const struct value *value, const char *before_text)
{
	if (value->is_number)
		history_json_number(json, value->number);
	else
		history_json_add(json, "null");
	if (value->is_number && value->text.len == 0)
		return;
	history_json_add(json, before_text);
	history_json_text(json, value->text);
}

static bool write_latest(void *context, struct slice topic, const struct store_row *row)
{
	const int64_t time_us = row->time_us;
	const struct value *value = &row->value;
	struct writing *writing = context;
	char time[TIME_TEXT_MAX];

	history_json_item(&writing->json, "{\"topic\":");
	history_json_text(&writing->json, topic);
	history_json_add(&writing->json, ",\"time\":");
	history_json_text(&writing->json, slice_of(time_print(time_us, time)));
	history_json_add(&writing->json, ",\"value\":");
	write_value(&writing->json, value, ",\"text\":");
	history_json_add(&writing->json, "}");
	return history_json_good(&writing->json);
}

static bool write_reading(void *context, struct slice topic, const struct store_row *row)
{
	const int64_t time_us = row->time_us;
	const struct value *value = &row->value;
	struct writing *writing = context;

	(void)topic;
	if (writing->count == HISTORY_READINGS_MAX) {
		writing->more = true;
		return false;
	}
	writing->count++;
	history_json_item(&writing->json, "[");
	history_json_seconds(&writing->json, time_us);
	history_json_add(&writing->json, ",");
	write_value(&writing->json, value, ",");
	history_json_add(&writing->json, "]");
	return history_json_good(&writing->json);
}

static bool write_bucket(void *context, const struct store_bucket *bucket)
{
	struct writing *writing = context;

	history_json_item(&writing->json, "[");
	history_json_seconds(&writing->json, bucket->time_us);
	const double numbers[] = {bucket->min, bucket->avg, bucket->max, (double)bucket->count};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		history_json_add(&writing->json, ",");
		history_json_number(&writing->json, numbers[i]);
	}
	history_json_add(&writing->json, "]");
	return history_json_good(&writing->json);
}

/* ---- questions ---- */

/* What is wrong with a question; NULL: nothing, and *topic is set where one was named. */
static const char *fault_of(const struct history_question *question, struct topic *topic)
{
	const size_t len = strnlen(question->topic, sizeof question->topic);
	const bool named = question->kind == HISTORY_RANGE || (question->kind == HISTORY_LATEST && len > 0);

	if (question->kind != HISTORY_SERIES && question->kind != HISTORY_LATEST && question->kind != HISTORY_RANGE)
		return "unknown question: wanted series, latest or range";
	if (named && !topic_parse((struct slice){question->topic, len}, topic))
		return "topic: wanted location/device/sensor/subject";
	if (question->kind == HISTORY_RANGE && question->to_us <= question->from_us)
		return "range: wanted an end that is later than its begin";
	if (question->kind == HISTORY_RANGE && question->buckets > HISTORY_BUCKETS_MAX)
		return "buckets: wanted at most 10000";
	return NULL;
}

static enum store_result read_readings(struct history *history, const struct history_question *question,
                                       const struct topic *topic, struct writing *writing)
{
	const struct store_span span = {question->from_us, question->to_us};

	history_json_add(&writing->json, ",\"source\":\"raw\",\"readings\":[");
	enum store_result result =
		history->options.ops->readings(history->store, topic, span, HISTORY_READINGS_MAX + 1, write_reading, writing);
	history_json_add(&writing->json, writing->more ? "],\"more\":true}" : "],\"more\":false}");
	return result;
}

static enum store_result read_buckets(struct history *history, const struct history_question *question,
                                      const struct topic *topic, struct writing *writing)
{
	static const char *const names[] = {[STORE_RAW] = "raw", [STORE_MINUTE] = "minute", [STORE_HOUR] = "hour"};
	const struct store_keep keep = {wall_us(), history->options.keep_raw_days, history->options.keep_minute_days};
	const struct store_span span = {question->from_us, question->to_us};
	const struct history_plan plan = history_plan(span, question->buckets, &keep);

	history_json_add(&writing->json, ",\"source\":");
	history_json_text(&writing->json, slice_of(names[plan.source]));
	history_json_add(&writing->json, ",\"step\":");
	history_json_seconds(&writing->json, plan.step_us);
	history_json_add(&writing->json, ",\"buckets\":[");
	enum store_result result = history->options.ops->buckets(history->store, topic, plan.source, plan.span,
	                                                         plan.step_us, write_bucket, writing);
	history_json_add(&writing->json, "]}");
	return result;
}

/* Reads from the store that is open. */
static enum store_result read_answer(struct history *history, const struct history_question *question,
                                     const struct topic *topic, struct writing *writing)
{
	const struct store_ops *ops = history->options.ops;
	enum store_result result;

	history_json_clear(&writing->json);
	writing->count = 0;
	writing->more = false;
	switch (question->kind) {
	case HISTORY_SERIES:
		history_json_add(&writing->json, "{\"series\":[");
		result = ops->list(history->store, write_series, writing);
		history_json_add(&writing->json, "]}");
		return result;
	case HISTORY_LATEST:
		history_json_add(&writing->json, "{\"latest\":[");
		result = ops->latest(history->store, question->topic[0] ? topic : NULL, write_latest, writing);
		history_json_add(&writing->json, "]}");
		return result;
	default:
		history_json_add(&writing->json, "{\"topic\":");
		history_json_text(&writing->json, slice_of(question->topic));
		return question->buckets > 0 ? read_buckets(history, question, topic, writing)
		                             : read_readings(history, question, topic, writing);
	}
}

/* ---- the connection ---- */

static void close_store(struct history *history)
{
	history->options.ops->close(history->store);
	history->store = NULL;
}

static bool open_store(struct history *history)
{
	struct history_options *options = &history->options;

	if (history->store)
		return true;
	if (monotonic_ms() < history->closed_until_ms)
		return false;
	if (options->ops->open_to_read(&options->place, &history->store, history->refusal, sizeof history->refusal) ==
	    STORE_OK)
		return true;
	history->store = NULL;
	history->closed_until_ms = monotonic_ms() + AGAIN_MS;
	options->place.attempt++;
	return false;
}

/* Asks the store, opened for it if need be. False: error says why. */
static bool ask_store(struct history *history, const struct history_question *question, const struct topic *topic,
                      struct writing *writing, char *error, size_t error_size)
{
	for (bool again = true;; again = false) {
		if (!open_store(history)) {
			snprintf(error, error_size, "%s", history->refusal);
			return false;
		}
		enum store_result result = read_answer(history, question, topic, writing);
		if (result == STORE_OK)
			break;
		snprintf(error, error_size, "%s", history->options.ops->error(history->store));
		close_store(history);
		if (result == STORE_NEVER || !again)
			return false;
		history->options.place.attempt++;
	}
	if (writing->json.too_long)
		snprintf(error, error_size, "the answer is longer than 16 MiB: ask for a shorter time");
	else if (writing->json.no_memory)
		snprintf(error, error_size, "out of memory");
	return history_json_good(&writing->json);
}

/* Cuts a line where its characters are no longer whole. */
static void cut_line(char *line)
{
	size_t len = strlen(line);
	while (!utf8_valid((struct slice){line, len}))
		len--;
	line[len] = '\0';
}

static void answer_question(struct history *history, const struct history_question *question)
{
	struct history_answer answer = {.ticket = question->ticket};
	struct writing writing = {.count = 0};
	struct topic topic;

	const char *fault = fault_of(question, &topic);
	if (fault)
		snprintf(answer.error, sizeof answer.error, "%s", fault);
	if (!fault && ask_store(history, question, &topic, &writing, answer.error, sizeof answer.error)) {
		answer.json = writing.json.text;
		answer.len = writing.json.len;
		answer.error[0] = '\0';
	} else {
		free(writing.json.text);
		cut_line(answer.error);
	}
	mailbox_put(history->answers, &answer);
}

/* ---- the thread ---- */

/* Waits for a question or the end. False: there was neither for so long that the store is not to stay open. */
static bool wait_to_be_asked(struct history *history)
{
	const int64_t until_ms = monotonic_ms() + history->options.idle_ms;
	const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
	int code;

	do
		code = history->store ? sem_clockwait(&history->wake, CLOCK_MONOTONIC, &until) : sem_wait(&history->wake);
	while (code != 0 && errno == EINTR);
	return code == 0;
}

static void *history_main(void *argument)
{
	struct history *history = argument;
	struct history_question question;

	while (!atomic_load(&history->stopping)) {
		if (!wait_to_be_asked(history))
			close_store(history);
		else if (mailbox_get(history->questions, &question))
			answer_question(history, &question);
	}
	close_store(history);
	return NULL;
}

/* ---- start and stop ---- */

static void history_free(struct history *history)
{
	struct history_answer answer;

	while (history->answers && mailbox_get(history->answers, &answer))
		free(answer.json);
	mailbox_free(history->answers);
	mailbox_free(history->questions);
	sem_destroy(&history->wake);
	free(history);
}

struct history *history_start(const struct history_options *options)
{
	sigset_t all, before;
	struct history *history = calloc(1, sizeof *history);
	if (!history)
		return NULL;

	history->options = *options;
	if (history->options.idle_ms <= 0)
		history->options.idle_ms = IDLE_MS;
	atomic_init(&history->stopping, false);
	sem_init(&history->wake, 0, 0);
	history->questions = mailbox_new(sizeof(struct history_question), HISTORY_PENDING_MAX);
	history->answers = mailbox_new(sizeof(struct history_answer), HISTORY_PENDING_MAX);
	if (!history->questions || !history->answers)
		goto fail;

	sigfillset(&all); /* signals are the broker's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&history->thread, NULL, history_main, history);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0)
		return history;

fail:
	history_free(history);
	return NULL;
}

void history_stop(struct history *history)
{
	if (!history)
		return;
	atomic_store(&history->stopping, true);
	sem_post(&history->wake);
	pthread_join(history->thread, NULL);
	history_free(history);
}

/* ---- the asking thread's ---- */

bool history_ask(struct history *history, const struct history_question *question)
{
	if (history->pending == HISTORY_PENDING_MAX || !mailbox_put(history->questions, question))
		return false;
	history->pending++;
	sem_post(&history->wake);
	return true;
}

bool history_next(struct history *history, struct history_answer *out)
{
	if (!mailbox_get(history->answers, out))
		return false;
	history->pending--;
	return true;
}
