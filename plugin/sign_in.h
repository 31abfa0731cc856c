/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in: is a user name with a password one of the accounts'?
 *
 * What was verified before is known again in microseconds by a keyed digest (HMAC-SHA256 with a random key of this run,
 * over stored hash, user and password), and what was refused is too; a changed password makes another digest. Secrets
 * that Hearth made cost no more than a digest either. What has to be stretched, is stretched in the broker's thread as
 * far as a budget allows: a share of the time, by address, by user and over all. A failure makes the next one from there
 * wait longer. Beyond the budget the hasher's thread finds out, the client is put off, and its next attempt is answered
 * by digest. So nobody is locked out by somebody else's failures, and a thousand wrong passwords a second cost the
 * broker's thread next to nothing.
 *
 * No client is held back until there is a verdict, though Mosquitto 2.1 can (MOSQ_ERR_AUTH_DELAYED): 2.1.2 does not tell
 * a plugin of those that go meanwhile, lets nobody else in by a client id that waits, and crashes if one that goes has
 * a Will with a delay. So a stranger could bring it down.
 *
 * Known and unknown names take the same way: an unknown one is checked against the hash of an account that its name
 * picks, and refused. An offered password with the form of a secret is only ever compared as a secret, and another
 * never.
 *
 * Time is handed in. Broker thread only.
 */
#ifndef HEARTH_SIGN_IN_H
#define HEARTH_SIGN_IN_H

#include "account.h"
#include "hasher.h"

struct sign_in;

enum sign_in_verdict {
	SIGN_IN_YES,
	SIGN_IN_NO,
	SIGN_IN_LATER /* not answered: the client has to come again */
};

struct sign_in_options {
	const struct account_table *accounts;
	struct hasher *hasher;     /* NULL: beyond the budget all are put off */
	uint8_t key[32];           /* random */
	unsigned budget_percent;   /* of the broker thread's time; 0: only the hasher's thread stretches */
	int64_t (*clock_us)(void); /* monotonic; to see what a hash cost */
};

struct sign_in_attempt {
	struct slice user, password;
	struct slice address; /* may be empty */
};

struct sign_in *sign_in_new(const struct sign_in_options *options); /* NULL: no memory */
void sign_in_free(struct sign_in *sign_in);

/*
 * Checks the password alone: whether the account is usable and takes this client id is for the caller to look at after
 * a SIGN_IN_YES, so that only who knows the password learns of it.
 */
enum sign_in_verdict sign_in_check(struct sign_in *sign_in, const struct sign_in_attempt *attempt, int64_t now_ms);

/* Takes the hasher's results in. To be called at every tick. */
void sign_in_tick(struct sign_in *sign_in, int64_t now_ms);

/*
 * The next account that signed in with a weak hash (password_is_weak) and what it is to be replaced with, made in the
 * hasher's thread; `old` is the weak one, so that a password changed meanwhile is left alone. The password is known by
 * digest for the new form too. False: none.
 */
struct sign_in_upgrade {
	char user[ACCOUNT_NAME_MAX + 1];
	char old[PASSWORD_TEXT_MAX], made[PASSWORD_TEXT_MAX];
};
bool sign_in_next_upgrade(struct sign_in *sign_in, struct sign_in_upgrade *out);

/*
 * Hashes a new password in the hasher's thread, from the next tick on. False: too many wait, it is longer than
 * PASSWORD_LENGTH_MAX, or there is no hasher. Not ok: it is empty or has the form of a secret. The result comes by
 * sign_in_next_made with the ticket.
 */
bool sign_in_make(struct sign_in *sign_in, uint64_t ticket, struct slice plain);
bool sign_in_next_made(struct sign_in *sign_in, uint64_t *ticket, bool *ok, char made[static PASSWORD_TEXT_MAX]);

/* Since the start. */
struct sign_in_counters {
	uint64_t yes, no, later;
	uint64_t hashed_here, hashed_there; /* stretched in the broker's thread, in the hasher's */
	uint64_t us_here;                   /* what it cost the broker's thread */
};
struct sign_in_counters sign_in_counters(const struct sign_in *sign_in);

#endif
