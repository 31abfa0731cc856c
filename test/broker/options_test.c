/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Plugin options with a real broker: a wrong one stops the start with one line that says which and what is wanted; a store
 * that can never work does too, one that is merely away does not; the machine's gauges arrive.
 */
#include "client.h"
#include "house.h"
#include "patience.h"
#include "quotes.h"
#include "rows.h"

#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define VALUE "livingroom/uno1/temperature/value"

/* The start was refused, and exactly one line of the log names the option and contains the second text. */
static void expect_refused(struct house *house, const char *option, const char *text)
{
	house_start_refused(house);
	if (house_count_log(house, option, NULL) != 1 || house_count_log(house, option, text) != 1)
		fail_msg("wanted one line with \"%s\" and \"%s\":\n%s", option, text, house_log(house));
}

static void wrong_options_stop_the_start(void **state)
{
	static const struct {
		const char *lines;
		const char *option;
		const char *text;
	} table[] = {
		{"plugin_opt_sync_ms fast", "plugin_opt_sync_ms", "wanted"},
		{"plugin_opt_sync_ms 5", "plugin_opt_sync_ms", "wanted"},
		{"plugin_opt_sync_ms 10001", "plugin_opt_sync_ms", "wanted"},
		{"plugin_opt_gauges_every -1", "plugin_opt_gauges_every", "wanted"},
		{"plugin_opt_gauges_every 10s", "plugin_opt_gauges_every", "wanted"},
		{"plugin_opt_journal_max 1", "plugin_opt_journal_max", "wanted"},
		{"plugin_opt_journal_max 1T", "plugin_opt_journal_max", "wanted"},
		{"plugin_opt_max_series 0", "plugin_opt_max_series", "wanted"},
		{"plugin_opt_state_dir hearth", "plugin_opt_state_dir", "wanted"},
		{"plugin_opt_node a/b", "plugin_opt_node", "wanted"},
		{"plugin_opt_node #", "plugin_opt_node", "wanted"},
		{"plugin_opt_store postgres://x", "plugin_opt_store", "sqlite:PATH"},
		{"plugin_opt_store history.db", "plugin_opt_store", "sqlite:PATH"},
		{"plugin_opt_ignore a/#/b", "plugin_opt_ignore", "wanted"},
		{"plugin_opt_stor sqlite:/tmp/x", "plugin_opt_stor", "plugin_opt_store"},
		{"plugin_opt_sync_ms 100\nplugin_opt_sync_ms 200", "plugin_opt_sync_ms", "twice"},
	};
	struct house *house = house_new();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		house_conf_clear(house);
		house_conf(house, "%s", table[i].lines);
		expect_refused(house, table[i].option, table[i].text);
	}
	/* None of that spoilt the folder. */
	house_conf_clear(house);
	house_conf(house, "plugin_opt_sync_ms 50\nplugin_opt_journal_max 8M\nplugin_opt_max_series 10");
	house_start(house);
	house_free(house);
}

static void per_listener_settings_are_refused(void **state)
{
	struct house *house = house_new();

	(void)state;
	house_conf(house, "per_listener_settings true");
	expect_refused(house, "per_listener_settings", "false");
	house_conf_clear(house);
	house_conf(house, "per_listener_settings false");
	house_start(house);
	house_free(house);
}

static void other_topics_can_be_ignored(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_conf(house, "plugin_opt_ignore frigate/# +/guest/#\nplugin_opt_ignore garage/car/+/value");
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish(client, "frigate/a/b/value", "1");
	client_publish(client, "livingroom/guest/a/value", "1");
	client_publish(client, "garage/car/speed/value", "1");
	client_publish_retained(client, "frigate/a/b/config", "not ours");
	client_publish(client, "garage/car/speed/state", "2");
	client_publish(client, "homeassistant/a/b/value", "3"); /* the default list is replaced */
	rows_expect(house, "select location,value from readings order by time", "garage|2.0\nhomeassistant|3.0\n");
	client_free(client);
	house_free(house);
}

/* ---- the store ---- */

