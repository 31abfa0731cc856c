/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_connect against a real server: who is let in and how, what each refusal is called, and which host has its
 * turn. No line may ever hold the password.
 *
 * Under TEST_LONG=1 also a frozen server, which takes as long as the time-outs are.
 */
#include "mariadb_server.h"
#include "patience.h"
#include "store_mariadb_internal.h"

#include <pwd.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PASSWORD     "open sesame!"

static struct mariadb_server *server;
static struct store_place place;
static struct store *store; /* of the last `enter` that could */
static char location[512], error[512], password_file[128], ca_file[128];

/* A CA, a server's certificate for "localhost" alone, and another CA. */
static const char certificates[] =
	"set -e; cd '%s'; new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \"$@\"; }; {"
	" new -x509 -keyout ca.key -out ca.pem -subj /CN=ca; new -x509 -keyout other.key -out other.pem -subj /CN=other;"
	" new -keyout server.key -out server.csr -subj /CN=db -addext subjectAltName=DNS:localhost;"
	" openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy"
	" -out server.pem; } >openssl.log 2>&1";

static const char users[] =
	"CREATE DATABASE hearth; CREATE DATABASE other;"
	"CREATE USER native@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('" PASSWORD "');"
	"CREATE USER modern@'%' IDENTIFIED VIA ed25519 USING PASSWORD('" PASSWORD "');"
	"CREATE USER account@'%' IDENTIFIED VIA unix_socket;"
	"CREATE USER trusting@'%' IDENTIFIED VIA pam;"
	"GRANT ALL ON hearth.* TO native@'%', modern@'%', account@'%', trusting@'%'";

/* ---- the server ---- */

static bool run_shell(const char *command)
{
	const char *const arguments[] = {"sh", "-c", command, NULL};
	int status = -1;
	pid_t pid;

	return posix_spawnp(&pid, "sh", NULL, NULL, (char *const *)arguments, environ) == 0 &&
	       waitpid(pid, &status, 0) == pid && status == 0;
}

static void start(void)
{
	assert_true(mariadb_server_option(server, "--plugin-maturity=unknown"));
	assert_true(mariadb_server_option(server, "--plugin-load-add=auth_ed25519"));
	assert_true(mariadb_server_option(server, "--plugin-load-add=auth_pam"));
	if (!mariadb_server_start(server))
		fail_msg("%s", mariadb_server_error(server));
}

static void start_with_tls(void)
{
	const char *folder = mariadb_server_folder(server);

	assert_true(mariadb_server_option(server, "--ssl-ca=%s/ca.pem", folder));
	assert_true(mariadb_server_option(server, "--ssl-cert=%s/server.pem", folder));
	assert_true(mariadb_server_option(server, "--ssl-key=%s/server.key", folder));
	start();
}

