/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_passwords: hashing, changing and importing passwords.
 *
 * A hash is made in the hasher's thread. Neither a password nor a hash stands in any error.
 */
#include "control_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD_AGAIN_MS 300 /* an old password that the hasher's thread looks at is asked about again */

static size_t characters(struct slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
	return count;
}

static bool password_check(struct control_call *call, struct slice plain)
{
	if (characters(plain) < PASSWORD_LENGTH_MIN || plain.len > PASSWORD_LENGTH_MAX) {
		control_refuse(call, "password: found %zu characters; wanted at least %d, and at most %d bytes",
		               characters(plain), PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX);
		return false;
	}
	if (password_is_secret(plain)) {
		control_refuse(call, "password: found one with the form of a device's secret; wanted another (newSecret makes "
		                     "secrets)");
		return false;
	}
	return true;
}

enum control_outcome control_hash_password(struct control_call *call)
{
	struct slice plain = control_text(call, "password");

	if (plain.ptr == NULL)
		return CONTROL_DONE;
	if (call->asked)
		return call->ok ? CONTROL_DONE : control_refuse(call, "password: it could not be hashed; try again");
	if (!password_check(call, plain))
		return CONTROL_REFUSED;
	uint64_t ticket = ++call->control->last_ticket;
	if (sign_in_make(access_sign_in(call->control->options.access), ticket, plain)) {
		call->ticket = ticket;
		call->asked = true;
	}
	return CONTROL_WAIT;
}

/* Was `oldPassword` found to be right for what holds now? */
static bool is_verified(const struct control_call *call)
{
	return call->verified[0] != '\0' && slice_is(account_password(call->caller), call->verified);
}

/*
 * CONTROL_DONE if `oldPassword` is the caller's. What it costs is bounded as at a sign-in, so that it may take a while. Asked
 * again when the password that holds is another by then: who knows the one before it must not replace it.
 */
static enum control_outcome old_password_check(struct control_call *call)
{
	struct slice stored = account_password(call->caller);
	struct sign_in_attempt attempt = {
		.user = account_name(call->caller),
		.password = control_text(call, "oldPassword"),
		.address = {"", 0},
	};
	if (attempt.password.ptr == NULL)
		return control_refuse(call, "oldPassword: not given; wanted the password that holds now");
	if (is_verified(call))
		return CONTROL_DONE;
	if (call->now.mono_ms < call->again_ms)
		return CONTROL_WAIT;
	switch (sign_in_check(access_sign_in(call->control->options.access), &attempt, call->now.mono_ms)) {
	case SIGN_IN_YES:
		snprintf(call->verified, sizeof call->verified, "%.*s", (int)stored.len, stored.ptr);
		return CONTROL_DONE;
	case SIGN_IN_LATER:
		call->again_ms = call->now.mono_ms + OLD_AGAIN_MS;
		return CONTROL_WAIT;
	case SIGN_IN_NO:
		break;
	}
	if (call->verified[0] != '\0')
		return control_refuse(call, "oldPassword: the password has changed meanwhile");
	return control_refuse(call, "oldPassword: wanted the password that holds now");
}

enum control_outcome control_set_password(struct control_call *call)
{
	struct slice username = control_text(call, "username");
	bool self = username.ptr == NULL || slice_equal(username, account_name(call->caller));
	enum control_outcome outcome;

	if (!self && !control_is_admin(call))
		return control_forbid(call, "another's password is for the role admin");
	if (self && account_role(call->caller) == ROLE_DEVICE)
		return control_forbid(call, "a device's secret is for the roles admin and manager (newSecret)");
	if (self && (outcome = old_password_check(call)) != CONTROL_DONE)
		return outcome;
	if ((outcome = control_hash_password(call)) != CONTROL_DONE)
		return outcome;
	cJSON *document = control_document(call, self ? account_name(call->caller) : username);
	if (document == NULL)
		return CONTROL_REFUSED;
	control_replace(call, document, "password", cJSON_CreateString(call->made));
	return control_store(call, document);
}

/* ---- importing ---- */

/*
 * Lines, and bytes of documents, that make one change; the journal takes twice that. So much is done at once whatever the
 * share of work, so that a file of no more lines is imported as a whole or not at all.
 */
#define BATCH_LINES 256
#define BATCH_BYTES 100000

