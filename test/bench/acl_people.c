/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_people: see acl_people.h. A group is a row of GROUPS. What its members may is a list of grants with %d for the member's
 * number; Hearth is told them where the group has no role of Hearth's that says the same.
 */
#include "acl_people.h"
#include "document.h"

#include <stdio.h>
#include <string.h>

#define GRANTS_MAX 20
#define FILTER_LEN 64

struct grant {
	bool write;
	const char *filter; /* a number as %04d, or none; NULL: the end */
};

static const struct group {
	const char *user; /* with the member's number, or none */
	int count;
	bool shared; /* dynamic security: all members have one role */
	const char *role;
	struct grant grants[GRANTS_MAX + 1];
} GROUPS[ACL_GROUPS] = {
	[ACL_CONDUCTOR] = {"conductor", 1, true, "admin", {{true, "#"}, {false, "#"}}},
	[ACL_SERVICES] = {"service%04d",
                      ACL_CLIENTS,
                      false,
                      "service",
                      {{true, "bench/line/uno%04d/+/value"},
                       {true, "bench/line/uno%04d/+/state"},
                       {true, "bench/line/uno%04d/+/status"},
                       {true, "bench/line/uno%04d/+/error"},
                       {false, "bench/line/uno%04d/+/set"},
                       {false, "bench/line/uno%04d/+/config"}}},
	[ACL_DEVICES] = {"home/uno%04d",
                     ACL_CLIENTS,
                     false,
                     "device",
                     {{true, "home/uno%04d/+/value"},
                      {true, "home/uno%04d/+/state"},
                      {true, "home/uno%04d/+/status"},
                      {true, "home/uno%04d/+/error"},
                      {false, "home/uno%04d/+/set"},
                      {false, "home/uno%04d/+/config"}}},
	[ACL_WATCHERS] = {"watcher%04d", ACL_CLIENTS, true, "service", {{false, "bench/#"}, {false, "home/#"}}},
	[ACL_RESIDENTS] =
		{"resident%04d", ACL_READERS, true, "resident", {{false, "#"}, {true, "+/+/+/set"}, {true, "+/+/+/ack"}}},
	[ACL_MANY] =
		{"many%04d", ACL_READERS, false, "service", {{false, "plant%04d/line00/#"}, {false, "plant%04d/line01/#"},
                                                     {false, "plant%04d/line02/#"}, {false, "plant%04d/line03/#"},
                                                     {false, "plant%04d/line04/#"}, {false, "plant%04d/line05/#"},
                                                     {false, "plant%04d/line06/#"}, {false, "plant%04d/line07/#"},
                                                     {false, "plant%04d/line08/#"}, {false, "check/#"},
                                                     {false, "plant%04d/line10/#"}, {false, "plant%04d/line11/#"},
                                                     {false, "plant%04d/line12/#"}, {false, "plant%04d/line13/#"},
                                                     {false, "plant%04d/line14/#"}, {false, "plant%04d/line15/#"},
                                                     {false, "plant%04d/line16/#"}, {false, "plant%04d/line17/#"},
                                                     {false, "plant%04d/line18/#"}, {false, "plant%04d/line19/#"}}},
};

/* Puts the number in where the pattern has %04d. */
static void expand(const char *pattern, int n, char *out, size_t size)
{
	const char *mark = strstr(pattern, "%04d");
	if (mark == NULL) {
		snprintf(out, size, "%s", pattern);
	} else {
		snprintf(out, size, "%.*s%04d%s", (int)(mark - pattern), pattern, n, mark + strlen("%04d"));
	}
}

void acl_user(enum acl_group group, int n, char *out, size_t size)
{
	expand(GROUPS[group].user, n, out, size);
}

/* ---- Hearth ---- */

static cJSON *hearth_grants(const struct group *group, int n)
{
	char filter[FILTER_LEN];
	cJSON *list = cJSON_CreateArray();
	for (const struct grant *grant = group->grants; grant->filter != NULL; grant++) {
		expand(grant->filter, n, filter, sizeof(filter));
		cJSON *one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "allow", grant->write ? "write" : "read");
		cJSON_AddStringToObject(one, "topic", filter);
		cJSON_AddItemToArray(list, one);
	}
	return list;
}

