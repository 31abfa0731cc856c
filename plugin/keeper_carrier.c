/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper_carrier: see keeper_carrier.h; and keeper_catch_up.
 */
#include "keeper_carrier.h"

#include "keeper.h"
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Records looked at in one step, so that a long journal does not put off its sync. */
#define ROUND_RECORDS 100000

struct carrier carrier_of(struct journal *journal, struct state *state)
{
	return (struct carrier){.journal = journal,
	                        .state = state,
	                        .head_at_start = journal ? journal_head(journal) : 0,
	                        .error = state ? state_error(state) : ""};
}

void carrier_close(struct carrier *carrier)
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

void carrier_displace(struct carrier *carrier)
{
	carrier_close(carrier);
	carrier->placed = false;
	carrier->done = carrier->segment = carrier->recorded = 0;
}

/* Before the first change of a step: begins a transaction. */
static bool begin_changes(const struct carrier *carrier, uint64_t done, bool *changing)
{
	if (*changing)
		return true;
	/* In memory that costs nothing, and the journal may be trimmed up to the change itself. */
	if (!state_saved(carrier->state) && !commit_position(carrier, done))
		return false;
	*changing = state_begin(carrier->state);
	return *changing;
}

static bool carry_retained(const struct carrier *carrier, const struct journal_record *record, uint64_t done,
                           bool *changing)
{
	struct slice topic, payload, author;
	int64_t time_us;

	if (!record_get_retained(record->payload, record->len, &time_us, &topic, &payload, &author))
		return true;
	return begin_changes(carrier, done, changing) &&
	       state_put_retained(carrier->state, topic, payload, author, time_us);
}

static bool carry_documents(const struct carrier *carrier, const struct journal_record *record, uint64_t done,
                            bool *changing)
{
	struct record_documents documents;
	struct document document;
	int64_t time_us;

	if (!record_get_documents(record->payload, record->len, &time_us, &documents))
		return true;
	if (!begin_changes(carrier, done, changing))
		return false;
	while (record_next_document(&documents, &document)) {
		if (!state_put_document(carrier->state, &document, time_us))
			return false;
	}
	return true;
}

/* Takes a record into the state. What makes no sense is passed over: no later attempt would make any of it. */
static bool carry_one(const struct carrier *carrier, const struct journal_record *record, uint64_t done, bool *changing)
{
	switch (record->type) {
	case RECORD_RETAINED:
		return carry_retained(carrier, record, done, changing);
	case RECORD_DOCUMENTS:
		return carry_documents(carrier, record, done, changing);
	default:
		return true;
	}
}

/* Where the journal cannot be read the cursor is kept: it knows for how long it has tried. */
enum carry_result carrier_step(struct carrier *carrier)
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
