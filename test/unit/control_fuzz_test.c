/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: requests that mean harm or mean nothing. Whatever a guest or a device sends, all accounts are byte for byte what they were;
 * whatever an administrator sends, there is one left; and each request gets one answer, which is JSON.
 *
 * The numbers are pseudo-random with a fixed seed. With TEST_LONG there are ten times as many.
 */
#include "control_fixture.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS    10000
#define REQUEST_MAX 4096
#define WAITING_MAX 6 /* fewer than a user may have */

static uint64_t random_state;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static size_t random_below(size_t bound)
{
	return (size_t)(random_next() % bound);
}

static int make(void **state)
{
	static struct scene scene;
	scene_make(&scene, false);
	scene_publish(&scene, "hall/uno1", "hall/uno1/temperature/value", "23.5", false);
	random_state = 20261122;
	*state = &scene;
	return 0;
}

static int dispose(void **state)
{
	scene_remove(*state);
	return 0;
}

static size_t rounds(void)
{
	return getenv("TEST_LONG") != NULL ? 10 * REQUESTS : REQUESTS;
}

/* ---- requests ---- */

static const char *const requests[] = {
	"{\"commands\":[{\"command\":\"help\"}]}",
	"{\"commands\":[{\"command\":\"whoAmI\",\"correlationData\":\"x\"}]}",
	"{\"commands\":[{\"command\":\"checkAccess\",\"action\":\"read\",\"topic\":\"hall/uno1/t/"
	"value\",\"username\":\"gus\"}]}",
	"{\"commands\":[{\"command\":\"listAccounts\",\"count\":10,\"offset\":0,\"verbose\":true}]}",
	"{\"commands\":[{\"command\":\"getAccount\",\"username\":\"gus\"}]}",
	"{\"commands\":[{\"command\":\"createAccount\",\"username\":\"eve\",\"role\":\"admin\",\"certificate\":true}]}",
	"{\"commands\":[{\"command\":\"modifyAccount\",\"username\":\"gus\",\"role\":\"admin\",\"grants\":[{\"allow\":"
	"\"all\","
	"\"topic\":\"#\"}],\"locations\":null}]}",
	"{\"commands\":[{\"command\":\"deleteAccount\",\"username\":\"rita\"}]}",
	"{\"commands\":[{\"command\":\"setPassword\",\"username\":\"gus\",\"password\":\"short\"}]}",
	"{\"commands\":[{\"command\":\"disableAccount\",\"username\":\"mark\"},{\"command\":\"enableAccount\",\"username\":"
	"\"mark\"}]}",
	"{\"commands\":[{\"command\":\"addGrant\",\"username\":\"gus\",\"allow\":\"all\",\"topic\":\"$CONTROL/#\"}]}",
	"{\"commands\":[{\"command\":\"removeGrant\",\"username\":\"serv\",\"allow\":\"read\",\"topic\":\"hall/uno1/#\"}]}",
	"{\"commands\":[{\"command\":\"importPasswords\",\"lines\":[\"eve:$6$AAAA$AAAA\"],\"role\":\"admin\",\"replace\":"
	"true}]}",
	"{\"commands\":[{\"command\":\"addDevice\",\"location\":\"hall\",\"device\":\"uno2\",\"clientIds\":[\"a*\"]}]}",
	"{\"commands\":[{\"command\":\"listDevices\",\"location\":\"hall\"}]}",
	"{\"commands\":[{\"command\":\"newSecret\",\"location\":\"hall\",\"device\":\"uno1\"}]}",
	"{\"commands\":[{\"command\":\"renameDevice\",\"location\":\"hall\",\"device\":\"uno1\",\"newLocation\":\"hall\","
	"\"newDevice\":\"uno9\"}]}",
	"{\"commands\":[{\"command\":\"removeDevice\",\"location\":\"hall\",\"device\":\"uno1\",\"configs\":true}]}",
	"{\"commands\":[{\"command\":\"listSessions\"},{\"command\":\"forgetSession\",\"clientId\":\"x\"}]}",
	"{\"commands\":[{\"command\":\"dropSession\",\"clientId\":\"c-rita\"}]}",
	"{\"commands\":[{\"command\":\"listSeries\",\"filter\":\"hall/#\",\"count\":3}]}",
	"{\"commands\":[{\"command\":\"getLatest\",\"topic\":\"hall/uno1/temperature/value\"}]}",
	"{\"commands\":[{\"command\":\"getHistory\",\"topic\":\"hall/uno1/temperature/"
	"value\",\"from\":\"-24h\",\"buckets\":10}]}",
	"{\"commands\":[{\"command\":\"setConfig\",\"topic\":\"hall/uno1/t/config\",\"config\":{\"min\":-1.5,\"max\":3}}]}",
	"{\"commands\":[{\"command\":\"listConfigs\"},{\"command\":\"getConfig\",\"topic\":\"hall/uno1/t/config\"}]}",
	"{\"commands\":[{\"command\":\"removeConfig\",\"topic\":\"hall/uno1/t/config\"}]}",
	"{\"commands\":[{\"command\":\"getMetrics\"},{\"command\":\"getJournal\"},{\"command\":\"getMove\"}]}",
	"{\"commands\":[{\"command\":\"backup\",\"after\":\"account/gus\",\"count\":2}]}",
	"{\"commands\":[{\"command\":\"restore\",\"version\":1,\"replaceAccounts\":true,\"documents\":[{\"account\":{"
	"\"username\":"
	"\"eve\",\"role\":\"admin\"}},{\"config\":\"hall/uno1/t/"
	"config\",\"payload\":\"{}\",\"author\":\"anna\"},{\"state\":"
	"\"hall/hearth/auto/state\",\"payload\":\"1\"}]}]}",
	"{\"commands\":[{\"command\":\"stopMove\"}]}",
};

