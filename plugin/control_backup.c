/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_backup: what a house is made of, but for its history, as documents; and putting them back.
 *
 *   {"version":1,"node":"node1","time":"2026-11-22T10:00:00Z","documents":[…],"next":null}
 *   {"account":{"username":"anna",…,"password":"$7$…"}}                    as account.h has it
 *   {"config":"livingroom/uno1/temperature/config","payload":"{…}","author":"anna"}
 *   {"state":"livingroom/hearth/auto/state","payload":"1"}                 of Hearth's own device
 *
 * Accounts come first, then configs, then states. A page ends where its documents would be too many for the request that puts
 * them back. `next` says where the next one begins: "account/NAME" behind a name, "config/N/TOPIC" behind the N-th config,
 * "state/N" at a place in the table of series. Configs that change meanwhile move their places; then the topic is not where it was,
 * and the backup has to begin anew.
 */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 262144 /* a page may have one document more than that: it still fits a request */

enum kind { KIND_ACCOUNT, KIND_CONFIG, KIND_STATE, KIND_END };

static const char *const prefixes[] = {[KIND_ACCOUNT] = "account/", [KIND_CONFIG] = "config/", [KIND_STATE] = "state/"};

/* ---- saving ---- */

/* How far a backup is: call->phase is the kind, call->at the place in its list, call->passed the bytes of the page. */
static bool is_page_full(struct control_call *call)
{
	int count = cJSON_GetArraySize(control_array(call, "documents"));
	return call->passed >= PAGE_BYTES || (size_t)count >= control_count(call);
}

static void put_document(struct control_call *call, cJSON *document, size_t bytes)
{
	control_append(call, control_array(call, "documents"), document);
	control_work(call, CONTROL_WORK_CALL + bytes / 64);
	call->passed += bytes;
}

static void save_account(struct control_call *call, const struct account *account)
{
	char *text = account_print(account, true);
	cJSON *document = cJSON_CreateObject();
	control_put(call, document, "account", text != NULL ? cJSON_CreateRaw(text) : NULL);
	put_document(call, document, text != NULL ? strlen(text) : 0);
	free(text);
}

static void save_config(struct control_call *call, const struct catalog_entry *entry)
{
	cJSON *document = cJSON_CreateObject();
	control_put_text(call, document, "config", entry->name);
	control_put_text(call, document, "payload", entry->payload);
	control_put_text(call, document, "author", entry->author);
	put_document(call, document, entry->name.len + entry->payload.len + entry->author.len);
}

static bool is_own_state(const struct series *series)
{
	return series->own && series->subject == SUBJECT_STATE && series->latest.known;
}

static void save_state(struct control_call *call, const struct series *series)
{
	char number[NUMBER_TEXT_MAX];
	struct slice payload = value_print(&series->latest.value, number);
	cJSON *document = cJSON_CreateObject();
	control_put(call, document, "state", cJSON_CreateString(series->name));
	control_put_text(call, document, "payload", payload);
	put_document(call, document, series->name_len + payload.len);
}

/* The thing at call->at, saved if it is one to save. False: there is none. */
static bool save_next(struct control_call *call)
{
	const struct feed *feed = intake_feed(call->control->options.intake);
	const struct account_table *accounts = control_accounts(call);
	struct catalog_entry entry;

	control_work(call, CONTROL_WORK_LOOK);
	switch ((enum kind)call->phase) {
	case KIND_ACCOUNT:
		if (call->at >= account_count(accounts))
			return false;
		save_account(call, account_at(accounts, call->at));
		return true;
	case KIND_CONFIG:
		if (!catalog_at(feed->catalog, call->at, &entry))
			return false;
		save_config(call, &entry);
		return true;
	case KIND_STATE:
		if (call->at >= series_count(feed->series))
			return false;
		if (is_own_state(series_at(feed->series, call->at)))
			save_state(call, series_at(feed->series, call->at));
		return true;
	case KIND_END:
		break;
	}
	return false;
}

/* ---- where a page begins and ends ---- */

