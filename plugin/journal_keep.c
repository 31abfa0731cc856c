/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_keep: the keeping thread's part: sync, spare segments, removal of old files.
 *
 * It alone makes and removes files while the journal is open, and it alone frees a segment.
 */
#include "journal_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * Spare segments are what the appending thread lives on while a disk takes its time over a sync, some seconds on a memory
 * card: so many bytes of them, but at least two, and at most a quarter of the quota if that is more than two.
 */
#define SPARE_BYTES         (8 * UINT64_C(1024) * 1024)
#define SPARES_LEAST        2
#define CONTROL_MARGIN_MOST (256 * UINT64_C(1024))

static bool complain(const struct journal *journal, uint64_t begin, const char *what, char *error, size_t error_size)
{
	char name[SEGMENT_NAME_MAX];

	snprintf(error, error_size, "%s/%s: %s: %s", journal->path, segment_name(begin, name), what, strerror(errno));
	return false;
}

uint64_t journal_files_size(const struct journal *journal)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < journal->file_count; i++)
		sum += journal->files[i].size;
	return sum;
}

void journal_publish_files(struct journal *journal)
{
	const uint64_t oldest = journal->file_count > 0 ? journal->files[0].begin : journal->run_begin;
	uint64_t earlier_runs = 0;

	for (size_t i = 0; i < journal->file_count && journal->files[i].begin < journal->run_begin; i++)
		earlier_runs += journal->files[i].size;
	/* This run's segments follow each other without a gap, so the head tells how much of them is there. */
	const uint64_t from = oldest > journal->run_begin ? oldest : journal->run_begin;
	atomic_store_explicit(&journal->bytes_from, from - earlier_runs, memory_order_release);
	atomic_store_explicit(&journal->oldest, oldest, memory_order_relaxed);
}

void journal_free_segment(struct segment *segment)
{
	segment_close(&segment->mapping);
	free(segment);
}

struct segment *journal_make_stub(uint64_t begin)
{
	struct segment *stub = calloc(1, sizeof *stub);

	if (!stub)
		return NULL;
	stub->mapping.file = -1;
	stub->begin = stub->end = stub->reading_end = stub->synced = begin;
	return stub;
}

struct segment *journal_make_segment(struct journal *journal, uint64_t begin, char *error, size_t error_size)
{
	const uint64_t size = journal->segment_size;
	const uint64_t margin = size / 4 < CONTROL_MARGIN_MOST ? size / 4 : CONTROL_MARGIN_MOST;
	const struct segment_header header = {
		.version = SEGMENT_VERSION, .begin = begin, .span = size, .journal_id = journal->id};

	if (journal->file_count == journal->file_room) {
		const size_t room = 2 * journal->file_room + 16;
		struct segment_file *files = realloc(journal->files, room * sizeof *files);
		if (!files) {
			complain(journal, begin, "cannot be noted", error, error_size);
			return NULL;
		}
		journal->files = files;
		journal->file_room = room;
	}
	struct segment *segment = calloc(1, sizeof *segment);
	if (!segment || !segment_make(journal->folder, &header, &segment->mapping)) {
		complain(journal, begin, "cannot be made", error, error_size);
		free(segment);
		return NULL;
	}
	/* Before any record goes in: a record is not durable while its file's name is not. */
	if (!folder_sync(journal->folder)) {
		complain(journal, begin, "its name cannot be made durable", error, error_size);
		segment_remove(journal->folder, begin);
		journal_free_segment(segment);
		return NULL;
	}
	segment->begin = segment->synced = begin;
	segment->end = begin + size;
	segment->reading_end = segment->end - margin;
	journal->files[journal->file_count++] = (struct segment_file){.begin = begin, .size = size};
	return segment;
}

static uint64_t wanted_spares(const struct journal *journal)
{
	const uint64_t most = journal->quota / 4 / journal->segment_size;
	const uint64_t wanted = SPARE_BYTES / journal->segment_size;
	const uint64_t spares = wanted < most ? wanted : most;

	return spares > SPARES_LEAST ? spares : SPARES_LEAST;
}

bool journal_make_spares(struct journal *journal, char *error, size_t error_size)
{
	const struct segment *current = atomic_load_explicit(&journal->current, memory_order_acquire);
	if (journal->folder < 0)
		return true;
	const uint64_t enough = current->begin + wanted_spares(journal) * journal->segment_size;
	while (journal->back->begin < enough && journal_files_size(journal) + journal->segment_size <= journal->quota) {
		struct segment *spare = journal_make_segment(journal, journal->back->end, error, error_size);
		if (!spare)
			return false;
		atomic_store_explicit(&journal->back->next, spare, memory_order_release);
		journal->back = spare;
	}
	return true;
}

