/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * topic_test: which bytes are UTF-8, which names are Hearth's, and which filters match which names.
 *
 * Filter matching is held against MQTT 5.0 section 4.7 twice: its own examples, and every short filter with every short
 * name against a second, plainer matcher.
 */
#include "guard.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* A slice of a literal, NULs in it included. */
#define BYTES(text)                                                                                                    \
	{                                                                                                                  \
		(text), sizeof(text) - 1                                                                                       \
	}

/* Holds a verdict against texts that all should get the same one. */
static void expect_all(bool (*verdict)(struct slice), const struct slice *rows, size_t count, bool wanted)
{
	for (size_t i = 0; i < count; i++) {
		if (verdict(guarded(rows[i].ptr, rows[i].len)) != wanted)
			fail_msg("%s row %zu: \"%s\"", wanted ? "good" : "bad", i, rows[i].ptr);
	}
}

static void trims_slices(void **state)
{
	static const struct {
		const char *text, *trimmed;
	} rows[] = {
		{"", ""},       {" ", ""},        {"a", "a"},         {" a", "a"},    {"a ", "a"},    {" \t\r\n", ""},
		{"\ta\n", "a"}, {" a b ", "a b"}, {"\r\na b", "a b"}, {"a\v", "a\v"}, {"\fa", "\fa"}, /* white space of JSON, not of C */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!slice_is(slice_trim(guarded_text(rows[i].text)), rows[i].trimmed))
			fail_msg("row %zu: \"%s\"", i, rows[i].text);
	}
}

static void compares_slices(void **state)
{
	struct slice nothing = {NULL, 0};
	(void)state;
	assert_true(slice_equal(nothing, slice_of("")));
	assert_true(slice_is(nothing, ""));
	assert_true(slice_equal(guarded_at(0, "on", 2), guarded_at(1, "on", 2)));
	assert_false(slice_equal(guarded_at(0, "on", 2), guarded_at(1, "of", 2)));
	assert_false(slice_equal(guarded_at(0, "on", 2), guarded_at(1, "ont", 3)));
	assert_false(slice_is(guarded("o\0n", 3), "o"));
	assert_false(slice_is(guarded("on", 2), "on "));
	assert_false(slice_is(guarded("on", 2), "On"));
}

static void tells_utf8_from_other_bytes(void **state)
{
	static const struct slice good[] = {
		BYTES(""),
		BYTES("plain"),
		BYTES("거실"),
		BYTES("\x7F"),
		BYTES("\x01"),
		BYTES("\xC2\x80"),         /* U+0080, the first of two bytes */
		BYTES("\xDF\xBF"),         /* U+07FF */
		BYTES("\xE0\xA0\x80"),     /* U+0800 */
		BYTES("\xED\x9F\xBF"),     /* U+D7FF, before the surrogates */
		BYTES("\xEE\x80\x80"),     /* U+E000, behind them */
		BYTES("\xEF\xBF\xBE"),     /* U+FFFE: no character, well-formed all the same */
		BYTES("\xEF\xBF\xBF"),     /* U+FFFF */
		BYTES("\xEF\xBB\xBF"),     /* U+FEFF, a byte order mark */
		BYTES("\xF0\x90\x80\x80"), /* U+10000 */
		BYTES("\xF4\x8F\xBF\xBF"), /* U+10FFFF, the last */
	};
	static const struct slice bad[] = {
		BYTES("\0"),
		BYTES("a\0b"),
		BYTES("\xC0\x80"),                 /* NUL in two bytes */
		BYTES("\xC1\xBF"),                 /* overlong U+007F */
		BYTES("\xC0\xAF"),                 /* overlong '/' */
		BYTES("\xE0\x80\x80"),             /* NUL in three */
		BYTES("\xE0\x80\xAF"),             /* overlong '/' */
		BYTES("\xE0\x9F\xBF"),             /* overlong U+07FF */
		BYTES("\xF0\x80\x80\xAF"),         /* overlong '/' */
		BYTES("\xF0\x8F\xBF\xBF"),         /* overlong U+FFFF */
		BYTES("\xED\xA0\x80"),             /* U+D800, the first surrogate */
		BYTES("\xED\xBF\xBF"),             /* U+DFFF, the last */
		BYTES("\xED\xA0\xBD\xED\xB8\x80"), /* a pair of them (CESU-8) */
		BYTES("\xF4\x90\x80\x80"),         /* U+110000 */
		BYTES("\xF5\x80\x80\x80"),
		BYTES("\xF8\x88\x80\x80\x80"), /* five bytes */
		BYTES("\xFC\x84\x80\x80\x80\x80"),
		BYTES("\xFE"),
		BYTES("\xFF"),
		BYTES("\x80"), /* a continuation without a beginning */
		BYTES("\xBF"),
		BYTES("a\x80"),
		BYTES("\xC3\xA9\x80"),
		BYTES("\xC3"), /* cut short */
		BYTES("\xE2\x82"),
		BYTES("\xE2"),
		BYTES("\xF0\x9F\x98"),
		BYTES("\xF0\x9F"),
		BYTES("\xF0"),
		BYTES("\xC3z"),
		BYTES("\xE2\x82z"),
		BYTES("\xE2zz"),
		BYTES("\xF0\x9F\x98z"),
		BYTES("\xF0\x9Fzz"),
		BYTES("\xC3\xC3\xA9"),
		BYTES("abc\xFF"),
	};
	(void)state;
	expect_all(utf8_valid, good, COUNT(good), true);
	expect_all(utf8_valid, bad, COUNT(bad), false);
}

