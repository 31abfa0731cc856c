/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * reading: the payload of a `value` as readings, or a named error.
 *
 * Most payloads are a bare number or word and take the quick way; JSON with a unit, a time or a whole batch of an
 * offline device's readings goes through cJSON.
 */
#ifndef HEARTH_READING_H
#define HEARTH_READING_H

#include "value.h"

/* Longest payload of a `value` in bytes, and most readings in one batch. */
#define READING_PAYLOAD_MAX 65536
#define READING_BATCH_MAX   1024
/* A device clock may be ahead of the broker's by so much before the broker's time is taken instead. */
#define READING_AHEAD_MAX_US INT64_C(300000000)

enum reading_error {
	READING_OK,
	READING_EMPTY,        /* no payload, or white space only */
	READING_TOO_LONG,     /* more than READING_PAYLOAD_MAX bytes or READING_BATCH_MAX readings */
	READING_NOT_A_VALUE,  /* neither a number nor one of the six words nor JSON */
	READING_NOT_FINITE,   /* NaN, infinity, or a number beyond a double */
	READING_NOT_JSON,     /* begins with '{' and is not valid JSON */
	READING_NO_VALUE,     /* JSON without a usable "value" or "readings" */
	READING_BAD_TIME,     /* "time" is not ISO-8601 with a zone, or "age", "boot", "seq" is out of range */
	READING_BAD_UNIT,     /* "unit" is not a string, or is not the configured one */
	READING_OUT_OF_RANGE, /* outside the configured min and max */
	READING_AHEAD,        /* more than READING_AHEAD_MAX_US ahead: stored with the broker's time */
	READING_NOT_TEXT,     /* not valid UTF-8, or has a NUL */
	READING_ERROR_COUNT
};

struct reading {
	struct value value;
	int64_t time_us;     /* when measured: the device's word, else the broker's time */
	uint64_t resend_key; /* recognises a resend: hash of (device time, value) or (boot, seq); 0: cannot be one */
	struct slice unit;   /* as stated in JSON, in the parse's own memory; empty: not stated */
	bool device_time;    /* time_us is the device's */
	bool ahead;          /* the device's time was too far ahead and time_us is the broker's */
};

/* What was wrong with an entry of a batch, or with the payload. */
struct reading_problem {
	enum reading_error error;
	int index; /* entry of "readings", or -1: the payload itself */
};

/* Memory of one parse; owned by one thread, used again for each. */
struct reading_parser;
struct reading_parser *reading_parser_new(void); /* NULL: no memory */
void reading_parser_free(struct reading_parser *parser);

/*
 * Parses the payload of a `value` received at now_us (wall, microseconds).
 * Returns the number of good readings (0 … READING_BATCH_MAX) and points *out to them: they and their slices are valid
 * until the next call and as long as the payload. problem->error is READING_OK, or names the first bad entry: the good
 * ones count all the same. A number or word needs no memory and does not touch cJSON.
 */
size_t reading_parse(struct reading_parser *parser, struct slice payload, int64_t now_us, const struct reading **out,
                     struct reading_problem *problem);

/* The error's code for programs, such as "out_of_range". */
const char *reading_error_code(enum reading_error error);
/* What a person should publish instead. */
const char *reading_error_wanted(enum reading_error error);

#endif
