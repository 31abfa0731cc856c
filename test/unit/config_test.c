/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_test: the table of documents, what they compile to, merging and scaling.
 */
#include "config_fixture.h"

#include <math.h>

/* ---- the table ---- */

static void test_table(void **state)
{
	(void)state;
	cJSON *table = table_load();
	int wrong = 0, rows = 0;
	for (const cJSON *row = table->child; row != NULL; row = row->next, rows++) {
		const char *name = cJSON_GetObjectItemCaseSensitive(row, "name")->valuestring;
		bool valid = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "valid"));
		const cJSON *path = cJSON_GetObjectItemCaseSensitive(row, "path");
		struct config_error error;
		char *text = row_text(row);
		struct config *config = compile(text, &error);
		free(text);
		if ((config != NULL) != valid) {
			print_error("%s: %s (%s: %s, wanted %s)\n", name, valid ? "refused" : "accepted", error.path, error.found,
			            error.wanted);
			wrong++;
		} else if (!valid && strcmp(error.path, path->valuestring) != 0) {
			print_error("%s: error at %s, not at %s\n", name, error.path, path->valuestring);
			wrong++;
		}
		if (config == NULL)
			assert_error_is_text(&error);
		config_free(config);
	}
	cJSON_Delete(table);
	assert_int_equal(wrong, 0);
	assert_true(rows >= 90);
}

/* ---- what comes out ---- */

static void test_defaults(void **state)
{
	(void)state;
	struct config *config = compiled("{}");
	assert_null(config->unit);
	assert_true(config->min == -HUGE_VAL && config->max == HUGE_VAL);
	assert_int_equal(config->stale_after_ms, 0);
	assert_true(config->deadband == 0);
	assert_int_equal(config->at_least_every_us, 0);
	assert_int_equal(config->rule_count, 0);
	config_free(config);

	config = compiled(RULE("\"when\":{\"above\":1},\"then\":[{\"set\":\"a/b/c\",\"to\":1}]"));
	const struct rule *rule = &config->rules[0];
	assert_int_equal(rule->priority, 0);
	assert_true(rule->obeys_auto && rule->has_condition);
	assert_true(rule->when.hysteresis == 0 && rule->when.for_ms == 0);
	assert_int_equal(rule->else_do.count, 0);
	assert_int_equal(rule->always_do.count, 0);
	assert_int_equal(rule->input_count, 0);
	config_free(config);
	config_free(NULL);
}

static void test_document_fields(void **state)
{
	(void)state;
	struct config *config = compiled("{\"unit\":\"°C\",\"min\":-40,\"max\":85.5,\"stale_after\":60.0004,"
	                                 "\"store\":{\"deadband\":0.1,\"at_least_every\":0.0000016},\"rules\":[]}");
	assert_string_equal(config->unit, "°C");
	assert_true(config->min == -40 && config->max == 85.5);
	assert_int_equal(config->stale_after_ms, 60000);
	assert_true(config->deadband == 0.1);
	assert_int_equal(config->at_least_every_us, 2);
	config_free(config);

	config = compiled("{\"stale_after\":1e-9,\"store\":{\"at_least_every\":1e-30}}");
	assert_int_equal(config->stale_after_ms, 1);
	assert_int_equal(config->at_least_every_us, 1);
	config_free(config);

	config = compiled("{\"stale_after\":1.0006,\"store\":{\"at_least_every\":31536000}}");
	assert_int_equal(config->stale_after_ms, 1001);
	assert_true(config->at_least_every_us == INT64_C(31536000000000));
	config_free(config);
}

