/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker: the few calls into Mosquitto as one struct of functions, so that all else can be tested without a broker.
 *
 * Broker thread only.
 */
#ifndef HEARTH_BROKER_H
#define HEARTH_BROKER_H

#include "mailbox.h"
#include "topic.h"

/* An MQTT v5 user property of a message; both are NUL-terminated UTF-8. */
struct user_property {
	const char *name;
	const char *value;
};

struct broker_ops {
	/* Publishes to all subscribers; bytes are copied. False if Mosquitto refused (no memory, not a valid topic). */
	bool (*publish)(const char *topic, struct slice payload, int qos, bool retain,
	                const struct user_property *properties, size_t property_count);
	/* One line in the broker's log. */
	void (*log)(enum notice_level level, const char *line);
	/* The user name of the client behind a message; NULL: none. Valid during the message's callback. */
	const char *(*username)(const void *client);

	/* ---- about a client, during a callback; texts may be NULL ---- */
	const char *(*client_id)(const void *client);
	const char *(*address)(const void *client);
	bool (*is_stored)(const void *client); /* its session outlives the connection */
	bool (*is_restored)(
		const void *client); /* it has not connected since the broker started: its session was on the disk */
	/* The common name of the certificate that the listener has verified, NUL-terminated. False: none, or it does not fit. */
	bool (*certificate_name)(const void *client, char *name, size_t size);

	/* Publishes to one client alone, whatever it may read; bytes are copied. False as `publish`. */
	bool (*respond)(const char *client_id, const char *topic, struct slice payload);
	/* Ends connections; their Wills are published. Not from inside a message's callback. */
	void (*drop)(const char *client_id);
	void (*drop_user)(const char *username);
};

/* The broker that loaded the plugin. */
extern const struct broker_ops broker_mosquitto;

/* printf into ops->log; lines are cut at 1,000 bytes. */
void broker_logf(const struct broker_ops *ops, enum notice_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
