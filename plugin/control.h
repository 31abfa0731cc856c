/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: administration over MQTT. A request on $CONTROL/hearth/v1, its answer on $CONTROL/hearth/v1/response, to the client
 * that asked alone, in the shape of Mosquitto's dynamic security plugin:
 *
 *   {"commands":[{"command":"createAccount","username":"anna","role":"resident","password":"…","correlationData":"1"}]}
 *   {"responses":[{"command":"createAccount","correlationData":"1"}]}
 *   {"responses":[{"command":"createAccount","correlationData":"1","error":"username: found \"\"; wanted …"}]}
 *   {"responses":[{"command":"whoAmI","data":{"username":"anna","role":"resident",…}}]}
 *
 * The commands of a request are carried out in order; one that changes something is answered once that is on the disk. What
 * takes time (history, hashing a password, moving a history) goes to a thread, and the answer comes when all of a request is
 * done. What requests cost the broker's thread is bounded for each user: who asks for more is told to come again, or waits;
 * administrators wait for nobody but themselves. control_table.c has every command: its name, who may call it, its keys, and what it does.
 *
 * Broker thread only.
 */
#ifndef HEARTH_CONTROL_H
#define HEARTH_CONTROL_H

#include "access.h"
#include "intake.h"
#include "storage.h"

#define CONTROL_TOPIC          "$CONTROL/hearth/v1"
#define CONTROL_RESPONSE_TOPIC "$CONTROL/hearth/v1/response"

#define CONTROL_REQUEST_MAX  1048576 /* bytes */
#define CONTROL_COMMANDS_MAX 1000    /* of one request */
#define CONTROL_PENDING_MAX  256     /* requests that wait; more are refused, but for administrators */
#define CONTROL_PATIENCE_MS  30000   /* a request that waits longer is answered with an error */

struct control;

struct control_options {
	const struct broker_ops *broker;
	struct access *access;
	struct intake *intake;
	struct storage *storage;
	const struct options *options;
	/* The metrics as they are published: calls back with the name below $SYS/broker/hearth/ and the value. */
	void (*each_metric)(void *context, void (*callback)(void *to, const char *name, uint64_t value), void *to);
	void *context;
	/* Monotonic: what a command costs the broker's thread. NULL: what it says of itself is taken for it. */
	int64_t (*clock_us)(void);
};

struct control *control_new(const struct control_options *options); /* NULL: no memory */
void control_free(struct control *control);                         /* NULL is allowed */

/* A request, from a client that may write CONTROL_TOPIC. What is wrong with it is answered; nothing else comes of it. */
void control_request(struct control *control, const void *client, struct slice payload, struct instant now);

/* Sends the answers that are ready. To be called at every tick. */
void control_tick(struct control *control, struct instant now);

#endif
