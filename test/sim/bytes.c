/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bytes: a ring; `first` is the oldest byte, and `count` of them are there.
 */
#include "bytes.h"

void bytes_init(struct bytes *bytes, uint8_t *array, size_t capacity)
{
	*bytes = (struct bytes){.array = array, .capacity = capacity};
}

void bytes_clear(struct bytes *bytes)
{
	bytes->first = 0;
	bytes->count = 0;
}

bool bytes_put(struct bytes *bytes, uint8_t byte)
{
	if (bytes->count == bytes->capacity)
		return false;
	bytes->array[(bytes->first + bytes->count++) % bytes->capacity] = byte;
	return true;
}

bool bytes_get(struct bytes *bytes, uint8_t *byte)
{
	if (!bytes->count)
		return false;
	*byte = bytes->array[bytes->first];
	bytes->first = (bytes->first + 1) % bytes->capacity;
	bytes->count--;
	return true;
}

size_t bytes_room(const struct bytes *bytes)
{
	return bytes->capacity - bytes->count;
}
