/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_sqlite_fixture: a temporary folder with a history file in it, what stores rows there, and `ask`, which reads them over
 * a connection of its own, as a person with sqlite3 would.
 */
#ifndef TEST_STORE_SQLITE_FIXTURE_H
#define TEST_STORE_SQLITE_FIXTURE_H

#include "store.h"

#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define JOURNAL      UINT64_C(0xFEDCBA9876543210) /* an id with its highest bit set */
#define NOON         INT64_C(1795348800000000)    /* 2026-11-22T12:00:00Z */

static char folder[64];
static char path[96];

static inline int make_folder(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%.40s/hearth_XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/history.db", folder);
	return 0;
}

static inline int remove_one(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(name);
}

static inline int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Runs SQL on a file; rows come back as text, columns joined by '|', each row ended by a line feed. */
static inline const char *ask(const char *file, const char *sql)
{
	static char result[8192];
	size_t len = 0;
	sqlite3 *database;
	sqlite3_stmt *statement;

	result[0] = '\0';
	assert_int_equal(sqlite3_open(file, &database), SQLITE_OK);
	while (*sql) {
		if (sqlite3_prepare_v2(database, sql, -1, &statement, &sql) != SQLITE_OK)
			fail_msg("%s: %s", sql, sqlite3_errmsg(database));
		while (statement && sqlite3_step(statement) == SQLITE_ROW)
			for (int i = 0; i < sqlite3_column_count(statement); i++) {
				const unsigned char *text = sqlite3_column_text(statement, i);
				len += (size_t)snprintf(result + len, sizeof result - len, "%s%s", i > 0 ? "|" : "",
				                        text ? (const char *)text : "");
				if (i == sqlite3_column_count(statement) - 1)
					len += (size_t)snprintf(result + len, sizeof result - len, "\n");
				assert_true(len < sizeof result);
			}
		if (sqlite3_finalize(statement) != SQLITE_OK)
			fail_msg("%s", sqlite3_errmsg(database));
	}
	sqlite3_close(database);
	return result;
}

static inline struct store *open_store_as(const char *node)
{
	struct store *store;
	char error[256] = "";
	const struct store_place place = {.location = path, .node = node};
	if (store_sqlite.open(&place, &store, error, sizeof error) != STORE_OK)
		fail_msg("%s", error);
	return store;
}

static inline struct store *open_store(void)
{
	return open_store_as("house");
}

static inline int64_t series(struct store *store, const char *name)
{
	struct topic topic;
	int64_t id = 0;
	assert_true(topic_parse(slice_of(name), &topic));
	assert_int_equal(store_sqlite.series(store, &topic, &id), STORE_OK);
	return id;
}

static inline struct store_row number_row(int64_t id, int64_t time_us, int64_t seq, double number)
{
	return (struct store_row){id, time_us, seq, {.number = number, .is_number = true}};
}

/* As store_ops.write, where no row is refused. */
static inline enum store_result write_rows(struct store *store, const struct store_row *rows, size_t count,
                                           const struct store_position *from, const struct store_position *to)
{
	size_t rejected;
	const struct store_batch batch = {rows, count, *from, *to, NULL};
	enum store_result result = store_sqlite.write(store, &batch, &rejected);
	assert_int_equal(rejected, 0);
	return result;
}

static inline enum store_result move(struct store *store, struct store_position from, struct store_position to)
{
	return write_rows(store, NULL, 0, &from, &to);
}

/* Stores one row, moving from position `from` to `to` (0: the first write). */
static inline enum store_result put(struct store *store, int64_t id, int64_t from, int64_t to)
{
	struct store_position before = {from ? JOURNAL : 0, (uint64_t)from}, after = {JOURNAL, (uint64_t)to};
	struct store_row row = number_row(id, NOON, to, 1);
	return write_rows(store, &row, 1, &before, &after);
}

/* Stores rows behind whatever the store's position is. */
static inline void add(struct store *store, const struct store_row *rows, size_t count)
{
	struct store_position from, to = {JOURNAL, 1};
	assert_int_equal(store_sqlite.position(store, JOURNAL, &from), STORE_OK);
	to.position = from.position + 1;
	if (write_rows(store, rows, count, &from, &to) != STORE_OK)
		fail_msg("%s", store_sqlite.error(store));
}

#endif
