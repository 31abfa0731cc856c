/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker: see broker.h. Only functions that every Mosquitto from 2.0.11 exports are called.
 */
#include "broker.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mqtt_protocol.h>
#include <string.h>

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
	if (mosquitto_broker_publish(NULL, topic, (int)payload.len, copy, qos, retain, list) != MOSQ_ERR_SUCCESS) {
		mosquitto_free(copy);
		mosquitto_property_free_all(&list);
		return false;
	}
	return true;
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

const struct broker_ops broker_mosquitto = {.publish = publish, .log = log_line, .username = username};
