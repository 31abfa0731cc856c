/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json: JSON in C source without a backslash before each quote.
 */
#ifndef TEST_JSON_H
#define TEST_JSON_H

/* The text with each ' made a ". One of eight buffers of 4 KiB that are used in turn; a test's own thread only. */
const char *json(const char *single_quoted);

#endif
