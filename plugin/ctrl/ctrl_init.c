/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_init: the first administrator, made in the state folder itself while the broker is stopped; and again if the password
 * is lost.
 *
 * Who may write the folder needs no password: they own the accounts anyway. An administrator that is there keeps what else its
 * account says, but may sign in again: it is neither disabled nor expired, and from any client id.
 */
#include "ctrl_password.h"
#include "ctrl_run.h"
#include "ctrl_text.h"

#include "account.h"
#include "password.h"
#include "storage_offline.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define STATE_DIR "/var/lib/mosquitto/hearth"

/* What is looked for in the state folder. */
struct search {
	const char *name; /* of the document */
	cJSON *account;   /* NULL: there is none */
};

static void look_at(void *context, const struct document *document)
{
	struct search *search = context;

	if (slice_is(document->name, search->name) && !search->account)
		search->account = cJSON_ParseWithLength(document->body.ptr, document->body.len);
}

static int hash(struct ctrl_call *call, const char *password, char out[static PASSWORD_TEXT_MAX])
{
	uint8_t salt[12];

	if (getrandom(salt, sizeof salt, 0) != sizeof salt ||
	    !password_make(slice_of(password), PASSWORD_ITERATIONS, salt, out))
		return ctrl_fail(call, CTRL_FILE, "the password cannot be hashed: OpenSSL refused");
	return CTRL_OK;
}

static void set_text(cJSON *account, const char *key, const char *text)
{
	cJSON_DeleteItemFromObjectCaseSensitive(account, key);
	ctrl_must(cJSON_AddStringToObject(account, key, text));
}

/* The account as it is to be: the one that was found, or a new one. The caller frees the text. */
static char *account_text(struct search *search, const char *username, const char *stored)
{
	static const char *const in_the_way[] = {"disabled", "expires", "clientIds"};
	cJSON *account = search->account ? search->account : ctrl_must(cJSON_CreateObject());
	char *text;

	search->account = NULL;
	if (!cJSON_HasObjectItem(account, "username")) {
		set_text(account, "username", username);
		set_text(account, "role", "admin");
	}
	set_text(account, "password", stored);
	for (size_t i = 0; i < sizeof in_the_way / sizeof *in_the_way; i++)
		cJSON_DeleteItemFromObjectCaseSensitive(account, in_the_way[i]);
	text = ctrl_must(cJSON_PrintUnformatted(account));
	cJSON_Delete(account);
	return text;
}

/* Is the text an administrator's account? */
static int check_account(struct ctrl_call *call, const char *username, const char *text)
{
	struct account_error wrong;
	struct account *account = account_read(slice_of(text), &wrong);
	enum role role;

	if (!account)
		return ctrl_fail(call, CTRL_USAGE, "--username \"%s\": %s: found %s; wanted %s", username, wrong.path,
		                 wrong.found, wrong.wanted);
	role = account_role(account);
	account_free(account);
	if (role != ROLE_ADMIN)
		return ctrl_fail(call, CTRL_USAGE, "%s is a %s; wanted the name of an administrator, or a new one", username,
		                 role_name(role));
	return CTRL_OK;
}

/* *was_there: it has a new password and was there before. */
static int put_admin(struct ctrl_call *call, struct offline *offline, const char *username, const char *stored,
                     bool *was_there)
{
	struct search search = {0};
	struct document document;
	char *name = NULL, *text = NULL;
	int status = CTRL_OK;

	if (asprintf(&name, DOCUMENT_ACCOUNT "%s", username) < 0)
		ctrl_must(NULL);
	search.name = name;
	if (!offline_each_document(offline, look_at, &search, call->error, sizeof call->error)) {
		status = CTRL_FILE;
		goto out;
	}
	*was_there = search.account != NULL;
	text = account_text(&search, username, stored);
	status = check_account(call, username, text);
	document = (struct document){.name = slice_of(name), .body = slice_of(text)};
	if (!status && !offline_put_documents(offline, &document, 1, call->error, sizeof call->error))
		status = CTRL_FILE;
out:
	cJSON_Delete(search.account);
	free(name);
	free(text);
	return status;
}

static void tell(const struct ctrl_call *call, const char *username, const char *password, bool was_there)
{
	cJSON *answer;
	char *text;

	if (!call->json) {
		printf(was_there ? "The administrator %s has a new password.\n" : "The administrator %s is made.\n", username);
		if (password)
			printf("password  %s\n", password);
		fputs("Start the broker now; from then on it lets in only who has an account.\n", stderr);
		return;
	}
	answer = ctrl_must(cJSON_CreateObject());
	ctrl_must(cJSON_AddStringToObject(answer, "username", username));
	ctrl_must(cJSON_AddBoolToObject(answer, "reset", was_there));
	if (password)
		ctrl_must(cJSON_AddStringToObject(answer, "password", password));
	text = ctrl_must(cJSON_Print(answer));
	puts(text);
	cJSON_free(text);
	cJSON_Delete(answer);
}

int ctrl_run_init(struct ctrl_call *call)
{
	const char *folder = ctrl_value(call, "state-dir"), *username = ctrl_value(call, "username");
	struct offline *offline = NULL;
	char stored[PASSWORD_TEXT_MAX], *password = NULL, *clean;
	bool generated = false, was_there = false;
	int status;

	if (!folder)
		folder = STATE_DIR;
	if (!username)
		username = "admin";
	/* What is asked for comes first: a broker that could not start meanwhile would wait for a person. */
	status = ctrl_password_new(call, "password-file", username, true, &password, &generated);
	if (!status && strlen(password) < PASSWORD_LENGTH_MIN)
		status = ctrl_fail(call, CTRL_USAGE, "the password is too short; wanted at least %d characters",
		                   PASSWORD_LENGTH_MIN);
	if (!status)
		status = hash(call, password, stored);
	if (!status && !offline_open(folder, &offline, call->error, sizeof call->error))
		status = CTRL_FILE;
	if (!status)
		status = put_admin(call, offline, username, stored, &was_there);
	offline_close(offline);
	if (!status) {
		clean = ctrl_text_clean(username);
		tell(call, clean, generated ? password : NULL, was_there);
		free(clean);
	}
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
	return status;
}
