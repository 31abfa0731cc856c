/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sensors_test: telegrams of both DHTs, and what the sensors say while the test owns time and pins.
 *
 * The pins are faked here: a DHT whose next answers are queued and that notes what is done to its line; a light and a flame
 * that are functions of the time.
 */
#include "sensors.h"

#include "inputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the pins ---- */

static struct {
	uint32_t now;

	bool answers; /* whether 40 bits come */
	uint8_t telegram[5];
	bool pulled;
	uint32_t pulls, answered; /* how often */
	uint32_t pulled_at, released_at, answered_at;

	uint16_t (*light)(uint32_t now);
	uint32_t conversions;
	bool flame;
} pins;

static void dht_says(uint8_t b0, uint8_t b1, uint8_t b2, uint8_t b3)
{
	pins.answers = true;
	memcpy(pins.telegram, (uint8_t[5]){b0, b1, b2, b3, (uint8_t)(b0 + b1 + b2 + b3)}, 5);
}

void inputs_dht_pull(void)
{
	assert_false(pins.pulled);
	pins.pulled = true;
	pins.pulls++;
	pins.pulled_at = pins.now;
}

void inputs_dht_release(void)
{
	assert_true(pins.pulled);
	pins.pulled = false;
	pins.released_at = pins.now;
}

const uint8_t *inputs_dht_answer(void)
{
	assert_false(pins.pulled);
	pins.answered++;
	pins.answered_at = pins.now;
	return pins.answers ? pins.telegram : NULL;
}

static uint16_t light_steady(uint32_t now)
{
	(void)now;
	return 700;
}

uint16_t inputs_light(void)
{
	pins.conversions++;
	return pins.light(pins.now);
}

bool inputs_flame(void)
{
	return pins.flame;
}

/* ---- time ---- */

static void start(enum dht_kind kind, uint32_t now)
{
	memset(&pins, 0, sizeof pins);
	pins.now = now;
	pins.light = light_steady;
	sensors_init(kind, now);
}

/* A pass every `step` milliseconds, from the next one on. */
static void pass(uint32_t milliseconds, uint32_t step)
{
	for (uint32_t past = 0; past < milliseconds; past += step) {
		pins.now += step;
		sensors_poll(pins.now);
	}
}

static void run(uint32_t milliseconds)
{
	pass(milliseconds, 1);
}

/* Moments to begin at: where 16 and 32 bits wrap, soon after and much later. */
static const uint32_t starts[] = {0, 1, 65000, UINT32_MAX - 500, UINT32_MAX - 5, 0x7FFFFF00};

/* ---- texts ---- */

struct memory_sink {
	struct sink sink;
	char text[32];
	uint8_t length;
};

static void memory_put(struct sink *sink, uint8_t byte)
{
	struct memory_sink *memory = (struct memory_sink *)sink;
	assert_true(memory->length < sizeof memory->text - 1);
	memory->text[memory->length++] = (char)byte;
}

static void names_are_those_of_the_topics(void **state)
{
	static const char *const names[SENSOR_COUNT] = {
		[SENSOR_TEMPERATURE] = "temperature",
		[SENSOR_HUMIDITY] = "humidity",
		[SENSOR_ILLUMINANCE] = "illuminance",
		[SENSOR_FIRE] = "fire",
	};
	(void)state;
	for (int sensor = 0; sensor < SENSOR_COUNT; sensor++)
		assert_string_equal(sensor_name((enum sensor)sensor), names[sensor]);
}

