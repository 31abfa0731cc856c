/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_configs: configs, listed and told to who may read them, changed by who may write them, as if published. Whose one
 * is, is for those who administrate: names of accounts are nobody else's business.
 */
#include "control_internal.h"

#include <stdlib.h>
#include <string.h>

static cJSON *entry_item(struct control_call *call, const struct catalog_entry *entry, bool with_config)
{
	cJSON *one = cJSON_CreateObject();
	control_put_text(call, one, "topic", entry->name);
	if (control_administrates(call))
		control_put_text(call, one, "author", entry->author);
	control_put(call, one, "suspended", cJSON_CreateBool(entry->suspended));
	if (with_config) { /* its very text, which was checked when it was taken */
		char *text = strndup(entry->payload.ptr, entry->payload.len);
		control_put(call, one, "config", text != NULL ? cJSON_CreateRaw(text) : NULL);
		free(text);
	}
	control_work(call, CONTROL_WORK_CALL);
	return one;
}

enum control_outcome control_list_configs(struct control_call *call)
{
	struct catalog *catalog = intake_feed(call->control->options.intake)->catalog;
	size_t offset = control_whole(call, "offset", 0), count = control_count(call);
	struct slice filter = control_text(call, "filter");
	cJSON *list = control_array(call, "configs");
	struct catalog_entry entry;

	if (filter.ptr != NULL && (filter.len > FILTER_MAX || !topic_filter_valid(filter)))
		return control_refuse(call, "filter: found \"%.*s\"; wanted an MQTT filter", CONTROL_SHOWN(filter));
	for (; call->passed < offset + count && catalog_at(catalog, call->at, &entry); call->at++) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		control_work(call, CONTROL_WORK_LOOK);
		if ((filter.ptr == NULL || topic_matches(filter, entry.name)) && control_may_read(call, entry.name) &&
		    call->passed++ >= offset)
			control_append(call, list, entry_item(call, &entry, false));
	}
	if (call->passed >= offset + count)
		control_put_number(call, control_data(call), "next", (double)call->passed);
	return CONTROL_DONE;
}

enum control_outcome control_get_config(struct control_call *call)
{
	struct catalog *catalog = intake_feed(call->control->options.intake)->catalog;
	struct slice topic = control_text(call, "topic");
	struct catalog_entry entry;

	if (!control_may_read(call, topic))
		return control_forbid(call, "reading %.*s", CONTROL_SHOWN(topic));
	for (; catalog_at(catalog, call->at, &entry); call->at++) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		control_work(call, CONTROL_WORK_LOOK);
		if (!slice_equal(entry.name, topic))
			continue;
		call->data = entry_item(call, &entry, true);
		return CONTROL_DONE;
	}
	return control_refuse(call, "topic: found \"%.*s\"; wanted the topic of a config that is there",
	                      CONTROL_SHOWN(topic));
}

static bool may_write(struct control_call *call, struct slice topic)
{
	if (account_may(call->caller, RIGHT_WRITE, call->client_id, topic, NULL))
		return true;
	control_forbid(call, "writing %.*s", CONTROL_SHOWN(topic));
	return false;
}

enum control_outcome control_set_config(struct control_call *call)
{
	const cJSON *config = control_key(call, "config");
	struct slice topic = control_text(call, "topic"), text = control_text(call, "config");

	if (!may_write(call, topic))
		return CONTROL_REFUSED;
	char *printed = cJSON_IsObject(config) ? cJSON_PrintUnformatted(config) : NULL;
	if (printed != NULL)
		text = slice_of(printed);
	else if (text.ptr == NULL)
		return control_refuse(call, "no memory");
	enum control_outcome outcome = CONTROL_REFUSED;
	if (slice_trim(text).len == 0)
		control_refuse(call, "config: found nothing; wanted a config (or removeConfig)");
	else if (control_configure(call, topic, text, account_name(call->caller)))
		outcome = CONTROL_DONE;
	free(printed);
	return outcome;
}

enum control_outcome control_remove_config(struct control_call *call)
{
	struct slice topic = control_text(call, "topic");

	if (!may_write(call, topic))
		return CONTROL_REFUSED;
	return control_configure(call, topic, (struct slice){"", 0}, account_name(call->caller)) ? CONTROL_DONE
	                                                                                         : CONTROL_REFUSED;
}
