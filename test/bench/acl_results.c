/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_results: see acl_results.h. All figures of brokers are medians over the rounds.
 */
#include "acl_results.h"
#include "document.h"
#include "median.h"

#include <stdio.h>
#include <string.h>

/* The median, the least and the greatest. */
struct spread {
	double middle, least, most;
};

static struct spread spread_of(const double *figures, int count)
{
	double sorted[ACL_ROUNDS_MAX];
	memcpy(sorted, figures, (size_t)count * sizeof(*figures));
	double middle = median(sorted, count);
	return (struct spread){middle, sorted[0], sorted[count - 1]};
}

static double middle_of(const double *figures, int count)
{
	return spread_of(figures, count).middle;
}

static const char *verdict(bool good)
{
	return good ? "ok" : "MISSED";
}

/* ---- the table; each part says whether its targets hold ---- */

static bool print_pure(const struct acl_results *results)
{
	bool good = true;
	const struct acl_pure *first = &results->pure[0];
	const struct acl_pure *last = &results->pure[results->pure_count - 1];
	printf("A check without a broker: of ten accounts eight devices, a resident, a service with 20 grants\n\n");
	printf("%9s %9s %7s %16s %13s   %s\n", "accounts", "checked", "ns", "(min to max)", "instructions", "target");
	for (int i = 0; i < results->pure_count; i++) {
		const struct acl_pure *pure = &results->pure[i];
		bool cold = pure->active > ACL_TALKING_MAX;
		bool holds = cold || pure->ns <= ACL_NS_TARGET;
		char range[40];
		snprintf(range, sizeof(range), "(%.0f to %.0f)", pure->ns_min, pure->ns_max);
		printf("%9d %9d %7.0f %16s %13.1f   ", pure->accounts, pure->active, pure->ns, range, pure->instructions);
		if (cold) {
			printf("waits for memory: more accounts than the caches hold\n");
		} else {
			printf("at most %.0f ns  %s\n", ACL_NS_TARGET, verdict(holds));
		}
		good = good && holds;
	}
	double ratio = last->instructions / first->instructions;
	bool holds = ratio <= ACL_INSTRUCTIONS_TARGET;
	printf("instructions with the most accounts by those with the fewest: %.3f   at most %.1f  %s\n\n", ratio,
	       ACL_INSTRUCTIONS_TARGET, verdict(holds));
	return good && holds;
}

static bool print_messages(const struct acl_results *results)
{
	bool good = true;
	printf("CPU ns a message in the broker's thread, 500 publishers with a subscriber each (two checks)\n\n");
	printf("%-26s %8s %8s %8s %9s %9s   %s\n", "", "empty", "dynamic", "hearth", "dyn.-empty", "h.-empty",
	       "dynamic / hearth (min to max)");
	for (int i = 0; i < results->message_count; i++) {
		const struct acl_message_question *question = &ACL_MESSAGE_QUESTIONS[i];
		const struct acl_rounds *rounds = &results->messages[i];
		struct spread ratio = spread_of(rounds->dynamic_by_hearth, rounds->count);
		printf("%-26s %8.0f %8.0f %8.0f %+10.0f %+9.0f   %.3f (%.3f to %.3f)", question->name,
		       middle_of(rounds->ns[ACL_EMPTY], rounds->count), middle_of(rounds->ns[ACL_DYNAMIC], rounds->count),
		       middle_of(rounds->ns[ACL_HEARTH], rounds->count),
		       middle_of(rounds->over_empty[ACL_DYNAMIC], rounds->count),
		       middle_of(rounds->over_empty[ACL_HEARTH], rounds->count), ratio.middle, ratio.least, ratio.most);
		if (question->least > 0) {
			bool holds = ratio.middle >= question->least;
			printf("  at least %.1f  %s", question->least, verdict(holds));
			good = good && holds;
		}
		putchar('\n');
	}
	putchar('\n');
	return good;
}

static double check_ratio(const struct acl_rounds *rounds)
{
	double ratios[ACL_ROUNDS_MAX];
	for (int i = 0; i < rounds->count; i++) {
		ratios[i] = rounds->over_empty[ACL_HEARTH][i] / rounds->over_empty[ACL_DYNAMIC][i];
	}
	return median(ratios, rounds->count);
}

