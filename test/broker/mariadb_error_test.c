/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * What a person has to put right at a MariaDB: one line in the log says what is wrong and what to do, rules work and readings
 * wait meanwhile, and once it is put right the house goes on by itself. No password is in any line. What can never work
 * is refused at the start.
 */
#include "disk.h"
#include "mariadb_trial.h"
#include "patience.h"
#include "program.h"
#include "rows.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LIVE_MS 400

/* What the grants' files give as a password. */
#define PASSWORD "CHANGE ME"

/* A data folder that was just installed takes half of it. */
#define DISK_KIB (192 * 1024)

static void put_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

/* The house is told to sign in to a server as this user, with a password in FOLDER/password. */
static void sign_in_as(struct trial *trial, const char *user, const char *host, const char *password)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/password", trial->house->folder);
	put_file(path, password);
	house_conf(trial->house, "plugin_opt_store mariadb://%s@%s/" HOUSE_DATABASE, user, host);
	house_conf(trial->house, "plugin_opt_store_password_file %s", path);
}

static void put_password(const struct trial *trial, const char *password)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/password", trial->house->folder);
	put_file(path, password);
}

/* It is wrong from now on: the house says so once, and lives on. */
static void is_told(struct trial *trial, const char *words)
{
	house_wait_log(trial->house, MARIADB_AWAY);
	trial_live_for(trial, LIVE_MS);
	trial_expect_lines(trial, MARIADB_AWAY, words, MARIADB_BACK, 0);
}

/* It was put right. */
static void goes_on(struct trial *trial, const char *words)
{
	trial_live_for(trial, LIVE_MS);
	house_wait_log(trial->house, MARIADB_BACK);
	trial_expect_exactly_once(trial);
	trial_expect_lines(trial, MARIADB_AWAY, words, MARIADB_BACK, 1);
	assert_int_equal(house_count_log(trial->house, PASSWORD, NULL), 0);
	assert_int_equal(house_count_log(trial->house, "cannot be looked after", NULL), 0);
}

static void wrong_password(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = trial_new_in(server);

	mariadb_must(server, mariadb_server_run_file(server, NULL, mariadb_trial_schema("grants/home.sql")));
	sign_in_as(&trial, "hearth", mariadb_server_socket(server), "open sesame\n");
	trial_begin(&trial);
	is_told(&trial, "check plugin_opt_store_password_file");
	assert_int_equal(house_count_log(trial.house, "sesame", NULL), 0);
	put_password(&trial, PASSWORD "\n");
	goes_on(&trial, "Access denied");

	/* Without a file it is in the environment. */
	client_free(trial.client);
	house_stop(trial.house);
	house_conf_clear(trial.house);
	house_conf(trial.house, "plugin_opt_store mariadb://hearth@%s/" HOUSE_DATABASE, mariadb_server_socket(server));
	setenv("HEARTH_STORE_PASSWORD", PASSWORD, 1);
	house_start(trial.house);
	unsetenv("HEARTH_STORE_PASSWORD");
	trial_connect(&trial);
	trial_live_for(&trial, LIVE_MS);
	trial_expect_exactly_once(&trial);
	assert_int_equal(house_count_log(trial.house, MARIADB_AWAY, NULL), 0);
	assert_int_equal(house_count_log(trial.house, PASSWORD, NULL), 0);
	trial_end(&trial);
}

static void missing_database(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = trial_new_in(server);

	mariadb_must(server, mariadb_server_run(server, NULL, "DROP DATABASE " HOUSE_DATABASE));
	trial_begin(&trial);
	is_told(&trial, "CREATE DATABASE " HOUSE_DATABASE);
	mariadb_must(server, mariadb_server_run(server, NULL, "CREATE DATABASE " HOUSE_DATABASE));
	goes_on(&trial, "Unknown database");
	trial_end(&trial);
}

/* ---- certificates ---- */

/* Makes FOLDER/NAME.pem and its key, signed by itself. */
static void make_authority(const char *folder, const char *name)
{
	char key[120], certificate[120], subject[40];

	snprintf(subject, sizeof(subject), "/CN=%s", name);
	snprintf(key, sizeof(key), "%.80s/%s.key", folder, name);
	snprintf(certificate, sizeof(certificate), "%.80s/%s.pem", folder, name);
	program_run((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
	                                  "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", subject,
	                                  "-keyout", key, "-out", certificate, NULL});
}

