/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_command: see sign_in_command.h. sign_in_storm.c and sign_in_siege.c measure.
 */
#include "sign_in_command.h"
#include "arguments.h"
#include "document.h"
#include "median.h"
#include "place.h"
#include "progress.h"
#include "sign_in_siege.h"
#include "sign_in_storm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define STORM_TARGET 1.5 /* times the password file's */
#define SIEGE_TARGET 2.0 /* times the p99 without */
#define GUESS_RATE   1000
#define PAIR_RATE    500

static const struct siege_row {
	const char *name;
	enum sign_in_door door;
	int addresses;
	double target; /* 0: only shown */
} SIEGES[] = {
	{"hearth, 1 address", DOOR_HEARTH, 1, SIEGE_TARGET},
	{"hearth, 250 addresses", DOOR_HEARTH, 250, SIEGE_TARGET},
	{"password file, 1 address", DOOR_FILE, 1, 0},
};

struct settings {
	const char *mosquitto;
	const char *hearth;
	const char *only;
	const char *json;
	int64_t devices;
	int64_t rounds;
	int64_t at_once;
	int64_t seconds;
	bool is_short;
	bool assert_targets;
	bool help;
};

struct results {
	struct storm storm; /* rounds == 0: not measured */
	size_t siege_count;
	struct siege sieges[COUNT(SIEGES)];
};

/* ---- the tables ---- */

static double median_of(const double *figures, int count)
{
	double sorted[STORM_ROUNDS_MAX];
	memcpy(sorted, figures, (size_t)count * sizeof(*figures));
	return median(sorted, count);
}

static const char *verdict(bool good)
{
	return good ? "ok" : "MISSED";
}

static bool print_storm(const struct settings *settings, const struct storm *storm)
{
	printf("%d devices come back after their broker was started again, %d of them at a time\n\n",
	       (int)settings->devices, (int)settings->at_once);
	printf("%-24s %10s %16s %12s\n", "", "all in, ms", "broker's CPU, ms", "start, ms");
	for (int door = 0; door < DOORS; door++) {
		printf("%-24s %10.1f %16.1f %12.1f\n", DOOR_NAMES[door], median_of(storm->in_ms[door], storm->rounds),
		       median_of(storm->cpu_ms[door], storm->rounds), median_of(storm->start_ms[door], storm->rounds));
	}
	double ratio = median_of(storm->ratio, storm->rounds);
	bool holds = ratio <= STORM_TARGET;
	printf("hearth / password file: %.2f   at most %.1f  %s   (median of %d pairs)\n\n", ratio, STORM_TARGET,
	       verdict(holds), storm->rounds);
	return holds;
}

static double p99_ms(const struct siege *siege, enum siege_phase phase)
{
	return (double)latency_quantile(&siege->latency[phase], 0.99) / 1e6;
}

static double siege_ratio(const struct siege *siege)
{
	return p99_ms(siege, SIEGE_WAR) / p99_ms(siege, SIEGE_PEACE);
}

static void print_phase(const char *name, const struct siege *siege, enum siege_phase phase)
{
	const struct latency *latency = &siege->latency[phase];
	printf("%-26s %7.3f %7.3f %7.3f %8.2f %8.1f %%", name, (double)latency_quantile(latency, 0.5) / 1e6,
	       p99_ms(siege, phase), (double)latency_quantile(latency, 0.999) / 1e6, (double)latency->max_ns / 1e6,
	       100 * siege->cpu_share[phase]);
}

static bool print_sieges(const struct settings *settings, const struct results *results)
{
	bool good = true;
	printf("Publish to receive in ms at %d messages a second; %d s without, then %d s with %d wrong passwords a "
	       "second\n\n",
	       PAIR_RATE, (int)settings->seconds, (int)settings->seconds, GUESS_RATE);
	printf("%-26s %7s %7s %7s %8s %10s   %s\n", "", "p50", "p99", "p99.9", "max", "CPU", "p99 with / without");
	for (size_t i = 0; i < results->siege_count; i++) {
		const struct siege *siege = &results->sieges[i];
		bool holds = SIEGES[i].target <= 0 || siege_ratio(siege) <= SIEGES[i].target;
		print_phase(SIEGES[i].name, siege, SIEGE_PEACE);
		putchar('\n');
		print_phase("  with", siege, SIEGE_WAR);
		printf("   %.2f", siege_ratio(siege));
		if (SIEGES[i].target > 0) {
			printf("  at most %.1f  %s", SIEGES[i].target, verdict(holds));
		}
		printf("\n    %.0f guesses a second: %d refused, %d put off, %d late\n",
		       siege->guesses.begun / ((double)siege->guesses.duration_ns / 1e9), siege->guesses.refused,
		       siege->guesses.dropped, siege->guesses.late);
		good = good && holds;
	}
	putchar('\n');
	return good;
}

static bool write_json(const struct settings *settings, const struct results *results, const struct machine *machine,
                       struct fault *fault)
{
	cJSON *root = document_new("sign_in", machine);
	cJSON_AddNumberToObject(root, "devices", (double)settings->devices);
	cJSON *rounds = cJSON_AddArrayToObject(root, "storm");
	for (int i = 0; i < results->storm.rounds; i++) {
		cJSON *round = cJSON_CreateObject();
		document_figure(round, "password_file_ms", results->storm.in_ms[DOOR_FILE][i], 1);
		document_figure(round, "hearth_ms", results->storm.in_ms[DOOR_HEARTH][i], 1);
		document_figure(round, "ratio", results->storm.ratio[i], 3);
		cJSON_AddItemToArray(rounds, round);
	}
	cJSON *sieges = cJSON_AddArrayToObject(root, "sieges");
	for (size_t i = 0; i < results->siege_count; i++) {
		cJSON *siege = cJSON_CreateObject();
		cJSON_AddStringToObject(siege, "name", SIEGES[i].name);
		document_figure(siege, "p99_without_ms", p99_ms(&results->sieges[i], SIEGE_PEACE), 3);
		document_figure(siege, "p99_with_ms", p99_ms(&results->sieges[i], SIEGE_WAR), 3);
		document_figure(siege, "ratio", siege_ratio(&results->sieges[i]), 3);
		cJSON_AddItemToArray(sieges, siege);
	}
	return document_write(root, settings->json, fault);
}

