/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * socket: the one TCP connection of a simulated module: a real, non-blocking one, to loopback addresses and nowhere else.
 *
 * It behaves as the network between module and peer would: while it is stalled nothing passes either way, and nothing is lost
 * (TCP would send it again); a module that goes away without closing leaves its peer with an open, silent connection. Of each
 * connection the simulated traffic is counted.
 */
#ifndef SIM_SOCKET_H
#define SIM_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum socket_state { SOCKET_CLOSED, SOCKET_CONNECTING, SOCKET_OPEN };

/* What went over one connection; times in simulated microseconds. */
struct socket_traffic {
	char peer[32]; /* "127.0.0.1 1883" */
	uint64_t opened, closed, last_sent;
	uint64_t longest_gap; /* between two bytes sent, or one and now */
	uint64_t sent, received;
};

struct socket;

struct socket *socket_new(void);
void socket_free(struct socket *tcp);

/* Begins to connect. An address that is none or not loopback is refused at once: the state stays SOCKET_CLOSED. */
void socket_open(struct socket *tcp, const char *ip, uint16_t port, uint64_t now);
/* Moves connecting and sending on. */
enum socket_state socket_poll(struct socket *tcp, uint64_t now);
/* Room for so many bytes that can be sent. */
size_t socket_room(const struct socket *tcp);
/* Sends, or keeps for sending; the caller has asked for room. */
void socket_send(struct socket *tcp, const uint8_t *bytes, size_t length, uint64_t now);
/* Returns the bytes that came (0: none). When the peer has closed, and all was taken, the state becomes SOCKET_CLOSED. */
size_t socket_receive(struct socket *tcp, uint8_t *bytes, size_t size, uint64_t now);

/* Closes it, so that the peer sees it. */
void socket_close(struct socket *tcp, uint64_t now);
/* Forgets it as a module without power does: the peer sees nothing. */
void socket_abandon(struct socket *tcp, uint64_t now);
/* Nothing passes in either direction, not even the opening of a connection. */
void socket_stall(struct socket *tcp, bool stalled);

/* A number for what was sent last, if no answer came yet; 0: nothing is awaited. */
unsigned socket_awaited(const struct socket *tcp);
/* The longest time without a byte sent while connected, since the last call; the present one included. */
uint64_t socket_longest_gap(struct socket *tcp, uint64_t now);
/* The newest connections, the newest first; NULL behind the last one that is remembered. */
const struct socket_traffic *socket_traffic(const struct socket *tcp, unsigned index);

#endif
