/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See client.h. */
#include "client.h"

#include "house.h"
#include "patience.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FENCE_PREFIX "fence/"
#define ON_THE_WAY   500

static struct client *clients;

/* ---- what the broker says ---- */

static void on_connect(struct mosquitto *m, void *context, int reason, int flags, const mosquitto_property *properties)
{
	struct client *client = context;

	(void)m;
	(void)flags;
	(void)properties;
	client->connack = reason;
}

static void on_disconnect(struct mosquitto *m, void *context, int reason, const mosquitto_property *properties)
{
	struct client *client = context;

	(void)m;
	(void)reason;
	(void)properties;
	client->ended = true;
}

static void on_subscribe(struct mosquitto *m, void *context, int id, int count, const int *granted,
                         const mosquitto_property *properties)
{
	struct client *client = context;

	(void)m;
	(void)id;
	(void)count;
	(void)properties;
	client->suback = granted[0];
}

static void on_unsubscribe(struct mosquitto *m, void *context, int id, const mosquitto_property *properties)
{
	struct client *client = context;

	(void)m;
	(void)id;
	(void)properties;
	client->suback = 0;
}

static void on_publish(struct mosquitto *m, void *context, int id, int reason, const mosquitto_property *properties)
{
	struct client *client = context;

	(void)m;
	(void)properties;
	client->acknowledged++;
	if (id == client->publish_id)
		client->puback = reason;
}

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

