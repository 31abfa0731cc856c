/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_attempts: see sign_in_attempts.h.
 *
 * A slot is an attempt under way: connecting, then waiting for the CONNACK. Attempts are closed with a reset (SO_LINGER of 0),
 * so that thousands leave no ports in TIME_WAIT.
 */
#include "sign_in_attempts.h"
#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 128
#define STALL_NS   (20 * SECOND_NS)
#define LATE_NS    (SECOND_NS / 10)
#define LOOK_NS    (SECOND_NS / 100) /* most time between two looks at `stop` */

struct slot {
	int fd; /* -1: free */
	size_t in_len;
	size_t out_len, out_sent;
	uint8_t in[16]; /* a CONNACK has 4 bytes */
	uint8_t out[256];
};

struct attempts {
	const struct attempts_plan *plan;
	struct attempts_result *result;
	int epoll_fd;
	int under_way;
	int kept_count;
	int *kept; /* sockets of those who were let in */
	struct slot *slots;
	int64_t begin_ns;
};

static bool socket_begin(struct slot *slot, const struct attempt *attempt, int port)
{
	int on = 1;
	struct linger reset = {.l_onoff = 1};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(attempt->address)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return slot->fd >= 0 && setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0 &&
	       setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	       (attempt->address == 0 || bind(slot->fd, (struct sockaddr *)&from, sizeof(from)) == 0) &&
	       (connect(slot->fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS);
}

static bool attempt_begin(struct attempts *attempts, struct slot *slot, struct fault *fault)
{
	struct attempt attempt = {0};
	attempts->plan->make(attempts->plan->context, attempts->result->begun, &attempt);
	const struct identity who = {.client_id = attempt.client_id, .user = attempt.user, .password = attempt.password};
	*slot = (struct slot){.fd = -1};
	slot->out_len = packet_put_connect(slot->out, sizeof(slot->out), &who);
	struct epoll_event event = {.events = EPOLLOUT | EPOLLIN, .data.ptr = slot};
	if (!socket_begin(slot, &attempt, attempts->plan->port) ||
	    epoll_ctl(attempts->epoll_fd, EPOLL_CTL_ADD, slot->fd, &event) != 0) {
		return fault_set(fault, "cannot connect: %s", strerror(errno));
	}
	attempts->under_way++;
	attempts->result->begun++;
	return true;
}

static void attempt_end(struct attempts *attempts, struct slot *slot, bool keep)
{
	if (keep) {
		epoll_ctl(attempts->epoll_fd, EPOLL_CTL_DEL, slot->fd, NULL);
		attempts->kept[attempts->kept_count++] = slot->fd;
	} else {
		close(slot->fd);
	}
	slot->fd = -1;
	attempts->under_way--;
	attempts->result->duration_ns = clock_ns() - attempts->begin_ns;
}

static bool slot_write(struct attempts *attempts, struct slot *slot, struct fault *fault)
{
	ssize_t sent = send(slot->fd, slot->out + slot->out_sent, slot->out_len - slot->out_sent, MSG_NOSIGNAL);
	if (sent > 0) {
		slot->out_sent += (size_t)sent;
	}
	if (slot->out_sent < slot->out_len) {
		return true; /* an error shows when it is read */
	}
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
	return epoll_ctl(attempts->epoll_fd, EPOLL_CTL_MOD, slot->fd, &event) == 0 ||
	       fault_set(fault, "epoll_ctl: %s", strerror(errno));
}

static bool slot_read(struct attempts *attempts, struct slot *slot, struct fault *fault)
{
	struct packet answer;
	ssize_t got = recv(slot->fd, slot->in + slot->in_len, sizeof(slot->in) - slot->in_len, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return true;
	}
	if (got <= 0) {
		attempts->result->dropped++;
		attempt_end(attempts, slot, false);
		return true;
	}
	slot->in_len += (size_t)got;
	ssize_t used = packet_take(slot->in, slot->in_len, &answer);
	if (used < 0 || (used > 0 && answer.type != PACKET_CONNACK)) {
		return fault_set(fault, "the broker answered a sign-in with something else than a CONNACK");
	}
	if (used > 0) {
		bool accepted = answer.code == 0;
		attempts->result->accepted += accepted;
		attempts->result->refused += !accepted;
		attempt_end(attempts, slot, accepted && attempts->plan->keep);
	}
	return true;
}

static struct slot *free_slot(struct attempts *attempts)
{
	int i = 0;
	while (i < attempts->plan->at_once && attempts->slots[i].fd >= 0) {
		i++;
	}
	return i < attempts->plan->at_once ? &attempts->slots[i] : NULL;
}

static int64_t next_due_ns(const struct attempts *attempts)
{
	double rate = attempts->plan->rate;
	return rate > 0 ? attempts->begin_ns + (int64_t)(attempts->result->begun / rate * (double)SECOND_NS) : 0;
}

static bool may_begin(const struct attempts *attempts)
{
	const struct attempts_plan *plan = attempts->plan;
	return attempts->result->begun < plan->count && (plan->stop == NULL || !atomic_load(plan->stop));
}

static bool begin_due(struct attempts *attempts, struct fault *fault)
{
	while (may_begin(attempts) && next_due_ns(attempts) <= clock_ns()) {
		struct slot *slot = free_slot(attempts);
		if (slot == NULL) {
			return true;
		}
		attempts->result->late += attempts->plan->rate > 0 && clock_ns() - next_due_ns(attempts) > LATE_NS;
		if (!attempt_begin(attempts, slot, fault)) {
			return false;
		}
	}
	return true;
}

static bool handle_events(struct attempts *attempts, struct fault *fault)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t wait_ns = next_due_ns(attempts) - clock_ns();
	wait_ns = wait_ns <= 0 || wait_ns > LOOK_NS ? LOOK_NS : wait_ns;
	const struct timespec timeout = {.tv_nsec = wait_ns};
	int count = epoll_pwait2(attempts->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
	if (count < 0 && errno != EINTR) {
		return fault_set(fault, "epoll_wait: %s", strerror(errno));
	}
	for (int i = 0; i < count; i++) {
		struct slot *slot = events[i].data.ptr;
		bool writable = (events[i].events & EPOLLOUT) != 0 && slot->out_sent < slot->out_len;
		if (writable && !slot_write(attempts, slot, fault)) {
			return false;
		}
		if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !slot_read(attempts, slot, fault)) {
			return false;
		}
	}
	return true;
}

