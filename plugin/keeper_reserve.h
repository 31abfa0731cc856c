/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper_reserve: how far the history store was some minutes ago. Pure.
 *
 * The journal keeps what came since: a history that is put back from a backup, or a server that takes over and was behind,
 * gets the last minutes once more.
 */
#ifndef HEARTH_KEEPER_RESERVE_H
#define HEARTH_KEEPER_RESERVE_H

#include <stddef.h>
#include <stdint.h>

#define RESERVE_MARKS 32

/* All 0 at first. */
struct reserve {
	struct {
		int64_t ms; /* 0: not used */
		uint64_t stored;
	} marks[RESERVE_MARKS];
	size_t next; /* the oldest */
};

/*
 * Notes that the store has all up to journal position `stored` now, and returns how far it was reserve_ms ago or a little
 * longer; 0 if that is not known yet. now_ms is monotonic and not 0.
 */
uint64_t reserve_pass(struct reserve *reserve, uint64_t stored, int64_t reserve_ms, int64_t now_ms);

#endif
