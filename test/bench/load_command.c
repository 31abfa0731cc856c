/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * load_command: see load_command.h.
 */
#include "load_command.h"
#include "arguments.h"
#include "devices.h"
#include "latency.h"
#include "load.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void note_latency(void *context, int64_t due_ns, int64_t now_ns)
{
	latency_add(context, now_ns - due_ns);
}

int load_command(int word_count, char **words)
{
	bool help = false;
	bool prepare = false;
	bool spin = false;
	int64_t port = 1883;
	int64_t publishers = 4;
	int64_t subscribers = 0;
	int64_t qos = 0;
	int64_t messages = 100000;
	int64_t rate = 0;
	int64_t batch = 32;
	int64_t window = 128;
	const struct argument known[] = {
		{"--port", "of a broker on 127.0.0.1", ARGUMENT_NUMBER, .number = &port, .min = 1, .max = 65535},
		{"--publishers", "devices", ARGUMENT_NUMBER, .number = &publishers, .min = 1, .max = 10000},
		{"--subscribers", "to all readings", ARGUMENT_NUMBER, .number = &subscribers, .min = 0, .max = 10000},
		{"--qos", "of both", ARGUMENT_NUMBER, .number = &qos, .min = 0, .max = 1},
		{"--messages", "of all devices together", ARGUMENT_NUMBER, .number = &messages, .min = 1, .max = INT64_MAX},
		{"--rate", "messages a second, 0: as many as the broker takes", ARGUMENT_NUMBER, .number = &rate, .min = 0,
	     .max = 100000000},
		{"--batch", "most packets in one write", ARGUMENT_NUMBER, .number = &batch, .min = 1, .max = 1000},
		{"--window", "messages of a device under way", ARGUMENT_NUMBER, .number = &window, .min = 1, .max = 60000},
		{"--spin", "keep the CPU while waiting", ARGUMENT_FLAG, .flag = &spin},
		{"--prepare", "first publish each device's config, retained", ARGUMENT_FLAG, .flag = &prepare},
		{"--help", "this", ARGUMENT_FLAG, .flag = &help},
	};
	struct fault fault = {0};
	if (!arguments_parse(known, COUNT(known), word_count, words, &fault)) {
		goto fail;
	}
	if (help) {
		printf("bench load: publish readings to a broker that runs already\n");
		arguments_help(known, COUNT(known));
		return 0;
	}
	if (prepare && !devices_prepare((int)port, (int)publishers, false, &fault)) {
		goto fail;
	}
	static struct latency latency;
	struct load_plan plan = {
		.port = (int)port,
		.publishers = (int)publishers,
		.subscribers = (int)subscribers,
		.qos = (int)qos,
		.batch = (int)(batch < window ? batch : window),
		.window = (int)window,
		.rate = (double)rate,
		.spin = spin,
		.filter = DEVICES_FILTER,
		.topic = devices_topic,
		.payload = devices_payload,
		.acknowledged = note_latency,
		.context = &latency,
	};
	struct load_result result;
	struct load *load = load_open(&plan, &fault);
	if (load == NULL) {
		goto fail;
	}
	bool done = load_run(load, (uint64_t)messages, &result, &fault);
	load_close(load);
	if (!done) {
		goto fail;
	}
	double seconds = (double)result.duration_ns * 1e-9;
	printf("%llu sent, %llu acknowledged, %llu received in %.3f s: %.0f messages/s\n", (unsigned long long)result.sent,
	       (unsigned long long)result.acknowledged, (unsigned long long)result.received, seconds,
	       (double)result.sent / seconds);
	if (latency.count > 0) {
		printf("PUBACK after p50 %.0f, p99 %.0f, at most %.0f us, counted from when each was due\n",
		       (double)latency_quantile(&latency, 0.5) * 1e-3, (double)latency_quantile(&latency, 0.99) * 1e-3,
		       (double)latency.max_ns * 1e-3);
	}
	return 0;
fail:
	fprintf(stderr, "bench load: %s\n", fault.text);
	return 1;
}
