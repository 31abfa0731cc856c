/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_fixture: a temporary folder with a journal in it, and records that can be told from all others.
 *
 * Record n has a type and a length that follow from n, and a payload that follows from both. So what a cursor returns
 * is either record n to the last byte, or wrong.
 */
#ifndef TEST_JOURNAL_FIXTURE_H
#define TEST_JOURNAL_FIXTURE_H

#include "journal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KIB   UINT64_C(1024)
#define SMALL (64 * KIB) /* the smallest segment */
#define MARK  24         /* bytes that the journal puts in between now and then, to say what is durable */

struct fixture {
	char directory[128];
	char error[512];
	struct journal *journal;
};

static inline void fixture_make(struct fixture *fixture)
{
	const char *parent = getenv("TMPDIR");

	memset(fixture, 0, sizeof *fixture);
	snprintf(fixture->directory, sizeof fixture->directory, "%s/journal_XXXXXX", parent ? parent : "/tmp");
	assert_non_null(mkdtemp(fixture->directory));
}

/* Calls back with the path of each file in the folder. */
static inline void each_file(const struct fixture *fixture, void (*visit)(const char *path, void *context),
                             void *context)
{
	char path[512];
	DIR *files = opendir(fixture->directory);

	assert_non_null(files);
	for (struct dirent *entry; (entry = readdir(files)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", fixture->directory, entry->d_name);
		visit(path, context);
	}
	closedir(files);
}

static inline void visit_remove(const char *path, void *context)
{
	(void)context;
	assert_int_equal(unlink(path), 0);
}

static inline void visit_measure(const char *path, void *context)
{
	struct stat facts;

	assert_int_equal(stat(path, &facts), 0);
	*(uint64_t *)context += (uint64_t)facts.st_size;
}

static inline uint64_t folder_size(const struct fixture *fixture)
{
	uint64_t size = 0;

	each_file(fixture, visit_measure, &size);
	return size;
}

static inline void fixture_open(struct fixture *fixture, uint64_t quota, uint64_t segment_size)
{
	const struct journal_options options = {
		.directory = fixture->directory, .quota = quota, .segment_size = segment_size, .read_patience_ms = 200};

	fixture->journal = journal_open(&options, fixture->error, sizeof fixture->error);
	if (!fixture->journal)
		fail_msg("%s", fixture->error);
}

static inline void fixture_close(struct fixture *fixture)
{
	journal_close(fixture->journal);
	fixture->journal = NULL;
}

static inline void fixture_remove(struct fixture *fixture)
{
	if (fixture->journal)
		fixture_close(fixture);
	each_file(fixture, visit_remove, NULL);
	assert_int_equal(rmdir(fixture->directory), 0);
}

/* For cmocka: a test's state is a fixture, its journal not open yet. */
static inline int fixture_set_up(void **state)
{
	struct fixture *fixture = malloc(sizeof *fixture);

	assert_non_null(fixture);
	fixture_make(fixture);
	*state = fixture;
	return 0;
}

static inline int fixture_tear_down(void **state)
{
	fixture_remove(*state);
	free(*state);
	return 0;
}

static inline void segment_path(const struct fixture *fixture, uint64_t begin, char path[256])
{
	snprintf(path, 256, "%s/%016" PRIx64 ".journal", fixture->directory, begin);
}

static inline void fixture_sync(struct fixture *fixture)
{
	if (!journal_sync(fixture->journal, fixture->error, sizeof fixture->error))
		fail_msg("%s", fixture->error);
}

static inline uint8_t record_type_of(uint64_t n)
{
	return (uint8_t)(1 + n % 255);
}

static inline void record_fill(uint8_t *payload, size_t len, uint64_t n)
{
	uint64_t state = n * 0x9E3779B97F4A7C15u + 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		payload[i] = (uint8_t)(state >> 56);
	}
}

/* Appends record n; returns its position, 0 if the journal is full. */
static inline uint64_t append(struct journal *journal, uint64_t n, size_t len, enum journal_priority priority)
{
	static _Thread_local uint8_t payload[JOURNAL_PAYLOAD_MAX];

	if (journal_reserve(journal, journal_record_size(len), priority) == 0)
		return 0;
	record_fill(payload, len, n);
	return journal_append(journal, record_type_of(n), payload, len);
}

static inline bool record_is(const struct journal_record *record, uint64_t n, size_t len)
{
	static _Thread_local uint8_t payload[JOURNAL_PAYLOAD_MAX];

	record_fill(payload, len, n);
	return record->type == record_type_of(n) && record->len == len && memcmp(record->payload, payload, len) == 0 &&
	       record->end == record->position + journal_record_size(len);
}

static inline void expect_record(struct journal_cursor *cursor, struct journal_record *record, uint64_t n, size_t len)
{
	assert_int_equal(journal_next(cursor, record), JOURNAL_RECORD);
	assert_true(record_is(record, n, len));
}

static inline int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
