/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access: how accounts and the owners of sessions change; see access.h.
 *
 * All documents of a change are read and compiled before one record of the journal takes them, and only then are they in
 * force: nothing can be wrong any more but that there is no memory.
 */
#include "access_internal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_LEN (sizeof DOCUMENT_ACCOUNT - 1)

/* A document of a change, with the account that it makes. */
struct change {
	struct slice name;       /* the user's */
	struct account *account; /* NULL: removed */
};

/* One who can let himself in and put all right. */
static bool is_administrator(const struct account *account)
{
	return account_role(account) == ROLE_ADMIN && !account_disabled(account) &&
	       account_expires_us(account) == INT64_MAX &&
	       (account_password(account).len > 0 || account_takes_certificate(account));
}

void access_tally(struct access *access, const struct account *account, int sign)
{
	int64_t expires_us = account_expires_us(account);
	if (is_administrator(account))
		access->administrators += (size_t)sign;
	if (sign > 0 && expires_us > access->now_us && expires_us < access->next_expiry_us)
		access->next_expiry_us = expires_us;
}

/* ---- reading a change ---- */

static bool read_one(const struct document *document, struct change *change, char error[ACCESS_ERROR_MAX])
{
	struct account_error problem;

	change->name = (struct slice){document->name.ptr + PREFIX_LEN, document->name.len - PREFIX_LEN};
	if (document->body.len == 0)
		return true;
	change->account = account_read(document->body, &problem);
	if (change->account == NULL) {
		snprintf(error, ACCESS_ERROR_MAX, "%s: found %s; wanted %s", problem.path, problem.found, problem.wanted);
		return false;
	}
	if (slice_equal(account_name(change->account), change->name))
		return true;
	snprintf(error, ACCESS_ERROR_MAX, "$.username: wanted the name that the account is kept under");
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct change *left = a, *right = b;
	size_t len = left->name.len < right->name.len ? left->name.len : right->name.len;
	int order = memcmp(left->name.ptr, right->name.ptr, len);
	return order != 0 ? order : (left->name.len > right->name.len) - (left->name.len < right->name.len);
}

/* Administrators after a change, which has no name twice. */
static size_t administrators_after(const struct access *access, const struct change *changes, size_t count)
{
	size_t administrators = access->administrators;
	for (size_t i = 0; i < count; i++) {
		const struct account *before = account_find(access->accounts, changes[i].name);
		if (before != NULL && is_administrator(before))
			administrators--;
		if (changes[i].account != NULL && is_administrator(changes[i].account))
			administrators++;
	}
	return administrators;
}

static bool read_all(const struct access *access, const struct document *documents, size_t count,
                     struct change *changes, char error[ACCESS_ERROR_MAX])
{
	for (size_t i = 0; i < count; i++) {
		if (!read_one(&documents[i], &changes[i], error))
			return false;
	}
	qsort(changes, count, sizeof *changes, by_name);
	for (size_t i = 1; i < count; i++) {
		if (slice_equal(changes[i - 1].name, changes[i].name)) {
			snprintf(error, ACCESS_ERROR_MAX, "an account twice in one change: wanted each once");
			return false;
		}
	}
	if (administrators_after(access, changes, count) > 0)
		return true;
	snprintf(
		error, ACCESS_ERROR_MAX,
		"no administrator would be left who can sign in: wanted an account with role admin, enabled, with a password or"
		" certificate, and without an end");
	return false;
}

/* ---- putting it in force ---- */

/* Then nothing else has to be looked at again. Either may be NULL. */
static bool same_but_password(const struct account *a, const struct account *b)
{
	char *texts[] = {a != NULL ? account_print(a, false) : NULL, b != NULL ? account_print(b, false) : NULL};
	bool same = texts[0] != NULL && texts[1] != NULL && strcmp(texts[0], texts[1]) == 0;
	free(texts[0]);
	free(texts[1]);
	return same;
}

static void apply_one(struct access *access, struct change *change, bool follow_up, uint64_t position)
{
	const struct account *before = account_find(access->accounts, change->name);
	if (before != NULL)
		access_tally(access, before, -1);
	if (follow_up)
		access_follow_up(access, change->name,
		                 &(struct aftermath){.drops = before != NULL,
		                                     .rights = !same_but_password(before, change->account),
		                                     .position = position});
	if (change->account == NULL) {
		account_remove(access->accounts, change->name);
		return;
	}
	struct account *account = change->account;
	if (account_put(access->accounts, account)) {
		access_tally(access, account, 1);
		change->account = NULL;
		return;
	}
	if (before != NULL) /* still in force */
		access_tally(access, before, 1);
	broker_logf(access->options.broker, NOTICE_ERROR, "no memory for an account that has changed: restart the broker");
}

