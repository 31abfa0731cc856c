/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper: the thread that keeps the journal's files and the state file.
 *
 * A round: sync the journal, take what is new in it into the state file (keeper_carrier.h), trim, sample the gauges.
 *
 * Nothing is trimmed beyond a change that the state file refused: a config stays in the journal until the file has it,
 * restarts included. While the state is only in memory, nothing is trimmed beyond the first change that the file lacks; what
 * lies before it is, for the room that this makes may be what the file waits for.
 */
#include "keeper.h"

#include "keeper_carrier.h"
#include "keeper_reserve.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* While the disk refuses, try again so often. */
#define RETRY_MS 1000

/* So often it is seen that the state file was deleted, though nothing changes in it. */
#define CHECK_MS 2000

/* Of its quota, in percent: above the first the journal is told to fill up, below the second that is over. */
#define FILLING_PERCENT 80
#define CLEARED_PERCENT 70

/* What the history store has made durable is kept for so long, in case it falls back all the same. */
#define TRIM_BEHIND_MS 1000

struct outage {
	bool on;
	int64_t since_ms;
};

struct outage_words {
	const char *fails, *meanwhile, *works;
};

static const struct outage_words sync_words = {
	.fails = "The journal cannot be brought to the disk",
	.meanwhile = "Rules go on, and readings as long as there is room; make room on that disk",
	.works = "The journal is brought to the disk",
};

static const struct outage_words state_words = {
	.fails = "The state file cannot be written",
	.meanwhile = "Configs and switches that change wait in the journal",
	.works = "The state file is written",
};

struct keeper {
	struct keeper_options options;
	struct carrier carrier;
	pthread_t thread;
	atomic_bool stopping;
	struct outage sync_outage, state_outage;
	bool filling;           /* it was said */
	int64_t state_retry_ms; /* monotonic; no attempt before */
	int64_t state_check_ms;
	int64_t gauges_due_ms;
	uint64_t stored; /* what the history store had confirmed at stored_ms */
	int64_t stored_ms;
	struct reserve reserve;
};

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the thread ---- */

/* One notice when something fails, one when it works again. */
static void outage_note(const struct keeper *keeper, struct outage *outage, bool works,
                        const struct outage_words *words, const char *error)
{
	if (works == !outage->on)
		return;
	outage->on = !works;
	if (!works) {
		outage->since_ms = monotonic_ms();
		notice_post(keeper->options.notices, NOTICE_ERROR, "%s: %s. %s; trying again until it works.", words->fails,
		            error, words->meanwhile);
		return;
	}
	notice_post(keeper->options.notices, NOTICE_INFO, "%s again after %lld s.", words->works,
	            (long long)(monotonic_ms() - outage->since_ms) / 1000);
}

static void sync_journal(struct keeper *keeper)
{
	char error[256] = "";
	bool works = journal_sync(keeper->options.journal, error, sizeof error);
	outage_note(keeper, &keeper->sync_outage, works, &sync_words, error);
}

static void state_note(struct keeper *keeper, bool works)
{
	const char *news = state_news(keeper->options.state);
	if (news)
		notice_post(keeper->options.notices, NOTICE_ERROR, "%s", news);
	outage_note(keeper, &keeper->state_outage, works, &state_words, keeper->carrier.error);
}

/* Sees now and then that the state file is where it was, and finds out whether it can be written again. */
static bool mend_state(struct keeper *keeper, int64_t now_ms)
{
	struct state *state = keeper->options.state;
	if (state_saved(state) && now_ms < keeper->state_check_ms)
		return true;
	keeper->state_check_ms = now_ms + CHECK_MS;
	keeper->carrier.error = state_error(state);
	bool unread = state_unread(state);
	bool mended = state_mend(state);
	if (unread && !state_unread(state)) /* the file has a position of its own */
		carrier_displace(&keeper->carrier);
	return mended;
}

/* Takes in what is new in the journal. Returns true if there is more of it. */
static bool take_in(struct keeper *keeper)
{
	struct carrier *carrier = &keeper->carrier;

	bool mended = mend_state(keeper, monotonic_ms());
	enum carry_result result = carrier_step(carrier);
	bool works = mended && state_saved(keeper->options.state) && result != CARRY_FAILED;
	state_note(keeper, works);
	keeper->state_retry_ms = works && result != CARRY_UNREADABLE ? 0 : monotonic_ms() + RETRY_MS;
	return works && result == CARRY_MORE;
}

