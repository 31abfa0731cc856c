/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_client: questions to $CONTROL/hearth/v1 and their answers, one at a time, over libmosquitto.
 *
 * MQTT 5 is tried first, then 3.1.1. A broker that puts a sign-in off closes the connection without an answer; it is tried again
 * until the time is over. Everything happens in the calling thread. SIGALRM is ours while a connection is made.
 */
#ifndef HEARTH_CTRL_CLIENT_H
#define HEARTH_CTRL_CLIENT_H

#include "ctrl_command.h"

/*
 * Puts one command to the broker and waits for its answer; connects first if need be. *data is the answer's data, which the
 * caller frees; NULL: it has none. Not CTRL_OK: a line is in call->error.
 */
int ctrl_ask(struct ctrl_call *call, const struct cJSON *command, struct cJSON **data);

/* Connects if need be. Not CTRL_OK: a line is in call->error. */
int ctrl_client_connect(struct ctrl_call *call);

void ctrl_client_close(struct ctrl_call *call);

/* What a payload on the response topic says to the question with this correlation. */
enum ctrl_answer { CTRL_ANSWER_OTHER, CTRL_ANSWER_YES, CTRL_ANSWER_ERROR };

/* Pure. *data as above; *error (the caller frees it) with CTRL_ANSWER_ERROR only. */
enum ctrl_answer ctrl_answer_read(const char *payload, size_t len, const char *correlation, struct cJSON **data,
                                  char **error);

#endif
