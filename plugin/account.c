/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account: see account.h; the other files of the module are listed in account_internal.h. Here is what an account says
 * of itself.
 */
#include "account_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_ADMIN] = "admin", [ROLE_MANAGER] = "manager", [ROLE_RESIDENT] = "resident",
	[ROLE_GUEST] = "guest", [ROLE_DEVICE] = "device",   [ROLE_SERVICE] = "service",
};

const char *role_name(enum role role)
{
	return role_names[role];
}

bool role_parse(struct slice name, enum role *out)
{
	for (int i = 0; i < ROLE_COUNT; i++) {
		if (slice_is(name, role_names[i])) {
			*out = (enum role)i;
			return true;
		}
	}
	return false;
}

void account_free(struct account *account)
{
	free(account);
}

struct slice account_name(const struct account *account)
{
	return account_text(account, account->name);
}

enum role account_role(const struct account *account)
{
	return (enum role)account->role;
}

struct slice account_password(const struct account *account)
{
	return account_text(account, account->password);
}

bool account_takes_certificate(const struct account *account)
{
	return account->certificate;
}

bool account_asks_client_id(const struct account *account)
{
	return account->by_client;
}

bool account_disabled(const struct account *account)
{
	return account->disabled;
}

int64_t account_expires_us(const struct account *account)
{
	return account->expires_us;
}

struct slice account_location(const struct account *account)
{
	return account_text(account, account->location);
}

struct slice account_device(const struct account *account)
{
	return account_text(account, account->device);
}

bool account_usable(const struct account *account, int64_t now_wall_us)
{
	return !account->disabled && now_wall_us < account->expires_us;
}

/* A pattern is a client id, or its beginning and a *. */
static bool pattern_matches(struct slice pattern, struct slice client_id)
{
	if (pattern.ptr[pattern.len - 1] != '*')
		return slice_equal(pattern, client_id);
	pattern.len--;
	client_id.len = client_id.len < pattern.len ? client_id.len : pattern.len;
	return slice_equal(pattern, client_id);
}

bool account_allows_client_id(const struct account *account, struct slice client_id)
{
	struct slice patterns = account_text(account, account->client_ids);
	const char *end = patterns.ptr + patterns.len;
	for (const char *at = patterns.ptr; at < end; at += strlen(at) + 1) {
		if (pattern_matches(slice_of(at), client_id))
			return true;
	}
	return patterns.len == 0;
}

char *account_print(const struct account *account, bool with_password)
{
	static const char key[] = ",\"password\":\"";
	struct slice document = account_text(account, account->document);
	struct slice password = account_text(account, account->password);
	char *text = malloc(document.len + sizeof key + password.len + sizeof "\"}");
	if (text == NULL)
		return NULL;
	memcpy(text, document.ptr, document.len);
	text[document.len] = '\0';
	if (!with_password || password.len == 0)
		return text;
	/* In place of the closing brace. A hash has nothing that JSON would escape. */
	char *at = text + document.len - 1;
	at = mempcpy(at, key, sizeof key - 1);
	at = mempcpy(at, password.ptr, password.len);
	memcpy(at, "\"}", sizeof "\"}");
	return text;
}
