/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See rows.h. */
#include "rows.h"

#include "house.h"
#include "mariadb_server.h"
#include "patience.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STORED_MS 20000

/* Writes all rows; false if the query does not run to its end. */
static int put_rows(sqlite3_stmt *statement, FILE *out)
{
	int rc;

	while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const unsigned char *text = sqlite3_column_text(statement, i);

			fprintf(out, "%s%s", i == 0 ? "" : "|", text == NULL ? "" : (const char *)text);
		}
		fputc('\n', out);
	}
	return rc == SQLITE_DONE;
}

char *rows_query(const char *database, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int good = 0;

	assert_non_null(out);
	if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		goto end;
	sqlite3_busy_timeout(db, 1000);
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK)
		good = put_rows(statement, out);
end:
	sqlite3_finalize(statement);
	fclose(out);
	if (!good) {
		free(text);
		text = NULL;
		if (db != NULL && sqlite3_errcode(db) == SQLITE_ERROR && strstr(sqlite3_errmsg(db), "no such table") == NULL)
			print_message("%s: %s\n", sql, sqlite3_errmsg(db));
	}
	sqlite3_close(db);
	return text;
}

char *rows_now(const struct house *house, const char *sql)
{
	return house->server == NULL ? rows_query(house->history, sql)
	                             : mariadb_server_query(house->server, HOUSE_DATABASE, sql);
}

/* In the house's database, or, if there is no house, in the file. */
static void expect(const struct house *house, const char *database, const char *sql, const char *wanted)
{
	int64_t deadline = deadline_in(STORED_MS);

	for (;;) {
		char *found = house == NULL ? rows_query(database, sql) : rows_now(house, sql);

		if (found != NULL && strcmp(found, wanted) == 0) {
			free(found);
			return;
		}
		if (now_ms() > deadline) {
			print_message("%s\n", sql);
			if (found == NULL && house != NULL && house->server != NULL)
				print_message("%s\n", mariadb_server_error(house->server));
			fail_msg("stored:\n%.2000s\nwanted:\n%.2000s", found == NULL ? "(no database)" : found, wanted);
		}
		free(found);
		look_again();
	}
}

void rows_expect_in(const char *database, const char *sql, const char *wanted)
{
	expect(NULL, database, sql, wanted);
}

void rows_expect(const struct house *house, const char *sql, const char *wanted)
{
	expect(house, NULL, sql, wanted);
}
