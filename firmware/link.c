/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * link: see link.h. One packet is sent at a time; what comes in is parsed as it arrives, also in the middle of sending, and leaves
 * only flags behind, which the next poll acts on.
 */
#include "link.h"

#include "flash.h"

/* Moments are counted in ticks of 64 ms in 16 bits: all that is waited for is far less than the 70 minutes of their wrap. */
#define TICKS(ms)      ((uint16_t)((ms) / 64))
#define WAIT_LEAST     TICKS(1024)
#define DOUBLINGS      4             /* of WAIT_LEAST: at most 16 s, ± a quarter */
#define STEADY         TICKS(30000u) /* a session that lasted so long ends a row of failures */
#define ANSWER         TICKS(LINK_ANSWER_MS)
#define OPENS_IN_A_ROW 5 /* that may fail before the module is reset */
#define SUBSCRIBE_ID   1

/* Why the last session or attempt ended, when it was not the modem. */
enum ending { ENDED_MODEM, ENDED_REFUSED, ENDED_PROTOCOL, ENDED_SILENCE };

enum packet { PACKET_CONNECT, PACKET_SUBSCRIBE, PACKET_PUBLISH, PACKET_PING };

static struct {
	const struct settings *settings;
	uint16_t tick;       /* of this poll */
	uint16_t state_tick; /* when the state began */
	uint16_t sent_tick;  /* when the last packet went out */
	uint16_t asked_tick; /* when the oldest answer that is still missing was asked for */
	uint16_t wait;       /* of WAITING */
	uint16_t random;     /* never 0 */
	uint8_t failures;    /* in a row */
	uint8_t opens_failed;
	enum link_state state;
	enum ending ending;
	enum modem_trouble trouble;
	enum packet packet;
	bool sending, asked, answered, refused, broken, scan, stopped;
	struct mqtt_publish publish;
	struct mqtt_in in;
} self;

/* The time that has passed since a moment. */
static uint16_t since(uint16_t tick)
{
	return (uint16_t)(self.tick - tick);
}

/* ---- packets out ---- */

void link_write_user(struct sink *sink, const struct settings *settings)
{
	text_string(sink, settings->location);
	text_put(sink, '/');
	text_string(sink, settings->device);
}

static void write_filter(struct sink *sink, const void *context)
{
	link_write_user(sink, context);
	text_flash(sink, FLASH_TEXT("/+/set"));
}

/* Of a CONNECT: `which` points to a uint8_t that is an enum mqtt_text. */
static void write_text(struct sink *sink, const void *which)
{
	const uint8_t text = *(const uint8_t *)which;

	if (text == MQTT_WILL) {
		text_flash(sink, FLASH_TEXT("offline"));
	} else if (text == MQTT_PASSWORD) {
		text_string(sink, self.settings->secret);
	} else {
		link_write_user(sink, self.settings);
		if (text == MQTT_WILL_TOPIC)
			text_flash(sink, FLASH_TEXT("/device/status"));
	}
}

static void write_packet(struct sink *sink, const void *context)
{
	struct text_source filter = {write_filter, self.settings};

	(void)context;
	switch (self.packet) {
	case PACKET_CONNECT:
		/* A broker without accounts asks for no user. */
		mqtt_write_connect(sink, write_text, self.settings->secret[0] != '\0', self.settings->keepalive_s);
		break;
	case PACKET_SUBSCRIBE:
		mqtt_write_subscribe(sink, SUBSCRIBE_ID, &filter, 0);
		break;
	case PACKET_PUBLISH:
		mqtt_write_publish(sink, &self.publish);
		break;
	case PACKET_PING:
		mqtt_write_pingreq(sink);
		break;
	}
}

static void send(enum packet packet)
{
	static const struct text_source source = {write_packet, NULL};

	self.packet = packet;
	self.sending = true;
	self.sent_tick = self.tick;
	if (!self.asked && (packet != PACKET_PUBLISH || self.publish.packet_id != 0)) {
		self.asked = true;
		self.asked_tick = self.tick;
	}
	modem_send(&source);
}

