/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access: see access.h. Here is what the broker asks; changes are in access_change.c.
 */
#include "access_internal.h"

#include "report.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DENIAL_EVERY_MS 1000
#define NAME_SHOWN      80 /* bytes of a client's words in the log */

struct access *access_new(const struct access_options *options)
{
	struct access *access = calloc(1, sizeof *access);
	if (access == NULL)
		return NULL;
	access->options = *options;
	access->next_expiry_us = INT64_MAX;
	access->accounts = account_table_new(options->seed);
	if (access->accounts != NULL) {
		struct sign_in_options sign_in = {
			.accounts = access->accounts,
			.hasher = options->hasher,
			.budget_percent = options->budget_percent,
			.clock_us = options->clock_us,
		};
		memcpy(sign_in.key, options->key, sizeof sign_in.key);
		access->sign_in = sign_in_new(&sign_in);
	}
	if (access->sign_in == NULL) {
		access_free(access);
		return NULL;
	}
	return access;
}

void access_free(struct access *access)
{
	if (access == NULL)
		return;
	sign_in_free(access->sign_in);
	account_table_free(access->accounts);
	sessions_free(&access->sessions);
	access_follow_ups_free(access);
	explicit_bzero(&access->options, sizeof access->options);
	free(access);
}

void access_lock(struct access *access)
{
	access->locked = true;
}

bool access_active(const struct access *access)
{
	return access->locked || account_count(access->accounts) > 0;
}

const struct account_table *access_accounts(const struct access *access)
{
	return access->accounts;
}

struct sign_in *access_sign_in(struct access *access)
{
	return access->sign_in;
}

struct access_counters access_counters(const struct access *access)
{
	return access->counters;
}

/* ---- start ---- */

static bool name_after(struct slice name, const char *prefix, struct slice *rest)
{
	size_t len = strlen(prefix);
	if (name.len <= len || memcmp(name.ptr, prefix, len) != 0)
		return false;
	*rest = (struct slice){name.ptr + len, name.len - len};
	return true;
}

static void restore_account(struct access *access, struct slice name, struct slice body)
{
	struct account_error error;
	char shown[NAME_SHOWN];
	struct account *account = account_read(body, &error);

	if (account != NULL && slice_equal(account_name(account), name) && account_put(access->accounts, account)) {
		access_tally(access, account, 1);
		return;
	}
	if (account != NULL)
		error = (struct account_error){"$.username", "another name, or no memory", "the name that it is kept under"};
	account_free(account);
	broker_logf(access->options.broker, NOTICE_ERROR, "account %s is not in force: %s: found %s; wanted %s",
	            text_clean(name, shown, sizeof shown), error.path, error.found, error.wanted);
}

static void restore_session(struct access *access, struct slice name, struct slice body)
{
	cJSON *json = cJSON_ParseWithLength(body.ptr, body.len);
	const char *user = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "username"));
	char *client_id = strndup(name.ptr, name.len);
	struct session *session =
		user != NULL && client_id != NULL ? session_begin(&access->sessions, client_id, user, NULL, true) : NULL;

	if (session != NULL)
		session->kept = true;
	free(client_id);
	cJSON_Delete(json);
}

void access_restore(struct access *access, const struct document *document)
{
	struct slice name;
	if (name_after(document->name, DOCUMENT_ACCOUNT, &name))
		restore_account(access, name, document->body);
	else if (name_after(document->name, DOCUMENT_SESSION, &name))
		restore_session(access, name, document->body);
}

/* ---- signing in ---- */

/* Somebody else's for as long as that account is there and the session may be. No absent one keeps an administrator out. */
static bool is_taken(const struct access *access, const struct session *session, const struct account *account)
{
	return session != NULL && !slice_is(account_name(account), session->owner->user) &&
	       account_find(access->accounts, slice_of(session->owner->user)) != NULL &&
	       (session->client != NULL || account_role(account) != ROLE_ADMIN);
}

/* Why an account whose password was right may not sign in as this client; NULL: it may. */
static const char *objection(const struct access *access, const struct account *account, const char *client_id)
{
	if (account_disabled(account))
		return "the account is disabled";
	if (!account_usable(account, access->now_us))
		return "the account has expired";
	if (!account_allows_client_id(account, slice_of(client_id)))
		return "the account is tied to other client ids";
	if (is_taken(access, sessions_find(&access->sessions, client_id), account))
		return "the client id belongs to another user's session (mosquitto_ctrl hearth session forget ID)";
	return NULL;
}

