/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access_test: who gets in as which client, what comes of a change of accounts, and whose a client id is. The password's part is
 * sign_in_test's, what a role may is account_access_test's, and what a broker makes of it is test/broker's.
 */
#include "access.h"
#include "access_sessions.h"
#include "fake_broker.h"
#include "journal_text.h"
#include "parts.h"
#include "record.h"

#include <string.h>

/* A secret and the stored form that the fixture makes of it. */
static char secret[SECRET_TEXT_MAX], stored[PASSWORD_TEXT_MAX];

static int64_t clock_zero(void)
{
	return 0;
}

struct door {
	struct parts parts;
	struct access *access;
	size_t rechecks;
	struct instant now;
};

static void count_recheck(void *context, const struct access_changed *users, struct instant now)
{
	struct door *door = context;
	(void)now;
	if (users->concerns(users->context, slice_of("anna")))
		door->rechecks++;
	assert_false(users->concerns(users->context, slice_of("somebody")));
}

static struct access *access_make(struct door *door)
{
	struct access *access = access_new(&(struct access_options){
		.broker = &fake_broker,
		.feed = &door->parts.feed,
		.seed = 7,
		.budget_percent = 5,
		.clock_us = clock_zero,
		.changed = count_recheck,
		.context = door,
	});
	assert_non_null(access);
	return access;
}

/* An account's document; `more` is further JSON with ' for ", such as ",'disabled':true". */
static const char *body_of(const char *name, const char *role, const char *more)
{
	static char body[1024];
	struct slice rest = quoted(more);
	snprintf(body, sizeof body, "{\"username\":\"%s\",\"role\":\"%s\",\"password\":\"%s\"%.*s}", name, role, stored,
	         (int)rest.len, rest.ptr);
	return body;
}

static bool change(struct door *door, const char *name, const char *body, char error[ACCESS_ERROR_MAX])
{
	char key[300];
	uint64_t position;
	snprintf(key, sizeof key, DOCUMENT_ACCOUNT "%s", name);
	return access_change(door->access, &(struct document){slice_of(key), slice_of(body)}, 1, door->now, &position,
	                     error);
}

static void put(struct door *door, const char *name, const char *role, const char *more)
{
	char error[ACCESS_ERROR_MAX] = "";
	if (!change(door, name, body_of(name, role, more), error))
		fail_msg("%s: %s", name, error);
}

static enum access_verdict connect_as(struct door *door, const struct fake_client *client)
{
	return access_connect(door->access, client, client->user, secret, door->now);
}

static int set_up(void **state)
{
	const uint8_t bytes[SECRET_BYTES] = {1, 2, 3}, salt[12] = {4};
	if (!password_make_secret(bytes, salt, secret, stored))
		return -1;
	struct door *door = calloc(1, sizeof *door);
	if (!door)
		return -1;
	parts_make(&door->parts, 100);
	door->now = instant_at(1000);
	door->access = access_make(door);
	put(door, "admin", "admin", "");
	*state = door;
	return 0;
}

static int tear_down(void **state)
{
	struct door *door = *state;
	access_free(door->access);
	parts_remove(&door->parts);
	free(door);
	return 0;
}

static void tick(struct door *door, int64_t ms)
{
	door->now = instant_at(ms);
	access_tick(door->access, door->now);
}

/* ---- who gets in ---- */

static void an_account_lets_its_owner_in_and_nobody_else(void **state)
{
	struct door *door = *state;
	const struct fake_client admin = {.id = "c1", .user = "admin"};
	const struct fake_client stranger = {.id = "c1", .user = "nobody"}, anonymous = {.id = "c1"};

	assert_int_equal(connect_as(door, &stranger), ACCESS_DENIED);
	assert_int_equal(connect_as(door, &anonymous), ACCESS_DENIED);
	assert_int_equal(access_connect(door->access, &admin, "admin", "wrong", door->now) == ACCESS_GRANTED, false);
	assert_int_equal(access_connect(door->access, &admin, "admin", NULL, door->now), ACCESS_DENIED);
	assert_int_equal(connect_as(door, &admin), ACCESS_GRANTED);
	assert_true(slice_is(access_owner(door->access, slice_of("c1")), "admin"));
	access_disconnect(door->access, &admin);
	assert_int_equal(access_owner(door->access, slice_of("c1")).len, 0);
}

