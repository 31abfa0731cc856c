/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_connect: from a place to a session on the first of its hosts that can be used.
 *
 * The hosts are tried in turn, beginning with number `attempt`, for at most OPEN_SECONDS; the next attempt begins one
 * further, so that all have their turn. If none can be used, the line is that of the host that said most: one that answered
 * and refused tells more than one that nobody reached.
 *
 * What always holds: every call on a connection has a time-out. libmariadb reads no option file, reconnects never, sends no
 * local file, and takes part in no sign-in that would let a server read the password unless its certificate was checked.
 * On a socket nobody can stand between: there is no TLS, whatever the place says. The password is in memory only while a
 * connection is made.
 */
#include "store_mariadb_internal.h"
#include "store_mariadb_url.h"

#include <errno.h>
#include <fcntl.h>
#include <mariadb/errmsg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_SECONDS 5
#define CALL_SECONDS    10 /* for one answer to be read, or one part of a request to be written */
#define OPEN_SECONDS    10 /* after so long no further host is tried */
#define PASSWORD_MAX    1024
#define VERSION_MIN     100500 /* 10.5.0 */

/* The password stays unread with these: what goes over the wire is good for one sign-in. */
#define SAFE_SIGN_IN "mysql_native_password,client_ed25519,parsec"
/* This one hands it over to whom it trusts. */
#define TRUSTING_SIGN_IN SAFE_SIGN_IN ",caching_sha2_password"

/*
 * The session's own wishes, whatever the server's defaults: a value that does not fit is an error; times are UTC; who waits
 * for a lock gives up before the connection's time-out; what a broker that is gone has left open is taken back.
 */
static const char *const session_sql[] = {
	"SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = "
	"'+00:00',"
	" autocommit = 1, innodb_lock_wait_timeout = 8, lock_wait_timeout = 8, idle_write_transaction_timeout = 20",
	"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
};

/* ---- the password ---- */

/* Cuts what was read off at the end of its first line. False: the line is too long, or holds a NUL. */
static bool cut_line(char *text, size_t len)
{
	char *end = memchr(text, '\n', len);

	if (end)
		len = (size_t)(end - text);
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len > PASSWORD_MAX || memchr(text, '\0', len))
		return false;
	text[len] = '\0';
	return true;
}

/* Puts the first line of a file there. False and errno; EINVAL: it is no password. */
static bool read_first_line(const char *path, char out[PASSWORD_MAX + 3])
{
	size_t len = 0;
	ssize_t got = 0;

	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;
	do { /* one byte more than a line and its CR, to see that it goes on */
		got = read(fd, out + len, PASSWORD_MAX + 2 - len);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0 && len < PASSWORD_MAX + 2);
	int number = errno;
	close(fd);
	errno = got < 0 ? number : EINVAL;
	return got >= 0 && cut_line(out, len);
}

static bool read_password(const struct store_place *place, char out[PASSWORD_MAX + 3], char *error, size_t error_size)
{
	const char *variable = getenv(STORE_PASSWORD_VARIABLE);

	out[0] = '\0';
	if (place->password_file && !read_first_line(place->password_file, out)) {
		if (errno == EINVAL)
			snprintf(error, error_size,
			         "plugin_opt_store_password_file %s: wanted a password of at most %d bytes as its first line",
			         place->password_file, PASSWORD_MAX);
		else
			snprintf(error, error_size,
			         "plugin_opt_store_password_file %s: %m; the broker's user must be able to read it",
			         place->password_file);
		return false;
	}
	if (!place->password_file && variable) {
		if (strlen(variable) > PASSWORD_MAX) {
			snprintf(error, error_size, STORE_PASSWORD_VARIABLE ": wanted a password of at most %d bytes",
			         PASSWORD_MAX);
			return false;
		}
		memcpy(out, variable, strlen(variable) + 1);
	}
	return true;
}

/* ---- one host ---- */

