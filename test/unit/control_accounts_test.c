/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: the commands about accounts, passwords, devices and sessions, in conversations.
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

/* ---- accounts ---- */

static void accounts_are_made_changed_and_removed(void **state)
{
	static const struct saying sayings[] = {
		{"anna", "createAccount 'username':'leo','role':'resident','locations':['hall'],'password':'a good one'", "{}"},
		{"anna", "createAccount 'username':'leo','role':'guest'", "which is there"},
		{"anna", "createAccount 'username':'mia','role':'boss'", "role: found"},
		{"anna", "createAccount 'username':'mia','role':'guest','password':'short'", "password: found 5 characters"},
		{"anna", "createAccount 'username':'mia','role':'guest','password':'hearth-aaaqeayeaudaocajbifqydiob4'",
	     "the form of a device's secret"},
		{"anna", "createAccount 'usrname':'mia','role':'guest'", "did you mean username?"},
		{"anna", "createAccount 'username':'mia','username':'mia','role':'guest'", "username: given twice"},
		{"anna", "getAccount 'username':'leo'",
	     "{'data':{'account':{'username':'leo','role':'resident','locations':['hall']}}}"},
		{"anna", "getAccount 'username':'mia'", "wanted the name of an account"},
		{"rita", "getAccount 'username':'mia'", "not permitted: another's account is for the role admin"},
		{"rita", "getAccount 'username':'leo'", "not permitted: another's account is for the role admin"},
		{"rita", "getAccount 'username':'rita'", "'username':'rita'"},
		{"anna", "modifyAccount 'username':'leo','role':'manager','locations':null,'clientIds':['leo-*']", "{}"},
		{"anna", "getAccount 'username':'leo'", "{'username':'leo','role':'manager'"},
		{"anna", "modifyAccount 'username':'leo','expires':'soon'", "expires: found"},
		{"anna", "modifyAccount 'username':'leo','password':null,'expires':'2099-01-01T00:00:00Z'", "{}"},
		{"anna", "getAccount 'username':'leo'", "'expires':'2099-01-01T00:00:00Z'"},
		{"anna", "addGrant 'username':'leo','allow':'read','topic':'cellar/#'", "{}"},
		{"anna", "addGrant 'username':'leo','allow':'read','topic':'cellar/#'", "{}"},
		{"anna", "addGrant 'username':'leo','deny':'write','topic':'hall/door1/+/set'", "{}"},
		{"anna", "addGrant 'username':'leo','deny':'write','allow':'read','topic':'x'", "found both"},
		{"anna", "addGrant 'username':'leo','topic':'x'", "found neither"},
		{"anna", "addGrant 'username':'leo','deny':'eat','topic':'x'", "grants[2]"},
		{"anna", "getAccount 'username':'leo'",
	     "'grants':[{'allow':'read','topic':'cellar/#'},{'deny':'write','topic':'hall/door1/+/set'}]"},
		{"anna", "removeGrant 'username':'leo','allow':'read','topic':'cellar/#'", "{}"},
		{"anna", "removeGrant 'username':'leo','allow':'read','topic':'cellar/#'", "no such grant"},
		{"anna", "disableAccount 'username':'leo'", "{}"},
		{"anna", "getAccount 'username':'leo'", "'disabled':true"},
		{"anna", "enableAccount 'username':'leo'", "{}"},
		{"anna", "listAccounts",
	     "{'data':{'accounts':['anna','gus','hall/uno1','leo','mark','rita','serv'],'totalCount':7}}"},
		{"anna", "listAccounts 'count':2,'offset':3", "{'data':{'accounts':['leo','mark'],'totalCount':7}}"},
		{"anna", "listAccounts 'count':1,'verbose':true",
	     "{'accounts':[{'username':'anna','role':'admin','certificate':true}]"},
		{"anna", "deleteAccount 'username':'leo'", "{}"},
		{"anna", "getAccount 'username':'leo'", "wanted the name of an account"},
		{"anna", "deleteAccount 'username':'anna'", "no administrator would be left"},
		{"anna", "disableAccount 'username':'anna'", "no administrator would be left"},
		{"anna", "modifyAccount 'username':'anna','role':'guest'", "no administrator would be left"},
	};
	TALK(*state, sayings);
}

