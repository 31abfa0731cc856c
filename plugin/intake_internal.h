/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake_internal: what intake*.c share.
 */
#ifndef HEARTH_INTAKE_INTERNAL_H
#define HEARTH_INTAKE_INTERNAL_H

#include "delivery.h"
#include "intake.h"
#include "intake_config.h"
#include "intake_losses.h"
#include "own.h"
#include "reading.h"

struct intake {
	const struct broker_ops *broker;
	const struct options *options;
	struct feed feed;
	struct own own;
	struct reporter *reporter;
	struct reading_parser *parser;
	struct delivery *delivery;
	struct intake_counters counters;
	uint64_t gauge_messages; /* counters.messages and the time at the last gauges */
	int64_t gauge_ms;
	struct losses losses;
	struct config_intake config;
	bool accounts; /* user names mean something */
};

/* A message on its way through a handler. */
struct arrival {
	const struct message *message;
	struct series *series; /* NULL: not seen yet */
	enum topic_subject subject;
	struct topic parts; /* of the message's name, while there is no series */
	struct instant now;
};

/* What a message of a subject means: in intake_subjects.c. */
typedef enum verdict (*intake_handler)(struct intake *intake, struct arrival *arrival);
extern const intake_handler intake_handlers[SUBJECT_COUNT];

/* Does plugin_opt_config_from let this user configure? */
bool intake_may_configure(const struct intake *intake, struct slice user);

#endif
