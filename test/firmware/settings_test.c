/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * settings: names and bounds, and an EEPROM that is damaged or whose power is cut at every byte of a save.
 */
#include "eeprom_fake.h"
#include "settings.h"
#include "uart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LENGTH       272 /* of the fields, as settings.c describes them */
#define COPY(which)  (16 + 480 * (which))
#define HEAD         2
#define AROUND       4 /* head and CRC */
#define PLACE(which) (976 + 16 * (which))

/* ---- texts ---- */

static char printed[4096];
static size_t printed_length;

static void page_put(struct sink *sink, uint8_t byte)
{
	(void)sink;
	assert_true(printed_length + 1 < sizeof printed);
	printed[printed_length++] = (char)byte;
	printed[printed_length] = '\0';
}

struct sink *uart_sink(void)
{
	static struct sink sink = {page_put};

	return &sink;
}

static const char *shown(const struct settings *settings)
{
	printed[printed_length = 0] = '\0';
	settings_show(settings);
	return printed;
}

static const char *wanted(const char *name)
{
	printed[printed_length = 0] = '\0';
	settings_wanted(name);
	return printed;
}

#define A8  "aaaaaaaa"
#define A24 A8 A8 A8
#define A32 A24 A8
#define A40 A32 A8

static const struct {
	const char *name, *value;
	bool fits;
} rows[] = {
	{"ssid", "", false},
	{"ssid", "h", true},
	{"ssid", "our home, 2nd floor", false},
	{"ssid", "our home 2", true},
	{"ssid", " ", true},
	{"ssid", "거실", true},
	{"ssid", "\xFF\x80", true},
	{"ssid", A32, true},
	{"ssid", A32 "a", false},
	{"key", "", true},
	{"key", "1", true},
	{"key", "12345678", true},
	{"key", " with, spaces~", true},
	{"key", A40 A8 A8 "1234567", true},
	{"key", A40 A24, false},
	{"broker", "", false},
	{"broker", "192.168.1.20", true},
	{"broker", "Broker-2.lan", true},
	{"broker", "a,1000", false},
	{"broker", "a b", false},
	{"broker", "mqtt://a", false},
	{"broker", "a#", false},
	{"broker", A40, true},
	{"broker", A40 "a", false},
	{"location", "", false},
	{"location", "living room", true},
	{"location", "거실", true},
	{"location", "é", true},
	{"location", "😀", true},
	{"location", A32, true},
	{"location", A32 "a", false},
	{"location", "거실거실거실거실거실ab", true},
	{"location", "거실거실거실거실거실abc", false},
	{"location", "a/b", false},
	{"location", "+", false},
	{"location", "a+", false},
	{"location", "#", false},
	{"location", "a#b", false},
	{"location", "$SYS", false},
	{"location", "a$", false},
	{"device", "uno1", true},
	{"device", A24, true},
	{"device", A24 "a", false},
	{"device", "a/b", false},
	{"device", "a+", false},
	{"device", "a#", false},
	{"device", "$a", false},
	{"device", "", false},
	{"location", "a,b", false},
	{"secret", "", true},
	{"secret", "a", true},
	{"secret", "hearth-abcdefghijklmnopqrstuvwxyz", true},
	{"secret", A40 "a", true},
	{"secret", A40 "ab", false},
	{"port", "0", false},
	{"port", "1", true},
	{"port", "65535", true},
	{"port", "65536", false},
	{"port", "", false},
	{"port", " 1", false},
	{"port", "1 ", false},
	{"port", "-1", false},
	{"port", "1x", false},
	{"port", "99999999999999999999", false},
	{"period_s", "0", false},
	{"period_s", "1", true},
	{"period_s", "3600", true},
	{"period_s", "3601", false},
	{"keepalive_s", "9", false},
	{"keepalive_s", "10", true},
	{"keepalive_s", "600", true},
	{"keepalive_s", "601", false},
	{"safe_after_s", "0", true},
	{"safe_after_s", "65535", true},
	{"safe_after_s", "65536", false},
	{"safe_led", "-1", false},
	{"safe_led", "0", true},
	{"safe_led", "255", true},
	{"safe_led", "256", false},
	{"safe_led", "keep", true},
	{"safe_led", "keeps", false},
	{"safe_led", "-32768", false},
	{"safe_led", "32768", false},
	{"port", "keep", false},
	{"port", "32768", true},
	{"dht", "keep", false},
	{"safe_after_s", "keep", false},
	{"safe_motor", "-1", false},
	{"safe_motor", "0", true},
	{"safe_motor", "255", true},
	{"safe_motor", "256", false},
	{"safe_motor", "keep", true},
	{"safe_window", "-1", false},
	{"safe_window", "100", true},
	{"safe_window", "101", false},
	{"safe_door", "0", true},
	{"safe_door", "101", false},
	{"safe_buzzer", "0", true},
	{"safe_buzzer", "2", true},
	{"safe_buzzer", "3", false},
	{"safe_buzzer", "-1", false},
	{"safe_buzzer", "keep", true},
	{"window_closed_us", "499", false},
	{"window_closed_us", "500", true},
	{"window_open_us", "2500", true},
	{"window_open_us", "2501", false},
	{"door_closed_us", "500", true},
	{"door_closed_us", "0", false},
	{"door_open_us", "2500", true},
	{"door_open_us", "2501", false},
	{"change_temperature", "0", false},
	{"change_temperature", "1", true},
	{"change_temperature", "255", true},
	{"change_temperature", "256", false},
	{"change_temperature", "-1", false},
	{"change_temperature", "0.2", false},
	{"change_humidity", "0", false},
	{"change_humidity", "1", true},
	{"change_humidity", "256", false},
	{"change_illuminance", "0", false},
	{"change_illuminance", "1", true},
	{"change_illuminance", "255", true},
	{"change_illuminance", "256", false},
	{"dht", "11", true},
	{"dht", "22", true},
	{"dht", "10", false},
	{"dht", "23", false},
	{"dht", "DHT22", false},
	{"", "", false},
	{"SSID", "a", false},
	{"ssid ", "a", false},
	{"ss", "a", false},
	{"change_temperature_and_more", "1", false},
};

