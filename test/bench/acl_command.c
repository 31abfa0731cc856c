/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_command: see acl_command.h.
 *
 * Three parts: a check without a broker (acl_pure.c), what a message costs with 1,000 clients, and what a check costs in
 * the broker (acl_questions.c).
 */
#include "acl_command.h"
#include "acl_results.h"
#include "arguments.h"
#include "place.h"
#include "progress.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	int accounts, checked;
} PURE[] = {{10, 10}, {1000, 1000}, {100000, 1000}, {100000, 100000}};

struct settings {
	const char *mosquitto;
	const char *hearth;
	const char *empty;
	const char *dynamic;
	const char *only;
	const char *json;
	int64_t rounds;
	int64_t slices;
	bool is_short;
	bool assert_targets;
	bool help;
};

static bool go_on(const char *what, int round)
{
	return round < 0 ? progress_show("%s: warm-up", what) : progress_show("%s: round %d", what, round + 1);
}

static bool wants(const struct settings *settings, const char *part)
{
	return settings->only == NULL || strcmp(settings->only, part) == 0;
}

static bool measure_pure(int runs, struct acl_results *results, struct fault *fault)
{
	for (size_t i = 0; i < COUNT(PURE); i++) {
		if (!progress_show("without a broker: %d accounts", PURE[i].accounts)) {
			return fault_set(fault, "stopped");
		}
		if (!acl_pure_measure(PURE[i].accounts, PURE[i].checked, runs, &results->pure[i], fault)) {
			return false;
		}
		results->pure_count++;
	}
	return true;
}

static bool measure_brokers(const struct settings *settings, struct acl_trial *trial, struct acl_results *results,
                            struct fault *fault)
{
	for (int i = 0; wants(settings, "messages") && i < ACL_MESSAGE_QUESTION_COUNT; i++) {
		if (!acl_message_ask(trial, &ACL_MESSAGE_QUESTIONS[i], &results->messages[i], fault)) {
			return false;
		}
		results->message_count++;
	}
	for (int i = 0; wants(settings, "checks") && i < ACL_CHECK_QUESTION_COUNT; i++) {
		if (!acl_check_ask(trial, &ACL_CHECK_QUESTIONS[i], &results->checks[i], fault)) {
			return false;
		}
		results->check_count++;
	}
	return true;
}

static bool measure(const struct settings *settings, const struct acl_trial_setup *setup, struct acl_trial *trial,
                    struct acl_results *results, struct fault *fault)
{
	if (wants(settings, "pure") && !measure_pure((int)settings->rounds, results, fault)) {
		return false;
	}
	if (!wants(settings, "messages") && !wants(settings, "checks")) {
		return results->pure_count > 0 ||
		       fault_set(fault, "--only \"%s\": wanted pure, messages or checks", settings->only);
	}
	bool done = acl_trial_open(trial, setup, fault) && measure_brokers(settings, trial, results, fault);
	acl_trial_close(trial);
	return done;
}

/* Returns the exit code. */
static int run(const struct settings *settings)
{
	struct acl_trial trial = {0};
	struct acl_results results = {0};
	char hearth[PATH_MAX];
	char empty[PATH_MAX];
	char dynamic[PATH_MAX];
	char folder[PATH_MAX] = "";
	struct fault fault = {0};
	struct machine machine;
	struct acl_trial_setup setup = {
		.mosquitto = settings->mosquitto,
		.plugins = {[ACL_EMPTY] = empty, [ACL_DYNAMIC] = dynamic, [ACL_HEARTH] = hearth},
		.folder = folder,
		.rounds = (int)settings->rounds,
		.slices = (int)settings->slices,
		.go_on = go_on,
	};
	if (settings->is_short) {
		setup.rounds = 3;
		setup.slices = 5;
	}
	results.machine = &machine;
	results.setup = &setup;
	results.mosquitto_version = trial.mosquitto_version;

	if (!place_of_built(settings->hearth, hearth, &fault) || !place_of_built(settings->empty, empty, &fault) ||
	    !place_of_built(settings->dynamic, dynamic, &fault) || !place_make(folder, &fault)) {
		goto fail;
	}
	machine_read(&machine);
	pins_choose(&setup.pins);
	progress_begin();
	bool measured = measure(settings, &setup, &trial, &results, &fault);
	progress_clear();
	place_remove(folder);
	if (!measured) {
		goto fail;
	}
	bool good = acl_results_table(&results);
	if (!acl_results_json(&results, settings->json, &fault)) {
		goto fail;
	}
	printf("All rounds: %s\n", settings->json);
	return settings->assert_targets && !good ? 2 : 0;
fail:
	fprintf(stderr, "bench acl: %s\n", fault.text);
	return 1;
}

/* Where Debian and others put Mosquitto's own plugin. */
static void find_dynamic(char out[PATH_MAX])
{
	glob_t found = {0};
	int flags = 0;
	static const char *const patterns[] = {"/usr/lib/*/mosquitto_dynamic_security.so",
	                                       "/usr/lib/mosquitto_dynamic_security.so",
	                                       "/usr/local/lib/mosquitto_dynamic_security.so"};
	for (size_t i = 0; i < COUNT(patterns); i++) {
		glob(patterns[i], flags, NULL, &found);
		flags = GLOB_APPEND;
	}
	snprintf(out, PATH_MAX, "%s", found.gl_pathc > 0 ? found.gl_pathv[0] : patterns[1]);
	globfree(&found);
}

int acl_command(int word_count, char **words)
{
	char hearth[PATH_MAX];
	char empty[PATH_MAX];
	char dynamic[PATH_MAX];
	char json[PATH_MAX];
	place_in_build("mosquitto_hearth.so", hearth);
	place_in_build("test/bench/empty_plugin.so", empty);
	place_in_build("bench/acl.json", json);
	find_dynamic(dynamic);
	const char *mosquitto = getenv("MOSQUITTO");
	const char *hearth_plugin = getenv("HEARTH_PLUGIN");
	struct settings settings = {
		.mosquitto = mosquitto == NULL ? "/usr/sbin/mosquitto" : mosquitto,
		.hearth = hearth_plugin == NULL ? hearth : hearth_plugin,
		.empty = empty,
		.dynamic = dynamic,
		.json = json,
		.rounds = 7,
		.slices = 30,
	};
	const struct argument known[] = {
		{"--rounds", "after one that warms up", ARGUMENT_NUMBER, .number = &settings.rounds, .min = 1,
	     .max = ACL_ROUNDS_MAX},
		{"--slices", "of a round", ARGUMENT_NUMBER, .number = &settings.slices, .min = 1, .max = ACL_SLICES_MAX},
		{"--short", "3 rounds of 5 slices", ARGUMENT_FLAG, .flag = &settings.is_short},
		{"--only", "one part: pure, messages or checks", ARGUMENT_TEXT, .text = &settings.only},
		{"--dynamic", "Mosquitto's own plugin", ARGUMENT_TEXT, .text = &settings.dynamic},
		{"--json", "where the figures of all rounds go", ARGUMENT_TEXT, .text = &settings.json},
		{"--assert", "exit with 2 if a target was missed", ARGUMENT_FLAG, .flag = &settings.assert_targets},
		{"--help", "this", ARGUMENT_FLAG, .flag = &settings.help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault)) {
		fprintf(stderr, "bench acl: %s\n", fault.text);
		return 1;
	}
	if (settings.help) {
		printf("bench acl: what it costs to check who may do what, beside Mosquitto's dynamic security plugin\n");
		arguments_help(known, COUNT(known));
		return 0;
	}
	return run(&settings);
}
