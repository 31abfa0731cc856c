/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json_test: what config_parse takes for a document: its syntax, its bounds, and texts that were cut or damaged.
 */
#include "config_fixture.h"

#include "json.h"

/* ---- syntax ---- */

static void test_syntax_errors(void **state)
{
	static const struct {
		const char *text, *found, *wanted;
	} rows[] = {
		{"", "byte 0: the end", "a JSON value"},
		{" \n", "byte 2: the end", "a JSON value"},
		{"hello", "byte 0: hello", "a JSON value"},
		{"\xEF\xBB\xBF{}", "byte 0: \xEF\xBB\xBF{}", "a JSON value"},
		{"{", "byte 1: the end", "a key in quotes or '}'"},
		{"{]", "byte 1: ]", "a key in quotes or '}'"},
		{"{min:1}", "byte 1: min:1}", "a key in quotes or '}'"},
		{"{\"min\" 1}", "byte 7: 1}", "':' and a value"},
		{"{\"min\":}", "byte 7: }", "a JSON value"},
		{"{\"min\":1 \"max\":2}", "byte 9: \"max\":2}", "',' or the closing bracket"},
		{"{\"min\":1,}", "byte 9: }", "a key in quotes"},
		{"{\"min\":[1,]}", "byte 10: ]}", "a JSON value"},
		{"{\"min\":[1}", "byte 9: }", "',' or the closing bracket"},
		{"{\"min\":[}", "byte 8: }", "a JSON value or ']'"},
		{"{\"min\":+1}", "byte 7: +1}", "a JSON value"},
		{"{\"min\":.5}", "byte 7: .5}", "a JSON value"},
		{"{\"min\":01}", "byte 7: 01}", "a number such as -12.5 or 1e3"},
		{"{\"min\":1e}", "byte 7: 1e}", "a number such as -12.5 or 1e3"},
		{"{\"min\":-}", "byte 7: -}", "a number such as -12.5 or 1e3"},
		{"{\"min\":tru}", "byte 7: tru}", "a JSON value"},
		{"{\"min\":truer}", "byte 11: r}", "',' or the closing bracket"},
		{"{\"a\nb\":1}", "byte 3:  b\":1}", "control characters escaped, such as \\n"},
		{"{\"a\\x\":1}", "byte 3: \\x\":1}", "an escape such as \\n or \\u00b0"},
		{"{\"a\\u12g4\":1}", "byte 3: \\u12g4\":1}", "an escape such as \\n or \\u00b0"},
		{"{\"a\\u0000\":1}", "byte 3: \\u0000\":1}", "no \\u0000"},
		{"{\"a\\udc00\":1}", "byte 3: \\udc00\":1}", "a surrogate pair such as \\ud83d\\udd25"},
		{"{\"a\\ud83d\\n\":1}", "byte 3: \\ud83d\\n\":1}", "a surrogate pair such as \\ud83d\\udd25"},
		{"{\"a", "byte 3: the end", "'\"' at the end of the text"},
		{"{\"a\\", "byte 3: \\", "an escape such as \\n or \\u00b0"},
		{"{} {}", "byte 3: {}", "nothing more"},
		{"{}]", "byte 2: ]", "nothing more"},
		{"{\"a\":\"\xFF\"}", "bytes that are not UTF-8, or NUL", "JSON in UTF-8"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config_error error;
		assert_null(parse(rows[i].text, &error));
		assert_string_equal(error.path, "$");
		assert_string_equal(error.found, rows[i].found);
		assert_string_equal(error.wanted, rows[i].wanted);
	}
	struct config_error error;
	assert_null(config_parse(fenced("{}\0", 3), &error));
	assert_string_equal(error.found, "bytes that are not UTF-8, or NUL");
}

/* ---- bounds ---- */

static void test_payload_bound(void **state)
{
	(void)state;
	struct config_error error;
	char *text = malloc(CONFIG_PAYLOAD_MAX + 1);
	assert_non_null(text);
	memset(text, ' ', CONFIG_PAYLOAD_MAX + 1);
	text[0] = '{';
	text[1] = '}';
	cJSON *document = config_parse(fenced(text, CONFIG_PAYLOAD_MAX), &error);
	assert_non_null(document);
	cJSON_Delete(document);
	assert_null(config_parse(fenced(text, CONFIG_PAYLOAD_MAX + 1), &error));
	assert_string_equal(error.wanted, "at most 131072 bytes");
	free(text);

	assert_null(config_parse((struct slice){NULL, 0}, &error));
	assert_string_equal(error.found, "byte 0: the end");
}

/* {"a":[[[ … ]]]} with so many brackets within each other. */
static cJSON *parse_nested(int depth, struct config_error *error)
{
	char text[8192], open[4096], closed[4096];
	memset(open, '[', sizeof open);
	memset(closed, ']', sizeof closed);
	snprintf(text, sizeof text, "{\"a\":%.*s%s%.*s}", depth - 1, open, depth == 1 ? "1" : "", depth - 1, closed);
	return parse(text, error);
}

static void test_depth_bound(void **state)
{
	(void)state;
	struct config_error error;
	for (int depth = 1; depth <= JSON_DEPTH_MAX; depth++) {
		cJSON *document = parse_nested(depth, &error);
		assert_non_null(document);
		cJSON_Delete(document);
	}
	assert_null(parse("{\"a\":[[[[[[[[[[[[[[{\"k\":1,\"k\":2}]]]]]]]]]]]]]]}", &error)); /* the longest path */
	assert_string_equal(error.path, "$.a[0][0][0][0][0][0][0][0][0][0][0][0][0][0].k");
	assert_null(parse_nested(JSON_DEPTH_MAX + 1, &error));
	assert_string_equal(error.found, "byte 20: []]]]]]]]]]]]]]]]}");
	assert_string_equal(error.wanted, "at most 16 brackets within each other");
	assert_null(parse_nested(2000, &error));
	cJSON *document = parse("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"}", &error);
	assert_non_null(document);
	cJSON_Delete(document);
}

static void test_key_bound(void **state)
{
	(void)state;
	struct config_error error;
	for (int keys = 63; keys <= 65; keys++) {
		char text[2048] = "";
		int len = 0;
		for (int i = 0; i < keys; i++)
			len += snprintf(text + len, sizeof text - (size_t)len, "%c\"k%d\":1", i == 0 ? '{' : ',', i);
		snprintf(text + len, sizeof text - (size_t)len, "}");
		cJSON *document = parse(text, &error);
		assert_int_equal(document != NULL, keys <= 64);
		cJSON_Delete(document);
	}
	assert_string_equal(error.found, "more than 64 keys");
}

static void test_number_bound(void **state)
{
	(void)state;
	for (int digits = 60; digits <= 70; digits++) {
		char text[128];
		struct config_error error;
		snprintf(text, sizeof text, "{\"min\":0.%0*d}", digits - 2, 1);
		cJSON *document = parse(text, &error);
		assert_int_equal(document != NULL, digits <= 63);
		cJSON_Delete(document);
	}
}

static void test_rule_bound(void **state)
{
	(void)state;
	char *text = malloc(CONFIG_PAYLOAD_MAX);
	assert_non_null(text);
	for (int rules = CONFIG_RULES_MAX; rules <= CONFIG_RULES_MAX + 1; rules++) {
		struct config_error error;
		int len = sprintf(text, "{\"rules\":[");
		for (int i = 0; i < rules; i++)
			len += sprintf(text + len,
			               "%s{\"name\":\"r%d\",\"when\":{\"above\":%d},\"then\":[{\"set\":\"a/b/c\",\"to\":1}]}",
			               i == 0 ? "" : ",", i, i);
		sprintf(text + len, "]}");
		struct config *config = compile(text, &error);
		assert_int_equal(config != NULL, rules <= CONFIG_RULES_MAX);
		if (config != NULL) {
			assert_int_equal(config->rule_count, CONFIG_RULES_MAX);
			assert_string_equal(config->rules[1023].name, "r1023");
			assert_true(config->rules[1023].when.operand[0].constant.number == 1023);
		} else {
			assert_string_equal(error.path, "$.rules");
		}
		config_free(config);
	}
	free(text);
}

/* ---- damage ---- */

/* Whatever a text is, it is taken or refused with a proper error; what the check of the text let through, cJSON reads. */
static void assert_survives(struct slice text)
{
	struct config_error error;
	struct config *config = compile_slice(text, &livingroom, &error);
	if (config == NULL) {
		assert_error_is_text(&error);
		assert_string_not_equal(error.found, "out of memory");
	}
	config_free(config);
}

static void test_truncated(void **state)
{
	(void)state;
	cJSON *table = table_load();
	for (const cJSON *row = table->child; row != NULL; row = row->next) {
		char *text = row_text(row);
		size_t whole = strlen(text);
		for (size_t len = 0; len < whole && len < 400; len++) {
			assert_survives(fenced(text, len));
			struct config_error error;
			cJSON *document = config_parse(fenced(text, len), &error);
			/* Less than an object is none, unless only white space is missing. */
			assert_true(document == NULL || slice_trim((struct slice){text + len, whole - len}).len == 0 ||
			            strcmp(text, "{} {}") == 0);
			cJSON_Delete(document);
		}
		free(text);
	}
	cJSON_Delete(table);
}

static uint32_t next_random(uint32_t *seed) /* xorshift32 (G. Marsaglia, 2003) */
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void test_damaged(void **state)
{
	static const char bytes[] = "{}[]\",:\\u0000dD8.eE+-19 tfn\n\x7F\xC2\xED\xA0\xF4/$#{";
	(void)state;
	uint32_t seed = 20261122;
	cJSON *table = table_load();
	for (const cJSON *row = table->child; row != NULL; row = row->next) {
		char *text = row_text(row);
		size_t len = strlen(text);
		for (int round = 0; len > 0 && round < 100; round++) {
			struct slice copy = fenced(text, len);
			for (uint32_t hits = 1 + next_random(&seed) % 3; hits > 0; hits--)
				fence[-1 - (ptrdiff_t)(next_random(&seed) % len)] = bytes[next_random(&seed) % (sizeof bytes - 1)];
			assert_survives(copy);
		}
		free(text);
	}
	cJSON_Delete(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax_errors), cmocka_unit_test(test_payload_bound), cmocka_unit_test(test_depth_bound),
		cmocka_unit_test(test_key_bound),     cmocka_unit_test(test_number_bound),  cmocka_unit_test(test_rule_bound),
		cmocka_unit_test(test_truncated),     cmocka_unit_test(test_damaged),
	};
	return cmocka_run_group_tests_name("json", tests, raise_fence, lower_fence);
}
