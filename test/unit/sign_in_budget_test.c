/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_budget_test: who may have a hash in the broker's thread when, which addresses are one place, what is
 * remembered of digests, and who stands in for unknown names.
 */
#include "sign_in_budget.h"

#include "sign_in_digests.h"
#include "sign_in_fixture.h"
#include "sign_in_stand_in.h"

/* ---- budget ---- */

enum outcome { NOTHING, GOOD, BAD, BAD_THERE };

/* At this moment, from this address for this user: is a hash allowed, and what came of it? */
struct step {
	int64_t now_ms;
	uint64_t address, user;
	bool allowed;
	enum outcome outcome;
};

static void run_steps(unsigned percent, const struct step *steps, size_t count)
{
	struct sign_in_budget *budget = sign_in_budget_new(percent);

	assert_non_null(budget);
	for (size_t i = 0; i < count; i++) {
		const struct sign_in_subject subject = {steps[i].address, steps[i].user};
		const int64_t us = steps[i].outcome == BAD_THERE ? 0 : HASH_US;

		if (sign_in_budget_allows(budget, &subject, steps[i].now_ms) != steps[i].allowed)
			fail_msg("step %zu at %d ms: wanted %d", i, (int)steps[i].now_ms, steps[i].allowed);
		if (steps[i].outcome != NOTHING)
			sign_in_budget_charge(budget, &subject, us, steps[i].outcome == GOOD, steps[i].now_ms);
	}
	sign_in_budget_free(budget);
}
#define RUN(percent, steps) run_steps(percent, steps, sizeof(steps) / sizeof *(steps))

static void pays_off_what_a_hash_cost(void **state)
{
	(void)state;
	/* 80 ms at 5 % are 1.6 s. */
	static const struct step of_an_address[] = {
		{0, 1, 1, true, GOOD},    {0, 1, 2, false, NOTHING},    {1599, 1, 2, false, NOTHING},
		{1600, 1, 2, true, GOOD}, {3199, 1, 3, false, NOTHING}, {3200, 1, 3, true, NOTHING},
	};
	static const struct step of_a_user[] = {
		{0, 1, 1, true, GOOD}, {1599, 2, 1, false, NOTHING}, {1600, 2, 1, true, GOOD}, {3199, 3, 1, false, NOTHING}};
	/* A family: 300 ms beyond, at 5 %: while no more than 6 s are owed. */
	static const struct step of_all[] = {
		{0, 1, 1, true, GOOD},     {0, 2, 2, true, GOOD},       {0, 3, 3, true, GOOD},   {0, 4, 4, true, GOOD},
		{0, 5, 5, false, NOTHING}, {399, 5, 5, false, NOTHING}, {400, 5, 5, true, GOOD}, {400, 6, 6, false, NOTHING},
	};
	static const struct step at_ten_percent[] = {
		{0, 1, 1, true, GOOD}, {799, 1, 1, false, NOTHING}, {800, 1, 1, true, NOTHING}};
	static const struct step never[] = {{0, 1, 1, false, NOTHING}, {1000000, 1, 1, false, NOTHING}};

	RUN(5, of_an_address);
	RUN(5, of_a_user);
	RUN(5, of_all);
	RUN(10, at_ten_percent);
	RUN(0, never);
}

static void failures_make_wait(void **state)
{
	(void)state;
	/* One bad: 1 s and 80 ms at 0.5 %, 17 s for all; who failed waits 1 s and 1.6 s, but then for all. */
	static const struct step one[] = {
		{0, 1, 1, true, BAD}, {16999, 2, 2, false, NOTHING}, {17000, 2, 2, true, NOTHING}};
	/* Found out in the other thread, where it cost nothing here: 1, 2, 4 … 60 s. */
	static const struct step doubling[] = {
		{0, 1, 1, true, BAD_THERE},      {999, 2, 2, false, NOTHING},    {1000, 2, 2, true, BAD_THERE},
		{2999, 3, 3, false, NOTHING},    {3000, 3, 3, true, BAD_THERE},  {6999, 4, 4, false, NOTHING},
		{7000, 4, 4, true, BAD_THERE},   {7000, 5, 5, false, BAD_THERE}, {7000, 6, 6, false, BAD_THERE},
		{7000, 7, 7, false, BAD_THERE},  {7000, 8, 8, false, BAD_THERE}, {7000, 9, 9, false, BAD_THERE},
		{66999, 10, 10, false, NOTHING}, {67000, 10, 10, true, NOTHING},
	};
	/* No burst until all is forgiven: 30 s for one. */
	static const struct step no_burst[] = {
		{0, 1, 1, true, BAD_THERE},    {2000, 2, 2, true, GOOD},     {2000, 3, 3, false, NOTHING},
		{17999, 3, 3, false, NOTHING}, {18000, 3, 3, true, NOTHING}, {30000, 3, 3, true, GOOD},
		{30000, 4, 4, true, GOOD},
	};
	/* A success clears the address and the user: the fourth failure counts as the first. */
	static const struct step cleared[] = {
		{0, 1, 1, true, BAD_THERE}, {0, 1, 1, false, BAD_THERE},     {0, 1, 1, false, BAD_THERE},
		{100000, 1, 1, true, GOOD}, {200000, 1, 1, true, BAD_THERE}, {201000, 1, 1, true, NOTHING},
	};

	RUN(5, one);
	RUN(5, doubling);
	RUN(5, no_burst);
	RUN(5, cleared);
}

