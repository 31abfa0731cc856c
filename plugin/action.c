/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * action: see action.h.
 *
 * A rule's edge makes its claims hold or lets them go; each time the actuator's winner is asked for, and told if that is
 * news. Commands that a closed gate keeps back leave a mark on the actuator and are made up for when it opens.
 */
#include "action.h"

#include "actuator.h"

#include <stdlib.h>
#include <string.h>

struct action {
	struct action_callbacks callbacks;
	struct actuators actuators;
	struct bound_rule *timers;
	int64_t next_due;
	uint64_t order;
	uint64_t commands;
	uint64_t fired;
};

/* What moved a decision along. */
struct moment {
	const struct series *cause;
	int hop;
};

struct action *action_new(const struct action_callbacks *callbacks)
{
	struct action *action = calloc(1, sizeof *action);
	if (action != NULL) {
		action->callbacks = *callbacks;
		action->next_due = INT64_MAX;
	}
	return action;
}

void action_free(struct action *action)
{
	if (action == NULL)
		return;
	actuators_free(&action->actuators);
	free(action);
}

static void timer_list(struct action *action, struct bound_rule *rule)
{
	if (rule->state.due_ms == 0)
		return;
	if (!rule->timer_listed) {
		rule->timer_next = action->timers;
		action->timers = rule;
		rule->timer_listed = true;
	}
	if (rule->state.due_ms < action->next_due)
		action->next_due = rule->state.due_ms;
}

static void timer_unlist(struct action *action, struct bound_rule *rule)
{
	for (struct bound_rule **at = &action->timers; rule->timer_listed && *at != NULL; at = &(*at)->timer_next) {
		if (*at == rule) {
			*at = rule->timer_next;
			rule->timer_listed = false;
			return;
		}
	}
}

bool action_attach(struct action *action, struct bound_rule *rule)
{
	return claims_make(&action->actuators, rule);
}

void action_take_over(struct action *action, struct bound_rule *rule, const struct bound_rule *before)
{
	rule->state = before->state;
	claims_take_over(rule, before);
	timer_list(action, rule);
}

void action_detach(struct action *action, struct bound_rule *rule)
{
	timer_unlist(action, rule);
	claims_drop(&action->actuators, rule);
}

/* ---- commands ---- */

static void send(struct action *action, struct actuator *actuator, const struct claim *claim, const struct value *value,
                 struct moment moment)
{
	struct bound_rule *rule = claim->rule;
	struct command command = {
		.topic = actuator->topic,
		.value = *value,
		.rule = rule->rule,
		.cause = moment.cause,
		.hop = moment.hop + 1,
	};
	/* A claim behind a closed gate that would win is still owed its command. */
	const struct claim *top = actuator_winner(&action->actuators, actuator, false);
	actuator->withheld = top != NULL && top != claim;
	if (command.hop > ACTION_HOPS_MAX) {
		if (!rule->loop_reported)
			action->callbacks.loop(action->callbacks.context, &command);
		rule->loop_reported = true;
		return;
	}
	char buffer[NUMBER_TEXT_MAX];
	struct slice text = value_print(value, buffer);
	free(actuator->sent);
	actuator->sent = strndup(text.ptr, text.len);
	action->commands++;
	action->callbacks.command(action->callbacks.context, &command);
}

static bool was_sent(const struct actuator *actuator, const struct value *value)
{
	char buffer[NUMBER_TEXT_MAX];
	return actuator->sent != NULL && slice_is(value_print(value, buffer), actuator->sent);
}

/* A claim begins to hold, or wants something new. */
static void hold(struct action *action, struct claim *claim, struct moment moment)
{
	struct actuator *actuator = claim->actuator;
	claim_hold(claim, ++action->order);
	actuator->resting = NULL;
	if (!claim_gate_open(&action->actuators, claim))
		actuator->withheld = true;
	else if (actuator_winner(&action->actuators, actuator, true) == claim)
		send(action, actuator, claim, claim_wanted(claim), moment);
}

/* A claim holds no longer: the next one takes over, or with none left the rule's `else` speaks. */
static void release(struct action *action, struct claim *claim, struct moment moment)
{
	struct actuator *actuator = claim->actuator;
	claim_let_go(claim);
	if (actuator_winner(&action->actuators, actuator, false) != NULL) {
		const struct claim *next = actuator_winner(&action->actuators, actuator, true);
		if (next == NULL)
			actuator->withheld = true;
		else if (!was_sent(actuator, claim_wanted(next)))
			send(action, actuator, next, claim_wanted(next), moment);
		return;
	}
	actuator->resting = claim->to[OCCASION_ELSE] != NULL ? claim : NULL;
	if (claim->to[OCCASION_ELSE] == NULL)
		return;
	if (claim_gate_open(&action->actuators, claim))
		send(action, actuator, claim, &claim->to[OCCASION_ELSE]->value, moment);
	else
		actuator->withheld = true;
}

