/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_error: what an error number of the server or of libmariadb means for the writer, and for a person.
 *
 * One table has both. A number that is not in it means: close, and try the next host; that is right for whatever is new
 * or strange, because the journal keeps the readings and the position tells afterwards where the store stands. Only what is
 * certain to lie in a row itself is called the row's fault: such a row is put aside for good.
 *
 * A line reads   mariadb://USER@HOST/DATABASE: WHAT THE SERVER SAID (NUMBER); WHAT TO DO   and is one line of text whatever
 * the server sent. No password can be in it: the server never has one in the clear.
 */
#include "store_mariadb_internal.h"

#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAID_MAX 240 /* bytes of the server's words; the advice behind them has to fit in store.error */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define APPLY     "as one who may: mariadb {database} < " HEARTH_SHARE "/mariadb/001_initial.sql"
#define MAKE_ROOM "make room on the server's disk"
#define GRANT     "give {user} the grants that Hearth's README names for MariaDB"
#define OTHER_TABLES                                                                                                   \
	"the tables are not as schema/mariadb/001_initial.sql makes them: give Hearth a database of its own"
#define MISSING_TABLE "restore it from a backup, or have it made anew and empty, " APPLY
#define NOT_REACHED   "see that MariaDB runs there and that this machine may reach it"

struct meaning {
	unsigned code;
	enum maria_fault fault;
	const char *said;   /* only if the message has these words; NULL: any */
	const char *advice; /* {user} and {database}, the only {, are replaced; NULL: the message says it all */
};

