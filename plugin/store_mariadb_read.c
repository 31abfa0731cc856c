/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_read: what is stored, read back.
 *
 * Each function prepares one statement, takes its rows from the wire as they come, and closes it. What has to be reckoned
 * of rows that come in the order of their key is reckoned here: for GROUP BY the server would fill a table of its own and
 * sort it, which takes longer than to send the rows. No statement runs longer than MARIA_READ_SECONDS.
 */
#include "store_mariadb_read.h"

#include "store_mariadb_internal.h"
#include "store_shared.h"

#include <mariadb/mysqld_error.h>
#include <string.h>

#define ITS_ROWS "series_id = (SELECT id FROM series WHERE topic = ?)"
#define SPAN     ITS_ROWS " AND ts >= ? AND ts < ?"

/*
 * When the newest reading of a series was. A look into each partition finds it, newest first; the first subquery looks
 * into the few that can hold readings since last month began, which is where it usually is. That it asks for the begin of a
 * month matters: partitions begin there, so no row of theirs is read only to be passed over.
 */
#define SINCE_LAST_MONTH                                                                                               \
	"TIMESTAMPDIFF(SECOND, '1970-01-01', LAST_DAY(UTC_DATE() - INTERVAL 2 MONTH) + INTERVAL 1 DAY) * 1000000"
#define NEWEST_TS                                                                                                      \
	"COALESCE((SELECT ts FROM reading WHERE series_id = s.id AND ts >= " SINCE_LAST_MONTH                              \
	" ORDER BY ts DESC LIMIT 1),"                                                                                      \
	" (SELECT ts FROM reading WHERE series_id = s.id ORDER BY ts DESC LIMIT 1))"

#define ROLLUP "SELECT ts, avg, min, max, count FROM "

const char *const maria_read_sql[MARIA_READ_COUNT] = {
	[MARIA_READ_LIST] = MARIA_READ_LIMIT "SELECT topic FROM series ORDER BY topic",
	[MARIA_READ_POSITIONS] = MARIA_READ_LIMIT "SELECT node, journal, pos FROM ingest_position ORDER BY node",
	[MARIA_READ_LATEST] = MARIA_READ_LIMIT "SELECT ts, seq, value, txt FROM reading WHERE " ITS_ROWS
										   " ORDER BY ts DESC, seq DESC LIMIT 1",
	[MARIA_READ_LATEST_OF_ALL] =
		MARIA_READ_LIMIT "SELECT r.ts, r.seq, r.value, r.txt, s.topic FROM series s JOIN reading r ON r.series_id = "
						 "s.id AND r.ts = " NEWEST_TS " ORDER BY s.topic, r.seq DESC",
	[MARIA_READ_READINGS] =
		MARIA_READ_LIMIT "SELECT ts, seq, value, txt FROM reading WHERE " SPAN " ORDER BY ts, seq LIMIT ?",
	[MARIA_READ_RAW] =
		MARIA_READ_LIMIT "SELECT ts, value FROM reading WHERE " SPAN " AND value IS NOT NULL ORDER BY ts",
	[MARIA_READ_MINUTES] = MARIA_READ_LIMIT ROLLUP "reading_minute WHERE " SPAN " ORDER BY ts",
	[MARIA_READ_HOURS] = MARIA_READ_LIMIT ROLLUP "reading_hour WHERE " SPAN " ORDER BY ts",
};

/* A result's row; each statement fills what it has. */
struct row {
	int64_t time_us, seq, count;
	double number, min, max;
	unsigned long text_len, topic_len; /* as long as it is in the table, which may be more than fits */
	my_bool number_null, text_null;
	char text[VALUE_TEXT_MAX];
	char topic[TOPIC_MAX];
};

/* ---- statements ---- */

static MYSQL_BIND bind_double(double *number, my_bool *is_null)
{
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_DOUBLE, .buffer = number, .is_null = is_null};
}

static MYSQL_BIND bind_room(char *room, unsigned long size, unsigned long *len, my_bool *is_null)
{
	return (MYSQL_BIND){
		.buffer_type = MYSQL_TYPE_STRING, .buffer = room, .buffer_length = size, .length = len, .is_null = is_null};
}

