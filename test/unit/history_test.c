/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history: how the thread behaves when questions are nonsense or too many, when nobody asks, and when the store goes away,
 * with a store that does what it is told.
 */
#include "history_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* ---- the store ---- */

static struct {
	atomic_int opens, closes, reads;
	atomic_int refuse_opens, fail_reads; /* so many more */
	atomic_int result;                   /* what a read fails with */
	atomic_uint attempt;                 /* of the last open */
	atomic_bool gated;                   /* each read waits at the gate */
	sem_t gate;
	int64_t rows;
	struct value value;
} fake;

static void fake_reset(void)
{
	atomic_store(&fake.opens, 0);
	atomic_store(&fake.closes, 0);
	atomic_store(&fake.reads, 0);
	atomic_store(&fake.refuse_opens, 0);
	atomic_store(&fake.fail_reads, 0);
	atomic_store(&fake.result, STORE_AWAY);
	atomic_store(&fake.gated, false);
	fake.rows = 3;
	fake.value = value_of_number(23.5);
}

static enum store_result fake_open(const struct store_place *place, struct store **out, char *error, size_t error_size)
{
	static char memory;

	*out = NULL;
	atomic_fetch_add(&fake.opens, 1);
	atomic_store(&fake.attempt, place->attempt);
	if (atomic_load(&fake.refuse_opens) > 0) {
		atomic_fetch_sub(&fake.refuse_opens, 1);
		snprintf(error, error_size, "refused\xEA\xB1"); /* and half a character */
		return STORE_AWAY;
	}
	*out = (struct store *)(void *)&memory;
	return STORE_OK;
}

static void fake_close(struct store *store)
{
	if (store)
		atomic_fetch_add(&fake.closes, 1);
}

static const char *fake_error(const struct store *store)
{
	assert_non_null(store);
	return "made to fail";
}

static enum store_result fake_readings(struct store *store, const struct topic *topic, struct store_span span,
                                       size_t limit, store_reading_callback callback, void *context)
{
	(void)store, (void)topic;
	atomic_fetch_add(&fake.reads, 1);
	if (atomic_load(&fake.gated))
		while (sem_wait(&fake.gate) != 0)
			;
	int64_t rows = fake.rows;
	bool fails = atomic_load(&fake.fail_reads) > 0;
	if (fails) {
		atomic_fetch_sub(&fake.fail_reads, 1);
		rows = rows / 2 + 1;
	}
	for (int64_t i = 0; i < rows && (size_t)i < limit; i++) {
		const struct store_row row = {.time_us = span.from_us + i, .value = fake.value};
		if (!callback(context, slice_of("a/b/c/value"), &row))
			return STORE_OK;
	}
	return fails ? (enum store_result)atomic_load(&fake.result) : STORE_OK;
}

static const struct store_ops fake_ops = {
	.scheme = "fake",
	.open_to_read = fake_open,
	.close = fake_close,
	.error = fake_error,
	.readings = fake_readings,
};

static int start_on_fake(void **state)
{
	(void)state;
	const struct history_options options = {.ops = &fake_ops, .idle_ms = 0};
	fake_reset();
	sem_init(&fake.gate, 0, 0);
	history = history_start(&options);
	return history ? 0 : -1;
}

static int stop_on_fake(void **state)
{
	atomic_store(&fake.gated, false); /* a test that failed may have left one at the gate */
	sem_post(&fake.gate);
	stop_history(state);
	sem_destroy(&fake.gate);
	return atomic_load(&fake.opens) >= atomic_load(&fake.closes) ? 0 : -1;
}

static struct history_question ask_fake(void)
{
	return range_of("a/b/c/value", NOON, NOON + SECOND, 0);
}

static int rows_of(cJSON *json)
{
	int count = cJSON_GetArraySize(cJSON_GetObjectItem(json, "readings"));
	cJSON_Delete(json);
	return count;
}