/* For one code, the first row that fits; rows of one code have one fault. */
static const struct meaning meanings[] = {
	/* The row. */
	{ER_BAD_NULL_ERROR, MARIA_FAULT_DATA, NULL, NULL},
	{ER_DUP_ENTRY, MARIA_FAULT_DATA, NULL, NULL},
	{ER_WARN_DATA_OUT_OF_RANGE, MARIA_FAULT_DATA, NULL, NULL},
	{WARN_DATA_TRUNCATED, MARIA_FAULT_DATA, NULL, NULL},
	{ER_TRUNCATED_WRONG_VALUE, MARIA_FAULT_DATA, NULL, NULL},
	{ER_INVALID_CHARACTER_STRING, MARIA_FAULT_DATA, NULL, NULL},
	{ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, MARIA_FAULT_DATA, NULL, NULL},
	{ER_ILLEGAL_VALUE_FOR_TYPE, MARIA_FAULT_DATA, NULL, NULL},
	{ER_DATA_TOO_LONG, MARIA_FAULT_DATA, NULL, NULL},
	{ER_NO_PARTITION_FOR_GIVEN_VALUE, MARIA_FAULT_DATA, NULL, NULL},
	{ER_NO_REFERENCED_ROW_2, MARIA_FAULT_DATA, NULL, NULL},
	{ER_SIGNAL_EXCEPTION, MARIA_FAULT_DATA, NULL, NULL},
	{ER_DATA_OUT_OF_RANGE, MARIA_FAULT_DATA, NULL, NULL},
	{ER_DIVISION_BY_ZERO, MARIA_FAULT_DATA, NULL, NULL},
	{ER_CONSTRAINT_FAILED, MARIA_FAULT_DATA, NULL, NULL},

	/* Another transaction, or partitions that were made or dropped meanwhile. */
	{ER_LOCK_WAIT_TIMEOUT, MARIA_FAULT_CONFLICT, NULL, "another transaction holds the row or table"},
	{ER_LOCK_DEADLOCK, MARIA_FAULT_CONFLICT, NULL, NULL},
	{ER_CHECKREAD, MARIA_FAULT_CONFLICT, NULL, NULL},
	{ER_TABLE_DEF_CHANGED, MARIA_FAULT_CONFLICT, NULL, NULL},
	{ER_NEED_REPREPARE, MARIA_FAULT_CONFLICT, NULL, NULL},
	{ER_LOCK_ABORTED, MARIA_FAULT_CONFLICT, NULL, NULL},

	/* Who may come in. */
	{ER_ACCESS_DENIED_ERROR, MARIA_FAULT_AWAY, "password: NO",
     "name a file with the password by plugin_opt_store_password_file, or set " STORE_PASSWORD_VARIABLE
     ", and check that the server has this user"},
	{ER_ACCESS_DENIED_ERROR, MARIA_FAULT_AWAY, NULL,
     "check plugin_opt_store_password_file or " STORE_PASSWORD_VARIABLE
     ", and that the server has this user for this host"},
	{ER_ACCESS_DENIED_NO_PASSWORD_ERROR, MARIA_FAULT_AWAY, NULL,
     "the server has no such user for this host, or lets it in only from the system's account of the same name"},
	{ER_DBACCESS_DENIED_ERROR, MARIA_FAULT_AWAY, NULL,
     "CREATE DATABASE {database}, unless there is one, and give {user} the grants that Hearth's README names for "
     "MariaDB"},
	{ER_BAD_DB_ERROR, MARIA_FAULT_AWAY, NULL,
     "CREATE DATABASE {database}; and give {user} the grants that Hearth's README names for MariaDB"},
	{ER_HOST_NOT_PRIVILEGED, MARIA_FAULT_AWAY, NULL, "the server has no user {user} for this machine's address"},
	{ER_HOST_IS_BLOCKED, MARIA_FAULT_AWAY, NULL, "on the server: mariadb-admin flush-hosts"},
	{ER_ACCOUNT_HAS_BEEN_LOCKED, MARIA_FAULT_AWAY, NULL, "ALTER USER {user} ACCOUNT UNLOCK"},
	{ER_MUST_CHANGE_PASSWORD, MARIA_FAULT_AWAY, NULL, "give {user} a new password that does not expire"},
	{ER_MUST_CHANGE_PASSWORD_LOGIN, MARIA_FAULT_AWAY, NULL, "give {user} a new password that does not expire"},
	{CR_PLUGIN_NOT_ALLOWED, MARIA_FAULT_AWAY, NULL,
     "it would send the password so that this server could read it: give {user} one of ed25519 or "
     "mysql_native_password"},
	{CR_AUTH_PLUGIN_CANNOT_LOAD, MARIA_FAULT_AWAY, NULL,
     "give {user} a password of ed25519 or mysql_native_password, or install libmariadb's plugin"},
	{ER_TABLEACCESS_DENIED_ERROR, MARIA_FAULT_AWAY, NULL, GRANT},
	{ER_COLUMNACCESS_DENIED_ERROR, MARIA_FAULT_AWAY, NULL, GRANT},
	{ER_PROCACCESS_DENIED_ERROR, MARIA_FAULT_AWAY, NULL, GRANT},
	{ER_SPECIFIC_ACCESS_DENIED_ERROR, MARIA_FAULT_AWAY, NULL, GRANT},

	/* Who is there. */
	{CR_CONNECTION_ERROR, MARIA_FAULT_AWAY, NULL, NOT_REACHED},
	{CR_CONN_HOST_ERROR, MARIA_FAULT_AWAY, NULL, NOT_REACHED},
	{CR_UNKNOWN_HOST, MARIA_FAULT_AWAY, NULL, "check the host's name in plugin_opt_store, and this machine's DNS"},
	{CR_SERVER_LOST, MARIA_FAULT_AWAY, "handshake", "it is frozen or busy, or something else listens there"},
	{ER_CON_COUNT_ERROR, MARIA_FAULT_AWAY, NULL, "raise the server's max_connections, or see who has so many"},
	{ER_TOO_MANY_USER_CONNECTIONS, MARIA_FAULT_AWAY, NULL, "raise what {user} may have of connections"},
	{ER_USER_LIMIT_REACHED, MARIA_FAULT_AWAY, NULL, "raise {user}'s limits"},
	{ER_UNKNOWN_COM_ERROR, MARIA_FAULT_AWAY, NULL,
     "this node is not part of its cluster's majority: see after the cluster"},
	{ER_OPTION_PREVENTS_STATEMENT, MARIA_FAULT_AWAY, "read",
     "this server only reads: name the one that writes, or another host"},
	{ER_READ_ONLY_MODE, MARIA_FAULT_AWAY, NULL, "this server only reads: name the one that writes, or another host"},
	{ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, MARIA_FAULT_AWAY, NULL,
     "this server's transactions are read-only: name one that writes, or another host"},
	{ER_BINLOG_STMT_MODE_AND_ROW_ENGINE, MARIA_FAULT_AWAY, NULL, "set the server's binlog_format to MIXED or ROW"},

	/* TLS, as libmariadb with OpenSSL words it. */
	{CR_SSL_CONNECTION_ERROR, MARIA_FAULT_AWAY, "does not support it",
     "plugin_opt_store_ca demands TLS: give the server a certificate (ssl_cert, ssl_key), or leave the option out"},
	{CR_SSL_CONNECTION_ERROR, MARIA_FAULT_AWAY, "expired", "give the server a new certificate, and check the clocks"},
	{CR_SSL_CONNECTION_ERROR, MARIA_FAULT_AWAY, "not yet valid", "check the clocks of both machines"},
	{CR_SSL_CONNECTION_ERROR, MARIA_FAULT_AWAY, "self-signed",
     "the server's certificate is not signed by the CA in plugin_opt_store_ca"},
	{CR_SSL_CONNECTION_ERROR, MARIA_FAULT_AWAY, "local issuer",
     "the server's certificate is not signed by the CA in plugin_opt_store_ca"},
	{CR_SSL_CONNECTION_ERROR, MARIA_FAULT_AWAY, "signature failure",
     "the server's certificate is not signed by the CA in plugin_opt_store_ca"},
	{CR_SSL_CONNECTION_ERROR, MARIA_FAULT_AWAY, "alidation",
     "the server's certificate is for another name than the one in plugin_opt_store"},
	{CR_SSL_CONNECTION_ERROR, MARIA_FAULT_AWAY, NULL, "check plugin_opt_store_ca and the server's certificate"},

	/* The schema. */
	{ER_NO_SUCH_TABLE, MARIA_FAULT_AWAY, NULL, MISSING_TABLE},
	{ER_NO_SUCH_TABLE_IN_ENGINE, MARIA_FAULT_AWAY, NULL, "restore it from a backup"},
	{ER_VIEW_INVALID, MARIA_FAULT_AWAY, NULL, APPLY},
	{ER_SP_DOES_NOT_EXIST, MARIA_FAULT_AWAY, NULL, APPLY},
	{ER_BAD_FIELD_ERROR, MARIA_FAULT_AWAY, NULL, OTHER_TABLES},
	{ER_WRONG_VALUE_COUNT_ON_ROW, MARIA_FAULT_AWAY, NULL, OTHER_TABLES},
	{ER_NO_DEFAULT_FOR_FIELD, MARIA_FAULT_AWAY, NULL, OTHER_TABLES},
	{ER_WRONG_OBJECT, MARIA_FAULT_AWAY, NULL, OTHER_TABLES},

	/* The server's disk and memory. */
	{ER_DISK_FULL, MARIA_FAULT_AWAY, NULL, MAKE_ROOM},
	{ER_RECORD_FILE_FULL, MARIA_FAULT_AWAY, NULL, MAKE_ROOM},
	{ER_GET_ERRNO, MARIA_FAULT_AWAY, "28 ", MAKE_ROOM},
	{ER_GET_ERRNO, MARIA_FAULT_AWAY, NULL, "look into the server's error log"},
	{ER_ERROR_ON_WRITE, MARIA_FAULT_AWAY, "28 ", MAKE_ROOM},
	{ER_CANT_CREATE_TABLE, MARIA_FAULT_AWAY, "28 ", MAKE_ROOM},
	{ER_CANT_CREATE_FILE, MARIA_FAULT_AWAY, "28 ", MAKE_ROOM},
	{ER_CRASHED_ON_USAGE, MARIA_FAULT_AWAY, NULL, "the table is damaged: restore it from a backup"},
	{ER_NET_PACKET_TOO_LARGE, MARIA_FAULT_AWAY, NULL, "set the server's max_allowed_packet to 64M"},
	{ER_ERROR_DURING_COMMIT, MARIA_FAULT_AWAY, "28 ", MAKE_ROOM},
	{ER_ERROR_DURING_COMMIT, MARIA_FAULT_AWAY, NULL, "look into the server's error log"},
};

