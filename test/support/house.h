/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * house: a real Mosquitto with Hearth, in a folder and on a port of its own.
 *
 * Each house has a fresh temporary folder (FOLDER) with mosquitto.conf, broker.log and Hearth's state folder
 * FOLDER/hearth. It keeps folder and port over restarts. The broker dies with the test's process. house_free removes
 * the folder; a test that fails does not get there, and house_teardown then ends the broker and says where the folder is.
 *
 * Environment: MOSQUITTO (default /usr/sbin/mosquitto), HEARTH_PLUGIN (default build/mosquitto_hearth.so), HEARTH_PRELOAD
 * (a sanitizer's runtime, put into the broker's LD_PRELOAD).
 *
 * Everything here fails the running test if it cannot do what it says; call it from the test's own thread only.
 */
#ifndef TEST_HOUSE_H
#define TEST_HOUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mariadb_server;

/* Where a house with a MariaDB stores in it. */
#define HOUSE_DATABASE "hearth"

struct house {
	char folder[64];
	char history[96]; /* FOLDER/hearth/history.db */
	int port;
	bool bare; /* set before house_start: no plugin line */
	/* Set before house_start: it stores there, in HOUSE_DATABASE, as the server's owner. NULL: in SQLite. */
	struct mariadb_server *server;

	/* For house.c only. */
	pid_t pid; /* 0: does not run */
	char *conf;
	char *log;
	long log_from; /* where the current run's lines begin in broker.log */
	struct house *next;
};

struct house *house_new(void);

/*
 * Adds lines to the configuration of the next start, each put where Mosquitto wants it. A line that sets what house.c
 * sets too replaces that.
 */
void house_conf(struct house *house, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes all lines added so far away again. */
void house_conf_clear(struct house *house);

void house_start(struct house *house);
/* The same, but returns at once: the broker may be at any place of its start. Next comes house_kill or house_signal. */
void house_launch(struct house *house);

/* Starts a broker that may refuse its configuration: false once it has exited with an error. It must not crash. */
bool house_try(struct house *house);

/* Starts a broker that must refuse its configuration: waits until it has exited with an error. */
void house_start_refused(struct house *house);

/* SIGTERM; the broker must exit with status 0. Returns the milliseconds it took. */
int house_stop(struct house *house);
void house_kill(struct house *house); /* SIGKILL */
void house_restart(struct house *house);
void house_signal(const struct house *house, int signal);

/* Stops the broker if it runs, and removes the folder. */
void house_free(struct house *house);

/* The log of the current run; valid until the next call. */
const char *house_log(struct house *house);
/* Waits until a line of the current run's log contains the text. */
void house_wait_log(struct house *house, const char *text);
/* How many lines of the current run's log contain both texts (`and` may be NULL). */
size_t house_count_log(struct house *house, const char *text, const char *and);

/* Waits for this file in the house's folder to exist. */
void house_wait_file(const struct house *house, const char *name);

/* cmocka teardown: ends what a failed test left running, and says where its folder is. */
int house_teardown(void **state);

/* A port that nobody has at this moment. */
int house_free_port(void);

/* Absolute path of the plugin under test; valid until the next call. */
const char *house_plugin(void);

#endif
