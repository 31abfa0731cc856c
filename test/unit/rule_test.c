/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule_test: conditions as stories. A row is a condition and what happens to it, such as
 *
 *   {"above 28 hysteresis 1", "27 E, 28 ., 28.1 T, 27.1 ., 27 E"}
 *
 * A condition is an operation, its operands and its options, in words:
 *   above | below | at_least | at_most | equals | not_equals OPERAND,  or  outside OPERAND OPERAND
 *   OPERAND:  a number, a word, or another series: r or s, perhaps with *TIMES and then +PLUS or -PLUS behind it
 *   options:  hysteresis H,  for SECONDS,  stale SECONDS (of the subject),  ref_stale SECONDS (of r and s),
 *             was true | was false (what a restart brought back)
 *
 * A step is an event and what it must cause: T (then), E (else) or '.' (nothing). An event is a value of the rule's own
 * series, r=VALUE or s=VALUE for another, or ~ for an evaluation by a timer. Each step comes a second after the one
 * before, the first at 1 s; @SECONDS in front says otherwise.
 */
#include "rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REFERENCES   2
#define START_MS     1000000 /* what the monotonic clock says at 0 s */

struct row {
	const char *condition;
	const char *steps;
};

struct story {
	char condition[160];
	char steps[400];
	struct rule rule;
	struct rule_state state;
	struct latest subject;
	struct latest reference[REFERENCES];
};

/* ---- reading a row ---- */

static double number_of(const char *text)
{
	double number = 0;
	if (text == NULL || !number_parse(slice_of(text), &number))
		fail_msg("a number, not \"%s\"", text ? text : "");
	return number;
}

static int64_t milliseconds_of(const char *text)
{
	return (int64_t)(number_of(text) * 1000 + 0.5);
}

/* "r*2-1" → the first reference, times 2, plus −1. */
static struct operand operand_of(char *text)
{
	struct operand operand = {.input = -1, .times = 1};

	assert_non_null(text);
	if ((text[0] != 'r' && text[0] != 's') || (text[1] != '\0' && strchr("*+-", text[1]) == NULL)) {
		operand.constant = value_of_text(slice_of(text));
		return operand;
	}
	operand.input = text[0] - 'r';
	char *rest = text + 1;
	if (*rest == '*')
		operand.times = strtod(rest + 1, &rest);
	if (*rest != '\0')
		operand.plus = strtod(rest, &rest);
	assert_int_equal(*rest, '\0');
	return operand;
}

static enum condition_op op_of(const char *word)
{
	static const char *const names[] = {
		[CONDITION_ABOVE] = "above",     [CONDITION_BELOW] = "below",   [CONDITION_AT_LEAST] = "at_least",
		[CONDITION_AT_MOST] = "at_most", [CONDITION_EQUALS] = "equals", [CONDITION_NOT_EQUALS] = "not_equals",
		[CONDITION_OUTSIDE] = "outside",
	};
	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(word, names[i]) == 0)
			return (enum condition_op)i;
	}
	fail_msg("no condition is called %s", word);
	return CONDITION_ABOVE;
}

static void read_option(struct story *story, const char *option, const char *argument)
{
	if (strcmp(option, "hysteresis") == 0) {
		story->rule.when.hysteresis = number_of(argument);
	} else if (strcmp(option, "for") == 0) {
		story->rule.when.for_ms = milliseconds_of(argument);
	} else if (strcmp(option, "stale") == 0) {
		story->subject.stale_after_ms = milliseconds_of(argument);
	} else if (strcmp(option, "ref_stale") == 0) {
		for (size_t i = 0; i < REFERENCES; i++)
			story->reference[i].stale_after_ms = milliseconds_of(argument);
	} else if (strcmp(option, "was") == 0) {
		enum latch latch = strcmp(argument, "true") == 0 ? LATCH_TRUE : LATCH_FALSE;
		story->state = (struct rule_state){.condition = latch, .latch = latch};
	} else {
		fail_msg("no option is called %s", option);
	}
}

