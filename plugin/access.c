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
			.can_wait = options->broker->can_wait(),
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
	for (size_t i = 0; i < access->drop_count; i++)
		free(access->drops[i].user);
	free(access->drops);
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
	struct session *session = user != NULL && client_id != NULL ? sessions_intern(&access->sessions, client_id) : NULL;

	if (session != NULL)
		session->kept = session->stored = session_begin(&access->sessions, session, user, NULL);
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

/* Somebody else's for as long as that account is there and the session may be. */
static bool is_taken(const struct access *access, const struct session *session, struct slice user)
{
	return session != NULL && session->user != NULL && !slice_is(user, session->user) &&
	       account_find(access->accounts, slice_of(session->user)) != NULL;
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
	if (is_taken(access, sessions_find(&access->sessions, client_id), account_name(account)))
		return "the client id belongs to another user's session (mosquitto_ctrl hearth session forget ID)";
	return NULL;
}

/* Logs, at most once a second for each session, what was refused to it. */
static void tell_denial(struct access *access, struct session *session, const char *client_id, const char *user,
                        const char *what, const char *topic)
{
	char id[NAME_SHOWN], name[NAME_SHOWN], object[NAME_SHOWN * 2], more[48] = "";

	if (session == NULL)
		session = &access->nobody;
	if (session->told_ms != 0 && access->now_ms - session->told_ms < DENIAL_EVERY_MS) {
		session->untold++;
		return;
	}
	if (session->untold > 0)
		snprintf(more, sizeof more, " (and %llu more)", (unsigned long long)session->untold);
	session->told_ms = access->now_ms;
	session->untold = 0;
	broker_logf(access->options.broker, NOTICE_WARNING, "denied to %s (user %s): %s%s%s",
	            text_clean(slice_of(client_id), id, sizeof id), text_clean(slice_of(user), name, sizeof name), what,
	            text_clean(slice_of(topic), object, sizeof object), more);
}

static enum access_verdict refuse(struct access *access, const char *client_id, const char *user, const char *why)
{
	access->counters.refused++;
	tell_denial(access, &access->nobody, client_id, user, "sign-in: ", why);
	return ACCESS_DENIED;
}

/* The account's password, or certificate, was right. */
static enum access_verdict admit(struct access *access, const void *client, const char *client_id, const char *user,
                                 struct instant now)
{
	const struct account *account = account_find(access->accounts, slice_of(user));
	const char *why = account != NULL ? objection(access, account, client_id) : "the account is gone";
	if (why != NULL)
		return refuse(access, client_id, user, why);
	struct session *session = sessions_intern(&access->sessions, client_id);
	bool same = session != NULL && session->user != NULL && strcmp(session->user, user) == 0;
	/* At a SIGHUP those are asked about too that are away, and nothing tells them apart. */
	if (session == NULL ||
	    !session_begin(&access->sessions, session, user, access->reloading ? session->client : client))
		return refuse(access, client_id, user, "there is no memory");
	session->stored = access->options.broker->is_stored(client);
	if (session->stored ? !session->kept || !same : session->kept)
		access_keep(access, session, session->stored, now);
	return ACCESS_GRANTED;
}

/* A session from the disk that is asked about at a SIGHUP: it has no password, and no connection either. */
static enum access_verdict stay(const struct access *access, const char *user)
{
	const struct account *account = account_find(access->accounts, slice_of(user));
	return account != NULL && account_usable(account, access->now_us) ? ACCESS_GRANTED : ACCESS_DENIED;
}

static bool has_certificate(const struct access *access, const void *client, const char *user)
{
	char name[ACCOUNT_NAME_MAX + 2];
	const struct account *account = account_find(access->accounts, slice_of(user));
	return account != NULL && account_takes_certificate(account) &&
	       access->options.broker->certificate_name(client, name, sizeof name) && strcmp(name, user) == 0;
}

