/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wire_test: the escapes of the SPI wire, both ways. The wanted bytes are those of the table in wire.h.
 */
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OUT_MAX 64

/* What `raw` makes, fed in two reads, the second to a copy of the struct: bytes as they are, a wanted sync as 'S' << 8. */
static size_t feed(struct wire *wire, const uint8_t *raw, size_t count, size_t split, uint16_t out[OUT_MAX])
{
	struct wire first = *wire;
	struct wire second = {0};
	size_t made = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t byte = 0xEE;
		if (i == split) {
			second = first;
			memset(&first, 1, sizeof first);
		}
		switch (wire_feed(i < split ? &first : &second, raw[i], &byte)) {
		case WIRE_BYTE:
			out[made++] = byte;
			break;
		case WIRE_SYNC_WANTED:
			out[made++] = 'S' << 8;
			break;
		default:
			assert_int_equal(byte, 0xEE);
		}
	}
	*wire = split < count ? second : first;
	return made;
}

static void what_comes_is_what_the_table_says(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		uint8_t raw[12];
		uint16_t wanted[8];
		uint8_t count, wanted_count;
		bool escaped, paused;
	} cases[] = {
		{"plain bytes", {'[', 'O', 'K', ']', 0x00, 0xFF}, {'[', 'O', 'K', ']', 0x00, 0xFF}, 6, 6, false, false},
		{"nulls are nothing", {0xF0, 'a', 0xF0, 0xF0, 'b', 0xF0}, {'a', 'b'}, 6, 2, false, false},
		{"a literal F0", {0xF1, 0x00}, {0xF0}, 2, 1, false, false},
		{"a literal F1", {0xF1, 0x01}, {0xF1}, 2, 1, false, false},
		{"sync between bytes", {'a', 0xF1, 0x02, 'b'}, {'a', 'S' << 8, 'b'}, 4, 3, false, false},
		{"XOFF", {'a', 0xF1, 0x04, 'b'}, {'a', 'b'}, 4, 2, false, true},
		{"XOFF, XON", {0xF1, 0x04, 'a', 0xF1, 0x03, 'b'}, {'a', 'b'}, 6, 2, false, false},
		{"XON unasked", {0xF1, 0x03, 'a'}, {'a'}, 3, 1, false, false},
		{"XOFF twice, XON once", {0xF1, 0x04, 0xF1, 0x04, 0xF1, 0x03}, {0}, 6, 0, false, false},
		{"the codes alone are bytes", {0x00, 0x01, 0x02, 0x03, 0x04}, {0, 1, 2, 3, 4}, 5, 5, false, false},
		{"half an escape", {'a', 0xF1}, {'a'}, 2, 1, true, false},
		{"a null within an escape", {0xF1, 0xF0, 0xF0, 0x00, 'a'}, {0xF0, 'a'}, 5, 2, false, false},
		{"an escape begun twice", {0xF1, 0xF1, 0x01, 'a'}, {0xF1, 'a'}, 4, 2, false, false},
		{"an unknown escape", {0xF1, 0x05, 'a', 0xF1, 'z', 'b'}, {'a', 'b'}, 6, 2, false, false},
		{"only XON ends XOFF",
	     {0xF1, 0x04, 'a', 0xF0, 0xF1, 0x00, 0xF1, 0x02, 0xF1, 0x05},
	     {'a', 0xF0, 'S' << 8},
	     10,
	     3,
	     false,
	     true},
		{"an unknown escape of FF", {0xF1, 0xFF, 0xF1, 0x00, 'a'}, {0xF0, 'a'}, 5, 2, false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t split = 0; split <= cases[i].count; split++) {
			struct wire wire = {0};
			uint16_t out[OUT_MAX] = {0};
			const size_t made = feed(&wire, cases[i].raw, cases[i].count, split, out);
			if (made != cases[i].wanted_count || memcmp(out, cases[i].wanted, made * sizeof *out) != 0 ||
			    wire.escaped != cases[i].escaped || wire.paused != cases[i].paused)
				fail_msg("%s, split at %zu", cases[i].what, split);
		}
}

static void what_goes_is_escaped(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte <= 0xFF; byte++) {
		uint8_t raw = (uint8_t)byte;
		if (byte == 0xF0 || byte == 0xF1) {
			assert_true(wire_escape(&raw));
			assert_int_equal(raw, byte == 0xF0 ? 0x00 : 0x01);
		} else {
			assert_false(wire_escape(&raw));
			assert_int_equal(raw, byte);
		}
	}
}

/* Puts the one or two raw bytes for a byte, and returns how many. */
static size_t put(uint8_t *raw, uint8_t byte)
{
	const bool escaped = wire_escape(&byte);

	raw[0] = WIRE_ESCAPE;
	raw[escaped] = byte;
	return (size_t)escaped + 1;
}

/* All pairs of bytes, with nulls around them as a full-duplex wire has them, paused or not. */
static void what_goes_comes_back(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair <= 0xFFFF; pair++) {
		const bool paused = pair % 3 == 0;
		struct wire wire = {.paused = paused};
		uint8_t raw[8];
		uint16_t out[OUT_MAX] = {0};
		size_t count = 0;
		count += put(raw + count, (uint8_t)(pair >> 8));
		raw[count++] = WIRE_NULL;
		count += put(raw + count, (uint8_t)pair);
		raw[count++] = WIRE_NULL;
		assert_int_equal(feed(&wire, raw, count, pair % 5, out), 2);
		assert_int_equal(out[0], pair >> 8);
		assert_int_equal(out[1], pair & 0xFF);
		assert_int_equal(wire.paused, paused);
		assert_false(wire.escaped);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_is_what_the_table_says),
		cmocka_unit_test(what_goes_is_escaped),
		cmocka_unit_test(what_goes_comes_back),
	};
	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
