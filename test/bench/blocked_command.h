/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * blocked_command: `bench blocked`, what devices notice while another program holds the history database.
 */
#ifndef BENCH_BLOCKED_COMMAND_H
#define BENCH_BLOCKED_COMMAND_H

/* Takes the words from "blocked" on and returns the exit code. */
int blocked_command(int word_count, char **words);

#endif