static enum access_verdict wait_for_verdict(struct access *access, const void *client, const char *client_id,
                                            uint64_t ticket)
{
	struct session *session = sessions_intern(&access->sessions, client_id);
	/* The broker finds who waits by client id alone, so that only one may. */
	if (session == NULL || session->waiting != NULL)
		return ACCESS_LATER;
	session->waiting = client;
	session->ticket = ticket;
	return ACCESS_WAITING;
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
	if (broker->is_restored(client))
		return stay(access, user);
	if (has_certificate(access, client, user))
		return admit(access, client, client_id, user, now);

	struct sign_in_attempt attempt = {
		.ticket = ++access->last_ticket,
		.user = slice_of(user),
		.password = slice_of(password != NULL ? password : ""),
		.client_id = slice_of(client_id),
		.address = slice_of(address != NULL ? address : ""),
	};
	switch (sign_in_check(access->sign_in, &attempt, now.mono_ms)) {
	case SIGN_IN_YES:
		return admit(access, client, client_id, user, now);
	case SIGN_IN_LATER:
		return ACCESS_LATER;
	case SIGN_IN_WAITING:
		return wait_for_verdict(access, client, client_id, attempt.ticket);
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
	if (session != NULL && session->waiting == client)
		session->waiting = NULL;
	if (session != NULL && session->client == client)
		session_end(&access->sessions, session);
}

void access_seen(struct access *access, const void *client)
{
	const char *client_id = access->options.broker->client_id(client);
	const char *user = access->options.broker->username(client);
	if (client_id == NULL || user == NULL || sessions_find(&access->sessions, client_id) != NULL)
		return;
	struct session *session = sessions_intern(&access->sessions, client_id);
	if (session != NULL && !session_begin(&access->sessions, session, user, client))
		session_forget(&access->sessions, session);
}

/* ---- what a client may ---- */

bool access_check(struct access *access, const void *client, enum access_action action, const char *topic)
{
	static const char *const doings[] = {"publishing to ", "receiving ", "subscribing to "};
	const struct broker_ops *broker = access->options.broker;
	const char *user = broker->username(client);
	const char *id = broker->client_id(client);
	struct slice client_id = slice_of(id != NULL ? id : "");
	const struct account *account = user != NULL ? account_find(access->accounts, slice_of(user)) : NULL;
	bool allowed = account != NULL && account_usable(account, access->now_us);

	if (allowed && action == ACCESS_SUBSCRIBE) {
		enum coverage covered = account_covers(account, RIGHT_READ, client_id, slice_of(topic));
		/* A member of a group must be able to take whatever it is dealt: nobody else gets that. */
		bool whole = access->options.strict || strncmp(topic, "$share/", strlen("$share/")) == 0;
		allowed = whole ? covered == COVERS_ALL : covered != COVERS_NOTHING;
	} else if (allowed) {
		int right = action == ACCESS_PUBLISH ? RIGHT_WRITE : RIGHT_READ;
		allowed = account_may(account, right, client_id, slice_of(topic), NULL);
	}
	if (allowed)
		return true;
	access->counters.denied++;
	/* Not to get all that a wide subscription asks for is no news. */
	if (action != ACCESS_RECEIVE)
		tell_denial(access, sessions_find(&access->sessions, client_id.ptr), client_id.ptr, user != NULL ? user : "",
		            doings[action], topic);
	return false;
}

/* ---- ticks ---- */

static void complete_waiting(struct access *access, struct instant now)
{
	struct sign_in_answer answer;
	while (sign_in_next(access->sign_in, &answer)) {
		struct session *session = sessions_find(&access->sessions, answer.client_id);
		if (session == NULL || session->waiting == NULL || session->ticket != answer.ticket)
			continue;
		const void *client = session->waiting;
		session->waiting = NULL;
		bool yes = answer.yes && admit(access, client, answer.client_id, answer.user, now) == ACCESS_GRANTED;
		if (!answer.yes)
			refuse(access, answer.client_id, answer.user, "wrong user name or password");
		access->options.broker->complete_sign_in(answer.client_id, yes);
	}
}

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

static void drop_expired(struct access *access, struct instant now)
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
			access_drop_later(access, account_name(account), 0);
	}
	access->next_expiry_us = next_us;
	if (access->options.changed != NULL)
		access->options.changed(access->options.context, now);
}

/* An answer goes out at the tick that finds it on the disk, and is with the client at the next. */
static void drop_sessions(struct access *access)
{
	size_t left = 0;
	for (size_t i = 0; i < access->drop_count; i++) {
		struct drop drop = access->drops[i];
		if (drop.answered || access->now_ms >= drop.latest_ms) {
			access->options.broker->drop_user(drop.user);
			free(drop.user);
			continue;
		}
		drop.answered = access_durable(access, drop.position);
		access->drops[left++] = drop;
	}
	access->drop_count = left;
}

void access_reload(struct access *access)
{
	access->reloading = true;
}

bool access_may_command(const struct access *access, struct slice user, struct slice filter)
{
	if (user.len == 0 || !access_active(access))
		return true;
	const struct account *account = account_find(access->accounts, user);
	return account != NULL && account_usable(account, access->now_us) &&
	       account_covers(account, RIGHT_WRITE, slice_of(""), filter) == COVERS_ALL;
}

void access_tick(struct access *access, struct instant now)
{
	access->reloading = false;
	access->now_us = now.wall_us;
	access->now_ms = now.mono_ms;
	sign_in_tick(access->sign_in, now.mono_ms);
	complete_waiting(access, now);
	upgrade_hashes(access, now);
	drop_expired(access, now);
	drop_sessions(access);
}