static bool attempts_go(struct attempts *attempts, struct fault *fault)
{
	int64_t answered_ns = clock_ns();
	int before = 0;
	while (may_begin(attempts) || attempts->under_way > 0) {
		if (!begin_due(attempts, fault) || !handle_events(attempts, fault)) {
			return false;
		}
		int answered = attempts->result->begun - attempts->under_way;
		if (answered != before || attempts->under_way == 0) {
			before = answered;
			answered_ns = clock_ns();
		}
		if (clock_ns() - answered_ns > STALL_NS) {
			return fault_set(fault, "no sign-in was answered for 20 s, %d wait", attempts->under_way);
		}
	}
	return true;
}

bool attempts_run(const struct attempts_plan *plan, struct attempts_result *result, struct fault *fault)
{
	struct attempts attempts = {
		.plan = plan,
		.result = result,
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
		.kept = calloc((size_t)plan->count, sizeof(*attempts.kept)),
		.slots = calloc((size_t)plan->at_once, sizeof(*attempts.slots)),
		.begin_ns = clock_ns(),
	};
	*result = (struct attempts_result){0};
	bool done = attempts.epoll_fd >= 0 && attempts.kept != NULL && attempts.slots != NULL;
	if (!done) {
		fault_set(fault, "cannot make room for %d connections", plan->count);
		goto out;
	}
	for (int i = 0; i < plan->at_once; i++) {
		attempts.slots[i].fd = -1;
	}
	done = attempts_go(&attempts, fault);
	for (int i = 0; i < plan->at_once; i++) {
		if (attempts.slots[i].fd >= 0) {
			close(attempts.slots[i].fd);
		}
	}
	for (int i = 0; i < attempts.kept_count; i++) {
		close(attempts.kept[i]);
	}
out:
	if (attempts.epoll_fd >= 0) {
		close(attempts.epoll_fd);
	}
	free(attempts.kept);
	free(attempts.slots);
	return done;
}
