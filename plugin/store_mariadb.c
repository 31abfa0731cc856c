/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb: the history store in a MariaDB server or Galera cluster; schema/mariadb describes its tables.
 *
 * Nothing is stored but in a transaction that has moved the position by compare-and-set, and what COMMIT answers is not
 * trusted: the position tells (see writer.c). A connection that failed is closed, never mended, so that no part of a
 * transaction can be carried into the next.
 */
#include "store_mariadb_internal.h"
#include "store_mariadb_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both averages weigh in as halves, and the sum stays between the ends, so that no number there is becomes an infinity. */
#define SET_ROLLUP                                                                                                     \
	" ON DUPLICATE KEY UPDATE min = LEAST(min, VALUES(min)), max = GREATEST(max, VALUES(max)),"                        \
	" avg = IF(avg = VALUES(avg), avg, 2 * LEAST(max / 2, GREATEST(min / 2,"                                           \
	" avg / 2 * (count / (count + VALUES(count) + 0e0))"                                                               \
	" + VALUES(avg) / 2 * (VALUES(count) / (count + VALUES(count) + 0e0))))), count = count + VALUES(count)"

#define ADD_POSITION(table)                                                                                            \
	"INSERT INTO " table " (node, journal, pos) SELECT ?, ?, ? FROM DUAL"                                              \
	" WHERE NOT EXISTS (SELECT 1 FROM " table " WHERE journal = ?)"
#define MOVE_POSITION(table)                                                                                           \
	"UPDATE " table " SET node = ?, journal = ?, pos = ? WHERE node = ? AND journal = ? AND pos = ?"

/* Of the device whose name is ?1 with a '/' behind it, and ?2 the same with the byte that follows '/': by the key of topics. */
#define ITS_SERIES "topic >= ? AND topic < ?"

static const char *const statement_sql[MARIA_STATEMENT_COUNT] = {
	[MARIA_GET_POSITION] =
		"SELECT 0, node, journal, pos FROM ingest_position WHERE journal = ? OR node = ?"
		" UNION ALL SELECT 1, node, journal, pos FROM witness_position WHERE journal = ? OR node = ?",
	[MARIA_ADD_POSITION] = ADD_POSITION("ingest_position"),
	[MARIA_ADD_WITNESS] = ADD_POSITION("witness_position"),
	[MARIA_MOVE_POSITION] = MOVE_POSITION("ingest_position"),
	[MARIA_MOVE_WITNESS] = MOVE_POSITION("witness_position"),
	[MARIA_LIST_SERIES] = "SELECT id, topic FROM series",
	[MARIA_ADD_SERIES] = "INSERT INTO series (id, location, device, sensor, subject) VALUES (?, ?, ?, ?, ?)",
	/* To location and device, where the topic that comes of it is free and not longer than so many bytes. */
	[MARIA_RENAME_SERIES] =
		"UPDATE series AS s SET location = ?, device = ? WHERE " ITS_SERIES
		" AND LENGTH(CONCAT(?, sensor, '/', subject)) <= ?"
		" AND NOT EXISTS (SELECT 1 FROM series AS other WHERE other.topic = CONCAT(?, s.sensor, '/', s.subject))",
	[MARIA_COUNT_SERIES] = "SELECT COUNT(*) FROM series WHERE " ITS_SERIES,
	[MARIA_ADD_READINGS] = "INSERT INTO reading (series_id, ts, seq, value, txt) VALUES (?, ?, ?, ?, ?)",
	[MARIA_ADD_MINUTES] =
		"INSERT INTO reading_minute (series_id, ts, min, avg, max, count) VALUES (?, ?, ?, ?, ?, ?)" SET_ROLLUP,
	[MARIA_ADD_HOURS] =
		"INSERT INTO reading_hour (series_id, ts, min, avg, max, count) VALUES (?, ?, ?, ?, ?, ?)" SET_ROLLUP,
	[MARIA_REJECT] = "INSERT INTO reading_reject (code, reason, series_id, ts, seq, value, txt)"
					 " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[MARIA_UPKEEP] = "CALL upkeep(?, ?, ?)",
};

bool maria_run(struct store *store, const char *sql)
{
	return mysql_real_query(store->link, sql, strlen(sql)) == 0;
}

