/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mailbox: a ring of message slots and two counters that only grow.
 *
 * `put` counts the messages sent and is written by the sender alone; `got` those received, by the receiver alone. The
 * slot of message n is n modulo the capacity. The sender fills a slot and then releases `put`; the receiver empties it
 * and then releases `got`: so a slot belongs to one of them at any time. Each side's counter has a cache line of its own,
 * together with what that side last saw of the other's, so that they meet only when the ring looks full or empty.
 */
#include "mailbox.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64

struct mailbox {
	/* The sender's. */
	_Alignas(CACHE_LINE) _Atomic size_t put;
	size_t got_seen;
	_Atomic uint64_t dropped;

	/* The receiver's. */
	_Alignas(CACHE_LINE) _Atomic size_t got;
	size_t put_seen;

	/* Never changes. */
	_Alignas(CACHE_LINE) size_t size;
	size_t capacity;
	_Alignas(CACHE_LINE) unsigned char slots[];
};

struct mailbox *mailbox_new(size_t size, size_t capacity)
{
	const bool power_of_two = capacity != 0 && (capacity & (capacity - 1)) == 0;

	if (!power_of_two || size == 0 || size > (SIZE_MAX / 2) / capacity)
		return NULL;
	/* aligned_alloc wants a multiple of the alignment. */
	const size_t bytes = (sizeof(struct mailbox) + size * capacity + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	struct mailbox *mailbox = aligned_alloc(CACHE_LINE, bytes);
	if (!mailbox)
		return NULL;
	memset(mailbox, 0, sizeof *mailbox);
	mailbox->size = size;
	mailbox->capacity = capacity;
	return mailbox;
}

void mailbox_free(struct mailbox *mailbox)
{
	free(mailbox);
}

static unsigned char *slot(struct mailbox *mailbox, size_t n)
{
	return mailbox->slots + (n & (mailbox->capacity - 1)) * mailbox->size;
}

bool mailbox_put(struct mailbox *mailbox, const void *message)
{
	const size_t put = atomic_load_explicit(&mailbox->put, memory_order_relaxed);

	if (put - mailbox->got_seen == mailbox->capacity) {
		mailbox->got_seen = atomic_load_explicit(&mailbox->got, memory_order_acquire);
		if (put - mailbox->got_seen == mailbox->capacity) {
			atomic_fetch_add_explicit(&mailbox->dropped, 1, memory_order_relaxed);
			return false;
		}
	}
	memcpy(slot(mailbox, put), message, mailbox->size);
	atomic_store_explicit(&mailbox->put, put + 1, memory_order_release);
	return true;
}

bool mailbox_get(struct mailbox *mailbox, void *message)
{
	const size_t got = atomic_load_explicit(&mailbox->got, memory_order_relaxed);

	if (got == mailbox->put_seen) {
		mailbox->put_seen = atomic_load_explicit(&mailbox->put, memory_order_acquire);
		if (got == mailbox->put_seen)
			return false;
	}
	memcpy(message, slot(mailbox, got), mailbox->size);
	atomic_store_explicit(&mailbox->got, got + 1, memory_order_release);
	return true;
}

uint64_t mailbox_dropped(const struct mailbox *mailbox)
{
	return atomic_load_explicit(&mailbox->dropped, memory_order_relaxed);
}

/* How much of a text of `len` bytes is left when a character that was cut in two at its end goes as a whole. */
static size_t whole_characters(const char *text, size_t len)
{
	size_t lead = len;

	/* A character of UTF-8 has at most three bytes behind its first, all of them 10xxxxxx. */
	while (lead > 0 && len - lead < 4) {
		const unsigned char byte = (unsigned char)text[--lead];
		if ((byte & 0xC0) == 0x80)
			continue;
		const size_t wanted = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
		return lead + wanted > len ? lead : len;
	}
	return len;
}

void notice_post(struct mailbox *mailbox, enum notice_level level, const char *format, ...)
{
	struct notice notice = {.level = level};
	va_list arguments;

	va_start(arguments, format);
	const int len = vsnprintf(notice.text, sizeof notice.text, format, arguments);
	va_end(arguments);
	if (len >= (int)sizeof notice.text)
		notice.text[whole_characters(notice.text, sizeof notice.text - 1)] = '\0';
	mailbox_put(mailbox, &notice);
}
