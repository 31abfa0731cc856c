/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link_failure_test: whatever ends an attempt or a session, in each state and at every wrap of the time; how long is waited then, and
 * when the module is reset.
 */
#include "link_fixture.h"

#define REFUSED  "user or secret refused"
#define PROTOCOL "not MQTT"
#define SILENCE  "did not answer"

struct failure {
	const char *name;
	enum link_state in;
	const char *bytes; /* that the broker sends, if any; then what the modem becomes */
	size_t length;
	enum modem_state modem;
	enum modem_trouble trouble;
	const char *told; /* part of the status; NULL: the modem's trouble */
};

#define SENT(literal) literal, sizeof(literal) - 1
#define NOTHING       NULL, 0
#define STAYS         MODEM_OPEN, MODEM_FINE

static const struct failure failures[] = {
	{"no network", LINK_JOINING, NOTHING, MODEM_FAILED, MODEM_NO_NETWORK, NULL},
	{"no address", LINK_JOINING, NOTHING, MODEM_FAILED, MODEM_NO_ADDRESS, NULL},
	{"no name", LINK_OPENING, NOTHING, MODEM_JOINED, MODEM_NO_NAME, NULL},
	{"no peer", LINK_OPENING, NOTHING, MODEM_JOINED, MODEM_NO_PEER, NULL},
	{"left while opening", LINK_OPENING, NOTHING, MODEM_FAILED, MODEM_LEFT, NULL},
	{"closed before CONNACK", LINK_SIGNING_IN, NOTHING, MODEM_JOINED, MODEM_NO_PEER, NULL},
	{"module silent before CONNACK", LINK_SIGNING_IN, NOTHING, MODEM_FAILED, MODEM_FAULT, NULL},
	{"user or password wrong", LINK_SIGNING_IN, SENT("\x20\x02\x00\x04"), STAYS, REFUSED},
	{"not authorized", LINK_SIGNING_IN, SENT("\x20\x02\x00\x05"), STAYS, REFUSED},
	{"not authorized and closed", LINK_SIGNING_IN, SENT("\x20\x02\x00\x05"), MODEM_JOINED, MODEM_NO_PEER, REFUSED},
	{"unavailable", LINK_SIGNING_IN, SENT("\x20\x02\x00\x03"), STAYS, REFUSED},
	{"CONNACK twice at once", LINK_SIGNING_IN, SENT(CONNACK CONNACK), STAYS, PROTOCOL},
	{"SUBACK early", LINK_SIGNING_IN, SENT(SUBACK), STAYS, PROTOCOL},
	{"SUBACK behind CONNACK", LINK_SIGNING_IN, SENT(CONNACK SUBACK), STAYS, PROTOCOL},
	{"HTTP", LINK_SIGNING_IN, SENT("HTTP/1.1 400 Bad Request\r\n\r\n"), STAYS, PROTOCOL},
	{"no CONNACK", LINK_SIGNING_IN, NOTHING, STAYS, SILENCE},
	{"closed before SUBACK", LINK_SUBSCRIBING, NOTHING, MODEM_JOINED, MODEM_NO_PEER, NULL},
	{"left before SUBACK", LINK_SUBSCRIBING, NOTHING, MODEM_FAILED, MODEM_LEFT, NULL},
	{"subscription refused", LINK_SUBSCRIBING, SENT("\x90\x03\x00\x01\x80"), STAYS, REFUSED},
	{"CONNACK again", LINK_SUBSCRIBING, SENT(CONNACK), STAYS, PROTOCOL},
	{"SUBACK twice at once", LINK_SUBSCRIBING, SENT(SUBACK SUBACK), STAYS, PROTOCOL},
	{"no packet", LINK_SUBSCRIBING, SENT("\x00\x00"), STAYS, PROTOCOL},
	{"closed with the SUBACK", LINK_SUBSCRIBING, SENT(SUBACK), MODEM_JOINED, MODEM_NO_PEER, NULL},
	{"no SUBACK", LINK_SUBSCRIBING, NOTHING, STAYS, SILENCE},
	{"closed", LINK_ONLINE, NOTHING, MODEM_JOINED, MODEM_NO_PEER, NULL},
	{"left", LINK_ONLINE, NOTHING, MODEM_FAILED, MODEM_LEFT, NULL},
	{"module restarted", LINK_ONLINE, NOTHING, MODEM_FAILED, MODEM_FAULT, NULL},
	{"CONNACK in the session", LINK_ONLINE, SENT(CONNACK), STAYS, PROTOCOL},
	{"SUBACK in the session", LINK_ONLINE, SENT(SUBACK), STAYS, PROTOCOL},
	{"QoS 2", LINK_ONLINE, SENT("\x34\x08\x00\x01t\x00\x01xyz"), STAYS, PROTOCOL},
	{"garbage", LINK_ONLINE, SENT("\xA5\x5A\xFF\xFF\xFF\xFF\xFF"), STAYS, PROTOCOL},
	{"no PINGRESP", LINK_ONLINE, NOTHING, STAYS, SILENCE},
};

