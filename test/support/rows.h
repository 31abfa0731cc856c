/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rows: what Hearth has stored, as any other program with SQLite sees it.
 *
 * Results are text: columns are joined by '|', NULL is an empty column, each row ends with a line feed. Storing happens
 * behind the broker's back, so rows_expect asks again until the wanted result is there.
 */
#ifndef TEST_ROWS_H
#define TEST_ROWS_H

struct house;

/* The result now (the caller frees it), or NULL if the database or its tables are not there yet. */
char *rows_query(const char *database, const char *sql);

/* Waits until the query on the house's database has this result; fails the test with the last result if it never has. */
void rows_expect(const struct house *house, const char *sql, const char *wanted);

/* The same for another database file. */
void rows_expect_in(const char *database, const char *sql, const char *wanted);

#endif
