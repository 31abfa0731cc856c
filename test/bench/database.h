/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * database: a connection of the benchmark's own to a MariaDB server, and the few things that are asked over it.
 */
#ifndef BENCH_DATABASE_H
#define BENCH_DATABASE_H

#include "fault.h"

#include <mariadb/mysql.h>
#include <stdint.h>

struct database_place {
	const char *socket;
	const char *user;
	const char *name; /* of the database */
};

/* NULL with the reason in *fault. Close it with mysql_close, which takes NULL too. */
MYSQL *database_open(const struct database_place *place, struct fault *fault);

/* Runs statements that give no rows, one or several with ';' between them. */
bool database_run(MYSQL *link, const char *sql, struct fault *fault);

/* The first column of a query's only row; NULL counts as 0. */
bool database_number(MYSQL *link, const char *sql, int64_t *out, struct fault *fault);

/* What the server said last, as the fault. Always returns false. */
bool database_complain(MYSQL *link, struct fault *fault);

#endif
