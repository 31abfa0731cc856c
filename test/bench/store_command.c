/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_command: see store_command.h.
 */
#include "store_command.h"
#include "arguments.h"
#include "document.h"
#include "place.h"
#include "progress.h"
#include "store_rate.h"
#include "store_results.h"

#include <limits.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t SERIES[STORE_ANSWERS_MAX] = {100, 10000};

struct settings {
	const char *json;
	const char *backend; /* "all": each in turn */
	int64_t readings;
	int64_t sustained;
	int64_t pairs;
	int64_t series;      /* 0: the table's houses */
	int64_t transaction; /* 0: the best of several */
	int64_t cache_mib;
	int64_t chunk;
	bool assert_targets;
	bool help;
};

static bool measure(const struct settings *settings, const struct store_setup *setup,
                    const struct store_backend *backend, struct store_results *results, struct fault *fault)
{
	struct store_target target = {.backend = backend};
	results->backend = backend;
	bool measured = backend->open(&target, setup->folder, fault);
	snprintf(results->version, sizeof(results->version), "%s", target.version);
	for (size_t i = 0; measured && i < (settings->series > 0 ? 1 : COUNT(SERIES)); i++) {
		uint32_t series = settings->series > 0 ? (uint32_t)settings->series : SERIES[i];
		measured = store_rate_measure(setup, &target, series, &results->answers[i], fault);
		results->count++;
	}
	backend->close(&target);
	return measured;
}

static bool write_json(const struct store_setup *setup, const struct machine *machine,
                       const struct store_results *results, size_t count, const char *path, struct fault *fault)
{
	cJSON *root = document_new("store", machine);
	cJSON *object = cJSON_AddObjectToObject(root, "settings");
	cJSON_AddNumberToObject(object, "readings", (double)setup->readings);
	cJSON_AddNumberToObject(object, "sustained", (double)setup->sustained);
	cJSON_AddNumberToObject(object, "pairs", setup->pairs);
	cJSON *list = cJSON_AddArrayToObject(root, "backends");
	for (size_t i = 0; i < count; i++) {
		cJSON_AddItemToArray(list, store_results_json(&results[i]));
	}
	return document_write(root, path, fault);
}

/* Returns the exit code. */
static int run(const struct settings *settings)
{
	static struct store_results results[STORE_BACKENDS];
	char folder[PATH_MAX];
	struct store_setup setup = {
		.folder = folder,
		.readings = (uint64_t)settings->readings,
		.sustained = (uint64_t)settings->sustained,
		.pairs = (int)settings->pairs,
		.best = {.transaction = (uint32_t)settings->transaction,
	             .cache_mib = (uint32_t)settings->cache_mib,
	             .chunk = (uint32_t)settings->chunk},
	};
	struct machine machine;
	struct fault fault = {0};
	size_t count = 0;
	bool ok = true;
	bool measured = true;
	if (!place_make(folder, &fault)) {
		goto fail;
	}
	machine_read(&machine);
	progress_begin();
	for (size_t i = 0; measured && i < STORE_BACKENDS; i++) {
		if (store_backend_chosen(settings->backend, store_backends[i])) {
			measured = measure(settings, &setup, store_backends[i], &results[count], &fault);
			ok = ok && measured && store_results_ok(&results[count]);
			count++;
		}
	}
	progress_clear();
	place_remove(folder);
	if (!measured) {
		goto fail;
	}
	for (size_t i = 0; i < count; i++) {
		store_results_table(&results[i], &setup);
	}
	store_results_legend(&machine);
	if (!write_json(&setup, &machine, results, count, settings->json, &fault)) {
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
	struct settings settings = {
		.json = path, .backend = "all", .readings = 500000, .sustained = 2000000, .pairs = 5, .chunk = 5000};
	const struct argument known[] = {
		{"--backend", "sqlite, mariadb or all", ARGUMENT_TEXT, .text = &settings.backend},
		{"--readings", "in each of a pair", ARGUMENT_NUMBER, .number = &settings.readings, .min = 1000,
	     .max = 100000000},
		{"--sustained", "readings of the long run, 0: none", ARGUMENT_NUMBER, .number = &settings.sustained, .min = 0,
	     .max = 100000000},
		{"--pairs", "of one run each, after one that warms up", ARGUMENT_NUMBER, .number = &settings.pairs, .min = 1,
	     .max = STORE_PAIRS_MAX},
		{"--series", "devices of one house instead of the houses in the table", ARGUMENT_NUMBER,
	     .number = &settings.series, .min = 0, .max = 1000000},
		{"--transaction", "rows of the bulk insert, 0: the best of several ways", ARGUMENT_NUMBER,
	     .number = &settings.transaction, .min = 0, .max = 100000000},
		{"--cache", "SQLite's in MiB, with --transaction; 0: as it has it", ARGUMENT_NUMBER,
	     .number = &settings.cache_mib, .min = 0, .max = 1024},
		{"--chunk", "rows in one of MariaDB's statements, with --transaction", ARGUMENT_NUMBER,
	     .number = &settings.chunk, .min = 1, .max = 100000},
		{"--json", "where the figures of all rounds go", ARGUMENT_TEXT, .text = &settings.json},
		{"--assert", "exit with 2 if a target was missed", ARGUMENT_FLAG, .flag = &settings.assert_targets},
		{"--help", "this", ARGUMENT_FLAG, .flag = &settings.help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault) ||
	    !store_backend_known(settings.backend, &fault)) {
		fprintf(stderr, "bench store: %s\n", fault.text);
		return 1;
	}
	if (settings.help) {
		printf("bench store: readings a second from the journal into a database, beside its own best bulk insert\n");
		arguments_help(known, COUNT(known));
		return 0;
	}
	return run(&settings);
}
