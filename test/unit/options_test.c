/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options: defaults, each option's good and bad values with the exact message, unknown and repeated options, hostile
 * bytes. gethostname is this file's own, so that a test decides what the machine is called.
 */
#include "options.h"
#include "options_error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *host_name = "house"; /* NULL: the machine does not say */

int gethostname(char *name, size_t len)
{
	size_t wanted = host_name ? strlen(host_name) : 0;

	if (!host_name) {
		errno = ENOSYS;
		return -1;
	}
	/* As the system's own: a name that does not fit is cut and perhaps not ended. */
	memcpy(name, host_name, wanted < len ? wanted + 1 : len);
	return 0;
}

/* ---- helpers ---- */

static bool read_line(const char *key, const char *value, struct options *out, char error[OPTIONS_ERROR_MAX])
{
	const struct option_line line = {key, value};
	return options_read(&line, 1, out, error);
}

static void assert_refused(const char *key, const char *value, const char *wanted)
{
	char error[OPTIONS_ERROR_MAX];
	struct options options;

	memset(error, 'x', sizeof(error));
	if (read_line(key, value, &options, error)) {
		options_free(&options);
		fail_msg("%s \"%s\" was accepted", key, value ? value : "(null)");
	}
	assert_string_equal(error, wanted);
	/* Nothing is left to free. */
	assert_null(options.store);
	assert_null(options.state_dir);
	assert_null(options.node);
	assert_null(options.ignore.words);
	assert_null(options.config_from.words);
}

static void read_good(const char *key, const char *value, struct options *out)
{
	char error[OPTIONS_ERROR_MAX];

	memset(error, 'x', sizeof(error));
	if (!read_line(key, value, out, error))
		fail_msg("%s", error);
	assert_string_equal(error, "");
}

static void assert_words(const struct word_list *list, const char *joined)
{
	char text[512] = "";

	for (size_t i = 0; i < list->count; i++) {
		strncat(text, i > 0 ? "|" : "", sizeof(text) - strlen(text) - 1);
		strncat(text, list->words[i], sizeof(text) - strlen(text) - 1);
	}
	assert_string_equal(text, joined);
}

/* ---- defaults ---- */

static void test_defaults(void **state)
{
	char error[OPTIONS_ERROR_MAX];
	struct options options;

	(void)state;
	assert_true(options_read(NULL, 0, &options, error));
	assert_string_equal(error, "");
	assert_string_equal(options.store, "sqlite:/var/lib/mosquitto/hearth/history.db");
	assert_string_equal(options.state_dir, "/var/lib/mosquitto/hearth");
	assert_string_equal(options.node, "house");
	assert_words(&options.ignore, "homeassistant/#|tasmota/#|zigbee2mqtt/#|esphome/#|shellies/#");
	assert_int_equal(options.config_from.count, 0);
	assert_null(options.store_password_file);
	assert_null(options.store_ca);
	assert_null(options.store_reader);
	assert_null(options.store_reader_password_file);
	assert_int_equal(options.keep_raw_days, 400);
	assert_int_equal(options.gauges_every_s, 10);
	assert_int_equal(options.sync_ms, 100);
	assert_true(options.journal_max == 1ull << 30);
	assert_int_equal(options.max_series, 100000);
	options_free(&options);
	assert_null(options.store);
}

static void test_store_follows_state_dir(void **state)
{
	struct options options;

	(void)state;
	read_good("state_dir", "/srv/hearth", &options);
	assert_string_equal(options.store, "sqlite:/srv/hearth/history.db");
	options_free(&options);
}