/* Makes FOLDER/server.pem for localhost, signed by FOLDER/ca.pem, and has the server use it from its next start on. */
static void give_certificate(struct mariadb_server *server, const char *folder)
{
	char ca[120], ca_key[120], key[120], request[120], certificate[120];

	snprintf(ca, sizeof(ca), "%.80s/ca.pem", folder);
	snprintf(ca_key, sizeof(ca_key), "%.80s/ca.key", folder);
	snprintf(key, sizeof(key), "%.80s/server.key", folder);
	snprintf(request, sizeof(request), "%.80s/server.csr", folder);
	snprintf(certificate, sizeof(certificate), "%.80s/server.pem", folder);
	program_run((const char *const[]){"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
	                                  "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", request, NULL});
	program_run((const char *const[]){"openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key,
	                                  "-CAcreateserial", "-days", "2", "-out", certificate, NULL});
	mariadb_must(server, mariadb_server_option(server, "--ssl-cert=%s", certificate));
	mariadb_must(server, mariadb_server_option(server, "--ssl-key=%s", key));
}

static void wrong_certificate(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = trial_new_in(server);
	const char *folder = trial.house->folder;
	char host[40], ca[96], other[96], trusted[96];

	snprintf(host, sizeof(host), "localhost:%d", mariadb_server_port(server));
	snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
	snprintf(other, sizeof(other), "%s/other.pem", folder);
	snprintf(trusted, sizeof(trusted), "%s/trusted.pem", folder);
	make_authority(folder, "ca");
	make_authority(folder, "other");
	program_run((const char *const[]){"cp", other, trusted, NULL});
	mariadb_must(server, mariadb_server_run_file(server, NULL, mariadb_trial_schema("grants/home.sql")));
	sign_in_as(&trial, "hearth", host, PASSWORD);
	house_conf(trial.house, "plugin_opt_store_ca %s", trusted);
	trial_begin(&trial);
	is_told(&trial, "plugin_opt_store_ca demands TLS");

	client_free(trial.client);
	house_stop(trial.house);
	give_certificate(server, folder);
	mariadb_must(server, mariadb_server_stop(server));
	mariadb_must(server, mariadb_server_start(server));
	house_start(trial.house);
	trial_connect(&trial);
	is_told(&trial, "not signed by the CA in plugin_opt_store_ca");
	program_run((const char *const[]){"cp", ca, trusted, NULL});
	goes_on(&trial, "not signed by the CA in plugin_opt_store_ca");
	trial_end(&trial);
}

/* ---- the server itself ---- */

static void old_server(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = trial_new_in(server);

	mariadb_must(server, mariadb_server_stop(server));
	mariadb_must(server, mariadb_server_option(server, "--version=10.1.48-MariaDB"));
	mariadb_must(server, mariadb_server_start(server));
	trial_begin(&trial);
	is_told(&trial, "wanted MariaDB 10.5 or newer");
	mariadb_must(server, mariadb_server_stop(server));
	mariadb_server_options_clear(server);
	mariadb_must(server, mariadb_server_start(server));
	goes_on(&trial, "10.1.48");
	trial_end(&trial);
}

static void full_disk(void **state)
{
	struct trial trial = trial_new();
	struct mariadb_server *server;

	(void)state;
	if (!disk_mount(trial.disk, DISK_KIB)) {
		house_free(trial.house);
		skip();
	}
	server = mariadb_trial_server(trial.disk);
	trial.house->server = server;
	trial_begin(&trial);
	trial_count(&trial, 100);
	trial_expect_exactly_once(&trial);
	disk_fill(trial.disk);
	/* The files that are there have some room left. */
	for (int i = 0; i < 100 && house_count_log(trial.house, MARIADB_AWAY, NULL) == 0; i++)
		trial_words(&trial, 50);
	is_told(&trial, "make room on the server's disk");
	disk_free(trial.disk);
	goes_on(&trial, "make room on the server's disk");
	trial_end(&trial);
	mariadb_server_free(server);
	disk_unmount(trial.disk);
}

/* ---- tables ---- */

