/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * own: switches, helpers and gauges: what is published, kept for a restart, stored, and told to the rules.
 */
#include "own.h"

#include "fake_broker.h"
#include "journal_text.h"
#include "parts.h"
#include "record.h"

#define A "hall/s1/a"

static int make(void **state)
{
	static struct parts parts;
	parts_make(&parts, 100);
	*state = &parts;
	return 0;
}

static int dispose(void **state)
{
	parts_remove(*state);
	return 0;
}

static void set(struct parts *parts, const char *name, const char *payload, int64_t at_ms)
{
	char text[TOPIC_MAX];
	struct topic topic;
	snprintf(text, sizeof text, "%s/set", name);
	assert_true(topic_parse(slice_of(text), &topic));
	own_set(&parts->own, &topic, slice_of(payload), 0, instant_at(at_ms));
	delivery_run(parts->delivery, instant_at(at_ms));
}

static void restore(struct parts *parts, const char *name, const char *payload)
{
	struct topic topic;
	assert_true(topic_parse(slice_of(name), &topic));
	own_restore(&parts->own, slice_of(name), &topic, slice_of(payload), instant_at(0));
}

/* ---- switches and helpers ---- */

static void a_set_becomes_a_retained_state(void **state)
{
	static const struct {
		const char *name, *payload, *said;
	} rows[] = {
		{"hall/hearth/auto", "0", "hall/hearth/auto/state=0 (retained)"},
		{"hall/hearth/auto", " on\n", "hall/hearth/auto/state=1 (retained)"},
		{"all/hearth/auto", "false", "all/hearth/auto/state=0 (retained)"},
		{"hall/hearth/auto", "2", "hall/hearth/auto/error=not_a_switch"},
		{"yard/hearth/auto", "away", "yard/hearth/auto/error=not_a_switch"},
		{"roof/hearth/auto", "", "roof/hearth/auto/error=not_a_switch"},
		{"hall/hearth/setpoint", " 21.50 ", "hall/hearth/setpoint/state=21.5 (retained)"},
		{"all/hearth/mode", "away", "all/hearth/mode/state=away (retained)"},
		{"거실/hearth/모드", "외출", "거실/hearth/모드/state=외출 (retained)"},
		{"all/hearth/mode", "on", "all/hearth/mode/state=on (retained)"},
		{"all/hearth/mode", " ", "all/hearth/mode/error=empty"},
	};
	struct parts *parts = *state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		set(parts, rows[i].name, rows[i].payload, (int64_t)i);
		const char *said = fake_broker_said();
		if (strcmp(said, rows[i].said) != 0)
			fail_msg("%s \"%s\": said %s, wanted %s", rows[i].name, rows[i].payload, said, rows[i].said);
	}
	assert_int_equal(fake_publish_at(0)->qos, 1);
	assert_true(action_auto(parts->feed.action, slice_of("hall")));
	assert_false(action_auto(parts->feed.action, slice_of("all")));
	assert_true(action_auto(parts->feed.action, slice_of("yard")));
	assert_string_equal(journal_retained(parts->journal.journal),
	                    "hall/hearth/auto/state=0; hall/hearth/auto/state=1; all/hearth/auto/state=0; "
	                    "hall/hearth/setpoint/state=21.5; all/hearth/mode/state=away; 거실/hearth/모드/state=외출; "
	                    "all/hearth/mode/state=on");
	assert_string_equal(journal_readings(parts->journal.journal, "all/hearth/mode/state"), "away@7 on@9");
	assert_string_equal(journal_readings(parts->journal.journal, "hall/hearth/auto/state"), "0@0 1@1");
}

static void a_helper_moves_the_rules_that_refer_to_it(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A,
	            "{'rules':[{'name':'heat','when':{'below':{'topic':'hall/hearth/setpoint/state'}},"
	            "'then':[{'set':'hall/heater/relay','to':1}],'else':[{'set':'hall/heater/relay','to':0}]}]}");
	parts_feed(parts, A "/value", "20", 0);
	assert_string_equal(fake_broker_said(), "");
	set(parts, "hall/hearth/setpoint", "21", 1);
	assert_string_equal(fake_broker_said(), "hall/hearth/setpoint/state=21 (retained); hall/heater/relay/set=1");
	set(parts, "hall/hearth/setpoint", "20.5", 2);
	assert_string_equal(fake_broker_said(), "hall/hearth/setpoint/state=20.5 (retained)");
	set(parts, "hall/hearth/setpoint", "20", 3);
	assert_string_equal(fake_broker_said(), "hall/hearth/setpoint/state=20 (retained); hall/heater/relay/set=0");
}

static void a_switch_opens_what_was_withheld(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A, "{'rules':[{'name':'r','when':{'equals':1},'then':[{'set':'hall/lamp/led','to':1}]}]}");
	set(parts, "hall/hearth/auto", "0", 0);
	parts_feed(parts, A "/value", "1", 1);
	assert_string_equal(fake_broker_said(), "hall/hearth/auto/state=0 (retained)");
	set(parts, "hall/hearth/auto", "1", 2);
	assert_string_equal(fake_broker_said(), "hall/hearth/auto/state=1 (retained); hall/lamp/led/set=1");
	set(parts, "hall/hearth/auto", "1", 3);
	assert_string_equal(fake_broker_said(), "hall/hearth/auto/state=1 (retained)");
}

