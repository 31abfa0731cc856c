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

#define PLUGIN_ACCESS_ERROR_MAX 512

struct plugin_access {
	/* Set before anything else. */
	mosquitto_plugin_id_t *identifier;
	struct instant (*now)(void);
	struct control *control; /* before plugin_access_register */

	struct access *access;
	struct intake *intake;
	struct hasher *hasher;
	pthread_t thread; /* the broker's */
	bool registered;
};

/* Monotonic, fine enough to tell what a hash or a command has cost. */
int64_t plugin_access_clock_us(void);

/* Takes the accounts over from the storage. False: *error has a line. */
bool plugin_access_init(struct plugin_access *door, struct storage *storage, struct intake *intake,
                        const struct options *options, char error[PLUGIN_ACCESS_ERROR_MAX]);
void plugin_access_free(struct plugin_access *door);

/*
 * Registers the callbacks, which makes Hearth the authority: Mosquitto takes a plugin that is asked and defers for one that denies.
 * So it is only called when there are accounts. False: Mosquitto refused one.
 */
bool plugin_access_register(struct plugin_access *door);
void plugin_access_unregister(struct plugin_access *door);

#endif
