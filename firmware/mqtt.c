/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See mqtt.h; numbers in parentheses are sections of the standard.
 *
 *   fixed header (2.2)   type and flags, 1 byte; remaining length, 7 bits a byte, the lowest first, 1 … 4 bytes; in: 1, 2
 *   number               2 bytes, the highest first; "text" is such a number and as many bytes
 *   CONNECT (3.1)        text "MQTT", level 4, flags, keepalive; texts: client id, Will topic, Will, user, password
 *   CONNACK (3.2)        flags (bit 0: session present), code
 *   PUBLISH (3.3)        text topic; identifier if QoS 1; payload up to the end
 *   PUBACK (3.4)         identifier
 *   SUBSCRIBE (3.8)      identifier, text filter, QoS
 *   SUBACK (3.9)         identifier, code: one, for a SUBSCRIBE here has one filter
 *   PINGREQ, PINGRESP    nothing
 *
 * What comes in is read as if every packet had the parts of a PUBLISH, [topic] identifier [payload]: CONNACK's two bytes are taken for
 * an identifier, SUBACK's code for a payload. A packet must end within its payload, or else its lengths do not add up.
 *
 * What always holds, whatever comes: nothing is written outside topic and payload; a packet has at most 16,383 bytes.
 *
 * Not checked is what a broker must have (that a topic is UTF-8 and without wildcards) and what harms nobody: a device compares a topic
 * with names it knows.
 */
#include "mqtt.h"

#include "flash.h"

/* The first byte of a packet; of a PUBLISH without its flags. */
enum first {
	FIRST_CONNECT = 0x10,
	FIRST_CONNACK = 0x20,
	FIRST_PUBLISH = 0x30,
	FIRST_PUBACK = 0x40,
	FIRST_SUBSCRIBE = 0x82,
	FIRST_SUBACK = 0x90,
	FIRST_PINGREQ = 0xC0,
	FIRST_PINGRESP = 0xD0
};

/* Of PUBLISH (3.3.1). */
#define PUBLISH_RETAIN 0x01
#define PUBLISH_QOS    0x06
#define PUBLISH_QOS_1  0x02
#define PUBLISH_AGAIN  0x08

/* Of CONNECT (3.1.2.3): a clean session, a Will of QoS 1 that is retained. */
#define CONNECT_FLAGS   0x2E
#define CONNECT_SIGN_IN 0xC0 /* user and password */
#define PROTOCOL_LEVEL  "\x04"

/* ---- out ---- */

static void put_header(struct sink *sink, uint8_t first, uint16_t remaining)
{
	text_put(sink, first);
	for (; remaining > 0x7F; remaining >>= 7)
		text_put(sink, (uint8_t)(remaining | 0x80));
	text_put(sink, (uint8_t)remaining);
}

static void put_number(struct sink *sink, uint16_t number)
{
	text_put(sink, (uint8_t)(number >> 8));
	text_put(sink, (uint8_t)number);
}

static uint16_t text_field_length(const struct text_source *source)
{
	return (uint16_t)(2 + text_length(source));
}

static void put_text(struct sink *sink, const struct text_source *source)
{
	put_number(sink, text_length(source));
	source->write(sink, source->context);
}

void mqtt_write_connect(struct sink *sink, void (*write)(struct sink *sink, const void *which), bool user,
                        uint16_t keepalive_s)
{
	const uint8_t count = user ? MQTT_PASSWORD + 1 : MQTT_USER;
	uint8_t which;
	const struct text_source text = {write, &which};
	uint16_t remaining = 10;

	for (which = 0; which < count; which++)
		remaining = (uint16_t)(remaining + text_field_length(&text));
	put_header(sink, FIRST_CONNECT, remaining);
	put_number(sink, 4);
	text_flash(sink, FLASH_TEXT("MQTT" PROTOCOL_LEVEL));
	text_put(sink, user ? CONNECT_FLAGS | CONNECT_SIGN_IN : CONNECT_FLAGS);
	put_number(sink, keepalive_s);
	for (which = 0; which < count; which++)
		put_text(sink, &text);
}

void mqtt_write_publish(struct sink *sink, const struct mqtt_publish *publish)
{
	const bool identified = publish->packet_id != 0;
	uint16_t remaining = (uint16_t)(text_field_length(&publish->topic) + text_length(&publish->payload));
	uint8_t first = FIRST_PUBLISH;

	if (publish->retain)
		first |= PUBLISH_RETAIN;
	if (identified) {
		first |= PUBLISH_QOS_1;
		remaining = (uint16_t)(remaining + 2);
		if (publish->again)
			first |= PUBLISH_AGAIN;
	}
	put_header(sink, first, remaining);
	put_text(sink, &publish->topic);
	if (identified)
		put_number(sink, publish->packet_id);
	publish->payload.write(sink, publish->payload.context);
}

