/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_fixture: one history thread, questions to it, and its answers awaited.
 */
#ifndef HEARTH_TEST_HISTORY_FIXTURE_H
#define HEARTH_TEST_HISTORY_FIXTURE_H

#include "history.h"
#include "patience.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOON         INT64_C(1795348800000000) /* 2026-11-22T12:00:00Z */
#define SECOND       INT64_C(1000000)
#define PATIENCE_MS  30000

static struct history *history;

static inline bool next_within(struct history_answer *answer)
{
	const int64_t deadline = deadline_in(PATIENCE_MS);
	while (!history_next(history, answer)) {
		if (now_ms() > deadline)
			return false;
		look_again();
	}
	return true;
}

static inline struct history_answer ask(struct history_question question)
{
	static uint64_t ticket;
	struct history_answer answer;

	question.ticket = ++ticket;
	assert_true(history_ask(history, &question));
	assert_true(next_within(&answer));
	assert_int_equal(answer.ticket, question.ticket);
	return answer;
}

/* The answer as cJSON has it. */
static inline cJSON *ask_json(struct history_question question)
{
	struct history_answer answer = ask(question);

	if (!answer.json)
		fail_msg("%s", answer.error);
	assert_int_equal(strlen(answer.json), answer.len);
	cJSON *json = cJSON_ParseWithLength(answer.json, answer.len);
	assert_non_null(json);
	free(answer.json);
	return json;
}

/* What it fails with. */
static inline const char *ask_error(struct history_question question)
{
	static struct history_answer answer;

	answer = ask(question);
	if (answer.json)
		fail_msg("answered: %.100s", answer.json);
	assert_int_not_equal(answer.error[0], '\0');
	return answer.error;
}

static inline struct history_question latest_of(const char *topic)
{
	struct history_question question = {.kind = HISTORY_LATEST};
	strncat(question.topic, topic, TOPIC_MAX);
	return question;
}

static inline struct history_question range_of(const char *topic, int64_t from_us, int64_t to_us, unsigned buckets)
{
	struct history_question question = {.kind = HISTORY_RANGE, .from_us = from_us, .to_us = to_us, .buckets = buckets};
	strncat(question.topic, topic, TOPIC_MAX);
	return question;
}

static inline void start_with(const struct history_options *options)
{
	history = history_start(options);
	assert_non_null(history);
}

static inline int stop_history(void **state)
{
	(void)state;
	history_stop(history);
	history = NULL;
	return 0;
}

#endif
