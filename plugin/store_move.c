/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_move: see store_move.h.
 *
 * Everything is read in one order that does not change while nobody writes: series by name, and of each the series itself, its
 * readings, minutes and hours by time. The new store holds under a name of its own how many of them it has, and moves that
 * count in the transaction that stores them; who begins again passes over as many. Minutes and hours are moved as they
 * are, and not reckoned once more, because readings that are too old are gone already.
 *
 * That count is a position like a broker's. In place of a journal's id it has a mark of the old store as it is, whose last bit
 * says whether all parts are there. Only then the brokers' own positions are moved: before, a broker that has one was started
 * with the new store, which then has readings twice or will have; afterwards it goes on where it was.
 *
 * Nothing is written while an answer is being read: a server that waits for its reader too long would end it.
 */
#include "store_move.h"

#include "store_batch.h"
#include "store_move_source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE_ROWS 10000
#define PAGE_TEXT (1 << 20) /* more than one text */

/* All of time, of which a year has four digits. */
static const struct store_span always = {INT64_MIN / 4, INT64_MAX / 4};

struct mover {
	const struct store_move *move;
	struct store *from, *to;
	struct move_source source;
	struct store_position at; /* how much the new store has */
	uint64_t before;          /* how much it had when this began */
	uint64_t seen;            /* how much was read */
	size_t series_done;

	/* What is being read: a page of one series. */
	int64_t series;         /* its id in the new store */
	struct store_span rest; /* what was not read yet, but for so many rows of its first instant: */
	size_t same, skip;      /* .. and those that are still to come once more */
	size_t read;            /* of this page */
	bool full;              /* there may be another page */

	/* What waits to be stored: no more than a page of each kind. */
	struct store_row *rows;
	struct rollup *rollups[2]; /* minutes, hours */
	size_t count, rollup_count[2];
	char *text;
	size_t text_len;
	size_t period; /* of the rollups that are being read: 0 minutes, 1 hours */

	enum move_result result;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct mover *mover, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(mover->error, mover->error_size, format, arguments);
	va_end(arguments);
	mover->result = MOVE_FAILED;
	return false;
}

static bool fail_from(struct mover *mover)
{
	return fail(mover, "%s", mover->move->from_ops->error(mover->from));
}

static bool fail_to(struct mover *mover)
{
	return fail(mover, "%s", mover->move->to_ops->error(mover->to));
}

/* ---- the new store ---- */

/* Opens it in the name of a node, and says where that node's journal stands there. */
static bool open_as(struct mover *mover, const char *node, uint64_t journal, struct store_position *at)
{
	const struct store_ops *ops = mover->move->to_ops;
	struct store_place place = mover->move->to;

	place.node = node;
	ops->close(mover->to);
	if (ops->open(&place, &mover->to, mover->error, mover->error_size) != STORE_OK) {
		mover->result = MOVE_FAILED;
		return false;
	}
	return ops->position(mover->to, journal, at) == STORE_OK || fail_to(mover);
}

static bool write_batch(struct mover *mover, const struct store_batch *batch)
{
	size_t rejected;

	switch (mover->move->to_ops->write(mover->to, batch, &rejected)) {
	case STORE_OK:
		return true;
	case STORE_MOVED:
		return fail(mover, "somebody else writes to the new store; wanted it for this alone");
	default:
		return fail_to(mover);
	}
}

/* No broker was started with it yet. */
static bool check_owners(struct mover *mover)
{
	for (size_t i = 0; i < mover->source.owner_count; i++) {
		const struct move_owner *owner = &mover->source.owners[i];
		struct store_position at;
		if (!open_as(mover, owner->node, owner->at.journal, &at))
			return false;
		if (at.journal != 0)
			return fail(mover,
			            "the new store has readings of broker \"%s\" already; wanted one that this broker was not"
			            " started with",
			            owner->node);
	}
	return true;
}

/* Has the new store make room as for a broker; what it has no right to now is done once a broker runs. */
static void prepare(struct mover *mover)
{
	const struct store_keep all = {.now_us = (int64_t)time(NULL) * 1000000};
	bool more = true;

	while (more && mover->move->to_ops->upkeep(mover->to, &all, &more) == STORE_OK)
		;
}

