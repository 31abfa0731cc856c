/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * blocked_command: see blocked_command.h.
 */
#include "blocked_command.h"
#include "arguments.h"
#include "blocked.h"
#include "clock.h"
#include "document.h"
#include "median.h"
#include "place.h"
#include "progress.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RUNS_MAX 2

#define TARGET_RATIO 1.2
#define TARGET_SPEED 5.0
/* The writer looks again every 2 s at most: in a short run that is all there is to see, so that so much is allowed for. */
#define TARGET_LEAST_S 2.5

static const char LEGEND[] =
	"before, during, after  undisturbed; while the database is held; from its release until caught up\n"
	"p50, p99, max          PUBLISH to PUBACK at QoS 1, from the moment the message was due; percentiles of windows, "
	"of\n"
	"                       which the median counts, since a disturbed moment spoils its own windows alone\n"
	"\n";

/* What --store can be, and the ways in which that is held, one after the other. */
static const struct {
	const char *name;
	const struct held_way *ways[RUNS_MAX + 1];
} STORES[] = {
	{"sqlite", {&held_sqlite_locked}},
	{"mariadb", {&held_mariadb_frozen, &held_mariadb_stopped}},
};

struct settings {
	const char *store;
	const char *mosquitto;
	const char *hearth;
	const char *json;
	int64_t seconds;
	int64_t rate;
	int64_t publishers;
	int64_t window_ms;
	bool assert_targets;
	bool help;
};

struct summary {
	double p50_us[PHASE_COUNT];
	double p99_us[PHASE_COUNT];
	double p99_ratio; /* during / before */
	double caught_up_target_s;
	bool ratio_ok;
	bool speed_ok;
	bool stored_ok;
};

/* The median over a phase's windows. */
static double median_us(const struct blocked_answer *answer, int phase, bool p99)
{
	static double figures[BLOCKED_WINDOWS_MAX];
	int count = answer->window_count[phase];
	for (int i = 0; i < count; i++) {
		const struct blocked_window *window = &answer->windows[phase][i];
		figures[i] = (p99 ? window->p99_ns : window->p50_ns) * 1e-3;
	}
	return median(figures, count);
}

static struct summary summarize(const struct blocked_answer *answer)
{
	struct summary summary = {0};
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		summary.p50_us[phase] = median_us(answer, phase, false);
		summary.p99_us[phase] = median_us(answer, phase, true);
	}
	summary.p99_ratio = summary.p99_us[PHASE_DURING] / summary.p99_us[PHASE_BEFORE];
	summary.caught_up_target_s = fmax(answer->held_s / TARGET_SPEED, TARGET_LEAST_S);
	summary.ratio_ok = summary.p99_ratio <= TARGET_RATIO;
	summary.speed_ok = answer->caught_up_s <= summary.caught_up_target_s;
	summary.stored_ok = answer->stored >= 0 && (uint64_t)answer->stored == answer->acknowledged;
	return summary;
}

static bool summary_ok(const struct summary *summary)
{
	return summary->ratio_ok && summary->speed_ok && summary->stored_ok;
}

static const char *verdict(bool ok)
{
	return ok ? "ok" : "MISSED";
}

static void print_table(const struct blocked_setup *setup, const struct blocked_answer *answer)
{
	struct summary summary = summarize(answer);
	printf("Publish latency in microseconds while %s, for %.0f s, %d readings/s\n\n", setup->way->title, answer->held_s,
	       setup->rate);
	printf("%-10s %8s %8s %10s %8s\n", "", "p50", "p99", "max", "windows");
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		printf("%-10s %8.0f %8.0f %10.0f %8d\n", PHASE_NAMES[phase], summary.p50_us[phase], summary.p99_us[phase],
		       (double)answer->max_ns[phase] * 1e-3, answer->window_count[phase]);
	}
	printf("\n%-34s %10.2f   target: at most %.2f  %s\n", "p99 during / before", summary.p99_ratio, TARGET_RATIO,
	       verdict(summary.ratio_ok));
	printf("%-34s %8.2f s   target: at most %.2f s  %s\n", "caught up after the release", answer->caught_up_s,
	       summary.caught_up_target_s, verdict(summary.speed_ok));
	printf("%-34s %8.2f s\n", "of it until the first row", answer->first_row_s);
	printf("%-34s %10lld   of %llu acknowledged  %s\n", "readings stored", (long long)answer->stored,
	       (unsigned long long)answer->acknowledged, verdict(summary.stored_ok));
	putchar('\n');
}

