/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A backup is put back while the house goes on: what was stored since then comes again from the journal, exactly once. By
 * mariadb-dump under the running plugin, fast and table by table, and by the whole data folder while the server is stopped.
 *
 * TEST_LONG: the backup is a minute old, in place of some seconds.
 */
#include "mariadb_trial.h"
#include "program.h"
#include "publishers.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLIENTS 2
#define WINDOW  1
#define WORD    40 /* bytes */
#define LIVE_MS 200

#define EMPTY "DROP DATABASE " HOUSE_DATABASE "; CREATE DATABASE " HOUSE_DATABASE

/* In a small journal little stays but what is kept on purpose; of its quota that may take a quarter. */
static struct trial begin(struct mariadb_server *server)
{
	struct trial trial = trial_new_in(server);

	house_conf(trial.house, "plugin_opt_journal_max %s", trial_is_long() ? "1G" : "120M");
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	return trial;
}

static void dump_put_back(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = begin(server);
	struct publishers *publishers = publishers_new(CLIENTS);

	publishers_begin(publishers, trial.house, WINDOW, WORD);
	trial_live_for(&trial, LIVE_MS);
	mariadb_must(server, mariadb_server_backup(server, HOUSE_DATABASE, "backup"));
	trial_live_for(&trial, mariadb_trial_outage_ms());
	mariadb_must(server, mariadb_server_restore(server, HOUSE_DATABASE, "backup"));
	trial_live_for(&trial, LIVE_MS);
	mariadb_trial_all_published(&trial, publishers, "dump put back");
	trial_end(&trial);
}

/* ---- table by table ---- */

#define DUMP_MAX 16777216

static char *read_dump(struct mariadb_server *server)
{
	char path[160], *text = malloc(DUMP_MAX);
	size_t len;
	FILE *in;

	assert_non_null(text);
	snprintf(path, sizeof(path), "%.120s/backup.sql", mariadb_server_folder(server));
	in = fopen(path, "re");
	assert_non_null(in);
	len = fread(text, 1, DUMP_MAX, in);
	assert_in_range(len, 1, DUMP_MAX - 1);
	text[len] = '\0';
	fclose(in);
	return text;
}

/* A part of the dump, behind the settings that the whole begins with. */
static void put_back_part(struct mariadb_server *server, const char *settings, size_t settings_len, const char *part,
                          size_t len)
{
	char path[160];
	FILE *out;

	snprintf(path, sizeof(path), "%.120s/part.sql", mariadb_server_folder(server));
	out = fopen(path, "we");
	assert_non_null(out);
	fwrite(settings, 1, settings_len, out);
	fwrite(part, 1, len, out);
	assert_int_equal(fclose(out), 0);
	mariadb_must(server, mariadb_server_run_file(server, HOUSE_DATABASE, path));
}

/* As if each table were so large that it takes a while, in which the plugin sees old tables beside new ones. */
static void put_back_slowly(struct trial *trial, const char *dump)
{
	static const char table[] = "-- Table structure for table";
	const char *at = strstr(dump, table);
	size_t settings = at == NULL ? 0 : (size_t)(at - dump), tables = 0;

	while (at != NULL) {
		const char *next = strstr(at + 1, table);

		put_back_part(trial->house->server, dump, settings, at, next == NULL ? strlen(at) : (size_t)(next - at));
		trial_live_for(trial, LIVE_MS);
		at = next;
		tables++;
	}
	assert_true(tables > 5);
}

static void dump_put_back_slowly(struct mariadb_server *server, const char *before)
{
	struct trial trial = begin(server);
	char *dump;

	mariadb_must(server, mariadb_server_backup(server, HOUSE_DATABASE, "backup"));
	trial_live_for(&trial, LIVE_MS);
	trial_expect_exactly_once(&trial);
	dump = read_dump(server);
	mariadb_must(server, mariadb_server_run(server, NULL, before));
	put_back_slowly(&trial, dump);
	house_wait_log(trial.house, MARIADB_BACK);
	trial_expect_exactly_once(&trial);
	trial_expect_lines(&trial, MARIADB_AWAY, trial.history, MARIADB_BACK, 1);
	free(dump);
	trial_end(&trial);
}

static void dump_put_back_slowly_over_the_tables(void **state)
{
	dump_put_back_slowly(*state, "DO 0");
}

static void dump_put_back_slowly_into_an_empty_database(void **state)
{
	dump_put_back_slowly(*state, EMPTY);
}

/* ---- the whole server is what it was ---- */

static void data_folder_put_back(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = begin(server);
	struct publishers *publishers = publishers_new(CLIENTS);
	const char *data = mariadb_server_data(server);
	char copy[160];

	snprintf(copy, sizeof(copy), "%.140s/copy", mariadb_server_folder(server));
	publishers_begin(publishers, trial.house, WINDOW, WORD);
	trial_live_for(&trial, LIVE_MS);
	mariadb_must(server, mariadb_server_stop(server));
	program_run((const char *const[]){"cp", "-a", data, copy, NULL});
	mariadb_must(server, mariadb_server_start(server));
	trial_live_for(&trial, mariadb_trial_outage_ms());
	mariadb_must(server, mariadb_server_stop(server));
	program_run((const char *const[]){"rm", "-r", data, NULL});
	program_run((const char *const[]){"mv", copy, data, NULL});
	mariadb_must(server, mariadb_server_start(server));
	trial_live_for(&trial, LIVE_MS);
	mariadb_trial_all_published(&trial, publishers, "data folder put back");
	trial_end(&trial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(dump_put_back, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(dump_put_back_slowly_over_the_tables, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(dump_put_back_slowly_into_an_empty_database, mariadb_trial_setup,
	                                    client_teardown),
		cmocka_unit_test_setup_teardown(data_folder_put_back, mariadb_trial_setup, client_teardown),
	};

	return cmocka_run_group_tests_name("mariadb_restore", tests, mariadb_trial_begin, mariadb_trial_end);
}