/* The place of the first account behind a name, which may be gone. */
static size_t account_behind(const struct account_table *accounts, struct slice name)
{
	size_t low = 0, high = account_count(accounts);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct slice one = account_name(account_at(accounts, middle));
		int order = memcmp(one.ptr, name.ptr, one.len < name.len ? one.len : name.len);
		if (order < 0 || (order == 0 && one.len <= name.len))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static cJSON *next_of(struct control_call *call)
{
	char text[TOPIC_MAX + ACCOUNT_NAME_MAX];
	struct catalog_entry entry;
	struct slice name = {"", 0};
	const char *prefix = prefixes[call->phase];

	if (call->at == 0) {
		snprintf(text, sizeof text, "%s", prefix);
		return cJSON_CreateString(text);
	}
	if (call->phase == KIND_ACCOUNT) {
		name = account_name(account_at(control_accounts(call), call->at - 1));
		snprintf(text, sizeof text, "%s%.*s", prefix, (int)name.len, name.ptr);
	} else if (call->phase == KIND_CONFIG) {
		if (catalog_at(intake_feed(call->control->options.intake)->catalog, call->at - 1, &entry))
			name = entry.name;
		snprintf(text, sizeof text, "%s%zu/%.*s", prefix, call->at, (int)name.len, name.ptr);
	} else {
		snprintf(text, sizeof text, "%s%zu", prefix, call->at);
	}
	return cJSON_CreateString(text);
}

/* What follows a prefix; NULL: another begins the text. */
static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The number in front of the rest; false: there is none. */
static bool read_place(const char **text, size_t *out)
{
	char *end;
	if (**text < '0' || **text > '9')
		return false;
	unsigned long long number = strtoull(*text, &end, 10);
	*out = number < SIZE_MAX / 2 ? (size_t)number : SIZE_MAX / 2;
	*text = end;
	return true;
}

static enum control_outcome begin_at(struct control_call *call)
{
	struct catalog *catalog = intake_feed(call->control->options.intake)->catalog;
	struct slice after = control_text(call, "after");
	struct catalog_entry entry;
	const char *rest;

	if (after.ptr == NULL)
		return CONTROL_DONE;
	if ((rest = behind(after.ptr, prefixes[KIND_ACCOUNT])) != NULL) {
		call->at = account_behind(control_accounts(call), slice_of(rest));
		return CONTROL_DONE;
	}
	if ((rest = behind(after.ptr, prefixes[KIND_CONFIG])) != NULL) {
		call->phase = KIND_CONFIG;
		if (*rest == '\0')
			return CONTROL_DONE;
		if (read_place(&rest, &call->at) && *rest == '/' && call->at > 0 && catalog_at(catalog, call->at - 1, &entry) &&
		    slice_is(entry.name, rest + 1))
			return CONTROL_DONE;
		return control_refuse(call, "after: configs have changed meanwhile; wanted the backup from its beginning");
	}
	if ((rest = behind(after.ptr, prefixes[KIND_STATE])) != NULL) {
		call->phase = KIND_STATE;
		if (*rest == '\0' || (read_place(&rest, &call->at) && *rest == '\0'))
			return CONTROL_DONE;
	}
	return control_refuse(call, "after: found \"%.*s\"; wanted what the last page's `next` said", CONTROL_SHOWN(after));
}

enum control_outcome control_backup(struct control_call *call)
{
	char time[TIME_TEXT_MAX];
	cJSON *data = control_data(call);

	if (!call->asked && begin_at(call) != CONTROL_DONE)
		return CONTROL_REFUSED;
	call->asked = true;
	while (call->phase < KIND_END && !is_page_full(call)) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		if (save_next(call)) {
			call->at++;
		} else {
			call->phase++;
			call->at = 0;
		}
	}
	control_put_number(call, data, "version", 1);
	control_put(call, data, "node", cJSON_CreateString(call->control->options.options->node));
	control_put(call, data, "time", cJSON_CreateString(time_print(call->now.wall_us, time)));
	control_put(call, data, "next", call->phase == KIND_END ? cJSON_CreateNull() : next_of(call));
	control_array(call, "documents");
	return CONTROL_DONE;
}

/* ---- putting back ---- */

/* Which kind a document is, from the key that only it has; KIND_END: none. */
static enum kind kind_of(const cJSON *document)
{
	const cJSON *account = cJSON_GetObjectItemCaseSensitive(document, "account");
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(document, "config");
	const cJSON *state = cJSON_GetObjectItemCaseSensitive(document, "state");
	bool payload = cJSON_IsString(cJSON_GetObjectItemCaseSensitive(document, "payload"));
	bool author = cJSON_IsString(cJSON_GetObjectItemCaseSensitive(document, "author"));
	int keys = cJSON_GetArraySize(document);

	if (cJSON_IsObject(account) && keys == 1)
		return KIND_ACCOUNT;
	if (cJSON_IsString(config) && payload && author && keys == 3)
		return KIND_CONFIG;
	return cJSON_IsString(state) && payload && keys == 2 ? KIND_STATE : KIND_END;
}

static struct slice text_of(const cJSON *document, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, key));
	return slice_of(text != NULL ? text : "");
}

