/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_results: see store_results.h.
 */
#include "store_results.h"
#include "document.h"
#include "median.h"

#include <stdio.h>

#define TARGET_RATIO 0.8

static const char LEGEND[] =
	"hearth, bulk    readings a second from the journal through the writer into an empty database, and by the "
	"database's\n"
	"                best bulk insert of the same rows, and of what they add to each minute and hour, into the same\n"
	"                tables; medians\n"
	"ratio           hearth / bulk: median, worst and best of the pairs; target: at least so much\n"
	"sustained       hearth in one long run\n"
	"best            the way in which the bulk insert was fastest\n"
	"no roll-ups     the bulk insert of the readings alone; what a reading takes on disk with its roll-ups\n"
	"wide table      one table of texts (location, device, sensor, subject, value, time) by the same bulk insert,\n"
	"                and with one INSERT and one transaction a reading\n"
	"\n";

struct summary {
	double hearth;
	double bulk;
	double ratio;
	double ratio_min;
	double ratio_max;
	bool ok;
};

static struct summary summarize(const struct store_answer *answer)
{
	double hearth[STORE_PAIRS_MAX];
	double bulk[STORE_PAIRS_MAX];
	double ratios[STORE_PAIRS_MAX];
	for (int i = 0; i < answer->pairs; i++) {
		hearth[i] = answer->pair[i].hearth;
		bulk[i] = answer->pair[i].bulk;
		ratios[i] = hearth[i] / bulk[i];
	}
	struct summary summary = {
		.hearth = median(hearth, answer->pairs),
		.bulk = median(bulk, answer->pairs),
		.ratio = median(ratios, answer->pairs), /* sorts them */
		.ratio_min = ratios[0],
		.ratio_max = ratios[answer->pairs - 1],
	};
	summary.ok = summary.ratio >= TARGET_RATIO;
	return summary;
}

bool store_results_ok(const struct store_results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		if (!summarize(&results->answers[i]).ok) {
			return false;
		}
	}
	return true;
}

static void print_way(const struct store_trial *way)
{
	if (way->chunk > 0) {
		printf("%u rows in chunks of %u", way->transaction, way->chunk);
	} else {
		printf("%u rows, %u MiB", way->transaction, way->cache_mib == 0 ? 2 : way->cache_mib);
	}
}

static void print_beside(const struct store_results *results)
{
	printf("\n%-14s %11s %10s %12s %10s %12s\n", "", "no roll-ups", "bytes/row", "wide table", "bytes/row",
	       "one by one");
	for (size_t i = 0; i < results->count; i++) {
		const struct store_beside *beside = &results->answers[i].beside;
		char name[32];
		snprintf(name, sizeof(name), "%u series", results->answers[i].series);
		printf("%-14s %11.0f %10.1f %12.0f %10.1f %12.0f\n", name, beside->without_rollups, beside->bytes, beside->wide,
		       beside->wide_bytes, beside->wide_single);
	}
}

void store_results_table(const struct store_results *results, const struct store_setup *setup)
{
	printf("Readings a second, journal to %s\n\n", results->version);
	printf("%-14s %10s %10s %7s %18s %8s %10s  %s\n", "", "hearth", "bulk", "ratio", "(min to max)", "target",
	       "sustained", "best");
	for (size_t i = 0; i < results->count; i++) {
		const struct store_answer *answer = &results->answers[i];
		struct summary summary = summarize(answer);
		char name[32];
		char range[32];
		snprintf(name, sizeof(name), "%u series", answer->series);
		snprintf(range, sizeof(range), "(%.2f to %.2f)", summary.ratio_min, summary.ratio_max);
		printf("%-14s %10.0f %10.0f %7.2f %18s %8.2f %10.0f  ", name, summary.hearth, summary.bulk, summary.ratio,
		       range, TARGET_RATIO, answer->sustained);
		print_way(&answer->trials[answer->best]);
		printf("  %s\n", summary.ok ? "ok" : "MISSED");
	}
	if (results->backend->with_beside) {
		print_beside(results);
	}
	printf("\nMedians of %d pairs of %llu readings; sustained: %llu readings.\n\n", setup->pairs,
	       (unsigned long long)setup->readings, (unsigned long long)setup->sustained);
}

void store_results_legend(const struct machine *machine)
{
	fputs(LEGEND, stdout);
	printf("%s, %d cores, %s, a system call %.0f ns\n", machine->cpu, machine->cores, machine->kernel,
	       machine->syscall_ns);
}

static cJSON *json_of_trial(const struct store_trial *trial, bool best)
{
	cJSON *one = cJSON_CreateObject();
	cJSON_AddNumberToObject(one, "transaction", trial->transaction);
	if (trial->chunk > 0) {
		cJSON_AddNumberToObject(one, "chunk", trial->chunk);
	} else {
		cJSON_AddNumberToObject(one, "cache_mib", trial->cache_mib);
	}
	document_figure(one, "rate", trial->rate, 0);
	cJSON_AddBoolToObject(one, "best", best);
	return one;
}

static void add_beside(cJSON *object, const struct store_beside *beside)
{
	document_figure(object, "without_rollups", beside->without_rollups, 0);
	document_figure(object, "bytes", beside->bytes, 1);
	document_figure(object, "wide", beside->wide, 0);
	document_figure(object, "wide_bytes", beside->wide_bytes, 1);
	document_figure(object, "wide_single", beside->wide_single, 0);
}

static cJSON *json_of_answer(const struct store_answer *answer, bool with_beside)
{
	struct summary summary = summarize(answer);
	cJSON *object = cJSON_CreateObject();
	cJSON_AddNumberToObject(object, "series", answer->series);
	document_figure(object, "hearth", summary.hearth, 0);
	document_figure(object, "bulk", summary.bulk, 0);
	document_figure(object, "ratio", summary.ratio, 3);
	document_figure(object, "ratio_min", summary.ratio_min, 3);
	document_figure(object, "ratio_max", summary.ratio_max, 3);
	document_figure(object, "target_ratio", TARGET_RATIO, 3);
	cJSON_AddBoolToObject(object, "ok", summary.ok);
	document_figure(object, "sustained", answer->sustained, 0);
	if (with_beside) {
		add_beside(cJSON_AddObjectToObject(object, "beside"), &answer->beside);
	}
	cJSON *trials = cJSON_AddArrayToObject(object, "bulk_trials");
	for (int i = 0; i < answer->trial_count; i++) {
		cJSON_AddItemToArray(trials, json_of_trial(&answer->trials[i], i == answer->best));
	}
	cJSON *pairs = cJSON_AddArrayToObject(object, "pairs");
	for (int i = 0; i < answer->pairs; i++) {
		cJSON *one = cJSON_CreateObject();
		document_figure(one, "hearth", answer->pair[i].hearth, 0);
		document_figure(one, "bulk", answer->pair[i].bulk, 0);
		cJSON_AddItemToArray(pairs, one);
	}
	return object;
}

cJSON *store_results_json(const struct store_results *results)
{
	cJSON *object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "backend", results->backend->name);
	cJSON_AddStringToObject(object, "version", results->version);
	cJSON *list = cJSON_AddArrayToObject(object, "answers");
	for (size_t i = 0; i < results->count; i++) {
		cJSON_AddItemToArray(list, json_of_answer(&results->answers[i], results->backend->with_beside));
	}
	return object;
}
