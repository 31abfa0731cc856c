/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * password_test: stored forms as mosquitto_passwd 2.0.11 writes them, what is none, and secrets.
 */
#include "password.h"

#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* mosquitto_passwd -b -c FILE user PASSWORD, also with -I 5000 and with -H sha512; the rest by Python's hashlib. */
#define KOREAN "비밀번호-1"
static const struct {
	const char *plain, *stored;
	enum password_kind kind;
	unsigned iterations;
	size_t salt_len;
} vectors[] = {
	{"correct horse",
     "$7$101$KN19lhA7Pfi32Il4$ueTG+//rVy6ycs4HsWB/Iv+9zEg/2m4s7uYpPJV+JSERSlQJwkedCjx+WATOsZ4sSuN4TWN6N6Zra7vmeIQ7Ug==",
     PASSWORD_PBKDF2, 101, 12},
	{"correct horse",
     "$7$101$YCfD7stGffSwG/ZW$A0OdFV+GBgv5EG4A+2cReX5Xk//4YYVu8T3OAY7/SMx7mamebuHDnOVWbjr85+cbLQS2HsbLWz8dD67B8kjjCQ==",
     PASSWORD_PBKDF2, 101, 12},
	{KOREAN,
     "$7$5000$LKZM4BErKfikEI2m$9QKSzjnZd/"
     "cT97W3vRWalhIm2e3y0MTRSkvgQ4EcLTDByW7vCodwVCKdU0hkMgfXNJNJwdlgG9SKknHHIEAcQw==",
     PASSWORD_PBKDF2, 5000, 12},
	{"correct horse",
     "$6$6Q1DmgzHeLHIVCMz$n32qsgsdhA9EJl4s00RpGFnZusuhjJ9tSXb7eJsbWUJHwT6QXxR5g13r5kIWsP+5e7w5aocig9hrQxNS+8aJlQ==",
     PASSWORD_SHA512, 0, 12},
	{KOREAN,
     "$6$fNkwBnQvTXW3Y6Xo$/eHLgQsg+kk/iM8Gn2wNGnigr/VzM9/EnokB1t6KzyvyLrwYPRiXKA/R0LWYonEmsdSfUUlwz0DCAsLYb8HlUQ==",
     PASSWORD_SHA512, 0, 12},
	{"correct horse",
     "$7$1000$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==$"
     "53KiEygVzVVEVUVTe4h79yMtYp0OxxoKFip82vf7OCrEbcm4/E88oGkCyN0NhQ7fLOSBIpiITuELG/0ldDPFMQ==",
     PASSWORD_PBKDF2, 1000, 64},
	{"correct horse",
     "$6$eA==$pWPiieKYPnFrjeVPVI6AjeVvxsz0djCjlUoCS1n7Kqd/d+a+A6sIulkRPIs0cf6x4ehdVECdI+bhQAQt94M2vQ==",
     PASSWORD_SHA512, 0, 1},
};
#define VECTORS (sizeof vectors / sizeof *vectors)

static struct password read_good(const char *stored)
{
	struct password password;

	assert_true(password_read(slice_of(stored), &password));
	return password;
}

static void verifies_what_mosquitto_passwd_wrote(void **state)
{
	(void)state;
	char wrong[64];

	for (size_t i = 0; i < VECTORS; i++) {
		const struct password password = read_good(vectors[i].stored);
		const size_t len = strlen(vectors[i].plain);

		assert_int_equal(password.kind, vectors[i].kind);
		assert_int_equal(password.iterations, vectors[i].iterations);
		assert_int_equal(password.salt_len, vectors[i].salt_len);
		assert_true(password_verify(&password, slice_of(vectors[i].plain)));
		assert_false(password_verify(&password, (struct slice){vectors[i].plain, len - 1}));
		assert_false(password_verify(&password, (struct slice){NULL, 0}));
		memcpy(wrong, vectors[i].plain, len + 1);
		wrong[len / 2] ^= 1;
		assert_false(password_verify(&password, slice_of(wrong)));
	}
}

static void every_bit_of_the_hash_counts(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 512; bit++) {
		struct password password = read_good(vectors[3].stored);
		password.hash[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_false(password_verify(&password, slice_of(vectors[3].plain)));
	}
}

