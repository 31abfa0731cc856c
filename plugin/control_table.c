/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_table: every command: its name, who may call it, its keys and what it does. A new command is a row here.
 *
 * Who may call a command may not thereby call it for everything: of data each gets what it may read, a manager's devices are
 * those of its locations, and another's account is an administrator's. The commands see to that themselves.
 */
#include "control_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ADMIN    (1U << ROLE_ADMIN)
#define MANAGER  (1U << ROLE_MANAGER)
#define PEOPLE   (ADMIN | MANAGER | 1U << ROLE_RESIDENT | 1U << ROLE_GUEST)
#define EVERYONE ((1U << ROLE_COUNT) - 1)

#define REQUIRED CONTROL_REQUIRED
#define NULLABLE CONTROL_NULLABLE

#define PAGE                                                                                                           \
	{"count", CONTROL_WHOLE, 0},                                                                                       \
	{                                                                                                                  \
		"offset", CONTROL_WHOLE, 0                                                                                     \
	}
#define USERNAME                                                                                                       \
	{                                                                                                                  \
		"username", CONTROL_TEXT, REQUIRED                                                                             \
	}
#define DEVICE                                                                                                         \
	{"location", CONTROL_TEXT, REQUIRED},                                                                              \
	{                                                                                                                  \
		"device", CONTROL_TEXT, REQUIRED                                                                               \
	}
#define TOPIC                                                                                                          \
	{                                                                                                                  \
		"topic", CONTROL_TEXT, REQUIRED                                                                                \
	}
#define ACCOUNT(n) /* n: may be null, which takes it away */                                                           \
	{"password", CONTROL_TEXT, (n)}, {"locations", CONTROL_TEXTS, (n)}, {"location", CONTROL_TEXT, (n)},               \
		{"device", CONTROL_TEXT, (n)}, {"clientIds", CONTROL_TEXTS, (n)}, {"expires", CONTROL_TEXT, (n)},              \
		{"certificate", CONTROL_BOOL, (n)}, {"disabled", CONTROL_BOOL, (n)},                                           \
	{                                                                                                                  \
		"grants", CONTROL_LIST, (n)                                                                                    \
	}
#define GRANT {"allow", CONTROL_TEXT, 0}, {"deny", CONTROL_TEXT, 0}, TOPIC

static enum control_outcome help(struct control_call *call);

