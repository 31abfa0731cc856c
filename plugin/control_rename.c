/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_rename: renaming and removing a device.
 *
 * What is renamed: configs, history, account, in this order, each of which can be undone until the account, whose change is
 * one record of the journal, is taken; then the configs of the old name go. After a crash in between the same command again does
 * the rest: configs that are there already with the same text are no obstacle, nor is an account that has its new name.
 */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- its series ---- */

static void take_retained_away(struct control_call *call, struct series *series)
{
	call->control->options.broker->publish(series->name, (struct slice){"", 0}, 1, true, NULL, 0);
}

/*
 * Goes through the live series in shares of work. Those of `taken` that have a value are an obstacle; the names of those of `old` that
 * have one are noted. CONTROL_DONE once all were looked at, with none made since.
 */
static enum control_outcome look_at_series(struct control_call *call, const struct control_device *old,
                                           const struct control_device *taken)
{
	const struct series_table *table = intake_feed(call->control->options.intake)->series;

	if (call->notes == NULL)
		call->notes = cJSON_CreateArray();
	for (; call->at < series_count(table); call->at++) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		struct series *series = series_at(table, call->at);
		struct topic topic = series_topic(series);
		control_work(call, CONTROL_WORK_LOOK);
		if (!series->latest.known)
			continue;
		if (taken != NULL && control_is_of_device(&topic, taken))
			return control_refuse(call, "newDevice: found live series, such as %.300s; wanted a name without any",
			                      series->name);
		if (control_is_of_device(&topic, old))
			control_append(call, call->notes, cJSON_CreateNumber((double)call->at));
	}
	return call->starved ? control_refuse(call, "no memory") : CONTROL_DONE;
}

/*
 * The device is not called so any more: what is retained of it goes, and what rules read of it is missing from now on, as
 * if it had never been there.
 */
static void forget_series(struct control_call *call)
{
	const struct series_table *table = intake_feed(call->control->options.intake)->series;
	const cJSON *one;
	cJSON_ArrayForEach(one, call->notes)
	{
		struct series *series = series_at(table, (size_t)one->valuedouble);
		if (series->subject == SUBJECT_STATE || series->subject == SUBJECT_STATUS)
			take_retained_away(call, series);
		series->latest.known = false;
		control_work(call, CONTROL_WORK_LOOK);
	}
}

/* ---- its configs ---- */

/* A config of the device, copied, for the catalog's texts live only until something changes. */
struct moving {
	struct slice from, payload, author;
	char *bytes; /* of all three */
	char to[TOPIC_MAX + 1];
	bool put; /* under its new name, by this command */
};

struct moving_list {
	struct moving *items;
	size_t count, room;
};

static struct slice copy(struct slice from, char **at)
{
	struct slice to = {*at, from.len};
	if (from.len > 0)
		*at = mempcpy(*at, from.ptr, from.len);
	return to;
}

static void moving_free(struct moving_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].bytes);
	free(list->items);
}

static bool moving_add(struct moving_list *list, const struct catalog_entry *entry)
{
	if (list->count == list->room) {
		size_t room = list->room > 0 ? list->room * 2 : 16;
		struct moving *items = realloc(list->items, room * sizeof *items);
		if (items == NULL)
			return false;
		list->items = items;
		list->room = room;
	}
	struct moving *one = &list->items[list->count];
	memset(one, 0, sizeof *one);
	one->bytes = malloc(entry->name.len + entry->payload.len + entry->author.len + 1);
	if (one->bytes == NULL)
		return false;
	list->count++;
	char *at = one->bytes;
	one->from = copy(entry->name, &at);
	one->payload = copy(entry->payload, &at);
	one->author = copy(entry->author, &at);
	return true;
}

static bool moving_collect(struct control_call *call, const struct control_device *device, struct moving_list *list)
{
	struct catalog *catalog = intake_feed(call->control->options.intake)->catalog;
	struct catalog_entry entry;
	struct topic topic;
	bool whole = true;

	for (size_t n = 0; whole && catalog_at(catalog, n, &entry); n++) {
		control_work(call, CONTROL_WORK_LOOK);
		if (topic_parse(entry.name, &topic) && control_is_of_device(&topic, device))
			whole = moving_add(list, &entry);
	}
	if (!whole)
		control_refuse(call, "no memory");
	return whole;
}

static bool moving_name(struct control_call *call, struct moving *one, const char *device)
{
	struct topic topic;
	int len = -1;
	if (topic_parse(one->from, &topic))
		len = snprintf(one->to, sizeof one->to, "%s/%.*s/config", device, (int)topic.sensor.len, topic.sensor.ptr);
	if (len > 0 && (size_t)len < sizeof one->to)
		return true;
	control_refuse(call, "newDevice: found a long name; wanted topics of at most %d bytes", TOPIC_MAX);
	return false;
}