/* What a request is made of, and what trips those who read one. */
static const char *const tokens[] = {
	"{",
	"}",
	"[",
	"]",
	":",
	",",
	"\"",
	"\\",
	"\\u0000",
	"\\ud800",
	"null",
	"true",
	"-1",
	"1e999",
	"0.5",
	"18446744073709551616",
	"\"\"",
	"\xff",
	"\xed\xa0\x80",
	"#",
	"+",
	"$SYS",
	"%u",
	"/",
	"\"all\"",
	"\"hearth\"",
	"\"username\":\"anna\",",
	"\"role\":\"admin\"",
	"\"commands\":[",
	"\"command\":\"createAccount\"",
	"\"command\":\"restore\"",
	"\"documents\":[",
	"\"gus\"",
	"\"anna\"",
};

struct text {
	size_t len;
	char bytes[REQUEST_MAX];
};

/* Bytes, or tokens one after the other. */
static void make_random(struct text *text)
{
	bool bytes = random_below(2) == 0;
	size_t count = random_below(bytes ? 200 : 60);
	text->len = 0;
	for (size_t i = 0; i < count; i++) {
		char byte = (char)random_next();
		const char *token = tokens[random_below(COUNT(tokens))];
		size_t len = bytes ? 1 : strlen(token);
		memcpy(text->bytes + text->len, bytes ? &byte : token, len);
		text->len += len;
	}
}

static void replace(struct text *text, size_t at, size_t gone, const char *with, size_t len)
{
	if (text->len - gone + len > REQUEST_MAX)
		return;
	memmove(text->bytes + at + len, text->bytes + at + gone, text->len - at - gone);
	memmove(text->bytes + at, with, len);
	text->len = text->len - gone + len;
}

