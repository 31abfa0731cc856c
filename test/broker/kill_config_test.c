/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * kill -9 of the broker right after it acknowledged a config, an automation switch or a helper: it holds after the restart.
 *
 * A model knows what was acknowledged last. After each kill and start, what is retained has to be that, byte for byte, and
 * readings have to move the rules that it says and no others. HEARTH_SEED repeats a run, TEST_KILLS says how many rounds
 * there are.
 */
#include "chance.h"
#include "patience.h"
#include "quotes.h"
#include "scene.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define ROUNDS       30
#define ROUNDS_LONG  300
#define SENSORS      4
#define CHANGES      6   /* most of them in one round, or in each half of it */
#define DELAY_BITS   16  /* a kill comes up to so many bits of microseconds after the PUBACK, or at once */
#define SWEEP_US     500 /* how long after its PUBLISH a kill may come that does not wait for the PUBACK */
#define PADDING      30000
#define FIRST_TARGET 1000

/* The three places that can rule livingroom/uno1/SENSOR; a later one wins. */
enum level { LEVEL_HOUSE, LEVEL_LOCATION, LEVEL_DEVICE, LEVELS };

static const char *const owners[LEVELS] = {
	[LEVEL_HOUSE] = "all/all",
	[LEVEL_LOCATION] = "livingroom/all",
	[LEVEL_DEVICE] = "livingroom/uno1",
};

#define PROBE_CONFIG "kitchen/uno9/probe/config"
#define GOAL_CONFIG  "kitchen/uno9/goal/config"

struct model {
	int config[SENSORS][LEVELS]; /* version; 0: none */
	int automation;              /* of the kitchen; −1: never set */
	int target;                  /* the living room's helper; 0: never set */
	int version;                 /* the last one given to anything */
};

static unsigned rounds_wanted(void)
{
	const char *wanted = getenv("TEST_KILLS"), *is_long = getenv("TEST_LONG");

	if (wanted != NULL && wanted[0] != '\0')
		return (unsigned)strtoul(wanted, NULL, 10);
	return is_long != NULL && strcmp(is_long, "1") == 0 ? ROUNDS_LONG : ROUNDS;
}

/* ---- documents ---- */

/* Switches a lamp of this sensor and level to the version. */
static const char *document(int sensor, enum level level, int version)
{
	char text[512];

	snprintf(text, sizeof(text),
	         "{'rules':[{'name':'r','when':{'above':0},'then':[{'set':'livingroom/lamp%d/level%d','to':%d}]}]}", sensor,
	         (int)level, version);
	return json(text);
}

static char *config_topic(int sensor, enum level level, char topic[static 64])
{
	snprintf(topic, 64, "%s/sensor%d/config", owners[level], sensor);
	return topic;
}

/* ---- changes ---- */

/* Publishes without waiting; client_flush then tells that all was acknowledged. */
static void change_config(struct model *model, struct client *client, bool remove)
{
	int sensor = (int)chance_below(SENSORS);
	enum level level = (enum level)chance_below(LEVELS);
	int *version = &model->config[sensor][level];
	const char *text = "";
	char topic[64];

	*version = 0;
	if (!remove) {
		*version = ++model->version;
		text = document(sensor, level, *version);
	}
	assert_true(client_send(client, config_topic(sensor, level, topic), text, strlen(text), 1, true));
}

static void change_automation(struct model *model, struct client *client)
{
	model->automation = model->automation == 0 ? 1 : 0;
	assert_true(client_send(client, "kitchen/hearth/auto/set", model->automation == 0 ? "0" : "1", 1, 1, false));
}

static void change_target(struct model *model, struct client *client)
{
	char text[16];

	model->target = FIRST_TARGET + ++model->version;
	snprintf(text, sizeof(text), "%d", model->target);
	assert_true(client_send(client, "livingroom/hearth/target/set", text, strlen(text), 1, false));
}

/* Some changes one by one or all at once; all are acknowledged when it returns. */
static void change_some(struct model *model, struct client *client)
{
	bool one_by_one = chance_once_in(2);

	for (uint32_t left = 1 + chance_below(CHANGES); left > 0; left--) {
		switch (chance_below(6)) {
		case 0:
			change_automation(model, client);
			break;
		case 1:
			change_target(model, client);
			break;
		case 2:
		case 3:
			change_config(model, client, true);
			break;
		default:
			change_config(model, client, false);
		}
		if (one_by_one)
			assert_true(client_flush(client));
	}
	assert_true(client_flush(client));
}

/* ---- what holds ---- */

