/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Who may do what, asked of a real broker: the tables that the unit test of `account` asks (test/unit/account_cases.h), by
 * MQTT 3.1.1 and 5, and once more with plugin_opt_subscribe strict.
 *
 * Published is what an administrator's subscription brings, and what a PUBACK of MQTT 5 does not refuse; received is what
 * comes by a subscription to everything. What no client can ask is left out: names that are no topics, an empty client id,
 * and topics that Mosquitto or Hearth keep for themselves.
 */
#include "../unit/account_cases_grants.h"
#include "../unit/account_cases_roles.h"
#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"

#include <mosquitto.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define ACCOUNTS_MAX   40
#define SUBACK_REFUSED 128 /* of MQTT 3.1.1 */

struct asked {
	struct house *house;
	struct client *admin, *client;
	int version;
	bool strict;
	const char *account, *client_id; /* of `client` */
	unsigned publishes, receipts, subscriptions;
};

/* ---- accounts and clients ---- */

/* The text of "username" in a document. */
static char *name_in(const char *document, char name[static 64])
{
	assert_int_equal(sscanf(document, "{\"username\":\"%63[^\"]\"", name), 1);
	return name;
}

static void make_accounts(struct asked *asked, const struct account_case *cases, size_t count)
{
	const char *documents[ACCOUNTS_MAX];
	size_t made = 0;

	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		while (k < made && strcmp(documents[k], cases[i].account) != 0)
			k++;
		assert_true(k < ACCOUNTS_MAX);
		documents[k] = cases[i].account;
		made += k == made;
	}
	accounts_add_all(asked->admin, documents, made);
}

/* A client of this account with this id, which is kept for as long as the next case wants the same. */
static void become(struct asked *asked, const struct account_case *c)
{
	char name[64];
	struct client_options options = {
		.version = asked->version, .user = name, .password = ACCOUNTS_SECRET, .id = c->client_id};

	if (asked->client != NULL && asked->account == c->account && strcmp(asked->client_id, c->client_id) == 0)
		return;
	client_free(asked->client);
	client_fence(asked->admin); /* the broker has seen it leave, and another user may have its client id */
	name_in(c->account, name);
	asked->client = client_open(asked->house, &options);
	if (asked->client->connack != 0)
		fail_msg("%s: %s may not sign in as %s: %d", c->name, name, c->client_id, asked->client->connack);
	asked->account = c->account;
	asked->client_id = c->client_id;
	if (!asked->strict)
		client_try_subscribe(asked->client, "#");
}

/* ---- asking ---- */

static bool ends_in(const char *topic, const char *level)
{
	const char *last = strrchr(topic, '/');

	return last != NULL && strcmp(last + 1, level) == 0;
}

/* A payload that nothing but rights can be wrong with, retained where it has to be. */
static int publish(struct client *client, const char *topic)
{
	bool config = ends_in(topic, "config");
	const char *text = config ? "{}" : ends_in(topic, "status") ? "online" : "1";

	return client_publish_bytes(client, topic, text, strlen(text), config);
}

static void expect_published(struct asked *asked, const struct account_case *c)
{
	bool wanted = c->answer == YES, dollar = c->topic[0] == '$';
	int reason;

	client_drain(asked->admin, NULL);
	reason = publish(asked->client, c->topic);
	if (asked->version == CLIENT_V5 && (reason == REASON_NOT_AUTHORIZED) == wanted)
		fail_msg("%s: PUBACK %d for %s", c->name, reason, c->topic);
	if (!dollar && (client_fence(asked->admin), client_take(asked->admin, c->topic, 0) != NULL) != wanted)
		fail_msg("%s: %s %s", c->name, c->topic, wanted ? "did not arrive" : "arrived");
	asked->publishes++;
}

static void expect_received(struct asked *asked, const struct account_case *c)
{
	bool wanted = c->answer == YES;

	client_drain(asked->client, NULL);
	assert_true(publish(asked->admin, c->topic) < 128);
	client_fence(asked->client);
	if ((client_take(asked->client, c->topic, 0) != NULL) != wanted)
		fail_msg("%s: %s was %s", c->name, c->topic, wanted ? "not received" : "received");
	asked->receipts++;
}

