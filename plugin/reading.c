/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * reading: see reading.h.
 *
 *   23.5    on    {"value":23.5,"unit":"°C","time":"…Z"}    {"readings":[{"time":…,"value":…},…]}
 *   {"boot":7,"readings":[{"seq":41,"age":12500,"value":23.5},…]}
 *
 * A document holds either "value" or "readings"; "unit", "time", "age", "boot" and "seq" beside "readings" stand for each entry that
 * has none of its own. "age" (ms before now) is for devices without a clock.
 */
#include "reading.h"

#include "json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AGE_MAX_MS (366.0 * 86400 * 1000) /* older than a year: not believable */
#define COUNT_MAX  9007199254740992.0     /* 2^53: what a JSON number counts exactly */

struct reading_parser {
	cJSON *document; /* of the last parse; readings' units point into it */
	struct reading readings[READING_BATCH_MAX];
};

static const struct {
	const char *code;
	const char *wanted;
} errors[READING_ERROR_COUNT] = {
	[READING_OK] = {"ok", ""},
	[READING_EMPTY] = {"empty", "a number, on, off, true, false, open, closed, or JSON with a value"},
	[READING_TOO_LONG] = {"too_long", "at most 65536 bytes and 1024 readings for a value, 4096 bytes otherwise"},
	[READING_NOT_A_VALUE] = {"not_a_value", "a number, on, off, true, false, open, closed, or JSON with a value"},
	[READING_NOT_FINITE] = {"not_finite", "a finite number"},
	[READING_NOT_JSON] = {"not_json", "valid JSON such as {\"value\":23.5}, nested at most 16 deep"},
	[READING_NO_VALUE] = {"no_value",
                          "either \"value\": a number, a boolean or one of the six words; or \"readings\": [...]"},
	[READING_BAD_TIME] = {"bad_time",
                          "\"time\": \"2026-11-22T10:00:00.123Z\", or \"age\" in ms, \"boot\", \"seq\" whole"},
	[READING_BAD_UNIT] = {"bad_unit", "the unit of the series' config"},
	[READING_OUT_OF_RANGE] = {"out_of_range", "a value between min and max of the series' config"},
	[READING_AHEAD] = {"ahead", "a time at most 5 minutes ahead of the broker's; the broker's time was stored"},
	[READING_NOT_TEXT] = {"not_text", "valid UTF-8 without NUL"},
};

const char *reading_error_code(enum reading_error error)
{
	return errors[error].code;
}

const char *reading_error_wanted(enum reading_error error)
{
	return errors[error].wanted;
}

struct reading_parser *reading_parser_new(void)
{
	return calloc(1, sizeof(struct reading_parser));
}

void reading_parser_free(struct reading_parser *parser)
{
	if (parser == NULL)
		return;
	cJSON_Delete(parser->document);
	free(parser);
}

/* Mixes two words into a key that is never 0 (the finaliser of MurmurHash3, A. Appleby, public domain constants). */
static uint64_t key_of(uint64_t a, uint64_t b)
{
	uint64_t key = a * UINT64_C(0x9E3779B97F4A7C15) ^ b;
	key = (key ^ (key >> 33)) * UINT64_C(0xFF51AFD7ED558CCD);
	key = (key ^ (key >> 33)) * UINT64_C(0xC4CEB9FE1A85EC53);
	key ^= key >> 33;
	return key != 0 ? key : 1;
}

/* What programs print for a number that is none, and 1e999. */
static bool is_not_finite(struct slice text)
{
	static const char *const words[] = {"nan", "inf", "infinity"};
	double number;

	if (number_parse(text, &number))
		return true;
	if (text.len > 0 && text.ptr[0] == '-')
		text = (struct slice){text.ptr + 1, text.len - 1};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (text.len == strlen(words[i]) && strncasecmp(text.ptr, words[i], text.len) == 0)
			return true;
	}
	return false;
}

static enum reading_error value_from_text(struct slice text, struct value *out)
{
	*out = value_of_text(text);
	if (out->is_number)
		return READING_OK;
	if (out->text.len == 0)
		return READING_EMPTY;
	return is_not_finite(out->text) ? READING_NOT_FINITE : READING_NOT_A_VALUE;
}

static enum reading_error value_from_json(const cJSON *item, struct value *out)
{
	if (cJSON_IsBool(item)) {
		*out = value_of_text(slice_of(cJSON_IsTrue(item) ? "true" : "false"));
		return READING_OK;
	}
	if (cJSON_IsNumber(item)) {
		*out = value_of_number(item->valuedouble);
		return isfinite(item->valuedouble) ? READING_OK : READING_NOT_FINITE;
	}
	if (cJSON_IsString(item))
		return value_from_text(slice_of(item->valuestring), out) == READING_OK ? READING_OK : READING_NO_VALUE;
	return READING_NO_VALUE;
}

/* What an object says beside "value" or "readings"; NULL: nothing. */
struct details {
	const cJSON *unit, *time, *age, *boot, *seq;
};

static const cJSON *find(const cJSON *object, const char *key, const cJSON *otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return item != NULL ? item : otherwise;
}

/* An object's own details, and what it does not say as the object around it says. */
static struct details details_of(const cJSON *object, const struct details *around)
{
	return (struct details){
		.unit = find(object, "unit", around->unit),
		.time = find(object, "time", around->time),
		.age = find(object, "age", around->age),
		.boot = find(object, "boot", around->boot),
		.seq = find(object, "seq", around->seq),
	};
}

