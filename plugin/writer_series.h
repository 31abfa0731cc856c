/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_series: what the journal's series numbers mean. Private to the writer.
 *
 * Each segment defines the numbers it uses again, mostly to the names they had before; then the store's id, which costs
 * a question to the database, stays known.
 */
#ifndef HEARTH_WRITER_SERIES_H
#define HEARTH_WRITER_SERIES_H

#include "topic.h"

/* One number's meaning. */
struct meaning {
	char *name; /* topic name, not NUL-terminated; NULL: not defined yet */
	size_t len;
	uint64_t segment; /* where it was defined last: the number means nothing in another one */
	int64_t id;       /* the store's, if `resolved` since the store was opened; both are the writer's to set */
	bool resolved;
};

/* All of them; begins as {0}. */
struct meanings {
	struct meaning *items; /* by number */
	size_t count;
};

/* Notes that a number stands for this topic name in this segment. False: no memory. */
bool meanings_define(struct meanings *meanings, uint32_t number, struct slice name, uint64_t segment);

/* The meaning of a number in this segment, or NULL if that does not define it. Valid until the next meanings_define. */
struct meaning *meanings_find(const struct meanings *meanings, uint32_t number, uint64_t segment);

/* Forgets the store's ids. */
void meanings_unresolve(struct meanings *meanings);

void meanings_clear(struct meanings *meanings);

#endif
