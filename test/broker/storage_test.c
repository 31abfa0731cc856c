/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Storage over real MQTT: every subject, with the time that is right for it, once, also through reloads and restarts.
 */
#include "client.h"
#include "complaint.h"
#include "house.h"
#include "patience.h"
#include "quotes.h"
#include "rows.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define VALUE "livingroom/uno1/temperature/value"

static void each_subject_is_stored(void **state)
{
	struct house *house = house_new();
	struct client *client;
	char from[40], to[40], sql[256];

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	iso_time(wall_us(), from);
	client_publish(client, VALUE, "21.5");
	client_publish(client, VALUE, " -0.25e1 ");
	client_publish(client, "livingroom/uno1/door/value", "open");
	client_publish(client, "livingroom/fan1/motor/set", "1");
	client_publish(client, "livingroom/win1/window/set", "half");
	client_publish_retained(client, "livingroom/fan1/motor/state", "on");
	client_publish_retained(client, "livingroom/win1/window/state", "반쯤 열림");
	iso_time(wall_us(), to);
	rows_expect(house, "select location,device,sensor,subject,value,text from readings order by time",
	            "livingroom|uno1|temperature|value|21.5|\n"
	            "livingroom|uno1|temperature|value|-2.5|\n"
	            "livingroom|uno1|door|value|1.0|open\n"
	            "livingroom|fan1|motor|set|1.0|\n"
	            "livingroom|win1|window|set||half\n"
	            "livingroom|fan1|motor|state|1.0|on\n"
	            "livingroom|win1|window|state||반쯤 열림\n");
	/* Microseconds, UTC, and between what this clock said before and after. */
	snprintf(sql, sizeof(sql),
	         "select count(*) from readings where time between '%s' and '%s'"
	         " and time like '____-__-__T__:__:__.______Z'",
	         from, to);
	rows_expect(house, sql, "7\n");
	rows_expect(house, "select count(distinct time)>1 from readings where time not glob '*000Z'", "1\n");
	client_free(client);
	house_free(house);
}

static void commands_of_rules_are_stored_and_refused_values_are_not(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_subscribe(client, "livingroom/uno1/temperature/error");
	client_publish_retained(client, "livingroom/uno1/temperature/config",
	                        json("{'min':-40,'max':85,'rules':[{'name':'cool','when':{'above':28},"
	                             "'then':[{'set':'livingroom/win1/window','to':'open'}],"
	                             "'else':[{'set':'livingroom/win1/window','to':'closed'}]}]}"));
	client_publish(client, VALUE, "20");
	client_publish(client, VALUE, "86");
	free(expect_complaint(client, "livingroom/uno1/temperature", "value", "out_of_range"));
	client_publish(client, VALUE, "warm");
	client_publish(client, VALUE, "30");
	rows_expect(house, "select sensor,subject,value,text from readings order by time",
	            "temperature|value|20.0|\nwindow|set|0.0|closed\ntemperature|value|30.0|\nwindow|set|1.0|open\n");
	client_free(client);
	house_free(house);
}

static void deadband_thins_what_is_stored(void **state)
{
	struct house *house = house_new();
	struct client *client;
	static const char *const values[] = {"20", "20.25", "20.4", "20.5", "20.75", "19.9", "20", "20.4"};

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish_retained(client, "livingroom/uno1/temperature/config",
	                        json("{'store':{'deadband':0.5,'at_least_every':3600}}"));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		client_publish(client, VALUE, values[i]);
	client_publish(client, "livingroom/uno1/end/value", "1");
	rows_expect(house, "select sensor,value from readings order by time",
	            "temperature|20.0\ntemperature|20.5\ntemperature|19.9\ntemperature|20.4\nend|1.0\n");
	client_free(client);
	house_free(house);
}

/* ---- reload and restart ---- */

/* SIGHUP, and waits until the broker has done it. */
static void reload(struct house *house)
{
	int64_t deadline = deadline_in(SOON);
	size_t before = house_count_log(house, "Reloading config", NULL);

	house_signal(house, SIGHUP);
	while (house_count_log(house, "Reloading config", NULL) == before) {
		assert_true(now_ms() < deadline);
		look_again();
	}
}

