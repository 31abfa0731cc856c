/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * host_file: how the gauges read the text files below /proc and /sys. Private to host*.c.
 *
 * Files are streamed line by line through a bounded buffer, so that a line without an end costs no memory.
 */
#ifndef HEARTH_HOST_FILE_H
#define HEARTH_HOST_FILE_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define HOST_LINE_SIZE 512 /* the lines that matter have at most about 200 bytes */

/* Opens `path` ("/proc/stat") below `root`; the caller closes it. NULL: there is none, or its name is too long. */
FILE *host_file_open(const char *root, const char *path);
DIR *host_folder_open(const char *root, const char *path);

/*
 * Reads the next line without its end. What does not fit is dropped, and a NUL byte becomes '?', so that it can never
 * pass for the end of a number. A last line that is cut off (no '\n') is none. False at the end.
 */
bool host_line_next(FILE *file, char line[static HOST_LINE_SIZE]);

/* Reads a decimal number of at most 18 digits that ends at a space or the line's end, and steps behind it. */
bool host_number_next(const char **cursor, uint64_t *out);

#endif
