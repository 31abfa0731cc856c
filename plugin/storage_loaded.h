/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_loaded: copies of what the state file held when the storage was opened, for the broker's thread to go through
 * before it is forgotten. Private to storage*.c.
 */
#ifndef HEARTH_STORAGE_LOADED_H
#define HEARTH_STORAGE_LOADED_H

#include "state.h"

#define LOADED_PARTS 3 /* a retained message: topic, payload, author; a document: name, body */

struct loaded {
	struct loaded *next;
	size_t len[LOADED_PARTS];
	char bytes[]; /* the parts, one behind the other */
};

struct loaded_lists {
	struct loaded *retained;
	struct loaded *documents;
	bool no_memory; /* for one of them */
};

/* Both read all anew, twice if the first time fails. False on an error of the file: what was read is kept. */
bool loaded_read_retained(struct loaded_lists *lists, struct state *state);
bool loaded_read_documents(struct loaded_lists *lists, struct state *state);

/* A part of one, which lasts as long as its list. */
struct slice loaded_part(const struct loaded *one, int part);

/* Frees a list and makes it empty. */
void loaded_forget(struct loaded **list);

#endif