static void no_answer_shows_a_hash(void **state)
{
	struct scene *scene = *state;
	scene_ask(scene, "anna", "listAccounts 'verbose':true");
	scene_ask(scene, "anna", "getAccount 'username':'rita'");
	scene_ask(scene, "rita", "whoAmI");
	scene_ask(scene, "anna", "setPassword 'username':'rita','password':'seven77'");
	scene_ask(scene, "anna", "importPasswords 'lines':['rita:$7$x$y$z']");
	for (size_t i = 0; i < fake_responses(); i++) {
		assert_null(strstr(fake_response_at(i)->payload, "$7$1"));
		assert_null(strstr(fake_response_at(i)->payload, "$7$x"));
		assert_null(strstr(fake_response_at(i)->payload, "seven77"));
	}
}

static void passwords_change(void **state)
{
	static const struct saying first[] = {
		{"rita", "setPassword 'password':'a better one'", "oldPassword: not given"},
		{"rita", "setPassword 'password':'a better one','oldPassword':'a wrong one'",
	     "oldPassword: wanted the password that"},
		{"rita", "setPassword 'password':'a better one','username':'gus','oldPassword':'correct horse'",
	     "not permitted: another's password"},
		{"hall/uno1", "setPassword 'password':'a better one','oldPassword':'x'", "not permitted: a device's secret"},
	};
	static const struct saying second[] = {
		{"rita", "setPassword 'password':'a better one','oldPassword':'correct horse'", "{}"},
		{"anna", "setPassword 'username':'gus','password':'for the guest'", "{}"},
		{"anna", "setPassword 'username':'hugo','password':'for the guest'", "wanted the name of an account"},
	};
	struct scene *scene = *state;
	TALK(scene, first);
	assert_true(scene_opens(scene, "rita", RITA_PASSWORD));
	TALK(scene, second);
	assert_true(scene_opens(scene, "rita", "a better one"));
	assert_true(scene_opens(scene, "gus", "for the guest"));
}

#define SET_PASSWORD(rest) "{\"commands\":[{\"command\":\"setPassword\"," rest "}]}"

/* Who knows the old password and asked in time does not undo what an administrator did meanwhile. */
static void a_password_that_changed_meanwhile_stays(void **state)
{
	struct scene *scene = *state;
	scene_send(scene, "anna", slice_of(SET_PASSWORD("\"username\":\"rita\",\"password\":\"a fresh one\"")));
	scene_send(scene, "rita",
	           slice_of(SET_PASSWORD("\"password\":\"a thief's own\",\"oldPassword\":\"" RITA_PASSWORD "\"")));
	assert_int_equal(fake_responses(), 0);
	assert_string_equal(scene_answer(scene), "{\"responses\":[{\"command\":\"setPassword\"}]}");
	assert_non_null(strstr(scene_answer(scene), "the password has changed meanwhile"));
	assert_true(scene_opens(scene, "rita", "a fresh one"));
}

/* The hash is made for the account as it is when the hash is there, and for none that is gone. */
static void an_account_that_changed_meanwhile_keeps_that(void **state)
{
	static const char *const request = SET_PASSWORD("\"username\":\"rita\",\"password\":\"a fresh one\"");
	struct scene *scene = *state;
	scene_send(scene, "anna", slice_of(request));
	assert_non_null(
		strstr(scene_ask(scene, "anna", "addGrant 'username':'rita','deny':'read','topic':'cellar/#'"), "{"));
	while (!scene_opens(scene, "rita", "a fresh one"))
		scene_tick(scene);
	assert_non_null(strstr(scene_ask(scene, "anna", "getAccount 'username':'rita'"), "cellar/#"));
	while (fake_responses() < 3)
		scene_tick(scene);
	scene->told = fake_responses();
	scene_send(scene, "anna", slice_of(request));
	scene_send(scene, "anna", slice_of("{\"commands\":[{\"command\":\"deleteAccount\",\"username\":\"rita\"}]}"));
	scene_answer(scene);
	scene_answer(scene);
	assert_null(account_find(access_accounts(scene->access), slice_of("rita")));
}

