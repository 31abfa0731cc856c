/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_json: see history_json.h.
 */
#include "history_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096

bool history_json_good(const struct history_json *json)
{
	return !json->too_long && !json->no_memory;
}

void history_json_clear(struct history_json *json)
{
	json->len = 0;
	json->too_long = json->no_memory = false;
}

/* Makes room for so many bytes more, and a NUL. */
static bool make_room(struct history_json *json, size_t len)
{
	if (!history_json_good(json))
		return false;
	if (len > HISTORY_JSON_MAX - json->len) {
		json->too_long = true;
		return false;
	}
	if (json->len + len < json->capacity)
		return true;
	size_t capacity = json->capacity > 0 ? json->capacity : FIRST_BYTES;
	while (capacity <= json->len + len)
		capacity *= 2;
	char *bigger = realloc(json->text, capacity);
	if (!bigger) {
		json->no_memory = true;
		return false;
	}
	json->text = bigger;
	json->capacity = capacity;
	return true;
}

static void add_bytes(struct history_json *json, const char *bytes, size_t len)
{
	if (!make_room(json, len))
		return;
	memcpy(json->text + json->len, bytes, len);
	json->len += len;
	json->text[json->len] = '\0';
}

void history_json_add(struct history_json *json, const char *piece)
{
	add_bytes(json, piece, strlen(piece));
}

void history_json_item(struct history_json *json, const char *piece)
{
	const char *last = json->len > 0 ? &json->text[json->len - 1] : "[";

	if (*last != '[' && *last != '{')
		add_bytes(json, ",", 1);
	history_json_add(json, piece);
}

/* The bytes from `at` on that stand for themselves in a string: at most one character of more than one byte. */
static size_t plain_bytes(struct slice text, size_t at)
{
	const unsigned char first = (unsigned char)text.ptr[at];
	size_t len = 0;

	if (first >= 0x80) {
		len = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
		return len <= text.len - at && utf8_valid((struct slice){text.ptr + at, len}) ? len : 0;
	}
	while (at + len < text.len) {
		const unsigned char byte = (unsigned char)text.ptr[at + len];
		if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
			break;
		len++;
	}
	return len;
}

static void add_escaped(struct history_json *json, unsigned char byte)
{
	char escape[8];

	if (byte == '"' || byte == '\\')
		snprintf(escape, sizeof escape, "\\%c", byte);
	else
		snprintf(escape, sizeof escape, "\\u%04x", byte > 0 && byte < 0x20 ? (unsigned)byte : 0xFFFDU);
	history_json_add(json, escape);
}

void history_json_text(struct history_json *json, struct slice text)
{
	history_json_add(json, "\"");
	for (size_t at = 0; at < text.len;) {
		const size_t plain = plain_bytes(text, at);
		if (plain > 0)
			add_bytes(json, text.ptr + at, plain);
		else
			add_escaped(json, (unsigned char)text.ptr[at]);
		at += plain > 0 ? plain : 1;
	}
	history_json_add(json, "\"");
}

void history_json_number(struct history_json *json, double number)
{
	char buffer[NUMBER_TEXT_MAX];
	const struct value value = value_of_number(number);

	if (!isfinite(number)) {
		history_json_add(json, "null");
		return;
	}
	const struct slice text = value_print(&value, buffer);
	add_bytes(json, text.ptr, text.len);
}

void history_json_seconds(struct history_json *json, int64_t time_us)
{
	const uint64_t size = time_us < 0 ? -(uint64_t)time_us : (uint64_t)time_us;
	char buffer[32];

	int len = snprintf(buffer, sizeof buffer, "%s%" PRIu64 ".%06u", time_us < 0 ? "-" : "", size / 1000000,
	                   (unsigned)(size % 1000000));
	while (buffer[len - 1] == '0')
		len--;
	if (buffer[len - 1] == '.')
		len--;
	add_bytes(json, buffer, (size_t)len);
}
