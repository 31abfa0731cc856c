/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_verdict: what an account's rules say of a topic, of a filter, and why.
 *
 * Rules stand from the most specific to the least, so the first that matches decides; each right is decided on its own.
 * At a check nearly every rule is passed over by its right, or by a look at both ends of the topic.
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
	*out = (struct slice){account->text + rule->at, rule->len};
	if (!rule->by_client)
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

/* Apart from rule_matches, so that only these pay for the room. */
static __attribute__((noinline)) bool client_rule_matches(const struct account *account,
                                                          const struct account_rule *rule, struct slice client_id,
                                                          struct slice topic)
{
	struct room room;
	struct slice filter;
	return rule_filter(account, rule, client_id, &room, &filter) && topic_matches(filter, topic);
}

static inline bool rule_matches(const struct account *account, const struct account_rule *rule, struct slice client_id,
                                struct slice topic)
{
	const char *filter = account->text + rule->at;
	if (rule->len == 0)
		return true;
	if (topic.len < rule->prefix || topic.len < rule->suffix)
		return false;
	if (memcmp(topic.ptr + topic.len - rule->suffix, filter + rule->len - rule->suffix, rule->suffix) != 0)
		return false;
	if (memcmp(topic.ptr, filter, rule->prefix) != 0)
		return false;
	if (rule->by_client)
		return client_rule_matches(account, rule, client_id, topic);
	return topic_matches((struct slice){filter, rule->len}, topic);
}

/* Fills in a reason; `rule` NULL: none matched. */
static void explain(const struct account *account, const struct account_rule *rule, struct account_reason *reason)
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
		         account->text + rule->at);
	/* A character that was cut in two goes. */
	size_t len = strlen(reason->rule);
	while (len > 0 && !utf8_valid((struct slice){reason->rule, len}))
		reason->rule[--len] = '\0';
}

bool account_may(const struct account *account, int rights, struct slice client_id, struct slice topic,
                 struct account_reason *reason)
{
	const struct account_rule *end = account->rules + account->rule_count;
	const struct account_rule *rule = account->rules;
	bool yes = false;

	for (int left = rights; rule < end; rule++) {
		if ((rule->rights & left) == 0 || !rule_matches(account, rule, client_id, topic))
			continue;
		left &= ~(int)rule->rights;
		yes = rule->allow && left == 0;
		if (yes || !rule->allow)
			break;
	}
	if (reason != NULL)
		explain(account, rule < end ? rule : NULL, reason);
	return yes;
}

/* ---- filters ---- */

/* Is what a rule's filter and the asked one have in common decided by one rule before it? */
static bool overruled(const struct account *account, const struct account_rule *rule, struct slice own, int right,
                      struct slice client_id, struct slice asked)
{
	struct room room;
	struct slice before;
	for (const struct account_rule *other = account->rules; other < rule; other++) {
		if ((other->rights & right) != 0 && rule_filter(account, other, client_id, &room, &before) &&
		    account_filter_covers(before, own, asked))
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
	const struct account_rule *end = account->rules + account->rule_count;
	bool some_allowed = false, some_denied = false;
	struct room room;

	for (const struct account_rule *rule = account->rules; rule < end; rule++) {
		bool *some = rule->allow ? &some_allowed : &some_denied;
		struct slice own;
		if ((rule->rights & right) == 0 || !rule_filter(account, rule, client_id, &room, &own) ||
		    !account_filter_meet(own, asked))
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
