/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * guard: inputs that end where readable memory ends, so that a parser that reads one byte too far crashes.
 *
 * There are GUARD_PLACES of them at a time; each keeps its bytes until the place is used again. The memory is mapped at
 * first use and goes with the process.
 */
#ifndef HEARTH_TEST_GUARD_H
#define HEARTH_TEST_GUARD_H

#include "topic.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARD_PLACES 2
#define GUARD_ROOM   ((size_t)256 * 1024)

/* The bytes moved to right before an unreadable page. */
static inline struct slice guarded_at(unsigned place, const void *bytes, size_t len)
{
	static char *fences[GUARD_PLACES];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (place >= GUARD_PLACES || len > GUARD_ROOM)
		abort();
	if (fences[place] == NULL) {
		char *memory = mmap(NULL, GUARD_ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED || mprotect(memory + GUARD_ROOM, page, PROT_NONE) != 0)
			abort();
		fences[place] = memory + GUARD_ROOM;
	}
	char *at = fences[place] - len;
	if (len > 0)
		memmove(at, bytes, len);
	return (struct slice){at, len};
}

static inline struct slice guarded(const void *bytes, size_t len)
{
	return guarded_at(0, bytes, len);
}

/* The same for the characters of a string, its NUL left behind. */
static inline struct slice guarded_text(const char *text)
{
	return guarded_at(0, text, strlen(text));
}

#endif
