/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: series, latest values, history, configs, the house's own figures, backup and restore, and renaming a device with all
 * that has its name. What each role gets of them.
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

static int dispose(void **state)
{
	scene_remove(*state);
	return 0;
}

/* A reading, and another of a place that serv may not read; both stored when this returns. */
static void publish_readings(struct scene *scene)
{
	scene_publish(scene, "hall/uno1", "hall/uno1/temperature/value", "23.5", false);
	scene_publish(scene, "anna", "cellar/uno7/door/value", "open", false);
	for (int i = 0; i < 20000 && storage_stored(scene->storage) < 2; i++)
		scene_ask(scene, "anna", "getJournal");
	assert_true(storage_stored(scene->storage) >= 2);
}

static void each_gets_the_series_it_may_read(void **state)
{
	static const struct saying sayings[] = {
		{"gus", "listSeries", "{'data':{'series':['hall/uno1/temperature/value','cellar/uno7/door/value']}}"},
		{"gus", "listSeries 'filter':'cellar/#'", "{'data':{'series':['cellar/uno7/door/value']}}"},
		{"gus", "listSeries 'count':1", "{'data':{'series':['hall/uno1/temperature/value'],'next':1}}"},
		{"gus", "listSeries 'offset':1", "{'data':{'series':['cellar/uno7/door/value']}}"},
		{"gus", "listSeries 'filter':'a#'", "filter: found"},
		{"serv", "listSeries", "{'data':{'series':['hall/uno1/temperature/value']}}"},
		{"hall/uno1", "listSeries", "{'data':{'series':[]}}"},
		{"serv", "getLatest", "{'data':{'latest':[{'topic':'hall/uno1/temperature/value','time':'2"},
		{"serv", "getLatest 'topic':'hall/uno1/temperature/value'", "'value':23.5,'age':"},
		{"gus", "getLatest 'topic':'cellar/uno7/door/value'", "'value':1,'text':'open','age':"},
		{"serv", "getLatest 'topic':'cellar/uno7/door/value'", "not permitted: reading cellar/uno7/door/value"},
		{"serv", "getLatest 'topic':'cellar/uno7/nothing/value'", "not permitted: reading cellar/uno7/nothing/value"},
		{"gus", "getLatest 'topic':'cellar/uno7/nothing/value'", "{'data':{'latest':[]}}"},
		{"gus", "getLatest 'topic':'cellar/uno7'", "topic: found"},
		{"gus", "getLatest 'topic':'a/b/c/value','filter':'#'", "found both"},
	};
	struct scene *scene = *state;
	publish_readings(scene);
	TALK(scene, sayings);
}

/* A house that was started again: no live series, and all from the store. */
static void what_is_only_stored_is_told_too(void **state)
{
	static const struct saying sayings[] = {
		{"gus", "listSeries", "'old/uno1/t/value'"},
		{"gus", "listSeries 'filter':'hall/#'", "{'data':{'series':['hall/uno1/temperature/value']}}"},
		{"gus", "getLatest 'topic':'old/uno1/t/value'", "'value':5"},
		{"gus", "getLatest 'filter':'old/#'", "'value':5"},
		{"serv", "getLatest", "{'data':{'latest':[{'topic':'hall/uno1/temperature/value'"},
		{"serv", "listSeries 'filter':'old/#'", "{'data':{'series':[]}}"},
	};
	struct scene *scene = *state;
	scene_publish(scene, "anna", "old/uno1/t/value", "5", false);
	publish_readings(scene);
	for (int i = 0; i < 20000 && storage_stored(scene->storage) < 3; i++)
		scene_ask(scene, "anna", "getJournal");
	series_find(intake_feed(scene->intake)->series, slice_of("old/uno1/t/value"))->latest.known = false;
	TALK(scene, sayings);
}