static void password_files_are_imported(void **state)
{
#define HASH                                                                                                           \
	"$7$101$AAECAwQFBgcICQoL$"                                                                                         \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
	static const struct saying sayings[] = {
		{"anna",
	     "importPasswords 'lines':['tom:" HASH "','','rita:" HASH "','bad','ann:$argon2id$v=19$x','tom:" HASH "']",
	     "{'data':{'skipped':['rita'],'refused':[{'line':4,'error':'wanted USER:HASH, with a user name of 1 to 256 "
	     "bytes'},{'line':5,'error':'found an "
	     "$argon2id$ hash, which Hearth cannot check; wanted $7$ or $6$ (setPassword makes "
	     "one)'},{'line':6,'error':'the same "
	     "user again'}],'imported':1}}"},
		{"anna", "getAccount 'username':'tom'", "{'username':'tom','role':'resident'}"},
		{"anna", "importPasswords 'replace':true,'role':'guest','lines':['rita:" HASH "']",
	     "{'data':{'refused':[],'skipped':[],'imported':1}}"},
		{"anna", "getAccount 'username':'rita'", "{'username':'rita','role':'resident'"},
		{"anna", "importPasswords 'role':'device','lines':[]", "role: found"},
	};
	struct scene *scene = *state;
	TALK(scene, sayings);
	struct slice hash = account_password(account_find(access_accounts(scene->access), slice_of("rita")));
	assert_true(slice_is(hash, HASH));
}

static void many_passwords_take_several_changes(void **state)
{
	struct scene *scene = *state;
	char *request = malloc(1 << 20), *end = request;
	assert_non_null(request);
	end += sprintf(end, "importPasswords 'lines':[");
	for (int i = 0; i < 900; i++)
		end += sprintf(end, "%s'user%d:" HASH "'", i > 0 ? "," : "", i);
	memcpy(end, "]", sizeof "]");
	assert_non_null(strstr(scene_ask(scene, "anna", request), "\"imported\":900"));
	free(request);
	assert_int_equal(account_count(access_accounts(scene->access)), SCENE_PEOPLE + 900);
}

/* Whatever else takes the broker thread's time, so that at no moment half of them could be all there is. */
static void a_password_file_is_one_change(void **state)
{
	struct scene *scene = *state;
	const struct account_table *table = access_accounts(scene->access);
	char *request = malloc(1 << 16), *end = request;
	assert_non_null(request);
	end += sprintf(end, "{\"commands\":[{\"command\":\"importPasswords\",\"lines\":[");
	for (int i = 0; i < 256; i++)
		end += sprintf(end, "%s\"user%d:" HASH "\"", i > 0 ? "," : "", i);
	memcpy(end, "]}]}", sizeof "]}]}");
	for (int i = 0; i < 8; i++)
		scene_ask(scene, "anna", "help");
	scene_send(scene, "anna", slice_of(request));
	free(request);
	while (!scene_answered(scene)) {
		if (account_count(table) != SCENE_PEOPLE)
			assert_int_equal(account_count(table), SCENE_PEOPLE + 256);
		scene_tick(scene);
	}
	assert_non_null(strstr(scene_answer(scene), "\"imported\":256"));
}

/* ---- who am I, what may I ---- */

static void everybody_may_ask_about_himself(void **state)
{
	static const struct saying sayings[] = {
		{"mark", "whoAmI",
	     "{'data':{'username':'mark','role':'manager','locations':['hall'],'certificate':true,'clientId':'c-mark','"
	     "commands':['help','whoAmI','checkAccess','getAccount'"},
		{"serv", "whoAmI", "'grants':[{'allow':'read','topic':'hall/uno1/#'}]"},
		{"hall/uno1", "whoAmI", "'location':'hall','device':'uno1'"},
		{"gus", "checkAccess 'action':'read','topic':'hall/uno1/t/value'", "'allowed':true"},
		{"gus", "checkAccess 'action':'write','topic':'hall/uno1/t/set'", "'allowed':false"},
		{"serv", "checkAccess 'action':'read','topic':'hall/uno1/t/value'",
	     "'decidedBy':'allow read hall/uno1/#','byRole':false"},
		{"serv", "checkAccess 'action':'read','topic':'cellar/uno1/t/value'",
	     "'allowed':false,'decidedBy':'no rule matches'"},
		{"serv", "checkAccess 'action':'subscribe','topic':'hall/#'", "'allowed':true,'covered':'some'"},
		{"serv", "checkAccess 'action':'subscribe','topic':'hall/uno1/+/value'", "'covered':'all'"},
		{"serv", "checkAccess 'action':'subscribe','topic':'cellar/#'", "'allowed':false,'covered':'nothing'"},
		{"serv", "checkAccess 'action':'read','topic':'hall/#'", "without wildcards"},
		{"serv", "checkAccess 'action':'read','topic':'hall/#/x'", "wanted an MQTT topic or filter"},
		{"serv", "checkAccess 'action':'eat','topic':'hall'", "wanted read, write or subscribe"},
		{"serv", "checkAccess 'username':'gus','action':'read','topic':'hall'", "not permitted: another's account"},
		{"anna", "checkAccess 'username':'gus','action':'write','topic':'hall/uno1/t/set'", "'allowed':false"},
		{"anna", "checkAccess 'username':'hugo','action':'read','topic':'hall'", "wanted the name of an account"},
	};
	TALK(*state, sayings);
}

