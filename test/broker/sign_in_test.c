/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Who is let in, and who is not and cannot tell why.
 */
#include "accounts.h"
#include "client.h"
#include "house.h"
#include "patience.h"
#include "raw.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOT_ALLOWED  5    /* CONNACK of MQTT 3.1.1 */
#define LONG_TEXT    1025 /* bytes: no password has so many */
#define TRIES        9
#define ROUNDS       4

static const int versions[] = {CLIENT_V3, CLIENT_V5};

/* The broker's last word, which comes after any number of "not now". */
static int verdict(const struct house *house, const struct client_options *options)
{
	int64_t deadline = deadline_in(2 * SOON);

	for (;;) {
		struct client *client = client_open(house, options);
		int code = client->connack;

		client_free(client);
		if (code != CONNACK_NONE)
			return code;
		if (now_ms() > deadline)
			fail_msg("%s is put off for ever", options->user);
		look_again();
	}
}

/* ---- verdicts ---- */

static const struct {
	const char *user, *password, *id;
	bool admitted;
} attempts[] = {
	{"anna", "anna's own password", NULL, true},
	{"anna", "Anna's own password", NULL, false},
	{"anna", "anna's own password ", NULL, false},
	{"anna", "anna's own passwor", NULL, false},
	{"anna", "", NULL, false},
	{"anna", NULL, NULL, false},
	{"anna", ACCOUNTS_SECRET, NULL, false},
	{"Anna", "anna's own password", NULL, false},
	{"anna ", "anna's own password", NULL, false},
	{"nobody", "anna's own password", NULL, false},
	{"", "", NULL, false},
	{NULL, NULL, NULL, false},
	{"quick", ACCOUNTS_SECRET, NULL, true},
	{"quick", "hearth-abcdefghijklmnopqrstuvwxyb", NULL, false},
	{"quick", "anna's own password", NULL, false},
	{"disabled", ACCOUNTS_SECRET, NULL, false},
	{"expired", ACCOUNTS_SECRET, NULL, false},
	{"expires", ACCOUNTS_SECRET, NULL, true},
	{"tied", ACCOUNTS_SECRET, "phone-1", true},
	{"tied", ACCOUNTS_SECRET, "phone-", true},
	{"tied", ACCOUNTS_SECRET, "tablet", true},
	{"tied", ACCOUNTS_SECRET, "phone", false},
	{"tied", ACCOUNTS_SECRET, "tablet2", false},
	{"tied", ACCOUNTS_SECRET, "Tablet", false},
	{"tied", ACCOUNTS_SECRET, "phone-*", true},
	{"tied", ACCOUNTS_SECRET, "*", false},
	{"nothing", "", NULL, false},
	{"nothing", NULL, NULL, false},
	{"nothing", ACCOUNTS_SECRET, NULL, false},
	{"certificate", NULL, NULL, false},
};

static void make_accounts(struct client *admin)
{
	accounts_add(admin, "{'username':'quick','role':'resident'}");
	accounts_add(admin, "{'username':'disabled','role':'resident','disabled':true}");
	accounts_add(admin, "{'username':'expired','role':'resident','expires':'2020-01-01T00:00:00Z'}");
	accounts_add(admin, "{'username':'expires','role':'resident','expires':'2100-01-01T00:00:00Z'}");
	accounts_add(admin, "{'username':'tied','role':'resident','clientIds':['phone-*','tablet']}");
	accounts_do(admin, "{'command':'createAccount','username':'nothing','role':'resident'},"
	                   "{'command':'createAccount','username':'certificate','role':'resident','certificate':true}");
}

static void only_the_right_get_in(void **state)
{
	struct house *house = accounts_house();
	struct client *admin = accounts_admin(house);

	(void)state;
	accounts_do(admin, "{\"command\":\"createAccount\",\"username\":\"anna\",\"role\":\"resident\","
	                   "\"password\":\"anna\\u0027s own password\"}");
	make_accounts(admin);
	for (size_t v = 0; v < COUNT(versions); v++)
		for (size_t i = 0; i < COUNT(attempts); i++) {
			int refused = versions[v] == CLIENT_V5 ? REASON_NOT_AUTHORIZED : NOT_ALLOWED;
			int code = verdict(house, &(struct client_options){.version = versions[v],
			                                                   .user = attempts[i].user,
			                                                   .password = attempts[i].password,
			                                                   .id = attempts[i].id});

			if (code != (attempts[i].admitted ? 0 : refused))
				fail_msg("attempt %zu: %s as %s: CONNACK %d", i, attempts[i].user, attempts[i].id, code);
		}
	client_fence(admin);
	client_free(admin);
	house_free(house);
}