static void history_is_passed_on(void **state)
{
	static const struct saying sayings[] = {
		{"serv", "getHistory 'topic':'hall/uno1/temperature/value','from':'-1h'", ",23.5]],'more':false}}"},
		{"serv", "getHistory 'topic':'hall/uno1/temperature/value','from':0,'to':'now','buckets':10", "'buckets':[["},
		{"serv", "getHistory 'topic':'hall/uno1/temperature/value','from':'2020-01-01T00:00:00Z','to':'1600000000'",
	     "'readings':[]"},
		{"gus", "getHistory 'topic':'cellar/uno7/door/value','from':'-2d'", ",1,'open']]"},
		{"serv", "getHistory 'topic':'cellar/uno7/door/value','from':'-2d'",
	     "not permitted: reading cellar/uno7/door/value"},
		{"serv", "getHistory 'topic':'hall/uno1/temperature/value','from':'yesterday'", "from: found yesterday"},
		{"serv", "getHistory 'topic':'hall/uno1/temperature/value','from':-5", "from: found another number"},
		{"serv", "getHistory 'topic':'hall/uno1/temperature/value','from':0,'buckets':10001", "buckets: found 10001"},
		{"serv", "getHistory 'topic':'hall/uno1','from':0", "topic: found"},
	};
	struct scene *scene = *state;
	publish_readings(scene);
	TALK(scene, sayings);
}

static void configs_are_changed_by_who_may_write_them(void **state)
{
	static const struct saying sayings[] = {
		{"mark", "setConfig 'topic':'hall/uno1/temperature/config','config':{'unit':'K','min':1.5}", "{}"},
		{"mark", "setConfig 'topic':'cellar/uno1/temperature/config','config':{'unit':'K'}",
	     "not permitted: writing cellar/"},
		{"rita", "setConfig 'topic':'hall/uno1/temperature/config','config':{'unit':'K'}",
	     "not permitted: writing hall/"},
		{"anna", "setConfig 'topic':'cellar/uno1/temperature/config','config':'{\\\"unit\\\": \\\"F\\\"}'", "{}"},
		{"anna", "setConfig 'topic':'cellar/uno1/temperature/config','config':{'unit':7}", "config: $.unit: found 7"},
		{"anna", "setConfig 'topic':'cellar/uno1/temperature/config','config':' '", "config: found nothing"},
		{"anna", "setConfig 'topic':'cellar/uno1/temperature/value','config':{}", "LOCATION/DEVICE/SENSOR/config"},
		{"mark",
	     "setConfig "
	     "'topic':'hall/uno1/x/config','config':{'rules':[{'name':'r','when':{'above':1},'then':[{'set':'cellar/fan/"
	     "motor','to':1}]}]}",
	     "config: $.rules[0]"},
		{"gus", "listConfigs",
	     "{'data':{'configs':[{'topic':'hall/uno1/temperature/"
	     "config','suspended':false},{'topic':'cellar/uno1/temperature/config','suspended':false}]}}"},
		{"anna", "listConfigs",
	     "{'data':{'configs':[{'topic':'hall/uno1/temperature/"
	     "config','author':'mark','suspended':false},{'topic':'cellar/uno1/temperature/"
	     "config','author':'anna','suspended':false}]}}"},
		{"gus", "listConfigs 'filter':'cellar/#'", "{'data':{'configs':[{'topic':'cellar/uno1/temperature/config'"},
		{"gus", "listConfigs 'count':1", "'next':1"},
		{"serv", "listConfigs", "{'data':{'configs':[{'topic':'hall/uno1/temperature/config','suspended':false}]}}"},
		{"mark", "getConfig 'topic':'hall/uno1/temperature/config'", "'author':'mark'"},
		{"serv", "getConfig 'topic':'hall/uno1/temperature/config'", "'config':{'unit':'K','min':1.5}"},
		{"serv", "getConfig 'topic':'cellar/uno1/temperature/config'", "not permitted: reading cellar/"},
		{"serv", "getConfig 'topic':'cellar/uno1/nothing/config'", "not permitted: reading cellar/"},
		{"gus", "getConfig 'topic':'cellar/uno1/nothing/config'", "wanted the topic of a config"},
		{"rita", "removeConfig 'topic':'hall/uno1/temperature/config'", "not permitted: writing hall/"},
		{"mark", "removeConfig 'topic':'hall/uno1/temperature/config'", "{}"},
		{"gus", "getConfig 'topic':'hall/uno1/temperature/config'", "wanted the topic of a config"},
	};
	TALK(*state, sayings);
	assert_non_null(strstr(fake_broker_said(), "hall/uno1/temperature/config={\"unit\":\"K\",\"min\":1.5} (retained)"));
}

