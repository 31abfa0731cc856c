/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * load: see load.h.
 *
 * Message i of a run is message i / N of publisher i % N. In a flood a publisher writes a batch of packets at once, so
 * that the generator is not the limit, and only when the window has room for a whole batch. At a fixed rate message i is
 * due i / rate seconds after the start, whatever became of those before it.
 *
 * A run is a sequence of turns: publish what is due and allowed, wait for epoll, handle its events. The clock is read
 * and the links' counts are added up once a turn.
 */
#include "load.h"
#include "clock.h"
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX  64
#define PAYLOAD_MAX 256
#define STALL_NS    (10 * SECOND_NS)

struct load {
	struct load_plan plan;
	int epoll_fd;
	int link_count;
	struct link *links; /* publishers first, then subscribers */

	uint64_t messages; /* of this run */
	int64_t start_ns;
	int64_t now_ns; /* at the start of this turn */
	uint64_t sent;  /* this and the next two: of all links together */
	uint64_t acknowledged;
	uint64_t received;
};

/* ---- publishing ---- */

/* When a publisher's message `number`, its first being 0, is due at a fixed rate. */
static int64_t due_ns(const struct load *load, const struct link *link, uint64_t number)
{
	uint64_t index = number * (uint64_t)load->plan.publishers + (uint64_t)(link - load->links);
	return load->start_ns + (int64_t)((double)index / load->plan.rate * (double)SECOND_NS);
}

static int64_t next_due_ns(const struct load *load, const struct link *link)
{
	return due_ns(load, link, link->sent);
}

static bool is_due(const struct load *load, const struct link *link)
{
	return link->sent < link->quota && (load->plan.rate <= 0 || next_due_ns(load, link) <= load->now_ns);
}

/* How many messages the window still lets this publisher send. */
static uint64_t window_left(const struct load *load, const struct link *link)
{
	uint64_t window = (uint64_t)load->plan.window;
	uint64_t left = UINT64_MAX;
	if (load->plan.qos > 0) {
		left = window - (link->sent - link->acknowledged);
	}
	if (load->plan.subscribers > 0) {
		uint64_t under_way = load->sent - load->received / (uint64_t)load->plan.subscribers;
		uint64_t window_of_all = window * (uint64_t)load->plan.publishers;
		uint64_t left_of_all = under_way < window_of_all ? window_of_all - under_way : 0;
		left = left_of_all < left ? left_of_all : left;
	}
	return left;
}

/* The least room in the window that is worth a write: in a flood a whole batch, or what is left of it. */
static uint64_t window_wanted(const struct load *load, const struct link *link)
{
	uint64_t batch = load->plan.rate > 0 ? 1 : (uint64_t)load->plan.batch;
	uint64_t left = link->quota - link->sent;
	return left < batch ? left : batch;
}

/* Publishes what is due and allowed, a batch at a time, until the socket takes no more. */
static bool load_publish(struct load *load, struct link *link, struct fault *fault)
{
	char payload[PAYLOAD_MAX];
	uint64_t publishers = (uint64_t)load->plan.publishers;
	while (link->out_len == 0 && is_due(load, link) && window_left(load, link) >= window_wanted(load, link)) {
		uint64_t room = window_left(load, link);
		for (int i = 0; i < load->plan.batch && room > 0 && is_due(load, link); i++, room--) {
			uint64_t index = link->sent * publishers + (uint64_t)(link - load->links);
			size_t len = load->plan.payload(index, payload, sizeof(payload));
			if (!link_put_publish(link, payload, len, load->plan.qos)) {
				break;
			}
			load->sent++;
		}
		if (!link_flush(link, fault)) {
			return false;
		}
	}
	return true;
}

/* ---- a run ---- */

static void load_count(struct load *load)
{
	load->now_ns = clock_ns();
	load->sent = load->acknowledged = load->received = 0;
	for (int i = 0; i < load->link_count; i++) {
		load->sent += load->links[i].sent;
		load->acknowledged += load->links[i].acknowledged;
		load->received += load->links[i].received;
	}
}

/* How long to wait for an event: until the next message is due. One that is due already waits for an event itself. */
static int64_t wait_ns(const struct load *load)
{
	int64_t wait = STALL_NS;
	for (int i = 0; load->plan.rate > 0 && i < load->plan.publishers; i++) {
		const struct link *link = &load->links[i];
		int64_t next_ns = next_due_ns(load, link);
		if (link->sent < link->quota && next_ns > load->now_ns && next_ns - load->now_ns < wait) {
			wait = next_ns - load->now_ns;
		}
	}
	return wait;
}

