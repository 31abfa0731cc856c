/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_test: verdicts, that known and unknown names cost the same, what is remembered, putting off, upgrades and new
 * passwords; with the hasher's own thread. Floods are in sign_in_flood_test.c.
 */
#include "sign_in_fixture.h"

#define MANY 100000 /* iterations that are not weak */

static void checks_passwords_and_secrets(void **state)
{
	(void)state;
	static char long_text[PASSWORD_LENGTH_MAX + 2];
	static char long_name[ACCOUNT_NAME_MAX + 2];
	memset(long_text, 'x', sizeof long_text - 1);
	memset(long_name, 'n', sizeof long_name - 1);
	const struct {
		const char *user, *plain;
		enum sign_in_verdict verdict;
		unsigned hashed;
	} cases[] = {
		{"anna", "annas word", SIGN_IN_YES, 1},
		{"ben", "bens word", SIGN_IN_YES, 1},
		{"old", "correct horse", SIGN_IN_YES, 1},
		{"hall/uno1", DEVICE_SECRET, SIGN_IN_YES, 0},
		/* Wrong ones, of whatever name: the same work. */
		{"anna", "bens word", SIGN_IN_NO, 1},
		{"anna", "Annas word", SIGN_IN_NO, 1},
		{"nobody", "annas word", SIGN_IN_NO, 1},
		{"nobody", "bens word", SIGN_IN_NO, 1},
		{"Anna", "annas word", SIGN_IN_NO, 1},
		{"cert", "annas word", SIGN_IN_NO, 1},
		{"cert", "bens word", SIGN_IN_NO, 1},
		{"hall/uno1", "annas word", SIGN_IN_NO, 1},
		{"hall/uno1", "hearth-short", SIGN_IN_NO, 1},
		{"hall/uno1", OTHER_SECRET, SIGN_IN_NO, 0},
		{"anna", DEVICE_SECRET, SIGN_IN_NO, 0},
		{"nobody", DEVICE_SECRET, SIGN_IN_NO, 0},
		{"cert", DEVICE_SECRET, SIGN_IN_NO, 0},
		/* What nobody can have. */
		{"anna", "", SIGN_IN_NO, 0},
		{"nobody", "", SIGN_IN_NO, 0},
		{"", "annas word", SIGN_IN_NO, 0},
		{"anna", long_text, SIGN_IN_NO, 0},
		{"nobody", long_text, SIGN_IN_NO, 0},
		{long_name, "annas word", SIGN_IN_NO, 0},
		{long_name + 1, "annas word", SIGN_IN_NO, 1},
		{"nobody", long_text + 1, SIGN_IN_NO, 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct house house = house_new(5, false, 1);
		house_put(&house, "old", "resident",
		          "$6$6Q1DmgzHeLHIVCMz$n32qsgsdhA9EJl4s00RpGFnZusuhjJ9tSXb7eJsbWUJHwT6QXxR5g13r5kIWsP+5e7w5aocig9hrQxNS"
		          "+8aJlQ==");
		const enum sign_in_verdict verdict = house_try(&house, cases[i].user, cases[i].plain, "192.0.2.1", 0);
		const struct sign_in_counters counters = sign_in_counters(house.sign_in);

		if (verdict != cases[i].verdict || counters.hashed_here != cases[i].hashed)
			fail_msg("case %zu: verdict %d, %d hashes", i, verdict, (int)counters.hashed_here);
		assert_int_equal(counters.us_here, cases[i].hashed * HASH_US);
		assert_int_equal(counters.yes, verdict == SIGN_IN_YES);
		assert_int_equal(counters.no, verdict == SIGN_IN_NO);
		house_free(&house);
	}
}

static void refuses_nul(void **state)
{
	(void)state;
	struct house house = house_new(5, false, 1);
	struct sign_in_attempt attempt = {.user = slice_of("anna"), .password = {"annas word\0", 11}};

	/* HMAC fills its key with NUL: without the check this would be anna's password. */
	assert_int_equal(sign_in_check(house.sign_in, &attempt, 0), SIGN_IN_NO);
	attempt = (struct sign_in_attempt){.user = {"anna\0", 5}, .password = slice_of("annas word")};
	assert_int_equal(sign_in_check(house.sign_in, &attempt, 0), SIGN_IN_NO);
	assert_int_equal(sign_in_counters(house.sign_in).hashed_here, 0);
	house_free(&house);
}

static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double cost_ms(const char *user, unsigned iterations)
{
	struct house house = house_new(5, false, iterations);
	const double begin = cpu_ms();

	assert_int_equal(house_try(&house, user, "wrong", "192.0.2.1", 0), SIGN_IN_NO);
	const double cost = cpu_ms() - begin;
	house_free(&house);
	return cost;
}

static void unknown_names_cost_what_known_ones_do(void **state)
{
	(void)state;
	static const char *const users[] = {"anna", "nobody", "cert", "hall/uno1"};

	/* In a house whose hashes are weak, too. */
	for (unsigned iterations = 2000; iterations <= 20000; iterations *= 10) {
		/* The least of some, taken in turn: what was disturbed least by other work of the machine. */
		double least[4] = {1e9, 1e9, 1e9, 1e9};
		for (size_t i = 0; i < 40; i++) {
			const double cost = cost_ms(users[i % 4], iterations);
			least[i % 4] = cost < least[i % 4] ? cost : least[i % 4];
		}
		for (size_t i = 1; i < 4; i++) {
			if (least[i] > least[0] * 1.5 || least[0] > least[i] * 1.5)
				fail_msg("anna %.3f ms, %s %.3f ms", least[0], users[i], least[i]);
		}
	}
}

/* The same attempts for each name, with the same answers and work, whatever happens to other accounts meanwhile. */
static void nothing_tells_whether_a_name_is_known(void **state)
{
	(void)state;
	static const char *const users[] = {"anna", "cert", "hall/uno1", "nobody", "ghost", "hall/uno2"};
	static const struct {
		const char *plain;
		int64_t now_ms;
		const char *comes; /* an account that is made before */
		enum sign_in_verdict verdict;
		unsigned hashed_here, hashed_there;
	} steps[] = {
		{"guess", 0, NULL, SIGN_IN_NO, 1, 0},
		{"guess", 1, NULL, SIGN_IN_NO, 1, 0},
		{"second guess", 2, NULL, SIGN_IN_LATER, 1, 1},
		{"second guess", 3, NULL, SIGN_IN_NO, 1, 1},
		{OTHER_SECRET, 4, NULL, SIGN_IN_NO, 1, 1},
		{"guess", 5, "zoe", SIGN_IN_NO, 1, 1},
		{"guess", 5000, "carl", SIGN_IN_NO, 1, 1},
		{"second guess", 10000, "dora", SIGN_IN_NO, 1, 1},
		{"other guess", 100000, "emil", SIGN_IN_NO, 2, 1},
		{"third guess", 100001, NULL, SIGN_IN_LATER, 2, 2},
		{"guess", 200000, "fred", SIGN_IN_NO, 2, 2},
	};

	for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
		struct house house = house_new(5, true, 1);
		for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
			if (steps[k].comes)
				house_put_person(&house, steps[k].comes, "word of mine", 1);
			const enum sign_in_verdict verdict =
				house_try(&house, users[i], steps[k].plain, "192.0.2.1", steps[k].now_ms);
			house_await(&house, steps[k].hashed_there, steps[k].now_ms);
			const struct sign_in_counters counters = sign_in_counters(house.sign_in);
			if (verdict != steps[k].verdict || counters.hashed_here != steps[k].hashed_here ||
			    counters.hashed_there != steps[k].hashed_there)
				fail_msg("%s, step %zu: verdict %d, hashed %d here, %d there", users[i], k, verdict,
				         (int)counters.hashed_here, (int)counters.hashed_there);
		}
		house_free(&house);
	}
}

