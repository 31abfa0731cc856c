/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * series: the hash of live series, one for each four-level topic that carried something.
 *
 * Broker thread only. A message costs one look-up here; everything that is known about its topic hangs on the series:
 * latest value, limits, the rules that read it. Series are never removed while the broker runs.
 */
#ifndef HEARTH_SERIES_H
#define HEARTH_SERIES_H

#include "rule.h"
#include "topic.h"

struct claim; /* of the action module */
struct resend_ring;

/* A rule bound to live series. Made by the catalog, run by the action module. */
struct bound_rule {
	const struct rule *rule;
	struct rule_state state;
	struct series *subject;
	struct series **inputs;       /* rule->input_count of them */
	const struct latest **latest; /* their latest values, as rule_evaluate wants them */
	struct claim *claims;         /* one for each actuator the rule commands */
	size_t claim_count;
	struct bound_rule *timer_next; /* in the action module's list while a `for` runs */
	bool timer_listed;
	bool loop_reported;
};

struct series {
	/* What every message touches comes first. */
	uint64_t hash;
	uint32_t name_len;
	uint32_t number;  /* names it in the journal */
	uint64_t segment; /* journal segment that defines its number; 0: none yet */
	uint8_t subject;  /* enum topic_subject */
	bool own;         /* of Hearth's own device: only Hearth publishes its values and states */
	bool text_stored; /* a word was stored last */
	uint32_t watcher_count;
	struct bound_rule **watchers; /* every rule that reads this series, its own among them */
	struct config *config;        /* its own limits and rules; NULL: none */
	struct latest latest;
	struct bound_rule *rules;   /* of its config */
	size_t rule_count;          /* less than the config has if they could not be bound */
	struct resend_ring *resend; /* NULL until a reading came that may be sent again */
	int64_t stored_us;          /* the last stored reading, for the deadband; INT64_MIN: none yet */
	double stored_number;
	uint16_t level_end[3]; /* where location, device and sensor end in the name */
	char name[];           /* four levels, NUL-terminated */
};

struct series_table;

/* A table for at most `max` series; `seed` is random, against topics chosen to collide. NULL: no memory. */
struct series_table *series_table_new(size_t max, uint64_t seed);
/* Frees the table and its series, but not what the catalog bound to them. */
void series_table_free(struct series_table *table);

/* The series of a topic name; NULL if there is none. */
struct series *series_find(const struct series_table *table, struct slice name);

/*
 * The series of a topic name, made if it is new; `topic` is the name's parse. *made says which. NULL if the table is
 * full or there is no memory.
 */
struct series *series_intern(struct series_table *table, struct slice name, const struct topic *topic, bool *made);

size_t series_count(const struct series_table *table);
/* The n-th in order of first appearance, n < series_count. */
struct series *series_at(const struct series_table *table, size_t n);

/* Its name split again. */
struct topic series_topic(const struct series *series);

/* Takes a value as the latest; its text is copied. False without memory, the latest value then unchanged. */
bool series_set_latest(struct series *series, const struct value *value, int64_t time_us, int64_t received_ms);

/* A whole batch may come again because its acknowledgement was lost, so as many are remembered as a batch may hold. */
#define SERIES_RESEND_KEYS 1024

/* True if a reading with this key (reading.resend_key, not 0) was among the last SERIES_RESEND_KEYS remembered. */
bool series_is_resend(const struct series *series, uint64_t key);

/* Remembers the key of a reading that was taken in. Without memory it is not, and a resend is stored again. */
void series_remember(struct series *series, uint64_t key);

/* Adds or removes a rule among those that read the series; a rule is added once at most. False: no memory. */
bool series_watch(struct series *series, struct bound_rule *rule);
void series_unwatch(struct series *series, const struct bound_rule *rule);

#endif
