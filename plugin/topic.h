/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * topic: a topic name as four slices, and MQTT filter matching.
 *
 * Hearth reads topics of the shape  location/device/sensor/subject  only: exactly four levels, each of which may be
 * called so (topic_level_valid), at most TOPIC_MAX bytes in all. Everything else is none of its business. Nothing here
 * allocates: slices point into the caller's bytes.
 */
#ifndef HEARTH_TOPIC_H
#define HEARTH_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of somebody else's memory; not NUL-terminated. */
struct slice {
	const char *ptr;
	size_t len;
};

/* Longest topic name in bytes that Hearth reads; a longer one is none of its business. */
#define TOPIC_MAX 512
/* Longest topic filter in bytes: MQTT's own limit. */
#define FILTER_MAX 65535

/* "all" in place of a location or device means every one of them; "hearth" is Hearth's own device. */
#define TOPIC_ALL        "all"
#define TOPIC_OWN_DEVICE "hearth"

enum topic_subject {
	SUBJECT_VALUE,
	SUBJECT_SET,
	SUBJECT_STATE,
	SUBJECT_STATUS,
	SUBJECT_CONFIG,
	SUBJECT_ALARM,
	SUBJECT_ACK,
	SUBJECT_ERROR,
	SUBJECT_COUNT
};

struct topic {
	struct slice location;
	struct slice device;
	struct slice sensor;
	enum topic_subject subject;
};

/* A slice of a NUL-terminated string, which must outlive it. */
struct slice slice_of(const char *text);

/* True if both hold the same bytes. */
bool slice_equal(struct slice a, struct slice b);

/* True if the slice holds exactly the bytes of a NUL-terminated string. */
bool slice_is(struct slice a, const char *text);

/* The slice without white space (space, tab, CR, LF) at either end. */
struct slice slice_trim(struct slice a);

/* True if the bytes are well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, at most U+10FFFF) without NUL. */
bool utf8_valid(struct slice text);

/*
 * Splits a four-level topic name. False, with *out undefined, if the name is not of Hearth's shape or its subject is
 * none of enum topic_subject.
 */
bool topic_parse(struct slice name, struct topic *out);

/*
 * Splits a three-level name  location/device/sensor  as it stands in configs ("subject" stays SUBJECT_VALUE). False
 * if it is not of that shape.
 */
bool topic_parse_sensor(struct slice name, struct topic *out);

/* The last level's word for a subject, such as "value". */
const char *topic_subject_name(enum topic_subject subject);

/*
 * True if one level of a topic may be called so: not empty, valid UTF-8, no '/', '+', '#', no leading '$', and nothing
 * that Mosquitto refuses in its clients' names: no control character (U+0000 to U+001F, U+007F to U+009F), no
 * non-character (U+FDD0 to U+FDEF, and the last two of each plane, such as U+FFFE). A plugin could publish such a name
 * all the same, and each subscriber that uses libmosquitto would drop its connection over it.
 */
bool topic_level_valid(struct slice level);

/*
 * True if an MQTT filter ('+', '#') matches a topic name (MQTT 5.0 section 4.7: a wildcard at the start does not match
 * a name that begins with '$'; "a/#" matches "a" too). The filter must be valid: see topic_filter_valid.
 */
bool topic_matches(struct slice filter, struct slice name);

/* True if a filter has its wildcards only where MQTT allows them, is not empty and is valid UTF-8. */
bool topic_filter_valid(struct slice filter);

#endif
