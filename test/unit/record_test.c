/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * record_test: the layout of journal records byte by byte, round trips, and records cut short or made of noise.
 */
#include "guard.h"
#include "record.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SERIES_HEAD  8u
#define KEPT_HEAD    16u /* of a RECORD_RETAINED */

static uint8_t record[RECORD_READING_MAX];

static const uint8_t *fenced(const uint8_t *bytes, size_t len)
{
	return (const uint8_t *)guarded(bytes, len).ptr;
}

static void lays_out_readings(void **state)
{
	/* 1.5 is 0x3FF8000000000000; the time is −2 */
	static const uint8_t number[] = {0x04, 0x03, 0x02, 0x01, 1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF,
	                                 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0,    0,    0xF8, 0x3F};
	static const uint8_t word[] = {7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,   0,   0,   0,
	                               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'b', 'u', 'z', 'z'};
	struct value value = value_of_number(1.5);
	(void)state;
	assert_int_equal(record_put_reading(record, 0x01020304, -2, false, &value), sizeof number);
	assert_memory_equal(record, number, sizeof number);
	value = value_of_text(slice_of("buzz"));
	assert_int_equal(record_put_reading(record, 7, 1, false, &value), sizeof word);
	assert_memory_equal(record, word, sizeof word);
}

static void lays_out_names_and_retained_messages(void **state)
{
	static const uint8_t series[] = {5, 1, 0, 0, 0, 0, 0, 0, 'a', '/', 'b'};
	static const uint8_t retained[] = {3, 0, 0, 0, 2,   0,   0,   0,   0,   1,   0,  0,
	                                   0, 0, 0, 0, 'a', '/', 'b', 'm', 'e', '{', '}'};
	(void)state;
	assert_int_equal(record_put_series(record, 0x105, slice_of("a/b")), sizeof series);
	assert_memory_equal(record, series, sizeof series);
	assert_int_equal(record_put_retained(record, 256, slice_of("a/b"), slice_of("{}"), slice_of("me")),
	                 sizeof retained);
	assert_memory_equal(record, retained, sizeof retained);
}

static void readings_come_back(void **state)
{
	static const uint32_t numbers[] = {0, 1, 255, 65536, UINT32_MAX};
	static const int64_t times[] = {0, 1, -1, INT64_C(1795341600000000), INT64_MAX, INT64_MIN};
	static const char *const texts[] = {
		"0", "-0", "23.5", "1.7976931348623157e308", "4.9e-324", "on", "closed", "alarm", "문 열림", ""};
	(void)state;
	for (size_t i = 0; i < COUNT(numbers) * COUNT(times) * COUNT(texts); i++) {
		uint32_t number = numbers[i % COUNT(numbers)], series = 99;
		int64_t time = times[i / COUNT(numbers) % COUNT(times)], time_us = 99;
		bool devices = i % 3 == 0, device_time = !devices;
		struct value put = value_of_text(slice_of(texts[i / COUNT(numbers) / COUNT(times)])), got;
		size_t len = record_put_reading(record, number, time, devices, &put);
		assert_int_equal(len, RECORD_READING_HEAD + put.text.len);
		assert_true(record_get_reading(fenced(record, len), len, &series, &time_us, &device_time, &got));
		assert_int_equal(device_time, devices);
		assert_int_equal(series, number);
		assert_int_equal(time_us, time);
		assert_int_equal(got.is_number, put.is_number);
		assert_memory_equal(&got.number, &put.number, sizeof put.number);
		assert_true(slice_equal(got.text, put.text) && value_equal(&got, &put));
	}
}

static void texts_of_every_length_come_back(void **state)
{
	static char text[VALUE_TEXT_MAX];
	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t len = 1; len <= VALUE_TEXT_MAX; len++) {
		struct value put = value_of_text((struct slice){text, len}), got;
		uint32_t series;
		int64_t time_us;
		size_t size = record_put_reading(record, 1, 2, false, &put);
		assert_true(record_get_reading(fenced(record, size), size, &series, &time_us, NULL, &got));
		assert_true(slice_equal(got.text, put.text));
	}
}

