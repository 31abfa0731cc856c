/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker: see broker.h. Only functions that every Mosquitto from 2.0.11 exports are called.
 */
#include "broker.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mqtt_protocol.h>
#include <openssl/x509.h>
#include <string.h>

/* mosquitto_broker_publish, to all subscribers or (client_id) to one client. Takes the list over. */
static bool send(const char *client_id, const char *topic, struct slice payload, int qos, bool retain,
                 mosquitto_property *list)
{
	/* Not mosquitto_broker_publish_copy: with memory_limit set it underflows a counter on 2.0 and stops the broker. */
	char *copy = mosquitto_malloc(payload.len + 1);
	if (copy == NULL) {
		mosquitto_property_free_all(&list);
		return false;
	}
	if (payload.len > 0)
		memcpy(copy, payload.ptr, payload.len);
	copy[payload.len] = '\0';
	/* Takes the payload over, but on failure neither it nor the list. */
	if (mosquitto_broker_publish(client_id, topic, (int)payload.len, copy, qos, retain, list) != MOSQ_ERR_SUCCESS) {
		mosquitto_free(copy);
		mosquitto_property_free_all(&list);
		return false;
	}
	return true;
}

static bool publish(const char *topic, struct slice payload, int qos, bool retain,
                    const struct user_property *properties, size_t property_count)
{
	mosquitto_property *list = NULL;
	for (size_t i = 0; i < property_count; i++) {
		if (mosquitto_property_add_string_pair(&list, MQTT_PROP_USER_PROPERTY, properties[i].name,
		                                       properties[i].value) != MOSQ_ERR_SUCCESS) {
			mosquitto_property_free_all(&list);
			break;
		}
	}
	return send(NULL, topic, payload, qos, retain, list);
}

/* As Mosquitto's own dynamic security plugin answers: at most once, to the client alone. */
static bool respond(const char *client_id, const char *topic, struct slice payload)
{
	return send(client_id, topic, payload, 0, false, NULL);
}

static void log_line(enum notice_level level, const char *line)
{
	static const int levels[] = {
		[NOTICE_INFO] = MOSQ_LOG_NOTICE,
		[NOTICE_WARNING] = MOSQ_LOG_WARNING,
		[NOTICE_ERROR] = MOSQ_LOG_ERR,
	};
	mosquitto_log_printf(levels[level], "hearth: %s", line);
}

static const char *username(const void *client)
{
	return client != NULL ? mosquitto_client_username(client) : NULL;
}

static const char *client_id(const void *client)
{
	return client != NULL ? mosquitto_client_id(client) : NULL;
}

static const char *address(const void *client)
{
	return client != NULL ? mosquitto_client_address(client) : NULL;
}

static bool is_stored(const void *client)
{
	return !mosquitto_client_clean_session(client);
}

/* One that has not connected speaks no protocol yet. */
static bool is_restored(const void *client)
{
	return mosquitto_client_protocol_version(client) == 0;
}

static bool certificate_name(const void *client, char *name, size_t size)
{
	X509 *certificate = mosquitto_client_certificate(client);
	if (certificate == NULL)
		return false;
	int len = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, (int)size);
	X509_free(certificate);
	/* With a NUL inside it would be another's name to whoever reads it as a string. */
	return len > 0 && (size_t)len < size - 1 && strlen(name) == (size_t)len;
}

static void drop(const char *id)
{
	mosquitto_kick_client_by_clientid(id, true);
}

static void drop_user(const char *name)
{
	mosquitto_kick_client_by_username(name, true);
}

const struct broker_ops broker_mosquitto = {
	.publish = publish,
	.log = log_line,
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