static void an_account_can_be_disabled_expire_and_be_tied(void **state)
{
	struct door *door = *state;
	const struct fake_client phone = {.id = "phone-1", .user = "anna"}, other = {.id = "laptop", .user = "anna"};

	put(door, "anna", "resident", ",'clientIds':['phone-*']");
	assert_int_equal(connect_as(door, &phone), ACCESS_GRANTED);
	assert_int_equal(connect_as(door, &other), ACCESS_DENIED);
	put(door, "anna", "resident", ",'disabled':true");
	assert_int_equal(connect_as(door, &phone), ACCESS_DENIED);
	assert_false(access_check(door->access, &phone, ACCESS_RECEIVE, "hall/s1/t/value"));
	put(door, "anna", "resident", ",'expires':'1999-12-31T23:59:59Z'");
	assert_int_equal(connect_as(door, &phone), ACCESS_DENIED);
}

static void a_certificate_of_that_name_is_enough_where_the_account_says_so(void **state)
{
	struct door *door = *state;
	const struct fake_client right = {.id = "c", .user = "anna", .certificate = "anna"};
	const struct fake_client wrong = {.id = "c", .user = "anna", .certificate = "bob"};

	put(door, "anna", "resident", "");
	assert_int_equal(access_connect(door->access, &right, "anna", NULL, door->now), ACCESS_DENIED);
	put(door, "anna", "resident", ",'certificate':true");
	assert_int_equal(access_connect(door->access, &right, "anna", NULL, door->now), ACCESS_GRANTED);
	assert_int_equal(access_connect(door->access, &wrong, "anna", NULL, door->now), ACCESS_DENIED);
}

/* ---- whose a client id is ---- */

static void a_client_id_in_use_is_nobody_elses(void **state)
{
	struct door *door = *state;
	const struct fake_client annas = {.id = "c", .user = "anna"}, again = {.id = "c", .user = "anna"};
	const struct fake_client bobs = {.id = "c", .user = "bob"};

	put(door, "anna", "resident", "");
	put(door, "bob", "resident", "");
	assert_int_equal(connect_as(door, &annas), ACCESS_GRANTED);
	assert_int_equal(connect_as(door, &bobs), ACCESS_DENIED);
	assert_int_equal(connect_as(door, &again), ACCESS_GRANTED); /* her own may be taken over */
	access_disconnect(door->access, &annas);                    /* the end of the first comes after that */
	assert_int_equal(connect_as(door, &bobs), ACCESS_DENIED);
	access_disconnect(door->access, &again);
	assert_int_equal(connect_as(door, &bobs), ACCESS_GRANTED);
}

/* What the journal holds of documents, put into another access as a restart does. */
static struct access *restarted(struct door *door)
{
	struct journal_record record;
	struct journal_cursor *cursor = journal_cursor_new(door->parts.feed.journal, 0);
	struct access *access = access_make(door);

	assert_non_null(cursor);
	while (journal_next(cursor, &record) == JOURNAL_RECORD) {
		struct record_documents documents;
		struct document document;
		int64_t time_us;
		if (record.type != RECORD_DOCUMENTS)
			continue;
		assert_true(record_get_documents(record.payload, record.len, &time_us, &documents));
		while (record_next_document(&documents, &document)) {
			if (document.body.len > 0)
				access_restore(access, &document);
		}
	}
	journal_cursor_free(cursor);
	return access;
}

