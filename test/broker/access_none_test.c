/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * While there is no account, a broker does as it does without Hearth: the same questions are asked of one with the plugin line
 * and of one without, and their answers compared. With the first account nobody else gets in, whatever the broker's own
 * files say.
 */
#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "program.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NO_ACCOUNTS  "there are no accounts"
#define NOT_ALLOWED  5 /* CONNACK of MQTT 3.1.1 */
#define ANSWERS_MAX  200

/* ---- what Mosquitto itself is told ---- */

enum own_files { NOTHING, PASSWORDS, ACL, PASSWORDS_AND_ACL, FILES_COUNT };

static void write_file(const struct house *house, const char *name, const char *text)
{
	char path[96];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", house->folder, name);
	out = fopen(path, "we");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void make_passwords(struct house *house)
{
	char path[96];

	write_file(house, "passwords", "");
	snprintf(path, sizeof(path), "%s/passwords", house->folder);
	program_run((const char *const[]){"mosquitto_passwd", "-b", path, "anna", "anna's own", NULL});
	program_run((const char *const[]){"mosquitto_passwd", "-b", path, "otto", "otto's own", NULL});
	house_conf(house, "password_file %s", path);
}

static void configure(struct house *house, enum own_files files, bool anonymous)
{
	house_conf(house, "allow_anonymous %s", anonymous ? "true" : "false");
	if (files == PASSWORDS || files == PASSWORDS_AND_ACL)
		make_passwords(house);
	if (files == ACL || files == PASSWORDS_AND_ACL) {
		write_file(house, "acl",
		           "topic read public/#\n\nuser anna\ntopic readwrite home/#\ntopic deny home/safe\n"
		           "topic write $CONTROL/hearth/v1\npattern readwrite own/%u/%c\n");
		house_conf(house, "acl_file %s/acl", house->folder);
	}
}

/* ---- what is asked ---- */

struct answers {
	size_t count;
	int codes[ANSWERS_MAX];
};

static void note(struct answers *answers, int code)
{
	assert_true(answers->count < ANSWERS_MAX);
	answers->codes[answers->count++] = code;
}

static const char *const topics[] = {
	"home/uno1/t/value",  "home/safe",        "public/notice", "own/anna/a",         "kitchen/uno1/led/set",
	"$CONTROL/hearth/v1", "$CONTROL/some/v1", "$SYS/broker/x", "$share/g/home/uno1", "home/hearth/auto/set",
};
static const char *const filters[] = {
	"#", "home/#", "public/#", "kitchen/+/+/set", "$SYS/#", "$CONTROL/#", "$share/g/home/#", CONTROL_RESPONSE,
};

/* What one client can do, and what of it comes back to itself. */
static void try_all(struct answers *answers, struct client *client)
{
	for (size_t i = 0; i < COUNT(filters); i++)
		note(answers, client_try_subscribe(client, filters[i]));
	client_unsubscribe(client, "$SYS/#");
	for (size_t i = 0; i < COUNT(topics); i++) {
		client_drain(client, NULL);
		note(answers, client_publish_bytes(client, topics[i], "1", 1, false));
		client_fence(client);
		note(answers, client_take(client, topics[i], 0) != NULL);
		assert_null(client_take(client, CONTROL_RESPONSE, 0));
	}
}

static const struct {
	const char *user, *password;
} people[] = {
	{NULL, NULL}, {"anna", "anna's own"}, {"anna", "wrong"}, {"anna", NULL}, {"nobody", "anna's own"}, {"", ""},
};

static struct answers ask(struct house *house)
{
	struct answers answers = {0};

	for (int version = CLIENT_V3; version <= CLIENT_V5; version++)
		for (size_t i = 0; i < COUNT(people); i++) {
			struct client *client = client_open(
				house, &(struct client_options){
						   .version = version, .user = people[i].user, .password = people[i].password, .id = "a"});

			note(&answers, client->connack);
			if (client->connack == 0 && i < 2)
				try_all(&answers, client);
			client_free(client);
		}
	return answers;
}

static struct answers ask_new_house(enum own_files files, bool anonymous, bool bare)
{
	struct house *house = house_new();
	struct answers answers;

	house->bare = bare;
	configure(house, files, anonymous);
	house_start(house);
	answers = ask(house);
	assert_int_equal(house_count_log(house, NO_ACCOUNTS, NULL), bare ? 0 : 1);
	house_free(house);
	return answers;
}

static void same_as_without_the_plugin(void **state)
{
	(void)state;
	for (int files = NOTHING; files < FILES_COUNT; files++)
		for (int anonymous = 0; anonymous < 2; anonymous++) {
			struct answers without = ask_new_house((enum own_files)files, anonymous, true);
			struct answers with = ask_new_house((enum own_files)files, anonymous, false);

			assert_int_equal(with.count, without.count);
			for (size_t i = 0; i < with.count; i++)
				if (with.codes[i] != without.codes[i])
					fail_msg("files %d, anonymous %d, answer %zu: %d with the plugin, %d without", files, anonymous, i,
					         with.codes[i], without.codes[i]);
		}
}

/* And that is what one expects of a broker. */
static void mosquittos_own_files_hold(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	configure(house, PASSWORDS_AND_ACL, false);
	house_start(house);
	client = client_open(house, &(struct client_options){.version = CLIENT_V5});
	assert_int_equal(client->connack, REASON_NOT_AUTHORIZED);
	client_free(client);
	client = client_open(house, &(struct client_options){.user = "anna", .password = "wrong"});
	assert_int_equal(client->connack, NOT_ALLOWED);
	client_free(client);
	client =
		client_open(house, &(struct client_options){.version = CLIENT_V5, .user = "anna", .password = "anna's own"});
	assert_int_equal(client->connack, 0);
	assert_int_equal(client_try_subscribe(client, "#"), 1);
	assert_true(client_publish_bytes(client, "home/uno1/t/value", "1", 1, false) < 128);
	client_expect(client, "home/uno1/t/value", "1", SOON);
	assert_int_equal(client_publish_bytes(client, "home/safe", "1", 1, false), REASON_NOT_AUTHORIZED);
	assert_int_equal(client_publish_bytes(client, "kitchen/uno1/t/value", "1", 1, false), REASON_NOT_AUTHORIZED);
	client_fence(client);
	assert_null(client_take(client, NULL, 0));
	/* A SIGHUP reads those files again, and asks Hearth nothing. */
	house_signal(house, SIGHUP);
	house_wait_log(house, "Reloading config");
	client_fence(client);
	assert_true(client_publish_bytes(client, "home/uno1/t/value", "2", 1, false) < 128);
	client_expect(client, "home/uno1/t/value", "2", SOON);
	client_free(client);
	house_free(house);
}

/* ---- with the first account ---- */

static void expect_nobody_else(struct house *house)
{
	for (int version = CLIENT_V3; version <= CLIENT_V5; version++)
		for (size_t i = 0; i < COUNT(people); i++) {
			struct client *client;
			int64_t deadline = deadline_in(2 * SOON);

			for (;;) {
				client =
					client_open(house, &(struct client_options){
										   .version = version, .user = people[i].user, .password = people[i].password});
				if (client->connack != CONNACK_NONE || now_ms() > deadline)
					break;
				client_free(client); /* a password may be put off before it is refused */
				look_again();
			}
			assert_int_equal(client->connack, version == CLIENT_V5 ? REASON_NOT_AUTHORIZED : NOT_ALLOWED);
			client_free(client);
		}
}

static void with_an_account_nobody_else_gets_in(void **state)
{
	(void)state;
	for (int files = NOTHING; files < FILES_COUNT; files += PASSWORDS_AND_ACL) {
		struct house *house = house_new();
		struct client *client;

		configure(house, (enum own_files)files, true);
		house_start(house);
		client = client_open(house, &(struct client_options){.user = files == NOTHING ? NULL : "anna",
		                                                     .password = files == NOTHING ? NULL : "anna's own"});
		assert_int_equal(client->connack, 0);
		client_publish_retained(client, "home/uno1/t/config", "{}"); /* of whom there was no account */
		client_free(client);
		house_stop(house);
		accounts_init(house);
		house_start(house);
		assert_int_equal(house_count_log(house, NO_ACCOUNTS, NULL), 0);
		expect_nobody_else(house);
		client = accounts_admin(house);
		accounts_do(client, "{'command':'whoAmI'}");
		client_subscribe(client, "home/+/+/config");
		client_expect(client, "home/uno1/t/config", "{}", SOON);
		client_free(client);
		house_free(house);
	}
}

/* An administrator who lost his password makes himself another. */
static void init_again_gives_another_password(void **state)
{
	struct house *house = accounts_house();
	struct client *admin = accounts_admin(house);

	(void)state;
	accounts_do(admin, "{'command':'createAccount','username':'second','role':'admin','password':'another one'}");
	accounts_send(admin, "{'command':'deleteAccount','username':'" ACCOUNTS_ADMIN "'}");
	assert_true(client_ends(admin, SOON));
	client_free(admin);
	assert_null(accounts_sign_in(house, CLIENT_V5, ACCOUNTS_ADMIN, ACCOUNTS_PASSWORD));
	house_stop(house);
	accounts_init(house);
	house_start(house);
	client_free(accounts_admin(house));
	admin = accounts_sign_in(house, CLIENT_V5, "second", "another one");
	assert_non_null(admin);
	client_free(admin);
	house_free(house);
}

/* The accounts cannot be read: that opens nothing. */
static void damaged_accounts_let_nobody_in(void **state)
{
	struct house *house = accounts_house();
	struct client *client;
	char path[96];
	int fd;

	(void)state;
	client_free(accounts_admin(house));
	house_stop(house);
	snprintf(path, sizeof(path), "%s/hearth/state.db", house->folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "this is no database at all, and no page", 39, 0), 39);
	close(fd);
	if (house_try(house)) {
		expect_nobody_else(house);
		client = client_open(
			house, &(struct client_options){.user = ACCOUNTS_ADMIN, .password = ACCOUNTS_PASSWORD, .id = "x"});
		assert_int_not_equal(client->connack, 0);
		client_free(client);
	}
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(same_as_without_the_plugin, client_teardown),
		cmocka_unit_test_teardown(mosquittos_own_files_hold, client_teardown),
		cmocka_unit_test_teardown(with_an_account_nobody_else_gets_in, client_teardown),
		cmocka_unit_test_teardown(init_again_gives_another_password, client_teardown),
		cmocka_unit_test_teardown(damaged_accounts_let_nobody_in, client_teardown),
	};

	return cmocka_run_group_tests_name("access_none", tests, NULL, NULL);
}
