/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin_access: see plugin_access.h.
 */
#include "plugin_access.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/*
 * Mosquitto 2.1 tells so, in place of DISCONNECT, that a client has gone whose session it keeps. Its headers are not needed to
 * build.
 */
#define EVT_CLIENT_OFFLINE 28

/* ---- begin and end ---- */

static void hasher_begin(void *context)
{
	struct plugin_access *door = context;
	door->hasher = hasher_start();
}

static bool author_may(void *context, struct slice user, bool write, struct slice filter)
{
	const struct plugin_access *door = context;
	return access_user_may(door->access, user, write ? RIGHT_WRITE : RIGHT_READ, filter);
}

static void rights_changed(void *context, const struct access_changed *users, struct instant now)
{
	const struct plugin_access *door = context;
	intake_rights_changed(door->intake, &(struct catalog_authors){users->concerns, users->context}, now);
}

static void account_restore(void *context, const struct document *document)
{
	struct plugin_access *door = context;
	access_restore(door->access, document);
}

int64_t plugin_access_clock_us(void)
{
	struct timespec mono;
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (int64_t)mono.tv_sec * 1000000 + mono.tv_nsec / 1000;
}

static bool random_fill(void *bytes, size_t size)
{
	return getrandom(bytes, size, 0) == (ssize_t)size;
}

bool plugin_access_init(struct plugin_access *door, struct storage *storage, struct intake *intake,
                        const struct options *settings, char error[PLUGIN_ACCESS_ERROR_MAX])
{
	struct access_options options = {
		.broker = &broker_mosquitto,
		.feed = intake_feed(intake),
		.budget_percent = (unsigned)settings->sign_in_budget,
		.strict = settings->subscribe_strict,
		.clock_us = plugin_access_clock_us,
		.changed = rights_changed,
		.context = door,
	};
	door->intake = intake;
	storage_run(storage, hasher_begin, door);
	options.hasher = door->hasher;
	if (random_fill(&options.seed, sizeof options.seed) && random_fill(options.key, sizeof options.key))
		door->access = access_new(&options);
	explicit_bzero(&options, sizeof options);
	if (door->access == NULL) {
		snprintf(error, PLUGIN_ACCESS_ERROR_MAX, "no memory for accounts, or no random numbers");
		return false;
	}
	bool read = storage_each_document(storage, account_restore, door);
	storage_forget_documents(storage);
	/* Some that are lost may have held denials; and if none can be read, that does not mean that there are none. */
	if (storage_had_accounts(storage) && (!read || account_count(access_accounts(door->access)) == 0)) {
		access_lock(door->access);
		broker_logf(&broker_mosquitto, NOTICE_ERROR,
		            "there are accounts (%s/accounts) that cannot be read: nobody is let in. With the broker stopped,"
		            " mosquitto_ctrl hearth init makes an administrator; to go on without accounts, remove that file",
		            settings->state_dir);
	}
	if (access_active(door->access))
		intake_permit(intake, &(struct catalog_permission){author_may, door});
	return true;
}

void plugin_access_free(struct plugin_access *door)
{
	access_free(door->access);
	hasher_stop(door->hasher);
}

/* ---- the broker's questions ---- */

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
	const struct instant now = door->now();
	access_seen(door->access, e->client, now);
	control_request(door->control, e->client, (struct slice){e->payload, e->payloadlen}, now);
	return MOSQ_ERR_SUCCESS;
}

/* What the two events hold begins alike. */
static int on_disconnect(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_disconnect *e = event_data;
	struct plugin_access *door = userdata;
	(void)event;
	access_disconnect(door->access, e->client);
	return MOSQ_ERR_SUCCESS;
}

static const struct {
	MOSQ_FUNC_generic_callback callback;
	const char *topic;
	int event;
	bool newer; /* a version that does not know it is none the worse */
} events[] = {
	{on_basic_auth, NULL, MOSQ_EVT_BASIC_AUTH, false},    {on_acl_check, NULL, MOSQ_EVT_ACL_CHECK, false},
	{on_disconnect, NULL, MOSQ_EVT_DISCONNECT, false},    {on_disconnect, NULL, EVT_CLIENT_OFFLINE, true},
	{on_control, CONTROL_TOPIC, MOSQ_EVT_CONTROL, false},
};

#define EVENT_COUNT (sizeof events / sizeof events[0])

bool plugin_access_register(struct plugin_access *door)
{
	door->thread = pthread_self();
	door->registered = true;
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		int code =
			mosquitto_callback_register(door->identifier, events[i].event, events[i].callback, events[i].topic, door);
		if (code != MOSQ_ERR_SUCCESS && !events[i].newer)
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
