/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_call: what commands are made of: keys, errors, answers, rights, changes.
 *
 * An error never shows what stands under a key that may hold a password.
 */
#include "control_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ---- */

const cJSON *control_key(const struct control_call *call, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(call->keys, key);
}

struct slice control_text(const struct control_call *call, const char *key)
{
	const char *text = cJSON_GetStringValue(control_key(call, key));
	return text != NULL ? slice_of(text) : (struct slice){NULL, 0};
}

bool control_flag(const struct control_call *call, const char *key)
{
	return cJSON_IsTrue(control_key(call, key));
}

size_t control_whole(const struct control_call *call, const char *key, size_t fallback)
{
	const cJSON *item = control_key(call, key);
	return item != NULL ? (size_t)item->valuedouble : fallback;
}

size_t control_count(const struct control_call *call)
{
	size_t count = control_whole(call, "count", CONTROL_COUNT);
	return count < CONTROL_COUNT_MAX ? count : CONTROL_COUNT_MAX;
}

/* ---- errors ---- */

/* Where something was cut to fit there may be half a character: '?' stands for each such byte. */
static void mend(char *text)
{
	for (size_t at = 0; text[at] != '\0';) {
		size_t len = 1;
		while (len < 4 && text[at + len] != '\0' && !utf8_valid((struct slice){text + at, len}))
			len++;
		if (utf8_valid((struct slice){text + at, len})) {
			at += len;
		} else {
			text[at++] = '?';
		}
	}
}

enum control_outcome control_refuse(struct control_call *call, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(call->error, sizeof call->error, format, arguments);
	va_end(arguments);
	mend(call->error);
	return CONTROL_REFUSED;
}

enum control_outcome control_forbid(struct control_call *call, const char *format, ...)
{
	char what[CONTROL_ERROR_MAX - 32];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	return control_refuse(call, "not permitted: %s", what);
}

/* ---- answers ---- */

cJSON *control_data(struct control_call *call)
{
	if (call->data == NULL)
		call->data = cJSON_CreateObject();
	if (call->data == NULL)
		call->starved = true;
	return call->data;
}

void control_put(struct control_call *call, cJSON *object, const char *key, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToObject(object, key, item))
		return;
	cJSON_Delete(item);
	call->starved = true;
}

void control_replace(struct control_call *call, cJSON *object, const char *key, cJSON *item)
{
	if (cJSON_GetObjectItemCaseSensitive(object, key) == NULL) {
		control_put(call, object, key, item);
	} else if (item == NULL || !cJSON_ReplaceItemInObjectCaseSensitive(object, key, item)) {
		cJSON_Delete(item);
		call->starved = true;
	}
}

void control_append(struct control_call *call, cJSON *array, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToArray(array, item))
		return;
	cJSON_Delete(item);
	call->starved = true;
}

cJSON *control_text_item(struct slice text)
{
	char *copy = strndup(text.ptr != NULL ? text.ptr : "", text.len);
	cJSON *item = copy != NULL ? cJSON_CreateString(copy) : NULL;
	free(copy);
	return item;
}

void control_put_text(struct control_call *call, cJSON *object, const char *key, struct slice text)
{
	control_put(call, object, key, control_text_item(text));
}

void control_put_number(struct control_call *call, cJSON *object, const char *key, double number)
{
	control_put(call, object, key, cJSON_CreateNumber(number));
}

cJSON *control_array(struct control_call *call, const char *key)
{
	cJSON *data = control_data(call);
	cJSON *array = cJSON_GetObjectItemCaseSensitive(data, key);
	if (array != NULL)
		return array;
	control_put(call, data, key, cJSON_CreateArray());
	return cJSON_GetObjectItemCaseSensitive(data, key);
}

/* ---- work ---- */

void control_work(struct control_call *call, size_t units)
{
	call->control->slice -= (int64_t)units;
}

bool control_is_tired(const struct control_call *call)
{
	return call->control->slice <= 0;
}

/* ---- rights and changes ---- */

const struct account_table *control_accounts(const struct control_call *call)
{
	return access_accounts(call->control->options.access);
}

bool control_is_admin(const struct control_call *call)
{
	return account_role(call->caller) == ROLE_ADMIN;
}

bool control_administrates(const struct control_call *call)
{
	return control_is_admin(call) || account_role(call->caller) == ROLE_MANAGER;
}

bool control_may_read(const struct control_call *call, struct slice topic)
{
	return account_may(call->caller, RIGHT_READ, call->client_id, topic, NULL);
}

