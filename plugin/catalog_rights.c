/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * catalog_rights: see catalog_rights.h.
 *
 * A default's rules are compiled with a mark in place of the location or device that it does not fix. A level with a mark in it,
 * as a whole or in part, may become any name, so that it is asked about as "+".
 */
#include "catalog_rights.h"

#include <stdio.h>
#include <string.h>

/* A character for private use. A config that has it in a name is asked about as if it were the mark. */
#define MARK     "\xF4\x8F\xBF\xBD"
#define MARK_LEN (sizeof MARK - 1)

static struct slice asked_level(struct slice level)
{
	return memmem(level.ptr, level.len, MARK, MARK_LEN) != NULL ? (struct slice){"+", 1} : level;
}

/* `subject`: of a three-level name. */
static bool may(const struct catalog_permission *permission, const char *author, bool write, const struct topic *topic,
                const char *subject)
{
	char filter[TOPIC_MAX + 16];
	struct slice location = asked_level(topic->location), device = asked_level(topic->device);
	struct slice sensor = asked_level(topic->sensor);
	int len = snprintf(filter, sizeof filter, "%.*s/%.*s/%.*s/%s", (int)location.len, location.ptr, (int)device.len,
	                   device.ptr, (int)sensor.len, sensor.ptr, subject);

	return permission->may(permission->context, slice_of(author), write, (struct slice){filter, (size_t)len});
}

static bool refuse(struct config_error *error, size_t rule, const char *name, const char *doing)
{
	snprintf(error->path, sizeof error->path, "$.rules[%zu]", rule);
	char *out = error->found, *end = error->found + sizeof error->found - 1;
	while (*name != '\0' && out < end) {
		bool marked = strncmp(name, MARK, MARK_LEN) == 0;
		*out = *name;
		if (marked)
			*out = '+';
		out++;
		name += marked ? MARK_LEN : 1;
	}
	*out = '\0';
	snprintf(error->wanted, sizeof error->wanted, "only what the config's author may %s too", doing);
	return false;
}

static bool commands_permitted(const struct catalog_permission *permission, const char *author, const struct rule *rule,
                               size_t number, struct config_error *error)
{
	const struct action_list *lists[] = {&rule->then_do, &rule->else_do, &rule->always_do};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		for (size_t j = 0; j < lists[i]->count; j++) {
			const char *target = lists[i]->items[j].target;
			struct topic topic;
			if (!topic_parse_sensor(slice_of(target), &topic) || !may(permission, author, true, &topic, "set"))
				return refuse(error, number, target, "command");
		}
	}
	return true;
}

static bool inputs_permitted(const struct catalog_permission *permission, const char *author, const struct rule *rule,
                             size_t number, struct config_error *error)
{
	for (size_t i = 0; i < rule->input_count; i++) {
		struct topic topic;
		if (!topic_parse(slice_of(rule->inputs[i]), &topic) ||
		    !may(permission, author, false, &topic, topic_subject_name(topic.subject)))
			return refuse(error, number, rule->inputs[i], "read");
	}
	return true;
}

static bool rules_permitted(const struct catalog_permission *permission, const char *author,
                            const struct config *config, struct config_error *error)
{
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct rule *rule = &config->rules[i];
		if (!commands_permitted(permission, author, rule, i, error) ||
		    !inputs_permitted(permission, author, rule, i, error))
			return false;
	}
	return true;
}

bool catalog_is_permitted(const struct catalog_documents *documents, const struct catalog_permission *permission,
                          struct catalog_document *document, struct config_error *error)
{
	const struct slice mark = slice_of(MARK);
	struct topic marked = document->topic;
	cJSON *merged;

	if (permission->may == NULL || document->author[0] == '\0' || !cJSON_HasObjectItem(document->content.json, "rules"))
		return true;
	if (slice_is(marked.location, TOPIC_ALL))
		marked.location = mark;
	if (slice_is(marked.device, TOPIC_ALL))
		marked.device = mark;
	bool suspended = document->suspended;
	document->suspended = false;
	bool ok = catalog_documents_merge(documents, &document->topic, &merged);
	document->suspended = suspended;
	if (!ok || merged == NULL) {
		*error = (struct config_error){"$", "no memory", "the same again when there is some"};
		return false;
	}
	struct config *config = config_compile(merged, &marked, error);
	cJSON_Delete(merged);
	ok = config != NULL && rules_permitted(permission, document->author, config, error);
	config_free(config);
	return ok;
}