static void test_node_from_host_name(void **state)
{
	static char long_name[400];
	static const struct {
		const char *host;
		const char *node;
	} rows[] = {
		{"pi", "pi"},
		{"pi.home.arpa", "pi"},
		{"라즈베리", "라즈베리"},
		{"", "hearth-node"},
		{".home", "hearth-node"},
		{"all", "hearth-node"},
		{"hearth", "hearth-node"},
		{"hearth.home", "hearth-node"},
		{"hearth2", "hearth2"},
		{"a/b", "hearth-node"},
		{"a+b", "hearth-node"},
		{"#", "hearth-node"},
		{"$SYS", "hearth-node"},
		{"\xff\xfe", "hearth-node"},
		{NULL, "hearth-node"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct options options;

		host_name = rows[i].host;
		read_good("sync_ms", "100", &options);
		assert_string_equal(options.node, rows[i].node);
		options_free(&options);
	}

	struct options options;
	memset(long_name, 'n', sizeof(long_name) - 1);
	host_name = long_name;
	read_good("sync_ms", "100", &options);
	assert_int_equal(strlen(options.node), 255);
	options_free(&options);
	host_name = "house";
}

/* ---- numbers ---- */

struct number_row {
	const char *value;
	unsigned long long number;
};

#define SYNC_WANTED    "wanted a whole number of milliseconds from 10 to 10000"
#define GAUGES_WANTED  "wanted a whole number of seconds from 1 to 86400, or 0 for none"
#define JOURNAL_WANTED "wanted bytes, or a number with K, M or G, from 4M to 1024G"
#define SERIES_WANTED  "wanted a whole number from 1 to 10000000"

static const struct {
	const char *key;
	const char *wanted;
	struct number_row good[10];
	const char *bad[16];
} number_options[] = {
	{"sync_ms",
     SYNC_WANTED,
     {{"10", 10}, {"10000", 10000}, {" 250 ", 250}, {"0099", 99}, {"\t77\r", 77}},
     {"fast", "9", "10001", "0", "-100", "+100", "100ms", "1e3", "100.0", "0x64", "1 00", "99999999999999999999",
      "4294967396", "18446744073709551716"}},
	{"gauges_every",
     GAUGES_WANTED,
     {{"0", 0}, {"1", 1}, {"86400", 86400}},
     {"86401", "-1", "off", "10s", "4294967296"}},
	{"keep_raw",
     "wanted a whole number of days from 1 to 36500, or 0 to keep readings for ever",
     {{"0", 0}, {"1", 1}, {"36500", 36500}},
     {"36501", "-1", "1y", "400d"}},
	{"max_series", SERIES_WANTED, {{"1", 1}, {"10000000", 10000000}}, {"0", "10000001", "-1", "1K", "4294967297"}},
	{"journal_max",
     JOURNAL_WANTED,
     {{"64M", 64ull << 20},
      {"1G", 1ull << 30},
      {"4096K", 4ull << 20},
      {"4194304", 4ull << 20},
      {"4194305", (4ull << 20) + 1},
      {"4M", 4ull << 20},
      {"1024G", 1ull << 40},
      {"1073741824K", 1ull << 40}},
     {"3M", "4095K", "4194303", "0", "1025G", "1099511627777", "1073741825K", "64m", "64MB", "64 M", "M", "K64", "-64M",
      "17179869184G", "18446744073709551615G"}},
};

static unsigned long long number_of(const struct options *options, const char *key)
{
	if (strcmp(key, "sync_ms") == 0)
		return (unsigned long long)options->sync_ms;
	if (strcmp(key, "keep_raw") == 0)
		return options->keep_raw_days;
	if (strcmp(key, "gauges_every") == 0)
		return (unsigned long long)options->gauges_every_s;
	return strcmp(key, "max_series") == 0 ? options->max_series : options->journal_max;
}

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(number_options); i++) {
		const char *key = number_options[i].key;
		char message[OPTIONS_ERROR_MAX];

		for (const struct number_row *row = number_options[i].good; row->value; row++) {
			struct options options;

			read_good(key, row->value, &options);
			if (number_of(&options, key) != row->number)
				fail_msg("%s %s became %llu", key, row->value, number_of(&options, key));
			options_free(&options);
		}
		for (const char *const *value = number_options[i].bad; *value; value++) {
			snprintf(message, sizeof(message), "plugin_opt_%s \"%s\": %s", key, *value, number_options[i].wanted);
			assert_refused(key, *value, message);
		}
	}
}