static void refuses_readings_of_a_wrong_length(void **state)
{
	static const uint8_t longest[RECORD_READING_MAX + 1];
	struct value value = value_of_text(slice_of("alarm"));
	uint32_t series;
	int64_t time_us;
	(void)state;
	size_t whole = record_put_reading(record, 1, 2, false, &value);
	for (size_t len = 0; len <= whole; len++) {
		bool ok = record_get_reading(fenced(record, len), len, &series, &time_us, NULL, &value);
		assert_int_equal(ok, len >= RECORD_READING_HEAD);
		if (ok)
			assert_int_equal(value.text.len, len - RECORD_READING_HEAD);
	}
	assert_true(
		record_get_reading(fenced(longest, RECORD_READING_MAX), RECORD_READING_MAX, &series, &time_us, NULL, &value));
	assert_false(record_get_reading(fenced(longest, RECORD_READING_MAX + 1), RECORD_READING_MAX + 1, &series, &time_us,
	                                NULL, &value));
}

static void refuses_numbers_that_are_none(void **state)
{
	static const double bad[] = {NAN, -NAN, HUGE_VAL, -HUGE_VAL};
	struct value got;
	uint32_t series;
	int64_t time_us;
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct value value = value_of_number(bad[i]);
		size_t len = record_put_reading(record, 1, 2, false, &value);
		assert_false(record_get_reading(fenced(record, len), len, &series, &time_us, NULL, &got));
	}
}

static void names_come_back(void **state)
{
	static const char *const names[] = {"a/b/c/value", "거실/uno1/temperature/value", "a"};
	static char longest[TOPIC_MAX];
	static uint8_t bytes[SERIES_HEAD + TOPIC_MAX];
	struct slice name;
	uint32_t series;
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		size_t len = record_put_series(bytes, (uint32_t)i, slice_of(names[i]));
		assert_true(record_get_series(fenced(bytes, len), len, &series, &name));
		assert_int_equal(series, i);
		assert_true(slice_is(name, names[i]));
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(record_get_series(fenced(bytes, cut), cut, &series, &name), cut >= SERIES_HEAD);
	}
	memset(longest, 'x', sizeof longest);
	size_t len = record_put_series(bytes, UINT32_MAX, (struct slice){longest, sizeof longest});
	assert_true(record_get_series(fenced(bytes, len), len, &series, &name));
	assert_int_equal(series, UINT32_MAX);
	assert_true(slice_equal(name, (struct slice){longest, sizeof longest}));
}

static void retained_messages_come_back(void **state)
{
	static const struct {
		const char *topic, *payload, *author;
	} rows[] = {
		{"livingroom/uno1/temperature/config", "{\"rules\":[]}", "anna"},
		{"livingroom/uno1/temperature/config", "", "소라"}, /* removed */
		{"거실/hearth/auto/state", "1", ""},
		{"a/b/c/state", "x", "x"},
	};
	static uint8_t bytes[256];
	struct slice topic, payload, author;
	int64_t time_us;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t time = (int64_t)i * INT64_C(1000000007) - 1;
		size_t names_len = strlen(rows[i].topic) + strlen(rows[i].author);
		size_t len = record_put_retained(bytes, time, slice_of(rows[i].topic), slice_of(rows[i].payload),
		                                 slice_of(rows[i].author));
		assert_int_equal(len, KEPT_HEAD + names_len + strlen(rows[i].payload));
		assert_true(record_get_retained(fenced(bytes, len), len, &time_us, &topic, &payload, &author));
		assert_int_equal(time_us, time);
		assert_true(slice_is(topic, rows[i].topic) && slice_is(payload, rows[i].payload));
		assert_true(slice_is(author, rows[i].author));
		for (size_t cut = 0; cut < len; cut++) {
			bool ok = record_get_retained(fenced(bytes, cut), cut, &time_us, &topic, &payload, &author);
			assert_int_equal(ok, cut >= KEPT_HEAD + names_len);
			if (ok)
				assert_int_equal(payload.len, cut - KEPT_HEAD - names_len);
		}
	}
}

/* As it was before there were authors: nought in their place. */
static void an_older_retained_message_has_no_author(void **state)
{
	static const uint8_t bytes[] = {3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 'a', '/', 'b', '{', '}'};
	struct slice topic, payload, author = slice_of("someone");
	int64_t time_us;
	(void)state;
	assert_true(record_get_retained(fenced(bytes, sizeof bytes), sizeof bytes, &time_us, &topic, &payload, &author));
	assert_true(slice_is(topic, "a/b") && slice_is(payload, "{}") && slice_is(author, ""));
	assert_int_equal(time_us, 256);
}

