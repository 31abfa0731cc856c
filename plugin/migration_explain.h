/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * migration_explain: what is wrong with an SQLite file, and what a person can do about it.
 */
#ifndef HEARTH_MIGRATION_EXPLAIN_H
#define HEARTH_MIGRATION_EXPLAIN_H

#include <stddef.h>

struct sqlite3;

/* Writes "PATH: " and one line on what went wrong last on this connection (NULL: no memory for one). */
void migration_explain(struct sqlite3 *database, const char *path, char *out, size_t size);

/* What helps with this result code and errno (0: not known): "; " and some words, or "". */
const char *migration_advice(int code, int number);

#endif
