/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Outages of the state folder's disk and of the state file: the house starts and controls, a config that was acknowledged
 * is in force after whatever restart, and the log has one line.
 */
#include "disk.h"
#include "patience.h"
#include "quotes.h"
#include "rows.h"
#include "trial.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STATE_AWAY "The state file cannot be written: /"
#define STATE_BACK "The state file is written again after "

#define DISK_KIB 24576

/* The state folder is on a disk of its own, the history is not. Skips the test if that is not possible here. */
static struct trial trial_on_disk(void)
{
	struct trial trial = trial_new();

	if (!disk_mount(trial.disk, DISK_KIB)) {
		house_free(trial.house);
		skip();
	}
	snprintf(trial.history, sizeof(trial.history), "%.80s/history.db", trial.house->folder);
	house_conf(trial.house, "plugin_opt_state_dir %s", trial.disk);
	house_conf(trial.house, "plugin_opt_store sqlite:%s", trial.history);
	house_conf(trial.house, "plugin_opt_journal_max 8M");
	return trial;
}

static void end_on_disk(struct trial *trial)
{
	client_free(trial->client);
	trial->client = NULL;
	house_stop(trial->house);
	disk_unmount(trial->disk);
	trial_end(trial);
}

static void kill_and_restart(struct trial *trial)
{
	client_free(trial->client);
	house_kill(trial->house);
	house_start(trial->house);
	trial_connect(trial);
}

/* A second rule, as a config of another series. */
static void configure_light(const struct trial *trial, const char *limit)
{
	char text[256];

	snprintf(text, sizeof(text),
	         "{'rules':[{'name':'dim','when':{'above':%s},'then':[{'set':'livingroom/led1/led','to':0}],"
	         "'else':[{'set':'livingroom/led1/led','to':1}]}]}",
	         limit);
	client_publish_retained(trial->client, "livingroom/uno1/light/config", json(text));
}

/* That rule has this limit, which lies between both values. */
static void light_is_ruled(struct trial *trial, const char *below, const char *above)
{
	client_subscribe(trial->client, "livingroom/led1/led/set");
	client_publish(trial->client, "livingroom/uno1/light/value", below);
	client_expect(trial->client, "livingroom/led1/led/set", "1", SOON);
	client_publish(trial->client, "livingroom/uno1/light/value", above);
	client_expect(trial->client, "livingroom/led1/led/set", "0", SOON);
	client_unsubscribe(trial->client, "livingroom/led1/led/set");
	trial->all += 4;
}

/* Configs that are larger than what the state file's WAL has room for. */
static void configure_others(const struct trial *trial)
{
	static char config[20000];

	snprintf(config, sizeof(config), "%*s", (int)sizeof(config) - 1, json("{'min':0}"));
	for (int i = 0; i < 20; i++) {
		char topic[64];

		snprintf(topic, sizeof(topic), "attic/uno%d/light/config", i);
		client_publish_retained(trial->client, topic, config);
	}
}

/* They are retained, so that they were restored. */
static void expect_others(const struct trial *trial)
{
	client_subscribe(trial->client, "attic/+/light/config");
	for (int i = 0; i < 20; i++)
		assert_non_null(client_take_any(trial->client, SOON));
	client_unsubscribe(trial->client, "attic/+/light/config");
}

static void full_disk(void **state)
{
	struct trial trial = trial_on_disk();

	(void)state;
	trial_begin(&trial);
	configure_light(&trial, "50");
	light_is_ruled(&trial, "49", "51");
	disk_fill(trial.disk);

	/* Configs find room in the journal, and are in force. */
	configure_others(&trial);
	house_wait_log(trial.house, STATE_AWAY);
	configure_light(&trial, "60");
	light_is_ruled(&trial, "59", "61");
	trial_live_for(&trial, 1500);
	trial_expect_lines(&trial, STATE_AWAY, "its disk needs room", STATE_BACK, 0);
	disk_free(trial.disk);
	house_wait_log(trial.house, STATE_BACK);
	trial_expect_lines(&trial, STATE_AWAY, trial.disk, STATE_BACK, 1);
	configure_light(&trial, "70");
	kill_and_restart(&trial);
	light_is_ruled(&trial, "69", "71");
	expect_others(&trial);
	trial_controls(&trial);
	trial_expect_exactly_once(&trial);
	assert_int_equal(house_count_log(trial.house, STATE_AWAY, NULL), 0);
	end_on_disk(&trial);
}