/* ---- states ---- */

static void enter(enum link_state state)
{
	self.state = state;
	self.state_tick = self.tick;
}

/* Marsaglia's xorshift of 16 bits. */
static uint16_t random_next(void)
{
	self.random ^= (uint16_t)(self.random << 7);
	self.random ^= (uint16_t)(self.random >> 9);
	self.random ^= (uint16_t)(self.random << 8);
	return self.random;
}

static void wait(void)
{
	uint16_t wait = WAIT_LEAST;

	for (uint8_t i = 0; i < self.failures; i++)
		wait = (uint16_t)(wait * 2);
	if (self.failures < DOUBLINGS)
		self.failures++;
	/* Three quarters, and up to half more by chance. */
	self.wait = (uint16_t)(wait - wait / 4 + (random_next() & (wait / 2 - 1)));
	enter(LINK_WAITING);
}

/* What was under way is over. */
static void forget_session(void)
{
	if (self.state == LINK_ONLINE)
		link_offline();
	self.sending = self.asked = self.answered = self.broken = false;
}

/* The attempt or session is over. */
static void end(enum ending ending)
{
	self.ending = ending;
	self.trouble = modem_trouble();
	if (self.state == LINK_ONLINE)
		self.opens_failed = 0;
	else
		self.opens_failed++;
	forget_session();
	wait();
	modem_close();
}

static void open(void)
{
	enter(LINK_OPENING);
	modem_open(self.settings->broker, self.settings->port);
}

static void start(void)
{
	struct modem_network network = {self.settings->ssid, self.settings->key};

	self.opens_failed = 0;
	if (!self.scan && settings_missing(self.settings) != NULL) {
		enter(LINK_WAITING);
		return;
	}
	enter(self.scan ? LINK_SCANNING : LINK_JOINING);
	modem_start(self.scan ? NULL : &network);
	self.scan = false;
}

/* ---- what comes in ---- */

void modem_received(uint8_t byte)
{
	enum mqtt_event event;

	if (self.state < LINK_SIGNING_IN || self.broken)
		return;
	event = mqtt_feed(&self.in, byte);
	switch (event) {
	case MQTT_NOTHING:
		return;
	case MQTT_CONNACK:
	case MQTT_SUBACK:
		/* Each once, and in its state. */
		self.broken = self.answered || self.state != (event == MQTT_CONNACK ? LINK_SIGNING_IN : LINK_SUBSCRIBING);
		self.refused = self.in.code != 0; /* accepted; granted QoS 0 */
		self.answered = true;
		break;
	case MQTT_PUBLISH:
		/* One may come before the SUBACK, but not before the CONNACK; it says nothing about what we asked. */
		if (self.state == LINK_SIGNING_IN && !self.answered) {
			self.broken = true;
			return;
		}
		link_received(&self.in);
		return;
	case MQTT_PUBACK:
		link_acknowledged(self.in.packet_id);
		/* fall through */
	case MQTT_PINGRESP:
		if (self.state != LINK_ONLINE)
			return;
		break;
	case MQTT_BROKEN:
		self.broken = true;
		return;
	}
	self.asked = false;
}

/* ---- what goes out ---- */

static void send_next(void)
{
	if (link_next(&self.publish)) {
		send(PACKET_PUBLISH);
	} else if (since(self.sent_tick) >= self.settings->keepalive_s * 7u) {
		send(PACKET_PING); /* at a little less than half of it */
	}
}

static void packet_out(void)
{
	self.sending = false;
	if (self.packet == PACKET_PUBLISH)
		link_sent();
}

