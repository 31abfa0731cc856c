/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wire_cutter: a socket between a client and a server of MariaDB's protocol that cuts the connection at a chosen byte.
 *
 * A thread of its own carries bytes both ways, one connection at a time. Once it has cut, it lets all later connections
 * through. Each function waits until the last connection's end is carried, too: call it when the client has closed.
 */
#ifndef TEST_WIRE_CUTTER_H
#define TEST_WIRE_CUTTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum way { TO_SERVER, TO_CLIENT };

enum cut {
	CUT_BOTH, /* both ends see it at once */
	CUT_LATE /* what the client sent last reaches the server some moments later, and then the end: the client may be back */
};

struct wire_cutter;

/* Listens at `path` for clients of the server at `server`. NULL: cannot; errno says why. */
struct wire_cutter *cutter_new(const char *path, const char *server);
void cutter_free(struct wire_cutter *cutter);

/* To cut once `bytes` have gone this way, counted from now on. */
void cutter_arm(struct wire_cutter *cutter, enum way way, uint64_t bytes, enum cut how);

/* To cut nothing, and to note where the next connection's packets end. */
void cutter_watch(struct wire_cutter *cutter);

/* Has it cut since it was armed? */
bool cutter_has_cut(struct wire_cutter *cutter);

/* How many bytes had gone this way when each packet was complete, since cutter_watch. */
size_t cutter_packets(struct wire_cutter *cutter, enum way way, const uint64_t **ends);

#endif
