/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_move_source: what an old store has that is to be moved: its series, its brokers, and marks by which it is known
 * again. Private to store_move*.c.
 */
#ifndef HEARTH_STORE_MOVE_SOURCE_H
#define HEARTH_STORE_MOVE_SOURCE_H

#include "store.h"

/* The name under which a new store holds how much was moved; it has a '/', as no broker's name can. */
#define MOVE_NODE "hearth/move"

enum move_phase {
	PARTS, /* some are there */
	THERE, /* all are */
	PHASES
};

struct move_owner {
	char node[1024];
	struct store_position at;
};

/* All 0 at first. */
struct move_source {
	char **names; /* of the series, in the order of their bytes */
	size_t name_count, name_room;
	struct move_owner *owners;
	size_t owner_count;
	uint64_t marks[PHASES]; /* never 0 */
	bool no_memory;
};

/* Looks at a store that is open for reading. False with one line. */
bool move_source_look(struct move_source *source, const struct store_ops *ops, struct store *store, char *error,
                      size_t error_size);
void move_source_free(struct move_source *source);

#endif
