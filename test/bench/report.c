/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report: see report.h.
 */
#include "report.h"
#include "median.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char LEGEND[] =
	"\n"
	"bare, empty, hearth  the broker's main thread without a plugin, with one that does nothing, with Hearth\n"
	"added                hearth - empty, in the median, best and worst round; target: at most so much\n"
	"ratio                bare / hearth\n"
	"all threads          hearth - empty with the threads that write to disk and database\n"
	"\n";

struct summary report_summary(const struct answer *answer)
{
	struct summary summary;
	double figures[PAIRS_MAX];
	int pairs = answer->pairs;
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		for (int i = 0; i < pairs; i++) {
			figures[i] = answer->cost[i][variant].main_ns;
		}
		summary.main_ns[variant] = median(figures, pairs);
		for (int i = 0; i < pairs; i++) {
			figures[i] = answer->cost[i][variant].process_ns;
		}
		summary.process_ns[variant] = median(figures, pairs);
	}
	for (int i = 0; i < pairs; i++) {
		figures[i] = answer->cost[i][VARIANT_HEARTH].process_ns - answer->cost[i][VARIANT_EMPTY].process_ns;
	}
	summary.added_process_ns = median(figures, pairs);
	for (int i = 0; i < pairs; i++) {
		figures[i] = answer->cost[i][VARIANT_BARE].main_ns / answer->cost[i][VARIANT_HEARTH].main_ns;
	}
	summary.ratio = median(figures, pairs);
	for (int i = 0; i < pairs; i++) {
		figures[i] = answer->cost[i][VARIANT_HEARTH].main_ns - answer->cost[i][VARIANT_EMPTY].main_ns;
	}
	summary.added_ns = median(figures, pairs);
	summary.added_ns_min = figures[0];
	summary.added_ns_max = figures[pairs - 1];
	summary.ok = summary.added_ns <= answer->question->target_ns;
	return summary;
}

void report_table(const struct report *report, FILE *out)
{
	const struct setup *setup = report->setup;
	fprintf(out, "CPU nanoseconds a message; every message a stored reading that passes one rule\n\n");
	fprintf(out, "%-22s %7s %7s %7s %7s %16s %7s %12s %8s\n", "", "bare", "empty", "hearth", "added", "(min to max)",
	        "ratio", "all threads", "target");
	for (size_t i = 0; i < report->count; i++) {
		const struct question *question = report->answers[i].question;
		struct summary summary = report_summary(&report->answers[i]);
		char range[32];
		snprintf(range, sizeof(range), "(%.0f to %.0f)", summary.added_ns_min, summary.added_ns_max);
		fprintf(out, "%-22s %7.0f %7.0f %7.0f %+7.0f %16s %7.3f %+12.0f %+8.0f  %s\n", question->name,
		        summary.main_ns[VARIANT_BARE], summary.main_ns[VARIANT_EMPTY], summary.main_ns[VARIANT_HEARTH],
		        summary.added_ns, range, summary.ratio, summary.added_process_ns, question->target_ns,
		        summary.ok ? "ok" : "MISSED");
	}
	fputs(LEGEND, out);
	fprintf(out, "Medians of %d rounds of %llu messages from %d publishers, %d packets a write.\n", setup->pairs,
	        (unsigned long long)setup->messages, setup->publishers, setup->batch);
	fprintf(out, "%s, %d cores, %s, a system call %.0f ns, Mosquitto %s%s\n", report->machine->cpu,
	        report->machine->cores, report->machine->kernel, report->machine->syscall_ns,
	        report->count > 0 ? report->answers[0].mosquitto_version : "?",
	        setup->pins.pinned ? "" : " (one CPU for everything: trust only the ratios)");
}

/* ---- JSON ---- */

/* A figure to a tenth: more digits would be noise. */
static void add_figure(cJSON *object, const char *name, double figure)
{
	cJSON_AddNumberToObject(object, name, round(figure * 10) / 10);
}

static cJSON *json_of_cost(const struct cost *cost)
{
	cJSON *object = cJSON_CreateObject();
	add_figure(object, "main_ns", cost->main_ns);
	add_figure(object, "process_ns", cost->process_ns);
	return object;
}