bool control_manages(struct control_call *call, struct slice location)
{
	if (account_role(call->caller) != ROLE_MANAGER)
		return control_is_admin(call);
	char *text = account_print(call->caller, false);
	cJSON *document = text != NULL ? cJSON_Parse(text) : NULL;
	const cJSON *locations = cJSON_GetObjectItemCaseSensitive(document, "locations"), *one;
	/* None named: of all. */
	bool manages = document != NULL && cJSON_GetArraySize(locations) == 0;
	cJSON_ArrayForEach(one, locations)
	{
		manages = manages || (cJSON_IsString(one) && slice_is(location, one->valuestring));
	}
	cJSON_Delete(document);
	free(text);
	return manages;
}

static void longer(struct control_call *call, uint64_t position)
{
	if (position > call->position)
		call->position = position;
}

enum control_outcome control_change(struct control_call *call, const struct document *documents, size_t count)
{
	char error[ACCESS_ERROR_MAX];
	uint64_t position = 0;

	control_work(call, count * CONTROL_WORK_CHANGE);
	if (!access_change(call->control->options.access, documents, count, call->now, &position, error))
		return control_refuse(call, "%s", error);
	call->caller = NULL; /* it may be one of them */
	longer(call, position);
	return CONTROL_DONE;
}

void control_durably(struct control_call *call)
{
	struct journal *journal = intake_feed(call->control->options.intake)->journal;
	longer(call, journal_head(journal));
	journal_wake(journal);
}

/* ---- account documents ---- */

bool control_document_name(struct slice username, char name[CONTROL_NAME_SIZE])
{
	if (username.len > ACCOUNT_NAME_MAX)
		return false;
	snprintf(name, CONTROL_NAME_SIZE, DOCUMENT_ACCOUNT "%.*s", (int)username.len, username.ptr);
	return true;
}

cJSON *control_document(struct control_call *call, struct slice username)
{
	const struct account *account = account_find(control_accounts(call), username);
	if (account == NULL) {
		control_refuse(call, "username: found \"%.*s\"; wanted the name of an account", CONTROL_SHOWN(username));
		return NULL;
	}
	char *text = account_print(account, true);
	cJSON *document = text != NULL ? cJSON_Parse(text) : NULL;
	free(text);
	if (document == NULL)
		control_refuse(call, "no memory");
	return document;
}

/* "$.role" → "role" */
static const char *plain_path(const char *path)
{
	return strncmp(path, "$.", 2) == 0 ? path + 2 : path;
}

bool control_document_check(struct control_call *call, const cJSON *document)
{
	struct account_error error = {"account", "no memory", "some"};
	char *text = cJSON_PrintUnformatted(document);
	struct account *account = text != NULL ? account_read(slice_of(text), &error) : NULL;
	bool good = account != NULL;

	if (!good)
		control_refuse(call, "%s: found %s; wanted %s", plain_path(error.path), error.found, error.wanted);
	account_free(account);
	free(text);
	return good;
}

enum control_outcome control_store(struct control_call *call, cJSON *document)
{
	char name[CONTROL_NAME_SIZE];
	const char *username = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, "username"));
	char *body = NULL;
	enum control_outcome outcome = CONTROL_REFUSED;

	if (call->starved) {
		control_refuse(call, "no memory");
	} else if (control_document_check(call, document) && control_document_name(slice_of(username), name)) {
		body = cJSON_PrintUnformatted(document);
		outcome = body != NULL ? control_change(call, &(struct document){slice_of(name), slice_of(body)}, 1)
		                       : control_refuse(call, "no memory");
	}
	free(body);
	cJSON_Delete(document);
	return outcome;
}

/* ---- devices, configs ---- */

bool control_is_of_device(const struct topic *topic, const struct control_device *device)
{
	return slice_equal(topic->location, device->location) && slice_equal(topic->device, device->device);
}

bool control_configure(struct control_call *call, struct slice topic, struct slice payload, struct slice author)
{
	struct config_error error = {0};

	control_work(call, CONTROL_WORK_CHANGE + payload.len / 64);
	bool taken = intake_configure(call->control->options.intake, topic, payload, author, &error, call->now);
	if (taken && error.wanted[0] == '\0') {
		control_durably(call);
		return true;
	}
	if (taken)
		control_refuse(call, "config: it is in force, but not kept; wanted %s", error.wanted);
	else if (error.path[0] != '\0')
		control_refuse(call, "config: %s: found %s; wanted %s", error.path, error.found, error.wanted);
	else
		control_refuse(call, "config: found %s; wanted %s", error.found, error.wanted);
	return false;
}
