/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_cursor: reading, from any thread.
 *
 * A cursor shares nothing with the threads that write but the head: it opens and reads the segment files by itself. What
 * lies before the head is complete and never changes, so it needs no lock, and the file it stands on stays readable to it
 * when it is removed.
 */
#include "journal_internal.h"
#include "journal_view.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct journal_cursor {
	const struct journal *journal;
	uint64_t wanted; /* what the first segment is chosen by */
	struct view segment;
	uint64_t begin; /* of the segment; 0: none was opened yet */
	uint64_t end;   /* of the segment, which may lie behind the head */
	uint64_t at;    /* position of the next record */
	bool readable;  /* its header is sound */
	bool over;      /* go on with the next segment */

	/*
	 * A place that makes no sense, while the segment behind it has not been asked: where the disk refused to take more, that
	 * one says so, and nothing is missing. 0: none.
	 */
	uint64_t suspect;
	uint64_t suspect_segment;
	uint64_t suspect_end;

	int64_t failing_since_ms; /* the disk does not give what comes next; 0: it does */
};

struct journal_cursor *journal_cursor_new(struct journal *journal, uint64_t position)
{
	struct journal_cursor *cursor = calloc(1, sizeof *cursor);

	if (!cursor)
		return NULL;
	cursor->journal = journal;
	cursor->wanted = position;
	cursor->segment = VIEW_NONE;
	return cursor;
}

void journal_cursor_free(struct journal_cursor *cursor)
{
	if (!cursor)
		return;
	view_close(&cursor->segment);
	free(cursor);
}

/* The segment to open, of those that begin before the head: behind that there are only spare ones. 0: none. */
static uint64_t choose(const struct journal_cursor *cursor, const uint64_t *begins, size_t count, uint64_t head)
{
	uint64_t chosen = 0;

	for (size_t i = 0; i < count && begins[i] < head; i++) {
		if (cursor->begin != 0) {
			if (begins[i] > cursor->begin)
				return begins[i];
		} else if (chosen == 0 || begins[i] <= cursor->wanted) {
			chosen = begins[i];
		}
	}
	return chosen;
}

/*
 * A disk that does not give its bytes may be one that was unplugged, or have one bad sector for ever. So it is asked
 * again, and only after some time is what it holds given up.
 */
static bool worth_another_try(struct journal_cursor *cursor)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	const int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (cursor->failing_since_ms == 0)
		cursor->failing_since_ms = now_ms;
	if (now_ms - cursor->failing_since_ms < cursor->journal->read_patience_ms)
		return true;
	cursor->failing_since_ms = 0;
	return false;
}

/* Opens the next segment, or the first: JOURNAL_RECORD; JOURNAL_END if there is none yet; or JOURNAL_FAILED. */
static enum journal_next advance(struct journal_cursor *cursor, uint64_t head)
{
	const bool first = cursor->begin == 0;
	struct segment_header header;
	uint64_t *begins;
	size_t count;

	if (cursor->journal->folder < 0)
		return JOURNAL_END;
	if (!folder_list(cursor->journal->folder, &begins, &count))
		return JOURNAL_FAILED;
	const uint64_t begin = choose(cursor, begins, count, head);
	free(begins);
	if (begin == 0)
		return JOURNAL_END;
	/* One that was listed may have been trimmed since; the next call chooses again. */
	if (!view_open(&cursor->segment, cursor->journal->folder, begin))
		return errno == ENOENT ? JOURNAL_END : JOURNAL_FAILED;

	const bool sound = view_header(&cursor->segment, &header);
	if (cursor->segment.failed && worth_another_try(cursor))
		return JOURNAL_FAILED;
	const uint64_t size = cursor->segment.size;
	cursor->begin = begin;
	cursor->end = begin + size;
	cursor->at = begin + SEGMENT_HEADER;
	cursor->readable = sound && header.journal_id == cursor->journal->id && header.span >= size;
	/* The wanted position may lie behind the end of the segment at or before it. */
	cursor->over = first && cursor->wanted >= cursor->end && head > cursor->end;
	return JOURNAL_RECORD;
}

static enum journal_next damaged(struct journal_cursor *cursor, uint64_t position, struct journal_record *record)
{
	*record = (struct journal_record){.position = position, .end = cursor->end, .segment = cursor->begin};
	cursor->over = true;
	return JOURNAL_DAMAGED;
}

static void suspect(struct journal_cursor *cursor)
{
	if (cursor->suspect == 0) {
		cursor->suspect = cursor->at;
		cursor->suspect_segment = cursor->begin;
	}
	cursor->suspect_end = cursor->end;
	cursor->over = true;
}

static enum journal_next suspect_damaged(struct journal_cursor *cursor, struct journal_record *record)
{
	*record = (struct journal_record){
		.position = cursor->suspect, .end = cursor->suspect_end, .segment = cursor->suspect_segment};
	cursor->suspect = 0;
	return JOURNAL_DAMAGED;
}

enum journal_next journal_next(struct journal_cursor *cursor, struct journal_record *record)
{
	const uint64_t head = journal_head(cursor->journal);

	for (;;) {
		if (cursor->begin == 0 || cursor->over) {
			if (cursor->begin != 0 && head <= cursor->end)
				return cursor->suspect != 0 ? suspect_damaged(cursor, record) : JOURNAL_END;
			enum journal_next advanced = advance(cursor, head);
			if (advanced != JOURNAL_RECORD)
				return advanced;
			continue;
		}
		if (!cursor->readable)
			return cursor->suspect != 0 ? suspect_damaged(cursor, record) : damaged(cursor, cursor->begin, record);
		if (cursor->at == head)
			return cursor->suspect != 0 ? suspect_damaged(cursor, record) : JOURNAL_END;

		const uint64_t limit = head < cursor->end ? head : cursor->end;
		const enum frame_state state =
			view_frame(&cursor->segment, cursor->at - cursor->begin, limit - cursor->begin, record);
		if (state == FRAME_BAD && cursor->segment.failed && worth_another_try(cursor))
			return JOURNAL_FAILED;
		if (state == FRAME_BAD) {
			suspect(cursor);
			continue;
		}
		cursor->failing_since_ms = 0;
		if (cursor->suspect != 0) {
			const bool refused = state == FRAME_MARK && get_u64(record->payload + 8) == cursor->suspect;
			if (!refused)
				return suspect_damaged(cursor, record);
			cursor->suspect = 0;
		}
		switch (state) {
		case FRAME_RECORD:
			cursor->at = record->end;
			return JOURNAL_RECORD;
		case FRAME_MARK:
			cursor->at = record->end;
			break;
		default:
			cursor->over = true;
		}
	}
}
