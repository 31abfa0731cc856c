/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_error: where an error is, what stands there and what should.
 *
 * Texts that do not fit end in "…" behind a whole character, so that an error is always valid UTF-8.
 */
#include "config_parse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char ellipsis[] = "…";

/* A text being written into a fixed buffer. It is NUL-terminated after each piece. */
struct writer {
	char *out;
	size_t size;
	size_t len;
	bool cut;
};

static struct writer writer_to(char *out, size_t size)
{
	out[0] = '\0';
	return (struct writer){.out = out, .size = size};
}

static void write_bytes(struct writer *writer, struct slice bytes)
{
	if (writer->cut)
		return;
	size_t room = writer->size - 1 - writer->len;
	bool fits = bytes.len <= room;
	size_t take = fits ? bytes.len : room;
	memcpy(writer->out + writer->len, bytes.ptr, take);
	writer->len += take;
	if (!fits) {
		writer->cut = true;
		writer->len = writer->size - sizeof ellipsis;
		while (writer->len > 0 && ((unsigned char)writer->out[writer->len] & 0xC0) == 0x80)
			writer->len--;
		memcpy(writer->out + writer->len, ellipsis, sizeof ellipsis - 1);
		writer->len += sizeof ellipsis - 1;
	}
	writer->out[writer->len] = '\0';
}

static void write_text(struct writer *writer, const char *text)
{
	write_bytes(writer, slice_of(text));
}

/* Length of the control character (U+0000 to U+001F, U+007F to U+009F) at the start of UTF-8 text; 0 if it is none. */
static size_t control(struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	if (p[0] < 0x20 || p[0] == 0x7F)
		return 1;
	return text.len >= 2 && p[0] == 0xC2 && p[1] < 0xA0 ? 2 : 0;
}

/* The text with white space as spaces and each other control character as '?'. */
static void write_clean(struct writer *writer, struct slice text)
{
	while (text.len > 0) {
		size_t skip = control(text), take = 0;
		if (skip > 0)
			write_text(writer, strchr("\t\r\n", text.ptr[0]) != NULL ? " " : "?");
		text = (struct slice){text.ptr + skip, text.len - skip};
		while (take < text.len && control((struct slice){text.ptr + take, text.len - take}) == 0)
			take++;
		write_bytes(writer, (struct slice){text.ptr, take});
		text = (struct slice){text.ptr + take, text.len - take};
	}
}

static bool is_plain_key(const char *key)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	return key[0] != '\0' && key[strspn(key, plain)] == '\0';
}

/* One step of a path: [0], .when, or ["my key"] if the key is no plain word. */
static void write_step(struct writer *writer, const struct config_node *node)
{
	if (node->key == NULL) {
		char index[24];
		snprintf(index, sizeof index, "[%d]", node->index);
		write_text(writer, index);
	} else if (is_plain_key(node->key)) {
		write_text(writer, ".");
		write_text(writer, node->key);
	} else {
		write_text(writer, "[\"");
		write_clean(writer, slice_of(node->key));
		write_text(writer, "\"]");
	}
}

/* $.rules[0].when.above */
static void write_path(struct writer *writer, const struct config_node *node)
{
	const struct config_node *steps[JSON_DEPTH_MAX];
	size_t count = 0;
	for (; node->up != NULL; node = node->up)
		steps[count++] = node;
	write_text(writer, "$");
	while (count > 0)
		write_step(writer, steps[--count]);
}

/* A short rendering of what stands at a node. False if there is no memory for it. */
static bool write_item(struct writer *writer, const cJSON *item)
{
	if (item == NULL) {
		write_text(writer, "nothing");
		return true;
	}
	if (cJSON_IsNumber(item) && !isfinite(item->valuedouble)) {
		write_text(writer, "a number beyond all bounds");
		return true;
	}
	char *json = cJSON_PrintUnformatted(item);
	if (json == NULL)
		return false;
	write_clean(writer, slice_of(json));
	cJSON_free(json);
	return true;
}

bool config_refuse_memory(struct config_error *error)
{
	*error = (struct config_error){.path = "$", .found = "out of memory", .wanted = "enough free memory"};
	return false;
}

bool config_refuse(struct config_error *error, const struct config_node *node, const char *found, const char *wanted)
{
	struct writer path = writer_to(error->path, sizeof error->path);
	struct writer there = writer_to(error->found, sizeof error->found);
	struct writer should = writer_to(error->wanted, sizeof error->wanted);

	write_path(&path, node);
	if (found != NULL)
		write_text(&there, found);
	else if (!write_item(&there, node->item))
		return config_refuse_memory(error);
	write_text(&should, wanted);
	return false;
}

bool config_refuse_byte(struct config_error *error, struct slice text, size_t offset, const char *wanted)
{
	struct writer there = writer_to(error->found, sizeof error->found);
	struct writer should = writer_to(error->wanted, sizeof error->wanted);
	char place[32];

	struct writer path = writer_to(error->path, sizeof error->path);
	write_text(&path, "$");
	snprintf(place, sizeof place, "byte %zu: ", offset);
	write_text(&there, place);
	if (offset < text.len)
		write_clean(&there, (struct slice){text.ptr + offset, text.len - offset});
	else
		write_text(&there, "the end");
	write_text(&should, wanted);
	return false;
}

#define KEY_LEN_MAX 32

/* How many letters must be put in, left out or changed to turn a into b (Levenshtein); many if either is too long. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	size_t row[KEY_LEN_MAX + 1];
	if (a_len > KEY_LEN_MAX || b_len > KEY_LEN_MAX)
		return KEY_LEN_MAX;

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t in_or_out = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			diagonal = row[j];
			row[j] = change < in_or_out ? change : in_or_out;
		}
	}
	return row[b_len];
}

/* The known key that was probably meant; NULL if none is near. What shares no letter with it is never near. */
static const char *nearest_key(const struct config_shape *shape, const char *key)
{
	const char *nearest = NULL;
	size_t least = 3;
	for (size_t i = 0; i < shape->count; i++) {
		const char *name = shape->keys[i].name;
		size_t distance = edit_distance(key, name);
		if (distance < least && distance < strlen(name) && distance < strlen(key)) {
			least = distance;
			nearest = name;
		}
	}
	return nearest;
}

bool config_refuse_key(struct config_error *error, const struct config_node *node, const struct config_shape *shape)
{
	config_refuse(error, node, "an unknown key", "");

	struct writer should = writer_to(error->wanted, sizeof error->wanted);
	const char *nearest = nearest_key(shape, node->key);
	if (nearest != NULL) {
		write_text(&should, "did you mean \"");
		write_text(&should, nearest);
		write_text(&should, "\"? ");
	}
	write_text(&should, "one of: ");
	for (size_t i = 0; i < shape->count; i++) {
		write_text(&should, i == 0 ? "" : ", ");
		write_text(&should, shape->keys[i].name);
	}
	return false;
}
