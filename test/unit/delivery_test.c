/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * delivery: how commands leave, that they come back in as messages one hop further, and that no chain goes on for ever.
 */
#include "delivery.h"

#include "fake_broker.h"
#include "journal_text.h"
#include "parts.h"

#define A "hall/s1/a"
#define B "hall/s2/b"
#define C "hall/s3/c"

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

/* A rule that copies a 1 or 0 of one topic to another, or turns it round. Its own sensor must show 1. */
#define COPY(name, from, to)   RULE_OF(name, "equals", from, to, "")
#define INVERT(name, from, to) RULE_OF(name, "not_equals", from, to, "")
#define RULE_OF(name, op, from, to, more)                                                                              \
	"{'rules':[{'name':'" name "'," more "'when':{'" op "':{'topic':'" from "'}},'then':[{'set':'" to "','to':1}],"    \
	"'else':[{'set':'" to "','to':0}]}]}"

/* ---- how a command leaves ---- */

static void check_property(const struct fake_publish *one, size_t n, const char *name, const char *value)
{
	assert_string_equal(one->names[n], name);
	assert_string_equal(one->values[n], value);
}

static void a_command_says_why_and_is_never_retained(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A,
	            "{'rules':[{'name':'cool it','when':{'above':28},'then':[{'set':'거실/fan1/motor','to':'open'},"
	            "{'set':'거실/led1/led','to':12.5}]}]}");
	parts_feed(parts, A "/value", "28.25", 0);
	assert_int_equal(fake_publishes(), 2);
	static const char *const topics[] = {"거실/fan1/motor/set", "거실/led1/led/set"};
	static const char *const payloads[] = {"open", "12.5"};
	for (size_t i = 0; i < 2; i++) {
		const struct fake_publish *one = fake_publish_at(i);
		assert_string_equal(one->topic, topics[i]);
		assert_string_equal(one->payload, payloads[i]);
		assert_int_equal(one->qos, 1);
		assert_false(one->retain);
		assert_int_equal(one->property_count, 2);
		check_property(one, 0, "hearth-rule", "cool it");
		check_property(one, 1, "hearth-cause", A "/value=28.25");
	}
}

static void the_switch_is_a_cause_too(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A, "{'rules':[{'name':'r','when':{'above':28},'then':[{'set':'hall/fan/motor','to':1}]}]}");
	action_set_auto(parts->feed.action, slice_of("hall"), false, 0);
	parts_feed(parts, A "/value", "29", 0);
	assert_int_equal(fake_publishes(), 0);
	action_set_auto(parts->feed.action, slice_of("hall"), true, 0);
	delivery_run(parts->delivery, instant_at(1));
	check_property(fake_publish_at(0), 1, "hearth-cause", "the automation switch");
}

static void nothing_leaves_before_it_is_run_and_nothing_twice(void **state)
{
	struct parts *parts = *state;
	struct value value = value_of_number(29);
	parts_rules(parts, A, "{'rules':[{'name':'r','when':{'above':28},'then':[{'set':'hall/fan/motor','to':1}]}]}");
	feed_value(&parts->feed, parts_series(parts, A "/value"), &value, START_US, FEED_ALL, 0, instant_at(0));
	assert_string_equal(fake_broker_said(), "");
	delivery_run(parts->delivery, instant_at(0));
	assert_string_equal(fake_broker_said(), "hall/fan/motor/set=1");
	delivery_run(parts->delivery, instant_at(1));
	assert_string_equal(fake_broker_said(), "");
}

/* ---- how it comes back in ---- */

static void a_command_is_stored_and_moves_rules_that_read_it(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A, "{'rules':[{'name':'r','when':{'above':28},'then':[{'set':'hall/fan/motor','to':'on'}]}]}");
	parts_rules(parts, B, COPY("follow", "hall/fan/motor/set", "hall/lamp/led"));
	parts_feed(parts, B "/value", "1", 0);
	parts_feed(parts, A "/value", "29", 10);
	assert_string_equal(fake_broker_said(), "hall/fan/motor/set=on; hall/lamp/led/set=1");
	check_property(fake_publish_at(1), 1, "hearth-cause", "hall/fan/motor/set=on");
	assert_string_equal(journal_readings(parts->journal.journal, "hall/fan/motor/set"), "on@10");
	assert_string_equal(journal_readings(parts->journal.journal, "hall/lamp/led/set"), "1@10");
}