static void table_dropped(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = trial_new_in(server);

	trial_begin(&trial);
	rows_expect(trial.house, "select count(*) from reading", "2\n");
	mariadb_must(server, mariadb_server_run(server, HOUSE_DATABASE, "DROP TABLE reading"));
	trial_count(&trial, 10);
	is_told(&trial, "/mariadb/001_initial.sql");
	mariadb_must(server, mariadb_server_run_file(server, HOUSE_DATABASE, mariadb_trial_schema("001_initial.sql")));
	goes_on(&trial, "Table 'hearth.reading' doesn't exist");
	trial_end(&trial);
}

/* The three users of the hardened set: the house's own may neither make tables nor read or change readings. */
static void user_who_may_make_no_tables(void **state)
{
	struct mariadb_server *server = *state;
	struct trial trial = trial_new_in(server);

	mariadb_must(server, mariadb_server_run_file(server, NULL, mariadb_trial_schema("grants/hardened.sql")));
	mariadb_must(server, mariadb_server_run(server, NULL, "GRANT SELECT ON hearth.* TO hearth_writer@localhost"));
	sign_in_as(&trial, "hearth_writer", mariadb_server_socket(server), PASSWORD);
	trial_begin(&trial);
	is_told(&trial, "/mariadb/001_initial.sql");
	mariadb_must(server, mariadb_server_run_file(server, HOUSE_DATABASE, mariadb_trial_schema("001_initial.sql")));
	mariadb_must(server, mariadb_server_run(server, NULL, "REVOKE SELECT ON hearth.* FROM hearth_writer@localhost"));
	mariadb_must(server, mariadb_server_run_file(server, NULL, mariadb_trial_schema("grants/hardened.sql")));
	goes_on(&trial, "001_initial.sql is not applied and user hearth_writer may not apply it");
	trial_end(&trial);
}

/* ---- what can never work ---- */

/* One line names the option, and has the words; no secret is in any. */
static void refused_at_the_start(void **state)
{
	static const struct {
		const char *line, *option, *words;
	} table[] = {
		{"plugin_opt_store mariadb://root:geheim@localhost/hearth", "plugin_opt_store",
	     "plugin_opt_store_password_file"},
		{"plugin_opt_store mariadb://root:geheim@localhost:3306/hearth", "plugin_opt_store", "HEARTH_STORE_PASSWORD"},
		{"plugin_opt_store mariadb://localhost/hearth", "plugin_opt_store", "wanted mariadb://USER@HOST"},
		{"plugin_opt_store mariadb://root@localhost", "plugin_opt_store", "wanted mariadb://USER@HOST"},
		{"plugin_opt_store mariadb://root@localhost:port/hearth", "plugin_opt_store", "wanted"},
		{"plugin_opt_store mariadb:root@localhost/hearth", "plugin_opt_store", "wanted mariadb://USER@HOST"},
		{"plugin_opt_store mariadb://root@a,,b/hearth", "plugin_opt_store", "wanted"},
		{"plugin_opt_store_password_file geheim", "plugin_opt_store_password_file", "absolute path"},
		{"plugin_opt_store_ca ca.pem", "plugin_opt_store_ca", "absolute path"},
		{"plugin_opt_keep_raw -1", "plugin_opt_keep_raw", "wanted a whole number of days"},
		{"plugin_opt_keep_raw for ever", "plugin_opt_keep_raw", "wanted a whole number of days"},
		{"plugin_opt_keep_raw 36501", "plugin_opt_keep_raw", "wanted a whole number of days"},
	};
	struct house *house = house_new();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		house_conf_clear(house);
		house_conf(house, "%s", table[i].line);
		house_start_refused(house);
		if (house_count_log(house, table[i].option, NULL) != 1 ||
		    house_count_log(house, table[i].option, table[i].words) != 1 ||
		    (strstr(table[i].line, ":geheim@") != NULL && house_count_log(house, "geheim", NULL) != 0))
			fail_msg("%s: wanted one line with \"%s\":\n%s", table[i].line, table[i].words, house_log(house));
	}
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(wrong_password, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(missing_database, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(wrong_certificate, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(old_server, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_teardown(full_disk, client_teardown),
		cmocka_unit_test_setup_teardown(table_dropped, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_setup_teardown(user_who_may_make_no_tables, mariadb_trial_setup, client_teardown),
		cmocka_unit_test_teardown(refused_at_the_start, client_teardown),
	};

	return cmocka_run_group_tests_name("mariadb_error", tests, mariadb_trial_begin, mariadb_trial_end);
}