static cJSON *json_of_answer(const struct answer *answer)
{
	const struct question *question = answer->question;
	struct summary summary = report_summary(answer);
	cJSON *object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "question", question->name);
	cJSON_AddNumberToObject(object, "qos", question->qos);
	cJSON_AddNumberToObject(object, "subscribers", question->subscribers);
	for (int variant = 0; variant < VARIANT_COUNT; variant++) {
		struct cost cost = {summary.main_ns[variant], summary.process_ns[variant]};
		cJSON_AddItemToObject(object, VARIANT_NAMES[variant], json_of_cost(&cost));
	}
	add_figure(object, "added_ns", summary.added_ns);
	add_figure(object, "added_ns_min", summary.added_ns_min);
	add_figure(object, "added_ns_max", summary.added_ns_max);
	add_figure(object, "added_process_ns", summary.added_process_ns);
	cJSON_AddNumberToObject(object, "ratio", round(summary.ratio * 10000) / 10000);
	cJSON_AddNumberToObject(object, "target_ns", question->target_ns);
	cJSON_AddBoolToObject(object, "ok", summary.ok);
	cJSON *rounds = cJSON_AddArrayToObject(object, "rounds");
	for (int i = 0; i < answer->pairs; i++) {
		cJSON *one = cJSON_CreateObject();
		for (int variant = 0; variant < VARIANT_COUNT; variant++) {
			cJSON_AddItemToObject(one, VARIANT_NAMES[variant], json_of_cost(&answer->cost[i][variant]));
		}
		cJSON_AddItemToArray(rounds, one);
	}
	return object;
}

static cJSON *json_of_report(const struct report *report)
{
	const struct machine *machine = report->machine;
	const struct setup *setup = report->setup;
	char now[32];
	time_t seconds = time(NULL);
	struct tm utc;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));

	cJSON *root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "benchmark", "message_cost");
	cJSON_AddStringToObject(root, "time", now);
	cJSON_AddStringToObject(root, "hearth", HEARTH_VERSION);
	cJSON_AddStringToObject(root, "mosquitto", report->count > 0 ? report->answers[0].mosquitto_version : "");
	cJSON *object = cJSON_AddObjectToObject(root, "machine");
	cJSON_AddStringToObject(object, "cpu", machine->cpu);
	cJSON_AddNumberToObject(object, "cores", machine->cores);
	cJSON_AddStringToObject(object, "kernel", machine->kernel);
	add_figure(object, "syscall_ns", machine->syscall_ns);
	object = cJSON_AddObjectToObject(root, "settings");
	cJSON_AddNumberToObject(object, "messages", (double)setup->messages);
	cJSON_AddNumberToObject(object, "pairs", setup->pairs);
	cJSON_AddNumberToObject(object, "publishers", setup->publishers);
	cJSON_AddNumberToObject(object, "batch", setup->batch);
	cJSON_AddNumberToObject(object, "window", setup->window);
	cJSON_AddBoolToObject(object, "pinned", setup->pins.pinned);
	cJSON *answers = cJSON_AddArrayToObject(root, "answers");
	for (size_t i = 0; i < report->count; i++) {
		cJSON_AddItemToArray(answers, json_of_answer(&report->answers[i]));
	}
	return root;
}

static void make_parent_folders(const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", path);
	for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(folder, 0777);
		*slash = '/';
	}
}

bool report_json(const struct report *report, const char *path, struct fault *fault)
{
	cJSON *root = json_of_report(report);
	char *text = cJSON_Print(root);
	cJSON_Delete(root);
	if (text == NULL) {
		return fault_set(fault, "no memory");
	}
	make_parent_folders(path);
	FILE *file = fopen(path, "we");
	bool written = file != NULL && fprintf(file, "%s\n", text) > 0;
	if ((file != NULL && fclose(file) != 0) || !written) {
		fault_set(fault, "%s: %s", path, strerror(errno));
		written = false;
	}
	cJSON_free(text);
	return written;
}
