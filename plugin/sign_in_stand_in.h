/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_stand_in: whose hash an unknown name is checked against, so that it costs what a known one costs, of whatever
 * kind this house's hashes are.
 *
 * A name has the same one as long as the accounts are the same. Most accounts may be devices, which have none to give:
 * so the places of some that have are noted when the number of accounts has changed or none of those noted has one any
 * more, at most once a second. A place that has become another's is seen when it is picked.
 */
#ifndef HEARTH_SIGN_IN_STAND_IN_H
#define HEARTH_SIGN_IN_STAND_IN_H

#include "account.h"

#define STAND_INS_MAX 64

/* Begins as {0}. */
struct stand_ins {
	size_t accounts; /* there were when the places were noted */
	size_t count;
	int64_t again_ms;             /* not to be noted anew before */
	size_t places[STAND_INS_MAX]; /* of account_at */
};

/* Is it the form of a hash that is stretched? */
bool stand_in_suits(struct slice stored);

/*
 * The stored form that stands in for a name with this hash: an account's, valid as long as that, or a fixed one that no
 * password has.
 */
struct slice stand_in_pick(struct stand_ins *stand_ins, const struct account_table *accounts, uint64_t name_hash,
                           int64_t now_ms);

#endif
