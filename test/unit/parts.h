/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * parts: the modules behind the intake, put together as it does, on a journal in a temporary folder and the fake broker.
 *
 * Configs are written with ' for ", so that they can be read.
 */
#ifndef TEST_PARTS_H
#define TEST_PARTS_H

#include "catalog.h"
#include "delivery.h"
#include "feed.h"
#include "journal_fixture.h"
#include "own.h"
#include "report.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The least journal: room for about 6,000 readings. */
#define PARTS_QUOTA   (256 * KIB)
#define PARTS_SEGMENT (64 * KIB)

struct parts {
	struct fixture journal;
	struct feed feed;
	struct delivery *delivery;
	struct reporter *reporter;
	struct own own;
};

void parts_make(struct parts *parts, size_t max_series);
void parts_remove(struct parts *parts);

/* Puts the config of LOCATION/DEVICE/SENSOR in force. */
enum catalog_result parts_config(struct parts *parts, const char *sensor, const char *text, struct config_error *error);
/* The same, which must be taken. */
void parts_rules(struct parts *parts, const char *sensor, const char *text);

/* The series of a four-level topic. */
struct series *parts_series(struct parts *parts, const char *topic);

/* Feeds a value of a four-level topic and delivers what comes of it. */
void parts_feed(struct parts *parts, const char *topic, const char *text, int64_t at_ms);

/* A copy of the text with " for each '. Valid until the next call. */
struct slice quoted(const char *text);

#endif
