/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_siege: see sign_in_siege.h.
 *
 * The guesses have a thread of their own. On a small machine that shares a CPU with the pair, which would then notice the
 * generator and not the broker; and whatever else the machine does would be noticed too. So the pair's thread and the broker's
 * main thread go before all others, where the system allows that; what that thread does itself still delays what waits
 * for it.
 */
#include "sign_in_siege.h"
#include "clock.h"
#include "progress.h"
#include "sign_in_pair.h"

#include <pthread.h>
#include <sched.h>

#define AT_ONCE 512 /* guesses under way */

struct guesser {
	const struct siege_plan *plan;
	struct attempts_plan attempts;
	struct attempts_result result;
	atomic_bool stop;
	bool done;
	struct fault fault;
};

static void make_guess(const void *context, int n, struct attempt *out)
{
	const struct siege_plan *plan = context;
	sign_in_house_guess(plan->house, n, plan->addresses, out);
}

static void *guess_main(void *context)
{
	struct guesser *guesser = context;
	guesser->done = attempts_run(&guesser->attempts, &guesser->result, &guesser->fault);
	return NULL;
}

/* The calling thread goes before those that do not. */
static void go_first(bool first)
{
	const struct sched_param parameters = {.sched_priority = first ? sched_get_priority_min(SCHED_FIFO) : 0};
	sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &parameters);
}

static bool measure_phase(const struct siege_plan *plan, struct server *server, struct pair *pair,
                          enum siege_phase phase, struct siege *out, struct fault *fault)
{
	struct server_cpu before;
	struct server_cpu after;
	int64_t begin_ns = clock_ns();
	if (!server_cpu_read(server, &before, fault)) {
		return false;
	}
	go_first(true);
	bool done = pair_run(pair, plan->rate * plan->seconds, plan->rate, NULL, &out->latency[phase], fault);
	go_first(false);
	if (!done || !server_cpu_read(server, &after, fault)) {
		return server_fault_add(server, fault);
	}
	out->cpu_share[phase] = (double)(after.main_ns - before.main_ns) / (double)(clock_ns() - begin_ns);
	return true;
}

static bool lay_siege(const struct siege_plan *plan, struct server *server, struct pair *pair, struct siege *out,
                      struct fault *fault)
{
	pthread_t thread;
	struct guesser guesser = {.plan = plan};
	atomic_init(&guesser.stop, false);
	guesser.attempts = (struct attempts_plan){
		.port = server->port,
		.count = plan->guess_rate * plan->seconds * 4, /* it is stopped before */
		.rate = plan->guess_rate,
		.at_once = AT_ONCE,
		.make = make_guess,
		.context = plan,
		.stop = &guesser.stop,
	};
	if (pthread_create(&thread, NULL, guess_main, &guesser) != 0) {
		return fault_set(fault, "cannot start a thread");
	}
	bool done = measure_phase(plan, server, pair, SIEGE_WAR, out, fault);
	atomic_store(&guesser.stop, true);
	pthread_join(thread, NULL);
	out->guesses = guesser.result;
	if (done && !guesser.done) {
		*fault = guesser.fault;
	}
	if (done && guesser.done && guesser.result.accepted > 0) {
		return fault_set(fault, "%d wrong passwords were accepted", guesser.result.accepted);
	}
	return done && guesser.done;
}

bool sign_in_siege_measure(const struct siege_plan *plan, struct siege *out, struct fault *fault)
{
	struct server server;
	*out = (struct siege){0};
	if (!progress_show("a siege from %d addresses: %s", plan->addresses, DOOR_NAMES[plan->door])) {
		return fault_set(fault, "stopped");
	}
	if (!sign_in_house_start(plan->house, plan->door, &server, fault)) {
		return false;
	}
	server_go_first(&server);
	struct pair *pair =
		pair_open(server.port, HOUSE_PAIR, sign_in_house_password(plan->house, plan->door), HOUSE_PAIR_TOPIC, fault);
	struct latency warm_up = {0};
	bool done = pair != NULL && server_settle(&server, fault) &&
	            pair_run(pair, plan->rate, plan->rate, NULL, &warm_up, fault) &&
	            measure_phase(plan, &server, pair, SIEGE_PEACE, out, fault) &&
	            lay_siege(plan, &server, pair, out, fault);
	pair_close(pair);
	server_remove(&server);
	return done || fault_add(fault, DOOR_NAMES[plan->door]);
}
