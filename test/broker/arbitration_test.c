/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * What becomes of a rule's decision on its way to the actuator: when it is sent, how it is marked, in which order, who wins
 * where rules disagree, and where a chain of rules ends.
 */
#include "patience.h"
#include "scene.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void for_waits_its_time(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/fan1/motor/set");
	const char *heat = "livingroom/uno1/temperature/value", *motor = "livingroom/fan1/motor/set";
	const struct message *message;
	int64_t before;

	(void)state;
	configure(&s, "livingroom/uno1/temperature/config",
	          "{'rules':[{'name':'cool','when':{'above':28,'for':0.7},'then':[{'set':'livingroom/fan1/motor','to':1}],"
	          "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	leads_to(&s, heat, "20", motor, "0");
	/* Not held long enough: neither branch fires. */
	leads_to_nothing(&s, heat, "29", motor);
	leads_to_nothing(&s, heat, "20", motor);
	/* Held: it fires after 0.7 s, at the tick that follows (at most 0.1 s later), though no reading comes then. */
	before = now_ms();
	client_publish(s.device, heat, "29");
	message = client_expect(s.watcher, motor, "1", SOON);
	assert_in_range(message->arrived_ms - before, 690, deadline_in(1300) - now_ms());
	/* Becoming false takes no time. */
	leads_to(&s, heat, "20", motor, "0");
	scene_end(&s);
}

static void commands_say_what_caused_them(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/+/+/set");
	const struct message *message;

	(void)state;
	configure(&s, "livingroom/uno1/temperature/config",
	          "{'rules':[{'name':'a','when':{'above':28},'then':[{'set':'livingroom/fan1/motor','to':2.5}]},"
	          "{'name':'낮은','when':{'below':{'topic':'livingroom/uno2/temperature'}},"
	          "'then':[{'set':'livingroom/fan2/motor','to':'full'}]}]}");
	client_publish(s.device, "livingroom/uno1/temperature/value", "28.50");
	message = client_expect(s.watcher, "livingroom/fan1/motor/set", "2.5", SOON);
	assert_int_equal(message->qos, 1);
	assert_false(message->retain);
	assert_non_null(message_property(message, "hearth-rule"));
	assert_string_equal(message_property(message, "hearth-rule"), "a");
	assert_non_null(message_property(message, "hearth-cause"));
	assert_string_equal(message_property(message, "hearth-cause"), "livingroom/uno1/temperature/value=28.5");

	client_publish(s.device, "livingroom/uno2/temperature/value", "31");
	message = client_expect(s.watcher, "livingroom/fan2/motor/set", "full", SOON);
	assert_string_equal(message_property(message, "hearth-rule"), "낮은");
	assert_string_equal(message_property(message, "hearth-cause"), "livingroom/uno2/temperature/value=31");
	assert_null(retained_text(s.house, "livingroom/fan2/motor/set"));
	scene_end(&s);
}

/* A rule may follow another rule's command; two rules in a ring are cut, and the log says so once. */
static void ring_of_rules_is_cut(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "r/d/+/set");
	size_t turns;

	(void)state;
	/* a := not b, b := a */
	configure(&s, "r/d/a/config",
	          "{'rules':[{'name':'not','when':{'above':{'topic':'r/d/b/set'}},'then':[{'set':'r/d/a','to':1}],"
	          "'else':[{'set':'r/d/a','to':0}]}]}");
	configure(&s, "r/d/b/config",
	          "{'rules':[{'name':'copy','when':{'below':{'topic':'r/d/a/set'}},'then':[{'set':'r/d/b','to':1}],"
	          "'else':[{'set':'r/d/b','to':0}]}]}");
	client_publish(s.device, "r/d/a/value", "0.5");
	client_publish(s.device, "r/d/b/value", "0.5");
	client_publish(s.device, "r/d/b/set", "0");
	turns = client_drain(s.watcher, NULL);
	assert_in_range(turns, 3, 12);
	/* Over for good: nothing goes on turning behind the fence. */
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	assert_int_equal(house_count_log(s.house, "chain", "r/d/"), 1);
	client_publish(s.device, "r/d/b/set", "1");
	client_publish(s.device, "r/d/b/set", "0");
	assert_in_range(client_drain(s.watcher, NULL), 2, 24);
	assert_int_equal(house_count_log(s.house, "chain", "r/d/"), 1);
	scene_end(&s);
}