static void a_stored_session_stays_its_owners_over_a_restart(void **state)
{
	struct door *door = *state;
	const struct fake_client annas = {.id = "c", .user = "anna", .stored = true}, bobs = {.id = "c", .user = "bob"};
	const struct fake_client offline = {.id = "c", .user = "anna", .restored = true};
	char error[ACCESS_ERROR_MAX];

	put(door, "anna", "resident", "");
	put(door, "bob", "resident", "");
	assert_int_equal(connect_as(door, &annas), ACCESS_GRANTED);
	access_disconnect(door->access, &annas);
	assert_int_equal(connect_as(door, &bobs), ACCESS_DENIED);

	struct access *before = door->access;
	door->access = restarted(door);
	access_free(before);
	assert_int_equal(connect_as(door, &bobs), ACCESS_DENIED);
	/* At a SIGHUP the broker asks about it without a password. */
	assert_int_equal(access_connect(door->access, &offline, "anna", NULL, door->now), ACCESS_GRANTED);
	assert_int_equal(connect_as(door, &bobs), ACCESS_DENIED);

	assert_true(access_forget(door->access, slice_of("c"), door->now));
	assert_int_equal(connect_as(door, &bobs), ACCESS_GRANTED);
	access_disconnect(door->access, &bobs);

	/* An administrator is not kept out by somebody who is not there. */
	const struct fake_client admins = {.id = "c", .user = "admin"};
	assert_int_equal(connect_as(door, &annas), ACCESS_GRANTED);
	assert_int_equal(connect_as(door, &admins), ACCESS_DENIED);
	access_disconnect(door->access, &annas);
	assert_int_equal(connect_as(door, &admins), ACCESS_GRANTED);
	access_disconnect(door->access, &admins);

	/* Nor does an account that is gone own anything. */
	assert_int_equal(connect_as(door, &annas), ACCESS_GRANTED);
	access_disconnect(door->access, &annas);
	assert_true(change(door, "anna", "", error));
	assert_int_equal(connect_as(door, &bobs), ACCESS_GRANTED);
}

/* Where Mosquitto takes the name from a certificate it asks nobody, and the client id may be anybody's. */
static void who_was_not_asked_about_is_who_is_there_now(void **state)
{
	struct door *door = *state;
	const struct fake_client admins = {.id = "c", .user = "admin", .stored = true},
							 guests = {.id = "c", .user = "guest"};

	put(door, "guest", "guest", "");
	assert_int_equal(connect_as(door, &admins), ACCESS_GRANTED);
	access_disconnect(door->access, &admins); /* taken over */
	assert_int_equal(access_owner(door->access, slice_of("c")).len, 0);
	access_seen(door->access, &guests, door->now);
	assert_true(slice_is(access_owner(door->access, slice_of("c")), "guest"));
}

static void a_sighup_asks_about_the_absent_without_making_them_present(void **state)
{
	struct door *door = *state;
	const struct fake_client here = {.id = "here", .user = "admin", .stored = true};
	const struct fake_client away = {.id = "away", .user = "admin", .stored = true};

	assert_int_equal(connect_as(door, &here), ACCESS_GRANTED);
	assert_int_equal(connect_as(door, &away), ACCESS_GRANTED);
	access_disconnect(door->access, &away);
	access_reload(door->access, true);
	/* Whoever is in stays, without a password that may take long to check. */
	assert_int_equal(access_connect(door->access, &here, "admin", "wrong", door->now), ACCESS_GRANTED);
	assert_int_equal(access_connect(door->access, &away, "admin", "wrong", door->now) == ACCESS_GRANTED, false);
	assert_int_equal(connect_as(door, &away), ACCESS_GRANTED);
	access_reload(door->access, false);
	tick(door, 1100);
	assert_true(access_drop(door->access, slice_of("here")));
	assert_false(access_drop(door->access, slice_of("away")));
	assert_string_equal(fake_broker_did(), "drop here; ");
}

/* ---- changes ---- */

