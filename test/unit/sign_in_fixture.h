/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_fixture: a house to sign in to, and a clock by which each hash takes HASH_US, however few iterations it has.
 */
#ifndef HEARTH_TEST_SIGN_IN_FIXTURE_H
#define HEARTH_TEST_SIGN_IN_FIXTURE_H

#include "sign_in.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH_US    80000
#define DEADLINE_S 60

/* The secret of every device of the house. */
#define DEVICE_SECRET "hearth-aaaqeayeaudaocajbifqydiob4"
#define OTHER_SECRET  "hearth-aaaqeayeaudaocajbifqydioaa"

struct house {
	struct account_table *accounts;
	struct hasher *hasher;
	struct sign_in *sign_in;
};

/* Looked at before and after each hash, and else never. */
static inline int64_t house_clock(void)
{
	static int64_t now_us;
	return now_us += HASH_US;
}

/* `stored` NULL: no password. */
static inline void house_put(struct house *house, const char *user, const char *role, const char *stored)
{
	char document[1024];
	struct account_error error;

	const bool device = strcmp(role, "device") == 0;
	int len = snprintf(document, sizeof document, "{\"username\":\"%s\",\"role\":\"%s\"", user, role);
	if (device)
		len += snprintf(document + len, sizeof document - (size_t)len, ",\"location\":\"hall\",\"device\":\"uno1\"");
	if (stored)
		len += snprintf(document + len, sizeof document - (size_t)len, ",\"password\":\"%s\"", stored);
	len += snprintf(document + len, sizeof document - (size_t)len, "}");
	struct account *account = account_read((struct slice){document, (size_t)len}, &error);
	if (!account)
		fail_msg("%s: %s, wanted %s", error.path, error.found, error.wanted);
	assert_true(account_put(house->accounts, account));
}

static inline void house_put_person(struct house *house, const char *user, const char *plain, unsigned iterations)
{
	const uint8_t salt[12] = {(uint8_t)user[0], (uint8_t)plain[0]};
	char stored[PASSWORD_TEXT_MAX];

	assert_true(password_make(slice_of(plain), iterations, salt, stored));
	house_put(house, user, "resident", stored);
}

static inline void house_put_device(struct house *house, const char *user)
{
	static const uint8_t random[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	char secret[SECRET_TEXT_MAX];
	char stored[PASSWORD_TEXT_MAX];

	assert_true(password_make_secret(random, (const uint8_t[12]){7}, secret, stored));
	assert_string_equal(secret, DEVICE_SECRET);
	house_put(house, user, "device", stored);
}

/* anna and ben with passwords, hall/uno1 with a secret, cert without either. `iterations` of the passwords. */
static inline struct house house_new(unsigned percent, bool with_hasher, unsigned iterations)
{
	struct house house = {.accounts = account_table_new(42), .hasher = with_hasher ? hasher_start() : NULL};
	const struct sign_in_options options = {.accounts = house.accounts,
	                                        .hasher = house.hasher,
	                                        .key = {1, 2, 3},
	                                        .budget_percent = percent,
	                                        .clock_us = house_clock};

	assert_non_null(house.accounts);
	assert_int_equal(house.hasher != NULL, with_hasher);
	house.sign_in = sign_in_new(&options);
	assert_non_null(house.sign_in);
	house_put_person(&house, "anna", "annas word", iterations);
	house_put_person(&house, "ben", "bens word", iterations);
	house_put_device(&house, "hall/uno1");
	house_put(&house, "cert", "guest", NULL);
	return house;
}

static inline void house_free(struct house *house)
{
	sign_in_free(house->sign_in);
	hasher_stop(house->hasher);
	account_table_free(house->accounts);
}

static inline enum sign_in_verdict house_try(struct house *house, const char *user, const char *plain,
                                             const char *address, int64_t now_ms)
{
	const struct sign_in_attempt attempt = {
		.user = slice_of(user), .password = slice_of(plain), .address = slice_of(address)};
	return sign_in_check(house->sign_in, &attempt, now_ms);
}

/* Between two looks at whether the other thread has come on. */
static inline void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

/* Ticks until the hasher has done `count` jobs in all. */
static inline void house_await(struct house *house, uint64_t count, int64_t now_ms)
{
	const time_t deadline = time(NULL) + DEADLINE_S;

	sign_in_tick(house->sign_in, now_ms);
	while (sign_in_counters(house->sign_in).hashed_there < count) {
		assert_true(time(NULL) < deadline);
		rest();
		sign_in_tick(house->sign_in, now_ms);
	}
}

#endif
