/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * append_cost: see append_cost.h.
 *
 * The readings go out in rows of ROW, and each row is timed: so a change of segment shows in its own row. The three ways
 * take turns row by row, so that they meet the same disturbances. Each of them makes its bytes from the reading with
 * record_put_reading; the journal's frame is room left free in front of them for the other two. The journal's keeping
 * thread syncs beside all of it, on another CPU where there is one.
 */
#include "append_cost.h"
#include "clock.h"
#include "median.h"
#include "outbox.h"
#include "place.h"
#include "readings.h"
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A page of the file holds 128 records, so most rows meet no page fault: their median is the cost with the page there. */
#define ROW    50
#define FRAME  8
#define RECORD (FRAME + RECORD_READING_HEAD)

const char *const WAY_NAMES[WAY_COUNT] = {"journal", "memcpy", "write"};

struct run {
	struct outbox *outbox;
	struct journal *journal;
	uint64_t segment; /* of the last record */
	uint8_t *mapped;  /* of the whole round's size */
	int mapped_file;
	int written_file;
	int waits;
	struct fault *fault;
};

static size_t make_record(uint64_t index, uint8_t *out)
{
	struct value value = {.number = 20 + (double)(index % 100) / 10, .is_number = true};
	return record_put_reading(out, (uint32_t)(index % 100), (int64_t)index, false, &value);
}

static bool to_journal(struct run *run, uint64_t index)
{
	uint8_t record[RECORD_READING_HEAD];
	size_t len = make_record(index, record);
	run->segment = journal_reserve(run->journal, RECORD, JOURNAL_READING);
	return run->segment != 0 && journal_append(run->journal, RECORD_READING, record, len) != 0;
}

static bool to_mapping(struct run *run, uint64_t index)
{
	uint8_t record[RECORD] = {0};
	make_record(index, record + FRAME);
	memcpy(run->mapped + index * RECORD, record, sizeof(record));
	return true;
}

static bool to_file(struct run *run, uint64_t index)
{
	uint8_t record[RECORD] = {0};
	make_record(index, record + FRAME);
	return write(run->written_file, record, sizeof(record)) == (ssize_t)sizeof(record);
}

/* Times a row. False if it could not be written in full. */
static bool time_row(struct run *run, uint64_t begin, bool (*put)(struct run *run, uint64_t index), double *ns)
{
	int64_t start_ns = clock_ns();
	for (uint64_t index = begin; index < begin + ROW; index++) {
		if (!put(run, index)) {
			return false;
		}
	}
	*ns = (double)(clock_ns() - start_ns) / ROW;
	return true;
}

/* A row into the journal. One that met a full journal is done again and not counted. */
static bool journal_row(struct run *run, uint64_t begin, double *ns, bool *changed)
{
	for (;;) {
		uint64_t before = run->segment;
		if (time_row(run, begin, to_journal, ns)) {
			*changed = before != 0 && run->segment != before;
			return true;
		}
		run->waits++;
		if (!outbox_await_room(run->outbox, RECORD, run->fault)) {
			return false;
		}
	}
}

static double mean(const double *figures, int count)
{
	double sum = 0;
	for (int i = 0; i < count; i++) {
		sum += figures[i];
	}
	return sum / count;
}

static bool measure(struct run *run, int rows, double *figures[WAY_COUNT], struct append_round *round)
{
	int quiet = 0; /* rows without a change of segment lie in front of the others */
	for (int row = 0; row < rows; row++) {
		uint64_t begin = (uint64_t)row * ROW;
		bool changed;
		if (!journal_row(run, begin, &figures[WAY_JOURNAL][row], &changed)) {
			return false;
		}
		if (!time_row(run, begin, to_mapping, &figures[WAY_MEMCPY][row]) ||
		    !time_row(run, begin, to_file, &figures[WAY_WRITE][row])) {
			return fault_set(run->fault, "write: %s", strerror(errno));
		}
		if (!changed) {
			double ns = figures[WAY_JOURNAL][row];
			figures[WAY_JOURNAL][row] = figures[WAY_JOURNAL][quiet];
			figures[WAY_JOURNAL][quiet++] = ns;
		}
	}
	if (quiet == 0) {
		return fault_set(run->fault, "each row of readings met a change of segment");
	}
	for (int way = 0; way < WAY_COUNT; way++) {
		int hot = way == WAY_JOURNAL ? quiet : rows;
		round->mean[way] = mean(figures[way], rows);
		if (hot < rows) {
			round->change = (mean(figures[way] + hot, rows - hot) - mean(figures[way], hot)) * ROW;
		}
		round->hot[way] = median(figures[way], hot); /* sorts, hence last */
	}
	round->changes = rows - quiet;
	round->waits = run->waits;
	return true;
}

/* As the journal makes its segments: with room on the disk from the start. */
static bool map_file(struct run *run, const char *path, size_t size)
{
	run->mapped_file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (run->mapped_file < 0 || posix_fallocate(run->mapped_file, 0, (off_t)size) != 0) {
		return false;
	}
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, run->mapped_file, 0);
	run->mapped = mapped == MAP_FAILED ? NULL : mapped;
	return run->mapped != NULL;
}

bool append_cost_measure(const struct append_setup *setup, struct append_round *round, struct fault *fault)
{
	char journal[PATH_MAX];
	char mapped[PATH_MAX];
	char written[PATH_MAX];
	struct run run = {.mapped_file = -1, .written_file = -1, .fault = fault};
	int rows = (int)(setup->readings / ROW);
	size_t size = (size_t)rows * ROW * RECORD;
	double *figures[WAY_COUNT] = {NULL};
	bool done = false;

	*round = (struct append_round){0};
	snprintf(journal, sizeof(journal), "%s/journal", setup->folder);
	snprintf(mapped, sizeof(mapped), "%s/mapped", setup->folder);
	snprintf(written, sizeof(written), "%s/written", setup->folder);
	for (int way = 0; way < WAY_COUNT; way++) {
		figures[way] = calloc((size_t)rows, sizeof(*figures[way]));
		if (figures[way] == NULL) {
			fault_set(fault, "no memory");
			goto out;
		}
	}
	run.written_file = open(written, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (run.written_file < 0 || !map_file(&run, mapped, size)) {
		fault_set(fault, "%s: %s", setup->folder, strerror(errno));
		goto out;
	}
	run.outbox = outbox_open(journal, 2 * size, fault);
	if (run.outbox == NULL) {
		goto out;
	}
	run.journal = outbox_journal(run.outbox);
	if (setup->pins.pinned) {
		sched_setaffinity(0, sizeof(setup->pins.broker), &setup->pins.broker); /* this thread alone */
	}
	done = measure(&run, rows, figures, round);
	if (setup->pins.pinned) {
		sched_setaffinity(0, sizeof(setup->pins.generator), &setup->pins.generator);
	}
out:
	outbox_close(run.outbox);
	if (run.mapped != NULL) {
		munmap(run.mapped, size);
	}
	if (run.mapped_file >= 0) {
		close(run.mapped_file);
	}
	if (run.written_file >= 0) {
		close(run.written_file);
	}
	for (int way = 0; way < WAY_COUNT; way++) {
		free(figures[way]);
	}
	place_remove(journal);
	place_remove(mapped);
	place_remove(written);
	return done;
}
