/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * array_insert: a prepared statement that takes many rows at once, from one array a column (STMT_ATTR_ARRAY_SIZE): the
 * fastest way into MariaDB that libmariadb has.
 *
 * Whoever fills it puts row number `rows` into the columns and calls array_insert_next.
 */
#ifndef BENCH_ARRAY_INSERT_H
#define BENCH_ARRAY_INSERT_H

#include "fault.h"

#include <mariadb/mysql.h>
#include <stdint.h>

#define ARRAY_COLUMNS_MAX 8

struct array_column {
	union {
		uint32_t *ids;     /* kind 'u' */
		int64_t *integers; /* 'i' */
		double *numbers;   /* 'd' */
		char **texts;      /* 't': of lengths[row] bytes, which live until the row is sent */
	};
	unsigned long *lengths;
	char kind;
};

struct array_insert {
	MYSQL_STMT *statement;
	struct array_column columns[ARRAY_COLUMNS_MAX];
	unsigned column_count;
	uint32_t chunk; /* rows that are sent at once */
	uint32_t rows;  /* that wait */
};

/* `kinds` has one letter a parameter. array_insert_close in any case. */
bool array_insert_open(struct array_insert *insert, MYSQL *link, const char *sql, const char *kinds, uint32_t chunk,
                       struct fault *fault);
void array_insert_close(struct array_insert *insert);

/* Sends what waits. */
bool array_insert_flush(struct array_insert *insert, struct fault *fault);

/* One row more waits; they are sent when they are a chunk. */
static inline bool array_insert_next(struct array_insert *insert, struct fault *fault)
{
	return ++insert->rows < insert->chunk || array_insert_flush(insert, fault);
}

#endif
