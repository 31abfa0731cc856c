/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client: a small synchronous MQTT client for tests, over libmosquitto.
 *
 * Nothing runs in the background: each call that waits drives the client's own network loop until what it waits for
 * has come, and fails the running test after a deadline. What arrives goes to an inbox in order; each message there is
 * taken once. A client is used by one thread at a time; only the functions that say so may be called outside the test's
 * own thread, since the others may fail the test.
 *
 * That a message does NOT come is shown with a fence: the client publishes to a topic of its own twice, each time waiting
 * for it to come back; one from client_open, which may not be allowed to, has something else acknowledged twice. What the
 * broker did at once because of anything acknowledged before is then in the inbox.
 */
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_V3 4 /* MQTT 3.1.1 */
#define CLIENT_V5 5

/* Reason code of a PUBACK that says "not authorized". */
#define REASON_NOT_AUTHORIZED 135

/* In place of a CONNACK's reason code: the broker closed the connection without one. */
#define CONNACK_NONE (-2)

struct house;
struct mosquitto;

#define MESSAGE_PROPERTIES_MAX 8

struct message {
	char *topic;
	char *payload; /* `len` bytes, and a NUL behind them */
	size_t len;
	int qos;
	bool retain;
	bool taken;
	int64_t arrived_ms; /* as now_ms */
	size_t property_count;
	struct {
		char *name, *value;
	} properties[MESSAGE_PROPERTIES_MAX]; /* MQTT v5 user properties */
};

struct client {
	char id[64];
	int version;
	int connack; /* its reason code: 0 if the broker has accepted */
	/* For client.c only. */
	struct mosquitto *mosquitto;
	int suback, puback; /* reason codes; −1: not there yet */
	int publish_id;     /* the packet that `puback` waits for */
	bool ended;         /* the broker closed the connection */
	bool has_topic;     /* for fences, of its own */
	size_t sent, acknowledged;
	int fence, fence_seen;
	size_t count, room, first_untaken;
	struct message *inbox;
	struct client *next;
};

/* How to connect. What is 0 or NULL is as usual. */
struct client_options {
	const char *user, *password;
	const char *id;                     /* of at most 63 bytes; NULL: one that no other client of the test has */
	const char *address;                /* 127.x.x.x, which it comes from */
	const char *will_topic, *will;      /* QoS 1, not retained */
	const char *ca, *certificate, *key; /* files; `ca`: use TLS */
	int version;                        /* 0: MQTT 3.1.1 */
	int port;                           /* another listener than the house's own */
	bool stored;                        /* the broker keeps the session, which goes on if there is one */
};

/*
 * Connects, and returns once the broker has answered: client->connack. Such a client may have no rights at all: it fences
 * by unsubscribing from nothing.
 */
struct client *client_open(const struct house *house, const struct client_options *options);

/* Connects and returns once the broker has accepted. `user` may be NULL. Fences need the rights to topics fence/…. */
struct client *client_connect(const struct house *house, int version, const char *user);
/* The same with a password, by MQTT 3.1.1; NULL if the broker refuses them. */
struct client *client_sign_in(const struct house *house, const char *user, const char *password);
/* DISCONNECT and free; NULL is allowed. */
void client_free(struct client *client);
/* Breaks the connection off without a DISCONNECT, and frees: its Will is due. */
void client_cut(struct client *client);
/* Waits until the broker has closed the connection; false: it has not after `ms` milliseconds. */
bool client_ends(struct client *client, int ms);
/* cmocka teardown: frees the clients that a failed test left, then does house_teardown. */
int client_teardown(void **state);

/* Subscribes with QoS 1 and returns after the SUBACK. v5 clients get the retain flag as it was published. */
void client_subscribe(struct client *client, const char *filter);
/* The same, but the broker may refuse: returns the SUBACK's code, 128 and more if it did. */
int client_try_subscribe(struct client *client, const char *filter);
void client_unsubscribe(struct client *client, const char *filter);

/* ---- publishing ---- */

/* Publishes text, QoS 1, not retained; the broker must acknowledge it as accepted. */
void client_publish(struct client *client, const char *topic, const char *text);
void client_publish_retained(struct client *client, const char *topic, const char *text);

/* Publishes any bytes with QoS 1, returns the PUBACK's reason code (always 0 for MQTT 3.1.1). */
int client_publish_bytes(struct client *client, const char *topic, const void *bytes, size_t len, bool retain);

/* The same of text under a topic alias of MQTT 5, not retained; `topic` NULL: the alias alone. */
int client_publish_alias(struct client *client, int alias, const char *topic, const char *text);

/* Hands a message over without waiting for its PUBACK, but has at most 500 on the way. Any thread; false: connection lost. */
bool client_send(struct client *client, const char *topic, const void *bytes, size_t len, int qos, bool retain);
/* Waits until all that was sent is acknowledged. Any thread; false: connection lost, or not within a minute. */
bool client_flush(struct client *client);

/* ---- receiving ---- */

/* Takes the oldest message on this topic that is not taken yet, waiting for it; NULL after `ms` milliseconds. */
const struct message *client_take(struct client *client, const char *topic, int ms);
/* The same for any topic. */
const struct message *client_take_any(struct client *client, int ms);

/* The next message on this topic must come within `ms` milliseconds and be this text. Returns it. */
const struct message *client_expect(struct client *client, const char *topic, const char *text, int ms);

/* See above: lets everything arrive that is on its way. */
void client_fence(struct client *client);
/* After a fence, there must be no message on this topic that is not taken yet. */
void client_expect_none(struct client *client, const char *topic);
/* After a fence, the last of all messages that ever came on this topic must be this text; all are taken then. */
void client_expect_last(struct client *client, const char *topic, const char *text);
/* After a fence, takes all on this topic (NULL: all there are) and returns how many there were. */
size_t client_drain(struct client *client, const char *topic);

/* Value of a v5 user property; NULL if the message has none of this name. */
const char *message_property(const struct message *message, const char *name);

/* What a new subscriber gets retained on this topic: the payload (the caller frees it), NULL if nothing. */
char *retained_text(const struct house *house, const char *topic);

#endif