/* A number in `len` bytes of the UTF-8 pattern, be it allowed or not. */
static void encode(uint32_t code, size_t len, char out[static 4])
{
	static const unsigned char lead[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
	for (size_t i = len; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3F));
	out[0] = (char)(lead[len] | code);
}

/* Each code point in each number of bytes that can hold it, and each of these cut short. */
static void knows_every_code_point(void **state)
{
	static const uint32_t room[] = {0, 0x80, 0x800, 0x10000, 0x200000};
	char bytes[4];
	(void)state;
	for (uint32_t code = 0; code < 0x120000; code++) {
		for (size_t len = 1; len <= 4; len++) {
			if (code >= room[len])
				continue;
			bool shortest = code >= room[len - 1];
			bool scalar = code != 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
			encode(code, len, bytes);
			if (utf8_valid(guarded(bytes, len)) != (shortest && scalar))
				fail_msg("U+%04X in %zu bytes", code, len);
			if (len > 1 && utf8_valid(guarded(bytes, len - 1)))
				fail_msg("U+%04X in %zu of %zu bytes", code, len - 1, len);
		}
	}
}

/* What Mosquitto wants no name to hold: a control character, or one of Unicode's 66 non-characters. */
static bool is_refused_in_names(uint32_t code)
{
	bool control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
	bool none = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFF) == 0xFFFE || (code & 0xFFFF) == 0xFFFF;
	return control || none;
}

/* Each code point as a level's first, last and only character. */
static void knows_every_character_of_names(void **state)
{
	static const uint32_t room[] = {0, 0x80, 0x800, 0x10000, 0x110000};
	char bytes[6];
	(void)state;
	for (size_t len = 1; len <= 4; len++) {
		for (uint32_t code = room[len - 1]; code < room[len]; code++) {
			bool surrogate = code >= 0xD800 && code <= 0xDFFF;
			bool of_mqtt = code == '/' || code == '+' || code == '#';
			bool good = !surrogate && !of_mqtt && !is_refused_in_names(code);
			encode(code, len, bytes + 1);
			bytes[0] = 'a';
			bytes[1 + len] = 'z';
			if (topic_level_valid(guarded(bytes, 1 + len)) != good ||
			    topic_level_valid(guarded(bytes, 2 + len)) != good)
				fail_msg("U+%04X behind another", code);
			good = good && code != '$';
			if (topic_level_valid(guarded(bytes + 1, len)) != good ||
			    topic_level_valid(guarded(bytes + 1, len + 1)) != good)
				fail_msg("U+%04X at the start", code);
		}
	}
}

