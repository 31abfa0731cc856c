/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * held_mariadb: see held.h. The server keeps off the broker's CPU: on a machine of its own it would not take it either.
 */
#include "held.h"
#include "mariadb_place.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

struct held {
	struct mariadb_place place;
	struct pins pins;
	MYSQL *link;               /* NULL while the server does not run */
	char store[PATH_MAX + 32]; /* "mariadb:LOCATION" */
};

static bool complain(const struct held *held, struct fault *fault)
{
	return mariadb_place_complain(&held->place, fault);
}

/* What the calling thread starts has the CPUs that it has itself. */
static void enter_server_cpus(const struct held *held)
{
	sched_setaffinity(0, sizeof(held->pins.others), &held->pins.others);
}

static void leave_server_cpus(const struct held *held)
{
	if (held->pins.pinned) {
		sched_setaffinity(0, sizeof(held->pins.generator), &held->pins.generator);
	}
}

static void free_held(struct held *held)
{
	if (held != NULL) {
		mysql_close(held->link);
		mariadb_place_free(&held->place);
		free(held);
	}
}

static struct held *make(const char *folder, const struct pins *pins, struct fault *fault)
{
	(void)folder;
	struct held *held = calloc(1, sizeof(*held));
	if (held == NULL) {
		fault_set(fault, "no memory");
		return NULL;
	}
	held->pins = *pins;
	enter_server_cpus(held);
	bool made = mariadb_place_make(&held->place, fault);
	leave_server_cpus(held);
	if (!made) {
		free_held(held);
		return NULL;
	}
	snprintf(held->store, sizeof(held->store), "mariadb:%s", held->place.location);
	return held;
}

static const char *store(const struct held *held)
{
	return held->store;
}

static bool open_held(struct held *held, struct fault *fault)
{
	held->link = database_open(&held->place.database, fault);
	return held->link != NULL;
}

static bool freeze(struct held *held, struct fault *fault)
{
	return mariadb_server_freeze(held->place.server) || complain(held, fault);
}

static bool thaw(struct held *held, struct fault *fault)
{
	return mariadb_server_thaw(held->place.server) || complain(held, fault);
}

static bool stop(struct held *held, struct fault *fault)
{
	mysql_close(held->link);
	held->link = NULL;
	return mariadb_server_stop(held->place.server) || complain(held, fault);
}

static bool start(struct held *held, struct fault *fault)
{
	enter_server_cpus(held);
	bool started = mariadb_server_start(held->place.server);
	leave_server_cpus(held);
	return started ? open_held(held, fault) : complain(held, fault);
}

static int64_t ask(struct held *held, const char *sql, struct fault *fault)
{
	int64_t number = -1;
	return database_number(held->link, sql, &number, fault) ? number : -1;
}

static int64_t count(struct held *held, struct fault *fault)
{
	return ask(held, HELD_COUNT_SQL, fault);
}

static int64_t recount(struct held *held, struct fault *fault)
{
	return ask(held, HELD_RECOUNT_SQL, fault);
}

const struct held_way held_mariadb_frozen = {
	.name = "mariadb frozen",
	.title = "MariaDB is frozen (SIGSTOP)",
	.make = make,
	.free = free_held,
	.store = store,
	.open = open_held,
	.hold = freeze,
	.release = thaw,
	.count = count,
	.recount = recount,
};

const struct held_way held_mariadb_stopped = {
	.name = "mariadb stopped",
	.title = "MariaDB is shut down",
	.make = make,
	.free = free_held,
	.store = store,
	.open = open_held,
	.hold = stop,
	.release = start,
	.count = count,
	.recount = recount,
};