static void test_comparisons(void **state)
{
	static const struct {
		const char *key;
		enum condition_op op;
	} rows[] = {
		{"above", CONDITION_ABOVE},     {"below", CONDITION_BELOW},   {"at_least", CONDITION_AT_LEAST},
		{"at_most", CONDITION_AT_MOST}, {"equals", CONDITION_EQUALS}, {"not_equals", CONDITION_NOT_EQUALS},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[256];
		snprintf(text, sizeof text, WHEN("\"%s\":28.5,\"for\":1.5"), rows[i].key);
		struct config *config = compiled(text);
		const struct condition *when = &config->rules[0].when;
		assert_int_equal(when->op, rows[i].op);
		assert_int_equal(when->operand[0].input, -1);
		assert_true(when->operand[0].constant.is_number && when->operand[0].constant.number == 28.5);
		assert_int_equal(when->for_ms, 1500);
		config_free(config);
	}
	struct config *config = compiled(WHEN("\"outside\":[18,26.5],\"hysteresis\":0.5"));
	const struct condition *when = &config->rules[0].when;
	assert_int_equal(when->op, CONDITION_OUTSIDE);
	assert_true(when->operand[0].constant.number == 18 && when->operand[1].constant.number == 26.5);
	assert_true(when->hysteresis == 0.5);
	config_free(config);
}