static void the_house_tells_of_itself(void **state)
{
	static const struct saying sayings[] = {
		{"gus", "getMetrics", "{'data':{'metrics':{'readings/received':7,'store/lag':0}}}"},
		{"anna", "getJournal", "'quota':16777216,"},
		{"anna", "getMove", "{'data':{'phase':'none'"},
		{"anna", "stopMove", "no move is under way"},
		{"anna", "moveHistory 'to':'oracle:x'", "to: "},
	};
	TALK(*state, sayings);
}

/* ---- renaming ---- */

static void a_device_is_renamed_with_all_that_it_has(void **state)
{
	static const struct saying before[] = {
		{"anna", "addDevice 'location':'hall','device':'uno2'", "'secret'"},
		{"mark", "setConfig 'topic':'hall/uno2/led/config','config':{'unit':'K'}", "{}"},
		{"anna", "setConfig 'topic':'hall/new/x/config','config':{'unit':'K'}", "{}"},
		{"mark", "renameDevice 'location':'hall','device':'uno2','newLocation':'hall','newDevice':'uno1'",
	     "which is there"},
		{"mark", "renameDevice 'location':'hall','device':'uno2','newLocation':'hall','newDevice':'taken'",
	     "found live series, such as hall/taken/x/value"},
	};
	static const struct saying after[] = {
		{"mark", "renameDevice 'location':'hall','device':'uno2','newLocation':'hall','newDevice':'new'",
	     "{'data':{'username':'hall/new'}}"},
		{"anna", "getAccount 'username':'hall/uno2'", "wanted the name of an account"},
		{"anna", "getAccount 'username':'hall/new'",
	     "{'username':'hall/new','role':'device','location':'hall','device':'new'}"},
		{"mark", "listConfigs 'filter':'hall/+/led/config'",
	     "{'data':{'configs':[{'topic':'hall/new/led/config','author':'mark','suspended':false}]}}"},
		{"mark", "renameDevice 'location':'hall','device':'uno2','newLocation':'hall','newDevice':'new'",
	     "wanted a device that is there"},
	};
	struct scene *scene = *state;
	scene_publish(scene, "anna", "hall/uno2/led/state", "1", true);
	scene_publish(scene, "anna", "hall/uno2/device/status", "online", true);
	scene_publish(scene, "anna", "hall/uno2/t/value", "1", false);
	scene_publish(scene, "anna", "hall/taken/x/value", "1", false);
	TALK(scene, before);
	fake_broker_said();
	TALK(scene, after);
	const char *said = fake_broker_said();
	assert_non_null(strstr(said, "hall/new/led/config={\"unit\":\"K\"} (retained)"));
	assert_non_null(strstr(said, "hall/uno2/led/config= (retained)"));
	assert_non_null(strstr(said, "hall/uno2/led/state= (retained)"));
	assert_non_null(strstr(said, "hall/uno2/device/status= (retained)"));
	assert_null(strstr(said, "hall/uno2/t/value="));
	/* and what was stored under the old name is found under the new one */
	int tries = 0;
	while (strstr(scene_ask(scene, "gus", "getLatest 'topic':'hall/new/t/value'"), "\"value\":1") == NULL)
		assert_in_range(++tries, 0, 20000);
}

/* As after a crash before the configs of the old name were gone: the same command does the rest. */
static void a_rename_is_ended_by_the_same_command(void **state)
{
	static const struct saying sayings[] = {
		{"mark", "addDevice 'location':'hall','device':'new'", "'secret'"},
		{"mark", "setConfig 'topic':'hall/new/led/config','config':{'unit':'K'}", "{}"},
		{"mark", "setConfig 'topic':'hall/old/led/config','config':{'unit':'K'}", "{}"},
		{"mark", "renameDevice 'location':'hall','device':'old','newLocation':'hall','newDevice':'new'",
	     "{'data':{'username':'hall/new'}}"},
		{"mark", "listConfigs", "{'configs':[{'topic':'hall/new/led/config','author':'mark','suspended':false}]}"},
		{"mark", "renameDevice 'location':'hall','device':'old','newLocation':'hall','newDevice':'new'",
	     "wanted a device that is there"},
		{"anna", "createAccount 'username':'hall/spy','role':'guest'", "{}"},
		{"mark", "renameDevice 'location':'hall','device':'old','newLocation':'hall','newDevice':'spy'",
	     "wanted a device that is there"},
	};
	TALK(*state, sayings);
}

