/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * metrics: see metrics.h. A new metric is a row here and where the values come from (plugin.c).
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>

#define ROOT "$SYS/broker/hearth/"

static const char *const topics[METRIC_COUNT] = {
	[METRIC_RECEIVED] = ROOT "readings/received",
	[METRIC_REFUSED] = ROOT "readings/refused",
	[METRIC_RESENT] = ROOT "readings/resent",
	[METRIC_JOURNALED] = ROOT "readings/journaled",
	[METRIC_LOST] = ROOT "readings/lost",
	[METRIC_STORED] = ROOT "readings/stored",
	[METRIC_REJECTED] = ROOT "readings/rejected",
	[METRIC_JOURNAL_BYTES] = ROOT "journal/bytes",
	[METRIC_JOURNAL_QUOTA] = ROOT "journal/quota",
	[METRIC_WAITING] = ROOT "journal/waiting",
	[METRIC_LAG] = ROOT "store/lag",
	[METRIC_FIRED] = ROOT "rules/fired",
	[METRIC_COMMANDS] = ROOT "rules/commands",
};

const char *metric_topic(enum metric metric)
{
	return topics[metric];
}

void metrics_publish(struct metrics *metrics, const uint64_t values[METRIC_COUNT], const struct broker_ops *broker)
{
	char text[24];

	for (int i = 0; i < METRIC_COUNT; i++) {
		if (metrics->published && values[i] == metrics->last[i])
			continue;
		int len = snprintf(text, sizeof text, "%" PRIu64, values[i]);
		broker->publish(topics[i], (struct slice){text, (size_t)len}, 1, true, NULL, 0);
		metrics->last[i] = values[i];
	}
	metrics->published = true;
}
