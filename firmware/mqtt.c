/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * See mqtt.h; numbers in parentheses are sections of the standard.
 *
 *   fixed header (2.2)   type and flags, 1 byte; remaining length, 1 … 4 bytes, 7 bits each, the lowest first
 *   number               2 bytes, the highest first; "text" is such a number and as many bytes
 *   CONNECT (3.1)        text "MQTT", level 4, flags, keepalive; texts: client id, Will topic, Will, user, password
 *   CONNACK (3.2)        flags (bit 0: session present), code
 *   PUBLISH (3.3)        text topic; identifier if QoS 1; payload up to the end
 *   PUBACK (3.4)         identifier
 *   SUBSCRIBE (3.8)      identifier, text filter, QoS
 *   SUBACK (3.9)         identifier, code: one, for a SUBSCRIBE here has one filter
 *   PINGREQ, PINGRESP, DISCONNECT   nothing
 *
 * Every length is checked when the fixed header is complete, and a topic's as soon as it is known, so the fields behind them
 * need no check. What always holds: topic and payload end with a NUL inside their arrays; remaining ≤ 268,435,455 (2.2.3),
 * and is 0 between two packets.
 *
 * Not checked is that a topic is UTF-8: a broker must have done so (1.5.3), and a device compares its bytes with names it knows.
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
	FIRST_PINGRESP = 0xD0,
	FIRST_DISCONNECT = 0xE0
};

/* Of PUBLISH (3.3.1). */
#define PUBLISH_RETAIN 0x01
#define PUBLISH_QOS    0x06
#define PUBLISH_QOS_1  0x02
#define PUBLISH_AGAIN  0x08

/* Of CONNECT (3.1.2.3). */
#define CONNECT_CLEAN    0x02
#define CONNECT_WILL     0x2C /* retained, QoS 1, there is one */
#define CONNECT_PASSWORD 0x40
#define CONNECT_USER     0x80

#define PROTOCOL_LEVEL  4
#define SESSION_PRESENT 0x0100 /* CONNACK's two bytes as one number */
#define REFUSED         0x80

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

