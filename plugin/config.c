/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config: see config.h; the other files of the module are listed in config_parse.h.
 *
 * config_parse lets through what any document must be (JSON of bounded size and depth, each key once); config_compile
 * refuses whatever is not in the tables of keys.
 */
#include "config_parse.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* Most keys in one object: more than any object has that is accepted, few enough to compare each with each. */
#define KEYS_MAX 64

/* ---- parse ---- */

/* True if no member before this one has its key. */
static bool check_key(const struct config_node *node, struct config_error *error)
{
	for (const cJSON *other = node->up->item->child; other != node->item; other = other->next) {
		if (strcmp(other->string, node->key) == 0)
			return config_refuse(error, node, "the same key again", "each key once in an object");
	}
	return true;
}

/* True if no object within the node has a key twice. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the text is nested, so at most JSON_DEPTH_MAX calls */
static bool check_keys(const struct config_node *node, struct config_error *error)
{
	bool object = cJSON_IsObject(node->item);
	struct config_node member = {.up = node};
	for (member.item = node->item->child; member.item != NULL; member.item = member.item->next) {
		if (object && member.index == KEYS_MAX)
			return config_refuse(error, node, "more than 64 keys", "at most 64 keys in an object");
		member.key = object ? member.item->string : NULL;
		if ((object && !check_key(&member, error)) || !check_keys(&member, error))
			return false;
		member.index++;
	}
	return true;
}

cJSON *config_parse(struct slice payload, struct config_error *error)
{
	struct config_node root = {0};

	if (payload.len > CONFIG_PAYLOAD_MAX) {
		config_refuse(error, &root, "a longer document", "at most 131072 bytes");
		return NULL;
	}
	if (!utf8_valid(payload)) {
		config_refuse(error, &root, "bytes that are not UTF-8, or NUL", "JSON in UTF-8");
		return NULL;
	}
	struct json_fault fault;
	if (!json_check(payload, &fault)) {
		config_refuse_byte(error, payload, fault.byte, fault.wanted);
		return NULL;
	}
	cJSON *document = cJSON_ParseWithLength(payload.ptr, payload.len);
	if (document == NULL) {
		config_refuse_memory(error);
		return NULL;
	}
	root.item = document;
	bool good = cJSON_IsObject(document) ? check_keys(&root, error)
	                                     : config_refuse(error, &root, NULL, "an object, such as {\"unit\": \"°C\"}");
	if (!good) {
		cJSON_Delete(document);
		return NULL;
	}
	return document;
}

/* ---- merge ---- */

cJSON *config_merge(const cJSON *house, const cJSON *location, const cJSON *device)
{
	const cJSON *documents[] = {device, location, house}; /* what is there first stays */
	if (house == NULL && location == NULL && device == NULL)
		return NULL;
	cJSON *merged = cJSON_CreateObject();
	if (merged == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
		const cJSON *item = documents[i] != NULL ? documents[i]->child : NULL;
		for (; item != NULL; item = item->next) {
			if (cJSON_GetObjectItemCaseSensitive(merged, item->string) != NULL)
				continue;
			cJSON *copy = cJSON_Duplicate(item, true);
			if (!cJSON_AddItemToObject(merged, item->string, copy)) {
				cJSON_Delete(copy);
				cJSON_Delete(merged);
				return NULL;
			}
		}
	}
	return merged;
}

/* ---- compile ---- */

/* A config and the memory that all its pointers lead to. */
struct compiled {
	struct config config; /* first, so that config_free finds the rest */
	struct config_block *blocks;
};

static const struct config_key store_keys[] = {
	{.name = "deadband",
     .read = config_read_number,
     .offset = offsetof(struct config, deadband),
     .least = 0,
     .most = DBL_MAX,
     .wanted = "a number, 0 or more"},
	{.name = "at_least_every",
     .read = config_read_seconds,
     .offset = offsetof(struct config, at_least_every_us),
     .least = 0,
     .most = CONFIG_SECONDS_MAX,
     .detail = 1000000,
     .wanted = "seconds from 0 to 31536000"},
};
static const struct config_shape store_shape = {CONFIG_KEYS(store_keys),
                                                .wanted = "{\"deadband\": 0.1, \"at_least_every\": 300}"};

