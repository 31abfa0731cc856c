/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * delivery: carries rules' commands out, in the order in which they were decided.
 *
 * A command is published, QoS 1 and never retained, with two MQTT v5 user properties that say what caused it:
 * hearth-rule (the rule's name) and hearth-cause (topic=value of the reading). The broker publishes it without calling the
 * plugin back, so it is taken in here like a client's message, one hop further; commands that this causes join the queue.
 *
 * Broker thread only.
 */
#ifndef HEARTH_DELIVERY_H
#define HEARTH_DELIVERY_H

#include "action.h"
#include "broker.h"
#include "feed.h"
#include "own.h"

struct delivery;

/* None of the three is owned; feed and own may be filled in later, before the first command. NULL: no memory. */
struct delivery *delivery_new(const struct broker_ops *broker, struct feed *feed, struct own *own);
void delivery_free(struct delivery *delivery);

/* What the action module calls: it puts commands into the queue. Valid as long as the delivery. */
const struct action_callbacks *delivery_callbacks(const struct delivery *delivery);

/* Delivers what is in the queue and what comes of that. */
void delivery_run(struct delivery *delivery, struct instant now);

#endif
