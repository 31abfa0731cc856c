/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_target_mariadb: MariaDB as a store_target. The server and Hearth's tables stay over all runs, which begin and end with
 * empty ones. No thread is bound to a CPU: client and server take turns, and the server has threads behind the scenes.
 */
#include "bulk_mariadb.h"
#include "clock.h"
#include "store_target.h"

#include <stdio.h>

/* No larger transactions than the plugin's writer makes. */
static const struct store_trial TRIALS[] = {
	{.transaction = 1000, .chunk = 1000},     {.transaction = 5000, .chunk = 5000},
	{.transaction = 25000, .chunk = 5000},    {.transaction = 100000, .chunk = 1000},
	{.transaction = 100000, .chunk = 5000},   {.transaction = 100000, .chunk = 25000},
	{.transaction = 100000, .chunk = 100000},
};

#define EMPTY                                                                                                          \
	"TRUNCATE reading; TRUNCATE reading_minute; TRUNCATE reading_hour; TRUNCATE reading_reject;"                       \
	"TRUNCATE series; TRUNCATE ingest_position; TRUNCATE witness_position"

/* Has the plugin make its tables, and their partitions. */
static bool make_tables(const struct store_target *target, struct fault *fault)
{
	const struct store_ops *ops = target->backend->ops;
	const struct store_keep keep = {.now_us = clock_wall_us()};
	struct store *store = NULL;
	enum store_result result = ops->open(&target->place, &store, fault->text, sizeof(fault->text));
	if (result != STORE_OK) {
		return false;
	}
	for (bool more = true; more && result == STORE_OK;) {
		result = ops->upkeep(store, &keep, &more);
	}
	if (result != STORE_OK) {
		fault_set(fault, "upkeep: %s", ops->error(store));
	}
	ops->close(store);
	return result == STORE_OK;
}

static bool open_target(struct store_target *target, const char *folder, struct fault *fault)
{
	(void)folder;
	if (!mariadb_place_make(&target->mariadb, fault)) {
		return false;
	}
	target->place = (struct store_place){.location = target->mariadb.location, .node = "bench"};
	snprintf(target->version, sizeof(target->version), "%s", target->mariadb.version);
	return make_tables(target, fault);
}

static void close_target(struct store_target *target)
{
	mariadb_place_free(&target->mariadb);
}

static bool bulk(const struct store_target *target, const struct bulk_plan *plan, int64_t *out, struct fault *fault)
{
	return bulk_mariadb_insert(&target->mariadb.database, plan, out, fault);
}

static int64_t number(const struct store_target *target, const char *sql, struct fault *fault)
{
	int64_t result = -1;
	MYSQL *link = database_open(&target->mariadb.database, fault);
	if (link != NULL && !database_number(link, sql, &result, fault)) {
		result = -1;
	}
	mysql_close(link);
	return result;
}

static bool empty(const struct store_target *target, struct fault *fault)
{
	MYSQL *link = database_open(&target->mariadb.database, fault);
	bool done = link != NULL && database_run(link, EMPTY, fault);
	mysql_close(link);
	return done;
}

const struct store_backend store_target_mariadb = {
	.name = "mariadb",
	.title = "MariaDB",
	.ops = &store_mariadb,
	.trials = TRIALS,
	.trial_count = (int)(sizeof(TRIALS) / sizeof(TRIALS[0])),
	.with_beside = true,
	.open = open_target,
	.close = close_target,
	.bulk = bulk,
	.number = number,
	.empty = empty,
};
