/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crew: a thread with a file table of its own, in which everything that has to do with files is opened and closed.
 *
 * Linux shares the table of open files among a process' threads, and as soon as two share it, each read() and write() on a
 * socket takes and drops a reference with atomic instructions: measured, a broker with one idle second thread spends 0.2 to
 * 1.2 µs a message more. So the plugin's threads leave the broker's table: the crew's thread unshares it (close_range(2),
 * Linux 5.9; else unshare(2)), and threads that are started from a function run here share the crew's table. A file belongs
 * to the table in which it was opened: hence one place for all of them. With close_range nothing of the broker's is open
 * there, so no socket or rotated log is kept alive by us. Where the kernel refuses, all still works, only dearer.
 *
 * SQLite's locks belong to a file table and its bookkeeping to the process: while the crew has a database open, nothing
 * outside it may open the same one.
 */
#ifndef HEARTH_CREW_H
#define HEARTH_CREW_H

#include <stdbool.h>

struct crew;

/* Starts the thread, all signals blocked. NULL if it cannot be started. */
struct crew *crew_start(void);

/* Runs a function in that thread and waits for it: the two never run at once. */
void crew_run(struct crew *crew, void (*function)(void *context), void *context);

/* Ends the thread and frees; NULL is allowed. Threads that were started from it must have ended. */
void crew_stop(struct crew *crew);

#endif
