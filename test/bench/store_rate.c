/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_rate: see store_rate.h.
 *
 * Hearth's side is the plugin's own journal, writer and store. A journal is filled once and read by every run into a new
 * database, as after an outage: from writer_start until the store has confirmed the journal's head. SQLite's side gets
 * its rows from memory. Both begin with a file that does not exist, and neither waits for the disk at the end. The two
 * take turns, each pair the other way round than the one before, so that what else the machine does meets both.
 */
#include "store_rate.h"
#include "clock.h"
#include "mailbox.h"
#include "outbox.h"
#include "place.h"
#include "progress.h"
#include "readings.h"
#include "writer.h"

#include <limits.h>
#include <stdio.h>

#define RECORD_BYTES  32 /* a number in the journal */
#define SERIES_BYTES  (2 * (uint64_t)READINGS_NAME_MAX)
#define STALL_TIMEOUT (20 * SECOND_NS)
#define POLL_US       1000
#define NOTICES       64

/* Not more rows at once: a whole round would be one transaction in key order, and no stream of readings ever is. */
static const struct store_trial TRIALS[] = {
	{.transaction = 1000, .cache_mib = 0},   {.transaction = 5000, .cache_mib = 0},
	{.transaction = 25000, .cache_mib = 0},  {.transaction = 25000, .cache_mib = 64},
	{.transaction = 100000, .cache_mib = 0}, {.transaction = 100000, .cache_mib = 64},
};

#define TRIALS_COUNT ((int)(sizeof(TRIALS) / sizeof(TRIALS[0])))

static bool remove_database(const char *path)
{
	static const char *const ENDS[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < sizeof(ENDS) / sizeof(ENDS[0]); i++) {
		char name[PATH_MAX + 8];
		snprintf(name, sizeof(name), "%s%s", path, ENDS[i]);
		place_remove(name);
	}
	return true;
}

static bool check_count(const char *path, uint64_t wanted, struct fault *fault)
{
	int64_t rows = bulk_count(path, fault);
	if (rows < 0) {
		return false;
	}
	if ((uint64_t)rows != wanted) {
		return fault_set(fault, "%lld rows are stored of %llu readings", (long long)rows, (unsigned long long)wanted);
	}
	return true;
}

/* ---- Hearth ---- */

/* Waits until everything is stored. */
static bool await_writer(const struct writer *writer, uint64_t head, struct fault *fault)
{
	uint64_t before = 0;
	int64_t deadline_ns = clock_ns() + STALL_TIMEOUT;
	for (;;) {
		uint64_t position = writer_position(writer);
		if (position >= head) {
			return true;
		}
		if (position != before) {
			before = position;
			deadline_ns = clock_ns() + STALL_TIMEOUT;
		}
		if (clock_ns() > deadline_ns) {
			return fault_set(fault, "the writer makes no progress");
		}
		clock_sleep_us(POLL_US);
	}
}

/* What the writer said last is the likeliest reason. */
static void add_notice(struct mailbox *notices, struct fault *fault)
{
	struct notice notice;
	if (mailbox_get(notices, &notice)) {
		fault_add(fault, notice.text);
	}
}

static bool run_hearth(const struct outbox *outbox, const char *path, uint64_t readings, double *rate,
                       struct fault *fault)
{
	struct journal *journal = outbox_journal(outbox);
	struct mailbox *notices = mailbox_new(sizeof(struct notice), NOTICES);
	struct writer_options options = {
		.journal = journal, .ops = &store_sqlite, .location = path, .node = "bench", .notices = notices};
	if (notices == NULL) {
		return fault_set(fault, "no memory");
	}
	uint64_t head = journal_head(journal);
	int64_t start_ns = clock_ns();
	struct writer *writer = writer_start(&options);
	bool done = writer != NULL ? await_writer(writer, head, fault) : fault_set(fault, "the writer does not start");
	*rate = (double)readings * (double)SECOND_NS / (double)(clock_ns() - start_ns);
	writer_stop(writer, 0);
	if (!done) {
		add_notice(notices, fault);
	}
	mailbox_free(notices);
	return done && check_count(path, readings, fault) && remove_database(path);
}

static struct outbox *fill(const char *folder, uint64_t readings, uint32_t series, struct fault *fault)
{
	/* A series may be named as often as it has readings: in each segment once. */
	uint64_t room = readings * (RECORD_BYTES + SERIES_BYTES);
	struct outbox *outbox = outbox_open(folder, room, fault);
	if (outbox != NULL && !outbox_fill(outbox, readings, series, fault)) {
		outbox_close(outbox);
		outbox = NULL;
	}
	return outbox;
}

