/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_crowd: see acl_crowd.h.
 *
 * A publisher has at most WINDOW messages under way: not acknowledged, or not received by its follower. Without a follower
 * and with QoS 0 nothing comes back: then a PINGREQ at the end, which the broker answers after all that came before it,
 * says that it has consumed everything.
 */
#include "acl_crowd.h"
#include "clock.h"
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define WINDOW     8
#define BATCH      4
#define STALL_NS   (10 * SECOND_NS)

struct acl_crowd {
	struct acl_crowd_plan plan;
	int epoll_fd;
	int link_count;
	struct link *links; /* publishers, then their followers in the same order */
};

static bool is_fenced(const struct acl_crowd *crowd)
{
	return !crowd->plan.followed && crowd->plan.qos == 0;
}

/* Messages of a publisher that have not come through. */
static uint64_t under_way(const struct acl_crowd *crowd, int n)
{
	const struct link *link = &crowd->links[n];
	uint64_t through = link->sent;
	if (crowd->plan.qos > 0) {
		through = link->acknowledged;
	}
	if (crowd->plan.followed) {
		uint64_t received = crowd->links[crowd->plan.publishers + n].received;
		through = received < through ? received : through;
	}
	return link->sent - through;
}

static bool put_batch(const struct acl_crowd *crowd, struct link *link)
{
	for (int i = 0; i < BATCH && link->sent < link->quota; i++) {
		if (!link_put_publish(link, "23.5", 4, crowd->plan.qos)) {
			return false;
		}
	}
	return link->sent < link->quota || !is_fenced(crowd) || link_put_ping(link);
}

/* Publishes what the window allows, until the socket takes no more. */
static bool publish(struct acl_crowd *crowd, int n, struct fault *fault)
{
	struct link *link = &crowd->links[n];
	while (link->sent < link->quota && link->out_len == 0 && under_way(crowd, n) + BATCH <= WINDOW) {
		if (!put_batch(crowd, link)) {
			return fault_set(fault, "a batch does not fit into a buffer");
		}
		if (!link_flush(link, fault)) {
			return false;
		}
	}
	return true;
}

static bool is_done(const struct acl_crowd *crowd, int n)
{
	const struct link *link = &crowd->links[n];
	return link->sent == link->quota && under_way(crowd, n) == 0 && (!is_fenced(crowd) || link->fenced);
}

/* Waits for events and handles them. */
static bool handle_events(const struct acl_crowd *crowd, struct fault *fault)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t deadline_ns = clock_ns() + STALL_NS;
	int count;
	do {
		count = epoll_wait(crowd->epoll_fd, events, EVENTS_MAX, crowd->plan.spin ? 0 : 1000);
		if (count < 0 && errno != EINTR) {
			return fault_set(fault, "epoll_wait: %s", strerror(errno));
		}
		if (count == 0 && clock_ns() > deadline_ns) {
			return fault_set(fault, "no progress for 10 s: is somebody denied something?");
		}
	} while (count <= 0);
	for (int i = 0; i < count; i++) {
		struct link *link = events[i].data.ptr;
		if ((events[i].events & EPOLLOUT) != 0 && !link_flush(link, fault)) {
			return false;
		}
		if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !link_read(link, fault)) {
			return false;
		}
	}
	return true;
}

bool acl_crowd_run(struct acl_crowd *crowd, uint64_t messages_each, struct fault *fault)
{
	for (int i = 0; i < crowd->link_count; i++) {
		link_begin(&crowd->links[i], messages_each);
	}
	for (;;) {
		bool done = true;
		for (int n = 0; n < crowd->plan.publishers; n++) {
			if (!publish(crowd, n, fault)) {
				return false;
			}
			done = done && is_done(crowd, n);
		}
		if (done) {
			return true;
		}
		if (!handle_events(crowd, fault)) {
			return false;
		}
	}
}

/* ---- opening and closing ---- */

static bool open_next(struct acl_crowd *crowd, struct fault *fault)
{
	const struct acl_crowd_plan *plan = &crowd->plan;
	int number = crowd->link_count;
	struct link *link = &crowd->links[number];
	struct acl_member member;
	char client_id[200];
	link->publisher = number < plan->publishers;
	if (link->publisher) {
		plan->publisher(plan->context, number, &member);
		link->topic_len = (size_t)snprintf(link->topic, sizeof(link->topic), "%s", member.topic);
	} else {
		plan->follower(plan->context, number - plan->publishers, &member);
	}
	snprintf(client_id, sizeof(client_id), "%s-%s-%s", plan->name, link->publisher ? "publisher" : "follower",
	         member.user);
	crowd->link_count++;
	const struct identity who = {.client_id = client_id, .user = member.user, .password = plan->password};
	return link_sign_in(link, crowd->epoll_fd, plan->port, &who, member.topic, plan->qos, fault);
}

struct acl_crowd *acl_crowd_open(const struct acl_crowd_plan *plan, struct fault *fault)
{
	struct acl_crowd *crowd = calloc(1, sizeof(*crowd));
	int wanted = plan->publishers * (plan->followed ? 2 : 1);
	if (crowd == NULL) {
		fault_set(fault, "no memory");
		return NULL;
	}
	crowd->plan = *plan;
	crowd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	crowd->links = calloc((size_t)wanted, sizeof(*crowd->links));
	if (crowd->epoll_fd < 0 || crowd->links == NULL) {
		fault_set(fault, "cannot make room for the crowd's connections: %s", strerror(errno));
		goto fail;
	}
	while (crowd->link_count < wanted) {
		if (!open_next(crowd, fault)) {
			goto fail;
		}
	}
	return crowd;
fail:
	acl_crowd_close(crowd);
	return NULL;
}

void acl_crowd_close(struct acl_crowd *crowd)
{
	if (crowd == NULL) {
		return;
	}
	for (int i = 0; i < crowd->link_count; i++) {
		link_close(&crowd->links[i]);
	}
	if (crowd->epoll_fd >= 0) {
		close(crowd->epoll_fd);
	}
	free(crowd->links);
	free(crowd);
}
