/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* mariadb_server's other half: what is asked of a server that runs. See mariadb_server.h. */
#include "mariadb_server_internal.h"

#include <errno.h>
#include <limits.h>
#include <mariadb/mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

MYSQL *mariadb_server_connect(struct mariadb_server *server, const char *user, const char *password,
                              const char *database)
{
	MYSQL *link = mysql_init(NULL);

	if (link == NULL) {
		mariadb_server_fault(server, "no memory");
		return NULL;
	}
	mysql_options(link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (mysql_real_connect(link, NULL, user == NULL ? server->user : user, password, database, 0, server->socket,
	                       CLIENT_MULTI_STATEMENTS) != NULL)
		return link;
	mariadb_server_fault(server, "%u: %s", mysql_errno(link), mysql_error(link));
	mysql_close(link);
	return NULL;
}

/* The rows of the statement that has just been run, if it has any. */
static void put_rows(MYSQL *link, FILE *out)
{
	MYSQL_RES *result = mysql_use_result(link);
	MYSQL_ROW row;

	if (result == NULL)
		return;
	while ((row = mysql_fetch_row(result)) != NULL) {
		const unsigned long *lengths = mysql_fetch_lengths(result);

		for (unsigned i = 0; i < mysql_num_fields(result); i++) {
			if (i > 0)
				fputc('|', out);
			if (row[i] != NULL)
				fwrite(row[i], 1, lengths[i], out);
		}
		fputc('\n', out);
	}
	mysql_free_result(result);
}

char *mariadb_server_query_on(struct mariadb_server *server, MYSQL *link, const char *sql)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int status;

	if (out == NULL) {
		mariadb_server_fault(server, "no memory");
		return NULL;
	}
	status = mysql_query(link, sql);
	while (status == 0) {
		put_rows(link, out);
		status = mysql_errno(link) != 0 ? 1 : mysql_next_result(link);
	}
	if (fclose(out) != 0) {
		mariadb_server_fault(server, "no memory");
		return NULL;
	}
	if (mysql_errno(link) == 0)
		return text;
	mariadb_server_fault(server, "%u: %s", mysql_errno(link), mysql_error(link));
	free(text);
	return NULL;
}

char *mariadb_server_query(struct mariadb_server *server, const char *database, const char *sql)
{
	MYSQL *link = mariadb_server_connect(server, NULL, NULL, database);
	char *text;

	if (link == NULL)
		return NULL;
	text = mariadb_server_query_on(server, link, sql);
	mysql_close(link);
	return text;
}

bool mariadb_server_run(struct mariadb_server *server, const char *database, const char *sql)
{
	char *text = mariadb_server_query(server, database, sql);

	free(text);
	return text != NULL;
}

/* ---- by the programs that come with it ---- */

bool mariadb_server_run_file(struct mariadb_server *server, const char *database, const char *path)
{
	return mariadb_server_run_file_as(server, server->user, NULL, database, path);
}

bool mariadb_server_run_file_as(struct mariadb_server *server, const char *user, const char *password,
                                const char *database, const char *path)
{
	char socket_option[128], user_option[96], password_option[96] = "--skip-password";
	const char *const arguments[] = {mariadb_server_program_name("MARIADB_CLIENT", "mariadb"),
	                                 "--no-defaults",
	                                 "--default-character-set=utf8mb4",
	                                 socket_option,
	                                 user_option,
	                                 password_option,
	                                 database,
	                                 NULL};

	snprintf(socket_option, sizeof(socket_option), "--socket=%s", server->socket);
	snprintf(user_option, sizeof(user_option), "--user=%s", user);
	if (password != NULL)
		snprintf(password_option, sizeof(password_option), "--password=%s", password);
	return mariadb_server_program(server, arguments, path, NULL);
}

bool mariadb_server_backup(struct mariadb_server *server, const char *database, const char *name)
{
	char socket_option[128], user[96], path[PATH_MAX];
	const char *const arguments[] = {mariadb_server_program_name("MARIADB_DUMP", "mariadb-dump"),
	                                 "--no-defaults",
	                                 "--default-character-set=utf8mb4",
	                                 "--single-transaction",
	                                 "--routines",
	                                 socket_option,
	                                 user,
	                                 database,
	                                 NULL};

	snprintf(socket_option, sizeof(socket_option), "--socket=%s", server->socket);
	snprintf(user, sizeof(user), "--user=%s", server->user);
	snprintf(path, sizeof(path), "%s/%s.sql", server->folder, name);
	return mariadb_server_program(server, arguments, NULL, path);
}

bool mariadb_server_restore(struct mariadb_server *server, const char *database, const char *name)
{
	char sql[256], path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.sql", server->folder, name);
	if (access(path, R_OK) != 0)
		return mariadb_server_fault(server, "%s: %s", path, strerror(errno));
	snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS `%s`; CREATE DATABASE `%s`", database, database);
	return mariadb_server_run(server, NULL, sql) && mariadb_server_run_file(server, database, path);
}
