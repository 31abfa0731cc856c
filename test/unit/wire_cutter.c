/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See wire_cutter.h.
 *
 * A packet of the protocol is 3 bytes of length, the lowest first, 1 byte of number, and as many bytes as the length says.
 */
#include "wire_cutter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LATE_MS     15
#define PACKETS_MAX 4096
#define HEADER      4
#define CHUNK       4096

struct wire {
	uint64_t gone;   /* bytes since cutter_arm or cutter_watch */
	uint64_t packet; /* where the packet ends that has begun; 0: its header is not complete */
	uint8_t header[HEADER];
	size_t header_len;
	uint64_t ends[PACKETS_MAX];
	size_t end_count;
};

struct wire_cutter {
	pthread_t thread;
	pthread_mutex_t lock; /* over all that follows, up to the thread's own */
	struct wire wires[2];
	uint64_t cut_at;
	enum way cut_way;
	enum cut cut_how;
	bool armed, has_cut;
	bool connected;
	pthread_cond_t ended; /* connected is false */

	/* The thread's own. */
	int stop[2]; /* a pipe; closing its end stops the thread */
	int listener;
	int late; /* the server's side of what was cut; -1: none */
	int64_t late_until_ms;
	uint8_t held[CHUNK]; /* what is sent there in the end */
	size_t held_len;
	struct sockaddr_un server;
	char path[108];
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- counting ---- */

static void note_packets(struct wire *wire, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		wire->gone++;
		if (wire->header_len < HEADER) {
			wire->header[wire->header_len++] = bytes[i];
			if (wire->header_len < HEADER)
				continue;
			wire->packet =
				wire->gone + wire->header[0] + ((uint64_t)wire->header[1] << 8) + ((uint64_t)wire->header[2] << 16);
		}
		if (wire->gone == wire->packet) {
			if (wire->end_count < PACKETS_MAX)
				wire->ends[wire->end_count++] = wire->gone;
			wire->header_len = 0;
		}
	}
}

/* How many more bytes may go. */
static uint64_t room(struct wire_cutter *cutter, enum way way)
{
	uint64_t bytes = UINT64_MAX;

	pthread_mutex_lock(&cutter->lock);
	if (cutter->armed && cutter->cut_way == way)
		bytes = cutter->cut_at > cutter->wires[way].gone ? cutter->cut_at - cutter->wires[way].gone : 0;
	pthread_mutex_unlock(&cutter->lock);
	return bytes;
}

static void lock_when_idle(struct wire_cutter *cutter)
{
	pthread_mutex_lock(&cutter->lock);
	while (cutter->connected)
		pthread_cond_wait(&cutter->ended, &cutter->lock);
}

static void set(struct wire_cutter *cutter, bool armed, enum way way, uint64_t bytes, enum cut how)
{
	lock_when_idle(cutter);
	memset(cutter->wires, 0, sizeof(cutter->wires));
	cutter->armed = armed;
	cutter->has_cut = false;
	cutter->cut_way = way;
	cutter->cut_at = bytes;
	cutter->cut_how = how;
	pthread_mutex_unlock(&cutter->lock);
}

void cutter_arm(struct wire_cutter *cutter, enum way way, uint64_t bytes, enum cut how)
{
	set(cutter, true, way, bytes, how);
}

void cutter_watch(struct wire_cutter *cutter)
{
	set(cutter, false, TO_SERVER, 0, CUT_BOTH);
}

bool cutter_has_cut(struct wire_cutter *cutter)
{
	lock_when_idle(cutter);
	bool has_cut = cutter->has_cut;
	pthread_mutex_unlock(&cutter->lock);
	return has_cut;
}

size_t cutter_packets(struct wire_cutter *cutter, enum way way, const uint64_t **ends)
{
	lock_when_idle(cutter);
	*ends = cutter->wires[way].ends;
	size_t count = cutter->wires[way].end_count;
	pthread_mutex_unlock(&cutter->lock);
	return count;
}

/* ---- carrying ---- */

static void send_all(int to, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		const ssize_t put = send(to, bytes, len, MSG_NOSIGNAL);

		if (put < 0) /* its other end sees that, too */
			return;
		bytes += put;
		len -= (size_t)put;
	}
}

static void end_late(struct wire_cutter *cutter)
{
	if (cutter->late >= 0) {
		send_all(cutter->late, cutter->held, cutter->held_len);
		close(cutter->late);
	}
	cutter->late = -1;
	cutter->held_len = 0;
}

/* Waits for the first of three to be readable (-1 is none); false if it has to stop. */
static bool wait_for(struct wire_cutter *cutter, struct pollfd fds[3])
{
	do {
		const int64_t left = cutter->late_until_ms - monotonic_ms();

		if (left <= 0)
			end_late(cutter);
		poll(fds, 3, cutter->late >= 0 ? (int)left : -1);
	} while (!fds[0].revents && !fds[1].revents && !fds[2].revents);
	return !fds[2].revents;
}