static bool read_store(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                       void *field)
{
	(void)key;
	return config_read_object(reader, node, &store_shape, field);
}

static const struct config_key document_keys[] = {
	{.name = "unit",
     .read = config_read_text,
     .offset = offsetof(struct config, unit),
     .most = CONFIG_UNIT_MAX,
     .wanted = "a unit of 1 to 32 bytes, such as \"°C\""},
	{.name = "min",
     .read = config_read_number,
     .offset = offsetof(struct config, min),
     CONFIG_ANY_NUMBER,
     .wanted = "a number"},
	{.name = "max",
     .read = config_read_number,
     .offset = offsetof(struct config, max),
     CONFIG_ANY_NUMBER,
     .wanted = "a number"},
	{.name = "stale_after",
     .read = config_read_seconds,
     .offset = offsetof(struct config, stale_after_ms),
     .least = DBL_TRUE_MIN, /* more than 0 */
     .most = CONFIG_SECONDS_MAX,
     .detail = 1000,
     .wanted = "seconds, more than 0 and at most 31536000"},
	{.name = "store", .read = read_store},
	{.name = "rules", .read = config_read_rules, .wanted = "a list of at most 1024 rules"},
};
static const struct config_shape document_shape = {CONFIG_KEYS(document_keys),
                                                   .wanted = "an object, such as {\"unit\": \"°C\"}"};

static bool read_document(struct config_reader *reader, const cJSON *document, struct config *config)
{
	struct config_node root = {.item = document};
	if (!config_read_object(reader, &root, &document_shape, config))
		return false;
	struct config_node max = config_member(&root, "max");
	if (config->min >= config->max)
		return config_refuse(reader->error, &max, NULL, "more than \"min\"");
	return true;
}

struct config *config_compile(const cJSON *document, const struct topic *sensor, struct config_error *error)
{
	struct config_reader reader = {.sensor = sensor, .error = error};
	struct compiled *compiled = cJSON_malloc(sizeof *compiled);
	if (compiled == NULL) {
		config_refuse_memory(error);
		return NULL;
	}
	*compiled = (struct compiled){.config = {.min = -HUGE_VAL, .max = HUGE_VAL}};
	bool good = read_document(&reader, document, &compiled->config);
	compiled->blocks = reader.blocks;
	if (!good) {
		config_free(&compiled->config);
		return NULL;
	}
	return &compiled->config;
}

void config_free(struct config *config)
{
	struct compiled *compiled = (struct compiled *)config;
	if (compiled == NULL)
		return;
	config_blocks_free(compiled->blocks);
	cJSON_free(compiled);
}

/* ---- scale ---- */

double scale_apply(const struct scale *scale, double number)
{
	static const double steps[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6}; /* in one unit, by digits */
	double low = fmin(scale->from[0], scale->from[1]), high = fmax(scale->from[0], scale->from[1]);
	double at = fmin(fmax(number, low), high);

	/* Halved, if need be, so that the span of two huge ends is finite. */
	double shrink = isfinite(high - low) ? 1 : 0.5;
	double way = (at * shrink - scale->from[0] * shrink) / (scale->from[1] * shrink - scale->from[0] * shrink);
	double result = scale->to[0] * (1 - way) + scale->to[1] * way;

	/* A half that the interpolation missed by its own rounding (25.499999999999993) is still a half. */
	double scaled = result * steps[scale->digits];
	scaled = round(scaled + copysign(1e-9, scaled));
	if (!isfinite(scaled))
		return result;                          /* beyond 1e302 there are no decimals to round */
	return scaled / steps[scale->digits] + 0.0; /* never −0 */
}