/* What an administrator left open, who may command less does not fill in for him. */
static void a_rename_lends_nobody_rights(void **state)
{
	static const struct saying sayings[] = {
		{"mark", "addDevice 'location':'hall','device':'uno2'", "'secret'"},
		{"anna",
	     "setConfig 'topic':'hall/uno2/button/config','config':{'rules':[{'name':'r','when':{'above':0},'then':[{'set':"
	     "'cellar/{device}/lock','to':1}]}]}",
	     "{}"},
		{"mark", "setConfig 'topic':'hall/uno2/led/config','config':{'unit':'K'}", "{}"},
		{"mark", "renameDevice 'location':'hall','device':'uno2','newLocation':'hall','newDevice':'frontdoor'",
	     "not permitted: the config hall/uno2/button/config has placeholders"},
		{"anna", "getAccount 'username':'hall/uno2'", "'device':'uno2'"},
		{"anna", "listConfigs 'filter':'hall/frontdoor/#'", "{'data':{'configs':[]}}"},
		{"anna", "renameDevice 'location':'hall','device':'uno2','newLocation':'hall','newDevice':'frontdoor'",
	     "{'data':{'username':'hall/frontdoor'}}"},
	};
	TALK(*state, sayings);
}

static void a_rename_that_is_refused_changes_nothing(void **state)
{
	static const struct saying sayings[] = {
		{"anna", "setConfig 'topic':'hall/uno1/a/config','config':{'unit':'K'}", "{}"},
		{"anna", "setConfig 'topic':'hall/uno1/b/config','config':{'min':1}", "{}"},
		{"anna", "setConfig 'topic':'cellar/all/b/config','config':{'max':0}", "{}"}, /* which b's does not go with */
		{"anna", "renameDevice 'location':'hall','device':'uno1','newLocation':'cellar','newDevice':'uno1'",
	     "config: "},
		{"anna", "getAccount 'username':'hall/uno1'", "'device':'uno1'"},
		{"anna", "listConfigs 'filter':'cellar/uno1/+/config'", "{'data':{'configs':[]}}"},
		{"anna", "listConfigs 'filter':'hall/uno1/+/config'", "hall/uno1/a/config"},
	};
	TALK(*state, sayings);
}

static void a_device_is_removed_with_its_configs(void **state)
{
	static const struct saying sayings[] = {
		{"anna", "setConfig 'topic':'hall/uno1/a/config','config':{'unit':'K'}", "{}"},
		{"mark", "removeDevice 'location':'hall','device':'uno1'", "{}"},
		{"gus", "getConfig 'topic':'hall/uno1/a/config'", "'unit'"},
		{"mark", "addDevice 'location':'hall','device':'uno1'", "'secret'"},
		{"mark", "removeDevice 'location':'hall','device':'uno1','configs':true", "{}"},
		{"gus", "getConfig 'topic':'hall/uno1/a/config'", "wanted the topic of a config"},
	};
	TALK(*state, sayings);
}

/* ---- backup and restore ---- */

/* All pages of `count` documents, as the restore that puts them back. The caller frees it. */
static char *back_up(struct scene *scene, int count)
{
	cJSON *all = cJSON_CreateArray();
	char after[TOPIC_MAX + 64] = "";

	for (bool more = true; more;) {
		char command[TOPIC_MAX + 128];
		snprintf(command, sizeof command, "backup 'count':%d%s%s%s", count, *after ? ",'after':'" : "", after,
		         *after ? "'" : "");
		cJSON *answer = cJSON_Parse(scene_ask(scene, "anna", command));
		cJSON *data = cJSON_GetObjectItem(answer, "data"), *next = cJSON_GetObjectItem(data, "next");
		assert_non_null(next);
		cJSON *documents = cJSON_GetObjectItem(data, "documents");
		assert_in_range(cJSON_GetArraySize(documents), 0, count);
		while (cJSON_GetArraySize(documents) > 0)
			cJSON_AddItemToArray(all, cJSON_DetachItemFromArray(documents, 0));
		more = cJSON_IsString(next);
		snprintf(after, sizeof after, "%s", more ? next->valuestring : "");
		cJSON_Delete(answer);
	}
	char *text = cJSON_PrintUnformatted(all);
	cJSON_Delete(all);
	return text;
}

