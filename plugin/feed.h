/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * feed: takes an accepted value into the house: journal → series → rules.
 *
 * The one way in for values, whoever they come from: a client, a rule's command, Hearth's own gauges. Broker thread only.
 */
#ifndef HEARTH_FEED_H
#define HEARTH_FEED_H

#include "action.h"
#include "catalog.h"
#include "document.h"
#include "journal.h"
#include "series.h"

/* Counted since the start. */
struct feed_counters {
	uint64_t stored;  /* readings put into the journal */
	uint64_t lost;    /* not stored because the journal was full */
	uint64_t crowded; /* not taken because the table of series was full */
};

struct feed {
	struct journal *journal;
	struct series_table *series;
	struct catalog *catalog;
	struct action *action;
	struct feed_counters counters;
};

/* How a value is taken in; any sum of these. */
enum feed_mode {
	FEED_STORE = 1,  /* into the journal, and so to the history store */
	FEED_LATEST = 2, /* becomes the latest value */
	FEED_RULES = 4,  /* moves the rules that read it; only with FEED_LATEST */
	FEED_ALL = 7,
	FEED_DEVICE_TIME = 8, /* the time is the device's word */
	FEED_CONTROL = 16     /* what a person did: into the journal even where that has no room for readings */
};

/* The series of a topic, made and bound to its config if it is new. NULL: too many series or no memory (counted). */
struct series *feed_series(struct feed *feed, struct slice name, const struct topic *topic);

/*
 * Takes a value in. `time_us` is when it was measured, `hop` the number of rules' commands that led to it (0: none).
 * A full journal is counted; the rules run all the same. False: it should have been stored and was not.
 */
bool feed_value(struct feed *feed, struct series *series, const struct value *value, int64_t time_us, int mode, int hop,
                struct instant now);

/*
 * Puts a retained document of Hearth's own (config, switch, helper) into the journal; once this returns true it survives
 * the death of the process. `author` is the user name of who published it; empty: nobody is known. False: the journal is
 * full.
 */
bool feed_retain(struct feed *feed, struct slice topic, struct slice payload, struct slice author, struct instant now);

/* Whether feed_retain would find room for it now. */
bool feed_has_room(struct feed *feed, struct slice topic, struct slice payload, struct slice author);

/*
 * Puts documents (accounts, sessions) into the journal as one change: a death of the process leaves all of it or nothing.
 * *end is where the journal has to be synced to (journal_synced) before the change survives a loss of power. False: the
 * journal is full, or together they are longer than a record may be.
 */
bool feed_documents(struct feed *feed, const struct document *documents, size_t count, struct instant now,
                    uint64_t *end);

/*
 * Notes in the journal that a device ("location/device") has another name from here on, so that the history gives it to the
 * readings before. *end as above. False: the journal is full, or these are no two names of a device.
 */
bool feed_renamed(struct feed *feed, struct slice from, struct slice to, struct instant now, uint64_t *end);

#endif
