/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_upkeep: between batches, the store is looked after: room is made for what comes, what is too old is dropped, in short
 * steps with batches between them. Nothing depends on it but space, so where it fails readings are stored all the same.
 */
#include "writer_internal.h"

#include <time.h>

#define AGAIN_MS 600000 /* after one that failed */

void writer_look_after(struct writer *writer, int64_t now_ms)
{
	struct writer_upkeep *upkeep = &writer->upkeep;
	struct timespec wall;
	bool more = false;

	if (now_ms < upkeep->due_ms)
		return;
	clock_gettime(CLOCK_REALTIME, &wall);
	struct store_keep keep = {.now_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000};
	if (now_ms >= upkeep->settled_ms) {
		keep.raw_days = upkeep->keep_raw_days;
		keep.minute_days = upkeep->keep_minute_days;
	}
	bool works = writer->ops->upkeep(writer->store, &keep, &more) == STORE_OK;
	int64_t next_ms = more ? 0 : works ? upkeep->every_ms : AGAIN_MS;
	upkeep->due_ms = now_ms + next_ms;
	if (now_ms < upkeep->settled_ms && upkeep->settled_ms < upkeep->due_ms)
		upkeep->due_ms = upkeep->settled_ms;
	/* In an outage that is told already, this has the same cause. */
	if (works == !upkeep->failing || (!works && writer->outage))
		return;
	upkeep->failing = !works;
	if (!works)
		notice_post(writer->notices, NOTICE_WARNING,
		            "The history store (%s) cannot be looked after: %s. Readings are stored; old ones are not dropped.",
		            writer->ops->scheme, writer->ops->error(writer->store));
}