static void remembers_what_was_verified_and_refused(void **state)
{
	(void)state;
	struct house house = house_new(5, false, 1);

	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_YES);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.2", i), SIGN_IN_YES);
	assert_int_equal(house_try(&house, "ben", "wrong", "192.0.2.1", 100000), SIGN_IN_NO);
	assert_int_equal(house_try(&house, "nobody", "wrong", "192.0.2.2", 200000), SIGN_IN_NO);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(house_try(&house, "ben", "wrong", "192.0.2.1", 200000 + i), SIGN_IN_NO);
		assert_int_equal(house_try(&house, "nobody", "wrong", "192.0.2.1", 200000 + i), SIGN_IN_NO);
	}
	assert_int_equal(sign_in_counters(house.sign_in).hashed_here, 3);
	/* Somebody else's word is another matter. */
	assert_int_equal(house_try(&house, "ben", "annas word", "192.0.2.1", 200200), SIGN_IN_LATER);
	house_free(&house);
}

static void a_changed_password_is_another(void **state)
{
	(void)state;
	struct house house = house_new(5, false, 1);

	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_YES);
	house_put_person(&house, "anna", "new word", 1);
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 100000), SIGN_IN_NO);
	assert_int_equal(house_try(&house, "anna", "new word", "192.0.2.1", 200000), SIGN_IN_YES);
	/* A name that was unknown and becomes an account's with the hash it was checked against. */
	assert_int_equal(house_try(&house, "zoe", "new word", "192.0.2.1", 300000), SIGN_IN_NO);
	const struct slice stored = account_password(account_find(house.accounts, slice_of("anna")));
	char text[PASSWORD_TEXT_MAX];
	snprintf(text, sizeof text, "%.*s", (int)stored.len, stored.ptr);
	house_put(&house, "zoe", "resident", text);
	assert_int_equal(house_try(&house, "zoe", "new word", "192.0.2.1", 400000), SIGN_IN_YES);
	assert_true(account_remove(house.accounts, slice_of("anna")));
	assert_int_equal(house_try(&house, "anna", "new word", "192.0.2.1", 500000), SIGN_IN_NO);
	house_free(&house);
}

