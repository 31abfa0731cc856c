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
	CATALOG_SAME,      /* byte for byte what was in force: nothing done, latches kept */
	CATALOG_REFUSED,   /* *error says where and why; nothing changed */
	CATALOG_UNBOUND,   /* in force, but some series could not be bound to it: too many series, or no memory */
	CATALOG_SUSPENDED, /* kept, and not in force; *error says why. Only of catalog_restore */
};

/* Neither is owned. NULL: no memory. */
struct catalog *catalog_new(struct series_table *series, struct action *action);
void catalog_free(struct catalog *catalog);

/*
 * The right to command: may a user write (else: read) all that a filter matches? A document is only in force while its author may
 * write every `set` that its rules name, and read what they read. The author "" may all.
 */
struct catalog_permission {
	bool (*may)(void *context, struct slice user, bool write, struct slice filter); /* NULL: everybody may all */
	void *context;
};
void catalog_permit(struct catalog *catalog, const struct catalog_permission *permission);

/*
 * Puts a document in force, or removes it if the payload is empty (white space counts as empty). `name` is the
 * `config` topic and `topic` its parse. Rules whose text did not change keep their latches.
 */
enum catalog_result catalog_put(struct catalog *catalog, struct slice name, const struct topic *topic,
                                struct slice payload, struct slice author, struct config_error *error);

/* The same at the start, for one that was in force: what its author may no longer command only suspends it. */
enum catalog_result catalog_restore(struct catalog *catalog, struct slice name, const struct topic *topic,
                                    struct slice payload, struct slice author, struct config_error *error);

/* Whose documents. */
struct catalog_authors {
	bool (*concerns)(void *context, struct slice user);
	void *context;
};

/* Their rights have changed: suspends and revives documents, and calls back for each of these. */
typedef void (*catalog_recheck_callback)(void *context, const struct topic *topic, bool suspended,
                                         const struct config_error *error);
void catalog_recheck(struct catalog *catalog, const struct catalog_authors *authors, catalog_recheck_callback callback,
                     void *context);

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

size_t catalog_count(const struct catalog *catalog); /* documents, suspended ones too */

struct catalog_entry {
	struct slice name, payload, author; /* valid until something is put */
	bool suspended;
};

/* The n-th, in the order in which they were put first; false: there is none. */
bool catalog_at(struct catalog *catalog, size_t n, struct catalog_entry *out);

#endif
