/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * query_command: see query_command.h. The databases are there for the run only.
 */
#include "query_command.h"
#include "arguments.h"
#include "clock.h"
#include "document.h"
#include "place.h"
#include "progress.h"
#include "query_cost.h"
#include "query_load.h"

#include <limits.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TARGET_MS 10.0

static const char LEGEND[] =
	"\n"
	"rows       of the answer, which is checked each time\n"
	"p50, p99   of asking the plugin's reading functions until the last row came, warm; target: p50 below it\n"
	"\n";

struct settings {
	const char *json;
	const char *backend; /* "all": each in turn */
	int64_t readings;
	int64_t series;
	int64_t runs;
	bool assert_targets;
	bool help;
};

/* What was measured with one backend. */
struct results {
	const struct store_backend *backend;
	char version[64];
	struct query_answer answer;
};

static bool is_ok(const struct query_cost *cost)
{
	return cost->median_ms < TARGET_MS;
}

static bool all_ok(const struct results *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (int question = 0; question < QUERY_QUESTIONS; question++) {
			if (!is_ok(&results[i].answer.questions[question])) {
				return false;
			}
		}
	}
	return true;
}

static void print_table(const struct settings *settings, const struct machine *machine, const struct results *results,
                        size_t count)
{
	printf("Milliseconds to answer from %lld readings in %lld series over %d days\n\n", (long long)settings->readings,
	       (long long)settings->series, LAYOUT_DAYS);
	printf("%-26s %6s", "", "");
	for (size_t i = 0; i < count; i++) {
		printf("  %16s", results[i].version);
	}
	printf("\n%-26s %6s", "", "rows");
	for (size_t i = 0; i < count; i++) {
		printf("  %8s%8s", "p50", "p99");
	}
	printf("  %8s\n", "target");
	for (int question = 0; question < QUERY_QUESTIONS; question++) {
		bool ok = true;
		printf("%-26s %6llu", QUERY_NAMES[question], (unsigned long long)results[0].answer.questions[question].rows);
		for (size_t i = 0; i < count; i++) {
			const struct query_cost *cost = &results[i].answer.questions[question];
			printf("  %8.3f%8.3f", cost->median_ms, cost->p99_ms);
			ok = ok && is_ok(cost);
		}
		printf("  %8.0f  %s\n", TARGET_MS, ok ? "ok" : "MISSED");
	}
	fputs(LEGEND, stdout);
	printf("%lld runs of each.\n", (long long)settings->runs);
	printf("%s, %d cores, %s, a system call %.0f ns\n", machine->cpu, machine->cores, machine->kernel,
	       machine->syscall_ns);
}

static cJSON *json_of_results(const struct results *results)
{
	cJSON *object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "backend", results->backend->name);
	cJSON_AddStringToObject(object, "version", results->version);
	cJSON *questions = cJSON_AddArrayToObject(object, "questions");
	for (int question = 0; question < QUERY_QUESTIONS; question++) {
		const struct query_cost *cost = &results->answer.questions[question];
		cJSON *one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "question", QUERY_NAMES[question]);
		cJSON_AddNumberToObject(one, "rows", (double)cost->rows);
		document_figure(one, "p50_ms", cost->median_ms, 4);
		document_figure(one, "p99_ms", cost->p99_ms, 4);
		document_figure(one, "max_ms", cost->max_ms, 4);
		document_figure(one, "target_ms", TARGET_MS, 1);
		cJSON_AddBoolToObject(one, "ok", is_ok(cost));
		cJSON_AddItemToArray(questions, one);
	}
	return object;
}

static bool write_json(const struct settings *settings, const struct machine *machine, const struct results *results,
                       size_t count, struct fault *fault)
{
	cJSON *root = document_new("query", machine);
	cJSON *object = cJSON_AddObjectToObject(root, "settings");
	cJSON_AddNumberToObject(object, "readings", (double)settings->readings);
	cJSON_AddNumberToObject(object, "series", (double)settings->series);
	cJSON_AddNumberToObject(object, "days", LAYOUT_DAYS);
	cJSON_AddNumberToObject(object, "runs", (double)settings->runs);
	cJSON *list = cJSON_AddArrayToObject(root, "backends");
	for (size_t i = 0; i < count; i++) {
		cJSON_AddItemToArray(list, json_of_results(&results[i]));
	}
	return document_write(root, settings->json, fault);
}