static bool set_options(MYSQL *link, const struct mariadb_host *host, const char *ca_file)
{
	const unsigned connect_s = CONNECT_SECONDS, call_s = CALL_SECONDS, no_file = 0;
	const unsigned protocol = host->name ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
	const my_bool yes = 1, no = 0;
	const my_bool *tls = host->name ? &yes : &no;               /* if the server has it; verified, it must */
	const my_bool *verify = host->name && ca_file ? &yes : &no; /* the CA and the name */
	const char *sign_in = *verify ? TRUSTING_SIGN_IN : SAFE_SIGN_IN;

	return mysql_optionsv(link, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s) == 0 &&
	       mysql_optionsv(link, MYSQL_OPT_READ_TIMEOUT, &call_s) == 0 &&
	       mysql_optionsv(link, MYSQL_OPT_WRITE_TIMEOUT, &call_s) == 0 &&
	       mysql_optionsv(link, MYSQL_OPT_RECONNECT, &no) == 0 &&
	       mysql_optionsv(link, MYSQL_OPT_LOCAL_INFILE, &no_file) == 0 &&
	       mysql_optionsv(link, MYSQL_OPT_PROTOCOL, &protocol) == 0 &&
	       mysql_optionsv(link, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0 &&
	       mysql_optionsv(link, MARIADB_OPT_RESTRICTED_AUTH, sign_in) == 0 &&
	       mysql_optionsv(link, MYSQL_OPT_SSL_ENFORCE, tls) == 0 &&
	       mysql_optionsv(link, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, verify) == 0 &&
	       (!*verify || mysql_optionsv(link, MYSQL_OPT_SSL_CA, ca_file) == 0);
}

/* As it stands in plugin_opt_store. */
static bool name_host(struct store *store, const struct mariadb_host *host)
{
	int made = 0;

	free(store->host);
	if (!host->name)
		store->host = strdup(host->socket ? host->socket : "localhost");
	else
		made = asprintf(&store->host, strchr(host->name, ':') ? "[%s]:%u" : "%s:%u", host->name, host->port);
	if (made < 0)
		store->host = NULL;
	return store->host != NULL;
}

/* The last column of the first row; "" if there is none. False: mysql_errno says why. */
static bool ask(struct store *store, const char *sql, char *out, size_t size)
{
	out[0] = '\0';
	if (!maria_run(store, sql))
		return false;
	MYSQL_RES *result = mysql_store_result(store->link);
	if (!result)
		return false;
	MYSQL_ROW row = mysql_fetch_row(result);
	unsigned columns = mysql_num_fields(result);
	if (row && columns > 0 && row[columns - 1])
		snprintf(out, size, "%s", row[columns - 1]);
	mysql_free_result(result);
	return true;
}

static bool is_good_server(struct store *store)
{
	unsigned long extended = 0;
	const char *version = mysql_get_server_info(store->link);

	if (!mariadb_connection(store->link)) {
		maria_say(store, "found a server of version %.60s, which is not MariaDB; wanted MariaDB 10.5 or newer",
		          version);
		return false;
	}
	if (mysql_get_server_version(store->link) < VERSION_MIN) {
		maria_say(store, "found %.60s; wanted MariaDB 10.5 or newer", version);
		return false;
	}
	if (mariadb_get_infov(store->link, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &extended) != 0 ||
	    (extended & (unsigned long)(MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) == 0) {
		maria_say(store, "%.60s takes no bulk operations; a proxy in between must pass them on", version);
		return false;
	}
	return true;
}

static bool set_up_session(struct store *store)
{
	char answer[16];

	if (!is_good_server(store))
		return false;
	for (size_t i = 0; i < sizeof session_sql / sizeof session_sql[0]; i++) {
		if (!maria_run(store, session_sql[i]))
			goto refused;
	}
	if (!ask(store, "SHOW VARIABLES LIKE 'wsrep_on'", answer, sizeof answer))
		goto refused;
	store->galera = strcmp(answer, "ON") == 0;
	if (store->galera && !ask(store, "SHOW STATUS LIKE 'wsrep_ready'", answer, sizeof answer))
		goto refused;
	if (store->galera && strcmp(answer, "ON") != 0) {
		maria_say(store, "this node of the cluster is not ready: it has no majority, or is catching up");
		return false;
	}
	return true;

refused:
	maria_explain(store, NULL);
	return false;
}

/* On false, store->error says why, and there is no link; *answered: it was a server that said so. */
static bool enter(struct store *store, const struct mariadb_host *host, const char *ca_file, const char *password,
                  bool *answered)
{
	*answered = false;
	store->link = mysql_init(NULL);
	if (!store->link || !set_options(store->link, host, ca_file)) {
		maria_say(store, "out of memory");
		goto fail;
	}
	/* Of the position it counts that it was found, not that it changed. */
	bool entered = mysql_real_connect(store->link, host->name, store->user, password, store->database, host->port,
	                                  host->socket, CLIENT_FOUND_ROWS) != NULL;
	if (store->link->passwd) /* libmariadb's own copy, for a reconnection that never comes */
		explicit_bzero(store->link->passwd, strlen(store->link->passwd));
	if (entered) {
		*answered = true;
		if (set_up_session(store))
			return true;
	} else {
		unsigned code = mysql_errno(store->link);
		*answered = code < CR_MIN_ERROR || code > CR_SERVER_LOST;
		maria_explain(store, NULL);
	}

fail:
	if (store->link)
		mysql_close(store->link);
	store->link = NULL;
	return false;
}

/* ---- all hosts ---- */

static time_t now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* On false, error has the line that tells most. */
static bool enter_one_of(struct store *store, const struct mariadb_url *url, const struct store_place *place,
                         const char *password, char *error, size_t error_size)
{
	const time_t begin = now_s();
	bool any_answered = false;
	size_t tried = 0;

	while (tried < url->host_count && (tried == 0 || now_s() - begin < OPEN_SECONDS)) {
		const struct mariadb_host *host = &url->hosts[(place->attempt + tried) % url->host_count];
		bool answered = false;

		if (!name_host(store, host)) {
			snprintf(error, error_size, "out of memory");
			return false;
		}
		if (enter(store, host, place->ca_file, password, &answered))
			return true;
		if (tried++ == 0 || (answered && !any_answered))
			snprintf(error, error_size, "%s", store->error);
		any_answered |= answered;
	}
	if (url->host_count > 1) {
		size_t len = strlen(error);
		snprintf(error + len, error_size - len, " (%zu of %zu hosts tried)", tried, url->host_count);
	}
	return false;
}

static bool is_readable(const char *ca_file, char *error, size_t error_size)
{
	if (access(ca_file, R_OK) == 0)
		return true;
	snprintf(error, error_size, "plugin_opt_store_ca %s: %m; the broker's user must be able to read it", ca_file);
	return false;
}

enum store_result maria_connect(const struct store_place *place, struct store **out, char *error, size_t error_size)
{
	enum store_result result = STORE_AWAY;
	struct mariadb_url url;
	char password[PASSWORD_MAX + 3] = "";
	struct store *store = NULL;

	*out = NULL;
	if (!mariadb_url_parse(place->location, &url, error, error_size)) {
		result = STORE_NEVER;
		goto done;
	}
	if (!read_password(place, password, error, error_size) ||
	    (place->ca_file && !is_readable(place->ca_file, error, error_size)))
		goto done;

	store = calloc(1, sizeof *store);
	if (store) {
		store->node = strdup(place->node);
		store->user = strdup(place->user ? place->user : url.user);
		store->database = strdup(url.database);
	}
	if (!store || !store->node || !store->user || !store->database) {
		snprintf(error, error_size, "out of memory");
		goto done;
	}
	if (enter_one_of(store, &url, place, password, error, error_size)) {
		*out = store;
		store = NULL;
		result = STORE_OK;
	}

done:
	explicit_bzero(password, sizeof password);
	maria_close(store);
	mariadb_url_free(&url);
	return result;
}

void maria_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < MARIA_STATEMENT_COUNT; i++) {
		if (store->statements[i])
			mysql_stmt_close(store->statements[i]);
	}
	if (store->link)
		mysql_close(store->link);
	maria_forget_series(store);
	sorted_free(&store->sorted);
	free(store->columns);
	free(store->host);
	free(store->user);
	free(store->database);
	free(store->node);
	free(store);
}