/* What an account had that is gone is nobody's. */
static void forget_sessions_of(struct access *access, struct slice user, struct instant now)
{
	const struct owner *owner = sessions_owner(&access->sessions, user);
	for (struct session *one = owner != NULL ? owner->first : NULL; one != NULL; one = one->behind)
		access_keep(access, one, false, now);
}

bool access_apply(struct access *access, const struct document *documents, size_t count, bool follow_up,
                  struct instant now, uint64_t *position, char error[ACCESS_ERROR_MAX])
{
	struct change *changes = calloc(count + 1, sizeof *changes);
	bool done = false;

	access->now_us = now.wall_us;
	access->now_ms = now.mono_ms;
	*position = 0;
	if (changes == NULL)
		snprintf(error, ACCESS_ERROR_MAX, "no memory: wanted the same again later");
	else if (read_all(access, documents, count, changes, error)) {
		done = feed_documents(access->options.feed, documents, count, now, position);
		if (!done)
			snprintf(error, ACCESS_ERROR_MAX,
			         "the journal does not take it: wanted room in it, and at most %d bytes in one change",
			         JOURNAL_PAYLOAD_MAX);
	}
	for (size_t i = 0; done && i < count; i++) {
		if (changes[i].account == NULL)
			forget_sessions_of(access, changes[i].name, now);
		apply_one(access, &changes[i], follow_up, *position);
	}
	for (size_t i = 0; changes != NULL && i < count; i++)
		account_free(changes[i].account);
	free(changes);
	if (!done)
		return false;
	journal_wake(access->options.feed->journal); /* somebody waits for it to be on the disk */
	return true;
}

bool access_change(struct access *access, const struct document *documents, size_t count, struct instant now,
                   uint64_t *position, char error[ACCESS_ERROR_MAX])
{
	return access_apply(access, documents, count, true, now, position, error);
}

bool access_durable(const struct access *access, uint64_t position)
{
	return journal_synced(access->options.feed->journal) >= position;
}

char *access_with_password(const struct account *account, const char *hash)
{
	char *text = account_print(account, true);
	cJSON *json = text != NULL ? cJSON_Parse(text) : NULL;
	cJSON *value = cJSON_CreateString(hash);
	char *out = NULL;

	if (json != NULL && cJSON_ReplaceItemInObjectCaseSensitive(json, "password", value))
		out = cJSON_PrintUnformatted(json);
	else
		cJSON_Delete(value);
	cJSON_Delete(json);
	free(text);
	return out;
}

/* ---- sessions ---- */

void access_keep(struct access *access, struct session *session, bool keep, struct instant now)
{
	uint64_t position;
	char *body = NULL;

	if (keep == session->kept)
		return;
	cJSON *json = keep ? cJSON_CreateObject() : NULL;
	if (keep && cJSON_AddStringToObject(json, "username", session->owner->user) != NULL)
		body = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	size_t len = strlen(DOCUMENT_SESSION) + strlen(session->client_id);
	char *name = malloc(len + 1);
	if (name != NULL && (body != NULL || !keep)) {
		snprintf(name, len + 1, DOCUMENT_SESSION "%s", session->client_id);
		struct document document = {slice_of(name), slice_of(body != NULL ? body : "")};
		if (feed_documents(access->options.feed, &document, 1, now, &position))
			session->kept = keep;
	}
	free(name);
	free(body);
}

void access_each_session(const struct access *access, access_session_callback callback, void *context)
{
	for (const struct session *one = access->sessions.all; one != NULL; one = one->hh.next) {
		struct access_session session = {
			.client_id = slice_of(one->client_id),
			.user = slice_of(one->owner->user),
			.connected = one->client != NULL,
			.stored = one->kept,
		};
		if (!callback(context, &session))
			return;
	}
}

static struct session *session_named(const struct access *access, struct slice client_id)
{
	char *name = strndup(client_id.ptr, client_id.len);
	struct session *session = name != NULL ? sessions_find(&access->sessions, name) : NULL;
	free(name);
	return session;
}

bool access_drop(struct access *access, struct slice client_id)
{
	const struct session *session = session_named(access, client_id);
	if (session == NULL || session->client == NULL)
		return false;
	access->options.broker->drop(session->client_id);
	return true;
}

bool access_forget(struct access *access, struct slice client_id, struct instant now)
{
	struct session *session = session_named(access, client_id);
	if (session == NULL || session->client != NULL)
		return false;
	access_keep(access, session, false, now);
	if (session->kept)
		return false;
	session_forget(&access->sessions, session);
	return true;
}

struct slice access_owner(const struct access *access, struct slice client_id)
{
	const struct session *session = session_named(access, client_id);
	return slice_of(session != NULL && session->client != NULL ? session->owner->user : "");
}
