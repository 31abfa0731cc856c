/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_steps: how many instructions a piece of work takes, counted exactly: a child process does it one instruction at a
 * time. That needs neither a profiler nor the processor's counters, which virtual machines often have not, and it is the
 * same on a busy machine. It costs some 10 µs an instruction.
 */
#ifndef BENCH_ACL_STEPS_H
#define BENCH_ACL_STEPS_H

#include "fault.h"

#include <stdint.h>

/* Lets a copy of this process do the work, and counts what it took of this program and its libraries, not of the kernel. */
bool acl_steps_count(void (*work)(void *context), void *context, uint64_t *out, struct fault *fault);

#endif
