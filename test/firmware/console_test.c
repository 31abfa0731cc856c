/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * console: what is typed and what is answered, each command and each wrong line; secrets in no output.
 */
#include "console.h"

#include "actuators.h"
#include "eeprom_fake.h"
#include "selftest.h"
#include "sensors.h"
#include "uart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the wire ---- */

static const uint8_t *typed;
static size_t typed_left;
static char printed[16384];
static size_t printed_length;

bool uart_read(uint8_t *byte)
{
	if (typed_left == 0)
		return false;
	*byte = *typed++;
	typed_left--;
	return true;
}

static void wire_put(struct sink *sink, uint8_t byte)
{
	(void)sink;
	assert_true(printed_length + 1 < sizeof printed);
	printed[printed_length++] = (char)byte;
	printed[printed_length] = '\0';
}

struct sink *uart_sink(void)
{
	static struct sink sink = {wire_put};

	return &sink;
}

/* ---- outputs and sensors ---- */

static int16_t levels[ACTUATOR_COUNT];
static char moves[512]; /* "led=255 led=0 …" */
static struct sensor_sample samples[SENSOR_COUNT];

const char *actuator_name(enum actuator actuator)
{
	static const char *const names[] = {"led", "motor", "window", "door", "buzzer"};

	return names[actuator];
}

int16_t actuator_level(enum actuator actuator)
{
	return levels[actuator];
}

void actuator_set(enum actuator actuator, int16_t level)
{
	size_t length = strlen(moves);

	levels[actuator] = level;
	snprintf(moves + length, sizeof moves - length, "%s=%d ", actuator_name(actuator), level);
}

const char *sensor_name(enum sensor sensor)
{
	static const char *const names[] = {"temperature", "humidity", "illuminance", "fire"};

	return names[sensor];
}

struct sensor_sample sensor_take(enum sensor sensor)
{
	return samples[sensor];
}

void sensor_write(struct sink *sink, enum sensor sensor, int16_t value)
{
	if (sensor <= SENSOR_HUMIDITY)
		text_tenths(sink, value);
	else
		text_signed(sink, value);
}

/* ---- its caller ---- */

static int changing, changed, reboots, scans;
static bool can_scan;

void console_write_status(struct sink *sink)
{
	text_string(sink, "link: joining\ntrouble: no network\n");
}

bool console_scan(void)
{
	scans++;
	return can_scan;
}

void console_changing(void)
{
	changing++;
}

void console_changed(void)
{
	changed++;
}

void console_reboot(void)
{
	reboots++;
}

static struct settings settings;
static uint32_t now;

static int begin(void **state)
{
	(void)state;
	eeprom_erase();
	settings_load(&settings);
	console_init(&settings);
	console_banner(1);
	memset(levels, 0, sizeof levels);
	memset(samples, 0, sizeof samples);
	moves[0] = printed[0] = '\0';
	printed_length = typed_left = 0;
	changing = changed = reboots = scans = 0;
	can_scan = true;
	now = UINT32_MAX - 5000; /* it wraps on the way */
	return 0;
}

static const char *type_bytes(const void *bytes, size_t length)
{
	printed[0] = '\0';
	printed_length = 0;
	typed = bytes;
	typed_left = length;
	for (size_t i = 0; i < length; i++)
		console_poll(now);
	return printed;
}

static const char *type(const char *text)
{
	return type_bytes(text, strlen(text));
}

/* ---- lines ---- */

#define A10 "aaaaaaaaaa"
#define A70 A10 A10 A10 A10 A10 A10 A10
#define S10 "**********"

