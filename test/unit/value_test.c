/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * value_test: numbers held against strtod, times against timegm, what equals what, and that what is printed reads back.
 *
 * Random numbers come from a fixed seed, so a failure comes again.
 */
#include "guard.h"
#include "value.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RANDOM_RUNS  200000
#define DAY_US       (86400 * INT64_C(1000000))

/* splitmix64 (G. Steele, D. Lea, C. Flood, 2014). */
static uint64_t random_next(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* The same double, the sign of zero included. */
static bool same(double a, double b)
{
	return a == b && signbit(a) == signbit(b);
}

/* ---- numbers ---- */

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		double number;
	} rows[] = {
		{"0", 0.0},
		{"-0", -0.0},
		{"-0.0", -0.0},
		{"0e5", 0.0},
		{"1", 1.0},
		{"-1", -1.0},
		{"23.5", 23.5},
		{"0.1", 0.1},
		{"100", 100.0},
		{"1e2", 100.0},
		{"1E2", 100.0},
		{"1e+2", 100.0},
		{"1e-2", 0.01},
		{"1e00002", 100.0},
		{"12.5e-1", 1.25},
		{"0.000001", 1e-6},
		{"123456789012345", 123456789012345.0},           /* the most digits of the fast path */
		{"1234567890123456", 1234567890123456.0},         /* one more */
		{"9007199254740993", 9007199254740992.0},         /* 2^53 + 1 */
		{"18446744073709551616", 18446744073709551616.0}, /* more than 64 bits of digits */
		{"99999999999999999999999", 1e23},
		{"1e22", 1e22},
		{"1e23", 1e23},
		{"1e-22", 1e-22},
		{"1e-23", 1e-23},
		{"8.98846567431158e307", 8.98846567431158e307},
		{"1.7976931348623157e308", DBL_MAX},
		{"2.2250738585072014e-308", DBL_MIN},
		{"4.9e-324", 4.9e-324},
		{"1e-999", 0.0},
		{"-1e-999999999999", -0.0},
		{"0e999999999999", 0.0},
		{"1e999", HUGE_VAL},
		{"-1e999", -HUGE_VAL},
		{"1e99999999999999999999", HUGE_VAL},
		{"1.8e308", HUGE_VAL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		double number = NAN;
		if (!number_parse(guarded_text(rows[i].text), &number) || !same(number, rows[i].number))
			fail_msg("row %zu: %s read as %.17g", i, rows[i].text, number);
	}
}

static void refuses_what_is_no_number(void **state)
{
	static const char *const rows[] = {
		"",    "-",    "+",   "+1",   ".",    ".5",   "5.",        "-.5",      "1.e5",     "1e",   "1e+",  "1e-",
		"1E",  "e5",   "--1", "-+1",  "01",   "-01",  "00",        "00.5",     "1.2.3",    "1..2", "1,5",  "1_000",
		"1 ",  " 1",   "1 2", "1e5.", "1e5e", "1e 5", "1e++5",     "0x10",     "0b1",      "1f",   "1.0L", "NaN",
		"nan", "-nan", "inf", "-inf", "on",   "٣",    "1\xC2\xA0", "Infinity", "infinity", "1\n",  "\t1",  "-e1"};
	double number;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (number_parse(guarded_text(rows[i]), &number))
			fail_msg("row %zu: \"%s\" read as %.17g", i, rows[i], number);
	}
	assert_false(number_parse(guarded("1\0", 2), &number));
	assert_false(number_parse(guarded("\0", 1), &number));
}

static void bounds_the_length_of_numbers(void **state)
{
	char text[NUMBER_DIGITS_MAX + 2];
	double number;
	(void)state;
	memset(text, '1', sizeof text);
	text[1] = '.';
	assert_true(number_parse(guarded(text, NUMBER_DIGITS_MAX), &number));
	assert_true(number == 10.0 / 9);
	assert_false(number_parse(guarded(text, NUMBER_DIGITS_MAX + 1), &number));
	memset(text, '0', sizeof text);
	text[1] = '.';
	text[NUMBER_DIGITS_MAX - 1] = '5';
	assert_true(number_parse(guarded(text, NUMBER_DIGITS_MAX), &number));
	assert_true(number == 0); /* 5e-510 */
}

