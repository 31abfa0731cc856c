/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * catalog: see catalog.h.
 *
 * Binding a series compiles its merged document, resolves the topics its rules read to series (which may appear by
 * that, and are bound in turn: catalog_bind_new goes on until no new one is left) and attaches the rules to actuators.
 */
#include "catalog.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1 /* an element that found no memory has hh.tbl NULL */
#include <uthash.h>

struct content {
	char *text;
	size_t text_len;
	cJSON *json;
};

struct document {
	char *name;         /* the config topic */
	struct topic topic; /* into name */
	struct content content;
	UT_hash_handle hh;
};

struct catalog {
	struct series_table *series;
	struct action *action;
	struct document *documents;
	size_t bound; /* series below this number are bound */
	struct catalog_unbound unbound;
};

struct catalog *catalog_new(struct series_table *series, struct action *action)
{
	struct catalog *catalog = calloc(1, sizeof *catalog);
	if (catalog != NULL) {
		catalog->series = series;
		catalog->action = action;
	}
	return catalog;
}

static const struct config_error no_memory = {"$", "no memory", "the same again when there is some"};

/* ---- documents ---- */

static void content_free(struct content *content)
{
	cJSON_Delete(content->json);
	free(content->text);
}

/* What a payload holds; nothing if it is empty. False: *error is set. */
static bool content_read(struct slice text, struct content *out, struct config_error *error)
{
	*out = (struct content){0};
	if (text.len == 0)
		return true;
	cJSON *json = config_parse(text, error);
	char *copy = json != NULL ? malloc(text.len) : NULL;
	if (copy == NULL) {
		if (json != NULL)
			*error = no_memory;
		cJSON_Delete(json);
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	*out = (struct content){copy, text.len, json};
	return true;
}

static void document_free(struct document *document)
{
	content_free(&document->content);
	free(document->name);
	free(document);
}

static struct document *document_find(const struct catalog *catalog, struct slice name)
{
	struct document *document = NULL;
	HASH_FIND(hh, catalog->documents, name.ptr, name.len, document);
	return document;
}

/* The document of a name, made without content if it is new. NULL: no memory. */
static struct document *document_intern(struct catalog *catalog, struct slice name)
{
	struct document *document = document_find(catalog, name);
	if (document != NULL)
		return document;
	document = calloc(1, sizeof *document);
	if (document == NULL)
		return NULL;
	document->name = strndup(name.ptr, name.len);
	if (document->name == NULL || !topic_parse((struct slice){document->name, name.len}, &document->topic)) {
		document_free(document);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, catalog->documents, document->name, name.len, document);
	if (document->hh.tbl == NULL) {
		document_free(document);
		return NULL;
	}
	return document;
}

/* A document without content is none. */
static void document_drop_empty(struct catalog *catalog, struct document *document)
{
	if (document->content.json != NULL)
		return;
	HASH_DEL(catalog->documents, document);
	document_free(document);
}

/* The document at a level of a sensor's hierarchy; NULL: none. */
static const cJSON *level_json(const struct catalog *catalog, struct slice location, struct slice device,
                               struct slice sensor)
{
	char name[TOPIC_MAX + 32];
	int len = snprintf(name, sizeof name, "%.*s/%.*s/%.*s/config", (int)location.len, location.ptr, (int)device.len,
	                   device.ptr, (int)sensor.len, sensor.ptr);
	const struct document *document = document_find(catalog, (struct slice){name, (size_t)len});
	return document != NULL ? document->content.json : NULL;
}

/* The merged and compiled config of a sensor. *config is NULL if there is no document; false: *error is set. */
static bool compile_for(const struct catalog *catalog, const struct topic *topic, struct config **config,
                        struct config_error *error)
{
	const struct slice all = slice_of(TOPIC_ALL);
	const cJSON *house = level_json(catalog, all, all, topic->sensor);
	const cJSON *location = level_json(catalog, topic->location, all, topic->sensor);
	const cJSON *device = level_json(catalog, topic->location, topic->device, topic->sensor);

	*config = NULL;
	if (house == NULL && location == NULL && device == NULL)
		return true;
	cJSON *merged = config_merge(house, location, device);
	if (merged == NULL) {
		*error = no_memory;
		return false;
	}
	*config = config_compile(merged, topic, error);
	cJSON_Delete(merged);
	return *config != NULL;
}

/* True if a document (or series) of topic `inner` is ruled by one of topic `outer`. */
static bool rules_over(const struct topic *outer, const struct topic *inner)
{
	return slice_equal(outer->sensor, inner->sensor) &&
	       (slice_is(outer->location, TOPIC_ALL) || slice_equal(outer->location, inner->location)) &&
	       (slice_is(outer->device, TOPIC_ALL) || slice_equal(outer->device, inner->device));
}

static bool is_exact(const struct topic *topic)
{
	return !slice_is(topic->location, TOPIC_ALL) && !slice_is(topic->device, TOPIC_ALL);
}

static bool merge_valid(const struct catalog *catalog, const struct topic *topic, struct config_error *error)
{
	struct config *config;
	bool ok = compile_for(catalog, topic, &config, error);
	config_free(config);
	return ok;
}

/* Every merge that a document at `topic` is part of must be valid; the error names the document that is not. */
static bool merges_valid(const struct catalog *catalog, const struct topic *topic, struct config_error *error)
{
	if (!merge_valid(catalog, topic, error))
		return false;
	if (is_exact(topic))
		return true;
	for (const struct document *d = catalog->documents; d != NULL; d = d->hh.next) {
		if (rules_over(topic, &d->topic) && !merge_valid(catalog, &d->topic, error)) {
			snprintf(error->found, sizeof error->found, "a clash with %.60s", d->name);
			return false;
		}
	}
	return true;
}

/* ---- binding ---- */

static void bound_rules_free(struct catalog *catalog, struct bound_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bound_rule *rule = &rules[i];
		action_detach(catalog->action, rule);
		if (rule->subject != NULL)
			series_unwatch(rule->subject, rule);
		for (size_t j = 0; rule->inputs != NULL && j < rule->rule->input_count; j++) {
			if (rule->inputs[j] != NULL)
				series_unwatch(rule->inputs[j], rule);
		}
		free(rule->inputs);
		free(rule->latest);
	}
	free(rules);
}

