/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * value: see value.h.
 *
 * Numbers are read on the broker's thread for every message, so the usual ones (up to 15 digits, a small exponent) are
 * computed with one exact division or multiplication (W. D. Clinger, "How to Read Floating Point Numbers Accurately",
 * 1990, fast path); the rest goes to strtod.
 */
#include "value.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *word;
	double number;
} words[] = {
	{"on", 1}, {"true", 1}, {"open", 1}, {"off", 0}, {"false", 0}, {"closed", 0},
};

/* Numbers have a point whatever the process' own locale says. */
static locale_t plain;

__attribute__((constructor)) static void plain_make(void)
{
	plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

__attribute__((destructor)) static void plain_free(void)
{
	if (plain != (locale_t)0)
		freelocale(plain);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number's decimal digits and exponent; false if the text is no JSON number. */
struct decimal {
	uint64_t digits; /* the first 19 significant ones */
	int count;       /* how many significant digits there were */
	int exponent;    /* of ten, if count <= 19 */
	bool negative;
};

static bool decimal_scan(struct slice text, struct decimal *out)
{
	const char *p = text.ptr, *end = text.ptr + text.len;
	struct decimal d = {0};

	if (p < end && *p == '-') {
		d.negative = true;
		p++;
	}
	if (p == end || !is_digit(*p) || (*p == '0' && p + 1 < end && is_digit(p[1])))
		return false;
	int fraction = 0;
	for (bool point = false; p < end; p++) {
		if (*p == '.' && !point) {
			point = true;
			if (p + 1 == end || !is_digit(p[1]))
				return false;
			continue;
		}
		if (!is_digit(*p))
			break;
		if (d.count > 0 || *p != '0')
			d.count++;
		if (d.count <= 19)
			d.digits = d.digits * 10 + (uint64_t)(*p - '0');
		fraction += point;
	}
	int exponent = 0;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		bool minus = p < end && *p == '-';
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		if (p == end || !is_digit(*p))
			return false;
		for (; p < end && is_digit(*p); p++)
			exponent = exponent < 100000 ? exponent * 10 + (*p - '0') : exponent;
		if (minus)
			exponent = -exponent;
	}
	d.exponent = exponent - fraction;
	*out = d;
	return p == end;
}

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The form of nearly every reading: at most 15 characters of digits with one point or none. False: anything else. */
static bool short_number(struct slice text, double *out)
{
	const char *p = text.ptr, *end = text.ptr + text.len, *point = end - 1;
	bool negative = *p == '-';
	uint64_t digits = 0;

	p += negative;
	if (end - p < 1 || end - p > 15 || !is_digit(*p) || (*p == '0' && end - p > 1 && p[1] != '.'))
		return false;
	for (; p < end; p++) {
		unsigned digit = (unsigned)(unsigned char)*p - '0';
		if (digit <= 9)
			digits = digits * 10 + digit;
		else if (*p == '.' && point == end - 1 && p != point)
			point = p;
		else
			return false;
	}
	double number = (double)digits / powers[end - 1 - point];
	*out = negative ? -number : number;
	return true;
}

bool number_parse(struct slice text, double *out)
{
	struct decimal d;

	if (text.len == 0 || text.len > NUMBER_DIGITS_MAX)
		return false;
	if (short_number(text, out))
		return true;
	if (!decimal_scan(text, &d))
		return false;
	if (d.count <= 15 && d.exponent >= -22 && d.exponent <= 22) {
		double number = (double)d.digits;
		number = d.exponent < 0 ? number / powers[-d.exponent] : number * powers[d.exponent];
		*out = d.negative ? -number : number;
		return true;
	}
	/* The grammar is checked: strtod reads exactly these bytes. */
	char buffer[NUMBER_DIGITS_MAX + 1];
	memcpy(buffer, text.ptr, text.len);
	buffer[text.len] = '\0';
	*out = plain != (locale_t)0 ? strtod_l(buffer, NULL, plain) : strtod(buffer, NULL);
	return true;
}

struct value value_of_number(double number)
{
	return (struct value){.number = number, .is_number = true};
}

struct value value_of_text(struct slice text)
{
	text = slice_trim(text);
	struct value value = {0};
	if (number_parse(text, &value.number) && isfinite(value.number)) {
		value.is_number = true;
		return value;
	}
	value = (struct value){.text = text};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (slice_is(text, words[i].word)) {
			value.number = words[i].number;
			value.is_number = true;
			break;
		}
	}
	return value;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->is_number && b->is_number)
		return a->number == b->number;
	if (a->is_number != b->is_number)
		return false;
	return slice_equal(a->text, b->text);
}