static void expect_retained_configs(const struct model *model, const struct house *house)
{
	struct client *client = client_connect(house, CLIENT_V3, NULL);
	char topic[64];

	client_subscribe(client, "+/+/+/config");
	client_fence(client);
	for (int sensor = 0; sensor < SENSORS; sensor++)
		for (int level = 0; level < LEVELS; level++)
			if (model->config[sensor][level] != 0)
				client_expect(client, config_topic(sensor, (enum level)level, topic),
				              document(sensor, (enum level)level, model->config[sensor][level]), SOON);
	assert_non_null(client_take(client, PROBE_CONFIG, SOON));
	assert_non_null(client_take(client, GOAL_CONFIG, SOON));
	for (const struct message *other; (other = client_take(client, NULL, 0)) != NULL;)
		fail_msg("%s came back: %s", other->topic, other->payload);
	client_free(client);
}

static void expect_number_retained(const struct house *house, const char *topic, int number, bool known)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	expect_retained(house, topic, known ? text : NULL);
}

/* Below the limit and above it: the rule fires, whatever it held before. */
static void trip(struct client *client, const char *topic, double below, double above)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", below);
	client_publish(client, topic, text);
	snprintf(text, sizeof(text), "%.1f", above);
	client_publish(client, topic, text);
}

/* The rule of the innermost config there is fires, and it is the right version of it. */
static void expect_rules(const struct model *model, struct client *client)
{
	char topic[64], number[16];

	for (int sensor = 0; sensor < SENSORS; sensor++) {
		int level = LEVELS - 1;

		while (level >= 0 && model->config[sensor][level] == 0)
			level--;
		snprintf(topic, sizeof(topic), "livingroom/uno1/sensor%d/value", sensor);
		trip(client, topic, -1, 1);
		if (level >= 0) {
			snprintf(topic, sizeof(topic), "livingroom/lamp%d/level%d/set", sensor, level);
			snprintf(number, sizeof(number), "%d", model->config[sensor][level]);
			client_expect(client, topic, number, SOON);
		}
	}
	trip(client, "kitchen/uno9/probe/value", -1, 1);
	if (model->automation != 0)
		client_expect(client, "kitchen/lamp/probe/set", "1", SOON);
	if (model->target != 0) {
		trip(client, "kitchen/uno9/goal/value", 0, model->target - 0.5);
		client_expect_none(client, "livingroom/lamp/goal/set");
		trip(client, "kitchen/uno9/goal/value", 0, model->target + 0.5);
		client_expect(client, "livingroom/lamp/goal/set", "1", SOON);
	}
	client_fence(client);
	for (const struct message *other; (other = client_take(client, NULL, 0)) != NULL;)
		fail_msg("%s is not expected: %s", other->topic, other->payload);
}

static void expect_model(const struct model *model, const struct house *house)
{
	struct client *client = client_connect(house, CLIENT_V3, NULL);

	expect_retained_configs(model, house);
	expect_number_retained(house, "kitchen/hearth/auto/state", model->automation, model->automation >= 0);
	expect_number_retained(house, "livingroom/hearth/target/state", model->target, model->target != 0);
	client_subscribe(client, "+/+/+/set");
	expect_rules(model, client);
	client_free(client);
}

/* ---- rounds ---- */

/* In every other round in the very moment of the PUBACK. */
static void pause_and_kill(struct house *house)
{
	if (chance_once_in(2))
		chance_pause(1u << chance_below(DELAY_BITS));
	house_kill(house);
}

static void publish_probes(const struct house *house)
{
	struct client *client = client_connect(house, CLIENT_V3, NULL);

	client_publish_retained(client, PROBE_CONFIG,
	                        json("{'rules':[{'name':'p','when':{'above':0},"
	                             "'then':[{'set':'kitchen/lamp/probe','to':1}]}]}"));
	client_publish_retained(client, GOAL_CONFIG,
	                        json("{'rules':[{'name':'g','when':{'above':{'topic':'livingroom/hearth/target/state'}},"
	                             "'then':[{'set':'livingroom/lamp/goal','to':1}]}]}"));
	client_free(client);
}

static void acknowledged_changes_hold(void **state)
{
	struct model model = {.automation = -1};
	struct house *house = house_new();
	unsigned rounds = rounds_wanted();

	(void)state;
	house_conf(house, "plugin_opt_journal_max 4M");
	house_start(house);
	publish_probes(house);
	for (unsigned round = 0; round < rounds; round++) {
		struct client *client = client_connect(house, CLIENT_V3, NULL);

		change_some(&model, client);
		pause_and_kill(house);
		client_free(client);
		house_start(house);
		expect_model(&model, house);
	}
	house_free(house);
}

/* ---- the broker's own, older file ---- */

