/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_text: what is in a journal, as text that a test can compare. Reading it checks it too: a test fails if a record
 * cannot be read, or a reading has a series number that its segment does not define before it.
 *
 * Times are written in milliseconds since START_US. A text is valid until the next call.
 */
#ifndef TEST_JOURNAL_TEXT_H
#define TEST_JOURNAL_TEXT_H

#include "journal.h"
#include "value.h"

/* 2026-11-22T10:00:00Z, the tests' time 0; the monotonic clock shows START_MS then. */
#define START_US INT64_C(1795341600000000)
#define START_MS INT64_C(1000000)

/* So many milliseconds after the start. */
struct instant instant_at(int64_t ms);

/*
 * Every record from the oldest on, one a line:
 *   series TOPIC      TOPIC VALUE @MS      retained TOPIC=PAYLOAD [by AUTHOR] @MS      documents NAME=BODY … @MS
 */
const char *journal_text(struct journal *journal);

/* The readings of one topic: "23.5@0 on@20". */
const char *journal_readings(struct journal *journal, const char *topic);

/* The retained documents: "TOPIC=PAYLOAD; …". */
const char *journal_retained(struct journal *journal);

/* How many records of a type there are. */
size_t journal_count(struct journal *journal, uint8_t type);

#endif