static int begin(void **state)
{
	char command[1024];
	(void)state;

	server = mariadb_server_new(NULL);
	if (!server || !mariadb_server_listen(server))
		return -1;
	snprintf(command, sizeof command, certificates, mariadb_server_folder(server));
	if (!run_shell(command))
		return -1;
	start_with_tls();
	if (!mariadb_server_run(server, NULL, users)) {
		print_error("%s\n", mariadb_server_error(server));
		return -1;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	mariadb_server_free(server);
	return 0;
}

/* ---- places ---- */

/* Nobody in between can read along. */
static bool is_private(const struct store *open)
{
	unsigned protocol = MYSQL_PROTOCOL_DEFAULT;

	mysql_get_optionv(open->link, MYSQL_OPT_PROTOCOL, &protocol);
	return protocol == MYSQL_PROTOCOL_SOCKET || mysql_get_ssl_cipher(open->link) != NULL;
}

static int forget(void **state)
{
	(void)state;
	maria_close(store);
	store = NULL;
	place = (struct store_place){.node = "test"};
	unsetenv(STORE_PASSWORD_VARIABLE);
	return 0;
}

/* What the place's password file holds. */
static void put_password(const void *bytes, size_t len)
{
	snprintf(password_file, sizeof password_file, "%s/password", mariadb_server_folder(server));
	FILE *file = fopen(password_file, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	place.password_file = password_file;
}

static void demand_ca(const char *name)
{
	snprintf(ca_file, sizeof ca_file, "%s/%s", mariadb_server_folder(server), name);
	place.ca_file = ca_file;
}

/* Enters a place; %S is the server's socket, %P its port and %U its owner, the system's account of this process. */
static bool enter(const char *pattern)
{
	const struct passwd *account = getpwuid(geteuid());
	const char *owner = account ? account->pw_name : "root";
	FILE *out = fmemopen(location, sizeof location, "w");

	assert_non_null(out);
	for (const char *at = pattern; *at; at++) {
		if (strncmp(at, "%S", 2) == 0 || strncmp(at, "%U", 2) == 0)
			fputs(*++at == 'S' ? mariadb_server_socket(server) : owner, out);
		else if (strncmp(at, "%P", 2) == 0)
			at += fprintf(out, "%d", mariadb_server_port(server)) > 0;
		else
			fputc(*at, out);
	}
	assert_int_equal(fclose(out), 0);
	maria_close(store);
	error[0] = '\0';
	place.location = location;
	enum store_result result = maria_connect(&place, &store, error, sizeof error);
	assert_null(strstr(error, "sesame"));
	assert_null(strchr(error, '\n'));
	assert_int_equal(result, store ? STORE_OK : STORE_AWAY);
	return store != NULL;
}

static void expect_entry(const char *pattern)
{
	if (!enter(pattern))
		fail_msg("%s: %s", pattern, error);
}

/* Refused, with a line that has both words. */
static void expect_refusal(const char *pattern, const char *said, const char *advice)
{
	if (enter(pattern))
		fail_msg("%s: let in", pattern);
	if (!strstr(error, said) || !strstr(error, advice))
		fail_msg("%s: wanted \"%s\" and \"%s\" in: %s", pattern, said, advice, error);
}

/* One value that the session has. */
static void expect_answer(const char *sql, const char *wanted)
{
	char *text = mariadb_server_query_on(server, store->link, sql);

	if (!text || strncmp(text, wanted, strlen(wanted)) != 0 || strcmp(text + strlen(wanted), "\n") != 0)
		fail_msg("%s: %s", sql, text ? text : mariadb_server_error(server));
	free(text);
}

/* ---- passwords ---- */

static void takes_the_first_line_of_a_file(void **state)
{
	static const char *const files[] = {PASSWORD, PASSWORD "\n", PASSWORD "\r\n", PASSWORD "\nsecond line\n"};
	(void)state;

	for (size_t i = 0; i < COUNT(files); i++) {
		put_password(files[i], strlen(files[i]));
		expect_entry("//native@127.0.0.1:%P/hearth");
		expect_entry("//modern@127.0.0.1:%P/hearth");
		expect_entry("//modern@%S/hearth");
	}
	setenv(STORE_PASSWORD_VARIABLE, "another", 1); /* the file comes first */
	expect_entry("//native@%S/hearth");
	assert_string_equal(store->link->passwd, ""); /* wiped */
}

static void takes_the_environment(void **state)
{
	(void)state;
	setenv(STORE_PASSWORD_VARIABLE, PASSWORD, 1);
	expect_entry("//native@%S/hearth");
	place.user = "modern"; /* in place of the location's */
	expect_entry("//native@%S/hearth");
	expect_answer("SELECT USER()", "modern@localhost");
}

static void takes_no_password_for_an_account_of_the_system(void **state)
{
	(void)state;
	setenv("MYSQL_PWD", PASSWORD, 1); /* of other programs */
	expect_refusal("//native@%S/hearth", "(using password: NO) (1045)", "plugin_opt_store_password_file");
	unsetenv("MYSQL_PWD");
	expect_entry("//%U@%S/hearth");
	expect_refusal("//account@%S/hearth", "(1698)", "the system's account of the same name");
}

static void tells_who_is_not_let_in(void **state)
{
	(void)state;
	put_password("wrong sesame", 12);
	expect_refusal("//native@127.0.0.1:%P/hearth", "(1045)",
	               "check plugin_opt_store_password_file or HEARTH_STORE_PASSWORD");
	expect_refusal("//modern@%S/hearth", "(1045)", "check plugin_opt_store_password_file or HEARTH_STORE_PASSWORD");
	put_password("", 0);
	expect_refusal("//native@%S/hearth", "(1045)", "name a file with the password");
	put_password(PASSWORD, strlen(PASSWORD));
	expect_refusal("//native@%S/absent", "(1044)", "CREATE DATABASE absent, unless there is one");
	expect_refusal("//native@%S/other", "(1044)", "the grants");
	expect_refusal("//%U@%S/absent", "Unknown database 'absent' (1049)", "CREATE DATABASE absent; ");
	assert_memory_equal(error, "mariadb://", strlen("mariadb://"));
	/* Its plugin asks for the password as it is. */
	expect_refusal("//trusting@%S/hearth", "a sign-in that is not allowed (5010)", "give trusting one of ed25519");
}

static void tells_what_is_wrong_with_files(void **state)
{
	char bytes[1100];
	(void)state;

	memset(bytes, 'x', sizeof bytes);
	put_password(bytes, 1024);
	expect_refusal("//native@%S/hearth", "(1045)", "");
	put_password(bytes, 1025);
	expect_refusal("//native@%S/hearth", "plugin_opt_store_password_file /", "at most 1024 bytes");
	put_password(bytes, sizeof bytes);
	expect_refusal("//native@%S/hearth", "plugin_opt_store_password_file /", "at most 1024 bytes");
	bytes[1024] = '\n';
	put_password(bytes, sizeof bytes);
	expect_refusal("//native@%S/hearth", "(1045)", "");
	put_password("a\0b", 3);
	expect_refusal("//native@%S/hearth", "plugin_opt_store_password_file /", "wanted a password");
	place.password_file = "/nowhere/password";
	expect_refusal("//native@%S/hearth", "plugin_opt_store_password_file /nowhere/password: No such file", "read it");
	place.password_file = mariadb_server_folder(server);
	expect_refusal("//native@%S/hearth", "plugin_opt_store_password_file /", "Is a directory");
	place.password_file = NULL;
	place.ca_file = "/nowhere/ca.pem";
	expect_refusal("//%U@%S/hearth", "plugin_opt_store_ca /nowhere/ca.pem: No such file", "read it");
}

/* ---- TLS ---- */

static void checks_certificates(void **state)
{
	(void)state;
	put_password(PASSWORD, strlen(PASSWORD));
	expect_entry("//modern@127.0.0.1:%P/hearth"); /* nothing is demanded, and taken what there is */
	assert_true(is_private(store));
	demand_ca("ca.pem");
	expect_entry("//modern@localhost:%P/hearth");
	assert_true(is_private(store));
	assert_non_null(mysql_get_ssl_cipher(store->link));
	expect_entry("//native@%S/hearth");
	assert_true(is_private(store));
	assert_null(mysql_get_ssl_cipher(store->link));
	expect_refusal("//modern@127.0.0.1:%P/hearth", "(2026)", "for another name than the one in plugin_opt_store");
	demand_ca("other.pem");
	expect_refusal("//modern@localhost:%P/hearth", "(2026)", "not signed by the CA in plugin_opt_store_ca");
	demand_ca("ca.key"); /* no certificate */
	expect_refusal("//modern@localhost:%P/hearth", "(2026)", "plugin_opt_store_ca");
}

/* ---- servers ---- */

static void restart_with(const char *option)
{
	assert_true(mariadb_server_stop(server));
	mariadb_server_options_clear(server);
	if (!option) {
		start_with_tls();
		return;
	}
	assert_true(mariadb_server_option(server, "%s", option));
	start();
}

static void tells_a_server_that_will_not_do(void **state)
{
	(void)state;
	put_password(PASSWORD, strlen(PASSWORD));
	restart_with("--version=10.1.48-MariaDB"); /* and without TLS */
	expect_refusal("//modern@%S/hearth", "found 10.1.48-MariaDB", "wanted MariaDB 10.5 or newer");
	demand_ca("ca.pem");
	expect_refusal("//modern@localhost:%P/hearth", "does not support it (2026)", "give the server a certificate");
	restart_with("--version=8.0.36");
	expect_refusal("//modern@%S/hearth", "version 8.0.36, which is not MariaDB", "wanted MariaDB 10.5 or newer");
	restart_with("--version=10.5.0-MariaDB");
	place.ca_file = NULL;
	expect_entry("//modern@localhost:%P/hearth");
	assert_false(is_private(store));
	forget(state);
	restart_with(NULL);
}

static void tells_a_server_that_is_not_there(void **state)
{
	(void)state;
	expect_refusal("//%U@127.0.0.1:1/hearth", "(2002)", "see that MariaDB runs there");
	expect_refusal("//%U@/nowhere/socket/hearth", "'/nowhere/socket' (2)", "see that MariaDB runs there");
}

static void tells_a_server_that_is_full(void **state)
{
	MYSQL *others[64];
	size_t count = 0;
	(void)state;

	put_password(PASSWORD, strlen(PASSWORD));
	assert_true(mariadb_server_run(server, NULL, "SET GLOBAL max_connections = 10"));
	while (count < COUNT(others) && (others[count] = mariadb_server_connect(server, "native", PASSWORD, NULL)) != NULL)
		count++;
	bool entered = enter("//native@%S/hearth");
	while (count > 0)
		mysql_close(others[--count]);
	assert_true(mariadb_server_run(server, NULL, "SET GLOBAL max_connections = 100"));
	assert_false(entered);
	assert_non_null(strstr(error, "Too many connections (1040); raise the server's max_connections"));
}

static void tries_hosts_in_turn(void **state)
{
	static const struct {
		unsigned attempt;
		bool by_socket;
	} rows[] = {{0, true}, {1, false}, {2, false}, {3, true}, {4, false}, {UINT32_MAX, true}};
	(void)state;

	put_password(PASSWORD, strlen(PASSWORD));
	for (size_t i = 0; i < COUNT(rows); i++) { /* the second host is dead */
		place.attempt = rows[i].attempt;
		expect_entry("//native@%S,127.0.0.1:1,127.0.0.1:%P/hearth");
		assert_true((store->host[0] == '/') == rows[i].by_socket);
	}
	put_password("wrong sesame", 12);
	for (place.attempt = 0; place.attempt < 3; place.attempt++)
		expect_refusal("//native@127.0.0.1:1,%S,/nowhere/socket/hearth", "(1045)", "(3 of 3 hosts tried)");
	place.attempt = 0;
	expect_refusal("//native@127.0.0.1:1,/nowhere/socket/hearth", "'127.0.0.1' (", "(2 of 2 hosts tried)");
}

static void gives_up_on_a_frozen_server(void **state)
{
	(void)state;
	if (!getenv("TEST_LONG"))
		skip();
	struct store *open_one;
	put_password(PASSWORD, strlen(PASSWORD));
	expect_entry("//native@%S/hearth");
	open_one = store;
	store = NULL;
	assert_true(mariadb_server_freeze(server));

	int64_t begun = now_ms();
	bool entered = enter("//native@127.0.0.1:%P/hearth");
	int64_t took = now_ms() - begun;
	begun = now_ms();
	bool entered_one = enter("//native@127.0.0.1:%P,127.0.0.1:%P,127.0.0.1:%P,127.0.0.1:%P/hearth");
	int64_t took_all = now_ms() - begun;
	begun = now_ms();
	bool ran = maria_run(open_one, "SELECT 1");
	int64_t took_query = now_ms() - begun;
	enum store_result result = maria_fail(open_one, NULL);
	begun = now_ms();
	maria_close(open_one);
	int64_t took_close = now_ms() - begun;
	assert_true(mariadb_server_thaw(server));

	assert_false(entered || entered_one || ran);
	assert_int_equal(result, STORE_AWAY);
	assert_in_range(took, 4000, 8000);
	assert_in_range(took_all, 9000, 16000);
	assert_in_range(took_query, 9000, 14000);
	assert_in_range(took_close, 0, 1000);
}

/* ---- the session ---- */

static void sets_the_session_up(void **state)
{
	(void)state;
	assert_true(mariadb_server_run(server, NULL,
	                               "SET GLOBAL sql_mode = '', GLOBAL time_zone = '+09:00', GLOBAL autocommit = 0"));
	expect_entry("//%U@%S/hearth");
	assert_true(mariadb_server_run(server, NULL, "SET GLOBAL time_zone = 'SYSTEM', GLOBAL autocommit = 1"));
	expect_answer("SELECT @@sql_mode", "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION");
	expect_answer("SELECT @@time_zone, @@autocommit, @@tx_isolation", "+00:00|1|READ-COMMITTED");
	expect_answer("SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@idle_write_transaction_timeout", "8|8|20");
	expect_answer("SELECT @@character_set_client, @@character_set_results", "utf8mb4|utf8mb4");
	expect_answer("SELECT DATABASE()", "hearth");
	assert_false(store->galera);
	assert_false(maria_run(store, "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE nothing"));
	assert_false(maria_run(store, "SELECT 1; SELECT 2")); /* one statement a call */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_the_first_line_of_a_file, forget, forget),
		cmocka_unit_test_setup_teardown(takes_the_environment, forget, forget),
		cmocka_unit_test_setup_teardown(takes_no_password_for_an_account_of_the_system, forget, forget),
		cmocka_unit_test_setup_teardown(tells_who_is_not_let_in, forget, forget),
		cmocka_unit_test_setup_teardown(tells_what_is_wrong_with_files, forget, forget),
		cmocka_unit_test_setup_teardown(checks_certificates, forget, forget),
		cmocka_unit_test_setup_teardown(tells_a_server_that_will_not_do, forget, forget),
		cmocka_unit_test_setup_teardown(tells_a_server_that_is_not_there, forget, forget),
		cmocka_unit_test_setup_teardown(tells_a_server_that_is_full, forget, forget),
		cmocka_unit_test_setup_teardown(tries_hosts_in_turn, forget, forget),
		cmocka_unit_test_setup_teardown(gives_up_on_a_frozen_server, forget, forget),
		cmocka_unit_test_setup_teardown(sets_the_session_up, forget, forget),
	};
	return cmocka_run_group_tests_name("store_mariadb_connect", tests, begin, end);
}
