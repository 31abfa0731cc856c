/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_command: see journal_command.h.
 */
#include "journal_command.h"
#include "append_cost.h"
#include "arguments.h"
#include "document.h"
#include "median.h"
#include "place.h"
#include "progress.h"
#include "recovery.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ROUNDS_MAX  99
#define SERIES      100
#define MEBIBYTE    (1024.0 * 1024.0)
#define GIBIBYTE    (1024.0 * MEBIBYTE)
#define MICROSECOND 1000.0 /* ns */

static const char LEGEND[] =
	"\n"
	"hot            a reading that goes where the one before went; median of short rows\n"
	"all            the mean of all readings, page faults and changes of the journal's segment included\n"
	"memcpy, write  the same bytes into a mapped file, and by write(2), one reading a call; nobody syncs these files\n"
	"recovery       of a journal that kill -9 left, in the page cache: opening it, looking through it for configs, "
	"and\n"
	"               reading every record of it as the writer does\n"
	"\n";

struct settings {
	const char *json;
	int64_t readings;
	int64_t rounds;
	int64_t recover_mib;
	int64_t recoveries;
	bool help;
};

struct measured {
	int rounds;
	struct append_round append[ROUNDS_MAX];
	int recoveries;
	struct recovery_round recovery[ROUNDS_MAX];
};

/* The median over the rounds of a figure. Each of these says where in a round it lies. */
static double median_at(const void *rounds, int count, size_t size, size_t offset)
{
	double figures[ROUNDS_MAX];
	for (int i = 0; i < count; i++) {
		memcpy(&figures[i], (const char *)rounds + (size_t)i * size + offset, sizeof(figures[i]));
	}
	return median(figures, count);
}

static double append_median(const struct measured *measured, size_t offset)
{
	return median_at(measured->append, measured->rounds, sizeof(measured->append[0]), offset);
}

/* Seconds a GiB. */
static double recovery_median(const struct measured *measured, size_t offset)
{
	double seconds = median_at(measured->recovery, measured->recoveries, sizeof(measured->recovery[0]), offset);
	return seconds * GIBIBYTE / (double)measured->recovery[0].bytes;
}

/* The median over the rounds of one way's cost to another's. `offset` is that of an array by way. */
static double ratio_median(const struct measured *measured, size_t offset, enum way way)
{
	double ratios[ROUNDS_MAX];
	for (int i = 0; i < measured->rounds; i++) {
		double figures[WAY_COUNT];
		memcpy(figures, (const char *)&measured->append[i] + offset, sizeof(figures));
		ratios[i] = figures[WAY_JOURNAL] / figures[way];
	}
	return median(ratios, measured->rounds);
}

static void print_row(const struct measured *measured, const char *name, size_t offset)
{
	printf("%-14s", name);
	for (size_t way = 0; way < WAY_COUNT; way++) {
		printf(" %8.1f", append_median(measured, offset + way * sizeof(double)));
	}
	printf(" %16.2f %15.3f\n", ratio_median(measured, offset, WAY_MEMCPY), ratio_median(measured, offset, WAY_WRITE));
}

static void print_table(const struct measured *measured, const struct append_setup *append,
                        const struct machine *machine)
{
	int changes = 0;
	int waits = 0;
	for (int i = 0; i < measured->rounds; i++) {
		changes += measured->append[i].changes;
		waits += measured->append[i].waits;
	}
	printf("Nanoseconds to append a reading, while another thread syncs\n\n");
	printf("%-14s %8s %8s %8s %16s %15s\n", "", WAY_NAMES[WAY_JOURNAL], WAY_NAMES[WAY_MEMCPY], WAY_NAMES[WAY_WRITE],
	       "journal / memcpy", "journal / write");
	print_row(measured, "hot", offsetof(struct append_round, hot));
	print_row(measured, "all", offsetof(struct append_round, mean));
	if (changes > 0) {
		printf("\nA change of segment costs %.1f us more (%d changes).\n",
		       append_median(measured, offsetof(struct append_round, change)) / MICROSECOND, changes);
	}
	if (waits > 0) {
		printf("The disk was too slow for this flood %d times; the wait is not counted.\n", waits);
	}
	printf("\nRecovery, seconds a GiB: open %.3f, configs %.3f, read everything %.3f (%.0f M records)\n",
	       recovery_median(measured, offsetof(struct recovery_round, open_s)),
	       recovery_median(measured, offsetof(struct recovery_round, catch_up_s)),
	       recovery_median(measured, offsetof(struct recovery_round, read_s)),
	       (double)measured->recovery[0].records * GIBIBYTE / (double)measured->recovery[0].bytes * 1e-6);
	fputs(LEGEND, stdout);
	printf("Medians of %d rounds of %llu readings, and of %d recoveries of %.0f MiB.\n", measured->rounds,
	       (unsigned long long)append->readings, measured->recoveries, (double)measured->recovery[0].bytes / MEBIBYTE);
	printf("%s, %d cores, %s, a system call %.0f ns%s\n", machine->cpu, machine->cores, machine->kernel,
	       machine->syscall_ns, append->pins.pinned ? "" : " (one CPU for everything: trust only the ratios)");
}

static cJSON *json_of_append(const struct append_round *round)
{
	cJSON *object = cJSON_CreateObject();
	for (int way = 0; way < WAY_COUNT; way++) {
		cJSON *cost = cJSON_AddObjectToObject(object, WAY_NAMES[way]);
		document_figure(cost, "hot_ns", round->hot[way], 1);
		document_figure(cost, "mean_ns", round->mean[way], 1);
	}
	document_figure(object, "change_ns", round->change, 0);
	cJSON_AddNumberToObject(object, "changes", round->changes);
	cJSON_AddNumberToObject(object, "waits", round->waits);
	return object;
}

