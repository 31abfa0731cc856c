/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * actuator: who has a say over which actuator, and who wins.
 *
 *   rule ──< claim >── actuator >── location
 *
 * A claim is one rule's say over one actuator. An actuator is there while a rule names it, a location from when a rule or a
 * switch first names it. Broker thread only.
 */
#ifndef HEARTH_ACTUATOR_H
#define HEARTH_ACTUATOR_H

#include "rule.h"
#include "series.h"

/* Without memory uthash would end the process; so it leaves hh.tbl NULL instead, see HASH_ADD_KEYPTR here. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* When a rule has a word for an actuator. */
enum occasion { OCCASION_THEN, OCCASION_ELSE, OCCASION_ALWAYS, OCCASION_COUNT };

struct location {
	char *name;
	bool auto_off;
	struct actuator *actuators;
	UT_hash_handle hh;
};

struct actuator {
	char *topic; /* location/device/actuator/set */
	struct location *location;
	struct actuator *before, *next; /* in its location */
	size_t claim_count;
	struct claim *holders[2];    /* claims that hold, the winner first: [0] acts at all times, [1] obeys the switch */
	const struct claim *resting; /* whose `else` spoke last with nothing holding; NULL: none */
	char *sent;                  /* text last sent; NULL: nothing yet */
	bool withheld;               /* the gate kept something back, or somebody else commanded the actuator since */
	UT_hash_handle hh;
};

struct claim {
	struct bound_rule *rule;
	struct actuator *actuator;
	const struct action_to *to[OCCASION_COUNT]; /* into the rule's config; NULL: says nothing then */
	struct value always;                        /* the last result of to[OCCASION_ALWAYS] */
	uint64_t since;                             /* order in which claims began to hold */
	bool holds;
	struct claim *before, *next; /* among the holders */
};

/* All of a house's actuators. Zero it to begin with. */
struct actuators {
	struct actuator *by_name;
	struct location *locations;
	bool house_off; /* the automation switch of the whole house */
};

void actuators_free(struct actuators *all); /* the claims must be gone */

/* The location of a name; intern makes it if it is new and is NULL without memory. */
struct location *location_find(const struct actuators *all, struct slice name);
struct location *location_intern(struct actuators *all, struct slice name);

/* The actuator "location/device/actuator"; NULL: no rule names it. */
struct actuator *actuator_find(const struct actuators *all, struct slice name);

/* Makes the claims of a bound rule and enters them with their actuators. False without memory, nothing being entered. */
bool claims_make(struct actuators *all, struct bound_rule *rule);

/* The claim that the n-th action of an occasion's list entered; NULL: a later action of the list has its place. */
struct claim *claim_by(struct bound_rule *rule, enum occasion occasion, size_t n);

/* Forgets a rule's claims, and actuators that no rule names any more. */
void claims_drop(struct actuators *all, struct bound_rule *rule);

/* A claim begins to hold at `since`, later than all others do, or holds no longer. A few steps, however many hold. */
void claim_hold(struct claim *claim, uint64_t since);
void claim_let_go(struct claim *claim);

/* Carries on from the claims of the same rule in the config before, which hold no longer then. */
void claims_take_over(struct bound_rule *rule, const struct bound_rule *before);

/* False while the automation switch of the actuator's location or of the house keeps this claim's commands back. */
bool claim_gate_open(const struct actuators *all, const struct claim *claim);

/*
 * The claim that wins among those that hold: the highest priority, then the one that came last. NULL: none holds. With
 * only_open, claims behind a closed gate do not count.
 */
const struct claim *actuator_winner(const struct actuators *all, const struct actuator *actuator, bool only_open);

/* What a holding claim wants. */
const struct value *claim_wanted(const struct claim *claim);

#endif