static const struct failure *failure_named(const char *name)
{
	const struct failure *failure = failures;

	while (strcmp(failure->name, name) != 0)
		failure++;
	return failure;
}

/* Nothing comes for as long as an answer is waited for, and a little longer. */
static void stay_silent(enum link_state in)
{
	if (in == LINK_ONLINE)
		for (unsigned packets = modem.packets; modem.packets == packets;)
			pass(8);
	run(modem.sent_ms + LINK_ANSWER_MS - 200 - now);
	assert_int_equal(link_state(), in);
	run(400);
}

static void suffer(const struct failure *failure)
{
	unsigned closes = modem.closes;

	reach(failure->in);
	modem.trouble = failure->trouble;
	if (failure->bytes != NULL)
		bring(failure->bytes, failure->length);
	if (failure->modem != MODEM_OPEN)
		modem_becomes(failure->modem, failure->trouble);
	else if (failure->bytes != NULL)
		run(24);
	else
		stay_silent(failure->in);
	assert_int_equal(link_state(), LINK_WAITING);
	assert_int_equal(session.offlines, session.onlines);
	assert_true(modem.closes == closes + 1 || failure->modem != MODEM_OPEN);
}

static void assert_trouble_told(const struct failure *failure)
{
	const char *trouble = strstr(status(), "trouble: ");

	assert_non_null(trouble);
	assert_non_null(strstr(trouble, failure->told != NULL ? failure->told : modem_trouble_text(failure->trouble)));
	assert_ptr_equal(strstr(status(), "link: connecting\n"), status());
}

static void every_failure_in_every_state_is_got_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(failures) * COUNT(moments); i++) {
		const struct failure *failure = &failures[i / COUNT(moments)];
		start_at(moments[i % COUNT(moments)], (uint16_t)i);
		suffer(failure);
		assert_trouble_told(failure);
		unsigned starts = modem.starts, opens = modem.opens;
		assert_in_range(wait_over(), 700, 1400);
		/* The module only anew if it lost the network, else the connection. */
		assert_int_equal(modem.starts - starts, failure->modem == MODEM_FAILED);
		assert_int_equal(modem.opens - opens, failure->modem != MODEM_FAILED);
		reach(LINK_ONLINE);
		run(1000);
		assert_string_equal(status(), "link: online\n");
		assert_int_equal(session.onlines, session.offlines + 1);
	}
}

static void an_unanswered_message_ends_the_session_though_others_go_out(void **state)
{
	for (size_t i = 0; i < COUNT(moments); i++) {
		start_at(moments[i], 1);
		reach(LINK_ONLINE);
		session.wanted = 1;
		pass(1);
		uint32_t asked_ms = modem.sent_ms;
		while (now - asked_ms < LINK_ANSWER_MS - 800) {
			session.wanted = 1;
			run(500);
			FEED("\x30\x04\x00\x01t1"); /* what the broker says by itself is no answer */
		}
		assert_int_equal(link_state(), LINK_ONLINE);
		run(1000);
		assert_int_equal(link_state(), LINK_WAITING);
	}
	(void)state;
}

static void answers_to_nothing_do_not_keep_an_attempt(void **state)
{
	(void)state;
	for (enum link_state in = LINK_SIGNING_IN; in <= LINK_SUBSCRIBING; in++) {
		reach(in);
		FEED(PINGRESP "\x40\x02\x00\x05");
		stay_silent(in);
		assert_int_equal(link_state(), LINK_WAITING);
	}
}

static void answers_keep_a_session(void **state)
{
	(void)state;
	reach(LINK_ONLINE);
	for (int i = 0; i < 100; i++) {
		session.wanted = 1;
		run(LINK_ANSWER_MS - 1000);
		FEED("\x40\x02\x00\x05");
	}
	assert_int_equal(session.sents, 100);
	assert_int_equal(session.offlines, 0);
}

/* ---- waiting ---- */

#define WAIT_MOST 16

/* 1, 2, 4 … seconds, ± a quarter, counted in ticks of 64 ms. */
static void assert_waited(uint32_t waited_ms, unsigned times)
{
	uint32_t seconds = times > 4 ? WAIT_MOST : 1u << times;

	assert_in_range(waited_ms, seconds * 750 - 64, seconds * 1290 + 64);
}

static void each_failure_waits_twice_as_long(void **state)
{
	static const char *const kinds[] = {"no network", "no peer", "user or password wrong", "CONNACK twice at once",
	                                    "subscription refused"};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds) * COUNT(moments); i++) {
		start_at(moments[i % COUNT(moments)], (uint16_t)i);
		for (unsigned times = 0; times < 9; times++) {
			suffer(failure_named(kinds[i / COUNT(moments)]));
			assert_waited(wait_over(), times);
		}
	}
}