static void print_legend(const struct blocked_setup *setup, const struct blocked_answer *answer,
                         const struct machine *machine)
{
	fputs(LEGEND, stdout);
	printf("%d publishers, windows of %.1f s. Target of catching up: a fifth of the time held, or %.1f s.\n",
	       setup->publishers, (double)setup->window_ns / (double)SECOND_NS, TARGET_LEAST_S);
	printf("%s, %d cores, %s, a system call %.0f ns, Mosquitto %s%s\n", machine->cpu, machine->cores, machine->kernel,
	       machine->syscall_ns, answer->mosquitto_version,
	       setup->pins.pinned ? "" : " (one CPU for everything: trust only the ratios)");
}

static cJSON *json_of_phase(const struct blocked_answer *answer, const struct summary *summary, int phase)
{
	cJSON *object = cJSON_CreateObject();
	document_figure(object, "p50_us", summary->p50_us[phase], 1);
	document_figure(object, "p99_us", summary->p99_us[phase], 1);
	document_figure(object, "max_us", (double)answer->max_ns[phase] * 1e-3, 1);
	cJSON *windows = cJSON_AddArrayToObject(object, "windows");
	for (int i = 0; i < answer->window_count[phase]; i++) {
		cJSON *window = cJSON_CreateObject();
		document_figure(window, "p50_us", answer->windows[phase][i].p50_ns * 1e-3, 1);
		document_figure(window, "p99_us", answer->windows[phase][i].p99_ns * 1e-3, 1);
		cJSON_AddItemToArray(windows, window);
	}
	return object;
}

static cJSON *json_of_run(const struct held_way *way, const struct blocked_answer *answer)
{
	struct summary summary = summarize(answer);
	cJSON *object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "held", way->name);
	document_figure(object, "p99_ratio", summary.p99_ratio, 3);
	document_figure(object, "target_p99_ratio", TARGET_RATIO, 3);
	document_figure(object, "held_s", answer->held_s, 3);
	document_figure(object, "first_row_s", answer->first_row_s, 3);
	document_figure(object, "caught_up_s", answer->caught_up_s, 3);
	document_figure(object, "target_caught_up_s", summary.caught_up_target_s, 3);
	cJSON_AddNumberToObject(object, "acknowledged", (double)answer->acknowledged);
	cJSON_AddNumberToObject(object, "stored", (double)answer->stored);
	cJSON_AddBoolToObject(object, "ok", summary_ok(&summary));
	cJSON *phases = cJSON_AddObjectToObject(object, "phases");
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		cJSON_AddItemToObject(phases, PHASE_NAMES[phase], json_of_phase(answer, &summary, phase));
	}
	return object;
}

static bool write_json(const struct blocked_setup *setup, const struct held_way *const *ways,
                       const struct blocked_answer *answers, const struct machine *machine, const char *path,
                       struct fault *fault)
{
	cJSON *root = document_new("blocked", machine);
	cJSON_AddStringToObject(root, "mosquitto", answers[0].mosquitto_version);
	cJSON *object = cJSON_AddObjectToObject(root, "settings");
	cJSON_AddNumberToObject(object, "seconds", setup->seconds);
	cJSON_AddNumberToObject(object, "rate", setup->rate);
	cJSON_AddNumberToObject(object, "publishers", setup->publishers);
	document_figure(object, "window_s", (double)setup->window_ns / (double)SECOND_NS, 3);
	cJSON_AddBoolToObject(object, "pinned", setup->pins.pinned);
	cJSON *runs = cJSON_AddArrayToObject(root, "runs");
	for (int i = 0; ways[i] != NULL; i++) {
		cJSON_AddItemToArray(runs, json_of_run(ways[i], &answers[i]));
	}
	return document_write(root, path, fault);
}

/* NULL with the reason in *fault; else it ends with NULL. */
static const struct held_way *const *find_ways(const char *store, struct fault *fault)
{
	for (size_t i = 0; i < COUNT(STORES); i++) {
		if (strcmp(STORES[i].name, store) == 0) {
			return STORES[i].ways;
		}
	}
	fault_set(fault, "--store \"%s\": wanted sqlite or mariadb", store);
	return NULL;
}

