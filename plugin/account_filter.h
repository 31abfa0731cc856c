/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_filter: MQTT filters against each other: which is more specific, do two meet, does one cover another.
 *
 * A filter here is one that topic_filter_valid takes, or empty: that is everything, what begins with $ included. As in
 * MQTT, a wildcard in front reaches nothing that begins with $, and "a/#" matches "a" too.
 */
#ifndef HEARTH_ACCOUNT_FILTER_H
#define HEARTH_ACCOUNT_FILTER_H

#include "topic.h"

/*
 * Less than 0 if a goes before b, being more specific; 0 if both have names, + and # at the same levels. Only that
 * counts, not what the names are: of filters that match the same topic, those with 0 are the same filter.
 */
int account_filter_order(struct slice a, struct slice b);

/* Is there a topic that both match? */
bool account_filter_meet(struct slice a, struct slice b);

/*
 * Does `wide` surely match every topic that both a and b match, which meet? That "+/#" is another way to write "#" is not
 * seen.
 */
bool account_filter_covers(struct slice wide, struct slice a, struct slice b);

/*
 * The filter behind "$share/GROUP/", or the filter itself if it is not shared. False if it is shared in a way that MQTT
 * does not allow (5.0, section 4.8.2).
 */
bool account_filter_unshare(struct slice filter, struct slice *out);

#endif
