/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * load_command: `bench load`, the load generator alone against a broker that runs already: for a profiler, a look at
 * a broker on another machine's terms, or to see a house full of devices.
 */
#ifndef BENCH_LOAD_COMMAND_H
#define BENCH_LOAD_COMMAND_H

/* Takes the words from "load" on and returns the exit code. */
int load_command(int word_count, char **words);

#endif
