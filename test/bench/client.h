/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client: a blocking MQTT client for what comes before the load: signing in, subscribing, publishing a config and
 * waiting for an answer. Every call gives up when the broker is silent for CLIENT_TIMEOUT_MS. Loopback only.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "fault.h"
#include "packet.h"

#define CLIENT_TIMEOUT_MS 10000
#define CLIENT_PACKET_MAX 4096

struct client {
	int fd; /* -1: not connected */
	uint16_t last_id;
	uint8_t refusal; /* why the broker refused it, as in its CONNACK; 0: it did not */
	size_t in_len;   /* bytes of `in` that were received */
	size_t in_taken; /* of these, bytes that were read as packets */
	uint8_t in[CLIENT_PACKET_MAX];
};

/* Connects to 127.0.0.1:port and signs in with a clean session. */
bool client_open(struct client *client, int port, const char *client_id, struct fault *fault);

/* The same with a user name and password, or with a session that is stored. */
bool client_sign_in(struct client *client, int port, const struct identity *who, struct fault *fault);

/* Subscribes, and returns when the broker has confirmed it. */
bool client_subscribe(struct client *client, const char *filter, int qos, struct fault *fault);

/* Publishes with QoS 1, and returns when the broker has acknowledged it. */
bool client_publish(struct client *client, const char *topic, const char *payload, bool retain, struct fault *fault);

/* Waits for a message with exactly this topic and payload; drops others. */
bool client_await(struct client *client, const char *topic, const char *payload, struct fault *fault);

/* The connection's socket, from now on the caller's; the client is as if closed. -1 if unread bytes would be lost. */
int client_release(struct client *client);

/* Signs off and closes. Harmless if not connected. */
void client_close(struct client *client);

#endif
