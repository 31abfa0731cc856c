/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * action: what rules decide → gates, arbitration → commands.
 *
 * Every rule that names an actuator has a claim on it. The claim holds while the rule's `then` is true (an `always`
 * holds from its first result on). Of the holding claims the highest priority wins, then the one that came last; `else`
 * is sent only if none holds. Latches and claims follow the world at all times: the automation switch only withholds
 * the command, and when it opens again each withheld actuator is sent what is wanted by then.
 *
 * Broker thread only. Commands leave through a callback, one call each, in the order in which they are decided.
 */
#ifndef HEARTH_ACTION_H
#define HEARTH_ACTION_H

#include "rule.h"
#include "series.h"

/* A chain of rules, each moved by the command of the one before, is cut behind so many commands. */
#define ACTION_HOPS_MAX 8

struct command {
	const char *topic;          /* "location/device/actuator/set" */
	struct value value;         /* its text, like rule and cause, is valid until a config changes */
	const struct rule *rule;    /* who decided */
	const struct series *cause; /* whose latest value moved it; NULL: the automation switch */
	int hop;                    /* 1: straight from a reading */
};

struct action_callbacks {
	void (*command)(void *context, const struct command *command);
	/* A chain longer than ACTION_HOPS_MAX was cut here; once for each rule while its config stays. */
	void (*loop)(void *context, const struct command *command);
	void *context;
};

struct action;

struct action *action_new(const struct action_callbacks *callbacks); /* NULL: no memory */
void action_free(struct action *action);

/* Makes the claims of a rule that was just bound (rule, subject, inputs set; state zeroed). False: no memory. */
bool action_attach(struct action *action, struct bound_rule *rule);

/* Carries on with latch, timer and claims of the same rule (equal fingerprint) in the config that is being replaced. */
void action_take_over(struct action *action, struct bound_rule *rule, const struct bound_rule *before);

/* Forgets a rule: its timer ends and its claims hold no longer. Nothing is sent. */
void action_detach(struct action *action, struct bound_rule *rule);

/* Runs the rules that read a series after its latest value changed; `hop` is that of the message (0: from a client). */
void action_run(struct action *action, const struct series *series, int hop, int64_t now_ms);

/* Fires the `for` timers that are due. */
void action_tick(struct action *action, int64_t now_ms);

/* When the next timer is due (monotonic ms); INT64_MAX: none runs. */
int64_t action_next_due(const struct action *action);

/* A person or another system commanded the actuator "location/device/actuator": what is wanted is sent again when its gate next opens. */
void action_overridden(struct action *action, struct slice name);

/*
 * The automation switch of a location, or of the house if the name is "all". Opening sends what was withheld; `hop` is
 * that of the message that switched. False: no memory.
 */
bool action_set_auto(struct action *action, struct slice name, bool on, int hop);
bool action_auto(const struct action *action, struct slice name); /* that switch alone */

/* Commands sent so far, and how often a rule became true or false or the result of an `always` changed. */
uint64_t action_commands(const struct action *action);
uint64_t action_fired(const struct action *action);

#endif
