/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * actuator: see actuator.h.
 */
#include "actuator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void actuators_free(struct actuators *all)
{
	struct actuator *actuator = all->by_name;
	struct location *location = all->locations;
	HASH_CLEAR(hh, all->by_name); /* the table goes, the elements stay linked */
	HASH_CLEAR(hh, all->locations);
	while (actuator != NULL) {
		struct actuator *next = actuator->hh.next;
		free(actuator->topic);
		free(actuator->sent);
		free(actuator);
		actuator = next;
	}
	while (location != NULL) {
		struct location *next = location->hh.next;
		free(location->name);
		free(location);
		location = next;
	}
}

struct location *location_find(const struct actuators *all, struct slice name)
{
	struct location *location = NULL;
	HASH_FIND(hh, all->locations, name.ptr, name.len, location);
	return location;
}

struct location *location_intern(struct actuators *all, struct slice name)
{
	struct location *location = location_find(all, name);
	if (location != NULL)
		return location;
	location = calloc(1, sizeof *location);
	char *copy = strndup(name.ptr, name.len);
	if (location == NULL || copy == NULL) {
		free(location);
		free(copy);
		return NULL;
	}
	location->name = copy;
	HASH_ADD_KEYPTR(hh, all->locations, location->name, name.len, location);
	if (location->hh.tbl == NULL) {
		free(location->name);
		free(location);
		return NULL;
	}
	return location;
}

static void actuator_free(struct actuators *all, struct actuator *actuator)
{
	*(actuator->before != NULL ? &actuator->before->next : &actuator->location->actuators) = actuator->next;
	if (actuator->next != NULL)
		actuator->next->before = actuator->before;
	HASH_DEL(all->by_name, actuator);
	free(actuator->topic);
	free(actuator->sent);
	free(actuator);
}

struct actuator *actuator_find(const struct actuators *all, struct slice name)
{
	struct actuator *actuator = NULL;
	HASH_FIND(hh, all->by_name, name.ptr, name.len, actuator);
	return actuator;
}

static struct actuator *actuator_intern(struct actuators *all, const char *target)
{
	size_t len = strlen(target);
	struct actuator *actuator = actuator_find(all, (struct slice){target, len});
	if (actuator != NULL)
		return actuator;

	struct location *location = location_intern(all, (struct slice){target, strcspn(target, "/")});
	actuator = calloc(1, sizeof *actuator);
	char *topic = NULL;
	if (location == NULL || actuator == NULL || asprintf(&topic, "%s/set", target) < 0) {
		free(actuator);
		return NULL;
	}
	actuator->topic = topic;
	HASH_ADD_KEYPTR(hh, all->by_name, actuator->topic, len, actuator);
	if (actuator->hh.tbl == NULL) {
		free(actuator->topic);
		free(actuator);
		return NULL;
	}
	actuator->location = location;
	actuator->next = location->actuators;
	if (actuator->next != NULL)
		actuator->next->before = actuator;
	location->actuators = actuator;
	return actuator;
}

static struct claim *claim_of(struct bound_rule *rule, const struct actuator *actuator)
{
	for (size_t i = 0; i < rule->claim_count; i++) {
		if (rule->claims[i].actuator == actuator)
			return &rule->claims[i];
	}
	return NULL;
}

static const struct action_list *list_of(const struct rule *rule, enum occasion occasion)
{
	switch (occasion) {
	case OCCASION_THEN:
		return &rule->then_do;
	case OCCASION_ELSE:
		return &rule->else_do;
	default:
		return &rule->always_do;
	}
}

/* Enters each action of a list in the claim on its actuator; the last one counts where a list names one twice. */
static bool claims_enter(struct actuators *all, struct bound_rule *rule, enum occasion occasion)
{
	const struct action_list *list = list_of(rule->rule, occasion);
	for (size_t i = 0; i < list->count; i++) {
		const struct action_to *to = &list->items[i];
		struct actuator *actuator = actuator_intern(all, to->target);
		if (actuator == NULL)
			return false;
		struct claim *claim = claim_of(rule, actuator);
		if (claim == NULL) {
			claim = &rule->claims[rule->claim_count++];
			*claim = (struct claim){.rule = rule, .actuator = actuator};
			actuator->claim_count++;
		}
		claim->to[occasion] = to;
	}
	return true;
}