static void tells_level_names(void **state)
{
	static const struct slice good[] = {BYTES("a"),        BYTES("거실"), BYTES("a b"),
	                                    BYTES("a$"),       BYTES(" "),    BYTES("\xC3\xA9"),
	                                    BYTES("\xC2\xA0"), BYTES("~"),    BYTES("\xEF\xBB\xBF")};
	static const struct slice bad[] = {BYTES(""),
	                                   BYTES("$"),
	                                   BYTES("$SYS"),
	                                   BYTES("a/b"),
	                                   BYTES("/"),
	                                   BYTES("+"),
	                                   BYTES("a+"),
	                                   BYTES("#"),
	                                   BYTES("a#b"),
	                                   BYTES("a\0b"),
	                                   BYTES("\xC3"),
	                                   BYTES("a\xFF"),
	                                   BYTES("\xED\xA0\x80"),
	                                   BYTES("a\x01"),
	                                   BYTES("a\tb"),
	                                   BYTES("\x1F"),
	                                   BYTES("a\x7F"), /* controls */
	                                   BYTES("\xC2\x80"),
	                                   BYTES("a\xC2\x9F"),
	                                   BYTES("\xEF\xB7\x90"),
	                                   BYTES("\xEF\xB7\xAF"),
	                                   BYTES("a\xEF\xBF\xBE"), /* none */
	                                   BYTES("\xEF\xBF\xBF"),
	                                   BYTES("\xF0\x9F\xBF\xBE"),
	                                   BYTES("\xF4\x8F\xBF\xBF")};
	(void)state;
	expect_all(topic_level_valid, good, COUNT(good), true);
	expect_all(topic_level_valid, bad, COUNT(bad), false);
}

static void splits_names(void **state)
{
	static const struct {
		const char *name, *location, *device, *sensor;
		enum topic_subject subject;
	} rows[] = {
		{"livingroom/uno1/temperature/value", "livingroom", "uno1", "temperature", SUBJECT_VALUE},
		{"거실/uno1/temperature/value", "거실", "uno1", "temperature", SUBJECT_VALUE},
		{"거실/우노/온도/config", "거실", "우노", "온도", SUBJECT_CONFIG},
		{"livingroom/fan1/motor/set", "livingroom", "fan1", "motor", SUBJECT_SET},
		{"livingroom/fan1/motor/state", "livingroom", "fan1", "motor", SUBJECT_STATE},
		{"livingroom/uno1/device/status", "livingroom", "uno1", "device", SUBJECT_STATUS},
		{"a/b/c/alarm", "a", "b", "c", SUBJECT_ALARM},
		{"a/b/c/ack", "a", "b", "c", SUBJECT_ACK},
		{"a/b/c/error", "a", "b", "c", SUBJECT_ERROR},
		{"all/all/temperature/config", "all", "all", "temperature", SUBJECT_CONFIG},
		{"value/value/value/value", "value", "value", "value", SUBJECT_VALUE},
		{"a b/c$/ d/value", "a b", "c$", " d", SUBJECT_VALUE},
	};
	struct topic topic;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!topic_parse(guarded_text(rows[i].name), &topic) || !slice_is(topic.location, rows[i].location) ||
		    !slice_is(topic.device, rows[i].device) || !slice_is(topic.sensor, rows[i].sensor) ||
		    topic.subject != rows[i].subject)
			fail_msg("row %zu: %s", i, rows[i].name);
		const char *last_level = strrchr(rows[i].name, '/') + 1;
		assert_string_equal(topic_subject_name(topic.subject), last_level);
	}
}

static bool is_read(struct slice name)
{
	struct topic topic;
	return topic_parse(name, &topic);
}

