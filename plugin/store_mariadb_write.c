/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_write: a batch in one transaction, by bulk statements of up to CHUNK_ROWS rows.
 *
 *   START TRANSACTION
 *   UPDATE ingest_position, witness_position … AND pos = old   each must change one row, or another writer was here
 *   INSERT INTO series                      those that are new
 *   INSERT INTO reading                     in key order
 *   INSERT INTO reading_minute, _hour       … ON DUPLICATE KEY UPDATE, in key order
 *   COMMIT
 *
 * Of rows that are refused for what one of them holds, half are tried, down to that row, which is kept in reading_reject.
 */
#include "store_mariadb_internal.h"

#include <mariadb/mysqld_error.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many readings of one instant and position are looked past; there is one for each journal that the series has had. */
#define BESIDE_MAX 1000

static enum store_result no_memory(struct store *store)
{
	maria_rollback(store);
	snprintf(store->error, sizeof store->error, "out of memory");
	return STORE_AWAY;
}

/* ---- the position ---- */

static enum store_result moved(struct store *store)
{
	maria_say(store, "its position moves by itself");
	maria_rollback(store);
	return STORE_MOVED;
}

/* Both statements change one row, or another writer was here. */
static enum store_result execute_both(struct store *store, enum maria_statement position, enum maria_statement witness,
                                      MYSQL_BIND *parameters)
{
	const enum maria_statement both[] = {position, witness};

	for (size_t i = 0; i < 2; i++) {
		MYSQL_STMT *statement = maria_execute(store, both[i], parameters);
		if (statement && mysql_stmt_affected_rows(statement) == 1)
			continue;
		if (statement)
			return moved(store);
		statement = store->statements[both[i]];
		return statement && mysql_stmt_errno(statement) == ER_DUP_ENTRY ? moved(store) : maria_fail(store, statement);
	}
	return STORE_OK;
}

static enum store_result add_position(struct store *store, const struct store_position *to)
{
	MYSQL_BIND parameters[] = {maria_bind_text(slice_of(store->node)), maria_bind_integer(&to->journal, true),
	                           maria_bind_integer(&to->position, true), maria_bind_integer(&to->journal, true)};

	return execute_both(store, MARIA_ADD_POSITION, MARIA_ADD_WITNESS, parameters);
}

/* The row keeps its old name while another journal has the new one. */
enum store_result maria_move_position(struct store *store, const struct store_position *from,
                                      const struct store_position *to)
{
	MYSQL_BIND parameters[] = {
		maria_bind_text(slice_of(store->node_taken ? store->row_node : store->node)),
		maria_bind_integer(&to->journal, true),
		maria_bind_integer(&to->position, true),
		maria_bind_text(slice_of(store->row_node)),
		maria_bind_integer(&from->journal, true),
		maria_bind_integer(&from->position, true),
	};
	bool is_first = from->journal == 0;
	enum store_result result =
		is_first ? add_position(store, to) : execute_both(store, MARIA_MOVE_POSITION, MARIA_MOVE_WITNESS, parameters);

	if (result == STORE_OK && (is_first || !store->node_taken))
		snprintf(store->row_node, sizeof store->row_node, "%s", store->node);
	return result;
}

/* ---- bulk statements ---- */

static MYSQL_BIND column(enum enum_field_types type, void *values)
{
	return (MYSQL_BIND){.buffer_type = type, .buffer = values};
}

static MYSQL_BIND column_with_nulls(enum enum_field_types type, void *values, char *nulls)
{
	MYSQL_BIND bind = column(type, values);
	bind.u.indicator = nulls;
	return bind;
}

MYSQL_STMT *maria_execute_bulk(struct store *store, enum maria_statement which, MYSQL_BIND *columns, size_t count)
{
	unsigned rows = (unsigned)count;
	MYSQL_STMT *statement = maria_statement(store, which);

	if (!statement || mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &rows) != 0)
		return NULL;
	return maria_execute(store, which, columns);
}

/* ---- readings ---- */

