/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * held: a broker's history store that is taken from it for some time and given back, and whose rows are watched meanwhile, as
 * one struct of functions for each way to take it.
 */
#ifndef BENCH_HELD_H
#define BENCH_HELD_H

#include "fault.h"
#include "machine.h"

#include <limits.h>
#include <stdint.h>

struct held;

struct held_way {
	const char *name;  /* for programs */
	const char *title; /* what it is "while" */

	/*
	 * Before the broker starts: what has to run besides. `folder` is the broker's, which need not exist yet. NULL with the
	 * reason in *fault. What it starts ends with the calling thread at the latest, so that all of these are for one.
	 */
	struct held *(*make)(const char *folder, const struct pins *pins, struct fault *fault);
	void (*free)(struct held *held); /* NULL is allowed */

	/* What plugin_opt_store says; lives as long as it. */
	const char *(*store)(const struct held *held);

	/* After the broker has started. */
	bool (*open)(struct held *held, struct fault *fault);

	/* From the return of `hold` to that of `release` the broker stores nothing. */
	bool (*hold)(struct held *held, struct fault *fault);
	bool (*release)(struct held *held, struct fault *fault);

	/*
	 * How many readings the store says that it has: a look-up of the count that it keeps of each hour; -1 with the reason in
	 * *fault. And the same, every row counted.
	 */
	int64_t (*count)(struct held *held, struct fault *fault);
	int64_t (*recount)(struct held *held, struct fault *fault);
};

/* An SQLite file that another program has a transaction for writing open on. */
extern const struct held_way held_sqlite_locked;

/* A MariaDB whose process is stopped by a signal: connections stay, and nothing answers. And one that is shut down. */
extern const struct held_way held_mariadb_frozen;
extern const struct held_way held_mariadb_stopped;

#define HELD_COUNT_SQL   "SELECT sum(count) FROM reading_hour"
#define HELD_RECOUNT_SQL "SELECT count(*) FROM reading"

#endif
