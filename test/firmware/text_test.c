/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * text_test: numbers to text and back over their whole range, what is no number, and how long a text is.
 *
 * What is parsed ends at an unreadable page: one byte read too far ends the test.
 */
#include "text.h"

#include "flash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- a sink that keeps what comes ---- */

struct page {
	struct sink sink;
	size_t length;
	char text[128];
};

static void page_put(struct sink *sink, uint8_t byte)
{
	struct page *page = (struct page *)sink;

	assert_true(page->length + 1 < sizeof page->text);
	page->text[page->length++] = (char)byte;
	page->text[page->length] = '\0';
}

static struct page new_page(void)
{
	return (struct page){.sink = {page_put}};
}

/* ---- strings ---- */

static void strings_are_written_as_they_are(void **state)
{
	static const char in_flash[] FLASH = "flash";
	struct page page = new_page();

	(void)state;
	text_string(&page.sink, "");
	text_flash(&page.sink, FLASH_TEXT(""));
	assert_int_equal(page.length, 0);

	text_put(&page.sink, 0xFF);
	text_put(&page.sink, 0x00);
	text_string(&page.sink, "거실");
	text_flash(&page.sink, in_flash);
	assert_int_equal(page.length, 1 + 1 + 6 + 5);
	assert_memory_equal(page.text, "\xFF\0거실flash", page.length);
}

/* ---- numbers out ---- */

static void assert_unsigned(uint32_t number)
{
	struct page page = new_page();
	char wanted[16];

	snprintf(wanted, sizeof wanted, "%u", number);
	text_unsigned(&page.sink, number);
	assert_string_equal(page.text, wanted);
}

static void assert_signed(int16_t number)
{
	struct page page = new_page();
	char wanted[16];

	snprintf(wanted, sizeof wanted, "%d", number);
	text_signed(&page.sink, number);
	assert_string_equal(page.text, wanted);
}

static void whole_numbers_are_written(void **state)
{
	(void)state;
	for (int number = INT16_MIN; number <= INT16_MAX; number++)
		assert_signed((int16_t)number);
	for (uint32_t number = 0; number <= UINT16_MAX; number++)
		assert_unsigned(number);
	for (uint32_t power = 1; power <= 1000000000; power *= 10) {
		for (uint32_t number = power - 1; number <= power + 1; number++)
			assert_unsigned(number);
		if (power == 1000000000)
			break;
	}
	assert_unsigned(UINT32_MAX);
	assert_unsigned((uint32_t)INT32_MAX + 1);
}

static void tenths_are_written_without_needless_digits(void **state)
{
	(void)state;
	for (int tenths = INT16_MIN; tenths <= INT16_MAX; tenths++) {
		struct page page = new_page();
		char wanted[16];

		snprintf(wanted, sizeof wanted, "%.1f", tenths / 10.0);
		if (tenths % 10 == 0)
			wanted[strlen(wanted) - 2] = '\0';
		text_tenths(&page.sink, (int16_t)tenths);
		assert_string_equal(page.text, wanted);
	}
}

/* ---- numbers in ---- */

static char *page_end;

static int map_pages(void **state)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (pages == MAP_FAILED || mprotect(pages + size, size, PROT_NONE) != 0)
		return -1;
	page_end = pages + size;
	return 0;
}

static int unmap_pages(void **state)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	return munmap(page_end - size, 2 * size);
}

/* A copy of a text, whose end is the end of what can be read. */
static const char *at_page_end(const char *text, size_t length)
{
	char *copy = page_end - length;

	assert_true(length <= UINT8_MAX);
	memcpy(copy, text, length);
	return copy;
}

enum form { WHOLE, UNSIGNED, IN_TENTHS, FORMS };

/* What stays in the number if nothing was parsed. */
#define UNTOUCHED 12321

static bool parse(enum form form, const char *text, size_t size, long *number)
{
	const char *copy = at_page_end(text, size);
	uint8_t length = (uint8_t)size;
	uint16_t natural = UNTOUCHED;
	int16_t integer = UNTOUCHED;
	bool good;

	if (form == UNSIGNED)
		good = text_parse_unsigned(copy, length, &natural);
	else
		good = form == WHOLE ? text_parse(copy, length, &integer) : text_parse_tenths(copy, length, &integer);
	*number = form == UNSIGNED ? natural : integer;
	return good;
}

/* The same by other means, for a text without NULs. */
static bool is_number(enum form form, const char *text, long *number)
{
	static const char digits[] = "0123456789";
	bool negative = *text == '-' && form != UNSIGNED;
	const char *at = text + negative;
	size_t whole = strspn(at, digits);

	at += whole;
	if (form == IN_TENTHS && whole > 0 && *at == '.' && strspn(at + 1, digits) == 1)
		at += 2;
	if (whole == 0 || *at != '\0')
		return false;
	double value = strtod(text + negative, NULL) * (form == IN_TENTHS ? 10 : 1);
	if (value > (form == UNSIGNED ? UINT16_MAX : INT16_MAX))
		return false;
	*number = (long)(value + 0.5);
	if (negative)
		*number = -*number;
	return true;
}

static void assert_parsed(const char *text)
{
	for (enum form form = WHOLE; form < FORMS; form++) {
		long wanted = UNTOUCHED, got;
		bool is = is_number(form, text, &wanted);

		if (parse(form, text, strlen(text), &got) != is || got != wanted)
			fail_msg("\"%s\" as form %d: %ld for %ld", text, (int)form, got, wanted);
	}
}

