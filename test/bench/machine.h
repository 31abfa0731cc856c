/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * machine: what the figures were measured on, and which CPU does what.
 *
 * The brokers' main threads get the last CPU for themselves; all other threads keep off it. The generator has the first
 * one; worker threads of a plugin run anywhere but on the brokers' CPU, on a machine with two beside the generator. So
 * the brokers' main threads are disturbed neither by the generator nor by work that a plugin does in the background,
 * which is reported separately.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <sched.h>
#include <stdbool.h>

struct machine {
	char cpu[128];
	int cores; /* that this process may use */
	char kernel[160];
	double syscall_ns; /* one getppid(): a yardstick, since a broker spends most of its time in the kernel */
};

void machine_read(struct machine *machine);

struct pins {
	bool pinned; /* false: there is one CPU only, and everything shares it */
	cpu_set_t broker;
	cpu_set_t generator;
	cpu_set_t others; /* all but the broker's */
};

/* Shares out the CPUs that this process may use, and moves the process to the generator's. */
void pins_choose(struct pins *pins);

/* Lets the calling thread run on all of them again. */
void pins_release(const struct pins *pins);

#endif