struct slice value_print(const struct value *value, char buffer[static NUMBER_TEXT_MAX])
{
	if (value->text.len > 0 || !value->is_number)
		return value->text;
	int len = 0;
	locale_t before = uselocale(plain);
	/* Below the normal range a number has fewer digits than 15. */
	for (int digits = isnormal(value->number) ? 15 : 1; digits <= 17; digits++) {
		len = snprintf(buffer, NUMBER_TEXT_MAX, "%.*g", digits, value->number);
		if (strtod(buffer, NULL) == value->number)
			break;
	}
	uselocale(before);
	return (struct slice){buffer, (size_t)len};
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, counting years from March so that the leap day
 * comes last (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static int64_t days_from_date(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/* Reads exactly `count` digits at *at and moves on; −1 if they are not there. */
static int take_digits(struct slice *at, size_t count)
{
	int number = 0;
	if (at->len < count)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(at->ptr[i]))
			return -1;
		number = number * 10 + (at->ptr[i] - '0');
	}
	at->ptr += count;
	at->len -= count;
	return number;
}

static bool take_char(struct slice *at, const char *any_of)
{
	if (at->len == 0 || at->ptr[0] == '\0' || strchr(any_of, at->ptr[0]) == NULL)
		return false;
	at->ptr++;
	at->len--;
	return true;
}

/* The decimals of a second as microseconds, cut behind the sixth; −1 if there are none or more than nine. */
static int64_t take_fraction(struct slice *at)
{
	int64_t fraction = 0;
	int digits = 0;
	for (; at->len > 0 && is_digit(at->ptr[0]); digits++, at->ptr++, at->len--) {
		if (digits < 6)
			fraction = fraction * 10 + (at->ptr[0] - '0');
	}
	for (int i = digits; i < 6; i++)
		fraction *= 10;
	return digits >= 1 && digits <= 9 ? fraction : -1;
}

/* 'Z' or ±hh:mm as seconds east of UTC; false if it is neither. */
static bool take_zone(struct slice *at, int64_t *out_seconds)
{
	*out_seconds = 0;
	if (take_char(at, "Zz"))
		return true;
	bool west = at->len > 0 && at->ptr[0] == '-';
	if (!take_char(at, "+-"))
		return false;
	int hours = take_digits(at, 2);
	if (hours < 0 || hours > 23 || !take_char(at, ":"))
		return false;
	int minutes = take_digits(at, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	*out_seconds = (int64_t)(hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

bool time_parse(struct slice text, int64_t *out_us)
{
	struct slice at = slice_trim(text);
	int year = take_digits(&at, 4);
	if (year < 1970 || !take_char(&at, "-"))
		return false;
	int month = take_digits(&at, 2);
	if (month < 1 || month > 12 || !take_char(&at, "-"))
		return false;
	int day = take_digits(&at, 2);
	if (day < 1 || day > days_in_month(year, month) || !take_char(&at, "Tt "))
		return false;
	int hour = take_digits(&at, 2);
	if (hour < 0 || hour > 23 || !take_char(&at, ":"))
		return false;
	int minute = take_digits(&at, 2);
	if (minute < 0 || minute > 59 || !take_char(&at, ":"))
		return false;
	int second = take_digits(&at, 2);
	if (second < 0 || second > 60)
		return false;
	int64_t fraction = take_char(&at, ".,") ? take_fraction(&at) : 0;
	int64_t zone;
	if (fraction < 0 || !take_zone(&at, &zone) || at.len != 0)
		return false;
	int64_t seconds =
		days_from_date(year, month, day) * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 + second - zone;
	*out_us = seconds * 1000000 + fraction;
	return true;
}

char *time_print(int64_t time_us, char buffer[static TIME_TEXT_MAX])
{
	int64_t seconds = time_us / 1000000, fraction = time_us % 1000000;
	if (fraction < 0) {
		fraction += 1000000;
		seconds--;
	}
	time_t clock = (time_t)seconds;
	struct tm tm;
	buffer[0] = '\0';
	if (gmtime_r(&clock, &tm) == NULL)
		return buffer;
	/* strftime pads no year. */
	size_t len = (size_t)snprintf(buffer, TIME_TEXT_MAX, "%04d", tm.tm_year + 1900);
	len += strftime(buffer + len, TIME_TEXT_MAX - len, "-%m-%dT%H:%M:%S", &tm);
	snprintf(buffer + len, TIME_TEXT_MAX - len, ".%06dZ", (int)fraction);
	return buffer;
}
