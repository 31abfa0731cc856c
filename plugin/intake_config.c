/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * intake_config: see intake_config.h.
 */
#include "intake_config.h"

#include <stdio.h>
#include <string.h>

static bool refuse(struct config_refusal *refusal, const char *code, const char *wanted)
{
	*refusal = (struct config_refusal){.code = code};
	snprintf(refusal->error.wanted, sizeof refusal->error.wanted, "%s", wanted);
	return false;
}

bool config_take(struct config_intake *intake, const struct config_message *message, struct config_refusal *refusal,
                 struct instant now)
{
	*refusal = (struct config_refusal){0};
	if (message->payload.len > CONFIG_PAYLOAD_MAX)
		return refuse(refusal, "refused_config", "at most 131072 bytes");
	if (!feed_has_room(intake->feed, message->name, message->payload, message->author))
		return refuse(refusal, "journal_full", "room in the journal, so that the config survives a restart");
	switch (catalog_put(intake->feed->catalog, message->name, message->topic, message->payload, message->author,
	                    &refusal->error)) {
	case CATALOG_REFUSED:
		refusal->code = "refused_config";
		return false;
	case CATALOG_SAME:
		/* One that is in force is in the journal too, unless that once refused one. A removal is always kept: what it removes
		 * may have found no place at the start and must not come back at the next. */
		if (slice_trim(message->payload).len > 0 && !intake->journal_refused)
			return true;
		break;
	case CATALOG_UNBOUND: /* the next tick says which series and why */
	case CATALOG_SUSPENDED:
	case CATALOG_CHANGED:
		break;
	}
	/* White space alone removes, as nothing does; else the very bytes are what a restart publishes again. */
	struct slice payload = message->payload;
	if (slice_trim(payload).len == 0)
		payload.len = 0;
	if (!feed_retain(intake->feed, message->name, payload, message->author, now)) {
		intake->journal_refused = true;
		refuse(refusal, "journal_full",
		       "a journal that takes it: the config is in force, and may be gone after a restart");
	}
	return true;
}

void config_restore(struct config_intake *intake, const struct config_message *message)
{
	char name[TOPIC_MAX + 1];
	struct config_error error = {0};
	enum catalog_result result = CATALOG_SAME;

	if (message->payload.len > 0)
		result = catalog_restore(intake->feed->catalog, message->name, message->topic, message->payload,
		                         message->author, &error);
	if (result == CATALOG_REFUSED || result == CATALOG_SUSPENDED)
		broker_logf(intake->broker, NOTICE_ERROR, "%.*s is not in force: %s: found %s; wanted %s",
		            (int)message->name.len, message->name.ptr, error.path, error.found, error.wanted);
	memcpy(name, message->name.ptr, message->name.len);
	name[message->name.len] = '\0';
	intake->broker->publish(name, message->payload, 1, true, NULL, 0);
}

struct recheck {
	struct config_intake *intake;
	struct instant now;
};

static void tell_recheck(void *context, const struct topic *topic, bool suspended, const struct config_error *error)
{
	const struct recheck *recheck = context;
	const struct broker_ops *broker = recheck->intake->broker;

	if (suspended)
		report_publish(recheck->intake->reporter, topic,
		               &(struct report){"suspended_config", error->path, slice_of(error->found), error->wanted},
		               recheck->now);
	broker_logf(broker, NOTICE_WARNING, "%.*s/%.*s/%.*s/config is %s", (int)topic->location.len, topic->location.ptr,
	            (int)topic->device.len, topic->device.ptr, (int)topic->sensor.len, topic->sensor.ptr,
	            suspended ? "no longer in force: who published it may not command what its rules name. Whoever may"
	                        " can publish it again"
	                      : "in force again");
}

void config_recheck(struct config_intake *intake, const struct catalog_authors *authors, struct instant now)
{
	struct recheck recheck = {intake, now};
	catalog_recheck(intake->feed->catalog, authors, tell_recheck, &recheck);
}
