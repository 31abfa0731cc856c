/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * parsers_fuzz_test: the AT and the MQTT parser, alone and one behind the other, with ten million bytes each that are random, or were
 * good and have been damaged. After every byte what must always hold is checked; MQTT events are also held against a
 * reader of fixed headers of this file's own. Every run is the same: the seeds are fixed, and nothing else is random.
 */
#include "at.h"
#include "mqtt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FUZZ_BYTES 10000000u
#define CASE_MAX   512

/* A hot loop's assertion: cmocka's own are called only if it fails. */
static void must(bool holds, const char *what)
{
	if (!holds)
		fail_msg("%s", what);
}

/* ---- chance ---- */

/* Marsaglia's xorshift64 ("Xorshift RNGs", 2003). */
struct chance {
	uint64_t state;
};

static uint32_t below(struct chance *chance, uint32_t limit)
{
	chance->state ^= chance->state << 13;
	chance->state ^= chance->state >> 7;
	chance->state ^= chance->state << 17;
	return (uint32_t)((chance->state >> 32) * limit >> 32);
}

/* FNV-1a over what happened, so that two runs can be compared. */
static void digest(uint64_t *sum, uint32_t number)
{
	*sum = (*sum ^ number) * UINT64_C(0x100000001B3);
}

/* ---- cases ---- */

struct seed {
	const char *bytes;
	size_t count;
};
#define SEED(literal)                                                                                                  \
	{                                                                                                                  \
		(literal), sizeof(literal) - 1                                                                                 \
	}

static const struct seed said[] = {
	SEED("\r\n[OK]\r\n"),
	SEED("[ERROR: INVALID INPUT]\r\n"),
	SEED("[0,,,128]\r\n[OK]\r\n"),
	SEED("\r\n[CONNECT 0]\r\n"),
	SEED("\r\n[DISCONNECT 0]\r\n"),
	SEED("\r\n[Link-Up Event]\r\n  IP Addr    : 192.168.1.20\r\n  Gateway    : 192.168.1.1\r\n[OK]\r\n"),
	SEED("\r\n[Link-Down Event]\r\n"),
	SEED("WizFi250 Version 1.0.5.2 (WIZnet Co.Ltd)\r\n"),
	SEED("{0,192.168.1.2,1883,4}\x20\x02\x00\x00\r\n"),
	SEED("{F,10.0.0.1,65535,0}\r\n{0,,,2}ab\r\n"),
	SEED("{0,192.168.1.2,1883,2047}0123456789\r\n"),
	SEED("93.184.216.34\r\n"),
	SEED("1/home/aa:bb:cc:dd:ee:ff/-45/54.0/Infra/WPA2/2.4GHz/6\r\n"),
};

static const struct seed packets[] = {
	SEED("\x20\x02\x00\x00"),
	SEED("\x90\x03\x00\x01\x01"),
	SEED("\x40\x02\x00\x02"),
	SEED("\xD0\x00"),
	SEED("\x30\x07\x00\x03"
         "a/bhi"),
	SEED("\x33\x0B\x00\x05"
         "a/b/c\x00\x09on"),
	SEED("\x32\x18\x00\x10hall/uno/led/set\x00\x0A"
         "1234"),
	SEED("\x30\x80\x01\x00\x78"
         "a-topic-that-is-longer-than-what-is-kept-of-a-topic-0123456789-0123456789-0123456789-0123456789-0123456789-"
         "0123456789-01"
         "234567"),
	SEED("\x31\x28\x00\x02/xa payload of which a part is skipped"),
	SEED("\x30\xFF\x7F\x00\x01t"),
};

static const char grammar[] = "{}[],.: 0123456789aFOKERRORCONNECT\r\n\r\n";

struct kind {
	const struct seed *seeds;
	uint32_t count;
};
static const struct kind at_kind = {said, sizeof said / sizeof *said};
static const struct kind mqtt_kind = {packets, sizeof packets / sizeof *packets};

static size_t append_seeds(struct chance *chance, const struct kind *kind, uint8_t *bytes)
{
	size_t count = 0;

	for (uint32_t n = 1 + below(chance, 3); n > 0; n--) {
		const struct seed *seed = &kind->seeds[below(chance, kind->count)];
		memcpy(bytes + count, seed->bytes, seed->count);
		count += seed->count;
	}
	return count;
}

