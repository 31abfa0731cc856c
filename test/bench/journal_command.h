/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_command: `bench journal`, what appending to the journal costs and how long its recovery takes.
 */
#ifndef BENCH_JOURNAL_COMMAND_H
#define BENCH_JOURNAL_COMMAND_H

/* Takes the words from "journal" on and returns the exit code. */
int journal_command(int word_count, char **words);

#endif
