/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access_internal: what access*.c share.
 */
#ifndef HEARTH_ACCESS_INTERNAL_H
#define HEARTH_ACCESS_INTERNAL_H

#include "access.h"
#include "access_sessions.h"

/*
 * A user whose account has changed, or has expired. His sessions are dropped once who asked for the change has the answer: it may be
 * himself. Those that he has begun since are not.
 */
struct aftermath {
	char *user;
	uint64_t position; /* of the journal; the answer waits for it too */
	uint64_t begun;    /* sign-ins until then */
	int64_t latest_ms; /* not longer than until then */
	UT_hash_handle hh;
	bool drops;    /* the account was there before, and may have sessions */
	bool rights;   /* are others: access_options.changed is to be told */
	bool answered; /* since the last tick */
};

struct access {
	struct access_options options;
	struct account_table *accounts;
	struct sign_in *sign_in;
	struct sessions sessions;
	struct access_counters counters;
	size_t administrators;  /* that could sign in, whatever the date */
	int64_t next_expiry_us; /* wall clock; no account expires before */
	int64_t now_us;         /* wall clock, as of the last tick, sign-in or change */
	int64_t now_ms;
	int64_t told_ms; /* a refusal of somebody without a session was logged last; 0: none */
	uint64_t untold; /* and so many since */
	struct aftermath *aftermaths;
	bool locked;    /* there were accounts, and they cannot be read */
	bool reloading; /* a SIGHUP: every session is asked about */
};

/* Has an account's configs looked at, or its sessions dropped, at a tick soon: `what` has drops, rights and position. */
void access_follow_up(struct access *access, struct slice user, const struct aftermath *what);

/* What is due of that. */
void access_follow_ups(struct access *access, struct instant now);
void access_follow_ups_free(struct access *access);

/* Counts an account in, or (sign −1) out. */
void access_tally(struct access *access, const struct account *account, int sign);

/* The account's document with another hash. The caller frees it; NULL: no memory, or it has no password. */
char *access_with_password(const struct account *account, const char *hash);

/* As access_change; `follow_up`: it is more than another hash of the same password. */
bool access_apply(struct access *access, const struct document *documents, size_t count, bool follow_up,
                  struct instant now, uint64_t *position, char error[ACCESS_ERROR_MAX]);

/* Keeps, or no longer keeps, in the state file whose a session is. What a full journal refuses is tried at the next sign-in. */
void access_keep(struct access *access, struct session *session, bool keep, struct instant now);

#endif
