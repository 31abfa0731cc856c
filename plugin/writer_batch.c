/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_batch: from the journal into a batch of rows for the store. The rows' texts are copied, since a record's memory
 * goes with the next record.
 */
#include "record.h"
#include "writer_internal.h"

#include <errno.h>
#include <string.h>

/* So much journal without a reading moves the position all the same, so that it can be trimmed. */
#define PASS_OVER_MAX (1 << 20)

void writer_empty_batch(struct writer *writer)
{
	writer->count = 0;
	writer->text_len = 0;
	writer->dated = false;
}

/* False if there is no memory. */
static bool define_series(struct writer *writer, const struct journal_record *record)
{
	uint32_t number;
	struct slice name;
	if (!record_get_series(record->payload, record->len, &number, &name) ||
	    meanings_define(&writer->meanings, number, name, record->segment))
		return true;
	writer_lose_store(writer, "out of memory");
	return false;
}

/* Adds a reading to the batch, which has room for it. False if the store failed. */
static bool add_row(struct writer *writer, const struct journal_record *record)
{
	uint32_t number;
	int64_t time_us;
	bool device_time;
	struct value value;
	if (!record_get_reading(record->payload, record->len, &number, &time_us, &device_time, &value))
		return true;
	if (!device_time && !writer->dated) {
		atomic_store(&writer->waiting_since_us, time_us);
		writer->dated = true;
	}

	struct topic topic;
	struct meaning *meaning = meanings_find(&writer->meanings, number, record->segment);
	bool known = meaning && meaning->resolved;
	if (!known && !(meaning && topic_parse((struct slice){meaning->name, meaning->len}, &topic))) {
		if (writer->nameless_segment != record->segment)
			notice_post(writer->notices, NOTICE_ERROR,
			            "The journal segment at %llu has readings of a series it does not name; they are left out.",
			            (unsigned long long)record->segment);
		writer->nameless_segment = record->segment;
		return true;
	}
	if (!known) {
		if (writer->ops->series(writer->store, &topic, &meaning->id) != STORE_OK) {
			writer_lose_store(writer, writer->ops->error(writer->store));
			return false;
		}
		meaning->resolved = true;
	}

	if (value.text.len > 0) { /* the record's memory goes with the next one */
		char *copy = writer->text + writer->text_len;
		memcpy(copy, value.text.ptr, value.text.len);
		writer->text_len += value.text.len;
		value.text.ptr = copy;
	}
	writer->rows[writer->count++] = (struct store_row){meaning->id, time_us, (int64_t)record->position, value};
	return true;
}

/* Notes what a device is to be called, unless the record is of no use. */
static bool note_renaming(struct writer *writer, const struct journal_record *record)
{
	struct writer_renaming *renaming = &writer->renaming;
	struct slice from, to, location, device;
	int64_t time_us;

	if (!record_get_renamed(record->payload, record->len, &time_us, &from, &to) ||
	    !record_split_device(from, &location, &device) || !record_split_device(to, &location, &device) ||
	    slice_equal(from, to))
		return false;
	memcpy(renaming->from, from.ptr, from.len);
	memcpy(renaming->to, to.ptr, to.len);
	renaming->from_len = from.len;
	renaming->to_len = to.len;
	renaming->end = record->end;
	return true;
}

/* One line when the journal cannot be read, one when it can be again. */
static void tell_readable(struct writer *writer, bool readable, const char *why)
{
	if (readable != writer->unreadable)
		return;
	writer->unreadable = !readable;
	if (readable)
		notice_post(writer->notices, NOTICE_INFO, "The journal can be read again.");
	else
		notice_post(writer->notices, NOTICE_ERROR,
		            "The journal cannot be read: %s. Readings wait in it; trying again until it works.", why);
}

enum gathered writer_gather(struct writer *writer)
{
	while (writer->count < writer->room && writer->text_len + VALUE_TEXT_MAX <= WRITER_BATCH_TEXT) {
		struct journal_record record;
		enum journal_next next = journal_next(writer->cursor, &record);
		if (next == JOURNAL_END)
			return GATHERED_ALL;
		if (next == JOURNAL_FAILED) {
			tell_readable(writer, false, strerror(errno));
			return GATHERED_BLOCKED;
		}
		tell_readable(writer, true, NULL);
		if (next == JOURNAL_RECORD && record.type == RECORD_SERIES && !define_series(writer, &record))
			return GATHERED_FAILED;
		if (record.end <= writer->done)
			continue;
		if (next == JOURNAL_DAMAGED)
			notice_post(writer->notices, NOTICE_ERROR,
			            "The journal is damaged: %llu bytes at position %llu cannot be read; what they held is lost.",
			            (unsigned long long)(record.end - record.position), (unsigned long long)record.position);
		else if (record.type == RECORD_READING && !add_row(writer, &record))
			return GATHERED_FAILED;
		if (next == JOURNAL_RECORD && record.type == RECORD_RENAMED && note_renaming(writer, &record))
			return GATHERED_RENAME;
		writer->done = record.end;
		if (writer->count == 0 && writer->done - writer->flushed >= PASS_OVER_MAX)
			return GATHERED_ENOUGH;
	}
	return GATHERED_ENOUGH;
}
