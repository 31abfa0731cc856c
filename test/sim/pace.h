/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pace: how simulated time goes beside real time, slice by slice.
 *
 * Real: it follows CLOCK_MONOTONIC; ahead of it, the process sleeps. Virtual: as fast as it goes, but while an answer from a
 * real peer is awaited (for at most 100 ms of real time), and for 2 ms behind it, since more may follow, no faster than real
 * time: so that answers come at moments that a real network could have given.
 */
#ifndef SIM_PACE_H
#define SIM_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SLICE_US 500

struct pace {
	bool is_virtual;
	uint64_t started; /* real microseconds */
	uint64_t real_base, simulated_base;
	unsigned awaited; /* socket_awaited's number */
	uint64_t follow_until;
};

void pace_init(struct pace *pace, bool is_virtual);
/* Sleeps until `simulated` (µs) may be reached. `awaited`: of socket_awaited. */
void pace_wait(struct pace *pace, uint64_t simulated, unsigned awaited);
/* Virtual time has stood still. */
void pace_resume(struct pace *pace, uint64_t simulated);
/* Microseconds of processor time a second of real time, since the start. */
uint64_t pace_share(const struct pace *pace);

#endif
