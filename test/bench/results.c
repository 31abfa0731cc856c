/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * results: see results.h.
 */
#include "results.h"
#include "document.h"
#include "median.h"

#include <math.h>
#include <string.h>

static const char LEGEND[] =
	"\n"
	"bare, empty, hearth  the broker's main thread without a plugin, with one that does nothing, with Hearth\n"
	"added                hearth - empty, in the median, best and worst round; target: at most so much\n"
	"ratio                bare / hearth\n"
	"all threads          hearth - empty with the threads that write to disk and database\n"
	"\n";

/* The median over the rounds of the figure that lies `offset` bytes into each. */
static double median_of_rounds(const struct answer *answer, size_t offset)
{
	double figures[PAIRS_MAX];
	for (int i = 0; i < answer->pairs; i++) {
		memcpy(&figures[i], (const char *)&answer->rounds[i] + offset, sizeof(figures[i]));
	}
	return median(figures, answer->pairs);
}

struct summary results_summary(const struct answer *answer)
{
	struct summary summary = {
		.median.added_ns = median_of_rounds(answer, offsetof(struct round, added_ns)),
		.median.ratio = median_of_rounds(answer, offsetof(struct round, ratio)),
		.added_ns_min = INFINITY,
		.added_ns_max = -INFINITY,
	};
	for (size_t variant = 0; variant < VARIANT_COUNT; variant++) {
		size_t place = variant * sizeof(double);
		summary.median.main_ns[variant] = median_of_rounds(answer, offsetof(struct round, main_ns) + place);
		summary.median.process_ns[variant] = median_of_rounds(answer, offsetof(struct round, process_ns) + place);
	}
	for (int i = 0; i < answer->pairs; i++) {
		summary.added_ns_min = fmin(summary.added_ns_min, answer->rounds[i].added_ns);
		summary.added_ns_max = fmax(summary.added_ns_max, answer->rounds[i].added_ns);
	}
	summary.ok = summary.median.added_ns <= answer->question->target_ns;
	return summary;
}

void results_table(const struct results *results, FILE *out)
{
	const struct setup *setup = results->setup;
	fprintf(out, "CPU nanoseconds a message; every message a stored reading that passes one rule\n\n");
	fprintf(out, "%-22s %7s %7s %7s %7s %16s %7s %12s %8s\n", "", "bare", "empty", "hearth", "added", "(min to max)",
	        "ratio", "all threads", "target");
	for (size_t i = 0; i < results->count; i++) {
		const struct question *question = results->answers[i].question;
		struct summary summary = results_summary(&results->answers[i]);
		char range[32];
		snprintf(range, sizeof(range), "(%.0f to %.0f)", summary.added_ns_min, summary.added_ns_max);
		double behind = summary.median.process_ns[VARIANT_HEARTH] - summary.median.process_ns[VARIANT_EMPTY];
		fprintf(out, "%-22s %7.0f %7.0f %7.0f %+7.0f %16s %7.3f %+12.0f %+8.0f  %s\n", question->name,
		        summary.median.main_ns[VARIANT_BARE], summary.median.main_ns[VARIANT_EMPTY],
		        summary.median.main_ns[VARIANT_HEARTH], summary.median.added_ns, range, summary.median.ratio, behind,
		        question->target_ns, summary.ok ? "ok" : "MISSED");
	}
	fputs(LEGEND, out);
	fprintf(out, "Medians of %d rounds of %llu messages from %d publishers, %d packets a write.\n", setup->pairs,
	        (unsigned long long)setup->messages, setup->publishers, setup->batch);
	fprintf(out, "%s, %d cores, %s, a system call %.0f ns, Mosquitto %s%s\n", results->machine->cpu,
	        results->machine->cores, results->machine->kernel, results->machine->syscall_ns,
	        results->count > 0 ? results->answers[0].mosquitto_version : "?",
	        setup->pins.pinned ? "" : " (one CPU for everything: trust only the ratios)");
}

/* ---- JSON ---- */

static void add_figure(cJSON *object, const char *name, double figure)
{
	document_figure(object, name, figure, 1);
}

static void add_round(cJSON *object, const struct round *round)
{
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		cJSON *cost = cJSON_AddObjectToObject(object, VARIANT_NAMES[variant]);
		add_figure(cost, "main_ns", round->main_ns[variant]);
		add_figure(cost, "process_ns", round->process_ns[variant]);
	}
	add_figure(object, "added_ns", round->added_ns);
	document_figure(object, "ratio", round->ratio, 3);
}

static cJSON *json_of_answer(const struct answer *answer)
{
	const struct question *question = answer->question;
	struct summary summary = results_summary(answer);
	cJSON *object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "question", question->name);
	cJSON_AddNumberToObject(object, "qos", question->qos);
	cJSON_AddNumberToObject(object, "subscribers", question->subscribers);
	add_round(object, &summary.median);
	add_figure(object, "added_ns_min", summary.added_ns_min);
	add_figure(object, "added_ns_max", summary.added_ns_max);
	cJSON_AddNumberToObject(object, "target_ns", question->target_ns);
	cJSON_AddBoolToObject(object, "ok", summary.ok);
	cJSON *rounds = cJSON_AddArrayToObject(object, "rounds");
	for (int i = 0; i < answer->pairs; i++) {
		cJSON *one = cJSON_CreateObject();
		add_round(one, &answer->rounds[i]);
		cJSON_AddItemToArray(rounds, one);
	}
	return object;
}

static cJSON *json_of_results(const struct results *results)
{
	const struct setup *setup = results->setup;
	cJSON *root = document_new("message_cost", results->machine);
	cJSON_AddStringToObject(root, "mosquitto", results->count > 0 ? results->answers[0].mosquitto_version : "");
	cJSON *object = cJSON_AddObjectToObject(root, "settings");
	cJSON_AddNumberToObject(object, "messages", (double)setup->messages);
	cJSON_AddNumberToObject(object, "pairs", setup->pairs);
	cJSON_AddNumberToObject(object, "publishers", setup->publishers);
	cJSON_AddNumberToObject(object, "batch", setup->batch);
	cJSON_AddNumberToObject(object, "window", setup->window);
	cJSON_AddBoolToObject(object, "pinned", setup->pins.pinned);
	cJSON *answers = cJSON_AddArrayToObject(root, "answers");
	for (size_t i = 0; i < results->count; i++) {
		cJSON_AddItemToArray(answers, json_of_answer(&results->answers[i]));
	}
	return root;
}

bool results_json(const struct results *results, const char *path, struct fault *fault)
{
	return document_write(json_of_results(results), path, fault);
}
