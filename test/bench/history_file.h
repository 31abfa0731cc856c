/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_file: a broker's history database as another program sees it: to lock it, and to watch its rows come.
 */
#ifndef BENCH_HISTORY_FILE_H
#define BENCH_HISTORY_FILE_H

#include "fault.h"

#include <stdint.h>

struct history_file;

/* NULL with the reason in *fault. */
struct history_file *history_file_open(const char *path, struct fault *fault);
void history_file_close(struct history_file *file); /* NULL is allowed */

/* Keeps everybody else from writing until history_file_unlock. */
bool history_file_lock(struct history_file *file, struct fault *fault);
bool history_file_unlock(struct history_file *file, struct fault *fault);

/*
 * How many readings the file holds; -1 with the reason in *fault. It counts on from the call before: a few look-ups, given that
 * each series' readings are stored in the order of their time.
 */
int64_t history_file_count(struct history_file *file, struct fault *fault);

/* The same, every row counted again. */
int64_t history_file_recount(struct history_file *file, struct fault *fault);

#endif
