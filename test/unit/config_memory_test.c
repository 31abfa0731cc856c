/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_memory_test: memory runs out at each allocation in turn; nothing may leak and the error must say so.
 */
#include "config_fixture.h"

static int allowance; /* how many allocations still succeed; negative: all */
static int held;      /* allocations that were not freed */

static void *rationed_malloc(size_t size)
{
	if (allowance == 0)
		return NULL;
	if (allowance > 0)
		allowance--;
	held++;
	return malloc(size);
}

static void counted_free(void *memory)
{
	held -= memory != NULL;
	free(memory);
}

static int ration_memory(void **state)
{
	(void)state;
	cJSON_Hooks hooks = {rationed_malloc, counted_free};
	cJSON_InitHooks(&hooks);
	allowance = -1;
	held = 0;
	return 0;
}

static int end_ration(void **state)
{
	(void)state;
	cJSON_InitHooks(NULL);
	return 0;
}

static const char large[] =
	"{\"unit\":\"°C\",\"min\":1,\"store\":{\"deadband\":1},\"rules\":[{\"name\":\"a\",\"when\":{\"outside\":"
	"[{\"topic\":\"a/b/c\"},{\"topic\":\"{location}/b/d\"}]},\"then\":[{\"set\":\"a/b/c\",\"to\":\"open\"}],"
	"\"always\":[{\"set\":\"a/b/d\",\"scale\":{\"from\":[0,1],\"to\":[1,0]}}]},"
	"{\"name\":\"b\",\"when\":{\"equals\":\"on\"},\"else\":[{\"set\":\"a/b/c\",\"to\":1}]}]}";

static void test_parse_without_memory(void **state)
{
	(void)state;
	cJSON *document = NULL;
	int tries = 0;
	while (document == NULL) {
		struct config_error error = {0};
		allowance = tries++;
		document = config_parse(slice_of(large), &error);
		assert_true(document != NULL || strcmp(error.found, "out of memory") == 0);
		assert_true(document != NULL || held == 0);
	}
	assert_true(tries > 50);
	cJSON_Delete(document);
	assert_int_equal(held, 0);
}

static void test_compile_without_memory(void **state)
{
	(void)state;
	cJSON *document = cJSON_Parse(large);
	struct config *config = NULL;
	int before = held, tries = 0;
	while (config == NULL) {
		struct config_error error = {0};
		allowance = tries++;
		config = config_compile(document, &livingroom, &error);
		assert_true(config != NULL || strcmp(error.found, "out of memory") == 0);
		assert_true(config != NULL || held == before);
	}
	assert_true(tries > 15);
	config_free(config);
	assert_int_equal(held, before);
	cJSON_Delete(document);
}

/* No memory even to say what is wrong. */
static void test_refuse_without_memory(void **state)
{
	(void)state;
	struct config_error error = {0};
	cJSON *document = cJSON_Parse("{\"min\":[1]}");
	allowance = 1;
	assert_null(config_compile(document, &livingroom, &error));
	assert_string_equal(error.found, "out of memory");
	cJSON_Delete(document);
	assert_int_equal(held, 0);
}

static void test_merge_without_memory(void **state)
{
	(void)state;
	cJSON *house = cJSON_Parse(large), *device = cJSON_Parse("{\"max\":9}");
	cJSON *merged = NULL;
	int before = held, tries = 0;
	while (merged == NULL) {
		allowance = tries++;
		merged = config_merge(house, NULL, device);
		assert_true(merged != NULL || held == before);
	}
	assert_true(tries > 50);
	cJSON_Delete(merged);
	cJSON_Delete(house);
	cJSON_Delete(device);
	assert_int_equal(held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parse_without_memory, ration_memory, end_ration),
		cmocka_unit_test_setup_teardown(test_compile_without_memory, ration_memory, end_ration),
		cmocka_unit_test_setup_teardown(test_refuse_without_memory, ration_memory, end_ration),
		cmocka_unit_test_setup_teardown(test_merge_without_memory, ration_memory, end_ration),
	};
	return cmocka_run_group_tests_name("config_memory", tests, raise_fence, lower_fence);
}
