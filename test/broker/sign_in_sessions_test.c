/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Who has to go once he is in: by a change of his account, at its end, or not at all, as at a SIGHUP and over a restart.
 */
#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define AT_ONCE      1000
#define TOPIC        "hall/lamp/led/set"

/* ---- who has to go ---- */

static struct client *sign_in(const struct house *house, const char *user, const char *password)
{
	struct client *client = accounts_sign_in(house, CLIENT_V5, user, password);

	if (client == NULL)
		fail_msg("%s is not let in", user);
	return client;
}

static const struct {
	const char *command; /* about bob */
	bool comes_back;     /* with the same password */
} changes[] = {
	{"{'command':'addGrant','username':'bob','deny':'read','topic':'hall/#'}", true},
	{"{'command':'removeGrant','username':'bob','deny':'read','topic':'hall/#'}", true},
	{"{'command':'modifyAccount','username':'bob','role':'guest'}", true},
	{"{'command':'modifyAccount','username':'bob','locations':['kitchen']}", true},
	{"{'command':'modifyAccount','username':'bob','clientIds':['phone']}", false},
	{"{'command':'modifyAccount','username':'bob','clientIds':null}", true},
	{"{'command':'modifyAccount','username':'bob','expires':'2020-01-01T00:00:00Z'}", false},
	{"{'command':'modifyAccount','username':'bob','expires':null}", true},
	{"{'command':'disableAccount','username':'bob'}", false},
	{"{'command':'enableAccount','username':'bob'}", true},
	{"{'command':'setPassword','username':'bob','password':'a new password'}", false},
	{"{'command':'deleteAccount','username':'bob'}", false},
};

static void a_change_ends_sessions(void **state)
{
	struct house *house = accounts_house();
	struct client *admin = accounts_admin(house), *carl;

	(void)state;
	accounts_add(admin, "{'username':'carl','role':'resident'}");
	accounts_add(admin, "{'username':'bob','role':'resident'}");
	carl = sign_in(house, "carl", ACCOUNTS_SECRET);
	client_subscribe(carl, "#");
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct client *bob[2] = {NULL};
		struct client *again;

		for (size_t k = 0; k < 2 && (i == 0 || changes[i - 1].comes_back); k++)
			bob[k] = sign_in(house, "bob", ACCOUNTS_SECRET);
		accounts_do(admin, "%s", changes[i].command);
		for (size_t k = 0; k < 2; k++) {
			if (bob[k] != NULL && !client_ends(bob[k], AT_ONCE))
				fail_msg("%s: bob is still connected", changes[i].command);
			client_free(bob[k]);
		}
		again = accounts_sign_in(house, CLIENT_V5, "bob", ACCOUNTS_SECRET);
		if ((again != NULL) != changes[i].comes_back)
			fail_msg("%s: then bob is %s in", changes[i].command, again != NULL ? "let" : "not let");
		client_free(again);
		if (strstr(changes[i].command, "setPassword") != NULL)
			client_free(sign_in(house, "bob", "a new password"));
	}
	client_publish(admin, TOPIC, "1");
	client_expect(carl, TOPIC, "1", SOON); /* nobody else had to go */
	client_free(carl);
	client_free(admin);
	house_free(house);
}

/* Who changes his own password is told before he has to go. */
static void ones_own_password(void **state)
{
	struct house *house = accounts_house();
	struct client *admin = accounts_admin(house), *anna, *other;

	(void)state;
	accounts_do(admin, "{'command':'createAccount','username':'anna','role':'resident','password':'the old one'}");
	anna = sign_in(house, "anna", "the old one");
	other = sign_in(house, "anna", "the old one");
	client_subscribe(anna, CONTROL_RESPONSE);
	free(accounts_refusal(anna, "{'command':'setPassword','password':'the new one'}"));
	free(accounts_refusal(anna, "{'command':'setPassword','password':'the new one','oldPassword':'not the old one'}"));
	free(accounts_refusal(anna, "{'command':'setPassword','username':'admin','password':'the new one'}"));
	accounts_do(anna, "{'command':'setPassword','password':'the new one','oldPassword':'the old one'}");
	assert_true(client_ends(other, AT_ONCE));
	client_free(other);
	client_free(anna);
	assert_null(accounts_sign_in(house, CLIENT_V5, "anna", "the old one"));
	client_free(sign_in(house, "anna", "the new one"));
	client_free(admin);
	house_free(house);
}

static void an_account_ends_in_time(void **state)
{
	struct house *house = accounts_house();
	struct client *admin = accounts_admin(house), *guest;
	int64_t expires_us = wall_us() + 1500000, ended_us;
	char time[40];

	(void)state;
	accounts_add(admin, "{'username':'visitor','role':'guest','expires':'%s'}", iso_time(expires_us, time));
	guest = sign_in(house, "visitor", ACCOUNTS_SECRET);
	assert_true(client_ends(guest, 2 * SOON));
	ended_us = wall_us();
	assert_true(ended_us >= expires_us);
	assert_true(ended_us < expires_us + 1000 * AT_ONCE);
	client_free(guest);
	assert_null(accounts_sign_in(house, CLIENT_V5, "visitor", ACCOUNTS_SECRET));
	client_free(admin);
	house_free(house);
}

