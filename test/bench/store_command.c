/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_command: see store_command.h.
 */
#include "store_command.h"
#include "arguments.h"
#include "document.h"
#include "median.h"
#include "place.h"
#include "progress.h"
#include "store_rate.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TARGET_RATIO 0.8

static const uint32_t SERIES[] = {100, 10000};

static const char LEGEND[] =
	"\n"
	"hearth, sqlite  readings a second from the journal through the writer into a new database, and by SQLite's best "
	"bulk\n"
	"                insert of the same rows into the same tables; medians\n"
	"ratio           hearth / sqlite: median, worst and best of the pairs; target: at least so much\n"
	"sustained       hearth in one long run\n"
	"SQLite's best   rows a transaction and MiB of cache with which SQLite was fastest\n"
	"\n";

struct settings {
	const char *json;
	int64_t readings;
	int64_t sustained;
	int64_t pairs;
	int64_t series;      /* 0: the table's houses */
	int64_t transaction; /* 0: the best of several */
	int64_t cache_mib;
	bool assert_targets;
	bool help;
};

struct summary {
	double hearth;
	double sqlite;
	double ratio;
	double ratio_min;
	double ratio_max;
	bool ok;
};

static struct summary summarize(const struct store_answer *answer)
{
	double hearth[STORE_PAIRS_MAX];
	double sqlite[STORE_PAIRS_MAX];
	double ratios[STORE_PAIRS_MAX];
	for (int i = 0; i < answer->pairs; i++) {
		hearth[i] = answer->pair[i].hearth;
		sqlite[i] = answer->pair[i].sqlite;
		ratios[i] = hearth[i] / sqlite[i];
	}
	struct summary summary = {
		.hearth = median(hearth, answer->pairs),
		.sqlite = median(sqlite, answer->pairs),
		.ratio = median(ratios, answer->pairs), /* sorts them */
		.ratio_min = ratios[0],
		.ratio_max = ratios[answer->pairs - 1],
	};
	summary.ok = summary.ratio >= TARGET_RATIO;
	return summary;
}

static void print_table(const struct store_setup *setup, const struct machine *machine,
                        const struct store_answer *answers, size_t count)
{
	printf("Readings a second, journal to SQLite\n\n");
	printf("%-14s %10s %10s %7s %18s %8s %10s  %s\n", "", "hearth", "sqlite", "ratio", "(min to max)", "target",
	       "sustained", "SQLite's best");
	for (size_t i = 0; i < count; i++) {
		struct summary summary = summarize(&answers[i]);
		const struct store_trial *best = &answers[i].trials[answers[i].best];
		char name[32];
		char range[32];
		snprintf(name, sizeof(name), "%u series", answers[i].series);
		snprintf(range, sizeof(range), "(%.2f to %.2f)", summary.ratio_min, summary.ratio_max);
		printf("%-14s %10.0f %10.0f %7.2f %18s %8.2f %10.0f  %u rows, %u MiB  %s\n", name, summary.hearth,
		       summary.sqlite, summary.ratio, range, TARGET_RATIO, answers[i].sustained, best->transaction,
		       best->cache_mib == 0 ? 2 : best->cache_mib, summary.ok ? "ok" : "MISSED");
	}
	fputs(LEGEND, stdout);
	printf("Medians of %d pairs of %llu readings; sustained: %llu readings.\n", setup->pairs,
	       (unsigned long long)setup->readings, (unsigned long long)setup->sustained);
	printf("%s, %d cores, %s, a system call %.0f ns, SQLite %s\n", machine->cpu, machine->cores, machine->kernel,
	       machine->syscall_ns, sqlite3_libversion());
}

static cJSON *json_of_answer(const struct store_answer *answer)
{
	struct summary summary = summarize(answer);
	cJSON *object = cJSON_CreateObject();
	cJSON_AddNumberToObject(object, "series", answer->series);
	document_figure(object, "hearth", summary.hearth, 0);
	document_figure(object, "sqlite", summary.sqlite, 0);
	document_figure(object, "ratio", summary.ratio, 3);
	document_figure(object, "ratio_min", summary.ratio_min, 3);
	document_figure(object, "ratio_max", summary.ratio_max, 3);
	document_figure(object, "target_ratio", TARGET_RATIO, 3);
	cJSON_AddBoolToObject(object, "ok", summary.ok);
	document_figure(object, "sustained", answer->sustained, 0);
	cJSON *trials = cJSON_AddArrayToObject(object, "sqlite_trials");
	for (int i = 0; i < answer->trial_count; i++) {
		cJSON *one = cJSON_CreateObject();
		cJSON_AddNumberToObject(one, "transaction", answer->trials[i].transaction);
		cJSON_AddNumberToObject(one, "cache_mib", answer->trials[i].cache_mib);
		document_figure(one, "rate", answer->trials[i].rate, 0);
		cJSON_AddBoolToObject(one, "best", i == answer->best);
		cJSON_AddItemToArray(trials, one);
	}
	cJSON *pairs = cJSON_AddArrayToObject(object, "pairs");
	for (int i = 0; i < answer->pairs; i++) {
		cJSON *one = cJSON_CreateObject();
		document_figure(one, "hearth", answer->pair[i].hearth, 0);
		document_figure(one, "sqlite", answer->pair[i].sqlite, 0);
		cJSON_AddItemToArray(pairs, one);
	}
	return object;
}