/* A random JSON number: up to 11 digits before and 9 behind the point, and perhaps an exponent. */
static size_t random_decimal(uint64_t *seed, char out[static 64])
{
	uint64_t r = random_next(seed);
	size_t len = 0, whole = r % 12, decimals = (r >> 8) % 10;

	if ((r >> 16) % 2)
		out[len++] = '-';
	if (whole == 0)
		out[len++] = '0';
	for (size_t i = 0; i < whole; i++)
		out[len++] = (char)(i == 0 ? '1' + random_next(seed) % 9 : '0' + random_next(seed) % 10);
	if (decimals > 0)
		out[len++] = '.';
	for (size_t i = 0; i < decimals; i++)
		out[len++] = (char)('0' + random_next(seed) % 10);
	if ((r >> 17) % 2)
		len += (size_t)snprintf(out + len, 16, "e%d", (int)((r >> 20) % 61) - 30);
	out[len] = '\0';
	return len;
}

static void reads_random_numbers_as_strtod_does(void **state)
{
	uint64_t seed = 1;
	char text[64];
	double number;
	(void)state;
	for (int i = 0; i < RANDOM_RUNS; i++) {
		size_t len = random_decimal(&seed, text);
		if (!number_parse(guarded(text, len), &number) || !same(number, strtod(text, NULL)))
			fail_msg("%s read as %.17g", text, number);
	}
	/* What sensors send: few digits, few decimals. */
	for (int i = 0; i < RANDOM_RUNS; i++) {
		uint64_t r = random_next(&seed);
		int len = snprintf(text, sizeof text, "%.*f", (int)(r % 7), (double)(int64_t)(r >> 8) / 1e12);
		if (!number_parse(guarded(text, (size_t)len), &number) || !same(number, strtod(text, NULL)))
			fail_msg("%s read as %.17g", text, number);
	}
}

/* Makes a locale with a decimal comma in a folder of its own and takes it. False: this machine cannot. */
static bool take_comma_locale(const char *folder)
{
	char command[256];
	snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
	int made = system(command); /* NOLINT(cert-env33-c): a fixed command */
	return made == 0 && setenv("LOCPATH", folder, 1) == 0 && setlocale(LC_ALL, "de_DE.UTF-8") != NULL &&
	       strcmp(localeconv()->decimal_point, ",") == 0;
}

static void reads_and_prints_alike_in_every_locale(void **state)
{
	char folder[] = "/tmp/value_test_XXXXXX", command[64], text[NUMBER_TEXT_MAX], time[TIME_TEXT_MAX];
	double short_number = 0, long_number = 0, comma;
	(void)state;
	assert_non_null(mkdtemp(folder));
	bool taken = take_comma_locale(folder);
	bool short_read = number_parse(guarded_text("1.5"), &short_number);
	bool long_read = number_parse(guarded_text("1.50000000000000000001"), &long_number);
	bool comma_read = number_parse(guarded_text("1,5"), &comma);
	struct value value = value_of_number(23.5), third = value_of_number(1.0 / 3);
	bool printed = slice_is(value_print(&value, text), "23.5");
	printed = slice_is(value_print(&third, text), "0.3333333333333333") && printed;
	time_print(1500000, time);
	setlocale(LC_ALL, "C");
	unsetenv("LOCPATH");
	snprintf(command, sizeof command, "rm -r %s", folder);
	int removed = system(command); /* NOLINT(cert-env33-c): a fixed command */
	assert_int_equal(removed, 0);
	if (!taken)
		skip();

	assert_true(short_read && short_number == 1.5);
	assert_true(long_read && long_number == 1.5);
	assert_false(comma_read);
	assert_true(printed);
	assert_string_equal(time, "1970-01-01T00:00:01.500000Z");
}