/* Logs, at most once a second for each session, what was refused to it. */
static void tell_denial(struct access *access, struct session *session, const char *client_id, const char *user,
                        const char *what, const char *topic)
{
	char id[NAME_SHOWN], name[NAME_SHOWN], object[NAME_SHOWN * 2], more[48] = "";
	int64_t *told_ms = session != NULL ? &session->told_ms : &access->told_ms;
	uint64_t *untold = session != NULL ? &session->untold : &access->untold;

	if (*told_ms != 0 && access->now_ms - *told_ms < DENIAL_EVERY_MS) {
		++*untold;
		return;
	}
	if (*untold > 0)
		snprintf(more, sizeof more, " (and %llu more)", (unsigned long long)*untold);
	*told_ms = access->now_ms;
	*untold = 0;
	broker_logf(access->options.broker, NOTICE_WARNING, "denied to %s (user %s): %s%s%s",
	            text_clean(slice_of(client_id), id, sizeof id), text_clean(slice_of(user), name, sizeof name), what,
	            text_clean(slice_of(topic), object, sizeof object), more);
}

static enum access_verdict refuse(struct access *access, const char *client_id, const char *user, const char *why)
{
	access->counters.refused++;
	tell_denial(access, NULL, client_id, user, "sign-in: ", why);
	return ACCESS_DENIED;
}

static void forget(struct access *access, struct session *session, struct instant now)
{
	access_keep(access, session, false, now);
	session_forget(&access->sessions, session);
}

/* The account's password, or certificate, was right. */
static enum access_verdict admit(struct access *access, const void *client, const char *client_id, const char *user,
                                 struct instant now)
{
	const struct account *account = account_find(access->accounts, slice_of(user));
	const char *why = account != NULL ? objection(access, account, client_id) : "the account is gone";
	if (why != NULL)
		return refuse(access, client_id, user, why);
	bool stored = access->options.broker->is_stored(client);
	struct session *before = sessions_find(&access->sessions, client_id);
	if (access->reloading) /* those are asked about too that are away, and nothing tells them apart */
		client = before != NULL ? before->client : NULL;
	struct session *session = session_begin(&access->sessions, client_id, user, client, stored);
	if (session == NULL)
		return refuse(access, client_id, user, "there is no memory");
	struct session *superfluous = session->stored ? session_superfluous(session) : NULL;
	if (superfluous != NULL)
		forget(access, superfluous, now);
	if (session->stored != session->kept)
		access_keep(access, session, session->stored, now);
	return ACCESS_GRANTED;
}

/* A session from the disk that is asked about at a SIGHUP: it has no password, and no connection either. */
static enum access_verdict stay(const struct access *access, const char *user)
{
	const struct account *account = account_find(access->accounts, slice_of(user));
	return account != NULL && account_usable(account, access->now_us) ? ACCESS_GRANTED : ACCESS_DENIED;
}

/* At a SIGHUP: has this very connection signed in as this user? What has changed since ends it from the tick. */
static bool is_in(const struct access *access, const void *client, const char *client_id, const char *user)
{
	const struct session *session = access->reloading ? sessions_find(&access->sessions, client_id) : NULL;
	return session != NULL && session->client == client && strcmp(session->owner->user, user) == 0;
}

static bool has_certificate(const struct access *access, const void *client, const char *user)
{
	char name[ACCOUNT_NAME_MAX + 2];
	const struct account *account = account_find(access->accounts, slice_of(user));
	return account != NULL && account_takes_certificate(account) &&
	       access->options.broker->certificate_name(client, name, sizeof name) && strcmp(name, user) == 0;
}

enum access_verdict access_connect(struct access *access, const void *client, const char *user, const char *password,
                                   struct instant now)
{
	const struct broker_ops *broker = access->options.broker;
	const char *client_id = broker->client_id(client);
	const char *address = broker->address(client);

	access->now_us = now.wall_us;
	access->now_ms = now.mono_ms;
	if (user == NULL)
		return refuse(access, client_id != NULL ? client_id : "", "", "no user name was given");
	if (client_id == NULL)
		return ACCESS_DENIED;
	if (broker->is_restored(client) || is_in(access, client, client_id, user))
		return stay(access, user);
	if (has_certificate(access, client, user))
		return admit(access, client, client_id, user, now);

	struct sign_in_attempt attempt = {
		.user = slice_of(user),
		.password = slice_of(password != NULL ? password : ""),
		.address = slice_of(address != NULL ? address : ""),
	};
	switch (sign_in_check(access->sign_in, &attempt, now.mono_ms)) {
	case SIGN_IN_YES:
		return admit(access, client, client_id, user, now);
	case SIGN_IN_LATER:
		return ACCESS_LATER;
	case SIGN_IN_NO:
		break;
	}
	return refuse(access, client_id, user, "wrong user name or password");
}

void access_disconnect(struct access *access, const void *client)
{
	const char *client_id = access->options.broker->client_id(client);
	struct session *session = client_id != NULL ? sessions_find(&access->sessions, client_id) : NULL;

	/* The end of a connection whose client id was taken over comes after the new sign-in, which has another `client`. */
	if (session != NULL && session->client == client)
		session_end(&access->sessions, session);
}

