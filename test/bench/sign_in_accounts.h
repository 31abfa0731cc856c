/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_accounts: accounts for brokers that are measured: Hearth's documents in a state folder that no broker runs with,
 * and Mosquitto's own password file.
 *
 * All of a kind have the same password; a broker cannot tell, and checks each.
 */
#ifndef BENCH_SIGN_IN_ACCOUNTS_H
#define BENCH_SIGN_IN_ACCOUNTS_H

#include "fault.h"
#include "password.h"

/* What a person chose, and its stored form with Mosquitto's own 101 iterations or with Hearth's. */
#define SIGN_IN_PASSWORD          "correct horse battery staple"
#define SIGN_IN_MOSQUITTO_ITERATE 101

struct sign_in_passwords {
	char secret[SECRET_TEXT_MAX];          /* as Hearth makes it for a device … */
	char stored_secret[PASSWORD_TEXT_MAX]; /* … and its stored form */
	char mosquitto[PASSWORD_TEXT_MAX];     /* SIGN_IN_PASSWORD as mosquitto_passwd stores it */
	char chosen[PASSWORD_TEXT_MAX];        /* SIGN_IN_PASSWORD as Hearth stores it */
};

bool sign_in_passwords_make(struct sign_in_passwords *passwords, struct fault *fault);

struct sign_in_account {
	char user[64];
	char body[8192]; /* the document; see account.h */
};

/* Writes the n-th account. */
typedef void (*sign_in_account_maker)(const void *context, int number, struct sign_in_account *out);

/* Puts so many accounts into a state folder, which is made if need be. */
bool sign_in_accounts_write(const char *state_dir, int count, sign_in_account_maker make, const void *context,
                            struct fault *fault);

/* Writes Mosquitto's password file with the users of the same accounts, all with one stored password. */
bool sign_in_password_file_write(const char *path, int count, sign_in_account_maker make, const void *context,
                                 const char *stored, struct fault *fault);

#endif
