/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_devices: accounts of devices, each bound to LOCATION/DEVICE, which is its user name too. Renaming one is in
 * control_rename.c.
 *
 * Administrators may do all of it, managers what concerns their own locations.
 */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- names ---- */

static bool device_name(const struct control_device *device, char name[ACCOUNT_NAME_MAX + 1])
{
	if (device->location.len + 1 + device->device.len > ACCOUNT_NAME_MAX)
		return false;
	snprintf(name, ACCOUNT_NAME_MAX + 1, "%.*s/%.*s", (int)device->location.len, device->location.ptr,
	         (int)device->device.len, device->device.ptr);
	return true;
}

static bool level_check(struct control_call *call, const char *key, struct slice level)
{
	if (topic_level_valid(level) && !slice_is(level, TOPIC_ALL) && !slice_is(level, TOPIC_OWN_DEVICE))
		return true;
	control_refuse(call, "%s: found \"%.*s\"; wanted one topic level, not \"all\" or \"hearth\"", key,
	               CONTROL_SHOWN(level));
	return false;
}

/* A manager may have been denied some of the devices of his locations. */
static bool may_configure(struct control_call *call, const char *name)
{
	char filter[ACCOUNT_NAME_MAX + sizeof "/+/config"];

	snprintf(filter, sizeof filter, "%s/+/config", name);
	if (account_covers(call->caller, RIGHT_WRITE, call->client_id, slice_of(filter)) == COVERS_ALL)
		return true;
	control_forbid(call, "writing %.300s", filter);
	return false;
}

bool control_device_keys(struct control_call *call, const char *location_key, const char *device_key,
                         struct control_device *out, char name[ACCOUNT_NAME_MAX + 1])
{
	out->location = control_text(call, location_key);
	out->device = control_text(call, device_key);
	if (!control_manages(call, out->location)) {
		control_forbid(call, "devices of \"%.*s\" are for the role admin, and for its managers",
		               CONTROL_SHOWN(out->location));
		return false;
	}
	if (!level_check(call, location_key, out->location) || !level_check(call, device_key, out->device))
		return false;
	if (device_name(out, name))
		return may_configure(call, name);
	control_refuse(call, "%s: found a long name; wanted LOCATION/DEVICE of at most %d bytes", device_key,
	               ACCOUNT_NAME_MAX);
	return false;
}

bool control_is_device(const struct account *account, const struct control_device *device)
{
	return account != NULL && account_role(account) == ROLE_DEVICE &&
	       slice_equal(account_location(account), device->location) &&
	       slice_equal(account_device(account), device->device);
}

/* The document of the device's account; NULL with call->error. A person's account of the same name is none. */
static cJSON *device_document(struct control_call *call, const struct control_device *device, const char *name)
{
	if (control_is_device(account_find(control_accounts(call), slice_of(name)), device))
		return control_document(call, slice_of(name));
	control_refuse(call, "device: found \"%.*s\"; wanted a device that is there", CONTROL_SHOWN(slice_of(name)));
	return NULL;
}

/* ---- secrets ---- */

/* Gives the document another secret, which is told in the answer. */
static bool give_secret(struct control_call *call, cJSON *document)
{
	uint8_t random[SECRET_BYTES], salt[12];
	char secret[SECRET_TEXT_MAX], hash[PASSWORD_TEXT_MAX];
	bool made = getrandom(random, sizeof random, GRND_NONBLOCK) == (ssize_t)sizeof random &&
	            getrandom(salt, sizeof salt, GRND_NONBLOCK) == (ssize_t)sizeof salt &&
	            password_make_secret(random, salt, secret, hash);

	if (made) {
		control_replace(call, document, "password", cJSON_CreateString(hash));
		control_put_text(call, control_data(call), "username",
		                 slice_of(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, "username"))));
		control_put(call, control_data(call), "secret", cJSON_CreateString(secret));
	} else {
		control_refuse(call, "the system gives no random numbers: try again");
	}
	explicit_bzero(random, sizeof random);
	explicit_bzero(secret, sizeof secret);
	return made;
}

static enum control_outcome store_with_secret(struct control_call *call, cJSON *document)
{
	if (give_secret(call, document))
		return control_store(call, document);
	cJSON_Delete(document);
	return CONTROL_REFUSED;
}

enum control_outcome control_add_device(struct control_call *call)
{
	struct control_device device;
	char name[ACCOUNT_NAME_MAX + 1];
	const cJSON *client_ids = control_key(call, "clientIds");

