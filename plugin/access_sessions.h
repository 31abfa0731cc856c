/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access_sessions: whose each client id is, by connection or because the broker keeps its session. Private to access*.c.
 *
 * What a client that keeps its session (and so its subscriptions and what waits for it) is called, nobody else may be: that
 * much is kept in the state file. No broker tells when it lets such a session go, so a user has at most SESSIONS_PER_USER of them, and
 * the oldest that is not connected gives way. A session of MQTT 5 that was begun anew and outlives its connection all
 * the same is not told from one that ends; whoever takes such a client id gets, since the broker checks what waits once
 * more, nothing that he may not read.
 */
#ifndef HEARTH_ACCESS_SESSIONS_H
#define HEARTH_ACCESS_SESSIONS_H

#include "topic.h"

#define HASH_NONFATAL_OOM 1 /* an element that found no memory has hh.tbl NULL */
#include <uthash.h>

#define SESSIONS_PER_USER  100
#define SESSION_STORED_MAX 256 /* bytes of a client id; a longer one's owner is known only while it is connected */

struct session;

/* Who owns sessions. */
struct owner {
	char *user;
	struct session *first, *last; /* the one that signed in longest ago first */
	size_t stored;                /* of them */
	UT_hash_handle hh;
};

struct session {
	char *client_id;
	struct owner *owner;
	const void *client;              /* the broker's, to compare with; NULL: not connected */
	struct session *before, *behind; /* of its owner's */
	uint64_t begun;                  /* counts sign-ins */
	int64_t told_ms;                 /* a denial was logged last; 0: none */
	uint64_t untold;                 /* denials since */
	UT_hash_handle hh;
	bool stored; /* by the broker, while it is away */
	bool kept;   /* whose it is, in the state file */
};

struct sessions {
	struct session *all; /* in the order in which they were made */
	struct owner *owners;
	uint64_t begun; /* sign-ins so far */
};

struct session *sessions_find(const struct sessions *sessions, const char *client_id);

/*
 * `user` has signed in with this client id, as `client` (NULL: not connected), and its session is stored or not. NULL: no
 * memory, nothing changed. Who had it before has it no more; `kept` is false then.
 */
struct session *session_begin(struct sessions *sessions, const char *client_id, const char *user, const void *client,
                              bool stored);

/* One that has to give way to this, because their owner has too many stored; NULL: none has to. */
struct session *session_superfluous(const struct session *session);

/* Whose sessions a user's are; NULL: he has none. */
const struct owner *sessions_owner(const struct sessions *sessions, struct slice user);

/* The connection is over; what is not stored is forgotten. */
void session_end(struct sessions *sessions, struct session *session);

void session_forget(struct sessions *sessions, struct session *session);
void sessions_free(struct sessions *sessions);

#endif
