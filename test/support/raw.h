/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * raw: MQTT packets byte by byte, for what a well-behaved client library does not send.
 *
 * A packet is put together without its fixed header, which raw_send adds. A connection is a socket of the test's own.
 * Everything here fails the running test if it cannot do what it says.
 */
#ifndef TEST_RAW_H
#define TEST_RAW_H

#include <stddef.h>
#include <stdint.h>

struct house;

#define RAW_CONNECT   0x10
#define RAW_CONNACK   0x20
#define RAW_PUBLISH   0x30 /* QoS 0 */
#define RAW_SUBSCRIBE 0x82
#define RAW_SUBACK    0x90
#define RAW_PINGREQ   0xC0
#define RAW_PINGRESP  0xD0

struct raw_packet {
	size_t len;
	uint8_t bytes[1024];
};

void raw_put(struct raw_packet *packet, const void *bytes, size_t len);
void raw_put_byte(struct raw_packet *packet, uint8_t byte);
/* Two bytes of length, and the text. */
void raw_put_text(struct raw_packet *packet, const void *text, size_t len);

/* `first`: the first byte, type and flags. */
void raw_send(int fd, uint8_t first, const struct raw_packet *packet);
/* The next packet: returns its first byte; −1 if the broker has closed the connection. */
int raw_receive(int fd, struct raw_packet *out);

/* What a CONNECT says; texts may hold any bytes. */
struct raw_connect {
	const void *id, *user, *password;
	size_t id_len, user_len, password_len;
	const char *method; /* of version 5: an authentication method; NULL: none */
	uint8_t version;    /* 4 or 5; 0x84: 4 with the bit that bridges set */
};
/*
 * Connects with a clean session. Returns the socket, for raw_close; −1 if the broker refuses. *code: the CONNACK's, or
 * CONNACK_NONE (client.h).
 */
int raw_sign_in(const struct house *house, const struct raw_connect *connect, int *code);
void raw_close(int fd);

#endif
