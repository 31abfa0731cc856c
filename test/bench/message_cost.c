/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * message_cost: see message_cost.h.
 *
 * The three brokers run side by side and take turns. A round is cut into slices, and in each slice every variant
 * gets its share of the messages, so that whatever else the machine does meets all three alike; every other slice goes
 * through the variants backwards. A round's figure is the median of its slices. While one is measured the others sleep: a
 * slice ends when the broker has consumed everything and the plugin's threads have come to rest.
 *
 * That Hearth really did its work is checked: before, a reading over the threshold must bring the rule's command on every
 * series; after, its history must have grown by a row's worth of bytes a message.
 */
#include "message_cost.h"
#include "house.h"
#include "load.h"
#include "median.h"
#include "server.h"

#include <stdio.h>
#include <sys/stat.h>

#define SLICES        10
#define ROW_BYTES_MIN 8 /* no store keeps a reading's time and value in less */

const char *const VARIANT_NAMES[VARIANT_COUNT] = {"bare", "empty", "hearth"};

/* One variant's broker with the connections of its load. */
struct contestant {
	struct server server;
	struct load *load;
};

static bool contestant_start(struct contestant *contestant, const struct setup *setup, const struct question *question,
                             enum variant variant, struct fault *fault)
{
	char folder[PATH_MAX];
	char conf[3 * PATH_MAX];
	const char *plugin = setup->plugins[variant];
	snprintf(folder, sizeof(folder), "%s/%s", setup->folder, VARIANT_NAMES[variant]);
	int len = 0;
	conf[0] = '\0';
	if (plugin != NULL) {
		len = snprintf(conf, sizeof(conf), "plugin %s\n", plugin);
	}
	if (variant == VARIANT_HEARTH) {
		snprintf(conf + len, sizeof(conf) - (size_t)len,
		         "plugin_opt_state_dir %s\nplugin_opt_store sqlite:%s/history.db\nplugin_opt_gauges_every 0\n", folder,
		         folder);
	}
	if (!server_start(&contestant->server, folder, setup->mosquitto, conf, &setup->pins, fault)) {
		return false;
	}
	if (!house_prepare(contestant->server.port, setup->publishers, variant == VARIANT_HEARTH, fault)) {
		return false;
	}
	struct load_plan plan = {
		.port = contestant->server.port,
		.publishers = setup->publishers,
		.subscribers = question->subscribers,
		.qos = question->qos,
		.batch = setup->batch,
		.window = setup->window,
		.spin = setup->pins.pinned,
		.filter = HOUSE_FILTER,
		.topic = house_topic,
		.payload = house_payload,
	};
	contestant->load = load_open(&plan, fault);
	return contestant->load != NULL && server_settle(&contestant->server, fault);
}

/* Sends messages and says what each cost. */
static bool contestant_run(struct contestant *contestant, uint64_t messages, struct cost *cost, struct fault *fault)
{
	struct load_result result;
	struct server_cpu before;
	struct server_cpu after;
	struct server_cpu settled;
	if (!server_cpu_read(&contestant->server, &before, fault) ||
	    !load_run(contestant->load, messages, &result, fault) || !server_cpu_read(&contestant->server, &after, fault) ||
	    !server_settle(&contestant->server, fault) || !server_cpu_read(&contestant->server, &settled, fault)) {
		return false;
	}
	cost->main_ns = (double)(after.main_ns - before.main_ns) / (double)messages;
	cost->process_ns = (double)(settled.process_ns - before.process_ns) / (double)messages;
	return true;
}

static struct cost median_cost(const struct cost slices[SLICES])
{
	double main_ns[SLICES];
	double process_ns[SLICES];
	for (int i = 0; i < SLICES; i++) {
		main_ns[i] = slices[i].main_ns;
		process_ns[i] = slices[i].process_ns;
	}
	return (struct cost){median(main_ns, SLICES), median(process_ns, SLICES)};
}

static bool measure_round(struct contestant contestants[VARIANT_COUNT], const struct setup *setup,
                          const struct question *question, int round, struct cost cost[VARIANT_COUNT],
                          struct fault *fault)
{
	struct cost slices[VARIANT_COUNT][SLICES];
	for (int slice = 0; slice < SLICES; slice++) {
		for (int turn = 0; turn < VARIANT_COUNT; turn++) {
			enum variant variant = (enum variant)(slice % 2 == 0 ? turn : VARIANT_COUNT - 1 - turn);
			if (!setup->go_on(question, round, variant)) {
				return fault_set(fault, "stopped");
			}
			if (!contestant_run(&contestants[variant], setup->messages / SLICES, &slices[variant][slice], fault)) {
				return false;
			}
		}
	}
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		cost[variant] = median_cost(slices[variant]);
	}
	return true;
}

static bool check_stored(const struct server *server, const struct setup *setup, struct fault *fault)
{
	char path[PATH_MAX + 16];
	struct stat history = {0};
	snprintf(path, sizeof(path), "%s/history.db", server->folder);
	double messages = (double)(setup->messages / SLICES * SLICES) * (setup->pairs + 1);
	if (stat(path, &history) != 0 || (double)history.st_size < ROW_BYTES_MIN * messages) {
		return fault_set(fault, "Hearth's history has only %lld bytes after %.0f readings: they were not all stored",
		                 (long long)history.st_size, messages);
	}
	return true;
}

static bool ask(struct contestant contestants[VARIANT_COUNT], const struct setup *setup,
                const struct question *question, struct answer *answer, struct fault *fault)
{
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		if (!contestant_start(&contestants[variant], setup, question, (enum variant)variant, fault)) {
			return false;
		}
	}
	server_version(&contestants[VARIANT_BARE].server, answer->mosquitto_version, sizeof(answer->mosquitto_version));
	for (int round = 0; round <= setup->pairs; round++) {
		/* Round 0 warms up; round 1 writes over what it measured. */
		struct cost *cost = answer->cost[round == 0 ? 0 : round - 1];
		if (!measure_round(contestants, setup, question, round, cost, fault)) {
			return false;
		}
	}
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		load_close(contestants[variant].load);
		contestants[variant].load = NULL;
		if (!server_stop(&contestants[variant].server, fault)) {
			return false;
		}
	}
	return check_stored(&contestants[VARIANT_HEARTH].server, setup, fault);
}

bool message_cost_measure(const struct setup *setup, const struct question *question, struct answer *answer,
                          struct fault *fault)
{
	struct contestant contestants[VARIANT_COUNT] = {0};
	*answer = (struct answer){.question = question, .pairs = setup->pairs};
	bool done = ask(contestants, setup, question, answer, fault);
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		load_close(contestants[variant].load);
		server_remove(&contestants[variant].server);
	}
	return done;
}
