/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * seam_broker: the plugin's calls into Mosquitto that can fail; see fault.h.
 */
#include "fault.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

SEAM(void *, mosquitto_malloc, (size_t size))
{
	return fault_strikes(FAULT_BROKER) ? NULL : mosquitto_malloc(size);
}

SEAM(int, mosquitto_broker_publish,
     (const char *client, const char *topic, int size, void *payload, int qos, bool retain,
      mosquitto_property *properties))
{
	if (fault_strikes(FAULT_BROKER))
		return MOSQ_ERR_NOMEM;
	return mosquitto_broker_publish(client, topic, size, payload, qos, retain, properties);
}

SEAM(int, mosquitto_property_add_string_pair,
     (mosquitto_property * *list, int identifier, const char *name, const char *value))
{
	if (fault_strikes(FAULT_BROKER))
		return MOSQ_ERR_NOMEM;
	return mosquitto_property_add_string_pair(list, identifier, name, value);
}

SEAM(int, mosquitto_callback_register,
     (mosquitto_plugin_id_t * identifier, int event, MOSQ_FUNC_generic_callback callback, const void *data,
      void *context))
{
	if (fault_strikes(FAULT_BROKER))
		return MOSQ_ERR_NOMEM;
	return mosquitto_callback_register(identifier, event, callback, data, context);
}
