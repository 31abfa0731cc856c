/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule: see rule.h. A condition is stepped first (with its hysteresis), then the rule's latch follows it (after `for`).
 */
#include "rule.h"

#include <float.h>
#include <math.h>

bool latest_usable(const struct latest *latest, int64_t now_ms)
{
	if (!latest->known)
		return false;
	return latest->stale_after_ms == 0 || now_ms - latest->received_ms <= latest->stale_after_ms;
}

/* The value to compare with; false if its series is missing or stale. */
static bool operand_get(const struct operand *operand, const struct latest *const *inputs, int64_t now_ms,
                        struct value *out)
{
	if (operand->input < 0) {
		*out = operand->constant;
		return true;
	}
	const struct latest *latest = inputs[operand->input];
	if (!latest_usable(latest, now_ms))
		return false;
	*out = latest->value;
	if (out->is_number && (operand->times != 1 || operand->plus != 0))
		*out = value_of_number(out->number * operand->times + operand->plus);
	return true;
}

/* One of three: surely true, surely false, or in the hysteresis band, where what held goes on. */
static enum latch band(bool is_true, bool is_false, enum latch held)
{
	if (is_true)
		return LATCH_TRUE;
	if (is_false || held == LATCH_UNKNOWN)
		return LATCH_FALSE;
	return held;
}

/*
 * How far a computed bound may miss the decimal that a person means: 24.4 − 1.3 is a little less than 23.1 in binary, and
 * a thermometer's 23.1 must count as having reached it. Zero if nothing is computed.
 */
static double slack(const struct condition *when, double x, double y)
{
	const struct operand *a = &when->operand[0], *b = &when->operand[1];
	if (when->hysteresis == 0 && a->plus == 0 && a->times == 1 &&
	    (when->op != CONDITION_OUTSIDE || (b->plus == 0 && b->times == 1)))
		return 0;
	double s = 4 * DBL_EPSILON * (fabs(x) + fabs(y) + when->hysteresis);
	return isfinite(s) ? s : 0;
}

/* The condition's next latch; LATCH_UNKNOWN: undetermined. */
static enum latch condition_step(const struct condition *when, enum latch held, const struct latest *subject,
                                 const struct latest *const *inputs, int64_t now_ms)
{
	struct value a, b = {0};
	if (!latest_usable(subject, now_ms) || !operand_get(&when->operand[0], inputs, now_ms, &a))
		return LATCH_UNKNOWN;
	if (when->op == CONDITION_EQUALS || when->op == CONDITION_NOT_EQUALS) {
		bool equal = value_equal(&subject->value, &a);
		return equal == (when->op == CONDITION_EQUALS) ? LATCH_TRUE : LATCH_FALSE;
	}
	if (when->op == CONDITION_OUTSIDE && !operand_get(&when->operand[1], inputs, now_ms, &b))
		return LATCH_UNKNOWN;
	if (!subject->value.is_number || !a.is_number || (when->op == CONDITION_OUTSIDE && !b.is_number))
		return LATCH_UNKNOWN;

	double v = subject->value.number, x = a.number, y = b.number, h = when->hysteresis;
	double s = slack(when, x, y);
	switch (when->op) {
	case CONDITION_ABOVE:
		return band(v > x + s, v <= x - h + s, held);
	case CONDITION_AT_LEAST:
		return band(v >= x - s, v < x - h - s, held);
	case CONDITION_BELOW:
		return band(v < x - s, v >= x + h - s, held);
	case CONDITION_AT_MOST:
		return band(v <= x + s, v > x + h + s, held);
	case CONDITION_OUTSIDE:
		return band(v < x - s || v > y + s, v >= x + h - s && v <= y - h + s, held);
	case CONDITION_EQUALS:
	case CONDITION_NOT_EQUALS:
		break;
	}
	return LATCH_UNKNOWN;
}

enum rule_edge rule_evaluate(const struct rule *rule, struct rule_state *state, const struct latest *subject,
                             const struct latest *const *inputs, int64_t now_ms)
{
	enum latch next = condition_step(&rule->when, state->condition, subject, inputs, now_ms);
	if (next == LATCH_UNKNOWN)
		return RULE_NOTHING;
	state->condition = next;

	if (next == state->latch) {
		state->due_ms = 0;
		return RULE_NOTHING;
	}
	if (next == LATCH_TRUE && rule->when.for_ms > 0) {
		if (state->due_ms == 0)
			state->due_ms = now_ms + rule->when.for_ms;
		if (now_ms < state->due_ms)
			return RULE_NOTHING;
	}
	state->due_ms = 0;
	state->latch = next;
	return next == LATCH_TRUE ? RULE_THEN : RULE_ELSE;
}
