/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * record: see record.h for the layout. A record comes back from a file, so every length is checked.
 */
#include "record.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#define FLAG_NUMBER      1u
#define FLAG_DEVICE_TIME 2u

static void put_u32(uint8_t *out, uint32_t n)
{
	n = htole32(n);
	memcpy(out, &n, sizeof n);
}

static void put_u64(uint8_t *out, uint64_t n)
{
	n = htole64(n);
	memcpy(out, &n, sizeof n);
}

static uint32_t get_u32(const uint8_t *in)
{
	uint32_t n;
	memcpy(&n, in, sizeof n);
	return le32toh(n);
}

static uint64_t get_u64(const uint8_t *in)
{
	uint64_t n;
	memcpy(&n, in, sizeof n);
	return le64toh(n);
}

static void put_bytes(uint8_t *out, struct slice bytes)
{
	if (bytes.len > 0)
		memcpy(out, bytes.ptr, bytes.len);
}

size_t record_put_reading(uint8_t *out, uint32_t series, int64_t time_us, bool device_time, const struct value *value)
{
	uint64_t bits;
	memcpy(&bits, &value->number, sizeof bits);
	put_u32(out, series);
	put_u32(out + 4, (value->is_number ? FLAG_NUMBER : 0) | (device_time ? FLAG_DEVICE_TIME : 0));
	put_u64(out + 8, (uint64_t)time_us);
	put_u64(out + 16, value->is_number ? bits : 0);
	put_bytes(out + RECORD_READING_HEAD, value->text);
	return RECORD_READING_HEAD + value->text.len;
}

bool record_get_reading(const uint8_t *record, size_t len, uint32_t *series, int64_t *time_us, bool *device_time,
                        struct value *value)
{
	if (len < RECORD_READING_HEAD || len > RECORD_READING_MAX)
		return false;
	uint64_t bits = get_u64(record + 16);
	*series = get_u32(record);
	*time_us = (int64_t)get_u64(record + 8);
	value->is_number = (get_u32(record + 4) & FLAG_NUMBER) != 0;
	if (device_time != NULL)
		*device_time = (get_u32(record + 4) & FLAG_DEVICE_TIME) != 0;
	memcpy(&value->number, &bits, sizeof bits);
	value->text = (struct slice){(const char *)record + RECORD_READING_HEAD, len - RECORD_READING_HEAD};
	return !value->is_number || isfinite(value->number);
}

size_t record_put_series(uint8_t *out, uint32_t series, struct slice name)
{
	put_u32(out, series);
	put_u32(out + 4, 0);
	put_bytes(out + 8, name);
	return 8 + name.len;
}

bool record_get_series(const uint8_t *record, size_t len, uint32_t *series, struct slice *name)
{
	if (len < 8)
		return false;
	*series = get_u32(record);
	*name = (struct slice){(const char *)record + 8, len - 8};
	return true;
}

size_t record_put_retained(uint8_t *out, int64_t time_us, struct slice topic, struct slice payload)
{
	put_u32(out, (uint32_t)topic.len);
	put_u32(out + 4, 0);
	put_u64(out + 8, (uint64_t)time_us);
	put_bytes(out + 16, topic);
	put_bytes(out + 16 + topic.len, payload);
	return 16 + topic.len + payload.len;
}

bool record_get_retained(const uint8_t *record, size_t len, int64_t *time_us, struct slice *topic,
                         struct slice *payload)
{
	if (len < 16 || get_u32(record) > len - 16)
		return false;
	size_t topic_len = get_u32(record);
	*time_us = (int64_t)get_u64(record + 8);
	*topic = (struct slice){(const char *)record + 16, topic_len};
	*payload = (struct slice){(const char *)record + 16 + topic_len, len - 16 - topic_len};
	return true;
}
