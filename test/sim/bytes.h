/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bytes: a queue of bytes in an array of the caller's. What does not fit is refused, never overwritten.
 */
#ifndef SIM_BYTES_H
#define SIM_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *array;
	size_t capacity, first, count;
};

void bytes_init(struct bytes *bytes, uint8_t *array, size_t capacity);
void bytes_clear(struct bytes *bytes);
bool bytes_put(struct bytes *bytes, uint8_t byte);
bool bytes_get(struct bytes *bytes, uint8_t *byte);
size_t bytes_room(const struct bytes *bytes);

#endif
