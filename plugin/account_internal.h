/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_internal: what the files of the account module share; private to them.
 *
 *   account.c          what an account says of itself
 *   account_json.c     document → draft, every key checked
 *   account_grants.c   its "grants"
 *   account_error.c    where an error is, what stands there and what should
 *   account_rules.c    draft → account: role and grants → rules, most specific first
 *   account_verdict.c  what the rules say of a topic or a filter, and why
 *   account_filter.c   filters against each other
 *   account_table.c    all accounts by name
 *
 * An account is one piece of memory, and what a check needs stands together at its beginning: where many accounts
 * talk, a check mostly waits for memory.
 *
 *   struct account   what each check asks first
 *   rules            of reading, then of writing; a rule of both stands in both
 *   text             name, the rules' filters, then what no check needs: client ids, password, document
 */
#ifndef HEARTH_ACCOUNT_INTERNAL_H
#define HEARTH_ACCOUNT_INTERNAL_H

#include "account.h"

#include <string.h>

#define RIGHT_ALL (RIGHT_READ | RIGHT_WRITE)

/* Bytes of an account, counted from its beginning. */
struct account_span {
	uint32_t at, len;
};

/* What a rule's filter looks like; all but the last two are matched without a walk through their levels. */
enum account_shape {
	SHAPE_EVERYTHING, /* no filter: what begins with $ too */
	SHAPE_LITERAL,    /* a/b */
	SHAPE_TREE,       /* a/b/#, or # */
	SHAPE_LEVELS,     /* a/+/+/b: its wildcards in one row; a/+, +/b and + too */
	SHAPE_CLIENT,     /* has %c: kept as it was written, put together at the check */
	SHAPE_OTHER,
};

#define ACCOUNT_PROBE  sizeof(uint64_t)
#define ACCOUNT_AT_END UINT16_MAX

/*
 * Most rules do not match the topic that is asked about. They are passed over by a look at eight of its bytes: the last
 * of what each topic that the filter matches ends in, or else the last of what each begins with. Of houses full of alike
 * names those differ most.
 */
struct account_rule {
	uint64_t probe;      /* what a topic has there, of the bits that are set in the mask */
	uint64_t probe_mask; /* without those of which the filter says nothing */
	uint32_t at;         /* of the filter in the account */
	uint16_t len;
	uint16_t shortest; /* bytes of a topic that the filter matches, at least */
	uint16_t prefix; /* bytes that each such topic begins with: up to the first wildcard or %c, or to the / before # */
	uint16_t pluses;
	uint16_t probe_at;   /* of its first byte in a topic; ACCOUNT_AT_END: its last is the topic's last */
	uint8_t shape;       /* enum account_shape */
	unsigned rights : 2; /* as they were granted: both even in the list of one */
	bool allow : 1;
	bool by_role : 1;
};

struct account {
	int64_t expires_us;
	struct account_span name;
	uint16_t read_count, write_count; /* of the rules */
	uint8_t role;                     /* enum role */
	bool certificate, disabled;
	bool by_client; /* a rule has %c */
	size_t place;   /* where it stands in its table's list */
	struct account_span location, device;
	struct account_span client_ids; /* patterns, a NUL behind each */
	struct account_span password;
	struct account_span document; /* without password */
	/* Of reading, then of writing, each in account_rule_order: the first that matches decides. */
	struct account_rule rules[];
};

static inline struct slice account_text(const struct account *account, struct account_span span)
{
	return (struct slice){(const char *)account + span.at, span.len};
}

static inline struct slice account_filter(const struct account *account, const struct account_rule *rule)
{
	return (struct slice){(const char *)account + rule->at, rule->len};
}

/* ---- bytes, some at a time: a check compares too few of them for calls to be worth it ---- */

static inline uint64_t account_load(const char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return word;
}

static inline uint32_t account_load_half(const char *at)
{
	uint32_t half;
	memcpy(&half, at, sizeof half);
	return half;
}

/* Are they the same bytes? The last word, or half, may share some with the one before. */
static inline bool account_same(const char *a, const char *b, size_t len)
{
	const size_t word = sizeof(uint64_t), half = sizeof(uint32_t);
	size_t i = 0;
	if (len >= word) {
		for (; i < len - word; i += word) {
			if (account_load(a + i) != account_load(b + i))
				return false;
		}
		return account_load(a + len - word) == account_load(b + len - word);
	}
	if (len >= half)
		return account_load_half(a) == account_load_half(b) &&
		       account_load_half(a + len - half) == account_load_half(b + len - half);
	while (i < len && a[i] == b[i])
		i++;
	return i == len;
}

/* ---- a document that was read and found good ---- */

struct account_grant {
	struct slice filter; /* as it was written */
	int rights;
	bool allow;
};

/* Slices point into the document, which outlives it. */
struct account_draft {
	struct slice name, location, device, password;
	struct slice document; /* JSON without password */
	int64_t expires_us;
	size_t location_count, client_id_count, grant_count;
	struct slice locations[ACCOUNT_LIST_MAX];
	struct slice client_ids[ACCOUNT_LIST_MAX];
	struct account_grant grants[ACCOUNT_GRANTS_MAX];
	enum role role;
	bool certificate, disabled;
	bool by_client; /* a rule has %c */
};

/* ---- account_json.c ---- */

/* Has it one of U+0000 to U+001F, U+007F to U+009F? */
bool account_has_control(struct slice text);

/* ---- account_grants.c: false with *error set ---- */

bool account_read_grants(const struct cJSON *list, struct account_draft *draft, struct account_error *error);
/* Once all of the draft is there. */
bool account_check_grants(const struct account_draft *draft, struct account_error *error);

/* ---- account_rules.c ---- */

/* What stands for %u, %c, %l and %d. */
struct account_names {
	struct slice user, client_id, location, device;
};

/* The filter with its names put in, at most `room` bytes of it; gives the length that all of it has. */
size_t account_expand(struct slice filter, const struct account_names *names, char *out, size_t room);

/* Does a filter name one of %u, %c, %l, %d? */
bool account_filter_names(struct slice filter, char letter);

/* May it be a part of a level: not empty, without '/', '+', '#' and NUL? */
bool account_is_part(struct slice name);

/* The location that %l stands for; empty: none, or several. */
struct slice account_draft_location(const struct account_draft *draft);

/* Less than 0 if, of the rules of one account, a goes before b and so decides before it. */
int account_rule_order(const struct account *account, const struct account_rule *a, const struct account_rule *b);

/* NULL: no memory. */
struct account *account_compile(const struct account_draft *draft);

/* ---- account_error.c ---- */

/* A place in a document: $, $.key, $.key[index], $.key[index].member. */
struct account_place {
	const char *key;    /* NULL: the document */
	const char *member; /* NULL: none */
	int index;          /* −1: none */
};

/* All set the error and give false. */
bool account_refuse(struct account_error *error, const struct account_place *place, const char *found,
                    const char *wanted);
bool account_refuse_quoted(struct account_error *error, const struct account_place *place, const char *found,
                           const char *wanted);
/* What was found is said by a short rendering of the item; NULL: nothing is there. */
bool account_refuse_item(struct account_error *error, const struct account_place *place, const struct cJSON *item,
                         const char *wanted);

#endif
