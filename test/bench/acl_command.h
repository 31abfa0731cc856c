/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_command: the command `acl`: what it costs to check who may do what.
 */
#ifndef BENCH_ACL_COMMAND_H
#define BENCH_ACL_COMMAND_H

/* words[0] is the command's name. Returns the exit code. */
int acl_command(int word_count, char **words);

#endif
