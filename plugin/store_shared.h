/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_shared: what the backends have in common, mostly their reads. Private to store*.c.
 */
#ifndef HEARTH_STORE_SHARED_H
#define HEARTH_STORE_SHARED_H

#include "store.h"

/* Why series keep their old name, if the store itself has not refused. */
#define STORE_NAME_TAKEN "there are series of the new name already, or it would be too long"

/* A topic's whole name, in the buffer. */
struct slice store_topic_name(const struct topic *topic, char buffer[static TOPIC_MAX + 1]);

/*
 * Buckets of rows that come in the order of time, so that each belongs to the last one or begins one. To add them up here,
 * and not by GROUP BY, saves the database to sort what is in order.
 */
struct store_bucketing {
	int64_t step_us;
	store_bucket_callback callback;
	void *context;
	struct store_bucket bucket; /* count 0: none is begun */
};

/* The next row, as a bucket of whatever width. False: the callback wants no more. */
bool bucketing_add(struct store_bucketing *bucketing, const struct store_bucket *row);

/* After the last row. */
void bucketing_end(struct store_bucketing *bucketing);

#endif