/* ---- values ---- */

static void reads_any_text(void **state)
{
	static const struct {
		const char *text;
		bool is_number;
		double number;
		const char *kept; /* the value's text */
	} rows[] = {
		{"23.5", true, 23.5, ""},
		{" 23.5\r\n", true, 23.5, ""},
		{"-0", true, 0, ""},
		{"on", true, 1, "on"},
		{"true", true, 1, "true"},
		{"open", true, 1, "open"},
		{"off", true, 0, "off"},
		{"false", true, 0, "false"},
		{"closed", true, 0, "closed"},
		{"\topen ", true, 1, "open"},
		{"ON", false, 0, "ON"},
		{"opened", false, 0, "opened"},
		{"ope", false, 0, "ope"},
		{"o n", false, 0, "o n"},
		{"alarm", false, 0, "alarm"},
		{" 문 열림 ", false, 0, "문 열림"},
		{"", false, 0, ""},
		{" \t\r\n", false, 0, ""},
		{"1e999", false, 0, "1e999"},
		{"NaN", false, 0, "NaN"},
		{"1,5", false, 0, "1,5"},
		{"{\"value\":1}", false, 0, "{\"value\":1}"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct value value = value_of_text(guarded_text(rows[i].text));
		if (value.is_number != rows[i].is_number || !slice_is(value.text, rows[i].kept) ||
		    (value.is_number && value.number != rows[i].number))
			fail_msg("row %zu: \"%s\"", i, rows[i].text);
	}
	struct value number = value_of_number(-1.5);
	assert_true(number.is_number && number.number == -1.5 && number.text.len == 0);
}

static void compares_values(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"1", "1", true},
		{"1", "1.0", true},
		{"1", "1e0", true},
		{"100", "1e2", true},
		{"1", "2", false},
		{"0", "-0", true},
		{"0.1", "0.10", true},
		{"0.1", "0.1000000001", false},
		{"on", "on", true},
		{"on", "1", true},
		{"on", "true", true},
		{"on", "open", true},
		{"true", "1.0", true},
		{"off", "0", true},
		{"off", "false", true},
		{"off", "closed", true},
		{"closed", "-0", true},
		{"on", "off", false},
		{"open", "closed", false},
		{"on", "0", false},
		{"open", "2", false},
		{" on ", "on", true},
		{"23.5 ", "\t23.5", true},
		{"alarm", "alarm", true},
		{" alarm\n", "alarm", true},
		{"alarm", "Alarm", false},
		{"alarm", "alarms", false},
		{"a b", "ab", false},
		{"ON", "on", false},
		{"ON", "1", false},
		{"", "", true},
		{"", " ", true},
		{"", "0", false},
		{"", "off", false},
		{"문", "문", true},
		{"문", "열", false},
		{"1e999", "1e999", true},
		{"1e999", "1e998", false},
		{"NaN", "NaN", true},
		{"1,5", "1.5", false},
		{"01", "1", false},
		{"true", "True", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct value a = value_of_text(guarded_at(0, rows[i].a, strlen(rows[i].a)));
		struct value b = value_of_text(guarded_at(1, rows[i].b, strlen(rows[i].b)));
		if (value_equal(&a, &b) != rows[i].equal || value_equal(&b, &a) != rows[i].equal)
			fail_msg("row %zu: \"%s\", \"%s\"", i, rows[i].a, rows[i].b);
	}
}

