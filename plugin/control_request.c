/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_request: see control_request.h.
 *
 * Each answer is printed as soon as its command is done, so that what is kept of a long request is text, and its size is
 * known. A command that changed something has answered with success before it is on the disk; the request's answer waits for all
 * of them, and what does not get there in time is told by an error in its place.
 */
#include "control_request.h"

#include <stdlib.h>
#include <string.h>

/* What a command was answered with. */
struct answer {
	char *text; /* NULL: none yet */
	size_t len;
	uint64_t position; /* as control_call.position */
};

/* A secret may be in it. */
static void answer_clear(struct answer *answer)
{
	if (answer->text != NULL)
		explicit_bzero(answer->text, answer->len);
	free(answer->text);
	answer->text = NULL;
	answer->len = 0;
}

static void wipe(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	if (cJSON_IsString(item))
		explicit_bzero(item->valuestring, strlen(item->valuestring));
}

static void call_clear(struct control_call *call)
{
	wipe(call->data, "secret");
	cJSON_Delete(call->data);
	cJSON_Delete(call->notes);
	free(call->json);
	explicit_bzero(call, sizeof *call);
}

void request_wipe(const cJSON *commands)
{
	const cJSON *command;
	cJSON_ArrayForEach(command, commands)
	{
		wipe(command, "password");
		wipe(command, "oldPassword");
	}
}

void request_free(struct request *request)
{
	for (size_t i = 0; i < request->count; i++)
		answer_clear(&request->answers[i]);
	free(request->answers);
	call_clear(&request->call);
	request_wipe(cJSON_GetObjectItemCaseSensitive(request->tree, "commands"));
	cJSON_Delete(request->tree);
	free(request->client_id);
	free(request->user);
	free(request);
}

struct request *request_new(cJSON *tree, const char *client_id, const char *user, int64_t now_ms)
{
	const cJSON *commands = cJSON_GetObjectItemCaseSensitive(tree, "commands");
	struct request *request = calloc(1, sizeof *request);
	if (request == NULL)
		return NULL;
	request->count = (size_t)cJSON_GetArraySize(commands);
	request->answers = calloc(request->count + 1, sizeof *request->answers);
	request->client_id = strdup(client_id);
	request->user = strdup(user);
	if (request->answers == NULL || request->client_id == NULL || request->user == NULL) {
		request->count = 0;
		request_free(request);
		return NULL;
	}
	request->tree = tree;
	request->command = commands->child;
	request->progress_ms = now_ms;
	return request;
}

/* ---- answers ---- */

/* {"command":…,"correlationData":…,"error":…,"data":…} as text; takes `data` over. NULL: no memory. */
static char *answer_text(const cJSON *command, const char *name, const char *error, cJSON *data)
{
	const cJSON *correlation = cJSON_GetObjectItemCaseSensitive(command, "correlationData");
	cJSON *answer = cJSON_CreateObject();
	bool whole = cJSON_AddStringToObject(answer, "command", name) != NULL;

	if (cJSON_IsString(correlation))
		whole = whole && cJSON_AddStringToObject(answer, "correlationData", correlation->valuestring) != NULL;
	if (error != NULL)
		whole = whole && cJSON_AddStringToObject(answer, "error", error) != NULL;
	if (data != NULL && !(whole && cJSON_AddItemToObject(answer, "data", data))) {
		whole = false;
		cJSON_Delete(data);
	}
	char *text = whole ? cJSON_PrintUnformatted(answer) : NULL;
	wipe(cJSON_GetObjectItemCaseSensitive(answer, "data"), "secret");
	cJSON_Delete(answer);
	return text;
}

static const char *command_name(const cJSON *command)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(command, "command"));
	return name != NULL ? name : CONTROL_UNKNOWN;
}

static void answer_set(struct request *request, struct answer *answer, char *text)
{
	request->bytes -= answer->len;
	answer_clear(answer);
	answer->text = text;
	answer->len = text != NULL ? strlen(text) : 0;
	request->bytes += answer->len;
}

