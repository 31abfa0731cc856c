/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_command: `bench store`, the journal's way into a database beside that database's own best.
 */
#ifndef BENCH_STORE_COMMAND_H
#define BENCH_STORE_COMMAND_H

/* Takes the words from "store" on and returns the exit code. */
int store_command(int word_count, char **words);

#endif