static void damage(struct chance *chance, uint8_t *bytes, size_t *count)
{
	const size_t at = below(chance, (uint32_t)*count);

	switch (below(chance, 6)) {
	case 0: /* a bit */
		bytes[at] ^= (uint8_t)(1u << below(chance, 8));
		break;
	case 1: /* a byte */
		bytes[at] = (uint8_t)below(chance, 256);
		break;
	case 2: /* one of the bytes that matter */
		bytes[at] = (uint8_t)grammar[below(chance, sizeof grammar - 1)];
		break;
	case 3: /* a byte lost */
		memmove(bytes + at, bytes + at + 1, --*count - at);
		break;
	case 4: /* a byte doubled */
		memmove(bytes + at + 1, bytes + at, (*count)++ - at);
		break;
	default: /* cut off */
		*count = at;
	}
}

/* One case of at most CASE_MAX bytes, and at least one. */
static size_t make_case(struct chance *chance, const struct kind *kind, uint8_t bytes[CASE_MAX])
{
	const uint32_t how = below(chance, 8);
	size_t count;

	if (how < 2) {
		count = 1 + below(chance, 64);
		for (size_t i = 0; i < count; i++)
			bytes[i] = how == 0 ? (uint8_t)below(chance, 256) : (uint8_t)grammar[below(chance, sizeof grammar - 1)];
		return count;
	}
	count = append_seeds(chance, kind, bytes);
	if (how > 2)
		for (uint32_t n = below(chance, 5); n > 0 && count > 0; n--)
			damage(chance, bytes, &count);
	return count > 0 ? count : 1;
}

/* ---- AT ---- */

/* With something on either side that must stay as it is. */
struct at_guarded {
	uint8_t before[16];
	struct at_in in;
	uint8_t after[16];
	uint64_t sum;
	uint32_t events[AT_DATA + 1];
};

static void at_begin(struct at_guarded *at, int fill)
{
	memset(at, fill, sizeof *at);
	memset(at->before, 0x5A, sizeof at->before);
	memset(at->after, 0x5A, sizeof at->after);
	memset(at->events, 0, sizeof at->events);
	at->sum = 0;
	at->in.length = 0;
	at->in.remaining = 0;
}

static void guards_hold(const uint8_t before[16], const uint8_t after[16])
{
	uint8_t guard[16];

	memset(guard, 0x5A, sizeof guard);
	must(memcmp(before, guard, sizeof guard) == 0 && memcmp(after, guard, sizeof guard) == 0,
	     "bytes beside it were written");
}

static enum at_event at_checked(struct at_guarded *at, uint8_t byte)
{
	const uint16_t before = at->in.remaining;
	const enum at_event event = at_feed(&at->in, byte);
	const struct at_in *in = &at->in;

	must(event <= AT_DATA, "an event");
	must(in->length <= AT_LINE_MAX, "length ≤ AT_LINE_MAX");
	must(in->remaining <= AT_DATA_MAX, "remaining ≤ AT_DATA_MAX");
	must((event == AT_DATA) == (before > 0), "what was announced is data, and nothing else");
	must(before == 0 || in->remaining == before - 1, "data is counted");
	must(in->remaining == 0 || event == AT_DATA || byte == '}', "only a header announces data");
	must(event == AT_NOTHING || event == AT_DATA || byte == '\r' || byte == '\n', "only a line's end makes an event");
	if (event != AT_NOTHING && event != AT_DATA) {
		must(memchr(in->line, '\0', sizeof in->line) != NULL, "a line's NUL");
		must(strcspn(in->line, "\r\n") == strlen(in->line), "a line is one line");
	}
	at->events[event]++;
	if (event != AT_NOTHING)
		digest(&at->sum, event == AT_DATA ? (uint32_t)event << 8 | byte : event);
	return event;
}

/* Without a reset: behind what a header may have announced, and the line's end, the next line is understood. */
static void at_recovers(struct at_guarded *at)
{
	for (unsigned i = 0; i < AT_DATA_MAX; i++)
		at_checked(at, 'x');
	at_checked(at, '\r');
	for (const char *line = "\n[OK]"; *line != '\0'; line++)
		must(at_checked(at, (uint8_t)*line) == AT_NOTHING, "the line goes on");
	must(at_checked(at, '\r') == AT_OK, "it understands the next line");
	guards_hold(at->before, at->after);
}

