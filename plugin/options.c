/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options: one table with a row an option; a new option is a new row (and a field in struct options).
 *
 * A row names the field, the function that reads a value into it, the limits, the default, and the words that tell a
 * person what is wanted. Defaults go through the same functions (options_value) as what a person wrote; options_error makes
 * the messages.
 */
#include "options.h"

#include "options_error.h"
#include "options_value.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

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
	return strdup(option_node_valid(slice_of(name)) ? name : "hearth-node");
}

/* ---- the table ---- */

#define FIELD(name) offsetof(struct options, name)

/*
 * A default may depend on rows above its own. Paths end short of the 511 bytes that SQLite can open, and the state
 * folder's leaves room for the files in it.
 */
static const struct setting settings[] = {
	{
		.name = "state_dir",
		.field = FIELD(state_dir),
		.read = option_read_path,
		.max = 400,
		.standard = "/var/lib/mosquitto/hearth",
		.wanted = "wanted the absolute path of a folder, at most 400 bytes",
	},
	{
		.name = "store",
		.field = FIELD(store),
		.read = option_read_store,
		.max = 500,
		.make_standard = store_standard,
		.wanted = "wanted sqlite:PATH with an absolute path, or mariadb://USER@HOST/DATABASE, at most 500 bytes",
	},
	{
		.name = "store_password_file",
		.near_secret = true,
		.field = FIELD(store_password_file),
		.read = option_read_path,
		.max = 400,
		.standard = "",
		.wanted = "wanted the absolute path of a file whose first line is the database user's password",
	},
	{
		.name = "store_ca",
		.field = FIELD(store_ca),
		.read = option_read_path,
		.max = 400,
		.standard = "",
		.wanted = "wanted the absolute path of a file with the certificates (PEM) that may sign the database's",
	},
	{
		.name = "store_reader",
		.field = FIELD(store_reader),
		.read = option_read_user,
		.max = 128,
		.standard = "",
		.wanted = "wanted the name of a database user that may read, at most 128 bytes",
	},
	{
		.name = "store_reader_password_file",
		.near_secret = true,
		.field = FIELD(store_reader_password_file),
		.read = option_read_path,
		.max = 400,
		.standard = "",
		.wanted = "wanted the absolute path of a file whose first line is that user's password",
	},
	{
		.name = "keep_raw",
		.field = FIELD(keep_raw_days),
		.read = option_read_number,
		.max = 36500,
		.standard = "400",
		.wanted = "wanted a whole number of days from 1 to 36500, or 0 to keep readings for ever",
	},
	{
		.name = "node",
		.field = FIELD(node),
		.read = option_read_node,
		.make_standard = node_standard,
		.wanted = "wanted one level of a topic (no / + # and no $ in front), other than \"all\" and \"hearth\"",
	},
	{
		.name = "ignore",
		.field = FIELD(ignore),
		.read = option_read_words,
		.word_valid = topic_filter_valid,
		.repeats = true,
		.standard = "homeassistant/# tasmota/# zigbee2mqtt/# esphome/# shellies/#",
		.wanted = "wanted topic filters with spaces between them, such as homeassistant/# tasmota/#",
	},
	{
		.name = "config_from",
		.field = FIELD(config_from),
		.read = option_read_words,
		.word_valid = utf8_valid,
		.standard = "",
		.wanted = "wanted user names with spaces between them",
	},
	{
		.name = "subscribe",
		.field = FIELD(subscribe_strict),
		.read = option_read_subscribe,
		.standard = "covered",
		.wanted =
			"wanted covered (a subscription wider than the rights gets what they cover) or strict (it is refused)",
	},
	{
		.name = "sign_in_budget",
		.field = FIELD(sign_in_budget),
		.read = option_read_number,
		.max = 50,
		.standard = "5",
		.wanted = "wanted a whole number from 0 to 50: percent of the broker's time in which passwords may be checked",
	},
	{
		.name = "gauges_every",
		.field = FIELD(gauges_every_s),
		.read = option_read_number,
		.max = 86400,
		.standard = "10",
		.wanted = "wanted a whole number of seconds from 1 to 86400, or 0 for none",
	},
	{
		.name = "sync_ms",
		.field = FIELD(sync_ms),
		.read = option_read_number,
		.min = 10,
		.max = 10000,
		.standard = "100",
		.wanted = "wanted a whole number of milliseconds from 10 to 10000",
	},
	{
		.name = "journal_max",
		.field = FIELD(journal_max),
		.read = option_read_size,
		.min = 4 * MIB,
		.max = 1024 * GIB,
		.standard = "1G",
		.wanted = "wanted bytes, or a number with K, M or G, from 4M to 1024G",
	},
	{
		.name = "max_series",
		.field = FIELD(max_series),
		.read = option_read_number,
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
		if (problem == option_password_in_store || settings[i].near_secret)
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
		problem = option_no_memory;
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
