/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link_test: the whole way to a session, what goes out and comes in while it lasts, and what stop, restart and scan do to it. What
 * ends it by itself: link_failure_test.
 */
#include "link_fixture.h"

/* ---- the way to a session ---- */

static void the_whole_way(void **state)
{
	for (size_t i = 0; i < COUNT(moments); i++) {
		start_at(moments[i], 1);
		assert_int_equal(modem.starts, 1);
		reach(LINK_JOINING);
		assert_string_equal(status(), "link: connecting\n");
		reach(LINK_OPENING);
		assert_int_equal(modem.opens, 1);
		assert_int_equal(modem.packets, 0);
		reach(LINK_SIGNING_IN);
		ASSERT_LAST_PACKET("\x10\x50\x00\x04MQTT\x04\xEE\x00\x1E\x00\x0Bliving/uno1\x00\x19living/uno1/device/status"
		                   "\x00\x07offline\x00\x0Bliving/uno1\x00\x06s3cret");
		assert_string_equal(status(), "link: connecting\n");
		reach(LINK_SUBSCRIBING);
		ASSERT_LAST_PACKET("\x82\x16\x00\x01\x00\x11living/uno1/+/set\x00");
		assert_int_equal(session.onlines + session.nexts, 0);
		reach(LINK_ONLINE);
		assert_string_equal(status(), "link: online\n");
		run(5000);
		assert_int_equal(session.onlines, 1);
		assert_int_equal(modem.packets, 2);
		assert_int_equal(modem.starts + modem.opens, 2);
		assert_int_equal(session.offlines + modem.closes, 0);
	}
	(void)state;
}

static void no_user_without_a_secret(void **state)
{
	(void)state;
	settings.secret[0] = '\0';
	settings.keepalive_s = 600;
	reach(LINK_SIGNING_IN);
	ASSERT_LAST_PACKET(
		"\x10\x3B\x00\x04MQTT\x04\x2E\x02\x58\x00\x0Bliving/uno1\x00\x19living/uno1/device/status\x00\x07offline");
}

static void bytes_may_come_one_by_one(void **state)
{
	(void)state;
	modem.is_slow = true;
	reach(LINK_ONLINE);
	FEED("\x31\x07\x00\x03r/s12\x30\x0A\x00\x05l/u/d"
	     "on!\x40\x02\x00\x05");
	assert_string_equal(session.received, "r/s 12\nl/u/d on!\n");
	assert_int_equal(modem.packets, 2); /* commands are not acknowledged */
	assert_int_equal(session.acknowledged_count, 1);
}

static void what_comes_without_a_connection_is_not_read(void **state)
{
	(void)state;
	FEED("\xFF\xFF" CONNACK); /* JOINING */
	reach(LINK_OPENING);
	FEED("\x31\x07\x00\x03r/s12\xFF");
	assert_string_equal(session.received, "");
	reach(LINK_ONLINE);
}

/* ---- what goes out ---- */

static void messages_are_published(void **state)
{
	(void)state;
	reach(LINK_ONLINE);
	session.wanted = 2;
	modem.is_held = true;
	run(1000);
	ASSERT_LAST_PACKET("\x33\x0B\x00\x03"
	                   "a/b\x00\x05"
	                   "23.5");
	assert_int_equal(session.wanted, 1); /* one at a time */
	assert_int_equal(session.sents, 0);
	FEED("\x40\x02\x00\x05"); /* before the modem says that it is out */
	assert_int_equal(session.acknowledged_count, 1);
	assert_int_equal(session.acknowledged[0], 5);
	session.packet_id = 0;
	modem.is_held = false;
	pass(1);
	assert_int_equal(session.sents, 1);
	run(100);
	ASSERT_LAST_PACKET("\x31\x09\x00\x03"
	                   "a/b23.5");
	assert_int_equal(session.sents, 2);
	run(LINK_ANSWER_MS + 1000); /* of a QoS 0 message nothing is waited for, of the ping behind it */
	ASSERT_LAST_PACKET(PINGREQ);
	assert_int_equal(link_state(), LINK_ONLINE);
}

