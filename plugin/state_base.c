/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * state_base: opening, statements, and copying from one database into another. Every result of SQLite is looked at: what
 * is half read must not be taken for a document.
 */
#include "state_base.h"

#include "migration_explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The keeper's thread, which has the journal to sync, must not wait long for somebody's lock. */
#define BUSY_TIMEOUT "PRAGMA busy_timeout = 20"
#define PRAGMAS      BUSY_TIMEOUT "; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"

static const char *const statement_sql[STATEMENT_COUNT] = {
	[EACH_POSITION] = "SELECT journal, pos FROM journal_position",
	[EACH_RETAINED] = "SELECT topic, payload, author, changed FROM retained ORDER BY topic",
	[EACH_DOCUMENT] = "SELECT name, body, changed FROM document ORDER BY name",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[GET_POSITION] = "SELECT pos FROM journal_position WHERE journal = ?1",
	[DROP_OTHER_POSITIONS] = "DELETE FROM journal_position WHERE journal <> ?1",
	[PUT_POSITION] = ("INSERT INTO journal_position (journal, pos) VALUES (?1, ?2)"
                      " ON CONFLICT (journal) DO UPDATE SET pos = excluded.pos"),
	[PUT_RETAINED] = ("INSERT INTO retained (topic, payload, author, changed) VALUES (?1, ?2, ?3, ?4)"
                      " ON CONFLICT (topic) DO UPDATE SET payload = excluded.payload, author = excluded.author,"
                      " changed = excluded.changed"),
	[PUT_DOCUMENT] = ("INSERT INTO document (name, body, changed) VALUES (?1, ?2, ?3)"
                      " ON CONFLICT (name) DO UPDATE SET body = excluded.body, changed = excluded.changed"),
	[DROP_DOCUMENT] = "DELETE FROM document WHERE name = ?1",
	[DROP_ALL_DOCUMENTS] = "DELETE FROM document",
};

/* What a file of version 1 answers, which had no documents and knew no authors. */
static const char *const statement_sql_1[READING_COUNT] = {
	[EACH_POSITION] = "SELECT journal, pos FROM journal_position",
	[EACH_RETAINED] = "SELECT topic, payload, '', changed FROM retained ORDER BY topic",
	[EACH_DOCUMENT] = "SELECT NULL, NULL, NULL WHERE 0",
};

/* ---- opening ---- */

static void forget_statements(struct base *base)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(base->statements[i]);
		base->statements[i] = NULL;
	}
}

static int prepare(struct base *base, const char *const *sql, size_t count)
{
	int code = SQLITE_OK;
	for (size_t i = 0; i < count && code == SQLITE_OK; i++)
		code = sqlite3_prepare_v3(base->database, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &base->statements[i], NULL);
	return code;
}

static int prepare_to_read(struct base *base)
{
	int code = prepare(base, statement_sql, READING_COUNT);
	if (code != SQLITE_ERROR) /* there are no such tables or columns */
		return code;
	forget_statements(base);
	return prepare(base, statement_sql_1, READING_COUNT);
}