/* One without room or memory for it becomes an error; but what was done is told. */
static void answer_put(struct request *request, const char *error, cJSON *data)
{
	struct answer *answer = &request->answers[request->at];
	const char *name = command_name(request->command);

	answer_set(request, answer, answer_text(request->command, name, error, data));
	if (answer->text == NULL) {
		answer_set(request, answer, answer_text(request->command, name, "no memory for the answer", NULL));
	} else if (request->bytes > CONTROL_ANSWER_MAX && request->call.position == 0 && data != NULL) {
		answer_set(request, answer,
		           answer_text(request->command, name, "the answer has more than 8 MiB: ask for less", NULL));
	}
}

static void respond(const struct control *control, const struct request *request)
{
	static const char head[] = "{\"responses\":[", tail[] = "]}";
	size_t size = sizeof head + sizeof tail + request->count + request->bytes;
	char *text = malloc(size);
	char *end = text;

	if (text == NULL)
		return;
	end = stpcpy(end, head);
	for (size_t i = 0; i < request->count; i++) {
		const struct answer *answer = &request->answers[i];
		if (answer->text == NULL)
			continue;
		if (end[-1] != '[')
			*end++ = ',';
		end = mempcpy(end, answer->text, answer->len);
	}
	end = stpcpy(end, tail);
	control->options.broker->respond(request->client_id, CONTROL_RESPONSE_TOPIC,
	                                 (struct slice){text, (size_t)(end - text)});
	explicit_bzero(text, (size_t)(end - text)); /* a secret may have been in it */
	free(text);
}

/* Is all that was changed on the disk? */
static bool is_durable(const struct control *control, const struct request *request)
{
	uint64_t last = 0;
	for (size_t i = 0; i < request->count; i++) {
		if (request->answers[i].position > last)
			last = request->answers[i].position;
	}
	return last == 0 || access_durable(control->options.access, last);
}

static void tell_what_is_not_durable(const struct control *control, struct request *request)
{
	const cJSON *command = cJSON_GetObjectItemCaseSensitive(request->tree, "commands")->child;
	for (size_t i = 0; i < request->count && command != NULL; i++, command = command->next) {
		struct answer *answer = &request->answers[i];
		if (answer->position != 0 && !access_durable(control->options.access, answer->position))
			answer_set(request, answer,
			           answer_text(command, command_name(command),
			                       "done, but not on the disk yet: it holds unless the machine loses power", NULL));
	}
}

/* ---- carrying out ---- */

static void command_begin(struct control *control, struct request *request)
{
	struct control_call *call = &request->call;
	call_clear(call);
	call->control = control;
	call->keys = request->command;
	call->client_id = slice_of(request->client_id);
	request->begun = true;
}

/* The shape that all commands have: an object with `command`, and a text as `correlationData`. */
static enum control_outcome command_look_up(struct control_call *call)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(call->keys, "command");
	const cJSON *correlation = cJSON_GetObjectItemCaseSensitive(call->keys, "correlationData");

	if (!cJSON_IsObject(call->keys))
		return control_refuse(call, "Command not an object");
	if (!cJSON_IsString(name))
		return control_refuse(call, "Missing command");
	if (correlation != NULL && !cJSON_IsString(correlation))
		return control_refuse(call, "Invalid correlationData data type.");
	call->command = control_find(name->valuestring);
	if (call->command == NULL) {
		control_unknown(call, name->valuestring);
		return CONTROL_REFUSED;
	}
	return CONTROL_DONE;
}