static void pings_come_at_a_little_less_than_half_the_keepalive(void **state)
{
	static const uint16_t keepalives[] = {10, 30, 60, 600};

	for (size_t i = 0; i < COUNT(keepalives) * COUNT(moments); i++) {
		uint32_t keepalive = 1000u * keepalives[i % COUNT(keepalives)];
		start_at(moments[i / COUNT(keepalives)], 1);
		settings.keepalive_s = keepalives[i % COUNT(keepalives)];
		reach(LINK_ONLINE);
		for (unsigned n = 0; n < 8; n++) {
			uint32_t last_ms = modem.sent_ms;
			for (unsigned packets = modem.packets; modem.packets == packets; pass(8))
				assert_true(now - last_ms <= keepalive / 2);
			assert_true(modem.sent_ms - last_ms >= keepalive * 2 / 5);
			ASSERT_LAST_PACKET(PINGREQ);
			session.wanted = n & 1; /* what goes out in between counts as well */
			FEED(PINGRESP);
			FEED("\x40\x02\x00\x05");
			run(1000);
		}
		assert_int_equal(session.sents, 4);
		assert_int_equal(session.offlines, 0);
	}
	(void)state;
}

/* ---- what comes in ---- */

static void bring_messages(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		FEED("\x30\x04\x00\x01t1");
}

/* Sixty at once, also while something else is being sent: all are heard, and nothing is answered. */
static void a_burst_is_heard(void **state)
{
	(void)state;
	reach(LINK_ONLINE);
	modem.is_held = true;
	session.wanted = 1;
	pass(1);
	bring_messages(30);
	run(100);
	modem.is_held = false;
	bring_messages(30);
	run(100);
	assert_int_equal(strlen(session.received), 60 * 4);
	assert_int_equal(modem.packets, 3); /* CONNECT, SUBSCRIBE, and what was wanted */
	assert_int_equal(link_state(), LINK_ONLINE);
}

static void messages_may_come_before_the_suback(void **state)
{
	(void)state;
	reach(LINK_SUBSCRIBING);
	bring_messages(2);
	FEED(SUBACK);
	assert_int_equal(link_state(), LINK_ONLINE);
	assert_int_equal(strlen(session.received), 2 * 4);
}

/* But not before the CONNACK. */
static void messages_before_the_connack_are_not_mqtt(void **state)
{
	(void)state;
	reach(LINK_SIGNING_IN);
	bring_messages(1);
	run(100);
	assert_int_equal(link_state(), LINK_WAITING);
	assert_int_equal(strlen(session.received), 0);
}

/* ---- for people ---- */

/* Brings the link from its start to a state, the waiting and the scanning too. */
static void arrive(enum link_state state)
{
	if (state == LINK_WAITING) {
		modem_becomes(MODEM_FAILED, MODEM_LEFT);
	} else if (state == LINK_SCANNING) {
		link_scan();
		pass(1);
	} else {
		reach(state);
	}
	assert_int_equal(link_state(), state);
}

static void a_stopped_link_stays_stopped(void **state)
{
	for (enum link_state at = LINK_WAITING; at <= LINK_ONLINE; at++) {
		start(state);
		arrive(at);
		link_stop();
		assert_string_equal(status(),
		                    at == LINK_WAITING ? "link: stopped\ntrouble: network lost\n" : "link: stopped\n");
		assert_int_equal(session.offlines, at == LINK_ONLINE);
		assert_int_equal(modem.closing, at >= LINK_OPENING);
		unsigned starts = modem.starts, opens = modem.opens, packets = modem.packets;
		run(60000);
		modem_becomes(MODEM_FAILED, MODEM_LEFT);
		run(60000);
		assert_int_equal(modem.starts + modem.opens + modem.packets, starts + opens + packets);
		assert_int_equal(session.offlines, at == LINK_ONLINE);
		link_restart();
		assert_int_equal(modem.starts, starts + 1);
		reach(LINK_ONLINE);
	}
}

