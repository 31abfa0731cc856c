/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer: the thread that carries readings from the journal to the history store.
 *
 * It gathers rows until the batch or the journal ends, and stores them and the position behind them in one transaction
 * by compare-and-set. What the store says is the only truth: after an error, or when the comparison is lost, the batch
 * is thrown away and reading begins again at the position that the store gives.
 *
 * A position counts as stored once the next compare-and-set or a later read has confirmed it: not every COMMIT that answered
 * OK has stored something. The journal may be trimmed up to it once the store has been made durable after that.
 */
#include "writer_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS           50
#define SYNC_EVERY_MS     2000
#define FOREIGN_MS        60000
#define SETTLE_MS         600000
#define UPKEEP_EVERY_MS   3600000
#define REJECTED_EVERY_MS 60000 /* so often it is told at most */
#define BACKOFF_FIRST_MS  250   /* a database in a local file that was locked is used again at once */
#define BACKOFF_MAX_MS    2000

static bool may_go_on(struct writer *writer)
{
	int64_t deadline_ms;
	if (!writer_is_stopping(writer, &deadline_ms))
		return true;
	return !writer_is_pausing(writer) && writer_clock_ms() < deadline_ms && (writer->store || writer->last_tries-- > 0);
}

/* ---- the store comes and goes ---- */

static void close_store(struct writer *writer)
{
	writer->ops->close(writer->store);
	writer->store = NULL;
	journal_cursor_free(writer->cursor);
	writer->cursor = NULL;
	meanings_unresolve(&writer->meanings);
}

void writer_lose_store(struct writer *writer, const char *why)
{
	if (!writer->outage) {
		notice_post(writer->notices, NOTICE_WARNING,
		            "The history store (%s) cannot be used: %s. Readings wait in the journal; trying again until it"
		            " works.",
		            writer->ops->scheme, why);
		writer->outage = true;
		writer->outage_rows = 0;
	}
	writer->place.attempt++; /* of several hosts, begin with another one */
	close_store(writer);
}

/* Called when nothing waits any more. */
static void end_outage(struct writer *writer)
{
	writer->backoff_ms = BACKOFF_FIRST_MS;
	if (!writer->outage || writer->unsynced)
		return;
	writer->outage = false;
	writer->rival = false;
	notice_post(writer->notices, NOTICE_INFO, "The history store (%s) works again: %llu waiting readings are stored.",
	            writer->ops->scheme, (unsigned long long)writer->outage_rows);
}

/*
 * The store had a position of ours, and now our node's is another journal's. Either somebody brought back a history from
 * before this journal, which is stored from its begin then; or another Hearth of the same name stores there, and then it
 * moves on before long. False: not now, and the store was closed.
 */
static bool take_over(struct writer *writer, const struct store_position *at)
{
	const struct store_position before = writer->foreign;
	const int64_t now_ms = writer_clock_ms();

	if (at->journal == before.journal && at->position == before.position) {
		if (now_ms - writer->foreign_since_ms >= writer->foreign_ms)
			return true;
	} else {
		writer->foreign = *at;
		writer->foreign_since_ms = now_ms;
	}
	bool moves = before.journal == at->journal && before.position != at->position;
	writer_lose_store(writer, "it holds another journal's position; seeing whether that moves");
	if (moves && !writer->rival) {
		notice_post(writer->notices, NOTICE_WARNING,
		            "The history store (%s) is written by another Hearth with the same plugin_opt_node (%s), which has"
		            " to be another.",
		            writer->ops->scheme, writer->place.node);
		writer->rival = true;
	}
	return false;
}

/* Begins to read where the store stands. */
static bool begin_at(struct writer *writer, const struct store_position *at)
{
	bool ours = at->journal == journal_id(writer->journal);

	if (!ours && at->journal != 0 && writer->owned && !take_over(writer, at))
		return false;
	if (ours)
		writer->foreign = (struct store_position){0, 0};
	/*
	 * Where the journal was put back from an older copy, the store is ahead of it. All that the journal holds is stored
	 * then, and the positions that follow are given once more, to records that are not.
	 */
	if (ours && !writer->owned && at->position > writer->head_at_start)
		writer->lost_position = at->position;
	writer->owned = writer->place.known = writer->owned || ours;

	writer->done = ours ? at->position : journal_begin(writer->journal);
	if (ours && at->position == writer->lost_position)
		writer->done = writer->head_at_start;
	writer->at = *at;
	writer->flushed = writer->done;
	writer->unconfirmed = false;
	writer->renaming.end = 0;
	writer_empty_batch(writer);
	meanings_unresolve(&writer->meanings); /* ids may have gone with what was rolled back */
	atomic_store(&writer->position, ours ? writer->done : 0);
	atomic_store(&writer->passed, 0);
	atomic_store(&writer->durable, 0); /* it may have fallen back */

	journal_cursor_free(writer->cursor);
	writer->cursor = journal_cursor_new(writer->journal, writer->done);
	if (!writer->cursor) {
		writer_lose_store(writer, "out of memory");
		return false;
	}
	return true;
}

