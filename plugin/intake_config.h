/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake_config: configs into force and into the journal, or why not. Private to intake*.c.
 */
#ifndef HEARTH_INTAKE_CONFIG_H
#define HEARTH_INTAKE_CONFIG_H

#include "feed.h"
#include "report.h"

struct config_intake {
	struct feed *feed;
	const struct broker_ops *broker;
	struct reporter *reporter;
	bool journal_refused; /* one that was in force */
};

/* Why a config was refused; `code` as in struct report. */
struct config_refusal {
	const char *code;
	struct config_error error; /* `path` and `found` may be empty */
};

/* A config on its way: `name` is its topic and `topic` that one's parse; `author` the user, empty if nobody is known. */
struct config_message {
	struct slice name;
	const struct topic *topic;
	struct slice payload;
	struct slice author;
};

/*
 * Puts a config in force (empty: removes it) and into the journal. False: it is not, and *refusal says why. `refusal->code` is also
 * set, and the result true, if it is in force and the journal did not take it.
 */
bool config_take(struct config_intake *intake, const struct config_message *message, struct config_refusal *refusal,
                 struct instant now);

/* The same for one from the state file, at start; it is published again. What is wrong is logged. */
void config_restore(struct config_intake *intake, const struct config_message *message);

/* The rights of these authors have changed: configs go out of force, or come back, and their publishers and the log are told. */
void config_recheck(struct config_intake *intake, const struct catalog_authors *authors, struct instant now);

#endif
