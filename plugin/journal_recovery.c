/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_recovery: finds the end of what the last run wrote.
 *
 * After `kill -9` that is where the zeros begin. After a loss of power it is less simple: what was not synced may be on the
 * disk or not, page by page and in any order. So behind a place that is missing there may be whole records, in later
 * segments too. All of them are dropped, and what is left is what was once written, without a gap, up to some moment.
 *
 * Whether a bad place is such a gap or damage of what was safe, the marks tell (journal_format.h). Damage is left as it
 * is, and cursors report it. The search goes back from the newest file and ends where a mark vouches for all before it.
 *
 * What the disk does not give (a bad sector, a plug half out) is never taken for missing: nothing is cut or dropped then.
 *
 * Files without a record come last and are spare segments, or the only segment of a run that wrote nothing. They are
 * handed back to be removed once a new segment stands, because the journal's id and the height of its positions may
 * be written in no other file. Files that are dropped are cut down to such ones, the newest first, before the gap
 * itself is cut away: a crash in between leaves a journal in which the gap is still seen.
 */
#include "journal_recovery.h"

#include "journal_view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What the records of one file tell. Offsets are from the file's begin. */
struct contents {
	uint64_t row_end;  /* behind the unbroken row of records at its begin; 0: not even the header is there */
	uint64_t last_end; /* behind the last record anywhere in it; 0: none */
	uint64_t marked;   /* the furthest position that a mark in it vouches for */
	uint64_t before;   /* where its first mark says that the records before it end; 0: it does not */
	bool ended;        /* the row ends with a seal, or fills the segment */
	bool zeros;        /* without a header, and nothing but zeros */
	bool unreadable;   /* the disk did not give all of it: nothing can be said of what is missing */
};

#define BLOCK 4096

/* How many bytes from `offset` on can be passed over because no record begins there: zeros, or unreadable; else 0. */
static uint64_t barren(struct view *view, uint64_t offset)
{
	const size_t len = view->size - offset < BLOCK ? (size_t)(view->size - offset) : BLOCK;
	const uint8_t *bytes = view_bytes(view, offset, len, view->size);

	if (!bytes) /* up to the next block of the disk */
		return BLOCK - offset % BLOCK;
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0 ? len : 0;
}

static bool all_zero(struct view *view)
{
	for (uint64_t offset = 0; offset < view->size; offset += BLOCK)
		if (barren(view, offset) == 0 || view->failed)
			return false;
	return true;
}

static void look_at_mark(const struct journal_record *record, struct contents *out)
{
	const uint64_t marked = get_u64(record->payload);
	const uint64_t before = get_u64(record->payload + 8);

	/* It cannot vouch for what was written after it. */
	if (marked > out->marked && marked <= record->position)
		out->marked = marked;
	if (record->position == record->segment + SEGMENT_HEADER && before < record->segment)
		out->before = before;
}

/*
 * Where nothing makes sense, any eight bytes may look like the frame of a long record. So much is checked in search of
 * what follows, in multiples of the file's size; behind that all counts as records, since nothing may be taken for unused.
 */
#define SEARCH_MOST 16

static void look_through(struct view *view, struct contents *out)
{
	struct segment_header header;
	struct journal_record record;
	uint64_t offset = SEGMENT_HEADER;
	bool row = view_header(view, &header);

	*out = (struct contents){.row_end = row ? SEGMENT_HEADER : 0, .unreadable = view->failed};
	out->zeros = !row && all_zero(view);
	while (offset + FRAME_SIZE <= view->size) {
		if (view->checked / SEARCH_MOST > view->size) {
			out->last_end = view->size;
			break;
		}
		const enum frame_state state = view_frame(view, offset, view->size, &record);
		out->unreadable = out->unreadable || view->failed;
		if (state == FRAME_LAST || state == FRAME_BAD) {
			out->ended = out->ended || (row && state == FRAME_LAST);
			row = false;
			const uint64_t pass_over = barren(view, offset);
			offset += pass_over ? (pass_over + 7) & ~UINT64_C(7) : 8;
			continue;
		}
		if (state == FRAME_MARK)
			look_at_mark(&record, out);
		else
			out->last_end = record.end - view->begin;
		offset = record.end - view->begin;
		if (row)
			out->row_end = offset;
	}
	if (row && out->row_end + FRAME_SIZE > header.span)
		out->ended = true;
}

