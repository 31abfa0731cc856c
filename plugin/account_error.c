/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_error: where an error is, what stands there and what should.
 *
 * Nothing inside an object or a list is ever repeated: a password may be in it. Texts that do not fit end in "…" behind
 * a whole character, and control characters become '?', so that an error is always a line of valid UTF-8.
 */
#include "account_internal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static const char ellipsis[] = "…";

/* A text being put together in a fixed buffer, NUL-terminated after each piece. */
struct line {
	char *out;
	size_t size, len;
	bool cut;
};

static struct line line_in(char *out, size_t size)
{
	out[0] = '\0';
	return (struct line){.out = out, .size = size};
}

static void add(struct line *line, const char *text)
{
	size_t len = strlen(text), room = line->size - 1 - line->len;
	if (line->cut)
		return;
	line->cut = len > room;
	memcpy(line->out + line->len, text, line->cut ? room : len);
	line->len += line->cut ? room : len;
	if (line->cut) {
		line->len = line->size - sizeof ellipsis;
		while (line->len > 0 && ((unsigned char)line->out[line->len] & 0xC0) == 0x80)
			line->len--;
		memcpy(line->out + line->len, ellipsis, sizeof ellipsis - 1);
		line->len += sizeof ellipsis - 1;
	}
	line->out[line->len] = '\0';
}

/* Control characters: U+0000 to U+001F, U+007F, and U+0080 to U+009F, which are two bytes. */
static void clean(struct line *line)
{
	unsigned char *p = (unsigned char *)line->out;
	for (size_t i = 0; i < line->len; i++) {
		if (p[i] < 0x20 || p[i] == 0x7F)
			p[i] = '?';
		else if (p[i] == 0xC2 && p[i + 1] >= 0x80 && p[i + 1] < 0xA0)
			p[i] = p[i + 1] = '?';
	}
}

static void add_quoted(struct line *line, const char *text)
{
	add(line, "\"");
	add(line, text);
	add(line, "\"");
	clean(line);
}

static void write_place(const struct account_place *place, struct account_error *error)
{
	struct line path = line_in(error->path, sizeof error->path);
	char index[16];

	add(&path, "$");
	if (place->key == NULL)
		return;
	add(&path, ".");
	add(&path, place->key);
	if (place->index >= 0) {
		snprintf(index, sizeof index, "[%d]", place->index);
		add(&path, index);
	}
	if (place->member != NULL) {
		add(&path, ".");
		add(&path, place->member);
	}
	clean(&path);
}

static void write_item(const cJSON *item, struct account_error *error)
{
	struct line found = line_in(error->found, sizeof error->found);
	char number[32];

	if (item == NULL) {
		add(&found, "nothing");
	} else if (cJSON_IsString(item)) {
		add_quoted(&found, item->valuestring);
	} else if (cJSON_IsNumber(item)) {
		snprintf(number, sizeof number, "%.15g", item->valuedouble);
		add(&found, number);
	} else if (cJSON_IsBool(item)) {
		add(&found, cJSON_IsTrue(item) ? "true" : "false");
	} else if (cJSON_IsNull(item)) {
		add(&found, "null");
	} else {
		add(&found, cJSON_IsArray(item) ? "a list" : "an object");
	}
}

bool account_refuse(struct account_error *error, const struct account_place *place, const char *found,
                    const char *wanted)
{
	struct line there = line_in(error->found, sizeof error->found);
	struct line should = line_in(error->wanted, sizeof error->wanted);
	write_place(place, error);
	add(&there, found);
	clean(&there);
	add(&should, wanted);
	return false;
}

bool account_refuse_quoted(struct account_error *error, const struct account_place *place, const char *found,
                           const char *wanted)
{
	account_refuse(error, place, "", wanted);
	struct line there = line_in(error->found, sizeof error->found);
	add_quoted(&there, found);
	return false;
}

bool account_refuse_item(struct account_error *error, const struct account_place *place, const cJSON *item,
                         const char *wanted)
{
	account_refuse(error, place, "", wanted);
	write_item(item, error);
	return false;
}
