/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * actuators_test: which commands are understood, what they do to the pins and when, and what is said about it.
 *
 * The pins are faked: each output keeps what it was set to last, and how often.
 */
#include "actuators.h"

#include "outputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define UNTOUCHED (-9999)

/* ---- the pins ---- */

static struct {
	int led, motor, servo[2], tone;
	unsigned led_sets, servo_sets[2], tone_sets;
} pins;

void outputs_led(uint8_t duty)
{
	pins.led = duty;
	pins.led_sets++;
}

void outputs_motor(uint8_t duty, bool reverse)
{
	pins.motor = reverse ? -duty : duty;
}

void outputs_servo(enum output_servo servo, uint16_t pulse_us)
{
	pins.servo[servo] = pulse_us;
	pins.servo_sets[servo]++;
}

void outputs_tone(uint16_t hz)
{
	pins.tone = hz;
	pins.tone_sets++;
}

/* ---- time and settings ---- */

static struct settings settings;
static uint32_t now;

static void run(uint32_t milliseconds)
{
	for (uint32_t i = 0; i < milliseconds; i++)
		actuators_poll(++now);
}

/* The module starts once: what a test before left is put away. */
static int start_at(uint32_t moment)
{
	now = moment - 2000;
	actuator_set(ACTUATOR_BUZZER, 0);
	run(2000);
	memset(&pins, 0, sizeof pins);
	pins.led = pins.motor = pins.servo[0] = pins.servo[1] = pins.tone = UNTOUCHED;
	memset(&settings, 0, sizeof settings);
	memcpy(settings.servo_us, (uint16_t[4]){1000, 2000, 2400, 600}, sizeof settings.servo_us);
	actuators_init(&settings);
	return 0;
}

static int start(void **state)
{
	(void)state;
	return start_at(0);
}

static void set(enum actuator actuator, int16_t level)
{
	actuator_set(actuator, level);
}

/* Moments to begin at: where 16 and 32 bits wrap. */
static const uint32_t starts[] = {0, 65000, UINT32_MAX - 500, 0x7FFFFF00};

/* ---- names ---- */

static const char *const names[ACTUATOR_COUNT] = {
	[ACTUATOR_LED] = "led",   [ACTUATOR_MOTOR] = "motor",   [ACTUATOR_WINDOW] = "window",
	[ACTUATOR_DOOR] = "door", [ACTUATOR_BUZZER] = "buzzer",
};

static void actuators_have_the_names_of_the_topics(void **state)
{
	(void)state;
	for (int i = 0; i < ACTUATOR_COUNT; i++) {
		uint8_t length = (uint8_t)strlen(names[i]);
		assert_string_equal(actuator_name((enum actuator)i), names[i]);
		assert_int_equal(actuator_find(names[i], length), i);
		assert_int_equal(actuator_find(names[i], (uint8_t)(length - 1)), ACTUATOR_COUNT);
		assert_int_equal(actuator_find(names[i], (uint8_t)(length + 1)), ACTUATOR_COUNT);
		assert_true(strlen(actuator_wanted((enum actuator)i)) > 0);
		assert_null(strpbrk(actuator_wanted((enum actuator)i), "\"\\\n")); /* it goes into JSON */
	}
	assert_string_equal(actuator_wanted(ACTUATOR_DOOR), "0 to 100");
	assert_string_equal(actuator_wanted(ACTUATOR_BUZZER), "500 to 5000, 0, 1 or alarm");
}

static void other_names_are_not_found(void **state)
{
	static const char *const others[] = {"",       "LED",        "Led", "leds",  "lamp",    "temperature",
	                                     "motor/", "windowdoor", "off", "alarm", "0 to 255"};
	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(actuator_find(others[i], (uint8_t)strlen(others[i])), ACTUATOR_COUNT);
	assert_int_equal(actuator_find("le\0", 3), ACTUATOR_COUNT);
	assert_int_equal(actuator_find("led\0", 4), ACTUATOR_COUNT);
	assert_int_equal(actuator_find("led\0motor", 9), ACTUATOR_COUNT);
}

