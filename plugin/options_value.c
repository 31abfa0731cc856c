/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options_value: see options_value.h. Values are untrusted, so that each is bounded.
 */
#include "options_value.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 1000  /* of one option, all its lines together */
#define NODE_MAX  255   /* bytes */
#define WORD_MAX  65535 /* bytes: MQTT's own limit of a filter or user name */

#define WHITE_SPACE " \t\r\n"

const char option_no_memory[] = "out of memory";
const char option_password_in_store[] =
	"a password has no place here, where it would be shown in logs; wanted mariadb://USER@HOST/DATABASE, and the "
	"password"
	" in plugin_opt_store_password_file or in the environment as HEARTH_STORE_PASSWORD";

/* Digits and nothing else, at most `max`. */
static bool number_read(struct slice text, unsigned long long max, unsigned long long *out)
{
	unsigned long long number = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.ptr[i] - '0';

		if (digit > 9 || digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*out = number;
	return text.len > 0;
}

/* For fields of type unsigned, and of type int as long as the row's max is at most INT_MAX. */
const char *option_read_number(const struct setting *setting, struct slice value, void *field)
{
	unsigned long long number;

	if (!number_read(value, setting->max, &number) || number < setting->min)
		return setting->wanted;
	*(unsigned *)field = (unsigned)number;
	return NULL;
}

/* Bytes, as a plain number or in units of K, M or G. */
const char *option_read_size(const struct setting *setting, struct slice value, void *field)
{
	static const char units[] = "KMG"; /* each 2^10 of the one before */
	const char *unit = strchr(units, value.ptr[value.len - 1]);
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	unsigned long long number;

	if (unit)
		value.len--;
	if (!number_read(value, setting->max >> shift, &number) || number << shift < setting->min)
		return setting->wanted;
	*(unsigned long long *)field = number << shift;
	return NULL;
}

static const char *text_set(struct slice value, void *field)
{
	char *copy = strndup(value.ptr, value.len);

	if (!copy)
		return option_no_memory;
	*(char **)field = copy;
	return NULL;
}

static bool path_valid(const struct setting *setting, struct slice path)
{
	return path.len > 0 && path.ptr[0] == '/' && path.len <= setting->max;
}

const char *option_read_path(const struct setting *setting, struct slice value, void *field)
{
	return path_valid(setting, value) ? text_set(value, field) : setting->wanted;
}

static bool slice_begins(struct slice text, const char *with)
{
	size_t len = strlen(with);
	return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

static struct slice behind(struct slice text, char character)
{
	const char *found = memchr(text.ptr, character, text.len);
	size_t skip = found ? (size_t)(found - text.ptr) + 1 : text.len;
	return (struct slice){text.ptr + skip, text.len - skip};
}

/* "user:password@…" or "scheme://user:password@…", whatever the scheme. */
static bool holds_password(struct slice text)
{
	const char *scheme = memmem(text.ptr, text.len, "://", 3);
	struct slice rest = scheme || slice_begins(text, "mariadb:") ? behind(text, ':') : text;
	struct slice password = behind(rest, ':');
	return memchr(password.ptr, '@', password.len) != NULL;
}

const char *option_read_store(const struct setting *setting, struct slice value, void *field)
{
	static const char sqlite[] = "sqlite:";
	static const char mariadb[] = "mariadb:";
	static const char no_such_store[] = "no such kind of store; known: sqlite:PATH, mariadb://USER@HOST/DATABASE";
	const size_t skip = sizeof(sqlite) - 1;

	if (slice_begins(value, sqlite)) {
		struct slice path = {value.ptr + skip, value.len - skip};
		return path_valid(setting, path) ? text_set(value, field) : setting->wanted;
	}
	if (holds_password(value))
		return option_password_in_store;
	if (slice_begins(value, mariadb)) /* the backend reads it */
		return value.len <= setting->max ? text_set(value, field) : setting->wanted;
	return value.ptr[0] != '/' && memchr(value.ptr, ':', value.len) ? no_such_store : setting->wanted;
}

const char *option_read_user(const struct setting *setting, struct slice value, void *field)
{
	return value.len <= setting->max && utf8_valid(value) ? text_set(value, field) : setting->wanted;
}

bool option_node_valid(struct slice node)
{
	return topic_level_valid(node) && node.len <= NODE_MAX && !slice_is(node, TOPIC_ALL) &&
	       !slice_is(node, TOPIC_OWN_DEVICE);
}

const char *option_read_node(const struct setting *setting, struct slice value, void *field)
{
	return option_node_valid(value) ? text_set(value, field) : setting->wanted;
}

static const char *words_add(struct word_list *list, struct slice word)
{
	char **words = realloc(list->words, (list->count + 1) * sizeof(*words));

	if (!words)
		return option_no_memory;
	list->words = words;
	words[list->count] = strndup(word.ptr, word.len);
	if (!words[list->count])
		return option_no_memory;
	list->count++;
	return NULL;
}

/* Words parted by white space, behind those that the list has already. */
const char *option_read_words(const struct setting *setting, struct slice value, void *field)
{
	struct word_list *list = field;
	const char *problem = NULL;

	while (value.len > 0 && !problem) {
		struct slice word = {value.ptr, 0};

		while (word.len < value.len && !strchr(WHITE_SPACE, word.ptr[word.len]))
			word.len++;
		if (word.len > WORD_MAX || !setting->word_valid(word))
			return setting->wanted;
		if (list->count == WORDS_MAX)
			return "too many words, at most 1000 are possible";
		problem = words_add(list, word);
		value = slice_trim((struct slice){value.ptr + word.len, value.len - word.len});
	}
	return problem;
}

const char *option_read_subscribe(const struct setting *setting, struct slice value, void *field)
{
	bool *strict = field;
	if (!slice_is(value, "strict") && !slice_is(value, "covered"))
		return setting->wanted;
	*strict = slice_is(value, "strict");
	return NULL;
}
