/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * packet: the few MQTT 3.1.1 packets that a load generator needs, to bytes and back.
 *
 * Bytes only: no socket, no clock, no memory of its own. The layouts are those of OASIS MQTT 3.1.1, chapters 2 and 3.
 */
#ifndef BENCH_PACKET_H
#define BENCH_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum packet_type {
	PACKET_CONNECT = 1,
	PACKET_CONNACK = 2,
	PACKET_PUBLISH = 3,
	PACKET_PUBACK = 4,
	PACKET_SUBSCRIBE = 8,
	PACKET_SUBACK = 9,
	PACKET_PINGREQ = 12,
	PACKET_PINGRESP = 13,
	PACKET_DISCONNECT = 14
};

struct packet {
	enum packet_type type;
	int qos;             /* PUBLISH */
	bool retain;         /* PUBLISH */
	uint16_t id;         /* PUBLISH with QoS 1, PUBACK, SUBACK */
	uint8_t code;        /* CONNACK, SUBACK: 0x80 and above, or a CONNACK's non-zero, is a refusal */
	const char *topic;   /* PUBLISH; not NUL-terminated */
	size_t topic_len;    /* at most 65535 */
	const void *payload; /* PUBLISH */
	size_t payload_len;
};

/* Who signs in. */
struct identity {
	const char *client_id;
	const char *user;     /* NULL: anonymous */
	const char *password; /* NULL: none; without a user there is none */
	bool stored;          /* the session is to outlive its connection */
};

/* Each writes one packet to `out` and returns its length, or 0 if it does not fit into `room`. */
size_t packet_put_connect(uint8_t *out, size_t room, const struct identity *who);
size_t packet_put_subscribe(uint8_t *out, size_t room, uint16_t id, const char *filter, int qos);
size_t packet_put_publish(uint8_t *out, size_t room, const struct packet *publish);
size_t packet_put_puback(uint8_t *out, size_t room, uint16_t id);
/* A packet that is its type alone: PINGREQ, DISCONNECT. */
size_t packet_put_bare(uint8_t *out, size_t room, enum packet_type type);

/*
 * Reads the packet at the start of `bytes`. Returns its length, 0 if it is not complete yet, or -1 if it is not one
 * that a broker may send here. The slices in *out point into `bytes`.
 */
ssize_t packet_take(const uint8_t *bytes, size_t len, struct packet *out);

#endif