static const struct {
	const char *typed, *printed;
} dialogues[] = {
	{"\r", "\n> "},
	{"\n", "\n> "},
	{"   \r", "   \nerror: wanted a command that help lists\n> "},
	{"set port 1884\r", "set port 1884\nok\n> "},
	{" status\r", " status\nerror: wanted a command that help lists\n> "},
	{"status \r", "status \nlink: joining\ntrouble: no network\nok\n> "},
	{"set port  1884\r", "set port  1884\nerror: wanted 1 to 65535\n> "},
	{"set port 0\r", "set port 0\nerror: wanted 1 to 65535\n> "},
	{"set port\r", "set port\nerror: wanted 1 to 65535\n> "},
	{"set\r", "set\nerror: wanted a NAME that show lists, and a VALUE\n> "},
	{"set colour red\r", "set colour red\nerror: wanted a NAME that show lists, and a VALUE\n> "},
	{"set location 거실\r", "set location 거실\nok\n> "},
	{"set location a/b\r", "set location a/b\nerror: wanted 1 to 32 bytes without /+#$,\n> "},
	{"set ssid our home \r", "set ssid our home \nok\n> "},
	{"set key 12345678\r", "set key ********\nok\n> "},
	{"set key short\r", "set key *****\nok\n> "},
	{"set key \r", "set key \nok\n> "},
	{"set secret  a b\r", "set secret ****\nok\n> "},
	{"set secret " A10 A10 A10 A10 "aa\r",
     "set secret " S10 S10 S10 S10 "**\nerror: wanted 1 to 41 bytes, or none\n> "},
	{"set secrets a\r", "set secrets a\nerror: wanted a NAME that show lists, and a VALUE\n> "},
	{"set key " A10 A10 A10 A10 A10 A10 "aaa\r", "set key " S10 S10 S10 S10 S10 S10 "***\nok\n> "},
	{"hlep\r", "hlep\nerror: wanted a command that help lists\n> "},
	{"hel\r", "hel\nerror: wanted a command that help lists\n> "},
	{"helpp\r", "helpp\nerror: wanted a command that help lists\n> "},
	{"HELP\r", "HELP\nerror: wanted a command that help lists\n> "},
	{"status\r", "status\nlink: joining\ntrouble: no network\nok\n> "},
	{"statux\bs\r", "statux\b \bs\nlink: joining\ntrouble: no network\nok\n> "},
	{"\b\x7F\r", "\n> "},
	{"거\x7F\r", "거\b \b\n> "},
	{"a실\x7F\x7F\r", "a실\b \b\b \b\n> "},
	{"set key 12\x7F"
     "345678\r",
     "set key **\b \b******\nok\n> "},
	{"set key \x7F\x7F"
     "s\r",
     "set key \b \b\b \bs\nerror: wanted a NAME that show lists, and a VALUE\n> "},
	{"nonsense\x03", "nonsense\n> "},
	{"nonsense\x03\r", "nonsense\n> \n> "},
	{"sta\ttus\r", "sta\nerror: wanted the line again, at most 71 bytes\n> "},
	{"\033[A\r", "\nerror: wanted the line again, at most 71 bytes\n> "},
	{A70 "1\r", A70 "1\nerror: wanted a command that help lists\n> "},
	{A70 "12\r", A70 "1\nerror: wanted the line again, at most 71 bytes\n> "},
	{A70 "12\b\r", A70 "1\nerror: wanted the line again, at most 71 bytes\n> "},
	{A70 A70 A70 A70 "\r", A70 "a\nerror: wanted the line again, at most 71 bytes\n> "},
	{"set ssid " A70 "a\x03status\r",
     "set ssid " A10 A10 A10 A10 A10 A10 "aa\n> status\nlink: joining\ntrouble: no network\nok\n> "},
};

static void test_lines(void **state)
{
	for (size_t i = 0; i < COUNT(dialogues); i++) {
		const char *answer, *expected = dialogues[i].printed;

		begin(state);
		answer = type(dialogues[i].typed);
		if (strcmp(answer, expected) != 0)
			fail_msg("typed \"%s\"\nprinted \"%s\"\nwanted  \"%s\"", dialogues[i].typed, answer, expected);
		assert_int_equal(reboots, 0);
	}
}

/* A refused line leaves nothing to the next one. */
static void test_after_refusal(void **state)
{
	(void)state;
	type(A70 A70 "\r");
	assert_string_equal(type("status\r"), "status\nlink: joining\ntrouble: no network\nok\n> ");
	type_bytes("a\0b\r", 4);
	assert_non_null(strstr(printed, "error: wanted the line again"));
	assert_string_equal(type("status\r"), "status\nlink: joining\ntrouble: no network\nok\n> ");
}

