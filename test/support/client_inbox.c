/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See client.h. Here is what arrives. */
#include "client_internal.h"

#include "house.h"
#include "patience.h"

#include <mqtt_protocol.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the inbox ---- */

static void keep_properties(struct message *out, const mosquitto_property *properties)
{
	bool skip_first = false;
	const mosquitto_property *at = properties;

	while (out->property_count < MESSAGE_PROPERTIES_MAX) {
		char *name = NULL, *value = NULL;

		at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, skip_first);
		if (at == NULL)
			return;
		out->properties[out->property_count].name = name;
		out->properties[out->property_count].value = value;
		out->property_count++;
		skip_first = true;
	}
}

void client_on_message(struct mosquitto *m, void *context, const struct mosquitto_message *in,
                       const mosquitto_property *properties)
{
	struct client *client = context;
	struct message *out;

	(void)m;
	if (strncmp(in->topic, FENCE_PREFIX, strlen(FENCE_PREFIX)) == 0) {
		if (strcmp(in->topic + strlen(FENCE_PREFIX), client->id) == 0)
			client->fence_seen = (int)strtol(in->payload, NULL, 10);
		return;
	}
	if (client->count == client->room) {
		client->room = client->room == 0 ? 64 : client->room * 2;
		client->inbox = realloc(client->inbox, client->room * sizeof(*client->inbox));
		if (client->inbox == NULL)
			abort();
	}
	out = &client->inbox[client->count++];
	*out = (struct message){.topic = strdup(in->topic),
	                        .payload = malloc((size_t)in->payloadlen + 1),
	                        .len = (size_t)in->payloadlen,
	                        .qos = in->qos,
	                        .retain = in->retain,
	                        .arrived_ms = now_ms()};
	if (out->topic == NULL || out->payload == NULL)
		abort();
	if (out->len > 0)
		memcpy(out->payload, in->payload, out->len);
	out->payload[out->len] = '\0';
	keep_properties(out, properties);
}

/* ---- receiving ---- */

/* The oldest message not taken yet on this topic (NULL: any), which is then taken; NULL if there is none. */
static struct message *take(struct client *client, const char *topic)
{
	while (client->first_untaken < client->count && client->inbox[client->first_untaken].taken)
		client->first_untaken++;
	for (size_t i = client->first_untaken; i < client->count; i++) {
		struct message *message = &client->inbox[i];

		if (!message->taken && (topic == NULL || strcmp(message->topic, topic) == 0)) {
			message->taken = true;
			return message;
		}
	}
	return NULL;
}

static const struct message *wait_message(struct client *client, const char *topic, int ms)
{
	int64_t deadline = deadline_in(ms);
	const struct message *message;

	while ((message = take(client, topic)) == NULL) {
		int64_t left = deadline - now_ms();

		if (left < 0)
			return NULL;
		if (!client_step(client, left < 50 ? (int)left : 50))
			fail_msg("%s: the connection was lost, waiting for a message on %s", client->id,
			         topic ? topic : "any topic");
	}
	return message;
}

const struct message *client_take(struct client *client, const char *topic, int ms)
{
	return wait_message(client, topic, ms);
}

const struct message *client_take_any(struct client *client, int ms)
{
	return wait_message(client, NULL, ms);
}

const struct message *client_expect(struct client *client, const char *topic, const char *text, int ms)
{
	const struct message *message = wait_message(client, topic, ms);

	if (message == NULL)
		fail_msg("nothing on %.200s, wanted \"%.200s\"", topic, text);
	else if (message->len != strlen(text) || memcmp(message->payload, text, message->len) != 0)
		fail_msg("%.200s brought \"%.200s\", wanted \"%.200s\"", topic, message->payload, text);
	return message;
}

void client_fence(struct client *client)
{
	char topic[80], number[16];

	if (!client->has_topic) {
		client_unsubscribe(client, FENCE_PREFIX);
		client_unsubscribe(client, FENCE_PREFIX);
		return;
	}
	snprintf(topic, sizeof(topic), FENCE_PREFIX "%s", client->id);
	for (int i = 0; i < 2; i++) {
		int64_t deadline = deadline_in(60000);

		snprintf(number, sizeof(number), "%d", ++client->fence);
		client_publish(client, topic, number);
		while (client->fence_seen != client->fence) {
			if (!client_step(client, 50))
				fail_msg("%s: the connection was lost at a fence", client->id);
			if (now_ms() > deadline)
				fail_msg("%s: the broker does not answer", client->id);
		}
	}
}

void client_expect_none(struct client *client, const char *topic)
{
	const struct message *message;

	client_fence(client);
	message = take(client, topic);
	if (message != NULL)
		fail_msg("%.200s brought \"%.200s\", wanted nothing", topic, message->payload);
}

void client_expect_last(struct client *client, const char *topic, const char *text)
{
	const struct message *last = NULL;

	client_fence(client);
	for (size_t i = 0; i < client->count; i++)
		if (strcmp(client->inbox[i].topic, topic) == 0) {
			client->inbox[i].taken = true;
			last = &client->inbox[i];
		}
	if (last == NULL)
		fail_msg("nothing came on %s, wanted \"%s\"", topic, text);
	else
		assert_string_equal(last->payload, text);
}

size_t client_drain(struct client *client, const char *topic)
{
	size_t count = 0;

	client_fence(client);
	while (take(client, topic) != NULL)
		count++;
	return count;
}

const char *message_property(const struct message *message, const char *name)
{
	for (size_t i = 0; i < message->property_count; i++)
		if (strcmp(message->properties[i].name, name) == 0)
			return message->properties[i].value;
	return NULL;
}

char *retained_text(const struct house *house, const char *topic)
{
	struct client *client = client_connect(house, CLIENT_V3, NULL);
	const struct message *message;
	char *text = NULL;

	client_subscribe(client, topic);
	client_fence(client);
	message = take(client, topic);
	if (message != NULL) {
		assert_true(message->retain);
		text = strdup(message->payload);
		assert_non_null(text);
	}
	client_free(client);
	return text;
}
