/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * packet: see packet.h.
 *
 * A packet is one byte of type and flags, the length of the rest in one to four bytes of seven bits each (lowest
 * first, top bit: more follow), and the rest. Numbers are big-endian; a string is its length in two bytes and its bytes.
 */
#include "packet.h"

#include <string.h>

#define LENGTH_MAX       268435455U /* what four bytes of seven bits can say */
#define LENGTH_BYTES_MAX 4
#define STRING_ROOM_MAX  (2 + UINT16_MAX)

#define CONNECT_CLEAN_SESSION 0x02
#define CONNECT_PASSWORD      0x40
#define CONNECT_USER          0x80
#define SUBSCRIBE_FLAGS       0x02 /* fixed by the protocol */

static uint8_t *put_u16(uint8_t *out, size_t number)
{
	out[0] = (uint8_t)(number >> 8);
	out[1] = (uint8_t)number;
	return out + 2;
}

static uint8_t *put_string(uint8_t *out, const char *text, size_t len)
{
	out = put_u16(out, len);
	memcpy(out, text, len);
	return out + len;
}

static size_t take_u16(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* Writes type, flags and length of a packet whose rest takes `rest` bytes. NULL if all of it does not fit. */
static uint8_t *put_head(uint8_t *out, size_t room, enum packet_type type, unsigned flags, size_t rest)
{
	size_t head = 2U + (rest > 127) + (rest > 16383) + (rest > 2097151);
	if (rest > LENGTH_MAX || room < head + rest) {
		return NULL;
	}
	*out++ = (uint8_t)((unsigned)type << 4 | flags);
	do {
		uint8_t seven = rest & 0x7f;
		rest >>= 7;
		*out++ = rest > 0 ? seven | 0x80 : seven;
	} while (rest > 0);
	return out;
}

/* How many bytes a string takes in a packet; none at all for NULL. */
static size_t string_room(const char *text)
{
	return text == NULL ? 0 : 2 + strlen(text);
}

static uint8_t *put_text(uint8_t *out, const char *text)
{
	return text == NULL ? out : put_string(out, text, strlen(text));
}

size_t packet_put_connect(uint8_t *out, size_t room, const struct identity *who)
{
	const char *password = who->user == NULL ? NULL : who->password;
	size_t id_room = string_room(who->client_id);
	size_t user_room = string_room(who->user);
	size_t password_room = string_room(password);
	uint8_t *at = put_head(out, room, PACKET_CONNECT, 0, 10 + id_room + user_room + password_room);
	if (at == NULL || id_room > STRING_ROOM_MAX || user_room > STRING_ROOM_MAX || password_room > STRING_ROOM_MAX) {
		return 0;
	}
	at = put_string(at, "MQTT", 4);
	*at++ = 4; /* the number of protocol 3.1.1 */
	*at++ = (uint8_t)((who->stored ? 0U : CONNECT_CLEAN_SESSION) | (who->user != NULL ? CONNECT_USER : 0U) |
	                  (password != NULL ? CONNECT_PASSWORD : 0U));
	at = put_u16(at, 0); /* no keep-alive: a connection may rest while another broker is measured */
	at = put_text(at, who->client_id);
	at = put_text(at, who->user);
	at = put_text(at, password);
	return (size_t)(at - out);
}

size_t packet_put_subscribe(uint8_t *out, size_t room, uint16_t id, const char *filter, int qos)
{
	size_t filter_len = strlen(filter);
	uint8_t *at = put_head(out, room, PACKET_SUBSCRIBE, SUBSCRIBE_FLAGS, 2 + 2 + filter_len + 1);
	if (at == NULL || filter_len > UINT16_MAX) {
		return 0;
	}
	at = put_u16(at, id);
	at = put_string(at, filter, filter_len);
	*at++ = (uint8_t)qos;
	return (size_t)(at - out);
}

size_t packet_put_publish(uint8_t *out, size_t room, const struct packet *publish)
{
	size_t rest = 2 + publish->topic_len + (publish->qos > 0 ? 2U : 0U) + publish->payload_len;
	unsigned flags = (unsigned)publish->qos << 1 | (publish->retain ? 1U : 0U);
	uint8_t *at = put_head(out, room, PACKET_PUBLISH, flags, rest);
	if (at == NULL || publish->topic_len > UINT16_MAX) {
		return 0;
	}
	at = put_string(at, publish->topic, publish->topic_len);
	if (publish->qos > 0) {
		at = put_u16(at, publish->id);
	}
	memcpy(at, publish->payload, publish->payload_len);
	at += publish->payload_len;
	return (size_t)(at - out);
}

size_t packet_put_puback(uint8_t *out, size_t room, uint16_t id)
{
	uint8_t *at = put_head(out, room, PACKET_PUBACK, 0, 2);
	if (at == NULL) {
		return 0;
	}
	at = put_u16(at, id);
	return (size_t)(at - out);
}

size_t packet_put_bare(uint8_t *out, size_t room, enum packet_type type)
{
	uint8_t *at = put_head(out, room, type, 0, 0);
	return at == NULL ? 0 : (size_t)(at - out);
}

static bool take_publish(const uint8_t *body, size_t len, unsigned flags, struct packet *out)
{
	if (len < 2) {
		return false;
	}
	out->qos = (int)(flags >> 1 & 3);
	out->retain = flags & 1;
	out->topic = (const char *)body + 2;
	out->topic_len = take_u16(body);
	size_t at = 2 + out->topic_len;
	size_t id_len = out->qos > 0 ? 2 : 0;
	if (out->qos == 3 || len < at + id_len) {
		return false;
	}
	if (id_len > 0) {
		out->id = (uint16_t)take_u16(body + at);
		at += id_len;
	}
	out->payload = body + at;
	out->payload_len = len - at;
	return true;
}

static bool take_body(const uint8_t *body, size_t len, unsigned flags, struct packet *out)
{
	switch (out->type) {
	case PACKET_PUBLISH:
		return take_publish(body, len, flags, out);
	case PACKET_CONNACK:
		if (len != 2) {
			return false;
		}
		out->code = body[1];
		return true;
	case PACKET_SUBACK:
		if (len != 3) {
			return false;
		}
		out->id = (uint16_t)take_u16(body);
		out->code = body[2];
		return true;
	case PACKET_PUBACK:
		if (len != 2) {
			return false;
		}
		out->id = (uint16_t)take_u16(body);
		return true;
	case PACKET_PINGRESP:
		return len == 0;
	default:
		return false;
	}
}

ssize_t packet_take(const uint8_t *bytes, size_t len, struct packet *out)
{
	size_t rest = 0;
	size_t at = 1;
	for (;; at++) {
		if (at > LENGTH_BYTES_MAX) {
			return -1;
		}
		if (at >= len) {
			return 0;
		}
		rest |= (size_t)(bytes[at] & 0x7f) << 7 * (at - 1);
		if ((bytes[at] & 0x80) == 0) {
			break;
		}
	}
	at++;
	if (len - at < rest) {
		return 0;
	}
	*out = (struct packet){.type = (enum packet_type)(bytes[0] >> 4)};
	return take_body(bytes + at, rest, bytes[0] & 0x0f, out) ? (ssize_t)(at + rest) : -1;
}
