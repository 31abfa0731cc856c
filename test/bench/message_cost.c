/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * message_cost: see message_cost.h.
 *
 * The three brokers run side by side and take turns. A round is cut into short slices, and in each slice every variant
 * gets its share of the messages: so whatever else the machine does meets all three alike, and a difference of neighbours
 * says more than two sums. Every other slice goes through the variants backwards. A round's figures are the medians over its
 * slices. A slice is over when the broker has consumed everything; a plugin's threads may go on working behind it, on their
 * own CPU, and are waited for at the end of the round.
 *
 * That Hearth really did its work is checked: before, a reading over the threshold must bring the rule's command on every
 * series; after, its history must have grown by a row's worth of bytes a message.
 */
#include "message_cost.h"
#include "devices.h"
#include "load.h"
#include "median.h"
#include "server.h"

#include <stdio.h>
#include <sys/stat.h>

#define SLICES        50
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
	if (!devices_prepare(contestant->server.port, setup->publishers, variant == VARIANT_HEARTH, fault)) {
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
		.filter = DEVICES_FILTER,
		.topic = devices_topic,
		.payload = devices_payload,
	};
	contestant->load = load_open(&plan, fault);
	return contestant->load != NULL && server_settle(&contestant->server, fault);
}

/* Sends messages and says what each cost the main thread. */
static bool contestant_run(struct contestant *contestant, uint64_t messages, double *main_ns, struct fault *fault)
{
	struct load_result result;
	struct server_cpu before;
	struct server_cpu after;
	if (!server_cpu_read(&contestant->server, &before, fault)) {
		return false;
	}
	if (!load_run(contestant->load, messages, &result, fault)) {
		return server_fault_add(&contestant->server, fault);
	}
	if (!server_cpu_read(&contestant->server, &after, fault)) {
		return false;
	}
	*main_ns = (double)(after.main_ns - before.main_ns) / (double)messages;
	return true;
}

/* What every process has used, once its threads have come to rest. */
static bool read_processes(const struct contestant contestants[VARIANT_COUNT], struct server_cpu cpu[VARIANT_COUNT],
                           struct fault *fault)
{
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		if (!server_settle(&contestants[variant].server, fault) ||
		    !server_cpu_read(&contestants[variant].server, &cpu[variant], fault)) {
			return fault_add(fault, VARIANT_NAMES[variant]);
		}
	}
	return true;
}

static void summarize(double slices[VARIANT_COUNT][SLICES], struct round *round)
{
	double figures[SLICES];
	for (int i = 0; i < SLICES; i++) {
		figures[i] = slices[VARIANT_HEARTH][i] - slices[VARIANT_EMPTY][i];
	}
	round->added_ns = median(figures, SLICES);
	for (int i = 0; i < SLICES; i++) {
		figures[i] = slices[VARIANT_BARE][i] / slices[VARIANT_HEARTH][i];
	}
	round->ratio = median(figures, SLICES);
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		round->main_ns[variant] = median(slices[variant], SLICES); /* sorts, hence last */
	}
}

static bool measure_round(struct contestant contestants[VARIANT_COUNT], const struct setup *setup,
                          const struct question *question, int number, struct round *round, struct fault *fault)
{
	double slices[VARIANT_COUNT][SLICES];
	struct server_cpu before[VARIANT_COUNT];
	struct server_cpu after[VARIANT_COUNT];
	uint64_t messages = setup->messages / SLICES;
	if (!read_processes(contestants, before, fault)) {
		return false;
	}
	for (int slice = 0; slice < SLICES; slice++) {
		if (!setup->go_on(question, number)) {
			return fault_set(fault, "stopped");
		}
		for (int turn = 0; turn < VARIANT_COUNT; turn++) {
			int variant = slice % 2 == 0 ? turn : VARIANT_COUNT - 1 - turn;
			if (!contestant_run(&contestants[variant], messages, &slices[variant][slice], fault)) {
				return fault_add(fault, VARIANT_NAMES[variant]);
			}
		}
	}
	if (!read_processes(contestants, after, fault)) {
		return false;
	}
	summarize(slices, round);
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		double spent_ns = (double)(after[variant].process_ns - before[variant].process_ns);
		round->process_ns[variant] = spent_ns / (double)(messages * SLICES);
	}
	return true;
}

static bool check_stored(const struct server *server, const struct setup *setup, struct fault *fault)
{
	char path[PATH_MAX + 16];
	struct stat history = {0};
	snprintf(path, sizeof(path), "%s/history.db", server->folder);
	uint64_t messages = setup->messages / SLICES * SLICES * (uint64_t)(setup->pairs + 1);
	if (stat(path, &history) != 0 || (uint64_t)history.st_size < ROW_BYTES_MIN * messages) {
		return fault_set(fault, "Hearth's history has only %lld bytes after %llu readings: they were not all stored",
		                 (long long)history.st_size, (unsigned long long)messages);
	}
	return true;
}

static bool ask(struct contestant contestants[VARIANT_COUNT], const struct setup *setup,
                const struct question *question, struct answer *answer, struct fault *fault)
{
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		if (!contestant_start(&contestants[variant], setup, question, (enum variant)variant, fault)) {
			return fault_add(fault, VARIANT_NAMES[variant]);
		}
	}
	server_version(&contestants[VARIANT_BARE].server, answer->mosquitto_version, sizeof(answer->mosquitto_version));
	for (int round = 0; round <= setup->pairs; round++) {
		/* Round 0 warms up; round 1 writes over what it measured. */
		if (!measure_round(contestants, setup, question, round, &answer->rounds[round == 0 ? 0 : round - 1], fault)) {
			return false;
		}
	}
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		load_close(contestants[variant].load);
		contestants[variant].load = NULL;
		if (!server_stop(&contestants[variant].server, fault)) {
			return fault_add(fault, VARIANT_NAMES[variant]);
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
