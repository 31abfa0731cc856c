/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper: the thread that keeps the journal's files and the state file.
 *
 * A round: sync the journal, take its new RECORD_RETAINED records into the state file, trim, sample the gauges. The
 * state file is only written when there is something to record, or once a segment, so that the next start need not read
 * the whole journal again.
 *
 * A change that the state file refused is not passed over: the round ends before it, the next one tries it again, and
 * nothing is trimmed beyond. So a config stays in the journal until the state file has it, restarts included. While the
 * state is only in memory, nothing is trimmed beyond the first change that the file lacks; what lies before it is, for the
 * room that this makes may be what the file waits for.
 */
#include "keeper.h"

#include "keeper_reserve.h"
#include "record.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Records looked at in one round, so that a long journal does not put off the sync. */
#define ROUND_RECORDS 100000

/* While the disk refuses, try again so often. */
#define RETRY_MS 1000

/* So often it is seen that the state file was deleted, though nothing changes in it. */
#define CHECK_MS 2000

/* Of its quota, in percent: above the first the journal is told to fill up, below the second that is over. */
#define FILLING_PERCENT 80
#define CLEARED_PERCENT 70

/* What the history store has made durable is kept for so long, in case it falls back all the same. */
#define TRIM_BEHIND_MS 1000

/* The way of RECORD_RETAINED records from the journal into the state file. */
struct carrier {
	struct journal *journal;
	struct state *state;
	uint64_t head_at_start;        /* of the journal, before this run appended to it */
	bool placed;                   /* `done` is known */
	struct journal_cursor *cursor; /* NULL: to be made at `done` */
	uint64_t done;                 /* every change that ends at or before it has been taken in */
	uint64_t segment;              /* of the last record */
	uint64_t recorded;             /* the segment in which the state file's own position lies */
	const char *error;             /* why the last step failed */
	int unreadable;                /* errno of the journal, if that is why it ended */
};

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

/* ---- carrying ---- */

/* No other thread may append to the journal yet. */
static struct carrier carrier_of(struct journal *journal, struct state *state)
{
	return (struct carrier){.journal = journal,
	                        .state = state,
	                        .head_at_start = journal ? journal_head(journal) : 0,
	                        .error = state ? state_error(state) : ""};
}

static void carrier_close(struct carrier *carrier)
{
	journal_cursor_free(carrier->cursor);
	carrier->cursor = NULL;
}

static bool commit_position(const struct carrier *carrier, uint64_t done)
{
	return state_begin(carrier->state) && state_commit(carrier->state, journal_id(carrier->journal), done);
}

/* Begins where the state stands. */
static bool carrier_place(struct carrier *carrier)
{
	uint64_t done;

	if (!state_position(carrier->state, journal_id(carrier->journal), &done))
		return false;
	/* A loss of power, or an older copy, took the journal's end: the positions that follow are given once more. */
	if (done > carrier->head_at_start) {
		done = carrier->head_at_start;
		if (!commit_position(carrier, done))
			return false;
	}
	carrier->done = done;
	carrier->placed = true;
	return true;
}

/* It is to be placed anew. */
static void carrier_displace(struct carrier *carrier)
{
	carrier_close(carrier);
	carrier->placed = false;
	carrier->done = carrier->segment = carrier->recorded = 0;
}

enum carry_result { CARRY_END, CARRY_MORE, CARRY_FAILED, CARRY_UNREADABLE };

/* Takes a record into the state; the first of a step begins a transaction. */
static bool carry_one(struct carrier *carrier, const struct journal_record *record, uint64_t done, bool *changing)
{
	struct slice topic, payload;
	int64_t time_us;

	if (record->type != RECORD_RETAINED ||
	    !record_get_retained(record->payload, record->len, &time_us, &topic, &payload))
		return true;
	/* In memory that costs nothing, and the journal may be trimmed up to the change itself. */
	if (!*changing && !state_saved(carrier->state) && !commit_position(carrier, done))
		return false;
	if (!*changing && !state_begin(carrier->state))
		return false;
	*changing = true;
	return state_put_retained(carrier->state, topic, payload, time_us);
}

/*
 * Takes in up to ROUND_RECORDS records. A change that fails leaves the state file and `done` as they were. Where the journal
 * cannot be read the cursor is kept: it knows for how long it has tried.
 */
static enum carry_result carrier_step(struct carrier *carrier)
{
	enum carry_result result = CARRY_MORE;
	bool changing = false; /* a transaction is open */

	carrier->error = state_error(carrier->state);
	if (!carrier->placed && !carrier_place(carrier))
		return CARRY_FAILED;
	uint64_t done = carrier->done;
	if (!carrier->cursor)
		carrier->cursor = journal_cursor_new(carrier->journal, done);
	if (!carrier->cursor) {
		carrier->error = "out of memory";
		return CARRY_FAILED;
	}

	for (int i = 0; i < ROUND_RECORDS; i++) {
		struct journal_record record;
		enum journal_next next = journal_next(carrier->cursor, &record);
		if (next == JOURNAL_END) {
			result = CARRY_END;
			break;
		}
		if (next == JOURNAL_FAILED) {
			carrier->unreadable = errno;
			result = CARRY_UNREADABLE;
			break;
		}
		if (record.end <= done)
			continue;
		if (next == JOURNAL_RECORD) { /* damage is the writer's to report */
			carrier->segment = record.segment;
			if (!carry_one(carrier, &record, done, &changing))
				goto fail;
		}
		done = record.end;
	}

	if (!changing && carrier->segment == carrier->recorded) {
		carrier->done = done;
		return result;
	}
	if (!changing) /* it only spares the next start some reading, so a failure does not hold up the trimming */
		carrier->done = done;
	if (!changing && !state_begin(carrier->state))
		return CARRY_FAILED;
	if (!state_commit(carrier->state, journal_id(carrier->journal), done))
		goto fail;
	carrier->done = done;
	carrier->recorded = carrier->segment;
	return result;

fail:
	carrier_close(carrier);
	return CARRY_FAILED;
}

static enum carry_result carry_all(struct journal *journal, struct state *state, char *error, size_t error_size)
{
	struct carrier carrier = carrier_of(journal, state);
	enum carry_result result;

	do
		result = carrier_step(&carrier);
	while (result == CARRY_MORE);
	if (result == CARRY_FAILED)
		snprintf(error, error_size, "%s", carrier.error);
	if (result == CARRY_UNREADABLE)
		snprintf(error, error_size, "the journal cannot be read: %s", strerror(carrier.unreadable));
	carrier_close(&carrier);
	return result;
}

bool keeper_catch_up(struct journal *journal, struct state *state, char *error, size_t error_size)
{
	enum carry_result result = carry_all(journal, state, error, error_size);
	bool again = result == CARRY_UNREADABLE || (result == CARRY_FAILED && state_saved(state) && state_detach(state));

	if (again)
		result = carry_all(journal, state, error, error_size);
	return result == CARRY_END;
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