static bool bound_rule_init(struct catalog *catalog, struct bound_rule *rule, const struct rule *compiled,
                            struct series *subject)
{
	size_t inputs = compiled->input_count;
	rule->rule = compiled;
	rule->inputs = calloc(inputs + 1, sizeof *rule->inputs);
	rule->latest = calloc(inputs + 1, sizeof *rule->latest);
	if (rule->inputs == NULL || rule->latest == NULL || !series_watch(subject, rule))
		return false;
	rule->subject = subject;
	for (size_t i = 0; i < inputs; i++) {
		struct slice name = slice_of(compiled->inputs[i]);
		struct topic topic;
		bool made;
		if (!topic_parse(name, &topic))
			return false;
		rule->inputs[i] = series_intern(catalog->series, name, &topic, &made);
		if (rule->inputs[i] == NULL || (rule->inputs[i] != subject && !series_watch(rule->inputs[i], rule)))
			return false;
		rule->latest[i] = &rule->inputs[i]->latest;
	}
	return action_attach(catalog->action, rule);
}

/* The same rule in the config that is being replaced. */
static const struct bound_rule *rule_before(const struct series *series, const struct rule *rule)
{
	for (size_t i = 0; i < series->rule_count; i++) {
		if (series->rules[i].rule->fingerprint == rule->fingerprint)
			return &series->rules[i];
	}
	return NULL;
}

/* Puts a config and its bound rules in the place of what the series had. */
static void replace(struct catalog *catalog, struct series *series, struct config *config, struct bound_rule *rules,
                    size_t count)
{
	bound_rules_free(catalog, series->rules, series->rule_count);
	config_free(series->config);
	series->config = config;
	series->rules = rules;
	series->rule_count = count;
	series->latest.stale_after_ms = config != NULL ? config->stale_after_ms : 0;
}

static bool bind(struct catalog *catalog, struct series *series, struct config *config)
{
	size_t count = config != NULL ? config->rule_count : 0;
	struct bound_rule *rules = calloc(count + 1, sizeof *rules);
	if (rules == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!bound_rule_init(catalog, &rules[i], &config->rules[i], series)) {
			bound_rules_free(catalog, rules, i + 1);
			return false;
		}
	}
	for (size_t i = 0; i < count; i++) {
		const struct bound_rule *before = rule_before(series, &config->rules[i]);
		if (before != NULL)
			action_take_over(catalog->action, &rules[i], before);
	}
	replace(catalog, series, config, rules, count);
	return true;
}

static bool note_unbound(struct catalog *catalog, const struct series *series, const struct config_error *error)
{
	catalog->unbound.count++;
	catalog->unbound.series = series;
	catalog->unbound.error = *error;
	return false;
}