static void test_nonsense(void **state)
{
	(void)state;
	static const char *const topics[] = {
		"",           "a",           "a/b/c", "a/b/c/d",      "a/b/c/value/",  "/b/c/value",
		"a//c/value", "a/+/c/value", "#",     "$a/b/c/value", "a/b\n/c/value", "a/\xff/c/value"};
	struct history_question question;

	for (size_t i = 0; i < COUNT(topics); i++) {
		assert_non_null(strstr(ask_error(range_of(topics[i], 0, 1, 0)), "location/device/sensor/subject"));
		if (i > 0)
			assert_non_null(strstr(ask_error(latest_of(topics[i])), "location/device/sensor/subject"));
	}
	assert_non_null(strstr(ask_error(range_of("a/b/c/value", 1, 1, 0)), "later"));
	assert_non_null(strstr(ask_error(range_of("a/b/c/value", INT64_MAX, INT64_MIN, 10)), "later"));
	assert_non_null(strstr(ask_error(range_of("a/b/c/value", 0, 1, HISTORY_BUCKETS_MAX + 1)), "10000"));
	assert_non_null(strstr(ask_error(range_of("a/b/c/value", 0, 1, UINT32_MAX)), "10000"));

	memset(&question, 'a', sizeof question); /* a topic without an end */
	question.kind = HISTORY_LATEST;
	assert_non_null(strstr(ask_error(question), "location/device/sensor/subject"));
	question.kind = (enum history_kind)99;
	assert_non_null(strstr(ask_error(question), "unknown question"));
	assert_int_equal(atomic_load(&fake.opens), 0);

	/* The longest there is. */
	question = ask_fake();
	memset(question.topic, 'a', TOPIC_MAX);
	memcpy(question.topic + TOPIC_MAX - strlen("/b/c/value"), "/b/c/value", strlen("/b/c/value"));
	assert_int_equal(rows_of(ask_json(question)), 3);
}

/* The first 10,000, and whether there are more. */
static void test_more(void **state)
{
	(void)state;
	for (int64_t more = 0; more < 2; more++) {
		fake.rows = HISTORY_READINGS_MAX + more;
		cJSON *json = ask_json(ask_fake());
		assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(json, "more")), more);
		assert_int_equal(rows_of(json), HISTORY_READINGS_MAX);
	}
}

static void test_too_long(void **state)
{
	(void)state;
	static char text[VALUE_TEXT_MAX];

	memset(text, 1, sizeof text); /* six bytes each */
	fake.value = (struct value){.text = {text, sizeof text}};
	fake.rows = HISTORY_READINGS_MAX;
	assert_non_null(strstr(ask_error(ask_fake()), "16 MiB"));
	assert_int_equal(atomic_load(&fake.reads), 1); /* that is no reason to ask once more */
	assert_int_equal(atomic_load(&fake.closes), 0);
	fake.rows = 600;
	assert_int_equal(rows_of(ask_json(ask_fake())), 600);
}

static void await(atomic_int *counter, int wanted)
{
	const int64_t deadline = deadline_in(PATIENCE_MS);
	while (atomic_load(counter) < wanted) {
		if (now_ms() > deadline)
			fail_msg("%d of %d", atomic_load(counter), wanted);
		look_again();
	}
}

static void test_full(void **state)
{
	(void)state;
	struct history_question question = ask_fake();
	struct history_answer answer;

	atomic_store(&fake.gated, true);
	for (int round = 0; round < 3; round++) {
		uint64_t asked = 0;
		for (question.ticket = 1; history_ask(history, &question); question.ticket++) {
			asked++;
			await(&fake.reads, round * HISTORY_PENDING_MAX + 1); /* it is not in its mailbox any more, and counts */
		}
		assert_int_equal(asked, HISTORY_PENDING_MAX);
		assert_false(history_next(history, &answer));
		for (uint64_t i = 1; i <= asked; i++)
			sem_post(&fake.gate);
		await(&fake.reads, (round + 1) * HISTORY_PENDING_MAX);
		for (uint64_t i = 1; i <= asked; i++) {
			assert_true(next_within(&answer));
			assert_int_equal(answer.ticket, i);
			free(answer.json);
		}
		assert_false(history_next(history, &answer));
	}
}

/* Answers that nobody fetches are freed, which a sanitizer sees. */
static void test_not_fetched(void **state)
{
	(void)state;
	const struct history_question question = ask_fake();
	for (int i = 0; i < 10; i++)
		assert_true(history_ask(history, &question));
	await(&fake.reads, 10);
}

