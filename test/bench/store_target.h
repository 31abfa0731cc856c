/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_target: a database that readings are stored in, once through Hearth and once by its own best bulk insert: what both
 * have in common, as one struct of functions a backend.
 */
#ifndef BENCH_STORE_TARGET_H
#define BENCH_STORE_TARGET_H

#include "bulk_rows.h"
#include "fault.h"
#include "machine.h"
#include "mariadb_place.h"
#include "store.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* One way to insert in bulk. */
struct store_trial {
	uint32_t transaction;
	uint32_t cache_mib; /* SQLite */
	uint32_t chunk;     /* MariaDB */
	double rate;
};

struct store_target;

struct store_backend {
	const char *name;
	const char *title; /* for people */
	const struct store_ops *ops;
	const struct store_trial *trials;
	int trial_count;
	bool with_beside; /* also measured: store_beside */

	/* Makes an empty database in a folder that exists. False with the reason in *fault, and after it `close` all the same. */
	bool (*open)(struct store_target *target, const char *folder, struct fault *fault);
	void (*close)(struct store_target *target);

	/* Inserts in bulk. *out: nanoseconds from opening to the last COMMIT. */
	bool (*bulk)(const struct store_target *target, const struct bulk_plan *plan, int64_t *out, struct fault *fault);

	/* The answer to a query whose answer is one whole number; -1 with the reason in *fault. */
	int64_t (*number)(const struct store_target *target, const char *sql, struct fault *fault);

	/* Makes it empty again. */
	bool (*empty)(const struct store_target *target, struct fault *fault);
};

struct store_target {
	const struct store_backend *backend;
	struct store_place place;
	char location[PATH_MAX];
	char version[64];

	struct pins pins;             /* SQLite's alone */
	struct mariadb_place mariadb; /* MariaDB's alone */
};

extern const struct store_backend store_target_sqlite;
extern const struct store_backend store_target_mariadb;

#define STORE_BACKENDS 2
extern const struct store_backend *const store_backends[STORE_BACKENDS];

/* For an option: is the text a backend's name, or "all"? And is it this one's? */
bool store_backend_known(const char *text, struct fault *fault);
bool store_backend_chosen(const char *text, const struct store_backend *backend);

#endif
