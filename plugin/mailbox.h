/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mailbox: a bounded queue of fixed-size messages from one thread to one other, without a lock.
 *
 * The only thing, besides the journal, that Hearth's threads share.
 */
#ifndef HEARTH_MAILBOX_H
#define HEARTH_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mailbox;

/* Room for `capacity` (a power of two) messages of `size` bytes. NULL: no memory or no power of two. */
struct mailbox *mailbox_new(size_t size, size_t capacity);
void mailbox_free(struct mailbox *mailbox);

/* Copies a message in; false, and one more counted as dropped, if it is full. Sending thread only. */
bool mailbox_put(struct mailbox *mailbox, const void *message);

/* Copies the oldest message out; false if there is none. Receiving thread only. */
bool mailbox_get(struct mailbox *mailbox, void *message);

/* How many did not fit so far. Any thread. */
uint64_t mailbox_dropped(const struct mailbox *mailbox);

/*
 * What a thread wants in the broker's log: only the broker's own thread may call Mosquitto, so it sends these and the
 * timer tick prints them.
 */
enum notice_level { NOTICE_INFO, NOTICE_WARNING, NOTICE_ERROR };

struct notice {
	enum notice_level level;
	char text[508]; /* NUL-terminated, cut to fit */
};

/* Formats a notice into a mailbox made for struct notice. A full mailbox drops it. */
void notice_post(struct mailbox *mailbox, enum notice_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
