/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_move_source: see store_move_source.h.
 */
#include "store_move_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool no_memory(struct move_source *source)
{
	source->no_memory = true;
	return false;
}

static bool keep_name(void *context, struct slice topic)
{
	struct move_source *source = context;

	if (source->name_count == source->name_room) {
		size_t room = source->name_room > 0 ? 2 * source->name_room : 64;
		char **bigger = realloc(source->names, room * sizeof *bigger);
		if (!bigger)
			return no_memory(source);
		source->names = bigger;
		source->name_room = room;
	}
	source->names[source->name_count] = strndup(topic.ptr, topic.len);
	if (!source->names[source->name_count])
		return no_memory(source);
	source->name_count++;
	return true;
}

static bool keep_owner(void *context, struct slice node, const struct store_position *at)
{
	struct move_source *source = context;

	if (slice_is(node, MOVE_NODE)) /* this store was moved to once */
		return true;
	struct move_owner *bigger = realloc(source->owners, (source->owner_count + 1) * sizeof *bigger);
	if (!bigger)
		return no_memory(source);
	source->owners = bigger;
	snprintf(bigger[source->owner_count].node, sizeof bigger->node, "%.*s", (int)node.len, node.ptr);
	bigger[source->owner_count++].at = *at;
	return true;
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Tells this store from others, and from itself once a broker has written to it. */
static void set_marks(struct move_source *source)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < source->owner_count; i++) {
		const struct move_owner *owner = &source->owners[i];
		hash = mix(hash, owner->node, strlen(owner->node) + 1);
		hash = mix(hash, &owner->at.journal, sizeof owner->at.journal);
		hash = mix(hash, &owner->at.position, sizeof owner->at.position);
	}
	for (size_t i = 0; i < source->name_count; i++)
		hash = mix(hash, source->names[i], strlen(source->names[i]) + 1);
	for (uint64_t phase = PARTS; phase < PHASES; phase++)
		source->marks[phase] = (hash | 3) - 1 + phase;
}

bool move_source_look(struct move_source *source, const struct store_ops *ops, struct store *store, char *error,
                      size_t error_size)
{
	bool seen = ops->list(store, keep_name, source) == STORE_OK &&
	            (source->no_memory || ops->positions(store, keep_owner, source) == STORE_OK);

	if (!seen || source->no_memory)
		snprintf(error, error_size, "%s", source->no_memory ? "out of memory" : ops->error(store));
	set_marks(source);
	return seen && !source->no_memory;
}

void move_source_free(struct move_source *source)
{
	for (size_t i = 0; i < source->name_count; i++)
		free(source->names[i]);
	free(source->names);
	free(source->owners);
}
