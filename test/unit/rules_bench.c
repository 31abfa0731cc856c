/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rules_bench: see rules_bench.h.
 */
#include "rules_bench.h"

#include <stdio.h>
#include <string.h>

static void on_command(void *context, const struct command *command)
{
	struct bench *bench = context;
	char number[NUMBER_TEXT_MAX];
	struct slice value = value_print(&command->value, number);
	size_t used = strlen(bench->sent), len = strlen(command->topic), tail = strlen("/set");

	assert_true(len > tail && strcmp(command->topic + len - tail, "/set") == 0);
	snprintf(bench->sent + used, sizeof bench->sent - used, "%s%.*s=%.*s", used > 0 ? " " : "", (int)(len - tail),
	         command->topic, (int)value.len, value.ptr);
	bench->last = *command;
	bench->commands++;
}

static void on_loop(void *context, const struct command *command)
{
	struct bench *bench = context;
	bench->loops++;
	bench->loop_rule = command->rule->name;
}

void bench_make(struct bench *bench)
{
	*bench = (struct bench){0};
	bench->series = series_table_new(BENCH_SERIES_MAX, 7);
	bench->action = action_new(&(struct action_callbacks){on_command, on_loop, bench});
	assert_non_null(bench->series);
	assert_non_null(bench->action);
	bench->catalog = catalog_new(bench->series, bench->action);
	assert_non_null(bench->catalog);
}

void bench_remove(struct bench *bench)
{
	catalog_free(bench->catalog);
	action_free(bench->action);
	series_table_free(bench->series);
}

struct series *bench_series(struct bench *bench, const char *sensor)
{
	char name[256];
	struct topic topic;
	bool made;
	snprintf(name, sizeof name, "%s/value", sensor);
	assert_true(topic_parse(slice_of(name), &topic));
	struct series *series = series_intern(bench->series, slice_of(name), &topic, &made);
	assert_non_null(series);
	assert_true(catalog_bind_new(bench->catalog));
	return series;
}

enum catalog_result bench_put(struct bench *bench, const char *sensor, const char *text, struct config_error *error)
{
	char name[256], json[4096];
	struct topic topic;
	snprintf(name, sizeof name, "%s/config", sensor);
	assert_in_range(snprintf(json, sizeof json, "%s", text), 0, sizeof json - 1);
	for (char *at = json; *at != '\0'; at++) {
		if (*at == '\'')
			*at = '\"';
	}
	assert_true(topic_parse(slice_of(name), &topic));
	return catalog_put(bench->catalog, slice_of(name), &topic, slice_of(json), slice_of(""), error);
}

void bench_config(struct bench *bench, const char *sensor, const char *text)
{
	struct config_error error = {0};
	if (bench_put(bench, sensor, text, &error) != CATALOG_CHANGED)
		fail_msg("%s: found %s; wanted %s", error.path, error.found, error.wanted);
}

void bench_value(struct bench *bench, const char *sensor, const char *text, int hop, int at_ms)
{
	struct series *series = bench_series(bench, sensor);
	struct value value = value_of_text(slice_of(text));
	assert_true(series_set_latest(series, &value, at_ms * INT64_C(1000), BENCH_MS + at_ms));
	action_run(bench->action, series, hop, BENCH_MS + at_ms);
}

static void step_run(struct bench *bench, const struct step *step)
{
	bool on = step->text != NULL && step->text[0] == '1';
	switch (step->deed) {
	case DO_VALUE:
		bench_value(bench, step->name, step->text, 0, step->at_ms);
		return;
	case DO_CONFIG:
		bench_config(bench, step->name, step->text);
		return;
	case DO_AUTO:
		assert_true(action_set_auto(bench->action, slice_of(step->name), on, 0));
		assert_int_equal(action_auto(bench->action, slice_of(step->name)), on);
		return;
	case DO_OVERRIDE:
		action_overridden(bench->action, slice_of(step->name));
		return;
	case DO_TICK:
		action_tick(bench->action, BENCH_MS + step->at_ms);
		return;
	}
}

struct scene {
	const struct step *steps;
	size_t count;
};

static void scene_run(void **state)
{
	const struct scene *scene = *state;
	struct bench bench;
	bench_make(&bench);
	for (size_t i = 0; i < scene->count; i++) {
		const struct step *step = &scene->steps[i];
		bench.sent[0] = '\0';
		step_run(&bench, step);
		if (strcmp(bench.sent, step->sent) != 0)
			fail_msg("step %zu (%s %s at %d ms): sent \"%s\", wanted \"%s\"", i, step->name ? step->name : "tick",
			         step->text ? step->text : "", step->at_ms, bench.sent, step->sent);
	}
	bench_remove(&bench);
}

struct CMUnitTest scene_test(const char *name, const struct step *steps, size_t count)
{
	static struct scene scenes[64];
	static size_t used;
	assert_true(used < sizeof scenes / sizeof scenes[0]);
	scenes[used] = (struct scene){steps, count};
	return (struct CMUnitTest){name, scene_run, NULL, NULL, &scenes[used++]};
}
