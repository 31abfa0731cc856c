/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Topics of every shape: those that are not Hearth's pass unread, also where they look like Hearth's, and long or Korean
 * ones are like any other.
 */
#include "complaint.h"
#include "patience.h"
#include "quotes.h"
#include "rows.h"
#include "scene.h"
#include "topic.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOPIC_END 65535 /* bytes of the longest topic name that MQTT knows */

static void topics_of_another_shape_pass_unread(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	static const char *const topics[] = {
		"value",           "a/b/value",      "a/b/c/d/value",    "a//c/value", "/b/c/value",          "a/b//value",
		"a/b/c/",          "a/b/c/values",   "a/b/c/VALUE",      "a/b/c/d",    "a/$b/c/value",        "//////",
		"거실/온도/value", "lab/uno1/value", "lab/uno1/x/y/set", "/",          "a/b/c/config/nested", "a/b/config",
	};
	char *longest = repeated('x', TOPIC_END);

	(void)state;
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		passes(&s, topics[i], i % 2 == 0 ? "junk" : "21.5", false);
	passes(&s, longest, "21.5", true);
	longest[10] = '/';
	longest[20] = '/';
	passes(&s, longest, "21.5", true);
	passes(&s, "lab/uno1/temperature/value", "1", false);
	assert_int_equal(client_drain(s.watcher, NULL), 0); /* no error for any of them */
	rows_expect(s.house, "select count(*) from readings", "1\n");
	free(longest);
	scene_end(&s);
}

/* A topic of so many bytes with this end. The caller frees it. */
static char *long_topic(size_t len, const char *end)
{
	char *topic = repeated('x', len);

	memcpy(topic + len - strlen(end), end, strlen(end) + 1);
	return topic;
}

/* Up to TOPIC_MAX bytes a topic is like any other, even where a sibling topic is longer; a longer one passes unread. */
static void long_topics(void **state)
{
	static const char *const ends[] = {"/uno1/temperature/value", "/fan1/motor/set",  "/fan1/motor/state",
	                                   "/hearth/helper/set",      "/hearth/auto/set", "/uno1/device/status",
	                                   "/uno1/fire/ack",          "/uno1/fire/config"};
	struct scene s = scene_begin(CLIENT_V5, "#");
	char *topic = long_topic(TOPIC_MAX, ends[0]), wanted[64];

	(void)state;
	passes(&s, topic, "21.5", false);
	snprintf(wanted, sizeof(wanted), "%zu|uno1|temperature|value|21.5\n", TOPIC_MAX - strlen(ends[0]));
	rows_expect(s.house, "select length(location),device,sensor,subject,value from readings", wanted);
	passes(&s, topic, "junk", false);
	topic[TOPIC_MAX - strlen("/value")] = '\0';
	free(expect_complaint(s.watcher, topic, "value", "not_a_value"));
	free(topic);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (size_t len = TOPIC_MAX - 4; len <= TOPIC_MAX + 4; len++) {
			bool is_config = strstr(ends[i], "/config") != NULL;

			topic = long_topic(len, ends[i]);
			if (!is_config) /* which is always retained */
				passes(&s, topic, "1", false);
			passes(&s, topic, is_config ? "{\"min\":1}" : "1", true);
			free(topic);
		}
	client_drain(s.watcher, NULL);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		topic = long_topic(TOPIC_END, ends[i]);
		passes(&s, topic, "junk", true);
		free(topic);
	}
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	snprintf(wanted, sizeof(wanted), "%d\n", TOPIC_MAX);
	rows_expect(s.house, "select max(length(location||device||sensor||subject))+3 from readings", wanted);
	scene_end(&s);
}

static void korean_topics_work(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	const char *config = json("{'unit':'°C','rules':[{'name':'시원하게','when':{'above':28},"
	                          "'then':[{'set':'{location}/선풍기/모터','to':'켜짐'}]}]}");

	(void)state;
	passes(&s, "거실/uno1/온도/config", config, true);
	passes(&s, "거실/uno1/온도/value", "28.5", false);
	client_expect(s.watcher, "거실/선풍기/모터/set", "켜짐", SOON);
	passes(&s, "거실/uno1/온도/value", "더움", false);
	free(expect_complaint(s.watcher, "거실/uno1/온도", "value", "not_a_value"));
	rows_expect(s.house, "select location,device,sensor,subject,value,text from readings order by time",
	            "거실|uno1|온도|value|28.5|\n거실|선풍기|모터|set||켜짐\n");
	scene_end(&s);
}

/* Home Assistant's and Tasmota's discovery look like a config of Hearth's, and are none. */
static void other_systems_are_left_alone(void **state)
{
	struct scene s = scene_begin(CLIENT_V5, "#");
	static const char *const topics[] = {
		"homeassistant/sensor/garden/config",
		"homeassistant/binary_sensor/0x00158d00/config",
		"homeassistant/sensor/node/object/config",
		"tasmota/discovery/D8BFC01A2B3C/config",
		"tasmota/discovery/D8BFC01A2B3C/sensors",
		"zigbee2mqtt/bridge/devices/config",
		"esphome/node/sensor/state",
		"shellies/shelly1/relay/set",
		"homeassistant/light/x/alarm",
	};
	const char *discovery = json("{'~':'homeassistant/light/kitchen','name':'Kitchen','cmd_t':'~/set','min':'x'}");
	char *kept;

	(void)state;
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		passes(&s, topics[i], discovery, true);
		kept = retained_text(s.house, topics[i]);
		assert_non_null(kept);
		assert_string_equal(kept, discovery);
		free(kept);
	}
	passes(&s, "homeassistant/sensor/x/value", "21.5", false);
	passes(&s, "lab/uno1/temperature/value", "1", false);
	assert_int_equal(client_drain(s.watcher, NULL), 0);
	rows_expect(s.house, "select location from readings", "lab\n");
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(topics_of_another_shape_pass_unread, client_teardown),
		cmocka_unit_test_teardown(long_topics, client_teardown),
		cmocka_unit_test_teardown(korean_topics_work, client_teardown),
		cmocka_unit_test_teardown(other_systems_are_left_alone, client_teardown),
	};

	return cmocka_run_group_tests_name("foreign_topics", tests, NULL, NULL);
}
