/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The right to command: whoever publishes a config gives commands by it, so its rules may name only what he himself may
 * write, when it is published and for as long as it is in force.
 */
#include "accounts.h"
#include "client.h"
#include "complaint.h"
#include "house.h"
#include "patience.h"
#include "quotes.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SENSOR "livingroom/uno1/temperature"
#define OWN    "livingroom/fan1/motor"
#define OTHERS "kitchen/fan1/motor"

struct scene {
	struct house *house;
	struct client *admin, *manager; /* admin sees all; the manager is one of the living room */
};

static struct client *manager_of(const struct house *house)
{
	struct client *manager = accounts_sign_in(house, CLIENT_V5, "max", ACCOUNTS_SECRET);

	assert_non_null(manager);
	return manager;
}

static struct scene begin(void)
{
	struct scene s = {.house = accounts_house()};

	s.admin = accounts_admin(s.house);
	client_subscribe(s.admin, "#");
	accounts_add(s.admin, "{'username':'max','role':'manager','locations':['livingroom']}");
	s.manager = manager_of(s.house);
	return s;
}

static void end(struct scene *s)
{
	client_free(s->manager);
	client_free(s->admin);
	house_free(s->house);
}

/* Runs the target above 28. */
static const char *config_for(const char *target)
{
	char text[512];

	snprintf(text, sizeof(text),
	         "{'rules':[{'name':'cool','when':{'above':28},'then':[{'set':'%s','to':1}],"
	         "'else':[{'set':'%s','to':0}]}]}",
	         target, target);
	return json(text);
}

static int publish_config(struct client *client, const char *sensor, const char *config)
{
	char topic[128];

	snprintf(topic, sizeof(topic), "%s/config", sensor);
	return client_publish_bytes(client, topic, config, strlen(config), true);
}

/* Below the limit and above it: does it run? */
static bool commands(const struct scene *s, const char *target)
{
	char topic[128];
	size_t count;

	snprintf(topic, sizeof(topic), "%s/set", target);
	client_drain(s->admin, topic);
	client_publish(s->admin, SENSOR "/value", "20");
	client_publish(s->admin, SENSOR "/value", "30");
	count = client_drain(s->admin, topic);
	return count > 0;
}

static void only_what_its_author_may_write(void **state)
{
	static const char *const refused[] = {OTHERS, "{location}2/fan1/motor", "all/hearth/auto", "kitchen/{device}/led"};
	struct scene s = begin();
	char *path;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		char sensor[64];

		snprintf(sensor, sizeof(sensor), "livingroom/uno%zu/temperature", i + 10);
		assert_int_equal(publish_config(s.manager, sensor, config_for(refused[i])), REASON_NOT_AUTHORIZED);
		path = expect_complaint(s.admin, sensor, "config", "refused_config");
		assert_non_null(path);
		assert_string_equal(path, "$.rules[0]");
		free(path);
	}
	client_fence(s.admin);
	assert_null(client_take(s.admin, "livingroom/uno10/temperature/config", 0));
	/* By control too. */
	client_subscribe(s.manager, CONTROL_RESPONSE);
	path = accounts_refusal(s.manager, "{'command':'setConfig','topic':'" SENSOR "/config','config':%s}",
	                        config_for(OTHERS));
	assert_non_null(strstr(path, OTHERS));
	free(path);
	free(accounts_refusal(s.manager, "{'command':'setConfig','topic':'kitchen/uno1/t/config','config':{}}"));
	assert_false(commands(&s, OTHERS));
	/* His own is fine, and so is what an administrator says. */
	assert_true(publish_config(s.manager, SENSOR, config_for(OWN)) < 128);
	assert_true(commands(&s, OWN));
	assert_true(publish_config(s.admin, SENSOR, config_for(OTHERS)) < 128);
	assert_true(commands(&s, OTHERS));
	assert_false(commands(&s, OWN));
	end(&s);
}