static void hops_are_passed_on(void **state)
{
	struct parts *parts = *state;
	struct topic topic;
	parts_rules(parts, A,
	            "{'rules':[{'name':'r','when':{'equals':{'topic':'hall/hearth/mode/state'}},"
	            "'then':[{'set':'hall/lamp/led','to':1}],'else':[{'set':'hall/lamp/led','to':0}]}]}");
	parts_feed(parts, A "/value", "1", 0);
	assert_true(topic_parse(slice_of("hall/hearth/mode/set"), &topic));
	own_set(&parts->own, &topic, slice_of("1"), ACTION_HOPS_MAX - 1, instant_at(1));
	own_set(&parts->own, &topic, slice_of("0"), ACTION_HOPS_MAX, instant_at(2));
	delivery_run(parts->delivery, instant_at(2));
	assert_int_equal(action_commands(parts->feed.action), 1);
	assert_int_equal(fake_lines_with("was cut"), 1);
}

static void without_room_in_the_journal_it_holds_until_a_restart(void **state)
{
	struct parts *parts = *state;
	static char big[4096];
	memset(big, 'x', sizeof big);
	struct slice topic = slice_of("a/b/c/config");
	for (size_t len = sizeof big; len > 0; len /= 2) {
		while (feed_retain(&parts->feed, topic, (struct slice){big, len}, slice_of(""), instant_at(0)))
			;
	}
	set(parts, "hall/hearth/auto", "0", 1);
	const char *said = fake_broker_said();
	assert_non_null(strstr(said, "hall/hearth/auto/error=journal_full"));
	assert_non_null(strstr(said, "hall/hearth/auto/state=0 (retained)"));
	assert_false(action_auto(parts->feed.action, slice_of("hall")));
}

/* ---- after a restart ---- */

static void a_restored_state_is_known_and_moves_nothing(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A,
	            "{'rules':[{'name':'r','when':{'above':{'topic':'hall/hearth/setpoint/state'}},"
	            "'then':[{'set':'hall/lamp/led','to':1}],'else':[{'set':'hall/lamp/led','to':0}]}]}");
	struct series *sensor = parts_series(parts, A "/value");
	struct value value = value_of_number(25);
	assert_true(series_set_latest(sensor, &value, START_US, START_MS));

	restore(parts, "hall/hearth/setpoint/state", "21");
	restore(parts, "hall/hearth/auto/state", "0");
	restore(parts, "yard/hearth/auto/state", "1");
	restore(parts, "all/hearth/mode/state", ""); /* a tombstone */
	delivery_run(parts->delivery, instant_at(0));
	assert_string_equal(fake_broker_said(), "hall/hearth/setpoint/state=21 (retained); "
	                                        "hall/hearth/auto/state=0 (retained); "
	                                        "yard/hearth/auto/state=1 (retained); all/hearth/mode/state= (retained)");
	assert_false(action_auto(parts->feed.action, slice_of("hall")));
	assert_true(action_auto(parts->feed.action, slice_of("yard")));
	assert_true(action_auto(parts->feed.action, slice_of("all")));
	assert_string_equal(journal_text(parts->journal.journal), ""); /* it was all stored before */

	restore(parts, "hall/hearth/auto/state", "1");
	fake_broker_said();
	parts_feed(parts, A "/value", "20", 1);
	assert_string_equal(fake_broker_said(), "hall/lamp/led/set=0");
	parts_feed(parts, A "/value", "22", 2);
	assert_string_equal(fake_broker_said(), "hall/lamp/led/set=1");
}

/* ---- gauges ---- */

static void gauges_are_published_stored_and_ruled(void **state)
{
	struct parts *parts = *state;
	struct host_sample sample = {
		.known = {[HOST_CPU] = true, [HOST_MEMORY] = true, [HOST_CLIENTS] = true},
		.value = {[HOST_CPU] = 93.4, [HOST_MEMORY] = 41, [HOST_DISK] = 77, [HOST_CLIENTS] = 3},
	};
	parts_rules(parts, "node1/hearth/cpu",
	            "{'rules':[{'name':'busy','when':{'above':90},'then':[{'set':'hall/lamp/led','to':1}]}]}");
	own_gauges(&parts->own, &sample, 12.5, 4096, instant_at(10));
	delivery_run(parts->delivery, instant_at(10));
	assert_string_equal(fake_broker_said(), "node1/hearth/cpu/value=93.4; node1/hearth/memory/value=41; "
	                                        "node1/hearth/clients/value=3; node1/hearth/messages/value=12.5; "
	                                        "node1/hearth/queue/value=4096; hall/lamp/led/set=1");
	assert_int_equal(fake_publish_at(0)->qos, 0);
	assert_false(fake_publish_at(0)->retain);
	sample.known[HOST_DISK] = sample.known[HOST_TEMPERATURE] = true;
	sample.value[HOST_TEMPERATURE] = -3.5;
	own_gauges(&parts->own, &sample, 0, 0, instant_at(20));
	assert_string_equal(journal_readings(parts->journal.journal, "node1/hearth/cpu/value"), "93.4@10 93.4@20");
	assert_string_equal(journal_readings(parts->journal.journal, "node1/hearth/disk/value"), "77@20");
	assert_string_equal(journal_readings(parts->journal.journal, "node1/hearth/temperature/value"), "-3.5@20");
	assert_string_equal(journal_readings(parts->journal.journal, "node1/hearth/queue/value"), "4096@10 0@20");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_set_becomes_a_retained_state),
		TEST(a_helper_moves_the_rules_that_refer_to_it),
		TEST(a_switch_opens_what_was_withheld),
		TEST(hops_are_passed_on),
		TEST(without_room_in_the_journal_it_holds_until_a_restart),
		TEST(a_restored_state_is_known_and_moves_nothing),
		TEST(gauges_are_published_stored_and_ruled),
	};
	return cmocka_run_group_tests_name("own", tests, NULL, NULL);
}
