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

/* What a client pointer may lead to. */
struct fake_client {
	const char *id, *user, *address;
	const char *certificate; /* its common name */
	bool stored, restored;
};

/* Forgets everything; publishes are taken again and clients have no name. */
void fake_broker_reset(void);

/* The user name that a NULL client has from now on; NULL: none. Not copied. */
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

/* Answers to single clients, oldest first; the topic has the client's id and a blank in front. */
size_t fake_responses(void);
const struct fake_publish *fake_response_at(size_t n);

/*
 * What else it was told since the last call, each with a "; " behind it: drop ID, dropUser NAME. Valid until the next call.
 */
const char *fake_broker_did(void);

size_t fake_lines(void);
const char *fake_line_at(size_t n);
/* How many lines of the log hold a text. */
size_t fake_lines_with(const char *text);

#endif