static void sessions_of_changed_accounts_are_dropped_from_the_tick(void **state)
{
	struct door *door = *state;
	char error[ACCESS_ERROR_MAX];

	tick(door, 1050);
	fake_broker_did();
	size_t rechecks = door->rechecks;
	put(door, "anna", "resident", "");
	tick(door, 1100);
	assert_string_equal(fake_broker_did(), ""); /* she is new */
	put(door, "anna", "guest", "");
	tick(door, 1200); /* she is to have an answer first, if she asked for it */
	assert_string_equal(fake_broker_did(), "");
	fixture_sync(&door->parts.journal);
	tick(door, 1300);
	assert_string_equal(fake_broker_did(), "");
	tick(door, 1400);
	assert_string_equal(fake_broker_did(), "dropUser anna; ");
	assert_true(change(door, "anna", "", error));
	tick(door, 2399);
	assert_string_equal(fake_broker_did(), "");
	tick(door, 2400); /* though the disk is slow */
	assert_string_equal(fake_broker_did(), "dropUser anna; ");
	assert_int_equal(door->rechecks, rechecks + 3);
}

static void a_session_begun_since_the_change_is_not_dropped(void **state)
{
	struct door *door = *state;
	const struct fake_client before = {.id = "before", .user = "anna"}, since = {.id = "since", .user = "anna"};

	put(door, "anna", "resident", "");
	assert_int_equal(connect_as(door, &before), ACCESS_GRANTED);
	tick(door, 1100);
	fake_broker_did();
	put(door, "anna", "guest", "");
	assert_int_equal(connect_as(door, &since), ACCESS_GRANTED);
	tick(door, 2100);
	assert_string_equal(fake_broker_did(), "drop before; ");
}