static void values_are_written_for_people(void **state)
{
	static const struct {
		enum sensor sensor;
		int16_t value;
		const char *text;
	} rows[] = {
		{SENSOR_TEMPERATURE, 235, "23.5"},
		{SENSOR_TEMPERATURE, -5, "-0.5"},
		{SENSOR_TEMPERATURE, -400, "-40"},
		{SENSOR_TEMPERATURE, 0, "0"},
		{SENSOR_TEMPERATURE, 1250, "125"},
		{SENSOR_HUMIDITY, 652, "65.2"},
		{SENSOR_HUMIDITY, 1000, "100"},
		{SENSOR_ILLUMINANCE, 1023, "1023"},
		{SENSOR_ILLUMINANCE, 0, "0"},
		{SENSOR_FIRE, 1, "1"},
		{SENSOR_FIRE, 0, "0"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_sink memory = {.sink.put = memory_put};
		sensor_write(&memory.sink, rows[i].sensor, rows[i].value);
		assert_string_equal(memory.text, rows[i].text);
	}
}

/* ---- telegrams ---- */

static void telegrams_are_decoded(void **state)
{
	static const struct {
		enum dht_kind kind;
		uint8_t bytes[4];
		bool good;
		int16_t temperature, humidity;
	} rows[] = {
		/* the example of the AM2302's data sheet: 65.2 %, 35.1 °C; and the one below zero, −10.1 °C */
		{DHT22, {0x02, 0x8C, 0x01, 0x5F}, true, 351, 652},
		{DHT22, {0x02, 0x8C, 0x80, 0x65}, true, -101, 652},
		{DHT22, {0x00, 0x00, 0x00, 0x00}, true, 0, 0},
		{DHT22, {0x00, 0x00, 0x80, 0x00}, true, 0, 0}, /* a zero with a sign */
		{DHT22, {0x03, 0xE8, 0x04, 0xE2}, true, 1250, 1000},
		{DHT22, {0x03, 0xE9, 0x04, 0xE2}, false, 0, 0}, /* 100.1 % */
		{DHT22, {0x03, 0xE8, 0x04, 0xE3}, false, 0, 0}, /* 125.1 °C */
		{DHT22, {0x00, 0x00, 0x81, 0x90}, true, -400, 0},
		{DHT22, {0x00, 0x00, 0x81, 0x91}, false, 0, 0}, /* −40.1 °C */
		{DHT22, {0x00, 0x00, 0x7F, 0xFF}, false, 0, 0},
		{DHT22, {0x00, 0x00, 0xFF, 0xFF}, false, 0, 0},
		{DHT22, {0xFF, 0xFF, 0x00, 0x00}, false, 0, 0},
		{DHT22, {0x80, 0x00, 0x00, 0x00}, false, 0, 0}, /* humidity has no sign */
		/* the example of the DHT11's data sheet: 53 %, 24.4 °C; and below zero */
		{DHT11, {0x35, 0x00, 0x18, 0x04}, true, 244, 530},
		{DHT11, {0x35, 0x07, 0x0A, 0x81}, true, -101, 537},
		{DHT11, {0x00, 0x00, 0x00, 0x80}, true, 0, 0},
		{DHT11, {100, 0, 125, 0}, true, 1250, 1000},
		{DHT11, {100, 1, 125, 0}, false, 0, 0},
		{DHT11, {100, 0, 125, 1}, false, 0, 0},
		{DHT11, {0, 0, 40, 0x80}, true, -400, 0},
		{DHT11, {0, 0, 40, 0x81}, false, 0, 0},
		{DHT11, {50, 10, 20, 0}, false, 0, 0}, /* ten tenths */
		{DHT11, {50, 0, 20, 10}, false, 0, 0},
		{DHT11, {50, 0, 20, 0xFF}, false, 0, 0},
		{DHT11, {0xFF, 0, 0xFF, 0}, false, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t bytes[5];
		memcpy(bytes, rows[i].bytes, 4);
		bytes[4] = (uint8_t)(bytes[0] + bytes[1] + bytes[2] + bytes[3]);
		int16_t temperature = 7777;
		int16_t humidity = 8888;
		if (sensor_dht_decode(bytes, rows[i].kind, &temperature, &humidity) != rows[i].good)
			fail_msg("row %zu", i);
		assert_int_equal(temperature, rows[i].good ? rows[i].temperature : 7777);
		assert_int_equal(humidity, rows[i].good ? rows[i].humidity : 8888);
	}
}

static void every_value_of_a_dht22_comes_back(void **state)
{
	(void)state;
	for (int16_t temperature = -400; temperature <= 1250; temperature++) {
		int16_t humidity = (int16_t)((temperature + 400) % 1001);
		uint16_t raw = (uint16_t)(temperature < 0 ? 0x8000 | -temperature : temperature);
		dht_says((uint8_t)(humidity >> 8), (uint8_t)humidity, (uint8_t)(raw >> 8), (uint8_t)raw);
		int16_t got_temperature, got_humidity;
		assert_true(sensor_dht_decode(pins.telegram, DHT22, &got_temperature, &got_humidity));
		assert_int_equal(got_temperature, temperature);
		assert_int_equal(got_humidity, humidity);
	}
}

static void a_flipped_bit_is_seen(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 40; bit++) {
		uint8_t bytes[5] = {0x02, 0x8C, 0x01, 0x5F, 0xEE};
		int16_t temperature, humidity;
		assert_true(sensor_dht_decode(bytes, DHT22, &temperature, &humidity));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(sensor_dht_decode(bytes, DHT22, &temperature, &humidity));
	}
}

/* ---- the DHT's cycle ---- */

static void expect_sample(enum sensor sensor, int16_t value, bool fresh, bool failed)
{
	struct sensor_sample sample = sensor_take(sensor);
	assert_int_equal(sample.value, value);
	assert_int_equal(sample.fresh, fresh);
	assert_int_equal(sample.failed, failed);
}

static void expect_climate(int16_t temperature, int16_t humidity, bool fresh, bool failed)
{
	expect_sample(SENSOR_TEMPERATURE, temperature, fresh, failed);
	expect_sample(SENSOR_HUMIDITY, humidity, fresh, failed);
}

static void the_dht_is_asked_as_it_wants_to_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		start(DHT22, starts[i]);
		dht_says(0x02, 0x8C, 0x01, 0x5F);
		run(999);
		assert_int_equal(pins.pulls, 0);
		run(1);
		assert_int_equal(pins.pulls, 1);
		for (uint32_t cycle = 1; cycle <= 40; cycle++) {
			run(100);
			assert_int_equal(pins.answered, cycle);
			assert_in_range(pins.released_at - pins.pulled_at, 20, 25);
			assert_in_range(pins.answered_at - pins.released_at, 10, 15);
			expect_climate(351, 652, true, false);
			expect_climate(351, 652, false, false);
			uint32_t pulled_at = pins.pulled_at;
			run(1900);
			assert_int_equal(pins.pulls, cycle + 1);
			assert_int_equal(pins.pulled_at - pulled_at, 2000);
		}
	}
}