static unsigned pressure_of(const struct sign_in_budget *budget, uint64_t address, uint64_t user, int64_t now_ms)
{
	const struct sign_in_subject subject = {address, user};
	const struct sign_in_pressure pressure = sign_in_budget_pressure(budget, &subject, now_ms);

	return pressure.address * 1000 + pressure.user;
}

static void pressure_grows_and_fades(void **state)
{
	(void)state;
	struct sign_in_budget *budget = sign_in_budget_new(5);

	assert_int_equal(pressure_of(budget, 1, 1, 0), 0);
	for (unsigned i = 0; i < 8; i++)
		sign_in_budget_press(budget, &(struct sign_in_subject){1, i % 2}, i);
	assert_int_equal(pressure_of(budget, 1, 1, 7), 8004);
	assert_int_equal(pressure_of(budget, 1, 2, 7), 8000);
	assert_int_equal(pressure_of(budget, 2, 1, 7), 4);
	assert_int_equal(pressure_of(budget, 1, 1, 10006), 8004);
	assert_int_equal(pressure_of(budget, 1, 1, 10007), 4002);
	assert_int_equal(pressure_of(budget, 1, 1, 40007), 0);
	assert_int_equal(pressure_of(budget, 1, 1, INT64_MAX / 2), 0);
	/* Many others push it out. */
	for (uint64_t i = 2; i < 400; i++)
		sign_in_budget_press(budget, &(struct sign_in_subject){i, i}, 8);
	assert_int_equal(pressure_of(budget, 1, 1, 8), 8004);
	for (uint64_t i = 400; i < 100000; i++)
		sign_in_budget_press(budget, &(struct sign_in_subject){i, i}, 8);
	assert_int_equal(pressure_of(budget, 1, 1, 8), 0);
	sign_in_budget_free(budget);
}

static void an_address_is_one_place(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"2001:db8:1:2::1", "2001:0DB8:0001:0002::5", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::2%wlan0", true},
		{"::1", "127.0.0.1", false},
		{"", "", true},
		{"", "127.0.0.1", false},
		{"/run/a.sock", "/run/b.sock", false},
		{"/run/a.sock", "/run/a.sock", true},
		{"%", "%", true},
		{"192.0.2.1.1", "192.0.2.1", false},
	};
	uint8_t a[ADDRESS_BYTES_MAX];
	uint8_t b[ADDRESS_BYTES_MAX];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const size_t a_len = sign_in_budget_place(slice_of(cases[i].a), a);
		const size_t b_len = sign_in_budget_place(slice_of(cases[i].b), b);
		if ((a_len == b_len && memcmp(a, b, a_len) == 0) != cases[i].same)
			fail_msg("%s, %s", cases[i].a, cases[i].b);
	}
	char text[200];
	memset(text, '1', sizeof text);
	assert_int_equal(sign_in_budget_place((struct slice){text, sizeof text}, a), ADDRESS_BYTES_MAX);
}

/* ---- digests ---- */

static struct digest numbered(struct sign_in_mac *mac, uint64_t number)
{
	const struct slice piece = {(const char *)&number, sizeof number};
	struct digest digest;

	assert_true(sign_in_mac_of(mac, &piece, 1, &digest));
	return digest;
}

static void digests_differ_by_key_and_by_where_pieces_end(void **state)
{
	(void)state;
	struct sign_in_mac *mac = sign_in_mac_new((const uint8_t[32]){1});
	struct sign_in_mac *other = sign_in_mac_new((const uint8_t[32]){2});
	const struct slice pieces[][2] = {{slice_of("ab"), slice_of("c")}, {slice_of("a"), slice_of("bc")}};
	struct digest a, b, again;

	assert_true(sign_in_mac_of(mac, pieces[0], 2, &a));
	assert_true(sign_in_mac_of(mac, pieces[1], 2, &b));
	assert_true(sign_in_mac_of(mac, pieces[0], 2, &again));
	assert_false(digest_equal(a, b));
	assert_true(digest_equal(a, again));
	assert_true(sign_in_mac_of(other, pieces[0], 2, &again));
	assert_false(digest_equal(a, again));
	sign_in_mac_free(mac);
	sign_in_mac_free(other);
	sign_in_mac_free(NULL);
}