/* Is there a config with this name? `same`: and the same text. */
static bool config_is_there(struct control_call *call, const struct moving *one, bool *same)
{
	struct catalog *catalog = intake_feed(call->control->options.intake)->catalog;
	struct catalog_entry entry;
	for (size_t n = 0; catalog_at(catalog, n, &entry); n++) {
		control_work(call, CONTROL_WORK_LOOK);
		if (slice_is(entry.name, one->to)) {
			*same = slice_equal(entry.payload, one->payload);
			return true;
		}
	}
	return false;
}

/*
 * Placeholders in another's config stand for names that its author did not choose: who is no administrator must not choose
 * them for him, for they may name what only the author may command.
 */
static bool moving_check(struct control_call *call, const struct moving_list *list)
{
	static const char *const placeholders[] = {"{location}", "{device}", "\\u007"};

	for (size_t i = 0; i < list->count && !control_is_admin(call); i++) {
		const struct moving *one = &list->items[i];
		bool lent = false;
		for (size_t k = 0; k < sizeof placeholders / sizeof placeholders[0]; k++)
			lent = lent || memmem(one->payload.ptr, one->payload.len, placeholders[k], strlen(placeholders[k])) != NULL;
		if (!lent || slice_equal(one->author, account_name(call->caller)))
			continue;
		control_forbid(call, "the config %.*s has placeholders, and is another's: renaming it is for the role admin",
		               CONTROL_SHOWN(one->from));
		return false;
	}
	return true;
}

static void moving_undo(struct control_call *call, struct moving_list *list)
{
	char error[CONTROL_ERROR_MAX];
	memcpy(error, call->error, sizeof error);
	for (size_t i = list->count; i-- > 0;) {
		if (list->items[i].put)
			control_configure(call, slice_of(list->items[i].to), (struct slice){"", 0}, list->items[i].author);
	}
	memcpy(call->error, error, sizeof error); /* the first */
}

static bool moving_put(struct control_call *call, struct moving_list *list, const char *device)
{
	for (size_t i = 0; i < list->count; i++) {
		struct moving *one = &list->items[i];
		bool same = false;
		if (!moving_name(call, one, device))
			return false;
		if (config_is_there(call, one, &same)) {
			if (same)
				continue;
			control_refuse(call, "newDevice: found the config %.300s; wanted a name without any", one->to);
			return false;
		}
		if (!control_configure(call, slice_of(one->to), one->payload, one->author))
			return false;
		one->put = true;
	}
	return true;
}

static bool moving_remove_old(struct control_call *call, const struct moving_list *list)
{
	bool all = true;
	for (size_t i = 0; i < list->count; i++)
		all = control_configure(call, list->items[i].from, (struct slice){"", 0}, list->items[i].author) && all;
	return all;
}

/* ---- its account and history ---- */

static enum control_outcome account_rename(struct control_call *call, const struct control_device *device,
                                           const char *from, const char *to)
{
	char old_name[CONTROL_NAME_SIZE], new_name[CONTROL_NAME_SIZE];
	cJSON *document = control_document(call, slice_of(from));
	enum control_outcome outcome = CONTROL_REFUSED;

	if (document == NULL)
		return CONTROL_REFUSED;
	control_replace(call, document, "username", cJSON_CreateString(to));
	control_replace(call, document, "location", control_text_item(device->location));
	control_replace(call, document, "device", control_text_item(device->device));
	char *body = call->starved ? NULL : cJSON_PrintUnformatted(document);
	if (body == NULL || !control_document_name(slice_of(from), old_name) ||
	    !control_document_name(slice_of(to), new_name)) {
		control_refuse(call, "no memory");
	} else if (control_document_check(call, document)) {
		const struct document documents[] = {
			{slice_of(new_name), slice_of(body)},
			{slice_of(old_name), {"", 0}},
		};
		outcome = control_change(call, documents, 2);
	}
	free(body);
	cJSON_Delete(document);
	return outcome;
}

static bool history_rename(struct control_call *call, const char *from, const char *to)
{
	uint64_t end;
	if (!feed_renamed(intake_feed(call->control->options.intake), slice_of(from), slice_of(to), call->now, &end)) {
		control_refuse(call, "the journal does not take it: wanted room in it");
		return false;
	}
	control_durably(call);
	return true;
}