	if (!control_device_keys(call, "location", "device", &device, name))
		return CONTROL_REFUSED;
	if (account_find(control_accounts(call), slice_of(name)) != NULL)
		return control_refuse(call, "device: found \"%.*s\", which is there; wanted a new name (or newSecret)",
		                      CONTROL_SHOWN(slice_of(name)));
	cJSON *document = cJSON_CreateObject();
	control_put_text(call, document, "username", slice_of(name));
	control_put_text(call, document, "role", slice_of(role_name(ROLE_DEVICE)));
	control_put_text(call, document, "location", device.location);
	control_put_text(call, document, "device", device.device);
	if (client_ids != NULL)
		control_put(call, document, "clientIds", cJSON_Duplicate(client_ids, true));
	return store_with_secret(call, document);
}

enum control_outcome control_new_secret(struct control_call *call)
{
	struct control_device device;
	char name[ACCOUNT_NAME_MAX + 1];

	if (!control_device_keys(call, "location", "device", &device, name))
		return CONTROL_REFUSED;
	cJSON *document = device_document(call, &device, name);
	return document != NULL ? store_with_secret(call, document) : CONTROL_REFUSED;
}

/* ---- listing ---- */

/* The devices of an answer, in the order of their user names' bytes, as their accounts are. */
struct page {
	struct control_call *call;
	size_t count;
	cJSON **devices;
	struct slice *names;
};

static int compare_names(struct slice a, struct slice b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static bool mark_online(void *context, const struct access_session *session)
{
	struct page *page = context;
	size_t low = 0, high = page->count;

	control_work(page->call, CONTROL_WORK_LOOK);
	while (session->connected && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_names(session->user, page->names[middle]);
		if (order == 0) {
			control_replace(page->call, page->devices[middle], "online", cJSON_CreateTrue());
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return true;
}

/* Says of each device whether a client of its account is connected. */
static void mark_all_online(struct control_call *call, cJSON *list)
{
	size_t count = (size_t)cJSON_GetArraySize(list);
	struct page page = {
		.call = call,
		.devices = calloc(count + 1, sizeof *page.devices),
		.names = calloc(count + 1, sizeof *page.names),
	};
	cJSON *one;
	if (page.devices == NULL || page.names == NULL) {
		call->starved = true;
	} else {
		cJSON_ArrayForEach(one, list)
		{
			const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(one, "username"));
			page.devices[page.count] = one;
			page.names[page.count++] = slice_of(name != NULL ? name : "");
		}
		access_each_session(call->control->options.access, mark_online, &page);
	}
	free(page.devices);
	free(page.names);
}

static cJSON *device_item(struct control_call *call, const struct account *account)
{
	cJSON *one = cJSON_CreateObject();
	control_put_text(call, one, "location", account_location(account));
	control_put_text(call, one, "device", account_device(account));
	control_put_text(call, one, "username", account_name(account));
	control_put(call, one, "online", cJSON_CreateFalse());
	if (account_disabled(account))
		control_put(call, one, "disabled", cJSON_CreateTrue());
	control_work(call, CONTROL_WORK_CALL);
	return one;
}

/* Managing is looked at once for each location, since devices of one stand together. */
static bool is_listed(struct control_call *call, const struct account *account, struct slice *managed)
{
	struct slice location = account_location(account), wanted = control_text(call, "location");
	if (account_role(account) != ROLE_DEVICE || (wanted.ptr != NULL && !slice_equal(wanted, location)))
		return false;
	if (control_is_admin(call) || (managed->ptr != NULL && slice_equal(*managed, location)))
		return true;
	control_work(call, CONTROL_WORK_CALL);
	if (!control_manages(call, location))
		return false;
	*managed = location;
	return true;
}

enum control_outcome control_list_devices(struct control_call *call)
{
	const struct account_table *accounts = control_accounts(call);
	size_t offset = control_whole(call, "offset", 0), count = control_count(call);
	struct slice location = control_text(call, "location"), managed = {NULL, 0};
	cJSON *list = control_array(call, "devices");

	if (location.ptr != NULL && !control_manages(call, location))
		return control_forbid(call, "devices of \"%.*s\" are for the role admin, and for its managers",
		                      CONTROL_SHOWN(location));
	for (; call->at < account_count(accounts) && call->passed < offset + count; call->at++) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		const struct account *account = account_at(accounts, call->at);
		control_work(call, CONTROL_WORK_LOOK);
		if (is_listed(call, account, &managed) && call->passed++ >= offset)
			control_append(call, list, device_item(call, account));
	}
	mark_all_online(call, list);
	return CONTROL_DONE;
}
