/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options: plugin_opt_… lines → checked settings, or one line that names the option and the wanted form.
 */
#ifndef HEARTH_OPTIONS_H
#define HEARTH_OPTIONS_H

#include "topic.h"

/* Where options are kept that hold several words. */
struct word_list {
	size_t count;
	char **words;
};

struct options {
	char *store;                      /* plugin_opt_store: "sqlite:PATH" (default sqlite:STATE_DIR/history.db), or
	                                   "mariadb://USER@HOST…/DATABASE", which its backend reads */
	char *store_password_file;        /* plugin_opt_store_password_file: absolute; NULL: none */
	char *store_ca;                   /* plugin_opt_store_ca: absolute; NULL: none */
	char *store_reader;               /* plugin_opt_store_reader: user for reading; NULL: the store's own */
	char *store_reader_password_file; /* plugin_opt_store_reader_password_file: absolute; NULL: none */
	char *state_dir;                  /* plugin_opt_state_dir: absolute; default /var/lib/mosquitto/hearth */
	char *node;                       /* plugin_opt_node: one topic level; default the host name up to its first '.' */
	struct word_list ignore;          /* plugin_opt_ignore: filters; default homeassistant/# tasmota/# … */
	struct word_list config_from;     /* plugin_opt_config_from: user names; empty: anyone */
	bool subscribe_strict;            /* plugin_opt_subscribe: strict or covered; default covered */
	int sign_in_budget;               /* plugin_opt_sign_in_budget: 0 … 50 percent; default 5 */
	unsigned keep_raw_days;           /* plugin_opt_keep_raw: 0 (for ever) … 36500; default 400 */
	int gauges_every_s;               /* plugin_opt_gauges_every: 0 (off) or 1 … 86400 seconds; default 10 */
	int sync_ms;                      /* plugin_opt_sync_ms: 10 … 10000; default 100 */
	unsigned long long journal_max;   /* plugin_opt_journal_max: bytes with K, M or G, from 4M; default 1G */
	unsigned max_series;              /* plugin_opt_max_series: 1 … 10000000; default 100000 */
};

/* One plugin_opt_ line without its prefix, as Mosquitto hands it over; value may be NULL. */
struct option_line {
	const char *key;
	const char *value;
};

#define OPTIONS_ERROR_MAX 512

/*
 * Checks the lines and fills in defaults. False with a message such as
 *   plugin_opt_sync_ms "fast": wanted a whole number of milliseconds from 10 to 10000
 * An unknown option and one given twice are errors too (a near name is suggested); plugin_opt_ignore may be repeated and
 * its lines add up, replacing the default. On false nothing needs to be freed.
 */
bool options_read(const struct option_line *lines, size_t count, struct options *out, char error[OPTIONS_ERROR_MAX]);
void options_free(struct options *options);

#endif