static const struct details no_details;

static bool is_from_0_to(double max, const cJSON *item)
{
	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= max;
}

static bool is_count(const cJSON *item)
{
	return is_from_0_to(COUNT_MAX, item) && item->valuedouble == floor(item->valuedouble);
}

/* When an entry was measured, and the key that recognises it if it comes again. */
static enum reading_error time_from_json(const struct details *details, int64_t now_us, struct reading *reading)
{
	const cJSON *time = details->time, *age = details->age, *boot = details->boot, *seq = details->seq;

	if ((age && !is_from_0_to(AGE_MAX_MS, age)) || (boot && !is_count(boot)) || (seq && !is_count(seq)))
		return READING_BAD_TIME;
	if (boot && seq)
		reading->resend_key = key_of((uint64_t)boot->valuedouble + 1, (uint64_t)seq->valuedouble);
	if (time != NULL) {
		if (!cJSON_IsString(time) || !time_parse(slice_of(time->valuestring), &reading->time_us))
			return READING_BAD_TIME;
		reading->device_time = true;
		if (reading->resend_key == 0) {
			uint64_t bits;
			memcpy(&bits, &reading->value.number, sizeof bits);
			reading->resend_key = key_of((uint64_t)reading->time_us, bits);
		}
		if (reading->time_us > now_us + READING_AHEAD_MAX_US) {
			reading->time_us = now_us;
			reading->device_time = false;
			reading->ahead = true;
		}
	} else if (age != NULL) {
		reading->time_us = now_us - (int64_t)(age->valuedouble * 1000);
		reading->device_time = true;
	}
	return READING_OK;
}

static enum reading_error entry_parse(const cJSON *entry, const struct details *around, int64_t now_us,
                                      struct reading *out)
{
	*out = (struct reading){.time_us = now_us};
	if (!cJSON_IsObject(entry))
		return READING_NO_VALUE;

	enum reading_error error = value_from_json(cJSON_GetObjectItemCaseSensitive(entry, "value"), &out->value);
	if (error != READING_OK)
		return error;
	struct details details = details_of(entry, around);
	if (details.unit != NULL && !cJSON_IsString(details.unit))
		return READING_BAD_UNIT;
	if (details.unit != NULL)
		out->unit = slice_of(details.unit->valuestring);
	return time_from_json(&details, now_us, out);
}

static cJSON *document_parse(struct slice text)
{
	struct json_fault fault;
	return json_check(text, &fault) ? cJSON_ParseWithLength(text.ptr, text.len) : NULL;
}

/* Notes the first problem of a batch. */
static void problem_note(struct reading_problem *problem, enum reading_error error, int index)
{
	if (problem->error == READING_OK)
		*problem = (struct reading_problem){error, index};
}

static size_t batch_parse(struct reading_parser *parser, int64_t now_us, struct reading_problem *problem)
{
	const cJSON *entries = cJSON_GetObjectItemCaseSensitive(parser->document, "readings");
	if (!cJSON_IsArray(entries)) {
		problem_note(problem, READING_NO_VALUE, -1);
		return 0;
	}
	struct details around = details_of(parser->document, &no_details);
	size_t count = 0;
	int index = 0;
	for (const cJSON *entry = entries->child; entry != NULL; entry = entry->next, index++) {
		if (index == READING_BATCH_MAX) {
			problem_note(problem, READING_TOO_LONG, index);
			break;
		}
		struct reading *reading = parser->readings + count;
		enum reading_error error = entry_parse(entry, &around, now_us, reading);
		if (error != READING_OK) {
			problem_note(problem, error, index);
			continue;
		}
		if (reading->ahead)
			problem_note(problem, READING_AHEAD, index);
		count++;
	}
	return count;
}

static size_t json_parse(struct reading_parser *parser, struct slice text, int64_t now_us,
                         struct reading_problem *problem)
{
	cJSON_Delete(parser->document);
	parser->document = document_parse(text);
	if (parser->document == NULL) {
		problem->error = READING_NOT_JSON;
		return 0;
	}
	if (cJSON_GetObjectItemCaseSensitive(parser->document, "value") == NULL)
		return batch_parse(parser, now_us, problem);
	if (cJSON_GetObjectItemCaseSensitive(parser->document, "readings") != NULL) {
		problem->error = READING_NO_VALUE; /* one of them would be lost */
		return 0;
	}
	problem->error = entry_parse(parser->document, &no_details, now_us, &parser->readings[0]);
	if (problem->error != READING_OK)
		return 0;
	if (parser->readings[0].ahead)
		problem->error = READING_AHEAD;
	return 1;
}

size_t reading_parse(struct reading_parser *parser, struct slice payload, int64_t now_us, const struct reading **out,
                     struct reading_problem *problem)
{
	*problem = (struct reading_problem){READING_OK, -1};
	*out = parser->readings;
	if (payload.len > READING_PAYLOAD_MAX) {
		problem->error = READING_TOO_LONG;
		return 0;
	}
	struct reading *reading = &parser->readings[0];
	*reading = (struct reading){.time_us = now_us};
	if (number_parse(payload, &reading->value.number) && isfinite(reading->value.number)) {
		reading->value.is_number = true; /* as nearly always */
		return 1;
	}
	struct slice text = slice_trim(payload);
	if (text.len > 0 && text.ptr[0] == '{')
		return json_parse(parser, text, now_us, problem);
	problem->error = value_from_text(text, &reading->value);
	return problem->error == READING_OK;
}
