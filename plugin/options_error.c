/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options_error: messages are put together character by character in the caller's buffer, so that untrusted bytes can
 * neither overrun it, nor cut a character in two, nor bring control characters into a log.
 */
#include "options_error.h"

#include <stdint.h>
#include <string.h>

#define SHOWN_MAX 100 /* bytes of a key or a value that are shown */
#define NAME_MOST 32  /* bytes of an option's name that may be compared */

struct message {
	char *text;
	size_t len;
};

/* Bytes of the first character; 0 if these bytes are none. */
static size_t character_len(struct slice text)
{
	for (size_t len = 1; len <= 4 && len <= text.len; len++)
		if (utf8_valid((struct slice){text.ptr, len}))
			return len;
	return 0;
}

/* C0, DEL, and C1 (U+0080 to U+009F, which UTF-8 begins with 0xC2). */
static bool character_is_control(const char *c, size_t len)
{
	unsigned char first = (unsigned char)c[0];
	return first < 0x20 || first == 0x7f || (len == 2 && first == 0xc2 && (unsigned char)c[1] < 0xa0);
}

/* Adds whole characters up to `most` bytes, with '?' for what cannot be shown. Returns false if some were left out. */
static bool message_add_cut(struct message *message, struct slice text, size_t most)
{
	size_t end = message->len + most < OPTIONS_ERROR_MAX ? message->len + most : OPTIONS_ERROR_MAX - 1;

	while (text.len > 0) {
		size_t len = character_len(text);
		bool shown = len > 0 && !character_is_control(text.ptr, len);
		size_t width = shown ? len : 1;

		if (message->len + width > end)
			break;
		memcpy(message->text + message->len, shown ? text.ptr : "?", width);
		message->len += width;
		text.ptr += len > 0 ? len : 1;
		text.len -= len > 0 ? len : 1;
	}
	message->text[message->len] = '\0';
	return text.len == 0;
}

static void message_add(struct message *message, const char *text)
{
	(void)message_add_cut(message, slice_of(text), OPTIONS_ERROR_MAX);
}

static void message_show(struct message *message, struct slice untrusted)
{
	if (!message_add_cut(message, untrusted, SHOWN_MAX))
		message_add(message, "…");
}

static struct message message_begin(char *error, const char *key)
{
	struct message message = {error, 0};

	message_add(&message, "plugin_opt_");
	message_show(&message, slice_of(key));
	return message;
}

void options_error_value(char error[OPTIONS_ERROR_MAX], const char *key, struct slice value, const char *problem)
{
	struct message message = message_begin(error, key);

	if (value.len > 0) {
		message_add(&message, " \"");
		message_show(&message, value);
		message_add(&message, "\"");
	}
	message_add(&message, ": ");
	message_add(&message, problem);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many characters must be put in, left out or replaced to make one word of the other (Levenshtein). */
static size_t edit_distance(const char *key, const char *name)
{
	size_t row[NAME_MOST + 1]; /* distances of the key so far to each beginning of the name */
	size_t len = strlen(name);

	for (size_t i = 0; i <= len; i++)
		row[i] = i;
	for (; *key; key++) {
		size_t diagonal = row[0]++;

		for (size_t i = 1; i <= len; i++) {
			size_t replaced = diagonal + (*key != name[i - 1]);

			diagonal = row[i];
			row[i] = least(replaced, least(row[i], row[i - 1]) + 1);
		}
	}
	return row[len];
}

/* The option that was meant: the key is a part of its name, or a third of the characters differ at most. */
static const char *nearest_name(const char *key, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t nearest_distance = SIZE_MAX;
	size_t key_len = strlen(key);

	if (key_len < 3 || key_len > NAME_MOST)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t name_len = strlen(names[i]);
		size_t distance = name_len > NAME_MOST ? SIZE_MAX : edit_distance(key, names[i]);
		size_t longer = key_len > name_len ? key_len : name_len;

		if (distance < nearest_distance && (strstr(names[i], key) || distance <= longer / 3)) {
			nearest = names[i];
			nearest_distance = distance;
		}
	}
	return nearest;
}

void options_error_unknown(char error[OPTIONS_ERROR_MAX], const char *key, const char *const *names, size_t count)
{
	struct message message = message_begin(error, key);
	const char *nearest = nearest_name(key, names, count);

	message_add(&message, ": no such option");
	if (nearest) {
		message_add(&message, "; did you mean plugin_opt_");
		message_add(&message, nearest);
	}
	message_add(&message, nearest ? "? Known: " : ". Known: ");
	for (size_t i = 0; i < count; i++) {
		message_add(&message, i > 0 ? ", " : "");
		message_add(&message, names[i]);
	}
}
