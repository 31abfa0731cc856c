/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bench: what Hearth costs a broker, measured beside the same broker bare and with an empty plugin.
 *
 * A question is a row of QUESTIONS; message_cost.c answers it with three brokers side by side; results.c prints the
 * table and writes the JSON. The plugin and the JSON lie where this program was built: in build/.
 */
#include "arguments.h"
#include "load_command.h"
#include "message_cost.h"
#include "results.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static volatile sig_atomic_t stop_wanted;
static bool show_progress;

static void on_signal(int number)
{
	(void)number;
	stop_wanted = 1;
}

static bool go_on(const struct question *question, int round)
{
	if (show_progress) {
		/* \r and "erase to the end of the line": the next line takes this one's place. */
		fprintf(stderr, "\r%s: %s", question->name, round == 0 ? "warm-up" : "round");
		fprintf(stderr, round == 0 ? "\033[K" : " %d\033[K", round);
	}
	return stop_wanted == 0;
}

static void clear_progress(void)
{
	if (show_progress) {
		fputs("\r\033[K", stderr);
	}
}

/* A path below the build folder, given that this program is its test/bench/bench. */
static void path_in_build(const char *relative, char *out, size_t size)
{
	char build[PATH_MAX] = "";
	if (readlink("/proc/self/exe", build, sizeof(build) - 1) < 0) {
		build[0] = '\0';
	}
	for (int level = 0; level < 3; level++) {
		char *slash = strrchr(build, '/');
		if (slash != NULL) {
			*slash = '\0';
		}
	}
	snprintf(out, size, "%s/%s", build, relative);
}

/* The absolute path of a plugin that was built. */
static bool find_plugin(const char *path, char *out, struct fault *fault)
{
	if (realpath(path, out) == NULL) {
		return fault_set(fault, "%s: %s; run `make` first", path, strerror(errno));
	}
	return true;
}

static bool measure(const struct settings *settings, struct setup *setup, struct results *results,
                    struct answer *answers, struct fault *fault)
{
	for (size_t i = 0; i < COUNT(QUESTIONS); i++) {
		if (settings->only != NULL && strstr(QUESTIONS[i].name, settings->only) == NULL) {
			continue;
		}
		if (!message_cost_measure(setup, &QUESTIONS[i], &answers[results->count], fault)) {
			clear_progress();
			return fault_add(fault, QUESTIONS[i].name);
		}
		results->count++;
	}
	clear_progress();
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

	if (!find_plugin(settings->hearth, hearth, &fault) || !find_plugin(settings->empty, empty, &fault)) {
		goto fail;
	}
	const char *parent = getenv("TMPDIR");
	snprintf(folder, sizeof(folder), "%s/hearth-bench-XXXXXX", parent == NULL ? "/tmp" : parent);
	if (mkdtemp(folder) == NULL) {
		fault_set(&fault, "%s: %s", folder, strerror(errno));
		goto fail;
	}
	machine_read(&machine);
	pins_choose(&setup.pins);
	bool measured = measure(settings, &setup, &results, answers, &fault);
	rmdir(folder);
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
	fprintf(stderr, "bench: %s\n", fault.text);
	return 1;
}

int main(int word_count, char **words)
{
	if (word_count > 1 && strcmp(words[1], "load") == 0) {
		return load_command(word_count - 1, words + 1);
	}
	char hearth[PATH_MAX];
	char empty[PATH_MAX];
	char json[PATH_MAX];
	path_in_build("mosquitto_hearth.so", hearth, sizeof(hearth));
	path_in_build("test/bench/empty_plugin.so", empty, sizeof(empty));
	path_in_build("bench/message_cost.json", json, sizeof(json));
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
		fprintf(stderr, "bench: %s\n", fault.text);
		return 1;
	}
	if (settings.help) {
		printf("bench: what Hearth costs a broker, beside the same broker bare and with an empty plugin\n"
		       "bench load: the load generator alone; see `bench load --help`\n\n");
		arguments_help(known, COUNT(known));
		printf("\n$MOSQUITTO is the broker's path (%s), $HEARTH_PLUGIN the plugin's (%s).\n", settings.mosquitto,
		       settings.hearth);
		return 0;
	}
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	show_progress = isatty(STDERR_FILENO) == 1;
	return run(&settings);
}
