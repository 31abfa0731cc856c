/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device_test: which readings are told and when, what a fire does, and when the outputs become safe. Commands, states and the connection:
 * device_set_test.
 */
#include "device_fixture.h"

/* ---- readings ---- */

static void at_first_everything_is_told(void **state)
{
	(void)state;
	assert_string_equal(told(), "led/state 0 (retained)\nmotor/state 0 (retained)\nbuzzer/state 0 (retained)\n");
	start(state);
	measure(SENSOR_TEMPERATURE, -5);
	measure(SENSOR_HUMIDITY, 405);
	measure(SENSOR_ILLUMINANCE, 1023);
	assert_int_equal(outbox_kept(), 4);
	link_online();
	assert_string_equal(told(), VALUE("fire", 0, "0") "device/status online (retained)\nled/state 0 (retained)\n"
	                                                  "motor/state 0 (retained)\nbuzzer/state 0 (retained)\n" VALUE(
														  "temperature", 1, "-0.5") VALUE("humidity", 2, "40.5")
	                                                      VALUE("illuminance", 3, "1023"));
	assert_string_equal(told(), "");
	measure_again(); /* a fresh value of everything for the new session */
	assert_string_equal(told(), VALUE("fire", 4, "0") VALUE("temperature", 5, "-0.5") VALUE("humidity", 6, "40.5")
	                                VALUE("illuminance", 7, "1023"));
	measure_again();
	assert_string_equal(told(), "");
}

static void changes_are_told_at_once(void **state)
{
	(void)state;
	chosen.change[0] = 2;
	chosen.change[1] = 10;
	chosen.change[2] = 20;
	begin();
	for (int16_t sign = -1; sign <= 1; sign = (int16_t)(sign + 2)) {
		static const int16_t changes[] = {2, 10, 20};
		for (enum sensor sensor = SENSOR_TEMPERATURE; sensor < SENSOR_FIRE; sensor++) {
			int16_t from = samples[sensor].value;
			measure(sensor, (int16_t)(from + sign * (changes[sensor] - 1)));
			measure(sensor,
			        (int16_t)(from - sign * (changes[sensor] - 1))); /* far from the last, not from what was told */
			assert_int_equal(outbox_kept(), 0);
			measure(sensor, (int16_t)(from + sign * changes[sensor]));
			assert_int_equal(outbox_kept(), 1);
			told();
		}
	}
	measure(SENSOR_FIRE, 1);
	measure(SENSOR_FIRE, 0);
	assert_int_equal(outbox_kept(), 2);
	samples[SENSOR_TEMPERATURE].value = 999; /* not fresh: the old one */
	pass(0);
	assert_int_equal(outbox_kept(), 2);
}

/* With the same value all the time each sensor is told once a period. */
static void readings_are_told_every_period(void **state)
{
	static const uint16_t periods[] = {1, 30, 3600};

	for (size_t i = 0; i < COUNT(periods) * COUNT(moments) * 2; i++) {
		uint32_t period_ms = 1000u * periods[i / 2 % COUNT(periods)];
		bool online = i % 2 == 0; /* without a link the same, but for the changes */
		start_at(moments[i / 2 / COUNT(periods)]);
		chosen.period_s = periods[i / 2 % COUNT(periods)];
		begin();
		if (!online)
			link_offline();
		for (uint32_t told_ms = now, times = 0; times < 4; times++) {
			do {
				now += period_ms / 100;
				samples[SENSOR_TEMPERATURE].value = (int16_t)(times & 1 & (uint32_t)!online); /* small changes */
				measure_again();
				assert_true(now - told_ms <= period_ms);
			} while (outbox_kept() == 0);
			assert_true(now - told_ms >= period_ms * 9 / 10);
			assert_int_equal(outbox_kept(), SENSOR_COUNT);
			told_ms = now;
			told();
		}
	}
	(void)state;
}

static void without_a_link_only_the_period_counts_and_a_fire(void **state)
{
	(void)state;
	chosen.period_s = 30;
	begin();
	link_offline();
	for (int16_t i = 0; i < 28; i++) {
		measure(SENSOR_TEMPERATURE, (int16_t)(i * 10));
		measure(SENSOR_ILLUMINANCE, (int16_t)(i * 30));
		pass(1000);
	}
	assert_int_equal(outbox_kept(), 0);
	measure(SENSOR_FIRE, 1);
	measure(SENSOR_FIRE, 0);
	assert_int_equal(outbox_kept(), 2);
	now += 2000;
	measure_again();
	assert_int_equal(outbox_kept(), 2 + 3);
}

static void a_silent_sensor_is_told_once_and_its_first_value_at_once(void **state)
{
	static const char errors[] =
		"temperature/error {\"subject\":\"value\",\"code\":\"no_answer\",\"wanted\":\"a DHT on D7\"} (QoS 0)\n"
		"humidity/error {\"subject\":\"value\",\"code\":\"no_answer\",\"wanted\":\"a DHT on D7\"} (QoS 0)\n";

	(void)state;
	begin();
	for (int i = 0; i < 2; i++) {
		fail_dht();
		assert_string_equal(told(), errors);
		fail_dht();
		run(2000);
		assert_string_equal(told(), "");
		samples[SENSOR_TEMPERATURE].failed = samples[SENSOR_HUMIDITY].failed = false;
		measure_again();
		assert_int_equal(outbox_kept(), 2);
		told();
	}
}

/* ---- fire ---- */

