/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper_reserve: see keeper_reserve.h. A ring of marks, so far apart that they reach back over the whole time.
 */
#include "keeper_reserve.h"

uint64_t reserve_pass(struct reserve *reserve, uint64_t stored, int64_t reserve_ms, int64_t now_ms)
{
	const int64_t apart_ms = reserve_ms / (RESERVE_MARKS - 1) + 1;
	const size_t newest = (reserve->next + RESERVE_MARKS - 1) % RESERVE_MARKS;
	uint64_t passed = 0;

	if (reserve->marks[newest].ms == 0 || now_ms - reserve->marks[newest].ms >= apart_ms) {
		reserve->marks[reserve->next].ms = now_ms;
		reserve->marks[reserve->next].stored = stored;
		reserve->next = (reserve->next + 1) % RESERVE_MARKS;
	}
	for (size_t i = 0; i < RESERVE_MARKS; i++)
		if (reserve->marks[i].ms > 0 && now_ms - reserve->marks[i].ms >= reserve_ms &&
		    reserve->marks[i].stored > passed)
			passed = reserve->marks[i].stored;
	return passed;
}