static const char *restore(struct scene *scene, const char *documents, const char *more)
{
	size_t size = strlen(documents) + 128;
	char *request = malloc(size);
	assert_non_null(request);
	snprintf(request, size, "{\"commands\":[{\"command\":\"restore\",\"version\":1,\"documents\":%s%s}]}", documents,
	         more);
	scene_send(scene, "anna", slice_of(request));
	free(request);
	return scene_answer(scene);
}

static void furnish(struct scene *scene)
{
	static const struct saying sayings[] = {
		{"mark", "setConfig 'topic':'hall/uno1/a/config','config':{'unit':'\\\"K'}", "{}"},
		{"anna", "setConfig 'topic':'cellar/uno1/b/config','config':{'min':1}", "{}"},
		{"anna", "createAccount 'username':'leo/한','role':'guest','password':'a good one'", "{}"},
	};
	TALK(scene, sayings);
	scene_publish(scene, "rita", "hall/hearth/auto/set", "0", false);
	scene_publish(scene, "rita", "hall/hearth/setpoint/set", "21.5", false);
}

static void a_backup_makes_the_house_again(void **state)
{
	struct scene *scene = *state;
	furnish(scene);
	char *whole = back_up(scene, 1000), *paged = back_up(scene, 1), *accounts = scene_accounts(scene);
	assert_string_equal(whole, paged);
	assert_non_null(strstr(
		whole,
		"{\"config\":\"hall/uno1/a/config\",\"payload\":\"{\\\"unit\\\":\\\"\\\\\\\"K\\\"}\",\"author\":\"mark\"}"));
	assert_non_null(strstr(whole, "{\"state\":\"hall/hearth/auto/state\",\"payload\":\"0\"}"));
	assert_non_null(strstr(whole, "\"password\":\"$7$"));

	scene_remove(scene);
	scene_make(scene, false);
	assert_string_equal(
		restore(scene, whole, ""),
		"{\"responses\":[{\"command\":\"restore\",\"data\":{\"accounts\":1,\"accountsKept\":6,\"refused\":[],"
		"\"others\":4}}]}");
	char *again = back_up(scene, 1000), *accounts_again = scene_accounts(scene);
	assert_string_equal(whole, again);
	assert_string_equal(accounts, accounts_again);
	assert_non_null(strstr(fake_broker_said(), "hall/hearth/auto/state=0 (retained)"));
	free(whole);
	free(paged);
	free(again);
	free(accounts);
	free(accounts_again);
}