static void every_number_is_parsed(void **state)
{
	char text[16];

	(void)state;
	for (int number = -70000; number <= 70000; number++) {
		snprintf(text, sizeof text, "%d", number);
		assert_parsed(text);
		snprintf(text, sizeof text, "%s%d.%d", number < 0 ? "-" : "", abs(number) / 10, abs(number) % 10);
		assert_parsed(text);
	}
}

static void every_short_text_is_a_number_or_not(void **state)
{
	static const char alphabet[] = "0379.-+ ";
	const size_t letters = sizeof alphabet - 1;

	(void)state;
	for (size_t length = 0, texts = 1; length <= 5; length++, texts *= letters) {
		for (size_t n = 0; n < texts; n++) {
			char text[8] = "";
			for (size_t i = 0, left = n; i < length; i++, left /= letters)
				text[i] = alphabet[left % letters];
			assert_parsed(text);
		}
	}
}

static void bounds_and_odd_texts(void **state)
{
	/* By hand, in case the other means are wrong. */
	static const struct {
		const char *text;
		long number;
		enum form form;
		bool good;
	} cases[] = {
		{"32767", 32767, WHOLE, true},
		{"-32767", -32767, WHOLE, true},
		{"32768", 0, WHOLE, false},
		{"-32768", 0, WHOLE, false},
		{"-0", 0, WHOLE, true},
		{"-", 0, WHOLE, false},
		{"", 0, WHOLE, false},
		{"--1", 0, WHOLE, false},
		{"1.0", 0, WHOLE, false},
		{"1 ", 0, WHOLE, false},
		{"/", 0, WHOLE, false},
		{":", 0, WHOLE, false},
		{"99999999999999999999", 0, WHOLE, false},
		{"4294967297", 0, WHOLE, false},
		{"65535", 65535, UNSIGNED, true},
		{"65536", 0, UNSIGNED, false},
		{"-1", 0, UNSIGNED, false},
		{"0x10", 0, UNSIGNED, false},
		{"23.5", 235, IN_TENTHS, true},
		{"23", 230, IN_TENTHS, true},
		{"-0.1", -1, IN_TENTHS, true},
		{"3276.7", 32767, IN_TENTHS, true},
		{"-3276.7", -32767, IN_TENTHS, true},
		{"3276.8", 0, IN_TENTHS, false},
		{"3277", 0, IN_TENTHS, false},
		{"32767", 0, IN_TENTHS, false},
		{"23.", 0, IN_TENTHS, false},
		{".5", 0, IN_TENTHS, false},
		{"-.5", 0, IN_TENTHS, false},
		{"23.50", 0, IN_TENTHS, false},
		{"2.3.5", 0, IN_TENTHS, false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		long got, wanted = cases[i].good ? cases[i].number : UNTOUCHED;
		if (parse(cases[i].form, cases[i].text, strlen(cases[i].text), &got) != cases[i].good || got != wanted)
			fail_msg("\"%s\" as form %d: %ld", cases[i].text, (int)cases[i].form, got);
	}
}

static void zeros_in_front_and_nuls(void **state)
{
	char zeros[UINT8_MAX];
	long got;

	(void)state;
	memset(zeros, '0', sizeof zeros);
	zeros[sizeof zeros - 1] = '7';
	assert_true(parse(WHOLE, zeros, sizeof zeros, &got));
	assert_int_equal(got, 7);
	assert_true(parse(IN_TENTHS, zeros, sizeof zeros, &got));
	assert_int_equal(got, 70);
	memset(zeros, '9', sizeof zeros); /* no number of digits wraps to something that fits */
	for (size_t length = 6; length <= sizeof zeros; length++)
		for (enum form form = WHOLE; form < FORMS; form++)
			assert_false(parse(form, zeros, length, &got));
	assert_false(parse(WHOLE, "12\0", 3, &got));
	assert_false(parse(UNSIGNED, "\0", 1, &got));
	assert_true(parse(WHOLE, "1234", 2, &got)); /* only what the length says */
	assert_int_equal(got, 12);
}

/* ---- sources ---- */

static void write_many(struct sink *sink, const void *context)
{
	const uint16_t *count = context;

	for (uint16_t i = 0; i < *count; i++)
		text_put(sink, (uint8_t)i);
}

static void lengths_are_counted(void **state)
{
	static const uint16_t lengths[] = {0, 1, 127, 128, 255, 256, 1000, 32767, 32768, UINT16_MAX};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		const struct text_source source = {write_many, &lengths[i]};
		assert_int_equal(text_length(&source), lengths[i]);
		assert_int_equal(text_length(&source), lengths[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_written_as_they_are),
		cmocka_unit_test(whole_numbers_are_written),
		cmocka_unit_test(tenths_are_written_without_needless_digits),
		cmocka_unit_test(every_number_is_parsed),
		cmocka_unit_test(every_short_text_is_a_number_or_not),
		cmocka_unit_test(bounds_and_odd_texts),
		cmocka_unit_test(zeros_in_front_and_nuls),
		cmocka_unit_test(lengths_are_counted),
	};
	return cmocka_run_group_tests_name("text", tests, map_pages, unmap_pages);
}
