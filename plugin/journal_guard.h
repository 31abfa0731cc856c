/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_guard: writing through a mapping without dying of the disk. Private to journal*.c.
 *
 * A disk that fails, or a file that somebody cut, answers a write through a mapping with SIGBUS, and that would end the
 * broker and the house with it. While a guard watches over the mapping, such a write goes into plain memory instead and
 * the guard says so; the house goes on without its journal. SIGBUS from anywhere else goes where it went before.
 */
#ifndef HEARTH_JOURNAL_GUARD_H
#define HEARTH_JOURNAL_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard {
	_Atomic uintptr_t begin; /* of what it watches over; 0: nothing */
	_Atomic size_t size;
	_Atomic bool hit; /* a write there was refused */
};

/* Takes a guard; NULL: there are only GUARDS_MAX in a process. Any thread, but not two at the same time. */
#define GUARDS_MAX 8
struct guard *guard_take(void);
void guard_give_back(struct guard *guard);

/* Watches over another mapping from now on; no thread may write into the old one any more. Clears `hit`. */
void guard_watch(struct guard *guard, void *mapping, size_t size);

#endif
