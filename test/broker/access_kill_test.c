/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * kill -9 of the broker at any moment of a change of accounts: afterwards there are the old accounts or the new, all of
 * them, and the new if success was told.
 *
 * A model knows the version of each account, which is written into a grant of it. A change gives many accounts another
 * version at once, makes or removes some, or changes a password. HEARTH_SEED repeats a run, TEST_KILLS says how many rounds there
 * are.
 */
#include "accounts.h"
#include "chance.h"
#include "client.h"
#include "house.h"
#include "patience.h"

#include <cjson/cJSON.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS      15
#define ROUNDS_LONG 200
#define POOL        40 /* accounts that come, change and go */
#define IMPORTS     50 /* accounts that are imported at once */
#define ENTRIES_MAX (POOL + ROUNDS_LONG * IMPORTS)
#define DELAY_BITS  18     /* a kill comes up to so many bits of microseconds after the request, */
#define DELAY_US    400000 /* or so many: an answer may have come by then */
#define NO_PERSON   "$7$100000$dGVzdCBzdXBwb3J0$" /* a hash, and nobody knows of what; the rest is HASH */
#define HASH        "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="

struct entry {
	char name[32];
	int old, new; /* versions; 0: there is no such account */
};

static struct entry entries[ENTRIES_MAX];
static size_t entry_count;
static int version;          /* the last one given */
static int password, wanted; /* number of anna's password, and of the one that it is to be changed to */

static unsigned rounds(void)
{
	const char *kills = getenv("TEST_KILLS"), *is_long = getenv("TEST_LONG");

	if (kills != NULL && kills[0] != '\0')
		return (unsigned)strtoul(kills, NULL, 10);
	return is_long != NULL && strcmp(is_long, "1") == 0 ? ROUNDS_LONG : ROUNDS;
}

static struct entry *add_entry(const char *kind, size_t number)
{
	struct entry *entry = &entries[entry_count++];

	assert_true(entry_count <= ENTRIES_MAX);
	snprintf(entry->name, sizeof(entry->name), "%s%zu", kind, number);
	return entry;
}

/* ---- changes: asked for, not waited for ---- */

static char *longer(char *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The list with a comma, if it has something, and more. */
static char *longer(char *list, const char *format, ...)
{
	char *more = NULL, *all = NULL;
	va_list arguments;

	va_start(arguments, format);
	assert_true(vasprintf(&more, format, arguments) >= 0);
	va_end(arguments);
	assert_true(asprintf(&all, "%s%s%s", list, list[0] != '\0' ? "," : "", more) >= 0);
	free(list);
	free(more);
	return all;
}

static void change_many(struct client *admin)
{
	char *list = strdup("");

	version++;
	for (size_t i = 0; i < POOL; i++) {
		if (chance_once_in(3))
			continue;
		entries[i].new = version;
		list = longer(list,
		              "{'account':{'username':'%s','role':'guest','grants':[{'allow':'read','topic':'version/%d'}]}}",
		              entries[i].name, version);
	}
	accounts_send(admin, "{'command':'restore','version':1,'replaceAccounts':true,'documents':[%s]}", list);
	free(list);
}

static void remove_one(struct client *admin)
{
	struct entry *entry = &entries[chance_below(POOL)];

	entry->new = 0;
	accounts_send(admin, "{'command':'deleteAccount','username':'%s'}", entry->name);
}

/* They have no grant, which stands for version 1. */
static void import(struct client *admin)
{
	char *list = strdup("");
	size_t first = entry_count;

	for (size_t i = 0; i < IMPORTS; i++) {
		struct entry *entry = add_entry("imported", first + i);

		entry->new = 1;
		list = longer(list, "'%s:" NO_PERSON HASH "'", entry->name);
	}
	accounts_send(admin, "{'command':'importPasswords','role':'guest','lines':[%s]}", list);
	free(list);
}

static void change_password(struct client *admin)
{
	wanted = password + 1;
	accounts_send(admin, "{'command':'setPassword','username':'anna','password':'anna has password %d'}", wanted);
}

static void change_something(struct client *admin)
{
	static void (*const changes[])(struct client *) = {change_many, change_many, remove_one, import, change_password};

	changes[chance_below(sizeof(changes) / sizeof(changes[0]))](admin);
}

/* ---- what holds ---- */

/* The version that an account's grant says; 1 if it has none. */
static int version_of(const cJSON *account)
{
	const cJSON *grants = cJSON_GetObjectItemCaseSensitive(account, "grants");
	const char *topic = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(grants, 0), "topic"));

	return topic == NULL ? 1 : (int)strtol(topic + strlen("version/"), NULL, 10);
}

static int version_there(const cJSON *accounts, const char *name)
{
	const cJSON *account;

	cJSON_ArrayForEach(account, accounts)
	{
		if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(account, "username")), name) == 0)
			return version_of(account);
	}
	return 0;
}

