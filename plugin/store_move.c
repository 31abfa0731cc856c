/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_move: see store_move.h.
 *
 * Everything is read in one order that does not change while nobody writes: series by name, and of each its readings, minutes
 * and hours by time. The new store holds under a name of its own how many of them it has, and moves that count in the
 * transaction that stores them; who begins again passes over as many. Minutes and hours are moved as they are, and not
 * reckoned once more, because readings that are too old are gone already.
 *
 * The brokers' own positions come last: a store with a broker's position is one that this broker has been moved to.
 */
#include "store_move.h"

#include "store_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOVER     "hearth/move" /* has a '/', as no broker's name can */
#define PART_ROWS 20000
#define PART_TEXT (1 << 20)

/* All of time, of which a year has four digits. */
static const struct store_span always = {INT64_MIN / 4, INT64_MAX / 4};

struct names {
	char **list;
	size_t count, room;
};

struct owner {
	char node[1024];
	struct store_position at;
};

struct owners {
	struct owner *list;
	size_t count;
};

struct mover {
	const struct store_move *move;
	struct store *from, *to;
	struct store_position at; /* how much the new store has */
	uint64_t before;          /* how much it had when this began */
	uint64_t seen;            /* how much was read */
	size_t series_done;
	struct names names;
	struct owners owners;
	int64_t series; /* in the new store, of what is being read */

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

static bool fail(struct mover *mover, const char *why)
{
	snprintf(mover->error, mover->error_size, "%s", why);
	mover->result = MOVE_FAILED;
	return false;
}

static bool fail_from(struct mover *mover)
{
	return fail(mover, mover->move->from_ops->error(mover->from));
}

static bool fail_to(struct mover *mover)
{
	return fail(mover, mover->move->to_ops->error(mover->to));
}

/* ---- what there is ---- */

static bool keep_name(void *context, struct slice topic)
{
	struct mover *mover = context;
	struct names *names = &mover->names;

	if (names->count == names->room) {
		size_t room = names->room > 0 ? 2 * names->room : 64;
		char **bigger = realloc(names->list, room * sizeof *bigger);
		if (!bigger)
			return fail(mover, "out of memory");
		names->list = bigger;
		names->room = room;
	}
	names->list[names->count] = strndup(topic.ptr, topic.len);
	if (!names->list[names->count])
		return fail(mover, "out of memory");
	names->count++;
	return true;
}

static bool keep_owner(void *context, struct slice node, const struct store_position *at)
{
	struct mover *mover = context;
	struct owners *owners = &mover->owners;

	if (slice_is(node, MOVER)) /* the old store was moved to once */
		return true;
	struct owner *bigger = realloc(owners->list, (owners->count + 1) * sizeof *bigger);
	if (!bigger)
		return fail(mover, "out of memory");
	owners->list = bigger;
	snprintf(bigger[owners->count].node, sizeof bigger->node, "%.*s", (int)node.len, node.ptr);
	bigger[owners->count++].at = *at;
	return true;
}

static bool look_around(struct mover *mover)
{
	const struct store_ops *ops = mover->move->from_ops;

	if (ops->list(mover->from, keep_name, mover) != STORE_OK ||
	    ops->positions(mover->from, keep_owner, mover) != STORE_OK)
		return fail_from(mover);
	return mover->result != MOVE_FAILED;
}

/* ---- the new store ---- */

static bool open_as(struct mover *mover, const char *node)
{
	struct store_place place = mover->move->to;

	place.node = node;
	mover->move->to_ops->close(mover->to);
	if (mover->move->to_ops->open(&place, &mover->to, mover->error, mover->error_size) == STORE_OK)
		return true;
	mover->result = MOVE_FAILED;
	return false;
}

/* Where the broker stands in the new store. */
static bool owner_position(struct mover *mover, const struct owner *owner, struct store_position *out)
{
	return open_as(mover, owner->node) &&
	       (mover->move->to_ops->position(mover->to, owner->at.journal, out) == STORE_OK || fail_to(mover));
}

/* *all: each has been moved to the new store already. */
static bool look_at_owners(struct mover *mover, bool *all)
{
	*all = mover->owners.count > 0;
	for (size_t i = 0; i < mover->owners.count; i++) {
		const struct owner *owner = &mover->owners.list[i];
		struct store_position at;
		if (!owner_position(mover, owner, &at))
			return false;
		if (at.journal == 0)
			*all = false;
		else if (at.journal != owner->at.journal || at.position < owner->at.position) {
			snprintf(
				mover->error, mover->error_size,
				"the new store has readings of broker %s already; wanted one that this broker was not started with",
				owner->node);
			mover->result = MOVE_FAILED;
			return false;
		}
	}
	return true;
}

/* Tells this old store from others: no two brokers' journals have one id. */
static uint64_t mark_of(const struct owners *owners)
{
	uint64_t mark = UINT64_C(0x6865617274686d76);

	for (size_t i = 0; i < owners->count; i++)
		mark ^= owners->list[i].at.journal;
	return mark > 0 ? mark : 1;
}

static bool begin_parts(struct mover *mover)
{
	struct store_position at;
	const uint64_t mark = mark_of(&mover->owners);

	if (!open_as(mover, MOVER))
		return false;
	if (mover->move->to_ops->position(mover->to, mark, &at) != STORE_OK)
		return fail_to(mover);
	if (at.journal != 0 && at.journal != mark)
		return fail(mover, "another store was moved to the new one before; wanted one for each");
	mover->at = at;
	mover->before = at.position;
	return true;
}

/* ---- parts ---- */

/* Stores what was gathered, and the count. */
static bool flush(struct mover *mover)
{
	const struct store_rollups given = {{mover->rollups[0], mover->rollups[1]},
	                                    {mover->rollup_count[0], mover->rollup_count[1]}};
	const struct store_batch batch = {.rows = mover->rows,
	                                  .count = mover->count,
	                                  .from = mover->at,
	                                  .to = {mark_of(&mover->owners), mover->seen},
	                                  .rollups = &given};
	size_t rejected;

	if (mover->seen <= mover->before || mover->seen == mover->at.position)
		return true;
	switch (mover->move->to_ops->write(mover->to, &batch, &rejected)) {
	case STORE_OK:
		break;
	case STORE_MOVED:
		return fail(mover, "somebody else uses the new store; wanted it for this alone");
	default:
		return fail_to(mover);
	}
	mover->at = batch.to;
	mover->count = mover->rollup_count[0] = mover->rollup_count[1] = 0;
	mover->text_len = 0;
	if (!mover->move->progress ||
	    mover->move->progress(mover->move->context, mover->series_done, mover->names.count, mover->seen))
		return true;
	mover->result = MOVE_STOPPED;
	return false;
}

/* Before something is kept; *wanted: it is not in the new store yet. False: no more. */
static bool take(struct mover *mover, bool *wanted)
{
	bool full = mover->count == PART_ROWS || mover->rollup_count[0] == PART_ROWS ||
	            mover->rollup_count[1] == PART_ROWS || mover->text_len > PART_TEXT - VALUE_TEXT_MAX;

	if (full && !flush(mover))
		return false;
	mover->seen++;
	*wanted = mover->seen > mover->before;
	return true;
}

static bool keep_row(void *context, struct slice topic, const struct store_row *row)
{
	struct mover *mover = context;
	bool wanted;

	(void)topic;
	if (!take(mover, &wanted))
		return false;
	if (!wanted)
		return true;
	struct store_row *kept = &mover->rows[mover->count++];
	*kept = *row;
	kept->series = mover->series;
	kept->value.text.ptr = mover->text + mover->text_len;
	memcpy(mover->text + mover->text_len, row->value.text.ptr, row->value.text.len);
	mover->text_len += row->value.text.len;
	return true;
}

static bool keep_rollup(void *context, const struct store_bucket *bucket)
{
	struct mover *mover = context;
	bool wanted;

	if (!take(mover, &wanted))
		return false;
	if (wanted)
		mover->rollups[mover->period][mover->rollup_count[mover->period]++] =
			(struct rollup){.series = mover->series,
		                    .time_us = bucket->time_us,
		                    .min = bucket->min,
		                    .avg = bucket->avg,
		                    .max = bucket->max,
		                    .count = bucket->count};
	return true;
}

static bool move_series(struct mover *mover, const char *name)
{
	const struct store_ops *from = mover->move->from_ops;
	struct topic topic;

	if (!topic_parse(slice_of(name), &topic))
		return fail(mover, "the old store has a series that is none of Hearth's");
	if (mover->move->to_ops->series(mover->to, &topic, &mover->series) != STORE_OK)
		return fail_to(mover);
	bool read = from->readings(mover->from, &topic, always, SIZE_MAX, keep_row, mover) == STORE_OK;
	for (mover->period = 0; read && mover->result == MOVE_DONE && mover->period < 2; mover->period++) {
		bool minutes = mover->period == 0;
		read = from->buckets(mover->from, &topic, minutes ? STORE_MINUTE : STORE_HOUR, always,
		                     minutes ? STORE_MINUTE_US : STORE_HOUR_US, keep_rollup, mover) == STORE_OK;
	}
	if (!read)
		return fail_from(mover);
	mover->series_done++;
	/* Its id is good only until the next failure, so nothing of it waits when that of the next is asked for. */
	return mover->result == MOVE_DONE && flush(mover);
}

static bool move_owners(struct mover *mover)
{
	for (size_t i = 0; i < mover->owners.count; i++) {
		const struct owner *owner = &mover->owners.list[i];
		struct store_position at;
		size_t rejected;
		if (!owner_position(mover, owner, &at))
			return false;
		const struct store_batch batch = {.from = at, .to = owner->at};
		if (at.journal == 0 && mover->move->to_ops->write(mover->to, &batch, &rejected) != STORE_OK)
			return fail_to(mover);
	}
	return true;
}

static bool move_all(struct mover *mover, bool *already)
{
	if (!look_around(mover) || !look_at_owners(mover, already) || !begin_parts(mover))
		return false;
	if (*already)
		return true;
	for (size_t i = 0; i < mover->names.count; i++) {
		if (!move_series(mover, mover->names.list[i]))
			return false;
	}
	return move_owners(mover);
}

static bool make_room(struct mover *mover)
{
	mover->rows = calloc(PART_ROWS, sizeof *mover->rows);
	mover->rollups[0] = calloc(PART_ROWS, sizeof *mover->rollups[0]);
	mover->rollups[1] = calloc(PART_ROWS, sizeof *mover->rollups[1]);
	mover->text = malloc(PART_TEXT);
	return (mover->rows && mover->rollups[0] && mover->rollups[1] && mover->text) || fail(mover, "out of memory");
}

enum move_result store_move(const struct store_move *move, uint64_t *rows, char *error, size_t error_size)
{
	struct mover mover = {.move = move, .result = MOVE_DONE, .error = error, .error_size = error_size};
	bool already = false;

	if (move->from_ops->open_to_read(&move->from, &mover.from, error, error_size) != STORE_OK)
		mover.result = MOVE_FAILED;
	else if (make_room(&mover))
		move_all(&mover, &already);
	*rows = mover.at.position;

	move->from_ops->close(mover.from);
	move->to_ops->close(mover.to);
	for (size_t i = 0; i < mover.names.count; i++)
		free(mover.names.list[i]);
	free(mover.names.list);
	free(mover.owners.list);
	free(mover.rows);
	free(mover.rollups[0]);
	free(mover.rollups[1]);
	free(mover.text);
	return mover.result;
}
