/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mariadb_fixture: a MariaDB for a group of tests and a database for each of them, with Hearth's schema in it.
 *
 * What was stored is read over a connection of the test's own, as a person with the mariadb client would. Everything here
 * fails the running test if it cannot do what it says.
 */
#ifndef TEST_MARIADB_FIXTURE_H
#define TEST_MARIADB_FIXTURE_H

#include "mariadb_server.h"
#include "store.h"

#define DATABASE "hearth"
#define JOURNAL  UINT64_C(0xFEDCBA9876543210) /* an id with its highest bit set */
#define NOON     INT64_C(1795348800000000)    /* 2026-11-22T12:00:00Z */

extern struct mariadb_server *maria_server;

/* cmocka group set-up and teardown: the server. */
int maria_group_start(void **state);
int maria_group_end(void **state);

/* cmocka set-up and teardown: an empty database, which the first store that is opened fills; the stores are closed. */
int maria_make_database(void **state);
int maria_close_stores(void **state);

/* What the owner is told; valid until the next call. */
const char *maria_ask(const char *sql);
/* The whole of it as one number. */
long long maria_ask_number(const char *sql);

/* Opens a store for a node; `user` NULL: the owner, else with a password. The teardown closes it. */
struct store *maria_open(const char *node);
struct store *maria_open_as(const char *user, const char *password, const char *node);
void maria_shut(struct store *store);

int64_t maria_series(struct store *store, const char *name);
struct store_row number_row(int64_t id, int64_t time_us, int64_t seq, double number);
struct store_row text_row(int64_t id, int64_t time_us, int64_t seq, const char *text);

/* Asks where the journal stands and stores rows from there to `to`. */
enum store_result maria_put(struct store *store, const struct store_row *rows, size_t count, uint64_t to,
                            size_t *rejected);
struct store_position maria_position(struct store *store, uint64_t journal);

#endif
