/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * message_command: `bench message`, what Hearth costs a broker, measured beside the same broker bare and with an empty
 * plugin.
 */
#ifndef BENCH_MESSAGE_COMMAND_H
#define BENCH_MESSAGE_COMMAND_H

/* Takes the words from "message" on and returns the exit code. */
int message_command(int word_count, char **words);

#endif
