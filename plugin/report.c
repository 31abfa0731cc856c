/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report: see report.h. The times of the last reports are kept in a small hash of fixed size, so that a flood of bad topics
 * costs no memory; two topics that share a slot hold each other back for a second at worst.
 */
#include "report.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS            4096
#define INTERVAL_MS      1000
#define FOUND_MAX        128
#define LINES_PER_SECOND 20 /* in the log; what is more is counted */

struct reporter {
	const struct broker_ops *broker;
	int64_t last_ms[SLOTS]; /* 0: never */
	int64_t lines_ms;       /* when the current second of log lines began */
	unsigned lines, unlogged;
};

struct reporter *reporter_new(const struct broker_ops *broker)
{
	struct reporter *reporter = calloc(1, sizeof *reporter);
	if (reporter != NULL)
		reporter->broker = broker;
	return reporter;
}

void reporter_free(struct reporter *reporter)
{
	free(reporter);
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint32_t hash_add(uint32_t hash, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.ptr[i]) * 16777619u;
	return (hash ^ '/') * 16777619u;
}

/* A person who corrects a config wants each answer; values come by themselves and may come fast. */
static bool is_due(struct reporter *reporter, const struct topic *topic, int64_t now_ms)
{
	if (topic->subject == SUBJECT_CONFIG)
		return true;
	uint32_t hash = hash_add(hash_add(hash_add(2166136261u, topic->location), topic->device), topic->sensor);
	hash = hash_add(hash, slice_of(topic_subject_name(topic->subject)));
	int64_t *last = &reporter->last_ms[(hash ^ (hash >> 16)) % SLOTS];
	if (*last != 0 && now_ms - *last < INTERVAL_MS)
		return false;
	*last = now_ms;
	return true;
}

/* Length of the character at the start of the text; 0 if it is none, or one that moves a terminal's cursor. */
static size_t printable(struct slice text)
{
	size_t len = 1;
	while (len < 4 && len < text.len && !utf8_valid((struct slice){text.ptr, len}))
		len++;
	if (!utf8_valid((struct slice){text.ptr, len}))
		return 0;
	unsigned char first = (unsigned char)text.ptr[0];
	bool c0 = first < 0x20 || first == 0x7F;
	bool c1 = first == 0xC2 && (unsigned char)text.ptr[1] < 0xA0;
	return c0 || c1 ? 0 : len;
}

/* How many bytes one '?' stands for: a control character beyond ASCII is two of them. */
static size_t unprintable(struct slice text)
{
	return text.len >= 2 && utf8_valid((struct slice){text.ptr, 2}) && (unsigned char)text.ptr[0] == 0xC2 ? 2 : 1;
}

char *text_clean(struct slice text, char *buffer, size_t size)
{
	size_t out = 0;
	while (text.len > 0) {
		size_t len = printable(text), step = len > 0 ? len : unprintable(text);
		if (out + (len > 0 ? len : 1) + 1 > size)
			break;
		if (len > 0)
			memcpy(buffer + out, text.ptr, len);
		else
			buffer[out] = '?';
		out += len > 0 ? len : 1;
		text = (struct slice){text.ptr + step, text.len - step};
	}
	buffer[out] = '\0';
	return buffer;
}

static char *report_json(const struct topic *topic, const struct report *report, const char *found, int64_t wall_us)
{
	char time[TIME_TEXT_MAX];
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "subject", topic_subject_name(topic->subject));
	cJSON_AddStringToObject(json, "code", report->code);
	if (report->path != NULL)
		cJSON_AddStringToObject(json, "path", report->path);
	cJSON_AddStringToObject(json, "found", found);
	cJSON_AddStringToObject(json, "wanted", report->wanted);
	cJSON_AddStringToObject(json, "time", time_print(wall_us, time));
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	return text;
}

/* Keeps a flood of bad messages from filling the disk with log lines. */
static bool line_allowed(struct reporter *reporter, int64_t now_ms)
{
	if (now_ms - reporter->lines_ms >= INTERVAL_MS) {
		if (reporter->unlogged > 0)
			broker_logf(reporter->broker, NOTICE_WARNING, "%u more messages were refused", reporter->unlogged);
		reporter->lines_ms = now_ms;
		reporter->lines = reporter->unlogged = 0;
	}
	if (reporter->lines < LINES_PER_SECOND) {
		reporter->lines++;
		return true;
	}
	reporter->unlogged++;
	return false;
}

bool report_publish(struct reporter *reporter, const struct topic *topic, const struct report *report,
                    struct instant now)
{
	if (!is_due(reporter, topic, now.mono_ms))
		return false;

	char found[FOUND_MAX], name[TOPIC_MAX + sizeof "/error"];
	text_clean(report->found, found, sizeof found);
	int len = snprintf(name, sizeof name, "%.*s/%.*s/%.*s/error", (int)topic->location.len, topic->location.ptr,
	                   (int)topic->device.len, topic->device.ptr, (int)topic->sensor.len, topic->sensor.ptr);
	char *json = report_json(topic, report, found, now.wall_us);
	bool ok =
		json != NULL && len < (int)sizeof name && reporter->broker->publish(name, slice_of(json), 0, false, NULL, 0);
	cJSON_free(json);
	if (len <= 0 || len >= (int)sizeof name)
		return ok;
	if (line_allowed(reporter, now.mono_ms)) {
		char clean[256];
		name[len - (int)strlen("/error")] = '\0';
		broker_logf(reporter->broker, NOTICE_WARNING, "%s/%s: %s%s%s: found %s; wanted %s",
		            text_clean(slice_of(name), clean, sizeof clean), topic_subject_name(topic->subject), report->code,
		            report->path != NULL ? " at " : "", report->path != NULL ? report->path : "",
		            found[0] != '\0' ? found : "nothing", report->wanted);
	}
	return ok;
}
