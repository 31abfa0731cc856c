/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: requests and their answers, who may call what, wrong shapes, and what waits. The commands themselves are in
 * control_accounts_test.c and control_data_test.c, hostile requests in control_fuzz_test.c.
 */
#include "control_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make(void **state)
{
	static struct scene scene;
	scene_make(&scene, false);
	*state = &scene;
	return 0;
}

static int make_still(void **state)
{
	static struct scene scene;
	scene_make(&scene, true);
	*state = &scene;
	return 0;
}

static int dispose(void **state)
{
	scene_remove(*state);
	return 0;
}

/* ---- what a request looks like ---- */

static const char *send(struct scene *scene, const char *user, const char *request)
{
	scene_send(scene, user, slice_of(request));
	return scene_answer(scene);
}

static void requests_have_the_shape_of_dynsec(void **state)
{
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{"", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Payload not valid JSON\"}]}"},
		{"{\"commands\":[}",
	     "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Payload not valid JSON\"}]}"},
		{"\"\xff\"", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Payload not valid JSON\"}]}"},
		{"[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]",
	     "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Payload not valid JSON\"}]}"},
		{"{}", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Invalid/missing commands\"}]}"},
		{"{\"commands\":1}",
	     "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Invalid/missing commands\"}]}"},
		{"{\"commands\":[]}", "{\"responses\":[]}"},
		{"{\"commands\":[1]}",
	     "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Command not an object\"}]}"},
		{"{\"commands\":[{}]}", "{\"responses\":[{\"command\":\"Unknown command\",\"error\":\"Missing command\"}]}"},
		{"{\"commands\":[{\"command\":\"getMove\",\"correlationData\":5}]}",
	     "{\"responses\":[{\"command\":\"getMove\",\"error\":\"Invalid correlationData data type.\"}]}"},
		{"{\"commands\":[{\"command\":\"creatAccount\",\"correlationData\":\"x\"}]}",
	     "{\"responses\":[{\"command\":\"creatAccount\",\"correlationData\":\"x\",\"error\":\"Unknown command; did you "
	     "mean "
	     "createAccount?\"}]}"},
		{"{\"commands\":[{\"command\":\"deleteAccount\",\"correlationData\":\"1\",\"username\":\"gus\"},"
	     "{\"command\":\"deleteAccount\",\"correlationData\":\"2\",\"username\":\"gus\"}]}",
	     "{\"responses\":[{\"command\":\"deleteAccount\",\"correlationData\":\"1\"},{\"command\":\"deleteAccount\","
	     "\"correlationData\":\"2\",\"error\":\"username: found \\\"gus\\\"; wanted the name of an account\"}]}"},
	};
	struct scene *scene = *state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(send(scene, "anna", cases[i].request), cases[i].answer);
	assert_string_equal(fake_response_at(0)->topic, "c-anna $CONTROL/hearth/v1/response");
}

static void long_requests_are_refused(void **state)
{
	struct scene *scene = *state;
	char *text = malloc(CONTROL_REQUEST_MAX + 2);
	assert_non_null(text);
	memset(text, ' ', CONTROL_REQUEST_MAX + 1);
	scene_send(scene, "anna", (struct slice){text, CONTROL_REQUEST_MAX + 1});
	assert_non_null(strstr(scene_answer(scene), "wanted at most 1048576 bytes"));
	scene_send(scene, "gus", (struct slice){text, 16385});
	assert_non_null(strstr(scene_answer(scene), "wanted at most 16384 bytes"));

	char *end = text + sprintf(text, "{\"commands\":[");
	for (int i = 0; i < CONTROL_COMMANDS_MAX; i++)
		end += sprintf(end, "{},");
	memcpy(end, "{}]}", sizeof "{}]}");
	assert_non_null(strstr(send(scene, "anna", text), "wanted at most 1000"));
	memcpy(end - 1, "]}", sizeof "]}");
	cJSON *answer = cJSON_Parse(send(scene, "anna", text));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(answer, "responses")), CONTROL_COMMANDS_MAX);
	cJSON_Delete(answer);
	free(text);
}