/* ---- devices ---- */

static void devices_are_made_by_who_manages_the_place(void **state)
{
	static const struct saying sayings[] = {
		{"mark", "addDevice 'location':'hall','device':'uno2'", "{'data':{'username':'hall/uno2','secret':'hearth-"},
		{"mark", "addDevice 'location':'hall','device':'uno2'", "which is there"},
		{"mark", "addDevice 'location':'cellar','device':'uno2'", "not permitted: devices of"},
		{"mark", "newSecret 'location':'cellar','device':'uno9'", "not permitted: devices of"},
		{"mark", "removeDevice 'location':'cellar','device':'uno9'", "not permitted: devices of"},
		{"mark", "renameDevice 'location':'hall','device':'uno2','newLocation':'cellar','newDevice':'uno2'",
	     "not permitted: devices of"},
		{"mark", "listDevices 'location':'cellar'", "not permitted: devices of"},
		{"anna", "addDevice 'location':'cellar','device':'uno3','clientIds':['c3']", "'secret':'hearth-"},
		{"mark", "addDevice 'location':'cellar','device':'uno3'", "not permitted: devices of"},
		{"mark", "newSecret 'location':'cellar','device':'uno3'", "not permitted: devices of"},
		{"mark", "removeDevice 'location':'cellar','device':'uno3'", "not permitted: devices of"},
		{"mark", "renameDevice 'location':'cellar','device':'uno3','newLocation':'hall','newDevice':'uno3'",
	     "not permitted: devices of"},
		{"mark", "renameDevice 'location':'hall','device':'uno2','newLocation':'all','newDevice':'x'",
	     "not permitted: devices of"},
		{"mark", "renameDevice 'location':'hall','device':'uno2','newLocation':'hall','newDevice':'hearth'",
	     "newDevice: found"},
		{"anna", "renameDevice 'location':'hall','device':'uno2','newLocation':'hall','newDevice':'all'",
	     "newDevice: found"},
		{"anna", "renameDevice 'location':'hall','device':'uno2','newLocation':'hearth','newDevice':'x'",
	     "newLocation: found"},
		{"anna", "addDevice 'location':'hearth','device':'uno3'", "location: found"},
		{"anna", "addDevice 'location':'hall','device':'all'", "device: found"},
		{"mark", "addDevice 'location':'hall','device':'uno4','role':'service'", "role: not a key of addDevice"},
		{"mark", "addDevice 'location':'hall','device':'uno4','grants':[]", "grants: not a key of addDevice"},
		{"mark", "newSecret 'location':'hall','device':'uno2','clientIds':[]", "clientIds: not a key of newSecret"},
		{"mark", "modifyAccount 'username':'hall/uno2','disabled':true", "not permitted: modifyAccount is not for"},
		{"mark", "addGrant 'username':'hall/uno2','allow':'all','topic':'#'", "not permitted: addGrant is not for"},
		{"mark", "setPassword 'username':'hall/uno2','password':'a good one'", "not permitted: another's password"},
		{"anna", "addDevice 'location':'all','device':'uno3'", "location: found"},
		{"anna", "addDevice 'location':'hall','device':'hearth'", "device: found"},
		{"anna", "addDevice 'location':'hall','device':'a/b'", "device: found"},
		{"mark", "listDevices",
	     "{'data':{'devices':[{'location':'hall','device':'uno1','username':'hall/"
	     "uno1','online':true},{'location':'hall','device':'uno2','username':'hall/uno2','online':false}]}}"},
		{"anna", "listDevices 'offset':1,'count':1",
	     "{'data':{'devices':[{'location':'hall','device':'uno1','username':'hall/uno1','online':true}]}}"},
		{"anna", "listDevices 'location':'cellar'", "[{'location':'cellar','device':'uno3'"},
		{"mark", "newSecret 'location':'hall','device':'uno2'", "'secret':'hearth-"},
		{"mark", "newSecret 'location':'hall','device':'uno9'", "wanted a device that is there"},
		{"anna", "createAccount 'username':'hall/spy','role':'service','grants':[{'allow':'all','topic':'#'}]", "{}"},
		{"mark", "newSecret 'location':'hall','device':'spy'", "wanted a device that is there"},
		{"mark", "removeDevice 'location':'hall','device':'spy'", "wanted a device that is there"},
		{"mark", "renameDevice 'location':'hall','device':'spy','newLocation':'hall','newDevice':'x'",
	     "wanted a device that is there"},
		{"mark", "removeDevice 'location':'hall','device':'uno2'", "{}"},
		{"anna", "getAccount 'username':'hall/uno2'", "wanted the name of an account"},
	};
	TALK(*state, sayings);
}

