/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule: (rule, its latch, latest values, now) → what just happened. Pure: no I/O, no clock, no allocation.
 *
 * Edge-triggered: RULE_THEN on becoming true, RULE_ELSE on becoming false. A latch that is not known yet resolves as
 * if without hysteresis and its first evaluation is an edge one way or the other. An input that is missing or stale
 * leaves the condition undetermined: the latch is kept, a running `for` is kept, nothing happens.
 */
#ifndef HEARTH_RULE_H
#define HEARTH_RULE_H

#include "config.h"
#include "value.h"

/* A series' latest accepted value, as rules see it. */
struct latest {
	struct value value;     /* its text belongs to the series */
	int64_t time_us;        /* when measured */
	int64_t received_ms;    /* monotonic, when received */
	int64_t stale_after_ms; /* 0: never stale */
	bool known;
};

enum latch { LATCH_UNKNOWN, LATCH_FALSE, LATCH_TRUE };

struct rule_state {
	enum latch condition; /* with hysteresis, before `for` */
	enum latch latch;     /* what `then` and `else` follow */
	int64_t due_ms;       /* monotonic end of a running `for`; 0: none runs */
};

enum rule_edge { RULE_NOTHING, RULE_THEN, RULE_ELSE };

/* True if a latest value can be used at this time. */
bool latest_usable(const struct latest *latest, int64_t now_ms);

/*
 * Evaluates the condition of a rule (has_condition must be set) and steps its latch. `subject` is the latest value of
 * the rule's own series, inputs[i] that of rule->inputs[i]. Call it on each accepted reading of any of them, and when
 * now_ms reaches state->due_ms.
 */
enum rule_edge rule_evaluate(const struct rule *rule, struct rule_state *state, const struct latest *subject,
                             const struct latest *const *inputs, int64_t now_ms);

#endif