static void strangers_get_no_answer(void **state)
{
	struct scene *scene = *state;
	const struct fake_client nobody = {.id = "x"}, unknown = {.id = "x", .user = "nobody"};
	const struct fake_client pretender = {.id = "c-gus", .user = "anna"}; /* the client id is gus' */
	const struct slice change = slice_of("{\"commands\":[{\"command\":\"deleteAccount\",\"username\":\"rita\"}]}");
	const struct slice request = slice_of("{\"commands\":[{\"command\":\"whoAmI\"}]}");

	control_request(scene->control, &nobody, request, scene_now(scene));
	control_request(scene->control, &unknown, request, scene_now(scene));
	control_request(scene->control, &pretender, change, scene_now(scene));
	scene_tick(scene);
	assert_int_equal(fake_responses(), 0);
	assert_non_null(account_find(access_accounts(scene->access), slice_of("rita")));
}

/* ---- who may what ---- */

static cJSON *all_commands(struct scene *scene)
{
	cJSON *answer = cJSON_Parse(scene_ask(scene, "anna", "help"));
	cJSON *commands = cJSON_DetachItemFromObject(cJSON_GetObjectItem(answer, "data"), "commands");
	cJSON_Delete(answer);
	assert_in_range(cJSON_GetArraySize(commands), 35, 60);
	return commands;
}

static bool has_text(const cJSON *list, const char *text)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, list)
	{
		if (strcmp(one->valuestring, text) == 0)
			return true;
	}
	return false;
}