static bool print_checks(const struct acl_results *results)
{
	double hearth = 0;
	double dynamic = 0;
	printf("CPU ns a check in the broker's thread, over an empty plugin\n\n");
	printf("%-26s %8s %8s   %s\n", "", "dynamic", "hearth", "hearth / dynamic");
	for (int i = 0; i < results->check_count; i++) {
		const struct acl_rounds *rounds = &results->checks[i];
		double dynamic_ns = middle_of(rounds->over_empty[ACL_DYNAMIC], rounds->count);
		double hearth_ns = middle_of(rounds->over_empty[ACL_HEARTH], rounds->count);
		printf("%-26s %8.1f %8.1f   %.3f\n", ACL_CHECK_QUESTIONS[i].name, dynamic_ns, hearth_ns, check_ratio(rounds));
		hearth += hearth_ns;
		dynamic += dynamic_ns;
	}
	bool holds = hearth <= ACL_CHECK_TARGET * dynamic;
	printf("%-26s %8.1f %8.1f   %.3f  at most %.2f  %s\n\n", "all three", dynamic, hearth, hearth / dynamic,
	       ACL_CHECK_TARGET, verdict(holds));
	return holds;
}

bool acl_results_table(const struct acl_results *results)
{
	bool good = true;
	good = results->pure_count == 0 || print_pure(results);
	good = (results->message_count == 0 || print_messages(results)) && good;
	good = (results->check_count == 0 || print_checks(results)) && good;
	printf("Medians of %d rounds of %d slices, in which the brokers take turns.\n", results->setup->rounds,
	       results->setup->slices);
	printf("%s, %d cores, %s, a system call %.0f ns, Mosquitto %s%s\n", results->machine->cpu, results->machine->cores,
	       results->machine->kernel, results->machine->syscall_ns, results->mosquitto_version,
	       results->setup->pins.pinned ? "" : " (one CPU for everything: trust only the ratios)");
	return good;
}

/* ---- JSON ---- */

static void add_list(cJSON *object, const char *name, const double *figures, int count, int digits)
{
	cJSON *list = cJSON_AddArrayToObject(object, name);
	for (int i = 0; i < count; i++) {
		cJSON *one = cJSON_CreateObject();
		document_figure(one, "figure", figures[i], digits);
		cJSON_AddItemToArray(list, cJSON_DetachItemFromObject(one, "figure"));
		cJSON_Delete(one);
	}
}

static void add_rounds(cJSON *list, const char *name, const struct acl_rounds *rounds)
{
	cJSON *object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "question", name);
	for (int variant = 0; variant < ACL_VARIANTS; variant++) {
		cJSON *one = cJSON_AddObjectToObject(object, ACL_VARIANT_NAMES[variant]);
		add_list(one, "ns", rounds->ns[variant], rounds->count, 1);
		add_list(one, "over_empty_ns", rounds->over_empty[variant], rounds->count, 1);
	}
	add_list(object, "dynamic_by_hearth", rounds->dynamic_by_hearth, rounds->count, 4);
	cJSON_AddItemToArray(list, object);
}

bool acl_results_json(const struct acl_results *results, const char *path, struct fault *fault)
{
	cJSON *root = document_new("acl", results->machine);
	cJSON_AddStringToObject(root, "mosquitto", results->mosquitto_version);
	cJSON *pure = cJSON_AddArrayToObject(root, "pure");
	for (int i = 0; i < results->pure_count; i++) {
		cJSON *one = cJSON_CreateObject();
		cJSON_AddNumberToObject(one, "accounts", results->pure[i].accounts);
		cJSON_AddNumberToObject(one, "checked", results->pure[i].active);
		document_figure(one, "ns", results->pure[i].ns, 1);
		document_figure(one, "ns_min", results->pure[i].ns_min, 1);
		document_figure(one, "ns_max", results->pure[i].ns_max, 1);
		document_figure(one, "instructions", results->pure[i].instructions, 1);
		cJSON_AddItemToArray(pure, one);
	}
	cJSON *messages = cJSON_AddArrayToObject(root, "messages");
	for (int i = 0; i < results->message_count; i++) {
		add_rounds(messages, ACL_MESSAGE_QUESTIONS[i].name, &results->messages[i]);
	}
	cJSON *checks = cJSON_AddArrayToObject(root, "checks");
	for (int i = 0; i < results->check_count; i++) {
		add_rounds(checks, ACL_CHECK_QUESTIONS[i].name, &results->checks[i]);
	}
	return document_write(root, path, fault);
}
