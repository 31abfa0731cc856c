/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * publishers: clients that publish readings until their broker is gone, and know which were acknowledged.
 *
 * Each client is a thread and has series of its own, in the forms a reading can have: a plain number, JSON, and a word.
 * A series counts 0, 1, 2, … over all connections. Nothing is ever sent again, so that each value is published at most
 * once: stored, it has to be there exactly once if it was acknowledged, else at most once.
 */
#ifndef TEST_PUBLISHERS_H
#define TEST_PUBLISHERS_H

#include <stdbool.h>
#include <stddef.h>

struct house;
struct publishers;

#define PUBLISHERS_LOCATION "kill"

struct publishers *publishers_new(size_t clients);
void publishers_free(struct publishers *publishers);

/*
 * Lets all clients connect and publish with QoS 1 as fast as the broker acknowledges, each with at most `window` on the
 * way. Words have `word` bytes, 16 … 4096.
 */
void publishers_begin(struct publishers *publishers, const struct house *house, size_t window, size_t word);

/* Returns when all clients have lost the broker, which the caller has seen to. */
void publishers_end(struct publishers *publishers);

/*
 * Compares what is stored with what was published, since the last comparison or from the very first reading on; between
 * begin and end it must not be called. Everything acknowledged has to be stored by now. A difference fails the test;
 * `when` is for its message.
 */
void publishers_check(struct publishers *publishers, const struct house *house, bool from_start, const char *when);

/* Publishes a reading of its own and waits until it is stored: all that the broker took before is, too. */
void publishers_wait_stored(const struct house *house);

size_t publishers_published(const struct publishers *publishers);
size_t publishers_acknowledged(const struct publishers *publishers);
/* Rows that the last check from the start has found. */
size_t publishers_stored(const struct publishers *publishers);

#endif