static bool bind_series(struct catalog *catalog, struct series *series)
{
	static const struct config_error no_room = {"$.rules", "more series than plugin_opt_max_series, or no memory",
	                                            "room for the topics that the rules name"};
	struct config_error error;
	struct config *config;
	struct topic topic = series_topic(series);
	if (topic.subject != SUBJECT_VALUE)
		return true;
	if (!compile_for(catalog, &topic, &config, &error))
		return note_unbound(catalog, series, &error);
	if ((config == NULL && series->config == NULL) || bind(catalog, series, config))
		return true;
	/* What was in force goes on; a new series has at least its limits. */
	if (series->config == NULL)
		replace(catalog, series, config, NULL, 0);
	else
		config_free(config);
	return note_unbound(catalog, series, &no_room);
}

bool catalog_bind_new(struct catalog *catalog)
{
	bool ok = true;
	while (catalog->bound < series_count(catalog->series))
		ok = bind_series(catalog, series_at(catalog->series, catalog->bound++)) && ok;
	return ok;
}

/* The live `value` series of a sensor; NULL: none. */
static struct series *value_series(const struct catalog *catalog, const struct topic *topic)
{
	char name[TOPIC_MAX + 32];
	int len = snprintf(name, sizeof name, "%.*s/%.*s/%.*s/value", (int)topic->location.len, topic->location.ptr,
	                   (int)topic->device.len, topic->device.ptr, (int)topic->sensor.len, topic->sensor.ptr);
	return series_find(catalog->series, (struct slice){name, (size_t)len});
}

/* Binds again what is live and ruled by a document at `topic`. */
static bool bind_again(struct catalog *catalog, const struct topic *topic)
{
	bool ok = true;
	if (is_exact(topic)) {
		struct series *series = value_series(catalog, topic);
		ok = series == NULL || bind_series(catalog, series);
		return catalog_bind_new(catalog) && ok;
	}
	for (size_t i = 0; i < catalog->bound; i++) {
		struct series *series = series_at(catalog->series, i);
		struct topic series_parts = series_topic(series);
		if (rules_over(topic, &series_parts))
			ok = bind_series(catalog, series) && ok;
	}
	return catalog_bind_new(catalog) && ok;
}

/* ---- the catalog ---- */

static bool level_valid(const struct topic *topic, struct config_error *error)
{
	if (!slice_is(topic->location, TOPIC_ALL) || slice_is(topic->device, TOPIC_ALL))
		return true;
	*error =
		(struct config_error){"topic", "all in place of the location only", "location/device, location/all or all/all"};
	return false;
}

enum catalog_result catalog_put(struct catalog *catalog, struct slice name, const struct topic *topic,
                                struct slice payload, struct config_error *error)
{
	struct slice text = slice_trim(payload);
	const struct document *present = document_find(catalog, name);
	struct slice before =
		present != NULL ? (struct slice){present->content.text, present->content.text_len} : (struct slice){NULL, 0};
	struct content content;

	if (!level_valid(topic, error))
		return CATALOG_REFUSED;
	if (slice_equal(text, before))
		return CATALOG_SAME;
	if (!content_read(text, &content, error))
		return CATALOG_REFUSED;
	struct document *document = document_intern(catalog, name);
	if (document == NULL) {
		content_free(&content);
		*error = no_memory;
		return CATALOG_REFUSED;
	}
	struct content old = document->content;
	document->content = content;
	if (!merges_valid(catalog, topic, error)) {
		content_free(&content);
		document->content = old;
		document_drop_empty(catalog, document);
		return CATALOG_REFUSED;
	}
	content_free(&old);
	document_drop_empty(catalog, document);
	return bind_again(catalog, topic) ? CATALOG_CHANGED : CATALOG_UNBOUND;
}

const struct catalog_unbound *catalog_unbound(const struct catalog *catalog)
{
	return &catalog->unbound;
}

size_t catalog_count(const struct catalog *catalog)
{
	return HASH_COUNT(catalog->documents);
}

void catalog_free(struct catalog *catalog)
{
	if (catalog == NULL)
		return;
	for (size_t i = 0; i < series_count(catalog->series); i++) {
		struct series *series = series_at(catalog->series, i);
		replace(catalog, series, NULL, NULL, 0);
	}
	struct document *document = catalog->documents;
	HASH_CLEAR(hh, catalog->documents); /* the table goes, the elements stay linked */
	while (document != NULL) {
		struct document *next = document->hh.next;
		document_free(document);
		document = next;
	}
	free(catalog);
}