/* ---- putting off ---- */

/* How many jobs the hasher has done when all that was asked for up to now is done; this asks for one more. */
static uint64_t done_so_far(struct house *house)
{
	const time_t deadline = time(NULL) + DEADLINE_S;
	char made[PASSWORD_TEXT_MAX];
	uint64_t ticket;
	bool ok;

	sign_in_tick(house->sign_in, 0);
	assert_true(sign_in_make(house->sign_in, 1, slice_of("a word")));
	while (!sign_in_next_made(house->sign_in, &ticket, &ok, made)) {
		assert_true(time(NULL) < deadline);
		rest();
		sign_in_tick(house->sign_in, 0);
	}
	return sign_in_counters(house->sign_in).hashed_there;
}

static void puts_off_and_then_knows(void **state)
{
	(void)state;
	struct house house = house_new(0, true, 1);
	const char *const plains[] = {"annas word", "wrong"};
	uint64_t done = 0;

	for (size_t i = 0; i < 2; i++) {
		const enum sign_in_verdict verdict = i == 0 ? SIGN_IN_YES : SIGN_IN_NO;
		for (unsigned again = 0; again < 5; again++)
			assert_int_equal(house_try(&house, "anna", plains[i], "192.0.2.1", 0), SIGN_IN_LATER);
		/* One job for all; the first was weak and is made anew. */
		done += i == 0 ? 2 : 1;
		house_await(&house, done, 1000);
		assert_int_equal(house_try(&house, "anna", plains[i], "192.0.2.1", 1000), verdict);
	}
	assert_int_equal(sign_in_counters(house.sign_in).hashed_there, 3);
	assert_int_equal(sign_in_counters(house.sign_in).hashed_here, 0);
	assert_int_equal(sign_in_counters(house.sign_in).later, 10);
	house_free(&house);
}

static void a_stand_ins_own_word_is_refused_there_too(void **state)
{
	(void)state;
	static const char *const users[] = {"nobody", "cert", "hall/uno1"};
	static const char *const plains[] = {"annas word", "bens word"};
	struct house house = house_new(0, true, 1);
	uint64_t done = 0;

	for (size_t i = 0; i < 6; i++) {
		const char *user = users[i % 3];
		const char *plain = plains[i / 3];
		assert_int_equal(house_try(&house, user, plain, "192.0.2.1", 0), SIGN_IN_LATER);
		house_await(&house, ++done, 0);
		assert_int_equal(house_try(&house, user, plain, "192.0.2.1", 0), SIGN_IN_NO);
	}
	house_free(&house);
}

