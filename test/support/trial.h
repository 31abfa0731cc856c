/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trial: a house that has to go through an outage: one rule that must work throughout, and readings that are counted.
 *
 * Each counted reading has its number as its value, so that one that is lost or doubled shows in three sums.
 */
#ifndef TEST_TRIAL_H
#define TEST_TRIAL_H

#include "client.h"
#include "house.h"

#include <stdbool.h>
#include <stddef.h>

/* What the rule reads and what it commands. */
#define TRIAL_CONFIG "livingroom/uno1/temperature/config"
#define TRIAL_VALUE  "livingroom/uno1/temperature/value"
#define TRIAL_MOTOR  "livingroom/fan1/motor/set"

struct trial {
	struct house *house;
	struct client *client;
	char disk[96];    /* FOLDER/disk: for the test to mount or make */
	char history[96]; /* where the history is */
	long long sent;   /* counted readings */
	long long all;    /* readings and commands that are to be stored */
};

struct trial trial_new(void);
/* The same with the history in this server's HOUSE_DATABASE. */
struct trial trial_new_in(struct mariadb_server *server);
/* Before trial_begin: the history is to be in FOLDER/disk. */
void trial_history_on_disk(struct trial *trial);

/* Starts the house, connects, and gives it a rule that runs the motor above 28. */
void trial_begin(struct trial *trial);
/* Gives it the rule, if the client has come another way. */
void trial_set_rule(struct trial *trial);
/* Connects again after a restart. */
void trial_connect(struct trial *trial);
void trial_end(struct trial *trial);

/* The rule must work, both ways. */
void trial_controls(struct trial *trial);

/* So many counted readings, all acknowledged. */
void trial_count(struct trial *trial, int readings);
/* So many commands of 4 KB, to fill a journal. */
void trial_words(struct trial *trial, int words);
/* Counts and controls for so long. */
void trial_live_for(struct trial *trial, int ms);

/* Waits until the counted readings are in the history, each exactly once, and in MariaDB in its roll-ups too. */
void trial_expect_exactly_once(const struct trial *trial);

/* In this run's log, an outage was told once and with these words, and its end as often as `ends`. */
void trial_expect_lines(const struct trial *trial, const char *begin_line, const char *words, const char *end_line,
                        size_t ends);

/* TEST_LONG is set: take the time that it takes. */
bool trial_is_long(void);

#endif