static const struct control_command commands[] = {
	{"help", "all commands, who may call them, and their keys", EVERYONE, help, {{0}}},
	{"whoAmI", "who asks, and what it may call", EVERYONE, control_who_am_i, {{0}}},
	{"checkAccess",
     "may a user (by default who asks) read, write or subscribe to a topic, and which rule says so",
     EVERYONE,
     control_check_access,
     {{"username", CONTROL_TEXT, 0}, {"clientId", CONTROL_TEXT, 0}, {"action", CONTROL_TEXT, REQUIRED}, TOPIC}},

	{"listAccounts",
     "names of accounts; verbose: all but their passwords",
     ADMIN,
     control_list_accounts,
     {PAGE, {"verbose", CONTROL_BOOL, 0}}},
	{"getAccount", "an account, without its password", EVERYONE, control_get_account, {USERNAME}},
	{"createAccount",
     "makes an account",
     ADMIN,
     control_create_account,
     {USERNAME, {"role", CONTROL_TEXT, REQUIRED}, ACCOUNT(0)}},
	{"modifyAccount",
     "changes what is given of an account; null takes it away",
     ADMIN,
     control_modify_account,
     {USERNAME, {"role", CONTROL_TEXT, 0}, ACCOUNT(NULLABLE)}},
	{"deleteAccount", "removes an account and drops its sessions", ADMIN, control_delete_account, {USERNAME}},
	{"setPassword",
     "one's own password, with the old one; an administrator's for others without",
     EVERYONE,
     control_set_password,
     {{"username", CONTROL_TEXT, 0}, {"password", CONTROL_TEXT, REQUIRED}, {"oldPassword", CONTROL_TEXT, 0}}},
	{"enableAccount", "lets an account sign in again", ADMIN, control_enable_account, {USERNAME}},
	{"disableAccount",
     "lets an account sign in no more, and drops its sessions",
     ADMIN,
     control_disable_account,
     {USERNAME}},
	{"addGrant",
     "allows or denies an account to read, write or all (both) what a filter matches",
     ADMIN,
     control_add_grant,
     {USERNAME, GRANT}},
	{"removeGrant", "takes such a grant or denial away", ADMIN, control_remove_grant, {USERNAME, GRANT}},
	{"importPasswords",
     "lines of a mosquitto_passwd file; replace: also for accounts that are there. Each 256 lines are a change of "
     "their own",
     ADMIN,
     control_import_passwords,
     {{"lines", CONTROL_TEXTS, REQUIRED}, {"role", CONTROL_TEXT, 0}, {"replace", CONTROL_BOOL, 0}}},

	{"addDevice",
     "makes a device's account; its secret is told this once",
     ADMIN | MANAGER,
     control_add_device,
     {DEVICE, {"clientIds", CONTROL_TEXTS, 0}}},
	{"listDevices",
     "devices, and whether they are connected",
     ADMIN | MANAGER,
     control_list_devices,
     {{"location", CONTROL_TEXT, 0}, PAGE}},
	{"newSecret", "another secret for a device, told this once", ADMIN | MANAGER, control_new_secret, {DEVICE}},
	{"renameDevice",
     "gives a device, its account, configs and history another name",
     ADMIN | MANAGER,
     control_rename_device,
     {DEVICE, {"newLocation", CONTROL_TEXT, REQUIRED}, {"newDevice", CONTROL_TEXT, REQUIRED}}},
	{"removeDevice",
     "removes a device's account; configs: and its configs. Its history stays",
     ADMIN | MANAGER,
     control_remove_device,
     {DEVICE, {"configs", CONTROL_BOOL, 0}}},

	{"listSessions", "clients that are connected or whose sessions are kept", ADMIN, control_list_sessions, {PAGE}},
	{"dropSession", "ends a client's connection", ADMIN, control_drop_session, {{"clientId", CONTROL_TEXT, REQUIRED}}},
	{"forgetSession",
     "lets another user have a client id that a session is kept for",
     ADMIN,
     control_forget_session,
     {{"clientId", CONTROL_TEXT, REQUIRED}}},

	{"listSeries",
     "topics that carried something, live ones first",
     EVERYONE,
     control_list_series,
     {{"filter", CONTROL_TEXT, 0}, PAGE}},
	{"getLatest",
     "latest values of a topic, or of all that a filter matches",
     EVERYONE,
     control_get_latest,
     {{"topic", CONTROL_TEXT, 0}, {"filter", CONTROL_TEXT, 0}, PAGE}},
	{"getHistory",
     "stored values of a topic; times as ISO-8601, seconds since 1970, or -24h",
     EVERYONE,
     control_get_history,
     {TOPIC, {"from", CONTROL_TIME, REQUIRED}, {"to", CONTROL_TIME, 0}, {"buckets", CONTROL_WHOLE, 0}}},

	{"listConfigs",
     "configs, whether they are suspended, and (for admin and manager) whose they are",
     EVERYONE,
     control_list_configs,
     {{"filter", CONTROL_TEXT, 0}, PAGE}},
	{"getConfig", "a config", EVERYONE, control_get_config, {TOPIC}},
	{"setConfig",
     "puts a config in force as if it had been published",
     EVERYONE,
     control_set_config,
     {TOPIC, {"config", CONTROL_CONFIG, REQUIRED}}},
	{"removeConfig", "removes a config", EVERYONE, control_remove_config, {TOPIC}},

	{"getMetrics", "counters since the broker's start", PEOPLE, control_get_metrics, {{0}}},
	{"getJournal", "how full the journal is, and what waits in it", ADMIN, control_get_journal, {{0}}},
	{"backup",
     "accounts, configs and switches; to be asked again with what `next` says as `after`",
     ADMIN,
     control_backup,
     {{"after", CONTROL_TEXT, 0}, {"count", CONTROL_WHOLE, 0}}},
	{"restore",
     "puts documents of a backup back; replaceAccounts: also over accounts that are there",
     ADMIN,
     control_restore,
     {{"version", CONTROL_WHOLE, REQUIRED},
      {"documents", CONTROL_LIST, REQUIRED},
      {"replaceAccounts", CONTROL_BOOL, 0}}},
	{"moveHistory",
     "copies the history into another database, while the broker runs",
     ADMIN,
     control_move_history,
     {{"to", CONTROL_TEXT, REQUIRED}, {"passwordFile", CONTROL_TEXT, 0}, {"ca", CONTROL_TEXT, 0}}},
	{"getMove", "how far that is", ADMIN, control_get_move, {{0}}},
	{"stopMove", "stops it; the history stays where it is", ADMIN, control_stop_move, {{0}}},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static const char *const type_names[] = {
	[CONTROL_TEXT] = "a text",
	[CONTROL_BOOL] = "true or false",
	[CONTROL_WHOLE] = "a whole number",
	[CONTROL_TEXTS] = "a list of texts",
	[CONTROL_LIST] = "a list",
	[CONTROL_TIME] = "a time: ISO-8601, seconds since 1970, or such as -24h",
	[CONTROL_CONFIG] = "an object, or its text",
};

const struct control_command *control_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

bool control_may_call(const struct account *caller, const struct control_command *command)
{
	return (command->roles & 1U << account_role(caller)) != 0;
}

void control_list_commands(struct control_call *call, cJSON *array)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (control_may_call(call->caller, &commands[i]))
			control_append(call, array, cJSON_CreateString(commands[i].name));
	}
}

