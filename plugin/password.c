/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * password: see password.h.
 *
 * Every stored form is fields between dollar signs, the first of which names it. They are read strictly: base64 with
 * its padding and nothing around it, numbers without sign or leading zero.
 *
 *   $7$  HASH = PBKDF2-HMAC-SHA512(password, SALT, ITERATIONS), 64 bytes
 *   $6$  HASH = SHA-512(password ‖ SALT), 64 bytes
 *   $secret$  HASH = SHA-256(SALT ‖ secret as it is written, "hearth-" included), 32 bytes
 *
 * What is computed from a password is wiped from the stack before a function returns.
 */
#include "password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define MADE_SALT      12 /* bytes, as mosquitto_passwd makes them */
#define SHA512_BYTES   64
#define SHA256_BYTES   32
#define SECRET_PREFIX  "hearth-"
#define SECRET_LETTERS 26 /* of 5 bits each; the last has the 3 bits that are left of 128 */
#define SECRET_LENGTH  (sizeof SECRET_PREFIX - 1 + SECRET_LETTERS)

/* A salt and a hash of 64 bytes are the longest that are read. */
#define BASE64_MAX ((64 + 2) / 3 * 4)

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

/* ---- stored forms ---- */

/* Cuts the field off that a dollar sign begins. False: there is none. */
static bool next_field(struct slice *rest, struct slice *field)
{
	if (rest->len == 0 || rest->ptr[0] != '$')
		return false;
	const char *begin = rest->ptr + 1;
	const char *end = memchr(begin, '$', rest->len - 1);
	const size_t len = end ? (size_t)(end - begin) : rest->len - 1;

	*field = (struct slice){begin, len};
	*rest = (struct slice){begin + len, rest->len - 1 - len};
	return true;
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* Reads 1 to 64 bytes of base64. False if it is none. */
static bool read_base64(struct slice text, uint8_t out[static 64], size_t *out_len)
{
	uint8_t bytes[BASE64_MAX / 4 * 3];
	size_t padding = 0;

	if (text.len == 0 || text.len % 4 != 0 || text.len > BASE64_MAX)
		return false;
	while (padding < 2 && text.ptr[text.len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < text.len - padding; i++) {
		if (!is_base64(text.ptr[i]))
			return false;
	}
	const int len = EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, (int)text.len);
	if (len < 0 || (size_t)len - padding > 64)
		return false;
	*out_len = (size_t)len - padding;
	memcpy(out, bytes, *out_len);
	return true;
}

static bool read_iterations(struct slice text, unsigned *out)
{
	unsigned number = 0;

	if (text.len == 0 || text.len > 7 || text.ptr[0] == '0')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text.ptr[i] - '0');
	}
	*out = number;
	return number <= PASSWORD_ITERATIONS_MAX;
}

static bool read_kind(struct slice name, enum password_kind *out)
{
	static const struct {
		const char *name;
		enum password_kind kind;
	} kinds[] = {{"7", PASSWORD_PBKDF2}, {"6", PASSWORD_SHA512}, {"secret", PASSWORD_SECRET}};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (slice_is(name, kinds[i].name)) {
			*out = kinds[i].kind;
			return true;
		}
	}
	return false;
}

bool password_read(struct slice text, struct password *out)
{
	struct slice rest = text;
	struct slice field;

	memset(out, 0, sizeof *out);
	if (text.len >= PASSWORD_TEXT_MAX || !next_field(&rest, &field) || !read_kind(field, &out->kind))
		return false;
	if (out->kind == PASSWORD_PBKDF2 && !(next_field(&rest, &field) && read_iterations(field, &out->iterations)))
		return false;
	if (!next_field(&rest, &field) || !read_base64(field, out->salt, &out->salt_len))
		return false;
	if (!next_field(&rest, &field) || !read_base64(field, out->hash, &out->hash_len))
		return false;
	return rest.len == 0 && out->hash_len == (out->kind == PASSWORD_SECRET ? SHA256_BYTES : SHA512_BYTES);
}

/* Writes the stored form of what has been hashed. */
static void print(const struct password *password, char out[static PASSWORD_TEXT_MAX])
{
	char salt[BASE64_MAX + 1];
	char hash[BASE64_MAX + 1];
	char head[16];

	EVP_EncodeBlock((unsigned char *)salt, password->salt, (int)password->salt_len);
	EVP_EncodeBlock((unsigned char *)hash, password->hash, (int)password->hash_len);
	if (password->kind == PASSWORD_PBKDF2)
		snprintf(head, sizeof head, "$7$%u", password->iterations);
	else
		snprintf(head, sizeof head, "$secret");
	snprintf(out, PASSWORD_TEXT_MAX, "%s$%s$%s", head, salt, hash);
}