/* What is to arrive late. */
static bool is_held(struct wire_cutter *cutter, enum way way)
{
	pthread_mutex_lock(&cutter->lock);
	const bool held = cutter->armed && cutter->cut_how == CUT_LATE && cutter->cut_way == way &&
	                  cutter->wires[way].gone >= cutter->cut_at;
	pthread_mutex_unlock(&cutter->lock);
	return held;
}

/* Carries what is there; false: the connection has to end. */
static bool carry(struct wire_cutter *cutter, enum way way, int from, int to)
{
	uint8_t bytes[CHUNK];
	const uint64_t may = room(cutter, way);
	const ssize_t got = read(from, bytes, may < sizeof(bytes) ? may : sizeof(bytes));

	if (got <= 0)
		return false;
	/* Counted first: who has what was sent may ask at once. */
	pthread_mutex_lock(&cutter->lock);
	note_packets(&cutter->wires[way], bytes, (size_t)got);
	pthread_mutex_unlock(&cutter->lock);
	if (is_held(cutter, way)) {
		memcpy(cutter->held, bytes, (size_t)got);
		cutter->held_len = (size_t)got;
	} else {
		send_all(to, bytes, (size_t)got);
	}
	return true;
}

static bool is_at_cut(struct wire_cutter *cutter)
{
	return room(cutter, TO_SERVER) == 0 || room(cutter, TO_CLIENT) == 0;
}

static void cut(struct wire_cutter *cutter, int server)
{
	pthread_mutex_lock(&cutter->lock);
	const enum cut how = cutter->cut_how;
	cutter->armed = false;
	cutter->has_cut = true;
	pthread_mutex_unlock(&cutter->lock);
	if (how == CUT_BOTH) {
		close(server);
		return;
	}
	cutter->late = server;
	cutter->late_until_ms = monotonic_ms() + LATE_MS;
}

static void set_connected(struct wire_cutter *cutter, bool connected)
{
	pthread_mutex_lock(&cutter->lock);
	cutter->connected = connected;
	pthread_cond_broadcast(&cutter->ended);
	pthread_mutex_unlock(&cutter->lock);
}

/* One connection from its begin to its end; false if the thread has to stop. */
static bool serve(struct wire_cutter *cutter, int client)
{
	bool going = true, connected = true;
	const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd fds[3] = {
		{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}, {.fd = cutter->stop[0], .events = POLLIN}};

	if (server < 0 || connect(server, (const struct sockaddr *)&cutter->server, sizeof(cutter->server)) != 0)
		connected = false;
	while (connected && !is_at_cut(cutter)) {
		going = wait_for(cutter, fds);
		if (!going || (fds[0].revents && !carry(cutter, TO_SERVER, client, server)) || is_at_cut(cutter) ||
		    (fds[1].revents && !carry(cutter, TO_CLIENT, server, client)))
			break;
	}
	if (connected && is_at_cut(cutter))
		cut(cutter, server);
	else if (server >= 0)
		close(server);
	close(client);
	return going;
}

static void *cutter_main(void *argument)
{
	struct wire_cutter *cutter = argument;
	bool going = true;

	while (going) {
		struct pollfd fds[3] = {
			{.fd = cutter->listener, .events = POLLIN}, {.fd = -1}, {.fd = cutter->stop[0], .events = POLLIN}};

		going = wait_for(cutter, fds);
		const int client = going ? accept4(cutter->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (client < 0)
			continue;
		set_connected(cutter, true);
		going = serve(cutter, client);
		set_connected(cutter, false);
	}
	end_late(cutter);
	return NULL;
}

/* ---- begin and end ---- */

struct wire_cutter *cutter_new(const char *path, const char *server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct wire_cutter *cutter = calloc(1, sizeof(*cutter));

	if (cutter == NULL)
		return NULL;
	cutter->late = -1;
	cutter->server.sun_family = AF_UNIX;
	snprintf(cutter->server.sun_path, sizeof(cutter->server.sun_path), "%s", server);
	snprintf(cutter->path, sizeof(cutter->path), "%s", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	pthread_mutex_init(&cutter->lock, NULL);
	pthread_cond_init(&cutter->ended, NULL);
	cutter->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (cutter->listener < 0)
		goto fail;
	if (pipe(cutter->stop) != 0)
		goto fail_listener;
	if (bind(cutter->listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(cutter->listener, 8) == 0 &&
	    pthread_create(&cutter->thread, NULL, cutter_main, cutter) == 0)
		return cutter;
	close(cutter->stop[0]);
	close(cutter->stop[1]);
fail_listener:
	close(cutter->listener);
fail:
	pthread_cond_destroy(&cutter->ended);
	pthread_mutex_destroy(&cutter->lock);
	free(cutter);
	return NULL;
}

void cutter_free(struct wire_cutter *cutter)
{
	if (cutter == NULL)
		return;
	close(cutter->stop[1]);
	pthread_join(cutter->thread, NULL);
	close(cutter->stop[0]);
	close(cutter->listener);
	unlink(cutter->path);
	pthread_cond_destroy(&cutter->ended);
	pthread_mutex_destroy(&cutter->lock);
	free(cutter);
}
