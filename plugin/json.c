/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json: see json.h. One loop over the tokens, with the open brackets on a small stack and `next` saying what may follow.
 */
#include "json.h"

#include "value.h"

#include <string.h>

/* The longest number that every version of cJSON reads whole. */
#define NUMBER_CHARS_MAX 63

enum next {
	NEXT_VALUE,
	NEXT_FIRST_VALUE, /* or the bracket closes */
	NEXT_KEY,
	NEXT_FIRST_KEY, /* or the bracket closes */
	NEXT_COLON,
	NEXT_COMMA, /* or the bracket closes */
	NEXT_END
};

static const char *const next_wanted[] = {
	[NEXT_VALUE] = "a JSON value",    [NEXT_FIRST_VALUE] = "a JSON value or ']'",
	[NEXT_KEY] = "a key in quotes",   [NEXT_FIRST_KEY] = "a key in quotes or '}'",
	[NEXT_COLON] = "':' and a value", [NEXT_COMMA] = "',' or the closing bracket",
	[NEXT_END] = "nothing more",
};

struct scan {
	struct slice text;
	size_t at;
	enum next next;
	char closers[JSON_DEPTH_MAX]; /* of the open brackets */
	size_t depth;
	struct json_fault *fault;
};

static bool refuse(struct scan *scan, size_t at, const char *wanted)
{
	*scan->fault = (struct json_fault){at, wanted};
	return false;
}

/* The byte at an offset; NUL, which the text cannot hold, behind the end. */
static char byte_at(const struct scan *scan, size_t at)
{
	if (at < scan->text.len)
		return scan->text.ptr[at];
	return '\0';
}

/* The code unit that the four hex digits at `at` say; −1 if they are none. */
static int hex4(const struct scan *scan, size_t at)
{
	int unit = 0;
	for (size_t i = at; i < at + 4; i++) {
		char c = byte_at(scan, i);
		int digit = c >= '0' && c <= '9'   ? c - '0'
		            : c >= 'a' && c <= 'f' ? c - 'a' + 10
		            : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                                   : -1;
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

static bool is_high_surrogate(int unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Steps over the escape whose backslash is at scan->at. */
static bool scan_escape(struct scan *scan)
{
	size_t begin = scan->at;
	char c = byte_at(scan, begin + 1);
	if (c != '\0' && strchr("\"\\/bfnrt", c) != NULL) {
		scan->at += 2;
		return true;
	}
	int unit = c == 'u' ? hex4(scan, begin + 2) : -1;
	if (unit < 0)
		return refuse(scan, begin, "an escape such as \\n or \\u00b0");
	if (unit == 0)
		return refuse(scan, begin, "no \\u0000");
	scan->at += 6;
	if (is_high_surrogate(unit)) {
		bool pair = byte_at(scan, scan->at) == '\\' && byte_at(scan, scan->at + 1) == 'u' &&
		            is_low_surrogate(hex4(scan, scan->at + 2));
		if (!pair)
			return refuse(scan, begin, "a surrogate pair such as \\ud83d\\udd25");
		scan->at += 6;
	} else if (is_low_surrogate(unit)) {
		return refuse(scan, begin, "a surrogate pair such as \\ud83d\\udd25");
	}
	return true;
}

static bool scan_string(struct scan *scan)
{
	scan->at++;
	for (;;) {
		if (scan->at == scan->text.len)
			return refuse(scan, scan->at, "'\"' at the end of the text");
		char c = scan->text.ptr[scan->at];
		if (c == '"') {
			scan->at++;
			return true;
		}
		if ((unsigned char)c < 0x20)
			return refuse(scan, scan->at, "control characters escaped, such as \\n");
		if (c != '\\')
			scan->at++;
		else if (!scan_escape(scan))
			return false;
	}
}

static bool scan_number(struct scan *scan)
{
	size_t begin = scan->at;
	while (byte_at(scan, scan->at) != '\0' && strchr("0123456789+-.eE", scan->text.ptr[scan->at]) != NULL)
		scan->at++;
	struct slice token = {scan->text.ptr + begin, scan->at - begin};
	double number;
	if (token.len > NUMBER_CHARS_MAX)
		return refuse(scan, begin, "a number of at most 63 characters");
	if (!number_parse(token, &number))
		return refuse(scan, begin, "a number such as -12.5 or 1e3");
	return true;
}

static bool scan_word(struct scan *scan)
{
	static const char *const words[] = {"true", "false", "null"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t len = strlen(words[i]);
		if (scan->text.len - scan->at >= len && memcmp(scan->text.ptr + scan->at, words[i], len) == 0) {
			scan->at += len;
			return true;
		}
	}
	return refuse(scan, scan->at, next_wanted[scan->next]);
}

static bool open_bracket(struct scan *scan, char closer)
{
	if (scan->depth == JSON_DEPTH_MAX)
		return refuse(scan, scan->at, "at most 16 brackets within each other");
	scan->closers[scan->depth++] = closer;
	scan->next = closer == '}' ? NEXT_FIRST_KEY : NEXT_FIRST_VALUE;
	scan->at++;
	return true;
}

static void value_ends(struct scan *scan)
{
	scan->next = scan->depth > 0 ? NEXT_COMMA : NEXT_END;
}

static bool scan_value(struct scan *scan)
{
	char c = byte_at(scan, scan->at);
	if (c == '{')
		return open_bracket(scan, '}');
	if (c == '[')
		return open_bracket(scan, ']');
	bool good = c == '"' ? scan_string(scan) : c == '-' || (c >= '0' && c <= '9') ? scan_number(scan) : scan_word(scan);
	value_ends(scan);
	return good;
}

static bool closes(const struct scan *scan)
{
	bool may = scan->next == NEXT_COMMA || scan->next == NEXT_FIRST_KEY || scan->next == NEXT_FIRST_VALUE;
	return may && byte_at(scan, scan->at) == scan->closers[scan->depth - 1];
}

/* Takes the token at scan->at. */
static bool scan_token(struct scan *scan)
{
	char c = byte_at(scan, scan->at);
	if (closes(scan)) {
		scan->depth--;
		scan->at++;
		value_ends(scan);
		return true;
	}
	if (scan->next == NEXT_VALUE || scan->next == NEXT_FIRST_VALUE)
		return scan_value(scan);
	if ((scan->next == NEXT_KEY || scan->next == NEXT_FIRST_KEY) && c == '"') {
		scan->next = NEXT_COLON;
		return scan_string(scan);
	}
	if (scan->next == NEXT_COLON && c == ':') {
		scan->next = NEXT_VALUE;
		scan->at++;
		return true;
	}
	if (scan->next == NEXT_COMMA && c == ',') {
		scan->next = scan->closers[scan->depth - 1] == '}' ? NEXT_KEY : NEXT_VALUE;
		scan->at++;
		return true;
	}
	return refuse(scan, scan->at, next_wanted[scan->next]);
}

bool json_check(struct slice text, struct json_fault *fault)
{
	struct scan scan = {.text = text, .next = NEXT_VALUE, .fault = fault};
	for (;;) {
		while (byte_at(&scan, scan.at) != '\0' && strchr(" \t\r\n", text.ptr[scan.at]) != NULL)
			scan.at++;
		if (scan.at == text.len && scan.next == NEXT_END)
			return true;
		if (!scan_token(&scan))
			return false;
	}
}