/* A reserve is for spare room; three quarters of the quota are for readings that wait. */
static bool has_room(const struct journal *journal)
{
	return journal_bytes(journal) < journal_quota(journal) / 4;
}

static void trim(struct keeper *keeper, int64_t now_ms)
{
	if (now_ms - keeper->stored_ms < keeper->options.trim_behind_ms)
		return;
	uint64_t stored = keeper->options.stored(keeper->options.context);
	uint64_t position = keeper->stored < stored ? keeper->stored : stored; /* it may have fallen back meanwhile */
	uint64_t passed = reserve_pass(&keeper->reserve, stored, keeper->options.reserve_ms, now_ms);
	if (keeper->options.reserve_ms > 0 && has_room(keeper->options.journal) && passed < position)
		position = passed;
	uint64_t saved = keeper->options.state ? state_safe(keeper->options.state, keeper->carrier.done) : 0;
	journal_trim(keeper->options.journal, position < saved ? position : saved);
	keeper->stored = stored;
	keeper->stored_ms = now_ms;
}

/* Tells in time that the journal will be full. */
static void watch_quota(struct keeper *keeper)
{
	uint64_t bytes = journal_bytes(keeper->options.journal), quota = journal_quota(keeper->options.journal);
	bool filling = quota > 0 && bytes >= quota / 100 * (keeper->filling ? CLEARED_PERCENT : FILLING_PERCENT);

	if (filling == keeper->filling)
		return;
	keeper->filling = filling;
	if (filling)
		notice_post(
			keeper->options.notices, NOTICE_ERROR,
			"The journal is %d %% full: %llu of %llu bytes wait to be stored. When it is full, readings are lost;"
			" rules go on. Make the history store work again, or set a larger plugin_opt_journal_max.",
			FILLING_PERCENT, (unsigned long long)bytes, (unsigned long long)quota);
	else
		notice_post(keeper->options.notices, NOTICE_INFO, "The journal is below %d %% again: %llu of %llu bytes.",
		            CLEARED_PERCENT, (unsigned long long)bytes, (unsigned long long)quota);
}

static void sample_gauges(struct keeper *keeper, int64_t now_ms)
{
	struct host_sample sample;
	if (now_ms < keeper->gauges_due_ms)
		return;
	host_take(keeper->options.host, &sample);
	mailbox_put(keeper->options.gauges, &sample);
	keeper->gauges_due_ms = now_ms + (int64_t)keeper->options.gauges_every_s * 1000;
}

static void wait_for_next_round(const struct keeper *keeper)
{
	int64_t wait_ms = keeper->gauges_due_ms - monotonic_ms();
	if (wait_ms > keeper->options.sync_ms)
		wait_ms = keeper->options.sync_ms;
	if (wait_ms > 0)
		journal_wait(keeper->options.journal, (int)wait_ms);
}

static void *keeper_main(void *argument)
{
	struct keeper *keeper = argument;
	bool more = false;

	if (keeper->options.state)
		state_note(keeper, state_saved(keeper->options.state));
	while (!atomic_load(&keeper->stopping)) {
		int64_t now_ms = monotonic_ms();
		sample_gauges(keeper, now_ms);
		sync_journal(keeper);
		if (keeper->options.state && now_ms >= keeper->state_retry_ms)
			more = take_in(keeper);
		trim(keeper, now_ms);
		watch_quota(keeper);
		if (!more)
			wait_for_next_round(keeper);
	}
	while (keeper->options.state && take_in(keeper))
		;
	carrier_close(&keeper->carrier);
	return NULL;
}

struct keeper *keeper_start(const struct keeper_options *options)
{
	sigset_t all, before;
	struct keeper *keeper = calloc(1, sizeof *keeper);
	if (!keeper)
		return NULL;
	keeper->options = *options;
	if (keeper->options.trim_behind_ms <= 0)
		keeper->options.trim_behind_ms = TRIM_BEHIND_MS;
	atomic_init(&keeper->stopping, false);
	keeper->stored_ms = monotonic_ms();
	keeper->gauges_due_ms = options->host && options->gauges_every_s > 0 ? keeper->stored_ms : INT64_MAX;
	keeper->carrier = carrier_of(options->journal, options->state);

	sigfillset(&all); /* signals are the broker's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&keeper->thread, NULL, keeper_main, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0)
		return keeper;
	free(keeper);
	return NULL;
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper)
		return;
	atomic_store(&keeper->stopping, true);
	journal_wake(keeper->options.journal);
	pthread_join(keeper->thread, NULL);
	free(keeper);
}
