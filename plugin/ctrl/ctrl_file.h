/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_file: whole files in and out. "-" is standard input and output. Not CTRL_OK: a line is in call->error.
 */
#ifndef HEARTH_CTRL_FILE_H
#define HEARTH_CTRL_FILE_H

#include "ctrl_command.h"

#define CTRL_FILE_MAX ((size_t)256 << 20) /* bytes */

/* The caller frees *text, which is NUL-terminated and holds no other NUL. */
int ctrl_file_read(struct ctrl_call *call, const char *path, char **text);

/*
 * Writes a file that its owner alone can read (0600): under another name first, and under its own once all is on the disk, so
 * that there is always a whole one.
 */
int ctrl_file_write(struct ctrl_call *call, const char *path, const char *text);

#endif