static void thousands_are_known_again_after_a_flood(void **state)
{
	(void)state;
	const uint64_t accounts = 10000;
	const uint64_t wrong = 100000;
	struct sign_in_mac *mac = sign_in_mac_new((const uint8_t[32]){1});
	struct sign_in_digests *digests = sign_in_digests_new();
	unsigned known = 0;
	unsigned refused = 0;

	for (uint64_t i = 0; i < accounts; i++) {
		assert_int_equal(sign_in_digests_find(digests, numbered(mac, i)), DIGEST_UNKNOWN);
		sign_in_digests_remember(digests, numbered(mac, i), true);
		sign_in_digests_remember(digests, numbered(mac, i), true);
	}
	for (uint64_t i = accounts; i < accounts + wrong; i++)
		sign_in_digests_remember(digests, numbered(mac, i), false);
	for (uint64_t i = 0; i < accounts; i++)
		known += sign_in_digests_find(digests, numbered(mac, i)) == DIGEST_YES;
	for (uint64_t i = accounts; i < accounts + wrong; i++)
		refused += sign_in_digests_find(digests, numbered(mac, i)) == DIGEST_NO;
	assert_int_equal(known, accounts);
	assert_int_equal(refused, DIGESTS_NO_MAX);
	sign_in_digests_free(digests);
	sign_in_mac_free(mac);
}

/* ---- stand-ins ---- */

static void people_stand_in_among_many_devices(void **state)
{
	(void)state;
	struct house house = house_new(5, false, 1);
	struct stand_ins stand_ins = {0};
	char name[32];
	unsigned annas = 0;

	for (unsigned i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "a%u", i);
		house_put_device(&house, name);
	}
	const struct slice anna = account_password(account_find(house.accounts, slice_of("anna")));
	const struct slice ben = account_password(account_find(house.accounts, slice_of("ben")));
	for (uint64_t hash = 0; hash < 1000; hash++) {
		const struct slice picked = stand_in_pick(&stand_ins, house.accounts, hash, 0);
		assert_true(slice_equal(picked, anna) || slice_equal(picked, ben));
		assert_true(slice_equal(picked, stand_in_pick(&stand_ins, house.accounts, hash, 5000)));
		annas += slice_equal(picked, anna);
	}
	assert_int_equal(annas, 500);
	house_free(&house);
}

static void a_stand_in_is_never_stale(void **state)
{
	(void)state;
	struct house house = house_new(5, false, 1);
	struct stand_ins stand_ins = {0};
	struct password password;

	stand_in_pick(&stand_ins, house.accounts, 0, 0);
	/* Noted places that became another's, or nobody's, before they are noted anew. */
	assert_true(account_remove(house.accounts, slice_of("anna")));
	for (uint64_t hash = 0; hash < 4; hash++)
		assert_true(stand_in_suits(stand_in_pick(&stand_ins, house.accounts, hash, 1)));
	assert_true(account_remove(house.accounts, slice_of("ben")));
	for (uint64_t hash = 0; hash < 4; hash++) {
		const struct slice nobody = stand_in_pick(&stand_ins, house.accounts, hash, 2);
		assert_true(password_read(nobody, &password));
		assert_int_equal(password.kind, PASSWORD_PBKDF2);
		assert_int_equal(password.iterations, PASSWORD_ITERATIONS);
	}
	house_put_person(&house, "carl", "carls word", 1);
	const struct slice carl = account_password(account_find(house.accounts, slice_of("carl")));
	assert_true(slice_equal(stand_in_pick(&stand_ins, house.accounts, 5, 2000), carl));
	/* There are as many accounts as before, but another has the only password. */
	house_put(&house, "carl", "resident", NULL);
	house_put_person(&house, "cert", "certs word", 1);
	const struct slice cert = account_password(account_find(house.accounts, slice_of("cert")));
	assert_true(slice_equal(stand_in_pick(&stand_ins, house.accounts, 5, 3000), cert));
	house_free(&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pays_off_what_a_hash_cost),
		cmocka_unit_test(failures_make_wait),
		cmocka_unit_test(pressure_grows_and_fades),
		cmocka_unit_test(an_address_is_one_place),
		cmocka_unit_test(digests_differ_by_key_and_by_where_pieces_end),
		cmocka_unit_test(thousands_are_known_again_after_a_flood),
		cmocka_unit_test(people_stand_in_among_many_devices),
		cmocka_unit_test(a_stand_in_is_never_stale),
	};
	return cmocka_run_group_tests_name("sign_in_budget", tests, NULL, NULL);
}
