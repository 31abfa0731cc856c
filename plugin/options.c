/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options: one table with a row an option; a new option is a new row (and a field in struct options).
 *
 * A row names the field, the function that reads a value into it, the limits, the default, and the words that tell a
 * person what is wanted. Defaults go through the same functions as what a person wrote. Values are untrusted, so each
 * is bounded; options_error makes the messages.
 */
#include "options.h"

#include "options_error.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

#define WORDS_MAX 1000  /* of one option, all its lines together */
#define NODE_MAX  255   /* bytes */
#define WORD_MAX  65535 /* bytes: MQTT's own limit of a filter or user name */

#define WHITE_SPACE " \t\r\n"

static const char no_memory[] = "out of memory";
static const char password_in_store[] =
	"a password has no place here, where it would be shown in logs; wanted mariadb://USER@HOST/DATABASE, and the "
	"password"
	" in plugin_opt_store_password_file or in the environment as HEARTH_STORE_PASSWORD";

struct setting {
	const char *name;
	size_t field; /* offset in struct options */
	/* Reads a value (trimmed, not empty) into the field. NULL, or what to tell the person: often setting->wanted. */
	const char *(*read)(const struct setting *setting, struct slice value, void *field);
	const char *wanted;
	unsigned long long min, max;           /* of a number, or of a path's bytes */
	bool (*word_valid)(struct slice word); /* of a list */
	bool near_secret;     /* a person may put a password there by mistake: a refused value is not shown */
	bool repeats;         /* may be given again, its lines add up */
	const char *standard; /* the default; "": none needed; NULL: see below */
	char *(*make_standard)(const struct options *so); /* the default from the rows above; the caller frees it */
};

/* ---- reading values ---- */

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
static const char *read_number(const struct setting *setting, struct slice value, void *field)
{
	unsigned long long number;

	if (!number_read(value, setting->max, &number) || number < setting->min)
		return setting->wanted;
	*(unsigned *)field = (unsigned)number;
	return NULL;
}

/* Bytes, as a plain number or in units of K, M or G. */
static const char *read_size(const struct setting *setting, struct slice value, void *field)
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
		return no_memory;
	*(char **)field = copy;
	return NULL;
}

static bool path_valid(const struct setting *setting, struct slice path)
{
	return path.len > 0 && path.ptr[0] == '/' && path.len <= setting->max;
}

static const char *read_path(const struct setting *setting, struct slice value, void *field)
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

static const char *read_store(const struct setting *setting, struct slice value, void *field)
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
		return password_in_store;
	if (slice_begins(value, mariadb)) /* the backend reads it */
		return value.len <= setting->max ? text_set(value, field) : setting->wanted;
	return value.ptr[0] != '/' && memchr(value.ptr, ':', value.len) ? no_such_store : setting->wanted;
}

static const char *read_user(const struct setting *setting, struct slice value, void *field)
{
	return value.len <= setting->max && utf8_valid(value) ? text_set(value, field) : setting->wanted;
}

static bool node_valid(struct slice node)
{
	return topic_level_valid(node) && node.len <= NODE_MAX && !slice_is(node, TOPIC_ALL) &&
	       !slice_is(node, TOPIC_OWN_DEVICE);
}

static const char *read_node(const struct setting *setting, struct slice value, void *field)
{
	return node_valid(value) ? text_set(value, field) : setting->wanted;
}

static const char *words_add(struct word_list *list, struct slice word)
{
	char **words = realloc(list->words, (list->count + 1) * sizeof(*words));

	if (!words)
		return no_memory;
	list->words = words;
	words[list->count] = strndup(word.ptr, word.len);
	if (!words[list->count])
		return no_memory;
	list->count++;
	return NULL;
}

/* Words parted by white space, behind those that the list has already. */
static const char *read_words(const struct setting *setting, struct slice value, void *field)
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

/* ---- defaults that depend on something ---- */

static char *store_standard(const struct options *so)
{
	char *text;
	return asprintf(&text, "sqlite:%s/history.db", so->state_dir) < 0 ? NULL : text;
}

static char *node_standard(const struct options *so)
{
	char name[256] = "";

	(void)so;
	if (gethostname(name, sizeof(name) - 1) != 0)
		name[0] = '\0';
	name[strcspn(name, ".")] = '\0';
	return strdup(node_valid(slice_of(name)) ? name : "hearth-node");
}

/* ---- the table ---- */

static const char *read_subscribe(const struct setting *setting, struct slice value, void *field)
{
	bool *strict = field;
	if (!slice_is(value, "strict") && !slice_is(value, "covered"))
		return setting->wanted;
	*strict = slice_is(value, "strict");
	return NULL;
}

#define FIELD(name) offsetof(struct options, name)

/*
 * A default may depend on rows above its own. Paths end short of the 511 bytes that SQLite can open, and the state
 * folder's leaves room for the files in it.
 */
