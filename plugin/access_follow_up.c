/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access: what comes of a change of accounts, at the ticks after it; see struct aftermath.
 */
#include "access_internal.h"

#include <stdlib.h>
#include <string.h>

/* So long a slow disk may put off that the sessions of a changed account are dropped. */
#define DROP_PATIENCE_MS 1000

static struct aftermath *aftermath_find(const struct access *access, struct slice user)
{
	struct aftermath *aftermath = NULL;
	HASH_FIND(hh, access->aftermaths, user.ptr, user.len, aftermath);
	return aftermath;
}

/* Without memory there is none: what they may no longer do, they cannot do all the same. */
static struct aftermath *aftermath_intern(struct access *access, struct slice user)
{
	struct aftermath *aftermath = aftermath_find(access, user);
	if (aftermath != NULL)
		return aftermath;
	aftermath = calloc(1, sizeof *aftermath);
	if (aftermath == NULL)
		return NULL;
	aftermath->user = strndup(user.ptr, user.len);
	if (aftermath->user == NULL)
		goto fail;
	HASH_ADD_KEYPTR(hh, access->aftermaths, aftermath->user, user.len, aftermath);
	if (aftermath->hh.tbl == NULL)
		goto fail;
	aftermath->latest_ms = access->now_ms + DROP_PATIENCE_MS;
	return aftermath;

fail:
	free(aftermath->user);
	free(aftermath);
	return NULL;
}

static void aftermath_free(struct access *access, struct aftermath *aftermath)
{
	HASH_DEL(access->aftermaths, aftermath);
	free(aftermath->user);
	free(aftermath);
}

void access_follow_up(struct access *access, struct slice user, const struct aftermath *what)
{
	struct aftermath *aftermath = aftermath_intern(access, user);
	if (aftermath == NULL)
		return;
	aftermath->position = what->position;
	aftermath->begun = access->sessions.begun;
	aftermath->drops = aftermath->drops || what->drops;
	aftermath->rights = aftermath->rights || what->rights;
	aftermath->answered = false;
}

static bool concerns(void *context, struct slice user)
{
	const struct access *access = context;
	const struct aftermath *aftermath = aftermath_find(access, user);
	return aftermath != NULL && aftermath->rights;
}

/* However many have changed since the last tick, configs are gone through once. */
static void tell_rights(struct access *access, struct instant now)
{
	bool any = false;
	for (const struct aftermath *one = access->aftermaths; one != NULL; one = one->hh.next)
		any = any || one->rights;
	if (any && access->options.changed != NULL)
		access->options.changed(access->options.context, &(struct access_changed){concerns, access}, now);
	for (struct aftermath *one = access->aftermaths; one != NULL; one = one->hh.next)
		one->rights = false;
}

/* An answer goes out at the tick that finds the change on the disk, and is with the client at the next. */
static bool is_due(const struct access *access, const struct aftermath *aftermath)
{
	return aftermath->answered || access->now_ms >= aftermath->latest_ms;
}

/* One by one only where some of a user's are newer: the broker knows better than we who is connected. */
static void drop_sessions(struct access *access, const struct aftermath *aftermath)
{
	const struct broker_ops *broker = access->options.broker;
	const struct owner *owner = sessions_owner(&access->sessions, slice_of(aftermath->user));

	if (owner == NULL || owner->last->begun <= aftermath->begun) {
		broker->drop_user(aftermath->user);
		return;
	}
	for (struct session *one = owner->first, *next; one->begun <= aftermath->begun; one = next) {
		next = one->behind; /* the broker may tell at once that it is gone; the newer one stays */
		if (one->client != NULL)
			broker->drop(one->client_id);
	}
}

void access_follow_ups(struct access *access, struct instant now)
{
	tell_rights(access, now);
	for (struct aftermath *one = access->aftermaths, *next; one != NULL; one = next) {
		next = one->hh.next;
		if (is_due(access, one)) {
			if (one->drops)
				drop_sessions(access, one);
			aftermath_free(access, one);
			continue;
		}
		one->answered = access_durable(access, one->position);
	}
}

void access_follow_ups_free(struct access *access)
{
	struct aftermath *one = access->aftermaths;
	HASH_CLEAR(hh, access->aftermaths); /* the table goes, the elements stay linked */
	while (one != NULL) {
		struct aftermath *next = one->hh.next;
		free(one->user);
		free(one);
		one = next;
	}
}
