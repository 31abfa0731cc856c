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
 * An account is one piece of memory: what is needed at each check stands in front of what is not.
 */
#ifndef HEARTH_ACCOUNT_INTERNAL_H
#define HEARTH_ACCOUNT_INTERNAL_H

#include "account.h"

#define RIGHT_ALL (RIGHT_READ | RIGHT_WRITE)

/* Bytes of an account's text. */
struct account_span {
	uint32_t at, len;
};

struct account_rule {
	uint32_t at;     /* of the filter in the account's text */
	uint16_t len;    /* 0: everything, what begins with $ included */
	uint16_t prefix; /* so many bytes each topic that it matches begins with: up to the first wildcard or % */
	uint16_t suffix; /* and ends in */
	uint8_t rights;
	bool allow;
	bool by_role;
	bool by_client; /* has %c: kept as it was written, put together at the check */
};

struct account {
	const char *text; /* name and rules first: behind the rules in memory */
	struct account_span name;
	uint32_t rule_count;
	uint8_t role; /* enum role */
	bool certificate, disabled;
	size_t place; /* where it stands in its table's list */
	struct account_span location, device;
	struct account_span client_ids; /* patterns, a NUL behind each */
	struct account_span password;
	struct account_span document; /* without password */
	int64_t expires_us;
	struct account_rule
		rules[]; /* in the order of account_filter_order, denials first: the first that matches decides */
};

static inline struct slice account_text(const struct account *account, struct account_span span)
{
	return (struct slice){account->text + span.at, span.len};
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