/* Asks the store where it stands and begins there. */
static bool begin(struct writer *writer)
{
	struct store_position at;
	if (writer->ops->position(writer->store, journal_id(writer->journal), &at) != STORE_OK) {
		writer_lose_store(writer, writer->ops->error(writer->store));
		return false;
	}
	return begin_at(writer, &at);
}

static bool open_store(struct writer *writer)
{
	char error[400] = "";
	writer->upkeep.due_ms = 0; /* another database may be there now */
	if (writer->outage) {
		writer_wait(writer, writer->backoff_ms);
		writer->backoff_ms = writer->backoff_ms < BACKOFF_MAX_MS / 2 ? writer->backoff_ms * 2 : BACKOFF_MAX_MS;
	}
	if (writer->ops->open(&writer->place, &writer->store, error, sizeof error) != STORE_OK) {
		writer_lose_store(writer, error);
		return false;
	}
	return begin(writer);
}

/* ---- storing ---- */

/* Counts the batch, which is stored; what was stored before and got lost is not counted again. */
static void count_batch(struct writer *writer)
{
	size_t old = 0;
	while (old < writer->count && (uint64_t)writer->rows[old].seq < writer->counted)
		old++;
	atomic_fetch_add(&writer->stored, writer->count - old);
	if (writer->counted < writer->done)
		writer->counted = writer->done;
	writer->outage_rows += writer->count;
}

/* Refused rows are told now and then, the first at once. */
static void tell_rejected(struct writer *writer)
{
	const uint64_t rejected = atomic_load(&writer->rejected);
	const int64_t now_ms = writer_clock_ms();

	if (rejected == writer->rejected_told ||
	    (writer->rejected_told > 0 && now_ms - writer->rejected_told_ms < REJECTED_EVERY_MS))
		return;
	notice_post(
		writer->notices, NOTICE_ERROR,
		"The history store (%s) refuses %llu readings, which are kept in its table reading_reject; the last: %s.",
		writer->ops->scheme, (unsigned long long)(rejected - writer->rejected_told), writer->ops->error(writer->store));
	writer->rejected_told = rejected;
	writer->rejected_told_ms = now_ms;
}

/* Reads back what the last write left, and publishes it. False if reading has to begin again. */
static bool confirm(struct writer *writer)
{
	struct store_position at;
	if (!writer->unconfirmed)
		return true;
	if (writer->ops->position(writer->store, journal_id(writer->journal), &at) != STORE_OK) {
		writer_lose_store(writer, writer->ops->error(writer->store));
		return false;
	}
	if (at.journal != writer->at.journal || at.position != writer->at.position) {
		begin_at(writer, &at);
		return false;
	}
	writer->unconfirmed = false;
	atomic_store(&writer->position, at.position);
	return true;
}

/* The store holds all up to `to`. */
static void note_stored(struct writer *writer, const struct store_position *to)
{
	if (writer->unconfirmed) /* the comparison has confirmed it */
		atomic_store(&writer->position, writer->at.position);
	writer->at = *to;
	writer->done = writer->flushed = to->position;
	writer->unconfirmed = true;
	writer->moved = false;
	writer->backoff_ms = BACKOFF_FIRST_MS;
	writer->owned = writer->place.known = true;
	writer->lost_position = 0;
}

/* It has stored nothing of what it was given last. */
static void begin_again(struct writer *writer, enum store_result why)
{
	if (why == STORE_MOVED && !writer->moved) {
		writer->moved = true;
		begin(writer);
	} else {
		writer_lose_store(writer, writer->ops->error(writer->store));
	}
}

/* Stores the batch and moves the position. False if reading has to begin again. */
static bool flush(struct writer *writer)
{
	const struct store_position to = {journal_id(writer->journal), writer->done};
	const struct store_batch batch = {writer->rows, writer->count, writer->at, to, NULL};
	size_t rejected = 0;

	if (writer->done == writer->flushed)
		return true;
	enum store_result result = writer->ops->write(writer->store, &batch, &rejected);
	if (result != STORE_OK) {
		begin_again(writer, result);
		return false;
	}
	count_batch(writer);
	if (rejected > 0) {
		atomic_fetch_add(&writer->rejected, rejected);
		tell_rejected(writer);
	}
	note_stored(writer, &to);
	writer_empty_batch(writer);
	return true;
}

/* Renames the device that the journal has behind the batch, which is stored. False if reading has to begin again. */
static bool rename_device(struct writer *writer)
{
	const struct store_position to = {journal_id(writer->journal), writer->renaming.end};
	enum store_result result = writer_rename(writer);

	if (result != STORE_OK) {
		begin_again(writer, result);
		return false;
	}
	note_stored(writer, &to);
	writer->renaming.end = 0;
	return true;
}