/* ---- texts ---- */

#define STORE_WANTED "wanted sqlite:PATH with an absolute path, or mariadb://USER@HOST/DATABASE, at most 500 bytes"
#define NO_PASSWORD                                                                                                    \
	"plugin_opt_store: a password has no place here, where it would be shown in logs; wanted "                         \
	"mariadb://USER@HOST/DATABASE,"                                                                                    \
	" and the password in plugin_opt_store_password_file or in the environment as HEARTH_STORE_PASSWORD"
#define FILE_WANTED   "wanted the absolute path of a file "
#define READER_WANTED "wanted the name of a database user that may read, at most 128 bytes"
#define DIR_WANTED    "wanted the absolute path of a folder, at most 400 bytes"
#define NODE_WANTED   "wanted one level of a topic (no / + # and no $ in front), other than \"all\" and \"hearth\""
#define IGNORE_WANTED "wanted topic filters with spaces between them, such as homeassistant/# tasmota/#"
#define FROM_WANTED   "wanted user names with spaces between them"
#define STORES_KNOWN  "known: sqlite:PATH, mariadb://USER@HOST/DATABASE"

static const struct {
	const char *key;
	const char *value;
	const char *stored; /* NULL: refused, as `message` says */
	const char *message;
} text_rows[] = {
	{"store", "sqlite:/var/lib/x.db", "sqlite:/var/lib/x.db", NULL},
	{"store", "  sqlite:/my house/x.db ", "sqlite:/my house/x.db", NULL},
	{"store", "sqlite:", NULL, "plugin_opt_store \"sqlite:\": " STORE_WANTED},
	{"store", "sqlite:x.db", NULL, "plugin_opt_store \"sqlite:x.db\": " STORE_WANTED},
	{"store", "sqlite: /x.db", NULL, "plugin_opt_store \"sqlite: /x.db\": " STORE_WANTED},
	{"store", "sqlite", NULL, "plugin_opt_store \"sqlite\": " STORE_WANTED},
	{"store", "/var/lib/x.db", NULL, "plugin_opt_store \"/var/lib/x.db\": " STORE_WANTED},
	{"store", "/odd:name", NULL, "plugin_opt_store \"/odd:name\": " STORE_WANTED},
	{"store", "pg:/x", NULL, "plugin_opt_store \"pg:/x\": no such kind of store; " STORES_KNOWN},
	{"store", "SQLITE:/x", NULL, "plugin_opt_store \"SQLITE:/x\": no such kind of store; " STORES_KNOWN},
	{"store", "mariadb://u@h/db", "mariadb://u@h/db", NULL},
	{"store", " mariadb://u@h1:3306,h2:1/db ", "mariadb://u@h1:3306,h2:1/db", NULL},
	{"store", "mariadb:", "mariadb:", NULL}, /* its backend will refuse it */
	{"store", "mariadb://u:secret@h/db", NULL, NO_PASSWORD},
	{"store", "mariadb:u:secret@h", NULL, NO_PASSWORD},
	{"store", "mysql://root:secret@h/db", NULL, NO_PASSWORD},
	{"store", "root:secret@h", NULL, NO_PASSWORD},
	{"store", "mariadb//root:secret@h/db", NULL, NO_PASSWORD},
	{"store", "sqlite:/odd:name@home", "sqlite:/odd:name@home", NULL},
	{"store", "mariadb://:@", NULL, NO_PASSWORD},
	{"store_password_file", "/run/secrets/db", "/run/secrets/db", NULL},
	{"store_password_file", "db", NULL,
     "plugin_opt_store_password_file: " FILE_WANTED "whose first line is the database user's password"},
	{"store_ca", "/etc/ssl/ca.pem", "/etc/ssl/ca.pem", NULL},
	{"store_ca", "yes", NULL,
     "plugin_opt_store_ca \"yes\": " FILE_WANTED "with the certificates (PEM) that may sign the database's"},
	{"store_reader", "grafana", "grafana", NULL},
	{"store_reader", "\xff", NULL, "plugin_opt_store_reader \"?\": " READER_WANTED},
	{"store_reader_password_file", "/x", "/x", NULL},
	{"store_reader_password_file", "x", NULL,
     "plugin_opt_store_reader_password_file: " FILE_WANTED "whose first line is that user's password"},
	{"store", "", NULL, "plugin_opt_store: " STORE_WANTED},
	{"store", NULL, NULL, "plugin_opt_store: " STORE_WANTED},

	{"state_dir", "/srv/hearth", "/srv/hearth", NULL},
	{"state_dir", "/", "/", NULL},
	{"state_dir", "srv", NULL, "plugin_opt_state_dir \"srv\": " DIR_WANTED},
	{"state_dir", "./srv", NULL, "plugin_opt_state_dir \"./srv\": " DIR_WANTED},
	{"state_dir", "~/srv", NULL, "plugin_opt_state_dir \"~/srv\": " DIR_WANTED},
	{"state_dir", " \t ", NULL, "plugin_opt_state_dir: " DIR_WANTED},

	{"node", "attic", "attic", NULL},
	{"node", "다락방", "다락방", NULL},
	{"node", " my attic ", "my attic", NULL},
	{"node", "allotment", "allotment", NULL},
	{"node", "all", NULL, "plugin_opt_node \"all\": " NODE_WANTED},
	{"node", "hearth", NULL, "plugin_opt_node \"hearth\": " NODE_WANTED},
	{"node", "a/b", NULL, "plugin_opt_node \"a/b\": " NODE_WANTED},
	{"node", "a+", NULL, "plugin_opt_node \"a+\": " NODE_WANTED},
	{"node", "#", NULL, "plugin_opt_node \"#\": " NODE_WANTED},
	{"node", "$SYS", NULL, "plugin_opt_node \"$SYS\": " NODE_WANTED},
	{"node", "caf\xe9", NULL, "plugin_opt_node \"caf?\": " NODE_WANTED},
	{"node", NULL, NULL, "plugin_opt_node: " NODE_WANTED},
};