/* ---- shape ---- */

/* What the client's libraries call the same thing: is one the other but for case, or one letter? */
static bool is_near(const char *a, const char *b)
{
	size_t same = 0, from_end = 0, a_len = strlen(a), b_len = strlen(b);
	size_t shorter = a_len < b_len ? a_len : b_len, longer = a_len < b_len ? b_len : a_len;

	if (strcasecmp(a, b) == 0)
		return true;
	while (same < shorter && a[same] == b[same])
		same++;
	while (from_end < shorter - same && a[a_len - 1 - from_end] == b[b_len - 1 - from_end])
		from_end++;
	return same + from_end > 2 && longer - same - from_end <= 2;
}

static const struct control_key *key_find(const struct control_command *command, const char *name)
{
	for (size_t i = 0; i < CONTROL_KEYS_MAX && command->keys[i].name != NULL; i++) {
		if (strcmp(command->keys[i].name, name) == 0)
			return &command->keys[i];
	}
	return NULL;
}

void control_unknown(struct control_call *call, const char *name)
{
	const char *near = NULL;
	for (size_t i = 0; i < COMMANDS && near == NULL; i++) {
		if (is_near(name, commands[i].name))
			near = commands[i].name;
	}
	if (near != NULL)
		control_refuse(call, "Unknown command; did you mean %s?", near);
	else
		control_refuse(call, "Unknown command; help lists them");
}

static void refuse_key(struct control_call *call, const char *name)
{
	const struct control_key *keys = call->command->keys;
	char known[256] = "";
	size_t len = 0;
	const char *near = NULL;

	for (size_t i = 0; i < CONTROL_KEYS_MAX && keys[i].name != NULL; i++) {
		if (near == NULL && is_near(name, keys[i].name))
			near = keys[i].name;
		len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len > 0 ? ", " : "", keys[i].name);
	}
	control_refuse(call, "%.*s: not a key of %s%s%s%s; %s%s", CONTROL_SHOWN(slice_of(name)), call->command->name,
	               near != NULL ? " (did you mean " : "", near != NULL ? near : "", near != NULL ? "?)" : "",
	               len > 0 ? "wanted some of: " : "it has none", known);
}

static const char *kind_of(const cJSON *item)
{
	if (cJSON_IsString(item))
		return item->valuestring[0] != '\0' ? "a text" : "\"\"";
	if (cJSON_IsNumber(item))
		return "a number";
	if (cJSON_IsBool(item))
		return cJSON_IsTrue(item) ? "true" : "false";
	if (cJSON_IsNull(item))
		return "null";
	return cJSON_IsArray(item) ? "a list" : "an object";
}

