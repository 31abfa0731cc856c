/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * memory: the firmware's .init3 paints all RAM from _end up with C5; the lowest byte that is no longer so is the deepest the
 * stack has been. A reset paints anew, so it is looked at just before; but not if the program had no time to paint.
 */
#include "memory.h"

#include "registers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAINT         0xC5
#define PAINTED_US    1000
#define DATA_OFFSET   0x800000UL
#define EEPROM_OFFSET 0x810000UL

struct symbol {
	char name[128];
	unsigned address;
};

struct memory {
	struct board *board;
	struct symbol *symbols;
	size_t count;
	uint64_t started; /* the last reset */
	int deepest;
};

static bool add(struct memory *memory, const char *name, unsigned address)
{
	struct symbol *more = realloc(memory->symbols, (memory->count + 1) * sizeof *more);

	if (!more)
		return false;
	memory->symbols = more;
	snprintf(more[memory->count].name, sizeof more->name, "%s", name);
	more[memory->count++].address = address;
	return true;
}

static bool load(struct memory *memory, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[160];
	bool done = true;

	if (!file) {
		fprintf(stderr, "rig: %s: %s\n", path, strerror(errno));
		return false;
	}
	while (done && fgets(line, sizeof line, file)) {
		char name[128];
		char *behind;
		const unsigned long address = strtoul(line, &behind, 16);

		if (behind == line || sscanf(behind, " %*c %127s", name) != 1)
			continue;
		if (address >= DATA_OFFSET && address < EEPROM_OFFSET)
			done = add(memory, name, (unsigned)(address - DATA_OFFSET));
	}
	fclose(file);
	return done;
}

/* The address of a name, or 0. */
static unsigned find(const struct memory *memory, const char *name, size_t length)
{
	unsigned found = 0;

	for (size_t i = 0; i < memory->count; i++) {
		const char *known = memory->symbols[i].name;

		if (strncmp(known, name, length) != 0)
			continue;
		if (!known[length])
			return memory->symbols[i].address;
		if (known[length] != '.')
			continue;
		if (found)
			return 0;
		found = memory->symbols[i].address;
	}
	return found;
}

static int measure(const struct memory *memory)
{
	const unsigned end = find(memory, "_end", 4);
	unsigned address = end;

	if (!end)
		return -1;
	while (address <= RAM_END && board_register(memory->board, (uint16_t)address) == PAINT)
		address++;
	return (int)(RAM_END + 1 - address);
}

static void note_deepest(struct memory *memory)
{
	const int depth = measure(memory);

	if (board_us(memory->board) - memory->started >= PAINTED_US && depth > memory->deepest)
		memory->deepest = depth;
}

static void was_reset(void *context)
{
	struct memory *memory = context;

	if (memory->started)
		note_deepest(memory);
	memory->started = board_powered(memory->board) ? board_us(memory->board) + 1 : 0;
}

struct memory *memory_new(struct board *board, const char *symbols)
{
	struct memory *memory = calloc(1, sizeof *memory);

	if (!memory)
		return NULL;
	memory->board = board;
	if (symbols && !load(memory, symbols)) {
		memory_free(memory);
		return NULL;
	}
	board_on_reset(board, was_reset, memory);
	return memory;
}

void memory_free(struct memory *memory)
{
	if (!memory)
		return;
	free(memory->symbols);
	free(memory);
}

uint8_t *memory_at(struct memory *memory, const char *place, size_t length)
{
	const size_t name = strcspn(place, "+");
	const unsigned long offset = place[name] ? strtoul(place + name + 1, NULL, 0) : 0;
	const unsigned long base = strncmp(place, "0x", 2) == 0 ? strtoul(place, NULL, 16) : find(memory, place, name);

	if (base < RAM_BEGIN || offset > RAM_END || length > RAM_END || base + offset + length > RAM_END + 1UL)
		return NULL;
	return board_avr(memory->board)->data + base + offset;
}

int memory_stack(struct memory *memory)
{
	if (measure(memory) < 0)
		return -1;
	if (memory->started)
		note_deepest(memory);
	return memory->deepest;
}
