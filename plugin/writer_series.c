/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_series: an array by series number, since the broker's thread gives numbers from 0 without gaps.
 */
#include "writer_series.h"

#include <stdlib.h>
#include <string.h>

/* A larger number than that is no work of the broker's thread; its readings stay nameless. */
#define NUMBER_MAX (1u << 24)

static bool grow(struct meanings *meanings, uint32_t number)
{
	size_t count = meanings->count > 0 ? meanings->count : 64;
	while (count <= number)
		count *= 2;
	struct meaning *bigger = realloc(meanings->items, count * sizeof *bigger);
	if (!bigger)
		return false;
	memset(bigger + meanings->count, 0, (count - meanings->count) * sizeof *bigger);
	meanings->items = bigger;
	meanings->count = count;
	return true;
}

bool meanings_define(struct meanings *meanings, uint32_t number, struct slice name, uint64_t segment)
{
	if (number > NUMBER_MAX)
		return true;
	if (number >= meanings->count && !grow(meanings, number))
		return false;

	struct meaning *meaning = &meanings->items[number];
	if (!meaning->name || !slice_equal(name, (struct slice){meaning->name, meaning->len})) {
		char *copy = malloc(name.len + 1);
		if (!copy)
			return false;
		memcpy(copy, name.ptr, name.len);
		free(meaning->name);
		*meaning = (struct meaning){.name = copy, .len = name.len};
	}
	meaning->segment = segment;
	return true;
}

struct meaning *meanings_find(const struct meanings *meanings, uint32_t number, uint64_t segment)
{
	if (number >= meanings->count)
		return NULL;
	struct meaning *meaning = &meanings->items[number];
	return meaning->name && meaning->segment == segment ? meaning : NULL;
}

void meanings_unresolve(struct meanings *meanings)
{
	for (size_t i = 0; i < meanings->count; i++)
		meanings->items[i].resolved = false;
}

void meanings_clear(struct meanings *meanings)
{
	for (size_t i = 0; i < meanings->count; i++)
		free(meanings->items[i].name);
	free(meanings->items);
	*meanings = (struct meanings){0};
}
