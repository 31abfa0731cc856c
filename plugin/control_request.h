/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_request: a request on its way: its commands, one after the other, and their answers. Private to control*.c.
 */
#ifndef HEARTH_CONTROL_REQUEST_H
#define HEARTH_CONTROL_REQUEST_H

#include "control_internal.h"

struct answer;

struct request {
	struct request *next;
	char *client_id, *user;
	cJSON *tree;
	const cJSON *command; /* the one in work; NULL: all are done */
	struct answer *answers;
	size_t at, count;
	size_t bytes;        /* of all answers */
	int64_t progress_ms; /* monotonic: when it last got on */
	bool begun;          /* the command in work */
	bool gone;           /* who asked may not be answered any more */
	struct control_call call;
};

#define CONTROL_UNKNOWN "Unknown command" /* stands for a command that has no name */

/* Takes the tree over, which has a list of `commands`; NULL, and it is not taken over: no memory. */
struct request *request_new(cJSON *tree, const char *client_id, const char *user, int64_t now_ms);
void request_free(struct request *request);

/* What people chose is not left in memory. */
void request_wipe(const cJSON *commands);

/*
 * Carries out what can be now, as far as control->slice goes, and gives up what has waited too long. `ticking`: not inside a
 * message's callback.
 */
void request_run(struct control *control, struct request *request, bool ticking, struct instant now);

/* Sends the answer if it is ready. True: nothing is left to do for the request. */
bool request_finish(struct control *control, struct request *request, struct instant now);

#endif
