/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access_sessions: whose each client id is, by connection or because the broker keeps its session. Private to access*.c.
 *
 * What a client that keeps its session (and so its subscriptions and what waits for it) is called, nobody else may be: that
 * much is kept in the state file. A session of MQTT 5 that was begun anew and outlives its connection all the same is not told
 * from one that ends; whoever takes such a client id gets, since the broker checks what waits once more, nothing that he
 * may not read.
 */
#ifndef HEARTH_ACCESS_SESSIONS_H
#define HEARTH_ACCESS_SESSIONS_H

#include "topic.h"

#define HASH_NONFATAL_OOM 1 /* an element that found no memory has hh.tbl NULL */
#include <uthash.h>

#define SESSIONS_MAX 100000 /* of clients that are not connected */

struct session {
	char *client_id;
	char *user;
	const void *client;  /* the broker's; NULL: not connected */
	const void *waiting; /* a client that waits for the verdict on its sign-in; NULL: none */
	uint64_t ticket;     /* of that sign-in */
	int64_t told_ms;     /* a denial was logged last; 0: none */
	uint64_t untold;     /* denials since */
	UT_hash_handle hh;
	bool stored; /* by the broker, while it is away */
	bool kept;   /* whose it is, in the state file */
};

struct sessions {
	struct session *all; /* in the order in which they were made */
	size_t away;         /* not connected */
};

struct session *sessions_find(const struct sessions *sessions, const char *client_id);

/* The session of a client id, made with no owner if it is new. NULL: no memory. */
struct session *sessions_intern(struct sessions *sessions, const char *client_id);

/* `user` is there, connected as `client` (NULL: not connected). False: no memory, nothing changed. */
bool session_begin(struct sessions *sessions, struct session *session, const char *user, const void *client);

/* The connection is over; what is not stored is forgotten. */
void session_end(struct sessions *sessions, struct session *session);

void session_forget(struct sessions *sessions, struct session *session);
void sessions_free(struct sessions *sessions);

#endif