static void story_begin(struct story *story, const struct row *row)
{
	char *rest;

	memset(story, 0, sizeof *story);
	assert_true(strlen(row->condition) < sizeof story->condition && strlen(row->steps) < sizeof story->steps);
	memcpy(story->condition, row->condition, strlen(row->condition));
	memcpy(story->steps, row->steps, strlen(row->steps));
	story->rule.has_condition = true;
	story->rule.input_count = REFERENCES;

	struct condition *when = &story->rule.when;
	when->op = op_of(strtok_r(story->condition, " ", &rest));
	when->operand[0] = operand_of(strtok_r(NULL, " ", &rest));
	when->operand[1] = (struct operand){.input = -1, .times = 1};
	if (when->op == CONDITION_OUTSIDE)
		when->operand[1] = operand_of(strtok_r(NULL, " ", &rest));
	for (const char *option; (option = strtok_r(NULL, " ", &rest)) != NULL;)
		read_option(story, option, strtok_r(NULL, " ", &rest));
}

/* Makes what an event says the latest value of its series. */
static void take_event(struct story *story, const char *event, int64_t now_ms)
{
	struct latest *latest = &story->subject;

	if (strcmp(event, "~") == 0)
		return;
	if ((event[0] == 'r' || event[0] == 's') && event[1] == '=') {
		latest = &story->reference[event[0] - 'r'];
		event += 2;
	}
	latest->value = value_of_text(slice_of(event));
	latest->received_ms = now_ms;
	latest->known = true;
}

static char letter_of(enum rule_edge edge)
{
	static const char letters[] = {[RULE_NOTHING] = '.', [RULE_THEN] = 'T', [RULE_ELSE] = 'E'};
	return letters[edge];
}

/* Plays one row; false, and a line that says where, if it goes otherwise. */
static bool story_holds(const struct row *row)
{
	struct story story;
	char *rest, *word_rest;
	int64_t now_ms = START_MS;
	int number = 1;

	story_begin(&story, row);
	const struct latest *inputs[REFERENCES] = {&story.reference[0], &story.reference[1]};
	for (char *step = strtok_r(story.steps, ",", &rest); step != NULL; step = strtok_r(NULL, ",", &rest), number++) {
		const char *event = strtok_r(step, " ", &word_rest);
		now_ms += 1000;
		if (event != NULL && event[0] == '@') {
			now_ms = START_MS + milliseconds_of(event + 1);
			event = strtok_r(NULL, " ", &word_rest);
		}
		const char *wanted = strtok_r(NULL, " ", &word_rest);
		if (event == NULL || wanted == NULL || strchr("TE.", wanted[0]) == NULL) {
			print_error("%s: step %d is no step\n", row->condition, number);
			return false;
		}
		take_event(&story, event, now_ms);
		char happened = letter_of(rule_evaluate(&story.rule, &story.state, &story.subject, inputs, now_ms));
		if (happened != wanted[0]) {
			print_error("%s: %s\n  step %d, %s: %c instead of %c\n", row->condition, row->steps, number, event,
			            happened, wanted[0]);
			return false;
		}
	}
	return true;
}

static void expect_stories(const struct row *rows, size_t count)
{
	size_t failed = 0;
	for (size_t i = 0; i < count; i++)
		failed += !story_holds(&rows[i]);
	assert_int_equal(failed, 0);
}

/* ---- the stories ---- */