static void test_words(void **state)
{
	static const struct {
		const char *word;
		bool is_number;
		double number;
		const char *sent; /* as "to" */
	} rows[] = {
		{"open", true, 1, "open"}, {" off\\n", true, 0, "off"},  {"28.50", true, 28.5, "28.50"},
		{"007", false, 0, "007"},  {"alarm", false, 0, "alarm"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[256];
		snprintf(text, sizeof text, RULE("\"when\":{\"equals\":\"%s\"},\"then\":[{\"set\":\"a/b/c\",\"to\":\"%s\"}]"),
		         rows[i].word, rows[i].word);
		struct config *config = compiled(text);
		const struct value *equals = &config->rules[0].when.operand[0].constant;
		const struct value *to = &config->rules[0].then_do.items[0].value;
		assert_int_equal(equals->is_number, rows[i].is_number);
		assert_int_equal(to->is_number, rows[i].is_number);
		assert_true(!equals->is_number || equals->number == rows[i].number);
		assert_true(value_equal(equals, to));
		assert_true(slice_is(to->text, rows[i].sent));
		config_free(config);
	}
}

static void test_actions(void **state)
{
	(void)state;
	struct config *config = compiled(RULE("\"priority\":-7,\"auto\":false,\"when\":{\"below\":1},"
	                                      "\"then\":[{\"set\":\"a/b/c\",\"to\":1},{\"set\":\"a/b/d\",\"to\":\"open\"}],"
	                                      "\"else\":[{\"to\":-0.5,\"set\":\"a/b/e\"}],"
	                                      "\"always\":[{\"set\":\"a/b/f\",\"scale\":"
	                                      "{\"from\":[0,50],\"to\":[255,0],\"digits\":2}}]"));
	const struct rule *rule = &config->rules[0];
	assert_string_equal(rule->name, "a");
	assert_int_equal(rule->priority, -7);
	assert_false(rule->obeys_auto);
	assert_int_equal(rule->then_do.count, 2);
	assert_string_equal(rule->then_do.items[0].target, "a/b/c");
	assert_true(rule->then_do.items[0].value.is_number && rule->then_do.items[0].value.number == 1);
	assert_int_equal(rule->then_do.items[0].value.text.len, 0);
	assert_false(rule->then_do.items[0].has_scale);
	assert_string_equal(rule->then_do.items[1].target, "a/b/d");
	assert_int_equal(rule->else_do.count, 1);
	assert_string_equal(rule->else_do.items[0].target, "a/b/e");
	assert_true(rule->else_do.items[0].value.number == -0.5);
	assert_int_equal(rule->always_do.count, 1);
	assert_string_equal(rule->always_do.items[0].target, "a/b/f");
	assert_true(rule->always_do.items[0].has_scale);
	const struct scale *scale = &rule->always_do.items[0].scale;
	assert_true(scale->from[0] == 0 && scale->from[1] == 50 && scale->to[0] == 255 && scale->to[1] == 0);
	assert_int_equal(scale->digits, 2);
	config_free(config);

	config = compiled(RULE("\"always\":[{\"set\":\"a/b/f\",\"scale\":{\"from\":[0,50],\"to\":[255,0]}}]"));
	assert_false(config->rules[0].has_condition);
	assert_int_equal(config->rules[0].always_do.items[0].scale.digits, 0);
	config_free(config);
}

static void test_inputs(void **state)
{
	(void)state;
	struct config *config = compiled(WHEN("\"above\":{\"topic\":\"outdoor/kma/temperature\",\"plus\":0.5}"));
	const struct rule *rule = &config->rules[0];
	assert_int_equal(rule->input_count, 1);
	assert_string_equal(rule->inputs[0], "outdoor/kma/temperature/value");
	assert_int_equal(rule->when.operand[0].input, 0);
	assert_true(rule->when.operand[0].plus == 0.5 && rule->when.operand[0].times == 1);
	config_free(config);

	/* Two names of one series are one input; another subject is another. */
	config = compiled(WHEN("\"outside\":[{\"topic\":\"a/b/c\",\"plus\":-1,\"times\":2},{\"topic\":\"a/b/c/value\"}]"));
	rule = &config->rules[0];
	assert_int_equal(rule->input_count, 1);
	assert_int_equal(rule->when.operand[0].input, 0);
	assert_int_equal(rule->when.operand[1].input, 0);
	assert_true(rule->when.operand[0].plus == -1 && rule->when.operand[0].times == 2);
	assert_true(rule->when.operand[1].plus == 0 && rule->when.operand[1].times == 1);
	config_free(config);

	config = compiled(WHEN("\"outside\":[{\"topic\":\"a/b/c/state\"},{\"topic\":\"a/b/c\"}]"));
	rule = &config->rules[0];
	assert_int_equal(rule->input_count, 2);
	assert_string_equal(rule->inputs[0], "a/b/c/state");
	assert_string_equal(rule->inputs[1], "a/b/c/value");
	assert_int_equal(rule->when.operand[1].input, 1);
	config_free(config);
}

static void test_placeholders(void **state)
{
	static const char text[] = RULE(
		"\"when\":{\"above\":{\"topic\":\"{location}/x{device}{device}/{location}/state\"}},"
		"\"then\":[{\"set\":\"{location}/fan-{device}/motor\",\"to\":1},{\"set\":\"{device}/{location}/m\",\"to\":1}]");
	static const struct topic korean = {{"거실", 6}, {"uno1", 4}, {"temperature", 11}, SUBJECT_CONFIG};
	static const struct topic house = {{"all", 3}, {"all", 3}, {"temperature", 11}, SUBJECT_CONFIG};
	(void)state;

	struct config *config = compiled_for(text, &korean);
	assert_string_equal(config->rules[0].inputs[0], "거실/xuno1uno1/거실/state");
	assert_string_equal(config->rules[0].then_do.items[0].target, "거실/fan-uno1/motor");
	assert_string_equal(config->rules[0].then_do.items[1].target, "uno1/거실/m");
	config_free(config);

	/* A default is checked with `all` in their place: that must not count as naming `all`. */
	config = compiled_for(text, &house);
	assert_string_equal(config->rules[0].then_do.items[0].target, "all/fan-all/motor");
	config_free(config);
}

static void test_expanded_name_bound(void **state)
{
	static const struct {
		const char *text;
		size_t rest; /* bytes besides the location */
	} rows[] = {
		{RULE("\"when\":{\"above\":1},\"then\":[{\"set\":\"{location}/b/c\",\"to\":1}]"), sizeof "/b/c/state" - 1},
		{WHEN("\"above\":{\"topic\":\"{location}/b/c\"}"), sizeof "/b/c/value" - 1},
		{WHEN("\"above\":{\"topic\":\"{location}/b/c/set\"}"), sizeof "/b/c/set" - 1},
	};
	char room[TOPIC_MAX];
	(void)state;
	memset(room, 'r', sizeof room);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t len = TOPIC_MAX - 20; len <= TOPIC_MAX; len++) {
			struct topic sensor = {{room, len}, {"d", 1}, {"s", 1}, SUBJECT_CONFIG};
			struct config_error error;
			struct config *config = compile_slice(slice_of(rows[i].text), &sensor, &error);
			assert_int_equal(config != NULL, len + rows[i].rest <= TOPIC_MAX);
			config_free(config);
		}
	}
}