static void reload_keeps_series_and_rules(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_subscribe(client, "livingroom/fan1/motor/set");
	client_publish_retained(client, "livingroom/uno1/temperature/config",
	                        json("{'rules':[{'name':'cool','when':{'above':28},"
	                             "'then':[{'set':'livingroom/fan1/motor','to':1}]}]}"));
	client_publish(client, VALUE, "20");
	for (int i = 0; i < 3; i++) {
		char humidity[16];

		snprintf(humidity, sizeof(humidity), "%d", 50 + i);
		client_publish(client, "livingroom/uno1/humidity/value", humidity);
		reload(house);
	}
	/* The rule and its latch are still there: false until now, true from here on. */
	client_publish(client, VALUE, "30");
	client_expect(client, "livingroom/fan1/motor/set", "1", SOON);
	reload(house);
	client_publish(client, VALUE, "31");
	client_expect_none(client, "livingroom/fan1/motor/set");
	rows_expect(house, "select sensor,value from readings order by sensor desc,time",
	            "temperature|20.0\ntemperature|30.0\ntemperature|31.0\nmotor|1.0\n"
	            "humidity|50.0\nhumidity|51.0\nhumidity|52.0\n");
	client_free(client);
	house_free(house);
}

static void restart_continues(void **state)
{
	struct house *house = house_new();

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct client *client;
		char value[16];

		house_start(house);
		client = client_connect(house, CLIENT_V3, NULL);
		snprintf(value, sizeof(value), "%d", i);
		client_publish(client, VALUE, value);
		client_publish(client, "livingroom/uno1/humidity/value", value);
		client_free(client);
		if (i % 2 == 0)
			house_stop(house);
		else
			house_kill(house);
	}
	house_start(house);
	rows_expect(house, "select sensor,value from readings order by sensor,time",
	            "humidity|0.0\nhumidity|1.0\nhumidity|2.0\nhumidity|3.0\n"
	            "temperature|0.0\ntemperature|1.0\ntemperature|2.0\ntemperature|3.0\n");
	house_free(house);
}

/* What is stored is a private matter of the house. */
static void files_are_private(void **state)
{
	struct house *house = house_new();
	struct client *client;
	struct stat file;

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish(client, VALUE, "21");
	rows_expect(house, "select value from readings", "21.0\n");
	assert_int_equal(stat(house->history, &file), 0);
	assert_int_equal(file.st_mode & 07, 0);
	client_free(client);
	house_free(house);
}

/* ---- times that the device says ---- */

static void batch_is_stored_with_its_times_and_once(void **state)
{
	struct house *house = house_new();
	struct client *client;
	const char *batch = json("{'readings':[{'time':'2026-03-01T10:00:00.123Z','value':20.5},"
	                         "{'time':'2026-03-01T19:00:01+09:00','value':21},"
	                         "{'time':'2026-03-01T10:00:02.000004Z','value':21},"
	                         "{'time':'2026-03-01T10:00:02.000004Z','value':22}]}");
	const char *wanted = "2026-03-01T10:00:00.123000Z|20.5\n2026-03-01T10:00:01.000000Z|21.0\n"
						 "2026-03-01T10:00:02.000004Z|21.0\n2026-03-01T10:00:02.000004Z|22.0\n";

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_publish(client, VALUE, batch);
	client_publish(client, VALUE, batch);
	client_publish(client, "livingroom/uno1/end/value", "1");
	rows_expect(house, "select count(*) from readings where sensor='end'", "1\n");
	rows_expect(house, "select time,value from readings where sensor='temperature' order by time,value", wanted);
	client_free(client);
	house_free(house);
}

/* Without a clock: ages count back from the moment of receipt, and (boot, seq) tells a resend. */
static void batch_without_a_clock(void **state)
{
	struct house *house = house_new();
	struct client *client;
	char sql[512], from[40], to[40];
	int64_t before, after;

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	before = wall_us();
	client_publish(
		client, VALUE,
		json("{'boot':7,'readings':[{'seq':41,'age':12500,'value':23.5},{'seq':42,'age':2500,'value':23.5}]}"));
	after = wall_us();
	client_publish(client, VALUE,
	               json("{'boot':7,'readings':[{'seq':42,'age':3500,'value':23.5},{'seq':43,'age':0,'value':24}]}"));
	client_publish(client, VALUE, json("{'boot':8,'readings':[{'seq':41,'age':0,'value':25}]}"));
	rows_expect(house, "select value from readings order by time", "23.5\n23.5\n24.0\n25.0\n");
	iso_time(before - 12500000, from);
	iso_time(after - 12500000, to);
	snprintf(sql, sizeof(sql), "select min(time) between '%s' and '%s' from readings", from, to);
	rows_expect(house, sql, "1\n");
	client_free(client);
	house_free(house);
}

