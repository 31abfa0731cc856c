/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite_upkeep: drops what is older than it is to be kept, in short steps.
 *
 * A step is a transaction of its own and goes on where the last one stopped: table by table, series by series, the oldest
 * rows first. What it may cost is counted, in rows: so a step is as short over ten thousand series that have little to
 * drop as over one that has years. Batches come in between, readers see each step whole, and retention that is turned on
 * late only takes more steps.
 *
 * The pages that become free are used again for what comes next, so a file that drops what it gets stays as large as it is.
 * It is not made smaller: VACUUM would write all of it anew, with readings waiting meanwhile.
 */
#include "store_sqlite_internal.h"

#define VISIT_COST   10 /* rows' worth of work to look for a series and find nothing to drop */
#define DAY_US       INT64_C(86400000000)
#define FOREVER_DAYS 100000000 /* and more; keeps the arithmetic within 64 bits */

/* What is dropped, in this order. */
enum table { READINGS, MINUTES, TABLE_COUNT };

static const enum lite_statement drop_statement[TABLE_COUNT] = {
	[READINGS] = LITE_DROP_READINGS,
	[MINUTES] = LITE_DROP_MINUTES,
};

/* The first series at or behind `from`; *id 0: there is none. */
static int next_series(const struct store *store, int64_t from, int64_t *id)
{
	sqlite3_stmt *next = store->statements[LITE_NEXT_SERIES];
	*id = 0;
	int code = sqlite3_bind_int64(next, 1, from);
	if (code != SQLITE_OK)
		return code;
	if (sqlite3_step(next) == SQLITE_ROW)
		*id = sqlite3_column_int64(next, 0);
	return sqlite3_reset(next);
}

static int drop(const struct store *store, enum lite_statement which, int64_t series, int64_t before_us, int limit,
                int *dropped)
{
	sqlite3_stmt *statement = store->statements[which];
	int code = sqlite3_bind_int64(statement, 1, series);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(statement, 2, before_us);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int(statement, 3, limit);
	if (code == SQLITE_OK)
		code = lite_run(store, which);
	*dropped = sqlite3_changes(store->database);
	return code;
}

/* Goes on with the table that is in turn until it is done or *budget is spent. */
static int sweep_table(struct store *store, int64_t before_us, int *budget)
{
	struct lite_sweep *sweep = &store->sweep;
	while (*budget > 0) {
		int64_t series;
		int dropped = 0, limit = *budget;
		int code = next_series(store, sweep->series, &series);
		if (code == SQLITE_OK && series != 0)
			code = drop(store, drop_statement[sweep->table], series, before_us, limit, &dropped);
		if (code != SQLITE_OK)
			return code;
		if (series == 0) {
			*sweep = (struct lite_sweep){.table = sweep->table + 1};
			return SQLITE_OK;
		}
		sweep->series = dropped < limit ? series + 1 : series;
		*budget -= dropped + VISIT_COST;
	}
	return SQLITE_OK;
}

static int sweep(struct store *store, const struct store_keep *keep)
{
	const unsigned days[TABLE_COUNT] = {[READINGS] = keep->raw_days, [MINUTES] = keep->minute_days};
	int budget = LITE_UPKEEP_ROWS;
	int code = SQLITE_OK;

	while (code == SQLITE_OK && budget > 0 && store->sweep.table < TABLE_COUNT) {
		unsigned kept = days[store->sweep.table];
		if (kept == 0 || kept > FOREVER_DAYS)
			store->sweep = (struct lite_sweep){.table = store->sweep.table + 1};
		else
			code = sweep_table(store, keep->now_us - (int64_t)kept * DAY_US, &budget);
	}
	return code;
}

/* Begins a transaction if nobody else has one. */
static int begin_at_once(struct store *store)
{
	sqlite3_busy_timeout(store->database, 0);
	int code = lite_run(store, LITE_BEGIN);
	if (code != SQLITE_OK) /* now, for the next call makes SQLite forget it */
		lite_fail(store);
	sqlite3_busy_timeout(store->database, LITE_BUSY_MS);
	return code;
}

enum store_result lite_upkeep(struct store *store, const struct store_keep *keep, bool *more)
{
	*more = false;
	if (!sqlite3_get_autocommit(store->database)) /* a batch is on its way */
		return STORE_OK;
	int code = begin_at_once(store);
	if ((code & 0xff) == SQLITE_BUSY)
		return STORE_OK; /* another time; nobody waits for it */
	if (code != SQLITE_OK)
		return STORE_AWAY;
	code = sweep(store, keep);
	if (code == SQLITE_OK)
		code = lite_run(store, LITE_COMMIT);
	if (code != SQLITE_OK) {
		lite_fail(store);
		lite_run(store, LITE_ROLLBACK);
		return STORE_AWAY;
	}
	*more = store->sweep.table < TABLE_COUNT;
	if (!*more)
		store->sweep = (struct lite_sweep){0};
	return STORE_OK;
}