/* What does not fit changes nothing; what does is shown so, and changes nothing else. */
static void test_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings before, after;
		char line[128];
		bool hidden = strcmp(rows[i].name, "key") == 0 || strcmp(rows[i].name, "secret") == 0;

		settings_default(&before);
		after = before;
		if (settings_set(&after, rows[i].name, rows[i].value) != rows[i].fits)
			fail_msg("%s \"%s\": %s", rows[i].name, rows[i].value, rows[i].fits ? "refused" : "taken");
		if (!rows[i].fits) {
			assert_memory_equal(&before, &after, sizeof before);
			continue;
		}
		snprintf(line, sizeof line, "\n%s = %s\n", rows[i].name, hidden && *rows[i].value ? "(set)" : rows[i].value);
		if (!strstr(shown(&after), line + (strcmp(rows[i].name, "ssid") == 0)))
			fail_msg("no line \"%s\" in:\n%s", line, shown(&after));
	}
}

/* Of one text nothing is left behind another. */
static void test_shorter_text(void **state)
{
	struct settings settings, wanted_settings;

	(void)state;
	settings_default(&settings);
	settings_default(&wanted_settings);
	assert_true(settings_set(&settings, "key", "a long secret that was"));
	assert_true(settings_set(&settings, "key", "12345678"));
	memcpy(wanted_settings.key, "12345678", 8);
	assert_memory_equal(&settings, &wanted_settings, sizeof settings);
}

