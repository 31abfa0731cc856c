/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * catalog: which config is in force for a sensor after documents of the house, a location and a device came and went, what
 * is refused, and what binding makes of it. A config is seen as "unit=… min=… max=… rule=…", "none" without one.
 */
#include "catalog.h"

#include "rules_bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is in force for a sensor. */
static const char *in_force(struct bench *bench, const char *sensor)
{
	static char text[512];
	const struct config *config = bench_series(bench, sensor)->config;
	size_t len = 0;
	if (config == NULL)
		return "none";
	text[0] = '\0';
	if (config->unit != NULL)
		len += (size_t)snprintf(text + len, sizeof text - len, "unit=%s ", config->unit);
	if (isfinite(config->min))
		len += (size_t)snprintf(text + len, sizeof text - len, "min=%g ", config->min);
	if (isfinite(config->max))
		len += (size_t)snprintf(text + len, sizeof text - len, "max=%g ", config->max);
	for (size_t i = 0; i < config->rule_count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "rule=%s ", config->rules[i].name);
	if (len > 0)
		text[len - 1] = '\0';
	return text;
}

/* ---- documents that come and go ---- */

/* One document put, and what holds for hall/s1/a after it. */
struct put {
	const char *sensor;
	const char *text;
	enum catalog_result result;
	const char *path; /* of the error */
	const char *in_force;
};

#define OK(sensor, text, see)                                                                                          \
	{                                                                                                                  \
		sensor, text, CATALOG_CHANGED, "", see                                                                         \
	}
#define SAME(sensor, text, see)                                                                                        \
	{                                                                                                                  \
		sensor, text, CATALOG_SAME, "", see                                                                            \
	}
#define REFUSED(sensor, text, path, see)                                                                               \
	{                                                                                                                  \
		sensor, text, CATALOG_REFUSED, path, see                                                                       \
	}

static const struct put levels_merge_key_by_key[] = {
	OK("all/all/a", "{'unit':'K','min':0,'max':500}", "unit=K min=0 max=500"),
	OK("hall/all/a", "{'max':60}", "unit=K min=0 max=60"),
	OK(A, "{'unit':'°C','min':-40}", "unit=°C min=-40 max=60"),
	OK("all/all/a", "{'unit':'K','min':0,'max':1000}", "unit=°C min=-40 max=60"),
	OK("yard/all/a", "{'max':1}", "unit=°C min=-40 max=60"),
	OK("hall/other/a", "{'max':1}", "unit=°C min=-40 max=60"),
	OK("all/all/b", "{'max':1}", "unit=°C min=-40 max=60"),
	OK("hall/all/a", "", "unit=°C min=-40 max=1000"),
	OK(A, " \n", "unit=K min=0 max=1000"), /* white space is as empty as nothing */
	OK("all/all/a", "", "none"),
	SAME("all/all/a", "", "none"),
};

#define RULE_OF(name) "{'name':'" name "','when':{'above':1},'then':[" SET(LAMP, "1") "]}"

static const struct put rules_are_one_key[] = {
	OK("all/all/a", "{'rules':[" RULE_OF("house") "," RULE_OF("two") "]}", "rule=house rule=two"),
	OK("hall/all/a", "{'rules':[" RULE_OF("hall") "],'max':9}", "max=9 rule=hall"),
	OK(A, "{'rules':[]}", "max=9"),
	OK(A, "{'min':1}", "min=1 max=9 rule=hall"),
};

static const struct put what_is_wrong_is_refused_and_changes_nothing[] = {
	REFUSED(A, "{'max':'hot'}", "$.max", "none"),
	OK(A, "{'max':85}", "max=85"),
	REFUSED(A, "{'max':85", "$", "max=85"),
	REFUSED(A, "[1]", "$", "max=85"),
	REFUSED(A, "{'maximum':85}", "$.maximum", "max=85"),
	REFUSED(A, "{'rules':[{'name':'x','when':{'above':'hot'},'then':[{'set':'hall/l/led','to':1}]}]}",
            "$.rules[0].when.above", "max=85"),
	REFUSED("all/s1/a", "{'max':1}", "topic", "max=85"),
	REFUSED("all/s1/a", "", "topic", "max=85"),
	SAME(A, "{'max':85}", "max=85"),
	SAME(A, "\n {'max':85} ", "max=85"),
	OK(A, "{'max': 85}", "max=85"), /* other bytes */
	OK(A, "", "none"),
};

