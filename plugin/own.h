/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * own: Hearth's own device, called "hearth" in every location: automation switches, helpers, the machine's gauges.
 *
 *   LOCATION/hearth/auto/set   1 or 0: automation of one location ("all": of the house) → retained …/auto/state
 *   LOCATION/hearth/NAME/set   a setpoint, a mode: anything a person chooses → retained …/NAME/state
 *   NODE/hearth/GAUGE/value    cpu memory disk temperature clients messages queue
 *
 * Broker thread only.
 */
#ifndef HEARTH_OWN_H
#define HEARTH_OWN_H

#include "broker.h"
#include "feed.h"
#include "host.h"
#include "report.h"

struct own {
	struct feed *feed;
	const struct broker_ops *broker;
	struct reporter *reporter;
	const char *node;
};

/* Applies a `set` on the own device (topic->device is "hearth"); a wrong one is reported and changes nothing. */
void own_set(struct own *own, const struct topic *topic, struct slice payload, int hop, struct instant now);

/* Takes a retained …/state of the own device over from the state file at start and publishes it. */
void own_restore(struct own *own, struct slice name, const struct topic *topic, struct slice payload,
                 struct instant now);

/* Publishes and takes in the gauges of a sample; `messages_per_s` and `queue` come from the caller. */
void own_gauges(struct own *own, const struct host_sample *sample, double messages_per_s, double queue,
                struct instant now);

#endif