/* ---- SIGHUP and restart ---- */

static void reload(struct house *house)
{
	house_signal(house, SIGHUP);
	house_wait_log(house, "Reloading config");
}

/* Ten whose passwords take long to check, and the budget is small: they are known. */
static void a_sighup_sends_nobody_away(void **state)
{
	struct client *clients[10], *admin;
	struct house *house = house_new();
	int64_t begun;

	(void)state;
	house_conf(house, "plugin_opt_sign_in_budget 1");
	accounts_init(house);
	house_start(house);
	admin = accounts_admin(house);
	accounts_add(admin, "{'username':'quick','role':'resident'}");
	for (size_t i = 0; i < COUNT(clients); i++) {
		clients[i] =
			i % 2 == 0 ? sign_in(house, ACCOUNTS_ADMIN, ACCOUNTS_PASSWORD) : sign_in(house, "quick", ACCOUNTS_SECRET);
		client_subscribe(clients[i], TOPIC);
	}
	begun = now_ms();
	reload(house);
	client_publish(admin, TOPIC, "1");
	for (size_t i = 0; i < COUNT(clients); i++)
		client_expect(clients[i], TOPIC, "1", SOON);
	assert_true(now_ms() < begun + SOON);
	for (size_t i = 0; i < COUNT(clients); i++)
		client_free(clients[i]);
	client_free(admin);
	house_free(house);
}

static struct client *open_stored(const struct house *house, int version)
{
	struct client *client = client_open(
		house, &(struct client_options){
				   .version = version, .user = "quick", .password = ACCOUNTS_SECRET, .id = "stored", .stored = true});

	assert_int_equal(client->connack, 0);
	return client;
}

/* What waits for a client that is away is not lost by a SIGHUP, a restart, or a SIGHUP before it has come back from one. */
static void stored_sessions_stay(int version)
{
	struct house *house = house_new();
	struct client *admin, *client;

	house_conf(house, "persistence true");
	house_conf(house, "plugin_opt_sign_in_budget 50");
	accounts_init(house);
	house_start(house);
	admin = accounts_admin(house);
	accounts_add(admin, "{'username':'quick','role':'resident'}");
	client = open_stored(house, version);
	client_subscribe(client, TOPIC);
	client_free(client);
	client_fence(admin);
	client_publish(admin, TOPIC, "1");
	reload(house);
	client_publish(admin, TOPIC, "2");
	client_free(admin);
	house_restart(house);
	admin = accounts_admin(house);
	client_publish(admin, TOPIC, "3");
	reload(house);
	client_publish(admin, TOPIC, "4");
	client = open_stored(house, version);
	for (int i = 1; i <= 4; i++)
		client_expect(client, TOPIC, (const char[]){(char)('0' + i), '\0'}, SOON);
	reload(house);
	client_publish(admin, TOPIC, "5");
	client_expect(client, TOPIC, "5", SOON);
	assert_int_equal(house_count_log(house, "denied to", NULL), 0);
	client_free(client);
	client_free(admin);
	house_free(house);
}

static void stored_sessions_stay_v3(void **state)
{
	(void)state;
	stored_sessions_stay(CLIENT_V3);
}

static void stored_sessions_stay_v5(void **state)
{
	(void)state;
	stored_sessions_stay(CLIENT_V5);
}

/* A SIGHUP after an account has gone is no way to stay. */
static void a_stored_session_of_nobody_goes(void **state)
{
	struct house *house = house_new();
	struct client *admin, *client;

	(void)state;
	house_conf(house, "persistence true");
	house_conf(house, "plugin_opt_sign_in_budget 50");
	accounts_init(house);
	house_start(house);
	admin = accounts_admin(house);
	accounts_add(admin, "{'username':'quick','role':'resident'}");
	client = open_stored(house, CLIENT_V3);
	client_subscribe(client, TOPIC);
	client_free(client);
	accounts_do(admin, "{'command':'deleteAccount','username':'quick'}");
	client_publish(admin, TOPIC, "1");
	client_free(admin);
	house_restart(house);
	reload(house);
	assert_null(accounts_sign_in(house, CLIENT_V3, "quick", ACCOUNTS_SECRET));
	/* The client id is anybody's, and tells him nothing. */
	client =
		client_open(house, &(struct client_options){
							   .user = ACCOUNTS_ADMIN, .password = ACCOUNTS_PASSWORD, .id = "stored", .stored = true});
	assert_int_equal(client->connack, 0);
	client_free(client);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_change_ends_sessions, client_teardown),
		cmocka_unit_test_teardown(ones_own_password, client_teardown),
		cmocka_unit_test_teardown(an_account_ends_in_time, client_teardown),
		cmocka_unit_test_teardown(a_sighup_sends_nobody_away, client_teardown),
		cmocka_unit_test_teardown(stored_sessions_stay_v3, client_teardown),
		cmocka_unit_test_teardown(stored_sessions_stay_v5, client_teardown),
		cmocka_unit_test_teardown(a_stored_session_of_nobody_goes, client_teardown),
	};

	return cmocka_run_group_tests_name("sign_in_sessions", tests, NULL, NULL);
}