static void leaves_what_would_take_long_to_the_hasher(void **state)
{
	(void)state;
	struct house house = house_new(5, true, MANY);

	house_put(&house, "slow", "resident",
	          "$7$300001$YCfD7stGffSwG/"
	          "ZW$A0OdFV+GBgv5EG4A+2cReX5Xk//4YYVu8T3OAY7/SMx7mamebuHDnOVWbjr85+cbLQS2HsbLWz8dD67B8kjjCQ==");
	assert_int_equal(house_try(&house, "slow", "word", "192.0.2.1", 0), SIGN_IN_LATER);
	house_await(&house, 1, 0);
	assert_int_equal(house_try(&house, "slow", "word", "192.0.2.1", 0), SIGN_IN_NO);
	assert_int_equal(sign_in_counters(house.sign_in).hashed_here, 0);
	house_free(&house);
}

static void a_password_changed_meanwhile_is_none(void **state)
{
	(void)state;
	struct house house = house_new(0, true, 101);
	struct sign_in_upgrade upgraded;

	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_LATER);
	assert_int_equal(house_try(&house, "ben", "bens word", "192.0.2.1", 0), SIGN_IN_LATER);
	house_put_person(&house, "anna", "new word", 101);
	assert_true(account_remove(house.accounts, slice_of("ben")));
	house_await(&house, 2, 0);
	/* They were right, and nobody is known by them. */
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_LATER);
	assert_int_equal(house_try(&house, "ben", "bens word", "192.0.2.1", 0), SIGN_IN_LATER);
	house_await(&house, 4, 0);
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_NO);
	assert_int_equal(house_try(&house, "ben", "bens word", "192.0.2.1", 0), SIGN_IN_NO);
	assert_int_equal(done_so_far(&house), 5);
	assert_false(sign_in_next_upgrade(house.sign_in, &upgraded));
	house_free(&house);
}

static void asks_the_hasher_no_more_than_there_is_room_for(void **state)
{
	(void)state;
	struct house house = house_new(0, true, 1);
	char user[16];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(user, sizeof user, "user%u", i);
		assert_int_equal(house_try(&house, user, "word", "192.0.2.1", 0), SIGN_IN_LATER);
	}
	house_await(&house, 128, 0);
	assert_int_equal(done_so_far(&house), 129);
	house_free(&house);
}

static void without_a_hasher_it_hashes_here_or_never(void **state)
{
	(void)state;
	struct house house = house_new(5, false, 1);

	assert_int_equal(house_try(&house, "anna", "annas word", "", 0), SIGN_IN_YES);
	assert_int_equal(house_try(&house, "anna", "wrong", "", 0), SIGN_IN_LATER);
	assert_false(sign_in_make(house.sign_in, 1, slice_of("new word")));
	sign_in_tick(house.sign_in, 0);
	assert_int_equal(house_try(&house, "anna", "wrong", "", 1), SIGN_IN_LATER);
	house_free(&house);
}

/* ---- upgrades and new passwords ---- */

static void makes_weak_hashes_anew(void **state)
{
	(void)state;
	struct house house = house_new(5, true, 101);
	struct sign_in_upgrade upgraded;
	struct password password;

	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_YES);
	/* Known by digest: once at a time, also while the result is not fetched. */
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_YES);
	assert_int_equal(done_so_far(&house), 2);
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_YES);
	assert_int_equal(done_so_far(&house), 3);
	assert_true(sign_in_next_upgrade(house.sign_in, &upgraded));
	assert_false(sign_in_next_upgrade(house.sign_in, &upgraded));
	assert_string_equal(upgraded.user, "anna");
	assert_true(slice_is(account_password(account_find(house.accounts, slice_of("anna"))), upgraded.old));
	assert_true(password_read(slice_of(upgraded.made), &password));
	assert_false(password_is_weak(&password));
	assert_true(password_verify(&password, slice_of("annas word")));
	/* It was not put in force: so again. Then it is, and there is no more to do. */
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_YES);
	assert_int_equal(done_so_far(&house), 5);
	assert_true(sign_in_next_upgrade(house.sign_in, &upgraded));
	house_put(&house, "anna", "resident", upgraded.made);
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 10000), SIGN_IN_YES);
	assert_int_equal(done_so_far(&house), 6);
	assert_false(sign_in_next_upgrade(house.sign_in, &upgraded));
	house_free(&house);
}

