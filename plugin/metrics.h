/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * metrics: Hearth's counters beside Mosquitto's own, retained under $SYS/broker/hearth/.
 *
 * Broker thread only.
 */
#ifndef HEARTH_METRICS_H
#define HEARTH_METRICS_H

#include "broker.h"

#include <stdint.h>

/* Counters are since the broker's start. */
enum metric {
	METRIC_RECEIVED,      /* readings, commands, states and acknowledgements that came in; each of a batch by itself */
	METRIC_REFUSED,       /* of these and of configs: not taken, and an `error` said why */
	METRIC_RESENT,        /* of these: recognised as sent before */
	METRIC_JOURNALED,     /* put into the journal, Hearth's own commands and gauges among them */
	METRIC_LOST,          /* not put into the journal, because it was full or the disk refused */
	METRIC_STORED,        /* rows that the history store took, what earlier runs left among them */
	METRIC_REJECTED,      /* of these: kept aside in reading_reject, for the store refused what they hold */
	METRIC_JOURNAL_BYTES, /* on disk */
	METRIC_JOURNAL_QUOTA, /* plugin_opt_journal_max, bytes */
	METRIC_WAITING,       /* bytes of the journal that the history store has not taken */
	METRIC_LAG,      /* seconds since the oldest reading came that the history store has not taken; 0: none waits */
	METRIC_FIRED,    /* rules that became true or false, or whose `always` changed */
	METRIC_COMMANDS, /* sent by rules */
	METRIC_DENIED,   /* publishes, subscriptions and deliveries that rights did not cover */
	METRIC_SIGN_INS_REFUSED,
	METRIC_HASHED_HERE,    /* passwords stretched in the broker's own thread */
	METRIC_HASHED_HERE_US, /* and what that took of its time, in microseconds */
	METRIC_HASHED_THERE,   /* in the hasher's thread */
	METRIC_PUT_OFF,        /* sign-ins that were told nothing, to come again */
	METRIC_COUNT
};

struct metric_values {
	uint64_t of[METRIC_COUNT];
};

struct metrics {
	bool published;
	struct metric_values last;
};

/* Publishes those that are not what they were the last time. */
void metrics_publish(struct metrics *metrics, const struct metric_values *values, const struct broker_ops *broker);

/* The topic of one, and what of that follows $SYS/broker/hearth/. */
const char *metric_topic(enum metric metric);
const char *metric_name(enum metric metric);

#endif
