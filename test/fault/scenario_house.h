/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * scenario_house: storage and intake put together as plugin.c does it, on the fake broker.
 *
 * The journal's segments are made small, and trimmed without delay: a few pages of text then see all that happens in weeks.
 */
#ifndef TEST_FAULT_SCENARIO_HOUSE_H
#define TEST_FAULT_SCENARIO_HOUSE_H

#include "intake.h"
#include "scenario.h"
#include "storage.h"

#define STEP_MS 2000                      /* between two messages: no error report is one too many */
#define NOON_US INT64_C(1795348800000000) /* when the house starts */

struct house {
	struct storage *storage;
	struct intake *intake;
	struct ledger *ledger;
	unsigned notices;
};

struct instant now_of(const struct ledger *ledger);

/* False, with ledger->error, if it does not start. house_end must be called all the same. */
bool house_start(struct house *house, const struct options *options);

/* Stores what waits, ends and frees everything, and adds to ledger->stored. */
void house_end(struct house *house);

/* A moment for the threads, until nothing waits or something is wrong. */
void house_settle(struct house *house);

/* A client publishes, retained if it is a config; ' stands for ". The clock steps on before. */
enum verdict house_say(struct house *house, const char *topic, const char *payload);

/* Fails unless the text is one that a person can do something with. */
void must_be_one_line(const char *what, const char *line);

#endif