static void actuator_catch_up(struct action *action, struct actuator *actuator, int hop)
{
	const struct claim *top = actuator_winner(&action->actuators, actuator, false);
	const struct claim *claim = actuator_winner(&action->actuators, actuator, true);
	struct moment moment = {NULL, hop};
	if (!actuator->withheld)
		return;
	/* Only one of two gates opened: who still waits is owed its command, and who holds has had it. */
	if (claim != NULL && claim != top && was_sent(actuator, claim_wanted(claim)))
		return;
	if (claim != NULL)
		send(action, actuator, claim, claim_wanted(claim), moment);
	else if (top == NULL && actuator->resting != NULL && claim_gate_open(&action->actuators, actuator->resting))
		send(action, actuator, actuator->resting, &actuator->resting->to[OCCASION_ELSE]->value, moment);
}

bool action_set_auto(struct action *action, struct slice name, bool on, int hop)
{
	if (slice_is(name, TOPIC_ALL)) {
		action->actuators.house_off = !on;
		for (struct actuator *actuator = action->actuators.by_name; on && actuator != NULL;
		     actuator = actuator->hh.next)
			actuator_catch_up(action, actuator, hop);
		return true;
	}
	struct location *location = location_intern(&action->actuators, name);
	if (location == NULL)
		return false;
	location->auto_off = !on;
	for (struct actuator *actuator = location->actuators; on && actuator != NULL; actuator = actuator->next)
		actuator_catch_up(action, actuator, hop);
	return true;
}

bool action_auto(const struct action *action, struct slice name)
{
	if (slice_is(name, TOPIC_ALL))
		return !action->actuators.house_off;
	const struct location *location = location_find(&action->actuators, name);
	return location == NULL || !location->auto_off;
}

void action_overridden(struct action *action, struct slice name)
{
	struct actuator *actuator = actuator_find(&action->actuators, name);
	if (actuator != NULL)
		actuator->withheld = true;
}

/* ---- running rules ---- */

/* Commands of an occasion go out in the order in which its list names them. */
static void then_run(struct action *action, struct bound_rule *rule, struct moment moment)
{
	for (size_t i = 0; i < rule->rule->then_do.count; i++) {
		struct claim *claim = claim_by(rule, OCCASION_THEN, i);
		if (claim != NULL && claim->to[OCCASION_ALWAYS] == NULL)
			hold(action, claim, moment);
	}
}

static void else_run(struct action *action, struct bound_rule *rule, struct moment moment)
{
	for (size_t i = 0; i < rule->rule->else_do.count; i++) {
		struct claim *claim = claim_by(rule, OCCASION_ELSE, i);
		if (claim != NULL && claim->to[OCCASION_ALWAYS] == NULL)
			release(action, claim, moment);
	}
	for (size_t i = 0; i < rule->claim_count; i++) {
		struct claim *claim = &rule->claims[i];
		if (claim->to[OCCASION_ELSE] == NULL && claim->to[OCCASION_ALWAYS] == NULL)
			release(action, claim, moment);
	}
}

static void rule_step(struct action *action, struct bound_rule *rule, struct moment moment, int64_t now_ms)
{
	enum rule_edge edge = rule_evaluate(rule->rule, &rule->state, &rule->subject->latest, rule->latest, now_ms);
	timer_list(action, rule);
	if (edge == RULE_THEN || edge == RULE_ELSE)
		action->fired++;
	if (edge == RULE_THEN)
		then_run(action, rule, moment);
	else if (edge == RULE_ELSE)
		else_run(action, rule, moment);
}

static void always_step(struct action *action, struct bound_rule *rule, struct moment moment)
{
	const struct value *value = &rule->subject->latest.value;
	for (size_t i = 0; value->is_number && i < rule->claim_count; i++) {
		struct claim *claim = &rule->claims[i];
		if (claim->to[OCCASION_ALWAYS] == NULL)
			continue;
		struct value result = value_of_number(scale_apply(&claim->to[OCCASION_ALWAYS]->scale, value->number));
		if (claim->holds && value_equal(&claim->always, &result))
			continue;
		claim->always = result;
		action->fired++;
		hold(action, claim, moment);
	}
}

void action_run(struct action *action, const struct series *series, int hop, int64_t now_ms)
{
	struct moment moment = {series, hop};
	for (uint32_t i = 0; i < series->watcher_count; i++) {
		struct bound_rule *rule = series->watchers[i];
		if (rule->rule->has_condition)
			rule_step(action, rule, moment, now_ms);
		if (rule->rule->always_do.count > 0 && rule->subject == series)
			always_step(action, rule, moment);
	}
}

void action_tick(struct action *action, int64_t now_ms)
{
	if (now_ms < action->next_due)
		return;
	struct bound_rule *due = NULL;
	action->next_due = INT64_MAX;
	for (struct bound_rule **at = &action->timers; *at != NULL;) {
		struct bound_rule *rule = *at;
		int64_t due_ms = rule->state.due_ms;
		if (due_ms > now_ms) {
			action->next_due = due_ms < action->next_due ? due_ms : action->next_due;
			at = &rule->timer_next;
			continue;
		}
		*at = rule->timer_next;
		rule->timer_listed = false;
		if (due_ms != 0) {
			rule->timer_next = due;
			due = rule;
		}
	}
	while (due != NULL) {
		struct bound_rule *rule = due;
		due = rule->timer_next;
		rule_step(action, rule, (struct moment){rule->subject, 0}, now_ms);
	}
}

int64_t action_next_due(const struct action *action)
{
	return action->next_due;
}

uint64_t action_commands(const struct action *action)
{
	return action->commands;
}

uint64_t action_fired(const struct action *action)
{
	return action->fired;
}