/* A lost byte, which reads as 0, changes no secret. */
static void test_lost_byte(void **state)
{
	static const char line[] = "set secret hearth-abc\0def\r";

	(void)state;
	type_bytes(line, sizeof line - 1);
	assert_non_null(strstr(printed, "error: wanted the line again"));
	assert_string_equal(settings.secret, "");
}

/* ---- commands ---- */

static void test_help(void **state)
{
	static const char *const names[] = {"help", "show", "set", "save", "status", "test", "scan", "reboot"};
	const char *at = type("help\r");

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		at = strstr(at, names[i]);
		assert_non_null(at);
		at++;
	}
	assert_non_null(strstr(at, "\nok\n> "));
}

static void test_show(void **state)
{
	(void)state;
	type("set key open sesame\r");
	type("set ssid our home\r");
	type("show\r");
	assert_non_null(strstr(printed, "\nssid = our home\n"));
	assert_non_null(strstr(printed, "\nkey = (set)\n"));
	assert_non_null(strstr(printed, "\nsecret = \n"));
	assert_non_null(strstr(printed, "\nok\n> "));
	assert_null(strstr(printed, "sesame"));
}

static void test_save(void **state)
{
	struct settings loaded;

	(void)state;
	type("set broker 127.0.0.1\r");
	assert_int_equal(changing, 1);
	type("set ssid home\r");
	assert_int_equal(changing, 1);
	assert_int_equal(changed, 0);
	assert_int_equal(settings_load(&loaded), SETTINGS_NONE);
	assert_string_equal(type("save\r"), "save\nok\n> ");
	assert_int_equal(changed, 1);
	type("set location hall\r");
	type("set device uno1\r");
	assert_string_equal(type("save\r"), "save\nok\n> ");
	assert_int_equal(changing, 2);
	assert_int_equal(changed, 2);
	assert_int_equal(settings_load(&loaded), SETTINGS_GOOD);
	assert_memory_equal(&loaded, &settings, sizeof loaded);
}

static void test_reboot(void **state)
{
	(void)state;
	assert_string_equal(type("reboot\r"), "reboot\nok\n> ");
	assert_int_equal(reboots, 1);
}

static void test_scan(void **state)
{
	(void)state;
	assert_string_equal(type("scan\r"), "scan\n");
	/* What is typed meanwhile waits. */
	assert_string_equal(type("status\r"), "");
	console_network("1/home/aa:bb:cc:dd:ee:ff/-45");
	console_scanned(NULL);
	assert_string_equal(printed, "1/home/aa:bb:cc:dd:ee:ff/-45\nok\n> ");
	while (typed_left > 0)
		console_poll(now);
	assert_non_null(strstr(printed, "ok\n> status\nlink: joining"));

	type("scan\r");
	console_scanned("no answer");
	assert_string_equal(printed, "scan\nerror: no answer\n> ");
	can_scan = false;
	assert_string_equal(type("scan\r"), "scan\nerror: wanted save first\n> ");
	assert_int_equal(scans, 3);
	type("set ssid home\r");
	assert_string_equal(type("scan\r"), "scan\nerror: wanted save first\n> ");
	assert_int_equal(scans, 3);
}

/* Polls every 10 ms until the prompt comes; returns how many milliseconds that took. */
static uint32_t wait_prompt(void)
{
	uint32_t from = now;

	while (!strstr(printed, "\n> ")) {
		now += 10;
		console_poll(now);
		assert_true(now - from < 60000);
	}
	return now - from;
}