/* NULL: not known. Without a message, any row of this code. */
static const struct meaning *find(unsigned code, const char *message)
{
	for (size_t i = 0; i < COUNT(meanings); i++) {
		const struct meaning *meaning = &meanings[i];
		if (meaning->code == code && (!message || !meaning->said || strstr(message, meaning->said)))
			return meaning;
	}
	return NULL;
}

enum maria_fault maria_sort(unsigned code)
{
	const struct meaning *meaning = find(code, NULL);
	return meaning ? meaning->fault : MARIA_FAULT_AWAY;
}

/* ---- the line ---- */

/* A text that grows; what is beyond its room is left out. */
struct line {
	char *text;
	size_t size, len;
};

/* Appends at most `len` bytes, control characters as spaces, cutting no character of UTF-8 in two. */
static void add_bytes(struct line *line, const char *bytes, size_t len)
{
	size_t room = line->size - line->len - 1;
	size_t taken = len < room ? len : room;

	while (taken < len && taken > 0 && ((unsigned char)bytes[taken] & 0xC0) == 0x80)
		taken--;
	for (size_t i = 0; i < taken; i++, line->len++) {
		line->text[line->len] = bytes[i];
		if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
			line->text[line->len] = ' ';
	}
	line->text[line->len] = '\0';
}

