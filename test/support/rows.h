/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rows: what Hearth has stored, as any other program with SQLite or MariaDB sees it.
 *
 * Results are text: columns are joined by '|', NULL is an empty column, each row ends with a line feed. Storing happens
 * behind the broker's back, so rows_expect asks again until the wanted result is there. A number that is whole is 30.0 in
 * SQLite and 30 in MariaDB.
 */
#ifndef TEST_ROWS_H
#define TEST_ROWS_H

struct house;

/* The result now in a file of SQLite (the caller frees it), or NULL if the database or its tables are not there yet. */
char *rows_query(const char *database, const char *sql);

/* The same in the house's database, wherever that is. A server that is frozen is waited for. */
char *rows_now(const struct house *house, const char *sql);

/* Waits until the query on the house's database has this result; fails the test with the last result if it never has. */
void rows_expect(const struct house *house, const char *sql, const char *wanted);

/* The same for another file of SQLite. */
void rows_expect_in(const char *database, const char *sql, const char *wanted);

#endif