static cJSON *json_of_recovery(const struct recovery_round *round)
{
	cJSON *object = cJSON_CreateObject();
	cJSON_AddNumberToObject(object, "bytes", (double)round->bytes);
	cJSON_AddNumberToObject(object, "readings", (double)round->records);
	document_figure(object, "open_s", round->open_s, 4);
	document_figure(object, "catch_up_s", round->catch_up_s, 4);
	document_figure(object, "read_s", round->read_s, 4);
	return object;
}

static bool write_json(const struct measured *measured, const struct append_setup *append,
                       const struct machine *machine, const char *path, struct fault *fault)
{
	cJSON *root = document_new("journal", machine);
	cJSON *object = cJSON_AddObjectToObject(root, "settings");
	cJSON_AddNumberToObject(object, "readings", (double)append->readings);
	cJSON_AddBoolToObject(object, "pinned", append->pins.pinned);
	object = cJSON_AddObjectToObject(root, "median");
	document_figure(object, "hot_ns", append_median(measured, offsetof(struct append_round, hot)), 1);
	document_figure(object, "mean_ns", append_median(measured, offsetof(struct append_round, mean)), 1);
	document_figure(object, "hot_to_memcpy", ratio_median(measured, offsetof(struct append_round, hot), WAY_MEMCPY), 3);
	document_figure(object, "hot_to_write", ratio_median(measured, offsetof(struct append_round, hot), WAY_WRITE), 4);
	document_figure(object, "open_s_per_gib", recovery_median(measured, offsetof(struct recovery_round, open_s)), 4);
	document_figure(object, "catch_up_s_per_gib",
	                recovery_median(measured, offsetof(struct recovery_round, catch_up_s)), 4);
	document_figure(object, "read_s_per_gib", recovery_median(measured, offsetof(struct recovery_round, read_s)), 4);
	cJSON *rounds = cJSON_AddArrayToObject(root, "append");
	for (int i = 0; i < measured->rounds; i++) {
		cJSON_AddItemToArray(rounds, json_of_append(&measured->append[i]));
	}
	rounds = cJSON_AddArrayToObject(root, "recovery");
	for (int i = 0; i < measured->recoveries; i++) {
		cJSON_AddItemToArray(rounds, json_of_recovery(&measured->recovery[i]));
	}
	return document_write(root, path, fault);
}

static bool measure(const struct append_setup *append, const struct recovery_setup *recovery, struct measured *measured,
                    struct fault *fault)
{
	for (int i = 0; i <= measured->rounds; i++) {
		/* Round 0 warms up; round 1 writes over what it measured. */
		if (!progress_show("appending: round %d", i)) {
			return fault_set(fault, "stopped");
		}
		if (!append_cost_measure(append, &measured->append[i == 0 ? 0 : i - 1], fault)) {
			return fault_add(fault, "appending");
		}
	}
	for (int i = 0; i < measured->recoveries; i++) {
		if (!progress_show("recovery: round %d", i + 1)) {
			return fault_set(fault, "stopped");
		}
		if (!recovery_measure(recovery, &measured->recovery[i], fault)) {
			return fault_add(fault, "recovery");
		}
	}
	return true;
}

/* Returns the exit code. */
static int run(const struct settings *settings, struct measured *measured)
{
	char folder[PATH_MAX];
	struct append_setup append = {.folder = folder, .readings = (uint64_t)settings->readings};
	struct recovery_setup recovery = {
		.folder = folder, .bytes = (uint64_t)settings->recover_mib << 20, .series = SERIES};
	struct machine machine;
	struct fault fault = {0};
	if (!place_make(folder, &fault)) {
		goto fail;
	}
	machine_read(&machine);
	pins_choose(&append.pins);
	progress_begin();
	bool done = measure(&append, &recovery, measured, &fault);
	progress_clear();
	place_remove(folder);
	if (!done) {
		goto fail;
	}
	print_table(measured, &append, &machine);
	if (!write_json(measured, &append, &machine, settings->json, &fault)) {
		goto fail;
	}
	printf("All rounds: %s\n", settings->json);
	return 0;
fail:
	fprintf(stderr, "bench journal: %s\n", fault.text);
	return 1;
}

int journal_command(int word_count, char **words)
{
	static struct measured measured;
	char path[PATH_MAX];
	place_in_build("bench/journal.json", path);
	struct settings settings = {.json = path, .readings = 1500000, .rounds = 5, .recover_mib = 512, .recoveries = 3};
	const struct argument known[] = {
		{"--readings", "in a round, for each way", ARGUMENT_NUMBER, .number = &settings.readings, .min = 1000,
	     .max = 100000000},
		{"--rounds", "of appending, after one that warms up", ARGUMENT_NUMBER, .number = &settings.rounds, .min = 1,
	     .max = ROUNDS_MAX},
		{"--recover", "MiB of journal to recover", ARGUMENT_NUMBER, .number = &settings.recover_mib, .min = 64,
	     .max = 65536},
		{"--recoveries", "how often", ARGUMENT_NUMBER, .number = &settings.recoveries, .min = 1, .max = ROUNDS_MAX},
		{"--json", "where the figures of all rounds go", ARGUMENT_TEXT, .text = &settings.json},
		{"--help", "this", ARGUMENT_FLAG, .flag = &settings.help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault)) {
		fprintf(stderr, "bench journal: %s\n", fault.text);
		return 1;
	}
	if (settings.help) {
		printf("bench journal: what appending to the journal costs, and how long its recovery takes\n");
		arguments_help(known, COUNT(known));
		return 0;
	}
	measured.rounds = (int)settings.rounds;
	measured.recoveries = (int)settings.recoveries;
	return run(&settings, &measured);
}