/* Each command that is not for a role, from that role: the same answer whatever stands in it. */
static void each_role_is_refused_what_is_not_for_it(void **state)
{
	static const struct {
		const char *user, *role;
		size_t refused;
	} roles[] = {{"anna", "admin", 0}, {"mark", "manager", 18},     {"rita", "resident", 23},
	             {"gus", "guest", 23}, {"hall/uno1", "device", 24}, {"serv", "service", 24}};
	struct scene *scene = *state;
	char *before = scene_accounts(scene);
	cJSON *commands = all_commands(scene), *one;

	for (size_t i = 0; i < COUNT(roles); i++) {
		size_t refused = 0;
		cJSON_ArrayForEach(one, commands)
		{
			if (has_text(cJSON_GetObjectItem(one, "roles"), roles[i].role))
				continue;
			const char *answer = scene_ask(scene, roles[i].user, cJSON_GetObjectItem(one, "command")->valuestring);
			assert_non_null(strstr(answer, "not permitted: "));
			refused++;
		}
		if (refused != roles[i].refused)
			fail_msg("%s: %zu commands", roles[i].role, refused);
	}
	cJSON_Delete(commands);
	char *after = scene_accounts(scene);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* Every command without what it needs, with what it does not know, and with the wrong type under each of its keys. */
static void wrong_shapes_are_told(void **state)
{
	struct scene *scene = *state;
	cJSON *commands = all_commands(scene), *one, *key;

	cJSON_ArrayForEach(one, commands)
	{
		const char *name = cJSON_GetObjectItem(one, "command")->valuestring;
		const cJSON *keys = cJSON_GetObjectItem(one, "keys");
		char text[256];
		snprintf(text, sizeof text, "%s 'nonsense':1", name);
		assert_non_null(strstr(scene_ask(scene, "anna", text), "nonsense: not a key of "));
		cJSON_ArrayForEach(key, keys)
		{
			const char *key_name = cJSON_GetObjectItem(key, "name")->valuestring;
			bool list = strcmp(cJSON_GetObjectItem(key, "type")->valuestring, "a list") == 0;
			snprintf(text, sizeof text, "%s '%s':%s", name, key_name, list ? "{}" : "[[]]");
			char wanted[64];
			snprintf(wanted, sizeof wanted, "{\"error\":\"%s: found ", key_name);
			assert_non_null(strstr(scene_ask(scene, "anna", text), wanted));
			snprintf(text, sizeof text, "%s '%s':1,'%s':1", name, key_name, key_name);
			assert_non_null(strstr(scene_ask(scene, "anna", text), "\"error\":"));
		}
		if (cJSON_IsTrue(cJSON_GetObjectItem(keys->child, "required")))
			assert_non_null(strstr(scene_ask(scene, "anna", name), ": not given; wanted "));
	}
	cJSON_Delete(commands);
}

/* ---- waiting ---- */

static void success_is_told_when_it_is_on_the_disk(void **state)
{
	struct scene *scene = *state;
	scene_send(scene, "anna", slice_of("{\"commands\":[{\"command\":\"deleteAccount\",\"username\":\"gus\"}]}"));
	for (int i = 0; i < 5; i++)
		scene_tick(scene);
	assert_int_equal(fake_responses(), 0);
	assert_null(account_find(access_accounts(scene->access), slice_of("gus")));
	scene_sync(scene);
	assert_string_equal(scene_answer(scene), "{\"responses\":[{\"command\":\"deleteAccount\"}]}");
}

static void a_disk_that_takes_too_long_is_told(void **state)
{
	struct scene *scene = *state;
	scene_send(scene, "anna",
	           slice_of("{\"commands\":[{\"command\":\"deleteAccount\",\"username\":\"gus\",\"correlationData\":\"x\"},"
	                    "{\"command\":\"getMove\"}]}"));
	scene->ahead_ms = CONTROL_PATIENCE_MS + 1000;
	const char *answer = scene_answer(scene);
	assert_non_null(strstr(answer,
	                       "{\"command\":\"deleteAccount\",\"correlationData\":\"x\",\"error\":\"done, but not on the "
	                       "disk yet: it holds unless the machine loses power\"}"));
	assert_non_null(strstr(answer, "{\"command\":\"getMove\",\"data\""));
}

static void commands_wait_for_those_before_them(void **state)
{
	struct scene *scene = *state;
	const char *answer = send(scene, "anna",
	                          "{\"commands\":[{\"command\":\"createAccount\",\"username\":\"leo\",\"role\":\"guest\","
	                          "\"password\":\"a good one\"},{\"command\":\"getAccount\",\"username\":\"leo\"}]}");
	assert_non_null(strstr(answer, "{\"command\":\"getAccount\",\"data\":{\"account\":{\"username\":\"leo\""));
}

/* Nobody gets another's answer, and rights count at the time when a command is carried out. */
static void who_is_gone_is_not_answered(void **state)
{
	static const struct fake_client other = {.id = "c-rita", .user = "gus", .certificate = "gus"};
	struct scene *scene = *state;
	scene_send(scene, "anna", slice_of("{\"commands\":[{\"command\":\"deleteAccount\",\"username\":\"serv\"}]}"));
	scene_send(
		scene, "rita",
		slice_of(
			"{\"commands\":[{\"command\":\"setPassword\",\"password\":\"a better one\",\"oldPassword\":\"" RITA_PASSWORD
			"\"}]}"));
	access_disconnect(scene->access, scene_client("rita"));
	assert_int_equal(access_connect(scene->access, &other, "gus", NULL, scene_now(scene)), ACCESS_GRANTED);
	scene_sync(scene);
	scene_answer(scene); /* anna's */
	scene->ahead_ms += CONTROL_PATIENCE_MS + 1000;
	for (int i = 0; i < 100; i++)
		scene_tick(scene);
	assert_int_equal(fake_responses(), 1);
	assert_true(scene_opens(scene, "rita", RITA_PASSWORD));
}

static void one_user_cannot_take_all_places(void **state)
{
	struct scene *scene = *state;
	const char *request = "{\"commands\":[{\"command\":\"forgetSession\",\"clientId\":\"gone\"}]}";
	const struct fake_client gone = {.id = "gone", .user = "gus", .certificate = "gus", .stored = true};

	for (int i = 0; i < 8; i++) {
		access_connect(scene->access, &gone, "gus", NULL, scene_now(scene));
		access_disconnect(scene->access, &gone);
		scene_send(scene, "anna", slice_of(request));
	}
	assert_int_equal(fake_responses(), 0);
	assert_non_null(strstr(send(scene, "anna", request), "too many requests wait"));
	assert_non_null(strstr(scene_ask(scene, "mark", "whoAmI"), "\"username\":\"mark\""));
	scene_sync(scene);
	for (int i = 0; i < 8; i++)
		assert_string_equal(scene_answer(scene), "{\"responses\":[{\"command\":\"forgetSession\"}]}");
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, make, dispose)
#define STILL(name) cmocka_unit_test_setup_teardown(name, make_still, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_have_the_shape_of_dynsec),
		TEST(long_requests_are_refused),
		TEST(strangers_get_no_answer),
		TEST(each_role_is_refused_what_is_not_for_it),
		TEST(wrong_shapes_are_told),
		STILL(success_is_told_when_it_is_on_the_disk),
		STILL(a_disk_that_takes_too_long_is_told),
		TEST(commands_wait_for_those_before_them),
		STILL(who_is_gone_is_not_answered),
		STILL(one_user_cannot_take_all_places),
	};
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