static void what_a_manager_is_denied_he_does_not_manage(void **state)
{
	static const struct saying sayings[] = {
		{"anna", "addDevice 'location':'hall','device':'door1'", "'secret'"},
		{"anna", "addGrant 'username':'mark','deny':'write','topic':'hall/door1/#'", "{}"},
		{"mark", "newSecret 'location':'hall','device':'door1'", "not permitted: writing hall/door1/+/config"},
		{"mark", "removeDevice 'location':'hall','device':'door1'", "not permitted: writing"},
		{"mark", "renameDevice 'location':'hall','device':'door1','newLocation':'hall','newDevice':'door2'",
	     "not permitted: writing"},
		{"mark", "renameDevice 'location':'hall','device':'uno1','newLocation':'hall','newDevice':'door1'",
	     "not permitted: writing"},
		{"mark", "newSecret 'location':'hall','device':'uno1'", "'secret'"},
	};
	TALK(*state, sayings);
}

static void a_secret_opens_its_device(void **state)
{
	struct scene *scene = *state;
	cJSON *answer = cJSON_Parse(scene_ask(scene, "anna", "newSecret 'location':'hall','device':'uno1'"));
	const char *secret = cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "data"), "secret")->valuestring;
	assert_true(password_is_secret(slice_of(secret)));
	assert_true(scene_opens(scene, "hall/uno1", secret));
	cJSON_Delete(answer);
}

/* ---- sessions ---- */

static void sessions_are_listed_dropped_and_forgotten(void **state)
{
	static const struct saying sayings[] = {
		{"anna", "listSessions 'count':2", "'next':2"},
		{"anna", "listSessions", "{'clientId':'c-gus','username':'gus','connected':true,'stored':false}"},
		{"anna", "dropSession 'clientId':'c-anna'", "found one's own"},
		{"anna", "dropSession 'clientId':'nobody'", "wanted a client that is connected"},
		{"anna", "dropSession 'clientId':'c-gus'", "{}"},
		{"anna", "forgetSession 'clientId':'c-rita'", "wanted a session that is kept"},
		{"anna", "forgetSession 'clientId':'gone'", "{}"},
		{"anna", "forgetSession 'clientId':'gone'", "wanted a session that is kept"},
	};
	struct scene *scene = *state;
	const struct fake_client gone = {.id = "gone", .user = "gus", .certificate = "gus", .stored = true};
	assert_int_equal(access_connect(scene->access, &gone, "gus", NULL, scene_now(scene)), ACCESS_GRANTED);
	access_disconnect(scene->access, &gone);
	TALK(scene, sayings);
	assert_non_null(strstr(fake_broker_did(), "drop c-gus; "));
	/* never inside a message's callback */
	scene_send(scene, "anna", slice_of("{\"commands\":[{\"command\":\"dropSession\",\"clientId\":\"c-rita\"}]}"));
	assert_string_equal(fake_broker_did(), "");
	assert_string_equal(scene_answer(scene), "{\"responses\":[{\"command\":\"dropSession\"}]}");
	assert_non_null(strstr(fake_broker_did(), "drop c-rita; "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accounts_are_made_changed_and_removed),
		TEST(no_answer_shows_a_hash),
		TEST(passwords_change),
		TEST(a_password_that_changed_meanwhile_stays),
		TEST(an_account_that_changed_meanwhile_keeps_that),
		TEST(password_files_are_imported),
		TEST(many_passwords_take_several_changes),
		TEST(a_password_file_is_one_change),
		TEST(everybody_may_ask_about_himself),
		TEST(devices_are_made_by_who_manages_the_place),
		TEST(what_a_manager_is_denied_he_does_not_manage),
		TEST(a_secret_opens_its_device),
		TEST(sessions_are_listed_dropped_and_forgotten),
	};
	return cmocka_run_group_tests_name("control_accounts", tests, NULL, NULL);
}
