/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_text: see journal_text.h.
 */
#include "journal_text.h"

#include "record.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_MAX 4096 /* most that a test's journal may define */

struct instant instant_at(int64_t ms)
{
	return (struct instant){.wall_us = START_US + ms * 1000, .mono_ms = START_MS + ms};
}

/* One record, read. */
struct entry {
	uint8_t type;
	uint32_t number;
	int64_t time_us;
	struct slice topic;
	struct value value;   /* of a reading */
	struct slice payload; /* of a retained message */
	struct slice author;
	struct record_documents documents;
};

typedef void (*visitor)(const struct entry *entry, void *context);

/* The names that the current segment gave to series numbers. */
struct names {
	uint64_t segment;
	char *name[SERIES_MAX];
};

static void names_forget(struct names *names)
{
	for (size_t i = 0; i < SERIES_MAX; i++) {
		free(names->name[i]);
		names->name[i] = NULL;
	}
}

static void entry_read(const struct journal_record *record, struct names *names, struct entry *entry)
{
	*entry = (struct entry){.type = record->type};
	switch (record->type) {
	case RECORD_SERIES:
		assert_true(record_get_series(record->payload, record->len, &entry->number, &entry->topic));
		assert_in_range(entry->number, 0, SERIES_MAX - 1);
		assert_null(names->name[entry->number]); /* once in a segment */
		names->name[entry->number] = strndup(entry->topic.ptr, entry->topic.len);
		return;
	case RECORD_READING:
		assert_true(
			record_get_reading(record->payload, record->len, &entry->number, &entry->time_us, NULL, &entry->value));
		assert_in_range(entry->number, 0, SERIES_MAX - 1);
		assert_non_null(names->name[entry->number]);
		entry->topic = slice_of(names->name[entry->number]);
		return;
	case RECORD_RETAINED:
		assert_true(record_get_retained(record->payload, record->len, &entry->time_us, &entry->topic, &entry->payload,
		                                &entry->author));
		return;
	case RECORD_DOCUMENTS:
		assert_true(record_get_documents(record->payload, record->len, &entry->time_us, &entry->documents));
		return;
	default:
		fail_msg("a record of type %d", record->type);
	}
}

static void each_entry(struct journal *journal, visitor visit, void *context)
{
	static struct names names;
	struct journal_record record;
	struct journal_cursor *cursor = journal_cursor_new(journal, 0);
	enum journal_next next;

	assert_non_null(cursor);
	while ((next = journal_next(cursor, &record)) == JOURNAL_RECORD) {
		struct entry entry;
		if (record.segment != names.segment)
			names_forget(&names);
		names.segment = record.segment;
		entry_read(&record, &names, &entry);
		visit(&entry, context);
	}
	assert_int_equal(next, JOURNAL_END);
	names_forget(&names);
	journal_cursor_free(cursor);
}

/* ---- as text ---- */

struct writing {
	FILE *out;
	const char *topic; /* only this one's readings */
	const char *between;
};

static long long ms_of(int64_t time_us)
{
	return (time_us - START_US) / 1000;
}

static void write_documents(FILE *out, const struct entry *entry)
{
	struct record_documents documents = entry->documents;
	struct document document;

	fprintf(out, "documents");
	while (record_next_document(&documents, &document))
		fprintf(out, " %.*s=%.*s", (int)document.name.len, document.name.ptr, (int)document.body.len,
		        document.body.ptr);
	fprintf(out, " @%lld\n", ms_of(entry->time_us));
}

static void write_entry(const struct entry *entry, void *context)
{
	const struct writing *writing = context;
	char number[NUMBER_TEXT_MAX];
	struct slice value = value_print(&entry->value, number);

	if (entry->type == RECORD_SERIES)
		fprintf(writing->out, "series %.*s\n", (int)entry->topic.len, entry->topic.ptr);
	else if (entry->type == RECORD_READING)
		fprintf(writing->out, "%.*s %.*s @%lld\n", (int)entry->topic.len, entry->topic.ptr, (int)value.len, value.ptr,
		        ms_of(entry->time_us));
	else if (entry->type == RECORD_DOCUMENTS)
		write_documents(writing->out, entry);
	else
		fprintf(writing->out, "retained %.*s=%.*s%s%.*s @%lld\n", (int)entry->topic.len, entry->topic.ptr,
		        (int)entry->payload.len, entry->payload.ptr, entry->author.len > 0 ? " by " : "",
		        (int)entry->author.len, entry->author.ptr, ms_of(entry->time_us));
}

static void write_reading(const struct entry *entry, void *context)
{
	struct writing *writing = context;
	char number[NUMBER_TEXT_MAX];
	if (entry->type != RECORD_READING || !slice_is(entry->topic, writing->topic))
		return;
	struct slice value = value_print(&entry->value, number);
	fprintf(writing->out, "%s%.*s@%lld", writing->between, (int)value.len, value.ptr, ms_of(entry->time_us));
	writing->between = " ";
}

static void write_retained(const struct entry *entry, void *context)
{
	struct writing *writing = context;
	if (entry->type != RECORD_RETAINED)
		return;
	fprintf(writing->out, "%s%.*s=%.*s", writing->between, (int)entry->topic.len, entry->topic.ptr,
	        (int)entry->payload.len, entry->payload.ptr);
	writing->between = "; ";
}

static const char *text_of(struct journal *journal, visitor visit, const char *topic)
{
	static char *text;
	size_t size;
	free(text);
	struct writing writing = {open_memstream(&text, &size), topic, ""};
	assert_non_null(writing.out);
	each_entry(journal, visit, &writing);
	fclose(writing.out);
	return text;
}

const char *journal_text(struct journal *journal)
{
	return text_of(journal, write_entry, NULL);
}

const char *journal_readings(struct journal *journal, const char *topic)
{
	return text_of(journal, write_reading, topic);
}

const char *journal_retained(struct journal *journal)
{
	return text_of(journal, write_retained, NULL);
}

struct counting {
	uint8_t type;
	size_t count;
};

static void count_entry(const struct entry *entry, void *context)
{
	struct counting *counting = context;
	counting->count += entry->type == counting->type;
}

size_t journal_count(struct journal *journal, uint8_t type)
{
	struct counting counting = {.type = type};
	each_entry(journal, count_entry, &counting);
	return counting.count;
}
