/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_storm: see sign_in_storm.h.
 */
#include "sign_in_storm.h"
#include "clock.h"
#include "progress.h"

struct visit {
	const struct sign_in_house *house;
	enum sign_in_door door;
};

static void make_device(const void *context, int n, struct attempt *out)
{
	const struct visit *visit = context;
	sign_in_house_device(visit->house, visit->door, n, out);
}

static bool come_back(const struct visit *visit, struct server *server, int at_once, int round, struct storm *out,
                      struct fault *fault)
{
	const struct attempts_plan plan = {
		.port = server->port,
		.count = visit->house->devices,
		.at_once = at_once,
		.keep = true,
		.make = make_device,
		.context = visit,
	};
	struct attempts_result result;
	struct server_cpu before;
	struct server_cpu after;
	if (!server_settle(server, fault) || !server_cpu_read(server, &before, fault)) {
		return false;
	}
	if (!attempts_run(&plan, &result, fault)) {
		return server_fault_add(server, fault);
	}
	if (result.accepted != visit->house->devices) {
		return fault_set(fault, "of %d devices %d were refused and %d dropped", visit->house->devices, result.refused,
		                 result.dropped);
	}
	if (!server_cpu_read(server, &after, fault)) {
		return false;
	}
	out->in_ms[visit->door][round] = (double)result.duration_ns / 1e6;
	out->cpu_ms[visit->door][round] = (double)(after.main_ns - before.main_ns) / 1e6;
	return true;
}

static bool measure_door(const struct visit *visit, int at_once, int round, struct storm *out, struct fault *fault)
{
	struct server server;
	int64_t begin_ns = clock_ns();
	if (!sign_in_house_start(visit->house, visit->door, &server, fault)) {
		return false;
	}
	out->start_ms[visit->door][round] = (double)(clock_ns() - begin_ns) / 1e6;
	server_version(&server, out->mosquitto_version, sizeof(out->mosquitto_version));
	bool done = come_back(visit, &server, at_once, round, out, fault) && server_stop(&server, fault);
	server_remove(&server);
	return done || fault_add(fault, DOOR_NAMES[visit->door]);
}

bool sign_in_storm_measure(const struct sign_in_house *house, int rounds, int at_once, struct storm *out,
                           struct fault *fault)
{
	*out = (struct storm){.rounds = rounds};
	for (int round = 0; round < rounds; round++) {
		if (!progress_show("all come back: round %d", round + 1)) {
			return fault_set(fault, "stopped");
		}
		for (int turn = 0; turn < DOORS; turn++) {
			int door = round % 2 == 0 ? turn : DOORS - 1 - turn;
			const struct visit visit = {house, (enum sign_in_door)door};
			if (!measure_door(&visit, at_once, round, out, fault)) {
				return false;
			}
		}
		out->ratio[round] = out->in_ms[DOOR_HEARTH][round] / out->in_ms[DOOR_FILE][round];
	}
	return true;
}