static const struct put a_clash_is_refused_from_either_side[] = {
	OK("all/all/a", "{'max':50}", "max=50"),
	OK(A, "{'min':20}", "min=20 max=50"),
	REFUSED("all/all/a", "{'max':10}", "$.max", "min=20 max=50"),
	REFUSED("hall/all/a", "{'max':20}", "$.max", "min=20 max=50"),
	OK("hall/all/a", "{'max':100}", "min=20 max=100"),
	REFUSED(A, "{'min':100}", "$.max", "min=20 max=100"),
	OK("all/all/a", "{'max':1}", "min=20 max=100"),       /* the hall's own max covers it */
	REFUSED("hall/all/a", "", "$.max", "min=20 max=100"), /* without it 20 … 1 would be left */
	OK("all/all/a", "", "min=20 max=100"),
	OK("hall/all/a", "", "min=20"),
};

static const struct put a_clash_of_a_default_with_a_default[] = {
	OK("hall/all/a", "{'min':5}", "min=5"),
	REFUSED("all/all/a", "{'max':5}", "$.max", "min=5"),
	OK("all/all/a", "{'max':6}", "min=5 max=6"),
	OK("all/all/a", "{'max':7}", "min=5 max=7"),
};

static void run_puts(void **state)
{
	const struct put *const *list = *state;
	struct bench bench;
	bench_make(&bench);
	assert_string_equal(in_force(&bench, A), "none");
	for (const struct put *put = list[0]; put < list[1]; put++) {
		struct config_error error = {0};
		enum catalog_result result = bench_put(&bench, put->sensor, put->text, &error);
		const char *see = in_force(&bench, A);
		bool good_path = put->path[0] == '\0' || strcmp(error.path, put->path) == 0;
		if (result != put->result || !good_path || strcmp(see, put->in_force) != 0)
			fail_msg("put %td (%s %s): result %d at %s (found %s, wanted %s), then %s", put - list[0], put->sensor,
			         put->text, (int)result, error.path, error.found, error.wanted, see);
	}
	bench_remove(&bench);
}

/* The test of a list of puts: its state is where the list begins and ends. */
static struct CMUnitTest puts_test(const char *name, const struct put *begin, size_t count)
{
	static const struct put *lists[16][2];
	static size_t used;
	assert_true(used < COUNT(lists));
	lists[used][0] = begin;
	lists[used][1] = begin + count;
	return (struct CMUnitTest){name, run_puts, NULL, NULL, lists[used++]};
}

#define PUTS(list) puts_test(#list, list, COUNT(list))

static void the_error_names_the_other_document(void **unused)
{
	(void)unused;
	struct bench bench;
	struct config_error error = {0};
	bench_make(&bench);
	bench_config(&bench, A, "{'min':20}");
	assert_int_equal(bench_put(&bench, "all/all/a", "{'max':10}", &error), CATALOG_REFUSED);
	assert_string_equal(error.found, "a clash with " A "/config");
	assert_string_equal(error.path, "$.max");
	assert_int_equal(catalog_count(bench.catalog), 1);
	bench_config(&bench, "all/all/b", "{'min':20}");
	assert_int_equal(catalog_count(bench.catalog), 2);
	bench_config(&bench, A, "");
	assert_int_equal(catalog_count(bench.catalog), 1);
	bench_remove(&bench);
}

/* ---- binding ---- */

static void a_series_that_appears_later_is_bound(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_config(&bench, "all/all/a", "{'max':1}");
	bench_config(&bench, "거실/all/a", "{'max':2,'stale_after':7}");
	assert_int_equal(series_count(bench.series), 0);
	assert_string_equal(in_force(&bench, A), "max=1");
	assert_string_equal(in_force(&bench, "거실/uno1/a"), "max=2");
	assert_int_equal(bench_series(&bench, "거실/uno1/a")->latest.stale_after_ms, 7000);
	assert_string_equal(in_force(&bench, B), "none");
	bench_config(&bench, "all/all/a", "");
	bench_config(&bench, "거실/all/a", "");
	assert_int_equal(bench_series(&bench, "거실/uno1/a")->latest.stale_after_ms, 0);
	bench_remove(&bench);
}

static void a_new_rule_of_a_live_sensor_makes_others_live(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_series(&bench, A);
	bench_config(&bench, B, "{'max':3}");
	bench_config(&bench, A, "{'rules':[{'name':'r','when':{'above':{'topic':'" B "'}},'then':[" SET(LAMP, "1") "]}]}");
	struct series *read = series_find(bench.series, slice_of(B "/value"));
	assert_non_null(read);
	assert_non_null(read->config);
	assert_true(read->config->max == 3);
	bench_remove(&bench);
}

