/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_request: see ctrl_request.h.
 */
#include "ctrl_request.h"

#include "ctrl_parse.h"
#include "value.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits alone, up to `most`. */
static bool read_number(const char *text, long most, long *out)
{
	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
		return false;
	errno = 0;
	*out = strtol(text, NULL, 10);
	return errno == 0 && *out <= most;
}

bool ctrl_time_read(const char *text, int64_t now_us, int64_t *out_us)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	size_t len = strlen(text);
	char whole[32];
	long count;

	*out_us = now_us;
	if (strcmp(text, "now") == 0)
		return true;
	if (time_parse(slice_of(text), out_us))
		return true;
	if (len == strlen("2026-11-22")) {
		snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
		return time_parse(slice_of(whole), out_us);
	}
	if (len < 2 || len > 9)
		return false;
	snprintf(whole, sizeof whole, "%.*s", (int)(len - 1), text);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].unit == text[len - 1] && read_number(whole, 99999999, &count)) {
			*out_us = now_us - count * units[i].seconds * 1000000;
			return true;
		}
	return false;
}

static void add_list(cJSON *request, const char *key, const char *values)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(request, key);

	if (!cJSON_IsArray(list)) {
		cJSON_DeleteItemFromObjectCaseSensitive(request, key);
		list = ctrl_must(cJSON_AddArrayToObject(request, key));
	}
	while (*values) {
		size_t len = strcspn(values, ",");
		char *value = ctrl_must(strndup(values, len));

		if (len > 0)
			cJSON_AddItemToArray(list, ctrl_must(cJSON_CreateString(value)));
		free(value);
		values += len + (values[len] == ',');
	}
}

static int add_option(struct ctrl_call *call, const struct ctrl_set *set, int64_t now_us)
{
	const struct ctrl_option *option = set->option;
	cJSON *request = call->request;
	char text[TIME_TEXT_MAX];
	int64_t time_us;
	long number;

	/* The last one counts, but those of a list add up. */
	if (option->kind != CTRL_LIST || !set->value || *set->value == '\0')
		cJSON_DeleteItemFromObjectCaseSensitive(request, option->key);
	if (!set->value) {
		ctrl_must(cJSON_AddTrueToObject(request, option->key));
		return CTRL_OK;
	}
	if (option->may_null && *set->value == '\0') {
		ctrl_must(cJSON_AddNullToObject(request, option->key));
		return CTRL_OK;
	}
	switch (option->kind) {
	case CTRL_TEXT:
		ctrl_must(cJSON_AddStringToObject(request, option->key, set->value));
		return CTRL_OK;
	case CTRL_NUMBER:
		if (!read_number(set->value, 1000000000, &number))
			return ctrl_fail(call, CTRL_USAGE, "--%s: found \"%s\"; wanted a whole number", option->name, set->value);
		ctrl_must(cJSON_AddNumberToObject(request, option->key, (double)number));
		return CTRL_OK;
	case CTRL_LIST:
		add_list(request, option->key, set->value);
		return CTRL_OK;
	case CTRL_YES_NO:
		ctrl_must(cJSON_AddBoolToObject(request, option->key, strcmp(set->value, "yes") == 0));
		return CTRL_OK;
	case CTRL_TIME:
		if (!ctrl_time_read(set->value, now_us, &time_us))
			return ctrl_fail(call, CTRL_USAGE,
			                 "--%s: found \"%s\"; wanted now, 24h, 7d, 2026-11-22 or 2026-11-22T10:00:00Z",
			                 option->name, set->value);
		ctrl_must(cJSON_AddStringToObject(request, option->key, time_print(time_us, text)));
		return CTRL_OK;
	}
	return CTRL_OK;
}

/* Options about the way to the broker: where each goes. */
static int fill_connection(struct ctrl_call *call)
{
	struct ctrl_connection *connection = &call->connection;
	const struct {
		const char *name;
		const char **text;
	} texts[] = {{"host", &connection->host},
	             {"id", &connection->id},
	             {"username", &connection->username},
	             {"pw", &connection->password},
	             {"password-file", &connection->password_file},
	             {"cafile", &connection->cafile},
	             {"capath", &connection->capath},
	             {"cert", &connection->certfile},
	             {"key", &connection->keyfile}};
	const struct {
		const char *name;
		long least, most;
		int *number;
	} numbers[] = {{"port", 1, 65535, &connection->port}, {"timeout", 1, 86400, &connection->timeout_s}};
	const char *value;
	long number;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if ((value = ctrl_value(call, texts[i].name)) != NULL)
			*texts[i].text = value;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		value = ctrl_value(call, numbers[i].name);
		if (!value)
			continue;
		if (!read_number(value, numbers[i].most, &number) || number < numbers[i].least)
			return ctrl_fail(call, CTRL_USAGE, "--%s: found \"%s\"; wanted a whole number from %ld to %ld",
			                 numbers[i].name, value, numbers[i].least, numbers[i].most);
		*numbers[i].number = (int)number;
	}
	if ((value = ctrl_value(call, "unix")) != NULL) {
		connection->host = value;
		connection->port = 0;
	}
	if (ctrl_value(call, "insecure"))
		connection->insecure = true;
	return CTRL_OK;
}

int ctrl_request_fill(struct ctrl_call *call, int64_t now_us)
{
	const struct ctrl_command *command = call->command;
	int status = fill_connection(call);

	if (status || !command->request)
		return status;
	call->request = ctrl_must(cJSON_CreateObject());
	ctrl_must(cJSON_AddStringToObject(call->request, "command", command->request));
	for (size_t i = 0; i < call->argument_count && command->arguments[i].name; i++)
		if (command->arguments[i].key)
			ctrl_must(cJSON_AddStringToObject(call->request, command->arguments[i].key, call->arguments[i]));
	for (size_t i = 0; i < call->set_count && !status; i++)
		if (call->set[i].option->key)
			status = add_option(call, &call->set[i], now_us);
	return status;
}
