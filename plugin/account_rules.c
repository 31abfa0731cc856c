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

static_assert(sizeof(struct account_rule) == 32, "two rules a cache line");

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

/* ---- a rule's shape and probe ---- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The last bytes of what topics end in, the filter's last `suffix` bytes; if there are none, of what they begin with. */
static void choose_probe(struct account_rule *rule, const char *filter, size_t suffix)
{
	char bytes[ACCOUNT_PROBE] = {0}, mask[ACCOUNT_PROBE] = {0};
	size_t count = smaller(suffix > 0 ? suffix : rule->prefix, ACCOUNT_PROBE);
	size_t end = suffix > 0 ? rule->len : rule->prefix;
	size_t into = suffix > 0 ? ACCOUNT_PROBE - count : 0;

	memcpy(bytes + into, filter + end - count, count);
	memset(mask + into, 0xFF, count);
	rule->probe = account_load(bytes);
	rule->probe_mask = account_load(mask);
	rule->probe_at = suffix > 0 ? ACCOUNT_AT_END : (uint16_t)(rule->prefix - count);
}

/* Fills in what the filter's bytes tell, once at and len are known. */
static void measure_rule(struct account_rule *rule, const char *filter, bool by_client)
{
	const char *special = by_client ? "+#%" : "+#";
	size_t prefix = 0, suffix = 0, pluses = 0;
	while (prefix < rule->len && strchr(special, filter[prefix]) == NULL)
		prefix++;
	while (suffix < rule->len - prefix && strchr(special, filter[rule->len - 1 - suffix]) == NULL)
		suffix++;
	size_t middle = rule->len - prefix - suffix;
	for (size_t i = 0; i < middle; i++)
		pluses += filter[prefix + i] == '+';

	rule->shape = SHAPE_OTHER;
	if (rule->len == 0) {
		rule->shape = SHAPE_EVERYTHING;
	} else if (by_client) {
		rule->shape = SHAPE_CLIENT;
		/* The letter behind the last % stands for something else. */
		if (suffix > 0 && filter[rule->len - 1 - suffix] == '%')
			suffix--;
	} else if (middle == 0) {
		rule->shape = SHAPE_LITERAL;
	} else if (filter[prefix] == '#') {
		rule->shape = SHAPE_TREE;
		prefix -= prefix > 0; /* "a/#" matches "a" */
	} else if (middle == 2 * pluses - 1) {
		rule->shape = SHAPE_LEVELS;
	}
	rule->prefix = (uint16_t)prefix;
	rule->pluses = (uint16_t)pluses;
	rule->shortest = (uint16_t)(prefix + suffix);
	if (rule->shortest == 0 && rule->shape != SHAPE_EVERYTHING)
		rule->shortest = 1;
	choose_probe(rule, filter, rule->shape == SHAPE_LITERAL ? rule->len : suffix);
}

/* ---- layout ---- */

/* Where rules and text go. */
struct layout {
	char *memory; /* the account; NULL: rules and text are only counted */
	size_t len;   /* where more text goes in it, or how much there is */
	struct account_rule *reading, *writing;
	size_t read_count, write_count;
	bool by_client; /* a filter has %c */
};

static struct account_span put(struct layout *layout, struct slice bytes)
{
	struct account_span span = {(uint32_t)layout->len, (uint32_t)bytes.len};
	if (layout->memory != NULL && bytes.len > 0)
		memcpy(layout->memory + layout->len, bytes.ptr, bytes.len);
	layout->len += bytes.len;
	return span;
}

/* A rule of both rights stands in both lists. */
static void list_rule(struct layout *layout, const struct account_rule *rule)
{
	bool reads = (rule->rights & RIGHT_READ) != 0, writes = (rule->rights & RIGHT_WRITE) != 0;
	if (reads && layout->memory != NULL)
		layout->reading[layout->read_count] = *rule;
	if (writes && layout->memory != NULL)
		layout->writing[layout->write_count] = *rule;
	layout->read_count += reads;
	layout->write_count += writes;
}

static void put_rule(struct layout *layout, const struct account_grant *grant, const struct account_names *names,
                     bool by_role)
{
	struct account_rule rule = {
		.at = (uint32_t)layout->len,
		.rights = (unsigned)grant->rights & RIGHT_ALL,
		.allow = grant->allow,
		.by_role = by_role,
	};
	bool by_client = !by_role && account_filter_names(grant->filter, 'c');
	char *out = layout->memory != NULL ? layout->memory + layout->len : NULL;
	size_t len = grant->filter.len;
	layout->by_client = layout->by_client || by_client;
	if (by_client)
		put(layout, grant->filter);
	else
		layout->len += len = account_expand(grant->filter, names, out, out != NULL ? FILTER_MAX : 0);
	rule.len = (uint16_t)len;
	if (out != NULL)
		measure_rule(&rule, out, by_client);
	list_rule(layout, &rule);
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
	size_t from = layout->len;
	for (size_t i = 0; i < draft->client_id_count; i++) {
		put(layout, draft->client_ids[i]);
		put(layout, (struct slice){"", 1});
	}
	return (struct account_span){(uint32_t)from, (uint32_t)(layout->len - from)};
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
	account.by_client = layout->by_client;
	account.read_count = (uint16_t)layout->read_count;
	account.write_count = (uint16_t)layout->write_count;
	return account;
}

/* ---- order ---- */

/* Among rules for the same topics denials come first, then in the order in which they stand in the text: the role's. */
int account_rule_order(const struct account *account, const struct account_rule *a, const struct account_rule *b)
{
	int order = account_filter_order(account_filter(account, a), account_filter(account, b));
	if (order != 0)
		return order;
	if (a->allow != b->allow)
		return a->allow ? 1 : -1;
	return (a->at > b->at) - (a->at < b->at);
}

static int compare_rules(const void *a, const void *b, void *account)
{
	return account_rule_order(account, a, b);
}

struct account *account_compile(const struct account_draft *draft)
{
	struct layout counted = {0};
	lay_out(&counted, draft);
	size_t head = sizeof(struct account) + (counted.read_count + counted.write_count) * sizeof(struct account_rule);
	struct account *account = malloc(head + counted.len);
	if (account == NULL)
		return NULL;
	struct layout layout = {
		.memory = (char *)account,
		.len = head,
		.reading = account->rules,
		.writing = account->rules + counted.read_count,
	};
	*account = lay_out(&layout, draft);
	qsort_r(layout.reading, layout.read_count, sizeof(struct account_rule), compare_rules, account);
	qsort_r(layout.writing, layout.write_count, sizeof(struct account_rule), compare_rules, account);
	return account;
}
