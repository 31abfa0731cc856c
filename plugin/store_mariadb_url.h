/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_url: "//user@host1:3306,host2/hearth" → its parts.
 *
 *   USER@HOST[:PORT][,HOST[:PORT]]…/DATABASE
 *
 * "localhost" is the server's usual socket on this machine, a HOST that begins with '/' a socket elsewhere
 * (//hearth@/run/mysqld/mysqld.sock/hearth), one in brackets an IPv6 address. A password has no place here.
 */
#ifndef HEARTH_STORE_MARIADB_URL_H
#define HEARTH_STORE_MARIADB_URL_H

#include <stdbool.h>
#include <stddef.h>

#define MARIADB_HOSTS_MAX 16

struct mariadb_host {
	char *name;    /* NULL: a socket */
	char *socket;  /* NULL: not a path */
	unsigned port; /* 0: a socket */
};

struct mariadb_url {
	char *user;
	char *database;
	struct mariadb_host hosts[MARIADB_HOSTS_MAX];
	size_t host_count;
};

/* False and one line that says what was wanted, without a password that the text may hold. Free it with the next in any case. */
bool mariadb_url_parse(const char *text, struct mariadb_url *out, char *error, size_t error_size);
void mariadb_url_free(struct mariadb_url *url);

#endif
