/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_internal: what an open MariaDB store is in memory. Private to store_mariadb*.c.
 */
#ifndef HEARTH_STORE_MARIADB_INTERNAL_H
#define HEARTH_STORE_MARIADB_INTERNAL_H

#include "store.h"
#include "store_batch.h"

#include <mariadb/mysql.h>

/* Where `make install` puts schema/mariadb, for people who apply it by hand. */
#ifndef HEARTH_SHARE
#define HEARTH_SHARE "/usr/local/share/hearth"
#endif

#define MARIA_DELIMITER_MAX 8 /* bytes */

#define CHUNK_ROWS     5000      /* rows in one statement */
#define CHUNK_TEXT     (1 << 18) /* bytes of text in one statement, or little more: a server may take no more than 1 MiB */
#define MARIA_NODE_MAX 1020      /* bytes of 255 characters */

/* Statements that are prepared once a connection, when they are needed first. */
enum maria_statement {
	MARIA_GET_POSITION,
	MARIA_ADD_POSITION,
	MARIA_ADD_WITNESS,
	MARIA_MOVE_POSITION,
	MARIA_MOVE_WITNESS,
	MARIA_LIST_SERIES,
	MARIA_ADD_SERIES,
	MARIA_RENAME_SERIES,
	MARIA_COUNT_SERIES,
	MARIA_ADD_READINGS,
	MARIA_ADD_MINUTES,
	MARIA_ADD_HOURS,
	MARIA_REJECT,
	MARIA_UPKEEP,
	MARIA_STATEMENT_COUNT
};

/* What a chunk of rows is bound from: one array a column. */
struct maria_columns {
	uint32_t series[CHUNK_ROWS];
	int64_t time_us[CHUNK_ROWS];
	int64_t seq[CHUNK_ROWS];
	double number[3][CHUNK_ROWS]; /* value; or min, avg, max */
	uint32_t count[CHUNK_ROWS];
	char number_null[CHUNK_ROWS]; /* STMT_INDICATOR_… */
	const char *text[CHUNK_ROWS];
	unsigned long text_len[CHUNK_ROWS];
	char text_null[CHUNK_ROWS];
	const char *level[4][CHUNK_ROWS];
	unsigned long level_len[4][CHUNK_ROWS];
};

struct store {
	MYSQL *link;
	MYSQL_STMT *statements[MARIA_STATEMENT_COUNT]; /* NULL: not needed yet */
	bool prepared[MARIA_STATEMENT_COUNT];
	char *host;          /* for messages: "host:port" or the socket's path */
	char *user;          /* for messages */
	char *database;      /* for messages */
	char *node;          /* this broker's name */
	bool known;          /* as store_place.known */
	bool galera;         /* a node of a cluster: reads that matter wait until it has caught up */
	bool in_transaction; /* maria_begin has */

	/* What `position` found last. */
	char row_node[MARIA_NODE_MAX + 1]; /* of the row of the journal that was asked for; "": there is none */
	struct store_position stored;      /* what COMMIT said OK to last */
	bool node_taken;                   /* another row has our node's name */

	/* All series that the table has, and behind them those that the next batch adds to it. */
	struct maria_series *series;
	struct maria_series **added;
	size_t added_count;
	uint32_t series_last; /* the largest id */
	bool series_known;    /* the table was read */

	struct store_sorted sorted;
	struct maria_columns *columns;
	char error[512];
};

/* ---- store_mariadb_connect.c ---- */

/*
 * Connects to one of the place's hosts after the other until one can be used, and sets the session up (time-outs, utf8mb4,
 * strict mode, UTC). STORE_AWAY or STORE_NEVER with one line that says what to do. The schema is not looked at.
 */
enum store_result maria_connect(const struct store_place *place, struct store **out, char *error, size_t error_size);

/* Closes and frees; NULL is allowed. */
void maria_close(struct store *store);

/* ---- store_mariadb_schema.c ---- */

/* Brings the schema to the newest version, or sees that it is there, or says which file has to be applied by hand. */
enum store_result maria_migrate(struct store *store);

/* For a connection that only reads: is the schema one that is known? Changes nothing. */
enum store_result maria_schema_check(struct store *store);

