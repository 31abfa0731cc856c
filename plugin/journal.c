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
#define READ_PATIENCE_MS   300000

/* ---- appending thread ---- */

static void put_frame(uint8_t *to, uint32_t crc, uint32_t word)
{
	/* Last and at once: a process killed in the middle leaves zeros here, and whoever sees it sees the payload. */
	__atomic_store_n((uint64_t *)(void *)to, frame_front(crc, word), __ATOMIC_RELEASE);
}

static void enter_segment(struct journal *journal, struct segment *segment)
{
	const uint64_t half = segment->begin + (segment->end - segment->begin) / 2;
	const uint64_t header = segment->mapping.bytes ? SEGMENT_HEADER : 0;

	guard_watch(journal->guard, segment->mapping.bytes, segment->mapping.size);
	journal->segment = segment;
	journal->bytes = segment->mapping.bytes;
	journal->begin = segment->begin;
	journal->end = segment->end;
	journal->at = segment->begin + header;
	journal->easy_end = half < segment->reading_end ? half : segment->reading_end;
	journal->half_told = false;
	atomic_store_explicit(&journal->current, segment, memory_order_release);
}

/* The disk has refused what was written last. Nothing more goes into this segment. */
static void give_up_segment(struct journal *journal)
{
	journal->end = journal->easy_end = journal->at;
	journal->half_told = true;
	journal_wake(journal);
}

/* Puts a frame with its payload at the current place; false if the disk refused it. */
static bool put(struct journal *journal, uint32_t word, const void *payload, size_t len)
{
	uint8_t *to = journal->bytes + (journal->at - journal->begin);

	if (len > 0)
		memcpy(to + FRAME_SIZE, payload, len);
	put_frame(to, frame_crc(journal->at, word, payload, len), word);
	atomic_signal_fence(memory_order_seq_cst); /* the guard's handler runs between the two */
	if (atomic_load_explicit(&journal->guard->hit, memory_order_relaxed)) {
		give_up_segment(journal);
		return false;
	}
	journal->at += journal_record_size(len);
	return true;
}

static void put_mark(struct journal *journal, uint64_t synced, uint64_t ended)
{
	uint8_t payload[FRAME_MARK_SIZE - FRAME_SIZE];

	put_u64(payload, synced);
	put_u64(payload + 8, ended);
	if (!put(journal, FRAME_MARK_WORD, payload, sizeof payload))
		return;
	journal->marked = synced;
	atomic_store_explicit(&journal->head, journal->at, memory_order_release);
}

static void leave_segment(struct journal *journal, struct segment *next)
{
	if (journal->bytes && journal->at > journal->begin + SEGMENT_HEADER)
		journal->ended = journal->at;
	if (journal->end - journal->at >= FRAME_SIZE)
		put_frame(journal->bytes + (journal->at - journal->begin), frame_crc(journal->at, FRAME_SEAL_WORD, NULL, 0),
		          FRAME_SEAL_WORD);
	enter_segment(journal, next);
	/* One in each segment: those of earlier ones may be gone before the segments that they vouch for. */
	put_mark(journal, atomic_load_explicit(&journal->synced, memory_order_relaxed), journal->ended);
	journal_wake(journal);
}