static bool means_broken(int code)
{
	return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

/* quick_check answers in a row of text, also where the disk failed and the file may be as sound as ever. */
static int judge_answer(const char *answer)
{
	const char *number = strstr(answer, "error code=");

	if (strcmp(answer, "ok") == 0)
		return SQLITE_OK;
	int code = number ? (int)strtol(number + strlen("error code="), NULL, 10) : SQLITE_CORRUPT;
	return (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_NOMEM ? code : SQLITE_CORRUPT;
}

/* Reads every page. SQLITE_CORRUPT if what it finds makes no sense. */
static int check(const struct base *base)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(base->database, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (code != SQLITE_OK)
		return code;
	if (sqlite3_step(statement) == SQLITE_ROW) {
		const char *answer = (const char *)sqlite3_column_text(statement, 0);
		code = answer ? judge_answer(answer) : SQLITE_NOMEM;
	}
	int end = sqlite3_finalize(statement);
	return code == SQLITE_OK ? end : code;
}

/* Tells by a read whether a file that could not be opened for writing is broken, and then says so. */
static bool is_broken(const char *path, char *error, size_t error_size)
{
	struct base reader = {0};
	int code = base_open_to_read(&reader, path);
	base_close(&reader);
	if (means_broken(code))
		snprintf(error, error_size, "%s: %s", path, sqlite3_errstr(code));
	return means_broken(code);
}

enum migration_result base_open_file(struct base *base, const char *path, bool *broken, char *error, size_t error_size)
{
	*broken = false;
	enum migration_result result = migration_open(path, migrations_state, PRAGMAS, &base->database, error, error_size);
	if (result != MIGRATION_OK) {
		*broken = is_broken(path, error, error_size);
		return *broken ? MIGRATION_LATER : result;
	}
	int code = check(base);
	if (code == SQLITE_OK)
		code = prepare(base, statement_sql, STATEMENT_COUNT);
	if (code == SQLITE_OK)
		return MIGRATION_OK;
	*broken = means_broken(code);
	if (*broken || sqlite3_errcode(base->database) == SQLITE_OK) /* what quick_check answers is no error of its own */
		snprintf(error, error_size, "%s: %s", path, sqlite3_errstr(code));
	else
		migration_explain(base->database, path, error, error_size);
	result = *broken ? MIGRATION_LATER : migration_judge(base->database, code);
	base_close(base);
	return result;
}

int base_open_memory(struct base *base)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_MEMORY;
	int code = sqlite3_open_v2("state", &base->database, flags, NULL);
	for (const struct migration *m = migrations_state; m->version != 0 && code == SQLITE_OK; m++)
		code = sqlite3_exec(base->database, m->sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? prepare(base, statement_sql, STATEMENT_COUNT) : code;
}

/* file:PATH?immutable=1, or NULL without memory; for sqlite3_free. */
static char *immutable_uri(const char *path)
{
	char *uri = sqlite3_mprintf("file:");
	for (; uri && *path; path++) {
		char *longer = strchr("%?#", *path) ? sqlite3_mprintf("%s%%%02X", uri, (unsigned char)*path)
		                                    : sqlite3_mprintf("%s%c", uri, *path);
		sqlite3_free(uri);
		uri = longer;
	}
	char *whole = uri ? sqlite3_mprintf("%s?immutable=1", uri) : NULL;
	sqlite3_free(uri);
	return whole;
}

static int open_reader(struct base *base, const char *name, int flags, const char *vfs)
{
	base_close(base);
	int code = sqlite3_open_v2(name, &base->database, flags | SQLITE_OPEN_NOMUTEX, vfs);
	if (code == SQLITE_OK)
		code = sqlite3_extended_result_codes(base->database, 1);
	/* The index of the WAL is then kept in memory of our own. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(base->database, BUSY_TIMEOUT "; PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = check(base);
	return code == SQLITE_OK ? prepare_to_read(base) : code;
}

int base_open_to_read(struct base *base, const char *path)
{
	int code = open_reader(base, path, SQLITE_OPEN_READWRITE, NULL);
	bool read_only = access(path, W_OK) != 0 && errno == EROFS;
	if (code == SQLITE_OK || means_broken(code) || !read_only)
		return code;
	/* Nobody else writes there either, and the lock that is asked for above cannot be had. */
	code = open_reader(base, path, SQLITE_OPEN_READONLY, "unix-none");
	if (code == SQLITE_OK || means_broken(code))
		return code;
	/* There is no WAL, and none can be made. */
	char *uri = immutable_uri(path);
	if (!uri)
		return SQLITE_NOMEM;
	code = open_reader(base, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	sqlite3_free(uri);
	return code;
}

void base_close(struct base *base)
{
	forget_statements(base);
	sqlite3_close(base->database);
	*base = (struct base){0};
}

/* ---- statements ---- */

int base_run(const struct base *base, enum statement which)
{
	sqlite3_step(base->statements[which]);
	return sqlite3_reset(base->statements[which]);
}

/* A NULL pointer would bind NULL instead of nothing. */
static int bind_text(sqlite3_stmt *statement, int number, struct slice text)
{
	return sqlite3_bind_text64(statement, number, text.len > 0 ? text.ptr : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_blob(sqlite3_stmt *statement, int number, struct slice bytes)
{
	return sqlite3_bind_blob64(statement, number, bytes.len > 0 ? bytes.ptr : "", bytes.len, SQLITE_STATIC);
}

int base_put_retained(const struct base *base, struct slice topic, struct slice payload, struct slice author,
                      int64_t time_us)
{
	sqlite3_stmt *put = base->statements[PUT_RETAINED];

	int code = bind_text(put, 1, topic);
	if (code == SQLITE_OK)
		code = bind_blob(put, 2, payload);
	if (code == SQLITE_OK)
		code = bind_text(put, 3, author);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(put, 4, time_us);
	return code == SQLITE_OK ? base_run(base, PUT_RETAINED) : code;
}

static int drop_document(const struct base *base, struct slice name)
{
	int code = bind_text(base->statements[DROP_DOCUMENT], 1, name);
	return code == SQLITE_OK ? base_run(base, DROP_DOCUMENT) : code;
}

int base_put_document(struct base *base, const struct document *document, int64_t time_us)
{
	sqlite3_stmt *put = base->statements[PUT_DOCUMENT];

	base->has_documents = true;
	if (document->body.len == 0)
		return drop_document(base, document->name);
	int code = bind_text(put, 1, document->name);
	if (code == SQLITE_OK)
		code = bind_blob(put, 2, document->body);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(put, 3, time_us);
	return code == SQLITE_OK ? base_run(base, PUT_DOCUMENT) : code;
}

int base_put_position(const struct base *base, sqlite3_int64 journal, sqlite3_int64 position)
{
	sqlite3_stmt *put = base->statements[PUT_POSITION];

	int code = sqlite3_bind_int64(base->statements[DROP_OTHER_POSITIONS], 1, journal);
	if (code == SQLITE_OK)
		code = base_run(base, DROP_OTHER_POSITIONS);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(put, 1, journal);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(put, 2, position);
	return code == SQLITE_OK ? base_run(base, PUT_POSITION) : code;
}

/* A column of a row, whose memory lasts until the next step. False: no memory for it. */
static bool get_text(sqlite3_stmt *row, int column, struct slice *text)
{
	text->ptr = (const char *)sqlite3_column_text(row, column);
	text->len = (size_t)sqlite3_column_bytes(row, column);
	return text->ptr != NULL;
}

static bool get_blob(sqlite3_stmt *row, int column, struct slice *bytes)
{
	bytes->ptr = sqlite3_column_blob(row, column); /* NULL if it is empty */
	bytes->len = (size_t)sqlite3_column_bytes(row, column);
	return sqlite3_errcode(sqlite3_db_handle(row)) != SQLITE_NOMEM;
}

int base_each_retained(const struct base *base, state_retained_callback callback, void *context)
{
	sqlite3_stmt *each = base->statements[EACH_RETAINED];
	struct slice topic, payload, author;

	while (sqlite3_step(each) == SQLITE_ROW) {
		if (!get_text(each, 0, &topic) || !get_blob(each, 1, &payload) || !get_text(each, 2, &author)) {
			sqlite3_reset(each);
			return SQLITE_NOMEM;
		}
		callback(context, topic, payload, author, sqlite3_column_int64(each, 3));
	}
	return sqlite3_reset(each);
}

int base_each_document(const struct base *base, state_document_callback callback, void *context)
{
	sqlite3_stmt *each = base->statements[EACH_DOCUMENT];
	struct document document;

	while (sqlite3_step(each) == SQLITE_ROW) {
		if (!get_text(each, 0, &document.name) || !get_blob(each, 1, &document.body)) {
			sqlite3_reset(each);
			return SQLITE_NOMEM;
		}
		callback(context, &document, sqlite3_column_int64(each, 2));
	}
	return sqlite3_reset(each);
}

/* ---- copying ---- */

struct copying {
	struct base *to;
	bool replaced; /* the documents that it had are gone */
	int code;
};

static void copy_one(void *context, struct slice topic, struct slice payload, struct slice author, int64_t time_us)
{
	struct copying *copying = context;
	if (copying->code == SQLITE_OK)
		copying->code = base_put_retained(copying->to, topic, payload, author, time_us);
}

static int copy_retained(const struct base *from, struct base *to)
{
	struct copying copying = {.to = to};

	int code = base_each_retained(from, copy_one, &copying);
	return code == SQLITE_OK ? copying.code : code;
}

static void replace_documents(struct copying *copying)
{
	if (copying->replaced)
		return;
	copying->replaced = copying->to->has_documents = true;
	copying->code = base_run(copying->to, DROP_ALL_DOCUMENTS);
}

static void copy_document(void *context, const struct document *document, int64_t time_us)
{
	struct copying *copying = context;
	replace_documents(copying);
	if (copying->code == SQLITE_OK)
		copying->code = base_put_document(copying->to, document, time_us);
}

static int copy_documents(const struct base *from, struct base *to)
{
	struct copying copying = {.to = to};

	if (from->has_documents)
		replace_documents(&copying);
	int code = base_each_document(from, copy_document, &copying);
	return code == SQLITE_OK ? copying.code : code;
}

static int copy_position(const struct base *from, const struct base *to)
{
	sqlite3_stmt *each = from->statements[EACH_POSITION];
	int code = SQLITE_OK;

	while (code == SQLITE_OK && sqlite3_step(each) == SQLITE_ROW)
		code = base_put_position(to, sqlite3_column_int64(each, 0), sqlite3_column_int64(each, 1));
	int end = sqlite3_reset(each);
	return code == SQLITE_OK ? end : code;
}

int base_copy(const struct base *from, struct base *to)
{
	int code = base_run(to, BEGIN);
	if (code == SQLITE_OK)
		code = copy_retained(from, to);
	if (code == SQLITE_OK)
		code = copy_documents(from, to);
	if (code == SQLITE_OK)
		code = copy_position(from, to);
	return code == SQLITE_OK ? base_run(to, COMMIT) : code;
}
