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

struct session *sessions_intern(struct sessions *sessions, const char *client_id)
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
	sessions->away++;
	return session;

fail:
	free(session->client_id);
	free(session);
	return NULL;
}

bool session_begin(struct sessions *sessions, struct session *session, const char *user, const void *client)
{
	if (session->user == NULL || strcmp(session->user, user) != 0) {
		char *copy = strdup(user);
		if (copy == NULL)
			return false;
		free(session->user);
		session->user = copy;
	}
	if (session->client == NULL && client != NULL)
		sessions->away--;
	if (session->client != NULL && client == NULL)
		sessions->away++;
	session->client = client;
	session->waiting = NULL;
	return true;
}

/* Forgets the oldest that nothing speaks for keeping, some at once, so that it is not done every time. */
static void make_room(struct sessions *sessions)
{
	for (struct session *one = sessions->all; one != NULL && sessions->away > SESSIONS_MAX - SESSIONS_MAX / 10;) {
		struct session *next = one->hh.next;
		if (one->client == NULL && one->waiting == NULL && !one->kept)
			session_forget(sessions, one);
		one = next;
	}
}

void session_end(struct sessions *sessions, struct session *session)
{
	if (session->client == NULL)
		return;
	session->client = NULL;
	sessions->away++;
	if (!session->stored && session->waiting == NULL)
		session_forget(sessions, session);
	else if (sessions->away > SESSIONS_MAX)
		make_room(sessions);
}

void session_forget(struct sessions *sessions, struct session *session)
{
	if (session->client == NULL)
		sessions->away--;
	HASH_DEL(sessions->all, session);
	free(session->client_id);
	free(session->user);
	free(session);
}

void sessions_free(struct sessions *sessions)
{
	struct session *one = sessions->all;
	HASH_CLEAR(hh, sessions->all); /* the table goes, the elements stay linked */
	while (one != NULL) {
		struct session *next = one->hh.next;
		free(one->client_id);
		free(one->user);
		free(one);
		one = next;
	}
	sessions->away = 0;
}
