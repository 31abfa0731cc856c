/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_command: the command `sign-in`: a thousand devices at the door, and a thousand wrong passwords a second.
 */
#ifndef BENCH_SIGN_IN_COMMAND_H
#define BENCH_SIGN_IN_COMMAND_H

/* words[0] is the command's name. Returns the exit code. */
int sign_in_command(int word_count, char **words);

#endif
