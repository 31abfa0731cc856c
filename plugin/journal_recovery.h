/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_recovery: what earlier runs left in the folder. Private to journal*.c.
 */
#ifndef HEARTH_JOURNAL_RECOVERY_H
#define HEARTH_JOURNAL_RECOVERY_H

#include "journal_segment.h"

struct segment_file {
	uint64_t begin;
	uint64_t size; /* of the file, bytes */
};

struct recovered {
	struct segment_file *files; /* oldest first; the caller frees them */
	size_t count;
	size_t empty;        /* so many of the last files hold no record: spare ones, or dropped */
	uint64_t journal_id; /* 0: no file tells */
	uint64_t end;        /* no position from here on was ever given out */
	uint64_t torn;       /* bytes of whole records that were dropped */
};

/*
 * Looks through the segment files, cuts off what a crash tore and makes the rest durable. Removes no file. `path` is the
 * folder's, for messages. False with a message if it cannot; *out is then empty.
 */
bool journal_recover(int folder, const char *path, struct recovered *out, char *error, size_t error_size);

#endif