static void store_that_is_a_directory_stops_the_start(void **state)
{
	struct house *house = house_new();

	(void)state;
	house_conf(house, "plugin_opt_store sqlite:%s", house->folder);
	expect_refused(house, "plugin_opt_store", house->folder);
	house_free(house);
}

/* It may be a history whose first page a bad card lost: that keeps no house from starting. */
static void store_that_is_no_database_is_waited_for(void **state)
{
	struct house *house = house_new();
	struct client *client;
	char path[96];
	FILE *out;

	(void)state;
	snprintf(path, sizeof(path), "%s/letter.db", house->folder);
	out = fopen(path, "we");
	assert_non_null(out);
	for (int i = 0; i < 1000; i++)
		fputs("Dear house, this is not a database.\n", out);
	fclose(out);
	house_conf(house, "plugin_opt_store sqlite:%s", path);
	house_start(house);
	house_wait_log(house, "move it away");
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish(client, VALUE, "21");
	assert_int_equal(unlink(path), 0);
	rows_expect_in(path, "select value from readings", "21.0\n");
	assert_int_equal(house_count_log(house, "move it away", path), 1);
	client_free(client);
	house_free(house);
}

/* A copy of the plugin in the house's folder: the real one may be where only its owner may look. */
static void copy_plugin(const char *to)
{
	struct stat file;
	int in = open(house_plugin(), O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	assert_true(in >= 0 && out >= 0);
	assert_int_equal(fstat(in, &file), 0);
	assert_int_equal(sendfile(out, in, NULL, (size_t)file.st_size), file.st_size);
	close(in);
	close(out);
}

/* Root may write anywhere, so a broker that root starts becomes nobody for this. */
static void store_without_permission_stops_the_start(void **state)
{
	struct house *house = house_new();
	const struct passwd *nobody = getpwnam("nobody");
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/private", house->folder);
	assert_int_equal(mkdir(path, geteuid() == 0 ? 0700 : 0500), 0);
	house_conf(house, "plugin_opt_store sqlite:%s/history.db", path);
	if (geteuid() == 0) {
		assert_non_null(nobody);
		snprintf(path, sizeof(path), "%s/hearth", house->folder);
		assert_int_equal(chmod(house->folder, 0755), 0);
		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(chown(path, nobody->pw_uid, nobody->pw_gid), 0);
		snprintf(path, sizeof(path), "%s/plugin.so", house->folder);
		copy_plugin(path);
		house_conf(house, "user nobody\nplugin %s", path);
	}
	expect_refused(house, "plugin_opt_store", "private/history.db");
	house_free(house);
}

/* A disk that is not mounted yet: readings wait in the journal, rules work, and all is stored once it is there. */
static void store_that_is_away_is_retried(void **state)
{
	struct house *house = house_new();
	struct client *client;
	char folder[80], database[96];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/usb", house->folder);
	snprintf(database, sizeof(database), "%s/history.db", folder);
	house_conf(house, "plugin_opt_store sqlite:%s", database);
	house_start(house);
	house_wait_log(house, database);
	client = client_connect(house, CLIENT_V3, NULL);
	client_subscribe(client, "livingroom/fan1/motor/set");
	client_publish_retained(client, "livingroom/uno1/temperature/config",
	                        json("{'rules':[{'name':'cool','when':{'above':28},"
	                             "'then':[{'set':'livingroom/fan1/motor','to':1}]}]}"));
	client_publish(client, VALUE, "30");
	client_expect(client, "livingroom/fan1/motor/set", "1", SOON);
	/* A stop and a start meanwhile change nothing. */
	client_free(client);
	house_restart(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish(client, VALUE, "31");
	assert_int_equal(mkdir(folder, 0700), 0);
	rows_expect_in(database, "select sensor,min(value),max(value) from readings group by 1 order by 1",
	               "motor|1.0|1.0\ntemperature|30.0|31.0\n");
	rows_expect_in(database, "select count(*) from readings where sensor='temperature'", "2\n");
	client_free(client);
	house_free(house);
}

static void store_may_be_elsewhere(void **state)
{
	struct house *house = house_new();
	struct client *client;
	char database[96];

	(void)state;
	snprintf(database, sizeof(database), "%s/my history's.db", house->folder);
	house_conf(house, "plugin_opt_store sqlite:%s", database);
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish(client, VALUE, "21");
	rows_expect_in(database, "select value from readings", "21.0\n");
	assert_int_not_equal(access(house->history, F_OK), 0);
	client_free(client);
	house_free(house);
}

/* ---- gauges, limits ---- */

static void gauges_arrive_and_are_stored(void **state)
{
	static const char *const gauges[] = {"cpu", "memory", "disk", "clients", "messages", "queue"};
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_conf(house, "plugin_opt_gauges_every 1");
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_subscribe(client, "testnode/hearth/+/value");
	client_subscribe(client, "testnode/led1/led/set");
	/* A gauge can have thresholds like any other series. */
	client_publish_retained(client, "testnode/hearth/memory/config",
	                        json("{'rules':[{'name':'watch','when':{'above':0},"
	                             "'then':[{'set':'testnode/led1/led','to':1}]}]}"));
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		const struct message *message;
		char topic[64], *end;
		double value;

		snprintf(topic, sizeof(topic), "testnode/hearth/%s/value", gauges[i]);
		message = client_take(client, topic, SOON);
		if (message == NULL) {
			fail_msg("nothing on %s", topic);
			return;
		}
		assert_false(message->retain);
		value = strtod(message->payload, &end);
		assert_true(end != message->payload && *end == '\0');
		assert_true(value >= 0);
		if (i < 3)
			assert_true(value <= 100);
	}
	client_expect(client, "testnode/led1/led/set", "1", SOON);
	/* This client is connected. */
	rows_expect(house, "select count(*)>0 from readings where sensor='clients' and value>=1", "1\n");
	rows_expect(house,
	            "select count(distinct sensor) from readings where location='testnode' and device='hearth' and "
	            "subject='value' and sensor in ('cpu','memory','disk','clients','messages','queue')",
	            "6\n");
	client_free(client);
	house_free(house);
}

static void no_gauges_unless_wanted(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_subscribe(client, "testnode/#");
	client_publish(client, VALUE, "1");
	rows_expect(house, "select location from readings", "livingroom\n");
	assert_int_equal(client_drain(client, NULL), 0);
	client_free(client);
	house_free(house);
}

/* More series than allowed: the broker goes on, and the log says so once. */
static void too_many_series(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_conf(house, "plugin_opt_max_series 10");
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	for (int i = 0; i < 50; i++) {
		char topic[64];

		snprintf(topic, sizeof(topic), "lab/uno%d/temperature/value", i);
		client_publish(client, topic, "1");
	}
	client_publish(client, "lab/uno0/temperature/value", "2");
	rows_expect(house, "select count(distinct device), max(value) from readings", "10|2.0\n");
	house_wait_log(house, "max_series"); /* the next tick writes it */
	assert_int_equal(house_count_log(house, "max_series", NULL), 1);
	client_free(client);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(wrong_options_stop_the_start, client_teardown),
		cmocka_unit_test_teardown(per_listener_settings_are_refused, client_teardown),
		cmocka_unit_test_teardown(other_topics_can_be_ignored, client_teardown),
		cmocka_unit_test_teardown(store_that_is_a_directory_stops_the_start, client_teardown),
		cmocka_unit_test_teardown(store_that_is_no_database_is_waited_for, client_teardown),
		cmocka_unit_test_teardown(store_without_permission_stops_the_start, client_teardown),
		cmocka_unit_test_teardown(store_that_is_away_is_retried, client_teardown),
		cmocka_unit_test_teardown(store_may_be_elsewhere, client_teardown),
		cmocka_unit_test_teardown(gauges_arrive_and_are_stored, client_teardown),
		cmocka_unit_test_teardown(no_gauges_unless_wanted, client_teardown),
		cmocka_unit_test_teardown(too_many_series, client_teardown),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
