/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal: opening, appending, closing.
 *
 * journal_format.h describes the files and journal_internal.h the open journal; journal_recovery.c finds the end of
 * what earlier runs wrote, journal_keep.c is the keeping thread's part, journal_cursor.c reads.
 */
#include "journal_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define MEBIBYTE           (UINT64_C(1) << 20)
#define SEGMENT_SIZE_LARGE (16 * MEBIBYTE)
#define SEGMENT_SIZE_MOST  (1024 * MEBIBYTE)

/* ---- appending thread ---- */

static void put_frame(uint8_t *to, uint32_t crc, uint32_t word)
{
	/* Last and at once: a process killed in the middle leaves zeros here, and whoever sees it sees the payload. */
	__atomic_store_n((uint64_t *)(void *)to, frame_front(crc, word), __ATOMIC_RELEASE);
}

static void enter_segment(struct journal *journal, struct segment *segment)
{
	const uint64_t half = segment->begin + (segment->end - segment->begin) / 2;

	journal->segment = segment;
	journal->bytes = segment->mapping.bytes;
	journal->begin = segment->begin;
	journal->end = segment->end;
	journal->at = segment->begin + SEGMENT_HEADER;
	journal->easy_end = half < segment->reading_end ? half : segment->reading_end;
	journal->half_told = false;
	atomic_store_explicit(&journal->current, segment, memory_order_release);
}

static void leave_segment(struct journal *journal, struct segment *next)
{
	if (journal->end - journal->at >= FRAME_SIZE)
		put_frame(journal->bytes + (journal->at - journal->begin), frame_crc(journal->at, FRAME_SEAL_WORD, NULL, 0),
		          FRAME_SEAL_WORD);
	enter_segment(journal, next);
	journal_wake(journal);
}

/* journal_reserve in the second half of a segment. */
static uint64_t reserve_hard(struct journal *journal, size_t bytes, enum journal_priority priority)
{
	if (bytes > journal->segment_size - SEGMENT_HEADER)
		return 0;
	if (!journal->half_told) {
		journal->half_told = true;
		journal->easy_end = journal->segment->reading_end;
		journal_wake(journal);
	}
	struct segment *next = atomic_load_explicit(&journal->segment->next, memory_order_acquire);
	if (next)
		journal->easy_end = journal->end;

	const uint64_t wanted_end = journal->at + bytes;
	if (wanted_end <= journal->easy_end || (wanted_end <= journal->end && priority == JOURNAL_CONTROL))
		return journal->begin;
	if (!next)
		return 0;
	leave_segment(journal, next);
	return journal->begin;
}

uint64_t journal_reserve(struct journal *journal, size_t bytes, enum journal_priority priority)
{
	if (bytes <= journal->segment_size && journal->at + bytes <= journal->easy_end)
		return journal->begin;
	return reserve_hard(journal, bytes, priority);
}

uint64_t journal_append(struct journal *journal, uint8_t type, const void *payload, size_t len)
{
	const uint64_t position = journal->at;
	const size_t size = journal_record_size(len);
	const uint32_t word = (uint32_t)type << 24 | (uint32_t)len;
	uint8_t *to = journal->bytes + (position - journal->begin);

	if (type == 0 || len > JOURNAL_PAYLOAD_MAX || size > journal->end - position)
		return 0;
	if (len > 0)
		memcpy(to + FRAME_SIZE, payload, len);
	put_frame(to, frame_crc(position, word, payload, len), word);
	journal->at = position + size;
	atomic_store_explicit(&journal->head, journal->at, memory_order_release);
	return position;
}

/* ---- opening and closing ---- */

static uint64_t default_segment_size(uint64_t quota)
{
	uint64_t size = MEBIBYTE;

	while (size < SEGMENT_SIZE_LARGE && 2 * size <= quota / 64)
		size *= 2;
	return size;
}

static bool check_options(const struct journal_options *options, uint64_t *segment_size, char *error, size_t error_size)
{
	const uint64_t size = options->segment_size ? options->segment_size : default_segment_size(options->quota);

	*segment_size = size;
	if (size < SEGMENT_SIZE_MIN || size > SEGMENT_SIZE_MOST || (size & (size - 1)) != 0) {
		snprintf(error, error_size,
		         "%s: journal segments of %" PRIu64 " bytes: wanted a power of two from %d to %" PRIu64,
		         options->directory, size, SEGMENT_SIZE_MIN, SEGMENT_SIZE_MOST);
		return false;
	}
	if (options->quota < 4 * size || options->quota > INT64_MAX) {
		snprintf(error, error_size, "%s: a journal of %" PRIu64 " bytes: wanted at least %" PRIu64 ", four segments",
		         options->directory, options->quota, 4 * size);
		return false;
	}
	return true;
}

static bool random_id(uint64_t *id)
{
	while (*id == 0)
		if (getrandom(id, sizeof *id, 0) != (ssize_t)sizeof *id && errno != EINTR)
			return false;
	return true;
}