/* ---- commands ---- */

/* The text ends where its memory does, so that a byte too far is seen by the sanitizer. */
static bool parse(enum actuator actuator, const char *text, size_t length, int16_t *level)
{
	char *copy = malloc(length > 0 ? length : 1);
	assert_non_null(copy);
	if (length > 0)
		memcpy(copy, text, length);
	bool understood = actuator_parse(actuator, length > 0 ? copy : copy + 1, (uint8_t)length, level);
	free(copy);
	return understood;
}

static void expect_level(enum actuator actuator, const char *text, int16_t wanted)
{
	int16_t level = UNTOUCHED;
	if (!parse(actuator, text, strlen(text), &level))
		fail_msg("%s: \"%s\" is not understood", names[actuator], text);
	if (level != wanted)
		fail_msg("%s: \"%s\" is %d", names[actuator], text, level);
}

static void expect_refusal(enum actuator actuator, const char *text, size_t length)
{
	int16_t level = UNTOUCHED;
	if (parse(actuator, text, length, &level))
		fail_msg("%s: \"%s\" is understood as %d", names[actuator], text, level);
	assert_int_equal(level, UNTOUCHED);
}

static void words_are_understood_by_all(void **state)
{
	static const struct {
		const char *text;
		int16_t level;
	} rows[] = {
		{"on", 1},    {"true", 1},           {"open", 1}, {"1", 1},        {"true\v\f", 1}, {"off", 0},
		{"false", 0}, {"closed", 0},         {"0", 0},    {"00", 0},       {"-0", 0},       {" on", 1},
		{"on ", 1},   {"\t\r\n on \r\n", 1}, {" 1 ", 1},  {"\nclosed", 0}, {"  001  ", 1},  {"false\t", 0},
	};
	(void)state;
	for (int actuator = 0; actuator < ACTUATOR_COUNT; actuator++) {
		int16_t level = UNTOUCHED;
		for (size_t i = 0; i < COUNT(rows); i++)
			expect_level((enum actuator)actuator, rows[i].text, rows[i].level);
		assert_true(parse((enum actuator)actuator, "\0on\0", 4, &level)); /* a NUL is as good as a space */
		assert_int_equal(level, 1);
	}
}

static void numbers_are_understood_up_to_their_bounds(void **state)
{
	static const struct {
		enum actuator actuator;
		int16_t least, most;
	} rows[] = {
		{ACTUATOR_LED, 0, 255},  {ACTUATOR_MOTOR, -255, 255},  {ACTUATOR_WINDOW, 0, 100},
		{ACTUATOR_DOOR, 0, 100}, {ACTUATOR_BUZZER, 500, 5000},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int number = -6000; number <= 6000; number++) {
			enum actuator actuator = rows[i].actuator;
			bool good = (number >= rows[i].least && number <= rows[i].most) || number == 0 || number == 1;
			char text[16];
			int length = snprintf(text, sizeof text, "%d", number);
			if (good)
				expect_level(actuator, text, (int16_t)number);
			else
				expect_refusal(actuator, text, (size_t)length);
			length = snprintf(text, sizeof text, "%d.0", number);
			expect_refusal(actuator, text, (size_t)length);
		}
	}
}

