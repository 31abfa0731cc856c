/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_budget: may a password be stretched in the broker's thread now? Pure; time is handed in.
 *
 * There is a budget for each address, each user name and the whole broker: a share of the time (PERCENT). What a hash
 * cost has to be waited for until it is that share: 80 ms at 5 % are paid off after 1.6 s. An address and a user may
 * have one hash at once, the whole broker BUDGET_BURST_US more, so that a family is in at once after a restart.
 *
 * A failure makes its address, its user and the whole broker wait 1, 2, 4 … 60 s; one is forgiven every 30 s. While any
 * of the whole broker's is not forgiven, hashes may take BUDGET_FLOOD_PERMILLE of the time and no burst. A success
 * clears its address and its user, never the whole.
 *
 * Whoever has to wait is not locked out: the hasher's thread answers instead, those first whose address presses least:
 * that is how many attempts it made of late which nobody knew the answer to.
 */
#ifndef HEARTH_SIGN_IN_BUDGET_H
#define HEARTH_SIGN_IN_BUDGET_H

#include "topic.h"

#define BUDGET_BURST_US       300000
#define BUDGET_FLOOD_PERMILLE 5    /* one hash of 80 ms in 16 s */
#define BUDGET_ENTRIES        1024 /* addresses, and as many users; the one seen longest ago makes room */

struct sign_in_budget;

/* Who signs in, as keyed hashes. */
struct sign_in_subject {
	uint64_t address, user;
};

struct sign_in_budget *sign_in_budget_new(unsigned percent); /* NULL: no memory */
void sign_in_budget_free(struct sign_in_budget *budget);

bool sign_in_budget_allows(const struct sign_in_budget *budget, const struct sign_in_subject *subject, int64_t now_ms);

/* A password was stretched: `us` of the broker thread's time, 0 if it was another thread's. */
void sign_in_budget_charge(struct sign_in_budget *budget, const struct sign_in_subject *subject, int64_t us,
                           bool success, int64_t now_ms);

/* An attempt came that has to be hashed, here or elsewhere. */
void sign_in_budget_press(struct sign_in_budget *budget, const struct sign_in_subject *subject, int64_t now_ms);

/*
 * How many came of late: of the address, and where these are equal, of the user. Halved every BUDGET_PRESSURE_MS of
 * quiet.
 */
#define BUDGET_PRESSURE_MS 10000
struct sign_in_pressure {
	unsigned address, user;
};
struct sign_in_pressure sign_in_budget_pressure(const struct sign_in_budget *budget,
                                                const struct sign_in_subject *subject, int64_t now_ms);

#define ADDRESS_BYTES_MAX 64

/*
 * What of an address counts as one place: of IPv6 the first 64 bits, of which a household or a rented server has all;
 * IPv4 whole, also if it is written as IPv6 (::ffff:192.0.2.1); anything else as it stands, cut to fit. Returns the
 * length.
 */
size_t sign_in_budget_place(struct slice address, uint8_t out[static ADDRESS_BYTES_MAX]);

#endif
