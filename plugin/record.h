/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * record: what Hearth writes into its journal, which itself knows only a type and bytes.
 *
 * All numbers are little-endian.
 *
 * RECORD_SERIES    0  u32 series   4  u32 0         8  topic name
 * RECORD_READING   0  u32 series   4  u32 flags     8  i64 time_us   16  f64 number   24  text (rest)
 *                  flags: 1 = has a number, 2 = time_us is the device's word, not when the broker received it
 * RECORD_RETAINED  0  u32 topic length   4  u32 0   8  i64 time_us   16  topic, then payload (empty: removed)
 *
 * A series number is valid from its RECORD_SERIES to the end of that segment.
 */
#ifndef HEARTH_RECORD_H
#define HEARTH_RECORD_H

#include "value.h"

enum record_type { RECORD_SERIES = 1, RECORD_READING = 2, RECORD_RETAINED = 3 };

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

/* The same for RECORD_RETAINED. `out` has room for 16 + topic.len + payload.len bytes. */
size_t record_put_retained(uint8_t *out, int64_t time_us, struct slice topic, struct slice payload);
bool record_get_retained(const uint8_t *record, size_t len, int64_t *time_us, struct slice *topic,
                         struct slice *payload);

#endif