static void anything_else_is_not_understood(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"\r\n",
		"On",
		"ON",
		"oN",
		"True",
		"Open",
		"o",
		"onn",
		"of",
		"offf",
		"o n",
		"on off",
		"yes",
		"alarmed",
		"Alarm",
		"opened",
		"close",
		"1e0",
		"1.",
		".0",
		".",
		"-",
		"--1",
		"+1",
		"1.5",
		"1.01",
		"1.0.0",
		"1,0",
		"1 0",
		"0x1",
		"- 1",
		"1-",
		"32768",
		"-32768",
		"65537",
		"65792",
		"99999999999999999999",
		"led",
		"fire",
		"0 to 255",
		"\"on\"",
		"{\"value\":1}",
		"nan",
		"inf",
		"켜짐",
	};
	(void)state;
	for (int actuator = 0; actuator < ACTUATOR_COUNT; actuator++) {
		for (size_t i = 0; i < COUNT(texts); i++)
			expect_refusal((enum actuator)actuator, texts[i], strlen(texts[i]));
		expect_refusal((enum actuator)actuator, "o\0n", 3);
		expect_refusal((enum actuator)actuator, "\0", 1);
		expect_refusal((enum actuator)actuator, "off\0false", 9);
		expect_refusal((enum actuator)actuator, "1.\0", 3);
		expect_refusal((enum actuator)actuator, "\xFF\xFE", 2);
	}
}

static void only_the_buzzer_knows_the_alarm(void **state)
{
	(void)state;
	for (int actuator = 0; actuator < ACTUATOR_BUZZER; actuator++)
		expect_refusal((enum actuator)actuator, "alarm", 5);
	expect_level(ACTUATOR_BUZZER, "alarm", BUZZER_ALARM);
	expect_level(ACTUATOR_BUZZER, " alarm\n", BUZZER_ALARM);
	expect_refusal(ACTUATOR_BUZZER, "2", 1); /* though that is its level */
}

/* xorshift32: the same bytes in every run. */
static uint32_t chance(uint32_t below)
{
	static uint32_t last = 6;
	last ^= last << 13;
	last ^= last >> 17;
	last ^= last << 5;
	return last % below;
}

static void random_bytes_do_no_harm(void **state)
{
	static const char alphabet[] = "0123456789.-+ \t\r\nonfetrualsclpdm\0\xFF";
	(void)state;
	for (int i = 0; i < 300000; i++) {
		char text[24];
		size_t length = chance(sizeof text + 1);
		for (size_t at = 0; at < length; at++)
			text[at] = alphabet[chance(sizeof alphabet)];
		for (int actuator = 0; actuator < ACTUATOR_COUNT; actuator++) {
			int16_t level = UNTOUCHED;
			if (!parse((enum actuator)actuator, text, length, &level))
				assert_int_equal(level, UNTOUCHED);
			else
				assert_in_range(level + 255, 0, 5255);
		}
	}
}

/* ---- what is said ---- */

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