/* A pass may be long: the steps are longer then, never shorter, also when their count wraps. */
static void slow_passes_only_stretch_the_cycle(void **state)
{
	(void)state;
	for (uint32_t step = 2; step <= 1500; step += step < 300 ? 1 : 7) {
		if (step % 256 == 0)
			continue; /* would be none at all */
		start(DHT22, 0);
		dht_says(0x02, 0x8C, 0x01, 0x5F);
		uint32_t pulled_at = 0;
		for (uint32_t pulls = 0; pins.answered < 4;) {
			pass(step, step);
			if (pins.pulls == pulls)
				continue;
			pulls = pins.pulls;
			assert_true(pulls == 1 || pins.pulled_at - pulled_at >= 2000);
			assert_true(pulls == 1 || pins.released_at - pulled_at >= 20);
			assert_true(pulls == 1 || pins.answered_at - pins.released_at >= 10);
			pulled_at = pins.pulled_at;
		}
		expect_climate(351, 652, true, false);
	}
}

static void three_failures_in_a_row_are_a_failure(void **state)
{
	(void)state;
	start(DHT22, 0);
	expect_climate(0, 0, false, false);
	dht_says(0x02, 0x8C, 0x80, 0x65);
	run(1100);
	expect_climate(-101, 652, true, false);

	pins.answers = false;
	run(2000);
	expect_climate(-101, 652, false, false);
	pins.answers = true;
	pins.telegram[0] ^= 1; /* the checksum is wrong */
	run(2000);
	expect_climate(-101, 652, false, false);
	dht_says(0x02, 0x8C, 0x00, 0x01);
	run(2000);
	expect_climate(1, 652, true, false);

	dht_says(0xFF, 0x8C, 0x00, 0x01); /* out of range */
	run(4000);
	expect_climate(1, 652, false, false);
	run(2000);
	expect_climate(1, 652, false, true);
	run(600000); /* long enough for a count of failures to wrap */
	expect_climate(1, 652, false, true);
	dht_says(0x00, 0x64, 0x00, 0xC8);
	run(2000);
	expect_climate(200, 100, true, false);

	pins.answers = false;
	run(4000);
	expect_climate(200, 100, false, false);
	run(2000);
	expect_climate(200, 100, false, true);
}