static void waiting_is_spread_by_chance(void **state)
{
	uint32_t least = UINT32_MAX, most = 0;

	(void)state;
	for (uint16_t seed = 0; seed < 200; seed++) {
		start_at(0, (uint16_t)(seed * 331));
		uint32_t waits[2];
		for (int i = 0; i < 5; i++) {
			suffer(failure_named("no network"));
			waits[i & 1] = wait_over();
		}
		least = waits[0] < least ? waits[0] : least;
		most = waits[0] > most ? waits[0] : most;
		assert_int_not_equal(waits[0], 2 * waits[1]);
	}
	assert_in_range(least, 12000, 13000);
	assert_in_range(most, 19000, 20600);
}

static void a_steady_session_ends_the_row(void **state)
{
	static const struct {
		uint32_t lasted_ms;
		unsigned times; /* that the next wait is doubled */
	} sessions[] = {{1000, 3}, {25000, 3}, {35000, 0}, {10 * 60000, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(sessions) * COUNT(moments); i++) {
		start_at(moments[i % COUNT(moments)], 1);
		for (int n = 0; n < 3; n++) {
			suffer(failure_named("no peer"));
			wait_over();
		}
		reach(LINK_ONLINE);
		for (uint32_t lasted_ms = 0; lasted_ms < sessions[i / COUNT(moments)].lasted_ms; lasted_ms += 1000) {
			run(968);
			FEED(PINGRESP); /* and 17 … 24 ms */
		}
		suffer(failure_named("closed"));
		assert_waited(wait_over(), sessions[i / COUNT(moments)].times);
	}
}

static void five_connections_that_fail_reset_the_module(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(failures); i++) {
		if (failures[i].in < LINK_OPENING || failures[i].in == LINK_ONLINE || failures[i].modem == MODEM_FAILED)
			continue;
		start(state);
		for (unsigned starts = 1; starts <= 3; starts++) {
			for (int opens = 0; opens < 5; opens++) {
				assert_int_equal(modem.starts, starts);
				suffer(&failures[i]);
			}
			wait_over();
		}
		assert_int_equal(modem.starts, 4);
		assert_int_equal(modem.opens, 15);
	}
}

static void a_session_ends_the_row_of_connections_that_fail(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++)
			suffer(failure_named("no peer"));
		suffer(failure_named("closed"));
	}
	assert_int_equal(modem.starts, 1);
	for (int i = 0; i < 5; i++)
		suffer(failure_named("no peer"));
	wait_over();
	assert_int_equal(modem.starts, 2);
}

static void nothing_is_asked_of_a_modem_that_is_still_closing(void **state)
{
	(void)state;
	reach(LINK_SIGNING_IN);
	bring("\xFF\x00", 2);
	run(24);
	for (int i = 0; i < 1000; i++) {
		modem.state = MODEM_OPENING; /* its closing takes its time */
		pass(8);
	}
	assert_int_equal(modem.opens, 1);
	assert_int_equal(link_state(), LINK_WAITING);
	modem_becomes(MODEM_JOINED, MODEM_FINE);
	assert_int_equal(modem.opens, 2);
}

static void what_was_being_sent_is_forgotten(void **state)
{
	(void)state;
	reach(LINK_ONLINE);
	session.wanted = 1;
	modem.is_held = true;
	run(100);
	modem.is_held = false;
	suffer(failure_named("closed"));
	assert_int_equal(session.sents, 0);
	reach(LINK_ONLINE);
	run(1000);
	assert_int_equal(session.sents, 0);
	assert_int_equal(modem.packets, 5); /* the message, and twice CONNECT and SUBSCRIBE */
	run(13000);
	ASSERT_LAST_PACKET(PINGREQ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_in_every_state_is_got_over),
		cmocka_unit_test(an_unanswered_message_ends_the_session_though_others_go_out),
		cmocka_unit_test_setup(answers_to_nothing_do_not_keep_an_attempt, start),
		cmocka_unit_test_setup(answers_keep_a_session, start),
		cmocka_unit_test(each_failure_waits_twice_as_long),
		cmocka_unit_test(waiting_is_spread_by_chance),
		cmocka_unit_test(a_steady_session_ends_the_row),
		cmocka_unit_test(five_connections_that_fail_reset_the_module),
		cmocka_unit_test_setup(a_session_ends_the_row_of_connections_that_fail, start),
		cmocka_unit_test_setup(nothing_is_asked_of_a_modem_that_is_still_closing, start),
		cmocka_unit_test_setup(what_was_being_sent_is_forgotten, start),
	};
	return cmocka_run_group_tests_name("link_failure", tests, NULL, NULL);
}
