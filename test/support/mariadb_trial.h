/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mariadb_trial: the one MariaDB that a test program's tests use in turn, and houses that store in it.
 *
 * Each test finds it running with its usual options, listening on a port of 127.0.0.1 too, and with an empty
 * HOUSE_DATABASE, whatever the test before has left. What fails here fails the running test.
 */
#ifndef TEST_MARIADB_TRIAL_H
#define TEST_MARIADB_TRIAL_H

#include "mariadb_server.h"
#include "trial.h"

#include <stdbool.h>
#include <stdint.h>

struct publishers;

/* What the log says of an outage of a MariaDB, once when it begins and once when all that waited is stored. */
#define MARIADB_AWAY "The history store (mariadb) cannot be used"
#define MARIADB_BACK "The history store (mariadb) works again"

/* cmocka: of the group, and of each test, whose *state is the server. Each test's teardown is client_teardown. */
int mariadb_trial_begin(void **state);
int mariadb_trial_setup(void **state);
int mariadb_trial_end(void **state);

/* Another server, with an empty HOUSE_DATABASE; mariadb_server_free ends it. `data` as for mariadb_server_new. */
struct mariadb_server *mariadb_trial_server(const char *data);

/* The path of schema/mariadb/NAME; valid until the next call. */
const char *mariadb_trial_schema(const char *name);

/* What a function of mariadb_server gave must be true. */
void mariadb_must(struct mariadb_server *server, bool good);

/* A house that stores in the server, whose first readings are stored. */
struct trial mariadb_trial_house(struct mariadb_server *server);

/* How long an outage lasts here: some seconds, with TEST_LONG a minute. */
int mariadb_trial_outage_ms(void);

/* Counts and controls for so long, at 5,000 readings a second if the machine allows it. */
void mariadb_trial_live_for(struct trial *trial, int ms);

/*
 * The server has just come back after an outage of so long: rules work and readings come on as above, and before a fifth of that time
 * (and one pause of the writer's) is over, the log says that what waited is stored. Prints how long that took.
 */
void mariadb_trial_catches_up(struct trial *trial, int64_t outage_ms);

/*
 * Kills the house under the load of its publishers, which began before, and starts it again: all that was acknowledged gets
 * stored exactly once. Frees the publishers; `when` is for messages.
 */
void mariadb_trial_all_published(struct trial *trial, struct publishers *publishers, const char *when);

#endif
