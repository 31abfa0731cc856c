/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * message_command: see message_command.h.
 *
 * A question is a row of QUESTIONS; message_cost.c answers it with three brokers side by side; results.c prints the
 * table and writes the JSON.
 */
#include "message_command.h"
#include "arguments.h"
#include "message_cost.h"
#include "place.h"
#include "progress.h"
#include "results.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct question QUESTIONS[] = {
	{"QoS 0, no subscriber", .qos = 0, .subscribers = 0, .target_ns = 300},
	{"QoS 0, one subscriber", .qos = 0, .subscribers = 1, .target_ns = 300},
	{"QoS 1, no subscriber", .qos = 1, .subscribers = 0, .target_ns = 300},
	{"QoS 1, one subscriber", .qos = 1, .subscribers = 1, .target_ns = 300},
};

struct settings {
	const char *mosquitto;
	const char *hearth;
	const char *empty;
	const char *only;
	const char *json;
	int64_t messages;
	int64_t pairs;
	int64_t publishers;
	bool assert_targets;
	bool help;
};

static bool go_on(const struct question *question, int round)
{
	return round == 0 ? progress_show("%s: warm-up", question->name)
	                  : progress_show("%s: round %d", question->name, round);
}

static bool measure(const struct settings *settings, struct setup *setup, struct results *results,
                    struct answer *answers, struct fault *fault)
{
	for (size_t i = 0; i < COUNT(QUESTIONS); i++) {
		if (settings->only != NULL && strstr(QUESTIONS[i].name, settings->only) == NULL) {
			continue;
		}
		if (!message_cost_measure(setup, &QUESTIONS[i], &answers[results->count], fault)) {
			return fault_add(fault, QUESTIONS[i].name);
		}
		results->count++;
	}
	if (results->count == 0) {
		return fault_set(fault, "--only \"%s\" matches no question", settings->only);
	}
	return true;
}

static bool targets_hold(const struct results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		if (!results_summary(&results->answers[i]).ok) {
			return false;
		}
	}
	return true;
}

/* Returns the exit code. */
static int run(const struct settings *settings)
{
	static struct answer answers[COUNT(QUESTIONS)];
	char hearth[PATH_MAX];
	char empty[PATH_MAX];
	char folder[PATH_MAX];
	struct fault fault = {0};
	struct machine machine;
	struct setup setup = {
		.mosquitto = settings->mosquitto,
		.plugins = {[VARIANT_EMPTY] = empty, [VARIANT_HEARTH] = hearth},
		.folder = folder,
		.messages = (uint64_t)settings->messages,
		.pairs = (int)settings->pairs,
		.publishers = (int)settings->publishers,
		.batch = 32,
		.window = 128,
		.go_on = go_on,
	};
	struct results results = {.machine = &machine, .setup = &setup, .answers = answers};

	if (!place_of_built(settings->hearth, hearth, &fault) || !place_of_built(settings->empty, empty, &fault) ||
	    !place_make(folder, &fault)) {
		goto fail;
	}
	machine_read(&machine);
	pins_choose(&setup.pins);
	progress_begin();
	bool measured = measure(settings, &setup, &results, answers, &fault);
	progress_clear();
	place_remove(folder);
	if (!measured) {
		goto fail;
	}
	results_table(&results, stdout);
	if (!results_json(&results, settings->json, &fault)) {
		goto fail;
	}
	printf("All rounds: %s\n", settings->json);
	return settings->assert_targets && !targets_hold(&results) ? 2 : 0;
fail:
	fprintf(stderr, "bench message: %s\n", fault.text);
	return 1;
}

int message_command(int word_count, char **words)
{
	char hearth[PATH_MAX];
	char empty[PATH_MAX];
	char json[PATH_MAX];
	place_in_build("mosquitto_hearth.so", hearth);
	place_in_build("test/bench/empty_plugin.so", empty);
	place_in_build("bench/message_cost.json", json);
	const char *mosquitto = getenv("MOSQUITTO");
	const char *hearth_plugin = getenv("HEARTH_PLUGIN");
	struct settings settings = {
		.mosquitto = mosquitto == NULL ? "/usr/sbin/mosquitto" : mosquitto,
		.hearth = hearth_plugin == NULL ? hearth : hearth_plugin,
		.empty = empty,
		.json = json,
		.messages = 70000,
		.pairs = 5,
		.publishers = 4,
	};
	const struct argument known[] = {
		{"--messages", "in a round, for each broker", ARGUMENT_NUMBER, .number = &settings.messages, .min = 1000,
	     .max = 1000000000},
		{"--pairs", "rounds, after one that warms up", ARGUMENT_NUMBER, .number = &settings.pairs, .min = 1,
	     .max = PAIRS_MAX},
		{"--publishers", "devices that send at once", ARGUMENT_NUMBER, .number = &settings.publishers, .min = 1,
	     .max = 1000},
		{"--only", "questions whose name has this in it, such as \"QoS 1\"", ARGUMENT_TEXT, .text = &settings.only},
		{"--json", "where the figures of all rounds go", ARGUMENT_TEXT, .text = &settings.json},
		{"--assert", "exit with 2 if a target was missed", ARGUMENT_FLAG, .flag = &settings.assert_targets},
		{"--help", "this", ARGUMENT_FLAG, .flag = &settings.help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault)) {
		fprintf(stderr, "bench message: %s\n", fault.text);
		return 1;
	}
	if (settings.help) {
		printf("bench message: what Hearth costs a broker, beside the same broker bare and with an empty plugin\n");
		arguments_help(known, COUNT(known));
		printf("\n$MOSQUITTO is the broker's path (%s), $HEARTH_PLUGIN the plugin's (%s).\n", settings.mosquitto,
		       settings.hearth);
		return 0;
	}
	return run(&settings);
}