static uint64_t fuzz_at(uint64_t seed, int fill)
{
	struct chance chance = {seed};
	struct at_guarded *at = malloc(sizeof *at);
	uint8_t bytes[CASE_MAX];
	uint32_t fed = 0;

	assert_non_null(at);
	at_begin(at, fill);
	for (uint32_t cases = 1; fed < FUZZ_BYTES; cases++) {
		const size_t count = make_case(&chance, &at_kind, bytes);
		for (size_t i = 0; i < count; i++)
			at_checked(at, bytes[i]);
		fed += (uint32_t)count;
		if (cases % 100 == 0)
			at_recovers(at);
		if (cases % 7 == 0)
			memset(&at->in, 0, sizeof at->in);
	}
	for (int event = AT_NOTHING; event <= AT_DATA; event++)
		assert_true(at->events[event] > 1000);
	print_message("%u bytes, %u results, %u bytes of data\n", fed, at->events[AT_OK] + at->events[AT_ERROR],
	              at->events[AT_DATA]);

	const uint64_t sum = at->sum;
	free(at);
	return sum;
}

/* ---- MQTT ---- */

struct mqtt_guarded {
	uint8_t before[16];
	struct mqtt_in in;
	uint8_t after[16];
	uint8_t head[8]; /* of the packet that comes */
	uint32_t count;  /* bytes of it that came */
	bool broken;
	uint64_t sum;
	uint32_t events[MQTT_BROKEN + 1];
};

static void mqtt_restart(struct mqtt_guarded *mqtt)
{
	mqtt_in_reset(&mqtt->in);
	mqtt->count = 0;
	mqtt->broken = false;
}

static void mqtt_begin(struct mqtt_guarded *mqtt, int fill)
{
	memset(mqtt, fill, sizeof *mqtt);
	memset(mqtt->before, 0x5A, sizeof mqtt->before);
	memset(mqtt->after, 0x5A, sizeof mqtt->after);
	memset(mqtt->events, 0, sizeof mqtt->events);
	mqtt->sum = 0;
	mqtt_restart(mqtt);
}

/* Bytes that the whole packet has by its fixed header; 0: not known yet, or too long a header for us. */
static uint32_t whole_packet(const struct mqtt_guarded *mqtt)
{
	uint32_t remaining = 0;

	for (uint32_t i = 1; i < mqtt->count && i <= 2; i++) {
		remaining += (uint32_t)(mqtt->head[i] & 0x7F) << (7 * (i - 1));
		if (mqtt->head[i] < 0x80)
			return 1 + i + remaining;
	}
	return 0;
}

static void check_publish(const struct mqtt_guarded *mqtt)
{
	const struct mqtt_in *in = &mqtt->in;
	uint32_t header = 2;

	while (mqtt->head[header - 1] >= 0x80)
		header++;
	must(mqtt->head[0] >> 4 == 3, "PUBLISH is type 3");
	must(in->qos <= 1 && in->qos == (mqtt->head[0] >> 1 & 3), "QoS");
	must(in->retain == (mqtt->head[0] & 1), "RETAIN");
	must(in->packet_id == 0 || in->qos > 0, "an identifier with QoS 1 only");
	must(in->topic_length > 0, "topic");
	must(header + 2 + in->topic_length + (in->qos > 0 ? 2u : 0u) + in->payload_length == mqtt->count,
	     "the lengths add up");
}

static enum mqtt_event mqtt_checked(struct mqtt_guarded *mqtt, uint8_t byte)
{
	const enum mqtt_event event = mqtt_feed(&mqtt->in, byte);
	const struct mqtt_in *in = &mqtt->in;

	if (mqtt->count < sizeof mqtt->head)
		mqtt->head[mqtt->count] = byte;
	mqtt->count++;
	must(event <= MQTT_BROKEN, "an event");
	if (mqtt->broken)
		return event;

