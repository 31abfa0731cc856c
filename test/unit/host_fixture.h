/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host_fixture: a made-up machine, that is, a temporary folder with /proc and /sys in it, for what looks there.
 *
 * Paths are given as on a real machine, and stand for files in the folder. machine_remove takes away the tables in /proc
 * (stat, meminfo, net/tcp, net/tcp6) and the folders; whatever else a test puts there is the test's to remove.
 */
#ifndef TEST_HOST_FIXTURE_H
#define TEST_HOST_FIXTURE_H

#include "host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In place of a gauge's value, if there is none. */
#define UNKNOWN (-1e9)

/* The folder with its empty folders; for a test group's set-up and tear-down. */
int machine_make(void **state);
int machine_remove(void **state);

/* What host_new wants as root. */
const char *machine_root(void);

/* Where a path of the machine really is. Valid until the next call. */
char *machine_path(const char *path);

/* Makes a file; NULL text: removes it. */
void machine_put(const char *path, const char *text);
void machine_put_bytes(const char *path, const char *text, size_t len);

/* One gauge of a sample, and of the first sample of the machine. */
double gauge_of(const struct host_sample *sample, enum host_gauge gauge);
double machine_gauge(enum host_gauge gauge);

void assert_gauge(const char *what, double found, double wanted);

#endif