/* ---- SQLite ---- */

static bool run_sqlite(const char *path, const struct bulk_plan *plan, double *rate, struct fault *fault)
{
	int64_t duration_ns;
	if (!bulk_insert(path, plan, &duration_ns, fault)) {
		return false;
	}
	*rate = (double)plan->readings * (double)SECOND_NS / (double)duration_ns;
	return check_count(path, plan->readings, fault) && remove_database(path);
}

/* Tries SQLite in several ways; the best is what Hearth is measured against. */
static bool find_best(const struct store_setup *setup, const char *path, struct bulk_plan *plan,
                      struct store_answer *answer, struct fault *fault)
{
	plan->transaction = setup->transaction;
	plan->cache_mib = setup->cache_mib;
	if (plan->transaction > 0) {
		answer->trials[0] = (struct store_trial){plan->transaction, plan->cache_mib, 0};
		return true;
	}
	for (int i = 0; i < TRIALS_COUNT; i++) {
		struct store_trial *trial = &answer->trials[answer->trial_count++];
		*trial = TRIALS[i];
		plan->transaction = trial->transaction;
		plan->cache_mib = trial->cache_mib;
		if (!progress_show("%u series: SQLite with %u rows a transaction", plan->series, plan->transaction)) {
			return fault_set(fault, "stopped");
		}
		if (!run_sqlite(path, plan, &trial->rate, fault)) {
			return false;
		}
		if (trial->rate > answer->trials[answer->best].rate) {
			answer->best = i;
		}
	}
	plan->transaction = answer->trials[answer->best].transaction;
	plan->cache_mib = answer->trials[answer->best].cache_mib;
	return true;
}

/* ---- both ---- */

static bool measure_pairs(const struct outbox *outbox, const char *path, const struct bulk_plan *plan,
                          struct store_answer *answer, struct fault *fault)
{
	for (int number = 0; number <= answer->pairs; number++) {
		/* Pair 0 warms up; pair 1 writes over what it measured. */
		struct store_pair *pair = &answer->pair[number == 0 ? 0 : number - 1];
		if (!progress_show("%u series: pair %d", plan->series, number)) {
			return fault_set(fault, "stopped");
		}
		for (int turn = 0; turn < 2; turn++) {
			bool done = turn == number % 2 ? run_hearth(outbox, path, plan->readings, &pair->hearth, fault)
			                               : run_sqlite(path, plan, &pair->sqlite, fault);
			if (!done) {
				return false;
			}
		}
	}
	return true;
}

static bool measure_sustained(const struct store_setup *setup, const char *path, struct store_answer *answer,
                              struct fault *fault)
{
	char folder[PATH_MAX];
	if (setup->sustained == 0) {
		return true;
	}
	if (!progress_show("%u series: %llu readings", answer->series, (unsigned long long)setup->sustained)) {
		return fault_set(fault, "stopped");
	}
	snprintf(folder, sizeof(folder), "%s/sustained", setup->folder);
	struct outbox *outbox = fill(folder, setup->sustained, answer->series, fault);
	bool done = outbox != NULL && run_hearth(outbox, path, setup->sustained, &answer->sustained, fault);
	outbox_close(outbox);
	place_remove(folder);
	return done;
}

bool store_rate_measure(const struct store_setup *setup, uint32_t series, struct store_answer *answer,
                        struct fault *fault)
{
	char path[PATH_MAX];
	char folder[PATH_MAX];
	struct bulk_plan plan = {.readings = setup->readings, .series = series};
	*answer = (struct store_answer){.series = series, .pairs = setup->pairs};
	snprintf(path, sizeof(path), "%s/history.db", setup->folder);
	snprintf(folder, sizeof(folder), "%s/journal", setup->folder);
	if (!progress_show("%u series: filling a journal", series)) {
		return fault_set(fault, "stopped");
	}
	struct outbox *outbox = fill(folder, setup->readings, series, fault);
	bool done = outbox != NULL && find_best(setup, path, &plan, answer, fault) &&
	            measure_pairs(outbox, path, &plan, answer, fault);
	outbox_close(outbox);
	place_remove(folder);
	return done && measure_sustained(setup, path, answer, fault);
}