static void an_upgraded_hash_is_known(void **state)
{
	(void)state;
	struct house house = house_new(5, true, 101);
	struct sign_in_upgrade upgraded;

	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_YES);
	assert_int_equal(done_so_far(&house), 2);
	assert_true(sign_in_next_upgrade(house.sign_in, &upgraded));
	house_put(&house, "anna", "resident", upgraded.made);
	/* At once, and where nothing would be hashed: the same user and password, and nothing else. */
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.1", 0), SIGN_IN_YES);
	assert_int_equal(house_try(&house, "anna", "annas word", "192.0.2.2", 0), SIGN_IN_YES);
	house_put(&house, "ben", "resident", upgraded.made);
	assert_int_equal(house_try(&house, "ben", "annas word", "192.0.2.1", 0), SIGN_IN_LATER);
	assert_int_equal(house_try(&house, "anna", "Annas word", "192.0.2.1", 0), SIGN_IN_LATER);
	assert_int_equal(sign_in_counters(house.sign_in).hashed_here, 1);
	house_free(&house);
}

static void upgrades_nothing_that_is_wrong_or_was_changed(void **state)
{
	(void)state;
	struct house house = house_new(5, true, 101);
	struct sign_in_upgrade upgraded;

	assert_int_equal(house_try(&house, "ben", "bens word", "192.0.2.1", 0), SIGN_IN_YES);
	house_put_person(&house, "ben", "new word", 101);
	house_await(&house, 1, 0);
	assert_int_equal(house_try(&house, "anna", "wrong", "192.0.2.2", 0), SIGN_IN_NO);
	assert_int_equal(house_try(&house, "nobody", "annas word", "192.0.2.3", 100000), SIGN_IN_NO);
	assert_int_equal(house_try(&house, "hall/uno1", DEVICE_SECRET, "192.0.2.3", 100000), SIGN_IN_YES);
	sign_in_tick(house.sign_in, 0);
	assert_false(sign_in_next_upgrade(house.sign_in, &upgraded));
	assert_int_equal(sign_in_counters(house.sign_in).hashed_there, 1);
	house_free(&house);
}

static void makes_new_passwords(void **state)
{
	(void)state;
	struct house house = house_new(5, true, MANY);
	char made[PASSWORD_TEXT_MAX];
	struct password password;
	uint64_t ticket;
	bool ok;

	assert_true(sign_in_make(house.sign_in, 77, slice_of("new word")));
	assert_true(sign_in_make(house.sign_in, 1, slice_of(DEVICE_SECRET)));
	house_await(&house, 2, 0);
	assert_true(sign_in_next_made(house.sign_in, &ticket, &ok, made));
	assert_int_equal(ticket, 77);
	assert_true(ok);
	assert_true(password_read(slice_of(made), &password) && password_verify(&password, slice_of("new word")));
	assert_true(sign_in_next_made(house.sign_in, &ticket, &ok, made));
	assert_int_equal(ticket, 1);
	assert_false(ok);
	assert_false(sign_in_next_made(house.sign_in, &ticket, &ok, made));
	unsigned taken = 0;
	while (sign_in_make(house.sign_in, 2, slice_of("new word")))
		taken++;
	assert_int_equal(taken, 32);
	house_free(&house); /* with work left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_passwords_and_secrets),
		cmocka_unit_test(refuses_nul),
		cmocka_unit_test(unknown_names_cost_what_known_ones_do),
		cmocka_unit_test(nothing_tells_whether_a_name_is_known),
		cmocka_unit_test(remembers_what_was_verified_and_refused),
		cmocka_unit_test(a_changed_password_is_another),
		cmocka_unit_test(puts_off_and_then_knows),
		cmocka_unit_test(a_stand_ins_own_word_is_refused_there_too),
		cmocka_unit_test(leaves_what_would_take_long_to_the_hasher),
		cmocka_unit_test(a_password_changed_meanwhile_is_none),
		cmocka_unit_test(asks_the_hasher_no_more_than_there_is_room_for),
		cmocka_unit_test(without_a_hasher_it_hashes_here_or_never),
		cmocka_unit_test(makes_weak_hashes_anew),
		cmocka_unit_test(an_upgraded_hash_is_known),
		cmocka_unit_test(upgrades_nothing_that_is_wrong_or_was_changed),
		cmocka_unit_test(makes_new_passwords),
	};
	return cmocka_run_group_tests_name("sign_in", tests, NULL, NULL);
}
