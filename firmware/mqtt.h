/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mqtt: packets of MQTT 3.1.1 (OASIS standard, 29 October 2014), as a client needs them: QoS 0 and 1. Pure: bytes out into a
 * sink, bytes in one at a time; no socket, no clock, no memory but the caller's.
 */
#ifndef FIRMWARE_MQTT_H
#define FIRMWARE_MQTT_H

#include "text.h"

/* What is kept of a PUBLISH that comes in; the rest is counted and skipped. */
#define MQTT_TOPIC_MAX   84
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

struct mqtt_connect {
	struct text_source client_id;
	struct text_source user;       /* write == NULL: none, and then no password either */
	struct text_source password;   /* write == NULL: none */
	struct text_source will_topic; /* write == NULL: no Will; else QoS 1, retained */
	struct text_source will;
	uint16_t keepalive_s;
	bool clean_session;
};

struct mqtt_publish {
	struct text_source topic;
	struct text_source payload;
	uint16_t packet_id; /* QoS 1; 0: QoS 0 */
	bool retain;
	bool again; /* the DUP flag */
};

/* Each writes one whole packet; a packet of more than 65,535 bytes is not possible. */
void mqtt_write_connect(struct sink *sink, const struct mqtt_connect *connect);
void mqtt_write_publish(struct sink *sink, const struct mqtt_publish *publish);
void mqtt_write_subscribe(struct sink *sink, uint16_t packet_id, const struct text_source *filter, uint8_t qos);
void mqtt_write_puback(struct sink *sink, uint16_t packet_id);
void mqtt_write_pingreq(struct sink *sink);
void mqtt_write_disconnect(struct sink *sink);

enum mqtt_event {
	MQTT_NOTHING, /* the packet goes on */
	MQTT_CONNACK, /* code: enum mqtt_connect_code */
	MQTT_SUBACK,  /* packet_id; code: the granted QoS, or 0x80: refused */
	MQTT_PUBACK,  /* packet_id */
	MQTT_PINGRESP,
	MQTT_PUBLISH, /* topic, payload, qos, retain, packet_id (QoS 1) */
	MQTT_BROKEN   /* against the standard: close the connection. Stays until mqtt_in_reset. */
};

/*
 * The packet that comes in, which is MQTT_BROKEN too if it is what no broker sends a client that subscribes with one filter and at
 * most QoS 1. After an event its fields hold until the next byte. Topic and payload are NUL-terminated;
 * their _length is what was sent, also where only MQTT_…_MAX bytes of it were kept.
 */
struct mqtt_in {
	uint32_t remaining; /* of the packet, after the fixed header */
	uint32_t payload_length;
	uint16_t topic_length;
	uint16_t packet_id;
	uint16_t at; /* bytes of the current field that came */
	uint8_t state, type, qos, code;
	bool retain;
	char topic[MQTT_TOPIC_MAX + 1];
	char payload[MQTT_PAYLOAD_MAX + 1];
};

void mqtt_in_reset(struct mqtt_in *in);
enum mqtt_event mqtt_feed(struct mqtt_in *in, uint8_t byte);

#endif
