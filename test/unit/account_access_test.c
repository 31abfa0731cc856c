/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_access_test: who may do what.
 *
 * The tables of account_cases.h, and random accounts against a plainer reading of the same rules: one that looks at all
 * of them each time and splits every filter into levels. What is said of a filter is held against what is said of
 * the topics that it matches.
 */
#include "account.h"
#include "account_cases_grants.h"
#include "account_cases_roles.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TEXT 128 /* bytes of a random filter or topic */

static void add(char *out, size_t size, const char *more)
{
	size_t len = strlen(out);
	assert_true(len + strlen(more) < size);
	snprintf(out + len, size - len, "%s", more);
}

static struct account *account_of(const char *document)
{
	struct account_error error;
	struct account *account = account_read(guarded_text(document), &error);
	if (account == NULL)
		fail_msg("%s: %s: found %s; wanted %s", document, error.path, error.found, error.wanted);
	return account;
}

/* ---- tables ---- */

static const char *const answer_names[] = {
	[NO] = "no", [YES] = "yes", [NOTHING] = "nothing", [SOME] = "some", [ALL] = "all"};

static enum account_case_answer answer_of(const struct account_case *row, struct account_reason *reason)
{
	static const enum account_case_answer of_coverage[] = {
		[COVERS_NOTHING] = NOTHING, [COVERS_SOME] = SOME, [COVERS_ALL] = ALL};
	struct account *account = account_of(row->account);
	struct slice client_id = guarded_at(1, row->client_id, strlen(row->client_id));
	struct slice topic = guarded_text(row->topic);
	enum account_case_answer answer;

	*reason = (struct account_reason){0};
	if (row->action == SUBSCRIBE)
		answer = of_coverage[account_covers(account, RIGHT_READ, client_id, topic)];
	else
		answer = account_may(account, row->action == PUBLISH ? RIGHT_WRITE : RIGHT_READ, client_id, topic, reason) ? YES
		                                                                                                           : NO;
	account_free(account);
	return answer;
}

static void expect_rows(const struct account_case *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct account_case *row = &rows[i];
		struct account_reason reason;
		enum account_case_answer answer = answer_of(row, &reason);
		if (answer != row->answer || strcmp(reason.rule, row->rule) != 0)
			fail_msg("%s (%s): %s by \"%s\", wanted %s by \"%s\"", row->name, row->topic, answer_names[answer],
			         reason.rule, answer_names[row->answer], row->rule);
		bool by_role = strncmp(row->rule, "role ", 5) == 0;
		if (row->action != SUBSCRIBE && (reason.none != (row->rule[0] == '\0') || reason.by_role != by_role))
			fail_msg("%s: by_role %d, none %d", row->name, reason.by_role, reason.none);
	}
}

static void roles_may_what_they_may(void **state)
{
	(void)state;
	expect_rows(account_cases_roles, COUNT(account_cases_roles));
}

static void grants_and_denials_decide(void **state)
{
	(void)state;
	expect_rows(account_cases_grants, COUNT(account_cases_grants));
}

static void tables_are_as_long_as_promised(void **state)
{
	(void)state;
	assert_true(COUNT(account_cases_roles) + COUNT(account_cases_grants) >= 300);
}

/* ---- several rights at once, odd bytes ---- */

static void both_rights_need_both(void **state)
{
	struct account *tom = account_of(GRANTED), *device = account_of(DEVICE), *judge = account_of(DENY_WINS);
	const int both = RIGHT_READ | RIGHT_WRITE;
	struct slice id = slice_of("x");
	struct account_reason reason;
	(void)state;
	assert_true(account_may(tom, both, id, slice_of("garden/a"), NULL));
	assert_false(account_may(tom, both, id, slice_of("greenhouse/a"), &reason));
	assert_true(reason.none);
	assert_true(account_may(tom, both, id, slice_of("hall/led1/led/set"), &reason));
	assert_string_equal(reason.rule, "role resident: read hall/#");
	assert_false(account_may(judge, both, id, slice_of("a/b"), &reason));
	assert_string_equal(reason.rule, "deny read a/b");
	assert_false(account_may(device, both, id, slice_of("livingroom/uno1/led/set"), NULL));
	assert_false(account_may(tom, 0, id, slice_of("garden/a"), NULL));
	assert_int_equal(account_covers(tom, both, id, slice_of("garden/+")), COVERS_ALL);
	assert_int_equal(account_covers(tom, both, id, slice_of("hall/#")), COVERS_SOME);
	assert_int_equal(account_covers(tom, both, id, slice_of("greenhouse/#")), COVERS_NOTHING);
	assert_int_equal(account_covers(tom, 0, id, slice_of("garden/+")), COVERS_NOTHING);
	account_free(tom);
	account_free(device);
	account_free(judge);
}