static enum control_outcome command_step(struct control_call *call)
{
	control_work(call, CONTROL_WORK_CALL);
	if (call->command == NULL) {
		if (command_look_up(call) != CONTROL_DONE)
			return CONTROL_REFUSED;
		if (!control_may_call(call->caller, call->command))
			return control_forbid(call, "%s is not for the role %s", call->command->name,
			                      role_name(account_role(call->caller)));
		if (!control_shape_check(call))
			return CONTROL_REFUSED;
	} else if (!control_may_call(call->caller, call->command)) { /* while it waited */
		return control_forbid(call, "%s is not for the role %s", call->command->name,
		                      role_name(account_role(call->caller)));
	}
	enum control_outcome outcome = call->command->run(call);
	if (outcome == CONTROL_DONE && call->starved)
		return control_refuse(call, call->position != 0 ? "done, but there is no memory for the answer"
		                                                : "no memory for the answer");
	return outcome;
}

/* A command that took longer than it said costs that. */
static enum control_outcome command_charged(struct control_call *call)
{
	struct control *control = call->control;
	int64_t (*clock_us)(void) = control->options.clock_us;
	int64_t slice = control->slice, begun_us = clock_us != NULL ? clock_us() : 0;
	enum control_outcome outcome = command_step(call);
	int64_t took_us = clock_us != NULL ? clock_us() - begun_us : 0;

	if (slice - took_us < control->slice)
		control->slice = slice - took_us;
	return outcome;
}

/* The command in work is answered; on to the next. */
static void command_end(struct request *request, enum control_outcome outcome, int64_t now_ms)
{
	struct control_call *call = &request->call;
	cJSON *data = outcome == CONTROL_DONE ? call->data : NULL;

	if (outcome == CONTROL_DONE)
		call->data = NULL;
	answer_put(request, outcome == CONTROL_REFUSED ? call->error : NULL, data);
	request->answers[request->at].position = outcome == CONTROL_DONE ? call->position : 0;
	request->at++;
	request->command = request->command->next;
	request->begun = false;
	request->progress_ms = now_ms;
	call_clear(call);
}

/* What was waited for did not come; what comes after it is not begun. */
static void give_up(struct request *request, int64_t now_ms)
{
	control_refuse(&request->call, "this takes too long: it was given up after %d s", CONTROL_PATIENCE_MS / 1000);
	command_end(request, CONTROL_REFUSED, now_ms);
	while (request->command != NULL) {
		control_refuse(&request->call, "not carried out: a command before it took too long");
		command_end(request, CONTROL_REFUSED, now_ms);
	}
}

/* The account behind a request; NULL: it may ask nothing any more, or its client id is another's. */
static const struct account *caller_of(const struct control *control, const struct request *request, struct instant now)
{
	const struct access *access = control->options.access;
	const struct account *caller = account_find(access_accounts(access), slice_of(request->user));
	bool good = caller != NULL && account_usable(caller, now.wall_us) &&
	            slice_is(access_owner(access, slice_of(request->client_id)), request->user);
	return good ? caller : NULL;
}

void request_run(struct control *control, struct request *request, bool ticking, struct instant now)
{
	struct control_call *call = &request->call;

	while (request->command != NULL && control->slice > 0) {
		if (!request->begun)
			command_begin(control, request);
		if (call->ticket != 0 && !call->arrived)
			break;
		call->ticket = 0;
		call->now = now;
		call->ticking = ticking;
		call->caller = caller_of(control, request, now);
		if (call->caller == NULL) {
			request->gone = true;
			return;
		}
		enum control_outcome outcome = command_charged(call);
		if (outcome == CONTROL_WAIT)
			break;
		request->progress_ms = now.mono_ms;
		if (outcome != CONTROL_MORE)
			command_end(request, outcome, now.mono_ms);
	}
	if (request->command != NULL && now.mono_ms - request->progress_ms > CONTROL_PATIENCE_MS)
		give_up(request, now.mono_ms);
}

bool request_finish(struct control *control, struct request *request, struct instant now)
{
	if (request->gone)
		return true;
	if (request->command != NULL)
		return false;
	if (!is_durable(control, request)) {
		if (now.mono_ms - request->progress_ms <= CONTROL_PATIENCE_MS)
			return false;
		tell_what_is_not_durable(control, request);
	}
	if (slice_is(access_owner(control->options.access, slice_of(request->client_id)), request->user))
		respond(control, request);
	return true;
}