struct claim *claim_by(struct bound_rule *rule, enum occasion occasion, size_t n)
{
	const struct action_to *to = &list_of(rule->rule, occasion)->items[n];
	for (size_t i = 0; i < rule->claim_count; i++) {
		if (rule->claims[i].to[occasion] == to)
			return &rule->claims[i];
	}
	return NULL;
}

bool claims_make(struct actuators *all, struct bound_rule *rule)
{
	const struct rule *r = rule->rule;
	size_t most = r->then_do.count + r->else_do.count + r->always_do.count;

	rule->claims = calloc(most + 1, sizeof *rule->claims);
	rule->claim_count = 0;
	if (rule->claims == NULL)
		return false;
	if (claims_enter(all, rule, OCCASION_THEN) && claims_enter(all, rule, OCCASION_ELSE) &&
	    claims_enter(all, rule, OCCASION_ALWAYS))
		return true;
	claims_drop(all, rule);
	return false;
}

void claims_drop(struct actuators *all, struct bound_rule *rule)
{
	for (size_t i = 0; i < rule->claim_count; i++) {
		struct claim *claim = &rule->claims[i];
		struct actuator *actuator = claim->actuator;
		claim_let_go(claim);
		if (actuator->resting == claim)
			actuator->resting = NULL;
		if (--actuator->claim_count == 0)
			actuator_free(all, actuator);
	}
	free(rule->claims);
	rule->claims = NULL;
	rule->claim_count = 0;
}

/* True if `a` goes before `b`, which may be NULL. */
static bool claim_beats(const struct claim *a, const struct claim *b)
{
	if (b == NULL)
		return true;
	int pa = a->rule->rule->priority, pb = b->rule->rule->priority;
	return pa != pb ? pa > pb : a->since > b->since;
}

static struct claim **holders_of(const struct claim *claim)
{
	return &claim->actuator->holders[claim->rule->rule->obeys_auto];
}

/* Links a claim in between two neighbours, either of which may be NULL. */
static void link_between(struct claim *before, struct claim *claim, struct claim *next)
{
	claim->before = before;
	claim->next = next;
	*(before != NULL ? &before->next : holders_of(claim)) = claim;
	if (next != NULL)
		next->before = claim;
}

void claim_hold(struct claim *claim, uint64_t since)
{
	struct claim *before = NULL;

	claim_let_go(claim);
	claim->since = since;
	claim->holds = true;
	/* The newest goes in front of its equals, so only higher priorities are passed. */
	struct claim *next = *holders_of(claim);
	while (next != NULL && !claim_beats(claim, next)) {
		before = next;
		next = next->next;
	}
	link_between(before, claim, next);
}

void claim_let_go(struct claim *claim)
{
	if (!claim->holds)
		return;
	*(claim->before != NULL ? &claim->before->next : holders_of(claim)) = claim->next;
	if (claim->next != NULL)
		claim->next->before = claim->before;
	claim->before = claim->next = NULL;
	claim->holds = false;
}

/* The same rule in two configs has the same priority: the new claim takes the old one's place among the holders. */
static void holder_replace(struct claim *old, struct claim *claim)
{
	claim->since = old->since;
	if (!old->holds)
		return;
	claim->holds = true;
	link_between(old->before, claim, old->next);
	old->holds = false;
	old->before = old->next = NULL;
}

void claims_take_over(struct bound_rule *rule, const struct bound_rule *before)
{
	for (size_t i = 0; i < rule->claim_count; i++) {
		struct claim *claim = &rule->claims[i];
		for (size_t j = 0; j < before->claim_count; j++) {
			struct claim *old = &before->claims[j];
			if (old->actuator != claim->actuator)
				continue;
			holder_replace(old, claim);
			claim->always = old->always;
			if (claim->actuator->resting == old)
				claim->actuator->resting = claim;
		}
	}
}

bool claim_gate_open(const struct actuators *all, const struct claim *claim)
{
	if (!claim->rule->rule->obeys_auto)
		return true;
	return !all->house_off && !claim->actuator->location->auto_off;
}

const struct claim *actuator_winner(const struct actuators *all, const struct actuator *actuator, bool only_open)
{
	const struct claim *always = actuator->holders[false], *obeying = actuator->holders[true];
	if (obeying == NULL || (only_open && !claim_gate_open(all, obeying)))
		return always;
	return claim_beats(obeying, always) ? obeying : always;
}

const struct value *claim_wanted(const struct claim *claim)
{
	return claim->to[OCCASION_ALWAYS] != NULL ? &claim->always : &claim->to[OCCASION_THEN]->value;
}
