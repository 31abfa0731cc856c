/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake: what a message means, by its subject: one handler each. The middle of Hearth, between the broker's callbacks
 * and the modules that each do one thing; it knows no Mosquitto call, so tests drive it without a broker.
 *
 * Broker thread only.
 */
#ifndef HEARTH_INTAKE_H
#define HEARTH_INTAKE_H

#include "broker.h"
#include "feed.h"
#include "host.h"
#include "journal.h"
#include "options.h"
#include "value.h"

struct intake;

struct intake_options {
	const struct broker_ops *broker;
	struct journal *journal;
	const struct options *options; /* ignore, config_from, node, max_series; must outlive the intake */
	uint64_t seed;                 /* random */
	struct instant now;
};

struct message {
	struct slice topic; /* NUL-terminated */
	struct slice payload;
	const void *client; /* for broker_ops.username */
	bool retain;
};

enum verdict {
	INTAKE_PASS,    /* delivered as it is */
	INTAKE_WITHHOLD /* not delivered, not retained: a refused config, a client's `alarm` */
};

/* Since the start. */
struct intake_counters {
	uint64_t messages; /* of any topic */
	uint64_t received; /* readings (each of a batch), commands, states, acknowledgements */
	uint64_t refused;  /* of these and of configs: not taken */
	uint64_t resent;   /* readings recognised as sent before */
	uint64_t stored;   /* put into the journal */
	uint64_t lost;     /* not stored: the journal was full or the disk refused */
	uint64_t crowded;  /* not taken in: too many series, or no memory for one more */
	uint64_t fired;    /* rules that became true or false, or whose `always` changed */
	uint64_t commands; /* sent by rules */
};

struct intake *intake_new(const struct intake_options *options); /* NULL: no memory */
void intake_free(struct intake *intake);

/* A client published; to be called before the broker acknowledges. */
enum verdict intake_message(struct intake *intake, const struct message *message, struct instant now);

/* Fires due timers and reports a full journal. To be called at least every 100 ms. */
void intake_tick(struct intake *intake, struct instant now);

/* A sample of the machine's gauges; `queue` as in own_gauges. */
void intake_gauges(struct intake *intake, const struct host_sample *sample, uint64_t queue, struct instant now);

/*
 * A retained document from the state file, at start, before any message: put in force and published again. An empty
 * payload is a tombstone. Must be called for every document once for each `pass` from 0 to INTAKE_RESTORE_PASSES − 1.
 */
#define INTAKE_RESTORE_PASSES 3
void intake_restore(struct intake *intake, struct slice name, struct slice payload, struct slice author, int pass,
                    struct instant now);

/*
 * Puts a config in force as if `author` had published it retained (an empty payload removes it), and publishes it. False:
 * refused, and *error says why. If it is in force and the journal did not take it, error->wanted says so, and is else empty.
 */
bool intake_configure(struct intake *intake, struct slice name, struct slice payload, struct slice author,
                      struct config_error *error, struct instant now);

/*
 * There are accounts: from now on a config is its publisher's, and in force only while he may command what it names. Before, a
 * user name is what anybody says, and a config nobody's.
 */
void intake_permit(struct intake *intake, const struct catalog_permission *permission);

/* The rights of these users have changed: what their configs command is looked at again. */
void intake_rights_changed(struct intake *intake, const struct catalog_authors *authors, struct instant now);

/* Series, configs in force, journal. */
struct feed *intake_feed(struct intake *intake);

struct intake_counters intake_counters(const struct intake *intake);

#endif