/* ---- the command ---- */

static bool wants(const struct settings *settings, const char *part)
{
	return settings->only == NULL || strcmp(settings->only, part) == 0;
}

static bool measure(const struct settings *settings, struct sign_in_house *house, struct results *results,
                    struct fault *fault)
{
	if (!sign_in_house_make(house, fault)) {
		return false;
	}
	if (wants(settings, "storm") &&
	    !sign_in_storm_measure(house, (int)settings->rounds, (int)settings->at_once, &results->storm, fault)) {
		return false;
	}
	for (size_t i = 0; wants(settings, "siege") && i < COUNT(SIEGES); i++) {
		const struct siege_plan plan = {
			.house = house,
			.door = SIEGES[i].door,
			.addresses = SIEGES[i].addresses,
			.guess_rate = GUESS_RATE,
			.rate = PAIR_RATE,
			.seconds = (int)settings->seconds,
		};
		if (!sign_in_siege_measure(&plan, &results->sieges[i], fault)) {
			return false;
		}
		results->siege_count++;
	}
	return results->storm.rounds > 0 || results->siege_count > 0 ||
	       fault_set(fault, "--only \"%s\": wanted storm or siege", settings->only);
}

/* Returns the exit code. */
static int run(const struct settings *settings)
{
	static struct results results;
	char hearth[PATH_MAX];
	char folder[PATH_MAX] = "";
	struct fault fault = {0};
	struct machine machine;
	struct sign_in_house house = {
		.mosquitto = settings->mosquitto, .hearth = hearth, .folder = folder, .devices = (int)settings->devices};
	if (!place_of_built(settings->hearth, hearth, &fault) || !place_make(folder, &fault)) {
		goto fail;
	}
	machine_read(&machine);
	pins_choose(&house.pins);
	progress_begin();
	bool measured = measure(settings, &house, &results, &fault);
	progress_clear();
	place_remove(folder);
	if (!measured) {
		goto fail;
	}
	bool good = results.storm.rounds == 0 || print_storm(settings, &results.storm);
	good = (results.siege_count == 0 || print_sieges(settings, &results)) && good;
	printf("%s, %d cores, %s, a system call %.0f ns, %s\n", machine.cpu, machine.cores, machine.kernel,
	       machine.syscall_ns, settings->mosquitto);
	if (!write_json(settings, &results, &machine, &fault)) {
		goto fail;
	}
	printf("All figures: %s\n", settings->json);
	return settings->assert_targets && !good ? 2 : 0;
fail:
	fprintf(stderr, "bench sign-in: %s\n", fault.text);
	return 1;
}

int sign_in_command(int word_count, char **words)
{
	char hearth[PATH_MAX];
	char json[PATH_MAX];
	place_in_build("mosquitto_hearth.so", hearth);
	place_in_build("bench/sign_in.json", json);
	const char *mosquitto = getenv("MOSQUITTO");
	const char *hearth_plugin = getenv("HEARTH_PLUGIN");
	struct settings settings = {
		.mosquitto = mosquitto == NULL ? "/usr/sbin/mosquitto" : mosquitto,
		.hearth = hearth_plugin == NULL ? hearth : hearth_plugin,
		.json = json,
		.devices = 1000,
		.rounds = 7,
		.at_once = 64,
		.seconds = 30,
	};
	const struct argument known[] = {
		{"--devices", "that come back", ARGUMENT_NUMBER, .number = &settings.devices, .min = 1, .max = 9999},
		{"--rounds", "of both brokers", ARGUMENT_NUMBER, .number = &settings.rounds, .min = 1, .max = STORM_ROUNDS_MAX},
		{"--at-once", "devices that wait for an answer; more than 100 overflow Mosquitto's queue", ARGUMENT_NUMBER,
	     .number = &settings.at_once, .min = 1, .max = 9999},
		{"--seconds", "without wrong passwords, and as many with", ARGUMENT_NUMBER, .number = &settings.seconds,
	     .min = 1, .max = 3600},
		{"--short", "3 rounds, 3 s", ARGUMENT_FLAG, .flag = &settings.is_short},
		{"--only", "one part: storm or siege", ARGUMENT_TEXT, .text = &settings.only},
		{"--json", "where the figures go", ARGUMENT_TEXT, .text = &settings.json},
		{"--assert", "exit with 2 if a target was missed", ARGUMENT_FLAG, .flag = &settings.assert_targets},
		{"--help", "this", ARGUMENT_FLAG, .flag = &settings.help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault)) {
		fprintf(stderr, "bench sign-in: %s\n", fault.text);
		return 1;
	}
	if (settings.help) {
		printf("bench sign-in: many devices at the door, and wrong passwords, beside Mosquitto's password file\n");
		arguments_help(known, COUNT(known));
		return 0;
	}
	if (settings.is_short) {
		settings.rounds = 3;
		settings.seconds = 3;
	}
	return run(&settings);
}