static void a_restart_begins_with_the_module(void **state)
{
	for (enum link_state at = LINK_WAITING; at <= LINK_ONLINE; at++) {
		start(state);
		arrive(at);
		unsigned starts = modem.starts;
		link_restart();
		assert_int_equal(modem.starts, starts + 1);
		assert_int_equal(link_state(), LINK_JOINING);
		assert_int_equal(session.offlines, at == LINK_ONLINE);
		assert_string_equal(status(), "link: connecting\n"); /* and the trouble of before is over */
		reach(LINK_ONLINE);
		assert_int_equal(session.scans, 0);
	}
}

static void a_scan_looks_once_and_begins_anew(void **state)
{
	static const enum modem_trouble troubles[] = {MODEM_FINE, MODEM_FAULT};

	for (size_t i = 0; i < 2 * (LINK_ONLINE + 1); i++) {
		start(state);
		arrive((enum link_state)(i / 2));
		unsigned starts = modem.starts, scans = modem.scans;
		if (i / 2 != LINK_SCANNING)
			link_scan();
		assert_int_equal(session.offlines, i / 2 == LINK_ONLINE);
		run(1000);
		assert_int_equal(modem.scans, i / 2 == LINK_SCANNING ? scans : scans + 1);
		assert_int_equal(modem.starts, starts);
		assert_int_equal(session.scans, 0);
		assert_string_equal(status(), "link: connecting\n");
		modem_becomes(MODEM_FAILED, troubles[i % 2]);
		assert_int_equal(session.scans, 1);
		assert_int_equal(session.scanned, troubles[i % 2]);
		assert_int_equal(modem.starts, starts + 1);
		reach(LINK_ONLINE);
		assert_int_equal(session.scans, 1);
	}
}

static void nothing_is_tried_while_settings_are_missing(void **state)
{
	(void)state;
	settings.location[0] = '\0';
	modem_becomes(MODEM_JOINED, MODEM_FINE);
	run(60000);
	modem_becomes(MODEM_FAILED, MODEM_NO_NETWORK);
	run(60000);
	assert_int_equal(modem.opens + modem.packets, 0);
	assert_int_equal(modem.starts, 1); /* link_init's */
	assert_string_equal(status(), "link: stopped\n");
	link_scan();
	modem_becomes(MODEM_FAILED, MODEM_FINE);
	assert_int_equal(session.scans, 1);
	modem_becomes(MODEM_JOINED, MODEM_FINE);
	run(60000);
	assert_int_equal(modem.opens, 0);
	strcpy(settings.location, "hall");
	link_restart();
	reach(LINK_SUBSCRIBING);
	ASSERT_LAST_PACKET("\x82\x14\x00\x01\x00\x0Fhall/uno1/+/set\x00");
}

static void the_user_is_location_and_device(void **state)
{
	struct packet packet = {.sink = {packet_put}};

	(void)state;
	strcpy(settings.location, "거실");
	link_write_user(&packet.sink, &settings);
	assert_int_equal(packet.length, strlen("거실/uno1"));
	assert_memory_equal(packet.bytes, "거실/uno1", packet.length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_whole_way, start),
		cmocka_unit_test_setup(no_user_without_a_secret, start),
		cmocka_unit_test_setup(bytes_may_come_one_by_one, start),
		cmocka_unit_test_setup(what_comes_without_a_connection_is_not_read, start),
		cmocka_unit_test_setup(messages_are_published, start),
		cmocka_unit_test(pings_come_at_a_little_less_than_half_the_keepalive),
		cmocka_unit_test_setup(a_burst_is_heard, start),
		cmocka_unit_test_setup(messages_before_the_connack_are_not_mqtt, start),
		cmocka_unit_test_setup(messages_may_come_before_the_suback, start),
		cmocka_unit_test(a_stopped_link_stays_stopped),
		cmocka_unit_test(a_restart_begins_with_the_module),
		cmocka_unit_test(a_scan_looks_once_and_begins_anew),
		cmocka_unit_test_setup(nothing_is_tried_while_settings_are_missing, start),
		cmocka_unit_test_setup(the_user_is_location_and_device, start),
	};
	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
