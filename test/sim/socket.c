/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * socket: a state machine over one file descriptor that is polled, never waited for.
 *
 * What is sent while nothing passes is kept, up to what a small module has room for; whoever sends asks for that room first.
 * Descriptors that were abandoned stay open, so that their peers see no end, until newer ones take their place: those are
 * then reset, as a module that has forgotten a connection answers its peer's segments.
 */
#include "socket.h"

#include "bytes.h"

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

#define KEPT          8192
#define ABANDONED_MAX 8
#define REMEMBERED    32

/* A handshake that nobody answers is given up. */
#define CONNECT_TIMEOUT_US 5000000

struct socket {
	enum socket_state state;
	int fd;
	bool stalled, awaits;
	unsigned question; /* counts what was sent */
	uint64_t begun;
	uint64_t longest_gap; /* of all connections, since it was asked for */
	struct sockaddr_in peer;
	struct bytes kept;
	uint8_t kept_array[KEPT];
	int abandoned[ABANDONED_MAX];
	unsigned abandonments;
	struct socket_traffic traffic[REMEMBERED];
	unsigned connections;
};

struct socket *socket_new(void)
{
	struct socket *tcp = calloc(1, sizeof *tcp);

	if (!tcp)
		return NULL;
	tcp->fd = -1;
	for (unsigned i = 0; i < ABANDONED_MAX; i++)
		tcp->abandoned[i] = -1;
	bytes_init(&tcp->kept, tcp->kept_array, sizeof tcp->kept_array);
	return tcp;
}

void socket_free(struct socket *tcp)
{
	if (!tcp)
		return;
	if (tcp->fd >= 0)
		close(tcp->fd);
	for (unsigned i = 0; i < ABANDONED_MAX; i++)
		if (tcp->abandoned[i] >= 0)
			close(tcp->abandoned[i]);
	free(tcp);
}

static struct socket_traffic *current(struct socket *tcp)
{
	return &tcp->traffic[(tcp->connections - 1) % REMEMBERED];
}

static void note_gap(struct socket *tcp, uint64_t now)
{
	struct socket_traffic *traffic = current(tcp);
	const uint64_t gap = now - traffic->last_sent;

	if (gap > traffic->longest_gap)
		traffic->longest_gap = gap;
	if (gap > tcp->longest_gap)
		tcp->longest_gap = gap;
}

/* To SOCKET_CLOSED, with the descriptor already given away. */
static void end(struct socket *tcp, uint64_t now)
{
	if (tcp->state == SOCKET_OPEN) {
		note_gap(tcp, now);
		current(tcp)->closed = now;
	}
	tcp->fd = -1;
	tcp->state = SOCKET_CLOSED;
	tcp->awaits = false;
	bytes_clear(&tcp->kept);
}

void socket_close(struct socket *tcp, uint64_t now)
{
	if (tcp->stalled) {
		socket_abandon(tcp, now);
		return;
	}
	if (tcp->fd >= 0)
		close(tcp->fd);
	end(tcp, now);
}

static void reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(fd);
}

void socket_abandon(struct socket *tcp, uint64_t now)
{
	if (tcp->fd >= 0) {
		int *place = &tcp->abandoned[tcp->abandonments++ % ABANDONED_MAX];

		if (*place >= 0)
			reset(*place);
		*place = tcp->fd;
	}
	end(tcp, now);
}

void socket_stall(struct socket *tcp, bool stalled)
{
	tcp->stalled = stalled;
}

static bool is_loopback(const char *ip, struct in_addr *address)
{
	return inet_pton(AF_INET, ip, address) == 1 && (ntohl(address->s_addr) >> 24) == 127;
}

/* The kernel's own handshake; only now, so that one that is stalled does not reach the peer. */
static void begin_connecting(struct socket *tcp, uint64_t now)
{
	const int on = 1;

	tcp->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (tcp->fd < 0) {
		end(tcp, now);
		return;
	}
	setsockopt(tcp->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(tcp->fd, (const struct sockaddr *)&tcp->peer, sizeof tcp->peer) && errno != EINPROGRESS)
		socket_close(tcp, now);
}

