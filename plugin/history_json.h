/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * history_json: a JSON text that grows, up to a bound.
 *
 * All 0 is an empty one. What goes wrong while it grows is noted in it and asked for once, in the end; after that nothing
 * more is added.
 */
#ifndef HEARTH_HISTORY_JSON_H
#define HEARTH_HISTORY_JSON_H

#include "value.h"

#define HISTORY_JSON_MAX ((size_t)16 * 1024 * 1024) /* bytes, the NUL behind them not counted */

struct history_json {
	char *text; /* NUL-terminated once there is any; its owner frees it */
	size_t len, capacity;
	bool too_long; /* it would have had more than HISTORY_JSON_MAX bytes */
	bool no_memory;
};

/* Has all that was added found its place? */
bool history_json_good(const struct history_json *json);

/* Empties it, and keeps its memory. */
void history_json_clear(struct history_json *json);

/* Adds a piece of JSON as it is. */
void history_json_add(struct history_json *json, const char *piece);

/* Adds the comma that comes before each element but the first of an array or object, and then a piece. */
void history_json_item(struct history_json *json, const char *piece);

/* Adds a string, quotes included. What is no UTF-8, and NUL, becomes U+FFFD. */
void history_json_text(struct history_json *json, struct slice text);

/* Adds a number that reads back as the same one; null if it is not finite. */
void history_json_number(struct history_json *json, double number);

/* Adds microseconds as seconds, exactly: 1795348800.25 */
void history_json_seconds(struct history_json *json, int64_t time_us);

#endif
