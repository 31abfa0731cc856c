/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device_set_test: what a `set` does and what is answered, how states are told, and what a lost connection does to messages.
 */
#include "device_fixture.h"

#include <cjson/cJSON.h>

/* ---- commands ---- */

static void commands_are_obeyed_and_told(void **state)
{
	static const struct {
		const char *actuator, *payload, *state;
		const int *pin;
		int is;
	} cases[] = {
		{"led", "128", "128", &pins.led, 128},
		{"led", " on\n", "1", &pins.led, 255},
		{"motor", "-255", "-255", &pins.motor, -255},
		{"window", "open", "open", &pins.servo_us[OUTPUT_WINDOW], 2000},
		{"door", "50", "50", &pins.servo_us[OUTPUT_DOOR], 1500},
		{"buzzer", "alarm", "alarm", &pins.led, 255},
		{"buzzer", "000000000000000000000700", "700", &pins.tone_hz, 700}, /* as long as may be */
	};
	char wanted[64];

	(void)state;
	begin();
	for (size_t i = 0; i < COUNT(cases); i++) {
		command(cases[i].actuator, cases[i].payload);
		pass(10);
		assert_int_equal(*cases[i].pin, cases[i].is);
		snprintf(wanted, sizeof wanted, "%s/state %s (retained)\n", cases[i].actuator, cases[i].state);
		assert_string_equal(told(), wanted);
	}
	run(1200);
	assert_int_equal(pins.servo_us[OUTPUT_DOOR], 0);
}

static void what_is_not_understood_changes_nothing_and_is_answered(void **state)
{
	/* Longer by 256 than what would be good: no length may be cut to 8 bits. */
	static char long_topic[274], long_payload[260], longest_payload[2049];
	static const struct {
		const char *topic, *payload;
		bool retained;
		enum actuator actuator; /* that is not understood; ACTUATOR_COUNT: there is none of that name */
	} cases[] = {
		{OWN "led/set", "256", false, ACTUATOR_LED},
		{OWN "led/set", "", false, ACTUATOR_LED},
		{OWN "led/set", "7", true, ACTUATOR_LED},
		{OWN "motor/set", "fast", false, ACTUATOR_MOTOR},
		{OWN "window/set", "101", false, ACTUATOR_WINDOW},
		{OWN "led/set", long_payload, false, ACTUATOR_LED},
		{OWN "door/set", longest_payload, false, ACTUATOR_DOOR},
		{OWN "buzzer/set", "0000000000000000000000700", false, ACTUATOR_BUZZER}, /* 25 bytes */
		{OWN "lamp/set", "1", false, ACTUATOR_COUNT},
		{OWN "le/set", "1", false, ACTUATOR_COUNT},
		{OWN "/set", "1", true, ACTUATOR_COUNT},
		{"hall/set", "1", false, ACTUATOR_COUNT},
		{long_topic, "1", false, ACTUATOR_COUNT},
	};
	char wanted[160];

	(void)state;
	memset(long_payload, '1', sizeof long_payload - 1);
	memset(longest_payload, '1', sizeof longest_payload - 1);
	snprintf(long_topic, sizeof long_topic, OWN "led/set%0256d", 0);
	begin();
	command("led", "128");
	told();
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned led_sets = pins.led_sets;
		receive_message(cases[i].topic, cases[i].payload, cases[i].retained);
		assert_int_equal(pins.led_sets, led_sets);
		assert_int_equal(pins.motor + pins.servo_us[0] + pins.servo_us[1] + pins.tone_hz, 0);
		bool known = cases[i].actuator != ACTUATOR_COUNT;
		snprintf(wanted, sizeof wanted,
		         "%s/error {\"subject\":\"set\",\"code\":\"refused_set\",\"wanted\":\"%s\"} (QoS 0)\n",
		         known ? actuator_name(cases[i].actuator) : "device",
		         known ? actuator_wanted(cases[i].actuator) : "led, motor, window, door or buzzer");
		const char *said = told();
		assert_string_equal(said, wanted);
		cJSON *json = cJSON_Parse(strchr(said, ' '));
		assert_non_null(json);
		cJSON_Delete(json);
	}
}

/* ---- states, and the connection ---- */

