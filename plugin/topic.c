/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * topic: see topic.h. Everything here works on slices of the caller's bytes and allocates nothing.
 */
#include "topic.h"

#include <string.h>

static const char *const subject_names[SUBJECT_COUNT] = {
	[SUBJECT_VALUE] = "value",   [SUBJECT_SET] = "set",     [SUBJECT_STATE] = "state", [SUBJECT_STATUS] = "status",
	[SUBJECT_CONFIG] = "config", [SUBJECT_ALARM] = "alarm", [SUBJECT_ACK] = "ack",     [SUBJECT_ERROR] = "error",
};

struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_is(struct slice a, const char *text)
{
	return slice_equal(a, slice_of(text));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice a)
{
	while (a.len > 0 && is_space(a.ptr[0])) {
		a.ptr++;
		a.len--;
	}
	while (a.len > 0 && is_space(a.ptr[a.len - 1]))
		a.len--;
	return a;
}

/* Length of the UTF-8 sequence at p (Unicode 15, table 3-7), or 0 if it is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
	if (p[0] < 0x80)
		return p[0] != 0;

	size_t len;
	unsigned char low = 0x80, high = 0xBF; /* bounds of the second byte: no overlong form, no surrogate */
	if (p[0] >= 0xC2 && p[0] <= 0xDF) {
		len = 2;
	} else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
		len = 3;
		low = p[0] == 0xE0 ? 0xA0 : 0x80;
		high = p[0] == 0xED ? 0x9F : 0xBF;
	} else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
		len = 4;
		low = p[0] == 0xF0 ? 0x90 : 0x80;
		high = p[0] == 0xF4 ? 0x8F : 0xBF;
	} else {
		return 0;
	}
	if (left < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xBF)
			return 0;
	}
	return len;
}

bool utf8_valid(struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	for (size_t i = 0; i < text.len;) {
		size_t len = utf8_sequence(p + i, text.len - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

/* The number of a well-formed character of `len` bytes. */
static uint32_t code_point(const unsigned char *p, size_t len)
{
	static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	uint32_t code = p[0] & lead_bits[len];
	for (size_t i = 1; i < len; i++)
		code = code << 6 | (p[i] & 0x3F);
	return code;
}

/* True if a level may hold this character: see topic_level_valid. */
static bool is_of_level(uint32_t code)
{
	if (code < 0x80)
		return code >= 0x20 && code != 0x7F && code != '/' && code != '+' && code != '#';
	return code >= 0xA0 && !(code >= 0xFDD0 && code <= 0xFDEF) && (code & 0xFFFE) != 0xFFFE;
}

bool topic_level_valid(struct slice level)
{
	const unsigned char *p = (const unsigned char *)level.ptr;
	if (level.len == 0 || p[0] == '$')
		return false;
	for (size_t i = 0; i < level.len;) {
		size_t len = utf8_sequence(p + i, level.len - i);
		if (len == 0 || !is_of_level(code_point(p + i, len)))
			return false;
		i += len;
	}
	return true;
}

/* Splits a name into exactly `count` levels; false if it has another number of them. */
static bool split(struct slice name, struct slice *levels, size_t count)
{
	const char *at = name.ptr;
	const char *end = name.ptr + name.len;
	for (size_t i = 0; i < count; i++) {
		const char *slash = at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;
		if ((slash == NULL) != (i == count - 1))
			return false;
		levels[i] = (struct slice){at, (size_t)((slash ? slash : end) - at)};
		at = slash ? slash + 1 : end;
	}
	return true;
}

static bool subject_parse(struct slice word, enum topic_subject *out)
{
	for (int i = 0; i < SUBJECT_COUNT; i++) {
		if (slice_is(word, subject_names[i])) {
			*out = (enum topic_subject)i;
			return true;
		}
	}
	return false;
}

static bool take_levels(const struct slice level[3], struct topic *out)
{
	out->location = level[0];
	out->device = level[1];
	out->sensor = level[2];
	return topic_level_valid(level[0]) && topic_level_valid(level[1]) && topic_level_valid(level[2]);
}

bool topic_parse(struct slice name, struct topic *out)
{
	struct slice level[4];
	return name.len <= TOPIC_MAX && split(name, level, 4) && subject_parse(level[3], &out->subject) &&
	       take_levels(level, out);
}

bool topic_parse_sensor(struct slice name, struct topic *out)
{
	struct slice level[3];
	out->subject = SUBJECT_VALUE;
	return name.len <= TOPIC_MAX && split(name, level, 3) && take_levels(level, out);
}

const char *topic_subject_name(enum topic_subject subject)
{
	return subject_names[subject];
}

bool topic_matches(struct slice filter, struct slice name)
{
	const char *f = filter.ptr, *f_end = filter.ptr + filter.len;
	const char *n = name.ptr, *n_end = name.ptr + name.len;

	if (filter.len == 0 || name.len == 0)
		return false;
	if (n[0] == '$' && (f[0] == '+' || f[0] == '#'))
		return false;

	for (;;) {
		if (f < f_end && *f == '#')
			return true;
		if (f < f_end && *f == '+') {
			f++;
			while (n < n_end && *n != '/')
				n++;
		} else {
			while (f < f_end && n < n_end && *f != '/' && *f == *n) {
				f++;
				n++;
			}
		}
		bool filter_level_ends = f == f_end || *f == '/';
		bool name_level_ends = n == n_end || *n == '/';
		if (!filter_level_ends || !name_level_ends)
			return false;
		if (n == n_end)
			return f == f_end || (f_end - f == 2 && f[1] == '#');
		if (f == f_end)
			return false;
		f++;
		n++;
	}
}

bool topic_filter_valid(struct slice filter)
{
	if (filter.len == 0 || filter.len > FILTER_MAX || !utf8_valid(filter))
		return false;
	for (size_t i = 0; i < filter.len; i++) {
		char c = filter.ptr[i];
		if (c != '+' && c != '#')
			continue;
		bool level_begins = i == 0 || filter.ptr[i - 1] == '/';
		bool level_ends = i + 1 == filter.len || filter.ptr[i + 1] == '/';
		if (!level_begins || !level_ends || (c == '#' && i + 1 != filter.len))
			return false;
	}
	return true;
}
