/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sign_in_question: see sign_in_question.h.
 */
#include "sign_in_question.h"

#include <string.h>

/* Salt and hash of zero bytes: nobody's secret. */
static const char nobodys_secret[] = "$secret$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

bool question_possible(const struct sign_in_attempt *attempt)
{
	const struct slice plain = attempt->password;
	const struct slice user = attempt->user;

	if (plain.len == 0 || plain.len > PASSWORD_LENGTH_MAX || memchr(plain.ptr, '\0', plain.len))
		return false;
	return user.len > 0 && user.len <= ACCOUNT_NAME_MAX && !memchr(user.ptr, '\0', user.len);
}

static bool keyed_hash(struct sign_in_mac *mac, const char *of_what, struct slice text, uint64_t *out)
{
	const struct slice pieces[] = {slice_of(of_what), text};
	struct digest digest;

	if (!sign_in_mac_of(mac, pieces, 2, &digest))
		return false;
	*out = digest.halves[0];
	return true;
}

bool question_identify(struct question *question, struct sign_in_mac *mac)
{
	const struct sign_in_attempt *attempt = question->attempt;
	uint8_t place[ADDRESS_BYTES_MAX];
	const size_t len = sign_in_budget_place(attempt->address, place);

	return keyed_hash(mac, "user", attempt->user, &question->subject.user) &&
	       keyed_hash(mac, "address", (struct slice){(const char *)place, len}, &question->subject.address);
}

bool question_choose(struct question *question, const struct account_table *accounts, struct stand_ins *stand_ins,
                     int64_t now_ms)
{
	const bool secret = password_is_secret(question->attempt->password);
	const struct account *account = account_find(accounts, question->attempt->user);
	/* Picked for known names too, so that both do the same. */
	const struct slice other =
		secret ? slice_of(nobodys_secret) : stand_in_pick(stand_ins, accounts, question->subject.user, now_ms);

	if (account) {
		question->stored = account_password(account);
		question->known = password_read(question->stored, &question->password) &&
		                  (question->password.kind == PASSWORD_SECRET) == secret;
	}
	if (question->known)
		return true;
	question->stored = other;
	return password_read(other, &question->password);
}

bool question_digest(struct question *question, struct sign_in_mac *mac)
{
	const struct sign_in_attempt *attempt = question->attempt;
	const struct slice stored = question->known ? question->stored : (struct slice){"", 0};
	const struct slice pieces[] = {stored, attempt->user, attempt->password};

	return sign_in_mac_of(mac, pieces, sizeof pieces / sizeof *pieces, &question->digest);
}
