/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * load: publishers and subscribers on one thread, with epoll, as fast as the broker takes it or at a fixed rate.
 *
 * A load is opened once and run as often as wanted over the same connections. A run is over only when the broker has
 * done all of its work: every message is acknowledged (QoS 1), every subscriber has received every message, and
 * each connection has had a PINGREQ answered that was sent after all else. A broker reads a connection in order, so
 * that answer says that it has consumed everything before; with QoS 0 and no subscriber nothing else would.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "fault.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct load_plan {
	int port; /* on 127.0.0.1 */
	int publishers;
	int subscribers; /* each one subscribes to `filter` */
	int qos;         /* 0 or 1, of publishers and subscribers */
	int batch;       /* most packets in one write */
	int window;      /* at least `batch`: messages of a publisher not yet acknowledged, or not yet received by all */
	double rate;     /* messages a second of all publishers together; 0: flood */
	bool spin; /* keep the CPU while waiting: a broker pays for waking a thread that sleeps, and not always the same */
	const char *filter; /* must match every topic that `topic` makes */

	/* Each writes a text, as snprintf does with `out` and `size`, and returns its length, which is below `size`. */
	size_t (*topic)(int publisher, char *out, size_t size);
	size_t (*payload)(uint64_t index, char *out, size_t size); /* index: 0 … messages - 1 of a run */

	/*
	 * At a rate, with QoS 1: called for each PUBACK. The latency of a message is now_ns - due_ns (of clock_ns): from the
	 * moment it was due by the rate, not from that of its sending, which a slow broker puts off (coordinated omission).
	 * NULL: nobody wants to know.
	 */
	void (*acknowledged)(void *context, int64_t due_ns, int64_t now_ns);
	void *context;

	const atomic_bool *stop; /* once set, by any thread, the run sends no more and ends; NULL: none */
};

struct load_result {
	uint64_t sent;
	uint64_t acknowledged; /* PUBACKs to publishers; 0 with QoS 0 */
	uint64_t received;     /* by all subscribers together */
	int64_t duration_ns;   /* from the first message to the last connection's PINGRESP */
};

struct load;

/* Connects and subscribes. NULL with the reason in *fault. */
struct load *load_open(const struct load_plan *plan, struct fault *fault);

/*
 * Sends so many messages, shared out evenly, and waits until the broker has done all of its work. False if the broker
 * breaks the protocol, closes a connection, delivers too much, or makes no progress for 10 s. After a false the load can
 * only be closed.
 */
bool load_run(struct load *load, uint64_t messages, struct load_result *result, struct fault *fault);

/* Disconnects. Harmless for NULL. */
void load_close(struct load *load);

#endif