/* Are all accounts as they were (or, `new`, as they were to be)? Else *other is one that is not. */
static bool all_are(const cJSON *accounts, bool new, const struct entry **other)
{
	size_t there = 0;

	for (size_t i = 0; i < entry_count; i++) {
		*other = &entries[i];
		if (version_there(accounts, entries[i].name) != (new ? entries[i].new : entries[i].old))
			return false;
		there += (new ? entries[i].new : entries[i].old) != 0;
	}
	*other = NULL;
	return (size_t)cJSON_GetArraySize(accounts) == there + 2; /* admin and anna */
}

static bool signs_in(const struct house *house, int number)
{
	char text[40];
	struct client *anna;
	bool yes;

	snprintf(text, sizeof(text), "anna has password %d", number);
	anna = accounts_sign_in(house, CLIENT_V3, "anna", text);
	yes = anna != NULL;
	client_free(anna);
	return yes;
}

static void settle_password(const struct house *house, bool told, unsigned round)
{
	bool is_new = signs_in(house, wanted);

	if (is_new == signs_in(house, password) || (told && !is_new))
		fail_msg("round %u: told %d; the new password is %s", round, told, is_new ? "right, as the old" : "wrong");
	if (is_new)
		password = wanted;
	wanted = password;
}

/* Compares, and takes over what there is. Returns whether it is the new. */
static bool settle_accounts(struct client *admin, bool told, unsigned round)
{
	cJSON *responses = accounts_ask(admin, "{'command':'listAccounts','verbose':true,'count':10000}");
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(responses, 0), "data");
	const cJSON *accounts = cJSON_GetObjectItemCaseSensitive(data, "accounts");
	const struct entry *not_new, *not_old;
	bool is_new = all_are(accounts, true, &not_new), is_old = all_are(accounts, false, &not_old);

	if ((!is_new && !is_old) || (told && !is_new))
		fail_msg("round %u: told %d; %d accounts; not new: %s; not old: %s", round, told, cJSON_GetArraySize(accounts),
		         not_new != NULL ? not_new->name : "(one too many)",
		         not_old != NULL ? not_old->name : "(one too many)");
	for (size_t i = 0; i < entry_count; i++)
		*(is_new ? &entries[i].old : &entries[i].new) = is_new ? entries[i].new : entries[i].old;
	cJSON_Delete(responses);
	return is_new;
}

/* Was success told before the broker died? */
static bool was_told(struct client *admin)
{
	const struct message *answer;

	assert_true(client_ends(admin, SOON));
	answer = client_take(admin, CONTROL_RESPONSE, -1);
	return answer != NULL && strstr(answer->payload, "\"error\"") == NULL;
}

static void old_or_new(void **state)
{
	struct house *house = accounts_house();
	struct client *admin = accounts_admin(house);
	unsigned told = 0, taken = 0;

	(void)state;
	for (size_t i = 0; i < POOL; i++)
		add_entry("person", i);
	accounts_do(admin, "{'command':'createAccount','username':'anna','role':'guest','password':'anna has password 0'}");
	for (unsigned round = 0; round < rounds(); round++) {
		bool is_told, is_new;

		change_something(admin);
		chance_pause(chance_once_in(2) ? 1u << chance_below(DELAY_BITS) : chance_below(DELAY_US));
		house_kill(house);
		is_told = was_told(admin);
		client_free(admin);
		house_start(house);
		admin = accounts_admin(house);
		is_new = settle_accounts(admin, is_told && wanted == password, round);
		if (wanted != password)
			settle_password(house, is_told, round);
		told += is_told;
		taken += is_new;
	}
	print_message("of %u changes %u were told, %u taken\n", rounds(), told, taken);
	client_free(admin);
	house_free(house);
}

/* What was told outlives a kill in the same moment. */
static void told_is_new(void **state)
{
	struct house *house = accounts_house();
	struct client *admin = accounts_admin(house);

	(void)state;
	for (unsigned round = 0; round < rounds() / 3; round++) {
		accounts_add(admin, "{'username':'new%u','role':'guest'}", round);
		house_kill(house);
		client_free(admin);
		house_start(house);
		client_free(accounts_sign_in(house, CLIENT_V3, "new0", ACCOUNTS_SECRET));
		admin = accounts_admin(house);
		accounts_do(admin, "{'command':'getAccount','username':'new%u'}", round);
	}
	client_free(admin);
	house_free(house);
}

static int begin(void **state)
{
	(void)state;
	chance_begin();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(old_or_new, client_teardown),
		cmocka_unit_test_teardown(told_is_new, client_teardown),
	};

	return cmocka_run_group_tests_name("access_kill", tests, begin, NULL);
}