static void prints_values(void **state)
{
	static const struct {
		double number;
		const char *text;
	} rows[] = {
		{0, "0"},
		{1, "1"},
		{-1, "-1"},
		{23.5, "23.5"},
		{0.1, "0.1"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3, "0.3333333333333333"},
		{100000, "100000"},
		{255, "255"},
		{1e-5, "1e-05"},
		{-40.25, "-40.25"},
		{9007199254740991, "9007199254740991"},
		{DBL_MAX, "1.7976931348623157e+308"},
		{-DBL_MIN, "-2.2250738585072014e-308"},
		{4.9e-324, "5e-324"},
	};
	static const char *const words[] = {"on", "closed", "alarm", "문 열림"};
	char buffer[NUMBER_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct value value = value_of_text(slice_of(words[i]));
		assert_true(slice_is(value_print(&value, buffer), words[i]));
	}
	struct value empty = value_of_text(slice_of(""));
	assert_int_equal(value_print(&empty, buffer).len, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct value value = value_of_number(rows[i].number);
		struct slice text = value_print(&value, buffer);
		if (!slice_is(text, rows[i].text))
			fail_msg("row %zu: %.*s instead of %s", i, (int)text.len, text.ptr, rows[i].text);
	}
}

static size_t significant_digits(struct slice text)
{
	size_t digits = 0, zeros = 0;
	for (size_t i = 0; i < text.len && text.ptr[i] != 'e'; i++) {
		char c = text.ptr[i];
		if (c == '0') {
			zeros += digits > 0;
		} else if (c >= '1' && c <= '9') {
			digits += zeros + 1;
			zeros = 0;
		}
	}
	return digits;
}

/* Prints and reads back; and no rounding of the number to fewer digits would have read back. */
static void expect_round_trip(double number)
{
	char buffer[NUMBER_TEXT_MAX], shorter[48];
	struct value value = value_of_number(number);
	struct slice text = value_print(&value, buffer);
	double back = NAN;
	assert_true(text.len < NUMBER_TEXT_MAX);
	if (!number_parse(guarded(text.ptr, text.len), &back) || !same(back, number))
		fail_msg("%.17g printed as %.*s", number, (int)text.len, text.ptr);
	size_t digits = significant_digits(text);
	if (digits < 2)
		return;
	snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, number);
	if (same(strtod(shorter, NULL), number))
		fail_msg("%.17g printed as %.*s, not %s", number, (int)text.len, text.ptr, shorter);
}

static void prints_what_reads_back(void **state)
{
	uint64_t seed = 2;
	(void)state;
	for (int i = 0; i < RANDOM_RUNS; i++) {
		uint64_t bits = random_next(&seed);
		double any, measured = (double)(int64_t)(bits >> 40) / 1000;
		memcpy(&any, &bits, sizeof any);
		if (isnormal(any))
			expect_round_trip(any);
		expect_round_trip(bits & 1 ? measured : -measured);
	}
}

/* ---- times ---- */