/* Sees how much the new store has. */
static bool begin(struct mover *mover)
{
	struct store_position at;

	if (!open_as(mover, MOVE_NODE, mover->source.marks[PARTS], &at))
		return false;
	if (at.journal != 0 && at.journal != mover->source.marks[PARTS] && at.journal != mover->source.marks[THERE])
		return fail(mover, "another history was moved to the new store before, or this one and it was written to since;"
		                   " wanted a new one for each");
	if (at.journal == 0)
		prepare(mover);
	if (at.journal != mover->source.marks[THERE] &&
	    (!check_owners(mover) || !open_as(mover, MOVE_NODE, mover->source.marks[PARTS], &at)))
		return false;
	mover->at = at;
	mover->before = at.position;
	return true;
}

/* ---- parts ---- */

/* Stores what waits, and the count. */
static bool flush(struct mover *mover)
{
	const struct store_rollups given = {{mover->rollups[0], mover->rollups[1]},
	                                    {mover->rollup_count[0], mover->rollup_count[1]}};
	const struct store_batch batch = {.rows = mover->rows,
	                                  .count = mover->count,
	                                  .from = mover->at,
	                                  .to = {mover->source.marks[PARTS], mover->seen},
	                                  .rollups = &given};

	if (mover->seen <= mover->at.position)
		return true;
	if (!write_batch(mover, &batch))
		return false;
	mover->at = batch.to;
	mover->count = mover->rollup_count[0] = mover->rollup_count[1] = 0;
	mover->text_len = 0;
	if (!mover->move->progress ||
	    mover->move->progress(mover->move->context, mover->series_done, mover->source.name_count, mover->seen))
		return true;
	mover->result = MOVE_STOPPED;
	return false;
}

/* Counts what is read next. True: the new store does not have it yet. */
static bool count_one(struct mover *mover)
{
	mover->full = ++mover->read == PAGE_ROWS;
	return ++mover->seen > mover->before;
}

static bool keep_row(void *context, struct slice topic, const struct store_row *row)
{
	struct mover *mover = context;
	const struct slice text = row->value.text;

	if (mover->skip > 0) {
		mover->skip--;
		return true;
	}
	if (text.len > VALUE_TEXT_MAX)
		return fail(mover, "%.*s has a text of more than %d bytes, which is none of Hearth's; wanted it removed",
		            (int)topic.len, topic.ptr, VALUE_TEXT_MAX);
	mover->full = text.len > PAGE_TEXT - mover->text_len;
	if (mover->full)
		return false;
	mover->same = row->time_us == mover->rest.from_us ? mover->same + 1 : 1;
	mover->rest.from_us = row->time_us;
	if (count_one(mover)) {
		struct store_row *kept = &mover->rows[mover->count++];
		*kept = *row;
		kept->series = mover->series;
		kept->value.text.ptr = mover->text + mover->text_len;
		if (text.len > 0)
			memcpy(mover->text + mover->text_len, text.ptr, text.len);
		mover->text_len += text.len;
	}
	return !mover->full;
}

static bool keep_rollup(void *context, const struct store_bucket *bucket)
{
	struct mover *mover = context;

	mover->rest.from_us = bucket->time_us + 1;
	if (count_one(mover))
		mover->rollups[mover->period][mover->rollup_count[mover->period]++] =
			(struct rollup){.series = mover->series,
		                    .time_us = bucket->time_us,
		                    .min = bucket->min,
		                    .avg = bucket->avg,
		                    .max = bucket->max,
		                    .count = bucket->count};
	return !mover->full;
}

static bool read_readings(struct mover *mover, const struct topic *topic)
{
	const struct store_ops *ops = mover->move->from_ops;

	mover->skip = mover->same;
	return ops->readings(mover->from, topic, mover->rest, PAGE_ROWS + mover->same, keep_row, mover) == STORE_OK;
}

static bool read_rollups(struct mover *mover, const struct topic *topic)
{
	const struct store_ops *ops = mover->move->from_ops;
	const bool minutes = mover->period == 0;

	return ops->buckets(mover->from, topic, minutes ? STORE_MINUTE : STORE_HOUR, mover->rest,
	                    minutes ? STORE_MINUTE_US : STORE_HOUR_US, keep_rollup, mover) == STORE_OK;
}