static void a_dht_that_was_never_there_fails(void **state)
{
	(void)state;
	start(DHT11, 0);
	run(5031);
	expect_climate(0, 0, false, false);
	run(2);
	expect_climate(0, 0, false, true);
}

static void the_kind_that_is_set_is_the_one_decoded(void **state)
{
	(void)state;
	start(DHT11, 0);
	dht_says(53, 0, 24, 4);
	run(1100);
	expect_climate(244, 530, true, false);
}

/* ---- light ---- */

/* Lamps on 50 or 60 Hz flicker with twice that. A saw, and its period is no whole number of milliseconds. */
static uint16_t light_flickers_100(uint32_t now)
{
	return (uint16_t)(100 + now * 100 % 1000);
}

static uint16_t light_flickers_120(uint32_t now)
{
	return (uint16_t)(100 + now * 120 % 1000);
}

static uint16_t light_between(uint32_t now)
{
	return (uint16_t)(700 + now % 2);
}

static uint16_t light_full(uint32_t now)
{
	(void)now;
	return 1023;
}

static void light_is_new_ten_times_a_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		start(DHT22, starts[i]);
		expect_sample(SENSOR_ILLUMINANCE, 0, false, false);
		run(99);
		expect_sample(SENSOR_ILLUMINANCE, 0, false, false);
		for (int second = 0; second < 70; second++) {
			for (int tenth = 0; tenth < 10; tenth++) {
				run(1);
				expect_sample(SENSOR_ILLUMINANCE, 700, true, false);
				run(99);
				expect_sample(SENSOR_ILLUMINANCE, 700, false, false);
			}
		}
	}
}

static void light_is_the_mean_of_its_tenth_of_a_second(void **state)
{
	(void)state;
	start(DHT22, 0);
	pins.light = light_full;
	run(100);
	expect_sample(SENSOR_ILLUMINANCE, 1023, true, false);
	/* nothing of the time before stays */
	pins.light = light_steady;
	run(100);
	expect_sample(SENSOR_ILLUMINANCE, 700, true, false);
	pins.light = light_between;
	run(100);
	expect_sample(SENSOR_ILLUMINANCE, 700, true, false); /* 700.5 */
	pins.light = light_flickers_100;
	for (int i = 0; i < 20; i++) {
		run(100);
		expect_sample(SENSOR_ILLUMINANCE, 550, true, false);
	}
	pins.light = light_flickers_120;
	for (int i = 0; i < 20; i++) {
		run(100);
		expect_sample(SENSOR_ILLUMINANCE, 580, true, false);
	}
}

static void light_is_converted_once_a_millisecond_however_fast_the_passes_are(void **state)
{
	(void)state;
	start(DHT22, 0);
	for (int i = 0; i < 100; i++) {
		run(1);
		for (int again = 0; again < 20; again++)
			sensors_poll(pins.now);
	}
	assert_int_equal(pins.conversions, 50); /* the first half */
	expect_sample(SENSOR_ILLUMINANCE, 700, true, false);
	/* and no worse when they are slow */
	pass(1000, 15);
	expect_sample(SENSOR_ILLUMINANCE, 700, true, false);
	pass(3000, 500);
	expect_sample(SENSOR_ILLUMINANCE, 700, true, false);
}

/* ---- fire ---- */

static void a_fire_counts_after_20_ms(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		start(DHT22, starts[i]);
		run(50000); /* the sensors count with 16 bits */
		sensor_take(SENSOR_FIRE);
		run(1);
		expect_sample(SENSOR_FIRE, 0, true, false);
		pins.flame = true;
		run(20); /* the first pass sees it begin */
		assert_int_equal(sensor_take(SENSOR_FIRE).value, 0);
		run(1);
		expect_sample(SENSOR_FIRE, 1, true, false);
		run(70000);
		expect_sample(SENSOR_FIRE, 1, true, false);
		run(50000);
		sensor_take(SENSOR_FIRE);
		run(1);
		expect_sample(SENSOR_FIRE, 1, true, false);
		pins.flame = false;
		run(20);
		assert_int_equal(sensor_take(SENSOR_FIRE).value, 1);
		run(1);
		expect_sample(SENSOR_FIRE, 0, true, false);
	}
}