static void a_restore_is_all_or_nothing_for_accounts(void **state)
{
	static const char *const bad[] = {
		"[{\"account\":{\"username\":\"tom\",\"role\":\"guest\"}},{\"account\":{\"username\":\"tim\",\"role\":\"boss\"}"
		"}]",
		"[{\"account\":{\"username\":\"tom\",\"role\":\"guest\"}},{\"accounts\":1}]",
		"[{\"account\":{\"username\":\"tom\",\"role\":\"guest\"}},{\"account\":{\"username\":\"tom\",\"role\":"
		"\"guest\"}}]",
		"[{\"account\":{\"username\":\"tom\",\"role\":\"guest\"}},{\"state\":\"hall/uno1/x/state\",\"payload\":\"1\"}]",
		"[{\"account\":{\"username\":\"tom\",\"role\":\"guest\"}},{\"state\":\"state\",\"payload\":\"1\"}]",
		"[{\"account\":{\"username\":\"tom\",\"role\":\"guest\"}},{\"config\":\"hall/uno1/x/"
		"config\",\"payload\":\"\",\"author\":\"\"}]",
	};
	struct scene *scene = *state;
	char *before = scene_accounts(scene);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_non_null(strstr(restore(scene, bad[i], ""), "\"error\":"));
		char *after = scene_accounts(scene);
		assert_string_equal(before, after);
		free(after);
	}
	free(before);
	/* An account that is there is replaced only if so wished, and the last administrator never. */
	const char *rita = "[{\"account\":{\"username\":\"rita\",\"role\":\"guest\"}}]";
	assert_non_null(strstr(restore(scene, rita, ""), "\"accounts\":0,\"accountsKept\":1"));
	assert_non_null(strstr(restore(scene, rita, ",\"replaceAccounts\":true"), "\"accounts\":1,\"accountsKept\":0"));
	assert_non_null(strstr(
		restore(scene, "[{\"account\":{\"username\":\"anna\",\"role\":\"guest\"}}]", ",\"replaceAccounts\":true"),
		"no administrator would be left"));
	assert_non_null(
		strstr(restore(scene, "[{\"config\":\"hall/uno1/x/config\",\"payload\":\"{1}\",\"author\":\"anna\"}]", ""),
	           "\"refused\":[{\"topic\":\"hall/uno1/x/config\",\"error\":\"config: "));
}

static void a_backup_begins_anew_when_configs_move(void **state)
{
	static const struct saying sayings[] = {
		{"anna", "backup 'after':'config/1/hall/uno1/a/config'", "'next':null"},
		{"anna", "backup 'after':'config/1/hall/uno1/x/config'", "configs have changed meanwhile"},
		{"anna", "removeConfig 'topic':'hall/uno1/a/config'", "{}"},
		{"anna", "backup 'after':'config/1/hall/uno1/a/config'", "configs have changed meanwhile"},
		{"anna", "backup 'after':'account/zzz','count':0", "'documents':[]"},
		{"anna", "backup 'after':'state/99999999999999999999'", "'documents':[]"},
		{"anna", "backup 'after':'state/x'", "wanted what the last page"},
		{"anna", "backup 'after':'x'", "wanted what the last page"},
		{"anna", "restore 'version':2,'documents':[]", "version: found 2"},
	};
	struct scene *scene = *state;
	furnish(scene);
	TALK(scene, sayings);
}

/* ---- the broker's thread is not held up ---- */

/* A list over very many series takes several ticks, and others are answered meanwhile. */
static void long_lists_are_made_in_shares(void **state)
{
	struct scene *scene = *state;
	for (int i = 0; i < 30000; i++) {
		char topic[64];
		snprintf(topic, sizeof topic, "many/u%d/t/value", i);
		scene_publish(scene, "anna", topic, "1", false);
	}
	scene_send(scene, "gus", slice_of("{\"commands\":[{\"command\":\"listSeries\",\"filter\":\"none/#\"}]}"));
	assert_false(scene_answered(scene));
	assert_non_null(strstr(scene_ask(scene, "rita", "whoAmI"), "\"username\":\"rita\""));
	const char *answer = scene_answer(scene);
	assert_non_null(strstr(answer, "{\"command\":\"listSeries\",\"data\":{\"series\":[]}}"));
	assert_non_null(strstr(scene_ask(scene, "gus", "listSeries 'filter':'many/+/t/value','offset':29999"),
	                       "[\"many/u29999/t/value\"]"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_gets_the_series_it_may_read),
		TEST(what_is_only_stored_is_told_too),
		TEST(history_is_passed_on),
		TEST(configs_are_changed_by_who_may_write_them),
		TEST(the_house_tells_of_itself),
		TEST(a_device_is_renamed_with_all_that_it_has),
		TEST(a_rename_is_ended_by_the_same_command),
		TEST(a_rename_lends_nobody_rights),
		TEST(a_rename_that_is_refused_changes_nothing),
		TEST(a_device_is_removed_with_its_configs),
		TEST(a_backup_makes_the_house_again),
		TEST(a_restore_is_all_or_nothing_for_accounts),
		TEST(a_backup_begins_anew_when_configs_move),
		TEST(long_lists_are_made_in_shares),
	};
	return cmocka_run_group_tests_name("control_data", tests, NULL, NULL);
}