static void commands_leave_in_the_order_of_their_decisions(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A,
	            "{'rules':[{'name':'r','when':{'above':28},'then':[{'set':'hall/x/led','to':1},"
	            "{'set':'hall/y/led','to':1}]}]}");
	parts_rules(parts, B, COPY("after x", "hall/x/led/set", "hall/z/led"));
	parts_feed(parts, B "/value", "1", 0);
	parts_feed(parts, A "/value", "29", 0);
	assert_string_equal(fake_broker_said(), "hall/x/led/set=1; hall/y/led/set=1; hall/z/led/set=1");
}

static void a_command_on_the_own_device_changes_it(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A,
	            "{'rules':[{'name':'away','when':{'equals':1},'then':[{'set':'all/hearth/mode','to':'away'},"
	            "{'set':'yard/hearth/auto','to':'off'}]}]}");
	parts_feed(parts, A "/value", "1", 7);
	assert_string_equal(fake_broker_said(), "all/hearth/mode/set=away; all/hearth/mode/state=away (retained); "
	                                        "yard/hearth/auto/set=off; yard/hearth/auto/state=0 (retained)");
	assert_false(action_auto(parts->feed.action, slice_of("yard")));
	assert_string_equal(journal_retained(parts->journal.journal),
	                    "all/hearth/mode/state=away; yard/hearth/auto/state=0");
	assert_string_equal(journal_readings(parts->journal.journal, "all/hearth/mode/set"), "away@7");
	assert_string_equal(journal_readings(parts->journal.journal, "all/hearth/mode/state"), "away@7");
}

static void a_refused_publish_is_logged_and_the_rest_goes_on(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A,
	            "{'rules':[{'name':'r','when':{'above':28},'then':[{'set':'hall/x/led','to':1},"
	            "{'set':'hall/y/led','to':1}]}]}");
	fake_broker_refuse(true);
	parts_feed(parts, A "/value", "29", 0);
	assert_string_equal(fake_broker_said(), "hall/x/led/set=1; hall/y/led/set=1");
	assert_int_equal(fake_lines_with("could not be published"), 2);
	assert_int_equal(fake_lines_with("hall/x/led/set"), 1);
}

static void without_room_for_a_series_the_command_leaves_all_the_same(void **state)
{
	struct parts *parts = *state;
	char name[64];
	parts_rules(parts, A, "{'rules':[{'name':'r','when':{'above':28},'then':[{'set':'hall/x/led','to':1}]}]}");
	parts_series(parts, A "/value");
	for (int i = 1; i < 100; i++) {
		snprintf(name, sizeof name, "hall/f%d/x/value", i);
		parts_series(parts, name);
	}
	parts_feed(parts, A "/value", "29", 0);
	assert_string_equal(fake_broker_said(), "hall/x/led/set=1");
	assert_int_equal(parts->feed.counters.crowded, 1);
}

/* ---- chains ---- */

#define RING_LINE "a chain of more than 8 commands was cut"

static size_t commands(void)
{
	size_t count = 0;
	for (size_t i = 0; i < fake_publishes(); i++) {
		const char *topic = fake_publish_at(i)->topic;
		count += strcmp(topic + strlen(topic) - 4, "/set") == 0;
	}
	return count;
}

static void a_ring_of_two_is_cut_after_eight_commands(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A, COPY("x follows y", "hall/y/led/set", "hall/x/led"));
	parts_rules(parts, B, INVERT("y shuns x", "hall/x/led/set", "hall/y/led"));
	parts_feed(parts, A "/value", "1", 0);
	parts_feed(parts, B "/value", "1", 0);
	assert_int_equal(fake_publishes(), 0);
	parts_feed(parts, "hall/y/led/set", "1", 0); /* a person, who stays outside the count */
	assert_int_equal(commands(), ACTION_HOPS_MAX);
	assert_int_equal(action_commands(parts->feed.action), ACTION_HOPS_MAX);
	assert_int_equal(fake_lines_with(RING_LINE), 1);
	assert_int_equal(fake_lines_with("x follows y"), 1);
	for (int i = 1; i <= 20; i++) {
		parts_feed(parts, "hall/y/led/set", i % 2 ? "0" : "1", i);
		assert_in_range(commands(), 0, (size_t)(i + 1) * ACTION_HOPS_MAX);
	}
	assert_in_range(fake_lines_with(RING_LINE), 1, 2); /* once for each of the two rules */
}