static void test_wanted(void **state)
{
	(void)state;
	assert_string_equal(wanted("port"), "1 to 65535");
	assert_string_equal(wanted("ssid"), "1 to 32 bytes without ,");
	assert_string_equal(wanted("key"), "1 to 63 bytes, or none");
	assert_string_equal(wanted("secret"), "1 to 41 bytes, or none");
	assert_string_equal(wanted("broker"), "1 to 40 bytes without  /+#$,");
	assert_string_equal(wanted("location"), "1 to 32 bytes without /+#$,");
	assert_string_equal(wanted("device"), "1 to 24 bytes without /+#$,");
	assert_string_equal(wanted("safe_motor"), "0 to 255, or keep");
	assert_string_equal(wanted("safe_buzzer"), "0 to 2, or keep");
	assert_string_equal(wanted("change_humidity"), "1 to 255");
	assert_string_equal(wanted("dht"), "11 to 22");
	assert_string_equal(wanted("colour"), "a NAME that show lists, and a VALUE");
}

static void test_missing(void **state)
{
	static const char *const needed[] = {"ssid", "broker", "location", "device"};
	struct settings settings;

	(void)state;
	settings_default(&settings);
	for (size_t i = 0; i < COUNT(needed); i++) {
		assert_string_equal(settings_missing(&settings), needed[i]);
		assert_true(settings_set(&settings, needed[i], "a"));
	}
	assert_null(settings_missing(&settings));
}

/* ---- EEPROM ---- */

static void test_crc(void **state)
{
	uint16_t crc = SETTINGS_CRC_START;

	(void)state;
	for (const char *at = "123456789"; *at; at++)
		crc = settings_crc(crc, (uint8_t)*at);
	assert_int_equal(crc, 0x29B1);
}

/* Two that differ in every field. */
static struct settings sample(bool other)
{
	static const char *const values[][3] = {
		{"ssid", "home", "our other home"},
		{"key", "old key of ours", "newer key"},
		{"broker", "192.168.1.20", "broker.lan"},
		{"location", "거실", "hall"},
		{"device", "uno1", "uno2"},
		{"secret", "hearth-abcdefghijklmnopqrstuvwxyz", "hearth-22222222222222222222222222"},
		{"port", "1883", "18830"},
		{"period_s", "60", "3600"},
		{"keepalive_s", "20", "600"},
		{"safe_after_s", "300", "0"},
		{"safe_led", "keep", "255"},
		{"safe_motor", "1", "255"},
		{"safe_window", "0", "100"},
		{"safe_door", "0", "keep"},
		{"safe_buzzer", "0", "2"},
		{"window_closed_us", "500", "2500"},
		{"window_open_us", "2500", "500"},
		{"door_closed_us", "1000", "2000"},
		{"door_open_us", "2000", "1000"},
		{"change_temperature", "2", "10"},
		{"change_humidity", "10", "20"},
		{"change_illuminance", "10", "255"},
		{"dht", "22", "11"},
	};
	struct settings settings;

	settings_default(&settings);
	for (size_t i = 0; i < COUNT(values); i++)
		assert_true(settings_set(&settings, values[i][0], values[i][other ? 2 : 1]));
	return settings;
}