/* The account with this number, counted over all groups. */
static void make_account(const void *context, int number, struct sign_in_account *out)
{
	const struct sign_in_passwords *passwords = context;
	const struct group *group = GROUPS;
	while (number >= group->count) {
		number -= group->count;
		group++;
	}
	cJSON *document = cJSON_CreateObject();
	expand(group->user, number, out->user, sizeof(out->user));
	cJSON_AddStringToObject(document, "username", out->user);
	cJSON_AddStringToObject(document, "role", group->role);
	cJSON_AddStringToObject(document, "password", passwords->stored_secret);
	if (strcmp(group->role, "device") == 0) {
		cJSON_AddStringToObject(document, "location", "home");
		cJSON_AddStringToObject(document, "device", out->user + strlen("home/"));
	} else if (strcmp(group->role, "service") == 0) {
		cJSON_AddItemToObject(document, "grants", hearth_grants(group, number));
	}
	cJSON_PrintPreallocated(document, out->body, sizeof(out->body), false);
	cJSON_Delete(document);
}

bool acl_people_write_hearth(const char *state_dir, const struct sign_in_passwords *passwords, struct fault *fault)
{
	int count = 0;
	for (int group = 0; group < ACL_GROUPS; group++) {
		count += GROUPS[group].count;
	}
	return sign_in_accounts_write(state_dir, count, make_account, passwords, fault);
}

/* ---- dynamic security ---- */

static void add_acl(cJSON *acls, const char *type, const char *filter)
{
	cJSON *acl = cJSON_CreateObject();
	cJSON_AddStringToObject(acl, "acltype", type);
	cJSON_AddStringToObject(acl, "topic", filter);
	cJSON_AddNumberToObject(acl, "priority", 0);
	cJSON_AddBoolToObject(acl, "allow", true);
	cJSON_AddItemToArray(acls, acl);
}

static void add_role(cJSON *roles, const struct group *group, int n, const char *name)
{
	char filter[FILTER_LEN];
	cJSON *role = cJSON_CreateObject();
	cJSON_AddStringToObject(role, "rolename", name);
	cJSON *acls = cJSON_AddArrayToObject(role, "acls");
	for (const struct grant *grant = group->grants; grant->filter != NULL; grant++) {
		expand(grant->filter, n, filter, sizeof(filter));
		if (grant->write) {
			add_acl(acls, "publishClientSend", filter);
		} else {
			add_acl(acls, "publishClientReceive", filter);
			add_acl(acls, "subscribePattern", filter);
		}
	}
	cJSON_AddItemToArray(roles, role);
}

/* From "$7$101$SALT$HASH". */
static bool add_password(cJSON *client, const char *stored)
{
	char salt[32];
	const char *before_salt = strchr(stored + strlen("$7$"), '$');
	const char *before_hash = before_salt == NULL ? NULL : strchr(before_salt + 1, '$');
	if (before_hash == NULL) {
		return false;
	}
	snprintf(salt, sizeof(salt), "%.*s", (int)(before_hash - before_salt - 1), before_salt + 1);
	cJSON_AddStringToObject(client, "salt", salt);
	cJSON_AddStringToObject(client, "password", before_hash + 1);
	cJSON_AddNumberToObject(client, "iterations", SIGN_IN_MOSQUITTO_ITERATE);
	return true;
}

static bool add_client(cJSON *clients, const char *user, const char *role_name, const char *stored)
{
	cJSON *client = cJSON_CreateObject();
	cJSON_AddStringToObject(client, "username", user);
	cJSON *role = cJSON_CreateObject();
	cJSON_AddStringToObject(role, "rolename", role_name);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(client, "roles"), role);
	cJSON_AddItemToArray(clients, client);
	return add_password(client, stored);
}

static bool add_group(cJSON *clients, cJSON *roles, const struct group *group, const char *stored)
{
	char user[FILTER_LEN];
	bool good = true;
	for (int n = 0; n < group->count && good; n++) {
		expand(group->user, n, user, sizeof(user));
		const char *role = group->shared ? group->user : user;
		if (!group->shared || n == 0) {
			add_role(roles, group, n, role);
		}
		good = add_client(clients, user, role, stored);
	}
	return good;
}

bool acl_people_write_dynamic(const char *path, const struct sign_in_passwords *passwords, struct fault *fault)
{
	bool good = true;
	cJSON *root = cJSON_CreateObject();
	cJSON *defaults = cJSON_AddObjectToObject(root, "defaultACLAccess");
	cJSON_AddBoolToObject(defaults, "publishClientSend", false);
	cJSON_AddBoolToObject(defaults, "publishClientReceive", false);
	cJSON_AddBoolToObject(defaults, "subscribe", false);
	cJSON_AddBoolToObject(defaults, "unsubscribe", true);
	cJSON *clients = cJSON_AddArrayToObject(root, "clients");
	cJSON *roles = cJSON_AddArrayToObject(root, "roles");
	for (int group = 0; group < ACL_GROUPS && good; group++) {
		good = add_group(clients, roles, &GROUPS[group], passwords->mosquitto);
	}
	if (!good) {
		cJSON_Delete(root);
		return fault_set(fault, "a stored password has another form than $7$…");
	}
	return document_write(root, path, fault);
}
