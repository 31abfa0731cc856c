/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper_carrier: the way of changes (RECORD_RETAINED, RECORD_DOCUMENTS) from the journal into the state file. Private to
 * keeper*.c.
 *
 * The state file is only written when there is something to record, or once a segment, so that the next start need not read
 * the whole journal again. Its position goes with the changes in one transaction, and so do all documents of a record. A
 * change that the state file refused is not passed over: the step ends before it, and the next one tries it again.
 */
#ifndef HEARTH_KEEPER_CARRIER_H
#define HEARTH_KEEPER_CARRIER_H

#include "journal.h"
#include "state.h"

struct carrier {
	struct journal *journal;
	struct state *state;
	uint64_t head_at_start;        /* of the journal, before this run appended to it */
	bool placed;                   /* `done` is known */
	struct journal_cursor *cursor; /* NULL: to be made at `done` */
	uint64_t done;                 /* every change that ends at or before it has been taken in */
	uint64_t segment;              /* of the last record */
	uint64_t recorded;             /* the segment in which the state file's own position lies */
	const char *error;             /* why the last step failed */
	int unreadable;                /* errno of the journal, if that is why it ended */
};

/* No other thread may append to the journal yet. Either may be NULL: then nothing is carried. */
struct carrier carrier_of(struct journal *journal, struct state *state);
void carrier_close(struct carrier *carrier);

/* It is to be placed anew: the state has another position. */
void carrier_displace(struct carrier *carrier);

enum carry_result { CARRY_END, CARRY_MORE, CARRY_FAILED, CARRY_UNREADABLE };

/* Takes in what is new, some of it if it is much. A change that fails leaves the state file and `done` as they were. */
enum carry_result carrier_step(struct carrier *carrier);

#endif
