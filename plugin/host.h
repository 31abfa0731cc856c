/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host: the broker machine's own gauges, read from /proc and /sys.
 *
 * Linux sources: proc(5) for stat, meminfo, self/fd and net/tcp; statvfs(3) for the disk; the kernel's
 * Documentation/driver-api/thermal for temperatures. A gauge that the machine does not have is left out.
 *
 * A host belongs to the one thread that takes its samples. That may be any thread, with a descriptor table of its own
 * too: HOST_CLIENTS counts the sockets of the process's main thread.
 */
#ifndef HEARTH_HOST_H
#define HEARTH_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum host_gauge {
	HOST_CPU,         /* % of all cores that was busy since the last sample */
	HOST_MEMORY,      /* % of memory that is not available to a new program */
	HOST_DISK,        /* % of the state folder's file system that is used */
	HOST_TEMPERATURE, /* °C, the hottest thermal zone */
	HOST_CLIENTS,     /* accepted, established TCP connections to ports this process listens on */
	HOST_GAUGE_COUNT
};

struct host_sample {
	bool known[HOST_GAUGE_COUNT];
	double value[HOST_GAUGE_COUNT]; /* rounded to 0.1 */
};

struct host;

/*
 * `root` is put before /proc and /sys ("" on a real machine, a folder in tests); `disk_path` is any path on the file
 * system to report. NULL: no memory.
 */
struct host *host_new(const char *root, const char *disk_path);
void host_free(struct host *host);

/* Takes a sample. The first one leaves HOST_CPU unknown: it needs two. */
void host_take(struct host *host, struct host_sample *out);

#endif