static void a_fire_sounds_the_buzzer_and_goes_first(void **state)
{
	(void)state;
	measure(SENSOR_FIRE, 1); /* no link yet */
	pass(10);
	assert_true(pins.tone_hz > 0);
	link_online();
	command("led", "nonsense");
	const char *first = VALUE("fire", 0, "1") "device/status online (retained)\nled/error ";
	assert_memory_equal(told(), first, strlen(first));
	begin();
	measure(SENSOR_TEMPERATURE, 300);
	measure(SENSOR_FIRE, 0);
	first = "fire/value ";
	assert_memory_equal(told(), first, strlen(first));
}

static void the_alarm_stops_a_minute_after_the_flame(void **state)
{
	for (size_t i = 0; i < COUNT(moments); i++) {
		start_at(moments[i]);
		begin();
		measure(SENSOR_FIRE, 1);
		run(300000);
		measure(SENSOR_FIRE, 0);
		run(40000);
		measure(SENSOR_FIRE, 1); /* again: the minute begins anew */
		measure(SENSOR_FIRE, 0);
		run(1000u * DEVICE_ALARM_AFTER_S - 1500);
		assert_true(pins.tone_hz > 0);
		told();
		run(2000);
		assert_int_equal(pins.tone_hz, 0);
		assert_string_equal(told(), "buzzer/state 0 (retained)\n");
		measure(SENSOR_FIRE, 1);
		pass(10);
		assert_true(pins.tone_hz > 0);
		assert_non_null(strstr(told(), "buzzer/state alarm (retained)\n"));
	}
	(void)state;
}

static void whoever_commands_the_buzzer_has_it(void **state)
{
	static const struct {
		const char *payload;
		int tone_hz;
	} cases[] = {{"off", 0}, {"1", 2000}, {"700", 700}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		start(state);
		begin();
		measure(SENSOR_FIRE, 1);
		command("buzzer", cases[i].payload);
		run(10000); /* it still burns */
		assert_int_equal(pins.tone_hz, cases[i].tone_hz);
		measure(SENSOR_FIRE, 0);
		run(1000u * DEVICE_ALARM_AFTER_S + 5000);
		assert_int_equal(pins.tone_hz, cases[i].tone_hz);
	}
}

/* ---- the safe state ---- */

static void outputs_become_safe_without_a_link(void **state)
{
	static const uint16_t seconds[] = {1, 5, 300, 0};

	for (size_t i = 0; i < COUNT(seconds) * COUNT(moments) * 2; i++) {
		uint32_t after_ms = 1000u * seconds[i % COUNT(seconds)];
		bool was_online = i % 2;
		start_at(moments[i / 2 / COUNT(seconds)]);
		chosen.safe_after_s = seconds[i % COUNT(seconds)];
		memcpy(chosen.safe, (int16_t[5]){SETTINGS_KEEP, 0, 100, SETTINGS_KEEP, 0}, sizeof chosen.safe);
		if (was_online) {
			run(after_ms > 2000 ? after_ms - 2000 : 0); /* that was another time */
			begin();
		}
		run(3000 * (uint32_t)was_online); /* with a link nothing is counted */
		command("led", "9");
		command("motor", "8");
		told();
		link_offline();
		run(after_ms > 0 ? after_ms - 950 : 400000);
		assert_int_equal(pins.motor, 8);
		run(1950);
		assert_int_equal(pins.led, 9);
		assert_int_equal(pins.motor, after_ms > 0 ? 0 : 8);
		assert_int_equal(pins.moves, after_ms > 0 ? 1 : 0);
		command("motor", "7"); /* once, not again and again */
		run(2 * after_ms);
		assert_int_equal(pins.motor, 7);
	}
	(void)state;
}

static void safe_after_0_seconds_is_never(void **state)
{
	(void)state;
	chosen.safe_after_s = 0;
	chosen.safe[ACTUATOR_LED] = 1;
	for (uint32_t s = 0; s < UINT16_MAX + 10; s++)
		pass(1000);
	assert_int_equal(pins.led, 0);
}

static void an_alarm_of_our_own_goes_on_in_the_safe_state(void **state)
{
	(void)state;
	chosen.safe_after_s = 5;
	chosen.safe[ACTUATOR_BUZZER] = 0;
	measure(SENSOR_FIRE, 1);
	run(10000);
	assert_true(pins.tone_hz > 0);
	start(state);
	chosen.safe_after_s = 5;
	chosen.safe[ACTUATOR_BUZZER] = 0;
	command("buzzer", "on");
	run(10000);
	assert_int_equal(pins.tone_hz, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(at_first_everything_is_told, start),
		cmocka_unit_test_setup(changes_are_told_at_once, start),
		cmocka_unit_test(readings_are_told_every_period),
		cmocka_unit_test_setup(without_a_link_only_the_period_counts_and_a_fire, start),
		cmocka_unit_test_setup(a_silent_sensor_is_told_once_and_its_first_value_at_once, start),
		cmocka_unit_test_setup(a_fire_sounds_the_buzzer_and_goes_first, start),
		cmocka_unit_test(the_alarm_stops_a_minute_after_the_flame),
		cmocka_unit_test(whoever_commands_the_buzzer_has_it),
		cmocka_unit_test(outputs_become_safe_without_a_link),
		cmocka_unit_test_setup(safe_after_0_seconds_is_never, start),
		cmocka_unit_test_setup(an_alarm_of_our_own_goes_on_in_the_safe_state, start),
	};
	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
