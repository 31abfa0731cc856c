/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See scene.h. */
#include "scene.h"

#include "patience.h"
#include "quotes.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scene scene_begin(int version, const char *filter)
{
	struct scene scene = {.house = house_new()};

	house_start(scene.house);
	scene.device = client_connect(scene.house, version, NULL);
	scene.watcher = client_connect(scene.house, CLIENT_V5, NULL);
	client_subscribe(scene.watcher, filter);
	return scene;
}

void scene_end(struct scene *scene)
{
	client_free(scene->device);
	client_free(scene->watcher);
	house_free(scene->house);
}

void configure(const struct scene *scene, const char *topic, const char *single_quoted)
{
	client_publish_retained(scene->device, topic, json(single_quoted));
}

void leads_to(const struct scene *scene, const char *topic, const char *value, const char *target, const char *wanted)
{
	client_publish(scene->device, topic, value);
	client_expect(scene->watcher, target, wanted, SOON);
	client_expect_none(scene->watcher, target);
}

void leads_to_nothing(const struct scene *scene, const char *topic, const char *value, const char *target)
{
	client_publish(scene->device, topic, value);
	client_expect_none(scene->watcher, target);
}

void expect_bytes(const struct scene *scene, const char *topic, const void *bytes, size_t len)
{
	const struct message *message = client_take(scene->watcher, topic, SOON);

	if (message == NULL) {
		fail_msg("%.200s was not delivered", topic);
		return;
	}
	assert_int_equal(message->len, len);
	if (len > 0)
		assert_memory_equal(message->payload, bytes, len);
}

void passes(const struct scene *scene, const char *topic, const char *text, bool retain)
{
	int reason = client_publish_bytes(scene->device, topic, text, strlen(text), retain);

	if (reason >= 128)
		fail_msg("%.200s: refused with reason %d", topic, reason);
	expect_bytes(scene, topic, text, strlen(text));
}

void expect_retained(const struct house *house, const char *topic, const char *wanted)
{
	char *found = retained_text(house, topic);

	if (wanted == NULL) {
		assert_null(found);
	} else {
		if (found == NULL)
			fail_msg("%.200s: nothing is retained", topic);
		assert_string_equal(found, wanted);
	}
	free(found);
}

char *repeated(char byte, size_t count)
{
	char *bytes = malloc(count + 1);

	assert_non_null(bytes);
	memset(bytes, byte, count);
	bytes[count] = '\0';
	return bytes;
}
