/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mqtt_test: packets as MQTT 3.1.1 (OASIS standard, 29 October 2014) has them, written out by hand from its text, whose sections
 * the comments name. Those that come in are fed in every split into two reads, and told as text: see tell().
 */
#include "mqtt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

_Static_assert(sizeof(struct mqtt_in) <= 116, "it has to fit into a small RAM");

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* ---- out ---- */

struct collector {
	struct sink sink;
	size_t count;
	uint8_t bytes[65535];
};

static struct collector out;

static void collect(struct sink *sink, uint8_t byte)
{
	struct collector *collector = (struct collector *)sink;

	assert_true(collector->count < sizeof collector->bytes);
	collector->bytes[collector->count++] = byte;
}

static struct sink *fresh_sink(void)
{
	out.sink.put = collect;
	out.count = 0;
	return &out.sink;
}

static void write_text(struct sink *sink, const void *context)
{
	text_string(sink, context);
}

static struct text_source text(const char *string)
{
	return (struct text_source){write_text, string};
}

/* A uint16_t's worth of one byte. */
static void write_many(struct sink *sink, const void *context)
{
	const uint16_t *count = context;

	for (uint16_t i = 0; i < *count; i++)
		text_put(sink, 'x');
}

static void assert_out(const uint8_t *bytes, size_t count)
{
	assert_int_equal(out.count, count);
	assert_memory_equal(out.bytes, bytes, count);
}

/* By enum mqtt_text. */
static const char *connect_texts[] = {
	[MQTT_CLIENT_ID] = "hearth-1", [MQTT_WILL_TOPIC] = "a/b",  [MQTT_WILL] = "offline",
	[MQTT_USER] = "hall/uno",      [MQTT_PASSWORD] = "secret",
};

static void write_connect_text(struct sink *sink, const void *which)
{
	const uint8_t text = *(const uint8_t *)which;

	assert_in_range(text, MQTT_CLIENT_ID, MQTT_PASSWORD);
	text_string(sink, connect_texts[text]);
}

static void connect_with_a_user(void **state)
{
	(void)state;
	mqtt_write_connect(fresh_sink(), write_connect_text, true, 300);
	assert_out(BYTES(0x10, 0x34,                     /* 3.1.1: type 1; 10 + 10 + 5 + 9 + 10 + 8 = 52 bytes remain */
	                 0x00, 0x04, 'M', 'Q', 'T', 'T', /* 3.1.2.1: protocol name */
	                 0x04,                           /* 3.1.2.2: level 4 */
	                 0xEE,       /* 3.1.2.3: user, password, Will retained, Will QoS 1, Will, clean session */
	                 0x01, 0x2C, /* 3.1.2.10: 300 s */
	                 0x00, 0x08, 'h', 'e', 'a', 'r', 't', 'h', '-', '1', /* 3.1.3.1: client identifier */
	                 0x00, 0x03, 'a', '/', 'b',                          /* 3.1.3.2: Will topic */
	                 0x00, 0x07, 'o', 'f', 'f', 'l', 'i', 'n', 'e',      /* 3.1.3.3: Will message */
	                 0x00, 0x08, 'h', 'a', 'l', 'l', '/', 'u', 'n', 'o', /* 3.1.3.4: user name */
	                 0x00, 0x06, 's', 'e', 'c', 'r', 'e', 't'            /* 3.1.3.5: password */
	                 ));
}

static void connect_without_a_user(void **state)
{
	(void)state;
	mqtt_write_connect(fresh_sink(), write_connect_text, false, 65535);
	assert_out(BYTES(0x10, 0x22, 0x00, 0x04, 'M', 'Q', 'T', 'T', 0x04, 0x2E, 0xFF, 0xFF, 0x00, 0x08, 'h', 'e', 'a', 'r',
	                 't', 'h', '-', '1', 0x00, 0x03, 'a', '/', 'b', 0x00, 0x07, 'o', 'f', 'f', 'l', 'i', 'n', 'e'));
}