bool maria_begin(struct store *store)
{
	if (!store->in_transaction)
		store->in_transaction = maria_run(store, "START TRANSACTION");
	return store->in_transaction;
}

void maria_rollback(struct store *store)
{
	if (store->in_transaction)
		maria_run(store, "ROLLBACK");
	store->in_transaction = false;
	maria_forget_series(store);
}

MYSQL_STMT *maria_statement(struct store *store, enum maria_statement which)
{
	const char *sql = statement_sql[which];

	if (!store->statements[which])
		store->statements[which] = mysql_stmt_init(store->link);
	if (store->statements[which] && !store->prepared[which])
		store->prepared[which] = mysql_stmt_prepare(store->statements[which], sql, strlen(sql)) == 0;
	return store->prepared[which] ? store->statements[which] : NULL;
}

MYSQL_BIND maria_bind_text(struct slice text)
{
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING, .buffer = (void *)text.ptr, .buffer_length = text.len};
}

MYSQL_BIND maria_bind_integer(const void *number, my_bool is_unsigned)
{
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = (void *)number, .is_unsigned = is_unsigned};
}

MYSQL_STMT *maria_execute(struct store *store, enum maria_statement which, MYSQL_BIND *parameters)
{
	MYSQL_STMT *statement = maria_statement(store, which);

	if (!statement || mysql_stmt_bind_param(statement, parameters) != 0 || mysql_stmt_execute(statement) != 0)
		return NULL;
	return statement;
}

/* ---- opening ---- */

static enum store_result check(const struct store_place *place, char *error, size_t error_size)
{
	struct mariadb_url url;
	bool good = mariadb_url_parse(place->location, &url, error, error_size);

	mariadb_url_free(&url);
	if (good && mysql_library_init(0, NULL, NULL) != 0) { /* once, before there are threads */
		snprintf(error, error_size, "libmariadb cannot be used: out of memory");
		good = false;
	}
	return good ? STORE_OK : STORE_NEVER;
}

static enum store_result open_with(const struct store_place *place, enum store_result (*look)(struct store *store),
                                   struct store **out, char *error, size_t error_size)
{
	enum store_result result = maria_connect(place, out, error, error_size);

	if (result != STORE_OK)
		return result;
	(*out)->known = place->known;
	result = look(*out);
	if (result == STORE_OK)
		return STORE_OK;
	snprintf(error, error_size, "%s", (*out)->error);
	maria_close(*out);
	*out = NULL;
	return result;
}

static enum store_result open_to_write(const struct store_place *place, struct store **out, char *error,
                                       size_t error_size)
{
	return open_with(place, maria_migrate, out, error, error_size);
}

static enum store_result open_to_read(const struct store_place *place, struct store **out, char *error,
                                      size_t error_size)
{
	return open_with(place, maria_schema_check, out, error, error_size);
}

static const char *error_of(const struct store *store)
{
	return store->error;
}

/* ---- positions ---- */

struct position_row {
	char node[MARIA_NODE_MAX + 1]; /* "": there is none */
	unsigned long node_len;
	uint64_t journal, pos;
};

/* A journal's own row goes before its node's, whatever its node was called then. */
static bool is_better(const struct store *store, const struct position_row *row, const struct position_row *than,
                      uint64_t journal)
{
	if (than->node[0] == '\0' || (row->journal == journal) != (than->journal == journal))
		return than->node[0] == '\0' || row->journal == journal;
	if (row->pos != than->pos)
		return row->pos > than->pos;
	return strcmp(row->node, store->node) == 0;
}

/* The best of each of the two tables. */
static bool read_positions(struct store *store, MYSQL_STMT *statement, uint64_t journal, struct position_row best[2])
{
	struct position_row row = {.node_len = 0};
	int64_t which = 0;
	MYSQL_BIND columns[] = {
		maria_bind_integer(&which, false),
		{.buffer_type = MYSQL_TYPE_STRING,
	     .buffer = row.node,
	     .buffer_length = MARIA_NODE_MAX,
	     .length = &row.node_len},
		maria_bind_integer(&row.journal, true),
		maria_bind_integer(&row.pos, true),
	};
	int code;

	best[0].node[0] = best[1].node[0] = '\0';
	store->node_taken = false;
	if (mysql_stmt_bind_result(statement, columns) != 0)
		return false;
	while ((code = mysql_stmt_fetch(statement)) == 0) {
		row.node[row.node_len] = '\0';
		if (strcmp(row.node, store->node) == 0)
			store->node_taken = true;
		if (is_better(store, &row, &best[which != 0], journal))
			best[which != 0] = row;
	}
	if (code != MYSQL_NO_DATA) /* freeing the result would make libmariadb forget why */
		return false;
	mysql_stmt_free_result(statement);
	if (strcmp(best[0].node, store->node) == 0) /* by this very row */
		store->node_taken = false;
	return true;
}

