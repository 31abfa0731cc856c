/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * delivery: see delivery.h.
 */
#include "delivery.h"

#include <stdio.h>
#include <stdlib.h>

#define COMMANDS_MAX 65536 /* that wait at once; a chain of rules must not grow without end */

struct delivery {
	const struct broker_ops *broker;
	struct feed *feed;
	struct own *own;
	struct command *queue;
	size_t count, room;
	size_t dropped; /* commands that found no room in this run */
	struct action_callbacks callbacks;
};

static void command_enqueue(void *context, const struct command *command)
{
	struct delivery *delivery = context;
	if (delivery->count == delivery->room) {
		size_t room = delivery->room ? delivery->room * 2 : 64;
		struct command *more = room <= COMMANDS_MAX ? realloc(delivery->queue, room * sizeof *more) : NULL;
		if (more == NULL) {
			delivery->dropped++;
			return;
		}
		delivery->queue = more;
		delivery->room = room;
	}
	delivery->queue[delivery->count++] = *command;
}

static void loop_report(void *context, const struct command *command)
{
	struct delivery *delivery = context;
	broker_logf(delivery->broker, NOTICE_ERROR,
	            "rule %s on %s: a chain of more than %d commands was cut before %s; rules that move each other in a "
	            "ring need a hysteresis or a different target",
	            command->rule->name, command->cause != NULL ? command->cause->name : "the automation switch",
	            ACTION_HOPS_MAX, command->topic);
}

static bool command_publish(struct delivery *delivery, const struct command *command, struct slice payload)
{
	char cause[TOPIC_MAX + 80], number[NUMBER_TEXT_MAX];
	struct user_property properties[2] = {{"hearth-rule", command->rule->name}, {"hearth-cause", cause}};
	if (command->cause == NULL) {
		properties[1].value = "the automation switch";
	} else {
		struct slice value = value_print(&command->cause->latest.value, number);
		snprintf(cause, sizeof cause, "%s=%.*s", command->cause->name, (int)(value.len < 64 ? value.len : 0),
		         value.ptr);
	}
	return delivery->broker->publish(command->topic, payload, 1, false, properties, 2);
}

static void command_deliver(struct delivery *delivery, const struct command *command, struct instant now)
{
	char number[NUMBER_TEXT_MAX];
	struct slice name = slice_of(command->topic), payload = value_print(&command->value, number);
	struct topic topic;

	if (!command_publish(delivery, command, payload))
		broker_logf(delivery->broker, NOTICE_ERROR, "%s of rule %s could not be published", command->topic,
		            command->rule->name);
	if (!topic_parse(name, &topic))
		return;
	struct series *series = feed_series(delivery->feed, name, &topic);
	if (series != NULL)
		feed_value(delivery->feed, series, &command->value, now.wall_us, FEED_ALL, command->hop, now);
	if (slice_is(topic.device, TOPIC_OWN_DEVICE))
		own_set(delivery->own, &topic, payload, command->hop, now);
}

void delivery_run(struct delivery *delivery, struct instant now)
{
	for (size_t i = 0; i < delivery->count; i++) {
		struct command command = delivery->queue[i]; /* the queue may grow and move meanwhile */
		command_deliver(delivery, &command, now);
	}
	if (delivery->dropped > 0)
		broker_logf(delivery->broker, NOTICE_ERROR, "%zu commands were not sent: more than %d came of one message",
		            delivery->dropped, COMMANDS_MAX);
	delivery->count = delivery->dropped = 0;
}

struct delivery *delivery_new(const struct broker_ops *broker, struct feed *feed, struct own *own)
{
	struct delivery *delivery = calloc(1, sizeof *delivery);
	if (delivery == NULL)
		return NULL;
	delivery->broker = broker;
	delivery->feed = feed;
	delivery->own = own;
	delivery->callbacks = (struct action_callbacks){command_enqueue, loop_report, delivery};
	return delivery;
}

void delivery_free(struct delivery *delivery)
{
	if (delivery == NULL)
		return;
	free(delivery->queue);
	free(delivery);
}

const struct action_callbacks *delivery_callbacks(const struct delivery *delivery)
{
	return &delivery->callbacks;
}
