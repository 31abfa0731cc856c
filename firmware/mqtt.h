/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mqtt: packets of MQTT 3.1.1 (OASIS standard, 29 October 2014), as a client needs them: QoS 0 and 1. Pure: bytes out into a
 * sink, bytes in one at a time; no socket, no clock, no memory but the caller's.
 */
#ifndef FIRMWARE_MQTT_H
#define FIRMWARE_MQTT_H

#include "text.h"

/* What is kept of a PUBLISH that comes in; the rest is counted and skipped. */
#define MQTT_TOPIC_MAX   75
#define MQTT_PAYLOAD_MAX 24

/* CONNACK's return codes (3.2.2.3). */
enum mqtt_connect_code {
	MQTT_ACCEPTED,
	MQTT_REFUSED_VERSION,
	MQTT_REFUSED_CLIENT_ID,
	MQTT_REFUSED_UNAVAILABLE,
	MQTT_REFUSED_PASSWORD,
	MQTT_REFUSED_NOT_AUTHORIZED
};

/* The texts of a CONNECT, in their order. */
enum mqtt_text { MQTT_CLIENT_ID, MQTT_WILL_TOPIC, MQTT_WILL, MQTT_USER, MQTT_PASSWORD };

struct mqtt_publish {
	struct text_source topic;
	struct text_source payload;
	uint16_t packet_id; /* QoS 1; 0: QoS 0 */
	bool retain;
	bool again; /* the DUP flag */
};

/*
 * Each writes one whole packet; a packet of more than 65,535 bytes is not possible. CONNECT: a clean session, and a Will of QoS 1
 * that is retained. `write` writes the text whose number, a uint8_t that is an enum mqtt_text, `which` points to. Without `user`
 * there is neither MQTT_USER nor MQTT_PASSWORD.
 */
void mqtt_write_connect(struct sink *sink, void (*write)(struct sink *sink, const void *which), bool user,
                        uint16_t keepalive_s);
void mqtt_write_publish(struct sink *sink, const struct mqtt_publish *publish);
void mqtt_write_subscribe(struct sink *sink, uint16_t packet_id, const struct text_source *filter, uint8_t qos);
void mqtt_write_puback(struct sink *sink, uint16_t packet_id);
void mqtt_write_pingreq(struct sink *sink);

enum mqtt_event {
	MQTT_NOTHING, /* the packet goes on */
	MQTT_CONNACK, /* code: enum mqtt_connect_code */
	MQTT_SUBACK,  /* packet_id; code: the granted QoS, or 0x80: refused */
	MQTT_PUBACK,  /* packet_id */
	MQTT_PINGRESP,
	MQTT_PUBLISH, /* topic, payload, qos, retain, packet_id (QoS 1) */
	MQTT_BROKEN   /* nothing a broker may send: close the connection, and feed no more. */
};

/*
 * The packet that comes in, which is MQTT_BROKEN too if it is what no broker sends a client that subscribes with one filter and at
 * most QoS 1, or longer than 16,383 bytes. After an event its fields hold until the next byte. Topic and payload have no NUL behind
 * them; their _length is what was sent, also where only MQTT_…_MAX bytes of it were kept.
 */
struct mqtt_in {
	uint16_t remaining; /* of the packet, after the fixed header */
	uint16_t payload_length;
	uint16_t topic_length;
	uint16_t packet_id; /* 0: QoS 0 */
	uint16_t at;        /* bytes of the current field that came */
	uint8_t state, first, qos, code;
	bool retain;
	char topic[MQTT_TOPIC_MAX];
	char payload[MQTT_PAYLOAD_MAX];
};

void mqtt_in_reset(struct mqtt_in *in);
enum mqtt_event mqtt_feed(struct mqtt_in *in, uint8_t byte);

#endif