static void compares_with_a_number(void **state)
{
	static const struct row rows[] = {
		/* above and below are strict, at_least and at_most include the bound */
		{"above 28", "28.1 T, 28 E, 28.1 T, 28 E"},
		{"above 28", "27 E, 27.9 ., 28 ., 28.0001 T, 29 ., 28.1 ., 28 E"},
		{"below 18", "17.9 T, 18 E, 17.9 T, 18 E"},
		{"below 18", "19 E, 18.1 ., 18 ., 17.9999 T, 10 ., 17.9 ., 18 E"},
		{"at_least 28", "28 T, 27.9 E, 28 T, 27.9999 E"},
		{"at_least 28", "27 E, 27.9999 ., 28 T, 29 ., 28 ., 27.9 E"},
		{"at_most 18", "18 T, 18.1 E, 18 T, 18.0001 E"},
		{"at_most 18", "19 E, 18.0001 ., 18 T, 17 ., 18 ., 18.1 E"},
		/* edges, not levels */
		{"above 28", "30 T, 30 ., 31 ., 29 ., 20 E, 20 ., 10 ., 28 ."},
		{"above 28", "27 E, 29 T, 27 E, 29 T, 27 E"},
		{"at_most 0", "1 E, 0 T, -1 ., -0 ., 1e-300 E"},
		/* signs and sizes */
		{"above 0", "-0 E, 0 ., 1e-300 T, -1e-300 E"},
		{"above -10", "-11 E, -10 ., -9.9 T, -10 E"},
		{"below -10", "-10 E, -10.1 T, 0 E"},
		{"at_least -0", "0 T, -1e-9 E"},
		{"above 1e300", "1e299 E, 1.1e300 T, -1e300 E"},
		/* words are numbers too */
		{"above 0.5", "off E, on T, closed E, open T, false E, true T, 0 E, 1 T"},
		{"at_least 1", "off E, on T, 0.99 E"},
		{"above off", "0 E, 1 T"},
		/* a value that is no number leaves a comparison of numbers undetermined */
		{"above 28", "alarm ., 29 T, alarm ., 28 E, alarm ., 29 T"},
		{"below 28", "alarm ., 29 E, alarm ., 27 T"},
		{"at_least 28", "29 T, warm ., 27 E"},
		{"at_most 28", "27 T, warm ., 29 E"},
		{"outside 10 20", "15 E, warm ., 21 T, warm ., 15 E"},
	};
	(void)state;
	expect_stories(rows, COUNT(rows));
}

static void keeps_to_the_hysteresis(void **state)
{
	static const struct row rows[] = {
		/* true at value > X, false again at value ≤ X − H */
		{"above 28 hysteresis 1", "27 E, 28 ., 28.1 T, 27.5 ., 27.1 ., 27 E"},
		{"above 28 hysteresis 1", "29 T, 27.0001 ., 27 E, 27.5 ., 28 ., 28.1 T"},
		{"above 28 hysteresis 1", "29 T, 28 ., 27.5 ., 28 ., 29 ., 27 E, 27.9 ., 28 ., 27 ., 28.5 T"},
		{"above 28 hysteresis 0", "28.1 T, 28 E"},
		{"above 28 hysteresis 10", "29 T, 19 ., 18.1 ., 18 E, 19 ., 28 ., 29 T"},
		{"above -5 hysteresis 2", "-4 T, -6.9 ., -7 E, -5 ., -4.9 T"},
		{"above 0 hysteresis 1e-9", "1 T, 0 ., -1e-9 E"},
		/* true at value < X, false at value ≥ X + H */
		{"below 18 hysteresis 1", "19 E, 18 ., 17.9 T, 18.5 ., 18.9 ., 19 E"},
		{"below 18 hysteresis 1", "17 T, 18.9999 ., 19 E, 18.5 ., 18 ., 17.9 T"},
		{"below 18 hysteresis 1", "17 T, 18 ., 18.5 ., 17 ., 19 E, 18.1 ., 18 ., 19 ., 17.5 T"},
		{"below 18 hysteresis 10", "17 T, 27.9 ., 28 E, 18 ., 17 T"},
		/* the same with the bound included: still true at X − H, false below it */
		{"at_least 28 hysteresis 1", "27 E, 28 T, 27.5 ., 27 ., 26.9 E"},
		{"at_least 28 hysteresis 1", "28 T, 27 ., 26.9999 E, 27 ., 27.9 ., 28 T"},
		{"at_most 18 hysteresis 1", "19 E, 18 T, 18.5 ., 19 ., 19.1 E"},
		{"at_most 18 hysteresis 1", "18 T, 19 ., 19.0001 E, 19 ., 18.1 ., 18 T"},
		/* outside: back inside by the hysteresis at the end it left by, and at the other */
		{"outside 10 20 hysteresis 1", "15 E, 20 ., 20.1 T, 19.5 ., 19.1 ., 19 E"},
		{"outside 10 20 hysteresis 1", "15 E, 10 ., 9.9 T, 10.5 ., 10.9 ., 11 E"},
		{"outside 10 20 hysteresis 1", "21 T, 10.5 ., 11 E, 10.5 ., 10 ., 19.5 ., 20 ., 21 T"},
		{"outside 10 20 hysteresis 1", "21 T, 5 ., 19.5 ., 15 E"},
		{"outside 10 20 hysteresis 5", "21 T, 14.9 ., 15.1 ., 15 E, 20 ., 10 ., 9 T"},
		/* a latch not known yet resolves as if without hysteresis */
		{"above 28 hysteresis 1", "27.5 E, 28 ., 28.1 T"},
		{"above 28 hysteresis 1", "28 E, 28.1 T"},
		{"below 18 hysteresis 1", "18.5 E, 18 ., 17.9 T"},
		{"at_least 28 hysteresis 1", "27.5 E, 28 T"},
		{"at_most 18 hysteresis 1", "18.5 E, 18 T"},
		{"outside 10 20 hysteresis 1", "19.5 E, 20.5 T"},
		{"outside 10 20 hysteresis 1", "10.5 E, 9.5 T"},
		{"outside 10 20 hysteresis 1", "20.1 T, 19.5 ., 19 E"},
		/* with it for what was known before a restart */
		{"above 28 hysteresis 1 was true", "27.5 ., 27 E"},
		{"above 28 hysteresis 1 was false", "27.5 ., 28 ., 28.1 T"},
		{"above 28 was true", "29 ., 28 E"},
		{"above 28 was false", "28 ., 29 T"},
		{"above 28 was true", "20 E"},
		{"below 18 hysteresis 1 was true", "18.5 ., 19 E"},
		{"at_least 28 hysteresis 1 was true", "27 ., 26 E"},
		{"at_most 18 hysteresis 1 was true", "19 ., 20 E"},
		{"outside 10 20 hysteresis 1 was true", "19.5 ., 15 E"},
	};
	(void)state;
	expect_stories(rows, COUNT(rows));
}