/* The CONNACK or SUBACK has come. */
static void go_on_answered(void)
{
	self.answered = false;
	if (self.refused) {
		end(ENDED_REFUSED);
	} else if (self.state == LINK_SIGNING_IN) {
		enter(LINK_SUBSCRIBING);
		send(PACKET_SUBSCRIBE);
	} else {
		enter(LINK_ONLINE);
		link_online();
	}
}

/* The connection is open and nothing is being sent. */
static void go_on(void)
{
	if (self.sending)
		packet_out();
	if (self.state == LINK_OPENING) {
		mqtt_in_reset(&self.in);
		enter(LINK_SIGNING_IN);
		send(PACKET_CONNECT);
	} else if (self.answered) {
		go_on_answered();
	} else if (self.state == LINK_ONLINE) {
		send_next();
	}
}

/* ---- the round ---- */

static void poll_session(enum modem_state modem)
{
	if (modem == MODEM_JOINED || modem == MODEM_FAILED) {
		/* A broker that refuses closes the connection behind its word. */
		end(self.answered && self.refused ? ENDED_REFUSED : ENDED_MODEM);
	} else if (self.broken) {
		end(ENDED_PROTOCOL);
	} else if (self.asked && since(self.asked_tick) >= ANSWER) {
		end(ENDED_SILENCE);
	} else if (modem == MODEM_OPEN) {
		go_on();
	}
	if (self.state == LINK_ONLINE && since(self.state_tick) >= STEADY)
		self.failures = 0;
}

void link_poll(uint32_t now_ms)
{
	enum modem_state modem = modem_poll((uint16_t)now_ms);

	self.tick = (uint16_t)(now_ms >> 6);
	if (self.state != LINK_SCANNING && (self.stopped || settings_missing(self.settings) != NULL))
		return;
	switch (self.state) {
	case LINK_WAITING:
		if (since(self.state_tick) < self.wait)
			return;
		if (modem == MODEM_FAILED || self.opens_failed >= OPENS_IN_A_ROW)
			start();
		else if (modem == MODEM_JOINED)
			open();
		break;
	case LINK_SCANNING:
		if (modem == MODEM_FAILED) {
			link_scanned(modem_trouble());
			start();
		}
		break;
	case LINK_JOINING:
		if (modem == MODEM_FAILED)
			end(ENDED_MODEM);
		else if (modem == MODEM_JOINED)
			open();
		break;
	default:
		poll_session(modem);
	}
}

void link_stop(void)
{
	forget_session();
	modem_close();
	self.stopped = true;
	enter(LINK_WAITING);
}

void link_restart(void)
{
	link_stop();
	self.stopped = false;
	self.failures = 0;
	start();
}

void link_scan(void)
{
	self.scan = true;
	link_restart();
}

void link_init(const struct settings *settings, uint16_t seed)
{
	memset(&self, 0, sizeof self);
	self.settings = settings;
	self.random = seed | 1;
	start();
}

enum link_state link_state(void)
{
	return self.state;
}

/* ---- for people ---- */

static const char *ending_text(void)
{
	switch (self.ending) {
	case ENDED_REFUSED:
		return FLASH_TEXT("user or secret refused");
	case ENDED_PROTOCOL:
		return FLASH_TEXT("not MQTT");
	case ENDED_SILENCE:
		return FLASH_TEXT("the broker did not answer");
	default:
		return modem_trouble_text(self.trouble);
	}
}

void link_write_status(struct sink *sink)
{
	text_flash(sink, FLASH_TEXT("link: "));
	text_flash(sink, self.state == LINK_ONLINE                                 ? FLASH_TEXT("online")
	                 : self.stopped || settings_missing(self.settings) != NULL ? FLASH_TEXT("stopped")
	                                                                           : FLASH_TEXT("connecting"));
	if (self.failures > 0 && self.state != LINK_ONLINE) {
		text_flash(sink, FLASH_TEXT("\ntrouble: "));
		text_flash(sink, ending_text());
	}
	text_put(sink, '\n');
}
