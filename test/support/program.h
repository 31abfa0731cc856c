/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * program: other programs that a test needs, such as cp or openssl.
 */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

/* Runs a program from PATH to its end: its name and arguments, then NULL. It fails the running test unless its status is 0. */
void program_run(const char *const arguments[]);

#endif