	const uint32_t whole = whole_packet(mqtt);
	must(event == MQTT_NOTHING || event == MQTT_BROKEN || mqtt->count == whole, "an event ends a packet");
	must(event != MQTT_NOTHING || whole == 0 || (mqtt->count < whole && in->remaining == whole - mqtt->count),
	     "a packet ends in an event");
	must(event == MQTT_BROKEN || mqtt->count < 3 || whole > 0, "a length ends");
	must(event == MQTT_BROKEN || whole == 0 || in->remaining <= 16383, "remaining");
	switch (event) {
	case MQTT_CONNACK:
		must(mqtt->head[0] == 0x20 && mqtt->in.remaining == 0 && in->code == byte, "CONNACK");
		break;
	case MQTT_SUBACK:
		must(mqtt->head[0] == 0x90 && mqtt->in.remaining == 0 && in->code == byte, "SUBACK");
		break;
	case MQTT_PUBACK:
		must(mqtt->head[0] == 0x40 && mqtt->in.remaining == 0, "PUBACK");
		break;
	case MQTT_PINGRESP:
		must(mqtt->head[0] == 0xD0 && whole == mqtt->count, "PINGRESP");
		break;
	case MQTT_PUBLISH:
		check_publish(mqtt);
		break;
	default:
		break;
	}
	mqtt->events[event]++;
	mqtt->broken = event == MQTT_BROKEN;
	if (event != MQTT_NOTHING) {
		digest(&mqtt->sum, (uint32_t)event << 24 | in->packet_id);
		if (event == MQTT_PUBLISH)
			digest(&mqtt->sum, (uint32_t)in->payload_length << 16 | in->topic_length);
		mqtt->count = 0;
	}
	return event;
}

static void mqtt_recovers(struct mqtt_guarded *mqtt)
{
	static const uint8_t publish[] = {0x32, 0x06, 0x00, 0x01, 't', 0x00, 0x07, '1'};

	mqtt_restart(mqtt);
	for (size_t i = 0; i + 1 < sizeof publish; i++)
		must(mqtt_checked(mqtt, publish[i]) == MQTT_NOTHING, "the packet goes on");
	must(mqtt_checked(mqtt, publish[sizeof publish - 1]) == MQTT_PUBLISH, "it understands the next packet");
	must(mqtt->in.packet_id == 7 && mqtt->in.topic[0] == 't' && mqtt->in.payload[0] == '1', "and all of it");
	guards_hold(mqtt->before, mqtt->after);
}

static uint64_t fuzz_mqtt(uint64_t seed, int fill)
{
	struct chance chance = {seed};
	struct mqtt_guarded *mqtt = malloc(sizeof *mqtt);
	uint8_t bytes[CASE_MAX];
	uint32_t fed = 0;

	assert_non_null(mqtt);
	mqtt_begin(mqtt, fill);
	for (uint32_t cases = 1; fed < FUZZ_BYTES; cases++) {
		const size_t count = make_case(&chance, &mqtt_kind, bytes);
		for (size_t i = 0; i < count; i++) {
			/* Once broken it would stay so; a little of that is enough. */
			if (mqtt->broken && below(&chance, 4) == 0)
				mqtt_restart(mqtt);
			mqtt_checked(mqtt, bytes[i]);
		}
		fed += (uint32_t)count;
		if (whole_packet(mqtt) > 1000 || below(&chance, 10) == 0)
			mqtt_recovers(mqtt);
	}
	for (int event = MQTT_NOTHING; event <= MQTT_BROKEN; event++)
		assert_true(mqtt->events[event] > 1000);
	print_message("%u bytes, %u publishes, %u times broken\n", fed, mqtt->events[MQTT_PUBLISH],
	              mqtt->events[MQTT_BROKEN]);

	const uint64_t sum = mqtt->sum;
	free(mqtt);
	return sum;
}

/* ---- one behind the other ---- */

static void chain(struct at_guarded *at, struct mqtt_guarded *mqtt, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const enum at_event event = at_checked(at, bytes[i]);
		if (event == AT_DATA)
			mqtt_checked(mqtt, bytes[i]);
		else if (event == AT_CONNECTED || event == AT_STARTED || (event == AT_OK && mqtt->broken))
			mqtt_restart(mqtt);
		/* Nobody waits for the end of such a packet: the connection is given up. */
		if (whole_packet(mqtt) > 1000)
			mqtt_restart(mqtt);
	}
}

/* Packets in a frame, then damage over both. */
static size_t make_frame(struct chance *chance, uint8_t bytes[CASE_MAX])
{
	uint8_t inner[CASE_MAX];
	const size_t inner_count = append_seeds(chance, &mqtt_kind, inner);
	size_t count = (size_t)snprintf((char *)bytes, 40, "\r\n{0,192.168.1.2,1883,%u}", (unsigned)inner_count);

	memcpy(bytes + count, inner, inner_count);
	count += inner_count;
	bytes[count++] = '\r';
	bytes[count++] = '\n';
	for (uint32_t n = below(chance, 3); n > 0 && count > 0; n--)
		damage(chance, bytes, &count);
	return count;
}

