/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * storage: everything that has to do with files, behind one door: journal, state file, history store, and the threads
 * that carry data between them.
 *
 * All of it is opened and closed in the crew's thread (crew.h says why), where nothing may be logged, since the broker's
 * log is not open there: errors come back as text. The broker's thread appends to the journal and asks the rest here.
 */
#ifndef HEARTH_STORAGE_H
#define HEARTH_STORAGE_H

#include "document.h"
#include "history.h"
#include "host.h"
#include "journal.h"
#include "mailbox.h"
#include "options.h"
#include "storage_move.h"

struct storage;

/*
 * Opens all that the options name and starts the threads. NULL with one line for a person if it can never work as
 * configured; what a disk refuses only now (full, read-only, gone) is waited for, and the log says so. `options` must outlive
 * the storage.
 */
struct storage *storage_open(const struct options *options, char *error, size_t error_size);

/*
 * Stores what the journal holds for at most drain_ms, then ends the threads and closes all files. Only storage_notice and
 * storage_close may be called then.
 */
void storage_stop(struct storage *storage, int drain_ms);

/* Stops, if that was not done yet, and frees. NULL is allowed. */
void storage_close(struct storage *storage, int drain_ms);

/* For the broker's thread to append to. */
struct journal *storage_journal(struct storage *storage);

/* The retained messages as they were when the storage was opened; an empty payload is a tombstone. */
typedef void (*storage_retained_callback)(void *context, struct slice topic, struct slice payload, struct slice author);
void storage_each_retained(const struct storage *storage, storage_retained_callback callback, void *context);
void storage_forget_retained(struct storage *storage); /* frees them */

/*
 * The same for documents, of which none is empty. False: the state file was damaged or could not be read, so that there may
 * be accounts that nobody knows of now; "no account" then does not mean that everybody may do all.
 */
bool storage_each_document(const struct storage *storage, document_callback callback, void *context);
void storage_forget_documents(struct storage *storage);

/* Were there ever accounts in this folder, whether they can be read or not? See storage_marker.h. */
bool storage_had_accounts(const struct storage *storage);

/* Runs a function in the crew's thread while this one waits: what it starts has the crew's file table (crew.h). */
void storage_run(struct storage *storage, void (*run)(void *context), void *context);

/* The next line for the log, and the next sample of the machine's gauges; false if there is none. */
bool storage_notice(struct storage *storage, struct notice *out);
bool storage_gauges(struct storage *storage, struct host_sample *out);

/* How many bytes of the journal the history store has not taken yet. */
uint64_t storage_queue(const struct storage *storage);

/*
 * For how long, in seconds, the oldest reading has waited that the history store has not taken; 0 if none waits. While that
 * is not known, for how long something has waited at all. The broker's thread only.
 */
double storage_lag_s(struct storage *storage, int64_t now_wall_us);

/* Rows that the history store has taken in this run; and those that it refused for what they hold, and keeps aside. */
uint64_t storage_stored(const struct storage *storage);
uint64_t storage_rejected(const struct storage *storage);

/* For the broker's thread to ask what is stored. */
struct history *storage_history(struct storage *storage);

/*
 * Begins to move the history into another store ("mariadb://…", "sqlite:/…"); the files may be NULL. False with one line for
 * a person, in which no password is. Does not wait: what the databases have against it is in the state, and the log gets a
 * line at the end. See storage_move.h.
 */
bool storage_move_start(struct storage *storage, const char *to_store, const char *to_password_file, const char *to_ca,
                        char *error, size_t error_size);
struct storage_move_state storage_move_state(const struct storage *storage);
void storage_move_stop(struct storage *storage); /* before long; nothing is done where none runs */

#endif