static void only_values_are_bound(void **unused)
{
	(void)unused;
	static const char *const names[] = {A "/set", A "/state", A "/status"};
	struct bench bench;
	bench_make(&bench);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct topic topic;
		bool made;
		assert_true(topic_parse(slice_of(names[i]), &topic));
		struct series *series = series_intern(bench.series, slice_of(names[i]), &topic, &made);
		bench_config(&bench, A, i % 2 ? "{'max':1}" : "{'max':2}");
		assert_non_null(series);
		assert_null(series->config);
	}
	bench_remove(&bench);
}

static void placeholders_are_the_sensors_own(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_config(&bench, "all/all/a",
	             "{'rules':[{'name':'r','when':{'above':{'topic':'{location}/{device}/limit'}},"
	             "'then':[{'set':'{location}/fan_{device}/motor','to':1}]}]}");
	bench_value(&bench, "거실/uno1/limit", "5", 0, 0);
	bench_value(&bench, "yard/uno2/limit", "1", 0, 0);
	bench_value(&bench, "거실/uno1/a", "4", 0, 1);
	assert_string_equal(bench.sent, "");
	bench_value(&bench, "yard/uno2/a", "4", 0, 1);
	assert_string_equal(bench.sent, "yard/fan_uno2/motor=1");
	bench_value(&bench, "거실/uno1/a", "6", 0, 2);
	assert_string_equal(bench.sent, "yard/fan_uno2/motor=1 거실/fan_uno1/motor=1");
	bench_remove(&bench);
}

/* Binding a makes b live, whose rule makes c live, whose own config is bound too. */
static void what_a_rule_reads_becomes_live_and_is_bound_in_turn(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_config(&bench, A, "{'rules':[{'name':'r','when':{'above':{'topic':'" B "'}},'then':[" SET(LAMP, "1") "]}]}");
	bench_config(&bench, B, "{'rules':[{'name':'s','when':{'above':{'topic':'" C "'}},'then':[" SET(LAMP, "2") "]}]}");
	bench_config(&bench, C, "{'max':3}");
	assert_int_equal(series_count(bench.series), 0);
	assert_string_equal(in_force(&bench, A), "rule=r");
	assert_int_equal(series_count(bench.series), 3);
	assert_string_equal(in_force(&bench, B), "rule=s");
	assert_string_equal(in_force(&bench, C), "max=3");
	bench_value(&bench, C, "1", 0, 0);
	bench_value(&bench, B, "2", 0, 0);
	assert_string_equal(bench.sent, LAMP "=2");
	bench_value(&bench, A, "3", 0, 0);
	assert_string_equal(bench.sent, LAMP "=2 " LAMP "=1");
	bench_config(&bench, A, ""); /* and no longer read */
	bench_value(&bench, B, "9", 0, 0);
	assert_int_equal(bench.commands, 2);
	assert_int_equal(bench_series(&bench, B)->watcher_count, 1);
	assert_int_equal(bench_series(&bench, C)->watcher_count, 1);
	bench_remove(&bench);
}

static void a_default_rules_each_sensor_by_itself(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_value(&bench, "hall/s1/a", "5", 0, 0);
	bench_config(&bench, "hall/all/a",
	             "{'rules':[{'name':'r','when':{'above':10},"
	             "'then':[{'set':'hall/{device}/led','to':1}],"
	             "'else':[{'set':'hall/{device}/led','to':0}]}]}");
	bench_value(&bench, "hall/s1/a", "11", 0, 1);
	bench_value(&bench, "hall/s2/a", "9", 0, 1);
	assert_string_equal(bench.sent, "hall/s1/led=1 hall/s2/led=0");
	bench_config(&bench, "hall/s1/a", "{'min':0}"); /* the same rule in another merge: goes on */
	bench_value(&bench, "hall/s1/a", "12", 0, 2);
	bench_value(&bench, "hall/s1/a", "10", 0, 3);
	assert_string_equal(bench.sent, "hall/s1/led=1 hall/s2/led=0 hall/s1/led=0");
	bench_remove(&bench);
}

static void latches_stay_with_their_rules(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_config(&bench, A, "{'rules':[" SWITCH("a", "", "1", "0") "," SLOW "]}");
	bench_value(&bench, A, "1", 0, 0);
	bench_value(&bench, A, "30", 0, 0);
	const struct bound_rule *rules = bench_series(&bench, A)->rules;
	assert_int_equal(rules[0].state.latch, LATCH_FALSE);
	assert_int_equal(rules[1].state.due_ms, BENCH_MS + 5000);

	bench_config(&bench, A, "{'rules':[" SLOW "," SWITCH("b", "", "1", "0") "," SWITCH("a", "", "1", "0") "]}");
	rules = bench_series(&bench, A)->rules;
	assert_int_equal(rules[0].state.due_ms, BENCH_MS + 5000);
	assert_int_equal(rules[1].state.latch, LATCH_UNKNOWN);
	assert_int_equal(rules[2].state.latch, LATCH_FALSE);
	assert_int_equal(bench_series(&bench, A)->watcher_count, 3);

	bench_config(&bench, A, "{'rules':[" SWITCH("a", "'priority':1,", "1", "0") "]}");
	rules = bench_series(&bench, A)->rules;
	assert_int_equal(rules[0].state.latch, LATCH_UNKNOWN);
	assert_int_equal(bench_series(&bench, A)->watcher_count, 1);
	bench_remove(&bench);
}

