/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_account: what commands about accounts, grants, values and configs add to their requests.
 */
#include "ctrl_client.h"
#include "ctrl_file.h"
#include "ctrl_password.h"
#include "ctrl_print.h"
#include "ctrl_run.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

int ctrl_prepare_list_accounts(struct ctrl_call *call)
{
	if (!ctrl_value(call, "names"))
		ctrl_must(cJSON_AddTrueToObject(call->request, "verbose"));
	return CTRL_OK;
}

/* USERNAME allow|deny read|write|all TOPIC → "allow":"read" */
int ctrl_prepare_grant(struct ctrl_call *call)
{
	ctrl_must(cJSON_AddStringToObject(call->request, call->arguments[1], call->arguments[2]));
	return CTRL_OK;
}

int ctrl_prepare_latest(struct ctrl_call *call)
{
	const char *name = call->argument_count ? call->arguments[0] : "#";

	ctrl_must(cJSON_AddStringToObject(call->request, strpbrk(name, "+#") ? "filter" : "topic", name));
	return CTRL_OK;
}

int ctrl_prepare_history(struct ctrl_call *call)
{
	if (!ctrl_value(call, "from"))
		ctrl_must(cJSON_AddStringToObject(call->request, "from", "-24h"));
	return CTRL_OK;
}

/* As text, so that the broker sees what was written and not what is left of it. */
int ctrl_prepare_config(struct ctrl_call *call)
{
	const char *given = call->arguments[1];
	char *text = NULL;
	int status = CTRL_OK;

	if (*given == '{')
		text = ctrl_must(strdup(given));
	else
		status = ctrl_file_read(call, given, &text);
	if (status)
		return status;
	ctrl_must(cJSON_AddStringToObject(call->request, "config", text));
	free(text);
	return CTRL_OK;
}

/* An account or a password that is made: what the new password is, and who may say so. */
int ctrl_run_account_secret(struct ctrl_call *call)
{
	const char *username = call->argument_count ? call->arguments[0] : NULL;
	bool own = !username, generated = false;
	char *password = NULL;
	cJSON *data = NULL;
	int status;

	if (own)
		username = call->connection.username ? call->connection.username : "";
	/* First it is to be known who asks, and only then what for. */
	status = ctrl_client_connect(call);
	if (status)
		return status;
	if (strcmp(call->command->request, "createAccount") == 0 && !cJSON_HasObjectItem(call->request, "role"))
		ctrl_must(cJSON_AddStringToObject(call->request, "role", "resident"));
	if (!ctrl_value(call, "no-password"))
		status = ctrl_password_new(call, "new-password-file", username, false, &password, &generated);
	if (status)
		return status;
	if (password)
		ctrl_must(cJSON_AddStringToObject(call->request, "password", password));
	if (own && call->connection.password)
		ctrl_must(cJSON_AddStringToObject(call->request, "oldPassword", call->connection.password));
	status = ctrl_ask(call, call->request, &data);
	if (!status && generated && !call->json)
		printf("password  %s\n", password);
	if (!status && generated && call->json) {
		if (!data)
			data = ctrl_must(cJSON_CreateObject());
		ctrl_must(cJSON_AddStringToObject(data, "password", password));
	}
	if (!status)
		ctrl_print(call, data);
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
	cJSON_Delete(data);
	return status;
}