/* A person counts in tenths: 24.4 less 1.3 is 23.1, whatever the nearest doubles make of it. */
static void reaches_bounds_in_decimals(void **state)
{
	static const struct row rows[] = {
		{"above 24.4 hysteresis 1.3", "25 T, 23.2 ., 23.1 E"},
		{"below 1.1 hysteresis 2.2", "1 T, 3.2 ., 3.3 E"},
		{"at_least 21.1 hysteresis 0.2", "22 T, 20.9 ., 20.8 E"},
		{"at_most 0.7 hysteresis 0.1", "0.5 T, 0.8 ., 0.9 E"},
		{"above r+0.1", "r=0.7 ., 0.8 E, 0.9 T"},
	};
	(void)state;
	expect_stories(rows, COUNT(rows));
}

static void compares_with_a_range(void **state)
{
	static const struct row rows[] = {
		{"outside 10 20", "15 E, 10 ., 20 ., 20.1 T, 20 E, 9.9 T, 10 E"},
		{"outside 10 20", "9 T, 21 ., 15 E, 15 ."},
		{"outside -5 5", "-5 E, -5.1 T, 0 E, 5.1 T, 5 E"},
		{"outside 10 20", "-100 T, 100 ., 10 E"},
		{"outside 10 r", "15 ., r=20 E, 21 T, r=22 E, 9 T, r=1 ., r=30 ., 12 E"},
		{"outside r 20", "15 ., r=10 E, r=16 T, r=15 E, 21 T"},
		{"outside r s", "15 ., r=10 ., s=20 E, s=14 T, s=15 E, r=16 T"},
		{"outside r-2 r+2", "20 ., r=21 E, 23 ., 23.1 T, r=22 E, r=10 T"},
		{"outside 10 r", "5 ., 25 ., r=20 T"},
		{"outside 10 r ref_stale 10", "r=20 ., 15 E, @13 5 ., @14 15 ., @15 r=20 ., @16 5 T"},
		{"outside 10 r", "r=high ., 5 ., r=20 T"},
		{"outside 10 20 for 5", "@1 15 E, @2 21 ., @3 9 ., @7 ~ T, @8 15 E"},
	};
	(void)state;
	expect_stories(rows, COUNT(rows));
}