static void publish(void **state)
{
	(void)state;
	struct mqtt_publish publish = {.topic = text("a/b"), .payload = text("23.5")};

	/* 3.3.1: QoS 0 is type 3 with no flags, and (3.3.2.2) has no identifier. */
	mqtt_write_publish(fresh_sink(), &publish);
	assert_out(BYTES(0x30, 0x09, 0x00, 0x03, 'a', '/', 'b', '2', '3', '.', '5'));

	/* 3.3.1.1: DUP must be 0 with QoS 0. */
	publish.again = true;
	publish.retain = true;
	mqtt_write_publish(fresh_sink(), &publish);
	assert_out(BYTES(0x31, 0x09, 0x00, 0x03, 'a', '/', 'b', '2', '3', '.', '5'));

	/* Table 3.11: DUP, QoS 1, RETAIN are bits 3, 2 and 1, 0. Figure 3.11 has this topic and identifier. */
	publish.packet_id = 10;
	mqtt_write_publish(fresh_sink(), &publish);
	assert_out(BYTES(0x3B, 0x0B, 0x00, 0x03, 'a', '/', 'b', 0x00, 0x0A, '2', '3', '.', '5'));

	publish.again = publish.retain = false;
	publish.packet_id = 0xABCD;
	publish.payload = text(""); /* 3.3.3: a payload may be empty. */
	mqtt_write_publish(fresh_sink(), &publish);
	assert_out(BYTES(0x32, 0x07, 0x00, 0x03, 'a', '/', 'b', 0xAB, 0xCD));
}

static void the_short_ones(void **state)
{
	(void)state;
	const struct text_source filter = text("a/b");

	/* 3.8.1: type 8 with flags 0010; 3.8.3: filter, requested QoS. Figure 3.23's first filter. */
	mqtt_write_subscribe(fresh_sink(), 10, &filter, 1);
	assert_out(BYTES(0x82, 0x08, 0x00, 0x0A, 0x00, 0x03, 'a', '/', 'b', 0x01));
	mqtt_write_subscribe(fresh_sink(), 0xFFFF, &filter, 0);
	assert_out(BYTES(0x82, 0x08, 0xFF, 0xFF, 0x00, 0x03, 'a', '/', 'b', 0x00));
	/* 3.4 */
	mqtt_write_puback(fresh_sink(), 0x1234);
	assert_out(BYTES(0x40, 0x02, 0x12, 0x34));
	/* 3.12 */
	mqtt_write_pingreq(fresh_sink());
	assert_out(BYTES(0xC0, 0x00));
}

