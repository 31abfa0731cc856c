/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_crowd: many clients with accounts of their own, whose messages are counted: publishers, and for each of them one
 * subscriber or none. All on the calling thread, as fast as the broker takes it.
 */
#ifndef BENCH_ACL_CROWD_H
#define BENCH_ACL_CROWD_H

#include "fault.h"

#include <stdint.h>

struct acl_member {
	char user[48];
	char topic[96]; /* that it publishes to, or subscribes to */
};

struct acl_crowd_plan {
	const char *name; /* of the crowd, for client ids */
	int port;         /* on 127.0.0.1 */
	const char *password;
	int publishers;
	bool followed; /* each has a subscriber */
	int qos;       /* 0 or 1, of both */
	bool spin;     /* keep the CPU while waiting; see load.h */
	void (*publisher)(const void *context, int n, struct acl_member *out);
	void (*follower)(const void *context, int n, struct acl_member *out);
	const void *context;
};

struct acl_crowd;

/* Signs all in. NULL with the reason in *fault. */
struct acl_crowd *acl_crowd_open(const struct acl_crowd_plan *plan, struct fault *fault);

/*
 * Each publisher sends so many messages; returns once the broker has consumed all, and every follower has received all of
 * its publisher. False if the broker breaks the protocol, closes a connection, or makes no progress for 10 s.
 */
bool acl_crowd_run(struct acl_crowd *crowd, uint64_t messages_each, struct fault *fault);

/* Disconnects. Harmless for NULL. */
void acl_crowd_close(struct acl_crowd *crowd);

#endif