static void a_ring_over_a_helper_is_cut(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A, INVERT("ring", "hall/hearth/mode/state", "hall/hearth/mode"));
	parts_feed(parts, A "/value", "1", 0);
	parts_feed(parts, "hall/hearth/mode/state", "0", 0);
	assert_int_equal(commands(), ACTION_HOPS_MAX);
	assert_int_equal(fake_lines_with(RING_LINE), 1);
}

/*
 * The lamp shuns the switch, and the switch follows the lamp: each time it opens, it makes up for the command that it
 * kept back, which must not begin a new chain.
 */
static void a_ring_over_the_automation_switch_is_cut(void **state)
{
	struct parts *parts = *state;
	parts_rules(parts, A, INVERT("lamp", "hall/hearth/auto/state", "hall/lamp/led"));
	parts_rules(parts, B, RULE_OF("switch", "equals", "hall/lamp/led/set", "hall/hearth/auto", "'auto':false,"));
	parts_feed(parts, A "/value", "1", 0);
	parts_feed(parts, B "/value", "1", 0);
	parts_feed(parts, "hall/hearth/auto/state", "1", 0);
	assert_in_range(commands(), 1, ACTION_HOPS_MAX);
	assert_in_range(fake_lines_with("was cut"), 0, 2);
}

static void a_chain_of_eight_is_whole(void **state)
{
	struct parts *parts = *state;
	for (int i = 0; i < ACTION_HOPS_MAX; i++) {
		char sensor[32], text[512];
		snprintf(sensor, sizeof sensor, "hall/s%d/link", i);
		snprintf(text, sizeof text, COPY("link", "hall/l%d/led/set", "hall/l%d/led"), i, i + 1, i + 1);
		parts_rules(parts, sensor, text);
		snprintf(text, sizeof text, "%s/value", sensor);
		parts_feed(parts, text, "1", 0);
	}
	parts_feed(parts, "hall/l0/led/set", "1", 0);
	assert_int_equal(commands(), ACTION_HOPS_MAX);
	assert_string_equal(fake_publish_at(ACTION_HOPS_MAX - 1)->topic, "hall/l8/led/set");
	assert_int_equal(fake_lines_with("was cut"), 0);
}

static void the_queue_has_an_end_and_says_so(void **state)
{
	struct parts *parts = *state;
	const struct action_callbacks *callbacks = delivery_callbacks(parts->delivery);
	char name[] = "r";
	struct rule rule = {.name = name};
	struct command command = {.topic = "hall/x/led/set", .value = value_of_number(1), .rule = &rule, .hop = 1};
	for (int i = 0; i < 65536 + 5; i++)
		callbacks->command(callbacks->context, &command);
	delivery_run(parts->delivery, instant_at(0));
	assert_int_equal(fake_publishes(), 65536);
	assert_int_equal(fake_lines_with("5 commands were not sent"), 1);
	callbacks->command(callbacks->context, &command); /* and there is room again */
	delivery_run(parts->delivery, instant_at(1));
	assert_int_equal(fake_publishes(), 65537);
	assert_int_equal(fake_lines_with("commands were not sent"), 1);
	delivery_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, dispose)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_says_why_and_is_never_retained),
		TEST(the_switch_is_a_cause_too),
		TEST(nothing_leaves_before_it_is_run_and_nothing_twice),
		TEST(a_command_is_stored_and_moves_rules_that_read_it),
		TEST(commands_leave_in_the_order_of_their_decisions),
		TEST(a_command_on_the_own_device_changes_it),
		TEST(a_refused_publish_is_logged_and_the_rest_goes_on),
		TEST(without_room_for_a_series_the_command_leaves_all_the_same),
		TEST(a_ring_of_two_is_cut_after_eight_commands),
		TEST(a_ring_over_a_helper_is_cut),
		TEST(a_ring_over_the_automation_switch_is_cut),
		TEST(a_chain_of_eight_is_whole),
		TEST(the_queue_has_an_end_and_says_so),
	};
	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