static void nul_in_names_widens_nothing(void **state)
{
	struct account *zoe = account_of(BY_CLIENT), *device = account_of(DEVICE);
	(void)state;
	assert_false(account_may(zoe, RIGHT_WRITE, (struct slice){"cam1\0x", 6}, slice_of("clients/cam1/log"), NULL));
	assert_false(account_may(zoe, RIGHT_WRITE, (struct slice){"\0", 1}, slice_of("clients/cam1/log"), NULL));
	assert_false(account_may(zoe, RIGHT_WRITE, (struct slice){"a\0b", 3}, (struct slice){"clients/a\0b", 11}, NULL));
	assert_false(account_may(zoe, RIGHT_WRITE, (struct slice){NULL, 0}, slice_of("clients//log"), NULL));
	assert_false(
		account_may(device, RIGHT_WRITE, slice_of("x"), (struct slice){"livingroom/uno1\0/t/value", 24}, NULL));
	assert_false(
		account_may(device, RIGHT_WRITE, slice_of("x"), (struct slice){"livingroom/uno1/t/value\0", 24}, NULL));
	assert_int_equal(account_covers(device, RIGHT_READ, slice_of("x"), (struct slice){"livingroom/uno1/+/set\0", 22}),
	                 COVERS_NOTHING);
	account_free(zoe);
	account_free(device);
}

/* A rule with %c, put together, may be no longer than a topic; the room for it is never left. */
static void a_huge_client_id_is_nobodys(void **state)
{
	struct account *zoe = account_of(BY_CLIENT);
	static char id[FILTER_MAX], topic[FILTER_MAX];
	(void)state;
	memset(id, 'i', sizeof id);
	char *name = stpcpy(topic, "clients/");
	memset(name, 'i', sizeof topic - strlen("clients/"));
	struct slice longest = {id, sizeof id - strlen("clients//#")};
	struct slice own = {topic, strlen("clients/") + longest.len};
	assert_true(account_may(zoe, RIGHT_WRITE, longest, own, NULL));
	longest.len++;
	own.len++;
	assert_false(account_may(zoe, RIGHT_WRITE, longest, own, NULL));
	assert_false(
		account_may(zoe, RIGHT_WRITE, (struct slice){id, sizeof id}, (struct slice){topic, sizeof topic}, NULL));
	account_free(zoe);
}

static void a_long_rule_is_told_in_part(void **state)
{
	char document[512], topic[256] = "";
	struct account_reason reason;
	(void)state;
	for (size_t i = 0; i < 70; i++)
		add(topic, sizeof topic, "거");
	for (size_t shift = 0; shift < 3; shift++) {
		topic[210] = '\0';
		snprintf(document, sizeof document,
		         "{\"username\":\"n\",\"role\":\"service\",\"grants\":[" ALLOW("%s", "%s") "]}",
		         shift == 0   ? "all"
		         : shift == 1 ? "read"
		                      : "write",
		         topic);
		struct account *account = account_of(document);
		int right = shift == 2 ? RIGHT_WRITE : RIGHT_READ;
		assert_true(account_may(account, right, slice_of("x"), slice_of(topic), &reason));
		assert_true(utf8_valid(slice_of(reason.rule)));
		assert_in_range(strlen(reason.rule), sizeof reason.rule - 4, sizeof reason.rule - 1);
		account_free(account);
	}
}

/* ---- random accounts ---- */

static uint64_t random_state = UINT64_C(0x853C49E6748FEA9B);

/* A number below n (xorshift64*, Vigna 2016). */
static unsigned pick(unsigned n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (unsigned)((random_state * UINT64_C(0x2545F4914F6CDD1D) >> 32) * n >> 32);
}

/* Few words, so that filters often meet; and long ones, so that they often meet in eight bytes and not in all. */
#define WORDS 6
static const char *const vocabularies[][WORDS] = {
	{"a", "b", "", "$s", "me", "ab"},
	{"livingroom", "alivingroom", "", "$s", "me", "living"},
};
static const char *const *words = vocabularies[0];
#define LEVELS_MAX 4

static const char *random_word(void)
{
	return words[pick(WORDS)];
}

