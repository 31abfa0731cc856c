/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_schema: brings a database to the newest schema, or says who has to.
 *
 * The schema is a row of numbered SQL files, schema/mariadb/NNN_name.sql, that embed.sh puts into the plugin. The same files
 * are for the `mariadb` client, so they are cut into statements as it does. MariaDB commits after each statement that
 * makes a table; a file may therefore be cut short anywhere and has to be fit to be run again: each statement makes what
 * is missing and leaves what is there, and the last one puts the file's number into schema_version. Nothing of a file
 * is run whose number is there.
 *
 * Two brokers may come at once: on one server they wait for each other; on two nodes of a cluster the statements' own
 * caution has to do.
 */
#include "migration.h"
#include "store_mariadb_internal.h"

#include <ctype.h>
#include <mariadb/mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_NAME "CONCAT('hearth ', MD5(DATABASE()))"

/* ---- a file's statements ---- */

/* 0: there is none here. */
static size_t comment_length(const char *at)
{
	bool begins = strncmp(at, "--", 2) == 0 && (at[2] == '\0' || isspace((unsigned char)at[2]));
	return begins ? strcspn(at, "\n") : 0;
}

/* Past white space, comments from `-- ` to the end of the line, and DELIMITER lines. */
static const char *skip_to_statement(const char *at, char delimiter[MARIA_DELIMITER_MAX + 1])
{
	static const char word[] = "DELIMITER ";

	for (;;) {
		at += strspn(at, " \t\r\n");
		if (strncmp(at, word, strlen(word)) == 0) {
			const char *text = at + strlen(word);
			size_t len = strcspn(text, " \t\r\n");
			if (len > 0 && len <= MARIA_DELIMITER_MAX)
				snprintf(delimiter, MARIA_DELIMITER_MAX + 1, "%.*s", (int)len, text);
			at += strcspn(at, "\n");
		} else if (comment_length(at) > 0) {
			at += comment_length(at);
		} else {
			return at;
		}
	}
}

/* The length of what is one to the cutter: something in quotes, a comment, or one byte. */
static size_t token_length(const char *at)
{
	if (*at == '\'' || *at == '"' || *at == '`') {
		const char *end = at + 1;
		while (*end != '\0' && *end != *at)
			end += *end == '\\' && *at != '`' && end[1] != '\0' ? 2 : 1;
		return (size_t)(end - at) + (*end != '\0');
	}
	return 1;
}

char *maria_next_statement(const char **sql, char delimiter[MARIA_DELIMITER_MAX + 1])
{
	const char *at = *sql = skip_to_statement(*sql, delimiter);
	size_t len = 0;

	if (*at == '\0')
		return NULL;
	char *statement = malloc(strlen(at) + 1);
	if (!statement)
		return NULL;
	while (*at != '\0' && strncmp(at, delimiter, strlen(delimiter)) != 0) {
		at += comment_length(at);
		size_t taken = *at != '\0' ? token_length(at) : 0;
		memcpy(statement + len, at, taken);
		len += taken;
		at += taken;
	}
	if (*at != '\0')
		at += strlen(delimiter);
	while (len > 0 && isspace((unsigned char)statement[len - 1]))
		len--;
	statement[len] = '\0';
	*sql = at;
	return statement;
}

/* ---- versions ---- */

/* Hearth's own newest file. */
static const struct migration *newest(void)
{
	const struct migration *last = migrations_mariadb;

	while (last[1].version != 0)
		last++;
	return last;
}

#define NO_VERSION (-1)

/* NO_VERSION: none was ever put in there. 0: our own first file was begun. */
static enum store_result read_version(struct store *store, int *version)
{
	*version = NO_VERSION;
	if (!maria_run(store, "SELECT MAX(version) FROM schema_version")) {
		unsigned code = mysql_errno(store->link);
		if (code == ER_NO_SUCH_TABLE)
			return STORE_OK;
		maria_explain(store, NULL);
		return code == ER_BAD_FIELD_ERROR ? STORE_NEVER : STORE_AWAY;
	}
	MYSQL_RES *result = mysql_store_result(store->link);
	if (!result) {
		maria_explain(store, NULL);
		return STORE_AWAY;
	}
	MYSQL_ROW row = mysql_fetch_row(result);
	if (row && row[0])
		*version = (int)strtol(row[0], NULL, 10);
	mysql_free_result(result);
	if (*version > newest()->version) {
		maria_say(store, "made by a newer Hearth (schema version %d, this one knows %d)", *version, newest()->version);
		return STORE_NEVER;
	}
	return STORE_OK;
}

