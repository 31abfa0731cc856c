/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake_losses: see the header.
 */
#include "intake_losses.h"

#define BOUNDS_EVERY_MS 60000
#define ROOM_AGAIN_MS   5000 /* without a loss */

static void lost_log(struct losses *losses, const struct feed_counters *feed, const struct broker_ops *broker,
                     int64_t now_ms)
{
	const bool stored = feed->stored != losses->stored_seen;

	losses->stored_seen = feed->stored;
	if (feed->lost != losses->lost_seen) {
		if (!losses->losing) {
			losses->losing = true;
			losses->lost_before = losses->lost_seen;
			losses->since_ms = now_ms;
			broker->log(NOTICE_ERROR,
			            "The journal is full: readings are not stored until it has room again; rules go on. Is the "
			            "history store reachable, is there room on the disk? plugin_opt_journal_max sets the journal's "
			            "size.");
		}
		losses->lost_seen = feed->lost;
		losses->last_ms = now_ms;
	} else if (losses->losing && stored && now_ms - losses->last_ms >= ROOM_AGAIN_MS) {
		losses->losing = false;
		broker_logf(broker, NOTICE_WARNING, "The journal has room again: %llu readings were not stored within %lld s.",
		            (unsigned long long)(feed->lost - losses->lost_before),
		            (long long)(losses->last_ms - losses->since_ms + 999) / 1000);
	}
}

static void bounds_log(struct losses *losses, const struct feed *feed, const struct broker_ops *broker, int64_t now_ms)
{
	const struct catalog_unbound *unbound = catalog_unbound(feed->catalog);
	const uint64_t crowded = feed->counters.crowded;

	if (crowded + unbound->count == losses->bounds_logged || now_ms < losses->bounds_next_ms)
		return;
	losses->bounds_logged = crowded + unbound->count;
	losses->bounds_next_ms = now_ms + BOUNDS_EVERY_MS;
	if (crowded > 0)
		broker_logf(
			broker, NOTICE_ERROR,
			"too many series: %llu messages on new topics were not taken in so far; plugin_opt_max_series %zu is "
			"the most",
			(unsigned long long)crowded, series_count(feed->series));
	if (unbound->count > 0)
		broker_logf(
			broker, NOTICE_ERROR,
			"%llu times the rules of a config could not be bound to a series; the last time %s: at %s: found %s; "
			"wanted %s",
			(unsigned long long)unbound->count, unbound->series->name, unbound->error.path, unbound->error.found,
			unbound->error.wanted);
}

void losses_log(struct losses *losses, const struct feed *feed, const struct broker_ops *broker, int64_t now_ms)
{
	lost_log(losses, &feed->counters, broker, now_ms);
	bounds_log(losses, feed, broker, now_ms);
}
