/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_accounts: accounts and their grants; passwords are in control_passwords.c.
 *
 * An account is changed as a document: printed, changed, checked, and put in force in place of the old one. Whatever waits
 * for a hash begins with the account anew once it has it.
 */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- asking ---- */

/* The account that `username` names, or who asks. NULL: forbidden, or none is called so (call->error). */
static const struct account *named_or_self(struct control_call *call)
{
	struct slice username = control_text(call, "username");
	if (username.ptr == NULL || slice_equal(username, account_name(call->caller)))
		return call->caller;
	if (!control_is_admin(call)) {
		control_forbid(call, "another's account is for the role admin");
		return NULL;
	}
	const struct account *account = account_find(control_accounts(call), username);
	if (account == NULL)
		control_refuse(call, "username: found \"%.*s\"; wanted the name of an account", CONTROL_SHOWN(username));
	return account;
}

/* All of an account but its hash, as JSON text put into the answer. */
static void put_account(struct control_call *call, cJSON *object, const char *key, const struct account *account)
{
	char *text = account_print(account, false);
	control_put(call, object, key, text != NULL ? cJSON_CreateRaw(text) : NULL);
	free(text);
	control_work(call, CONTROL_WORK_CALL);
}

enum control_outcome control_who_am_i(struct control_call *call)
{
	static const char *const keys[] = {"username", "role",   "locations",   "location", "device",
	                                   "expires",  "grants", "certificate", "clientIds"};
	char *text = account_print(call->caller, false);
	cJSON *document = text != NULL ? cJSON_Parse(text) : NULL;
	cJSON *data = control_data(call);

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(document, keys[i]);
		if (item != NULL)
			control_put(call, data, keys[i], item);
	}
	call->starved = call->starved || document == NULL;
	control_put_text(call, data, "clientId", call->client_id);
	control_list_commands(call, control_array(call, "commands"));
	cJSON_Delete(document);
	free(text);
	return CONTROL_DONE;
}

static void decide_subscription(struct control_call *call, const struct account *account, struct slice client_id,
                                struct slice filter)
{
	static const char *const words[] = {[COVERS_NOTHING] = "nothing", [COVERS_SOME] = "some", [COVERS_ALL] = "all"};
	enum coverage covered = account_covers(account, RIGHT_READ, client_id, filter);
	control_put(call, control_data(call), "allowed", cJSON_CreateBool(covered != COVERS_NOTHING));
	control_put(call, control_data(call), "covered", cJSON_CreateString(words[covered]));
}

static void decide(struct control_call *call, const struct account *account, int right, struct slice client_id,
                   struct slice topic)
{
	struct account_reason reason = {0};
	bool allowed = account_may(account, right, client_id, topic, &reason);
	cJSON *data = control_data(call);
	control_put(call, data, "allowed", cJSON_CreateBool(allowed));
	control_put(call, data, "decidedBy", cJSON_CreateString(reason.none ? "no rule matches" : reason.rule));
	control_put(call, data, "byRole", cJSON_CreateBool(reason.by_role));
}

static bool is_wildcard(struct slice topic)
{
	return memchr(topic.ptr, '+', topic.len) != NULL || memchr(topic.ptr, '#', topic.len) != NULL;
}

enum control_outcome control_check_access(struct control_call *call)
{
	struct slice action = control_text(call, "action"), topic = control_text(call, "topic");
	struct slice client_id = control_text(call, "clientId");
	bool subscribe = slice_is(action, "subscribe");
	const struct account *account = named_or_self(call);

	if (account == NULL)
		return CONTROL_REFUSED;
	if (!subscribe && !slice_is(action, "read") && !slice_is(action, "write"))
		return control_refuse(call, "action: found \"%.*s\"; wanted read, write or subscribe", CONTROL_SHOWN(action));
	if (!topic_filter_valid(topic) || topic.len > FILTER_MAX)
		return control_refuse(call, "topic: found \"%.*s\"; wanted an MQTT topic or filter", CONTROL_SHOWN(topic));
	if (!subscribe && is_wildcard(topic))
		return control_refuse(call, "topic: found \"%.*s\"; wanted one topic, without wildcards", CONTROL_SHOWN(topic));
	if (client_id.ptr == NULL)
		client_id = account == call->caller ? call->client_id : (struct slice){"", 0};
	control_put(call, control_data(call), "usable", cJSON_CreateBool(account_usable(account, call->now.wall_us)));
	if (subscribe)
		decide_subscription(call, account, client_id, topic);
	else
		decide(call, account, slice_is(action, "read") ? RIGHT_READ : RIGHT_WRITE, client_id, topic);
	return CONTROL_DONE;
}

enum control_outcome control_list_accounts(struct control_call *call)
{
	const struct account_table *accounts = control_accounts(call);
	size_t all = account_count(accounts), first = control_whole(call, "offset", 0), count = control_count(call);
	cJSON *list = control_array(call, "accounts");

	if (call->phase++ == 0) {
		control_put_number(call, control_data(call), "totalCount", (double)all);
		call->at = first;
	}
	for (; call->at < all && call->at - first < count; call->at++) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		const struct account *account = account_at(accounts, call->at);
		control_work(call, CONTROL_WORK_LOOK);
		if (!control_flag(call, "verbose")) {
			control_append(call, list, control_text_item(account_name(account)));
			continue;
		}
		char *text = account_print(account, false);
		control_append(call, list, text != NULL ? cJSON_CreateRaw(text) : NULL);
		free(text);
		control_work(call, CONTROL_WORK_CALL);
	}
	return CONTROL_DONE;
}

enum control_outcome control_get_account(struct control_call *call)
{
	const struct account *account = named_or_self(call);
	if (account == NULL)
		return CONTROL_REFUSED;
	put_account(call, control_data(call), "account", account);
	return CONTROL_DONE;
}