static void add(struct line *line, const char *text)
{
	add_bytes(line, text, strlen(text));
}

/* The first SAID_MAX bytes or so of what the server said. */
static void add_said(struct line *line, const char *message)
{
	char said[SAID_MAX];
	struct line part = {said, sizeof said, 0};

	add(&part, message);
	add(line, said);
}

static void add_advice(struct line *line, const char *advice, const struct store *store)
{
	static const char user[] = "{user}", database[] = "{database}";

	while (*advice != '\0') {
		size_t plain = strcspn(advice, "{");
		add_bytes(line, advice, plain);
		advice += plain;
		if (strncmp(advice, user, strlen(user)) == 0) {
			add(line, store->user);
			advice += strlen(user);
		} else if (*advice != '\0') {
			add(line, store->database);
			advice += strlen(database);
		}
	}
}

/* What every line begins with. */
static struct line begin_line(struct store *store)
{
	struct line line = {store->error, sizeof store->error, 0};

	add(&line, "mariadb://");
	add(&line, store->user);
	add(&line, "@");
	add(&line, store->host);
	add(&line, "/");
	add(&line, store->database);
	add(&line, ": ");
	return line;
}

void maria_say(struct store *store, const char *format, ...)
{
	struct line line = begin_line(store);
	char text[sizeof store->error];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	add(&line, text);
}

void maria_explain_code(struct store *store, unsigned code, const char *message)
{
	/* libmariadb 3.3 names what happens to be left in its buffer. */
	const char *said = code == CR_PLUGIN_NOT_ALLOWED ? "the server asks for a sign-in that is not allowed" : message;
	const struct meaning *meaning = find(code, said);
	struct line line = begin_line(store);
	char number[32];

	snprintf(number, sizeof number, " (%u)", code);
	add_said(&line, said);
	add(&line, number);
	if (meaning && meaning->advice) {
		add(&line, "; ");
		add_advice(&line, meaning->advice, store);
	}
}

void maria_explain(struct store *store, MYSQL_STMT *statement)
{
	unsigned code = maria_code(store, statement);

	if (code == 0) /* libmariadb refused for a reason that it did not note down */
		maria_explain_code(store, CR_UNKNOWN_ERROR, "the call failed");
	else if (statement && mysql_stmt_errno(statement) != 0)
		maria_explain_code(store, code, mysql_stmt_error(statement));
	else
		maria_explain_code(store, code, mysql_error(store->link));
}

unsigned maria_code(const struct store *store, MYSQL_STMT *statement)
{
	unsigned code = statement ? mysql_stmt_errno(statement) : 0;
	return code != 0 ? code : mysql_errno(store->link);
}

enum store_result maria_fail(struct store *store, MYSQL_STMT *statement)
{
	bool conflict = maria_sort(maria_code(store, statement)) == MARIA_FAULT_CONFLICT;

	maria_explain(store, statement);
	maria_rollback(store);
	return conflict ? STORE_MOVED : STORE_AWAY;
}
