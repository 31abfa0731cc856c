/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_pair: see sign_in_pair.h. A broker keeps the order of messages from one client to another, so that the n-th that
 * comes is the n-th that was sent.
 */
#include "sign_in_pair.h"
#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 65536
#define STALL_NS    (20 * SECOND_NS)

struct pair {
	int from, to; /* sockets; -1: not open */
	char topic[128];
	size_t in_len;
	uint8_t in[BUFFER_SIZE];
};

/* ---- signing in: blocking ---- */

static bool send_all(int fd, const uint8_t *bytes, size_t len, struct fault *fault)
{
	return len > 0 && send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len
	           ? true
	           : fault_set(fault, "send to the broker: %s", strerror(errno));
}

/* Waits for a packet of this type, which has to be the next one, and to say yes. */
static bool await_yes(int fd, enum packet_type type, struct fault *fault)
{
	uint8_t in[64];
	size_t len = 0;
	struct packet answer;
	ssize_t used;
	do {
		ssize_t got = recv(fd, in + len, sizeof(in) - len, 0);
		if (got <= 0) {
			return fault_set(fault, "the broker does not answer: %s", got == 0 ? "end of stream" : strerror(errno));
		}
		len += (size_t)got;
		used = packet_take(in, len, &answer);
	} while (used == 0);
	if (used < 0 || answer.type != type || answer.code != 0) {
		return fault_set(fault, "the broker refused one of the pair, with code %d", answer.code);
	}
	return true;
}

static int sign_in(int port, const struct identity *who, struct fault *fault)
{
	uint8_t out[512];
	int on = 1;
	struct timeval timeout = {.tv_sec = STALL_NS / SECOND_NS};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		fault_set(fault, "connect to 127.0.0.1:%d: %s", port, strerror(errno));
	} else if (send_all(fd, out, packet_put_connect(out, sizeof(out), who), fault) &&
	           await_yes(fd, PACKET_CONNACK, fault)) {
		return fd;
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

struct pair *pair_open(int port, const char *user, const char *password, const char *topic, struct fault *fault)
{
	uint8_t out[512];
	struct pair *pair = calloc(1, sizeof(*pair));
	if (pair == NULL) {
		fault_set(fault, "no memory");
		return NULL;
	}
	snprintf(pair->topic, sizeof(pair->topic), "%s", topic);
	pair->from = pair->to = -1;
	pair->from = sign_in(port, &(struct identity){.client_id = "pair-from", .user = user, .password = password}, fault);
	if (pair->from >= 0) {
		pair->to = sign_in(port, &(struct identity){.client_id = "pair-to", .user = user, .password = password}, fault);
	}
	if (pair->to < 0 || !send_all(pair->to, out, packet_put_subscribe(out, sizeof(out), 1, topic, 0), fault) ||
	    !await_yes(pair->to, PACKET_SUBACK, fault)) {
		pair_close(pair);
		return NULL;
	}
	return pair;
}

void pair_close(struct pair *pair)
{
	if (pair == NULL) {
		return;
	}
	if (pair->from >= 0) {
		close(pair->from);
	}
	if (pair->to >= 0) {
		close(pair->to);
	}
	free(pair);
}

/* ---- a run ---- */

static bool publish(const struct pair *pair, struct fault *fault)
{
	uint8_t out[256];
	const struct packet message = {
		.topic = pair->topic, .topic_len = strlen(pair->topic), .payload = "23.5", .payload_len = 4};
	return send_all(pair->from, out, packet_put_publish(out, sizeof(out), &message), fault);
}

/* Reads what has come, and says how many messages that were. -1: with *fault. */
static int receive(struct pair *pair, struct fault *fault)
{
	int count = 0;
	size_t taken = 0;
	ssize_t used;
	struct packet packet;
	ssize_t got = recv(pair->to, pair->in + pair->in_len, sizeof(pair->in) - pair->in_len, MSG_DONTWAIT);
	if (got <= 0) {
		fault_set(fault, "the broker closed a connection: %s", got == 0 ? "end of stream" : strerror(errno));
		return -1;
	}
	pair->in_len += (size_t)got;
	while ((used = packet_take(pair->in + taken, pair->in_len - taken, &packet)) > 0) {
		taken += (size_t)used;
		count += packet.type == PACKET_PUBLISH;
	}
	if (used < 0) {
		fault_set(fault, "the broker sent something that is not MQTT 3.1.1");
		return -1;
	}
	pair->in_len -= taken;
	memmove(pair->in, pair->in + taken, pair->in_len);
	return count;
}

bool pair_run(struct pair *pair, int messages, double rate, const atomic_bool *stop, struct latency *latency,
              struct fault *fault)
{
	const double every_ns = (double)SECOND_NS / rate;
	const int64_t begin_ns = clock_ns();
	int sent = 0;
	for (int received = 0; received < messages;) {
		int64_t now_ns = clock_ns();
		if (stop != NULL && atomic_load(stop)) {
			messages = sent;
		}
		while (sent < messages && begin_ns + (int64_t)(sent * every_ns) <= now_ns) {
			if (!publish(pair, fault)) {
				return false;
			}
			sent++;
		}
		int64_t wait_ns = sent < messages ? begin_ns + (int64_t)(sent * every_ns) - clock_ns() : STALL_NS;
		const struct timespec timeout = {.tv_sec = wait_ns < 0 ? 0 : wait_ns / SECOND_NS,
		                                 .tv_nsec = wait_ns < 0 ? 0 : wait_ns % SECOND_NS};
		struct pollfd poll = {.fd = pair->to, .events = POLLIN};
		int ready = ppoll(&poll, 1, &timeout, NULL);
		bool late = clock_ns() > begin_ns + (int64_t)(messages * every_ns) + STALL_NS;
		if (late || (ready == 0 && sent == messages)) {
			return fault_set(fault, "%d of %d messages did not come", messages - received, messages);
		}
		int came = ready > 0 ? receive(pair, fault) : 0;
		if (came < 0 || received + came > sent) {
			return came < 0 ? false : fault_set(fault, "the broker delivered more messages than were sent");
		}
		now_ns = clock_ns();
		for (int i = 0; i < came; i++, received++) {
			latency_add(latency, now_ns - begin_ns - (int64_t)(received * every_ns));
		}
	}
	return true;
}
