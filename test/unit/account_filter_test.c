/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_filter_test: every short filter with every other, held against the topics that they match.
 */
#include "account_filter.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT         16
#define FILTERS_MAX  512
#define TOPICS_MAX   512

struct texts {
	char text[FILTERS_MAX][TEXT];
	size_t count;
};

/* Topics have a level more than filters, so that there is something beyond the end of each. */
static struct texts filters, topics;

/* All that can be made of words in 1 to `levels` levels and is one. */
static void fill(struct texts *out, const char *const *words, size_t count, unsigned levels, bool filter)
{
	size_t from = 0, to = 1; /* the empty text, which is no row of its own */
	out->text[0][0] = '\0';
	out->count = 1;
	for (unsigned level = 0; level < levels; level++) {
		for (size_t i = from; i < to; i++) {
			for (size_t w = 0; w < count && out->text[i][strcspn(out->text[i], "#")] == '\0'; w++) {
				assert_true(out->count < COUNT(out->text));
				snprintf(out->text[out->count++], TEXT, "%s%s%s", out->text[i], level > 0 ? "/" : "", words[w]);
			}
		}
		from = to;
		to = out->count;
	}
	for (size_t i = 1; i < out->count; i++)
		assert_true(!filter || topic_filter_valid(slice_of(out->text[i])));
}

static int set_up(void **state)
{
	static const char *const filter_words[] = {"a", "$b", "+", "#"};
	static const char *const topic_words[] = {"a", "$b", "c"};
	(void)state;
	fill(&filters, filter_words, COUNT(filter_words), 3, true);
	fill(&topics, topic_words, COUNT(topic_words), 4, false);
	return 0;
}

/* Does a filter match topic t? The empty one is everything. */
static bool matches(size_t filter, size_t t)
{
	return filter == 0 || topic_matches(slice_of(filters.text[filter]), slice_of(topics.text[t]));
}

static void two_meet_where_a_topic_is_common(void **state)
{
	(void)state;
	for (size_t a = 0; a < filters.count; a++) {
		for (size_t b = 0; b < filters.count; b++) {
			bool common = false;
			for (size_t t = 1; t < topics.count && !common; t++)
				common = matches(a, t) && matches(b, t);
			bool meet = account_filter_meet(guarded_at(0, filters.text[a], strlen(filters.text[a])),
			                                guarded_at(1, filters.text[b], strlen(filters.text[b])));
			if (meet != common)
				fail_msg("\"%s\" and \"%s\": %d", filters.text[a], filters.text[b], meet);
		}
	}
}

/* "#" and "+/#" are two ways to write the same; that is not looked at, and covering is then denied. */
static bool is_all_in_two_words(size_t wide)
{
	return strcmp(filters.text[wide], "+/#") == 0;
}

static void covers_what_both_match(void **state)
{
	size_t covered = 0;
	(void)state;
	for (size_t wide = 0; wide < filters.count; wide++) {
		for (size_t n = 0; n < filters.count * filters.count; n++) {
			size_t a = n / filters.count, b = n % filters.count;
			if (!account_filter_meet(slice_of(filters.text[a]), slice_of(filters.text[b])))
				continue;
			bool all = true;
			for (size_t t = 1; t < topics.count && all; t++)
				all = !(matches(a, t) && matches(b, t)) || matches(wide, t);
			bool covers = account_filter_covers(slice_of(filters.text[wide]), slice_of(filters.text[a]),
			                                    slice_of(filters.text[b]));
			if (covers != all && !(all && is_all_in_two_words(wide)))
				fail_msg("\"%s\" over \"%s\" and \"%s\": %d", filters.text[wide], filters.text[a], filters.text[b],
				         covers);
			covered += covers;
		}
	}
	assert_true(covered > 1000);
}

static void order_is_an_order(void **state)
{
	(void)state;
	for (size_t a = 0; a < filters.count; a++) {
		for (size_t b = 0; b < filters.count; b++) {
			struct slice left = slice_of(filters.text[a]), right = slice_of(filters.text[b]);
			int order = account_filter_order(left, right);
			assert_int_equal(order, -account_filter_order(right, left));
			/* What covers less goes first; and what is equal and meets is the same. */
			if (a != b && account_filter_covers(right, left, left) && !is_all_in_two_words(b))
				assert_true(order < 0);
			if (order == 0 && account_filter_meet(left, right))
				assert_int_equal(a, b);
			for (size_t c = 0; c < filters.count; c++) {
				struct slice third = slice_of(filters.text[c]);
				if (order <= 0 && account_filter_order(right, third) <= 0)
					assert_true(account_filter_order(left, third) <= 0);
			}
		}
	}
}

static void takes_the_share_off(void **state)
{
	static const struct {
		const char *filter, *rest; /* NULL: wrong */
	} rows[] = {
		{"$share/g/a", "a"},
		{"$share/g/#", "#"},
		{"$share/g//", "/"},
		{"$share/g/$SYS/#", "$SYS/#"},
		{"$share/g/$share/h/a", "$share/h/a"},
		{"$share", NULL},
		{"$share/", NULL},
		{"$share/g", NULL},
		{"$share/g/", NULL},
		{"$share//a", NULL},
		{"$share/+/a", NULL},
		{"$share/#", NULL},
		{"$share/g+/a", NULL},
		{"$share/#g/a", NULL},
		{"$shared/g/a", "$shared/g/a"},
		{"share/g/a", "share/g/a"},
		{"", ""},
		{"#", "#"},
		{"/$share/g/a", "/$share/g/a"},
		{"$SHARE/g/a", "$SHARE/g/a"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice rest;
		bool good = account_filter_unshare(guarded_text(rows[i].filter), &rest);
		if (good != (rows[i].rest != NULL) || (good && !slice_is(rest, rows[i].rest)))
			fail_msg("\"%s\": %d", rows[i].filter, good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_meet_where_a_topic_is_common),
		cmocka_unit_test(covers_what_both_match),
		cmocka_unit_test(order_is_an_order),
		cmocka_unit_test(takes_the_share_off),
	};
	return cmocka_run_group_tests_name("account_filter", tests, set_up, NULL);
}
