/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_view: a segment file to be read, through a window in memory. Private to journal*.c.
 *
 * Read, not mapped: where the disk cannot give its bytes back that is an error to be told, not a signal that ends the
 * broker. What was written through a mapping is seen all the same, since both go through the kernel's page cache.
 */
#ifndef HEARTH_JOURNAL_VIEW_H
#define HEARTH_JOURNAL_VIEW_H

#include "journal_format.h"

struct view {
	int file; /* -1: none */
	uint64_t begin;
	uint64_t size; /* of the file when it was opened */
	/* The window: `len` bytes of the file from `from` on. */
	uint8_t *window;
	uint64_t from;
	size_t len;
	uint64_t checked; /* bytes that view_frame took the sum of, since view_open */
	bool failed;      /* the disk did not give the bytes that were asked for last; errno says why */
};

#define VIEW_NONE                                                                                                      \
	(struct view)                                                                                                      \
	{                                                                                                                  \
		.file = -1                                                                                                     \
	}

/* Opens the segment that begins there, in place of the one that was open. False with errno: the old one then stays. */
bool view_open(struct view *view, int folder, uint64_t begin);
void view_close(struct view *view);

/*
 * The file's bytes from `offset` on. Nothing behind `limit` is read: it may be written at this moment. NULL: they cannot be
 * read. Valid until the next call.
 */
const uint8_t *view_bytes(struct view *view, uint64_t offset, size_t len, uint64_t limit);

/* The header at the file's begin; false if there is none. */
bool view_header(struct view *view, struct segment_header *out);

/* The frame at `offset` (a multiple of 8) of a segment that ends at `limit`. What cannot be read is FRAME_BAD. */
enum frame_state view_frame(struct view *view, uint64_t offset, uint64_t limit, struct journal_record *out);

#endif