static void a_spark_is_no_fire(void **state)
{
	(void)state;
	start(DHT22, 0);
	run(50);
	for (int i = 0; i < 50; i++) {
		pins.flame = true;
		run(20);
		pins.flame = false;
		run(1);
		expect_sample(SENSOR_FIRE, 0, i == 0, false); /* unsteady since: nothing measured */
	}
	/* nor does a gap end one */
	pins.flame = true;
	run(21);
	for (int i = 0; i < 50; i++) {
		pins.flame = false;
		run(20);
		pins.flame = true;
		run(1);
		assert_int_equal(sensor_take(SENSOR_FIRE).value, 1);
	}
}

static void a_fire_at_the_start_counts_after_20_ms(void **state)
{
	(void)state;
	start(DHT22, UINT32_MAX);
	pins.flame = true;
	expect_sample(SENSOR_FIRE, 0, false, false);
	run(20);
	expect_sample(SENSOR_FIRE, 0, false, false);
	run(1);
	expect_sample(SENSOR_FIRE, 1, true, false);
}

static void no_fire_at_the_start_is_known_after_20_ms(void **state)
{
	(void)state;
	start(DHT22, 0);
	run(19);
	expect_sample(SENSOR_FIRE, 0, false, false);
	run(1);
	expect_sample(SENSOR_FIRE, 0, true, false);
}

/* Many passes within a millisecond are no proof, nor are two passes far from each other. */
static void a_fire_counts_by_time_not_by_passes(void **state)
{
	(void)state;
	start(DHT22, 0);
	run(50);
	pins.flame = true;
	run(1);
	for (int i = 0; i < 1000; i++)
		sensors_poll(pins.now);
	assert_int_equal(sensor_take(SENSOR_FIRE).value, 0);

	start(DHT22, 0);
	run(50);
	pins.flame = true;
	pass(100, 100);
	assert_int_equal(sensor_take(SENSOR_FIRE).value, 0);
	pass(15, 15);
	assert_int_equal(sensor_take(SENSOR_FIRE).value, 0);
	pass(15, 15);
	assert_int_equal(sensor_take(SENSOR_FIRE).value, 1);
}

static void a_new_start_forgets_everything(void **state)
{
	(void)state;
	start(DHT22, 0);
	dht_says(0x02, 0x8C, 0x01, 0x5F);
	pins.flame = true;
	run(1010); /* in the middle of a pull */
	start(DHT22, 500000);
	for (int sensor = 0; sensor < SENSOR_COUNT; sensor++)
		expect_sample((enum sensor)sensor, 0, false, false);
	dht_says(0x02, 0x8C, 0x01, 0x5F);
	run(1100);
	expect_climate(351, 652, true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_topics),
		cmocka_unit_test(values_are_written_for_people),
		cmocka_unit_test(telegrams_are_decoded),
		cmocka_unit_test(every_value_of_a_dht22_comes_back),
		cmocka_unit_test(a_flipped_bit_is_seen),
		cmocka_unit_test(the_dht_is_asked_as_it_wants_to_be),
		cmocka_unit_test(slow_passes_only_stretch_the_cycle),
		cmocka_unit_test(three_failures_in_a_row_are_a_failure),
		cmocka_unit_test(a_dht_that_was_never_there_fails),
		cmocka_unit_test(the_kind_that_is_set_is_the_one_decoded),
		cmocka_unit_test(light_is_new_ten_times_a_second),
		cmocka_unit_test(light_is_the_mean_of_its_tenth_of_a_second),
		cmocka_unit_test(light_is_converted_once_a_millisecond_however_fast_the_passes_are),
		cmocka_unit_test(a_fire_counts_after_20_ms),
		cmocka_unit_test(a_spark_is_no_fire),
		cmocka_unit_test(a_fire_at_the_start_counts_after_20_ms),
		cmocka_unit_test(no_fire_at_the_start_is_known_after_20_ms),
		cmocka_unit_test(a_fire_counts_by_time_not_by_passes),
		cmocka_unit_test(a_new_start_forgets_everything),
	};
	return cmocka_run_group_tests_name("sensors", tests, NULL, NULL);
}
