/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: see control.h. Here are the requests: taken in, carried out command by command, waited for, answered.
 *
 * A request is carried out until a command has to wait or its share of work is used up; then it joins the list that each
 * tick goes through. What only has to reach the disk holds nothing up but the answer: all of a request's changes get there
 * together. What requests cost is bounded by budgets that grow with time (control_budget.h), whoever asks for however much.
 *
 * An answer is sent only if the client id is still the user's who asked.
 */
#include "control_request.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_PER_USER 8
#define PARSE_PER_WORK   64 /* bytes of a request that are read in one unit */

struct control *control_new(const struct control_options *options)
{
	struct control *control = calloc(1, sizeof *control);
	if (control == NULL)
		return NULL;
	control->options = *options;
	budgets_init(&control->budgets);
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

/* ---- a request comes in ---- */

/* {"responses":[{"command":"Unknown command","error":…}]} for what is no request. */
static void respond_error(const struct control *control, const char *client_id, const char *error)
{
	char text[256];
	int len =
		snprintf(text, sizeof text, "{\"responses\":[{\"command\":\"" CONTROL_UNKNOWN "\",\"error\":\"%s\"}]}", error);
	control->options.broker->respond(client_id, CONTROL_RESPONSE_TOPIC, (struct slice){text, (size_t)len});
}

/* How many requests there are from one on, and how many of them are this user's. */
static size_t count_from(const struct request *first, const char *user, size_t *of_user)
{
	size_t count = 0;
	*of_user = 0;
	for (const struct request *one = first; one != NULL; one = one->next, count++)
		*of_user += strcmp(one->user, user) == 0;
	return count;
}

/* Why a request is not even read; NULL: it is. */
static const char *objection(const struct control *control, const struct purse *purse)
{
	size_t of_user, all = count_from(control->first, purse->user, &of_user);

	if (of_user >= PENDING_PER_USER || (all >= CONTROL_PENDING_MAX && !purse->admin))
		return "too many requests wait: come again in a moment";
	if (purse_is_overdrawn(purse) || budgets_are_overdrawn(&control->budgets, purse))
		return "this is too much at once: come again in a moment";
	return NULL;
}

struct limit {
	size_t bytes;
	const char *error;
};

/* A manager's configs are long, an administrator's backups longer. */
static const struct limit *limit_of(enum role role)
{
	static const struct limit admin = {CONTROL_REQUEST_MAX, "Request too long: wanted at most 1048576 bytes"};
	static const struct limit manager = {262144, "Request too long: wanted at most 262144 bytes, for this role"};
	static const struct limit other = {16384, "Request too long: wanted at most 16384 bytes, for this role"};

	if (role == ROLE_ADMIN)
		return &admin;
	return role == ROLE_MANAGER ? &manager : &other;
}

/* The request's tree, or NULL with *error set, which is a static text that needs no escapes. */
static cJSON *read_request(struct slice payload, const struct account *caller, const char **error)
{
	const struct limit *limit = limit_of(account_role(caller));
	struct json_fault fault;

	*error = limit->error;
	if (payload.len > limit->bytes)
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
}

/* What it should cost, or what it took, if that is more. One that is too long for anybody was surely not read. */
static void charge_reading(struct control *control, struct purse *purse, size_t len, int64_t took_us)
{
	int64_t units = CONTROL_WORK_CALL + (len <= CONTROL_REQUEST_MAX ? (int64_t)len / PARSE_PER_WORK : 0);
	budgets_spend(&control->budgets, purse, took_us > units ? took_us : units);
}

static int64_t time_us(const struct control *control)
{
	return control->options.clock_us != NULL ? control->options.clock_us() : 0;
}

/* Carries out what may cost this share, and answers. True: nothing is left to do for the request. */
static bool work_on(struct control *control, struct request *request, struct purse *purse, int64_t share, bool ticking,
                    struct instant now)
{
	control->slice = share;
	request_run(control, request, ticking, now);
	budgets_spend(&control->budgets, purse, share - control->slice);
	return !purse_is_overdrawn(purse) && request_finish(control, request, now);
}

void control_request(struct control *control, const void *client, struct slice payload, struct instant now)
{
	const char *user = control->options.broker->username(client);
	const char *client_id = control->options.broker->client_id(client);
	const struct account *caller = user != NULL && client_id != NULL
	                                   ? account_find(access_accounts(control->options.access), slice_of(user))
	                                   : NULL;
	int64_t begun_us = time_us(control);
	const char *error;

	if (caller == NULL || !account_usable(caller, now.wall_us))
		return; /* without accounts nobody is answered */
	struct purse *purse = budgets_purse(&control->budgets, user, account_role(caller) == ROLE_ADMIN, now.mono_ms);
	if ((error = objection(control, purse)) != NULL) {
		respond_error(control, client_id, error);
		return;
	}
	cJSON *tree = read_request(payload, caller, &error);
	struct request *request = tree != NULL ? request_new(tree, client_id, user, now.mono_ms) : NULL;
	charge_reading(control, purse, payload.len, time_us(control) - begun_us);
	if (request == NULL) {
		cJSON_Delete(tree);
		respond_error(control, client_id, tree != NULL ? "no memory" : error);
		return;
	}
	if (work_on(control, request, purse, budgets_share(&control->budgets, purse, 1, 1), false, now))
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

/* It gets as much as each of those that come after it, so that one who asks for much delays nobody else. */
static bool tick_one(struct control *control, struct request *request, struct instant now)
{
	const struct account *account = account_find(access_accounts(control->options.access), slice_of(request->user));
	bool admin = account != NULL && account_role(account) == ROLE_ADMIN;
	struct purse *purse = budgets_purse(&control->budgets, request->user, admin, now.mono_ms);
	size_t of_user, all = count_from(request, request->user, &of_user);

	return work_on(control, request, purse, budgets_share(&control->budgets, purse, of_user, all), true, now);
}

void control_tick(struct control *control, struct instant now)
{
	struct request **link = &control->first;

	take_in(control);
	while (*link != NULL) {
		struct request *request = *link;
		if (tick_one(control, request, now)) {
			*link = request->next;
			request_free(request);
		} else {
			link = &request->next;
		}
	}
}
