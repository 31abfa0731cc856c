/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * memory: the program's RAM by the names of its variables, and how deep its stack ever was.
 *
 * Names come from the text that avr-nm writes ("00800123 b clock_count"). A name that the optimizer has given a number
 * ("count.lto_priv.0") is found without it, if that is only one.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include "board.h"

#include <stddef.h>

struct memory;

/* NULL: the file cannot be read (said on stderr). Without names (path NULL) only addresses ("0x123") are understood. */
struct memory *memory_new(struct board *board, const char *symbols);
void memory_free(struct memory *memory);
/* `length` bytes at "name", "name+3" or "0x1a4"; NULL: no such name, not unique, or beyond RAM. */
uint8_t *memory_at(struct memory *memory, const char *place, size_t length);
/* The most bytes of stack since the start of the rig, also before a reset; −1: the symbol _end is not known. */
int memory_stack(struct memory *memory);

#endif