void access_seen(struct access *access, const void *client, struct instant now)
{
	const struct broker_ops *broker = access->options.broker;
	const char *client_id = broker->client_id(client), *user = broker->username(client);
	const struct session *before = client_id != NULL ? sessions_find(&access->sessions, client_id) : NULL;

	if (client_id == NULL || user == NULL || (before != NULL && strcmp(before->owner->user, user) == 0))
		return;
	struct session *session = session_begin(&access->sessions, client_id, user, client, broker->is_stored(client));
	if (session != NULL && session->stored)
		access_keep(access, session, true, now);
}

/* ---- what a client may ---- */

/*
 * What one member of a group is dealt no other gets. So members are programs that somebody has set up, and have the right to all of
 * it.
 */
static bool may_subscribe(const struct access *access, const struct account *account, struct slice client_id,
                          const char *filter)
{
	enum coverage covered = account_covers(account, RIGHT_READ, client_id, slice_of(filter));

	if (strncmp(filter, "$share/", strlen("$share/")) == 0)
		return covered == COVERS_ALL && (account_role(account) == ROLE_SERVICE || account_role(account) == ROLE_ADMIN);
	return access->options.strict ? covered == COVERS_ALL : covered != COVERS_NOTHING;
}

static void deny(struct access *access, const void *client, enum access_action action, const char *topic)
{
	static const char *const doings[] = {"publishing to ", "receiving ", "subscribing to "};
	const char *user = access->options.broker->username(client);
	const char *client_id = access->options.broker->client_id(client);

	access->counters.denied++;
	if (action == ACCESS_RECEIVE) /* not to get all that a wide subscription asks for is no news */
		return;
	client_id = client_id != NULL ? client_id : "";
	tell_denial(access, sessions_find(&access->sessions, client_id), client_id, user != NULL ? user : "",
	            doings[action], topic);
}

bool access_check(struct access *access, const void *client, enum access_action action, const char *topic)
{
	const struct broker_ops *broker = access->options.broker;
	const char *user = broker->username(client);
	const struct account *account = user != NULL ? account_find(access->accounts, slice_of(user)) : NULL;
	struct slice client_id = {"", 0};
	bool allowed = account != NULL && account_usable(account, access->now_us);

	if (allowed && account_asks_client_id(account) && broker->client_id(client) != NULL)
		client_id = slice_of(broker->client_id(client));
	if (allowed && action == ACCESS_SUBSCRIBE)
		allowed = may_subscribe(access, account, client_id, topic);
	else if (allowed)
		allowed =
			account_may(account, action == ACCESS_PUBLISH ? RIGHT_WRITE : RIGHT_READ, client_id, slice_of(topic), NULL);
	if (!allowed)
		deny(access, client, action, topic);
	return allowed;
}

/* ---- ticks ---- */

static void upgrade_hashes(struct access *access, struct instant now)
{
	struct sign_in_upgrade upgrade;
	while (sign_in_next_upgrade(access->sign_in, &upgrade)) {
		const struct account *account = account_find(access->accounts, slice_of(upgrade.user));
		if (account == NULL || !slice_is(account_password(account), upgrade.old))
			continue;
		char error[ACCESS_ERROR_MAX];
		uint64_t position;
		char *body = access_with_password(account, upgrade.made);
		char name[sizeof DOCUMENT_ACCOUNT + ACCOUNT_NAME_MAX];
		snprintf(name, sizeof name, DOCUMENT_ACCOUNT "%s", upgrade.user);
		struct document document = {slice_of(name), slice_of(body != NULL ? body : "")};
		if (body != NULL) /* what is refused now is tried at the next sign-in */
			access_apply(access, &document, 1, false, now, &position, error);
		free(body);
	}
}

static void expire(struct access *access)
{
	int64_t next_us = INT64_MAX;
	if (access->now_us < access->next_expiry_us)
		return;
	for (size_t i = 0; i < account_count(access->accounts); i++) {
		const struct account *account = account_at(access->accounts, i);
		int64_t expires_us = account_expires_us(account);
		if (expires_us > access->now_us)
			next_us = expires_us < next_us ? expires_us : next_us;
		else if (expires_us >= access->next_expiry_us)
			access_follow_up(access, account_name(account), &(struct aftermath){.drops = true, .rights = true});
	}
	access->next_expiry_us = next_us;
}

void access_reload(struct access *access, bool begins)
{
	access->reloading = begins;
}

bool access_user_may(const struct access *access, struct slice user, int right, struct slice filter)
{
	const struct account *account = account_find(access->accounts, user);
	return account != NULL && account_usable(account, access->now_us) &&
	       account_covers(account, right, slice_of(""), filter) == COVERS_ALL;
}

void access_tick(struct access *access, struct instant now)
{
	access->now_us = now.wall_us;
	access->now_ms = now.mono_ms;
	sign_in_tick(access->sign_in, now.mono_ms);
	upgrade_hashes(access, now);
	expire(access);
	access_follow_ups(access, now);
}
