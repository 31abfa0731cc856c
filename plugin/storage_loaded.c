/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage_loaded: see storage_loaded.h.
 */
#include "storage_loaded.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 2

static void keep(struct loaded_lists *lists, struct loaded **list, const struct slice parts[LOADED_PARTS])
{
	size_t size = 0;
	for (int i = 0; i < LOADED_PARTS; i++)
		size += parts[i].len;
	struct loaded *one = malloc(sizeof *one + size);
	if (one == NULL) {
		lists->no_memory = true;
		return;
	}
	char *at = one->bytes;
	for (int i = 0; i < LOADED_PARTS; i++) {
		one->len[i] = parts[i].len;
		if (parts[i].len > 0)
			memcpy(at, parts[i].ptr, parts[i].len);
		at += parts[i].len;
	}
	one->next = *list;
	*list = one;
}

static void keep_retained(void *context, struct slice topic, struct slice payload, struct slice author, int64_t time_us)
{
	struct loaded_lists *lists = context;
	(void)time_us;
	keep(lists, &lists->retained, (const struct slice[LOADED_PARTS]){topic, payload, author});
}

static void keep_document(void *context, const struct document *document, int64_t time_us)
{
	struct loaded_lists *lists = context;
	(void)time_us;
	keep(lists, &lists->documents, (const struct slice[LOADED_PARTS]){document->name, document->body});
}

bool loaded_read_retained(struct loaded_lists *lists, struct state *state)
{
	bool done = false;
	for (int tries = 0; !done && tries < TRIES; tries++) {
		loaded_forget(&lists->retained);
		done = state_each_retained(state, keep_retained, lists);
	}
	return done;
}

bool loaded_read_documents(struct loaded_lists *lists, struct state *state)
{
	bool done = false;
	for (int tries = 0; !done && tries < TRIES; tries++) {
		loaded_forget(&lists->documents);
		done = state_each_document(state, keep_document, lists);
	}
	return done;
}

struct slice loaded_part(const struct loaded *one, int part)
{
	const char *at = one->bytes;
	for (int i = 0; i < part; i++)
		at += one->len[i];
	return (struct slice){at, one->len[part]};
}

void loaded_forget(struct loaded **list)
{
	while (*list != NULL) {
		struct loaded *next = (*list)->next;
		free(*list);
		*list = next;
	}
}