static void makes_the_same_text(void **state)
{
	(void)state;
	char made[PASSWORD_TEXT_MAX];

	for (size_t i = 0; i < VECTORS; i++) {
		const struct password password = read_good(vectors[i].stored);
		if (password.kind != PASSWORD_PBKDF2 || password.salt_len != 12)
			continue;
		assert_true(password_make(slice_of(vectors[i].plain), password.iterations, password.salt, made));
		assert_string_equal(made, vectors[i].stored);
	}
}

static void makes_none_of_what_cannot_be_offered(void **state)
{
	(void)state;
	static char long_text[PASSWORD_LENGTH_MAX + 1];
	const uint8_t salt[12] = {1};
	char made[PASSWORD_TEXT_MAX];

	memset(long_text, 'x', sizeof long_text);
	assert_true(password_make((struct slice){long_text, PASSWORD_LENGTH_MAX}, 1, salt, made));
	assert_false(password_make((struct slice){long_text, PASSWORD_LENGTH_MAX + 1}, 1, salt, made));
	assert_false(password_make(slice_of(""), 1, salt, made));
	assert_false(password_make(slice_of("hearth-aaaqeayeaudaocajbifqydiob4"), 1, salt, made));
	assert_false(password_make(slice_of("password"), 0, salt, made));
	assert_false(password_make(slice_of("password"), PASSWORD_ITERATIONS_MAX + 1, salt, made));
}

#define SALT12 "AAAAAAAAAAAAAAAA"
#define TEN    "AAAAAAAAAA"
#define HASH64 TEN TEN TEN TEN TEN TEN TEN TEN "AAAAAA=="
#define HASH32 TEN TEN TEN TEN "AAA="

static void reads_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"$7$1$" SALT12 "$" HASH64, true},
		{"$7$5000000$" SALT12 "$" HASH64, true},
		{"$7$5000001$" SALT12 "$" HASH64, false},
		{"$7$9999999999999999999$" SALT12 "$" HASH64, false},
		{"$7$0$" SALT12 "$" HASH64, false},
		{"$7$0101$" SALT12 "$" HASH64, false},
		{"$7$-1$" SALT12 "$" HASH64, false},
		{"$7$ 1$" SALT12 "$" HASH64, false},
		{"$7$1x$" SALT12 "$" HASH64, false},
		{"$7$$" SALT12 "$" HASH64, false},
		{"$7$" SALT12 "$" HASH64, false},
		{"$7$1$$" HASH64, false},
		{"$7$1$" SALT12, false},
		{"$7$1$" SALT12 "$", false},
		{"$7$1$" SALT12 "$" HASH64 "$", false},
		{"$7$1$" SALT12 "$" HASH64 " ", false},
		{"$7$1$" SALT12 "$" HASH64 "\n", false},
		{" $7$1$" SALT12 "$" HASH64, false},
		{"$7$1$" SALT12 "$ " HASH64, false},
		{"$7$1$" SALT12 "$" HASH32, false},
		{"$7$1$AA==$" HASH64, true},
		{"$7$1$A===$" HASH64, false},
		{"$7$1$====$" HASH64, false},
		{"$7$1$A=AA$" HASH64, false},
		{"$7$1$AAA$" HASH64, false},
		{"$7$1$AA-_$" HASH64, false},
		{"$7$1$" HASH64 "$" HASH64, true},
		{"$7$1$" TEN TEN TEN TEN TEN TEN TEN TEN "AAAAAAA=$" HASH64, false},
		{"$6$" SALT12 "$" HASH64, true},
		{"$6$1$" SALT12 "$" HASH64, false},
		{"$6$" SALT12 "$" HASH32, false},
		{"$secret$" SALT12 "$" HASH32, true},
		{"$secret$" SALT12 "$" HASH64, false},
		{"$Secret$" SALT12 "$" HASH32, false},
		{"$8$1$" SALT12 "$" HASH64, false},
		{"$argon2id$v=19$m=19456,t=2,p=1$" SALT12 "$" HASH64, false},
		{"", false},
		{"$", false},
		{"$$$$", false},
		{"$7", false},
		{"password", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const size_t len = strlen(cases[i].text);
		struct password password;

		assert_int_equal(password_read(guarded(cases[i].text, len), &password), cases[i].good);
		for (size_t cut = 0; cases[i].good && cut < len; cut++)
			assert_false(password_read(guarded(cases[i].text, cut), &password));
	}
}

