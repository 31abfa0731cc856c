/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * scene: a house with one client that publishes and one that watches, and the sentences most tests are made of.
 */
#ifndef TEST_SCENE_H
#define TEST_SCENE_H

#include "client.h"
#include "house.h"

#include <stdbool.h>
#include <stddef.h>

struct scene {
	struct house *house;
	struct client *device;  /* publishes */
	struct client *watcher; /* MQTT 5, subscribed to what the scene is about */
};

/* Starts a house; `version` (CLIENT_V3 or CLIENT_V5) is what the device speaks. */
struct scene scene_begin(int version, const char *filter);
void scene_end(struct scene *scene);

/* Publishes a config, retained; ' stands for ". */
void configure(const struct scene *scene, const char *topic, const char *single_quoted);

/* Publishes a reading and expects exactly one new message on `target` because of it. */
void leads_to(const struct scene *scene, const char *topic, const char *value, const char *target, const char *wanted);

/* Publishes a reading and expects nothing on `target`. */
void leads_to_nothing(const struct scene *scene, const char *topic, const char *value, const char *target);

/* The next message that the watcher gets on the topic must be these bytes. */
void expect_bytes(const struct scene *scene, const char *topic, const void *bytes, size_t len);

/* Publishes text that must be accepted and reach the watcher unchanged. */
void passes(const struct scene *scene, const char *topic, const char *text, bool retain);

/* What a new subscriber gets retained must be this text; NULL: nothing. */
void expect_retained(const struct house *house, const char *topic, const char *wanted);

/* `count` times the same byte, and a NUL behind them. The caller frees it. */
char *repeated(char byte, size_t count);

#endif