static void on_message(struct mosquitto *m, void *context, const struct mosquitto_message *in,
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

/* ---- connection ---- */

/* Runs the network loop once, for at most `ms` milliseconds. */
static bool step(struct client *client, int ms)
{
	return mosquitto_loop(client->mosquitto, ms, 1) == MOSQ_ERR_SUCCESS && !client->ended;
}

/* Runs the network loop until *reason is there; fails the test if that takes too long. */
static int wait_reason(struct client *client, const int *reason, const char *what)
{
	int64_t deadline = deadline_in(2 * SOON);

	while (*reason < 0) {
		if (!step(client, 50) && *reason < 0)
			fail_msg("%s: the connection was lost, waiting for %s", client->id, what);
		if (now_ms() > deadline)
			fail_msg("%s: no %s", client->id, what);
	}
	return *reason;
}

/* Returns once the broker has answered: client->connack. */
static struct client *knock(const struct house *house, int version, const char *user, const char *password)
{
	static unsigned number;
	struct client *client = calloc(1, sizeof(*client));

	assert_non_null(client);
	client->version = version;
	client->connack = client->suback = client->puback = -1;
	snprintf(client->id, sizeof(client->id), "test-%u", ++number);
	client->mosquitto = mosquitto_new(client->id, true, client);
	assert_non_null(client->mosquitto);
	client->next = clients;
	clients = client;

	mosquitto_int_option(client->mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
	                     version == CLIENT_V5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
	mosquitto_int_option(client->mosquitto, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
	mosquitto_int_option(client->mosquitto, MOSQ_OPT_SEND_MAXIMUM, 65535);
	mosquitto_int_option(client->mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_v5_callback_set(client->mosquitto, on_connect);
	mosquitto_disconnect_v5_callback_set(client->mosquitto, on_disconnect);
	mosquitto_subscribe_v5_callback_set(client->mosquitto, on_subscribe);
	mosquitto_unsubscribe_v5_callback_set(client->mosquitto, on_unsubscribe);
	mosquitto_publish_v5_callback_set(client->mosquitto, on_publish);
	mosquitto_message_v5_callback_set(client->mosquitto, on_message);
	if (user != NULL)
		mosquitto_username_pw_set(client->mosquitto, user, password);
	assert_int_equal(mosquitto_connect(client->mosquitto, "127.0.0.1", house->port, 600), MOSQ_ERR_SUCCESS);
	wait_reason(client, &client->connack, "CONNACK");
	return client;
}

static void subscribe_fence(struct client *client)
{
	char filter[64];

	snprintf(filter, sizeof(filter), FENCE_PREFIX "%s", client->id);
	client_subscribe(client, filter);
}

struct client *client_connect(const struct house *house, int version, const char *user)
{
	struct client *client = knock(house, version, user, NULL);

	assert_int_equal(client->connack, 0);
	subscribe_fence(client);
	return client;
}

struct client *client_sign_in(const struct house *house, const char *user, const char *password)
{
	struct client *client = knock(house, CLIENT_V3, user, password);

	if (client->connack != 0) {
		client_free(client);
		return NULL;
	}
	subscribe_fence(client);
	return client;
}

void client_free(struct client *client)
{
	struct client **link = &clients;

	if (client == NULL)
		return;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	mosquitto_disconnect(client->mosquitto);
	mosquitto_destroy(client->mosquitto);
	for (size_t i = 0; i < client->count; i++) {
		struct message *message = &client->inbox[i];

		free(message->topic);
		free(message->payload);
		for (size_t k = 0; k < message->property_count; k++) {
			free(message->properties[k].name);
			free(message->properties[k].value);
		}
	}
	free(client->inbox);
	free(client);
}

int client_teardown(void **state)
{
	while (clients != NULL)
		client_free(clients);
	return house_teardown(state);
}

void client_subscribe(struct client *client, const char *filter)
{
	client->suback = -1;
	assert_int_equal(mosquitto_subscribe_v5(client->mosquitto, NULL, filter, 1,
	                                        client->version == CLIENT_V5 ? MQTT_SUB_OPT_RETAIN_AS_PUBLISHED : 0, NULL),
	                 MOSQ_ERR_SUCCESS);
	assert_int_equal(wait_reason(client, &client->suback, "SUBACK"), 1);
}

void client_unsubscribe(struct client *client, const char *filter)
{
	client->suback = -1;
	assert_int_equal(mosquitto_unsubscribe(client->mosquitto, NULL, filter), MOSQ_ERR_SUCCESS);
	wait_reason(client, &client->suback, "UNSUBACK");
}

/* ---- publishing ---- */

int client_publish_bytes(struct client *client, const char *topic, const void *bytes, size_t len, bool retain)
{
	int rc;

	client->puback = -1;
	rc = mosquitto_publish_v5(client->mosquitto, &client->publish_id, topic, (int)len, bytes, 1, retain, NULL);
	if (rc != MOSQ_ERR_SUCCESS)
		fail_msg("publish to %.80s: %s", topic, mosquitto_strerror(rc));
	client->sent++;
	return wait_reason(client, &client->puback, "PUBACK");
}

static void publish_text(struct client *client, const char *topic, const char *text, bool retain)
{
	int reason = client_publish_bytes(client, topic, text, strlen(text), retain);

	if (reason >= 128)
		fail_msg("publish to %.80s of %.200s was refused with reason %d", topic, text, reason);
}

void client_publish(struct client *client, const char *topic, const char *text)
{
	publish_text(client, topic, text, false);
}

void client_publish_retained(struct client *client, const char *topic, const char *text)
{
	publish_text(client, topic, text, true);
}

/* Runs the loop until no more than this many are on the way. */
static bool wait_acknowledged(struct client *client, size_t on_the_way)
{
	int64_t deadline = deadline_in(60000);

	while (client->sent - client->acknowledged > on_the_way) {
		bool connected = step(client, 50);

		if (client->sent - client->acknowledged > on_the_way && (!connected || now_ms() > deadline))
			return false;
	}
	return true;
}

bool client_send(struct client *client, const char *topic, const void *bytes, size_t len, int qos, bool retain)
{
	if (mosquitto_publish_v5(client->mosquitto, NULL, topic, (int)len, bytes, qos, retain, NULL) != MOSQ_ERR_SUCCESS)
		return false;
	client->sent++;
	return client->sent - client->acknowledged < ON_THE_WAY || wait_acknowledged(client, ON_THE_WAY / 2);
}

bool client_flush(struct client *client)
{
	return wait_acknowledged(client, 0);
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
		if (now_ms() > deadline)
			return NULL;
		if (!step(client, 50))
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
	char topic[64], number[16];

	snprintf(topic, sizeof(topic), FENCE_PREFIX "%s", client->id);
	for (int i = 0; i < 2; i++) {
		int64_t deadline = deadline_in(60000);

		snprintf(number, sizeof(number), "%d", ++client->fence);
		client_publish(client, topic, number);
		while (client->fence_seen != client->fence) {
			if (!step(client, 50))
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