static void passes_over_names_of_another_shape(void **state)
{
	static const struct slice bad[] = {
		BYTES(""),
		BYTES("/"),
		BYTES("///"),
		BYTES("////"),
		BYTES("value"),
		BYTES("a/value"),
		BYTES("a/b/value"),
		BYTES("a/b/c/d/value"),
		BYTES("a/b/c/value/"),
		BYTES("/a/b/c/value"),
		BYTES("a/b/c/"),
		BYTES("/b/c/value"),
		BYTES("a//c/value"),
		BYTES("a/b//value"),
		BYTES("a/b/c/Value"),
		BYTES("a/b/c/values"),
		BYTES("a/b/c/valu"),
		BYTES("a/b/c/value "),
		BYTES("a/b/c/temperature"),
		BYTES("$a/b/c/value"),
		BYTES("a/$b/c/value"),
		BYTES("a/b/$c/value"),
		BYTES("a/b/c/$value"),
		BYTES("$SYS/broker/clients/value"),
		BYTES("$CONTROL/hearth/v1/set"),
		BYTES("+/b/c/value"),
		BYTES("a/+/c/value"),
		BYTES("a/b/#/value"),
		BYTES("a/b/c/#"),
		BYTES("a/b/c/+"),
		BYTES("a+/b/c/value"),
		BYTES("a/b\0/c/value"),
		BYTES("a/b/c/value\0"),
		BYTES("\xFF/b/c/value"),
		BYTES("a/\xED\xA0\x80/c/value"),
		BYTES("a/b/\xC0\xAF/value"),
		BYTES("a\x01/b/c/value"),
		BYTES("a/\xC2\x85/c/value"),
		BYTES("a/b/\xEF\xBF\xBE/value"),
		BYTES("a/b\xE2\x82/c/value"), /* a sequence must not go on in the next level */
	};
	(void)state;
	expect_all(is_read, bad, COUNT(bad), false);

	static const char whole[] = "거실/uno1/temperature/value";
	for (size_t len = 0; len < sizeof whole - 1; len++)
		assert_false(is_read(guarded(whole, len)));
}

static void bounds_the_length_of_names(void **state)
{
	static const struct {
		size_t len;
		bool read;
	} rows[] = {{511, true}, {512, true}, {513, false}, {4096, false}, {65535, false}};
	static const char tail[] = "/b/c/value", short_tail[] = "/b/c";
	char *name = malloc(65536);
	struct topic topic;
	(void)state;
	assert_non_null(name);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = rows[i].len;
		memset(name, 'a', len);
		memcpy(name + len - (sizeof tail - 1), tail, sizeof tail - 1);
		assert_int_equal(topic_parse(guarded(name, len), &topic), rows[i].read);
		if (rows[i].read)
			assert_int_equal(topic.location.len, len - (sizeof tail - 1));
		memset(name, 'a', len);
		memcpy(name + len - (sizeof short_tail - 1), short_tail, sizeof short_tail - 1);
		assert_int_equal(topic_parse_sensor(guarded(name, len), &topic), rows[i].read);
	}
	free(name);
}

static void splits_sensor_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = {
		{"livingroom/fan1/motor", true},
		{"거실/우노/온도", true},
		{"a/b/value", true},
		{"", false},
		{"a", false},
		{"a/b", false},
		{"a/b/", false},
		{"a/b/c/", false},
		{"a/b/c/value", false},
		{"a/b/c/d", false},
		{"/b/c", false},
		{"a//c", false},
		{"$a/b/c", false},
		{"a/$b/c", false},
		{"a/b/$c", false},
		{"+/b/c", false},
		{"a/b/#", false},
		{"a/b\xFF/c", false},
		{"a/b/c\n", false},
		{"a/b/\xEF\xBF\xBF", false},
	};
	struct topic topic;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (topic_parse_sensor(guarded_text(rows[i].name), &topic) != rows[i].valid)
			fail_msg("row %zu: %s", i, rows[i].name);
	}
	assert_true(topic_parse_sensor(guarded_text("거실/uno1/motor"), &topic));
	assert_true(slice_is(topic.location, "거실") && slice_is(topic.device, "uno1") && slice_is(topic.sensor, "motor"));
	assert_int_equal(topic.subject, SUBJECT_VALUE);
}

/* ---- filters ---- */

