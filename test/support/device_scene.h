/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device_scene: a house with two devices' accounts, DEVICE and OTHER_DEVICE, and around them things that no device may see.
 *
 * Some of them are retained and older than the devices' accounts.
 */
#ifndef TEST_DEVICE_SCENE_H
#define TEST_DEVICE_SCENE_H

#include "client.h"
#include "house.h"

/* User names, and where their topics begin. */
#define DEVICE       "livingroom/uno1"
#define OTHER_DEVICE "kitchen/uno2"

struct device_scene {
	struct house *house;
	struct client *admin;        /* sees all */
	char *secret, *other_secret; /* of the devices */
};

/* `conf`: a line for the broker's configuration, or NULL. */
struct device_scene device_scene_begin(const char *conf);
void device_scene_end(struct device_scene *s);

/* Signs in as DEVICE, who must be let in; further options may be set. */
struct client *device_open(const struct device_scene *s, int version, struct client_options options);

#endif