static void a_state_that_changes_while_it_is_told_is_told_again(void **state)
{
	struct page page = {.sink = {page_put}};
	uint16_t packet_id, other_id;

	(void)state;
	begin();
	command("led", "10");
	assert_true(tell(&page, &packet_id));
	command("led", "20");
	command("led", "30");
	assert_false(tell(&page, &other_id)); /* one of an actuator at a time */
	command("motor", "5");
	assert_true(tell(&page, &other_id));
	assert_int_not_equal(other_id, packet_id);
	link_acknowledged(packet_id);
	assert_true(tell(&page, &packet_id));
	assert_string_equal(page.text, "led/state 10 (retained)\nmotor/state 5 (retained)\nled/state 30 (retained)\n");
	link_acknowledged(packet_id);
	link_offline(); /* motor's was not acknowledged */
	link_online();
	assert_string_equal(told(), "device/status online (retained)\nmotor/state 5 (retained)\n");
	link_offline();
	command("led", "40");
	link_online();
	assert_string_equal(told(), "device/status online (retained)\nled/state 40 (retained)\n");
}

static void readings_under_way_go_out_again_after_a_lost_connection(void **state)
{
	struct page page = {.sink = {page_put}};
	uint16_t ids[3];

	(void)state;
	begin();
	measure(SENSOR_FIRE, 1);
	measure(SENSOR_HUMIDITY, 500);
	for (int i = 0; i < 3; i++)
		assert_true(tell(&page, &ids[i]));
	assert_false(tell(&page, &ids[0]));
	assert_true(ids[0] > 1 && ids[1] > 1 && ids[2] > 1 && ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
	link_offline();
	pass(5000);
	link_online();
	assert_string_equal(
		told(), "fire/value {\"boot\":7,\"seq\":8,\"age\":5000,\"value\":1}\ndevice/status online (retained)\n"
				"buzzer/state alarm (retained)\nhumidity/value {\"boot\":7,\"seq\":9,\"age\":5000,\"value\":50}\n");
	assert_int_equal(outbox_kept(), 0);
}

static void the_oldest_gives_way_to_what_comes_behind_a_message_that_is_out(void **state)
{
	struct page page = {.sink = {page_put}};
	uint16_t packet_id;

	(void)state;
	begin();
	measure(SENSOR_HUMIDITY, 500);
	assert_true(tell(&page, &packet_id));
	for (int i = 0; i < 40; i++) {
		measure(SENSOR_FIRE, 1);
		measure(SENSOR_FIRE, 0);
	}
	link_offline();
	link_online();
	assert_non_null(strstr(told(), "\"seq\":88,\"value\":0}]}"));
}

static void disturb(void)
{
	measure(SENSOR_ILLUMINANCE, (int16_t)(samples[SENSOR_ILLUMINANCE].value < 512 ? 1000 : 0));
	measure(SENSOR_FIRE, samples[SENSOR_FIRE].value == 0 ? 1 : 0);
	command("led", samples[SENSOR_FIRE].value ? "77" : "78");
	command("window", "far");
	command("lamp", "1");
	fail_dht();
	now += 777;
}

static void a_message_is_the_same_whatever_happens_while_it_is_sent(void **state)
{
	struct page page = {.sink = {page_put}};
	uint16_t packet_id;

	(void)state;
	begin();
	for (int i = 0; i < 300; i++) {
		between = disturb;
		for (int n = 0; n < i % 7 + 2 && tell(&page, &packet_id); n++)
			page.length = 0;
		if (i % 5 == 0)
			link_offline();
		if (i % 5 == 2)
			link_online();
		between = NULL;
		if (i % 40 == 0)
			told();
	}
	assert_true(outbox_lost() > 0); /* it was full as well */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(commands_are_obeyed_and_told, start),
		cmocka_unit_test_setup(what_is_not_understood_changes_nothing_and_is_answered, start),
		cmocka_unit_test_setup(a_state_that_changes_while_it_is_told_is_told_again, start),
		cmocka_unit_test_setup(readings_under_way_go_out_again_after_a_lost_connection, start),
		cmocka_unit_test_setup(the_oldest_gives_way_to_what_comes_behind_a_message_that_is_out, start),
		cmocka_unit_test_setup(a_message_is_the_same_whatever_happens_while_it_is_sent, start),
	};
	return cmocka_run_group_tests_name("device_set", tests, NULL, NULL);
}