/* All at once, when nothing stands in the way. */
static enum control_outcome rename_now(struct control_call *call, const struct control_device *device, const char *from,
                                       const struct control_device *new_device, const char *to)
{
	struct moving_list list = {0};
	enum control_outcome outcome = CONTROL_REFUSED;

	if (!moving_collect(call, device, &list) || !moving_check(call, &list) || !moving_put(call, &list, to) ||
	    !history_rename(call, from, to)) {
		moving_undo(call, &list);
	} else if ((outcome = account_rename(call, new_device, from, to)) != CONTROL_DONE) {
		char error[CONTROL_ERROR_MAX];
		memcpy(error, call->error, sizeof error);
		history_rename(call, to, from);
		memcpy(call->error, error, sizeof error);
		moving_undo(call, &list);
	} else {
		forget_series(call);
		control_put_text(call, control_data(call), "username", slice_of(to));
		if (!moving_remove_old(call, &list))
			outcome = control_refuse(call, "renamed, but configs of the old name are still there: removeConfig");
	}
	moving_free(&list);
	return outcome;
}

static enum control_outcome refuse_absent(struct control_call *call, const char *name)
{
	return control_refuse(call, "device: found \"%.*s\"; wanted a device that is there", CONTROL_SHOWN(slice_of(name)));
}

/* The account has its new name, from before a crash. What there still is under the old one follows. */
static enum control_outcome rename_rest(struct control_call *call, const struct control_device *old, const char *from,
                                        const char *to)
{
	struct moving_list list = {0};
	enum control_outcome outcome = look_at_series(call, old, NULL);

	if (outcome != CONTROL_DONE)
		return outcome;
	outcome = CONTROL_REFUSED;
	if (!moving_collect(call, old, &list) || !moving_check(call, &list) || !moving_put(call, &list, to)) {
		moving_undo(call, &list);
	} else if (list.count == 0) {
		refuse_absent(call, from);
	} else if (moving_remove_old(call, &list)) {
		forget_series(call);
		control_put_text(call, control_data(call), "username", slice_of(to));
		outcome = CONTROL_DONE;
	}
	moving_free(&list);
	return outcome;
}

enum control_outcome control_rename_device(struct control_call *call)
{
	struct control_device old, new_device;
	char from[ACCOUNT_NAME_MAX + 1], to[ACCOUNT_NAME_MAX + 1];

	if (!control_device_keys(call, "location", "device", &old, from) ||
	    !control_device_keys(call, "newLocation", "newDevice", &new_device, to))
		return CONTROL_REFUSED;
	const struct account *taken = account_find(control_accounts(call), slice_of(to));
	if (account_find(control_accounts(call), slice_of(from)) == NULL && control_is_device(taken, &new_device))
		return rename_rest(call, &old, from, to);
	if (!control_is_device(account_find(control_accounts(call), slice_of(from)), &old))
		return refuse_absent(call, from);
	if (taken != NULL)
		return control_refuse(call, "newDevice: found \"%.*s\", which is there; wanted a new name",
		                      CONTROL_SHOWN(slice_of(to)));
	enum control_outcome outcome = look_at_series(call, &old, &new_device);
	return outcome == CONTROL_DONE ? rename_now(call, &old, from, &new_device, to) : outcome;
}

/* ---- removing ---- */

static enum control_outcome remove_now(struct control_call *call, const struct control_device *device, const char *name)
{
	struct moving_list list = {0};
	char document[CONTROL_NAME_SIZE];
	enum control_outcome outcome = CONTROL_REFUSED;

	if ((control_flag(call, "configs") && !moving_collect(call, device, &list)) ||
	    !control_document_name(slice_of(name), document))
		outcome = CONTROL_REFUSED;
	else
		outcome = control_change(call, &(struct document){.name = slice_of(document), .body = {"", 0}}, 1);
	if (outcome == CONTROL_DONE) {
		forget_series(call);
		if (!moving_remove_old(call, &list))
			outcome = control_refuse(call, "removed, but configs are still there: removeConfig");
	}
	moving_free(&list);
	return outcome;
}

enum control_outcome control_remove_device(struct control_call *call)
{
	struct control_device device;
	char name[ACCOUNT_NAME_MAX + 1];

	if (!control_device_keys(call, "location", "device", &device, name))
		return CONTROL_REFUSED;
	if (!control_is_device(account_find(control_accounts(call), slice_of(name)), &device))
		return refuse_absent(call, name);
	enum control_outcome outcome = look_at_series(call, &device, NULL);
	return outcome == CONTROL_DONE ? remove_now(call, &device, name) : outcome;
}