static bool open_folder(struct journal *journal, char *error, size_t error_size)
{
	journal->folder = folder_open(journal->path);
	if (journal->folder < 0) {
		snprintf(error, error_size, "%s: cannot be opened or made: %s", journal->path, strerror(errno));
		return false;
	}
	journal->lock = folder_lock(journal->folder);
	if (journal->lock >= 0)
		return true;
	if (errno == EWOULDBLOCK)
		snprintf(error, error_size,
		         "%s: this journal is open already, here or in another process (its file \"lock\" is locked)",
		         journal->path);
	else
		snprintf(error, error_size, "%s/lock: cannot be locked: %s", journal->path, strerror(errno));
	return false;
}

/* Takes over what earlier runs left, begins this run's first segment behind it, and removes their unused files. */
static bool begin_run(struct journal *journal, char *error, size_t error_size)
{
	struct recovered earlier;
	const uint64_t size = journal->segment_size;

	if (!journal_recover(journal->folder, journal->path, &earlier, error, error_size))
		return false;
	journal->files = earlier.files;
	journal->file_count = journal->file_room = earlier.count;
	journal->id = earlier.journal_id;
	journal->run_begin = earlier.end == 0 ? size : (earlier.end + size - 1) / size * size;
	if (!random_id(&journal->id)) {
		snprintf(error, error_size, "%s: no random number: %s", journal->path, strerror(errno));
		return false;
	}
	const bool full = journal_files_size(journal) + size > journal->quota;
	struct segment *first = journal_make_segment(journal, journal->run_begin, error, error_size);
	if (!first)
		return false;
	/* Else a journal that is full would grow by a segment at each start. */
	if (full)
		first->reading_end = first->begin;

	const size_t used = earlier.count - earlier.empty;
	for (size_t i = used; i < earlier.count; i++)
		segment_remove(journal->folder, journal->files[i].begin);
	journal->files[used] = journal->files[earlier.count];
	journal->file_count = used + 1;

	journal->front = journal->back = first;
	enter_segment(journal, first);
	atomic_init(&journal->head, journal->at);
	journal_publish_files(journal);
	/* Without spare segments it works for a while; journal_sync tries again and tells. */
	char ignored[1];
	journal_make_spares(journal, ignored, sizeof ignored);
	return true;
}

/* Frees all that journal_open made; files stay as they are. */
static void free_journal(struct journal *journal)
{
	struct segment *next;

	for (struct segment *segment = journal->front; segment; segment = next) {
		next = atomic_load_explicit(&segment->next, memory_order_relaxed);
		journal_free_segment(segment);
	}
	folder_close(journal->lock);
	folder_close(journal->folder);
	sem_destroy(&journal->wake);
	free(journal->files);
	free(journal->path);
	free(journal);
}

struct journal *journal_open(const struct journal_options *options, char *error, size_t error_size)
{
	uint64_t segment_size;

	if (!check_options(options, &segment_size, error, error_size))
		return NULL;
	struct journal *journal = aligned_alloc(CACHE_LINE, sizeof *journal);
	if (!journal) {
		snprintf(error, error_size, "%s: no memory", options->directory);
		return NULL;
	}
	memset(journal, 0, sizeof *journal);
	journal->quota = options->quota;
	journal->segment_size = segment_size;
	journal->folder = journal->lock = -1;
	sem_init(&journal->wake, 0, 0);
	journal->path = strdup(options->directory);
	if (!journal->path) {
		snprintf(error, error_size, "%s: no memory", options->directory);
		goto failed;
	}
	if (!open_folder(journal, error, error_size) || !begin_run(journal, error, error_size))
		goto failed;
	return journal;

failed:
	free_journal(journal);
	return NULL;
}

void journal_close(struct journal *journal)
{
	char ignored[1];
	const uint64_t current = journal->begin;

	journal_sync_segments(journal, ignored, sizeof ignored);
	/* Newest first: a crash in between leaves the unused files at the end, where they are looked for. */
	for (size_t i = journal->file_count; i-- > 0 && journal->files[i].begin > current;)
		segment_remove(journal->folder, journal->files[i].begin);
	segment_cut(journal->folder, current, journal->at - current);
	folder_sync(journal->folder);
	free_journal(journal);
}

/* ---- any thread ---- */

uint64_t journal_id(const struct journal *journal)
{
	return journal->id;
}

uint64_t journal_begin(const struct journal *journal)
{
	return atomic_load_explicit(&journal->oldest, memory_order_relaxed);
}

uint64_t journal_head(const struct journal *journal)
{
	return atomic_load_explicit(&journal->head, memory_order_acquire);
}

uint64_t journal_bytes(const struct journal *journal)
{
	/* In this order, for both only grow. The head may still stand in a segment that was removed as damaged. */
	const uint64_t from = atomic_load_explicit(&journal->bytes_from, memory_order_acquire);
	const uint64_t head = journal_head(journal);

	return head > from ? head - from : 0;
}

uint64_t journal_quota(const struct journal *journal)
{
	return journal->quota;
}
