/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_topic: topics and targets in rules.
 *
 * What is written in a config is a template: {location} and {device}, anywhere in a level, stand for the levels of the
 * sensor that the config rules. The template itself must have a topic's shape; a level of a sensor put in its place
 * cannot spoil that. `all` is refused as it is written; in a default's own check {location} may well become it.
 */
#include "config_parse.h"

#include <string.h>

/* The level that a placeholder at the start of the text stands for, and the placeholder's length; NULL: it is none. */
static const struct slice *placeholder(const struct topic *sensor, const char *text, size_t *len)
{
	static const char location[] = "{location}", device[] = "{device}";

	*len = sizeof location - 1;
	if (strncmp(text, location, *len) == 0)
		return &sensor->location;
	*len = sizeof device - 1;
	if (strncmp(text, device, *len) == 0)
		return &sensor->device;
	return NULL;
}

/* What becomes of a template. */
struct form {
	struct slice tail; /* added to it */
	size_t room;       /* bytes that must be left behind it, the tail among them */
};

static const struct form of_target = {{"", 0}, sizeof "/state" - 1}; /* to which /set and /state are added later */
static const struct form of_sensor = {{"/value", 6}, 6};
static const struct form of_name = {{"", 0}, 0};

static const char wanted_length[] = "a name of at most 512 bytes with its subject, and its placeholders replaced";
_Static_assert(TOPIC_MAX == 512, "wanted_length says 512");

/* Replaces the placeholders and adds the tail. NULL, with the error set, if that cannot be done. */
static char *expand(struct config_reader *reader, const struct config_node *node, const struct form *form)
{
	char buffer[TOPIC_MAX];
	size_t len = 0;

	for (const char *at = node->item->valuestring; *at != '\0';) {
		struct slice piece = {at, strcspn(at, "{}")};
		size_t step = piece.len;
		if (step == 0) {
			const struct slice *level = placeholder(reader->sensor, at, &step);
			if (level == NULL) {
				config_refuse(reader->error, node, NULL, "no braces but in {location} and {device}");
				return NULL;
			}
			piece = *level;
		}
		if (piece.len > sizeof buffer - form->room - len) {
			config_refuse(reader->error, node, NULL, wanted_length);
			return NULL;
		}
		memcpy(buffer + len, piece.ptr, piece.len);
		len += piece.len;
		at += step;
	}
	memcpy(buffer + len, form->tail.ptr, form->tail.len);
	return config_copy(reader, (struct slice){buffer, len + form->tail.len});
}

/* `all` names no place to read from or to send to, but Hearth's own device of the house. */
static bool names_all(const struct topic *topic)
{
	if (slice_is(topic->location, TOPIC_ALL))
		return !slice_is(topic->device, TOPIC_OWN_DEVICE);
	return slice_is(topic->device, TOPIC_ALL);
}

/* The template as it is written. */
static bool read_template(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                          struct slice *out)
{
	if (!cJSON_IsString(node->item))
		return config_refuse(reader->error, node, NULL, key->wanted);
	*out = slice_of(node->item->valuestring);
	return out->len <= TOPIC_MAX || config_refuse(reader->error, node, NULL, wanted_length);
}

static bool read_name(struct config_reader *reader, const struct config_node *node, const struct topic *template,
                      const struct form *form, char **out)
{
	if (names_all(template))
		return config_refuse(reader->error, node, NULL,
		                     "one location and device; \"all\" is only for \"all/hearth/NAME\"");
	*out = expand(reader, node, form);
	return *out != NULL;
}

bool config_read_target(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                        void *field)
{
	struct slice text = {0};
	struct topic template;

	if (!read_template(reader, node, key, &text))
		return false;
	if (topic_parse_sensor(text, &template))
		return read_name(reader, node, &template, &of_target, field);
	return config_refuse(reader->error, node, NULL, key->wanted);
}

static bool is_subject_to_read(enum topic_subject subject)
{
	return subject == SUBJECT_VALUE || subject == SUBJECT_SET || subject == SUBJECT_STATE || subject == SUBJECT_STATUS;
}

bool config_read_topic(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                       void *field)
{
	struct slice text = {0};
	struct topic template;

	if (!read_template(reader, node, key, &text))
		return false;
	if (topic_parse_sensor(text, &template))
		return read_name(reader, node, &template, &of_sensor, field);
	if (topic_parse(text, &template) && is_subject_to_read(template.subject))
		return read_name(reader, node, &template, &of_name, field);
	return config_refuse(reader->error, node, NULL, key->wanted);
}