/* All have to be something before any is put back. */
static bool documents_check(struct control_call *call, const cJSON *documents)
{
	size_t n = 0;
	const cJSON *document;
	cJSON_ArrayForEach(document, documents)
	{
		enum kind kind = kind_of(document);
		struct topic topic;
		bool good = kind != KIND_END;
		if (kind == KIND_STATE)
			good = topic_parse(text_of(document, "state"), &topic) && topic.subject == SUBJECT_STATE &&
			       slice_is(topic.device, TOPIC_OWN_DEVICE);
		if (kind == KIND_CONFIG) /* an empty one would remove it */
			good = slice_trim(text_of(document, "payload")).len > 0;
		if (!good) {
			control_refuse(call, "documents[%zu]: wanted {account}, {config, payload, author} or {state, payload}", n);
			return false;
		}
		n++;
	}
	return true;
}

/* An account into the batch, unless it is to be kept as it is. */
static bool accounts_add(struct control_call *call, struct control_batch *batch, const cJSON *account)
{
	struct slice username = text_of(account, "username");

	if (!control_document_check(call, account))
		return false;
	if (account_find(control_accounts(call), username) != NULL && !control_flag(call, "replaceAccounts")) {
		call->passed++;
		return true;
	}
	char *body = cJSON_PrintUnformatted(account);
	bool added = body != NULL && control_batch_add(batch, username, slice_of(body));
	free(body);
	if (!added)
		control_refuse(call, "no memory");
	return added;
}

/* All of the command's accounts, or none. */
static enum control_outcome restore_accounts(struct control_call *call, const cJSON *documents)
{
	struct control_batch batch = {0};
	bool good = true;
	const cJSON *document;

	cJSON_ArrayForEach(document, documents)
	{
		if (good && kind_of(document) == KIND_ACCOUNT)
			good = accounts_add(call, &batch, cJSON_GetObjectItemCaseSensitive(document, "account"));
	}
	enum control_outcome outcome = good ? CONTROL_DONE : CONTROL_REFUSED;
	if (good && batch.count > 0)
		outcome = control_change(call, batch.documents, batch.count);
	control_put_number(call, control_data(call), "accounts", (double)batch.count);
	control_put_number(call, control_data(call), "accountsKept", (double)call->passed);
	call->passed = 0;
	control_batch_free(&batch);
	return outcome;
}

/* Sets it as a person would, so that what follows from it happens. */
static bool restore_state(struct control_call *call, struct slice name, struct slice payload)
{
	char topic[TOPIC_MAX + 1];
	size_t stem = name.len - strlen("state");

	if (!feed_has_room(intake_feed(call->control->options.intake), name, payload, (struct slice){"", 0})) {
		control_refuse(call, "the journal does not take it: wanted room in it");
		return false;
	}
	snprintf(topic, sizeof topic, "%.*sset", (int)stem, name.ptr);
	struct message message = {.topic = slice_of(topic), .payload = payload};
	intake_message(call->control->options.intake, &message, call->now);
	control_durably(call);
	control_work(call, CONTROL_WORK_CHANGE);
	return true;
}

static void refuse_document(struct control_call *call, struct slice topic)
{
	cJSON *one = cJSON_CreateObject();
	control_put_text(call, one, "topic", topic);
	control_put(call, one, "error", cJSON_CreateString(call->error));
	control_append(call, control_array(call, "refused"), one);
}

static bool restore_one(struct control_call *call, const cJSON *document)
{
	struct slice payload = text_of(document, "payload");
	if (kind_of(document) == KIND_STATE)
		return restore_state(call, text_of(document, "state"), payload);
	return control_configure(call, text_of(document, "config"), payload, text_of(document, "author"));
}

/* Configs and states, one by one; one that is refused does not hold up the others. */
static enum control_outcome restore_rest(struct control_call *call, const cJSON *documents)
{
	const cJSON *document = cJSON_GetArrayItem(documents, (int)call->at);

	for (; document != NULL; document = document->next, call->at++) {
		if (control_is_tired(call))
			return CONTROL_MORE;
		control_work(call, CONTROL_WORK_LOOK);
		enum kind kind = kind_of(document);
		if (kind == KIND_ACCOUNT)
			continue;
		if (!restore_one(call, document))
			refuse_document(call, text_of(document, kind == KIND_STATE ? "state" : "config"));
		call->passed++;
	}
	control_put_number(call, control_data(call), "others", (double)call->passed);
	return CONTROL_DONE;
}

enum control_outcome control_restore(struct control_call *call)
{
	const cJSON *documents = control_key(call, "documents");

	if (control_whole(call, "version", 0) != 1)
		return control_refuse(call, "version: found %zu; wanted 1", control_whole(call, "version", 0));
	if (call->phase == 0) {
		if (!documents_check(call, documents) || restore_accounts(call, documents) != CONTROL_DONE)
			return CONTROL_REFUSED;
		call->phase = 1;
		control_array(call, "refused");
	}
	return restore_rest(call, documents);
}
