/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_view: see the header.
 */
#include "journal_view.h"

#include "journal_segment.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define WINDOW (512 * (size_t)1024)

static_assert(WINDOW >= FRAME_SIZE + JOURNAL_PAYLOAD_MAX, "any record fits into the window");

bool view_open(struct view *view, int folder, uint64_t begin)
{
	uint64_t size;

	if (!view->window)
		view->window = malloc(WINDOW);
	if (!view->window)
		return false;
	int file = segment_open(folder, begin, &size);
	if (file < 0)
		return false;
	file_close(view->file);
	view->file = file;
	view->begin = begin;
	view->size = size;
	view->len = 0;
	view->checked = 0;
	return true;
}

void view_close(struct view *view)
{
	file_close(view->file);
	free(view->window);
	*view = VIEW_NONE;
}

/* Fills the window from `offset` on. It may get less than it asked for; false, with errno, because of an error. */
static bool fill(struct view *view, uint64_t offset, size_t len)
{
	ssize_t got;

	view->from = offset;
	view->len = 0;
	while (view->len < len) {
		do
			got = pread(view->file, view->window + view->len, len - view->len, (off_t)(offset + view->len));
		while (got < 0 && errno == EINTR);
		if (got <= 0)
			return got == 0;
		view->len += (size_t)got;
	}
	return true;
}

const uint8_t *view_bytes(struct view *view, uint64_t offset, size_t len, uint64_t limit)
{
	view->failed = false;
	if (offset > limit || len > limit - offset || len > WINDOW)
		return NULL;
	if (offset < view->from || offset - view->from > view->len || view->len - (size_t)(offset - view->from) < len) {
		const uint64_t ahead = limit - offset;
		fill(view, offset, ahead < WINDOW ? (size_t)ahead : WINDOW);
		/* One bad sector must cost no more than what needs it. */
		if (view->len < len)
			view->failed = !fill(view, offset, len);
		if (view->len < len)
			return NULL;
	}
	return view->window + (offset - view->from);
}

bool view_header(struct view *view, struct segment_header *out)
{
	/* No further: what lies behind it may not be written yet, and would stay in the window as it was. */
	const uint8_t *bytes = view_bytes(view, 0, SEGMENT_HEADER, SEGMENT_HEADER);
	return bytes && segment_header_get(bytes, SEGMENT_HEADER, view->begin, out);
}

enum frame_state view_frame(struct view *view, uint64_t offset, uint64_t limit, struct journal_record *out)
{
	const uint64_t room = limit - offset;

	if (room < FRAME_SIZE)
		return FRAME_LAST;
	const uint8_t *bytes = view_bytes(view, offset, FRAME_SIZE, limit);
	if (!bytes)
		return FRAME_BAD;
	const size_t span = frame_span(get_u32(bytes + 4));
	if (span > FRAME_SIZE + JOURNAL_PAYLOAD_MAX || span > room)
		return FRAME_BAD;
	bytes = view_bytes(view, offset, span, limit);
	view->checked += span;
	return bytes ? frame_check(bytes, (size_t)room, view->begin + offset, view->begin, out) : FRAME_BAD;
}
