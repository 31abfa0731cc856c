/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fake_broker: a struct broker_ops that remembers what it was told to publish and to log, for tests of everything that
 * speaks to the broker. One for the whole program, since the operations carry no context.
 */
#ifndef TEST_FAKE_BROKER_H
#define TEST_FAKE_BROKER_H

#include "broker.h"

#define FAKE_PROPERTIES_MAX 4

struct fake_publish {
	char *topic;
	char *payload; /* a NUL is added */
	size_t len;
	int qos;
	bool retain;
	size_t property_count;
	char *names[FAKE_PROPERTIES_MAX], *values[FAKE_PROPERTIES_MAX];
};

extern const struct broker_ops fake_broker;

/* Forgets everything; publishes are taken again and clients have no name. */
void fake_broker_reset(void);

/* The user name of every client from now on; NULL: none. Not copied. */
void fake_broker_user(const char *name);

/* Whether the broker refuses what is published from now on; it is remembered all the same. */
void fake_broker_refuse(bool refuse);

size_t fake_publishes(void);
const struct fake_publish *fake_publish_at(size_t n);

/*
 * All that was published since the last call, in order, joined by "; " and each as one of
 *   topic=payload    topic=payload (retained)    location/device/sensor/error=code
 * Valid until the next call.
 */
const char *fake_broker_said(void);

size_t fake_lines(void);
const char *fake_line_at(size_t n);
/* How many lines of the log hold a text. */
size_t fake_lines_with(const char *text);

#endif