static const char *text_of(const struct options *options, const char *key)
{
	const struct {
		const char *key, *text;
	} texts[] = {
		{"store", options->store},
		{"store_password_file", options->store_password_file},
		{"store_ca", options->store_ca},
		{"store_reader", options->store_reader},
		{"store_reader_password_file", options->store_reader_password_file},
		{"state_dir", options->state_dir},
		{"node", options->node},
	};
	for (size_t i = 0; i < COUNT(texts); i++)
		if (strcmp(texts[i].key, key) == 0)
			return texts[i].text;
	return NULL;
}

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(text_rows); i++) {
		struct options options;
		const char *found;

		if (!text_rows[i].stored) {
			assert_refused(text_rows[i].key, text_rows[i].value, text_rows[i].message);
			continue;
		}
		read_good(text_rows[i].key, text_rows[i].value, &options);
		found = text_of(&options, text_rows[i].key);
		assert_string_equal(found, text_rows[i].stored);
		options_free(&options);
	}
}

/* The longest that is allowed, and one byte more. */
static void test_text_lengths(void **state)
{
	static const struct {
		const char *key;
		const char *begin;
		size_t longest; /* without what it begins with */
	} rows[] = {{"state_dir", "", 400}, {"store", "sqlite:", 500}, {"node", "", 255}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t begin = strlen(rows[i].begin);
		char error[OPTIONS_ERROR_MAX];
		char value[1024];
		struct options options;

		memcpy(value, rows[i].begin, begin);
		memset(value + begin, 'x', sizeof(value) - begin);
		value[begin] = strcmp(rows[i].key, "node") == 0 ? 'x' : '/';
		value[begin + rows[i].longest] = '\0';
		read_good(rows[i].key, value, &options);
		options_free(&options);
		value[begin + rows[i].longest] = 'x';
		value[begin + rows[i].longest + 1] = '\0';
		assert_false(read_line(rows[i].key, value, &options, error));
		assert_non_null(strstr(error, "x…\": wanted "));
	}
}

