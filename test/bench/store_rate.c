/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_rate: see store_rate.h.
 *
 * Hearth's side is the plugin's own journal, writer and store. A journal is filled once and read by every run into a
 * database that is empty, as after an outage: from writer_start until the store has confirmed the journal's head. The other
 * side gets its rows from memory. Neither waits for the disk at the end, but where the database does by itself. The two
 * take turns, each pair the other way round than the one before, so that what else the machine does meets both.
 */
#include "store_rate.h"
#include "clock.h"
#include "mailbox.h"
#include "outbox.h"
#include "place.h"
#include "progress.h"
#include "readings.h"
#include "store_beside.h"
#include "writer.h"

#include <stdio.h>

#define RECORD_BYTES  32 /* a number in the journal */
#define SERIES_BYTES  (2 * (uint64_t)READINGS_NAME_MAX)
#define STALL_TIMEOUT (20 * SECOND_NS)
#define POLL_US       1000
#define NOTICES       64
#define TRIAL_ROUNDS  2 /* a disturbed moment spoils one */

/* All readings have to be there, and all of them in the roll-ups. */
static bool check_and_empty(const struct store_target *target, uint64_t wanted, struct fault *fault)
{
	static const char *const COUNTS[] = {"SELECT count(*) FROM reading", "SELECT sum(count) FROM reading_minute",
	                                     "SELECT sum(count) FROM reading_hour"};
	for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++) {
		int64_t rows = target->backend->number(target, COUNTS[i], fault);
		if (rows < 0) {
			return false;
		}
		if ((uint64_t)rows != wanted) {
			return fault_set(fault, "%s: %lld of %llu readings", COUNTS[i], (long long)rows,
			                 (unsigned long long)wanted);
		}
	}
	return target->backend->empty(target, fault);
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

static bool run_hearth(const struct outbox *outbox, const struct store_target *target, uint64_t readings, double *rate,
                       struct fault *fault)
{
	struct journal *journal = outbox_journal(outbox);
	struct mailbox *notices = mailbox_new(sizeof(struct notice), NOTICES);
	struct writer_options options = {
		.journal = journal, .ops = target->backend->ops, .place = target->place, .notices = notices};
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
	return done && check_and_empty(target, readings, fault);
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

/* ---- the database's side ---- */

static bool run_bulk(const struct store_target *target, const struct bulk_plan *plan, double *rate, struct fault *fault)
{
	int64_t duration_ns;
	if (!target->backend->bulk(target, plan, &duration_ns, fault)) {
		return false;
	}
	*rate = (double)plan->readings * (double)SECOND_NS / (double)duration_ns;
	return check_and_empty(target, plan->readings, fault);
}

static void set_way(struct bulk_plan *plan, const struct store_trial *way)
{
	plan->transaction = way->transaction;
	plan->cache_mib = way->cache_mib;
	plan->chunk = way->chunk;
}

/* Tries the bulk insert in several ways; the best is what Hearth is measured against. */
static bool find_best(const struct store_setup *setup, const struct store_target *target, struct bulk_plan *plan,
                      struct store_answer *answer, struct fault *fault)
{
	if (setup->best.transaction > 0) {
		answer->trials[0] = setup->best;
		answer->trials[0].chunk = target->backend->trials[0].chunk > 0 ? setup->best.chunk : 0;
		set_way(plan, &answer->trials[0]);
		return true;
	}
	answer->trial_count = target->backend->trial_count;
	for (int turn = 0; turn < TRIAL_ROUNDS * answer->trial_count; turn++) {
		int number = turn % answer->trial_count;
		struct store_trial *trial = &answer->trials[number];
		double rate = 0;
		if (turn < answer->trial_count) {
			*trial = target->backend->trials[number];
		}
		set_way(plan, trial);
		if (!progress_show("%u series: %s with %u rows a transaction", plan->series, target->backend->title,
		                   plan->transaction)) {
			return fault_set(fault, "stopped");
		}
		if (!run_bulk(target, plan, &rate, fault)) {
			return false;
		}
		trial->rate = rate > trial->rate ? rate : trial->rate;
		if (trial->rate > answer->trials[answer->best].rate) {
			answer->best = number;
		}
	}
	set_way(plan, &answer->trials[answer->best]);
	return true;
}

/* ---- both ---- */

static bool measure_pairs(const struct outbox *outbox, const struct store_target *target, const struct bulk_plan *plan,
                          struct store_answer *answer, struct fault *fault)
{
	for (int number = 0; number <= answer->pairs; number++) {
		/* Pair 0 warms up; pair 1 writes over what it measured. */
		struct store_pair *pair = &answer->pair[number == 0 ? 0 : number - 1];
		if (!progress_show("%u series: pair %d", plan->series, number)) {
			return fault_set(fault, "stopped");
		}
		for (int turn = 0; turn < 2; turn++) {
			bool done = turn == number % 2 ? run_hearth(outbox, target, plan->readings, &pair->hearth, fault)
			                               : run_bulk(target, plan, &pair->bulk, fault);
			if (!done) {
				return false;
			}
		}
	}
	return true;
}

static bool measure_sustained(const struct store_setup *setup, const struct store_target *target,
                              struct store_answer *answer, struct fault *fault)
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
	bool done = outbox != NULL && run_hearth(outbox, target, setup->sustained, &answer->sustained, fault);
	outbox_close(outbox);
	place_remove(folder);
	return done;
}

bool store_rate_measure(const struct store_setup *setup, const struct store_target *target, uint32_t series,
                        struct store_answer *answer, struct fault *fault)
{
	char folder[PATH_MAX];
	struct bulk_plan plan = {.readings = setup->readings, .series = series};
	*answer = (struct store_answer){.series = series, .pairs = setup->pairs};
	snprintf(folder, sizeof(folder), "%s/journal", setup->folder);
	if (!progress_show("%u series: filling a journal", series)) {
		return fault_set(fault, "stopped");
	}
	struct outbox *outbox = fill(folder, setup->readings, series, fault);
	bool done = outbox != NULL && find_best(setup, target, &plan, answer, fault) &&
	            measure_pairs(outbox, target, &plan, answer, fault);
	outbox_close(outbox);
	place_remove(folder);
	if (target->backend->with_beside) {
		done = done && store_beside_measure(target, &plan, &answer->beside, fault);
	}
	return done && measure_sustained(setup, target, answer, fault);
}