static void reads_times(void **state)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
		{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
		{"2026-11-22T10:00:00.123Z", "2026-11-22T10:00:00.123000Z"},
		{"2026-11-22t10:00:00z", "2026-11-22T10:00:00.000000Z"},
		{"2026-11-22 10:00:00Z", "2026-11-22T10:00:00.000000Z"},
		{"  2026-11-22T10:00:00Z\n", "2026-11-22T10:00:00.000000Z"},
		/* fractions of one to nine decimals, cut behind the sixth */
		{"2026-11-22T10:00:00.1Z", "2026-11-22T10:00:00.100000Z"},
		{"2026-11-22T10:00:00.12Z", "2026-11-22T10:00:00.120000Z"},
		{"2026-11-22T10:00:00.1234Z", "2026-11-22T10:00:00.123400Z"},
		{"2026-11-22T10:00:00.12345Z", "2026-11-22T10:00:00.123450Z"},
		{"2026-11-22T10:00:00.123456Z", "2026-11-22T10:00:00.123456Z"},
		{"2026-11-22T10:00:00.1234569Z", "2026-11-22T10:00:00.123456Z"},
		{"2026-11-22T10:00:00.12345699Z", "2026-11-22T10:00:00.123456Z"},
		{"2026-11-22T10:00:00.999999999Z", "2026-11-22T10:00:00.999999Z"},
		{"2026-11-22T10:00:00.000000001Z", "2026-11-22T10:00:00.000000Z"},
		{"2026-11-22T10:00:00,5Z", "2026-11-22T10:00:00.500000Z"},
		/* zones */
		{"2026-11-22T10:00:00+00:00", "2026-11-22T10:00:00.000000Z"},
		{"2026-11-22T10:00:00-00:00", "2026-11-22T10:00:00.000000Z"},
		{"2026-11-22T19:00:00+09:00", "2026-11-22T10:00:00.000000Z"},
		{"2026-11-22T04:30:00.5-05:30", "2026-11-22T10:00:00.500000Z"},
		{"2026-01-01T00:00:00+05:45", "2025-12-31T18:15:00.000000Z"},
		{"2026-12-31T23:59:59-00:01", "2027-01-01T00:00:59.000000Z"},
		{"2026-11-22T10:00:00+23:59", "2026-11-21T10:01:00.000000Z"},
		{"1970-01-01T00:00:00+09:00", "1969-12-31T15:00:00.000000Z"},
		/* leap years and leap seconds */
		{"2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"},
		{"2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000000Z"},
		{"2400-02-29T00:00:00Z", "2400-02-29T00:00:00.000000Z"},
		{"2024-02-29T23:59:59-00:01", "2024-03-01T00:00:59.000000Z"},
		{"2023-03-01T00:00:00+00:01", "2023-02-28T23:59:00.000000Z"},
		{"2024-03-01T00:00:00+00:01", "2024-02-29T23:59:00.000000Z"},
		{"2100-03-01T00:00:00+00:01", "2100-02-28T23:59:00.000000Z"},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"},
		{"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
	};
	char printed[TIME_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t time_us;
		if (!time_parse(guarded_text(rows[i].text), &time_us))
			fail_msg("row %zu: %s", i, rows[i].text);
		assert_string_equal(time_print(time_us, printed), rows[i].printed);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const rows[] = {
		"",
		"now",
		"1795341600",
		"2026-11-22",
		"2026-11-22T10:00:00", /* no zone: whose time is it? */
		"2026-11-22T10:00:00.5",
		"10:00:00Z",
		"2026-00-22T10:00:00Z",
		"2026-13-22T10:00:00Z",
		"2026-11-00T10:00:00Z",
		"2026-11-31T10:00:00Z",
		"2026-01-32T10:00:00Z",
		"2026-02-29T10:00:00Z",
		"2024-02-30T10:00:00Z",
		"2100-02-29T10:00:00Z",
		"1900-02-28T10:00:00Z",
		"1969-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z",
		"2026-11-22T24:00:00Z",
		"2026-11-22T10:60:00Z",
		"2026-11-22T10:00:61Z",
		"2026-11-22T10:00:00.Z",
		"2026-11-22T10:00:00.1234567890Z",
		"2026-11-22T10:00:00.-1Z",
		"2026-11-22T10:00:00.1.2Z",
		"2026-11-22T10:00:00ZZ",
		"2026-11-22T10:00:00Z+00:00",
		"2026-11-22T10:00:00+0900",
		"2026-11-22T10:00:00+09",
		"2026-11-22T10:00:00+9:00",
		"2026-11-22T10:00:00+24:00",
		"2026-11-22T10:00:00+09:60",
		"2026-11-22T10:00:00+09:00Z",
		"2026-11-22T10:00:00 +09:00",
		"2026-11-22T10:00:00 Z",
		"2026-11-22_10:00:00Z",
		"2026-11-2210:00:00Z",
		"2026/11/22T10:00:00Z",
		"26-11-22T10:00:00Z",
		"20261122T100000Z",
		"+2026-11-22T10:00:00Z",
		"-2026-11-22T10:00:00Z",
		"12026-11-22T10:00:00Z",
		"2026-1-22T10:00:00Z",
		"2026-11-2T10:00:00Z",
		"2026-11-22T1:00:00Z",
		"2026-11-22T10:0:00Z",
		"2026-11-22T10:00:0Z",
		"2026-11-22T10.00.00Z",
		"2026-11-22T10:00:00x",
		"2O26-11-22T10:00:00Z",
		" - - T : : Z",
	};
	static const char whole[] = "2026-11-22T10:00:00.123456789+09:00";
	int64_t time_us;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (time_parse(guarded_text(rows[i]), &time_us))
			fail_msg("row %zu: \"%s\"", i, rows[i]);
	}
	assert_false(time_parse(guarded("2026-11-22T10:00:00Z\0", 21), &time_us));
	assert_false(time_parse(guarded("2026-11-22\00010:00:00Z", 20), &time_us));
	assert_false(time_parse(guarded("2026-11-22T10:00:00\0", 20), &time_us));
	for (size_t len = 0; len < sizeof whole - 1; len++)
		assert_false(time_parse(guarded(whole, len), &time_us));
	assert_true(time_parse(guarded(whole, sizeof whole - 1), &time_us));
}