static void a_user_has_a_bounded_number_of_stored_sessions(void **state)
{
	struct door *door = *state;
	const struct fake_client bobs = {.id = "c0", .user = "bob"}, bobs_too = {.id = "c1", .user = "bob"};
	char id[300];

	put(door, "anna", "resident", "");
	put(door, "bob", "resident", "");
	for (int i = 0; i <= SESSIONS_PER_USER; i++) {
		struct fake_client annas = {.id = id, .user = "anna", .stored = true};
		snprintf(id, sizeof id, "c%d", i);
		assert_int_equal(connect_as(door, &annas), ACCESS_GRANTED);
		access_disconnect(door->access, &annas);
	}
	assert_int_equal(connect_as(door, &bobs_too), ACCESS_DENIED);
	assert_int_equal(connect_as(door, &bobs), ACCESS_GRANTED); /* the oldest gave way */

	/* One with an endless name is nobody's when it is away. */
	struct fake_client endless = {.id = id, .user = "anna", .stored = true};
	memset(id, 'x', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	assert_int_equal(connect_as(door, &endless), ACCESS_GRANTED);
	access_disconnect(door->access, &endless);
	assert_int_equal(access_owner(door->access, slice_of(id)).len, 0);
}

static void who_expires_is_dropped_then(void **state)
{
	struct door *door = *state;
	char more[64], time[TIME_TEXT_MAX];

	tick(door, 1000);
	time_print(instant_at(5000).wall_us, time);
	snprintf(more, sizeof more, ",'expires':'%s'", time);
	put(door, "anna", "resident", more);
	tick(door, 4900);
	fake_broker_did();
	tick(door, 5000);
	tick(door, 5001);
	assert_string_equal(fake_broker_did(), "dropUser anna; ");
	tick(door, 5100);
	assert_string_equal(fake_broker_did(), "");
}

static void a_house_is_never_left_without_an_administrator(void **state)
{
	static const char *const losses[] = {
		"{\"username\":\"admin\",\"role\":\"admin\"}",
		",'disabled':true",
		",'expires':'2999-01-01T00:00:00Z'",
		"",
	};
	struct door *door = *state;
	char error[ACCESS_ERROR_MAX];

	for (size_t i = 0; i < COUNT(losses); i++) {
		const char *body = losses[i][0] == ',' ? body_of("admin", "admin", losses[i]) : losses[i];
		assert_false(change(door, "admin", body, error));
		assert_non_null(strstr(error, "no administrator"));
	}
	put(door, "second", "admin", "");
	assert_true(change(door, "admin", "", error));
	assert_false(change(door, "second", "", error));
}

static void a_change_is_all_or_nothing(void **state)
{
	struct door *door = *state;
	char error[ACCESS_ERROR_MAX], anna[1024];
	uint64_t position;

	snprintf(anna, sizeof anna, "%s", body_of("anna", "guest", ""));
	struct document documents[] = {
		{slice_of("account/anna"), slice_of(anna)},
		{slice_of("account/bob"), slice_of("{\"username\":\"bob\",\"role\":\"king\"}")},
	};
	uint64_t head = journal_head(door->parts.feed.journal);
	assert_false(access_change(door->access, documents, 2, door->now, &position, error));
	assert_null(account_find(access_accounts(door->access), slice_of("anna")));
	documents[1] = documents[0]; /* nor twice the same */
	assert_false(access_change(door->access, documents, 2, door->now, &position, error));
	documents[0].name = slice_of("account/other"); /* nor under another's name */
	assert_false(access_change(door->access, documents, 1, door->now, &position, error));
	assert_int_equal(journal_head(door->parts.feed.journal), head);

	assert_true(access_change(door->access, &documents[1], 1, door->now, &position, error));
	assert_false(access_durable(door->access, position));
	fixture_sync(&door->parts.journal);
	assert_true(access_durable(door->access, position));
}

static void a_full_journal_refuses_a_change(void **state)
{
	struct door *door = *state;
	char error[ACCESS_ERROR_MAX], name[32];
	int count = 0;

	do
		snprintf(name, sizeof name, "user%d", count);
	while (change(door, name, body_of(name, "guest", ""), error) && ++count < 10000);
	assert_true(count > 100 && count < 10000);
	assert_non_null(strstr(error, "journal"));
	assert_null(account_find(access_accounts(door->access), slice_of(name)));
}

static void accounts_that_cannot_be_read_lock_the_door(void **state)
{
	struct door *door = *state;
	const struct fake_client client = {.id = "c", .user = "admin"};

	access_free(door->access);
	door->access = access_make(door);
	assert_false(access_active(door->access));
	access_lock(door->access);
	assert_true(access_active(door->access));
	assert_int_equal(connect_as(door, &client), ACCESS_DENIED);
	assert_false(access_check(door->access, &client, ACCESS_PUBLISH, "hall/s1/t/value"));
}

/* ---- checks ---- */

static void denials_are_logged_once_a_second_a_client(void **state)
{
	struct door *door = *state;
	const struct fake_client guest = {.id = "g", .user = "guest"}, other = {.id = "h", .user = "guest"};

	put(door, "guest", "guest", "");
	assert_int_equal(connect_as(door, &guest), ACCESS_GRANTED);
	assert_int_equal(connect_as(door, &other), ACCESS_GRANTED);
	for (int i = 0; i < 50; i++)
		assert_false(access_check(door->access, &guest, ACCESS_PUBLISH, "hall/led/led/set"));
	assert_false(access_check(door->access, &other, ACCESS_PUBLISH, "hall/led/led/set"));
	assert_int_equal(fake_lines_with("denied to g (user guest): publishing to hall/led/led/set"), 1);
	assert_int_equal(fake_lines_with("denied to h"), 1);
	tick(door, 2100);
	assert_false(access_check(door->access, &guest, ACCESS_PUBLISH, "hall/led/led/set"));
	assert_int_equal(fake_lines_with("(and 49 more)"), 1);
	assert_int_equal(access_counters(door->access).denied, 52);
	assert_true(access_check(door->access, &guest, ACCESS_RECEIVE, "hall/led/led/set"));
}

static void a_wide_subscription_is_taken_or_with_strict_refused(void **state)
{
	struct door *door = *state;
	const struct fake_client device = {.id = "d", .user = "hall/s1"};

	put(door, "hall/s1", "device", ",'location':'hall','device':'s1'");
	assert_true(access_check(door->access, &device, ACCESS_SUBSCRIBE, "#"));
	assert_true(access_check(door->access, &device, ACCESS_SUBSCRIBE, "hall/s1/led/set"));
	assert_false(access_check(door->access, &device, ACCESS_SUBSCRIBE, "hall/s2/#"));
	/* What it may not read of a group's it would swallow. */
	assert_false(access_check(door->access, &device, ACCESS_SUBSCRIBE, "$share/group/#"));
	put(door, "guest", "guest", "");
	put(door, "flows", "service", ",'grants':[{'allow':'read','topic':'hall/#'}]");
	const struct fake_client guest = {.id = "g", .user = "guest"}, flows = {.id = "f", .user = "flows"};
	assert_true(access_check(door->access, &guest, ACCESS_SUBSCRIBE, "hall/#"));
	assert_false(access_check(door->access, &guest, ACCESS_SUBSCRIBE, "$share/group/hall/#"));
	assert_true(access_check(door->access, &flows, ACCESS_SUBSCRIBE, "$share/group/hall/#"));
	assert_false(access_check(door->access, &flows, ACCESS_SUBSCRIBE, "$share/group/+/s1/#"));

	struct access *narrow = access_new(&(struct access_options){
		.broker = &fake_broker, .feed = &door->parts.feed, .strict = true, .clock_us = clock_zero});
	char body[1024];
	snprintf(body, sizeof body, "%s", body_of("hall/s1", "device", ",'location':'hall','device':'s1'"));
	access_restore(narrow, &(struct document){slice_of("account/hall/s1"), slice_of(body)});
	assert_false(access_check(narrow, &device, ACCESS_SUBSCRIBE, "#"));
	assert_true(access_check(narrow, &device, ACCESS_SUBSCRIBE, "hall/s1/+/set"));
	access_free(narrow);
}

static void who_may_command_follows_the_account(void **state)
{
	struct door *door = *state;

	put(door, "anna", "manager", ",'locations':['hall']");
	assert_true(access_user_may(door->access, slice_of("anna"), RIGHT_WRITE, slice_of("hall/fan/motor/set")));
	assert_true(access_user_may(door->access, slice_of("anna"), RIGHT_WRITE, slice_of("hall/+/motor/set")));
	assert_false(access_user_may(door->access, slice_of("anna"), RIGHT_WRITE, slice_of("+/fan/motor/set")));
	assert_false(access_user_may(door->access, slice_of("bob"), RIGHT_WRITE, slice_of("hall/fan/motor/set")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_account_lets_its_owner_in_and_nobody_else),
		TEST(an_account_can_be_disabled_expire_and_be_tied),
		TEST(a_certificate_of_that_name_is_enough_where_the_account_says_so),
		TEST(a_client_id_in_use_is_nobody_elses),
		TEST(a_stored_session_stays_its_owners_over_a_restart),
		TEST(who_was_not_asked_about_is_who_is_there_now),
		TEST(a_sighup_asks_about_the_absent_without_making_them_present),
		TEST(sessions_of_changed_accounts_are_dropped_from_the_tick),
		TEST(a_session_begun_since_the_change_is_not_dropped),
		TEST(a_user_has_a_bounded_number_of_stored_sessions),
		TEST(who_expires_is_dropped_then),
		TEST(a_house_is_never_left_without_an_administrator),
		TEST(a_change_is_all_or_nothing),
		TEST(a_full_journal_refuses_a_change),
		TEST(accounts_that_cannot_be_read_lock_the_door),
		TEST(denials_are_logged_once_a_second_a_client),
		TEST(a_wide_subscription_is_taken_or_with_strict_refused),
		TEST(who_may_command_follows_the_account),
	};
	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