static void states_are_written(void **state)
{
	static const struct {
		enum actuator actuator;
		int16_t level;
		const char *text;
	} rows[] = {
		{ACTUATOR_LED, 0, "0"},          {ACTUATOR_LED, 1, "1"},         {ACTUATOR_LED, 2, "2"},
		{ACTUATOR_LED, 255, "255"},      {ACTUATOR_MOTOR, -255, "-255"}, {ACTUATOR_MOTOR, 0, "0"},
		{ACTUATOR_WINDOW, 0, "closed"},  {ACTUATOR_WINDOW, 1, "open"},   {ACTUATOR_WINDOW, 37, "37"},
		{ACTUATOR_WINDOW, 100, "100"},   {ACTUATOR_DOOR, 0, "closed"},   {ACTUATOR_DOOR, 1, "open"},
		{ACTUATOR_BUZZER, 0, "0"},       {ACTUATOR_BUZZER, 1, "1"},      {ACTUATOR_BUZZER, BUZZER_ALARM, "alarm"},
		{ACTUATOR_BUZZER, 5000, "5000"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_sink memory = {.sink.put = memory_put};
		actuator_write(&memory.sink, rows[i].actuator, rows[i].level);
		assert_string_equal(memory.text, rows[i].text);
	}
}

/* ---- what is done ---- */

static void at_the_start_nothing_is_touched(void **state)
{
	(void)state;
	pins.led = pins.motor = pins.servo[0] = pins.servo[1] = pins.tone = UNTOUCHED;
	actuators_init(&settings);
	run(70000);
	assert_int_equal(pins.led, UNTOUCHED);
	assert_int_equal(pins.motor, UNTOUCHED);
	assert_int_equal(pins.servo[0], UNTOUCHED);
	assert_int_equal(pins.servo[1], UNTOUCHED);
	assert_int_equal(pins.tone, UNTOUCHED);
	assert_int_equal(actuator_level(ACTUATOR_LED), 0);
	assert_int_equal(actuator_level(ACTUATOR_MOTOR), 0);
	assert_int_equal(actuator_level(ACTUATOR_BUZZER), 0);
	assert_int_equal(actuator_level(ACTUATOR_WINDOW), ACTUATOR_UNKNOWN);
	assert_int_equal(actuator_level(ACTUATOR_DOOR), ACTUATOR_UNKNOWN);
}

static void led_and_motor_get_their_duty(void **state)
{
	static const struct {
		int16_t level;
		int duty;
	} rows[] = {{0, 0}, {1, 255}, {2, 2}, {128, 128}, {254, 254}, {255, 255}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		set(ACTUATOR_LED, rows[i].level);
		assert_int_equal(pins.led, rows[i].duty);
		assert_int_equal(actuator_level(ACTUATOR_LED), rows[i].level);
		set(ACTUATOR_MOTOR, rows[i].level);
		assert_int_equal(pins.motor, rows[i].duty);
		set(ACTUATOR_MOTOR, (int16_t)-rows[i].level);
		assert_int_equal(pins.motor, -rows[i].duty);
		assert_int_equal(actuator_level(ACTUATOR_MOTOR), -rows[i].level);
	}
	unsigned sets = pins.led_sets;
	set(ACTUATOR_LED, 255);
	assert_int_equal(pins.led_sets, sets + 1); /* applied again, though it is that already */
	run(70000);
	assert_int_equal(pins.led, 255); /* it has no time */
	assert_int_equal(pins.motor, -255);
}

static void servos_go_between_their_ends(void **state)
{
	static const struct {
		int16_t level;
		int window, door; /* µs: 1000 … 2000, 2400 … 600 */
	} rows[] = {{0, 1000, 2400}, {1, 2000, 600}, {100, 2000, 600}, {50, 1500, 1500}, {2, 1020, 2364}, {99, 1990, 618}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		set(ACTUATOR_WINDOW, rows[i].level);
		set(ACTUATOR_DOOR, rows[i].level);
		assert_int_equal(pins.servo[OUTPUT_WINDOW], rows[i].window);
		assert_int_equal(pins.servo[OUTPUT_DOOR], rows[i].door);
		assert_int_equal(actuator_level(ACTUATOR_WINDOW), rows[i].level);
	}
	/* the widest way, both directions, and settings that change later */
	memcpy(settings.servo_us, (uint16_t[4]){500, 2500, 2500, 500}, sizeof settings.servo_us);
	for (int16_t percent = 2; percent <= 100; percent++) {
		set(ACTUATOR_WINDOW, percent);
		set(ACTUATOR_DOOR, percent);
		assert_int_equal(pins.servo[OUTPUT_WINDOW], 500 + 20 * percent);
		assert_int_equal(pins.servo[OUTPUT_DOOR], 2500 - 20 * percent);
	}
}

/* By slots of 4 ms, and never too early. */
static void expect_let_go(enum output_servo servo, uint32_t ms)
{
	run(ms);
	assert_int_not_equal(pins.servo[servo], 0);
	run(5);
	assert_int_equal(pins.servo[servo], 0);
}

static void a_servo_is_let_go_a_second_after_its_last_move(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		for (uint32_t late = 0; late < 8; late++) {
			start_at(starts[i] + late);
			set(ACTUATOR_WINDOW, 1);
			run(400);
			set(ACTUATOR_DOOR, 0);
			assert_int_equal(pins.servo[OUTPUT_WINDOW], 2000);
			expect_let_go(OUTPUT_WINDOW, 599);
			assert_int_equal(pins.servo[OUTPUT_DOOR], 2400);
			set(ACTUATOR_DOOR, 0); /* the same again: it moves again */
			expect_let_go(OUTPUT_DOOR, 999);
			assert_int_equal(actuator_level(ACTUATOR_DOOR), 0);
			run(140000); /* and is let go once only, also when 16 bits of milliseconds have passed */
			assert_int_equal(pins.servo_sets[OUTPUT_WINDOW], 2);
			assert_int_equal(pins.servo_sets[OUTPUT_DOOR], 3);
			set(ACTUATOR_WINDOW, 1);
			assert_int_equal(pins.servo[OUTPUT_WINDOW], 2000);
		}
	}
}

