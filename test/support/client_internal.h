/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client_internal: what client.c and client_inbox.c share.
 */
#ifndef TEST_CLIENT_INTERNAL_H
#define TEST_CLIENT_INTERNAL_H

#include "client.h"

#include <mosquitto.h>

#define FENCE_PREFIX "fence/"

/* Runs the network loop once, for at most `ms` milliseconds; false: the connection is lost. */
bool client_step(struct client *client, int ms);

/* Puts a message into the inbox, or takes note of a fence. */
void client_on_message(struct mosquitto *m, void *context, const struct mosquitto_message *in,
                       const mosquitto_property *properties);

#endif
