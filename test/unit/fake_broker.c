/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fake_broker: see fake_broker.h. Without memory a test may end at once.
 */
#include "fake_broker.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct fake_publish *publishes, *responses;
	size_t count, room, response_count, response_room;
	char **lines;
	size_t line_count, line_room;
	size_t told; /* publishes that fake_broker_said has told */
	char *said;
	const char *user;
	char did[1024];
	size_t did_len;
	bool did_told;
	bool refuses;
} fake;

static void *grown(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = realloc(array, *room * size);
	if (!array)
		abort();
	return array;
}

static char *copy(const char *bytes, size_t len)
{
	char *text = malloc(len + 1);
	if (!text)
		abort();
	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	return text;
}

static bool publish(const char *topic, struct slice payload, int qos, bool retain,
                    const struct user_property *properties, size_t property_count)
{
	fake.publishes = grown(fake.publishes, fake.count, &fake.room, sizeof *fake.publishes);
	struct fake_publish *one = &fake.publishes[fake.count++];
	*one = (struct fake_publish){
		.topic = copy(topic, strlen(topic)),
		.payload = copy(payload.ptr, payload.len),
		.len = payload.len,
		.qos = qos,
		.retain = retain,
		.property_count = property_count,
	};
	if (property_count > FAKE_PROPERTIES_MAX)
		abort();
	for (size_t i = 0; i < property_count; i++) {
		one->names[i] = copy(properties[i].name, strlen(properties[i].name));
		one->values[i] = copy(properties[i].value, strlen(properties[i].value));
	}
	return !fake.refuses;
}

static void write_line(enum notice_level level, const char *line)
{
	(void)level;
	fake.lines = grown(fake.lines, fake.line_count, &fake.line_room, sizeof *fake.lines);
	fake.lines[fake.line_count++] = copy(line, strlen(line));
}

static const char *username(const void *client)
{
	const struct fake_client *one = client;
	return one ? one->user : fake.user;
}

static const char *client_id(const void *client)
{
	const struct fake_client *one = client;
	return one ? one->id : NULL;
}

static const char *address(const void *client)
{
	const struct fake_client *one = client;
	return one ? one->address : NULL;
}

static bool is_stored(const void *client)
{
	const struct fake_client *one = client;
	return one && one->stored;
}

static bool is_restored(const void *client)
{
	const struct fake_client *one = client;
	return one && one->restored;
}

static bool certificate_name(const void *client, char *name, size_t size)
{
	const struct fake_client *one = client;
	if (!one || !one->certificate || strlen(one->certificate) >= size)
		return false;
	snprintf(name, size, "%s", one->certificate);
	return true;
}

static bool respond(const char *id, const char *topic, struct slice payload)
{
	char name[1024];
	snprintf(name, sizeof name, "%s %s", id, topic);
	fake.responses = grown(fake.responses, fake.response_count, &fake.response_room, sizeof *fake.responses);
	fake.responses[fake.response_count++] = (struct fake_publish){
		.topic = copy(name, strlen(name)),
		.payload = copy(payload.ptr, payload.len),
		.len = payload.len,
	};
	return !fake.refuses;
}

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	va_list arguments;
	if (fake.did_told)
		fake.did_len = 0;
	fake.did_told = false;
	va_start(arguments, format);
	int len = vsnprintf(fake.did + fake.did_len, sizeof fake.did - fake.did_len, format, arguments);
	va_end(arguments);
	fake.did_len += (size_t)len;
	if (fake.did_len >= sizeof fake.did)
		fake.did_len = sizeof fake.did - 1;
}

static void drop(const char *id)
{
	note("drop %s; ", id);
}

static void drop_user(const char *name)
{
	note("dropUser %s; ", name);
}

const struct broker_ops fake_broker = {
	.publish = publish,
	.log = write_line,
	.username = username,
	.client_id = client_id,
	.address = address,
	.is_stored = is_stored,
	.is_restored = is_restored,
	.certificate_name = certificate_name,
	.respond = respond,
	.drop = drop,
	.drop_user = drop_user,
};

static void publishes_free(struct fake_publish *publishes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < publishes[i].property_count; j++) {
			free(publishes[i].names[j]);
			free(publishes[i].values[j]);
		}
		free(publishes[i].topic);
		free(publishes[i].payload);
	}
	free(publishes);
}

void fake_broker_reset(void)
{
	publishes_free(fake.publishes, fake.count);
	publishes_free(fake.responses, fake.response_count);
	for (size_t i = 0; i < fake.line_count; i++)
		free(fake.lines[i]);
	free(fake.lines);
	free(fake.said);
	memset(&fake, 0, sizeof fake);
}

void fake_broker_user(const char *name)
{
	fake.user = name;
}

void fake_broker_refuse(bool refuse)
{
	fake.refuses = refuse;
}

const char *fake_broker_did(void)
{
	if (fake.did_told)
		fake.did_len = 0;
	fake.did[fake.did_len] = '\0';
	fake.did_told = true;
	return fake.did;
}

size_t fake_responses(void)
{
	return fake.response_count;
}

const struct fake_publish *fake_response_at(size_t n)
{
	if (n >= fake.response_count)
		abort();
	return &fake.responses[n];
}

size_t fake_publishes(void)
{
	return fake.count;
}

const struct fake_publish *fake_publish_at(size_t n)
{
	if (n >= fake.count)
		abort();
	return &fake.publishes[n];
}

/* The code of an error report, or its whole payload if that is none. */
static void say_error(FILE *out, const struct fake_publish *one)
{
	cJSON *json = cJSON_Parse(one->payload);
	const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "code"));
	fprintf(out, "%s=%s", one->topic, code ? code : one->payload);
	cJSON_Delete(json);
}

static bool is_error(const char *topic)
{
	size_t len = strlen(topic);
	return len > strlen("/error") && strcmp(topic + len - strlen("/error"), "/error") == 0;
}

const char *fake_broker_said(void)
{
	size_t size;
	free(fake.said);
	FILE *out = open_memstream(&fake.said, &size);
	if (!out)
		abort();
	for (bool first = true; fake.told < fake.count; fake.told++, first = false) {
		const struct fake_publish *one = &fake.publishes[fake.told];
		fputs(first ? "" : "; ", out);
		if (is_error(one->topic))
			say_error(out, one);
		else
			fprintf(out, "%s=%s", one->topic, one->payload);
		fputs(one->retain ? " (retained)" : "", out);
	}
	fclose(out);
	return fake.said;
}

size_t fake_lines(void)
{
	return fake.line_count;
}

const char *fake_line_at(size_t n)
{
	if (n >= fake.line_count)
		abort();
	return fake.lines[n];
}

size_t fake_lines_with(const char *text)
{
	size_t count = 0;
	for (size_t i = 0; i < fake.line_count; i++)
		count += strstr(fake.lines[i], text) != NULL;
	return count;
}
