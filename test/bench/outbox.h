/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox: Hearth's journal as its broker uses it: one thread appends readings, another keeps the files.
 */
#ifndef BENCH_OUTBOX_H
#define BENCH_OUTBOX_H

#include "fault.h"
#include "journal.h"

/* As the plugin's default. */
#define OUTBOX_SYNC_MS 100

struct outbox;

/* Opens the journal in a folder that is made, with room for so many bytes of records, and starts its keeping thread. */
struct outbox *outbox_open(const char *folder, uint64_t room, struct fault *fault);

/* Stops the thread and closes the journal. Harmless for NULL. */
void outbox_close(struct outbox *outbox);

struct journal *outbox_journal(const struct outbox *outbox);

/* Waits until the journal takes so many bytes again. False if it does not for 20 s. */
bool outbox_await_room(struct outbox *outbox, size_t bytes, struct fault *fault);

/* Appends readings, 0 … count - 1 of a house, with their series' names in each segment. */
bool outbox_fill(struct outbox *outbox, uint64_t count, uint32_t series, struct fault *fault);

#endif