static bool agree(const struct position_row best[2])
{
	if (strcmp(best[0].node, best[1].node) != 0)
		return false;
	return best[0].node[0] == '\0' || (best[0].journal == best[1].journal && best[0].pos == best[1].pos);
}

static enum store_result position(struct store *store, uint64_t journal, struct store_position *out)
{
	const struct slice node = slice_of(store->node);
	MYSQL_BIND parameters[] = {maria_bind_integer(&journal, true), maria_bind_text(node),
	                           maria_bind_integer(&journal, true), maria_bind_text(node)};
	struct position_row best[2];

	*out = (struct store_position){0, 0};
	store->row_node[0] = '\0';
	/* A node that is behind would tell an old position: let it catch up first. */
	if (store->galera && !maria_run(store, "SET SESSION wsrep_sync_wait = 1"))
		return maria_fail(store, NULL);
	MYSQL_STMT *statement = maria_execute(store, MARIA_GET_POSITION, parameters);
	if (!statement || !read_positions(store, statement, journal, best))
		return maria_fail(store, store->statements[MARIA_GET_POSITION]);
	if (store->galera && !maria_run(store, "SET SESSION wsrep_sync_wait = 0"))
		return maria_fail(store, NULL);
	if (!agree(best)) {
		maria_say(store, "the positions in ingest_position and witness_position differ, so a backup is being put back;"
		                 " waiting until it is whole. If it is: REPLACE INTO witness_position SELECT * FROM"
		                 " ingest_position");
		return STORE_AWAY;
	}
	if (best[0].node[0] != '\0')
		*out = (struct store_position){best[0].journal, best[0].pos};
	/* What COMMIT said OK to may be gone all the same, and new series with it. */
	if (store->stored.journal != 0 &&
	    (out->journal != store->stored.journal || out->position != store->stored.position))
		maria_forget_series(store);
	store->stored = (struct store_position){0, 0};
	snprintf(store->row_node, sizeof store->row_node, "%s", best[0].node);
	return STORE_OK;
}

/* ---- upkeep ---- */

/* COMMIT is durable, or (innodb_flush_log_at_trx_commit 0 or 2) some seconds later, which the journal's trimming waits. */
static enum store_result sync_store(struct store *store, bool anew)
{
	(void)store;
	(void)anew;
	return STORE_OK;
}

static enum store_result upkeep(struct store *store, const struct store_keep *keep, bool *more)
{
	const int64_t raw_days = keep->raw_days, minute_days = keep->minute_days;
	MYSQL_BIND parameters[] = {maria_bind_integer(&keep->now_us, false), maria_bind_integer(&raw_days, false),
	                           maria_bind_integer(&minute_days, false)};

	*more = false;
	if (store->in_transaction) /* which it would commit */
		return STORE_OK;
	MYSQL_STMT *statement = maria_execute(store, MARIA_UPKEEP, parameters);
	if (!statement)
		return maria_fail(store, store->statements[MARIA_UPKEEP]);
	while (mysql_stmt_next_result(statement) == 0)
		;
	return STORE_OK;
}

const struct store_ops store_mariadb = {
	.scheme = "mariadb",
	.check = check,
	.open = open_to_write,
	.close = maria_close,
	.error = error_of,
	.position = position,
	.series = maria_series_id,
	.write = maria_write,
	.rename = maria_rename,
	.sync = sync_store,
	.upkeep = upkeep,
	.open_to_read = open_to_read,
	.list = maria_list,
	.positions = maria_positions,
	.latest = maria_latest,
	.readings = maria_readings,
	.buckets = maria_buckets,
};