static bool are_texts(const cJSON *list)
{
	const cJSON *one;
	cJSON_ArrayForEach(one, list)
	{
		if (!cJSON_IsString(one))
			return false;
	}
	return cJSON_IsArray(list);
}

static bool has_type(const cJSON *item, const struct control_key *key)
{
	if (cJSON_IsNull(item))
		return (key->flags & CONTROL_NULLABLE) != 0;
	switch (key->type) {
	case CONTROL_TEXT:
		return cJSON_IsString(item) && item->valuestring[0] != '\0';
	case CONTROL_BOOL:
		return cJSON_IsBool(item);
	case CONTROL_WHOLE:
		return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 9007199254740992.0 &&
		       floor(item->valuedouble) == item->valuedouble;
	case CONTROL_TEXTS:
		return are_texts(item);
	case CONTROL_LIST:
		return cJSON_IsArray(item);
	case CONTROL_TIME:
		return cJSON_IsNumber(item) || cJSON_IsString(item);
	case CONTROL_CONFIG:
		return cJSON_IsObject(item) || cJSON_IsString(item);
	}
	return false;
}

/* The keys that every command has were looked at before. */
static bool is_common(const char *name)
{
	return strcmp(name, "command") == 0 || strcmp(name, "correlationData") == 0;
}

bool control_shape_check(struct control_call *call)
{
	const struct control_key *keys = call->command->keys;
	const cJSON *item;

	cJSON_ArrayForEach(item, call->keys)
	{
		const struct control_key *key = key_find(call->command, item->string);
		if (key == NULL && !is_common(item->string)) {
			refuse_key(call, item->string);
			return false;
		}
		if (control_key(call, item->string) != item) {
			control_refuse(call, "%s: given twice; wanted once", item->string);
			return false;
		}
		if (key != NULL && !has_type(item, key)) {
			control_refuse(call, "%s: found %s; wanted %s", key->name, kind_of(item), type_names[key->type]);
			return false;
		}
	}
	for (size_t i = 0; i < CONTROL_KEYS_MAX && keys[i].name != NULL; i++) {
		if ((keys[i].flags & REQUIRED) != 0 && control_key(call, keys[i].name) == NULL) {
			control_refuse(call, "%s: not given; wanted %s", keys[i].name, type_names[keys[i].type]);
			return false;
		}
	}
	return true;
}

/* ---- help ---- */

static cJSON *help_keys(struct control_call *call, const struct control_command *command)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < CONTROL_KEYS_MAX && command->keys[i].name != NULL; i++) {
		cJSON *key = cJSON_CreateObject();
		control_put(call, key, "name", cJSON_CreateString(command->keys[i].name));
		control_put(call, key, "type", cJSON_CreateString(type_names[command->keys[i].type]));
		control_put(call, key, "required", cJSON_CreateBool((command->keys[i].flags & REQUIRED) != 0));
		control_append(call, list, key);
	}
	return list;
}

static cJSON *help_roles(struct control_call *call, const struct control_command *command)
{
	cJSON *list = cJSON_CreateArray();
	for (int role = 0; role < ROLE_COUNT; role++) {
		if ((command->roles & 1U << role) != 0)
			control_append(call, list, cJSON_CreateString(role_name((enum role)role)));
	}
	return list;
}

static enum control_outcome help(struct control_call *call)
{
	cJSON *list = control_array(call, "commands");
	for (size_t i = 0; i < COMMANDS; i++) {
		cJSON *one = cJSON_CreateObject();
		control_put(call, one, "command", cJSON_CreateString(commands[i].name));
		control_put(call, one, "help", cJSON_CreateString(commands[i].help));
		control_put(call, one, "roles", help_roles(call, &commands[i]));
		control_put(call, one, "keys", help_keys(call, &commands[i]));
		control_append(call, list, one);
	}
	control_work(call, COMMANDS * CONTROL_WORK_CALL);
	return CONTROL_DONE;
}
