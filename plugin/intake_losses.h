/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake_losses: tells a person, in the broker's log, what was given up and when that ended. Private to intake*.c.
 */
#ifndef HEARTH_INTAKE_LOSSES_H
#define HEARTH_INTAKE_LOSSES_H

#include "broker.h"
#include "feed.h"

struct losses {
	bool losing; /* readings were lost, and the end of that is not told yet */
	uint64_t lost_before, lost_seen, stored_seen;
	int64_t since_ms, last_ms; /* the first loss and the last one so far */
	uint64_t bounds_logged;
	int64_t bounds_next_ms;
};

/*
 * Compares the feed's counters with those of the last call, and logs: one line when readings begin to be lost, one when
 * that is over; what found no place (too many series, rules that could not be bound) once a minute at most.
 */
void losses_log(struct losses *losses, const struct feed *feed, const struct broker_ops *broker, int64_t now_ms);

#endif
