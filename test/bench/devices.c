/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * devices: see devices.h. Device n switches a fan of its own, so that each series' rule shows itself.
 */
#include "devices.h"
#include "client.h"

#include <stdio.h>

#define TEXT_MAX 256

#define CONFIG                                                                                                         \
	"{\"rules\":[{\"name\":\"cool\",\"when\":{\"above\":28,\"hysteresis\":1},"                                         \
	"\"then\":[{\"set\":\"home/fan%d/motor\",\"to\":1}]}]}"

size_t devices_topic(int publisher, char *out, size_t size)
{
	return (size_t)snprintf(out, size, "home/dev%d/temperature/value", publisher + 1);
}

size_t devices_payload(uint64_t index, char *out, size_t size)
{
	if (size < 4) {
		return 0;
	}
	/* By hand: the generator makes a million of them a second beside the broker that it measures. */
	out[0] = '2';
	out[1] = '3';
	out[2] = '.';
	out[3] = (char)('0' + index / 7 % 10);
	return 4;
}

static bool publish_config(struct client *client, int device, struct fault *fault)
{
	char topic[TEXT_MAX];
	char config[TEXT_MAX];
	snprintf(topic, sizeof(topic), "home/dev%d/temperature/config", device);
	snprintf(config, sizeof(config), CONFIG, device);
	return client_publish(client, topic, config, true, fault);
}

/* Crosses the threshold of one series and waits for the fan to be switched on. */
static bool try_rule(struct client *sensor, struct client *fan, int device, struct fault *fault)
{
	char topic[TEXT_MAX];
	char command[TEXT_MAX];
	snprintf(topic, sizeof(topic), "home/dev%d/temperature/value", device);
	snprintf(command, sizeof(command), "home/fan%d/motor/set", device);
	struct fault silence = {0};
	if (!client_publish(sensor, topic, "30.5", false, fault)) {
		return false;
	}
	if (!client_await(fan, command, "1", &silence)) {
		return fault_set(fault, "a reading of 30.5 on %s did not bring 1 on %s: %s", topic, command, silence.text);
	}
	return client_publish(sensor, topic, "23.5", false, fault);
}

bool devices_prepare(int port, int devices, bool rules_run, struct fault *fault)
{
	struct client sensor = {.fd = -1};
	struct client fan = {.fd = -1};
	bool done = false;
	if (!client_open(&sensor, port, "devices-sensor", fault) || !client_open(&fan, port, "devices-fan", fault) ||
	    !client_subscribe(&fan, "home/+/motor/set", 0, fault)) {
		goto out;
	}
	for (int device = 1; device <= devices; device++) {
		if (!publish_config(&sensor, device, fault)) {
			goto out;
		}
		if (rules_run && !try_rule(&sensor, &fan, device, fault)) {
			goto out;
		}
	}
	done = true;
out:
	client_close(&sensor);
	client_close(&fan);
	return done;
}