static void set_reading(struct maria_columns *columns, size_t i, const struct store_row *row)
{
	const struct value *value = &row->value;
	bool has_number = value->is_number && isfinite(value->number);
	bool has_text = !value->is_number || value->text.len > 0;

	columns->series[i] = (uint32_t)row->series;
	columns->time_us[i] = row->time_us;
	columns->seq[i] = row->seq;
	columns->number[0][i] = has_number ? value->number : 0;
	columns->number_null[i] = has_number ? STMT_INDICATOR_NONE : STMT_INDICATOR_NULL;
	columns->text[i] = has_text && value->text.len > 0 ? value->text.ptr : "";
	columns->text_len[i] = value->text.len;
	columns->text_null[i] = has_text ? STMT_INDICATOR_NONE : STMT_INDICATOR_NULL;
}

/* What is in the first `count` places. */
static MYSQL_STMT *execute_readings(struct store *store, size_t count)
{
	struct maria_columns *columns = store->columns;
	MYSQL_BIND binds[] = {
		column(MYSQL_TYPE_LONG, columns->series),
		column(MYSQL_TYPE_LONGLONG, columns->time_us),
		column(MYSQL_TYPE_LONGLONG, columns->seq),
		column_with_nulls(MYSQL_TYPE_DOUBLE, columns->number[0], columns->number_null),
		column_with_nulls(MYSQL_TYPE_STRING, columns->text, columns->text_null),
	};

	binds[0].is_unsigned = true;
	binds[4].length = columns->text_len;
	return maria_execute_bulk(store, MARIA_ADD_READINGS, binds, count);
}

/* The beginning of a text that is at most `max` bytes and whole characters. */
static struct slice cut(struct slice text, size_t max)
{
	text.len = text.len < max ? text.len : max;
	while (text.len > 0 && !utf8_valid(text))
		text.len--;
	return text;
}

static enum store_result reject(struct store *store, const struct store_row *row, unsigned code, const char *why)
{
	const struct value *value = &row->value;
	const int64_t number = code;
	const struct slice reason = cut(slice_of(why), 512);
	const size_t kept = value->text.len < VALUE_TEXT_MAX ? value->text.len : VALUE_TEXT_MAX;
	double real = value->number;
	MYSQL_BIND parameters[] = {
		maria_bind_integer(&number, false),
		maria_bind_text(reason),
		maria_bind_integer(&row->series, false),
		maria_bind_integer(&row->time_us, false),
		maria_bind_integer(&row->seq, false),
		column(value->is_number && isfinite(real) ? MYSQL_TYPE_DOUBLE : MYSQL_TYPE_NULL, &real),
		maria_bind_text((struct slice){value->text.ptr, kept}),
	};
	return maria_execute(store, MARIA_REJECT, parameters) ? STORE_OK
	                                                      : maria_fail(store, store->statements[MARIA_REJECT]);
}

/*
 * A row that was refused. One that is there already is of an earlier journal, which had a reading of the same instant at
 * the same position: both are kept.
 */
static enum store_result add_refused(struct store *store, const struct store_row **place, size_t *rejected)
{
	MYSQL_STMT *statement = store->statements[MARIA_ADD_READINGS];
	struct store_row beside = **place;

	for (int i = 0; i < BESIDE_MAX && mysql_stmt_errno(statement) == ER_DUP_ENTRY; i++) {
		beside.seq++;
		set_reading(store->columns, 0, &beside);
		if (execute_readings(store, 1))
			return STORE_OK;
	}
	const unsigned code = mysql_stmt_errno(statement);
	if (maria_sort(code) != MARIA_FAULT_DATA)
		return maria_fail(store, statement);
	maria_explain(store, statement);
	enum store_result result = reject(store, *place, code, mysql_stmt_error(statement));
	if (result == STORE_OK) {
		*place = NULL;
		++*rejected;
	}
	return result;
}

/* How many of the rows one statement takes: it has to fit into the server's max_allowed_packet. */
static size_t chunk_rows(const struct store_row *const *rows, size_t count)
{
	size_t bytes = 0, taken = 0;

	while (taken < count && taken < CHUNK_ROWS && bytes < CHUNK_TEXT)
		bytes += rows[taken++]->value.text.len;
	return taken;
}