static void tells_filters(void **state)
{
	static const struct slice good[] = {BYTES("#"),
	                                    BYTES("+"),
	                                    BYTES("/"),
	                                    BYTES("a"),
	                                    BYTES("a/"),
	                                    BYTES("/a"),
	                                    BYTES("a//b"),
	                                    BYTES("/#"),
	                                    BYTES("+/+"),
	                                    BYTES("/+/"),
	                                    BYTES("+/#"),
	                                    BYTES("sport/tennis/#"),
	                                    BYTES("sport/+/player1"),
	                                    BYTES("+/tennis/#"),
	                                    BYTES("$SYS/#"),
	                                    BYTES("$share/g/a/+"),
	                                    BYTES("거실/+/#")};
	static const struct slice bad[] = {BYTES(""),
	                                   BYTES("a#"),
	                                   BYTES("#a"),
	                                   BYTES("##"),
	                                   BYTES("#/"),
	                                   BYTES("#/a"),
	                                   BYTES("a/#/b"),
	                                   BYTES("sport/tennis#"),
	                                   BYTES("sport/tennis/#/ranking"),
	                                   BYTES("sport+"),
	                                   BYTES("+sport"),
	                                   BYTES("++"),
	                                   BYTES("a/+b/c"),
	                                   BYTES("a/b+/c"),
	                                   BYTES("+#"),
	                                   BYTES("#+"),
	                                   BYTES("a\0b"),
	                                   BYTES("a/\xC3"),
	                                   BYTES("\xED\xA0\x80/#")};
	(void)state;
	expect_all(topic_filter_valid, good, COUNT(good), true);
	expect_all(topic_filter_valid, bad, COUNT(bad), false);
}

static void bounds_the_length_of_filters(void **state)
{
	char *filter = malloc(FILTER_MAX + 1);
	(void)state;
	assert_non_null(filter);
	memset(filter, 'a', FILTER_MAX + 1);
	assert_true(topic_filter_valid(guarded(filter, FILTER_MAX)));
	assert_false(topic_filter_valid(guarded(filter, FILTER_MAX + 1)));
	free(filter);
}