/* ---- making and changing ---- */

/* What the command says of an account, put into its document. */
static void take_over(struct control_call *call, cJSON *document)
{
	static const char *const keys[] = {"role",    "locations",   "location", "device", "clientIds",
	                                   "expires", "certificate", "disabled", "grants"};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const cJSON *item = control_key(call, keys[i]);
		if (cJSON_IsNull(item))
			cJSON_DeleteItemFromObjectCaseSensitive(document, keys[i]);
		else if (item != NULL)
			control_replace(call, document, keys[i], cJSON_Duplicate(item, true));
	}
	if (cJSON_IsNull(control_key(call, "password")))
		cJSON_DeleteItemFromObjectCaseSensitive(document, "password");
	else if (control_key(call, "password") != NULL && call->ok)
		control_replace(call, document, "password", cJSON_CreateString(call->made));
}

/* Takes a document over: checks it, has the password hashed, if there is one, and puts it in force. */
static enum control_outcome change_account(struct control_call *call, cJSON *document)
{
	enum control_outcome outcome = CONTROL_REFUSED;

	take_over(call, document);
	if (call->asked || control_document_check(call, document)) /* an error need not wait for the hash */
		outcome = control_hash_password(call);
	if (outcome == CONTROL_DONE)
		return control_store(call, document);
	cJSON_Delete(document);
	return outcome;
}

enum control_outcome control_create_account(struct control_call *call)
{
	struct slice username = control_text(call, "username");

	if (account_find(control_accounts(call), username) != NULL)
		return control_refuse(call, "username: found \"%.*s\", which is there; wanted a new name (or modifyAccount)",
		                      CONTROL_SHOWN(username));
	cJSON *document = cJSON_CreateObject();
	control_put_text(call, document, "username", username);
	return change_account(call, document);
}

enum control_outcome control_modify_account(struct control_call *call)
{
	cJSON *document = control_document(call, control_text(call, "username"));
	return document != NULL ? change_account(call, document) : CONTROL_REFUSED;
}

enum control_outcome control_delete_account(struct control_call *call)
{
	struct slice username = control_text(call, "username");
	char name[CONTROL_NAME_SIZE];

	if (account_find(control_accounts(call), username) == NULL || !control_document_name(username, name))
		return control_refuse(call, "username: found \"%.*s\"; wanted the name of an account", CONTROL_SHOWN(username));
	return control_change(call, &(struct document){.name = slice_of(name), .body = {"", 0}}, 1);
}

static enum control_outcome set_disabled(struct control_call *call, bool disabled)
{
	cJSON *document = control_document(call, control_text(call, "username"));
	if (document == NULL)
		return CONTROL_REFUSED;
	cJSON_DeleteItemFromObjectCaseSensitive(document, "disabled");
	if (disabled)
		control_put(call, document, "disabled", cJSON_CreateTrue());
	return control_store(call, document);
}

enum control_outcome control_enable_account(struct control_call *call)
{
	return set_disabled(call, false);
}

enum control_outcome control_disable_account(struct control_call *call)
{
	return set_disabled(call, true);
}

/* ---- grants ---- */

/* The grant that a command names, or NULL with call->error. */
static cJSON *grant_of(struct control_call *call)
{
	const cJSON *allow = control_key(call, "allow"), *deny = control_key(call, "deny");
	cJSON *grant = cJSON_CreateObject();

	if ((allow == NULL) == (deny == NULL)) {
		control_refuse(call, "allow, deny: found %s; wanted one of them: read, write or all",
		               allow == NULL ? "neither" : "both");
		cJSON_Delete(grant);
		return NULL;
	}
	control_put_text(call, grant, allow != NULL ? "allow" : "deny",
	                 control_text(call, allow != NULL ? "allow" : "deny"));
	control_put_text(call, grant, "topic", control_text(call, "topic"));
	return grant;
}

/* Where it stands among the account's grants; −1: nowhere. */
static int grant_place(const cJSON *grants, const cJSON *grant)
{
	int place = 0;
	const cJSON *one;
	cJSON_ArrayForEach(one, grants)
	{
		if (cJSON_Compare(one, grant, true))
			return place;
		place++;
	}
	return -1;
}

enum control_outcome control_add_grant(struct control_call *call)
{
	cJSON *document = control_document(call, control_text(call, "username"));
	cJSON *grant = document != NULL ? grant_of(call) : NULL;

	if (grant == NULL) {
		cJSON_Delete(document);
		return CONTROL_REFUSED;
	}
	cJSON *grants = cJSON_GetObjectItemCaseSensitive(document, "grants");
	if (grants == NULL) {
		grants = cJSON_CreateArray();
		control_put(call, document, "grants", grants);
	}
	if (!call->starved && grant_place(grants, grant) < 0)
		control_append(call, grants, grant);
	else
		cJSON_Delete(grant);
	return control_store(call, document);
}

enum control_outcome control_remove_grant(struct control_call *call)
{
	cJSON *document = control_document(call, control_text(call, "username"));
	cJSON *grant = document != NULL ? grant_of(call) : NULL;
	cJSON *grants = cJSON_GetObjectItemCaseSensitive(document, "grants");
	int place = grant != NULL ? grant_place(grants, grant) : -1;

	cJSON_Delete(grant);
	if (place < 0) {
		cJSON_Delete(document);
		return grant == NULL ? CONTROL_REFUSED : control_refuse(call, "topic: the account has no such grant or denial");
	}
	cJSON_DeleteItemFromArray(grants, place);
	if (cJSON_GetArraySize(grants) == 0)
		cJSON_DeleteItemFromObjectCaseSensitive(document, "grants");
	return control_store(call, document);
}
