/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See device_scene.h. */
#include "device_scene.h"

#include "accounts.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void publish_retained_things(struct client *admin)
{
	client_publish_retained(admin, DEVICE "/led/config", "{}");
	client_publish_retained(admin, OTHER_DEVICE "/led/config", "{}");
	client_publish_retained(admin, "kitchen/door/door/state", "open");
	client_publish_retained(admin, "somewhere/else", "secret");
	client_publish_retained(admin, DEVICE "/led/state", "1");
}

struct device_scene device_scene_begin(const char *conf)
{
	struct device_scene s = {.house = house_new()};

	house_conf(s.house, "plugin_opt_sign_in_budget 50");
	house_conf(s.house, "sys_interval 1");
	if (conf != NULL)
		house_conf(s.house, "%s", conf);
	accounts_init(s.house);
	house_start(s.house);
	s.admin = accounts_admin(s.house);
	publish_retained_things(s.admin);
	s.secret = accounts_add_device(s.admin, "livingroom", "uno1");
	s.other_secret = accounts_add_device(s.admin, "kitchen", "uno2");
	client_subscribe(s.admin, "#");
	client_drain(s.admin, NULL);
	return s;
}

void device_scene_end(struct device_scene *s)
{
	client_free(s->admin);
	free(s->secret);
	free(s->other_secret);
	house_free(s->house);
}

struct client *device_open(const struct device_scene *s, int version, struct client_options options)
{
	struct client *device;

	options.version = version;
	options.user = DEVICE;
	options.password = s->secret;
	device = client_open(s->house, &options);
	assert_int_equal(device->connack, 0);
	return device;
}
