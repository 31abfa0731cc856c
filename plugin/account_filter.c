/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_filter: see account_filter.h. Filters are walked level by level, all at once; nothing is written down.
 *
 * What two filters have in common is one filter again: at each level the narrower of both, and the other's rest where
 * one has its #. So meet_next gives the levels of that filter, and covering what both match is a walk of it beside the
 * third.
 */
#include "account_filter.h"

#include <string.h>

/* From the most specific to the least: see account_filter_order. */
enum kind { KIND_END, KIND_NAME, KIND_PLUS, KIND_HASH, KIND_NOTHING /* two filters have no topic in common */ };

struct level {
	struct slice text;
	enum kind kind;
};

struct walk {
	const char *at, *end; /* `at` is NULL behind the last level */
};

static struct walk walk_from(struct slice filter)
{
	return (struct walk){filter.ptr, filter.ptr + filter.len};
}

/* The next level; # again and again once it has come, the end likewise. */
static struct level walk_next(struct walk *walk)
{
	if (walk->at == NULL)
		return (struct level){.kind = KIND_END};
	size_t left = (size_t)(walk->end - walk->at);
	const char *slash = left > 0 ? memchr(walk->at, '/', left) : NULL;
	struct level level = {{walk->at, slash != NULL ? (size_t)(slash - walk->at) : left}, KIND_NAME};
	if (slice_is(level.text, "#")) {
		level.kind = KIND_HASH;
		return level;
	}
	if (slice_is(level.text, "+"))
		level.kind = KIND_PLUS;
	walk->at = slash != NULL ? slash + 1 : NULL;
	return level;
}

/* Of first levels: is one a wildcard and the other out of its reach? */
static bool kept_apart(struct level wildcard, struct level other)
{
	bool wild = wildcard.kind == KIND_PLUS || wildcard.kind == KIND_HASH;
	return wild && other.kind == KIND_NAME && other.text.len > 0 && other.text.ptr[0] == '$';
}

/* The next level of what two filters have in common. */
static struct level meet_next(struct walk *a_walk, struct walk *b_walk, bool first)
{
	const struct level nothing = {.kind = KIND_NOTHING};
	struct level a = walk_next(a_walk), b = walk_next(b_walk);

	if (first && (kept_apart(a, b) || kept_apart(b, a)))
		return nothing;
	if (a.kind == KIND_HASH)
		return b;
	if (b.kind == KIND_HASH)
		return a;
	if (a.kind == KIND_END || b.kind == KIND_END)
		return a.kind == b.kind ? a : nothing;
	if (a.kind == KIND_PLUS)
		return b;
	if (b.kind == KIND_PLUS)
		return a;
	return slice_equal(a.text, b.text) ? a : nothing;
}

int account_filter_order(struct slice a, struct slice b)
{
	if (a.len == 0 || b.len == 0)
		return (a.len == 0) - (b.len == 0);
	struct walk a_walk = walk_from(a), b_walk = walk_from(b);
	for (;;) {
		enum kind a_kind = walk_next(&a_walk).kind, b_kind = walk_next(&b_walk).kind;
		if (a_kind != b_kind)
			return a_kind < b_kind ? -1 : 1;
		if (a_kind == KIND_END || a_kind == KIND_HASH)
			return 0;
	}
}

bool account_filter_meet(struct slice a, struct slice b)
{
	if (a.len == 0 || b.len == 0)
		return true;
	struct walk a_walk = walk_from(a), b_walk = walk_from(b);
	for (bool first = true;; first = false) {
		enum kind kind = meet_next(&a_walk, &b_walk, first).kind;
		if (kind == KIND_NOTHING)
			return false;
		if (kind == KIND_END || kind == KIND_HASH)
			return true;
	}
}

bool account_filter_covers(struct slice wide, struct slice a, struct slice b)
{
	if (wide.len == 0)
		return true;
	if (a.len == 0 && b.len == 0)
		return false;
	/* What everything has in common with a filter is that filter. */
	struct walk a_walk = walk_from(a.len > 0 ? a : b), b_walk = walk_from(b.len > 0 ? b : a);
	struct walk wide_walk = walk_from(wide);
	for (bool first = true;; first = false) {
		struct level level = meet_next(&a_walk, &b_walk, first);
		struct level by = walk_next(&wide_walk);
		if (first && kept_apart(by, level))
			return false;
		if (by.kind == KIND_HASH)
			return true;
		if (by.kind == KIND_PLUS ? level.kind != KIND_NAME && level.kind != KIND_PLUS : by.kind != level.kind)
			return false;
		if (by.kind == KIND_END)
			return true;
		if (by.kind == KIND_NAME && !slice_equal(by.text, level.text))
			return false;
	}
}

bool account_filter_unshare(struct slice filter, struct slice *out)
{
	struct walk walk = walk_from(filter);
	*out = filter;
	if (filter.len == 0 || !slice_is(walk_next(&walk).text, "$share"))
		return true;
	struct level group = walk_next(&walk);
	if (group.kind != KIND_NAME || group.text.len == 0 || walk.at == NULL || walk.at == walk.end)
		return false;
	*out = (struct slice){walk.at, (size_t)(walk.end - walk.at)};
	return memchr(group.text.ptr, '+', group.text.len) == NULL && memchr(group.text.ptr, '#', group.text.len) == NULL;
}