/* One to four changes of a good request: a bit, bytes gone, a token put in, a piece of another request. */
static void make_mutated(struct text *text)
{
	const char *good = requests[random_below(COUNT(requests))];
	text->len = strlen(good);
	memcpy(text->bytes, good, text->len);
	for (size_t changes = 1 + random_below(4); changes > 0 && text->len > 0; changes--) {
		size_t at = random_below(text->len), rest = text->len - at;
		const char *token = tokens[random_below(COUNT(tokens))], *other = requests[random_below(COUNT(requests))];
		size_t from = random_below(strlen(other)), piece = random_below(strlen(other) - from + 1);
		switch (random_below(4)) {
		case 0:
			text->bytes[at] = (char)(text->bytes[at] ^ 1 << random_below(8));
			break;
		case 1:
			replace(text, at, random_below(rest < 8 ? rest + 1 : 8), "", 0);
			break;
		case 2:
			replace(text, at, random_below(rest < 8 ? rest + 1 : 8), token, strlen(token));
			break;
		default:
			replace(text, at, 0, other + from, piece);
			break;
		}
	}
}

/* ---- answers ---- */

static void check_answers(struct scene *scene)
{
	struct json_fault fault;
	for (; scene->told < fake_responses(); scene->told++) {
		const struct fake_publish *answer = fake_response_at(scene->told);
		if (!json_check((struct slice){answer->payload, answer->len}, &fault) ||
		    !utf8_valid((struct slice){answer->payload, answer->len}))
			fail_msg("not JSON at %zu: %s", fault.byte, answer->payload);
		assert_null(strstr(answer->payload, "come again"));
	}
}

/* Sends it, and waits as soon as the user has too many on the way. */
static void send(struct scene *scene, const char *user, const struct text *text, size_t *sent)
{
	char *exact = malloc(text->len + (text->len == 0)); /* so that a byte too far is seen */
	assert_non_null(exact);
	memcpy(exact, text->bytes, text->len);
	scene->ahead_ms += 60; /* else most would be refused unread */
	scene_send(scene, user, (struct slice){exact, text->len});
	free(exact);
	++*sent;
	check_answers(scene);
	while (*sent - fake_responses() > WAITING_MAX) {
		scene_answer(scene);
		check_answers(scene);
	}
}

static void send_many(struct scene *scene, const char *user, void (*make_one)(struct text *text))
{
	static struct text text;
	size_t sent = fake_responses();
	for (size_t i = 0; i < rounds(); i++) {
		make_one(&text);
		send(scene, user, &text, &sent);
	}
	while (fake_responses() < sent)
		scene_answer(scene);
	check_answers(scene);
	assert_int_equal(fake_responses(), sent);
}

static void accounts_stay(struct scene *scene, const char *user, void (*make_one)(struct text *text))
{
	char *before = scene_accounts(scene);
	send_many(scene, user, make_one);
	char *after = scene_accounts(scene);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void random_requests_change_no_account(void **state)
{
	accounts_stay(*state, "gus", make_random);
}

static void a_guests_mutated_requests_change_no_account(void **state)
{
	accounts_stay(*state, "gus", make_mutated);
}

static void a_devices_mutated_requests_change_no_account(void **state)
{
	accounts_stay(*state, "hall/uno1", make_mutated);
}

static void an_administrator_is_always_left(void **state)
{
	struct scene *scene = *state;
	const struct account_table *table = access_accounts(scene->access);
	size_t left = 0;

	send_many(scene, "anna", make_random);
	send_many(scene, "anna", make_mutated);
	for (size_t i = 0; i < account_count(table); i++)
		left += account_role(account_at(table, i)) == ROLE_ADMIN &&
		        account_usable(account_at(table, i), scene_now(scene).wall_us);
	assert_true(left > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(random_requests_change_no_account),
		TEST(a_guests_mutated_requests_change_no_account),
		TEST(a_devices_mutated_requests_change_no_account),
		TEST(an_administrator_is_always_left),
	};
	return cmocka_run_group_tests_name("control_fuzz", tests, NULL, NULL);
}
