/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * database: see database.h.
 */
#include "database.h"

#include <stdlib.h>

bool database_complain(MYSQL *link, struct fault *fault)
{
	return fault_set(fault, "MariaDB: error %u: %s", mysql_errno(link), mysql_error(link));
}

MYSQL *database_open(const struct database_place *place, struct fault *fault)
{
	MYSQL *link = mysql_init(NULL);
	if (link == NULL) {
		fault_set(fault, "no memory");
		return NULL;
	}
	mysql_optionsv(link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (mysql_real_connect(link, NULL, place->user, NULL, place->name, 0, place->socket, CLIENT_MULTI_STATEMENTS) ==
	    NULL) {
		database_complain(link, fault);
		mysql_close(link);
		return NULL;
	}
	return link;
}

bool database_run(MYSQL *link, const char *sql, struct fault *fault)
{
	int next = mysql_query(link, sql); /* 0: there is a result; -1: there is none any more */
	while (next == 0) {
		mysql_free_result(mysql_store_result(link));
		next = mysql_next_result(link);
	}
	return next < 0 || database_complain(link, fault);
}

bool database_number(MYSQL *link, const char *sql, int64_t *out, struct fault *fault)
{
	MYSQL_RES *result = mysql_query(link, sql) == 0 ? mysql_store_result(link) : NULL;
	MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
	bool done = row != NULL;
	if (done) {
		*out = row[0] == NULL ? 0 : strtoll(row[0], NULL, 10);
	} else if (mysql_errno(link) != 0) {
		database_complain(link, fault);
	} else {
		fault_set(fault, "MariaDB: no row: %s", sql);
	}
	mysql_free_result(result);
	return done;
}