void mqtt_write_connect(struct sink *sink, const struct mqtt_connect *connect)
{
	const bool will = connect->will_topic.write != NULL;
	const bool user = connect->user.write != NULL;
	const bool password = user && connect->password.write != NULL;
	const struct text_source *texts[] = {
		&connect->client_id,          will ? &connect->will_topic : NULL,   will ? &connect->will : NULL,
		user ? &connect->user : NULL, password ? &connect->password : NULL,
	};
	const uint8_t count = sizeof texts / sizeof *texts;
	uint16_t remaining = 10;
	uint8_t flags = 0;

	if (connect->clean_session)
		flags |= CONNECT_CLEAN;
	if (will)
		flags |= CONNECT_WILL;
	if (password)
		flags |= CONNECT_PASSWORD;
	if (user)
		flags |= CONNECT_USER;
	for (uint8_t i = 0; i < count; i++)
		if (texts[i] != NULL)
			remaining = (uint16_t)(remaining + text_field_length(texts[i]));

	put_header(sink, FIRST_CONNECT, remaining);
	put_number(sink, 4);
	text_flash(sink, FLASH_TEXT("MQTT"));
	text_put(sink, PROTOCOL_LEVEL);
	text_put(sink, flags);
	put_number(sink, connect->keepalive_s);
	for (uint8_t i = 0; i < count; i++)
		if (texts[i] != NULL)
			put_text(sink, texts[i]);
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

void mqtt_write_disconnect(struct sink *sink)
{
	put_header(sink, FIRST_DISCONNECT, 0);
}

/* ---- in ---- */

/* Which byte comes next. */
enum state { FIRST, LENGTH, ACKNOWLEDGEMENT, TOPIC_LENGTH, TOPIC, PACKET_ID, PAYLOAD, BROKEN };

static void expect(struct mqtt_in *in, enum state state)
{
	in->state = (uint8_t)state;
	in->at = 0;
}

static enum mqtt_event broken(struct mqtt_in *in)
{
	in->state = BROKEN;
	return MQTT_BROKEN;
}

/* Does `number`, of which a byte more has come, go on? */
static bool shift_in(struct mqtt_in *in, uint16_t *number, uint8_t byte)
{
	*number = (uint16_t)(*number << 8 | byte);
	return ++in->at < 2;
}

static enum mqtt_event feed_first(struct mqtt_in *in, uint8_t byte)
{
	in->type = byte;
	in->packet_id = 0;
	if ((byte & 0xF0) == FIRST_PUBLISH) {
		in->type = FIRST_PUBLISH;
		in->retain = byte & PUBLISH_RETAIN;
		in->qos = (uint8_t)((byte & PUBLISH_QOS) >> 1);
		/* QoS 2 was never asked for and 3 does not exist; what needs no acknowledgement is never sent again (3.3.1). */
		if (in->qos > 1 || (in->qos == 0 && (byte & PUBLISH_AGAIN)))
			return broken(in);
	}
	expect(in, LENGTH);
	return MQTT_NOTHING;
}

/* The fixed header is complete: is the length possible for the type, and is the type one that a broker sends? */
static enum mqtt_event begin_body(struct mqtt_in *in)
{
	uint8_t wanted;

	switch (in->type) {
	case FIRST_PUBLISH:
		/* A topic has at least one byte (4.7.3). */
		expect(in, TOPIC_LENGTH);
		return in->remaining < 3 ? broken(in) : MQTT_NOTHING;
	case FIRST_PINGRESP:
		expect(in, FIRST);
		return in->remaining == 0 ? MQTT_PINGRESP : broken(in);
	case FIRST_CONNACK:
	case FIRST_PUBACK:
		wanted = 2;
		break;
	case FIRST_SUBACK:
		wanted = 3;
		break;
	default:
		return broken(in);
	}
	expect(in, ACKNOWLEDGEMENT);
	return in->remaining == wanted ? MQTT_NOTHING : broken(in);
}

static enum mqtt_event feed_length(struct mqtt_in *in, uint8_t byte)
{
	in->remaining |= (uint32_t)(byte & 0x7F) << (7 * in->at);
	if (!(byte & 0x80))
		return begin_body(in);
	return ++in->at < 4 ? MQTT_NOTHING : broken(in);
}

/* CONNACK's flags and code come where the others have their identifier, and are taken for a number like it. */
static enum mqtt_event feed_acknowledgement(struct mqtt_in *in, uint8_t byte)
{
	if (in->at < 2)
		shift_in(in, &in->packet_id, byte);
	if (in->remaining > 0)
		return MQTT_NOTHING;

	in->code = byte;
	expect(in, FIRST);
	if (in->type == FIRST_CONNACK)
		return in->packet_id <= MQTT_REFUSED_NOT_AUTHORIZED || in->packet_id == SESSION_PRESENT ? MQTT_CONNACK
		                                                                                        : broken(in);
	if (in->packet_id == 0)
		return broken(in);
	if (in->type == FIRST_PUBACK)
		return MQTT_PUBACK;
	return byte <= 2 || byte == REFUSED ? MQTT_SUBACK : broken(in);
}

/* Everything before the payload has come. */
static enum mqtt_event begin_payload(struct mqtt_in *in)
{
	expect(in, PAYLOAD);
	in->payload_length = in->remaining;
	in->payload[0] = '\0';
	return MQTT_NOTHING;
}

static enum mqtt_event feed_topic_length(struct mqtt_in *in, uint8_t byte)
{
	if (shift_in(in, &in->topic_length, byte))
		return MQTT_NOTHING;
	expect(in, TOPIC);
	if (in->topic_length == 0 || (uint32_t)in->topic_length + (in->qos > 0 ? 2 : 0) > in->remaining)
		return broken(in);
	return MQTT_NOTHING;
}

static enum mqtt_event feed_topic(struct mqtt_in *in, uint8_t byte)
{
	/* A NUL (1.5.3) would hide what follows it; wildcards are a filter's (3.3.2.1). */
	if (byte == '\0' || byte == '+' || byte == '#')
		return broken(in);
	if (in->at < MQTT_TOPIC_MAX) {
		in->topic[in->at] = (char)byte;
		in->topic[in->at + 1] = '\0';
	}
	if (++in->at < in->topic_length)
		return MQTT_NOTHING;
	if (in->qos == 0)
		return begin_payload(in);
	expect(in, PACKET_ID);
	return MQTT_NOTHING;
}

static enum mqtt_event feed_packet_id(struct mqtt_in *in, uint8_t byte)
{
	if (shift_in(in, &in->packet_id, byte))
		return MQTT_NOTHING;
	return in->packet_id > 0 ? begin_payload(in) : broken(in);
}

static enum mqtt_event feed_payload(struct mqtt_in *in, uint8_t byte)
{
	if (in->at < MQTT_PAYLOAD_MAX) {
		in->payload[in->at++] = (char)byte;
		in->payload[in->at] = '\0';
	}
	return MQTT_NOTHING;
}

static enum mqtt_event feed_publish(struct mqtt_in *in, uint8_t byte)
{
	switch (in->state) {
	case TOPIC_LENGTH:
		return feed_topic_length(in, byte);
	case TOPIC:
		return feed_topic(in, byte);
	case PACKET_ID:
		return feed_packet_id(in, byte);
	default:
		return feed_payload(in, byte);
	}
}

void mqtt_in_reset(struct mqtt_in *in)
{
	memset(in, 0, sizeof *in);
}

enum mqtt_event mqtt_feed(struct mqtt_in *in, uint8_t byte)
{
	switch (in->state) {
	case FIRST:
		return feed_first(in, byte);
	case LENGTH:
		return feed_length(in, byte);
	case BROKEN:
		return MQTT_BROKEN;
	default:
		break;
	}
	in->remaining--;
	if (in->state == ACKNOWLEDGEMENT)
		return feed_acknowledgement(in, byte);
	if (feed_publish(in, byte) == MQTT_BROKEN)
		return MQTT_BROKEN;
	if (in->state != PAYLOAD || in->remaining > 0)
		return MQTT_NOTHING;
	expect(in, FIRST);
	return MQTT_PUBLISH;
}
