/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mariadb_server: a real MariaDB in a folder of its own, for tests and benchmarks alike.
 *
 * Each server has a fresh temporary folder that holds its data, socket, log (server.log) and backups; it keeps data, options
 * and port over restarts. Nothing of the system's own server is touched. The process dies with the thread that started
 * it, so start it from one that lives as long. mariadb_server_free, or mariadb_server_free_all in a teardown and in any case
 * at exit, ends the process and removes the folder.
 *
 * Nothing here ends a test by itself: what fails returns false or NULL, and mariadb_server_error says why in one line.
 * One thread at a time uses a server.
 *
 * Environment: MARIADBD (default /usr/sbin/mariadbd), MARIADB_INSTALL_DB (default mariadb-install-db), MARIADB_CLIENT
 * (default mariadb), MARIADB_DUMP (default mariadb-dump).
 *
 * mariadb_server.c is the process, mariadb_server_sql.c what is asked of it; they need patience.c and -lmariadb.
 */
#ifndef TEST_MARIADB_SERVER_H
#define TEST_MARIADB_SERVER_H

#include <stdbool.h>

struct mariadb_server;
struct st_mysql; /* MYSQL */

/*
 * Installs a server; it does not run yet. `data` is where its data goes, such as a small file system's mount point: an
 * empty folder, whose contents are removed in the end, or NULL for one in the server's own folder. NULL: no memory or
 * no folder. If the data could not be installed there is a server, with an error.
 */
struct mariadb_server *mariadb_server_new(const char *data);

/* Kills it if it runs, and removes the folder. NULL is allowed. */
void mariadb_server_free(struct mariadb_server *server);
void mariadb_server_free_all(void);

/* One line on what failed last, "" if nothing has. Valid until the next call that fails. */
const char *mariadb_server_error(const struct mariadb_server *server);

/* Adds an option ("--version=10.3.39-MariaDB") to all later starts. One that is set twice is as it was set last. */
bool mariadb_server_option(struct mariadb_server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Takes all options added so far away again. */
void mariadb_server_options_clear(struct mariadb_server *server);

/* From the next start on it listens on a free port of 127.0.0.1, too. */
bool mariadb_server_listen(struct mariadb_server *server);

/* Starts it and waits until it answers. */
bool mariadb_server_start(struct mariadb_server *server);
/* The same, but returns at once: the server may be at any place of its start. */
bool mariadb_server_launch(struct mariadb_server *server);
/* Waits until it answers. False once it has ended, with its own last words. */
bool mariadb_server_await(struct mariadb_server *server);

bool mariadb_server_stop(struct mariadb_server *server);   /* SIGTERM; waits until it has ended, with status 0 */
bool mariadb_server_kill(struct mariadb_server *server);   /* SIGKILL */
bool mariadb_server_freeze(struct mariadb_server *server); /* SIGSTOP; its connections stay, and nothing answers */
bool mariadb_server_thaw(struct mariadb_server *server);   /* SIGCONT */
bool mariadb_server_runs(struct mariadb_server *server);   /* frozen ones do */

/* Who may do everything, over the socket and without a password: the user of this process. */
const char *mariadb_server_owner(const struct mariadb_server *server);
const char *mariadb_server_folder(const struct mariadb_server *server);
const char *mariadb_server_data(const struct mariadb_server *server);
const char *mariadb_server_socket(const struct mariadb_server *server);
int mariadb_server_port(const struct mariadb_server *server); /* 0: does not listen */

/* The log of the current run, which the caller frees. NULL: there is none. */
char *mariadb_server_log(struct mariadb_server *server);

/*
 * Runs one or several statements over the socket, as the server's owner, who may do everything. `database` may be NULL.
 * The result (the caller frees it) is text: columns are joined by '|', NULL is an empty column, each row ends with a line
 * feed, one statement's rows follow the other's. A statement without rows gives "". NULL if one failed; those behind it were
 * not run.
 */
char *mariadb_server_query(struct mariadb_server *server, const char *database, const char *sql);
/* The same if nobody wants the rows. */
bool mariadb_server_run(struct mariadb_server *server, const char *database, const char *sql);
/* A file, by the mariadb client, as a person does: DELIMITER works. */
bool mariadb_server_run_file(struct mariadb_server *server, const char *database, const char *path);
bool mariadb_server_run_file_as(struct mariadb_server *server, const char *user, const char *password,
                                const char *database, const char *path);

/* A connection of the caller's own over the socket (mysql_close ends it); user NULL: the owner. NULL: refused. */
struct st_mysql *mariadb_server_connect(struct mariadb_server *server, const char *user, const char *password,
                                        const char *database);
/* mariadb_server_query on such a connection. */
char *mariadb_server_query_on(struct mariadb_server *server, struct st_mysql *link, const char *sql);

/* One database with all that is in it → FOLDER/NAME.sql, as of one moment, and back: all that came after is gone. */
bool mariadb_server_backup(struct mariadb_server *server, const char *database, const char *name);
bool mariadb_server_restore(struct mariadb_server *server, const char *database, const char *name);

#endif