/* A new account with a hash, or the one that is there with another. NULL: no memory. */
static char *imported_body(struct control_call *call, struct slice user, struct slice hash)
{
	bool there = account_find(control_accounts(call), user) != NULL;
	cJSON *document = there ? control_document(call, user) : cJSON_CreateObject();
	struct slice role = control_text(call, "role");

	if (!there) {
		control_put_text(call, document, "username", user);
		control_put_text(call, document, "role", role.ptr != NULL ? role : slice_of("resident"));
	}
	cJSON_DeleteItemFromObjectCaseSensitive(document, "password");
	control_put_text(call, document, "password", hash);
	char *body = control_document_check(call, document) ? cJSON_PrintUnformatted(document) : NULL;
	cJSON_Delete(document);
	return body;
}

static void refuse_line(struct control_call *call, const char *why)
{
	cJSON *refused = cJSON_CreateObject();
	control_put_number(call, refused, "line", (double)call->at + 1);
	control_put(call, refused, "error", cJSON_CreateString(why));
	control_append(call, control_array(call, "refused"), refused);
}

/* Why a line cannot be taken; NULL: it can. */
static const char *line_error(struct slice user, struct slice hash)
{
	static const char argon[] = "$argon2id$";
	struct password password;

	if (user.len == 0 || user.len > ACCOUNT_NAME_MAX)
		return "wanted USER:HASH, with a user name of 1 to 256 bytes";
	if (hash.len >= sizeof argon - 1 && memcmp(hash.ptr, argon, sizeof argon - 1) == 0)
		return "found an $argon2id$ hash, which Hearth cannot check; wanted $7$ or $6$ (setPassword makes one)";
	if (!password_read(hash, &password))
		return "wanted USER:HASH with a hash that mosquitto_passwd made ($7$ or $6$)";
	return NULL;
}

/* The two sides of a line's first colon; an empty user if there is none. */
static void split(struct slice line, struct slice *user, struct slice *hash)
{
	const char *colon = memchr(line.ptr, ':', line.len);
	*user = (struct slice){line.ptr, colon != NULL ? (size_t)(colon - line.ptr) : 0};
	*hash = (struct slice){line.ptr + line.len, 0};
	if (colon != NULL)
		*hash = (struct slice){colon + 1, line.len - user->len - 1};
}

/* One line, into the batch or into the answer. */
static void import_line(struct control_call *call, struct control_batch *batch, struct slice line)
{
	struct slice user, hash;

	split(line, &user, &hash);
	const char *why = line_error(user, hash);
	if (why == NULL && control_batch_has(batch, user))
		why = "the same user again";
	if (why == NULL && account_find(control_accounts(call), user) != NULL && !control_flag(call, "replace")) {
		control_append(call, control_array(call, "skipped"), control_text_item(user));
		return;
	}
	char *body = why == NULL ? imported_body(call, user, hash) : NULL;
	if (why == NULL && body == NULL)
		why = call->error;
	else if (body != NULL && !control_batch_add(batch, user, slice_of(body)))
		why = "no memory";
	if (why != NULL)
		refuse_line(call, why);
	free(body);
}

/* As many lines as make one change. */
static enum control_outcome import_batch(struct control_call *call, const cJSON **line)
{
	struct control_batch batch = {0};
	enum control_outcome outcome = CONTROL_DONE;

	for (int lines = 0; *line != NULL && lines < BATCH_LINES && batch.bytes < BATCH_BYTES;
	     *line = (*line)->next, call->at++, lines++) {
		struct slice text = slice_trim(slice_of((*line)->valuestring));
		if (text.len > 0)
			import_line(call, &batch, text);
		control_work(call, CONTROL_WORK_CHANGE);
	}
	if (batch.count > 0)
		outcome = control_change(call, batch.documents, batch.count);
	if (outcome == CONTROL_DONE)
		call->passed += batch.count;
	control_batch_free(&batch);
	return outcome;
}

/* What is imported before a change that fails stays: the lines can be sent again. */
enum control_outcome control_import_passwords(struct control_call *call)
{
	const cJSON *line = cJSON_GetArrayItem(control_key(call, "lines"), (int)call->at);
	struct slice role = control_text(call, "role");
	enum role parsed;

	if (role.ptr != NULL && (!role_parse(role, &parsed) || parsed == ROLE_DEVICE))
		return control_refuse(call, "role: found \"%.*s\"; wanted one of: admin, manager, resident, guest, service",
		                      CONTROL_SHOWN(role));
	if (import_batch(call, &line) != CONTROL_DONE)
		return CONTROL_REFUSED;
	if (line != NULL)
		return CONTROL_MORE;
	control_array(call, "refused");
	control_array(call, "skipped");
	control_put_number(call, control_data(call), "imported", (double)call->passed);
	return CONTROL_DONE;
}
