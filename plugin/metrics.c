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
	[METRIC_DENIED] = ROOT "access/denied",
	[METRIC_SIGN_INS_REFUSED] = ROOT "access/refused",
	[METRIC_HASHED_HERE] = ROOT "sign_in/hashed_here",
	[METRIC_HASHED_HERE_US] = ROOT "sign_in/us_here",
	[METRIC_HASHED_THERE] = ROOT "sign_in/hashed_there",
	[METRIC_PUT_OFF] = ROOT "sign_in/put_off",
};

const char *metric_topic(enum metric metric)
{
	return topics[metric];
}

const char *metric_name(enum metric metric)
{
	return topics[metric] + sizeof ROOT - 1;
}

void metrics_publish(struct metrics *metrics, const struct metric_values *values, const struct broker_ops *broker)
{
	char text[24];

	for (int i = 0; i < METRIC_COUNT; i++) {
		if (metrics->published && values->of[i] == metrics->last.of[i])
			continue;
		int len = snprintf(text, sizeof text, "%" PRIu64, values->of[i]);
		broker->publish(topics[i], (struct slice){text, (size_t)len}, 1, true, NULL, 0);
	}
	metrics->last = *values;
	metrics->published = true;
}
