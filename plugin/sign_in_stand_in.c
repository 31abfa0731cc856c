/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_stand_in: see sign_in_stand_in.h.
 */
#include "sign_in_stand_in.h"

#include "password.h"

#include <string.h>

#define AGAIN_MS     1000
#define TEXT_OF(n)   #n
#define NUMBER_OF(n) TEXT_OF(n)

/* Salt and hash of zero bytes. */
static const char nobody[] = "$7$" NUMBER_OF(
	PASSWORD_ITERATIONS) "$AAAAAAAAAAAAAAAA$"
						 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

bool stand_in_suits(struct slice stored)
{
	return stored.len > 3 && (memcmp(stored.ptr, "$7$", 3) == 0 || memcmp(stored.ptr, "$6$", 3) == 0);
}

static void note(struct stand_ins *stand_ins, const struct account_table *accounts, int64_t now_ms)
{
	stand_ins->accounts = account_count(accounts);
	stand_ins->again_ms = now_ms + AGAIN_MS;
	stand_ins->count = 0;
	for (size_t i = 0; i < stand_ins->accounts && stand_ins->count < STAND_INS_MAX; i++) {
		if (stand_in_suits(account_password(account_at(accounts, i))))
			stand_ins->places[stand_ins->count++] = i;
	}
}

/* Of those noted; empty: none suits (any more). */
static struct slice pick_noted(const struct stand_ins *stand_ins, const struct account_table *accounts,
                               uint64_t name_hash)
{
	for (size_t i = 0; i < stand_ins->count; i++) {
		const size_t place = stand_ins->places[(name_hash + i) % stand_ins->count];
		if (place >= account_count(accounts))
			continue;
		const struct slice stored = account_password(account_at(accounts, place));
		if (stand_in_suits(stored))
			return stored;
	}
	return (struct slice){"", 0};
}

struct slice stand_in_pick(struct stand_ins *stand_ins, const struct account_table *accounts, uint64_t name_hash,
                           int64_t now_ms)
{
	struct slice stored = pick_noted(stand_ins, accounts, name_hash);

	if ((stored.len == 0 || stand_ins->accounts != account_count(accounts)) && now_ms >= stand_ins->again_ms) {
		note(stand_ins, accounts, now_ms);
		stored = pick_noted(stand_ins, accounts, name_hash);
	}
	return stored.len > 0 ? stored : slice_of(nobody);
}