static uint64_t fingerprint_of(const char *text, const struct topic *sensor)
{
	struct config *config = compiled_for(text, sensor);
	uint64_t fingerprint = config->rules[config->rule_count - 1].fingerprint;
	config_free(config);
	return fingerprint;
}

static void test_fingerprints(void **state)
{
	static const char one[] = WHEN("\"above\":28");
	static const struct topic moved = {{"livingroomu", 11}, {"no1", 3}, {"temperature", 11}, SUBJECT_CONFIG};
	(void)state;
	uint64_t print = fingerprint_of(one, &livingroom);
	assert_true(print == fingerprint_of(one, &livingroom));
	assert_true(print == fingerprint_of(" " WHEN(" \"above\" : 28.0 "), &livingroom));
	assert_true(print != fingerprint_of(WHEN("\"above\":28.5"), &livingroom));
	assert_true(print != fingerprint_of(one, &moved));
	/* What stands beside it does not matter. */
	assert_true(print == fingerprint_of("{\"min\":1,\"rules\":[{\"name\":\"b\",\"when\":{\"above\":1},\"then\":"
	                                    "[{\"set\":\"a/b/c\",\"to\":1}]},{\"name\":\"a\",\"when\":{\"above\":28},"
	                                    "\"then\":[{\"set\":\"a/b/c\",\"to\":1}]}]}",
	                                    &livingroom));
}

/* ---- merge ---- */

