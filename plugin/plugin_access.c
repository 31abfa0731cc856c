/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin_access: see plugin_access.h.
 */
#include "plugin_access.h"

#define AUTH_DELAYED (-5) /* MOSQ_ERR_AUTH_DELAYED of Mosquitto 2.1, whose headers are not needed to build */

/* Mosquitto 2.1's HTTP interface asks from a thread of its own, where nothing of ours may be touched. */
static bool is_strange_thread(const struct plugin_access *door)
{
	return !pthread_equal(door->thread, pthread_self());
}

static int on_basic_auth(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_basic_auth *e = event_data;
	struct plugin_access *door = userdata;
	(void)event;
	if (is_strange_thread(door))
		return MOSQ_ERR_AUTH;
	switch (access_connect(door->access, e->client, e->username, e->password, door->now())) {
	case ACCESS_GRANTED:
		return MOSQ_ERR_SUCCESS;
	case ACCESS_LATER: /* ends the connection without a word, so that the client comes again */
		return MOSQ_ERR_UNKNOWN;
	case ACCESS_WAITING:
		return AUTH_DELAYED;
	case ACCESS_DENIED:
		break;
	}
	return MOSQ_ERR_AUTH;
}

static int on_acl_check(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_acl_check *e = event_data;
	struct plugin_access *door = userdata;
	enum access_action action = ACCESS_RECEIVE;
	(void)event;
	if (e->access == MOSQ_ACL_UNSUBSCRIBE)
		return MOSQ_ERR_SUCCESS;
	if (e->access == MOSQ_ACL_WRITE)
		action = ACCESS_PUBLISH;
	else if (e->access == MOSQ_ACL_SUBSCRIBE)
		action = ACCESS_SUBSCRIBE;
	if (is_strange_thread(door) || !access_check(door->access, e->client, action, e->topic))
		return MOSQ_ERR_ACL_DENIED;
	return MOSQ_ERR_SUCCESS;
}

/* Anything but success would end the connection. */
static int on_control(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_control *e = event_data;
	struct plugin_access *door = userdata;
	(void)event;
	access_seen(door->access, e->client);
	control_request(door->control, e->client, (struct slice){e->payload, e->payloadlen}, door->now());
	return MOSQ_ERR_SUCCESS;
}

static int on_disconnect(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_disconnect *e = event_data;
	struct plugin_access *door = userdata;
	(void)event;
	access_disconnect(door->access, e->client);
	return MOSQ_ERR_SUCCESS;
}

static const struct {
	int event;
	MOSQ_FUNC_generic_callback callback;
	const char *topic;
} events[] = {
	{MOSQ_EVT_BASIC_AUTH, on_basic_auth, NULL},
	{MOSQ_EVT_ACL_CHECK, on_acl_check, NULL},
	{MOSQ_EVT_DISCONNECT, on_disconnect, NULL},
	{MOSQ_EVT_CONTROL, on_control, CONTROL_TOPIC},
};

#define EVENT_COUNT (sizeof events / sizeof events[0])

bool plugin_access_register(struct plugin_access *door)
{
	door->thread = pthread_self();
	door->registered = true;
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		if (mosquitto_callback_register(door->identifier, events[i].event, events[i].callback, events[i].topic, door) !=
		    MOSQ_ERR_SUCCESS)
			return false;
	}
	return true;
}

void plugin_access_unregister(struct plugin_access *door)
{
	for (size_t i = 0; door->registered && i < EVENT_COUNT; i++)
		mosquitto_callback_unregister(door->identifier, events[i].event, events[i].callback, events[i].topic);
	door->registered = false;
}
