/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link: see link.h.
 *
 * Both buffers are linear. `out` is filled only while the socket has taken all of it before, except for the one PINGREQ
 * at the end of a run; `in` is moved to its front after each read, which moves at most one incomplete packet.
 */
#include "link.h"
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of the socket; small, so that the backlog in front of the broker is bounded. */
#define SEND_BUFFER_SIZE 65536

static uint16_t link_next_id(uint16_t id)
{
	return id == UINT16_MAX ? 1 : (uint16_t)(id + 1);
}

static bool link_ask(struct link *link, struct fault *fault)
{
	bool pending = link->out_len > link->out_sent;
	uint32_t wanted = (pending ? EPOLLOUT : 0U) | (link->publisher || !pending ? EPOLLIN : 0U);
	if (wanted == link->asked) {
		return true;
	}
	struct epoll_event event = {.events = wanted, .data.ptr = link};
	if (epoll_ctl(link->epoll_fd, link->asked == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, link->fd, &event) != 0) {
		return fault_set(fault, "epoll_ctl: %s", strerror(errno));
	}
	link->asked = wanted;
	return true;
}

bool link_open(struct link *link, int epoll_fd, int port, const char *client_id, const char *filter, int qos,
               struct fault *fault)
{
	return link_sign_in(link, epoll_fd, port, &(struct identity){.client_id = client_id}, filter, qos, fault);
}

bool link_sign_in(struct link *link, int epoll_fd, int port, const struct identity *who, const char *filter, int qos,
                  struct fault *fault)
{
	struct client client;
	int size = SEND_BUFFER_SIZE;
	link->epoll_fd = epoll_fd;
	link->fd = -1;
	if (!client_sign_in(&client, port, who, fault)) {
		return false;
	}
	if (!link->publisher && !client_subscribe(&client, filter, qos, fault)) {
		goto fail;
	}
	link->fd = client_release(&client);
	if (link->fd < 0) {
		fault_set(fault, "a message came before the load began: is one retained that matches %s?", filter);
		goto fail;
	}
	if (setsockopt(link->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0 ||
	    fcntl(link->fd, F_SETFL, O_NONBLOCK) != 0) {
		return fault_set(fault, "cannot set up a socket: %s", strerror(errno));
	}
	return link_ask(link, fault);
fail:
	client_close(&client);
	return false;
}

void link_begin(struct link *link, uint64_t quota)
{
	link->quota = quota;
	link->sent = link->acknowledged = link->received = 0;
	link->fenced = false;
}

bool link_put_publish(struct link *link, const void *payload, size_t payload_len, int qos)
{
	struct packet publish = {
		.qos = qos,
		.id = link_next_id(link->last_id),
		.topic = link->topic,
		.topic_len = link->topic_len,
		.payload = payload,
		.payload_len = payload_len,
	};
	size_t len = packet_put_publish(link->out + link->out_len, sizeof(link->out) - link->out_len, &publish);
	if (len == 0) {
		return false;
	}
	link->out_len += len;
	link->last_id = publish.id;
	link->sent++;
	return true;
}

bool link_put_ping(struct link *link)
{
	size_t len = packet_put_bare(link->out + link->out_len, sizeof(link->out) - link->out_len, PACKET_PINGREQ);
	link->out_len += len;
	return len > 0;
}

bool link_flush(struct link *link, struct fault *fault)
{
	while (link->out_sent < link->out_len) {
		ssize_t sent = send(link->fd, link->out + link->out_sent, link->out_len - link->out_sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0 && errno == EAGAIN) {
			break;
		}
		if (sent < 0) {
			return fault_set(fault, "send to the broker: %s", strerror(errno));
		}
		link->out_sent += (size_t)sent;
	}
	if (link->out_sent == link->out_len) {
		link->out_sent = link->out_len = 0;
	}
	return link_ask(link, fault);
}

static bool link_handle(struct link *link, const struct packet *packet, struct fault *fault)
{
	switch (packet->type) {
	case PACKET_PUBACK:
		if (link->acknowledged == link->sent) {
			return fault_set(fault, "the broker acknowledged more messages than were sent");
		}
		if (packet->id != link_next_id(link->acknowledged_id)) {
			return fault_set(fault, "the broker acknowledged messages in another order than they were sent");
		}
		link->acknowledged_id = packet->id;
		link->acknowledged++;
		return true;
	case PACKET_PUBLISH:
		if (link->publisher || link->received == link->quota) {
			return fault_set(fault, "the broker delivered more messages than were sent");
		}
		link->received++;
		if (packet->qos > 0) {
			link->out_len +=
				packet_put_puback(link->out + link->out_len, sizeof(link->out) - link->out_len, packet->id);
		}
		return true;
	case PACKET_PINGRESP:
		link->fenced = true;
		return true;
	default:
		return fault_set(fault, "the broker sent a packet of type %d", packet->type);
	}
}

bool link_read(struct link *link, struct fault *fault)
{
	ssize_t got = recv(link->fd, link->in + link->in_len, sizeof(link->in) - link->in_len, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return true;
	}
	if (got <= 0) {
		return fault_set(fault, "the broker closed a connection: %s", got == 0 ? "end of stream" : strerror(errno));
	}
	link->in_len += (size_t)got;

	size_t taken = 0;
	for (;;) {
		struct packet packet;
		ssize_t used = packet_take(link->in + taken, link->in_len - taken, &packet);
		if (used < 0) {
			return fault_set(fault, "the broker sent something that is not MQTT 3.1.1");
		}
		if (used == 0) {
			break;
		}
		if (!link_handle(link, &packet, fault)) {
			return false;
		}
		taken += (size_t)used;
	}
	link->in_len -= taken;
	memmove(link->in, link->in + taken, link->in_len);
	if (link->in_len == sizeof(link->in)) {
		return fault_set(fault, "the broker sent a packet of more than %d bytes", LINK_BUFFER_SIZE);
	}
	return link_flush(link, fault);
}

void link_close(struct link *link)
{
	if (link->fd < 0) {
		return;
	}
	/* A goodbye after half a packet would be read as part of it; then closing has to do. */
	struct fault ignored = {0};
	if (link->out_len == 0) {
		link->out_len = packet_put_bare(link->out, sizeof(link->out), PACKET_DISCONNECT);
		link_flush(link, &ignored);
	}
	close(link->fd);
	link->fd = -1;
}