static void compares_for_equality(void **state)
{
	static const struct row rows[] = {
		{"equals 1", "0 E, 1 T, 1.0 ., 2 E, 1e0 T"},
		{"equals 1", "1 T, 0 E"},
		{"equals 1", "on T, true ., open ., 1 ., off E, closed ., false ., 0 ., open T"},
		{"equals 0", "off T, closed ., false ., -0 ., on E"},
		{"equals on", "1 T, 0 E, on T, off E, open T"},
		{"equals open", "closed E, open T, 1 ., 0.5 E"},
		{"equals closed", "closed T, 0 ., open E"},
		{"equals 23.5", "23.5 T, 23.50 ., 23.500001 E"},
		{"equals alarm", "off E, alarm T, alarm ., Alarm E, alarm T, alarms E, 1 ., 0 ."},
		{"equals offline", "online E, offline T, online E"},
		{"equals 문", "문 T, 열 E"},
		{"equals 1", "alarm E, on T, alarm E"}, /* a word is not a number, and that is known */
		{"not_equals 1", "1 E, 0 T, 2 ., 1 E"},
		{"not_equals 1", "on E, off T, true E, alarm T, open E"},
		{"not_equals on", "1 E, 0 T"},
		{"not_equals alarm", "alarm E, off T, 1 ., alarm E, Alarm T"},
		{"not_equals offline", "online T, offline E"},
		{"not_equals 0", "off E, 0.001 T, closed E"},
		{"equals 1 for 5", "@1 0 E, @2 1 ., @6.999 ~ ., @7 ~ T, @8 0 E"},
		{"not_equals open for 5", "@1 open E, @2 closed ., @7 ~ T, @8 open E"},
		{"equals 1 was true", "1 ., 0 E"},
		{"equals 1 was false", "0 ., 1 T"},
		{"equals r", "20 ., r=20 T, r=21 E, 21 T"},
		{"equals r", "open ., r=on T, r=closed E, off T"},
		{"equals r", "heat ., r=cool E, r=heat T, cool E"},
		{"not_equals r", "heat ., r=cool T, r=heat E, cool T"},
		{"equals r+1", "21 ., r=20 T, r=21 E, 22 T"},
		{"equals r*2", "on ., r=0.5 T, r=on E, 2 T"},
		{"equals r stale 10", "1 ., r=1 T, @20 r=0 ., @21 1 E"},
		{"equals r ref_stale 10", "1 ., r=1 T, @20 0 ., @21 r=1 E"},
	};
	(void)state;
	expect_stories(rows, COUNT(rows));
}

static void compares_with_another_series(void **state)
{
	static const struct row rows[] = {
		/* evaluated on a reading of either */
		{"above r", "20 ., r=19 T, r=20 E, 20.1 T, r=21 E, 22 T"},
		{"below r", "20 ., r=21 T, r=20 E, 19.9 T, 20 E"},
		{"at_least r", "20 ., r=20 T, r=20.1 E, 20.1 T"},
		{"at_most r", "20 ., r=20 T, r=19.9 E, 19.9 T"},
		{"above r", "r=19 ., 20 T, 19 E"},
		{"above r", "r=19 ., r=20 ., r=21 ., 20 E"},
		/* value × times + plus */
		{"above r+0.5", "20 ., r=19.5 E, r=19.4 T, 19.9 E, 20 T"},
		{"above r-2", "20 ., r=22 E, r=21.9 T"},
		{"above r*2", "20 ., r=10 E, r=9.9 T, r=-10 ., r=11 E"},
		{"above r*2+1", "21 ., r=10 E, 21.1 T, r=10.1 E"},
		{"above r*2-1", "19 ., r=10 E, 19.1 T"},
		{"above r*-1", "5 ., r=-5 E, r=-4 T, r=-6 E"},
		{"above r*0+28", "28 ., r=99 E, 28.1 T, r=-99 ., 28 E"},
		{"above r*0.1", "2 ., r=20 E, r=19 T"},
		{"above r*1e308+1", "5 ., r=1e308 E, r=-1e308 T"},
		/* a word of the other series is a number too */
		{"above r", "0.5 ., r=off T, r=on E, r=closed T, r=open E"},
		{"above r+1", "1.5 ., r=on E, r=off T"},
		{"above r*10", "5 ., r=on E, r=off T"},
		/* one that is no number leaves the condition undetermined */
		{"above r", "20 ., r=warm ., r=19 T, r=warm ., 10 ., r=15 E"},
		{"above r+1", "20 ., r=warm ., r=18 T, r=warm ., 10 ."},
		/* hysteresis hangs on the other's present value */
		{"above r hysteresis 1", "20 ., r=19 T, 18.1 ., r=19.1 E, r=18.5 ., 18.6 T"},
		{"above r+0.5 hysteresis 0.5", "r=20 ., 20.5 E, 20.6 T, 20.1 ., 20 E, 20.5 ., 20.6 T"},
		{"below r*2 hysteresis 1", "r=10 ., 20 E, 19.9 T, 20.9 ., 21 E"},
		/* two of them */
		{"above s", "r=1 ., 20 ., s=19 T, r=100 ., s=20 E"},
	};
	(void)state;
	expect_stories(rows, COUNT(rows));
}

