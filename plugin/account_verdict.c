/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_verdict: what an account's rules say of a topic, of a filter, and why.
 *
 * Rules stand from the most specific to the least, so the first that matches decides; each right is decided on its own,
 * by its own list. At a check nearly every rule is passed over by its probe, with a handful of instructions and no call;
 * of the others, those of a common shape are matched here, where what they begin and end in is known.
 */
#include "account_filter.h"
#include "account_internal.h"

#include <stdio.h>
#include <string.h>

/* Room to put a rule's filter together in. */
struct room {
	char bytes[FILTER_MAX];
};

/*
 * A rule's filter for this client id. False: it matches nothing, since the client id is none that may stand in a level,
 * or would make of it a topic that begins with $.
 */
static bool rule_filter(const struct account *account, const struct account_rule *rule, struct slice client_id,
                        struct room *room, struct slice *out)
{
	*out = account_filter(account, rule);
	if (rule->shape != SHAPE_CLIENT)
		return true;
	if (!account_is_part(client_id))
		return false;
	const struct account_names names = {
		.user = account_text(account, account->name),
		.client_id = client_id,
		.location = account_text(account, account->location),
		.device = account_text(account, account->device),
	};
	bool named_first = out->ptr[0] == '%';
	*out = (struct slice){room->bytes, account_expand(*out, &names, room->bytes, sizeof room->bytes)};
	return out->len <= sizeof room->bytes && !(named_first && out->ptr[0] == '$');
}

/* Apart, so that only these rules pay for the room. */
static __attribute__((noinline)) bool client_rule_matches(const struct account *account,
                                                          const struct account_rule *rule, struct slice client_id,
                                                          struct slice topic)
{
	struct room room;
	struct slice filter;
	return rule_filter(account, rule, client_id, &room, &filter) && topic_matches(filter, topic);
}

/* How many of eight bytes are slashes; each that is one leaves its highest bit, and the product adds them up. */
static size_t slashes_of(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), low = ones * 0x7F;
	uint64_t other = word ^ ones * '/';
	uint64_t found = ~(((other & low) + low) | other | low);
	return (found >> 7) * ones >> 56;
}

static size_t slashes_in(const char *at, size_t len)
{
	size_t count = 0;
	for (; len >= sizeof(uint64_t); at += sizeof(uint64_t), len -= sizeof(uint64_t))
		count += slashes_of(account_load(at));
	for (; len > 0; len--)
		count += at[len - 1] == '/';
	return count;
}

/* Does the topic begin with $, and the filter with one of its wildcards? (Or with the / of "/#", which $ is not.) */
static inline bool is_out_of_reach(const struct account_rule *rule, struct slice topic)
{
	return rule->prefix == 0 && topic.ptr[0] == '$';
}

/* The filter is prefix, + for each of a row of levels, suffix. */
static inline bool levels_match(const struct account_rule *rule, const char *filter, struct slice topic)
{
	size_t suffix = rule->len - rule->prefix - (2U * rule->pluses - 1);
	size_t middle = topic.len - rule->prefix - suffix;
	return !is_out_of_reach(rule, topic) && account_same(topic.ptr, filter, rule->prefix) &&
	       account_same(topic.ptr + topic.len - suffix, filter + rule->len - suffix, suffix) &&
	       slashes_in(topic.ptr + rule->prefix, middle) == rule->pluses - 1U;
}

/* The filter is a # behind its stem, "a/" or nothing: a topic goes on from there, or is the stem without its slash. */
static inline bool tree_matches(const struct account_rule *rule, const char *filter, struct slice topic)
{
	size_t stem = rule->len - 1U;
	return !is_out_of_reach(rule, topic) && account_same(topic.ptr, filter, topic.len < stem ? topic.len : stem);
}

/* Once the probe was found in the topic. */
static inline bool rule_matches(const struct account *account, const struct account_rule *rule, struct slice client_id,
                                struct slice topic)
{
	struct slice filter = account_filter(account, rule);
	if (topic.len < rule->shortest)
		return false;
	switch ((enum account_shape)rule->shape) {
	case SHAPE_EVERYTHING:
		return true;
	case SHAPE_LITERAL:
		return topic.len == filter.len && account_same(topic.ptr, filter.ptr, filter.len);
	case SHAPE_TREE:
		return tree_matches(rule, filter.ptr, topic);
	case SHAPE_LEVELS:
		return levels_match(rule, filter.ptr, topic);
	case SHAPE_CLIENT:
		return client_rule_matches(account, rule, client_id, topic);
	case SHAPE_OTHER:
		break;
	}
	return topic_matches(filter, topic);
}

/* ---- topics ---- */

/* The rules of one right. */
struct rules {
	const struct account_rule *first, *end;
};

static inline struct rules rules_of(const struct account *account, int right)
{
	const struct account_rule *writing = account->rules + account->read_count;
	if (right == RIGHT_READ)
		return (struct rules){account->rules, writing};
	return (struct rules){writing, writing + account->write_count};
}

/* The rule that decides one right on a topic; NULL: none matches. */
static const struct account_rule *decide(const struct account *account, int right, struct slice client_id,
                                         struct slice topic)
{
	static const char none[ACCOUNT_PROBE];
	const struct rules rules = rules_of(account, right);
	/* What is shorter than a probe, or longer than any topic, passes every probe. */
	bool probed = topic.len >= ACCOUNT_PROBE && topic.len <= FILTER_MAX;
	const char *begin = probed ? topic.ptr : none;
	size_t last = probed ? topic.len - ACCOUNT_PROBE : 0;
	uint64_t care = probed ? UINT64_MAX : 0;

