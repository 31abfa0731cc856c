/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_accounts: see sign_in_accounts.h.
 */
#include "sign_in_accounts.h"
#include "storage_offline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 100 /* documents put at once */

bool sign_in_passwords_make(struct sign_in_passwords *passwords, struct fault *fault)
{
	/* Any bytes do: nobody is kept out by them. */
	static const uint8_t salt[12] = "hearth bench";
	static const uint8_t random[SECRET_BYTES] = "sixteen bytes of";
	const struct slice chosen = slice_of(SIGN_IN_PASSWORD);
	if (!password_make_secret(random, salt, passwords->secret, passwords->stored_secret) ||
	    !password_make(chosen, SIGN_IN_MOSQUITTO_ITERATE, salt, passwords->mosquitto) ||
	    !password_make(chosen, PASSWORD_ITERATIONS, salt, passwords->chosen)) {
		return fault_set(fault, "a password cannot be hashed");
	}
	return true;
}

/* One piece: the accounts from `first` on. */
struct piece {
	struct document documents[PIECE];
	char names[PIECE][sizeof(DOCUMENT_ACCOUNT) + sizeof(((struct sign_in_account *)0)->user)];
	struct sign_in_account accounts[PIECE];
};

static bool write_piece(struct offline *offline, struct piece *piece, int first, int count, sign_in_account_maker make,
                        const void *context, struct fault *fault)
{
	char error[300];
	for (int i = 0; i < count; i++) {
		struct sign_in_account *account = &piece->accounts[i];
		make(context, first + i, account);
		snprintf(piece->names[i], sizeof(piece->names[i]), DOCUMENT_ACCOUNT "%s", account->user);
		piece->documents[i] = (struct document){slice_of(piece->names[i]), slice_of(account->body)};
	}
	if (!offline_put_documents(offline, piece->documents, (size_t)count, error, sizeof(error))) {
		return fault_set(fault, "accounts cannot be written: %s", error);
	}
	return true;
}

bool sign_in_accounts_write(const char *state_dir, int count, sign_in_account_maker make, const void *context,
                            struct fault *fault)
{
	char error[300];
	struct offline *offline = NULL;
	struct piece *piece = calloc(1, sizeof(*piece));
	if (piece == NULL) {
		return fault_set(fault, "no memory");
	}
	bool written = true;
	if (!offline_open(state_dir, &offline, error, sizeof(error))) {
		written = fault_set(fault, "%s", error);
	}
	for (int first = 0; written && first < count; first += PIECE) {
		int left = count - first;
		written = write_piece(offline, piece, first, left < PIECE ? left : PIECE, make, context, fault);
	}
	offline_close(offline);
	free(piece);
	return written;
}

bool sign_in_password_file_write(const char *path, int count, sign_in_account_maker make, const void *context,
                                 const char *stored, struct fault *fault)
{
	struct sign_in_account account;
	FILE *file = fopen(path, "we");
	if (file == NULL) {
		return fault_set(fault, "%s: %s", path, strerror(errno));
	}
	for (int i = 0; i < count; i++) {
		make(context, i, &account);
		fprintf(file, "%s:%s\n", account.user, stored);
	}
	return fclose(file) == 0 || fault_set(fault, "%s: %s", path, strerror(errno));
}