static bool write_json(const struct store_setup *setup, const struct machine *machine,
                       const struct store_answer *answers, size_t count, const char *path, struct fault *fault)
{
	cJSON *root = document_new("store", machine);
	cJSON_AddStringToObject(root, "sqlite", sqlite3_libversion());
	cJSON *object = cJSON_AddObjectToObject(root, "settings");
	cJSON_AddNumberToObject(object, "readings", (double)setup->readings);
	cJSON_AddNumberToObject(object, "sustained", (double)setup->sustained);
	cJSON_AddNumberToObject(object, "pairs", setup->pairs);
	cJSON *list = cJSON_AddArrayToObject(root, "answers");
	for (size_t i = 0; i < count; i++) {
		cJSON_AddItemToArray(list, json_of_answer(&answers[i]));
	}
	return document_write(root, path, fault);
}

/* Returns the exit code. */
static int run(const struct settings *settings)
{
	static struct store_answer answers[COUNT(SERIES)];
	char folder[PATH_MAX];
	struct store_setup setup = {
		.folder = folder,
		.readings = (uint64_t)settings->readings,
		.sustained = (uint64_t)settings->sustained,
		.pairs = (int)settings->pairs,
		.transaction = (uint32_t)settings->transaction,
		.cache_mib = (uint32_t)settings->cache_mib,
	};
	struct machine machine;
	struct pins pins;
	struct fault fault = {0};
	size_t count = 0;
	bool ok = true;
	bool measured = true;
	if (!place_make(folder, &fault)) {
		goto fail;
	}
	machine_read(&machine);
	pins_choose(&pins); /* both sides on one CPU */
	progress_begin();
	for (size_t i = 0; measured && i < (settings->series > 0 ? 1 : COUNT(SERIES)); i++) {
		uint32_t series = settings->series > 0 ? (uint32_t)settings->series : SERIES[i];
		measured = store_rate_measure(&setup, series, &answers[count], &fault);
		ok = ok && measured && summarize(&answers[count]).ok;
		count++;
	}
	progress_clear();
	place_remove(folder);
	if (!measured) {
		goto fail;
	}
	print_table(&setup, &machine, answers, count);
	if (!write_json(&setup, &machine, answers, count, settings->json, &fault)) {
		goto fail;
	}
	printf("All rounds: %s\n", settings->json);
	return settings->assert_targets && !ok ? 2 : 0;
fail:
	fprintf(stderr, "bench store: %s\n", fault.text);
	return 1;
}

int store_command(int word_count, char **words)
{
	char path[PATH_MAX];
	place_in_build("bench/store.json", path);
	struct settings settings = {.json = path, .readings = 500000, .sustained = 2000000, .pairs = 5};
	const struct argument known[] = {
		{"--readings", "in each of a pair", ARGUMENT_NUMBER, .number = &settings.readings, .min = 1000,
	     .max = 100000000},
		{"--sustained", "readings of the long run, 0: none", ARGUMENT_NUMBER, .number = &settings.sustained, .min = 0,
	     .max = 100000000},
		{"--pairs", "of one run each, after one that warms up", ARGUMENT_NUMBER, .number = &settings.pairs, .min = 1,
	     .max = STORE_PAIRS_MAX},
		{"--series", "devices of one house instead of the houses in the table", ARGUMENT_NUMBER,
	     .number = &settings.series, .min = 0, .max = 1000000},
		{"--transaction", "rows in SQLite's side, 0: the best of several", ARGUMENT_NUMBER,
	     .number = &settings.transaction, .min = 0, .max = 100000000},
		{"--cache", "MiB, with --transaction; 0: as SQLite has it", ARGUMENT_NUMBER, .number = &settings.cache_mib,
	     .min = 0, .max = 1024},
		{"--json", "where the figures of all rounds go", ARGUMENT_TEXT, .text = &settings.json},
		{"--assert", "exit with 2 if a target was missed", ARGUMENT_FLAG, .flag = &settings.assert_targets},
		{"--help", "this", ARGUMENT_FLAG, .flag = &settings.help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault)) {
		fprintf(stderr, "bench store: %s\n", fault.text);
		return 1;
	}
	if (settings.help) {
		printf("bench store: readings a second from the journal into SQLite, beside SQLite's own best bulk insert\n");
		arguments_help(known, COUNT(known));
		return 0;
	}
	return run(&settings);
}