static void a_full_table_leaves_the_old_binding(void **unused)
{
	(void)unused;
	struct bench bench;
	struct config_error error = {0};
	char name[64];
	bench_make(&bench);
	bench_config(&bench, A, "{'rules':[" SWITCH("a", "", "1", "0") "]}");
	bench_value(&bench, A, "1", 0, 0);
	for (int i = 1; i < BENCH_SERIES_MAX; i++) {
		snprintf(name, sizeof name, "hall/s%d/x", i);
		bench_series(&bench, name);
	}
	enum catalog_result result = bench_put(
		&bench, A, "{'rules':[{'name':'a','when':{'above':{'topic':'" B "'}},'then':[" SET(LAMP, "1") "]}]}", &error);
	assert_int_equal(result, CATALOG_UNBOUND);
	assert_int_equal(catalog_count(bench.catalog), 1);
	bench_value(&bench, A, "0", 0, 1); /* what was bound goes on, latch and claims too */
	assert_string_equal(bench.sent, LAMP "=1 " LAMP "=0");
	assert_int_equal(bench_series(&bench, A)->watcher_count, 1);
	bench_config(&bench, A, "{'rules':[]}");
	assert_string_equal(in_force(&bench, A), "");
	bench_remove(&bench);
}

/* A refusal must not cost an unchanged rule the `else` that it spoke last. */
static void a_binding_that_fails_takes_nothing_away(void **unused)
{
	(void)unused;
	struct bench bench;
	struct config_error error = {0};
	char name[64];
	bench_make(&bench);
	bench_config(&bench, A, "{'rules':[" SWITCH("a", "", "1", "0") "]}");
	bench_value(&bench, A, "0", 0, 0);
	for (int i = 1; i < BENCH_SERIES_MAX; i++) {
		snprintf(name, sizeof name, "hall/s%d/x", i);
		bench_series(&bench, name);
	}
	enum catalog_result result =
		bench_put(&bench, A,
	              "{'rules':[" SWITCH("a", "", "1", "0") ",{'name':'b','when':{'above':{'topic':'" B
	                                                     "'}},'then':[" SET(LAMP, "1") "]}]}",
	              &error);
	assert_int_equal(result, CATALOG_UNBOUND);
	action_overridden(bench.action, slice_of(LAMP));
	action_set_auto(bench.action, slice_of("hall"), false, 0);
	action_set_auto(bench.action, slice_of("hall"), true, 0);
	assert_string_equal(bench.sent, LAMP "=0 " LAMP "=0");
	bench_remove(&bench);
}

static void freeing_leaves_series_without_rules(void **unused)
{
	(void)unused;
	struct bench bench;
	bench_make(&bench);
	bench_config(&bench, A, "{'rules':[" SLOW "," DIM("") "]}");
	bench_value(&bench, A, "30", 0, 0);
	catalog_free(bench.catalog);
	bench.catalog = NULL;
	action_tick(bench.action, INT64_MAX - 1);
	assert_string_equal(bench.sent, LAMP "=102");
	bench_remove(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PUTS(levels_merge_key_by_key),
		PUTS(rules_are_one_key),
		PUTS(what_is_wrong_is_refused_and_changes_nothing),
		PUTS(a_clash_is_refused_from_either_side),
		PUTS(a_clash_of_a_default_with_a_default),
		cmocka_unit_test(the_error_names_the_other_document),
		cmocka_unit_test(a_series_that_appears_later_is_bound),
		cmocka_unit_test(a_new_rule_of_a_live_sensor_makes_others_live),
		cmocka_unit_test(only_values_are_bound),
		cmocka_unit_test(placeholders_are_the_sensors_own),
		cmocka_unit_test(what_a_rule_reads_becomes_live_and_is_bound_in_turn),
		cmocka_unit_test(a_default_rules_each_sensor_by_itself),
		cmocka_unit_test(latches_stay_with_their_rules),
		cmocka_unit_test(a_full_table_leaves_the_old_binding),
		cmocka_unit_test(a_binding_that_fails_takes_nothing_away),
		cmocka_unit_test(freeing_leaves_series_without_rules),
	};
	return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