static bool same(const struct settings *a, const struct settings *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

static void test_empty(void **state)
{
	struct settings settings, defaults;

	(void)state;
	settings_default(&defaults);
	eeprom_erase();
	assert_int_equal(settings_load(&settings), SETTINGS_NONE);
	assert_true(same(&settings, &defaults));
	memset(eeprom_bytes, 0, sizeof eeprom_bytes);
	assert_int_equal(settings_load(&settings), SETTINGS_NONE);
	assert_true(same(&settings, &defaults));
}

/* The bytes that settings.c describes, and the CRC, put together here. */
static void test_format(void **state)
{
	struct settings settings = sample(false);
	uint16_t crc = SETTINGS_CRC_START;
	const uint8_t *copy = eeprom_bytes + COPY(0);

	(void)state;
	eeprom_erase();
	settings_save(&settings);
	assert_int_equal(copy[0], 1);
	assert_int_equal(copy[1] * 2, LENGTH);
	assert_string_equal(copy + 2, "home");
	assert_string_equal(copy + 2 + 33, "old key of ours");
	assert_string_equal(copy + 2 + 97, "192.168.1.20");
	assert_string_equal(copy + 2 + 138, "거실");
	assert_string_equal(copy + 2 + 171, "uno1");
	assert_string_equal(copy + 2 + 196, "hearth-abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(copy[2 + 238] | copy[2 + 239] << 8, 1883);
	assert_int_equal(copy[2 + 240], 60);
	assert_int_equal(copy[2 + 242], 20);
	assert_int_equal(copy[2 + 244] | copy[2 + 245] << 8, 300);
	assert_int_equal((int16_t)(copy[2 + 246] | copy[2 + 247] << 8), SETTINGS_KEEP);
	assert_int_equal(copy[2 + 248] | copy[2 + 249] << 8, 1);
	assert_int_equal(copy[2 + 256] | copy[2 + 257] << 8, 500);
	assert_int_equal(copy[2 + 264] | copy[2 + 265] << 8, 2);
	assert_int_equal(copy[2 + 266] | copy[2 + 267] << 8, 10);
	assert_int_equal(copy[2 + 268] | copy[2 + 269] << 8, 10);
	assert_int_equal(copy[2 + 270] | copy[2 + 271] << 8, 22);
	for (size_t i = 0; i < LENGTH; i++)
		crc = settings_crc(crc, copy[HEAD + i]);
	assert_int_equal(copy[HEAD + LENGTH] << 8 | copy[HEAD + LENGTH + 1], crc);
	assert_memory_equal(copy, eeprom_bytes + COPY(1), AROUND + LENGTH);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(eeprom_bytes[i], 0xFF);
}

/* Each byte to 0, to 255, with each bit turned over: the settings are as saved, the copies alike again, no number comes twice. */
static void test_every_byte_damaged(void **state)
{
	struct settings saved = sample(false), settings;
	uint8_t whole[EEPROM_SIZE];
	uint32_t last = 0;

	(void)state;
	eeprom_erase();
	settings_save(&saved);
	for (int i = 0; i < 5; i++)
		last = settings_count_start(0);
	assert_int_equal(last, 5);
	memcpy(whole, eeprom_bytes, sizeof whole);
	for (size_t at = 0; at < EEPROM_SIZE; at++) {
		for (int how = 0; how < 10; how++) {
			uint8_t damaged = (uint8_t)(how == 8 ? 0 : how == 9 ? 0xFF : whole[at] ^ 1 << how);
			bool in_copy =
				(at >= COPY(0) && at < COPY(0) + AROUND + LENGTH) || (at >= COPY(1) && at < COPY(1) + AROUND + LENGTH);
			uint32_t next;

			memcpy(eeprom_bytes, whole, sizeof whole);
			eeprom_bytes[at] = damaged;
			assert_int_equal(settings_load(&settings),
			                 in_copy && damaged != whole[at] ? SETTINGS_MENDED : SETTINGS_GOOD);
			assert_true(same(&settings, &saved));
			assert_int_equal(settings_load(&settings), SETTINGS_GOOD);
			next = settings_count_start(1000);
			assert_in_range(next, 6, 8);
			/* And the place just written is damaged in its turn. */
			for (int which = 0; which < 2; which++) {
				uint8_t mended[EEPROM_SIZE];

				memcpy(mended, eeprom_bytes, sizeof mended);
				eeprom_bytes[PLACE(which)] ^= 0x55;
				assert_in_range(settings_count_start(1000), next + 1, next + 3);
				memcpy(eeprom_bytes, mended, sizeof mended);
			}
		}
	}
}

static void test_both_damaged(void **state)
{
	struct settings saved = sample(false), settings, defaults;

	(void)state;
	settings_default(&defaults);
	for (size_t at = 0; at < AROUND + LENGTH; at++) {
		eeprom_erase();
		settings_save(&saved);
		eeprom_bytes[(size_t)COPY(0) + at] ^= 0x10;
		eeprom_bytes[(size_t)COPY(1) + (AROUND + LENGTH - 1 - at)] ^= 0x04;
		assert_int_equal(settings_load(&settings), SETTINGS_NONE);
		assert_true(same(&settings, &defaults));
	}
}

/* What a torn byte becomes: what it was to be, what it was, and other things. */
static const uint8_t torn_bytes[] = {0x00, 0xFF, 0x01, 0x55, 0xAA, 0x80, 0x7E};

/* Cut in the write after so many: true. */
static bool cut_save(const struct settings *settings, int after, uint8_t torn)
{
	eeprom_cut_after(after, torn);
	if (setjmp(eeprom_cut) != 0)
		return true;
	settings_save(settings);
	eeprom_cut_after(-1, 0);
	return false;
}

/* A mix of the two in which one byte is torn is never taken, in whatever copy it is. */
static void test_power_cut(void **state)
{
	struct settings old = sample(false), new = sample(true), settings;
	uint8_t before[EEPROM_SIZE];
	int after = 0, olds = 0, news = 0;

	(void)state;
	eeprom_erase();
	settings_save(&old);
	memcpy(before, eeprom_bytes, sizeof before);
	for (bool cut = true; cut; after++) {
		for (size_t i = 0; i < COUNT(torn_bytes); i++) {
			memcpy(eeprom_bytes, before, sizeof before);
			cut = cut_save(&new, after, torn_bytes[i]);
			assert_int_not_equal(settings_load(&settings), SETTINGS_NONE);
			assert_true(same(&settings, &old) || same(&settings, &new));
			*(same(&settings, &new) ? &news : &olds) += 1;
			/* From then on both copies hold the same. */
			eeprom_bytes[COPY(after % 2) + 100] ^= 0x20;
			struct settings again;
			assert_int_equal(settings_load(&again), SETTINGS_MENDED);
			assert_true(same(&settings, &again));
		}
	}
	assert_true(olds > 500 && news > 500 && after > 200);
}

/* Cut while a copy is mended: what is whole stays whole. */
static void test_power_cut_while_mending(void **state)
{
	struct settings saved = sample(false), settings;
	volatile int after = 0;

	(void)state;
	for (volatile bool cut = true; cut; after++) {
		for (volatile size_t i = 0; i < COUNT(torn_bytes); i++) {
			eeprom_erase();
			settings_save(&saved);
			memset(eeprom_bytes + COPY(after % 2), 0x33, 480);
			eeprom_cut_after(after / 2, torn_bytes[i]);
			cut = true;
			if (setjmp(eeprom_cut) == 0) {
				settings_load(&settings);
				cut = false;
			}
			eeprom_cut_after(-1, 0);
			assert_int_not_equal(settings_load(&settings), SETTINGS_NONE);
			assert_true(same(&settings, &saved));
		}
	}
	assert_true(after > 200);
}

static void put_crc(int which)
{
	uint16_t crc = SETTINGS_CRC_START;
	uint8_t *fields = eeprom_bytes + COPY(which) + HEAD;

	for (size_t i = 0; i < LENGTH; i++)
		crc = settings_crc(crc, fields[i]);
	fields[LENGTH] = (uint8_t)(crc >> 8);
	fields[LENGTH + 1] = (uint8_t)crc;
}

/* A mix whose CRC fits by chance is not taken either: until the last byte of a copy is written it says so. */
static void test_cut_with_fitting_crc(void **state)
{
	struct settings old = sample(false), new = sample(true), settings;

	(void)state;
	eeprom_erase();
	settings_save(&old);
	assert_true(cut_save(&new, 100, 0x55));
	put_crc(0);
	assert_int_equal(settings_load(&settings), SETTINGS_MENDED);
	assert_true(same(&settings, &old));
}

/* A firmware whose settings are others begins with its defaults. */
static void test_other_length(void **state)
{
	struct settings saved = sample(true), settings, defaults;

	(void)state;
	settings_default(&defaults);
	for (unsigned half = 0; half < 256; half++) {
		eeprom_erase();
		settings_save(&saved);
		for (int which = 0; which < 2; which++) {
			uint16_t crc = SETTINGS_CRC_START;
			uint8_t *fields = eeprom_bytes + COPY(which) + HEAD;

			if (half > 235) /* the copy's place holds no more */
				continue;
			for (size_t i = 0; i < half * 2; i++)
				crc = settings_crc(crc, fields[i]);
			fields[half * 2] = (uint8_t)(crc >> 8);
			fields[half * 2 + 1] = (uint8_t)crc;
		}
		eeprom_bytes[COPY(0) + 1] = eeprom_bytes[COPY(1) + 1] = (uint8_t)half;
		assert_int_equal(settings_load(&settings), half == LENGTH / 2 ? SETTINGS_GOOD : SETTINGS_NONE);
		assert_true(same(&settings, half == LENGTH / 2 ? &saved : &defaults));
	}
}

static void test_other_version(void **state)
{
	struct settings saved = sample(true), settings;

	(void)state;
	eeprom_erase();
	settings_save(&saved);
	for (int which = 0; which < 2; which++) {
		eeprom_bytes[COPY(which)] = 2;
		put_crc(which);
	}
	assert_int_equal(settings_load(&settings), SETTINGS_NONE);
}

/* ---- the count of starts ---- */

static void test_count(void **state)
{
	(void)state;
	eeprom_erase();
	for (uint32_t i = 1; i < 1000; i++)
		assert_int_equal(settings_count_start(0), i);
	eeprom_writes = 0;
	settings_count_start(0);
	assert_true(eeprom_writes <= 6);
	eeprom_erase();
	assert_int_equal(settings_count_start(41), 42);
	assert_int_equal(settings_count_start(41), 43);
	eeprom_erase();
	assert_int_equal(settings_count_start(UINT32_MAX), 1);
	eeprom_erase();
	assert_int_equal(settings_count_start(UINT32_MAX - 1), UINT32_MAX);
	assert_int_equal(settings_count_start(0), 1);
}

/* Cut at every byte of a count, each torn byte of 256: whatever is given out afterwards was not given out before. */
static void check_count_cut(uint32_t before)
{
	uint8_t places[EEPROM_SIZE];

	eeprom_erase();
	assert_int_equal(settings_count_start(before - 2), before - 1);
	assert_int_equal(settings_count_start(0), before);
	memcpy(places, eeprom_bytes, sizeof places);
	for (volatile int damage = -1; damage < 2; damage++) {
		for (volatile int after = 0; after < 12; after++) {
			for (volatile int torn = 0; torn < 256; torn++) {
				volatile uint32_t last = before;

				memcpy(eeprom_bytes, places, sizeof places);
				if (damage >= 0)
					eeprom_bytes[PLACE(damage) + 1] ^= 0x40;
				eeprom_cut_after(after, (uint8_t)torn);
				if (setjmp(eeprom_cut) == 0)
					last = settings_count_start(0);
				eeprom_cut_after(-1, 0);
				for (int i = 0; i < 3; i++) {
					uint32_t next = settings_count_start(before + 1000);

					assert_in_range(next, last + 1, last + 6);
					last = next;
				}
			}
		}
	}
}

static void test_count_cut(void **state)
{
	(void)state;
	static const uint32_t numbers[] = {2, 7, 255, 256, 65535, 65536, 0xFFFFFE, 0xFFFFFF, 0x1000000};

	for (size_t i = 0; i < COUNT(numbers); i++)
		check_count_cut(numbers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_shorter_text),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_every_byte_damaged),
		cmocka_unit_test(test_both_damaged),
		cmocka_unit_test(test_power_cut),
		cmocka_unit_test(test_power_cut_while_mending),
		cmocka_unit_test(test_cut_with_fitting_crc),
		cmocka_unit_test(test_other_length),
		cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_count_cut),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
