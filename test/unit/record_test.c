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
	static const uint8_t retained[] = {3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 'a', '/', 'b', '{', '}'};
	(void)state;
	assert_int_equal(record_put_series(record, 0x105, slice_of("a/b")), sizeof series);
	assert_memory_equal(record, series, sizeof series);
	assert_int_equal(record_put_retained(record, 256, slice_of("a/b"), slice_of("{}")), sizeof retained);
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
		const char *topic, *payload;
	} rows[] = {
		{"livingroom/uno1/temperature/config", "{\"rules\":[]}"},
		{"livingroom/uno1/temperature/config", ""}, /* removed */
		{"거실/hearth/auto/state", "1"},
		{"a/b/c/state", "x"},
	};
	static uint8_t bytes[256];
	struct slice topic, payload;
	int64_t time_us;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t time = (int64_t)i * INT64_C(1000000007) - 1;
		size_t topic_len = strlen(rows[i].topic);
		size_t len = record_put_retained(bytes, time, slice_of(rows[i].topic), slice_of(rows[i].payload));
		assert_int_equal(len, KEPT_HEAD + topic_len + strlen(rows[i].payload));
		assert_true(record_get_retained(fenced(bytes, len), len, &time_us, &topic, &payload));
		assert_int_equal(time_us, time);
		assert_true(slice_is(topic, rows[i].topic) && slice_is(payload, rows[i].payload));
		for (size_t cut = 0; cut < len; cut++) {
			bool ok = record_get_retained(fenced(bytes, cut), cut, &time_us, &topic, &payload);
			assert_int_equal(ok, cut >= KEPT_HEAD + topic_len);
			if (ok)
				assert_int_equal(payload.len, cut - KEPT_HEAD - topic_len);
		}
	}
}

static void refuses_a_topic_longer_than_its_record(void **state)
{
	static const struct {
		uint32_t topic_len;
		bool good;
	} rows[] = {{0, true},   {5, true},           {6, false},          {16, false},
	            {21, false}, {0x7FFFFFFF, false}, {0xFFFFFFF0, false}, {UINT32_MAX, false}};
	static uint8_t bytes[KEPT_HEAD + 5];
	struct slice topic, payload;
	int64_t time_us;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t k = 0; k < 4; k++)
			bytes[k] = (uint8_t)(rows[i].topic_len >> (8 * k));
		assert_int_equal(record_get_retained(fenced(bytes, sizeof bytes), sizeof bytes, &time_us, &topic, &payload),
		                 rows[i].good);
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
		struct slice topic, payload;
		struct value value;
		uint32_t series;
		int64_t time_us;
		if (record_get_reading(at, len, &series, &time_us, NULL, &value)) {
			assert_true(lies_within(value.text, at, len) && (!value.is_number || isfinite(value.number)));
			good++;
		}
		if (record_get_series(at, len, &series, &topic))
			assert_true(lies_within(topic, at, len));
		if (record_get_retained(at, len, &time_us, &topic, &payload)) {
			assert_true(lies_within(topic, at, len) && lies_within(payload, at, len));
			assert_int_equal(KEPT_HEAD + topic.len + payload.len, len);
			good++;
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
		cmocka_unit_test(refuses_a_topic_longer_than_its_record),
		cmocka_unit_test(survives_noise),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