/* Finds room for `bytes`; 0 if there is none. */
static uint64_t find_room(struct journal *journal, size_t bytes, enum journal_priority priority)
{
	if (journal->at + bytes <= journal->easy_end)
		return journal->begin;
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

/* journal_reserve where there is more to do than to compare: a mark to put, or the second half of a segment. */
static uint64_t reserve_hard(struct journal *journal, size_t bytes, enum journal_priority priority)
{
	const uint64_t synced = atomic_load_explicit(&journal->synced, memory_order_relaxed);

	if (bytes > journal->segment_size - SEGMENT_HEADER - FRAME_MARK_SIZE)
		return 0;
	if (synced == journal->marked)
		return find_room(journal, bytes, priority);
	const uint64_t begin = find_room(journal, FRAME_MARK_SIZE + bytes, priority);
	if (begin == 0)
		return 0;
	if (journal->marked < synced)
		put_mark(journal, synced, 0);
	/* After a refusal there may be another segment. */
	return journal->at + bytes <= journal->end ? begin : find_room(journal, bytes, priority);
}

uint64_t journal_reserve(struct journal *journal, size_t bytes, enum journal_priority priority)
{
	if (bytes <= journal->segment_size && journal->at + bytes <= journal->easy_end &&
	    atomic_load_explicit(&journal->synced, memory_order_relaxed) == journal->marked)
		return journal->begin;
	return reserve_hard(journal, bytes, priority);
}

uint64_t journal_append(struct journal *journal, uint8_t type, const void *payload, size_t len)
{
	const uint64_t position = journal->at;

	if (type == 0 || len > JOURNAL_PAYLOAD_MAX || journal_record_size(len) > journal->end - position)
		return 0;
	if (!put(journal, (uint32_t)type << 24 | (uint32_t)len, payload, len))
		return 0;
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
	if (size < SEGMENT_SIZE_MIN || size > SEGMENT_SIZE_MAX || (size & (size - 1)) != 0) {
		snprintf(error, error_size,
		         "%s: journal segments of %" PRIu64 " bytes: wanted a power of two from %d to %" PRIu64,
		         options->directory, size, SEGMENT_SIZE_MIN, SEGMENT_SIZE_MAX);
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

static void begin_chain(struct journal *journal, struct segment *first)
{
	journal->front = journal->back = first;
	enter_segment(journal, first);
	atomic_init(&journal->head, journal->at);
	journal_publish_files(journal);
}

/* Removes files that hold no record. One that stays must at least not look as if records were missing in it. */
static void remove_unused(const struct journal *journal, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const uint64_t begin = journal->files[i].begin;
		if (!segment_remove(journal->folder, begin))
			segment_cut(journal->folder, begin, SEGMENT_HEADER);
	}
}

/* Takes over what earlier runs left, begins this run's first segment behind it, and removes their unused files. */
static bool begin_run(struct journal *journal, char *error, size_t error_size)
{
	struct recovered earlier;
	const uint64_t size = journal->segment_size;
	char ignored[1];

	if (!journal_recover(journal->folder, journal->path, &earlier, error, error_size))
		return false;
	journal->files = earlier.files;
	journal->file_count = journal->file_room = earlier.count;
	journal->torn = earlier.torn;
	journal->id = earlier.journal_id;
	journal->run_begin = earlier.end == 0 ? size : (earlier.end + size - 1) / size * size;
	if (journal->run_begin > POSITION_MAX) {
		snprintf(error, error_size, "%s: its positions are used up: wanted an empty folder", journal->path);
		errno = 0;
		return false;
	}
	if (!random_id(&journal->id)) {
		snprintf(error, error_size, "%s: no random number: %s", journal->path, strerror(errno));
		return false;
	}
	const bool full = journal_files_size(journal) + size > journal->quota;
	const size_t used = earlier.count - earlier.empty;
	struct segment *first = journal_make_segment(journal, journal->run_begin, ignored, sizeof ignored);
	if (!first && earlier.empty > 0) {
		/* They may hold the room that it needs. The last one's header is kept, for the height of its positions. */
		struct segment_file *last = &journal->files[earlier.count - 1];
		if (segment_cut(journal->folder, last->begin, SEGMENT_HEADER))
			last->size = last->size < SEGMENT_HEADER ? last->size : SEGMENT_HEADER;
		remove_unused(journal, used, earlier.count - 1);
		journal->files[used] = *last;
		journal->file_count = earlier.count = used + 1;
		first = journal_make_segment(journal, journal->run_begin, ignored, sizeof ignored);
	}
	/* Else a journal that is full would grow by a segment at each start. */
	if (first && full)
		first->reading_end = first->begin;

	if (first) {
		/* Only now, for the journal's id and the height of its positions may be written in no other file. */
		remove_unused(journal, used, earlier.count);
		/* Else one that a crash brings back would be vouched for by this run's first mark. */
		if (used < earlier.count)
			folder_sync(journal->folder);
		journal->files[used] = journal->files[earlier.count];
		journal->file_count = used + 1;
	} else {
		first = journal_make_stub(journal->run_begin);
	}
	if (!first) {
		snprintf(error, error_size, "%s: no memory", journal->path);
		return false;
	}
	begin_chain(journal, first);
	atomic_init(&journal->synced, journal->run_begin);
	atomic_init(&journal->durable, journal->run_begin);
	/* Without spare segments, or without any, it works for a while; journal_sync tries again and tells. */
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
	guard_give_back(journal->guard);
	file_close(journal->lock);
	file_close(journal->folder);
	sem_destroy(&journal->wake);
	free(journal->files);
	free(journal->path);
	free(journal);
}

static struct journal *new_journal(const char *path)
{
	struct journal *journal = aligned_alloc(CACHE_LINE, sizeof *journal);

	if (!journal)
		return NULL;
	memset(journal, 0, sizeof *journal);
	journal->folder = journal->lock = -1;
	sem_init(&journal->wake, 0, 0);
	journal->path = strdup(path);
	journal->guard = guard_take();
	if (journal->path && journal->guard)
		return journal;
	free_journal(journal);
	return NULL;
}

struct journal *journal_open(const struct journal_options *options, char *error, size_t error_size)
{
	uint64_t segment_size;

	errno = 0; /* what it is after a failure is looked at */
	if (!check_options(options, &segment_size, error, error_size))
		return NULL;
	struct journal *journal = new_journal(options->directory);
	if (!journal) {
		snprintf(error, error_size, "%s: no memory", options->directory);
		return NULL;
	}
	journal->quota = options->quota;
	journal->segment_size = segment_size;
	journal->read_patience_ms = options->read_patience_ms > 0 ? options->read_patience_ms : READ_PATIENCE_MS;
	if (open_folder(journal, error, error_size) && begin_run(journal, error, error_size))
		return journal;
	int reason = errno;
	free_journal(journal);
	errno = reason;
	return NULL;
}

struct journal *journal_open_none(void)
{
	struct journal *journal = new_journal("no journal");
	struct segment *stub = journal_make_stub(0);

	if (!journal || !stub) {
		if (journal)
			free_journal(journal);
		free(stub);
		return NULL;
	}
	begin_chain(journal, stub);
	return journal;
}

void journal_close(struct journal *journal)
{
	char ignored[1];
	const bool stub = !journal->bytes;
	const uint64_t current = journal->begin;
	const uint64_t unused = stub ? current : current + 1; /* files that begin from here on */

	/* The last mark vouches for all that was written, so that a bit which flips in it later is found to be damage. */
	if (journal_sync_segments(journal, ignored, sizeof ignored) && !stub &&
	    journal->end - journal->at >= FRAME_MARK_SIZE)
		put_mark(journal, journal->at, 0);
	journal_sync_segments(journal, ignored, sizeof ignored);
	/* Newest first: a crash in between leaves the unused files at the end, where they are looked for. */
	for (size_t i = journal->file_count; i-- > 0 && journal->files[i].begin >= unused;)
		segment_remove(journal->folder, journal->files[i].begin);
	if (!stub)
		segment_cut(journal->folder, current, journal->at - current);
	if (journal->folder >= 0)
		folder_sync(journal->folder);
	free_journal(journal);
}

/* ---- any thread ---- */

uint64_t journal_id(const struct journal *journal)
{
	return journal->id;
}

uint64_t journal_torn(const struct journal *journal)
{
	return journal->torn;
}

uint64_t journal_synced(const struct journal *journal)
{
	return atomic_load_explicit(&journal->durable, memory_order_relaxed);
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