static void matches_as_mqtt_says(void **state)
{
	static const struct {
		const char *filter, *name;
		bool matches;
	} rows[] = {
		/* 4.7.1.2 */
		{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
		{"sport/tennis/player1/#", "sport/tennis/player2", false},
		{"sport/tennis/player1/#", "sport/tennis/player12", false},
		{"sport/#", "sport", true},
		{"sport/#", "sport/", true},
		{"sport/#", "sports", false},
		{"sport/#", "spor", false},
		{"#", "a", true},
		{"#", "a/b/c", true},
		{"#", "/", true},
		/* 4.7.1.3 */
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player2", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false},
		{"sport/+", "sport/", true},
		{"+", "finance", true},
		{"+/+", "/finance", true},
		{"/+", "/finance", true},
		{"+", "/finance", false},
		{"+/tennis/#", "sport/tennis", true},
		{"+/tennis/#", "sport/tennis/a/b", true},
		{"sport/+/player1", "sport/tennis/player1", true},
		{"sport/+/player1", "sport//player1", true},
		{"sport/+/player1", "sport/player1", false},
		/* 4.7.2 */
		{"#", "$SYS", false},
		{"#", "$SYS/broker/uptime", false},
		{"+", "$SYS", false},
		{"+/monitor/Clients", "$SYS/monitor/Clients", false},
		{"+/#", "$SYS/monitor", false},
		{"$SYS/#", "$SYS", true},
		{"$SYS/#", "$SYS/monitor/Clients", true},
		{"$SYS/monitor/+", "$SYS/monitor/Clients", true},
		{"$SYS/+", "$SYS/x", true},
		{"$/#", "$SYS/x", false},
		{"a/#", "a/$b", true}, /* only a '$' at the start of the name hides it */
		{"a/+", "a/$b", true},
		{"/#", "/$b", true},
		{"/+", "/$b", true},
		/* 4.7.3: each byte counts */
		{"ACCOUNTS", "Accounts", false},
		{"/finance", "finance", false},
		{"finance", "/finance", false},
		{"a/b", "a/b", true},
		{"a/b", "a/b/", false},
		{"a/b/", "a/b", false},
		{"a/b", "a/c", false},
		{"a/b", "a", false},
		{"a", "a/b", false},
		{"a b", "a b", true},
		{"거실/+/온도/value", "거실/uno1/온도/value", true},
		{"거실/+/온도/value", "거심/uno1/온도/value", false},
		{"거실/#", "거실", true},
		/* ends and empty levels */
		{"a/#", "a", true},
		{"a/#", "a/", true},
		{"a/#", "a//", true},
		{"a/#", "ab", false},
		{"a//#", "a", false},
		{"a//#", "a/", true},
		{"a//#", "a//b", true},
		{"/#", "/", true},
		{"/#", "a", false},
		{"/", "/", true},
		{"/", "//", false},
		{"+/+/+", "//", true},
		{"+/+", "//", false},
		{"+/", "a/", true},
		{"+/", "a", false},
		{"+/#", "a", true},
		{"+/#", "a/b/c", true},
		{"+/+/#", "a", false},
		{"+/+/#", "a/b", true},
		{"homeassistant/#", "homeassistant/sensor/x/config", true},
		{"homeassistant/#", "homeassistant2/sensor/x/config", false},
		{"livingroom/all/#", "livingroom/all/temperature/config", true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice filter = guarded_at(0, rows[i].filter, strlen(rows[i].filter));
		struct slice name = guarded_at(1, rows[i].name, strlen(rows[i].name));
		assert_true(topic_filter_valid(filter));
		if (topic_matches(filter, name) != rows[i].matches)
			fail_msg("row %zu: %s, %s", i, rows[i].filter, rows[i].name);
	}
}

/* The length of the first level. */
static size_t level_len(const char *text)
{
	return strcspn(text, "/");
}

/* MQTT 5.0 section 4.7 again, level by level and without thought for speed. */
static bool plain_matches(const char *filter, const char *name)
{
	for (;;) {
		size_t f = level_len(filter), n = level_len(name);
		if (strcmp(filter, "#") == 0)
			return true;
		bool any = f == 1 && filter[0] == '+';
		if (!any && (f != n || strncmp(filter, name, f) != 0))
			return false;
		filter += f;
		name += n;
		if (*name == '\0')
			return *filter == '\0' || strcmp(filter, "/#") == 0;
		if (*filter == '\0')
			return false;
		filter++;
		name++;
	}
}

static bool plain_matches_name(const char *filter, const char *name)
{
	return !(name[0] == '$' && (filter[0] == '#' || filter[0] == '+')) && plain_matches(filter, name);
}

static bool plain_filter_valid(const char *filter)
{
	if (filter[0] == '\0')
		return false;
	for (const char *level = filter;; level++) {
		size_t len = level_len(level);
		bool wild = strcspn(level, "+#") < len;
		if (wild && (len != 1 || (level[0] == '#' && level[1] != '\0')))
			return false;
		level += len;
		if (*level == '\0')
			return true;
	}
}

/* The n-th text over an alphabet: n counted in its base, without leading zeros' ambiguity. False: longer than max. */
static bool text_make(size_t n, const char *alphabet, size_t max, char *out)
{
	size_t base = strlen(alphabet), len = 0;
	for (; n > 0; n = (n - 1) / base) {
		if (len == max)
			return false;
		out[len++] = alphabet[(n - 1) % base];
	}
	out[len] = '\0';
	return true;
}

static void matches_every_short_pair(void **state)
{
	char filter[8], name[8];
	size_t filters = 0, pairs = 0;
	(void)state;
	for (size_t i = 0; text_make(i, "a/+#$", 5, filter); i++) {
		struct slice f = guarded_at(0, filter, strlen(filter));
		if (topic_filter_valid(f) != plain_filter_valid(filter))
			fail_msg("%s", filter);
		if (!plain_filter_valid(filter))
			continue;
		filters++;
		for (size_t k = 1; text_make(k, "a/$", 5, name); k++, pairs++) {
			if (topic_matches(f, guarded_at(1, name, strlen(name))) != plain_matches_name(filter, name))
				fail_msg("%s, %s", filter, name);
		}
	}
	assert_true(filters > 500 && pairs == filters * 363);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trims_slices),
		cmocka_unit_test(compares_slices),
		cmocka_unit_test(tells_utf8_from_other_bytes),
		cmocka_unit_test(knows_every_code_point),
		cmocka_unit_test(tells_level_names),
		cmocka_unit_test(knows_every_character_of_names),
		cmocka_unit_test(splits_names),
		cmocka_unit_test(passes_over_names_of_another_shape),
		cmocka_unit_test(bounds_the_length_of_names),
		cmocka_unit_test(splits_sensor_names),
		cmocka_unit_test(tells_filters),
		cmocka_unit_test(bounds_the_length_of_filters),
		cmocka_unit_test(matches_as_mqtt_says),
		cmocka_unit_test(matches_every_short_pair),
	};
	return cmocka_run_group_tests_name("topic", tests, NULL, NULL);
}