/* ---- lists ---- */

static const struct {
	const char *key;
	const char *value;
	const char *words; /* joined by '|'; NULL: refused, as `message` says */
	const char *message;
} list_rows[] = {
	{"ignore", "frigate/#", "frigate/#", NULL},
	{"ignore", "  a/# \t b/+/c\r\n +/x ", "a/#|b/+/c|+/x", NULL},
	{"ignore", "#", "#", NULL},
	{"ignore", "거실/#", "거실/#", NULL},
	{"ignore", "a/#/b", NULL, "plugin_opt_ignore \"a/#/b\": " IGNORE_WANTED},
	{"ignore", "a/# b#", NULL, "plugin_opt_ignore \"a/# b#\": " IGNORE_WANTED},
	{"ignore", "a/# \xc0\xaf", NULL, "plugin_opt_ignore \"a/# ??\": " IGNORE_WANTED},
	{"ignore", "  ", NULL, "plugin_opt_ignore: " IGNORE_WANTED},
	{"ignore", NULL, NULL, "plugin_opt_ignore: " IGNORE_WANTED},
	{"config_from", "ann", "ann", NULL},
	{"config_from", "ann  bob\t영희", "ann|bob|영희", NULL},
	{"config_from", "ann \xff", NULL, "plugin_opt_config_from \"ann ?\": " FROM_WANTED},
	{"config_from", "", NULL, "plugin_opt_config_from: " FROM_WANTED},
};

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(list_rows); i++) {
		struct options options;

		if (!list_rows[i].words) {
			assert_refused(list_rows[i].key, list_rows[i].value, list_rows[i].message);
			continue;
		}
		read_good(list_rows[i].key, list_rows[i].value, &options);
		assert_words(strcmp(list_rows[i].key, "ignore") == 0 ? &options.ignore : &options.config_from,
		             list_rows[i].words);
		options_free(&options);
	}
}

/* A thousand words are possible, over any number of lines; the next one is refused. */
static void test_list_bounds(void **state)
{
	char words[2 * 999 + 1];
	char error[OPTIONS_ERROR_MAX];
	struct options options;
	const struct option_line lines[] = {{"ignore", words}, {"ignore", "b"}, {"ignore", "c"}};
	char *huge = malloc(70000);

	(void)state;
	for (size_t i = 0; i < sizeof(words) - 1; i++)
		words[i] = i % 2 ? ' ' : 'a';
	words[sizeof(words) - 1] = '\0';
	assert_true(options_read(lines, 2, &options, error));
	assert_int_equal(options.ignore.count, 1000);
	options_free(&options);
	assert_false(options_read(lines, 3, &options, error));
	assert_string_equal(error, "plugin_opt_ignore \"c\": too many words, at most 1000 are possible");

	assert_non_null(huge);
	memset(huge, 'u', 70000);
	huge[65535] = '\0';
	read_good("config_from", huge, &options);
	options_free(&options);
	huge[65535] = 'u';
	huge[65536] = '\0';
	assert_false(read_line("config_from", huge, &options, error));
	free(huge);
}

/* ---- several lines ---- */

static void test_all_options(void **state)
{
	static const struct option_line lines[] = {
		{"max_series", "5"},      {"journal_max", "8M"},    {"sync_ms", "20"}, {"gauges_every", "0"},
		{"config_from", "ann"},   {"ignore", "a/#"},        {"node", "attic"}, {"ignore", "b c"},
		{"store", "sqlite:/x/y"}, {"state_dir", "/srv/st"},
	};
	char error[OPTIONS_ERROR_MAX];
	struct options options;

	(void)state;
	assert_true(options_read(lines, COUNT(lines), &options, error));
	assert_string_equal(options.store, "sqlite:/x/y");
	assert_string_equal(options.state_dir, "/srv/st");
	assert_string_equal(options.node, "attic");
	assert_words(&options.ignore, "a/#|b|c");
	assert_words(&options.config_from, "ann");
	assert_int_equal(options.gauges_every_s, 0);
	assert_int_equal(options.sync_ms, 20);
	assert_true(options.journal_max == 8ull << 20);
	assert_int_equal(options.max_series, 5);
	options_free(&options);
}

