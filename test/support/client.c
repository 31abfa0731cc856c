/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See client.h. Here are connections, subscriptions and publishing. */
#include "client_internal.h"

#include "house.h"
#include "patience.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define ON_THE_WAY 500

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

/* ---- connection ---- */

bool client_step(struct client *client, int ms)
{
	return mosquitto_loop(client->mosquitto, ms, 1) == MOSQ_ERR_SUCCESS && !client->ended;
}

/* Runs the network loop until *reason is there; fails the test if that takes too long. */
static int wait_reason(struct client *client, const int *reason, const char *what)
{
	int64_t deadline = deadline_in(2 * SOON);

	while (*reason < 0) {
		if (!client_step(client, 50) && *reason < 0)
			fail_msg("%s: the connection was lost, waiting for %s", client->id, what);
		if (now_ms() > deadline)
			fail_msg("%s: no %s", client->id, what);
	}
	return *reason;
}

static void set_callbacks(struct mosquitto *mosquitto)
{
	mosquitto_connect_v5_callback_set(mosquitto, on_connect);
	mosquitto_disconnect_v5_callback_set(mosquitto, on_disconnect);
	mosquitto_subscribe_v5_callback_set(mosquitto, on_subscribe);
	mosquitto_unsubscribe_v5_callback_set(mosquitto, on_unsubscribe);
	mosquitto_publish_v5_callback_set(mosquitto, on_publish);
	mosquitto_message_v5_callback_set(mosquitto, client_on_message);
}

static void set_options(struct mosquitto *mosquitto, const struct client_options *options)
{
	mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
	                     options->version == CLIENT_V5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
	mosquitto_int_option(mosquitto, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
	mosquitto_int_option(mosquitto, MOSQ_OPT_SEND_MAXIMUM, 65535);
	mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
	if (options->user != NULL)
		assert_int_equal(mosquitto_username_pw_set(mosquitto, options->user, options->password), MOSQ_ERR_SUCCESS);
	if (options->will_topic != NULL)
		assert_int_equal(
			mosquitto_will_set(mosquitto, options->will_topic, (int)strlen(options->will), options->will, 1, false),
			MOSQ_ERR_SUCCESS);
	if (options->ca != NULL) {
		assert_int_equal(mosquitto_tls_set(mosquitto, options->ca, NULL, options->certificate, options->key, NULL),
		                 MOSQ_ERR_SUCCESS);
		mosquitto_tls_insecure_set(mosquitto, true); /* whatever the name in the broker's certificate */
	}
}

static struct client *new_client(const struct client_options *options)
{
	static unsigned number;
	struct client *client = calloc(1, sizeof(*client));

	assert_non_null(client);
	client->version = options->version;
	client->connack = client->suback = client->puback = -1;
	if (options->id != NULL)
		assert_true(snprintf(client->id, sizeof(client->id), "%s", options->id) < (int)sizeof(client->id));
	else
		snprintf(client->id, sizeof(client->id), "test-%u", ++number);
	client->mosquitto = mosquitto_new(client->id, !options->stored, client);
	assert_non_null(client->mosquitto);
	client->next = clients;
	clients = client;
	return client;
}

struct client *client_open(const struct house *house, const struct client_options *options)
{
	struct client *client = new_client(options);
	int64_t deadline = deadline_in(2 * SOON);
	mosquitto_property *properties = NULL;
	int rc;

	set_callbacks(client->mosquitto);
	set_options(client->mosquitto, options);
	if (options->version == CLIENT_V5 && options->stored)
		mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 3600);
	rc = mosquitto_connect_bind_v5(client->mosquitto, "127.0.0.1", options->port != 0 ? options->port : house->port,
	                               600, options->address, properties);
	mosquitto_property_free_all(&properties);
	if (rc != MOSQ_ERR_SUCCESS && options->ca == NULL) /* a TLS handshake is part of it, and may be refused */
		fail_msg("%s: %s", client->id, mosquitto_strerror(rc));
	while (client->connack < 0) {
		if (rc != MOSQ_ERR_SUCCESS || (!client_step(client, 50) && client->connack < 0))
			client->connack = CONNACK_NONE;
		if (client->connack == CONNACK_NONE)
			break;
		if (now_ms() > deadline)
			fail_msg("%s: no CONNACK", client->id);
	}
	return client;
}

static void subscribe_fence(struct client *client)
{
	char filter[80];

	snprintf(filter, sizeof(filter), FENCE_PREFIX "%s", client->id);
	client_subscribe(client, filter);
	client->has_topic = true;
}

struct client *client_connect(const struct house *house, int version, const char *user)
{
	struct client *client = client_open(house, &(struct client_options){.version = version, .user = user});

	assert_int_equal(client->connack, 0);
	subscribe_fence(client);
	return client;
}

struct client *client_sign_in(const struct house *house, const char *user, const char *password)
{
	struct client *client =
		client_open(house, &(struct client_options){.version = CLIENT_V3, .user = user, .password = password});

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

void client_cut(struct client *client)
{
	shutdown(mosquitto_socket(client->mosquitto), SHUT_RDWR);
	client_free(client);
}

bool client_ends(struct client *client, int ms)
{
	int64_t deadline = deadline_in(ms);

	while (!client->ended && client_step(client, 20))
		if (now_ms() > deadline)
			return false;
	return true;
}

int client_teardown(void **state)
{
	while (clients != NULL)
		client_free(clients);
	return house_teardown(state);
}

int client_try_subscribe(struct client *client, const char *filter)
{
	client->suback = -1;
	assert_int_equal(mosquitto_subscribe_v5(client->mosquitto, NULL, filter, 1,
	                                        client->version == CLIENT_V5 ? MQTT_SUB_OPT_RETAIN_AS_PUBLISHED : 0, NULL),
	                 MOSQ_ERR_SUCCESS);
	return wait_reason(client, &client->suback, "SUBACK");
}

void client_subscribe(struct client *client, const char *filter)
{
	assert_int_equal(client_try_subscribe(client, filter), 1);
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

int client_publish_alias(struct client *client, int alias, const char *topic, const char *text)
{
	mosquitto_property *properties = NULL;

	client->puback = -1;
	assert_int_equal(mosquitto_property_add_int16(&properties, MQTT_PROP_TOPIC_ALIAS, (uint16_t)alias),
	                 MOSQ_ERR_SUCCESS);
	assert_int_equal(mosquitto_publish_v5(client->mosquitto, &client->publish_id, topic, (int)strlen(text), text, 1,
	                                      false, properties),
	                 MOSQ_ERR_SUCCESS);
	mosquitto_property_free_all(&properties);
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
		bool connected = client_step(client, 50);

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
