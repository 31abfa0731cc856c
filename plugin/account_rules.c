/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_rules: draft → account: what its role may and its grants, as rules from the most specific to the least.
 *
 * Everything is laid out twice by the same code: first without memory, to learn how much is needed, then into it.
 *
 * %u, %l and %d are put in here. A filter with %c stays as it was written and is put together at each check, all four
 * at once, so that no name's own "%c" is ever taken for one. Neither changes how specific a filter is, as no name put
 * in has a '/', '+' or '#': the order of rules holds for every client id.
 */
#include "account_filter.h"
#include "account_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The rules are written before what stands in front of them. */
static_assert(sizeof(struct account) == offsetof(struct account, rules), "rules begin behind the last byte");

/* ---- names in filters ---- */

static const struct slice *name_of(char letter, const struct account_names *names)
{
	switch (letter) {
	case 'u':
		return &names->user;
	case 'c':
		return &names->client_id;
	case 'l':
		return &names->location;
	case 'd':
		return &names->device;
	default:
		return NULL;
	}
}

size_t account_expand(struct slice filter, const struct account_names *names, char *out, size_t room)
{
	size_t len = 0;
	for (size_t i = 0; i < filter.len; i++) {
		const struct slice *name =
			filter.ptr[i] == '%' && i + 1 < filter.len ? name_of(filter.ptr[i + 1], names) : NULL;
		struct slice piece = name != NULL ? *name : (struct slice){filter.ptr + i, 1};
		if (piece.len <= room && len <= room - piece.len && piece.len > 0)
			memcpy(out + len, piece.ptr, piece.len);
		len += piece.len;
		i += name != NULL;
	}
	return len;
}

bool account_filter_names(struct slice filter, char letter)
{
	for (size_t i = 0; i + 1 < filter.len; i++) {
		if (filter.ptr[i] == '%' && filter.ptr[i + 1] == letter)
			return true;
	}
	return false;
}

bool account_is_part(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (strchr("/+#", name.ptr[i]) != NULL) /* or the NUL behind them */
			return false;
	}
	return name.len > 0;
}

struct slice account_draft_location(const struct account_draft *draft)
{
	return draft->location_count == 1 ? draft->locations[0] : draft->location;
}

/* ---- what a role may ---- */

#define ADMIN    (1U << ROLE_ADMIN)
#define MANAGER  (1U << ROLE_MANAGER)
#define RESIDENT (1U << ROLE_RESIDENT)
#define GUEST    (1U << ROLE_GUEST)
#define DEVICE   (1U << ROLE_DEVICE)

#define CONTROL_REQUEST  "$CONTROL/hearth/v1"
#define CONTROL_RESPONSE "$CONTROL/hearth/v1/response"

static const struct role_rule {
	const char *house; /* of an account that names no locations */
	const char *place; /* once for each location that it names; NULL: as `house` */
	unsigned roles;
	int rights;
} role_rules[] = {
	{"", NULL, ADMIN, RIGHT_ALL},
	{"#", "%l/#", MANAGER | RESIDENT | GUEST, RIGHT_READ},
	{"+/+/+/set", "%l/+/+/set", MANAGER | RESIDENT, RIGHT_WRITE},
	{"+/+/+/ack", "%l/+/+/ack", MANAGER | RESIDENT, RIGHT_WRITE},
	{"+/+/+/config", "%l/+/+/config", MANAGER, RIGHT_WRITE},
	{"%l/%d/+/value", NULL, DEVICE, RIGHT_WRITE},
	{"%l/%d/+/state", NULL, DEVICE, RIGHT_WRITE},
	{"%l/%d/+/status", NULL, DEVICE, RIGHT_WRITE},
	{"%l/%d/+/error", NULL, DEVICE, RIGHT_WRITE},
	{"%l/%d/+/set", NULL, DEVICE, RIGHT_READ},
	{"%l/%d/+/config", NULL, DEVICE, RIGHT_READ},
	{CONTROL_REQUEST, NULL, MANAGER | RESIDENT | GUEST, RIGHT_WRITE},
	{CONTROL_RESPONSE, NULL, MANAGER | RESIDENT | GUEST, RIGHT_READ},
};

/* ---- layout ---- */

/* Where rules and text go; both NULL: they are only counted. */
struct layout {
	struct account_rule *rules;
	char *text;
	size_t rule_count, text_len;
};

static struct account_span put(struct layout *layout, struct slice bytes)
{
	struct account_span span = {(uint32_t)layout->text_len, (uint32_t)bytes.len};
	if (layout->text != NULL && bytes.len > 0)
		memcpy(layout->text + layout->text_len, bytes.ptr, bytes.len);
	layout->text_len += bytes.len;
	return span;
}

/* How much of a filter, from its beginning and from its end, stands in every topic that it matches. */
static void measure_ends(struct account_rule *rule, const char *filter)
{
	size_t prefix = 0, suffix = 0;
	while (prefix < rule->len && strchr("+#%", filter[prefix]) == NULL)
		prefix++;
	while (suffix < rule->len && strchr("+#%", filter[rule->len - 1 - suffix]) == NULL)
		suffix++;
	if (prefix < rule->len && filter[prefix] == '#' && prefix > 0)
		prefix--; /* "a/#" matches "a" */
	/* The letter behind the last % stands for something else. */
	if (suffix < rule->len && suffix > 0 && filter[rule->len - 1 - suffix] == '%')
		suffix--;
	rule->prefix = (uint16_t)prefix;
	rule->suffix = (uint16_t)suffix;
}