/* As epoll_wait; without sleep, if the plan says so. */
static int wait_for_events(const struct load *load, struct epoll_event *events, int64_t timeout_ns)
{
	struct timespec timeout = {.tv_sec = timeout_ns / SECOND_NS, .tv_nsec = timeout_ns % SECOND_NS};
	if (!load->plan.spin) {
		return epoll_pwait2(load->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
	}
	int64_t deadline_ns = clock_ns() + timeout_ns;
	int count;
	do {
		count = epoll_wait(load->epoll_fd, events, EVENTS_MAX, 0);
	} while (count == 0 && clock_ns() < deadline_ns);
	return count;
}

/* Tells of the PUBACKs that came since `before`. */
static void tell_acknowledged(const struct load *load, const struct link *link, uint64_t before)
{
	if (load->plan.acknowledged == NULL || load->plan.rate <= 0) {
		return;
	}
	int64_t now_ns = clock_ns();
	for (uint64_t number = before; number < link->acknowledged; number++) {
		load->plan.acknowledged(load->plan.context, due_ns(load, link, number), now_ns);
	}
}

/* Waits for events and handles them. */
static bool load_wait(struct load *load, int64_t timeout_ns, struct fault *fault)
{
	struct epoll_event events[EVENTS_MAX];
	int count = wait_for_events(load, events, timeout_ns);
	if (count < 0) {
		return fault_set(fault, "epoll_wait: %s", strerror(errno));
	}
	if (count == 0 && timeout_ns == STALL_NS) {
		return fault_set(fault, "no progress for 10 s: of %llu messages %llu sent, %llu acknowledged, %llu received",
		                 (unsigned long long)load->messages, (unsigned long long)load->sent,
		                 (unsigned long long)load->acknowledged, (unsigned long long)load->received);
	}
	for (int i = 0; i < count; i++) {
		struct link *link = events[i].data.ptr;
		if ((events[i].events & EPOLLOUT) != 0 && !link_flush(link, fault)) {
			return false;
		}
		uint64_t acknowledged = link->acknowledged;
		if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !link_read(link, fault)) {
			return false;
		}
		tell_acknowledged(load, link, acknowledged);
	}
	return true;
}

static bool all_arrived(const struct load *load)
{
	return load->sent == load->messages && (load->plan.qos == 0 || load->acknowledged == load->messages) &&
	       load->received == load->messages * (uint64_t)load->plan.subscribers;
}

/* Sends a PINGREQ behind everything on each link, and waits for all the answers. */
static bool load_fence(struct load *load, struct fault *fault)
{
	for (int i = 0; i < load->link_count; i++) {
		while (!link_put_ping(&load->links[i])) {
			if (!load_wait(load, STALL_NS, fault)) {
				return false;
			}
		}
		if (!link_flush(&load->links[i], fault)) {
			return false;
		}
	}
	for (int i = 0; i < load->link_count; i++) {
		while (!load->links[i].fenced) {
			if (!load_wait(load, STALL_NS, fault)) {
				return false;
			}
		}
	}
	return true;
}

static void load_begin(struct load *load, uint64_t messages)
{
	uint64_t publishers = (uint64_t)load->plan.publishers;
	load->messages = messages;
	for (int i = 0; i < load->link_count; i++) {
		uint64_t share = messages / publishers + ((uint64_t)i < messages % publishers ? 1 : 0);
		link_begin(&load->links[i], load->links[i].publisher ? share : messages);
	}
	load_count(load);
	load->start_ns = load->now_ns;
}

/* What has been sent is all. */
static void load_cut(struct load *load)
{
	load->messages = load->sent;
	for (int i = 0; i < load->link_count; i++) {
		load->links[i].quota = load->links[i].publisher ? load->links[i].sent : load->sent;
	}
}

bool load_run(struct load *load, uint64_t messages, struct load_result *result, struct fault *fault)
{
	load_begin(load, messages);
	while (!all_arrived(load)) {
		for (int i = 0; i < load->plan.publishers; i++) {
			if (!load_publish(load, &load->links[i], fault)) {
				return false;
			}
		}
		if (!all_arrived(load) && !load_wait(load, wait_ns(load), fault)) {
			return false;
		}
		load_count(load);
		if (load->plan.stop != NULL && atomic_load(load->plan.stop)) {
			load_cut(load);
		}
	}
	if (!load_fence(load, fault)) {
		return false;
	}
	*result = (struct load_result){
		.sent = load->sent,
		.acknowledged = load->acknowledged,
		.received = load->received,
		.duration_ns = clock_ns() - load->start_ns,
	};
	return true;
}

/* ---- opening and closing ---- */

struct load *load_open(const struct load_plan *plan, struct fault *fault)
{
	struct load *load = calloc(1, sizeof(*load));
	if (load == NULL) {
		fault_set(fault, "no memory");
		return NULL;
	}
	load->plan = *plan;
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	load->links = calloc((size_t)plan->publishers + (size_t)plan->subscribers, sizeof(*load->links));
	if (load->epoll_fd < 0 || load->links == NULL) {
		fault_set(fault, "cannot make room for the load's connections: %s", strerror(errno));
		goto fail;
	}
	while (load->link_count < plan->publishers + plan->subscribers) {
		char client_id[32];
		int number = load->link_count;
		struct link *link = &load->links[number];
		link->publisher = number < plan->publishers;
		link->topic_len = link->publisher ? plan->topic(number, link->topic, sizeof(link->topic)) : 0;
		snprintf(client_id, sizeof(client_id), "%s-%d", link->publisher ? "publisher" : "subscriber", number);
		load->link_count++;
		if (!link_open(link, load->epoll_fd, plan->port, client_id, plan->filter, plan->qos, fault)) {
			goto fail;
		}
	}
	return load;
fail:
	load_close(load);
	return NULL;
}

void load_close(struct load *load)
{
	if (load == NULL) {
		return;
	}
	for (int i = 0; i < load->link_count; i++) {
		link_close(&load->links[i]);
	}
	if (load->epoll_fd >= 0) {
		close(load->epoll_fd);
	}
	free(load->links);
	free(load);
}