/*
 * Adds rows, fewer and fewer at once where the server refuses some for what they hold, and more again behind them. The
 * server does not say at which row it stopped, hence the savepoint.
 */
static enum store_result add_readings(struct store *store, const struct store_row **rows, size_t count,
                                      size_t *rejected)
{
	for (size_t at = 0, step = count; at < count;) {
		const size_t size = step < count - at ? step : count - at;
		if (!maria_run(store, "SAVEPOINT chunk"))
			return maria_fail(store, NULL);
		for (size_t i = 0; i < size; i++)
			set_reading(store->columns, i, rows[at + i]);
		if (execute_readings(store, size)) {
			at += size;
			step = 2 * size;
			continue;
		}
		MYSQL_STMT *statement = store->statements[MARIA_ADD_READINGS];
		if (!statement || maria_sort(mysql_stmt_errno(statement)) != MARIA_FAULT_DATA)
			return maria_fail(store, statement);
		if (size == 1) {
			enum store_result result = add_refused(store, rows + at, rejected);
			if (result != STORE_OK)
				return result;
			at++;
			continue;
		}
		if (!maria_run(store, "ROLLBACK TO SAVEPOINT chunk"))
			return maria_fail(store, NULL);
		step = size / 2;
	}
	return STORE_OK;
}

/* ---- roll-ups ---- */

static void set_rollup(struct maria_columns *columns, size_t i, const struct rollup *rollup)
{
	columns->series[i] = (uint32_t)rollup->series;
	columns->time_us[i] = rollup->time_us;
	columns->number[0][i] = rollup->min;
	columns->number[1][i] = rollup->avg;
	columns->number[2][i] = rollup->max;
	columns->count[i] = (uint32_t)rollup->count;
}

static enum store_result add_rollups(struct store *store, const struct store_batch *batch, size_t period)
{
	const enum maria_statement which = period == 0 ? MARIA_ADD_MINUTES : MARIA_ADD_HOURS;
	const struct rollup *rollups;
	size_t all;
	struct maria_columns *columns = store->columns;
	MYSQL_BIND binds[] = {
		column(MYSQL_TYPE_LONG, columns->series),      column(MYSQL_TYPE_LONGLONG, columns->time_us),
		column(MYSQL_TYPE_DOUBLE, columns->number[0]), column(MYSQL_TYPE_DOUBLE, columns->number[1]),
		column(MYSQL_TYPE_DOUBLE, columns->number[2]), column(MYSQL_TYPE_LONG, columns->count),
	};
	binds[0].is_unsigned = binds[5].is_unsigned = true;

	if (!sorted_rollups(&store->sorted, batch, period, &rollups, &all))
		return no_memory(store);
	for (size_t at = 0; at < all;) {
		size_t count = 0;
		while (count < CHUNK_ROWS && at < all)
			set_rollup(columns, count++, &rollups[at++]);
		if (!maria_execute_bulk(store, which, binds, count))
			return maria_fail(store, store->statements[which]);
	}
	return STORE_OK;
}

/* ---- a batch ---- */

enum store_result maria_write(struct store *store, const struct store_batch *batch, size_t *rejected)
{
	*rejected = 0;
	if (!store->columns)
		store->columns = malloc(sizeof *store->columns);
	if (!store->columns || !sorted_set(&store->sorted, batch->rows, batch->count))
		return no_memory(store);
	if (!maria_begin(store))
		return maria_fail(store, NULL);

	enum store_result result = maria_move_position(store, &batch->from, &batch->to);
	if (result == STORE_OK)
		result = maria_add_series(store);
	for (size_t at = 0, rows; at < batch->count && result == STORE_OK; at += rows) {
		rows = chunk_rows(store->sorted.rows + at, batch->count - at);
		result = add_readings(store, store->sorted.rows + at, rows, rejected);
	}
	if (result == STORE_OK)
		result = add_rollups(store, batch, 0);
	if (result == STORE_OK)
		result = add_rollups(store, batch, 1);
	if (result != STORE_OK)
		return result;
	if (!maria_run(store, "COMMIT"))
		return maria_fail(store, NULL);
	store->in_transaction = false;
	store->stored = batch->to;
	maria_series_added(store);
	return STORE_OK;
}
