/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link_fixture: what surrounds the link in its tests. The modem is faked; the test is the broker behind it and reads and writes MQTT
 * as bytes. What is sent is rendered twice, when it is handed over and when it is out, and must be the same; that the modem is
 * asked only for what its state allows, and never from within modem_received, is held here.
 */
#ifndef TEST_FIRMWARE_LINK_FIXTURE_H
#define TEST_FIRMWARE_LINK_FIXTURE_H

#include "link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct settings settings;
static uint32_t now;
static uint32_t waiting_ms; /* when the link began to wait */

/* ---- the modem ---- */

struct packet {
	struct sink sink;
	size_t length;
	char bytes[256];
};

static struct {
	enum modem_state state;
	enum modem_trouble trouble;
	unsigned starts, scans, opens, closes, packets;
	bool is_held, is_slow; /* stays SENDING; receives one byte a pass */
	bool closing, receiving;
	const struct text_source *source;
	struct packet packet; /* the last */
	uint32_t sent_ms;     /* when it was handed over */
	char in[256];
	size_t in_length;
} modem;

static void packet_put(struct sink *sink, uint8_t byte)
{
	struct packet *packet = (struct packet *)sink;

	assert_true(packet->length < sizeof packet->bytes);
	packet->bytes[packet->length++] = (char)byte;
}

static struct packet render(void)
{
	struct packet packet = {.sink = {packet_put}};

	modem.source->write(&packet.sink, modem.source->context);
	return packet;
}

void modem_start(const struct modem_network *network)
{
	assert_false(modem.receiving);
	modem.state = MODEM_JOINING;
	if (network == NULL) {
		modem.scans++;
		return;
	}
	modem.starts++;
	assert_ptr_equal(network->ssid, settings.ssid);
	assert_ptr_equal(network->key, settings.key);
}

static void receive(size_t count)
{
	modem.receiving = true;
	for (size_t i = 0; i < count; i++)
		modem_received((uint8_t)modem.in[i]);
	modem.receiving = false;
	modem.in_length -= count;
	memmove(modem.in, modem.in + count, modem.in_length);
}

enum modem_state modem_poll(uint16_t now_ms)
{
	assert_int_equal(now_ms, (uint16_t)now);
	receive(modem.is_slow && modem.in_length > 1 ? 1 : modem.in_length);
	if (modem.state == MODEM_SENDING) {
		struct packet packet = render();
		assert_int_equal(packet.length, modem.packet.length);
		assert_memory_equal(packet.bytes, modem.packet.bytes, packet.length);
		if (!modem.is_held)
			modem.state = MODEM_OPEN;
	}
	if (modem.closing) {
		modem.closing = false;
		modem.state = MODEM_JOINED;
	}
	return modem.state;
}

void modem_open(const char *host, uint16_t port)
{
	assert_false(modem.receiving);
	assert_int_equal(modem.state, MODEM_JOINED);
	assert_string_equal(host, settings.broker);
	assert_int_equal(port, settings.port);
	modem.opens++;
	modem.state = MODEM_OPENING;
}

void modem_send(const struct text_source *source)
{
	assert_false(modem.receiving);
	assert_int_equal(modem.state, MODEM_OPEN);
	modem.source = source;
	modem.packet = render();
	modem.packets++;
	modem.sent_ms = now;
	modem.state = MODEM_SENDING;
}

void modem_close(void)
{
	assert_false(modem.receiving);
	modem.closes++;
	modem.closing = modem.state == MODEM_OPENING || modem.state == MODEM_OPEN || modem.state == MODEM_SENDING;
	if (modem.closing)
		modem.state = MODEM_OPENING;
}

enum modem_trouble modem_trouble(void)
{
	return modem.trouble;
}

/* ---- whose session it is ---- */

static struct {
	unsigned onlines, offlines, nexts, sents, scans;
	unsigned wanted; /* messages that link_next still has */
	uint16_t packet_id;
	uint16_t acknowledged[32];
	unsigned acknowledged_count;
	char received[512]; /* "topic payload\n" each */
	enum modem_trouble scanned;
} session;

void link_online(void)
{
	session.onlines++;
}

void link_offline(void)
{
	session.offlines++;
}

static void write_text(struct sink *sink, const void *context)
{
	text_string(sink, context);
}

bool link_next(struct mqtt_publish *publish)
{
	session.nexts++;
	if (session.wanted == 0)
		return false;
	session.wanted--;
	*publish = (struct mqtt_publish){{write_text, "a/b"}, {write_text, "23.5"}, session.packet_id, true, false};
	return true;
}