/* Makes a segment durable up to `end`, before which nothing changes any more. False with errno. */
static bool sync_segment(struct segment *segment, uint64_t end)
{
	const size_t from = (size_t)(segment->synced - segment->begin);

	if (segment->soiled && !segment_soil(&segment->mapping, from, (size_t)(end - segment->synced)))
		return false;
	segment->soiled = !segment_sync(&segment->mapping);
	if (segment->soiled)
		return false;
	segment->synced = end;
	return true;
}

bool journal_sync_segments(struct journal *journal, char *error, size_t error_size)
{
	const uint64_t head = journal_head(journal);
	const struct segment *current = atomic_load_explicit(&journal->current, memory_order_acquire);
	const uint64_t oldest = atomic_load_explicit(&journal->oldest, memory_order_relaxed);
	bool good = true;

	/* One that the disk refuses does not keep it from the others, but only what is safe without a gap may be marked. */
	for (struct segment *segment = journal->front;;
	     segment = atomic_load_explicit(&segment->next, memory_order_relaxed)) {
		const uint64_t end = segment == current ? head : segment->end;
		if (segment != current && end <= oldest) /* stored and removed */
			segment->synced = end;
		if (segment->synced < end && !sync_segment(segment, end)) {
			if (good)
				complain(journal, segment->begin, "cannot be synced", error, error_size);
			good = false;
		}
		if (good)
			atomic_store_explicit(&journal->synced, end, memory_order_relaxed);
		if (segment == current)
			break;
	}
	while (journal->front != current && journal->front->synced == journal->front->end) {
		struct segment *done = journal->front;
		journal->front = atomic_load_explicit(&done->next, memory_order_relaxed);
		journal_free_segment(done);
	}
	return good;
}

/* What cannot be removed takes up the quota. False with a message. */
static bool check_removals(const struct journal *journal, char *error, size_t error_size)
{
	if (journal->remove_error == 0)
		return true;
	errno = journal->remove_error;
	return complain(journal, journal->files[0].begin, "is stored and cannot be removed", error, error_size);
}

/* What is written into a file that has no name any more is gone with the process. False with a message. */
static bool check_names(struct journal *journal, char *error, size_t error_size)
{
	for (const struct segment *segment = journal->front; segment;
	     segment = atomic_load_explicit(&segment->next, memory_order_relaxed)) {
		if (!segment->mapping.bytes || segment_is_there(&segment->mapping))
			continue;
		if (journal->nameless == 0)
			journal->nameless = segment->begin;
		return complain(journal, segment->begin,
		                "was removed while in use; what comes now is not safe until the broker is started again", error,
		                error_size);
	}
	return true;
}

/* What was synced is safe, but for what lies in a file that somebody removed, and behind it. */
static void tell_durable(struct journal *journal)
{
	uint64_t durable = atomic_load_explicit(&journal->synced, memory_order_relaxed);

	if (journal->nameless != 0 && journal->nameless < durable)
		durable = journal->nameless;
	if (durable > atomic_load_explicit(&journal->durable, memory_order_relaxed))
		atomic_store_explicit(&journal->durable, durable, memory_order_relaxed);
}

bool journal_sync(struct journal *journal, char *error, size_t error_size)
{
	/*
	 * Both before and after, since a sync may take its time. A disk that cannot sync may still have room, and the other way
	 * round: the house goes on. The message of the sync is the one to keep.
	 */
	bool spared = journal_make_spares(journal, error, error_size);
	bool synced = journal_sync_segments(journal, error, error_size);
	bool named = check_names(journal, error, synced ? error_size : 0);
	tell_durable(journal);
	synced = synced && named && check_removals(journal, error, error_size);

	return journal_make_spares(journal, error, synced ? error_size : 0) && spared && synced;
}

void journal_wait(struct journal *journal, int milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	while (sem_clockwait(&journal->wake, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
		continue;
	/* Several reasons to wake are one. */
	while (sem_trywait(&journal->wake) == 0)
		continue;
}

void journal_wake(struct journal *journal)
{
	sem_post(&journal->wake);
}

void journal_trim(struct journal *journal, uint64_t position)
{
	const struct segment *current = atomic_load_explicit(&journal->current, memory_order_acquire);
	const struct segment_file *file = journal->files;
	size_t gone = 0;

	journal->remove_error = 0;
	while (gone < journal->file_count && file[gone].begin < current->begin &&
	       file[gone].begin + file[gone].size <= position) {
		if (!segment_remove(journal->folder, file[gone].begin)) {
			journal->remove_error = errno;
			break;
		}
		gone++;
	}
	if (gone == 0)
		return;
	journal->file_count -= gone;
	memmove(journal->files, journal->files + gone, journal->file_count * sizeof *journal->files);
	journal_publish_files(journal);
}