static void expect_subscribed(struct asked *asked, const struct account_case *c)
{
	/* What one of a group is dealt no other gets: that is for programs, and for what they may have all of. */
	bool shared = strncmp(c->topic, "$share/", 7) == 0;
	bool program = strstr(c->account, "\"admin\"") != NULL || strstr(c->account, "\"service\"") != NULL;
	bool wanted = shared ? c->answer == ALL && program : c->answer == ALL || (c->answer == SOME && !asked->strict);
	int refused = asked->version == CLIENT_V5 ? REASON_NOT_AUTHORIZED : SUBACK_REFUSED;
	int code = client_try_subscribe(asked->client, c->topic);

	if (code != (wanted ? 1 : refused))
		fail_msg("%s: SUBACK %d for %s", c->name, code, c->topic);
	asked->subscriptions++;
	if (wanted && strcmp(c->topic, "#") != 0) /* it would bring a share of what is received */
		client_unsubscribe(asked->client, c->topic);
}

/* May a client publish this, and does it reach others? */
static bool is_plain(const struct asked *asked, const struct account_case *c)
{
	if (mosquitto_pub_topic_check(c->topic) != MOSQ_ERR_SUCCESS || ends_in(c->topic, "alarm"))
		return false;
	if (c->topic[0] != '$')
		return true;
	return c->action == PUBLISH && asked->version == CLIENT_V5 && strncmp(c->topic, "$SYS", 4) != 0;
}

static bool can_be_asked(const struct asked *asked, const struct account_case *c)
{
	if (c->client_id[0] == '\0' || c->topic[0] == '\0')
		return false;
	if (c->action == SUBSCRIBE)
		return mosquitto_sub_topic_check(c->topic) == MOSQ_ERR_SUCCESS;
	return !asked->strict && is_plain(asked, c);
}

static void ask_all(struct asked *asked, const struct account_case *cases, size_t count)
{
	make_accounts(asked, cases, count);
	for (size_t i = 0; i < count; i++) {
		if (!can_be_asked(asked, &cases[i]))
			continue;
		become(asked, &cases[i]);
		if (cases[i].action == PUBLISH)
			expect_published(asked, &cases[i]);
		else if (cases[i].action == RECEIVE)
			expect_received(asked, &cases[i]);
		else
			expect_subscribed(asked, &cases[i]);
	}
}

static struct asked ask(int version, bool strict)
{
	struct asked asked = {.version = version, .strict = strict, .house = house_new()};

	house_conf(asked.house, "plugin_opt_sign_in_budget 50");
	if (strict)
		house_conf(asked.house, "plugin_opt_subscribe strict");
	accounts_init(asked.house);
	house_start(asked.house);
	asked.admin = accounts_admin(asked.house);
	client_subscribe(asked.admin, "#");
	ask_all(&asked, account_cases_roles, COUNT(account_cases_roles));
	ask_all(&asked, account_cases_grants, COUNT(account_cases_grants));
	client_free(asked.client);
	client_free(asked.admin);
	house_free(asked.house);
	print_message("MQTT %s%s: %u publishes, %u receipts, %u subscriptions\n", version == CLIENT_V5 ? "5" : "3.1.1",
	              strict ? ", strict" : "", asked.publishes, asked.receipts, asked.subscriptions);
	return asked;
}

static void as_the_tables_say_v3(void **state)
{
	struct asked asked = ask(CLIENT_V3, false);

	(void)state;
	assert_true(asked.publishes >= 60 && asked.receipts >= 60 && asked.subscriptions >= 60);
}

static void as_the_tables_say_v5(void **state)
{
	struct asked asked = ask(CLIENT_V5, false);

	(void)state;
	assert_true(asked.publishes >= 60 && asked.receipts >= 60 && asked.subscriptions >= 60);
}

static void strict_refuses_what_is_wider(void **state)
{
	struct asked asked = ask(CLIENT_V5, true);

	(void)state;
	assert_true(asked.subscriptions >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(as_the_tables_say_v3, client_teardown),
		cmocka_unit_test_teardown(as_the_tables_say_v5, client_teardown),
		cmocka_unit_test_teardown(strict_refuses_what_is_wider, client_teardown),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