/* A default with {location} commands in every location. */
static void a_default_commands_everywhere(void **state)
{
	struct scene s = begin();

	(void)state;
	accounts_add(s.admin, "{'username':'max','role':'manager','locations':['livingroom'],"
	                      "'grants':[{'allow':'write','topic':'all/all/+/config'}]}");
	assert_true(client_ends(s.manager, SOON));
	client_free(s.manager);
	s.manager = manager_of(s.house);
	assert_int_equal(publish_config(s.manager, "all/all/temperature", config_for("{location}/fan1/motor")),
	                 REASON_NOT_AUTHORIZED);
	assert_true(publish_config(s.manager, "livingroom/all/temperature", config_for("{location}/fan1/motor")) < 128);
	assert_true(commands(&s, OWN));
	end(&s);
}

/* What changes max's rights; `in_force`: then his config is. */
static const struct {
	const char *command;
	bool in_force;
} changes[] = {
	{"{'command':'modifyAccount','username':'max','locations':['hall']}", false},
	{"{'command':'modifyAccount','username':'max','locations':['hall','livingroom']}", true},
	{"{'command':'addGrant','username':'max','deny':'write','topic':'livingroom/fan1/motor/set'}", false},
	{"{'command':'removeGrant','username':'max','deny':'write','topic':'livingroom/fan1/motor/set'}", true},
	{"{'command':'modifyAccount','username':'max','role':'guest'}", false},
	{"{'command':'modifyAccount','username':'max','role':'resident'}", true},
	{"{'command':'disableAccount','username':'max'}", false},
	{"{'command':'enableAccount','username':'max'}", true},
	{"{'command':'deleteAccount','username':'max'}", false},
};

/* A restart finds it as it was. */
static void restart(struct scene *s)
{
	client_free(s->admin);
	house_restart(s->house);
	s->admin = accounts_admin(s->house);
	client_subscribe(s->admin, "#");
}

static void rights_that_shrink_take_it_out_of_force(void **state)
{
	struct scene s = begin();

	(void)state;
	assert_true(publish_config(s.manager, SENSOR, config_for(OWN)) < 128);
	assert_true(commands(&s, OWN));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		client_drain(s.admin, NULL);
		accounts_do(s.admin, "%s", changes[i].command);
		if (!changes[i].in_force)
			free(expect_complaint(s.admin, SENSOR, "config", "suspended_config"));
		if (commands(&s, OWN) != changes[i].in_force)
			fail_msg("%s: the rule %s", changes[i].command, changes[i].in_force ? "does not fire" : "fires");
		if (i % 3 == 0)
			restart(&s);
		if (commands(&s, OWN) != changes[i].in_force)
			fail_msg("%s, after a restart: the rule %s", changes[i].command,
			         changes[i].in_force ? "does not fire" : "fires");
	}
	/* Whoever may can say it again. */
	assert_true(publish_config(s.admin, SENSOR, config_for(OWN)) < 128);
	assert_true(commands(&s, OWN));
	end(&s);
}

/* A config from before there were accounts has no author, and stays. */
static void an_older_config_stays(void **state)
{
	struct scene s = {.house = house_new()};

	(void)state;
	house_start(s.house);
	s.admin = client_connect(s.house, CLIENT_V5, "somebody");
	assert_true(publish_config(s.admin, SENSOR, config_for(OTHERS)) < 128);
	client_free(s.admin);
	house_stop(s.house);
	accounts_init(s.house);
	house_start(s.house);
	s.admin = accounts_admin(s.house);
	client_subscribe(s.admin, "#");
	assert_true(commands(&s, OTHERS));
	client_free(s.admin);
	house_free(s.house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(only_what_its_author_may_write, client_teardown),
		cmocka_unit_test_teardown(a_default_commands_everywhere, client_teardown),
		cmocka_unit_test_teardown(rights_that_shrink_take_it_out_of_force, client_teardown),
		cmocka_unit_test_teardown(an_older_config_stays, client_teardown),
	};

	return cmocka_run_group_tests_name("access_command", tests, NULL, NULL);
}