static const struct setting settings[] = {
	{
		.name = "state_dir",
		.field = FIELD(state_dir),
		.read = read_path,
		.max = 400,
		.standard = "/var/lib/mosquitto/hearth",
		.wanted = "wanted the absolute path of a folder, at most 400 bytes",
	},
	{
		.name = "store",
		.field = FIELD(store),
		.read = read_store,
		.max = 500,
		.make_standard = store_standard,
		.wanted = "wanted sqlite:PATH with an absolute path, or mariadb://USER@HOST/DATABASE, at most 500 bytes",
	},
	{
		.name = "store_password_file",
		.near_secret = true,
		.field = FIELD(store_password_file),
		.read = read_path,
		.max = 400,
		.standard = "",
		.wanted = "wanted the absolute path of a file whose first line is the database user's password",
	},
	{
		.name = "store_ca",
		.field = FIELD(store_ca),
		.read = read_path,
		.max = 400,
		.standard = "",
		.wanted = "wanted the absolute path of a file with the certificates (PEM) that may sign the database's",
	},
	{
		.name = "store_reader",
		.field = FIELD(store_reader),
		.read = read_user,
		.max = 128,
		.standard = "",
		.wanted = "wanted the name of a database user that may read, at most 128 bytes",
	},
	{
		.name = "store_reader_password_file",
		.near_secret = true,
		.field = FIELD(store_reader_password_file),
		.read = read_path,
		.max = 400,
		.standard = "",
		.wanted = "wanted the absolute path of a file whose first line is that user's password",
	},
	{
		.name = "keep_raw",
		.field = FIELD(keep_raw_days),
		.read = read_number,
		.max = 36500,
		.standard = "400",
		.wanted = "wanted a whole number of days from 1 to 36500, or 0 to keep readings for ever",
	},
	{
		.name = "node",
		.field = FIELD(node),
		.read = read_node,
		.make_standard = node_standard,
		.wanted = "wanted one level of a topic (no / + # and no $ in front), other than \"all\" and \"hearth\"",
	},
	{
		.name = "ignore",
		.field = FIELD(ignore),
		.read = read_words,
		.word_valid = topic_filter_valid,
		.repeats = true,
		.standard = "homeassistant/# tasmota/# zigbee2mqtt/# esphome/# shellies/#",
		.wanted = "wanted topic filters with spaces between them, such as homeassistant/# tasmota/#",
	},
	{
		.name = "config_from",
		.field = FIELD(config_from),
		.read = read_words,
		.word_valid = utf8_valid,
		.standard = "",
		.wanted = "wanted user names with spaces between them",
	},
	{
		.name = "subscribe",
		.field = FIELD(subscribe_strict),
		.read = read_subscribe,
		.standard = "covered",
		.wanted =
			"wanted covered (a subscription wider than the rights gets what they cover) or strict (it is refused)",
	},
	{
		.name = "sign_in_budget",
		.field = FIELD(sign_in_budget),
		.read = read_number,
		.max = 50,
		.standard = "5",
		.wanted = "wanted a whole number from 0 to 50: percent of the broker's time in which passwords may be checked",
	},
	{
		.name = "gauges_every",
		.field = FIELD(gauges_every_s),
		.read = read_number,
		.max = 86400,
		.standard = "10",
		.wanted = "wanted a whole number of seconds from 1 to 86400, or 0 for none",
	},
	{
		.name = "sync_ms",
		.field = FIELD(sync_ms),
		.read = read_number,
		.min = 10,
		.max = 10000,
		.standard = "100",
		.wanted = "wanted a whole number of milliseconds from 10 to 10000",
	},
	{
		.name = "journal_max",
		.field = FIELD(journal_max),
		.read = read_size,
		.min = 4 * MIB,
		.max = 1024 * GIB,
		.standard = "1G",
		.wanted = "wanted bytes, or a number with K, M or G, from 4M to 1024G",
	},
	{
		.name = "max_series",
		.field = FIELD(max_series),
		.read = read_number,
		.min = 1,
		.max = 10000000,
		.standard = "100000",
		.wanted = "wanted a whole number from 1 to 10000000",
	},
};

#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

/* ---- reading all ---- */

static const char *setting_read(const struct setting *setting, struct slice value, struct options *out)
{
	return setting->read(setting, value, (char *)out + setting->field);
}

static bool line_read(const struct option_line *line, struct options *out, bool given[static SETTING_COUNT],
                      char error[OPTIONS_ERROR_MAX])
{
	struct slice value = slice_trim(slice_of(line->value ? line->value : ""));
	const char *names[SETTING_COUNT];
	const char *problem;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		names[i] = settings[i].name;
		if (strcmp(names[i], line->key) != 0)
			continue;
		if (given[i] && !settings[i].repeats)
			problem = "given twice";
		else
			problem = value.len == 0 ? settings[i].wanted : setting_read(&settings[i], value, out);
		given[i] = true;
		if (problem == password_in_store || settings[i].near_secret)
			value.len = 0;
		if (problem)
			options_error_value(error, line->key, value, problem);
		return !problem;
	}
	options_error_unknown(error, line->key, names, SETTING_COUNT);
	return false;
}

static bool standard_read(const struct setting *setting, struct options *out, char error[OPTIONS_ERROR_MAX])
{
	char *made = setting->make_standard ? setting->make_standard(out) : NULL;
	const char *standard = setting->make_standard ? made : setting->standard;
	const char *problem = NULL;

	if (!standard)
		problem = no_memory;
	else if (standard[0] != '\0')
		problem = setting_read(setting, slice_of(standard), out);
	if (problem)
		options_error_value(error, setting->name, slice_of(standard ? standard : ""), problem);
	free(made);
	return !problem;
}

bool options_read(const struct option_line *lines, size_t count, struct options *out, char error[OPTIONS_ERROR_MAX])
{
	bool given[SETTING_COUNT] = {false};
	bool good = true;

	*out = (struct options){0};
	error[0] = '\0';
	for (size_t i = 0; good && i < count; i++)
		good = line_read(&lines[i], out, given, error);
	for (size_t i = 0; good && i < SETTING_COUNT; i++)
		good = given[i] || standard_read(&settings[i], out, error);
	if (!good)
		options_free(out);
	return good;
}

static void words_free(struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->words[i]);
	free(list->words);
}

void options_free(struct options *options)
{
	free(options->store);
	free(options->store_password_file);
	free(options->store_ca);
	free(options->store_reader);
	free(options->store_reader_password_file);
	free(options->state_dir);
	free(options->node);
	words_free(&options->ignore);
	words_free(&options->config_from);
	*options = (struct options){0};
}