	for (const struct account_rule *rule = rules.first; rule < rules.end; rule++) {
		/* ACCOUNT_AT_END is behind `last`. So is a probe in topics longer than this: whatever it finds here will do. */
		uint64_t seen = account_load(begin + (rule->probe_at < last ? rule->probe_at : last));
		if (((seen ^ rule->probe) & rule->probe_mask & care) == 0 && rule_matches(account, rule, client_id, topic))
			return rule;
	}
	return NULL;
}

/* Of both rights: the rule that denies one, the first of two; or the last that was needed to allow both; or none. */
static __attribute__((noinline)) const struct account_rule *decide_both(const struct account *account,
                                                                        struct slice client_id, struct slice topic)
{
	const struct account_rule *read = decide(account, RIGHT_READ, client_id, topic);
	const struct account_rule *write = decide(account, RIGHT_WRITE, client_id, topic);
	if (read == NULL || write == NULL) {
		const struct account_rule *only = read != NULL ? read : write;
		return only != NULL && !only->allow ? only : NULL;
	}
	if (read->allow != write->allow)
		return read->allow ? write : read;
	bool read_first = account_rule_order(account, read, write) < 0;
	return read_first == read->allow ? write : read;
}

/* Fills in a reason; `rule` NULL: none matched. Apart, so that only who asks for one pays for it. */
static __attribute__((noinline)) void explain(const struct account *account, const struct account_rule *rule,
                                              struct account_reason *reason)
{
	static const char *const right_names[] = {[RIGHT_READ] = "read", [RIGHT_WRITE] = "write", [RIGHT_ALL] = "all"};

	*reason = (struct account_reason){.none = rule == NULL};
	if (rule == NULL)
		return;
	char head[32];
	if (rule->by_role)
		snprintf(head, sizeof head, "role %s: ", role_name(account_role(account)));
	else
		snprintf(head, sizeof head, "%s ", rule->allow ? "allow" : "deny");
	reason->by_role = rule->by_role;
	if (rule->len == 0)
		snprintf(reason->rule, sizeof reason->rule, "%severything", head);
	else
		snprintf(reason->rule, sizeof reason->rule, "%s%s %.*s", head, right_names[rule->rights], (int)rule->len,
		         account_filter(account, rule).ptr);
	/* A character that was cut in two goes. */
	size_t len = strlen(reason->rule);
	while (len > 0 && !utf8_valid((struct slice){reason->rule, len}))
		reason->rule[--len] = '\0';
}

bool account_may(const struct account *account, int rights, struct slice client_id, struct slice topic,
                 struct account_reason *reason)
{
	const struct account_rule *rule = NULL;
	if (rights == RIGHT_ALL)
		rule = decide_both(account, client_id, topic);
	else if (rights != 0)
		rule = decide(account, rights, client_id, topic);
	if (reason != NULL)
		explain(account, rule, reason);
	return rule != NULL && rule->allow;
}

/* ---- filters ---- */

/* Is what a rule's filter and the asked one have in common decided by one rule before it? */
static bool overruled(const struct account *account, const struct account_rule *rule, struct slice own, int right,
                      struct slice client_id, struct slice asked)
{
	struct room room;
	struct slice before;
	for (const struct account_rule *other = rules_of(account, right).first; other < rule; other++) {
		if (rule_filter(account, other, client_id, &room, &before) && account_filter_covers(before, own, asked))
			return true;
	}
	return false;
}

/*
 * From the most specific rule to the least, as for a topic: what meets the filter only in part is kept in mind, and the
 * first that covers all of it decides the rest. That several rules before one may overrule it together is not looked
 * at: so NOTHING and ALL are sure, SOME is not.
 */
static enum coverage covers_right(const struct account *account, int right, struct slice client_id, struct slice asked)
{
	const struct rules rules = rules_of(account, right);
	bool some_allowed = false, some_denied = false;
	struct room room;

	for (const struct account_rule *rule = rules.first; rule < rules.end; rule++) {
		bool *some = rule->allow ? &some_allowed : &some_denied;
		struct slice own;
		if (!rule_filter(account, rule, client_id, &room, &own) || !account_filter_meet(own, asked))
			continue;
		if (account_filter_covers(own, asked, asked)) {
			if (rule->allow)
				return some_denied ? COVERS_SOME : COVERS_ALL;
			break;
		}
		if (!*some)
			*some = !overruled(account, rule, own, right, client_id, asked);
		if (some_allowed && some_denied)
			return COVERS_SOME;
	}
	return some_allowed ? COVERS_SOME : COVERS_NOTHING;
}

enum coverage account_covers(const struct account *account, int rights, struct slice client_id, struct slice filter)
{
	enum coverage least = rights != 0 ? COVERS_ALL : COVERS_NOTHING;
	struct slice asked;

	if (!account_filter_unshare(filter, &asked) || !topic_filter_valid(asked))
		return COVERS_NOTHING;
	for (int right = RIGHT_READ; right <= RIGHT_WRITE; right <<= 1) {
		enum coverage coverage = (rights & right) != 0 ? covers_right(account, right, client_id, asked) : COVERS_ALL;
		if (coverage < least)
			least = coverage;
	}
	return least;
}
