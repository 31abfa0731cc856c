/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_parse_test: command lines and the requests they make, or the one line that says what is wrong.
 */
#include "ctrl/ctrl_parse.h"
#include "ctrl/ctrl_run.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#define NOW_US    1795348800000000 /* 2026-11-22T12:00:00Z */
#define WORDS_MAX 24

/* Splits a line at spaces; a word '' is empty. The words point into `line`. */
static int split(char *line, char *words[WORDS_MAX])
{
	int count = 0;
	char *rest = line, *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		assert_true(count < WORDS_MAX);
		if (*word)
			words[count++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	return count;
}

static int parse(const char *text, struct ctrl_call *call)
{
	static char line[512];
	char *words[WORDS_MAX];
	int status;

	assert_true(strlen(text) < sizeof line);
	memcpy(line, text, strlen(text) + 1);
	*call = (struct ctrl_call){.connection = {.host = "localhost", .port = CTRL_PORT_USUAL, .timeout_s = 10}};
	status = ctrl_parse(split(line, words), words, NOW_US, call);
	if (!status && !call->help && call->command->prepare)
		status = call->command->prepare(call);
	return status;
}

static void command_lines_make_requests(void **state)
{
	static const struct {
		const char *line, *request;
	} cases[] = {
		{"whoami", "{'command':'whoAmI'}"},
		{"check write a/b/c/set", "{'command':'checkAccess','action':'write','topic':'a/b/c/set'}"},
		{"check --account anna --client-id=c1 read a/b/c/value",
	     "{'command':'checkAccess','action':'read','topic':'a/b/c/value','username':'anna','clientId':'c1'}"},
		{"account list", "{'command':'listAccounts','verbose':true}"},
		{"account list --names --count 5", "{'command':'listAccounts','count':5}"},
		{"account show 안나", "{'command':'getAccount','username':'안나'}"},
		{"account add anna --role manager --location a,b --location c --disabled",
	     "{'command':'createAccount','username':'anna','role':'manager','locations':['a','b','c'],'disabled':true}"},
		{"account add anna --certificate yes --role guest --role resident",
	     "{'command':'createAccount','username':'anna','certificate':true,'role':'resident'}"},
		{"account modify anna --location '' --expires ''",
	     "{'command':'modifyAccount','username':'anna','locations':null,'expires':null}"},
		{"account modify anna --location '' --location b",
	     "{'command':'modifyAccount','username':'anna','locations':['b']}"},
		{"account remove anna", "{'command':'deleteAccount','username':'anna'}"},
		{"account remove -- -anna", "{'command':'deleteAccount','username':'-anna'}"},
		{"account password", "{'command':'setPassword'}"},
		{"account enable anna", "{'command':'enableAccount','username':'anna'}"},
		{"account disable anna", "{'command':'disableAccount','username':'anna'}"},
		{"grant add anna allow read x/#", "{'command':'addGrant','username':'anna','topic':'x/#','allow':'read'}"},
		{"grant remove anna deny all x/+", "{'command':'removeGrant','username':'anna','topic':'x/+','deny':'all'}"},
		{"device add 거실 uno1", "{'command':'addDevice','location':'거실','device':'uno1'}"},
		{"device list", "{'command':'listDevices'}"},
		{"device list a --offset 1000", "{'command':'listDevices','location':'a','offset':1000}"},
		{"device rename a b c d",
	     "{'command':'renameDevice','location':'a','device':'b','newLocation':'c','newDevice':'d'}"},
		{"device remove a b --configs", "{'command':'removeDevice','location':'a','device':'b','configs':true}"},
		{"device secret a b", "{'command':'newSecret','location':'a','device':'b'}"},
		{"session list", "{'command':'listSessions'}"},
		{"session drop c1", "{'command':'dropSession','clientId':'c1'}"},
		{"session forget c1", "{'command':'forgetSession','clientId':'c1'}"},
		{"series", "{'command':'listSeries'}"},
		{"series a/#", "{'command':'listSeries','filter':'a/#'}"},
		{"latest", "{'command':'getLatest','filter':'#'}"},
		{"latest a/b/c/value", "{'command':'getLatest','topic':'a/b/c/value'}"},
		{"latest a/+/c/value", "{'command':'getLatest','filter':'a/+/c/value'}"},
		{"history a/b/c/value", "{'command':'getHistory','topic':'a/b/c/value','from':'-24h'}"},
		{"history a/b/c/value --from 2026-11-20 --to now --buckets 300",
	     "{'command':'getHistory','topic':'a/b/c/value','from':'2026-11-20T00:00:00.000000Z',"
	     "'to':'2026-11-22T12:00:00.000000Z','buckets':300}"},
		{"config list", "{'command':'listConfigs'}"},
		{"config show a/b/c/config", "{'command':'getConfig','topic':'a/b/c/config'}"},
		{"config set a/b/c/config {\"max\":28.0}",
	     "{'command':'setConfig','topic':'a/b/c/config','config':'{\\\"max\\\":28.0}'}"},
		{"config remove a/b/c/config", "{'command':'removeConfig','topic':'a/b/c/config'}"},
		{"metrics", "{'command':'getMetrics'}"},
		{"journal", "{'command':'getJournal'}"},
		{"backup f", "{'command':'backup'}"},
		{"restore f --replace-accounts", "{'command':'restore','replaceAccounts':true}"},
		{"import f --role guest --replace", "{'command':'importPasswords','role':'guest','replace':true}"},
		{"migrate --to mariadb://h/d --store-password-file /p --store-ca /c",
	     "{'command':'moveHistory','to':'mariadb://h/d','passwordFile':'/p','ca':'/c'}"},
		{"migrate status", "{'command':'getMove'}"},
		{"migrate stop", "{'command':'stopMove'}"},
		/* Options may stand anywhere. */
		{"--json -u admin account --timeout 3 show anna", "{'command':'getAccount','username':'anna'}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ctrl_call call;
		char wanted[512], *got;

		snprintf(wanted, sizeof wanted, "%s", cases[i].request);
		for (char *quote = wanted; (quote = strchr(quote, '\'')) != NULL;)
			*quote = '"';
		if (parse(cases[i].line, &call) != CTRL_OK)
			fail_msg("%s: %s", cases[i].line, call.error);
		got = cJSON_PrintUnformatted(call.request);
		assert_string_equal(got, wanted);
		cJSON_free(got);
		ctrl_call_free(&call);
	}
}

static void wrong_lines_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *line, *said;
	} cases[] = {
		{"acount list", "is \"account list\" meant"},
		{"account lsit", "is \"account list\" meant"},
		{"devise", "is \"device\" meant"},
		{"account", "wanted one of list, show, add"},
		{"nonsense", "see: mosquitto_ctrl hearth help"},
		{"account show", "USERNAME is missing"},
		{"account show a b", "\"b\" is one word too many"},
		{"account show --role admin a", "account show takes no --role"},
		{"account add anna --rôle admin", "is --role meant"},
		{"account add anna --role king", "wanted admin|manager"},
		{"account add anna --role", "--role wants"},
		{"account add anna --role ''", "wanted admin|manager"},
		{"account add anna --disabled=yes", "--disabled takes no value"},
		{"account list --count many", "wanted a whole number"},
		{"account list --count -1", "wanted a whole number"},
		{"grant add anna alow read x", "wanted allow|deny"},
		{"grant add anna allow subscribe x", "wanted read|write|all"},
		{"check publish x", "wanted read|write|subscribe"},
		{"history t --from yesterday", "wanted now, 24h, 7d"},
		{"whoami -p 0", "wanted a whole number from 1 to 65535"},
		{"whoami -p 70000", "wanted a whole number from 1 to 65535"},
		{"whoami --timeout 0", "--timeout"},
		{"whoami -x", "no option -x"},
		{"device rename a b c", "NEW_DEVICE is missing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ctrl_call call;

		assert_int_equal(parse(cases[i].line, &call), CTRL_USAGE);
		if (!strstr(call.error, cases[i].said))
			fail_msg("%s: said \"%s\", wanted \"%s\" in it", cases[i].line, call.error, cases[i].said);
		assert_null(strchr(call.error, '\n'));
		ctrl_call_free(&call);
	}
}

static void the_way_to_the_broker_is_read(void **state)
{
	struct ctrl_call call;

	(void)state;
	assert_int_equal(parse("-h broker -p 8883 -uanna whoami --pw=s --cafile ca --capath d --cert c --key k --insecure "
	                       "-i id --timeout 5 --json",
	                       &call),
	                 CTRL_OK);
	assert_string_equal(call.connection.host, "broker");
	assert_int_equal(call.connection.port, 8883);
	assert_string_equal(call.connection.username, "anna");
	assert_string_equal(call.connection.password, "s");
	assert_string_equal(call.connection.cafile, "ca");
	assert_string_equal(call.connection.capath, "d");
	assert_string_equal(call.connection.certfile, "c");
	assert_string_equal(call.connection.keyfile, "k");
	assert_string_equal(call.connection.id, "id");
	assert_int_equal(call.connection.timeout_s, 5);
	assert_true(call.connection.insecure);
	assert_true(call.json);
	ctrl_call_free(&call);

	assert_int_equal(parse("--unix /run/m.sock whoami", &call), CTRL_OK);
	assert_string_equal(call.connection.host, "/run/m.sock");
	assert_int_equal(call.connection.port, 0);
	ctrl_call_free(&call);

	/* What stood before `hearth` stays, if nothing is said after it. */
	assert_int_equal(parse("whoami", &call), CTRL_OK);
	assert_string_equal(call.connection.host, "localhost");
	assert_int_equal(call.connection.port, CTRL_PORT_USUAL);
	ctrl_call_free(&call);
}

static void help_is_asked_for_in_many_ways(void **state)
{
	static const struct {
		const char *line, *command;
		bool help;
	} cases[] = {
		{"", "help", false},
		{"help", "help", false},
		{"--help", "help", true},
		{"account --help", "help", true},
		{"account add --help", "account add", true},
		{"help account add", "help", false},
		{"--help whoami", "whoami", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ctrl_call call;

		assert_int_equal(parse(cases[i].line, &call), CTRL_OK);
		assert_string_equal(call.command->words, cases[i].command);
		assert_int_equal(call.help, cases[i].help);
		ctrl_call_free(&call);
	}
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ago_s;
	} good[] = {{"now", 0},
	            {"90s", 90},
	            {"30m", 1800},
	            {"24h", 86400},
	            {"7d", 604800},
	            {"2w", 1209600},
	            {"2026-11-22", 43200},
	            {"2026-11-22T11:00:00Z", 3600},
	            {"2026-11-22T21:00:00+09:00", 0}};
	static const char *const bad[] = {"",    "h", "24", "-24h", "24 h", "2026-13-01", "yesterday", "999999999999h",
	                                  "1.5h"};
	int64_t time_us;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(ctrl_time_read(good[i].text, NOW_US, &time_us));
		assert_int_equal(NOW_US - time_us, good[i].ago_s * 1000000);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(ctrl_time_read(bad[i], NOW_US, &time_us));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_make_requests),
		cmocka_unit_test(wrong_lines_are_refused_with_a_reason),
		cmocka_unit_test(the_way_to_the_broker_is_read),
		cmocka_unit_test(help_is_asked_for_in_many_ways),
		cmocka_unit_test(times_are_read),
	};

	return cmocka_run_group_tests_name("ctrl_parse", tests, NULL, NULL);
}