/* Makes durable what is confirmed, now and then. False if reading has to begin again. */
static bool sync_sometimes(struct writer *writer)
{
	const uint64_t position = atomic_load(&writer->position);
	const int64_t now_ms = writer_clock_ms();

	if (position == atomic_load(&writer->durable) || now_ms - writer->synced_ms < writer->sync_every_ms)
		return true;
	writer->synced_ms = now_ms;
	if (writer->ops->sync(writer->store, writer->unsynced) != STORE_OK) {
		writer->unsynced = true;
		writer_lose_store(writer, writer->ops->error(writer->store));
		return false;
	}
	writer->unsynced = false;
	atomic_store(&writer->durable, position);
	return true;
}

static void *writer_main(void *argument)
{
	struct writer *writer = argument;
	int64_t deadline_ms;

	while (may_go_on(writer)) {
		if (writer_is_pausing(writer)) {
			close_store(writer);
			writer_rest(writer);
			continue;
		}
		if (!writer->store && !open_store(writer))
			continue;
		/* Asked before: what was appended before writer_stop is then gathered. */
		bool last = writer_is_stopping(writer, &deadline_ms);
		writer_look_after(writer, writer_clock_ms());
		uint64_t head = journal_head(writer->journal);
		enum gathered gathered = writer_gather(writer);
		if (gathered == GATHERED_FAILED || !flush(writer) || (gathered == GATHERED_RENAME && !rename_device(writer)) ||
		    !sync_sometimes(writer) || gathered == GATHERED_ENOUGH || gathered == GATHERED_RENAME || !confirm(writer))
			continue;
		if (gathered == GATHERED_ALL) {
			atomic_store(&writer->passed, head);
			atomic_store(&writer->waiting_since_us, 0);
			end_outage(writer);
		}
		if (last)
			break;
		writer_wait(writer, gathered == GATHERED_ALL ? POLL_MS : BACKOFF_MAX_MS);
	}
	close_store(writer);
	return NULL;
}

/* ---- start and stop ---- */

static void writer_free(struct writer *writer)
{
	meanings_clear(&writer->meanings);
	free(writer->rows);
	free(writer->text);
	pthread_cond_destroy(&writer->wake);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

struct writer *writer_start(const struct writer_options *options)
{
	pthread_condattr_t monotonic;
	sigset_t all, before;
	struct writer *writer = calloc(1, sizeof *writer);
	if (!writer)
		return NULL;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&writer->lock, NULL);
	writer->journal = options->journal;
	writer->ops = options->ops;
	writer->notices = options->notices;
	writer->place = options->place;
	writer->room = options->batch_rows > 0 ? options->batch_rows : WRITER_BATCH_ROWS;
	writer->rows = malloc(writer->room * sizeof *writer->rows);
	writer->text = malloc(WRITER_BATCH_TEXT);
	writer->head_at_start = journal_head(options->journal);
	writer->sync_every_ms = options->sync_every_ms > 0 ? options->sync_every_ms : SYNC_EVERY_MS;
	writer->foreign_ms = options->foreign_ms > 0 ? options->foreign_ms : FOREIGN_MS;
	writer->backoff_ms = BACKOFF_FIRST_MS;
	writer->last_tries = 1;
	writer->upkeep = (struct writer_upkeep){
		.settled_ms = writer_clock_ms() + (options->settle_ms > 0 ? options->settle_ms : SETTLE_MS),
		.keep_raw_days = options->keep_raw_days,
		.keep_minute_days = options->keep_minute_days,
		.every_ms = options->upkeep_every_ms > 0 ? options->upkeep_every_ms : UPKEEP_EVERY_MS,
	};
	if (!writer->rows || !writer->text)
		goto fail;

	sigfillset(&all); /* signals are the broker's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&writer->thread, NULL, writer_main, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0)
		return writer;

fail:
	writer_free(writer);
	return NULL;
}

void writer_stop(struct writer *writer, int drain_ms)
{
	if (!writer)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	writer->deadline_ms = writer_clock_ms() + drain_ms;
	pthread_cond_broadcast(&writer->wake);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	writer_free(writer);
}

uint64_t writer_stored(const struct writer *writer)
{
	return atomic_load(&writer->stored);
}

uint64_t writer_rejected(const struct writer *writer)
{
	return atomic_load(&writer->rejected);
}

uint64_t writer_durable(const struct writer *writer)
{
	return atomic_load(&writer->durable);
}

uint64_t writer_position(const struct writer *writer)
{
	return atomic_load(&writer->position);
}

uint64_t writer_passed(const struct writer *writer)
{
	return atomic_load(&writer->passed);
}

int64_t writer_waiting_since_us(const struct writer *writer)
{
	return atomic_load(&writer->waiting_since_us);
}
