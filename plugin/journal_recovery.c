/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_recovery: finds the end of what the last run wrote.
 *
 * A record that fails its check in the last used file is the torn end of a crash if no good record stands anywhere
 * behind it; it is cut off, for nobody was promised that it is safe. If good records do follow, then it is damage: the
 * file is left as it is and cursors report the place. So a single bad record at the very end always counts as torn.
 *
 * Files without a record come last and are spare segments, or the only segment of a run that wrote nothing. They are
 * handed back to be removed once a new segment stands, because the journal's id and the height of its positions may
 * be written in no other file.
 */
#include "journal_recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The offset behind the last record of the unbroken row at a segment's begin; *last: it ends there rightly. */
static size_t row_end(const struct mapping *segment, uint64_t begin, bool *last)
{
	struct journal_record record;
	size_t offset = SEGMENT_HEADER;

	for (;;) {
		enum frame_state state = frame_check(segment->bytes, begin, offset, segment->size, &record);
		*last = state == FRAME_LAST;
		if (state != FRAME_RECORD)
			return offset;
		offset = (size_t)(record.end - begin);
	}
}

static bool record_behind(const struct mapping *segment, uint64_t begin, size_t offset)
{
	struct journal_record record;

	for (offset += 8; offset + FRAME_SIZE <= segment->size; offset += 8)
		if (frame_check(segment->bytes, begin, offset, segment->size, &record) == FRAME_RECORD)
			return true;
	return false;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* What one file says about itself. */
struct finding {
	bool has_header;
	struct segment_header header;
	bool empty;
	size_t used; /* the size to cut the file to */
};

/* `thoroughly`: look for the end of the records too, not only at the header. */
static void inspect(const struct mapping *segment, uint64_t begin, bool thoroughly, struct finding *out)
{
	*out = (struct finding){.used = segment->size};
	out->has_header = segment_header_get(segment->bytes, segment->size, begin, &out->header);
	if (!thoroughly)
		return;
	if (!out->has_header) {
		out->empty = segment->size <= SEGMENT_HEADER ||
		             all_zero(segment->bytes + SEGMENT_HEADER, segment->size - SEGMENT_HEADER);
		return;
	}
	bool last;
	size_t offset = row_end(segment, begin, &last);
	if (last || !record_behind(segment, begin, offset))
		out->used = offset;
	out->empty = out->used == SEGMENT_HEADER;
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

/* Adds what one file tells. Called for the newest file first. */
static bool recover_file(int folder, const char *path, struct segment_file *file, struct recovered *all, bool *trailing,
                         char *error, size_t error_size)
{
	struct mapping segment;
	struct finding finding;

	if (!segment_open(folder, file->begin, &segment))
		return complain(path, file->begin, "cannot be read", error, error_size);
	inspect(&segment, file->begin, *trailing, &finding);
	file->size = segment.size;
	segment_close(&segment);

	/* A file whose making was cut short may be empty, and yet its name is taken. */
	all->end = larger(all->end, file->begin + larger(file->size, SEGMENT_HEADER));
	if (finding.has_header) {
		if (finding.header.version != SEGMENT_VERSION) {
			char name[SEGMENT_NAME_MAX];
			snprintf(error, error_size, "%s/%s: its format is version %" PRIu32 ", wanted %d", path,
			         segment_name(file->begin, name), finding.header.version, SEGMENT_VERSION);
			return false;
		}
		all->end = larger(all->end, file->begin + finding.header.span);
		if (all->journal_id == 0)
			all->journal_id = finding.header.journal_id;
	}
	if (!*trailing)
		return true;
	*trailing = finding.empty;
	if (finding.empty)
		all->empty++;
	if (finding.used < file->size) {
		if (!segment_cut(folder, file->begin, finding.used))
			return complain(path, file->begin, "cannot be cut to its used length", error, error_size);
		file->size = finding.used;
	}
	return true;
}

bool journal_recover(int folder, const char *path, struct recovered *out, char *error, size_t error_size)
{
	uint64_t *begins = NULL;
	bool trailing = true;

	*out = (struct recovered){0};
	if (!folder_list(folder, &begins, &out->count)) {
		snprintf(error, error_size, "%s: cannot be listed: %s", path, strerror(errno));
		goto failed;
	}
	out->files = calloc(out->count + 1, sizeof *out->files);
	if (!out->files) {
		snprintf(error, error_size, "%s: no memory", path);
		goto failed;
	}
	for (size_t i = out->count; i-- > 0;) {
		out->files[i].begin = begins[i];
		if (!recover_file(folder, path, &out->files[i], out, &trailing, error, error_size))
			goto failed;
	}
	free(begins);
	return true;

failed:
	free(begins);
	free(out->files);
	*out = (struct recovered){0};
	return false;
}
