/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: see control.h. Here are the requests: taken in, carried out command by command, waited for, answered.
 *
 * A request is carried out until a command has to wait or its share of work is used up; then it joins the list that each
 * tick goes through. What only has to reach the disk holds nothing up but the answer: all of a request's changes get there
 * together. The work of all requests is bounded by a budget that grows with time, whoever asks for however much.
 *
 * An answer is sent only if the client id is still the user's who asked.
 */
#include "control_request.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET_PER_MS    200   /* work units: a fifth of the time at most */
#define BUDGET_MAX       10000 /* what may be done at once after a quiet time */
#define SLICE_MIN        100
#define PENDING_PER_USER 8
#define SMALL_REQUEST    16384 /* bytes, for those who administrate nothing */
#define PARSE_PER_WORK   64    /* bytes of a request that are read in one unit */

struct control *control_new(const struct control_options *options)
{
	struct control *control = calloc(1, sizeof *control);
	if (control == NULL)
		return NULL;
	control->options = *options;
	control->budget = BUDGET_MAX;
	return control;
}

void control_free(struct control *control)
{
	if (control == NULL)
		return;
	while (control->first != NULL) {
		struct request *request = control->first;
		control->first = request->next;
		request_free(request);
	}
	free(control);
}

static void budget_fill(struct control *control, int64_t now_ms)
{
	int64_t elapsed_ms = now_ms - control->budget_ms;
	control->budget_ms = now_ms;
	if (elapsed_ms > BUDGET_MAX / BUDGET_PER_MS)
		elapsed_ms = BUDGET_MAX / BUDGET_PER_MS;
	if (elapsed_ms > 0)
		control->budget += elapsed_ms * BUDGET_PER_MS;
	if (control->budget > BUDGET_MAX)
		control->budget = BUDGET_MAX;
}

/* ---- a request comes in ---- */

/* {"responses":[{"command":"Unknown command","error":…}]} for what is no request. */
static void respond_error(const struct control *control, const char *client_id, const char *error)
{
	char text[256];
	int len =
		snprintf(text, sizeof text, "{\"responses\":[{\"command\":\"" CONTROL_UNKNOWN "\",\"error\":\"%s\"}]}", error);
	control->options.broker->respond(client_id, CONTROL_RESPONSE_TOPIC, (struct slice){text, (size_t)len});
}

static bool is_crowded(const struct control *control, const char *user)
{
	size_t of_user = 0;
	for (const struct request *one = control->first; one != NULL; one = one->next)
		of_user += strcmp(one->user, user) == 0;
	return control->waiting >= CONTROL_PENDING_MAX || of_user >= PENDING_PER_USER;
}

/* The request's tree, or NULL with *error set, which is a static text that needs no escapes. */
static cJSON *read_request(struct slice payload, const struct account *caller, const char **error)
{
	bool large = account_role(caller) == ROLE_ADMIN || account_role(caller) == ROLE_MANAGER;
	struct json_fault fault;

	*error = large ? "Request too long: wanted at most 1048576 bytes"
	               : "Request too long: wanted at most 16384 bytes, for this role";
	if (payload.len > (large ? CONTROL_REQUEST_MAX : SMALL_REQUEST))
		return NULL;
	*error = "Payload not valid JSON";
	if (!utf8_valid(payload) || !json_check(payload, &fault))
		return NULL;
	cJSON *tree = cJSON_ParseWithLength(payload.ptr, payload.len);
	const cJSON *commands = cJSON_GetObjectItemCaseSensitive(tree, "commands");
	if (tree == NULL)
		*error = "no memory";
	else if (!cJSON_IsArray(commands))
		*error = "Invalid/missing commands";
	else if (cJSON_GetArraySize(commands) > CONTROL_COMMANDS_MAX)
		*error = "Too many commands: wanted at most 1000";
	else
		return tree;
	request_wipe(commands);
	cJSON_Delete(tree);
	return NULL;
}

static void request_wait(struct control *control, struct request *request)
{
	struct request **end = &control->first;
	while (*end != NULL)
		end = &(*end)->next;
	*end = request;
	control->waiting++;
}

void control_request(struct control *control, const void *client, struct slice payload, struct instant now)
{
	const char *user = control->options.broker->username(client);
	const char *client_id = control->options.broker->client_id(client);
	const struct account *caller = user != NULL && client_id != NULL
	                                   ? account_find(access_accounts(control->options.access), slice_of(user))
	                                   : NULL;
	const char *error;

	if (caller == NULL || !account_usable(caller, now.wall_us))
		return; /* without accounts nobody is answered */
	if (is_crowded(control, user)) {
		respond_error(control, client_id, "too many requests wait: come again in a moment");
		return;
	}
	budget_fill(control, now.mono_ms);
	control->budget -= (int64_t)(payload.len < CONTROL_REQUEST_MAX ? payload.len : 0) / PARSE_PER_WORK;
	cJSON *tree = read_request(payload, caller, &error);
	struct request *request = tree != NULL ? request_new(tree, client_id, user, now.mono_ms) : NULL;
	if (request == NULL) {
		cJSON_Delete(tree);
		respond_error(control, client_id, tree != NULL ? "no memory" : error);
		return;
	}
	control->slice = control->budget;
	request_run(control, request, false, now);
	if (request_finish(control, request, now))
		request_free(request);
	else
		request_wait(control, request);
}

/* ---- ticks ---- */

static struct control_call *call_of_ticket(struct control *control, uint64_t ticket)
{
	for (struct request *one = control->first; one != NULL; one = one->next) {
		if (one->call.ticket == ticket)
			return &one->call;
	}
	return NULL;
}

/* What the threads have ready goes to those who wait for it; nobody may any more. */
static void take_in(struct control *control)
{
	struct sign_in *sign_in = access_sign_in(control->options.access);
	struct history *history = storage_history(control->options.storage);
	struct history_answer answer;
	char made[PASSWORD_TEXT_MAX];
	uint64_t ticket;
	bool ok;

	while (sign_in_next_made(sign_in, &ticket, &ok, made)) {
		struct control_call *call = call_of_ticket(control, ticket);
		if (call == NULL)
			continue;
		call->arrived = true;
		call->ok = ok;
		memcpy(call->made, made, sizeof call->made);
	}
	explicit_bzero(made, sizeof made);
	while (history_next(history, &answer)) {
		struct control_call *call = call_of_ticket(control, answer.ticket);
		if (call == NULL) {
			free(answer.json);
			continue;
		}
		call->arrived = true;
		call->json = answer.json;
		call->json_len = answer.len;
		control_refuse(call, "%s", answer.error);
	}
}

void control_tick(struct control *control, struct instant now)
{
	struct request **link = &control->first;

	take_in(control);
	if (control->first == NULL)
		return;
	budget_fill(control, now.mono_ms);
	/* Each gets the same, so that one who asks for much delays nobody else. */
	int64_t share = control->budget / (int64_t)control->waiting;
	while (*link != NULL) {
		struct request *request = *link;
		control->slice = share > SLICE_MIN ? share : SLICE_MIN;
		if (control->budget > -BUDGET_MAX)
			request_run(control, request, true, now);
		if (request_finish(control, request, now)) {
			*link = request->next;
			control->waiting--;
			request_free(request);
		} else {
			link = &request->next;
		}
	}
}
