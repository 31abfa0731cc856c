/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * progress: one line on a terminal that says what is being measured, and the wish to stop.
 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>

/* Takes over Ctrl-C and SIGTERM. */
void progress_begin(void);

/* Writes over the line of before; nothing if stderr is no terminal. False: the person wants it to stop. */
bool progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

void progress_clear(void);

#endif
