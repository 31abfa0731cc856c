/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * quotes: JSON in C source without a backslash before each quote.
 */
#ifndef TEST_QUOTES_H
#define TEST_QUOTES_H

/* The text with each ' made a ". One of eight buffers of 4 KiB that are used in turn; a test's own thread only. */
const char *json(const char *single_quoted);

#endif
