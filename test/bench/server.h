/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * server: a real Mosquitto process with a folder and a port of its own, and what it has cost so far.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include "fault.h"
#include "machine.h"

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
	pid_t pid; /* 0: not running */
	int port;
	char folder[PATH_MAX]; /* holds its conf, log and data; empty: none */
};

/* CPU time in nanoseconds since the process started. */
struct server_cpu {
	int64_t main_ns;    /* of the broker's own thread */
	int64_t process_ns; /* of all threads, ended ones included */
};

/*
 * Makes the folder, writes a conf that is the same for every server but for the lines of `extra_conf`, starts
 * `mosquitto` with it and waits until it answers. On false nothing is left behind.
 */
bool server_start(struct server *server, const char *folder, const char *mosquitto, const char *extra_conf,
                  const struct pins *pins, struct fault *fault);

/* Lets its main thread go before other programs, if the system allows that: what these do is no part of a figure. */
void server_go_first(const struct server *server);

/* Waits until the main thread sleeps, so that the kernel's count is exact, and reads it. */
bool server_cpu_read(const struct server *server, struct server_cpu *cpu, struct fault *fault);

/* Waits until threads that work behind the main one have done their work. */
bool server_settle(const struct server *server, struct fault *fault);

/* The version that the server's log states, such as "2.0.11". */
void server_version(const struct server *server, char *out, size_t size);

/* Adds to a fault what the server last said, and whether it still runs. Always returns false. */
bool server_fault_add(struct server *server, struct fault *fault);

/* Asks it to stop and waits; false if it had to be killed or ended badly. Its folder stays until server_remove. */
bool server_stop(struct server *server, struct fault *fault);

/* Kills it if it still runs, and removes its folder. Harmless if it was never started. */
void server_remove(struct server *server);

#endif
