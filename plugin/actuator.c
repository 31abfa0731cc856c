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
	if (!claims_enter(all, rule, OCCASION_THEN) || !claims_enter(all, rule, OCCASION_ELSE) ||
	    !claims_enter(all, rule, OCCASION_ALWAYS)) {
		free(rule->claims);
		rule->claims = NULL;
		rule->claim_count = 0;
		return false;
	}
	for (size_t i = 0; i < rule->claim_count; i++) {
		rule->claims[i].next = rule->claims[i].actuator->claims;
		rule->claims[i].actuator->claims = &rule->claims[i];
	}
	return true;
}

void claims_drop(struct bound_rule *rule)
{
	for (size_t i = 0; i < rule->claim_count; i++) {
		struct actuator *actuator = rule->claims[i].actuator;
		for (struct claim **at = &actuator->claims; *at != NULL; at = &(*at)->next) {
			if (*at == &rule->claims[i]) {
				*at = rule->claims[i].next;
				break;
			}
		}
		if (actuator->resting == &rule->claims[i])
			actuator->resting = NULL;
	}
	free(rule->claims);
	rule->claims = NULL;
	rule->claim_count = 0;
}

void claims_take_over(struct bound_rule *rule, const struct bound_rule *before)
{
	for (size_t i = 0; i < rule->claim_count; i++) {
		struct claim *claim = &rule->claims[i];
		for (size_t j = 0; j < before->claim_count; j++) {
			const struct claim *old = &before->claims[j];
			if (old->actuator != claim->actuator)
				continue;
			claim->holds = old->holds;
			claim->since = old->since;
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

/* True if `a` goes before `b`, which may be NULL. */
static bool claim_beats(const struct claim *a, const struct claim *b)
{
	if (b == NULL)
		return true;
	int pa = a->rule->rule->priority, pb = b->rule->rule->priority;
	return pa != pb ? pa > pb : a->since > b->since;
}

const struct claim *actuator_winner(const struct actuators *all, const struct actuator *actuator, bool only_open)
{
	const struct claim *winner = NULL;
	for (const struct claim *claim = actuator->claims; claim != NULL; claim = claim->next) {
		if (claim->holds && (!only_open || claim_gate_open(all, claim)) && claim_beats(claim, winner))
			winner = claim;
	}
	return winner;
}

const struct value *claim_wanted(const struct claim *claim)
{
	return claim->to[OCCASION_ALWAYS] != NULL ? &claim->always : &claim->to[OCCASION_THEN]->value;
}
