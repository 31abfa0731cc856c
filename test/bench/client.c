/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client: see client.h.
 *
 * One request at a time: it is written in full, then packets are read until the one comes that answers it. Send and
 * receive time-outs of the socket bound every call.
 */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool socket_connect(int fd, int port)
{
	struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_MS / 1000};
	int on = 1;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	       connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool client_send(struct client *client, const uint8_t *bytes, size_t len, struct fault *fault)
{
	if (len == 0) {
		return fault_set(fault, "a packet is longer than %d bytes", CLIENT_PACKET_MAX);
	}
	while (len > 0) {
		ssize_t sent = send(client->fd, bytes, len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0) {
			return fault_set(fault, "send: %s", strerror(errno));
		}
		bytes += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* Receives the next packet of this type, and drops those of others. */
static bool client_receive(struct client *client, enum packet_type type, struct packet *out, struct fault *fault)
{
	for (;;) {
		ssize_t used = packet_take(client->in + client->in_taken, client->in_len - client->in_taken, out);
		if (used < 0) {
			return fault_set(fault, "the broker sent something that is not MQTT 3.1.1");
		}
		if (used > 0) {
			client->in_taken += (size_t)used;
			if (out->type == type) {
				return true;
			}
			continue;
		}
		client->in_len -= client->in_taken;
		memmove(client->in, client->in + client->in_taken, client->in_len);
		client->in_taken = 0;
		ssize_t got = recv(client->fd, client->in + client->in_len, sizeof(client->in) - client->in_len, 0);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0 && errno == EAGAIN) {
			return fault_set(fault, "no answer from the broker for %d ms", CLIENT_TIMEOUT_MS);
		}
		if (got < 0) {
			return fault_set(fault, "recv from the broker: %s", strerror(errno));
		}
		if (got == 0) {
			return fault_set(fault, "the broker closed the connection, or a packet is longer than %d bytes",
			                 CLIENT_PACKET_MAX);
		}
		client->in_len += (size_t)got;
	}
}

static uint16_t client_next_id(struct client *client)
{
	client->last_id = client->last_id == UINT16_MAX ? 1 : (uint16_t)(client->last_id + 1);
	return client->last_id;
}

bool client_open(struct client *client, int port, const char *client_id, struct fault *fault)
{
	return client_sign_in(client, port, &(struct identity){.client_id = client_id}, fault);
}

bool client_sign_in(struct client *client, int port, const struct identity *who, struct fault *fault)
{
	*client = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (client->fd < 0) {
		return fault_set(fault, "socket: %s", strerror(errno));
	}
	if (!socket_connect(client->fd, port)) {
		fault_set(fault, "connect to 127.0.0.1:%d: %s", port, strerror(errno));
		goto fail;
	}
	uint8_t request[CLIENT_PACKET_MAX];
	struct packet answer;
	if (!client_send(client, request, packet_put_connect(request, sizeof(request), who), fault) ||
	    !client_receive(client, PACKET_CONNACK, &answer, fault)) {
		goto fail;
	}
	if (answer.code != 0) {
		client->refusal = answer.code;
		fault_set(fault, "the broker refused %s with code %d", who->client_id, answer.code);
		goto fail;
	}
	return true;
fail:
	close(client->fd);
	client->fd = -1;
	return false;
}

bool client_subscribe(struct client *client, const char *filter, int qos, struct fault *fault)
{
	uint8_t request[CLIENT_PACKET_MAX];
	struct packet answer;
	size_t len = packet_put_subscribe(request, sizeof(request), client_next_id(client), filter, qos);
	if (!client_send(client, request, len, fault) || !client_receive(client, PACKET_SUBACK, &answer, fault)) {
		return false;
	}
	if (answer.code != qos) {
		return fault_set(fault, "the broker answered a subscription to %s with code %d", filter, answer.code);
	}
	return true;
}

bool client_publish(struct client *client, const char *topic, const char *payload, bool retain, struct fault *fault)
{
	uint8_t request[CLIENT_PACKET_MAX];
	struct packet answer;
	struct packet publish = {
		.type = PACKET_PUBLISH,
		.qos = 1,
		.retain = retain,
		.id = client_next_id(client),
		.topic = topic,
		.topic_len = strlen(topic),
		.payload = payload,
		.payload_len = strlen(payload),
	};
	return client_send(client, request, packet_put_publish(request, sizeof(request), &publish), fault) &&
	       client_receive(client, PACKET_PUBACK, &answer, fault);
}

bool client_await(struct client *client, const char *topic, const char *payload, struct fault *fault)
{
	struct packet message;
	do {
		if (!client_receive(client, PACKET_PUBLISH, &message, fault)) {
			return false;
		}
	} while (message.topic_len != strlen(topic) || memcmp(message.topic, topic, message.topic_len) != 0 ||
	         message.payload_len != strlen(payload) || memcmp(message.payload, payload, message.payload_len) != 0);
	return true;
}

int client_release(struct client *client)
{
	if (client->in_taken < client->in_len) {
		return -1;
	}
	int fd = client->fd;
	client->fd = -1;
	return fd;
}

void client_close(struct client *client)
{
	if (client->fd < 0) {
		return;
	}
	uint8_t request[2];
	struct fault ignored = {0};
	client_send(client, request, packet_put_bare(request, sizeof(request), PACKET_DISCONNECT), &ignored);
	close(client->fd);
	client->fd = -1;
}