static void test_merge(void **state)
{
	static const struct {
		const char *house, *location, *device, *merged; /* NULL: no document */
	} rows[] = {
		{"{}", NULL, NULL, "{}"},
		{"{\"min\":1,\"max\":9}", NULL, NULL, "{\"min\":1,\"max\":9}"},
		{NULL, "{\"min\":1}", NULL, "{\"min\":1}"},
		{NULL, NULL, "{\"min\":1}", "{\"min\":1}"},
		{"{\"min\":1,\"max\":9}", "{\"min\":2}", NULL, "{\"min\":2,\"max\":9}"},
		{"{\"min\":1,\"unit\":\"a\"}", "{\"min\":2,\"max\":5}", "{\"min\":3}", "{\"min\":3,\"unit\":\"a\",\"max\":5}"},
		{"{\"min\":1}", NULL, "{\"min\":3}", "{\"min\":3}"},
		{"{\"store\":{\"deadband\":1}}", "{\"store\":{}}", NULL, "{\"store\":{}}"},
		{"{\"rules\":[1,2]}", NULL, "{\"rules\":[]}", "{\"rules\":[]}"},
		{"{\"min\":1}", NULL, "{\"Min\":2}", "{\"min\":1,\"Min\":2}"},
		{NULL, NULL, NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cJSON *house = cJSON_Parse(rows[i].house), *location = cJSON_Parse(rows[i].location);
		cJSON *device = cJSON_Parse(rows[i].device), *wanted = cJSON_Parse(rows[i].merged);
		cJSON *merged = config_merge(house, location, device);
		cJSON_Delete(house);
		cJSON_Delete(location);
		cJSON_Delete(device);
		assert_true(wanted == NULL ? merged == NULL : cJSON_Compare(merged, wanted, true));
		cJSON_Delete(merged);
		cJSON_Delete(wanted);
	}
}

/* Two good documents can make a bad one. */
static void test_merged_document_is_checked(void **state)
{
	(void)state;
	struct config_error error;
	cJSON *house = cJSON_Parse("{\"min\":50}"), *device = cJSON_Parse("{\"max\":40}");
	cJSON *merged = config_merge(house, NULL, device);
	assert_null(config_compile(merged, &livingroom, &error));
	assert_string_equal(error.path, "$.max");
	cJSON_Delete(house);
	cJSON_Delete(device);
	cJSON_Delete(merged);
}

/* ---- scale ---- */

static void test_scale(void **state)
{
	static const struct {
		struct scale scale;
		double number, wanted;
	} rows[] = {
		{{{0, 50}, {255, 0}, 0}, 0, 255},
		{{{0, 50}, {255, 0}, 0}, 50, 0},
		{{{0, 50}, {255, 0}, 0}, -10, 255},
		{{{0, 50}, {255, 0}, 0}, 1e300, 0},
		{{{0, 50}, {255, 0}, 0}, 25, 128},  /* 127.5 */
		{{{0, 50}, {255, 0}, 0}, 5, 230},   /* 229.5 */
		{{{0, 50}, {255, 0}, 0}, 15, 179},  /* 178.5 */
		{{{0, 50}, {255, 0}, 0}, 35, 77},   /* 76.5 */
		{{{0, 50}, {255, 0}, 0}, 45, 26},   /* 25.5, in doubles 25.499999999999993 */
		{{{0, 50}, {-255, 0}, 0}, 45, -26}, /* −25.5: away from zero */
		{{{0, 50}, {255, 0}, 0}, 24.99, 128},
		{{{0, 50}, {255, 0}, 0}, 25.01, 127},
		{{{50, 0}, {0, 255}, 0}, 25, 128},
		{{{50, 0}, {0, 255}, 0}, 60, 0},
		{{{50, 0}, {0, 255}, 0}, -1, 255},
		{{{0, 3}, {0, 1}, 0}, 1, 0},
		{{{0, 3}, {0, 1}, 2}, 1, 0.33},
		{{{0, 3}, {0, 1}, 6}, 2, 0.666667},
		{{{0, 10}, {0, 1}, 1}, 2.5, 0.3},
		{{{0, 10}, {0, 1}, 1}, 3.5, 0.4},
		{{{0, 10}, {0, -1}, 1}, 2.5, -0.3},
		{{{20, 30}, {0, 100}, 0}, 22.345, 23},
		{{{20, 30}, {0, 100}, 1}, 22.345, 23.5}, /* 23.45 */
		{{{0, 1}, {7, 7}, 0}, 0.5, 7},
		{{{-1, 1}, {-100, 100}, 0}, 0, 0},
		{{{-1e308, 1e308}, {0, 10}, 0}, 0, 5},
		{{{0, 1}, {-1.5e308, 1.5e308}, 0}, 1, 1.5e308},
		{{{0, 1}, {-1.5e308, 1.5e308}, 6}, 1, 1.5e308},
		{{{0, 1.5e-323}, {0, 3}, 0}, 1e-323, 2},
		{{{0, 1}, {0, 4503599627370497}, 0}, 1, 4503599627370497},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double got = scale_apply(&rows[i].scale, rows[i].number);
		if (got != rows[i].wanted)
			fail_msg("row %zu: %.17g, wanted %.17g", i, got, rows[i].wanted);
	}
	const struct scale negative = {{0, 1}, {-0.4, 0}, 0};
	assert_false(signbit(scale_apply(&negative, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_document_fields),
		cmocka_unit_test(test_comparisons),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_placeholders),
		cmocka_unit_test(test_expanded_name_bound),
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merged_document_is_checked),
		cmocka_unit_test(test_scale),
	};
	return cmocka_run_group_tests_name("config", tests, raise_fence, lower_fence);
}