/*
 * Is a dump being put back? Its tables come in the order of their names, so that others of ours are there before
 * schema_version is, which our own file makes first. Tables that were made in between would be in the dump's way.
 */
static enum store_result see_that_it_is_ours_to_make(struct store *store)
{
	bool others = maria_run(store, "DO (SELECT COUNT(*) FROM ingest_position WHERE FALSE)");

	if (!others && mysql_errno(store->link) != ER_NO_SUCH_TABLE) {
		maria_explain(store, NULL);
		return STORE_AWAY;
	}
	if (!others && !store->known)
		return STORE_OK;
	maria_say(store,
	          "%s: a backup is being put back? waiting until it is whole. If none is, %s: mariadb %s < " HEARTH_SHARE
	          "/mariadb/%s.sql",
	          others ? "schema_version is empty or missing, and other tables are there" : "the tables are gone",
	          others ? "apply" : "restore one, or have new ones made", store->database, migrations_mariadb[0].name);
	return STORE_AWAY;
}

/* ---- applying ---- */

static bool is_refusal(unsigned code)
{
	switch (code) {
	case ER_TABLEACCESS_DENIED_ERROR:
	case ER_COLUMNACCESS_DENIED_ERROR:
	case ER_DBACCESS_DENIED_ERROR:
	case ER_PROCACCESS_DENIED_ERROR:
	case ER_SPECIFIC_ACCESS_DENIED_ERROR:
	case ER_BINLOG_CREATE_ROUTINE_NEED_SUPER:
		return true;
	default:
		return false;
	}
}

static void explain_refusal(struct store *store, const struct migration *migration)
{
	maria_say(store,
	          "schema/mariadb/%s.sql is not applied and user %s may not apply it (%.120s); as one who may: mariadb %s"
	          " < " HEARTH_SHARE "/mariadb/%s.sql; waiting",
	          migration->name, store->user, mysql_error(store->link), store->database, migration->name);
}

static enum store_result apply_one(struct store *store, const struct migration *migration)
{
	char delimiter[MARIA_DELIMITER_MAX + 1] = ";";
	const char *at = migration->sql;
	char *statement;

	while ((statement = maria_next_statement(&at, delimiter)) != NULL) {
		bool done = maria_run(store, statement);
		free(statement);
		if (!done) {
			if (is_refusal(mysql_errno(store->link)))
				explain_refusal(store, migration);
			else
				maria_explain(store, NULL);
			return STORE_AWAY;
		}
	}
	if (*at != '\0') {
		maria_say(store, "out of memory");
		return STORE_AWAY;
	}
	return STORE_OK;
}

static enum store_result apply_missing(struct store *store)
{
	int version;
	enum store_result result = read_version(store, &version); /* another broker may have been faster */

	if (result == STORE_OK && version == NO_VERSION)
		result = see_that_it_is_ours_to_make(store);
	for (const struct migration *m = migrations_mariadb; result == STORE_OK && m->version != 0; m++) {
		if (m->version > version)
			result = apply_one(store, m);
	}
	return result;
}

enum store_result maria_migrate(struct store *store)
{
	int version;
	enum store_result result = read_version(store, &version);

	if (result != STORE_OK || version == newest()->version)
		return result;
	(void)maria_run(store, "DO GET_LOCK(" LOCK_NAME ", 8)"); /* without it the statements' own caution has to do */
	result = apply_missing(store);
	(void)maria_run(store, "DO RELEASE_LOCK(" LOCK_NAME ")");
	return result;
}

enum store_result maria_schema_check(struct store *store)
{
	int version;
	enum store_result result = read_version(store, &version);

	if (result == STORE_OK && version < newest()->version) {
		maria_say(store, "schema/mariadb/%s.sql is not applied yet; waiting", newest()->name);
		return STORE_AWAY;
	}
	return result;
}
