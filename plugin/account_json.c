/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_json: a document → a draft, every key checked, and from there an account.
 *
 * The document is described by a table with one row a key: adding a key is adding a row. The first error ends the work.
 * What depends on other keys (the role above all) is looked at once all are read.
 */
#include "account_internal.h"
#include "json.h"
#include "password.h"
#include "value.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define PLACE_MAX 256 /* bytes of a location or device */

struct reader {
	struct account_draft *draft;
	struct account_error *error;
};

/* ---- texts ---- */

bool account_has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 || c == 0x7F || (c == 0xC2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xA0))
			return true;
	}
	return false;
}

static bool read_text(const cJSON *item, size_t most, struct slice *out)
{
	if (!cJSON_IsString(item))
		return false;
	*out = slice_of(item->valuestring);
	return out->len > 0 && out->len <= most && !account_has_control(*out);
}

/* A location or device of one's own. */
static bool read_level(const cJSON *item, struct slice *out)
{
	return read_text(item, PLACE_MAX, out) && topic_level_valid(*out) && !slice_is(*out, TOPIC_ALL) &&
	       !slice_is(*out, TOPIC_OWN_DEVICE);
}

/* ---- keys ---- */

static bool read_username(struct reader *reader, const cJSON *item)
{
	return read_text(item, ACCOUNT_NAME_MAX, &reader->draft->name);
}

static bool read_role(struct reader *reader, const cJSON *item)
{
	return cJSON_IsString(item) && role_parse(slice_of(item->valuestring), &reader->draft->role);
}

static bool read_location(struct reader *reader, const cJSON *item)
{
	return read_level(item, &reader->draft->location);
}

static bool read_device(struct reader *reader, const cJSON *item)
{
	return read_level(item, &reader->draft->device);
}

static bool read_password(struct reader *reader, const cJSON *item)
{
	struct password password;
	return read_text(item, PASSWORD_TEXT_MAX - 1, &reader->draft->password) &&
	       password_read(reader->draft->password, &password);
}

static bool read_certificate(struct reader *reader, const cJSON *item)
{
	reader->draft->certificate = cJSON_IsTrue(item);
	return cJSON_IsBool(item);
}

static bool read_disabled(struct reader *reader, const cJSON *item)
{
	reader->draft->disabled = cJSON_IsTrue(item);
	return cJSON_IsBool(item);
}

static bool read_expires(struct reader *reader, const cJSON *item)
{
	return cJSON_IsString(item) && time_parse(slice_of(item->valuestring), &reader->draft->expires_us);
}

/* A client id, or how it begins and a star. */
static bool read_client_id(const cJSON *item, struct slice *out)
{
	if (!read_text(item, ACCOUNT_NAME_MAX, out))
		return false;
	const char *star = memchr(out->ptr, '*', out->len);
	return star == NULL || star == out->ptr + out->len - 1;
}

/* A list of 1 to ACCOUNT_LIST_MAX; an empty one might be taken for "none" where it would mean "any". */
static bool read_list(struct reader *reader, const cJSON *list, bool (*read)(const cJSON *item, struct slice *out),
                      const char *wanted, struct slice *out, size_t *count)
{
	struct account_place place = {.key = list->string, .index = -1};
	int found = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
	if (found < 1 || found > ACCOUNT_LIST_MAX)
		return account_refuse_item(reader->error, &place, list, "a list of 1 to 64 texts, or no such key at all");
	for (const cJSON *item = list->child; item != NULL; item = item->next) {
		place.index++;
		if (!read(item, &out[*count]))
			return account_refuse_item(reader->error, &place, item, wanted);
		(*count)++;
	}
	return true;
}

static bool read_locations(struct reader *reader, const cJSON *item)
{
	return read_list(reader, item, read_level, "a location: one topic level, not \"all\" or \"hearth\"",
	                 reader->draft->locations, &reader->draft->location_count);
}

static bool read_client_ids(struct reader *reader, const cJSON *item)
{
	return read_list(reader, item, read_client_id,
	                 "a client id of 1 to 256 bytes, or how it begins and a * at the end, such as \"phone-*\"",
	                 reader->draft->client_ids, &reader->draft->client_id_count);
}

static bool read_grants(struct reader *reader, const cJSON *item)
{
	return account_read_grants(item, reader->draft, reader->error);
}