void link_sent(void)
{
	session.sents++;
}

void link_acknowledged(uint16_t packet_id)
{
	session.acknowledged[session.acknowledged_count++ % COUNT(session.acknowledged)] = packet_id;
}

void link_received(const struct mqtt_in *in)
{
	size_t length = strlen(session.received);

	snprintf(session.received + length, sizeof session.received - length, "%.*s %.*s\n", in->topic_length, in->topic,
	         in->payload_length, in->payload);
}

void link_scanned(enum modem_trouble trouble)
{
	session.scans++;
	session.scanned = trouble;
}

/* ---- the course of things ---- */

#define CONNACK  "\x20\x02\x00\x00"
#define SUBACK   "\x90\x03\x00\x01\x00"
#define PINGREQ  "\xC0\x00"
#define PINGRESP "\xD0\x00"

static void pass(uint32_t milliseconds)
{
	bool waited = link_state() == LINK_WAITING;

	now += milliseconds;
	link_poll(now);
	if (!waited && link_state() == LINK_WAITING)
		waiting_ms = now;
}

static void run(uint32_t milliseconds)
{
	for (uint32_t i = 0; i < milliseconds; i += 8)
		pass(8);
}

static void bring(const char *bytes, size_t length)
{
	assert_true(modem.in_length + length <= sizeof modem.in);
	memcpy(modem.in + modem.in_length, bytes, length);
	modem.in_length += length;
}

/* The broker sends these bytes. */
static void feed(const char *bytes, size_t length)
{
	bring(bytes, length);
	do
		pass(1);
	while (modem.in_length > 0);
	run(16); /* what follows from it goes out */
}

#define FEED(literal) feed(literal, sizeof(literal) - 1)

static inline void assert_last_packet(const char *bytes, size_t length)
{
	assert_int_equal(modem.packet.length, length);
	assert_memory_equal(modem.packet.bytes, bytes, length);
}

#define ASSERT_LAST_PACKET(literal) assert_last_packet(literal, sizeof(literal) - 1)

static void modem_becomes(enum modem_state state, enum modem_trouble trouble)
{
	modem.state = state;
	modem.trouble = trouble;
	run(16);
}

/* Until the waiting is over; how long it was. */
static uint32_t wait_over(void)
{
	while (link_state() == LINK_WAITING) {
		pass(8);
		assert_true(now - waiting_ms < 25000);
	}
	return now - waiting_ms;
}

/* Goes on to a state with all going well. */
static void reach(enum link_state state)
{
	if (link_state() == LINK_WAITING)
		wait_over();
	if (link_state() == LINK_JOINING && state > LINK_JOINING)
		modem_becomes(MODEM_JOINED, MODEM_FINE);
	if (link_state() == LINK_OPENING && state > LINK_OPENING)
		modem_becomes(MODEM_OPEN, MODEM_FINE);
	if (link_state() == LINK_SIGNING_IN && state > LINK_SIGNING_IN)
		FEED(CONNACK);
	if (link_state() == LINK_SUBSCRIBING && state > LINK_SUBSCRIBING)
		FEED(SUBACK);
	assert_int_equal(link_state(), state);
}

static void start_at(uint32_t moment, uint16_t seed)
{
	memset(&modem, 0, sizeof modem);
	memset(&session, 0, sizeof session);
	session.packet_id = 5;
	settings_default(&settings);
	strcpy(settings.ssid, "home");
	strcpy(settings.key, "12345678");
	strcpy(settings.broker, "broker.lan");
	strcpy(settings.location, "living");
	strcpy(settings.device, "uno1");
	strcpy(settings.secret, "s3cret");
	settings.keepalive_s = 30;
	now = moment;
	link_init(&settings, seed);
	pass(1);
}

static inline int start(void **state)
{
	(void)state;
	start_at(0, 1);
	return 0;
}

static inline const char *status(void)
{
	static struct packet packet;

	packet = (struct packet){.sink = {packet_put}};
	link_write_status(&packet.sink);
	packet_put(&packet.sink, '\0');
	return packet.bytes;
}

/* Where 16 bits of milliseconds, 16 bits of 64 ms, 31 and 32 bits wrap soon, or while something is waited for. */
static const uint32_t moments[] = {
	0,          65536 - 40,      65536 - 9000,      (1u << 22) - 40,   (1u << 22) - 9000, (1u << 22) - 22000,
	0x7FFFF000, UINT32_MAX - 40, UINT32_MAX - 9000, UINT32_MAX - 22000};

#endif
