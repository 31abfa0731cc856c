/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin_access: Mosquitto's questions about sign-in and access, and $CONTROL requests. Private to plugin*.c.
 */
#ifndef HEARTH_PLUGIN_ACCESS_H
#define HEARTH_PLUGIN_ACCESS_H

#include "access.h"
#include "control.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <pthread.h>

struct plugin_access {
	mosquitto_plugin_id_t *identifier;
	struct access *access;
	struct control *control;
	struct instant (*now)(void);
	pthread_t thread; /* the broker's */
	bool registered;
};

/*
 * Registers the callbacks, which makes Hearth the authority: Mosquitto takes a plugin that is asked and defers for one that denies.
 * So it is only called when there are accounts. False: Mosquitto refused one.
 */
bool plugin_access_register(struct plugin_access *door);
void plugin_access_unregister(struct plugin_access *door);

#endif