static void *open_gate(void *argument)
{
	(void)argument;
	usleep(50000); /* time for history_stop to be reached; if it is not, there is nothing to see, and nothing fails */
	sem_post(&fake.gate);
	return NULL;
}

static void test_stop_at_work(void **state)
{
	(void)state;
	const struct history_question question = ask_fake();
	pthread_t thread;

	atomic_store(&fake.gated, true);
	for (int i = 0; i < 10; i++)
		assert_true(history_ask(history, &question));
	await(&fake.reads, 1);
	assert_int_equal(pthread_create(&thread, NULL, open_gate, NULL), 0);
	history_stop(history);
	history = NULL;
	pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&fake.reads), 1); /* what waited was dropped */
	assert_int_equal(atomic_load(&fake.closes), 1);
}

static void test_stop_at_once(void **state)
{
	(void)state;
	history_stop(NULL);
	for (int i = 0; i < 100; i++) {
		const struct history_question question = ask_fake();
		stop_history(NULL);
		const struct history_options options = {.ops = &fake_ops};
		start_with(&options);
		if (i % 2)
			assert_true(history_ask(history, &question));
	}
}

static void test_away_once(void **state)
{
	(void)state;
	static const enum store_result results[] = {STORE_AWAY, STORE_MOVED};
	for (size_t i = 0; i < COUNT(results); i++) {
		atomic_store(&fake.result, (int)results[i]);
		atomic_store(&fake.fail_reads, 1);
		fake.rows = HISTORY_READINGS_MAX;
		unsigned attempt = atomic_load(&fake.attempt);
		cJSON *json = ask_json(ask_fake()); /* what came before the failure is neither there twice nor counted */
		assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "more")));
		assert_int_equal(rows_of(json), HISTORY_READINGS_MAX);
		assert_int_equal(atomic_load(&fake.attempt), attempt + 1);
	}
	assert_int_equal(atomic_load(&fake.opens), 3);
	assert_int_equal(atomic_load(&fake.closes), 2);
}

static void test_away_twice(void **state)
{
	(void)state;
	atomic_store(&fake.fail_reads, 2);
	assert_string_equal(ask_error(ask_fake()), "made to fail");
	assert_int_equal(atomic_load(&fake.reads), 2);
	assert_int_equal(rows_of(ask_json(ask_fake())), 3);
	assert_int_equal(atomic_load(&fake.opens), 3);
}

/* What takes too long would take so once more. */
static void test_never(void **state)
{
	(void)state;
	atomic_store(&fake.result, STORE_NEVER);
	atomic_store(&fake.fail_reads, 1);
	assert_string_equal(ask_error(ask_fake()), "made to fail");
	assert_int_equal(atomic_load(&fake.reads), 1);
	assert_int_equal(rows_of(ask_json(ask_fake())), 3);
}

/* A store that cannot be opened is tried once a second, and each question gets its answer at once. */
static void test_refused(void **state)
{
	(void)state;
	const int64_t begin = now_ms();
	int refused = 0;

	atomic_store(&fake.refuse_opens, 2);
	struct history_answer answer = ask(ask_fake());
	for (; !answer.json && now_ms() < begin + PATIENCE_MS; refused++) {
		assert_string_equal(answer.error, "refused");
		answer = ask(ask_fake());
	}
	assert_non_null(answer.json);
	free(answer.json);
	assert_int_equal(atomic_load(&fake.opens), 3);
	assert_true(refused >= 3 && now_ms() - begin >= 2000);
	assert_int_equal(atomic_load(&fake.attempt), 2);
}

static void test_idle(void **state)
{
	(void)state;
	const struct history_options options = {.ops = &fake_ops, .idle_ms = 20};

	stop_history(NULL);
	start_with(&options);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(rows_of(ask_json(ask_fake())), 3);
		await(&fake.closes, i);
	}
	assert_int_equal(atomic_load(&fake.opens), 3);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start_on_fake, stop_on_fake)
	const struct CMUnitTest tests[] = {
		TEST(test_nonsense),    TEST(test_more),         TEST(test_too_long),     TEST(test_full),
		TEST(test_not_fetched), TEST(test_stop_at_work), TEST(test_stop_at_once), TEST(test_away_once),
		TEST(test_away_twice),  TEST(test_never),        TEST(test_refused),      TEST(test_idle),
	};
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