/* Reads all there is by `read_page`, and stores all but what waits in the end. */
static bool move_pages(struct mover *mover, const struct topic *topic,
                       bool (*read_page)(struct mover *mover, const struct topic *topic))
{
	mover->rest = always;
	mover->same = 0;
	do {
		mover->read = 0;
		mover->full = false;
		bool read = read_page(mover, topic);
		if (mover->result != MOVE_DONE)
			return false;
		if (!read)
			return fail_from(mover);
	} while (mover->full && flush(mover));
	return mover->result == MOVE_DONE;
}

static bool move_series(struct mover *mover, const char *name)
{
	struct topic topic;

	if (!topic_parse(slice_of(name), &topic))
		return fail(mover, "the old store has a series %s, which is none of Hearth's; wanted it removed", name);
	if (mover->move->to_ops->series(mover->to, &topic, &mover->series) != STORE_OK)
		return fail_to(mover);
	mover->seen++; /* so that there is a batch for it even if it has no readings */
	if (!move_pages(mover, &topic, read_readings))
		return false;
	for (mover->period = 0; mover->period < 2; mover->period++)
		if (!move_pages(mover, &topic, read_rollups))
			return false;
	mover->series_done++;
	return flush(mover);
}

static bool move_parts(struct mover *mover)
{
	for (size_t i = 0; i < mover->source.name_count; i++)
		if (!move_series(mover, mover->source.names[i]))
			return false;
	if (mover->seen < mover->before)
		return fail(mover, "the old store has lost readings since some of it was moved; wanted an empty new one");
	const struct store_batch all = {.from = mover->at, .to = {mover->source.marks[THERE], mover->seen}};
	if (!write_batch(mover, &all))
		return false;
	mover->at = all.to;
	return true;
}

static bool move_owners(struct mover *mover)
{
	for (size_t i = 0; i < mover->source.owner_count; i++) {
		const struct move_owner *owner = &mover->source.owners[i];
		struct store_position at;
		if (!open_as(mover, owner->node, owner->at.journal, &at))
			return false;
		const struct store_batch batch = {.from = at, .to = owner->at};
		if (at.journal == 0 && !write_batch(mover, &batch))
			return false;
	}
	return true;
}

static bool move_all(struct mover *mover)
{
	if (!move_source_look(&mover->source, mover->move->from_ops, mover->from, mover->error, mover->error_size)) {
		mover->result = MOVE_FAILED;
		return false;
	}
	if (!begin(mover))
		return false;
	if (mover->at.journal != mover->source.marks[THERE] && !move_parts(mover))
		return false;
	/* The old store may be removed when this has said that all is done. */
	return move_owners(mover) && (mover->move->to_ops->sync(mover->to, false) == STORE_OK || fail_to(mover));
}

static bool make_room(struct mover *mover)
{
	mover->rows = calloc(PAGE_ROWS, sizeof *mover->rows);
	mover->rollups[0] = calloc(PAGE_ROWS, sizeof *mover->rollups[0]);
	mover->rollups[1] = calloc(PAGE_ROWS, sizeof *mover->rollups[1]);
	mover->text = malloc(PAGE_TEXT);
	return (mover->rows && mover->rollups[0] && mover->rollups[1] && mover->text) || fail(mover, "out of memory");
}

enum move_result store_move(const struct store_move *move, uint64_t *rows, char *error, size_t error_size)
{
	struct mover mover = {.move = move, .result = MOVE_DONE, .error = error, .error_size = error_size};
	struct store_place from = move->from;

	from.node = MOVE_NODE;
	if (move->from_ops->open_to_read(&from, &mover.from, error, error_size) != STORE_OK)
		mover.result = MOVE_FAILED;
	else if (make_room(&mover))
		move_all(&mover);
	*rows = mover.at.position;

	move->from_ops->close(mover.from);
	move->to_ops->close(mover.to);
	move_source_free(&mover.source);
	free(mover.rows);
	free(mover.rollups[0]);
	free(mover.rollups[1]);
	free(mover.text);
	return mover.result;
}
