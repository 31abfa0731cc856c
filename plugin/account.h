/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account: who there is and what each may do; pure.
 *
 * An account is a JSON document, which is also what the state file, a backup and an administrator see (without its hash):
 *
 *   {"username":"anna","role":"manager","locations":["livingroom"],"password":"$7$100000$…","clientIds":["phone-*"],
 *    "certificate":true,"disabled":false,"expires":"2027-01-01T00:00:00Z",
 *    "grants":[{"allow":"read","topic":"greenhouse/#"},{"deny":"write","topic":"livingroom/door1/+/set"}]}
 *   {"username":"livingroom/uno1","role":"device","location":"livingroom","device":"uno1","password":"$secret$…"}
 *
 * Roles:
 *   admin     everything, $SYS and $CONTROL included
 *   manager   of its locations (none named: of all): what a resident may, and their `config`
 *   resident  reads, writes `set` and `ack` (automation switches and helpers are `set`s); in its locations, if it names any
 *   guest     reads; in its locations, if it names any
 *   device    of location/device: writes value, state, status, error; reads set, config. It may have denials, but no grants
 *   service   what it is granted
 *
 * `location` and `device` are for device, which needs both, and service; `locations` for manager, resident and guest. A
 * list of locations or client ids is never empty, so that taking the last one out does not mean "all". A client id may end
 * in * for whatever follows.
 *
 * Admin, manager, resident and guest may also write $CONTROL/hearth/v1, where each command has its own rules; whoever may
 * write that may read its response. "all" stands for a location's own name in no account.
 *
 * Grants and denials are MQTT filters in which %u is the user name, %c the client id, %l and %d the account's location
 * and device, each a level or a part of one. None may bring in '/', '+', '#', or a $ at the beginning: with such a user name
 * the grant is refused, with such a client id its rule matches nothing.
 *
 * Of all rules of role and grants that match a topic, the most specific decides, and among equals the denial. A filter is more
 * specific than another if, at the first level where they differ, it has a name and the other has not, or + and the other
 * # (or its end before the other's #). `#` and `+` at the beginning match no topic that begins with $.
 *
 * Compiled when it changes, so that a check costs a hash look-up and a few compares, however many accounts there are.
 * Broker thread only.
 */
#ifndef HEARTH_ACCOUNT_H
#define HEARTH_ACCOUNT_H

#include "topic.h"

struct cJSON;

#define ACCOUNT_NAME_MAX     256   /* bytes of a user name */
#define ACCOUNT_GRANTS_MAX   256   /* grants and denials of one account */
#define ACCOUNT_LIST_MAX     64    /* locations, client ids */
#define ACCOUNT_DOCUMENT_MAX 65536 /* bytes of JSON */

enum role { ROLE_ADMIN, ROLE_MANAGER, ROLE_RESIDENT, ROLE_GUEST, ROLE_DEVICE, ROLE_SERVICE, ROLE_COUNT };

/* May be added up. Reading is receiving and subscribing, writing is publishing, a Will included. */
enum right { RIGHT_READ = 1, RIGHT_WRITE = 2 };

struct account;
struct account_table;

/* Where and why a document was refused; as config_error. NUL-terminated UTF-8, cut to fit. */
struct account_error {
	char path[96];    /* such as $.grants[1].topic */
	char found[96];   /* what stands there; never a password */
	char wanted[192]; /* what should stand there */
};

/*
 * Reads and compiles a document. NULL with *error set: not JSON, a key that is not known or twice there, a name with a control
 * character, a topic level that none can be, a filter that none is, %l without one location, a password that is no
 * hash. The account is the caller's until account_put.
 */
struct account *account_read(struct slice document, struct account_error *error);
void account_free(struct account *account); /* NULL is allowed */

/* What the account says of itself; valid as long as it is. */
struct slice account_name(const struct account *account);
enum role account_role(const struct account *account);
struct slice account_password(const struct account *account); /* the stored hash; empty: no sign-in by password */
bool account_takes_certificate(const struct account *account);
bool account_asks_client_id(const struct account *account); /* does one change what account_may says? */
bool account_disabled(const struct account *account);
int64_t account_expires_us(const struct account *account); /* INT64_MAX: never */
bool account_allows_client_id(const struct account *account, struct slice client_id);
struct slice account_location(const struct account *account); /* empty: none, or several */
struct slice account_device(const struct account *account);

/* The document again: compact JSON as it is stored, with or without the hash. The caller frees it; NULL: no memory. */
char *account_print(const struct account *account, bool with_password);

/* Usable now: neither disabled nor expired. */
bool account_usable(const struct account *account, int64_t now_wall_us);

const char *role_name(enum role role);
bool role_parse(struct slice name, enum role *out);

/* ---- what it may ---- */

/* Why a check said what it did. */
struct account_reason {
	bool by_role;   /* a rule of its role; else a grant or denial of its own */
	bool none;      /* nothing matched: denied */
	char rule[160]; /* such as: allow read greenhouse/#  (cut to fit) */
};

/* May it do all of `rights` (RIGHT_READ, RIGHT_WRITE or both) on a topic? `reason` may be NULL. */
bool account_may(const struct account *account, int rights, struct slice client_id, struct slice topic,
                 struct account_reason *reason);

/*
 * How much of what a filter matches it may do. "$share/group/" in front is passed over; of a filter that MQTT does not allow
 * it is nothing. NOTHING and ALL are sure. SOME is said too where only several rules together tell, and of both rights where
 * each has some.
 */
enum coverage {
	COVERS_NOTHING, /* no topic that the filter matches */
	COVERS_SOME,
	COVERS_ALL /* surely every one */
};
enum coverage account_covers(const struct account *account, int rights, struct slice client_id, struct slice filter);

/* ---- all of them ---- */

/* `seed` is random, against names chosen to collide. NULL: no memory. */
struct account_table *account_table_new(uint64_t seed);
void account_table_free(struct account_table *table); /* and its accounts; NULL is allowed */

/* Takes the account over in place of the one of its name, which is freed. False: no memory, nothing changed. */
bool account_put(struct account_table *table, struct account *account);
/* Frees it. False: there is none. */
bool account_remove(struct account_table *table, struct slice name);

/* NULL: none. Valid until it is replaced or removed. */
const struct account *account_find(const struct account_table *table, struct slice name);

size_t account_count(const struct account_table *table);
/* The n-th, n < account_count, in the order of the names' bytes. */
const struct account *account_at(const struct account_table *table, size_t n);

#endif