/* The broker puts a new file in the old one's place. */
static void save(struct house *house)
{
	int64_t deadline = deadline_in(SOON);
	struct stat before = {0}, after = {0};
	char path[96];

	snprintf(path, sizeof(path), "%s/mosquitto.db", house->folder);
	if (stat(path, &before) != 0)
		before.st_ino = 0;
	house_signal(house, SIGUSR1);
	while (stat(path, &after) != 0 || (after.st_ino == before.st_ino && after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
	                                   after.st_mtim.tv_nsec == before.st_mtim.tv_nsec)) {
		if (now_ms() > deadline)
			fail_msg("the broker does not save its database");
		look_again();
	}
}

static void newer_than_the_autosave(void **state)
{
	struct model model = {.automation = -1};
	struct house *house = house_new();
	unsigned rounds = rounds_wanted();

	(void)state;
	house_conf(house, "plugin_opt_journal_max 4M");
	house_conf(house, "persistence true");
	house_start(house);
	publish_probes(house);
	for (unsigned round = 0; round < rounds; round++) {
		struct client *client = client_connect(house, CLIENT_V3, NULL);

		change_some(&model, client);
		client_publish_retained(client, "x/y", "saved");
		save(house);
		client_publish_retained(client, "x/y", "not saved");
		change_some(&model, client);
		pause_and_kill(house);
		client_free(client);
		house_start(house);
		expect_retained(house, "x/y", "saved"); /* so it was restored */
		expect_model(&model, house);
	}
	house_free(house);
}

/* ---- killed before the PUBACK ---- */

/* Without giving up the processor: a sleep would be longer than what is looked for. */
static void spin(int64_t us)
{
	int64_t until = wall_us() + us;

	while (wall_us() < until)
		;
}

/* A document of some kilobytes: torn, it would be no JSON. */
static char *padded_document(int version)
{
	const char *text = document(0, LEVEL_DEVICE, version);
	char *padding = repeated(' ', PADDING), *whole = NULL;

	assert_true(asprintf(&whole, "%.1s%s%s", text, padding, text + 1) >= 0);
	free(padding);
	return whole;
}

/* The rule of this version fires (0: none does). */
static void expect_version(const struct house *house, int version)
{
	struct model model = {.automation = 0, .config[0][LEVEL_DEVICE] = version};
	struct client *client = client_connect(house, CLIENT_V3, NULL);

	client_subscribe(client, "+/+/+/set");
	expect_rules(&model, client);
	client_free(client);
}

/* What was not acknowledged is the old document or the new one, and what is retained is what is in force. */
static void unacknowledged_is_old_or_new(void **state)
{
	struct house *house = house_new();
	unsigned rounds = rounds_wanted(), acknowledged = 0, taken = 0;
	char *old = NULL, topic[64];
	int old_version = 0;

	(void)state;
	config_topic(0, LEVEL_DEVICE, topic);
	house_conf(house, "plugin_opt_journal_max 64M");
	house_start(house);
	for (unsigned round = 1; round <= rounds; round++) {
		struct client *client = client_connect(house, CLIENT_V3, NULL);
		int version = chance_once_in(4) ? 0 : (int)round;
		char *text = version == 0 ? repeated(' ', 0) : padded_document(version), *now;
		bool is_acknowledged, is_new;

		assert_true(client_send(client, topic, text, strlen(text), 1, true));
		spin(chance_below(SWEEP_US));
		house_kill(house);
		is_acknowledged = client_flush(client);
		client_free(client);
		house_start(house);

		now = retained_text(house, topic);
		is_new = strcmp(now != NULL ? now : "", text) == 0;
		if (!is_new && (is_acknowledged || strcmp(now != NULL ? now : "", old != NULL ? old : "") != 0))
			fail_msg("round %u: retained is \"%.200s\"; acknowledged: %d", round, now != NULL ? now : "(nothing)",
			         is_acknowledged);
		expect_version(house, is_new ? version : old_version);
		acknowledged += is_acknowledged;
		taken += is_new;
		if (is_new)
			old_version = version;
		free(text);
		free(old);
		old = now;
	}
	print_message("killed before the PUBACK: of %u documents %u were acknowledged, %u taken\n", rounds, acknowledged,
	              taken);
	free(old);
	house_free(house);
}

static int begin(void **state)
{
	(void)state;
	chance_begin();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(acknowledged_changes_hold, client_teardown),
		cmocka_unit_test_teardown(newer_than_the_autosave, client_teardown),
		cmocka_unit_test_teardown(unacknowledged_is_old_or_new, client_teardown),
	};

	return cmocka_run_group_tests_name("kill_config", tests, begin, NULL);
}