static void set_u32(uint8_t *at, uint32_t number)
{
	for (size_t k = 0; k < 4; k++)
		at[k] = (uint8_t)(number >> (8 * k));
}

static void refuses_names_longer_than_their_record(void **state)
{
	static const struct {
		uint32_t topic_len, author_len;
		bool good;
	} rows[] = {
		{0, 0, true},
		{5, 0, true},
		{0, 5, true},
		{2, 3, true},
		{6, 0, false},
		{0, 6, false},
		{3, 3, false},
		{16, 0, false},
		{21, 0, false},
		{0x7FFFFFFF, 0, false},
		{UINT32_MAX, 0, false},
		{0, UINT32_MAX, false},
		{0xFFFFFFF0, 0x10, false}, /* together nought, in 32 bits */
		{1, UINT32_MAX, false},
		{5, UINT32_MAX, false},
	};
	static uint8_t bytes[KEPT_HEAD + 5];
	struct slice topic, payload, author;
	int64_t time_us;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		set_u32(bytes, rows[i].topic_len);
		set_u32(bytes + 4, rows[i].author_len);
		assert_int_equal(
			record_get_retained(fenced(bytes, sizeof bytes), sizeof bytes, &time_us, &topic, &payload, &author),
			rows[i].good);
	}
}

/* ---- documents ---- */

static void lays_out_documents(void **state)
{
	static const uint8_t wanted[] = {
		0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2,   0,   0,   0,   0,   0, 0, 0, /* −2, two of them */
		3,    0,    0,    0,    2,    0,    0,    0,    'a', '/', 'b', '{', '}',          /* */
		1,    0,    0,    0,    0,    0,    0,    0,    'c',                              /* removed */
	};
	const struct document documents[] = {{slice_of("a/b"), slice_of("{}")}, {slice_of("c"), slice_of("")}};
	(void)state;
	assert_int_equal(record_documents_size(documents, COUNT(documents)), sizeof wanted);
	assert_int_equal(record_put_documents(record, -2, documents, COUNT(documents)), sizeof wanted);
	assert_memory_equal(record, wanted, sizeof wanted);
}

#define DOCUMENTS_MOST 4

static void documents_come_back(void **state)
{
	static const struct document documents[DOCUMENTS_MOST] = {
		{{"account/anna", 12}, {"{\"roles\":[\"admin\"]}", 19}},
		{{"session/\0 거실", 16}, {NULL, 0}},
		{{"a", 1}, {"\0\xff", 2}},
		{{"a", 1}, {"", 0}},
	};
	static uint8_t bytes[256];
	struct record_documents left;
	struct document got;
	int64_t time_us;
	(void)state;
	for (size_t count = 0; count <= DOCUMENTS_MOST; count++) {
		size_t len = record_put_documents(bytes, (int64_t)count - 1, documents, count);
		assert_int_equal(len, record_documents_size(documents, count));
		assert_true(record_get_documents(fenced(bytes, len), len, &time_us, &left));
		assert_int_equal(time_us, (int64_t)count - 1);
		for (size_t i = 0; i < count; i++) {
			assert_true(record_next_document(&left, &got));
			assert_true(slice_equal(got.name, documents[i].name) && slice_equal(got.body, documents[i].body));
		}
		assert_false(record_next_document(&left, &got));
		assert_false(record_next_document(&left, &got));
		/* Whole or not at all, neither shorter nor longer. */
		for (size_t cut = 0; cut < len; cut++)
			assert_false(record_get_documents(fenced(bytes, cut), cut, &time_us, &left));
		bytes[len] = 0;
		assert_false(record_get_documents(fenced(bytes, len + 1), len + 1, &time_us, &left));
	}
}

