/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access: the door. Who signs in, who is connected, what each may publish and get; and the one way by which accounts change.
 *
 * While there is no account it is inactive: the broker then does as it does without Hearth.
 *
 * A change of accounts is in the journal before it is in force, in one record, so that a `kill -9` leaves all of it or
 * nothing; whoever asked is told once the journal is on the disk. Sessions of accounts that changed are dropped at the next
 * tick.
 *
 * Broker thread only.
 */
#ifndef HEARTH_ACCESS_H
#define HEARTH_ACCESS_H

#include "account.h"
#include "broker.h"
#include "document.h"
#include "feed.h"
#include "sign_in.h"

struct access;

/* Of whom something is told. */
struct access_changed {
	bool (*concerns)(void *context, struct slice user);
	void *context;
};

struct access_options {
	const struct broker_ops *broker;
	struct feed *feed;     /* for its journal */
	struct hasher *hasher; /* NULL: none could be started */
	uint64_t seed;         /* random */
	uint8_t key[32];       /* random */
	unsigned budget_percent;
	bool strict; /* a subscription wider than the rights is refused */
	int64_t (*clock_us)(void);
	/* Rights have changed, at a tick: configs of these users are to be looked at again. NULL is allowed. */
	void (*changed)(void *context, const struct access_changed *users, struct instant now);
	void *context;
};

struct access *access_new(const struct access_options *options); /* NULL: no memory */
void access_free(struct access *access);                         /* NULL is allowed */

/* A document of account/ or session/ from the state file, at start. A broken one is logged, and its account is nobody. */
void access_restore(struct access *access, const struct document *document);

/* There are accounts that cannot be read: nobody may do anything. */
void access_lock(struct access *access);

/* Are there accounts? Then Hearth is the authority on sign-in and access. */
bool access_active(const struct access *access);

const struct account_table *access_accounts(const struct access *access);
struct sign_in *access_sign_in(struct access *access);

/* ---- the broker's questions ---- */

enum access_verdict {
	ACCESS_GRANTED,
	ACCESS_DENIED,
	ACCESS_LATER /* end the connection without a word: it has to come again */
};

/* A client wants to sign in, or is asked about again at a SIGHUP. */
enum access_verdict access_connect(struct access *access, const void *client, const char *user, const char *password,
                                   struct instant now);
void access_disconnect(struct access *access, const void *client);

/* A client is there that may not have signed in here: with use_identity_as_username Mosquitto does not ask. */
void access_seen(struct access *access, const void *client, struct instant now);

enum access_action { ACCESS_PUBLISH, ACCESS_RECEIVE, ACCESS_SUBSCRIBE };

/* Denials are counted, and logged at most once a second a client. */
bool access_check(struct access *access, const void *client, enum access_action action, const char *topic);

/* A SIGHUP begins: the broker asks about every session again; or it is over. */
void access_reload(struct access *access, bool begins);

/* What a user's configs may (catalog.h): has he this right on all that a filter matches? `right` as in account.h. */
bool access_user_may(const struct access *access, struct slice user, int right, struct slice filter);

/* Hasher's results, sessions to drop, accounts that expire. */
void access_tick(struct access *access, struct instant now);

/* ---- changes ---- */

/*
 * Puts accounts (and removes those with an empty body) in force, all or none: journal first. `position` is where the journal has
 * to be synced to before success may be told (access_durable). False with a line for a person: a document is refused, the
 * journal is full, or no administrator would be left who can sign in.
 */
#define ACCESS_ERROR_MAX 512
bool access_change(struct access *access, const struct document *documents, size_t count, struct instant now,
                   uint64_t *position, char error[ACCESS_ERROR_MAX]);

/* Is all up to this position of the journal on the disk? */
bool access_durable(const struct access *access, uint64_t position);

/* ---- sessions ---- */

struct access_session {
	struct slice client_id, user;
	bool connected;
	bool stored; /* the broker keeps it while it is away */
};
/* Calls back for each; false ends it. */
typedef bool (*access_session_callback)(void *context, const struct access_session *session);
void access_each_session(const struct access *access, access_session_callback callback, void *context);

/* Drops the connection of a client id. False: there is none. */
bool access_drop(struct access *access, struct slice client_id);
/* Nobody owns a stored session's client id any more. False: there is none, it is connected, or the journal is full. */
bool access_forget(struct access *access, struct slice client_id, struct instant now);
/* Who is connected with this client id; empty: nobody. */
struct slice access_owner(const struct access *access, struct slice client_id);

struct access_counters {
	uint64_t denied;  /* publishes, subscriptions, deliveries */
	uint64_t refused; /* sign-ins */
};
struct access_counters access_counters(const struct access *access);

#endif
