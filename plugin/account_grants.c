/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_grants: the "grants" of a document: read one by one, and, once all of the document is known, looked at in the
 * light of the role and of the names that %u, %l and %d stand for.
 */
#include "account_internal.h"

#include <cjson/cJSON.h>
#include <string.h>

/* ---- read ---- */

static bool read_right(const cJSON *item, int *out)
{
	static const struct {
		const char *name;
		int rights;
	} rights[] = {{"read", RIGHT_READ}, {"write", RIGHT_WRITE}, {"all", RIGHT_ALL}};

	for (size_t i = 0; cJSON_IsString(item) && i < sizeof rights / sizeof rights[0]; i++) {
		if (strcmp(item->valuestring, rights[i].name) == 0) {
			*out = rights[i].rights;
			return true;
		}
	}
	return false;
}

static bool read_filter(const cJSON *item, struct slice *out)
{
	if (item == NULL || !cJSON_IsString(item))
		return false;
	*out = slice_of(item->valuestring);
	return topic_filter_valid(*out) && !account_has_control(*out);
}

/* One of {"allow"|"deny": …, "topic": …}; `place` is the element. */
static bool read_grant(const cJSON *item, const struct account_place *place, struct account_grant *out,
                       struct account_error *error)
{
	struct account_place member = *place;
	const cJSON *right = NULL, *topic = NULL;

	if (!cJSON_IsObject(item))
		return account_refuse_item(error, place, item, "such as {\"allow\":\"read\",\"topic\":\"greenhouse/#\"}");
	for (const cJSON *at = item->child; at != NULL; at = at->next) {
		bool is_topic = strcmp(at->string, "topic") == 0;
		bool is_deny = strcmp(at->string, "deny") == 0;
		const cJSON **known = is_topic ? &topic : &right;
		member.member = at->string;
		if (!is_topic && !is_deny && strcmp(at->string, "allow") != 0)
			return account_refuse(error, &member, "an unknown key", "one of: allow, deny, topic");
		if (*known != NULL)
			return account_refuse(error, &member, is_topic ? "the same key again" : "a second right",
			                      "one topic, and one of allow and deny");
		*known = at;
		if (is_topic)
			continue;
		out->allow = !is_deny;
		if (!read_right(at, &out->rights))
			return account_refuse_item(error, &member, at, "one of: read, write, all");
	}
	member.member = right == NULL ? "allow" : "topic";
	if (right == NULL)
		return account_refuse(error, &member, "nothing", "allow or deny, with one of: read, write, all");
	if (!read_filter(topic, &out->filter))
		return account_refuse_item(error, &member, topic, "an MQTT topic filter, such as \"greenhouse/#\"");
	return true;
}

bool account_read_grants(const cJSON *list, struct account_draft *draft, struct account_error *error)
{
	struct account_place place = {.key = list->string, .index = -1};
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > ACCOUNT_GRANTS_MAX)
		return account_refuse_item(error, &place, list, "a list of at most 256 grants and denials");
	for (const cJSON *item = list->child; item != NULL; item = item->next) {
		place.index++;
		if (!read_grant(item, &place, &draft->grants[place.index], error))
			return false;
		draft->grant_count++;
	}
	return true;
}

/* ---- check ---- */

/* Is a letter's name put in the first level? */
static bool named_in_first_level(struct slice filter, char letter)
{
	const char *slash = memchr(filter.ptr, '/', filter.len);
	struct slice first = {filter.ptr, slash != NULL ? (size_t)(slash - filter.ptr) : filter.len};
	return account_filter_names(first, letter);
}

/* What is wrong with the names in a filter; NULL: nothing. */
static const char *names_fault(struct slice filter, const struct account_names *names)
{
	if (account_filter_names(filter, 'u') && !account_is_part(names->user))
		return "no %u, since the user name has one of / + #";
	if (account_filter_names(filter, 'l') && names->location.len == 0)
		return "no %l, since the account has no location, or several";
	if (account_filter_names(filter, 'd') && names->device.len == 0)
		return "no %d, since the account has no device";
	if (filter.ptr[0] == '$' && (named_in_first_level(filter, 'u') || named_in_first_level(filter, 'c')))
		return "a first level that begins with $ written out, without %u or %c";
	if (filter.ptr[0] == '%' && names->user.ptr[0] == '$' && named_in_first_level(filter, 'u'))
		return "no %u in the first level, since the user name begins with $";
	if (account_expand(filter, names, NULL, 0) > FILTER_MAX)
		return "a filter that has at most 65535 bytes with its names put in";
	return NULL;
}

static bool is_shared(struct slice filter)
{
	const struct slice shared = slice_of("$share");
	return filter.len >= shared.len && memcmp(filter.ptr, shared.ptr, shared.len) == 0 &&
	       (filter.len == shared.len || filter.ptr[shared.len] == '/');
}

static bool check_grant(const struct account_draft *draft, const struct account_names *names, int index,
                        struct account_error *error)
{
	const struct account_grant *grant = &draft->grants[index];
	struct account_place place = {.key = "grants", .index = index, .member = "allow"};

	if (draft->role == ROLE_DEVICE && grant->allow)
		return account_refuse(
			error, &place, "a grant to a device",
			"only denials: a device may do what its role says; what needs more is an account of role service");
	place.member = "topic";
	if (is_shared(grant->filter))
		return account_refuse(error, &place, "a shared subscription", "the filter behind $share/GROUP/");
	const char *wanted = names_fault(grant->filter, names);
	return wanted == NULL || account_refuse_quoted(error, &place, grant->filter.ptr, wanted);
}

bool account_check_grants(const struct account_draft *draft, struct account_error *error)
{
	const struct account_names names = {
		.user = draft->name,
		.location = account_draft_location(draft),
		.device = draft->device,
	};
	for (size_t i = 0; i < draft->grant_count; i++) {
		if (!check_grant(draft, &names, (int)i, error))
			return false;
	}
	return true;
}
