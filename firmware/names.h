/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * names: lists of names in program memory, one behind the other, the end of each a zero: "help\0show\0set\0". Pure.
 */
#ifndef FIRMWARE_NAMES_H
#define FIRMWARE_NAMES_H

#include <stdint.h>

/* The index of a name, which is in RAM; if it is not in the list, the number of those that are. */
uint8_t names_find(const char *names, const char *name);

/* The name with an index, in program memory; behind the last is an empty one. */
const char *names_at(const char *names, uint8_t index);

#endif