void socket_open(struct socket *tcp, const char *ip, uint16_t port, uint64_t now)
{
	socket_close(tcp, now);
	tcp->peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	if (!port || !is_loopback(ip, &tcp->peer.sin_addr))
		return;
	tcp->state = SOCKET_CONNECTING;
	tcp->question++;
	tcp->begun = now;
	if (!tcp->stalled)
		begin_connecting(tcp, now);
}

static void connected(struct socket *tcp, uint64_t now)
{
	struct socket_traffic *traffic;
	char ip[INET_ADDRSTRLEN];

	tcp->connections++;
	traffic = current(tcp);
	*traffic = (struct socket_traffic){.opened = now, .last_sent = now};
	inet_ntop(AF_INET, &tcp->peer.sin_addr, ip, sizeof ip);
	snprintf(traffic->peer, sizeof traffic->peer, "%s %u", ip, ntohs(tcp->peer.sin_port));
	tcp->state = SOCKET_OPEN;
}

static void poll_connecting(struct socket *tcp, uint64_t now)
{
	struct pollfd look = {.fd = tcp->fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof error;

	if (now - tcp->begun >= CONNECT_TIMEOUT_US) {
		socket_close(tcp, now);
		return;
	}
	if (tcp->stalled)
		return;
	if (tcp->fd < 0) {
		begin_connecting(tcp, now);
		return;
	}
	if (poll(&look, 1, 0) != 1)
		return;
	if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &size) || error)
		socket_close(tcp, now);
	else
		connected(tcp, now);
}

/* Hands the kernel what it takes of what is kept. An error is seen when receiving. */
static void flush(struct socket *tcp)
{
	while (tcp->kept.count) {
		const size_t run = tcp->kept.capacity - tcp->kept.first;
		const size_t length = tcp->kept.count < run ? tcp->kept.count : run;
		const ssize_t sent = send(tcp->fd, tcp->kept.array + tcp->kept.first, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		tcp->kept.first = (tcp->kept.first + (size_t)sent) % tcp->kept.capacity;
		tcp->kept.count -= (size_t)sent;
		tcp->awaits = true;
		tcp->question++;
	}
}

enum socket_state socket_poll(struct socket *tcp, uint64_t now)
{
	if (tcp->state == SOCKET_CONNECTING)
		poll_connecting(tcp, now);
	if (tcp->state == SOCKET_OPEN && !tcp->stalled && tcp->kept.count)
		flush(tcp);
	return tcp->state;
}

size_t socket_room(const struct socket *tcp)
{
	return bytes_room(&tcp->kept);
}

void socket_send(struct socket *tcp, const uint8_t *bytes, size_t length, uint64_t now)
{
	if (tcp->state != SOCKET_OPEN || !length)
		return;
	note_gap(tcp, now);
	current(tcp)->last_sent = now;
	current(tcp)->sent += length;
	for (size_t i = 0; i < length; i++)
		bytes_put(&tcp->kept, bytes[i]);
	if (!tcp->stalled)
		flush(tcp);
}

size_t socket_receive(struct socket *tcp, uint8_t *bytes, size_t size, uint64_t now)
{
	ssize_t got;

	if (tcp->state != SOCKET_OPEN || tcp->stalled)
		return 0;
	got = recv(tcp->fd, bytes, size, 0);
	if (got > 0) {
		tcp->awaits = false;
		current(tcp)->received += (size_t)got;
		return (size_t)got;
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		socket_close(tcp, now);
	return 0;
}

unsigned socket_awaited(const struct socket *tcp)
{
	return tcp->awaits || tcp->state == SOCKET_CONNECTING ? tcp->question : 0;
}

uint64_t socket_longest_gap(struct socket *tcp, uint64_t now)
{
	uint64_t longest;

	if (tcp->state == SOCKET_OPEN)
		note_gap(tcp, now);
	longest = tcp->longest_gap;
	tcp->longest_gap = 0;
	return longest;
}

const struct socket_traffic *socket_traffic(const struct socket *tcp, unsigned index)
{
	if (index >= tcp->connections || index >= REMEMBERED)
		return NULL;
	return &tcp->traffic[(tcp->connections - 1 - index) % REMEMBERED];
}
