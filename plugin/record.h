/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * record: what Hearth writes into its journal, which itself knows only a type and bytes.
 *
 * All numbers are little-endian.
 *
 * RECORD_SERIES    0  u32 series   4  u32 0         8  topic name
 * RECORD_READING   0  u32 series   4  u32 flags     8  i64 time_us   16  f64 number   24  text (rest)
 *                  flags: 1 = has a number, 2 = time_us is the device's word, not when the broker received it
 * RECORD_RETAINED  0  u32 topic length   4  u32 author length   8  i64 time_us
 *                  16  topic, author (empty: nobody is known), then payload (rest; empty: removed)
 * RECORD_DOCUMENTS 0  i64 time_us   8  u32 count   12  u32 0   16  so many documents, one behind the other, to the end:
 *                      0  u32 name length   4  u32 body length   8  name, then body (empty: removed)
 * RECORD_RENAMED   0  i64 time_us   8  u32 length of the old name   12  u32 length of the new one
 *                  16  old "location/device", then new "location/device": from here on the device's series have that name
 *
 * All documents of a record are one change: it holds as a whole, or nothing of it does.
 *
 * A series number is valid from its RECORD_SERIES to the end of that segment.
 */
#ifndef HEARTH_RECORD_H
#define HEARTH_RECORD_H

#include "document.h"
#include "value.h"

enum record_type {
	RECORD_SERIES = 1,
	RECORD_READING = 2,
	RECORD_RETAINED = 3,
	RECORD_DOCUMENTS = 4,
	RECORD_RENAMED = 5
};

#define RECORD_READING_HEAD 24
#define RECORD_READING_MAX  (RECORD_READING_HEAD + VALUE_TEXT_MAX)

/* Writes the payload of a RECORD_READING; text longer than VALUE_TEXT_MAX must not be passed. Returns its length. */
size_t record_put_reading(uint8_t *out, uint32_t series, int64_t time_us, bool device_time, const struct value *value);

/*
 * Reads one back; the value's text points into the record. device_time may be NULL. False if the bytes are no such
 * record.
 */
bool record_get_reading(const uint8_t *record, size_t len, uint32_t *series, int64_t *time_us, bool *device_time,
                        struct value *value);

/* The same for RECORD_SERIES. `out` has room for 8 + name.len bytes. */
size_t record_put_series(uint8_t *out, uint32_t series, struct slice name);
bool record_get_series(const uint8_t *record, size_t len, uint32_t *series, struct slice *name);

/* The same for RECORD_RETAINED. `out` has room for as many bytes as record_retained_size says. */
size_t record_retained_size(struct slice topic, struct slice payload, struct slice author);
size_t record_put_retained(uint8_t *out, int64_t time_us, struct slice topic, struct slice payload,
                           struct slice author);
bool record_get_retained(const uint8_t *record, size_t len, int64_t *time_us, struct slice *topic,
                         struct slice *payload, struct slice *author);

/* The same for RECORD_DOCUMENTS. Names and bodies are shorter than 4 GiB. */
size_t record_documents_size(const struct document *documents, size_t count);
size_t record_put_documents(uint8_t *out, int64_t time_us, const struct document *documents, size_t count);

/* What is still to be read of one. */
struct record_documents {
	const uint8_t *at;
	uint32_t left;
};

/* Looks through the whole record first: false if any of it is wrong, and then nothing of it is to be taken. */
bool record_get_documents(const uint8_t *record, size_t len, int64_t *time_us, struct record_documents *documents);

/* Takes the next one, which points into the record. False: that was all. */
bool record_next_document(struct record_documents *documents, struct document *document);

/* The same for RECORD_RENAMED. `out` has room for 16 + from.len + to.len bytes. */
size_t record_put_renamed(uint8_t *out, int64_t time_us, struct slice from, struct slice to);
bool record_get_renamed(const uint8_t *record, size_t len, int64_t *time_us, struct slice *from, struct slice *to);

/* "location/device" → its two levels. False if it is not of that shape, or longer than TOPIC_MAX. */
bool record_split_device(struct slice name, struct slice *location, struct slice *device);

#endif