/* Returns the exit code. */
static int run(const struct settings *settings)
{
	char hearth[PATH_MAX];
	char folder[PATH_MAX];
	struct machine machine;
	struct blocked_answer answers[RUNS_MAX] = {0};
	struct fault fault = {0};
	struct blocked_setup setup = {
		.mosquitto = settings->mosquitto,
		.hearth = hearth,
		.folder = folder,
		.seconds = (int)settings->seconds,
		.rate = (int)settings->rate,
		.publishers = (int)settings->publishers,
		.window_ns = settings->window_ms * (SECOND_NS / 1000),
	};
	int code = 1;
	bool done = true;
	bool ok = true;
	const struct held_way *const *ways = find_ways(settings->store, &fault);
	if (ways == NULL || !place_of_built(settings->hearth, hearth, &fault) || !place_make(folder, &fault)) {
		goto out;
	}
	machine_read(&machine);
	pins_choose(&setup.pins);
	progress_begin();
	for (int i = 0; done && ways[i] != NULL; i++) {
		setup.way = ways[i];
		done = blocked_measure(&setup, &answers[i], &fault);
		progress_clear();
		if (done) {
			struct summary summary = summarize(&answers[i]);
			print_table(&setup, &answers[i]);
			ok = ok && summary_ok(&summary);
		}
	}
	place_remove(folder);
	if (!done) {
		goto out;
	}
	print_legend(&setup, &answers[0], &machine);
	if (!write_json(&setup, ways, answers, &machine, settings->json, &fault)) {
		goto out;
	}
	printf("All windows: %s\n", settings->json);
	code = settings->assert_targets && !ok ? 2 : 0;
out:
	if (code == 1) {
		fprintf(stderr, "bench blocked: %s\n", fault.text);
	}
	for (int i = 0; i < RUNS_MAX; i++) {
		blocked_answer_free(&answers[i]);
	}
	return code;
}

int blocked_command(int word_count, char **words)
{
	char hearth[PATH_MAX];
	char json[PATH_MAX];
	place_in_build("mosquitto_hearth.so", hearth);
	place_in_build("bench/blocked.json", json);
	const char *mosquitto = getenv("MOSQUITTO");
	const char *hearth_plugin = getenv("HEARTH_PLUGIN");
	struct settings settings = {
		.mosquitto = mosquitto == NULL ? "/usr/sbin/mosquitto" : mosquitto,
		.hearth = hearth_plugin == NULL ? hearth : hearth_plugin,
		.json = json,
		.store = "sqlite",
		.seconds = 60,
		.rate = 5000,
		.publishers = 8,
		.window_ms = 1000,
	};
	const struct argument known[] = {
		{"--store", "sqlite, or mariadb, which is frozen and then stopped", ARGUMENT_TEXT, .text = &settings.store},
		{"--seconds", "that the database is held; half of it is measured before", ARGUMENT_NUMBER,
	     .number = &settings.seconds, .min = 2, .max = 600},
		{"--rate", "readings a second of all devices together", ARGUMENT_NUMBER, .number = &settings.rate, .min = 200,
	     .max = 1000000},
		{"--publishers", "devices", ARGUMENT_NUMBER, .number = &settings.publishers, .min = 1, .max = 1000},
		{"--window", "ms whose percentiles count as one", ARGUMENT_NUMBER, .number = &settings.window_ms, .min = 500,
	     .max = 60000},
		{"--json", "where the figures of all windows go", ARGUMENT_TEXT, .text = &settings.json},
		{"--assert", "exit with 2 if a target was missed", ARGUMENT_FLAG, .flag = &settings.assert_targets},
		{"--help", "this", ARGUMENT_FLAG, .flag = &settings.help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault)) {
		fprintf(stderr, "bench blocked: %s\n", fault.text);
		return 1;
	}
	if (settings.json == json && strcmp(settings.store, "sqlite") != 0) {
		place_in_build("bench/blocked_mariadb.json", json); /* beside the other's */
	}
	if (settings.help) {
		printf("bench blocked: publish latency while the history database is held by others, or away\n");
		arguments_help(known, COUNT(known));
		printf("\n$MOSQUITTO is the broker's path (%s), $HEARTH_PLUGIN the plugin's (%s).\n", settings.mosquitto,
		       settings.hearth);
		return 0;
	}
	return run(&settings);
}