/* Whatever is wrong with a key is said with what is wanted; where that is NULL, `read` has said it. */
static const struct key {
	const char *name;
	bool (*read)(struct reader *reader, const cJSON *item);
	const char *wanted;
} keys[] = {
	{"username", read_username, "a name of 1 to 256 bytes without control characters"},
	{"role", read_role, "one of: admin, manager, resident, guest, device, service"},
	{"location", read_location, "a location: one topic level, not \"all\" or \"hearth\""},
	{"device", read_device, "a device: one topic level, not \"all\" or \"hearth\""},
	{"locations", read_locations, NULL},
	{"password", read_password, "a hash as mosquitto_passwd writes it ($7$… or $6$…), or of a secret ($secret$…)"},
	{"clientIds", read_client_ids, NULL},
	{"certificate", read_certificate, "true or false"},
	{"disabled", read_disabled, "true or false"},
	{"expires", read_expires, "a time such as \"2027-01-01T00:00:00Z\""},
	{"grants", read_grants, NULL},
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

static const char known_keys[] = "one of: username, role, location, device, locations, password, clientIds, "
								 "certificate, disabled, expires, grants";

/* The row of a key; KEY_COUNT: none. */
static size_t key_find(const char *name)
{
	size_t row = 0;
	while (row < KEY_COUNT && strcmp(keys[row].name, name) != 0)
		row++;
	return row;
}

static bool read_key(struct reader *reader, const cJSON *item, unsigned *seen)
{
	const struct account_place place = {.key = item->string, .index = -1};
	size_t row = key_find(item->string);
	if (row == KEY_COUNT)
		return account_refuse(reader->error, &place, "an unknown key", known_keys);
	if ((*seen & 1U << row) != 0)
		return account_refuse(reader->error, &place, "the same key again", "each key once");
	*seen |= 1U << row;
	if (keys[row].read(reader, item))
		return true;
	if (keys[row].read == read_password)
		return account_refuse(reader->error, &place, "something that is no such hash", keys[row].wanted);
	return keys[row].wanted != NULL && account_refuse_item(reader->error, &place, item, keys[row].wanted);
}

/* ---- keys that depend on each other ---- */

static bool refuse_key(struct account_error *error, const char *key, const char *found, const char *wanted)
{
	return account_refuse(error, &(struct account_place){.key = key, .index = -1}, found, wanted);
}

static bool check_places(const struct account_draft *draft, struct account_error *error)
{
	bool bound = draft->role == ROLE_DEVICE || draft->role == ROLE_SERVICE;
	bool roaming = draft->role == ROLE_MANAGER || draft->role == ROLE_RESIDENT || draft->role == ROLE_GUEST;

	if (draft->role == ROLE_DEVICE && draft->location.len == 0)
		return refuse_key(error, "location", "nothing", "the location of the device");
	if (draft->role == ROLE_DEVICE && draft->device.len == 0)
		return refuse_key(error, "device", "nothing", "the name of the device");
	if (!bound && draft->location.len > 0)
		return refuse_key(error, "location", "a location",
		                  "\"locations\"; \"location\" is for the roles device and service");
	if (!bound && draft->device.len > 0)
		return refuse_key(error, "device", "a device", "no such key: it is for the roles device and service");
	if (!roaming && draft->location_count > 0)
		return refuse_key(error, "locations", "a list", "no such key: it is for the roles manager, resident and guest");
	return true;
}

static bool check_draft(const struct account_draft *draft, struct account_error *error)
{
	if (draft->name.len == 0)
		return refuse_key(error, "username", "nothing", keys[key_find("username")].wanted);
	if (draft->role == ROLE_COUNT)
		return refuse_key(error, "role", "nothing", keys[key_find("role")].wanted);
	return check_places(draft, error) && account_check_grants(draft, error);
}

/* ---- the document ---- */

static bool read_draft(const cJSON *document, struct account_draft *draft, struct account_error *error)
{
	struct reader reader = {.draft = draft, .error = error};
	unsigned seen = 0;
	if (!cJSON_IsObject(document))
		return account_refuse(error, &(struct account_place){.index = -1}, "something else",
		                      "an object, such as {\"username\":\"anna\",\"role\":\"resident\"}");
	for (const cJSON *item = document->child; item != NULL; item = item->next) {
		if (!read_key(&reader, item, &seen))
			return false;
	}
	return check_draft(draft, error);
}

static struct account *refuse_memory(struct account_error *error)
{
	account_refuse(error, &(struct account_place){.index = -1}, "out of memory", "enough free memory");
	return NULL;
}

/* The document without its password, printed, goes into the account as it will be stored. */
static struct account *compile(cJSON *document, struct account_draft *draft, struct account_error *error)
{
	/* Taken out, not deleted: the draft points into it. */
	cJSON *password = cJSON_DetachItemFromObjectCaseSensitive(document, "password");
	char *text = cJSON_PrintUnformatted(document);
	struct account *account = NULL;
	if (text != NULL) {
		draft->document = slice_of(text);
		account = account_compile(draft);
	}
	cJSON_free(text);
	cJSON_Delete(password);
	return account != NULL ? account : refuse_memory(error);
}

/* JSON of bounded size and depth; NULL with *error set. What stands at a fault is not repeated: a password may. */
static cJSON *parse(struct slice document, struct account_error *error)
{
	const struct account_place whole = {.index = -1};
	struct json_fault fault;
	char found[40];

	if (document.len > ACCOUNT_DOCUMENT_MAX) {
		account_refuse(error, &whole, "a longer document", "at most 65536 bytes");
		return NULL;
	}
	if (!utf8_valid(document)) {
		account_refuse(error, &whole, "bytes that are not UTF-8, or NUL", "JSON in UTF-8");
		return NULL;
	}
	if (!json_check(document, &fault)) {
		snprintf(found, sizeof found, fault.byte < document.len ? "byte %zu" : "the end, at byte %zu", fault.byte);
		account_refuse(error, &whole, found, fault.wanted);
		return NULL;
	}
	cJSON *root = cJSON_ParseWithLength(document.ptr, document.len);
	if (root == NULL)
		refuse_memory(error);
	return root;
}

struct account *account_read(struct slice document, struct account_error *error)
{
	struct account_draft draft = {.expires_us = INT64_MAX, .role = ROLE_COUNT};
	struct account *account = NULL;
	cJSON *root = parse(document, error);
	if (root == NULL)
		return NULL;
	if (read_draft(root, &draft, error))
		account = compile(root, &draft, error);
	cJSON_Delete(root);
	return account;
}