static void keeps_the_latch_when_undetermined(void **state)
{
	static const struct row rows[] = {
		/* missing: nothing is sent until there is one; the first evaluation then fires one way or the other */
		{"above r", "20 ., 30 ., ~ ., r=25 T"},
		{"above r", "20 ., 30 ., ~ ., r=35 E"},
		{"above 28", "~ ., ~ ., 29 T"},
		{"above 28", "~ ., 27 E"},
		{"above 28", "r=5 ., 29 T"},
		{"above r was true", "10 ., ~ ., r=9 ., r=10 E"},
		{"above r was false", "10 ., r=11 ., r=9 T"},
		{"above 28 was true", "~ ., 29 ., 28 E"},
		/* a stale reference */
		{"above r ref_stale 60", "@1 r=20 ., @2 21 T, @61 19 E, @62 21 ., @63 19 ., @64 r=20 ., @65 21 T"},
		{"above r ref_stale 60", "@1 r=20 ., @2 21 T, @100 19 ., @200 ~ ., @201 r=20 E"},
		{"above r ref_stale 60", "@1 r=20 ., @2 19 E, @62 21 ., @63 r=20 T"},
		{"above r ref_stale 60", "@1 r=20 ., @2 21 T, @100 19 ., @101 r=18 ., @102 17 E"},
		/* stale is older than stale_after, not as old */
		{"above r ref_stale 60", "@1 r=20 ., @61 21 T"},
		{"above r ref_stale 60", "@1 r=20 ., @61.001 21 ."},
		{"above r ref_stale 0.5", "@1 r=20 ., @1.5 21 T, @1.501 19 ."},
		/* a reading makes it fresh again, even the same */
		{"above r ref_stale 60", "@1 r=20 ., @2 21 T, @50 r=20 ., @110 19 E"},
		/* the rule's own series can be stale too */
		{"above r stale 60", "@1 21 ., @2 r=20 T, @61 r=22 E, @62 r=20 ., @63 21 T"},
		{"above 28 stale 60", "@1 29 T, @100 ~ ., @101 28 E"},
		{"above 28 stale 60 for 5", "@1 27 E, @2 29 ., @100 ~ ., @101 27 ., @102 29 ., @107 ~ T"},
		/* without stale_after nothing ever is */
		{"above r", "@1 r=20 ., @1000000 21 T, @2000000 19 E"},
		/* with hysteresis it goes on where it was */
		{"above r hysteresis 1 ref_stale 60", "@1 r=20 ., @2 21 T, @100 10 ., @101 19.5 ., @102 r=20 ., @103 19 E"},
		{"above r hysteresis 1 ref_stale 60", "@1 r=20 ., @2 19 E, @100 25 ., @101 19.5 ., @102 r=20 ., @103 20.1 T"},
		/* the first evaluation is without hysteresis, however late it comes */
		{"above r hysteresis 1 ref_stale 60", "@1 r=20 ., @100 25 ., @101 19.5 ., @102 r=20 E"},
	};
	(void)state;
	expect_stories(rows, COUNT(rows));
}