/*
 * The next statement of a migration file, without comments and its delimiter, which `DELIMITER` lines change. Free it.
 * NULL: there is none, or (*sql is not at its end) no memory.
 */
char *maria_next_statement(const char **sql, char delimiter[MARIA_DELIMITER_MAX + 1]);

/* ---- store_mariadb_error.c ---- */

enum maria_fault {
	MARIA_FAULT_AWAY,     /* close, and try the next host */
	MARIA_FAULT_CONFLICT, /* another transaction was in the way: roll back, ask where we stand */
	MARIA_FAULT_DATA      /* the row's contents: it can never be stored as it is */
};

/* What an error number of the server or of libmariadb means. */
enum maria_fault maria_sort(unsigned code);

/*
 * Puts the line for a person into store->error: where, what the server said, and what to do about it, for errors of the
 * connection, or of a statement if one is given.
 */
void maria_explain(struct store *store, MYSQL_STMT *statement);

/* The same for an error number and what was said. */
void maria_explain_code(struct store *store, unsigned code, const char *message);

/* Puts a text of our own there, behind where it is about. */
void maria_say(struct store *store, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The error number of the statement, or (NULL, or it has none) of the connection. */
unsigned maria_code(const struct store *store, MYSQL_STMT *statement);

/* maria_explain, and the result that belongs to it: STORE_AWAY or STORE_MOVED. Rolls back what was begun. */
enum store_result maria_fail(struct store *store, MYSQL_STMT *statement);

/* ---- store_mariadb.c ---- */

/* Runs SQL that gives no rows and has no parameters. False: mysql_errno(store->link) says why. */
bool maria_run(struct store *store, const char *sql);

/* Begins a transaction unless one is open. */
bool maria_begin(struct store *store);

/* Takes back what was begun; a connection that cannot is closed before long. */
void maria_rollback(struct store *store);

/* The prepared statement, or NULL; store->statements[which] (or, if that is NULL, the connection) says why. */
MYSQL_STMT *maria_statement(struct store *store, enum maria_statement which);

/* Runs it once with these parameters. The same on failure. */
MYSQL_STMT *maria_execute(struct store *store, enum maria_statement which, MYSQL_BIND *parameters);

/* Parameters, and for integers (64 bits) also result columns. What they point to outlives the call that uses them. */
MYSQL_BIND maria_bind_text(struct slice text);
MYSQL_BIND maria_bind_integer(const void *number, my_bool is_unsigned);

/* ---- store_mariadb_series.c ---- */

enum store_result maria_series_id(struct store *store, const struct topic *topic, int64_t *id);

/* In a batch's transaction: puts new ones into the table. STORE_MOVED: another broker was faster; all is rolled back. */
enum store_result maria_add_series(struct store *store);

/* The batch is stored, and so are they. */
void maria_series_added(struct store *store);

/* Has the table read again when one is asked for next. */
void maria_forget_series(struct store *store);

/* ---- store_mariadb_write.c ---- */

/* Runs a statement with an array for each parameter. NULL as maria_execute. */
MYSQL_STMT *maria_execute_bulk(struct store *store, enum maria_statement which, MYSQL_BIND *columns, size_t count);

enum store_result maria_write(struct store *store, const struct store_batch *batch, size_t *rejected);

/* In a transaction. STORE_MOVED: it was not as expected; all is rolled back. */
enum store_result maria_move_position(struct store *store, const struct store_position *from,
                                      const struct store_position *to);

/* ---- store_mariadb_rename.c ---- */

enum store_result maria_rename(struct store *store, const struct store_rename *rename, size_t *renamed, size_t *kept);

/* ---- store_mariadb_read.c ---- */

enum store_result maria_list(struct store *store, store_series_callback callback, void *context);
enum store_result maria_positions(struct store *store, store_position_callback callback, void *context);
enum store_result maria_latest(struct store *store, const struct topic *topic, store_reading_callback callback,
                               void *context);
enum store_result maria_readings(struct store *store, const struct topic *topic, struct store_span span, size_t limit,
                                 store_reading_callback callback, void *context);
enum store_result maria_buckets(struct store *store, const struct topic *topic, enum store_source source,
                                struct store_span span, int64_t step_us, store_bucket_callback callback, void *context);

#endif