/* However far the passes are apart. */
static void slow_passes_do_not_hold_a_servo_for_longer(void **state)
{
	(void)state;
	for (uint32_t step = 1; step <= 200; step++) {
		start_at(step);
		set(ACTUATOR_WINDOW, 1);
		uint32_t since = now;
		while (pins.servo[OUTPUT_WINDOW] != 0)
			actuators_poll(now += step);
		assert_in_range(now - since, 1000, 1004 + step);
	}
}

static void the_buzzer_sounds_until_told_otherwise(void **state)
{
	(void)state;
	set(ACTUATOR_BUZZER, 1);
	assert_int_equal(pins.tone, 2000);
	set(ACTUATOR_BUZZER, 5000);
	assert_int_equal(pins.tone, 5000);
	run(70000);
	assert_int_equal(pins.tone, 5000);
	assert_int_equal(pins.tone_sets, 2);
	set(ACTUATOR_BUZZER, 0);
	assert_int_equal(pins.tone, 0);
}

static void the_alarm_has_two_tones_in_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		start_at(starts[i]);
		set(ACTUATOR_BUZZER, BUZZER_ALARM);
		run(4); /* at once, wherever in its turn */
		assert_true(pins.tone == 2000 || pins.tone == 2500);
		while (now % 256 != 0)
			run(1);
		int tone = pins.tone;
		for (unsigned turn = 0; turn < 300; turn++) {
			run(255);
			assert_int_equal(pins.tone, tone);
			set(ACTUATOR_BUZZER, BUZZER_ALARM); /* again, and it goes on in its time */
			run(1);
			tone = 4500 - tone;
			assert_int_equal(pins.tone, tone);
		}
		set(ACTUATOR_BUZZER, 0);
		assert_int_equal(pins.tone, 0);
		run(70000);
		assert_int_equal(pins.tone, 0);
		set(ACTUATOR_BUZZER, BUZZER_ALARM);
		run(300);
		set(ACTUATOR_BUZZER, 700);
		run(1000);
		assert_int_equal(pins.tone, 700);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_start_nothing_is_touched), /* before anything else */
		cmocka_unit_test(actuators_have_the_names_of_the_topics),
		cmocka_unit_test(other_names_are_not_found),
		cmocka_unit_test(words_are_understood_by_all),
		cmocka_unit_test(numbers_are_understood_up_to_their_bounds),
		cmocka_unit_test(anything_else_is_not_understood),
		cmocka_unit_test(only_the_buzzer_knows_the_alarm),
		cmocka_unit_test(random_bytes_do_no_harm),
		cmocka_unit_test(states_are_written),
		cmocka_unit_test_setup(led_and_motor_get_their_duty, start),
		cmocka_unit_test_setup(servos_go_between_their_ends, start),
		cmocka_unit_test_setup(a_servo_is_let_go_a_second_after_its_last_move, start),
		cmocka_unit_test_setup(slow_passes_do_not_hold_a_servo_for_longer, start),
		cmocka_unit_test_setup(the_buzzer_sounds_until_told_otherwise, start),
		cmocka_unit_test_setup(the_alarm_has_two_tones_in_turn, start),
	};
	return cmocka_run_group_tests_name("actuators", tests, NULL, NULL);
}