static void test_test(void **state)
{
	(void)state;
	levels[ACTUATOR_MOTOR] = -120;
	levels[ACTUATOR_WINDOW] = 100;
	levels[ACTUATOR_DOOR] = ACTUATOR_UNKNOWN;
	samples[SENSOR_TEMPERATURE] = (struct sensor_sample){.value = 235};
	samples[SENSOR_HUMIDITY] = (struct sensor_sample){.failed = true};
	samples[SENSOR_ILLUMINANCE] = (struct sensor_sample){.value = 512};
	assert_string_equal(type("test\r"), "test\nled\n");
	assert_string_equal(moves, "led=1 ");
	assert_in_range(wait_prompt(), 7000, 13000);
	assert_string_equal(printed, "test\nled\nmotor\nwindow\ndoor\nbuzzer\ntemperature 23.5\n"
	                             "humidity no answer\nilluminance 512\nfire 0\nok\n> ");
	assert_string_equal(moves, "led=1 led=0 motor=0 motor=-120 window=0 window=100 door=1 door=0 buzzer=1 buzzer=0 ");
	/* And once more, from the start. */
	moves[0] = '\0';
	type("test\r");
	wait_prompt();
	assert_non_null(strstr(moves, "led=1 led=0 "));
	assert_non_null(strstr(moves, "buzzer=1 buzzer=0 "));
}

/* What the broker commands during a test stays. */
static void test_commanded_meanwhile(void **state)
{
	(void)state;
	type("test\r");
	levels[ACTUATOR_LED] = 77;
	wait_prompt();
	assert_int_equal(levels[ACTUATOR_LED], 77);
	assert_int_equal(levels[ACTUATOR_MOTOR], 0);
}

static void test_banner(void **state)
{
	(void)state;
	console_banner(4294967295);
	assert_string_equal(printed, "\nhearth device " HEARTH_VERSION ", boot 4294967295\n> ");
}

/* One poll leaves time for others, whatever comes in. */
static void test_bytes_a_poll(void **state)
{
	(void)state;
	typed = (const uint8_t *)A70;
	typed_left = 70;
	console_poll(now);
	assert_int_equal(typed_left, 70 - 32);
}

/* ---- garbage ---- */

static size_t append(uint8_t *bytes, size_t length, const char *text)
{
	while (*text)
		bytes[length++] = (uint8_t)*text++;
	return length;
}

/* Everything that comes back is echo, a prompt or an answer; the same seed gives the same bytes. */
static void test_garbage(void **state)
{
	static const char secret[] = "Zq7wKx9vTr";
	static const char *const lines[] = {"set key ", "set secret ", "set  key ", " set secret ", "show\r",
	                                    "status\r", "\x7F\x7F",    "\x03",      "save\r",       "help\r"};
	uint32_t seed = 1;
	uint8_t bytes[256];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t length = 0;

		while (length < 200) {
			seed = seed * 1664525 + 1013904223;
			const char *line = lines[(seed >> 16) % COUNT(lines)];

			if (seed >> 31)
				bytes[length++] = (uint8_t)(seed >> 8);
			else
				length = append(bytes, length, line);
		}
		/* Then a secret, behind whatever stands there, with a character taken away and typed again. */
		length = append(bytes, length, "\x03set key ");
		length = append(bytes, length, secret);
		length = append(bytes, length, "\x7Fr\r");
		type_bytes(bytes, length);
		if (strstr(printed, "Zq7") || strstr(printed, "9vT"))
			fail_msg("round %d: a secret was shown", round);
		assert_non_null(strstr(printed, "\nok\n> "));
		assert_string_equal(settings.key, secret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test_setup(test_after_refusal, begin),
		cmocka_unit_test_setup(test_lost_byte, begin),
		cmocka_unit_test_setup(test_help, begin),
		cmocka_unit_test_setup(test_show, begin),
		cmocka_unit_test_setup(test_save, begin),
		cmocka_unit_test_setup(test_reboot, begin),
		cmocka_unit_test_setup(test_scan, begin),
		cmocka_unit_test_setup(test_test, begin),
		cmocka_unit_test_setup(test_commanded_meanwhile, begin),
		cmocka_unit_test_setup(test_banner, begin),
		cmocka_unit_test_setup(test_bytes_a_poll, begin),
		cmocka_unit_test_setup(test_garbage, begin),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
