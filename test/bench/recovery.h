/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * recovery: how long a start takes behind a journal that a killed process has left full.
 */
#ifndef BENCH_RECOVERY_H
#define BENCH_RECOVERY_H

#include "fault.h"

#include <stdint.h>

struct recovery_setup {
	const char *folder; /* exists */
	uint64_t bytes;     /* of the journal */
	uint32_t series;
};

struct recovery_round {
	uint64_t bytes;    /* of the journal, as it says itself */
	uint64_t records;  /* readings that were read back */
	double open_s;     /* journal_open */
	double catch_up_s; /* keeper_catch_up into a new state file: looks for configs in all of it */
	double read_s;     /* a cursor from its beginning to its end, as the writer has it */
};

/* False with the reason in *fault, which may be that not all was read back. */
bool recovery_measure(const struct recovery_setup *setup, struct recovery_round *round, struct fault *fault);

#endif