/* Started while nothing can be written: what was acknowledged is in force, whatever the state file has of it. */
static void restart_on_a_full_disk(void **state)
{
	struct trial trial = trial_on_disk();

	(void)state;
	trial_begin(&trial);
	configure_light(&trial, "50");
	disk_fill(trial.disk);
	configure_others(&trial);
	configure_light(&trial, "60");
	house_wait_log(trial.house, STATE_AWAY);
	kill_and_restart(&trial);
	light_is_ruled(&trial, "59", "61");
	expect_others(&trial);
	trial_controls(&trial);
	assert_int_equal(house_count_log(trial.house, "damaged", NULL), 0);

	client_free(trial.client);
	house_stop(trial.house);
	disk_fill(trial.disk);
	house_start(trial.house);
	trial_connect(&trial);
	light_is_ruled(&trial, "59", "61");
	expect_others(&trial);
	trial_controls(&trial);
	assert_int_equal(house_count_log(trial.house, "damaged", NULL), 0);

	disk_free(trial.disk);
	house_wait_log(trial.house, STATE_BACK);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	configure_light(&trial, "70");
	kill_and_restart(&trial);
	light_is_ruled(&trial, "69", "71");
	end_on_disk(&trial);
}

static void read_only_disk(void **state)
{
	struct trial trial = trial_on_disk();
	const char *line = "is on a read-only file system";

	(void)state;
	trial_begin(&trial);
	configure_light(&trial, "50");
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	client_free(trial.client);
	house_stop(trial.house);

	disk_read_only(trial.disk, true);
	house_start(trial.house);
	trial_connect(&trial);
	light_is_ruled(&trial, "49", "51");
	trial_controls(&trial);
	trial_expect_lines(&trial, line, "restart the broker", STATE_AWAY, 0);
	house_wait_log(trial.house, "The journal is full"); /* that is how readings are said to be lost */
	trial_expect_exactly_once(&trial);
	client_free(trial.client);
	house_stop(trial.house);

	disk_read_only(trial.disk, false);
	house_start(trial.house);
	trial_connect(&trial);
	trial_count(&trial, 100);
	light_is_ruled(&trial, "49", "51");
	trial_expect_exactly_once(&trial);
	assert_int_equal(house_count_log(trial.house, line, NULL), 0);
	end_on_disk(&trial);
}

static const char *state_file(const struct trial *trial)
{
	static char path[96];

	snprintf(path, sizeof(path), "%.60s/hearth/state.db", trial->house->folder);
	return path;
}

static void state_file_deleted(void **state)
{
	struct trial trial = trial_new();
	const char *line = "was deleted or replaced while in use";

	(void)state;
	trial_begin(&trial);
	configure_light(&trial, "50");
	rows_expect_in(state_file(&trial), "select count(*) from retained", "2\n");
	assert_int_equal(unlink(state_file(&trial)), 0);
	trial_controls(&trial);
	configure_light(&trial, "60");
	house_wait_log(trial.house, line);
	rows_expect_in(state_file(&trial), "select count(*) from retained", "2\n");
	trial_live_for(&trial, 500);
	trial_expect_lines(&trial, line, state_file(&trial), STATE_AWAY, 0);
	kill_and_restart(&trial);
	light_is_ruled(&trial, "59", "61");
	trial_controls(&trial);
	trial_expect_exactly_once(&trial);
	trial_end(&trial);
}

/* The journal still has the configs of these runs. */
static void state_file_damaged(void **state)
{
	struct trial trial = trial_new();
	const char *line = "The state file was damaged";
	FILE *file;

	(void)state;
	trial_begin(&trial);
	configure_light(&trial, "50");
	client_free(trial.client);
	house_stop(trial.house);
	file = fopen(state_file(&trial), "r+e");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("damage ", file);
	assert_int_equal(fclose(file), 0);
	house_start(trial.house);
	trial_connect(&trial);
	house_wait_log(trial.house, line);
	light_is_ruled(&trial, "49", "51");
	trial_controls(&trial);
	trial_expect_lines(&trial, line, state_file(&trial), STATE_AWAY, 0);
	kill_and_restart(&trial);
	assert_int_equal(house_count_log(trial.house, line, NULL), 0);
	light_is_ruled(&trial, "49", "51");
	trial_end(&trial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(full_disk, client_teardown),
		cmocka_unit_test_teardown(restart_on_a_full_disk, client_teardown),
		cmocka_unit_test_teardown(read_only_disk, client_teardown),
		cmocka_unit_test_teardown(state_file_deleted, client_teardown),
		cmocka_unit_test_teardown(state_file_damaged, client_teardown),
	};

	return cmocka_run_group_tests_name("outage_state", tests, NULL, NULL);
}