/* Why a statement failed. */
static enum store_result fail(struct store *store, MYSQL_STMT *statement)
{
	if (maria_code(store, statement) != ER_STATEMENT_TIMEOUT)
		return maria_fail(store, statement);
	maria_say(store, "the answer takes longer than " MARIA_READ_SECONDS " s; ask for a shorter time");
	return STORE_NEVER;
}

/* Runs a statement; its rows are then to be fetched into the columns. On anything but STORE_OK, *out is NULL. */
static enum store_result ask(struct store *store, enum maria_read which, MYSQL_BIND *parameters, MYSQL_BIND *columns,
                             MYSQL_STMT **out)
{
	const char *sql = maria_read_sql[which];

	*out = NULL;
	MYSQL_STMT *statement = mysql_stmt_init(store->link);
	if (statement && mysql_stmt_prepare(statement, sql, strlen(sql)) == 0 &&
	    mysql_stmt_bind_param(statement, parameters) == 0 && mysql_stmt_execute(statement) == 0 &&
	    mysql_stmt_bind_result(statement, columns) == 0) {
		*out = statement;
		return STORE_OK;
	}
	enum store_result result = fail(store, statement);
	if (statement)
		mysql_stmt_close(statement);
	return result;
}

/* Fetches the next row. False: there is none, and *result says whether that is the end or a failure. */
static bool next(struct store *store, MYSQL_STMT *statement, enum store_result *result)
{
	int code = mysql_stmt_fetch(statement);
	if (code == 0 || code == MYSQL_DATA_TRUNCATED)
		return true;
	*result = code == MYSQL_NO_DATA ? STORE_OK : fail(store, statement);
	return false;
}

/* ---- series ---- */

enum store_result maria_list(struct store *store, store_series_callback callback, void *context)
{
	struct row row = {0};
	MYSQL_BIND columns[] = {bind_room(row.topic, sizeof row.topic, &row.topic_len, NULL)};
	MYSQL_STMT *statement;

	enum store_result result = ask(store, MARIA_READ_LIST, NULL, columns, &statement);
	if (result != STORE_OK)
		return result;
	while (next(store, statement, &result)) {
		if (row.topic_len <= sizeof row.topic && !callback(context, (struct slice){row.topic, row.topic_len}))
			break;
	}
	mysql_stmt_close(statement);
	return result;
}

enum store_result maria_positions(struct store *store, store_position_callback callback, void *context)
{
	struct store_position at = {0, 0};
	char node[MARIA_NODE_MAX];
	unsigned long len = 0;
	MYSQL_BIND columns[] = {bind_room(node, sizeof node, &len, NULL), maria_bind_integer(&at.journal, true),
	                        maria_bind_integer(&at.position, true)};
	MYSQL_STMT *statement;

	enum store_result result = ask(store, MARIA_READ_POSITIONS, NULL, columns, &statement);
	if (result != STORE_OK)
		return result;
	while (next(store, statement, &result)) {
		if (!callback(context, (struct slice){node, len < sizeof node ? len : sizeof node}, &at))
			break;
	}
	mysql_stmt_close(statement);
	return result;
}

/* ---- readings ---- */

static struct store_row reading_of(const struct row *row)
{
	const size_t len = row->text_len < sizeof row->text ? row->text_len : sizeof row->text;

	return (struct store_row){
		.time_us = row->time_us,
		.seq = row->seq,
		.value = {.is_number = !row->number_null,
	              .number = row->number_null ? 0 : row->number,
	              .text = {row->text, row->text_null ? 0 : len}},
	};
}

/* Of one series, whose name is given. */
static enum store_result each_reading(struct store *store, enum maria_read which, MYSQL_BIND *parameters,
                                      struct slice name, store_reading_callback callback, void *context)
{
	struct row row = {0};
	MYSQL_BIND columns[] = {
		maria_bind_integer(&row.time_us, false),
		maria_bind_integer(&row.seq, false),
		bind_double(&row.number, &row.number_null),
		bind_room(row.text, sizeof row.text, &row.text_len, &row.text_null),
	};
	MYSQL_STMT *statement;

	enum store_result result = ask(store, which, parameters, columns, &statement);
	if (result != STORE_OK)
		return result;
	while (next(store, statement, &result)) {
		const struct store_row reading = reading_of(&row);
		if (!callback(context, name, &reading))
			break;
	}
	mysql_stmt_close(statement);
	return result;
}

