/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * text: see text.h.
 */
#include "text.h"

#include "flash.h"

/* Counts what comes. */
struct counter {
	struct sink sink;
	uint16_t count;
};

static void counter_put(struct sink *sink, uint8_t byte)
{
	struct counter *counter = (struct counter *)(void *)sink; /* its first member */

	(void)byte;
	counter->count++;
}

uint16_t text_length(const struct text_source *source)
{
	struct counter counter = {{counter_put}, 0};
	source->write(&counter.sink, source->context);
	return counter.count;
}

void text_put(struct sink *sink, uint8_t byte)
{
	sink->put(sink, byte);
}

void text_string(struct sink *sink, const char *string)
{
	while (*string != '\0')
		text_put(sink, (uint8_t)*string++);
}

void text_flash(struct sink *sink, const char *string)
{
	for (uint8_t byte; (byte = pgm_read_byte(string)) != '\0'; string++)
		text_put(sink, byte);
}

/* With `tenths` the last digit goes behind a point, and is left out if it is a 0. */
static void put_number(struct sink *sink, uint32_t number, bool tenths)
{
	char digits[13];
	char *at = digits + sizeof digits - 1;

	*at = '\0';
	for (;; tenths = false) {
		uint8_t digit = 0;

		/* Divides by ten, bit by bit: that takes less than a division by any number. */
		for (uint8_t bit = 32; bit > 0; bit--) {
			digit = (uint8_t)(digit << 1);
			if (number & UINT32_C(0x80000000))
				digit++;
			number <<= 1;
			if (digit >= 10) {
				digit = (uint8_t)(digit - 10);
				number |= 1;
			}
		}
		if (!tenths || digit != 0)
			*--at = (char)('0' + digit);
		if (!tenths && number == 0)
			break;
		if (tenths && digit != 0)
			*--at = '.';
	}
	text_string(sink, at);
}

void text_unsigned(struct sink *sink, uint32_t number)
{
	put_number(sink, number, false);
}

__attribute__((noinline)) static void put_signed(struct sink *sink, int16_t number, bool tenths)
{
	uint16_t size = (uint16_t)number;

	if (number < 0) {
		text_put(sink, '-');
		size = (uint16_t)(0u - size);
	}
	put_number(sink, size, tenths);
}

void text_signed(struct sink *sink, int16_t number)
{
	put_signed(sink, number, false);
}

void text_tenths(struct sink *sink, int16_t tenths)
{
	put_signed(sink, tenths, true);
}

/* With `tenths` as tenths: of the digit behind the point, or of a 0. */
static bool parse(const char *text, uint8_t length, bool tenths, uint16_t *number)
{
	uint16_t sum = 0;

	if (length == 0 || *text == '.')
		return false;
	for (; length > 0 || tenths; text++) {
		uint8_t digit = 0;
		uint16_t more;

		if (length == 0) {
			tenths = false;
		} else {
			digit = (uint8_t)(*text - '0');
			length--;
			if (digit == (uint8_t)('.' - '0') && tenths && length == 1) {
				tenths = false;
				continue;
			}
		}
		more = (uint16_t)(sum * 10 + digit);
		/* 6553 × 10 and a 6 wrap to 0. */
		if (digit > 9 || sum > UINT16_MAX / 10 || more < digit)
			return false;
		sum = more;
	}
	*number = sum;
	return true;
}

static bool parse_signed(const char *text, uint8_t length, bool tenths, int16_t *number)
{
	bool negative = length > 0 && text[0] == '-';
	uint16_t size;

	if (!parse(text + negative, (uint8_t)(length - negative), tenths, &size) || size > INT16_MAX)
		return false;
	*number = (int16_t)(negative ? -(int16_t)size : (int16_t)size);
	return true;
}

bool text_parse(const char *text, uint8_t length, int16_t *number)
{
	return parse_signed(text, length, false, number);
}

bool text_parse_unsigned(const char *text, uint8_t length, uint16_t *number)
{
	return parse(text, length, false, number);
}

bool text_parse_tenths(const char *text, uint8_t length, int16_t *tenths)
{
	return parse_signed(text, length, true, tenths);
}
