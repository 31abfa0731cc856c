/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * query_command: `bench query`, how long questions about ten million readings take in both history stores.
 */
#ifndef BENCH_QUERY_COMMAND_H
#define BENCH_QUERY_COMMAND_H

/* Takes the words from "query" on and returns the exit code. */
int query_command(int word_count, char **words);

#endif
