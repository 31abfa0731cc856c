/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access_sessions: see access_sessions.h.
 */
#include "access_sessions.h"

#include <stdlib.h>
#include <string.h>

struct session *sessions_find(const struct sessions *sessions, const char *client_id)
{
	struct session *session = NULL;
	HASH_FIND_STR(sessions->all, client_id, session);
	return session;
}

/* ---- owners ---- */

/* The owner of a name, made if it is new. NULL: no memory. */
static struct owner *owner_intern(struct sessions *sessions, const char *user)
{
	struct owner *owner = NULL;
	HASH_FIND_STR(sessions->owners, user, owner);
	if (owner != NULL)
		return owner;
	owner = calloc(1, sizeof *owner);
	if (owner == NULL)
		return NULL;
	owner->user = strdup(user);
	if (owner->user == NULL)
		goto fail;
	HASH_ADD_KEYPTR(hh, sessions->owners, owner->user, strlen(user), owner);
	if (owner->hh.tbl == NULL)
		goto fail;
	return owner;

fail:
	free(owner->user);
	free(owner);
	return NULL;
}

static void owner_drop_empty(struct sessions *sessions, struct owner *owner)
{
	if (owner->first != NULL)
		return;
	HASH_DEL(sessions->owners, owner);
	free(owner->user);
	free(owner);
}

/* The session gets an owner, as the one that signed in last. */
static void own(struct owner *owner, struct session *session, bool stored)
{
	session->owner = owner;
	session->before = owner->last;
	session->behind = NULL;
	*(session->before != NULL ? &session->before->behind : &owner->first) = session;
	owner->last = session;
	session->stored = stored;
	owner->stored += stored;
}

static void disown(struct session *session)
{
	struct owner *owner = session->owner;
	*(session->before != NULL ? &session->before->behind : &owner->first) = session->behind;
	*(session->behind != NULL ? &session->behind->before : &owner->last) = session->before;
	owner->stored -= session->stored;
	session->owner = NULL;
}

const struct owner *sessions_owner(const struct sessions *sessions, struct slice user)
{
	struct owner *owner = NULL;
	HASH_FIND(hh, sessions->owners, user.ptr, user.len, owner);
	return owner;
}

/* ---- sessions ---- */

/* The session of a client id, made without an owner if it is new. NULL: no memory. */
static struct session *session_intern(struct sessions *sessions, const char *client_id)
{
	struct session *session = sessions_find(sessions, client_id);
	if (session != NULL)
		return session;
	session = calloc(1, sizeof *session);
	if (session == NULL)
		return NULL;
	session->client_id = strdup(client_id);
	if (session->client_id == NULL)
		goto fail;
	HASH_ADD_KEYPTR(hh, sessions->all, session->client_id, strlen(client_id), session);
	if (session->hh.tbl == NULL)
		goto fail;
	return session;

fail:
	free(session->client_id);
	free(session);
	return NULL;
}

struct session *session_begin(struct sessions *sessions, const char *client_id, const char *user, const void *client,
                              bool stored)
{
	struct owner *owner = owner_intern(sessions, user);
	struct session *session = owner != NULL ? session_intern(sessions, client_id) : NULL;

	if (session == NULL) {
		if (owner != NULL)
			owner_drop_empty(sessions, owner);
		return NULL;
	}
	struct owner *before = session->owner;
	if (before != NULL)
		disown(session);
	own(owner, session, stored && strlen(client_id) <= SESSION_STORED_MAX);
	if (before != owner)
		session->kept = false;
	if (before != NULL)
		owner_drop_empty(sessions, before);
	session->client = client;
	session->begun = ++sessions->begun;
	return session;
}

struct session *session_superfluous(const struct session *session)
{
	const struct owner *owner = session->owner;
	if (owner->stored <= SESSIONS_PER_USER)
		return NULL;
	for (struct session *one = owner->first; one != NULL; one = one->behind) {
		if (one->client == NULL && one != session)
			return one;
	}
	return NULL;
}

void session_end(struct sessions *sessions, struct session *session)
{
	session->client = NULL;
	if (!session->stored)
		session_forget(sessions, session);
}

void session_forget(struct sessions *sessions, struct session *session)
{
	struct owner *owner = session->owner;
	disown(session);
	owner_drop_empty(sessions, owner);
	HASH_DEL(sessions->all, session);
	free(session->client_id);
	free(session);
}

void sessions_free(struct sessions *sessions)
{
	struct session *session = sessions->all;
	struct owner *owner = sessions->owners;

	HASH_CLEAR(hh, sessions->all); /* the tables go, the elements stay linked */
	HASH_CLEAR(hh, sessions->owners);
	while (session != NULL) {
		struct session *next = session->hh.next;
		free(session->client_id);
		free(session);
		session = next;
	}
	while (owner != NULL) {
		struct owner *next = owner->hh.next;
		free(owner->user);
		free(owner);
		owner = next;
	}
}