static void tells_what_is_weak(void **state)
{
	(void)state;
	static const struct {
		const char *stored;
		bool weak;
	} cases[] = {
		{"$7$101$" SALT12 "$" HASH64, true},     {"$7$99999$" SALT12 "$" HASH64, true},
		{"$7$100000$" SALT12 "$" HASH64, false}, {"$7$210000$" SALT12 "$" HASH64, false},
		{"$6$" SALT12 "$" HASH64, true},         {"$secret$" SALT12 "$" HASH32, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct password password = read_good(cases[i].stored);
		assert_int_equal(password_is_weak(&password), cases[i].weak);
	}
	assert_false(password_is_weak(&(struct password){.kind = PASSWORD_NONE}));
	assert_false(password_verify(&(struct password){.kind = PASSWORD_NONE}, slice_of("")));
}

/* ---- secrets ---- */

static void makes_secrets(void **state)
{
	(void)state;
	static const uint8_t random[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	static const uint8_t salt[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
	char secret[SECRET_TEXT_MAX];
	char stored[PASSWORD_TEXT_MAX];

	assert_true(password_make_secret(random, salt, secret, stored));
	/* Python: base64.b32encode, hashlib.sha256. */
	assert_string_equal(secret, "hearth-aaaqeayeaudaocajbifqydiob4");
	assert_string_equal(stored, "$secret$AAECAwQFBgcICQoL$8iSYSQ+nhSgOaKpsEb5+8otWdL2EwO+ebjyG9Lve/rA=");
	const struct password password = read_good(stored);
	assert_int_equal(password.kind, PASSWORD_SECRET);
	assert_true(password_is_secret(slice_of(secret)));
	assert_true(password_verify(&password, slice_of(secret)));
	assert_false(password_verify(&password, slice_of("hearth-aaaqeayeaudaocajbifqydiob3")));
	assert_false(password_verify(&password, (struct slice){secret, strlen(secret) - 1}));
}

static void every_random_bit_is_in_the_secret(void **state)
{
	(void)state;
	const uint8_t salt[12] = {0};
	char stored[PASSWORD_TEXT_MAX];
	char secrets[129][SECRET_TEXT_MAX];

	for (size_t bit = 0; bit <= 128; bit++) {
		uint8_t random[17] = {0};
		random[bit / 8] = (uint8_t)(1U << bit % 8);
		assert_true(password_make_secret(random, salt, secrets[bit], stored));
		assert_int_equal(strlen(secrets[bit]), 33);
		for (size_t other = 0; other < bit; other++)
			assert_string_not_equal(secrets[bit], secrets[other]);
	}
}

static void knows_a_secret_by_its_form(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool secret;
	} cases[] = {
		{"hearth-aaaqeayeaudaocajbifqydiob4", true},
		{"hearth-zzzzzzzzzzzzzzzzzzzzzzzzzz", true},
		{"hearth-22222222222222222222222777", true},
		{"hearth-aaaqeayeaudaocajbifqydiob", false},
		{"hearth-aaaqeayeaudaocajbifqydiob44", false},
		{"hearth-aaaqeayeaudaocajbifqydiob8", false},
		{"hearth-aaaqeayeaudaocajbifqydiob1", false},
		{"hearth-AAAQEAYEAUDAOCAJBIFQYDIOB4", false},
		{"Hearth-aaaqeayeaudaocajbifqydiob4", false},
		{"hearth_aaaqeayeaudaocajbifqydiob4", false},
		{"hearth-", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct slice text = guarded_text(cases[i].text);
		assert_int_equal(password_is_secret(text), cases[i].secret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies_what_mosquitto_passwd_wrote),
		cmocka_unit_test(every_bit_of_the_hash_counts),
		cmocka_unit_test(makes_the_same_text),
		cmocka_unit_test(makes_none_of_what_cannot_be_offered),
		cmocka_unit_test(reads_strictly),
		cmocka_unit_test(tells_what_is_weak),
		cmocka_unit_test(makes_secrets),
		cmocka_unit_test(every_random_bit_is_in_the_secret),
		cmocka_unit_test(knows_a_secret_by_its_form),
	};
	return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