static bool measure(const struct settings *settings, const char *folder, const struct store_backend *backend,
                    struct results *results, struct fault *fault)
{
	struct store_target target = {.backend = backend};
	struct query_layout layout = query_layout_make((uint64_t)settings->readings, (uint32_t)settings->series,
	                                               clock_wall_us() / LAYOUT_SECOND_US * LAYOUT_SECOND_US);
	results->backend = backend;
	bool measured = backend->open(&target, folder, fault) && query_load(&target, &layout, fault) &&
	                query_cost_measure(&target, &layout, (int)settings->runs, &results->answer, fault);
	snprintf(results->version, sizeof(results->version), "%s", target.version);
	backend->close(&target);
	return measured;
}

/* Returns the exit code. */
static int run(const struct settings *settings)
{
	static struct results results[STORE_BACKENDS];
	char folder[PATH_MAX];
	struct machine machine;
	struct fault fault = {0};
	size_t count = 0;
	bool measured = true;
	if (!place_make(folder, &fault)) {
		goto fail;
	}
	machine_read(&machine);
	progress_begin();
	for (size_t i = 0; measured && i < STORE_BACKENDS; i++) {
		if (store_backend_chosen(settings->backend, store_backends[i])) {
			measured = measure(settings, folder, store_backends[i], &results[count++], &fault);
		}
	}
	progress_clear();
	place_remove(folder);
	if (!measured) {
		goto fail;
	}
	print_table(settings, &machine, results, count);
	if (!write_json(settings, &machine, results, count, &fault)) {
		goto fail;
	}
	printf("All figures: %s\n", settings->json);
	return settings->assert_targets && !all_ok(results, count) ? 2 : 0;
fail:
	fprintf(stderr, "bench query: %s\n", fault.text);
	return 1;
}

static bool check_readings(const struct settings *settings, struct fault *fault)
{
	const int64_t least = settings->series * LAYOUT_PER_SERIES_MIN + LAYOUT_FAST_DAYS * 86400;
	return settings->readings >= least ||
	       fault_set(fault, "--readings %lld: wanted %lld or more, so that each hour has some",
	                 (long long)settings->readings, (long long)least);
}

int query_command(int word_count, char **words)
{
	char path[PATH_MAX];
	place_in_build("bench/query.json", path);
	struct settings settings = {.json = path, .backend = "all", .readings = 10000000, .series = 100, .runs = 50};
	const struct argument known[] = {
		{"--backend", "sqlite, mariadb or all", ARGUMENT_TEXT, .text = &settings.backend},
		{"--readings", "of all series together", ARGUMENT_NUMBER, .number = &settings.readings, .min = 1000,
	     .max = 1000000000},
		{"--series", "of one house", ARGUMENT_NUMBER, .number = &settings.series, .min = 1, .max = 10000},
		{"--runs", "of each question", ARGUMENT_NUMBER, .number = &settings.runs, .min = 1, .max = QUERY_RUNS_MAX},
		{"--json", "where the figures go", ARGUMENT_TEXT, .text = &settings.json},
		{"--assert", "exit with 2 if a target was missed", ARGUMENT_FLAG, .flag = &settings.assert_targets},
		{"--help", "this", ARGUMENT_FLAG, .flag = &settings.help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault) ||
	    !store_backend_known(settings.backend, &fault) || !check_readings(&settings, &fault)) {
		fprintf(stderr, "bench query: %s\n", fault.text);
		return 1;
	}
	if (settings.help) {
		printf("bench query: how long questions about what is stored take\n");
		arguments_help(known, COUNT(known));
		return 0;
	}
	return run(&settings);
}