static void test_given_twice(void **state)
{
	static const struct option_line lines[][2] = {
		{{"sync_ms", "100"}, {"sync_ms", "100"}},
		{{"node", "a"}, {"node", "b"}},
		{{"config_from", "ann"}, {"config_from", "bob"}},
		{{"store", "sqlite:/a"}, {"store", NULL}},
	};
	static const char *const wanted[] = {
		"plugin_opt_sync_ms \"100\": given twice",
		"plugin_opt_node \"b\": given twice",
		"plugin_opt_config_from \"bob\": given twice",
		"plugin_opt_store: given twice",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char error[OPTIONS_ERROR_MAX];
		struct options options;

		assert_false(options_read(lines[i], 2, &options, error));
		assert_string_equal(error, wanted[i]);
	}
}

/* The first wrong line is the one that is named. */
static void test_first_error(void **state)
{
	static const struct option_line lines[] = {{"node", "a"}, {"sync_ms", "x"}, {"nonsense", "y"}};
	char error[OPTIONS_ERROR_MAX];
	struct options options;

	(void)state;
	assert_false(options_read(lines, COUNT(lines), &options, error));
	assert_string_equal(error, "plugin_opt_sync_ms \"x\": " SYNC_WANTED);
}

/* ---- unknown options ---- */

#define KNOWN                                                                                                          \
	"Known: state_dir, store, store_password_file, store_ca, store_reader, store_reader_password_file, keep_raw, "     \
	"node, ignore, config_from, subscribe, sign_in_budget, gauges_every, sync_ms, journal_max, max_series"

static const struct {
	const char *key;
	const char *meant; /* NULL: nothing is near */
} unknown_rows[] = {
	{"sync", "sync_ms"},
	{"sync_mss", "sync_ms"},
	{"synk_ms", "sync_ms"},
	{"stor", "store"},
	{"store_", "store"},
	{"statedir", "state_dir"},
	{"state", "state_dir"},
	{"dir", "state_dir"},
	{"nodes", "node"},
	{"nod", "node"},
	{"nore", "node"},
	{"ingore", "ignore"},
	{"ignored", "ignore"},
	{"series", "max_series"},
	{"max", "max_series"},
	{"journal", "journal_max"},
	{"gauge_every", "gauges_every"},
	{"Sync_ms", "sync_ms"},
	{"config_form", "config_from"},
	{"SYNC_MS", NULL},
	{"log", NULL},
	{"ms", NULL},
	{"", NULL},
	{"abcdefgh", NULL},
	{"certificates", NULL},
	{"synchronisation_interval_in_milliseconds", NULL},
};

static void test_unknown(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unknown_rows); i++) {
		const char *meant = unknown_rows[i].meant;
		char wanted[OPTIONS_ERROR_MAX];

		snprintf(wanted, sizeof(wanted), "plugin_opt_%s: no such option%s%s%s " KNOWN, unknown_rows[i].key,
		         meant ? "; did you mean plugin_opt_" : "", meant ? meant : "", meant ? "?" : ".");
		assert_refused(unknown_rows[i].key, "1", wanted);
	}
}

/* ---- hostile bytes ---- */

#define A10 "aaaaaaaaaa"
#define A90 A10 A10 A10 A10 A10 A10 A10 A10 A10