static void random_topic(char out[static TEXT])
{
	unsigned levels = 1 + pick(LEVELS_MAX);
	out[0] = '\0';
	for (unsigned i = 0; i < levels; i++) {
		add(out, TEXT, i > 0 ? "/" : "");
		add(out, TEXT, random_word());
	}
	if (out[0] == '\0')
		add(out, TEXT, "a");
}

/* With %c among its names if `templates`. */
static void random_filter(char out[static TEXT], bool templates)
{
	unsigned levels = 1 + pick(LEVELS_MAX);
	out[0] = '\0';
	for (unsigned i = 0; i < levels; i++) {
		add(out, TEXT, i > 0 ? "/" : "");
		switch (pick(8)) {
		case 0:
		case 1:
			add(out, TEXT, "+");
			break;
		case 2:
			add(out, TEXT, "#");
			return;
		case 3:
			add(out, TEXT, templates ? "%c" : "me");
			break;
		default:
			add(out, TEXT, random_word());
		}
	}
	if (out[0] == '\0')
		add(out, TEXT, "#");
}

/* A topic that a filter matches: its wildcards filled in. */
static void random_topic_of(const char *filter, char out[static TEXT])
{
	out[0] = '\0';
	for (const char *at = filter; *at != '\0'; at++) {
		char more[TEXT], one[2] = {*at, '\0'};
		if (*at == '#') {
			random_topic(more);
			if (at > filter && pick(4) == 0)
				out[strlen(out) - 1] = '\0'; /* the level above */
			else
				add(out, TEXT, more);
		} else {
			add(out, TEXT, *at == '+' ? random_word() : one);
		}
	}
}

struct plain_rule {
	char filter[TEXT]; /* %c replaced */
	int rights;
	bool allow, dead; /* dead: matches nothing */
};

#define RULES_MAX 8

struct plain {
	struct plain_rule rules[RULES_MAX];
	unsigned count;
	struct account *account;
};

/* A service account with random grants for a client id, and the same grants in a plain list. */
static void random_account(struct plain *out, const char *client_id)
{
	static const char *const rights[] = {[RIGHT_READ] = "read", [RIGHT_WRITE] = "write", [3] = "all"};
	char document[2048] = "{\"username\":\"x\",\"role\":\"service\",\"grants\":[";
	out->count = 1 + pick(RULES_MAX);
	for (unsigned i = 0; i < out->count; i++) {
		struct plain_rule *rule = &out->rules[i];
		char template[TEXT], grant[2 * TEXT];
		random_filter(template, true);
		*rule = (struct plain_rule){.rights = 1 + (int)pick(3), .allow = pick(2) == 0};
		snprintf(grant, sizeof grant, "%s{\"%s\":\"%s\",\"topic\":\"%s\"}", i > 0 ? "," : "",
		         rule->allow ? "allow" : "deny", rights[rule->rights], template);
		add(document, sizeof document, grant);
		rule->dead = strstr(template, "%c") != NULL && strpbrk(client_id, "+#/") != NULL;
		for (const char *at = template; *at != '\0'; at++) {
			char one[2] = {*at, '\0'};
			bool named = strncmp(at, "%c", 2) == 0;
			add(rule->filter, TEXT, named ? client_id : one);
			rule->dead = rule->dead || (at == template && named && client_id[0] == '$');
			at += named;
		}
	}
	add(document, sizeof document, "]}");
	out->account = account_of(document);
}

/* Level n of a filter; NULL: it has fewer. */
static const char *level_of(const char *filter, unsigned n, char out[static TEXT])
{
	for (; n > 0; n--) {
		filter = strchr(filter, '/');
		if (filter == NULL)
			return NULL;
		filter++;
	}
	size_t len = strcspn(filter, "/");
	memcpy(out, filter, len);
	out[len] = '\0';
	return out;
}

/* 3 a name, 2 a +, 1 a #; 4 the end, which is more than a #. */
static int weight_of(const char *filter, unsigned n)
{
	char level[TEXT];
	if (level_of(filter, n, level) == NULL)
		return 4;
	return strcmp(level, "#") == 0 ? 1 : strcmp(level, "+") == 0 ? 2 : 3;
}

/* account.h in its own words: is `a` more specific, at the first level where they differ? Both match the same topic. */
static int compare_plainly(const char *a, const char *b)
{
	char left[TEXT], right[TEXT];
	for (unsigned n = 0; n <= LEVELS_MAX; n++) {
		const char *a_level = level_of(a, n, left), *b_level = level_of(b, n, right);
		if (a_level == NULL && b_level == NULL)
			return 0;
		if (a_level == NULL || b_level == NULL || strcmp(a_level, b_level) != 0)
			return weight_of(a, n) - weight_of(b, n);
	}
	return 0;
}

