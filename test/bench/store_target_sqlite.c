/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_target_sqlite: SQLite as a store_target. Every run begins with a file that does not exist. All threads have one CPU.
 */
#include "bulk_sqlite.h"
#include "place.h"
#include "store_target.h"

#include <sqlite3.h>
#include <stdio.h>

/* Not more rows at once: a whole round would be one transaction in key order, and no stream of readings ever is. */
static const struct store_trial TRIALS[] = {
	{.transaction = 1000, .cache_mib = 0},   {.transaction = 5000, .cache_mib = 0},
	{.transaction = 25000, .cache_mib = 0},  {.transaction = 25000, .cache_mib = 64},
	{.transaction = 100000, .cache_mib = 0}, {.transaction = 100000, .cache_mib = 64},
};

static bool open_target(struct store_target *target, const char *folder, struct fault *fault)
{
	(void)fault;
	snprintf(target->location, sizeof(target->location), "%.*s/history.db", PATH_MAX - 16, folder);
	snprintf(target->version, sizeof(target->version), "SQLite %s", sqlite3_libversion());
	target->place = (struct store_place){.location = target->location, .node = "bench"};
	pins_choose(&target->pins);
	return true;
}

static void close_target(struct store_target *target)
{
	pins_release(&target->pins);
}

static bool bulk(const struct store_target *target, const struct bulk_plan *plan, int64_t *out, struct fault *fault)
{
	return bulk_sqlite_insert(target->location, plan, out, fault);
}

static int64_t number(const struct store_target *target, const char *sql, struct fault *fault)
{
	return bulk_sqlite_number(target->location, sql, fault);
}

static bool empty(const struct store_target *target, struct fault *fault)
{
	static const char *const ENDS[] = {"", "-wal", "-shm"};
	(void)fault;
	for (size_t i = 0; i < sizeof(ENDS) / sizeof(ENDS[0]); i++) {
		char name[PATH_MAX + 8];
		snprintf(name, sizeof(name), "%s%s", target->location, ENDS[i]);
		place_remove(name);
	}
	return true;
}

const struct store_backend store_target_sqlite = {
	.name = "sqlite",
	.title = "SQLite",
	.ops = &store_sqlite,
	.trials = TRIALS,
	.trial_count = (int)(sizeof(TRIALS) / sizeof(TRIALS[0])),
	.open = open_target,
	.close = close_target,
	.bulk = bulk,
	.number = number,
	.empty = empty,
};