static void a_huge_password_is_nobodys(void **state)
{
	struct house *house = accounts_house();
	char text[LONG_TEXT + 1];

	(void)state;
	memset(text, 'x', LONG_TEXT);
	text[LONG_TEXT] = '\0';
	assert_int_equal(verdict(house, &(struct client_options){.user = ACCOUNTS_ADMIN, .password = text}), NOT_ALLOWED);
	assert_int_equal(verdict(house, &(struct client_options){.user = text, .password = ACCOUNTS_PASSWORD}),
	                 NOT_ALLOWED);
	house_free(house);
}

/* MQTT 5 has other ways to sign in, for which Mosquitto asks nobody about a password. */
static void an_authentication_method_is_no_way_in(void **state)
{
	struct house *house = accounts_house();
	struct raw_connect connect = {.version = 5,
	                              .id = "a",
	                              .id_len = 1,
	                              .user = ACCOUNTS_ADMIN,
	                              .user_len = strlen(ACCOUNTS_ADMIN),
	                              .password = ACCOUNTS_PASSWORD,
	                              .password_len = strlen(ACCOUNTS_PASSWORD)};
	int fd, code;

	(void)state;
	fd = raw_sign_in(house, &connect, &code);
	assert_int_equal(code, 0);
	raw_close(fd);
	connect.method = "PLAIN";
	for (int right = 0; right < 2; right++) {
		connect.password_len -= right == 0;
		raw_sign_in(house, &connect, &code);
		assert_int_not_equal(code, 0);
		connect.password_len += right == 0;
	}
	house_free(house);
}

/* ---- how long it takes ---- */

enum kind { KNOWN, UNKNOWN, DEVICE, KINDS };

static int by_value(const void *a, const void *b)
{
	return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
}

/* A wrong password from an address that nobody came from before. */
static int64_t refusal_us(const struct house *house, const char *user)
{
	static unsigned tries;
	char address[24], password[32];
	int64_t begun = wall_us();

	tries++;
	snprintf(address, sizeof(address), "127.1.%u.%u", tries / 200, tries % 200 + 1);
	snprintf(password, sizeof(password), "wrong password %u", tries);
	assert_int_equal(verdict(house, &(struct client_options){.user = user, .password = password, .address = address}),
	                 NOT_ALLOWED);
	return wall_us() - begun;
}

/* Refuses all in turn, and gives the medians. */
static void measure(const struct house *house, int64_t median[static KINDS])
{
	int64_t us[KINDS][TRIES];

	for (int i = 0; i < TRIES; i++) {
		char unknown[32];

		snprintf(unknown, sizeof(unknown), "anna%d", i);
		us[KNOWN][i] = refusal_us(house, "anna");
		us[UNKNOWN][i] = refusal_us(house, unknown);
		us[DEVICE][i] = refusal_us(house, "hall/uno1");
	}
	for (int kind = 0; kind < KINDS; kind++) {
		qsort(us[kind], TRIES, sizeof(us[kind][0]), by_value);
		median[kind] = us[kind][TRIES / 2];
	}
	print_message("refused in (median): known %lld us, unknown %lld us, a device's %lld us\n", (long long)median[KNOWN],
	              (long long)median[UNKNOWN], (long long)median[DEVICE]);
}

static bool within_a_quarter(int64_t a, int64_t b)
{
	return a * 4 < b * 5 && b * 4 < a * 5;
}

/* What other programs do to the clock is gone in another round; what tells a name is not. */
static void a_name_is_not_told_by_time(void **state)
{
	struct house *house = accounts_house();
	struct client *admin = accounts_admin(house);
	int64_t median[KINDS];
	bool same = false;

	(void)state;
	accounts_add(admin, "{'username':'hall/uno1','role':'device','location':'hall','device':'uno1'}");
	accounts_do(admin, "{'command':'createAccount','username':'anna','role':'resident','password':'the right one'}");
	for (int round = 0; round < ROUNDS && !same; round++) {
		measure(house, median);
		same = within_a_quarter(median[KNOWN], median[UNKNOWN]) && within_a_quarter(median[KNOWN], median[DEVICE]);
	}
	assert_true(same);
	client_free(admin);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(only_the_right_get_in, client_teardown),
		cmocka_unit_test_teardown(a_huge_password_is_nobodys, client_teardown),
		cmocka_unit_test_teardown(an_authentication_method_is_no_way_in, client_teardown),
		cmocka_unit_test_teardown(a_name_is_not_told_by_time, client_teardown),
	};

	return cmocka_run_group_tests_name("sign_in", tests, NULL, NULL);
}