static const struct {
	const char *value;
	const char *shown;
} hostile_rows[] = {
	{"a\nb\x1b[31m\x7f", "a?b?[31m?"},
	{"\x01\x02", "??"},
	{"a\xc2\x85z", "a?z"}, /* C1: NEXT LINE */
	{"a\xc2\x9fz", "a?z"},
	{"a\xc2\xa0z", "a\xc2\xa0z"}, /* NO-BREAK SPACE is not a control character */
	{"온도", "온도"},
	{"\xf0\x9f\x94\xa5", "\xf0\x9f\x94\xa5"},
	{"\xed\xa0\x80", "???"},      /* a surrogate */
	{"\xc0\xaf", "??"},           /* an overlong '/' */
	{"\xf5\x80\x80\x80", "????"}, /* beyond U+10FFFF */
	{"\xea\xb0", "??"},           /* cut off */
	{"a\"b\\c%s%n", "a\"b\\c%s%n"},
	{A90 A10, A90 A10},
	{A90 A10 "b", A90 A10 "…"},
	{A90 "aaaaaaa가나", A90 "aaaaaaa가…"},
	{A90 "aaaaaaaa가", A90 "aaaaaaaa…"},
	{A90 "aaaaaaaaa가", A90 "aaaaaaaaa…"},
};

static void test_hostile_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(hostile_rows); i++) {
		char wanted[OPTIONS_ERROR_MAX];

		snprintf(wanted, sizeof(wanted), "plugin_opt_sync_ms \"%s\": " SYNC_WANTED, hostile_rows[i].shown);
		assert_refused("sync_ms", hostile_rows[i].value, wanted);
		snprintf(wanted, sizeof(wanted), "plugin_opt_%s: no such option. " KNOWN, hostile_rows[i].shown);
		assert_refused(hostile_rows[i].value, NULL, wanted);
	}
}

/* Whatever is to be said, the message ends within its buffer, and never within a character. */
static void test_message_bounds(void **state)
{
	char problem[2 * OPTIONS_ERROR_MAX];
	struct {
		char error[OPTIONS_ERROR_MAX];
		char behind[16];
	} box;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		memset(problem, 'a', sizeof(problem));
		for (size_t at = i; at + 4 < sizeof(problem); at += 3)
			memcpy(problem + at, "온", 3);
		problem[sizeof(problem) - 1] = '\0';
		memset(&box, '!', sizeof(box));
		options_error_value(box.error, "k", slice_of("v"), problem);
		assert_true(strnlen(box.error, sizeof(box.error)) < OPTIONS_ERROR_MAX);
		assert_true(strlen(box.error) > OPTIONS_ERROR_MAX - 4);
		assert_true(utf8_valid(slice_of(box.error)));
		assert_memory_equal(box.behind, "!!!!!!!!!!!!!!!!", sizeof(box.behind));
	}
}

/* Random lines, known keys among them: no crash, and a message whenever one is refused. */
static void test_random_lines(void **state)
{
	static const char *const keys[] = {"store",   "state_dir",    "node",        "ignore",     "config_from",
	                                   "sync_ms", "gauges_every", "journal_max", "max_series", "x"};
	static const char alphabet[] = " \t/#+$:.0123456789KMGsqlite\xea\xb0\x80\xff\x01";
	uint32_t random = 12345;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char value[64];
		char error[OPTIONS_ERROR_MAX];
		struct options options;
		size_t len;

		random = random * 1664525u + 1013904223u;
		len = random >> 16 & 15;
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525u + 1013904223u;
			value[i] = alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
		}
		value[len] = '\0';
		if (read_line(keys[(random >> 8) % COUNT(keys)], value, &options, error)) {
			options_free(&options);
			continue;
		}
		assert_true(utf8_valid(slice_of(error)));
		assert_memory_equal(error, "plugin_opt_", 11);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_store_follows_state_dir),
		cmocka_unit_test(test_node_from_host_name),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_text_lengths),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_list_bounds),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_given_twice),
		cmocka_unit_test(test_first_error),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_message_bounds),
		cmocka_unit_test(test_random_lines),
	};
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
