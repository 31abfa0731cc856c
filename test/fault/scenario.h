/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * scenario: some minutes of a house, played in some milliseconds on the real parts from the intake down to the files,
 * with a fault or without; and what must hold afterwards.
 *
 * The ledger notes what was answered for: rows that the counters call stored, and retained documents that were taken. A
 * later run without faults, on the files that are left, must find exactly that.
 */
#ifndef TEST_FAULT_SCENARIO_H
#define TEST_FAULT_SCENARIO_H

#include "options.h"

#define LEDGER_ROWS      512
#define LEDGER_DOCUMENTS 8

/* A retained message, and what must hold of it. */
struct promise {
	const char *topic;
	const char *payload; /* what must hold; "": removed, or never taken */
	const char *perhaps; /* or this, of a message that was not taken in as a whole; NULL: no other */
};

struct ledger {
	/* Rows in the order in which they were stored: "TOPIC TIME_US VALUE", of devices that no rule touches. */
	char rows[LEDGER_ROWS][96];
	size_t row_count;
	uint64_t stored; /* all that the counters call stored, those of rules too */
	struct promise documents[LEDGER_DOCUMENTS];
	size_t document_count;
	int64_t now_ms;  /* on the house's clock */
	bool damaged;    /* the journal was said to be damaged: something may be missing */
	char error[512]; /* why the house did not start */
};

/* The program that plays it defines this: something is wrong. Any thread calls it. */
void scenario_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The document of a topic, which must be one of the scenario's. */
struct promise *ledger_document(struct ledger *ledger, const char *topic);

/* Once in a process, before the others and without a fault. */
void scenario_prepare(void);

/* Plays the minutes on a fresh folder, with a restart in between. False if a start failed; ledger->error says why. */
bool scenario_play(const struct options *options, struct ledger *ledger);

/* Starts the house on what is left, sees that what was promised holds, and ends it. */
void scenario_check(const struct options *options, struct ledger *ledger);

#endif