static void knows_every_day(void **state)
{
	char text[80];
	struct tm tm;
	int64_t time_us;
	(void)state;
	for (time_t day = 0; day < (time_t)530 * 366; day++) {
		time_t noon = day * 86400 + 43200;
		gmtime_r(&noon, &tm);
		int len = snprintf(text, sizeof text, "%04d-%02d-%02dT12:00:00Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
		if (!time_parse(guarded(text, (size_t)len), &time_us) || time_us != day * DAY_US + DAY_US / 2)
			fail_msg("%s", text);
	}
}

static void prints_times_that_read_back(void **state)
{
	static const int64_t end = INT64_C(253402300800) * 1000000; /* year 10000 */
	uint64_t seed = 3;
	char text[TIME_TEXT_MAX];
	(void)state;
	for (int i = 0; i < RANDOM_RUNS; i++) {
		int64_t time_us = (int64_t)(random_next(&seed) % (uint64_t)end), back = -1;
		time_print(time_us, text);
		assert_int_equal(strlen(text), 27);
		if (!time_parse(guarded_text(text), &back) || back != time_us)
			fail_msg("%lld printed as %s", (long long)time_us, text);
	}
}

static void prints_times_of_all_four_digit_years(void **state)
{
	static const struct {
		int64_t time_us;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{1, "1970-01-01T00:00:00.000001Z"},
		{-1, "1969-12-31T23:59:59.999999Z"},
		{-1000000, "1969-12-31T23:59:59.000000Z"},
		{-1000001, "1969-12-31T23:59:58.999999Z"},
		{INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
		{INT64_C(-30610224000000000), "1000-01-01T00:00:00.000000Z"},
		{INT64_C(-30610224000000001), "0999-12-31T23:59:59.999999Z"},
		{INT64_C(-62167219200000000), "0000-01-01T00:00:00.000000Z"},
	};
	char text[TIME_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(time_print(rows[i].time_us, text), rows[i].text);
	/* Beyond them nothing is promised but that the buffer holds. */
	time_print(INT64_MAX, text);
	assert_true(memchr(text, '\0', sizeof text) != NULL);
	time_print(INT64_MIN, text);
	assert_true(memchr(text, '\0', sizeof text) != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(refuses_what_is_no_number),
		cmocka_unit_test(bounds_the_length_of_numbers),
		cmocka_unit_test(reads_random_numbers_as_strtod_does),
		cmocka_unit_test(reads_and_prints_alike_in_every_locale),
		cmocka_unit_test(reads_any_text),
		cmocka_unit_test(compares_values),
		cmocka_unit_test(prints_values),
		cmocka_unit_test(prints_what_reads_back),
		cmocka_unit_test(reads_times),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(knows_every_day),
		cmocka_unit_test(prints_times_that_read_back),
		cmocka_unit_test(prints_times_of_all_four_digit_years),
	};
	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