static void commands_keep_their_order(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "+/+/+/set");
	const struct message *message;

	(void)state;
	configure(
		&s, "livingroom/uno1/cds/config",
		"{'rules':[{'name':'x','when':{'at_most':50},'then':[{'set':'o/d/a','to':1},{'set':'o/d/b','to':1},"
		"{'set':'o/d/c','to':1}],'else':[{'set':'o/d/c','to':0},{'set':'o/d/b','to':0},{'set':'o/d/a','to':0}]}]}");
	for (int i = 0; i < 300; i++)
		assert_true(client_send(s.device, "livingroom/uno1/cds/value", i % 2 == 0 ? "10" : "90", 2, 1, false));
	assert_true(client_flush(s.device));
	for (int i = 0; i < 300; i++)
		for (int k = 0; k < 3; k++) {
			static const char *const topics[2][3] = {{"o/d/a/set", "o/d/b/set", "o/d/c/set"},
			                                         {"o/d/c/set", "o/d/b/set", "o/d/a/set"}};

			message = client_take_any(s.watcher, SOON);
			assert_non_null(message);
			assert_string_equal(message->topic, topics[i % 2][k]);
			assert_string_equal(message->payload, i % 2 == 0 ? "1" : "0");
		}
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	scene_end(&s);
}

static void priority_decides(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/fan1/#");
	const char *heat = "livingroom/uno1/temperature/value", *smoke = "livingroom/uno1/smoke/value";
	const char *motor = "livingroom/fan1/motor/set";

	(void)state;
	configure(
		&s, "livingroom/uno1/smoke/config",
		"{'rules':[{'name':'smoke','priority':10,'when':{'above':5},'then':[{'set':'livingroom/fan1/motor','to':9}],"
		"'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	configure(&s, "livingroom/uno1/temperature/config",
	          "{'rules':[{'name':'cool','when':{'above':28},'then':[{'set':'livingroom/fan1/motor','to':3}],"
	          "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	client_publish(s.device, smoke, "1");
	client_publish(s.device, heat, "20");
	client_drain(s.watcher, NULL);
	leads_to(&s, smoke, "6", motor, "9");
	leads_to_nothing(&s, heat, "30", motor);
	leads_to(&s, smoke, "1", motor, "3"); /* the lesser rule still wants it */
	leads_to(&s, smoke, "7", motor, "9");
	leads_to_nothing(&s, heat, "20", motor);
	leads_to(&s, smoke, "0", motor, "0");
	scene_end(&s);
}

static void the_latest_decides_among_equals(void **state)
{
	struct scene s = scene_begin(CLIENT_V3, "livingroom/fan1/#");
	const char *heat = "livingroom/uno1/temperature/value", *damp = "livingroom/uno1/humidity/value";
	const char *motor = "livingroom/fan1/motor/set";

	(void)state;
	configure(&s, "livingroom/uno1/humidity/config",
	          "{'rules':[{'name':'damp','when':{'above':70},'then':[{'set':'livingroom/fan1/motor','to':2}],"
	          "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	configure(&s, "livingroom/uno1/temperature/config",
	          "{'rules':[{'name':'hot','when':{'above':28},'then':[{'set':'livingroom/fan1/motor','to':3}],"
	          "'else':[{'set':'livingroom/fan1/motor','to':0}]}]}");
	client_publish(s.device, damp, "50");
	client_publish(s.device, heat, "20");
	client_drain(s.watcher, NULL);
	leads_to(&s, damp, "80", motor, "2");
	leads_to(&s, heat, "30", motor, "3");
	leads_to(&s, heat, "20", motor, "2"); /* what the other one still wants */
	leads_to(&s, heat, "30", motor, "3");
	leads_to_nothing(&s, damp, "50", motor);
	leads_to(&s, heat, "20", motor, "0");
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(for_waits_its_time, client_teardown),
		cmocka_unit_test_teardown(commands_say_what_caused_them, client_teardown),
		cmocka_unit_test_teardown(ring_of_rules_is_cut, client_teardown),
		cmocka_unit_test_teardown(commands_keep_their_order, client_teardown),
		cmocka_unit_test_teardown(priority_decides, client_teardown),
		cmocka_unit_test_teardown(the_latest_decides_among_equals, client_teardown),
	};

	return cmocka_run_group_tests_name("arbitration", tests, NULL, NULL);
}
