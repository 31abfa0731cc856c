/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_plan: which source and which steps some questions get, and what must hold for any question at all.
 */
#include "history_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOON         INT64_C(1795348800000000) /* 2026-11-22T12:00:00Z */
#define SECOND       INT64_C(1000000)
#define MINUTE       STORE_MINUTE_US
#define HOUR         STORE_HOUR_US
#define DAY          (24 * HOUR)
#define YEAR_0       INT64_C(-62167219200000000)
#define YEAR_10000   INT64_C(253402300800000000)

static const struct store_keep usual = {.now_us = NOON, .raw_days = 400, .minute_days = 30};

static void test_cases(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		int64_t from_us, to_us;
		unsigned buckets;
		enum store_source source;
		struct store_keep keep;
		int64_t step_us, begin_us;
	} cases[] = {
		{"a day", NOON - DAY, NOON, 300, STORE_MINUTE, {NOON, 400, 30}, 5 * MINUTE, NOON - DAY},
		{"a day that begins between",
	     NOON - DAY + 1,
	     NOON + 1,
	     288,
	     STORE_MINUTE,
	     {NOON, 400, 30},
	     6 * MINUTE,
	     NOON - DAY},
		{"an hour", NOON - HOUR, NOON, 300, STORE_RAW, {NOON, 400, 30}, 12 * SECOND, NOON - HOUR},
		{"just a minute wide", NOON - HOUR, NOON, 60, STORE_MINUTE, {NOON, 400, 30}, MINUTE, NOON - HOUR},
		{"a bit below", NOON - HOUR, NOON, 61, STORE_RAW, {NOON, 400, 30}, 59985 * SECOND / 1000, 0},
		{"a month in hours", NOON - 29 * DAY, NOON, 696, STORE_HOUR, {NOON, 400, 30}, HOUR, NOON - 29 * DAY},
		{"a month, finer", NOON - 29 * DAY, NOON, 697, STORE_MINUTE, {NOON, 400, 30}, HOUR, NOON - 29 * DAY},
		{"a year in hours", NOON - 365 * DAY, NOON, 10000, STORE_HOUR, {NOON, 400, 30}, HOUR, NOON - 365 * DAY},
		{"a year", NOON - 365 * DAY, NOON, 365, STORE_HOUR, {NOON, 400, 30}, 25 * HOUR, 0},
		{"minutes just kept", NOON - 30 * DAY, NOON - 29 * DAY, 300, STORE_MINUTE, {NOON, 400, 30}, 5 * MINUTE, 0},
		{"minutes just gone", NOON - 30 * DAY - 1, NOON - 29 * DAY, 300, STORE_RAW, {NOON, 400, 30}, 0, 0},
		{"two days without minutes", NOON - 60 * DAY, NOON - 58 * DAY, 300, STORE_RAW, {NOON, 400, 30}, 0, 0},
		{"more without minutes", NOON - 60 * DAY, NOON - 58 * DAY + 1, 300, STORE_HOUR, {NOON, 400, 30}, HOUR, 0},
		{"minutes for ever", NOON - 99 * DAY, NOON - 90 * DAY, 300, STORE_MINUTE, {NOON, 400, 0}, 0, 0},
		{"an hour with raw gone", NOON - 500 * DAY, NOON - 500 * DAY + HOUR, 300, STORE_HOUR, {NOON, 400, 30}, HOUR, 0},
		{"raw for ever", NOON - 500 * DAY, NOON - 500 * DAY + HOUR, 300, STORE_RAW, {NOON, 0, 30}, 12 * SECOND, 0},
		{"raw gone, minutes not", NOON - 9 * DAY, NOON - 9 * DAY + HOUR, 300, STORE_MINUTE, {NOON, 7, 30}, MINUTE, 0},
		{"in days to come", NOON + 500 * DAY, NOON + 501 * DAY, 300, STORE_MINUTE, {NOON, 400, 30}, 0, 0},
		{"the smallest", NOON, NOON + 1, 10000, STORE_RAW, {NOON, 400, 30}, 1000, NOON},
		{"before 1970", -HOUR - 1, -1, 300, STORE_RAW, {NOON, 0, 0}, 0, 0},
		{"one bucket", NOON - 30 * MINUTE, NOON, 1, STORE_MINUTE, {NOON, 400, 30}, 0, 0},
		{"kept for millions of years", NOON - DAY, NOON, 300, STORE_MINUTE, {NOON, 4294967295U, 4294967295U}, 0, 0},
		{"a clock that went wrong", NOON - DAY, NOON, 300, STORE_MINUTE, {INT64_MIN, 1, 1}, 0, 0},
		{"a clock far ahead", NOON - DAY, NOON, 300, STORE_HOUR, {INT64_MAX, 1, 1}, 0, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct history_plan plan =
			history_plan((struct store_span){cases[i].from_us, cases[i].to_us}, cases[i].buckets, &cases[i].keep);
		if (plan.source != cases[i].source)
			fail_msg("%s: source %d", cases[i].what, (int)plan.source);
		if (cases[i].step_us != 0 && plan.step_us != cases[i].step_us)
			fail_msg("%s: step %lld", cases[i].what, (long long)plan.step_us);
		if (cases[i].begin_us != 0 && plan.span.from_us != cases[i].begin_us)
			fail_msg("%s: begin %lld", cases[i].what, (long long)plan.span.from_us);
	}
}