static void bare_value_sent_again_is_a_new_row(void **state)
{
	struct house *house = house_new();
	struct client *client;

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	for (int i = 0; i < 3; i++)
		client_publish(client, VALUE, "21.5");
	rows_expect(house, "select count(*) from readings", "3\n");
	client_free(client);
	house_free(house);
}

static void older_reading_is_stored_and_triggers_nothing(void **state)
{
	struct house *house = house_new();
	struct client *client;
	const char *motor = "livingroom/fan1/motor/set";

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_subscribe(client, motor);
	client_publish_retained(client, "livingroom/uno1/temperature/config",
	                        json("{'rules':[{'name':'cool','when':{'above':28},"
	                             "'then':[{'set':'livingroom/fan1/motor','to':1}],"
	                             "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}"));
	client_publish(client, VALUE, "30");
	client_expect(client, motor, "1", SOON);
	client_publish(client, VALUE, json("{'value':10,'time':'2026-01-01T00:00:00Z'}"));
	client_expect_none(client, motor);
	client_publish(client, VALUE, "29");
	client_expect_none(client, motor);
	client_publish(client, VALUE, "28");
	client_expect(client, motor, "0", SOON);
	rows_expect(house, "select value from readings where subject='value' order by time", "10.0\n30.0\n29.0\n28.0\n");
	client_free(client);
	house_free(house);
}

/* A device clock may be up to 5 minutes ahead; beyond that the broker's own time is taken, and an error says so. */
static void device_clock_ahead(void **state)
{
	struct house *house = house_new();
	struct client *client;
	char text[128], time[40], from[40], to[40], sql[256];

	(void)state;
	house_start(house);
	client = client_connect(house, CLIENT_V3, NULL);
	client_subscribe(client, "+/+/+/error");
	iso_time(wall_us() + INT64_C(290000000), time);
	snprintf(text, sizeof(text), "{'value':20,'time':'%s'}", time);
	client_publish(client, "livingroom/uno1/humidity/value", json(text));
	client_expect_none(client, "livingroom/uno1/humidity/error");
	snprintf(sql, sizeof(sql), "%s|20.0\n", time);
	rows_expect(house, "select time,value from readings where sensor='humidity'", sql);

	iso_time(wall_us(), from);
	iso_time(wall_us() + INT64_C(310000000), time);
	snprintf(text, sizeof(text), "{'value':21,'time':'%s'}", time);
	client_publish(client, VALUE, json(text));
	free(expect_complaint(client, "livingroom/uno1/temperature", "value", "ahead"));
	iso_time(wall_us(), to);
	snprintf(sql, sizeof(sql), "select value from readings where sensor='temperature' and time between '%s' and '%s'",
	         from, to);
	rows_expect(house, sql, "21.0\n");
	client_free(client);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_subject_is_stored, client_teardown),
		cmocka_unit_test_teardown(commands_of_rules_are_stored_and_refused_values_are_not, client_teardown),
		cmocka_unit_test_teardown(deadband_thins_what_is_stored, client_teardown),
		cmocka_unit_test_teardown(reload_keeps_series_and_rules, client_teardown),
		cmocka_unit_test_teardown(restart_continues, client_teardown),
		cmocka_unit_test_teardown(files_are_private, client_teardown),
		cmocka_unit_test_teardown(batch_is_stored_with_its_times_and_once, client_teardown),
		cmocka_unit_test_teardown(batch_without_a_clock, client_teardown),
		cmocka_unit_test_teardown(bare_value_sent_again_is_a_new_row, client_teardown),
		cmocka_unit_test_teardown(older_reading_is_stored_and_triggers_nothing, client_teardown),
		cmocka_unit_test_teardown(device_clock_ahead, client_teardown),
	};

	return cmocka_run_group_tests_name("storage", tests, NULL, NULL);
}