/* ---- hashing ---- */

/* The hash of two pieces, one behind the other. */
static bool hash_two(const EVP_MD *algorithm, struct slice first, struct slice second, uint8_t out[static 64])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const bool done = context && EVP_DigestInit_ex(context, algorithm, NULL) == 1 &&
	                  EVP_DigestUpdate(context, first.ptr, first.len) == 1 &&
	                  EVP_DigestUpdate(context, second.ptr, second.len) == 1 &&
	                  EVP_DigestFinal_ex(context, out, NULL) == 1;

	EVP_MD_CTX_free(context);
	return done;
}

/* What the password's hash would be if it were of `plain`. False: OpenSSL refused, or there is no hash. */
static bool compute(const struct password *password, struct slice plain, uint8_t out[static 64])
{
	const struct slice salt = {(const char *)password->salt, password->salt_len};

	if (plain.len > PASSWORD_LENGTH_MAX)
		return false;
	switch (password->kind) {
	case PASSWORD_PBKDF2:
		return PKCS5_PBKDF2_HMAC(plain.len > 0 ? plain.ptr : "", (int)plain.len, password->salt,
		                         (int)password->salt_len, (int)password->iterations, EVP_sha512(), SHA512_BYTES,
		                         out) == 1;
	case PASSWORD_SHA512:
		return hash_two(EVP_sha512(), plain, salt, out);
	case PASSWORD_SECRET:
		return hash_two(EVP_sha256(), salt, plain, out);
	default:
		return false;
	}
}

/* Hashes `plain` with the salt and prints the stored form. */
static bool make(struct password *password, struct slice plain, const uint8_t salt[static MADE_SALT],
                 char out[static PASSWORD_TEXT_MAX])
{
	password->salt_len = MADE_SALT;
	memcpy(password->salt, salt, MADE_SALT);
	if (!compute(password, plain, password->hash))
		return false;
	print(password, out);
	return true;
}

bool password_make(struct slice plain, unsigned iterations, const uint8_t salt[static MADE_SALT],
                   char out[static PASSWORD_TEXT_MAX])
{
	struct password password = {.kind = PASSWORD_PBKDF2, .iterations = iterations, .hash_len = SHA512_BYTES};

	if (plain.len == 0 || iterations == 0 || iterations > PASSWORD_ITERATIONS_MAX || password_is_secret(plain))
		return false;
	return make(&password, plain, salt, out);
}

bool password_verify(const struct password *password, struct slice plain)
{
	uint8_t hash[64] = {0};
	const bool computed = compute(password, plain, hash);
	const bool equal = CRYPTO_memcmp(hash, password->hash, password->hash_len) == 0;

	OPENSSL_cleanse(hash, sizeof hash);
	return computed && equal;
}

bool password_is_weak(const struct password *password)
{
	return password->kind == PASSWORD_SHA512 ||
	       (password->kind == PASSWORD_PBKDF2 && password->iterations < PASSWORD_ITERATIONS_MIN);
}

/* ---- secrets ---- */

/* The n-th five bits of 128; those behind the end are 0. */
static unsigned five_bits(const uint8_t random[static SECRET_BYTES], unsigned n)
{
	const unsigned bit = n * 5;
	const unsigned high = random[bit / 8];
	const unsigned low = bit / 8 + 1 < SECRET_BYTES ? random[bit / 8 + 1] : 0;

	return (high << 8 | low) >> (11 - bit % 8) & 31;
}

bool password_make_secret(const uint8_t random[static SECRET_BYTES], const uint8_t salt[static MADE_SALT],
                          char secret[static SECRET_TEXT_MAX], char out[static PASSWORD_TEXT_MAX])
{
	struct password password = {.kind = PASSWORD_SECRET, .hash_len = SHA256_BYTES};
	char *letter = secret + sizeof SECRET_PREFIX - 1;

	memcpy(secret, SECRET_PREFIX, sizeof SECRET_PREFIX - 1);
	for (unsigned i = 0; i < SECRET_LETTERS; i++)
		*letter++ = base32[five_bits(random, i)];
	*letter = '\0';
	return make(&password, (struct slice){secret, SECRET_LENGTH}, salt, out);
}

bool password_is_secret(struct slice plain)
{
	const size_t prefix = sizeof SECRET_PREFIX - 1;

	if (plain.len != SECRET_LENGTH || memcmp(plain.ptr, SECRET_PREFIX, prefix) != 0)
		return false;
	for (size_t i = prefix; i < plain.len; i++) {
		const char c = plain.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')))
			return false;
	}
	return true;
}
