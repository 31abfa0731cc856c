/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * password: stored forms of passwords and secrets; pure.
 *
 *   $7$ITERATIONS$SALT$HASH   PBKDF2-HMAC-SHA512, as mosquitto_passwd writes it; for what people choose
 *   $6$SALT$HASH              SHA-512 of password and salt, as mosquitto_passwd before 2.0; only imported
 *   $secret$SALT$HASH         SHA-256 of salt and secret; for secrets of 128 random bits that Hearth makes, which need no
 *                             stretching
 *
 * SALT (at most 64 bytes) and HASH are base64. Other forms, such as Mosquitto 2.1's $argon2id$, are not read.
 *
 * A secret is written as "hearth-" and 26 characters of base32 (a–z, 2–7): easy to read from a screen, and told apart
 * from what people choose by its form. Any thread.
 */
#ifndef HEARTH_PASSWORD_H
#define HEARTH_PASSWORD_H

#include "topic.h"

/*
 * Of new hashes. One takes some 55 ms of a server's core, and twice that of a core that others use: more would be seen in other
 * clients' 99th percentile when a first guess is checked in the broker's thread.
 */
#define PASSWORD_ITERATIONS     100000
#define PASSWORD_ITERATIONS_MIN 100000  /* hashes with fewer are made anew at the next sign-in */
#define PASSWORD_ITERATIONS_MAX 5000000 /* a hash with more is refused: it would be a way to stall the broker */
#define PASSWORD_LENGTH_MIN     8       /* characters that people have to choose */
#define PASSWORD_LENGTH_MAX     1024    /* bytes */
#define PASSWORD_TEXT_MAX       256     /* of a stored form, with NUL */
#define SECRET_BYTES            16
#define SECRET_TEXT_MAX         40 /* with NUL */

enum password_kind { PASSWORD_NONE, PASSWORD_PBKDF2, PASSWORD_SHA512, PASSWORD_SECRET };

struct password {
	enum password_kind kind;
	unsigned iterations; /* of PBKDF2 */
	size_t salt_len, hash_len;
	uint8_t salt[64];
	uint8_t hash[64];
};

/* Reads a stored form. False if it is none, or out of bounds. */
bool password_read(struct slice text, struct password *out);

/*
 * Hashes what a person chose; slow on purpose. `salt` is random. False: it is empty, longer than PASSWORD_LENGTH_MAX,
 * has the form of a secret (and so could never be offered as a password), or OpenSSL refused.
 */
bool password_make(struct slice plain, unsigned iterations, const uint8_t salt[static 12],
                   char out[static PASSWORD_TEXT_MAX]);

/* The text of a secret, and its stored form. `salt` is random too. */
bool password_make_secret(const uint8_t random[static SECRET_BYTES], const uint8_t salt[static 12],
                          char secret[static SECRET_TEXT_MAX], char out[static PASSWORD_TEXT_MAX]);

/* Does it have the form of a secret? */
bool password_is_secret(struct slice plain);

/* Compares in constant time; as slow as its kind. */
bool password_verify(const struct password *password, struct slice plain);

/* Is it made to be stretched less than is wanted now? */
bool password_is_weak(const struct password *password);

#endif
