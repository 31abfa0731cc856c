/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_read: the SQL that history is read with, for the test that asks the server how it would go about it.
 * Private to store_mariadb*.c.
 */
#ifndef HEARTH_STORE_MARIADB_READ_H
#define HEARTH_STORE_MARIADB_READ_H

enum maria_read {
	MARIA_READ_LIST, /* → topic */
	MARIA_READ_POSITIONS,
	MARIA_READ_LATEST,        /* topic → ts, value, txt */
	MARIA_READ_LATEST_OF_ALL, /* → ts, value, txt, topic; of one topic the newest row comes first */
	MARIA_READ_READINGS,      /* topic, from, to, limit → ts, value, txt */
	MARIA_READ_RAW,           /* topic, from, to → ts, value */
	MARIA_READ_MINUTES,       /* topic, from, to → ts, avg, min, max, count */
	MARIA_READ_HOURS,         /* likewise */
	MARIA_READ_COUNT
};

extern const char *const maria_read_sql[MARIA_READ_COUNT];

/* What each of them begins with: the server gives up after so many seconds. */
#define MARIA_READ_SECONDS "5"
#define MARIA_READ_LIMIT   "SET STATEMENT max_statement_time = " MARIA_READ_SECONDS " FOR "

#endif
