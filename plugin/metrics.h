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
	METRIC_COUNT
};

struct metrics {
	bool published;
	uint64_t last[METRIC_COUNT];
};

/* Publishes those that are not what they were the last time. */
void metrics_publish(struct metrics *metrics, const uint64_t values[METRIC_COUNT], const struct broker_ops *broker);

/* The topic of one. */
const char *metric_topic(enum metric metric);

#endif