static void refuses_documents_that_do_not_fit(void **state)
{
	/* One record of two documents, "ab" with a body of 3 bytes and "c" with one of 2. */
	static const struct {
		uint32_t count, name, body, second_name, second_body;
		bool good;
	} rows[] = {
		{2, 2, 3, 1, 2, true},           {2, 5, 0, 1, 2, true},
		{2, 2, 3, 3, 0, true},           {1, 2, 3, 1, 2, false}, /* bytes are left */
		{1, 2, 14, 1, 2, true},                                  /* now they are its body */
		{3, 2, 3, 1, 2, false},          {0, 2, 3, 1, 2, false},
		{UINT32_MAX, 2, 3, 1, 2, false}, {2, 0, 5, 1, 2, false}, /* no name */
		{2, 2, 3, 0, 3, false},          {2, 2, 3, 1, 3, false},
		{2, 2, 3, 4, 0, false},          {2, 2, 3, UINT32_MAX, 4, false},
		{2, 2, 3, 4, UINT32_MAX, false}, {2, 2, UINT32_MAX, 1, 2, false},
		{2, UINT32_MAX, 2, 1, 2, false}, {2, 0x80000005, 0x80000000, 1, 2, false},
	};
	static uint8_t bytes[16 + 8 + 5 + 8 + 3];
	struct record_documents left;
	struct document got;
	int64_t time_us;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		set_u32(bytes + 8, rows[i].count);
		set_u32(bytes + 16, rows[i].name);
		set_u32(bytes + 20, rows[i].body);
		set_u32(bytes + 29, rows[i].second_name);
		set_u32(bytes + 33, rows[i].second_body);
		bool good = record_get_documents(fenced(bytes, sizeof bytes), sizeof bytes, &time_us, &left);
		if (good != rows[i].good)
			fail_msg("row %zu is %s", i, good ? "taken" : "refused");
		for (uint32_t k = 0; good && k < rows[i].count; k++)
			assert_true(record_next_document(&left, &got));
	}
}

/* True if the slice lies in the record. */
static bool lies_within(struct slice slice, const uint8_t *bytes, size_t len)
{
	const char *begin = (const char *)bytes;
	return slice.ptr >= begin && slice.ptr <= begin + len && slice.len <= (size_t)(begin + len - slice.ptr);
}

static void survives_noise(void **state)
{
	uint64_t seed = 5;
	uint8_t bytes[64];
	size_t good = 0;
	(void)state;
	for (int run = 0; run < 200000; run++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		size_t len = (size_t)(seed >> 33) % (sizeof bytes + 1);
		for (size_t i = 0; i < len; i++) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			/* Noughts are frequent in real records: small lengths, few flags. */
			bytes[i] = (uint8_t)(seed >> 62 ? seed >> 40 : 0);
		}
		const uint8_t *at = fenced(bytes, len);
		struct slice topic, payload, author;
		struct record_documents documents;
		struct document document;
		struct value value;
		uint32_t series;
		int64_t time_us;
		if (record_get_reading(at, len, &series, &time_us, NULL, &value)) {
			assert_true(lies_within(value.text, at, len) && (!value.is_number || isfinite(value.number)));
			good++;
		}
		if (record_get_series(at, len, &series, &topic))
			assert_true(lies_within(topic, at, len));
		if (record_get_retained(at, len, &time_us, &topic, &payload, &author)) {
			assert_true(lies_within(topic, at, len) && lies_within(payload, at, len) && lies_within(author, at, len));
			assert_int_equal(KEPT_HEAD + topic.len + payload.len + author.len, len);
			good++;
		}
		if (record_get_documents(at, len, &time_us, &documents)) {
			while (record_next_document(&documents, &document))
				assert_true(lies_within(document.name, at, len) && lies_within(document.body, at, len));
		}
	}
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lays_out_readings),
		cmocka_unit_test(lays_out_names_and_retained_messages),
		cmocka_unit_test(readings_come_back),
		cmocka_unit_test(texts_of_every_length_come_back),
		cmocka_unit_test(refuses_readings_of_a_wrong_length),
		cmocka_unit_test(refuses_numbers_that_are_none),
		cmocka_unit_test(names_come_back),
		cmocka_unit_test(retained_messages_come_back),
		cmocka_unit_test(an_older_retained_message_has_no_author),
		cmocka_unit_test(refuses_names_longer_than_their_record),
		cmocka_unit_test(lays_out_documents),
		cmocka_unit_test(documents_come_back),
		cmocka_unit_test(refuses_documents_that_do_not_fit),
		cmocka_unit_test(survives_noise),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