static void put_rule(struct layout *layout, const struct account_grant *grant, const struct account_names *names,
                     bool by_role)
{
	struct account_rule rule = {
		.at = (uint32_t)layout->text_len,
		.rights = (uint8_t)grant->rights,
		.allow = grant->allow,
		.by_role = by_role,
		.by_client = !by_role && account_filter_names(grant->filter, 'c'),
	};
	bool counting = layout->text == NULL;
	size_t len = grant->filter.len;
	if (rule.by_client)
		put(layout, grant->filter);
	else
		layout->text_len += len =
			account_expand(grant->filter, names, counting ? NULL : layout->text + rule.at, counting ? 0 : FILTER_MAX);
	if (!counting) {
		rule.len = (uint16_t)len;
		measure_ends(&rule, layout->text + rule.at);
		layout->rules[layout->rule_count] = rule;
	}
	layout->rule_count++;
}

static void put_role(struct layout *layout, const struct account_draft *draft)
{
	for (size_t i = 0; i < sizeof role_rules / sizeof role_rules[0]; i++) {
		const struct role_rule *role = &role_rules[i];
		if ((role->roles & 1U << draft->role) == 0)
			continue;
		bool places = role->place != NULL && draft->location_count > 0;
		struct account_grant grant = {slice_of(places ? role->place : role->house), role->rights, true};
		struct account_names names = {.location = draft->location, .device = draft->device};
		for (size_t n = 0; n < (places ? draft->location_count : 1); n++) {
			if (places)
				names.location = draft->locations[n];
			put_rule(layout, &grant, &names, true);
		}
	}
}

/* Whoever may write to control may read its response, a service that was granted it too. */
static void put_response(struct layout *layout, const struct account_draft *draft, const struct account_names *names)
{
	const struct account_grant response = {slice_of(CONTROL_RESPONSE), RIGHT_READ, true};
	for (size_t i = 0; draft->role == ROLE_SERVICE && i < draft->grant_count; i++) {
		const struct account_grant *grant = &draft->grants[i];
		if (!grant->allow || (grant->rights & RIGHT_WRITE) == 0)
			continue;
		if (topic_matches(grant->filter, slice_of(CONTROL_REQUEST))) {
			put_rule(layout, &response, names, true);
			return;
		}
	}
}

static void put_rules(struct layout *layout, const struct account_draft *draft)
{
	struct account_names names = {
		.user = draft->name,
		.location = account_draft_location(draft),
		.device = draft->device,
	};
	put_role(layout, draft);
	put_response(layout, draft, &names);
	for (size_t i = 0; i < draft->grant_count; i++)
		put_rule(layout, &draft->grants[i], &names, false);
}

static struct account_span put_client_ids(struct layout *layout, const struct account_draft *draft)
{
	size_t from = layout->text_len;
	for (size_t i = 0; i < draft->client_id_count; i++) {
		put(layout, draft->client_ids[i]);
		put(layout, (struct slice){"", 1});
	}
	return (struct account_span){(uint32_t)from, (uint32_t)(layout->text_len - from)};
}

/* What an account says, with its rules yet to be sorted. */
static struct account lay_out(struct layout *layout, const struct account_draft *draft)
{
	struct account account = {
		.role = (uint8_t)draft->role,
		.certificate = draft->certificate,
		.disabled = draft->disabled,
		.expires_us = draft->expires_us,
	};
	account.name = put(layout, draft->name);
	put_rules(layout, draft);
	account.location = put(layout, account_draft_location(draft));
	account.device = put(layout, draft->device);
	account.client_ids = put_client_ids(layout, draft);
	account.password = put(layout, draft->password);
	account.document = put(layout, draft->document);
	account.text = layout->text;
	account.rule_count = (uint32_t)layout->rule_count;
	return account;
}

/* ---- order ---- */

/* Among rules for the same topics denials come first, then in the order in which they stand in the text: the role's. */
static int compare_rules(const void *a, const void *b, void *text)
{
	const struct account_rule *left = a, *right = b;
	const char *bytes = text;
	int order = account_filter_order((struct slice){bytes + left->at, left->len},
	                                 (struct slice){bytes + right->at, right->len});
	if (order != 0)
		return order;
	if (left->allow != right->allow)
		return left->allow ? 1 : -1;
	return (left->at > right->at) - (left->at < right->at);
}

struct account *account_compile(const struct account_draft *draft)
{
	struct layout counted = {0};
	lay_out(&counted, draft);
	size_t rules_size = counted.rule_count * sizeof(struct account_rule);
	struct account *account = malloc(sizeof *account + rules_size + counted.text_len);
	if (account == NULL)
		return NULL;
	struct layout layout = {.rules = account->rules, .text = (char *)account->rules + rules_size};
	*account = lay_out(&layout, draft);
	qsort_r(account->rules, account->rule_count, sizeof account->rules[0], compare_rules, layout.text);
	return account;
}
