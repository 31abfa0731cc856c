/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_pair: two clients, of which one publishes at a fixed rate and the other receives: what others in the house notice
 * of what goes on at the door.
 *
 * A message's time is counted from the moment it was due, so that one that had to wait is counted with its wait.
 */
#ifndef BENCH_SIGN_IN_PAIR_H
#define BENCH_SIGN_IN_PAIR_H

#include "fault.h"
#include "latency.h"
#include "packet.h"

#include <stdatomic.h>

struct pair;

/* Signs both in at 127.0.0.1:port, with client ids that end in -from and -to, and subscribes. NULL with *fault. */
struct pair *pair_open(int port, const char *user, const char *password, const char *topic, struct fault *fault);

/*
 * Sends so many messages with QoS 0 and waits for the last, at most 20 s after it was due. Latencies are added to *latency. Once
 * *stop is set it sends no more; NULL: none.
 */
bool pair_run(struct pair *pair, int messages, double rate, const atomic_bool *stop, struct latency *latency,
              struct fault *fault);

/* Harmless for NULL. */
void pair_close(struct pair *pair);

#endif
