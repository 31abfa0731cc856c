/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link: one connection of a load: its buffers, its counts and its place in an epoll set.
 *
 * What always holds: a link asks for EPOLLOUT exactly while it has bytes to write; a subscriber with bytes to write
 * (its PUBACKs) reads nothing, so that a full buffer of messages always has room for its acknowledgements.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "fault.h"
#include "packet.h"

#include <stddef.h>
#include <stdint.h>

#define LINK_BUFFER_SIZE 65536
#define LINK_TOPIC_MAX   256

struct link {
	int fd; /* -1: not open */
	int epoll_fd;
	uint32_t asked; /* what epoll was asked to report; 0: not in the set */
	uint16_t last_id;
	uint16_t acknowledged_id; /* the broker acknowledges in order, so that the n-th PUBACK is the n-th message's */

	uint64_t quota; /* publisher: messages to send in this run; subscriber: messages to receive */
	uint64_t sent;
	uint64_t acknowledged;
	uint64_t received;
	bool fenced; /* its PINGREQ was answered */

	bool publisher;
	size_t topic_len;
	char topic[LINK_TOPIC_MAX]; /* of a publisher */

	size_t in_len;
	size_t out_len;
	size_t out_sent; /* bytes of `out` that the socket has taken */
	uint8_t in[LINK_BUFFER_SIZE];
	uint8_t out[LINK_BUFFER_SIZE];
};

/*
 * Connects to 127.0.0.1:port as `client_id`, subscribes if it is a subscriber (link->publisher is set before), and joins
 * the epoll set, whose events then carry the link in data.ptr.
 */
bool link_open(struct link *link, int epoll_fd, int port, const char *client_id, const char *filter, int qos,
               struct fault *fault);

/* The same with a user name and password. */
bool link_sign_in(struct link *link, int epoll_fd, int port, const struct identity *who, const char *filter, int qos,
                  struct fault *fault);

/* Starts a run with clean counts. */
void link_begin(struct link *link, uint64_t quota);

/* Appends a PUBLISH with the link's topic and counts it as sent. False if there is no room for it. */
bool link_put_publish(struct link *link, const void *payload, size_t payload_len, int qos);

/* Appends a PINGREQ. False if there is no room for it. */
bool link_put_ping(struct link *link);

/* Writes what the socket takes. */
bool link_flush(struct link *link, struct fault *fault);

/* Reads once what the socket has, counts the packets that are complete, and acknowledges QoS 1 messages. */
bool link_read(struct link *link, struct fault *fault);

/* Disconnects. Harmless if not open. */
void link_close(struct link *link);

#endif
