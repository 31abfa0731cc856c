/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * machine: see machine.h. Linux sources: /proc/cpuinfo ("model name", on ARM "Model"), uname(2).
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define SYSCALLS 200000

static void read_cpu_name(char *out, size_t size)
{
	char line[256];
	snprintf(out, size, "unknown CPU");
	FILE *file = fopen("/proc/cpuinfo", "re");
	if (file == NULL) {
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		char *colon = strchr(line, ':');
		if (colon != NULL && (strncmp(line, "model name", 10) == 0 || strncmp(line, "Model", 5) == 0)) {
			snprintf(out, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
			break;
		}
	}
	fclose(file);
}

static double measure_syscall_ns(void)
{
	struct timespec from;
	struct timespec to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < SYSCALLS; i++) {
		syscall(SYS_getppid);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / SYSCALLS;
}

void machine_read(struct machine *machine)
{
	struct utsname name;
	cpu_set_t allowed;
	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	machine->cores = CPU_COUNT(&allowed);
	read_cpu_name(machine->cpu, sizeof(machine->cpu));
	uname(&name);
	snprintf(machine->kernel, sizeof(machine->kernel), "%s %s", name.sysname, name.release);
	machine->syscall_ns = measure_syscall_ns();
}

void pins_choose(struct pins *pins)
{
	size_t first = CPU_SETSIZE;
	size_t last = CPU_SETSIZE;
	CPU_ZERO(&pins->broker);
	CPU_ZERO(&pins->generator);
	CPU_ZERO(&pins->others);
	sched_getaffinity(0, sizeof(pins->others), &pins->others);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &pins->others)) {
			first = first == CPU_SETSIZE ? cpu : first;
			last = cpu;
		}
	}
	pins->pinned = first != last;
	if (!pins->pinned) {
		return;
	}
	CPU_SET(last, &pins->broker);
	CPU_SET(first, &pins->generator);
	CPU_CLR(last, &pins->others);
	sched_setaffinity(0, sizeof(pins->generator), &pins->generator);
}

void pins_release(const struct pins *pins)
{
	cpu_set_t all;
	CPU_OR(&all, &pins->others, &pins->broker);
	sched_setaffinity(0, sizeof(all), &all);
}