/* Two questions of one length get the same buckets, if they are less than one bucket apart. */
static void test_steady(void **state)
{
	(void)state;
	struct history_plan first = history_plan((struct store_span){NOON - 7 * DAY + 1, NOON + 1}, 500, &usual);
	struct history_plan later =
		history_plan((struct store_span){NOON - 7 * DAY + 5 * SECOND, NOON + 5 * SECOND}, 500, &usual);
	assert_int_equal(first.step_us, later.step_us);
	assert_int_equal(first.span.from_us, later.span.from_us);
}

static uint64_t chance_state = 42;

static uint64_t chance(void)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return chance_state;
}

/* Of all magnitudes alike. */
static int64_t any_number(void)
{
	return (int64_t)(chance() >> (chance() % 64)) * (chance() % 2 ? 1 : -1);
}

static int64_t any_time(void)
{
	static const int64_t special[] = {INT64_MIN, INT64_MAX, INT64_MIN + 1, INT64_MAX - 1, 0,
	                                  1,         -1,        NOON,          YEAR_0,        YEAR_10000};
	switch (chance() % 4) {
	case 0:
		return special[chance() % COUNT(special)];
	case 1:
		return NOON + any_number() / 1024;
	default:
		return any_number();
	}
}

static int64_t in_years(int64_t time_us)
{
	return time_us < YEAR_0 ? YEAR_0 : time_us > YEAR_10000 ? YEAR_10000 : time_us;
}

static void check_plan(struct store_span span, unsigned buckets, const struct store_keep *keep)
{
	static const int64_t unit[] = {[STORE_RAW] = 1, [STORE_MINUTE] = MINUTE, [STORE_HOUR] = HOUR};
	const struct history_plan plan = history_plan(span, buckets, keep);
	const int64_t from_us = in_years(span.from_us), to_us = in_years(span.to_us);
	const char *wrong = NULL;

	if (plan.step_us <= 0 || plan.step_us % unit[plan.source] != 0)
		wrong = "the step is no multiple of the source's unit";
	else if (plan.span.from_us % plan.step_us != 0)
		wrong = "the begin is no multiple of the step";
	else if (plan.span.from_us > from_us || from_us - plan.span.from_us >= plan.step_us)
		wrong = "it does not begin in the bucket that has the first moment";
	else if (plan.span.to_us != (to_us > from_us ? to_us : from_us))
		wrong = "it ends elsewhere";
	int64_t count = wrong ? 0 : (plan.span.to_us - plan.span.from_us + plan.step_us - 1) / plan.step_us;
	bool straddles = buckets <= 1 && plan.span.from_us < 0 && plan.span.to_us > 0;
	if (!wrong && count > (straddles ? 2 : buckets > 0 ? (int64_t)buckets : 1))
		wrong = "too many buckets";
	if (wrong)
		fail_msg("%s: from %lld to %lld in %u: source %d, step %lld, [%lld, %lld)", wrong, (long long)span.from_us,
		         (long long)span.to_us, buckets, (int)plan.source, (long long)plan.step_us,
		         (long long)plan.span.from_us, (long long)plan.span.to_us);
}

static void test_any_question(void **state)
{
	(void)state;
	for (int i = 0; i < 1000000; i++) {
		struct store_span span = {any_time(), any_time()};
		if (chance() % 4 == 0)
			span.to_us = span.from_us / 2 + any_number() / 4;
		struct store_keep keep = {any_time(), (unsigned)any_number(), (unsigned)any_number()};
		if (chance() % 2)
			keep = usual;
		check_plan(span, chance() % 8 ? (unsigned)(chance() % 10000) + 1 : (unsigned)any_number(), &keep);
	}
}

/* Buckets are not made much wider than they need be. */
static void test_not_too_few(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		unsigned buckets = 100 + (unsigned)(chance() % 9900);
		int64_t step = 10 * SECOND + (int64_t)(chance() % (uint64_t)(40 * SECOND));
		int64_t from_us = NOON - 60 * DAY + (int64_t)(chance() % (uint64_t)DAY);
		struct history_plan plan =
			history_plan((struct store_span){from_us, from_us + step * buckets}, buckets, &usual);
		assert_int_equal(plan.source, STORE_RAW);
		assert_true(plan.step_us <= step + step / 40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_any_question),
		cmocka_unit_test(test_not_too_few),
	};
	return cmocka_run_group_tests_name("history_plan", tests, NULL, NULL);
}
