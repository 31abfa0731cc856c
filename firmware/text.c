/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * text: see text.h.
 */
#include "text.h"

#include "flash.h"

static void window_put(struct sink *sink, uint8_t byte)
{
	struct text_window *window = (struct text_window *)(void *)sink; /* its first member */
	uint16_t at = window->seen++;

	if (window->to != NULL && at >= window->from && (uint16_t)(at - window->from) < window->count)
		window->to->put(window->to, byte);
}

struct text_window text_window(struct sink *to, uint16_t from, uint16_t count)
{
	return (struct text_window){.sink = {window_put}, .to = to, .from = from, .count = count};
}

uint16_t text_length(const struct text_source *source)
{
	struct text_window counter = text_window(NULL, 0, 0);
	source->write(&counter.sink, source->context);
	return counter.seen;
}

void text_put(struct sink *sink, uint8_t byte)
{
	sink->put(sink, byte);
}

void text_bytes(struct sink *sink, const void *bytes, uint16_t length)
{
	const uint8_t *at = bytes;
	while (length-- > 0)
		sink->put(sink, *at++);
}

void text_string(struct sink *sink, const char *string)
{
	while (*string != '\0')
		sink->put(sink, (uint8_t)*string++);
}

void text_flash(struct sink *sink, const char *string)
{
	for (uint8_t byte; (byte = pgm_read_byte(string)) != '\0'; string++)
		sink->put(sink, byte);
}

void text_unsigned(struct sink *sink, uint32_t number)
{
	char digits[10];
	uint8_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	while (count > 0)
		sink->put(sink, (uint8_t)digits[--count]);
}

void text_signed(struct sink *sink, int32_t number)
{
	if (number < 0)
		sink->put(sink, '-');
	text_unsigned(sink, number < 0 ? 0 - (uint32_t)number : (uint32_t)number);
}

void text_tenths(struct sink *sink, int16_t tenths)
{
	uint16_t size = tenths < 0 ? (uint16_t)(0u - (uint16_t)tenths) : (uint16_t)tenths;

	if (tenths < 0)
		sink->put(sink, '-');
	text_unsigned(sink, size / 10);
	if (size % 10 != 0) {
		sink->put(sink, '.');
		sink->put(sink, (uint8_t)('0' + size % 10));
	}
}

/* Digits with `decimals` (0 or 1) more behind an optional point, as a number of that unit. */
static bool parse(const char *text, uint8_t length, uint8_t decimals, uint16_t max, uint16_t *number)
{
	uint32_t sum = 0;
	uint8_t digits = 0, behind = 0;
	bool point = false;

	for (uint8_t i = 0; i < length; i++) {
		if (text[i] == '.' && decimals > 0 && !point && digits > 0) {
			point = true;
			continue;
		}
		if (text[i] < '0' || text[i] > '9' || (point && behind == decimals))
			return false;
		sum = sum * 10 + (uint8_t)(text[i] - '0');
		digits++;
		behind = (uint8_t)(behind + point);
		if (sum > max)
			return false;
	}
	if (digits == 0 || (point && behind == 0))
		return false;
	for (; behind < decimals; behind++)
		sum *= 10;
	*number = (uint16_t)sum;
	return sum <= max;
}

static bool parse_signed(const char *text, uint8_t length, uint8_t decimals, int16_t *number)
{
	bool negative = length > 0 && text[0] == '-';
	uint16_t size;

	if (!parse(text + negative, (uint8_t)(length - negative), decimals, INT16_MAX, &size))
		return false;
	*number = (int16_t)(negative ? -(int16_t)size : (int16_t)size);
	return true;
}

bool text_parse(const char *text, uint8_t length, int16_t *number)
{
	return parse_signed(text, length, 0, number);
}

bool text_parse_unsigned(const char *text, uint8_t length, uint16_t *number)
{
	return parse(text, length, 0, UINT16_MAX, number);
}

bool text_parse_tenths(const char *text, uint8_t length, int16_t *tenths)
{
	return parse_signed(text, length, 1, tenths);
}