static bool complain(const char *path, uint64_t begin, const char *what, char *error, size_t error_size)
{
	char name[SEGMENT_NAME_MAX];

	snprintf(error, error_size, "%s/%s: %s: %s", path, segment_name(begin, name), what, strerror(errno));
	return false;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The work in progress. */
struct search {
	int folder;
	const char *path;
	struct recovered *out;
	struct contents *contents; /* of each file from `first` on */
	size_t first;              /* the oldest file that was looked through */
	size_t used;               /* so many files from the oldest on hold something */
	uint64_t marked;           /* all before it was safe */
	struct view view;
	char *error;
	size_t error_size;
};

/* Sizes and headers of all files. */
static bool read_headers(struct search *search)
{
	struct recovered *out = search->out;
	bool failed = false;

	for (size_t i = out->count; i-- > 0;) {
		struct segment_file *file = &out->files[i];
		struct segment_header header;
		char name[SEGMENT_NAME_MAX];

		if (!view_open(&search->view, search->folder, file->begin))
			return complain(search->path, file->begin, "cannot be read", search->error, search->error_size);
		file->size = search->view.size;
		/* A file whose making was cut short may be empty, and yet its name is taken. */
		const uint64_t size = file->size < SEGMENT_SIZE_MAX ? file->size : SEGMENT_SIZE_MAX;
		out->end = larger(out->end, file->begin + larger(size, SEGMENT_HEADER));
		if (!view_header(&search->view, &header)) {
			failed = failed || search->view.failed;
			continue;
		}
		if (header.version != SEGMENT_VERSION) {
			snprintf(search->error, search->error_size, "%s/%s: its format is version %" PRIu32 ", wanted %d",
			         search->path, segment_name(file->begin, name), header.version, SEGMENT_VERSION);
			errno = 0;
			return false;
		}
		out->end = larger(out->end, file->begin + header.span);
		if (out->journal_id == 0)
			out->journal_id = header.journal_id;
	}
	/* With another id, all that is there would belong to another journal. */
	if (out->journal_id != 0 || !failed)
		return true;
	errno = EIO;
	return complain(search->path, out->files[0].begin, "cannot be read", search->error, search->error_size);
}

/* Looks through the newest files, until a mark vouches for all that come before. */
static bool look_back(struct search *search)
{
	struct recovered *out = search->out;

	search->first = search->used = out->count;
	while (search->first > 0 && (search->used == search->first || search->marked < out->files[search->first].begin)) {
		const size_t i = --search->first;
		struct contents *contents = &search->contents[i];
		if (!view_open(&search->view, search->folder, out->files[i].begin))
			return complain(search->path, out->files[i].begin, "cannot be read", search->error, search->error_size);
		look_through(&search->view, contents);
		search->marked = larger(search->marked, contents->marked);
		const bool empty =
			contents->last_end == 0 && (contents->row_end > 0 || contents->zeros) && !contents->unreadable;
		if (empty && search->used == i + 1)
			search->used = i;
	}
	return true;
}

static bool cut(struct search *search, size_t i, uint64_t size)
{
	struct segment_file *file = &search->out->files[i];

	if (file->size <= size)
		return true;
	if (!segment_cut(search->folder, file->begin, size))
		return complain(search->path, file->begin, "cannot be cut to its used length", search->error,
		                search->error_size);
	file->size = size;
	return true;
}

/* Drops what lies behind the end of the unbroken row in file i. */
static bool cut_behind(struct search *search, size_t i)
{
	const struct contents *contents = &search->contents[i];
	struct recovered *out = search->out;

	for (size_t j = search->used; j-- > i + 1;) {
		const uint64_t last_end = search->contents[j].last_end;
		out->torn += last_end > SEGMENT_HEADER ? last_end - SEGMENT_HEADER : 0;
		if (!cut(search, j, SEGMENT_HEADER))
			return false;
	}
	out->torn += contents->last_end > contents->row_end ? contents->last_end - contents->row_end : 0;
	search->used = contents->row_end > SEGMENT_HEADER ? i + 1 : i;
	return cut(search, i, contents->row_end);
}

/* Whether the records of file i end where they should: so says a seal, or a segment behind that knows of none. */
static bool ended(const struct search *search, size_t i)
{
	const struct contents *contents = &search->contents[i];
	const uint64_t begin = search->out->files[i].begin;

	if (contents->ended)
		return true;
	for (size_t j = i + 1; j < search->used; j++) {
		const uint64_t before = search->contents[j].before;
		/* One that took nothing at all is passed over by the next that did. */
		if (before == begin + contents->row_end || (before != 0 && before < begin && contents->last_end == 0))
			return true;
	}
	return false;
}

/* Finds the first gap in what no mark vouches for. */
static bool cut_torn(struct search *search)
{
	const struct recovered *out = search->out;

	for (size_t i = search->first; i < search->used; i++) {
		const struct contents *contents = &search->contents[i];
		const uint64_t begin = out->files[i].begin;
		if (contents->unreadable) /* another time it may be there, and all behind it belongs to it */
			return true;
		if (begin + contents->row_end < search->marked)
			continue;
		/* One that was cut short when it was the last was made safe before another followed: then a mark says so. */
		if (i + 1 == search->used || !ended(search, i))
			return cut_behind(search, i);
	}
	return true;
}

/* Makes durable what is left of the files that no mark vouched for: this run's first mark will. */
static void sync_files(const struct search *search)
{
	for (size_t i = search->first; i < search->used; i++) {
		const uint64_t begin = search->out->files[i].begin;
		/* Written once again: if a sync failed before, the kernel takes the pages for written. */
		const uint64_t from = search->marked > begin ? search->marked - begin : 0;
		segment_rewrite(search->folder, begin, from, search->contents[i].row_end);
	}
}

bool journal_recover(int folder, const char *path, struct recovered *out, char *error, size_t error_size)
{
	struct search search = {
		.folder = folder, .path = path, .out = out, .view = VIEW_NONE, .error = error, .error_size = error_size};
	uint64_t *begins = NULL;
	bool done = false;

	*out = (struct recovered){0};
	if (!folder_list(folder, &begins, &out->count)) {
		snprintf(error, error_size, "%s: cannot be listed: %s", path, strerror(errno));
		goto end;
	}
	out->files = calloc(out->count + 1, sizeof *out->files);
	search.contents = calloc(out->count + 1, sizeof *search.contents);
	if (!out->files || !search.contents) {
		snprintf(error, error_size, "%s: no memory", path);
		goto end;
	}
	for (size_t i = 0; i < out->count; i++)
		out->files[i].begin = begins[i];
	done = read_headers(&search) && look_back(&search) && cut_torn(&search);
	if (done) {
		sync_files(&search);
		out->empty = out->count - search.used;
	}

end:
	view_close(&search.view);
	free(begins);
	free(search.contents);
	if (!done) {
		free(out->files);
		*out = (struct recovered){0};
	}
	return done;
}