/* Table 2.4: where the remaining length gets a byte more. Those that may come in are also read back. */
static void remaining_lengths(void **state)
{
	(void)state;
	static const struct {
		uint16_t remaining;
		uint8_t coded[3];
		uint8_t count;
	} cases[] = {
		{4, {0x04}, 1},
		{126, {0x7E}, 1},
		{127, {0x7F}, 1},
		{128, {0x80, 0x01}, 2},
		{129, {0x81, 0x01}, 2},
		{321, {0xC1, 0x02}, 2}, /* the example of 2.2.3 */
		{16383, {0xFF, 0x7F}, 2},
		{16384, {0x80, 0x80, 0x01}, 3},
		{65531, {0xFB, 0xFF, 0x03}, 3}, /* 65,535 bytes in all */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (uint16_t id = 0; id < 2; id++) {
			const uint16_t before = 3 + (id > 0 ? 2 : 0);
			if (cases[i].remaining < before)
				continue;
			const uint16_t many = (uint16_t)(cases[i].remaining - before);
			const struct mqtt_publish big = {.topic = text("t"), .payload = {write_many, &many}, .packet_id = id};
			struct mqtt_in in;

			mqtt_write_publish(fresh_sink(), &big);
			assert_int_equal(out.count, 1 + cases[i].count + cases[i].remaining);
			assert_memory_equal(out.bytes + 1, cases[i].coded, cases[i].count);
			if (cases[i].count > 2)
				continue; /* more than comes in */
			mqtt_in_reset(&in);
			for (size_t at = 0; at + 1 < out.count; at++)
				assert_int_equal(mqtt_feed(&in, out.bytes[at]), MQTT_NOTHING);
			assert_int_equal(mqtt_feed(&in, out.bytes[out.count - 1]), MQTT_PUBLISH);
			assert_int_equal(in.payload_length, many);
			assert_int_equal(in.packet_id, id);
			assert_int_equal(in.qos, id);
			assert_int_equal(in.topic_length, 1);
			assert_int_equal(in.topic[0], 't');
		}
}

/* ---- in ---- */

#define TOLD 2048

struct told {
	size_t length;
	char text[TOLD];
};

static void add(struct told *told, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	const int length = vsnprintf(told->text + told->length, TOLD - told->length, format, arguments);
	va_end(arguments);
	assert_in_range(length, 0, TOLD - told->length - 1);
	told->length += (size_t)length;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* "publish" is followed by r if retained, #identifier if QoS 1, then topic and payload as length:bytes. */
static void tell(struct told *told, const struct mqtt_in *in, enum mqtt_event event)
{
	switch (event) {
	case MQTT_NOTHING:
		break;
	case MQTT_CONNACK:
		add(told, " connack=%u", in->code);
		break;
	case MQTT_SUBACK:
		add(told, " suback#%u=%u", in->packet_id, in->code);
		break;
	case MQTT_PUBACK:
		add(told, " puback#%u", in->packet_id);
		break;
	case MQTT_PINGRESP:
		add(told, " pingresp");
		break;
	case MQTT_PUBLISH:
		assert_int_equal(in->qos, in->packet_id > 0);
		add(told, " publish%s", in->retain ? "r" : "");
		if (in->qos > 0)
			add(told, "#%u", in->packet_id);
		add(told, " %u:%.*s %u:%.*s", in->topic_length, least(in->topic_length, MQTT_TOPIC_MAX), in->topic,
		    in->payload_length, least(in->payload_length, MQTT_PAYLOAD_MAX), in->payload);
		break;
	case MQTT_BROKEN:
		add(told, " broken");
		break;
	}
}

/* See at_test.c's twin. Ends with the first "broken": whoever hears it feeds no more, though that would do no harm. */
static void feed(struct told *told, const uint8_t *bytes, size_t count, size_t split, int before)
{
	struct mqtt_in *first = malloc(sizeof *first);
	struct mqtt_in *second = malloc(sizeof *second);
	struct mqtt_in *in = first;
	struct mqtt_in other;

	assert_non_null(first);
	assert_non_null(second);
	told->length = 0;
	told->text[0] = '\0';
	memset(first, before, sizeof *first);
	mqtt_in_reset(first);
	for (size_t i = 0; i <= count; i++) {
		if (i == split) {
			memcpy(second, first, sizeof *second);
			memset(first, ~before, sizeof *first);
			in = second;
			mqtt_in_reset(&other);
			for (size_t j = 0; j < 20; j++)
				mqtt_feed(&other, (uint8_t) "\x32\x7F\x00\x05other\x01\x01 payload"[j]);
		}
		if (i == count)
			break;
		const enum mqtt_event event = mqtt_feed(in, bytes[i]);
		tell(told, in, event);
		if (event == MQTT_BROKEN) {
			for (unsigned n = 0; n < 100000; n++)
				mqtt_feed(in, (uint8_t)n);
			break;
		}
	}
	free(first);
	free(second);
}

static const struct {
	const char *what;
	const uint8_t *bytes;
	size_t count;
	const char *told;
} packets[] = {
	/* 3.2 CONNACK: session present, code. */
	{"accepted", BYTES(0x20, 0x02, 0x00, 0x00), " connack=0"},
	{"accepted, session present", BYTES(0x20, 0x02, 0x01, 0x00), " connack=0"},
	{"refused: version", BYTES(0x20, 0x02, 0x00, 0x01), " connack=1"},
	{"refused: identifier", BYTES(0x20, 0x02, 0x00, 0x02), " connack=2"},
	{"refused: unavailable", BYTES(0x20, 0x02, 0x00, 0x03), " connack=3"},
	{"refused: password", BYTES(0x20, 0x02, 0x00, 0x04), " connack=4"},
	{"refused: not authorized", BYTES(0x20, 0x02, 0x00, 0x05), " connack=5"},
	{"the greatest code", BYTES(0x20, 0x02, 0x00, 0xFF), " connack=255"},
	{"CONNACK of 3 bytes", BYTES(0x20, 0x03, 0x00, 0x00, 0x00), " broken"}, /* 3.2.1 */
	{"CONNACK of 1 byte", BYTES(0x20, 0x01, 0x00), " broken"},              /* 3.2.1 */
	{"CONNACK of no bytes", BYTES(0x20, 0x00), " broken"},                  /* 3.2.1 */
	{"CONNACK with flags", BYTES(0x21, 0x02, 0x00, 0x00), " broken"},       /* Table 2.2 */
	/* 3.9 SUBACK: identifier, a code for each filter, of which we send one. */
	{"granted QoS 0", BYTES(0x90, 0x03, 0x00, 0x0A, 0x00), " suback#10=0"},
	{"granted QoS 1", BYTES(0x90, 0x03, 0xFF, 0xFE, 0x01), " suback#65534=1"},
	{"granted QoS 2", BYTES(0x90, 0x03, 0x00, 0x0A, 0x02), " suback#10=2"},
	{"refused", BYTES(0x90, 0x03, 0x01, 0x00, 0x80), " suback#256=128"},
	{"three codes", BYTES(0x90, 0x05, 0x00, 0x0A, 0x00, 0x02, 0x80), " broken"},       /* Figure 3.27; MQTT-3.8.4-5 */
	{"no code", BYTES(0x90, 0x02, 0x00, 0x0A), " broken"},                             /* 3.9.3 */
	{"SUBACK with SUBSCRIBE's flags", BYTES(0x92, 0x03, 0x00, 0x0A, 0x00), " broken"}, /* Table 2.2 */
	/* 3.4 PUBACK. */
	{"acknowledged", BYTES(0x40, 0x02, 0x12, 0x34), " puback#4660"},
	{"acknowledged, the last identifier", BYTES(0x40, 0x02, 0xFF, 0xFF), " puback#65535"},
	{"PUBACK of 3 bytes", BYTES(0x40, 0x03, 0x00, 0x01, 0x00), " broken"},    /* 3.4.1 */
	{"PUBACK with PUBREL's flags", BYTES(0x42, 0x02, 0x00, 0x01), " broken"}, /* Table 2.2 */
	/* 3.13 PINGRESP. */
	{"pong", BYTES(0xD0, 0x00), " pingresp"},
	{"two pongs", BYTES(0xD0, 0x00, 0xD0, 0x00), " pingresp pingresp"},
	{"PINGRESP of 1 byte", BYTES(0xD0, 0x01, 0x00), " broken"}, /* 3.13.1 */
	{"PINGRESP with flags", BYTES(0xD8, 0x00), " broken"},      /* Table 2.2 */
	/* 3.3 PUBLISH. */
	{"QoS 0", BYTES(0x30, 0x07, 0x00, 0x03, 'a', '/', 'b', 'h', 'i'), " publish 3:a/b 2:hi"},
	{"QoS 0, retained", BYTES(0x31, 0x06, 0x00, 0x03, 'a', '/', 'b', '1'), " publishr 3:a/b 1:1"},
	{"QoS 1", BYTES(0x32, 0x09, 0x00, 0x03, 'a', '/', 'b', 0x00, 0x0A, 'h', 'i'),
     " publish#10 3:a/b 2:hi"}, /* Figure 3.11 */
	{"QoS 1, sent again, retained", BYTES(0x3B, 0x08, 0x00, 0x03, 'a', '/', 'b', 0xFF, 0xFF, '1'),
     " publishr#65535 3:a/b 1:1"},
	{"QoS 1, sent again", BYTES(0x3A, 0x08, 0x00, 0x03, 'a', '/', 'b', 0x01, 0x00, '1'), " publish#256 3:a/b 1:1"},
	{"an empty payload", BYTES(0x30, 0x05, 0x00, 0x03, 'a', '/', 'b'), " publish 3:a/b 0:"}, /* 3.3.3 */
	{"QoS 1, an empty payload", BYTES(0x32, 0x07, 0x00, 0x03, 'a', '/', 'b', 0x00, 0x01), " publish#1 3:a/b 0:"},
	{"the least there is", BYTES(0x30, 0x03, 0x00, 0x01, 't'), " publish 1:t 0:"},
	{"a payload with a NUL", BYTES(0x30, 0x06, 0x00, 0x01, 't', '1', 0x00, '2'), " publish 1:t 3:1"},
	{"a topic in Korean", BYTES(0x30, 0x0A, 0x00, 0x06, 0xEA, 0xB1, 0xB0, 0xEC, 0x8B, 0xA4, '/', '1'),
     " publish 6:거실 2:/1"},
	{"a length in more bytes than needed", BYTES(0x30, 0x84, 0x00, 0x00, 0x01, 't', '1'),
     " publish 1:t 1:1"},                                       /* 2.2.3 allows it */
	{"16,384 bytes", BYTES(0x30, 0x80, 0x80, 0x01), " broken"}, /* allowed, but too much for us */
	{"QoS 2, never subscribed", BYTES(0x34, 0x09, 0x00, 0x03, 'a', '/', 'b', 0x00, 0x0A, 'h', 'i'), " broken"},
	{"QoS 3", BYTES(0x36, 0x09, 0x00, 0x03, 'a', '/', 'b', 0x00, 0x0A, 'h', 'i'), " broken"},    /* MQTT-3.3.1-4 */
	{"an empty topic", BYTES(0x30, 0x04, 0x00, 0x00, 'h', 'i'), " broken"},                      /* MQTT-4.7.3-1 */
	{"a topic longer than the packet", BYTES(0x30, 0x05, 0x00, 0x04, 'a', '/', 'b'), " broken"}, /* 3.3.2.1 */
	{"topic and identifier longer than it", BYTES(0x32, 0x06, 0x00, 0x03, 'a', '/', 'b', 0x00), " broken"},
	{"a topic of 65,535 bytes in a small packet", BYTES(0x32, 0x03, 0xFF, 0xFF, 'a'), " broken"},
	{"a topic of 65,534 bytes in a small packet", BYTES(0x32, 0x05, 0xFF, 0xFE, 'a', 0x00, 0x01), " broken"},
	{"PUBLISH of no bytes", BYTES(0x30, 0x00), " broken"},
	{"PUBLISH of 1 byte", BYTES(0x30, 0x01, 0x00), " broken"},
	{"PUBLISH of 2 bytes", BYTES(0x30, 0x02, 0x00, 0x00), " broken"},
	/* 2.2.3: the remaining length has at most four bytes; we take two. */
	{"five bytes of length", BYTES(0x30, 0x80, 0x80, 0x80, 0x80, 0x01), " broken"},
	{"five bytes of length, all FF", BYTES(0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), " broken"},
	{"256 MB of CONNACK", BYTES(0x20, 0xFF, 0xFF, 0xFF, 0x7F), " broken"},
	{"2^16 + 2 bytes of PUBACK", BYTES(0x40, 0x82, 0x80, 0x04), " broken"},
	{"256 bytes of PINGRESP", BYTES(0xD0, 0x80, 0x02), " broken"},
	/* Table 2.1: what only clients send, what belongs to QoS 2 and UNSUBSCRIBE, what is reserved. */
	{"CONNECT", BYTES(0x10, 0x0C, 0x00, 0x04, 'M', 'Q', 'T', 'T', 0x04, 0x02, 0x00, 0x0A, 0x00, 0x00), " broken"},
	{"PUBREC", BYTES(0x50, 0x02, 0x00, 0x01), " broken"},
	{"PUBREL", BYTES(0x62, 0x02, 0x00, 0x01), " broken"},
	{"PUBCOMP", BYTES(0x70, 0x02, 0x00, 0x01), " broken"},
	{"SUBSCRIBE", BYTES(0x82, 0x06, 0x00, 0x01, 0x00, 0x01, 'a', 0x00), " broken"},
	{"UNSUBSCRIBE", BYTES(0xA2, 0x05, 0x00, 0x01, 0x00, 0x01, 'a'), " broken"},
	{"UNSUBACK", BYTES(0xB0, 0x02, 0x00, 0x01), " broken"},
	{"PINGREQ", BYTES(0xC0, 0x00), " broken"},
	{"DISCONNECT", BYTES(0xE0, 0x00), " broken"},
	{"type 0", BYTES(0x00, 0x00), " broken"},
	{"type 15", BYTES(0xF0, 0x00), " broken"},
	{"FF for ever", BYTES(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), " broken"},
	/* Several. */
	{"as a session begins",
     BYTES(0x20, 0x02, 0x00, 0x00, 0x90, 0x03, 0x00, 0x01, 0x01, 0x40, 0x02, 0x00, 0x02, 0x32, 0x06, 0x00, 0x01, 't',
           0x00, 0x07, '1', 0xD0, 0x00),
     " connack=0 suback#1=1 puback#2 publish#7 1:t 1:1 pingresp"},
	{"a long one, then short ones",
     BYTES(0x33, 0x0B, 0x00, 0x05, 'l', 'o', 'n', 'g', 'r', 0x00, 0x09, 'o', 'n', 0x30, 0x03, 0x00, 0x01, 's', 0x30,
           0x04, 0x00, 0x01, 't', '0'),
     " publishr#9 5:longr 2:on publish 1:s 0: publish 1:t 1:0"},
	{"well, then broken", BYTES(0xD0, 0x00, 0xD0, 0x01, 0xD0), " pingresp broken"},
};
#define PACKETS (sizeof packets / sizeof *packets)

static void every_packet_in_every_split(void **state)
{
	(void)state;
	struct told told;
	size_t splits = 0;

	for (size_t i = 0; i < PACKETS; i++)
		for (size_t split = 0; split <= packets[i].count; split++, splits++) {
			feed(&told, packets[i].bytes, packets[i].count, split, split % 2 ? 0x00 : 0xA5);
			if (strcmp(told.text, packets[i].told) != 0)
				fail_msg("%s, split at %zu: \"%s\"", packets[i].what, split, told.text);
		}
	print_message("%zu packets, %zu splits\n", PACKETS, splits);
}

/* A packet that is whole leaves nothing behind for the next; and after a reset, neither does one that is not. */
static void any_packet_behind_any_other(void **state)
{
	(void)state;
	for (size_t a = 0; a < PACKETS; a++)
		for (size_t b = 0; b < PACKETS; b++) {
			struct told told = {.length = 0};
			struct mqtt_in in;
			mqtt_in_reset(&in);
			for (size_t i = 0; i < packets[a].count; i++)
				mqtt_feed(&in, packets[a].bytes[i]);
			if (strstr(packets[a].told, "broken") != NULL)
				mqtt_in_reset(&in);
			for (size_t i = 0; i < packets[b].count; i++) {
				const enum mqtt_event event = mqtt_feed(&in, packets[b].bytes[i]);
				tell(&told, &in, event);
				if (event == MQTT_BROKEN)
					break;
			}
			assert_string_equal(told.text, packets[b].told);
		}
}

/* Table 2.1 and 2.2: of all first bytes, only these may begin a packet that this client can be sent. */
static void first_bytes(void **state)
{
	(void)state;
	for (unsigned first = 0; first <= 0xFF; first++) {
		/* MQTT-3.3.1-2 forbids 38 and 39, which do no harm. */
		static const uint8_t fine[] = {0x20, 0x30, 0x31, 0x32, 0x33, 0x38, 0x39, 0x3A, 0x3B, 0x40, 0x90, 0xD0};
		unsigned whole = 0;
		/* A topic of one byte, an identifier. */
		for (uint8_t length = 0; length < 6; length++) {
			struct mqtt_in in;
			enum mqtt_event event;
			mqtt_in_reset(&in);
			assert_int_equal(mqtt_feed(&in, (uint8_t)first), MQTT_NOTHING);
			event = mqtt_feed(&in, length);
			for (uint8_t i = 0; i < length && event == MQTT_NOTHING; i++)
				event = mqtt_feed(&in, i == 1);
			assert_int_not_equal(event, MQTT_NOTHING);
			whole += event != MQTT_BROKEN;
		}
		/* A PUBLISH may have any length from its least on. */
		const unsigned wanted = first >> 4 != 3 ? 1 : first & 2 ? 1 : 3;
		assert_int_equal(whole, memchr(fine, (int)first, sizeof fine) != NULL ? wanted : 0);
	}
}

/* What is longer than what is kept is counted, cut and skipped; around the edges of what is kept, and in every split. */
static void long_topics_and_payloads(void **state)
{
	(void)state;
	static const struct {
		uint16_t topic, payload;
	} cases[] = {
		{1, 23},   {1, 24},  {1, 25},  {1, 127},   {1, 255},    {1, 256},     {1, 257},
		{74, 1},   {75, 1},  {76, 1},  {75, 24},   {76, 25},    {255, 1},     {256, 1},
		{257, 25}, {300, 3}, {300, 0}, {20, 2048}, {300, 2048}, {16000, 379}, {1, 16378},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (uint16_t id = 0; id < 2; id++) {
			const size_t count = (size_t)2 + cases[i].topic + (id > 0 ? 2 : 0) + cases[i].payload;
			uint8_t *bytes = malloc(count + 8);
			char topic[MQTT_TOPIC_MAX + 1] = "";
			char payload[MQTT_PAYLOAD_MAX + 1] = "";
			char wanted[TOLD];
			struct told told;
			size_t at = 0;

			assert_non_null(bytes);
			bytes[at++] = id > 0 ? 0x32 : 0x30;
			bytes[at++] = (uint8_t)(count % 128 + 128); /* always in two bytes, which 2.2.3 allows */
			bytes[at++] = (uint8_t)(count / 128);
			bytes[at++] = (uint8_t)(cases[i].topic >> 8);
			bytes[at++] = (uint8_t)cases[i].topic;
			for (unsigned j = 0; j < cases[i].topic; j++) {
				bytes[at++] = (uint8_t)('a' + j % 26);
				if (j < MQTT_TOPIC_MAX)
					topic[j] = (char)('a' + j % 26);
			}
			if (id > 0) {
				bytes[at++] = 0;
				bytes[at++] = (uint8_t)id;
			}
			for (unsigned j = 0; j < cases[i].payload; j++) {
				bytes[at++] = (uint8_t)('0' + j % 10);
				if (j < MQTT_PAYLOAD_MAX)
					payload[j] = (char)('0' + j % 10);
			}
			bytes[at++] = 0xD0; /* and it goes on where it should */
			bytes[at++] = 0x00;
			snprintf(wanted, sizeof wanted, " publish%s %u:%s %u:%s pingresp", id > 0 ? "#1" : "", cases[i].topic,
			         topic, cases[i].payload, payload);
			for (size_t split = 0; split <= at; split += at > 5000 ? 6007 : 1) {
				feed(&told, bytes, at, split, 0xA5);
				assert_string_equal(told.text, wanted);
			}
			free(bytes);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connect_with_a_user),
		cmocka_unit_test(connect_without_a_user),
		cmocka_unit_test(publish),
		cmocka_unit_test(the_short_ones),
		cmocka_unit_test(remaining_lengths),
		cmocka_unit_test(every_packet_in_every_split),
		cmocka_unit_test(any_packet_behind_any_other),
		cmocka_unit_test(first_bytes),
		cmocka_unit_test(long_topics_and_payloads),
	};
	return cmocka_run_group_tests_name("mqtt", tests, NULL, NULL);
}
