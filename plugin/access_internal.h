/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access_internal: what access*.c share.
 */
#ifndef HEARTH_ACCESS_INTERNAL_H
#define HEARTH_ACCESS_INTERNAL_H

#include "access.h"
#include "access_sessions.h"

/* A user whose sessions are to be dropped, once who asked for the change has his answer: he may be that user. */
struct drop {
	char *user;
	uint64_t position; /* of the journal; the answer waits for it too */
	int64_t latest_ms; /* not longer than until then */
	bool answered;     /* since the last tick */
};

struct access {
	struct access_options options;
	struct account_table *accounts;
	struct sign_in *sign_in;
	struct sessions sessions;
	struct access_counters counters;
	size_t administrators;  /* that could sign in, whatever the date */
	int64_t next_expiry_us; /* wall clock; no account expires before */
	int64_t now_us;         /* wall clock, as of the last tick or sign-in */
	int64_t now_ms;
	uint64_t last_ticket;
	struct session nobody; /* stands for clients that have no session here, in the log of denials */
	struct drop *drops;
	size_t drop_count, drop_room;
	bool locked;    /* there were accounts, and they cannot be read */
	bool reloading; /* a SIGHUP: every session is asked about */
};

/* Every session of this user is to be dropped at a tick soon, when the journal is on the disk up to `position`. */
void access_drop_later(struct access *access, struct slice user, uint64_t position);

/* Counts an account in, or (sign −1) out. */
void access_tally(struct access *access, const struct account *account, int sign);

/* The account's document with another hash. The caller frees it; NULL: no memory, or it has no password. */
char *access_with_password(const struct account *account, const char *hash);

/* As access_change; `drop`: the sessions of the accounts are dropped. */
bool access_apply(struct access *access, const struct document *documents, size_t count, bool drop, struct instant now,
                  uint64_t *position, char error[ACCESS_ERROR_MAX]);

/* Keeps, or no longer keeps, in the state file whose a session is. What a full journal refuses is tried at the next sign-in. */
void access_keep(struct access *access, struct session *session, bool keep, struct instant now);

#endif