void mqtt_write_subscribe(struct sink *sink, uint16_t packet_id, const struct text_source *filter, uint8_t qos)
{
	put_header(sink, FIRST_SUBSCRIBE, (uint16_t)(2 + text_field_length(filter) + 1));
	put_number(sink, packet_id);
	put_text(sink, filter);
	text_put(sink, qos);
}

void mqtt_write_puback(struct sink *sink, uint16_t packet_id)
{
	put_header(sink, FIRST_PUBACK, 2);
	put_number(sink, packet_id);
}

void mqtt_write_pingreq(struct sink *sink)
{
	put_header(sink, FIRST_PINGREQ, 0);
}

/* ---- in ---- */

/* Which byte comes next. */
enum state { FIRST, LENGTH, LENGTH_HIGH, TOPIC_LENGTH, TOPIC, NUMBER, PAYLOAD };

static void expect(struct mqtt_in *in, enum state state)
{
	in->state = (uint8_t)state;
	in->at = 0;
}

/* Shifts a byte into a number; true: it was its last. */
static bool shift_in(struct mqtt_in *in, uint16_t *number, uint8_t byte)
{
	*number = (uint16_t)(*number << 8 | byte);
	return ++in->at == 2;
}

static void keep(struct mqtt_in *in, char *text, uint8_t max, uint8_t byte)
{
	if (in->at < max)
		text[in->at] = (char)byte;
	in->at++;
}

static enum mqtt_event begin_body(struct mqtt_in *in)
{
	const bool publish = in->first == FIRST_PUBLISH;

	if (in->remaining == 0) {
		in->state = FIRST;
		return in->first == FIRST_PINGRESP ? MQTT_PINGRESP : MQTT_BROKEN;
	}
	expect(in, publish ? TOPIC_LENGTH : NUMBER);
	return publish || in->remaining <= 3 ? MQTT_NOTHING : MQTT_BROKEN;
}

static enum mqtt_event end_packet(struct mqtt_in *in)
{
	uint8_t payload_length = 0;
	enum mqtt_event event;

	if (in->state != PAYLOAD)
		return MQTT_BROKEN;
	in->state = FIRST;
	switch (in->first) {
	case FIRST_PUBLISH:
		/* QoS 2 was never asked for, and 3 does not exist. */
		return in->qos < 2 ? MQTT_PUBLISH : MQTT_BROKEN;
	case FIRST_CONNACK:
		event = MQTT_CONNACK;
		break;
	case FIRST_PUBACK:
		event = MQTT_PUBACK;
		break;
	case FIRST_SUBACK:
		event = MQTT_SUBACK;
		payload_length = 1;
		break;
	default:
		return MQTT_BROKEN;
	}
	return in->payload_length == payload_length ? event : MQTT_BROKEN;
}

void mqtt_in_reset(struct mqtt_in *in)
{
	in->state = FIRST;
}

enum mqtt_event mqtt_feed(struct mqtt_in *in, uint8_t byte)
{
	switch (in->state) {
	case FIRST:
		in->first = byte;
		in->packet_id = 0;
		in->retain = byte & PUBLISH_RETAIN;
		in->qos = (uint8_t)((byte & PUBLISH_QOS) >> 1);
		if ((byte & 0xF0) == FIRST_PUBLISH)
			in->first = FIRST_PUBLISH;
		in->state = LENGTH;
		return MQTT_NOTHING;
	case LENGTH:
		in->remaining = byte & 0x7F;
		if (!(byte & 0x80))
			return begin_body(in);
		in->state = LENGTH_HIGH;
		return MQTT_NOTHING;
	case LENGTH_HIGH:
		in->remaining = (uint16_t)(in->remaining | (unsigned)byte << 7);
		return byte & 0x80 ? MQTT_BROKEN : begin_body(in);
	default:
		break;
	}
	in->remaining--;
	in->code = byte;
	if (in->state != PAYLOAD)
		in->payload_length = in->remaining;
	switch (in->state) {
	case TOPIC_LENGTH:
		if (shift_in(in, &in->topic_length, byte))
			expect(in, TOPIC);
		break;
	case TOPIC:
		keep(in, in->topic, MQTT_TOPIC_MAX, byte);
		if (in->at == in->topic_length)
			expect(in, in->qos > 0 ? NUMBER : PAYLOAD);
		break;
	case NUMBER:
		if (shift_in(in, &in->packet_id, byte))
			expect(in, PAYLOAD);
		break;
	default:
		keep(in, in->payload, MQTT_PAYLOAD_MAX, byte);
	}
	return in->remaining > 0 ? MQTT_NOTHING : end_packet(in);
}
