/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * array_insert: see array_insert.h.
 */
#include "array_insert.h"

#include <stdlib.h>
#include <string.h>

static bool complain(const struct array_insert *insert, struct fault *fault)
{
	return fault_set(fault, "MariaDB: error %u: %s", mysql_stmt_errno(insert->statement),
	                 mysql_stmt_error(insert->statement));
}

static bool make_column(struct array_column *column, char kind, uint32_t chunk)
{
	column->kind = kind;
	switch (kind) {
	case 'u':
		column->ids = calloc(chunk, sizeof(*column->ids));
		break;
	case 'i':
		column->integers = calloc(chunk, sizeof(*column->integers));
		break;
	case 'd':
		column->numbers = calloc(chunk, sizeof(*column->numbers));
		break;
	default:
		column->texts = calloc(chunk, sizeof(*column->texts));
		column->lengths = calloc(chunk, sizeof(*column->lengths));
		return column->texts != NULL && column->lengths != NULL;
	}
	return column->ids != NULL;
}

bool array_insert_open(struct array_insert *insert, MYSQL *link, const char *sql, const char *kinds, uint32_t chunk,
                       struct fault *fault)
{
	*insert = (struct array_insert){.chunk = chunk, .column_count = (unsigned)strlen(kinds)};
	insert->statement = mysql_stmt_init(link);
	bool done = insert->statement != NULL;
	for (unsigned i = 0; done && i < insert->column_count; i++) {
		done = make_column(&insert->columns[i], kinds[i], chunk);
	}
	if (!done) {
		return fault_set(fault, "no memory");
	}
	return mysql_stmt_prepare(insert->statement, sql, strlen(sql)) == 0 || complain(insert, fault);
}

void array_insert_close(struct array_insert *insert)
{
	for (unsigned i = 0; i < insert->column_count; i++) {
		free(insert->columns[i].ids); /* whichever of the union it is */
		free(insert->columns[i].lengths);
	}
	if (insert->statement != NULL) {
		mysql_stmt_close(insert->statement);
	}
	*insert = (struct array_insert){0};
}

static MYSQL_BIND bind_of(const struct array_column *column)
{
	switch (column->kind) {
	case 'u':
		return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONG, .buffer = column->ids, .is_unsigned = 1};
	case 'i':
		return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = column->integers};
	case 'd':
		return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_DOUBLE, .buffer = column->numbers};
	default:
		return (MYSQL_BIND){
			.buffer_type = MYSQL_TYPE_STRING, .buffer = (void *)column->texts, .length = column->lengths};
	}
}

bool array_insert_flush(struct array_insert *insert, struct fault *fault)
{
	MYSQL_BIND binds[ARRAY_COLUMNS_MAX];
	if (insert->rows == 0) {
		return true;
	}
	for (unsigned i = 0; i < insert->column_count; i++) {
		binds[i] = bind_of(&insert->columns[i]);
	}
	bool sent = mysql_stmt_attr_set(insert->statement, STMT_ATTR_ARRAY_SIZE, &insert->rows) == 0 &&
	            mysql_stmt_bind_param(insert->statement, binds) == 0 && mysql_stmt_execute(insert->statement) == 0;
	insert->rows = 0;
	return sent || complain(insert, fault);
}
