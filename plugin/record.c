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

#define RETAINED_HEAD  16u
#define DOCUMENTS_HEAD 16u /* of the record */
#define DOCUMENT_HEAD  8u  /* of each document in it */

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

size_t record_retained_size(struct slice topic, struct slice payload, struct slice author)
{
	return RETAINED_HEAD + topic.len + author.len + payload.len;
}

size_t record_put_retained(uint8_t *out, int64_t time_us, struct slice topic, struct slice payload, struct slice author)
{
	put_u32(out, (uint32_t)topic.len);
	put_u32(out + 4, (uint32_t)author.len);
	put_u64(out + 8, (uint64_t)time_us);
	put_bytes(out + RETAINED_HEAD, topic);
	put_bytes(out + RETAINED_HEAD + topic.len, author);
	put_bytes(out + RETAINED_HEAD + topic.len + author.len, payload);
	return record_retained_size(topic, payload, author);
}

bool record_get_retained(const uint8_t *record, size_t len, int64_t *time_us, struct slice *topic,
                         struct slice *payload, struct slice *author)
{
	if (len < RETAINED_HEAD)
		return false;
	const char *text = (const char *)record + RETAINED_HEAD;
	size_t topic_len = get_u32(record), author_len = get_u32(record + 4), rest = len - RETAINED_HEAD;
	if (topic_len > rest || author_len > rest - topic_len)
		return false;
	*time_us = (int64_t)get_u64(record + 8);
	*topic = (struct slice){text, topic_len};
	*author = (struct slice){text + topic_len, author_len};
	*payload = (struct slice){text + topic_len + author_len, rest - topic_len - author_len};
	return true;
}

size_t record_documents_size(const struct document *documents, size_t count)
{
	size_t size = DOCUMENTS_HEAD;
	for (size_t i = 0; i < count; i++)
		size += DOCUMENT_HEAD + documents[i].name.len + documents[i].body.len;
	return size;
}

size_t record_put_documents(uint8_t *out, int64_t time_us, const struct document *documents, size_t count)
{
	uint8_t *at = out + DOCUMENTS_HEAD;
	put_u64(out, (uint64_t)time_us);
	put_u32(out + 8, (uint32_t)count);
	put_u32(out + 12, 0);
	for (size_t i = 0; i < count; i++) {
		put_u32(at, (uint32_t)documents[i].name.len);
		put_u32(at + 4, (uint32_t)documents[i].body.len);
		put_bytes(at + DOCUMENT_HEAD, documents[i].name);
		put_bytes(at + DOCUMENT_HEAD + documents[i].name.len, documents[i].body);
		at += DOCUMENT_HEAD + documents[i].name.len + documents[i].body.len;
	}
	return (size_t)(at - out);
}

bool record_get_documents(const uint8_t *record, size_t len, int64_t *time_us, struct record_documents *documents)
{
	if (len < DOCUMENTS_HEAD)
		return false;
	uint32_t count = get_u32(record + 8);
	size_t at = DOCUMENTS_HEAD;
	for (uint32_t i = 0; i < count; i++) {
		if (len - at < DOCUMENT_HEAD)
			return false;
		size_t name_len = get_u32(record + at), body_len = get_u32(record + at + 4);
		at += DOCUMENT_HEAD;
		if (name_len == 0 || name_len > len - at || body_len > len - at - name_len)
			return false;
		at += name_len + body_len;
	}
	*time_us = (int64_t)get_u64(record);
	*documents = (struct record_documents){.at = record + DOCUMENTS_HEAD, .left = count};
	return at == len;
}

bool record_next_document(struct record_documents *documents, struct document *document)
{
	if (documents->left == 0)
		return false;
	const char *text = (const char *)documents->at + DOCUMENT_HEAD;
	size_t name_len = get_u32(documents->at), body_len = get_u32(documents->at + 4);
	*document = (struct document){.name = {text, name_len}, .body = {text + name_len, body_len}};
	documents->at += DOCUMENT_HEAD + name_len + body_len;
	documents->left--;
	return true;
}

size_t record_put_renamed(uint8_t *out, int64_t time_us, struct slice from, struct slice to)
{
	put_u64(out, (uint64_t)time_us);
	put_u32(out + 8, (uint32_t)from.len);
	put_u32(out + 12, (uint32_t)to.len);
	put_bytes(out + 16, from);
	put_bytes(out + 16 + from.len, to);
	return 16 + from.len + to.len;
}

bool record_get_renamed(const uint8_t *record, size_t len, int64_t *time_us, struct slice *from, struct slice *to)
{
	if (len < 16 || get_u32(record + 8) > len - 16 || get_u32(record + 12) != len - 16 - get_u32(record + 8))
		return false;
	*time_us = (int64_t)get_u64(record);
	*from = (struct slice){(const char *)record + 16, get_u32(record + 8)};
	*to = (struct slice){(const char *)record + 16 + from->len, get_u32(record + 12)};
	return true;
}

bool record_split_device(struct slice name, struct slice *location, struct slice *device)
{
	const char *slash = name.len <= TOPIC_MAX ? memchr(name.ptr, '/', name.len) : NULL;
	if (slash == NULL)
		return false;
	*location = (struct slice){name.ptr, (size_t)(slash - name.ptr)};
	*device = (struct slice){slash + 1, name.len - location->len - 1};
	return topic_level_valid(*location) && topic_level_valid(*device);
}