static void waits_as_long_as_for_says(void **state)
{
	static const struct row rows[] = {
		{"above 28 for 5", "@1 27 E, @2 29 ., @3 30 ., @6.999 ~ ., @7 ~ T, @8 ~ ."},
		{"above 28 for 5", "@1 27 E, @2 29 ., @10 30 T"}, /* a reading does as well as the timer */
		{"above 28 for 5", "@1 27 E, @2 29 ., @7 30 T, @8 31 ., @20 ~ ."},
		{"above 28 for 0.5", "@1 27 E, @2 29 ., @2.499 ~ ., @2.5 ~ T"},
		{"above 28 for 0", "@1 27 E, @2 29 T"},
		/* while it runs neither branch fires, for a new latch too */
		{"above 28 for 5", "@1 29 ., @3 30 ., @5.9 ~ ., @6 ~ T, @7 27 E"},
		{"above 28 for 5", "@1 27 E, @2 29 ., @4 ~ ., @5 29 ., @6 29 ."},
		/* interrupted it begins again */
		{"above 28 for 5", "@1 27 E, @2 29 ., @6 28 ., @6.5 29 ., @7 ~ ., @11.4 ~ ., @11.5 ~ T"},
		{"above 28 for 5", "@1 27 E, @2 29 ., @4 27 ., @7 ~ ., @100 ~ ., @101 29 ., @105 ~ ., @106 ~ T"},
		{"above 28 for 5", "@1 27 E, @2 29 ., @3 27 ., @4 29 ., @5 27 ., @6 29 ., @7 27 ., @8 29 ., @12 ~ ., @13 ~ T"},
		{"above 28 for 5", "@1 27 E, @2 29 ., @6.999 28 ., @7 ~ ., @8 29 ., @13 ~ T"},
		/* a new latch whose `for` is interrupted becomes false, and says so */
		{"above 28 for 5", "@1 29 ., @3 27 E, @4 27 ., @5 29 ., @10 ~ T"},
		/* becoming false takes no time */
		{"above 28 for 5", "@1 27 E, @2 29 ., @7 ~ T, @7.001 28 E, @7.002 29 ., @12.001 ~ ., @12.002 ~ T"},
		{"above 28 for 5 was true", "@1 29 ., @2 28 E, @3 29 ., @8 ~ T"},
		{"above 28 for 5 was false", "@1 27 ., @2 29 ., @7 ~ T"},
		{"above 28 for 5 was true", "@1 27 E"},
		/* a reading in the hysteresis band does not interrupt it */
		{"above 28 hysteresis 1 for 5", "@1 27 E, @2 29 ., @4 27.5 ., @6 27.1 ., @7 ~ T, @8 27.5 ., @9 27 E"},
		{"above 28 hysteresis 1 for 5", "@1 27 E, @2 29 ., @4 27 ., @5 27.5 ., @7 ~ ., @8 29 ., @13 ~ T"},
		{"below 18 hysteresis 1 for 5", "@1 19 E, @2 17 ., @4 18.5 ., @7 ~ T"},
		{"at_least 28 for 5", "@1 27 E, @2 28 ., @7 ~ T, @8 27.9 E"},
		{"at_most 18 for 5", "@1 19 E, @2 18 ., @7 ~ T, @8 18.1 E"},
		/* another series can interrupt it, and end it */
		{"above r for 5", "@1 r=20 ., @2 19 E, @3 21 ., @5 r=22 ., @6 r=20 ., @8 ~ ., @11 ~ T"},
		{"above r for 5", "@1 r=20 ., @2 19 E, @3 21 ., @9 r=20 T"},
		{"above r for 5", "@1 r=22 ., @2 21 E, @3 r=20 ., @8 ~ T, @9 r=21 E"},
		/* undetermined, it is kept: it neither ends nor begins again */
		{"above r for 5 ref_stale 3", "@1 r=20 ., @2 19 E, @3 21 ., @8 ~ ., @9 r=20 T"},
		{"above r for 5 ref_stale 3", "@1 r=20 ., @2 19 E, @3 21 ., @6 22 ., @7 r=20 ., @8 ~ T"},
		{"above r for 5 ref_stale 3",
	     "@1 r=20 ., @2 19 E, @3 21 ., @8 ~ ., @9 r=22 ., @10 r=20 ., @12 r=20 ., @15 ~ T"},
		{"above 28 for 5", "@1 27 E, @2 29 ., @4 warm ., @7 ~ ., @8 29 T"},
		/* the longest */
		{"above 28 for 31536000", "@1 27 E, @2 29 ., @31536001.999 ~ ., @31536002 ~ T"},
	};
	(void)state;
	expect_stories(rows, COUNT(rows));
}