static enum store_result latest_of_all(struct store *store, store_reading_callback callback, void *context)
{
	struct row row = {0};
	MYSQL_BIND columns[] = {
		maria_bind_integer(&row.time_us, false),
		maria_bind_integer(&row.seq, false),
		bind_double(&row.number, &row.number_null),
		bind_room(row.text, sizeof row.text, &row.text_len, &row.text_null),
		bind_room(row.topic, sizeof row.topic, &row.topic_len, NULL),
	};
	char before[TOPIC_MAX]; /* the last row's topic */
	size_t before_len = 0;
	MYSQL_STMT *statement;

	enum store_result result = ask(store, MARIA_READ_LATEST_OF_ALL, NULL, columns, &statement);
	if (result != STORE_OK)
		return result;
	while (next(store, statement, &result)) {
		const struct store_row reading = reading_of(&row);
		const struct slice topic = {row.topic, row.topic_len};
		/* Two of one instant: the newest came first. */
		if (topic.len > sizeof row.topic || slice_equal(topic, (struct slice){before, before_len}))
			continue;
		if (!callback(context, topic, &reading))
			break;
		memcpy(before, topic.ptr, topic.len);
		before_len = topic.len;
	}
	mysql_stmt_close(statement);
	return result;
}

enum store_result maria_latest(struct store *store, const struct topic *topic, store_reading_callback callback,
                               void *context)
{
	char buffer[TOPIC_MAX + 1];

	if (!topic)
		return latest_of_all(store, callback, context);
	const struct slice name = store_topic_name(topic, buffer);
	MYSQL_BIND parameters[] = {maria_bind_text(name)};
	return each_reading(store, MARIA_READ_LATEST, parameters, name, callback, context);
}

enum store_result maria_readings(struct store *store, const struct topic *topic, struct store_span span, size_t limit,
                                 store_reading_callback callback, void *context)
{
	char buffer[TOPIC_MAX + 1];
	const struct slice name = store_topic_name(topic, buffer);
	const uint64_t most = limit;
	MYSQL_BIND parameters[] = {
		maria_bind_text(name),
		maria_bind_integer(&span.from_us, false),
		maria_bind_integer(&span.to_us, false),
		maria_bind_integer(&most, true),
	};
	return each_reading(store, MARIA_READ_READINGS, parameters, name, callback, context);
}

/* ---- buckets ---- */

/* A row as a bucket; one of `reading` has but a number. */
static struct store_bucket bucket_of(const struct row *row, enum store_source source)
{
	const bool raw = source == STORE_RAW;

	return (struct store_bucket){
		.time_us = row->time_us,
		.min = raw ? row->number : row->min,
		.avg = row->number,
		.max = raw ? row->number : row->max,
		.count = raw ? 1 : row->count,
	};
}

enum store_result maria_buckets(struct store *store, const struct topic *topic, enum store_source source,
                                struct store_span span, int64_t step_us, store_bucket_callback callback, void *context)
{
	static const enum maria_read of_source[] = {
		[STORE_RAW] = MARIA_READ_RAW,
		[STORE_MINUTE] = MARIA_READ_MINUTES,
		[STORE_HOUR] = MARIA_READ_HOURS,
	};
	char buffer[TOPIC_MAX + 1];
	MYSQL_BIND parameters[] = {
		maria_bind_text(store_topic_name(topic, buffer)),
		maria_bind_integer(&span.from_us, false),
		maria_bind_integer(&span.to_us, false),
	};
	struct row row = {0};
	MYSQL_BIND columns[] = {
		maria_bind_integer(&row.time_us, false),
		bind_double(&row.number, NULL),
		bind_double(&row.min, NULL),
		bind_double(&row.max, NULL),
		maria_bind_integer(&row.count, false),
	};
	struct store_bucketing bucketing = {.step_us = step_us, .callback = callback, .context = context};
	bool wanted = true;
	MYSQL_STMT *statement;

	enum store_result result = ask(store, of_source[source], parameters, columns, &statement);
	if (result != STORE_OK)
		return result;
	while (wanted && next(store, statement, &result)) {
		const struct store_bucket bucket = bucket_of(&row, source);
		wanted = bucketing_add(&bucketing, &bucket);
	}
	if (result == STORE_OK && wanted)
		bucketing_end(&bucketing);
	mysql_stmt_close(statement);
	return result;
}
