/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * devices: the house whose messages are measured. Each publisher is a device of its own with one thermometer; each series
 * has a config with one rule, and every reading stays below its threshold: it is stored, passes the rule, and changes
 * nothing.
 */
#ifndef BENCH_DEVICES_H
#define BENCH_DEVICES_H

#include "fault.h"

#include <stddef.h>
#include <stdint.h>

/* Matches the readings of all devices, and neither their configs nor the rule's commands. */
#define DEVICES_FILTER "home/+/temperature/value"

/* For struct load_plan. */
size_t devices_topic(int publisher, char *out, size_t size);
size_t devices_payload(uint64_t index, char *out, size_t size);

/*
 * Publishes the configs, retained. With `rules_run` it then crosses the threshold of each series once and waits for
 * the command, so that what is measured later is known to have passed the rule.
 */
bool devices_prepare(int port, int devices, bool rules_run, struct fault *fault);

#endif