static uint64_t fuzz_chain(uint64_t seed, int fill)
{
	struct chance chance = {seed};
	struct at_guarded *at = malloc(sizeof *at);
	struct mqtt_guarded *mqtt = malloc(sizeof *mqtt);
	uint8_t bytes[CASE_MAX];
	uint32_t fed = 0;

	assert_non_null(at);
	assert_non_null(mqtt);
	at_begin(at, fill);
	mqtt_begin(mqtt, fill);
	for (uint32_t cases = 1; fed < FUZZ_BYTES; cases++) {
		const size_t count = below(&chance, 4) > 0 ? make_frame(&chance, bytes) : make_case(&chance, &at_kind, bytes);
		chain(at, mqtt, bytes, count);
		fed += (uint32_t)count;
		if (cases % 200 == 0) {
			at_recovers(at);
			mqtt_recovers(mqtt);
		}
	}
	for (int event = MQTT_NOTHING; event <= MQTT_BROKEN; event++)
		assert_true(mqtt->events[event] > 1000);
	print_message("%u bytes, %u publishes, %u times broken\n", fed, mqtt->events[MQTT_PUBLISH],
	              mqtt->events[MQTT_BROKEN]);

	const uint64_t sum = at->sum ^ mqtt->sum;
	free(at);
	free(mqtt);
	return sum;
}

/* ---- the tests ---- */

/* Each runs twice, in memory that held other things before: the same bytes make the same events. */
static void at_holds(void **state)
{
	(void)state;
	assert_true(fuzz_at(UINT64_C(0x9E3779B97F4A7C15), 0x00) == fuzz_at(UINT64_C(0x9E3779B97F4A7C15), 0xA5));
}

static void mqtt_holds(void **state)
{
	(void)state;
	assert_true(fuzz_mqtt(UINT64_C(0xD1B54A32D192ED03), 0x00) == fuzz_mqtt(UINT64_C(0xD1B54A32D192ED03), 0xA5));
}

static void the_chain_holds(void **state)
{
	(void)state;
	assert_true(fuzz_chain(UINT64_C(0xBF58476D1CE4E5B9), 0x00) == fuzz_chain(UINT64_C(0xBF58476D1CE4E5B9), 0xA5));
}

/* However a stream of packets is cut into frames, and whatever is said between them, its events are the same. */
static void frames_do_not_matter(void **state)
{
	(void)state;
	struct chance chance = {42};
	struct at_guarded at;
	struct mqtt_guarded whole;
	struct mqtt_guarded cut;

	at_begin(&at, 0);
	mqtt_begin(&whole, 0);
	mqtt_begin(&cut, 0);
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t stream[CASE_MAX];
		size_t count = 0;
		for (unsigned n = 0; n < 3; n++) {
			const struct seed *seed = &packets[below(&chance, mqtt_kind.count - 1)]; /* the last is no whole packet */
			memcpy(stream + count, seed->bytes, seed->count);
			count += seed->count;
		}
		for (size_t i = 0; i < count; i++)
			must(mqtt_checked(&whole, stream[i]) != MQTT_BROKEN, "the seeds are good");
		for (size_t i = 0; i < count;) {
			char header[40];
			const uint32_t part = below(&chance, (uint32_t)(count - i + 1));
			const int length = snprintf(header, sizeof header, "\r\n[OK]\r\n{0,192.168.1.2,1883,%u}", (unsigned)part);
			chain(&at, &cut, (const uint8_t *)header, (size_t)length);
			chain(&at, &cut, stream + i, part);
			chain(&at, &cut, (const uint8_t *)"\r\n[Link-Up Event]\r\n", 19);
			i += part;
		}
		must(whole.sum == cut.sum, "the same events");
	}
	assert_memory_equal(whole.events, cut.events, sizeof whole.events);
	assert_true(whole.events[MQTT_PUBLISH] > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_holds),
		cmocka_unit_test(mqtt_holds),
		cmocka_unit_test(the_chain_holds),
		cmocka_unit_test(frames_do_not_matter),
	};
	return cmocka_run_group_tests_name("parsers_fuzz", tests, NULL, NULL);
}
