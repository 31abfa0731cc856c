/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * catalog: the config documents in force, merged by level and bound to the live series.
 *
 * Three levels rule a sensor, the later winning key by key: all/all/SENSOR, LOCATION/all/SENSOR and
 * LOCATION/DEVICE/SENSOR. A document is taken only if every merge that it is part of is valid; else nothing changes.
 *
 * Broker thread only.
 */
#ifndef HEARTH_CATALOG_H
#define HEARTH_CATALOG_H

#include "action.h"
#include "config.h"
#include "series.h"

struct catalog;

enum catalog_result {
	CATALOG_CHANGED,
	CATALOG_SAME,    /* byte for byte what was in force: nothing done, latches kept */
	CATALOG_REFUSED, /* *error says where and why; nothing changed */
	CATALOG_UNBOUND, /* in force, but some series could not be bound to it: too many series, or no memory */
};

/* Neither is owned. NULL: no memory. */
struct catalog *catalog_new(struct series_table *series, struct action *action);
void catalog_free(struct catalog *catalog);

/*
 * Puts a document in force, or removes it if the payload is empty (white space counts as empty). `name` is the
 * `config` topic and `topic` its parse. Rules whose text did not change keep their latches.
 */
enum catalog_result catalog_put(struct catalog *catalog, struct slice name, const struct topic *topic,
                                struct slice payload, struct config_error *error);

/*
 * Binds every series that has appeared since the last call to its config. Returns false if some could not be: it has its
 * limits at most, no rules.
 */
bool catalog_bind_new(struct catalog *catalog);

/* How often a series could not be bound since the start, which was the last, and why. */
struct catalog_unbound {
	uint64_t count;
	const struct series *series; /* NULL: none so far */
	struct config_error error;
};

const struct catalog_unbound *catalog_unbound(const struct catalog *catalog);

size_t catalog_count(const struct catalog *catalog); /* documents in force */

#endif