/* ---- what the rows cannot say ---- */

/* A caller sleeps until due_ms: it is set while a `for` runs, never moved on by readings, and else 0. */
static void says_when_for_ends(void **state)
{
	static const struct {
		int64_t now_ms;
		double value;
		int64_t due_ms;
	} steps[] = {
		{1000, 27, 0},  {2000, 29, 7000}, {3000, 30, 7000}, {4000, 27, 0},  {5000, 29, 10000},  {9999, 29, 10000},
		{10000, 29, 0}, {10001, 30, 0},   {10002, 27, 0},   {10003, 27, 0}, {20000, 29, 25000}, {30000, 29, 0},
	};
	struct rule rule = {.has_condition = true,
	                    .when = {.op = CONDITION_ABOVE,
	                             .operand = {{.constant = value_of_number(28), .input = -1, .times = 1}},
	                             .for_ms = 5000}};
	struct rule_state latch = {0};
	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct latest subject = {
			.value = value_of_number(steps[i].value), .received_ms = steps[i].now_ms, .known = true};
		rule_evaluate(&rule, &latch, &subject, NULL, steps[i].now_ms);
		assert_int_equal(latch.due_ms, steps[i].due_ms);
	}
	assert_int_equal(latch.latch, LATCH_TRUE);
	struct latest nothing = {0};
	latch.due_ms = 40000;
	assert_int_equal(rule_evaluate(&rule, &latch, &nothing, NULL, 50000), RULE_NOTHING);
	assert_int_equal(latch.due_ms, 40000);
	assert_int_equal(latch.latch, LATCH_TRUE);
	assert_int_equal(latch.condition, LATCH_TRUE);
}

/* A `for` that was running when the broker stopped runs on. */
static void goes_on_after_a_restart(void **state)
{
	struct rule rule = {.has_condition = true,
	                    .when = {.op = CONDITION_ABOVE,
	                             .operand = {{.constant = value_of_number(28), .input = -1, .times = 1}},
	                             .for_ms = 5000}};
	struct rule_state latch = {.condition = LATCH_TRUE, .latch = LATCH_FALSE, .due_ms = 3000};
	struct latest subject = {.value = value_of_number(29), .received_ms = 1000, .known = true};
	(void)state;
	assert_int_equal(rule_evaluate(&rule, &latch, &subject, NULL, 2999), RULE_NOTHING);
	assert_int_equal(latch.due_ms, 3000);
	assert_int_equal(rule_evaluate(&rule, &latch, &subject, NULL, 3000), RULE_THEN);
	assert_int_equal(latch.due_ms, 0);
}

static void tells_usable_values(void **state)
{
	static const struct {
		struct latest latest;
		int64_t now_ms;
		bool usable;
	} rows[] = {
		{{.known = false}, 0, false},
		{{.known = false, .stale_after_ms = 1000}, 10, false},
		{{.known = true}, INT64_MAX, true},
		{{.known = true, .received_ms = 100, .stale_after_ms = 60000}, 100, true},
		{{.known = true, .received_ms = 100, .stale_after_ms = 60000}, 60100, true},
		{{.known = true, .received_ms = 100, .stale_after_ms = 60000}, 60101, false},
		/* the device's own clock does not matter */
		{{.known = true, .received_ms = 100, .stale_after_ms = 60000, .time_us = INT64_MIN}, 200, true},
		{{.known = true, .received_ms = 100, .stale_after_ms = 60000, .time_us = INT64_MAX}, 70000, false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (latest_usable(&rows[i].latest, rows[i].now_ms) != rows[i].usable)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_with_a_number),
		cmocka_unit_test(keeps_to_the_hysteresis),
		cmocka_unit_test(reaches_bounds_in_decimals),
		cmocka_unit_test(compares_with_a_range),
		cmocka_unit_test(compares_for_equality),
		cmocka_unit_test(compares_with_another_series),
		cmocka_unit_test(keeps_the_latch_when_undetermined),
		cmocka_unit_test(waits_as_long_as_for_says),
		cmocka_unit_test(says_when_for_ends),
		cmocka_unit_test(goes_on_after_a_restart),
		cmocka_unit_test(tells_usable_values),
	};
	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