static bool may_plainly(const struct plain *plain, int right, const char *topic)
{
	const struct plain_rule *best = NULL;
	for (unsigned i = 0; i < plain->count; i++) {
		const struct plain_rule *rule = &plain->rules[i];
		if ((rule->rights & right) == 0 || rule->dead || !topic_matches(slice_of(rule->filter), slice_of(topic)))
			continue;
		int more = best != NULL ? compare_plainly(rule->filter, best->filter) : 1;
		if (more > 0 || (more == 0 && !rule->allow))
			best = rule;
	}
	return best != NULL && best->allow;
}

static const char *const client_ids[] = {"me", "a", "$s", "b/a", "+"};

static void equals_a_plain_reading(void **state)
{
	unsigned allowed = 0, checks = 0;
	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		words = vocabularies[round % COUNT(vocabularies)];
		const char *client_id = client_ids[pick(COUNT(client_ids))];
		struct plain plain = {0};
		random_account(&plain, client_id);
		for (unsigned i = 0; i < 40; i++, checks++) {
			char topic[TEXT];
			if (pick(2) == 0)
				random_topic(topic);
			else
				random_topic_of(plain.rules[pick(plain.count)].filter, topic);
			int rights = 1 + (int)pick(3);
			bool wanted = ((rights & RIGHT_READ) == 0 || may_plainly(&plain, RIGHT_READ, topic)) &&
			              ((rights & RIGHT_WRITE) == 0 || may_plainly(&plain, RIGHT_WRITE, topic));
			struct account_reason reason;
			bool may = account_may(plain.account, rights, slice_of(client_id), guarded_text(topic), &reason);
			if (may != wanted)
				fail_msg("round %u: %s on \"%s\": %d by \"%s\"", round, client_id, topic, may, reason.rule);
			allowed += may;
		}
		account_free(plain.account);
	}
	/* The comparison is worth something only if both answers are common. */
	assert_in_range(allowed, checks / 10, checks / 10 * 9);
}

static void what_is_said_of_a_filter_holds_for_its_topics(void **state)
{
	unsigned said[3] = {0}, topics = 0;
	(void)state;
	for (unsigned round = 0; round < 10000; round++) {
		words = vocabularies[round % COUNT(vocabularies)];
		const char *client_id = client_ids[pick(COUNT(client_ids))];
		struct plain plain = {0};
		char filter[TEXT], shared[2 * TEXT];
		random_account(&plain, client_id);
		random_filter(filter, false);
		int rights = 1 + (int)pick(3);
		enum coverage coverage = account_covers(plain.account, rights, slice_of(client_id), guarded_text(filter));
		snprintf(shared, sizeof shared, "$share/g/%s", filter);
		if (strcmp(filter, "/") != 0)
			assert_int_equal(account_covers(plain.account, rights, slice_of(client_id), guarded_text(shared)),
			                 coverage);
		said[coverage]++;
		for (unsigned i = 0; i < 40; i++) {
			char topic[TEXT];
			random_topic_of(pick(2) == 0 ? filter : plain.rules[pick(plain.count)].filter, topic);
			if (topic[0] == '\0' || !topic_matches(slice_of(filter), slice_of(topic)))
				continue;
			topics++;
			bool may = account_may(plain.account, rights, slice_of(client_id), guarded_text(topic), NULL);
			if (may ? coverage == COVERS_NOTHING : coverage == COVERS_ALL)
				fail_msg("round %u: %s on \"%s\", \"%s\": %d", round, client_id, filter, topic, may);
		}
		account_free(plain.account);
	}
	assert_true(topics > 100000);
	assert_true(said[COVERS_NOTHING] > 1000 && said[COVERS_SOME] > 500 && said[COVERS_ALL] > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_may_what_they_may),
		cmocka_unit_test(grants_and_denials_decide),
		cmocka_unit_test(tables_are_as_long_as_promised),
		cmocka_unit_test(both_rights_need_both),
		cmocka_unit_test(nul_in_names_widens_nothing),
		cmocka_unit_test(a_huge_client_id_is_nobodys),
		cmocka_unit_test(a_long_rule_is_told_in_part),
		cmocka_unit_test(equals_a_plain_reading),
		cmocka_unit_test(what_is_said_of_a_filter_holds_for_its_topics),
	};
	return cmocka_run_group_tests_name("account_access", tests, NULL, NULL);
}
