/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See accounts.h. */
#include "accounts.h"

#include "client.h"
#include "house.h"
#include "patience.h"
#include "program.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The stored form of ACCOUNTS_SECRET: base64 of a salt, and of SHA-256(salt ‖ secret). */
#define STORED_SECRET "$secret$dGVzdCBzdXBwb3J0$h+yhXZhEMfANJOGA7yq+6LFaGHZ+YcHea94sUMikuxs="

/* ---- houses ---- */

static void write_password(const char *path)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	fprintf(out, "%s\n", ACCOUNTS_PASSWORD);
	assert_int_equal(fclose(out), 0);
}

void accounts_init(const struct house *house)
{
	const char *preload = getenv("HEARTH_PRELOAD");
	char library_path[PATH_MAX + 32], load[PATH_MAX], state[96], password[96];
	char *slash;

	snprintf(library_path, sizeof(library_path), "LD_LIBRARY_PATH=%s", house_plugin());
	slash = strrchr(library_path, '/');
	*slash = '\0';
	snprintf(load, sizeof(load), "LD_PRELOAD=%s", preload != NULL ? preload : "");
	snprintf(state, sizeof(state), "%s/hearth", house->folder);
	snprintf(password, sizeof(password), "%s/password", house->folder);
	write_password(password);
	program_run((const char *const[]){"env", library_path, load, "ASAN_OPTIONS=detect_leaks=0", "mosquitto_ctrl",
	                                  "hearth", "init", "--state-dir", state, "--username", ACCOUNTS_ADMIN,
	                                  "--password-file", password, NULL});
	remove(password);
}

struct house *accounts_house(void)
{
	struct house *house = house_new();

	house_conf(house, "plugin_opt_sign_in_budget 50");
	accounts_init(house);
	house_start(house);
	return house;
}

/* ---- signing in ---- */

struct client *accounts_sign_in(const struct house *house, int version, const char *user, const char *password)
{
	const struct client_options options = {.version = version, .user = user, .password = password};
	int64_t deadline = deadline_in(2 * SOON);
	struct client *client;

	for (;;) {
		client = client_open(house, &options);
		if (client->connack == 0)
			return client;
		if (now_ms() > deadline)
			fail_msg("%s is put off for ever", user);
		if (client->connack != CONNACK_NONE)
			break;
		client_free(client);
		look_again();
	}
	client_free(client);
	return NULL;
}

struct client *accounts_admin(const struct house *house)
{
	struct client *admin = accounts_sign_in(house, CLIENT_V5, ACCOUNTS_ADMIN, ACCOUNTS_PASSWORD);

	assert_non_null(admin);
	client_subscribe(admin, CONTROL_RESPONSE);
	return admin;
}

/* ---- commands ---- */

/* {"commands":[…]}; the caller frees it. */
static char *request_text(const char *format, va_list arguments)
{
	char *commands = NULL, *request = NULL;

	assert_true(vasprintf(&commands, format, arguments) >= 0);
	for (char *at = commands; (at = strchr(at, '\'')) != NULL;)
		*at = '"';
	assert_true(asprintf(&request, "{\"commands\":[%s]}", commands) >= 0);
	free(commands);
	return request;
}

static void send_request(struct client *client, const char *format, va_list arguments)
{
	char *request = request_text(format, arguments);

	assert_true(client_send(client, CONTROL_REQUEST, request, strlen(request), 1, false));
	free(request);
}

void accounts_send(struct client *client, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	send_request(client, format, arguments);
	va_end(arguments);
}

static cJSON *ask(struct client *client, const char *format, va_list arguments)
{
	const struct message *message;
	cJSON *answer, *responses;

	send_request(client, format, arguments);
	message = client_take(client, CONTROL_RESPONSE, 6 * SOON);
	if (message == NULL) {
		fail_msg("no answer to %.300s", format);
		return NULL;
	}
	answer = cJSON_Parse(message->payload);
	responses = cJSON_DetachItemFromObjectCaseSensitive(answer, "responses");
	if (!cJSON_IsArray(responses))
		fail_msg("this is no answer: %.300s", message->payload);
	cJSON_Delete(answer);
	return responses;
}

cJSON *accounts_ask(struct client *client, const char *format, ...)
{
	va_list arguments;
	cJSON *responses;

	va_start(arguments, format);
	responses = ask(client, format, arguments);
	va_end(arguments);
	return responses;
}

static const char *error_of(const cJSON *response)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(response, "error"));
}

void accounts_do(struct client *client, const char *format, ...)
{
	const cJSON *response;
	va_list arguments;
	cJSON *responses;

	va_start(arguments, format);
	responses = ask(client, format, arguments);
	va_end(arguments);
	cJSON_ArrayForEach(response, responses)
	{
		if (error_of(response) != NULL)
			fail_msg("%.300s: %s", format, error_of(response));
	}
	cJSON_Delete(responses);
}

char *accounts_refusal(struct client *client, const char *format, ...)
{
	va_list arguments;
	cJSON *responses;
	const char *error;
	char *copy;

	va_start(arguments, format);
	responses = ask(client, format, arguments);
	va_end(arguments);
	error = error_of(cJSON_GetArrayItem(responses, 0));
	if (error == NULL) {
		fail_msg("%.300s was carried out", format);
		return NULL;
	}
	copy = strdup(error);
	assert_non_null(copy);
	cJSON_Delete(responses);
	return copy;
}

void accounts_add_all(struct client *admin, const char *const documents[], size_t count)
{
	char *list = strdup("");

	assert_non_null(list);
	for (size_t i = 0; i < count; i++) {
		char *longer = NULL;

		assert_true(asprintf(&longer, "%s%s{'account':{'password':'" STORED_SECRET "',%s}", list, i > 0 ? "," : "",
		                     documents[i] + 1) >= 0);
		free(list);
		list = longer;
	}
	accounts_do(admin, "{'command':'restore','version':1,'replaceAccounts':true,'documents':[%s]}", list);
	free(list);
}

void accounts_add(struct client *admin, const char *format, ...)
{
	va_list arguments;
	char *document = NULL;

	va_start(arguments, format);
	assert_true(vasprintf(&document, format, arguments) >= 0);
	va_end(arguments);
	accounts_add_all(admin, (const char *const[]){document}, 1);
	free(document);
}

char *accounts_add_device(struct client *admin, const char *location, const char *device)
{
	cJSON *responses = accounts_ask(admin, "{'command':'addDevice','location':'%s','device':'%s'}", location, device);
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(responses, 0), "data");
	const char *secret = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, "secret"));
	char *copy;

	if (secret == NULL) {
		fail_msg("addDevice %s %s: %s", location, device, error_of(cJSON_GetArrayItem(responses, 0)));
		return NULL;
	}
	copy = strdup(secret);
	assert_non_null(copy);
	cJSON_Delete(responses);
	return copy;
}
