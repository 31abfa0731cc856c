/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history: the thread that answers questions about what is stored, as JSON.
 *
 * Owns a connection of its own to the history store, for reading, opened by the first question and closed when there were
 * none for a while. Questions and answers cross by mailboxes: asking never waits, and an answer is there some ticks later.
 */
#ifndef HEARTH_HISTORY_H
#define HEARTH_HISTORY_H

#include "mailbox.h"
#include "store.h"

struct history;

enum history_kind {
	HISTORY_SERIES, /* every topic that ever had a reading */
	HISTORY_LATEST, /* the newest reading of a topic, or (topic "") of each */
	HISTORY_RANGE   /* a topic from from_us to to_us, raw (buckets 0) or in at most so many buckets */
};

#define HISTORY_BUCKETS_MAX  10000
#define HISTORY_READINGS_MAX 10000
#define HISTORY_PENDING_MAX  64 /* questions that were asked and whose answers were not fetched */

/* May hold anything: what makes no sense is answered with an error. */
struct history_question {
	uint64_t ticket;        /* comes back with the answer */
	int64_t from_us, to_us; /* [from_us, to_us) */
	enum history_kind kind;
	unsigned buckets; /* 0 … HISTORY_BUCKETS_MAX */
	char topic[TOPIC_MAX + 1];
};

/*
 * {"series":["a/b/c/value",…]}
 * {"latest":[{"topic":"a/b/c/value","time":"2026-11-22T10:00:00.123456Z","value":23.5},…]}
 *     a word: {…,"value":1,"text":"open"}; another text: {…,"value":null,"text":"a text"}
 * {"topic":…,"source":"raw","readings":[[time,23.5],[time,1,"open"],[time,null,"a text"],…],"more":false}
 *     more: these are the first HISTORY_READINGS_MAX, and there are more
 * {"topic":…,"source":"minute","step":300,"buckets":[[time,min,avg,max,count],…]}
 *     source: raw, minute or hour. A bucket is `step` long and begins at its time, a multiple of it; empty ones are left out
 *
 * Times in arrays and steps are seconds since 1970, with up to six decimals: what charts count in, and as a double exact
 * to the microsecond when rounded to it.
 */
struct history_answer {
	uint64_t ticket;
	char *json; /* NUL-terminated; the receiver frees it. NULL: it failed, and `error` says why */
	size_t len;
	char error[512]; /* one line for a person, UTF-8 */
};

struct history_options {
	const struct store_ops *ops;
	struct store_place place; /* its texts outlive the thread */
	unsigned keep_raw_days;   /* 0: for ever */
	unsigned keep_minute_days;
	int idle_ms; /* without a question the connection is closed after this; 0: 60000 */
};

/* Starts the thread; NULL if it cannot. */
struct history *history_start(const struct history_options *options);

/* Ends the thread after the question in work, drops what waits, and frees. NULL is allowed. */
void history_stop(struct history *history);

/*
 * Asks. False if HISTORY_PENDING_MAX are pending already. One thread only, which is also that of history_next. Never waits.
 */
bool history_ask(struct history *history, const struct history_question *question);

/* The next answer, in the order of the questions; false if there is none yet. Each question gets one. */
bool history_next(struct history *history, struct history_answer *out);

#endif
