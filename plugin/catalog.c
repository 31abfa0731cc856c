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
#include <uthash.h>

struct document {
	char *name;         /* the config topic */
	struct topic topic; /* into name */
	char *text;
	size_t text_len;
	cJSON *json;
	UT_hash_handle hh;
};

struct catalog {
	struct series_table *series;
	struct action *action;
	struct document *documents;
	size_t bound; /* series below this number are bound */
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

/* ---- documents ---- */

static void document_free(struct document *document)
{
	if (document == NULL)
		return;
	cJSON_Delete(document->json);
	free(document->text);
	free(document->name);
	free(document);
}

static struct document *document_new(struct slice name, struct slice text, cJSON *json)
{
	struct document *document = calloc(1, sizeof *document);
	if (document == NULL)
		return NULL;
	document->name = strndup(name.ptr, name.len);
	document->text = malloc(text.len);
	if (document->name == NULL || document->text == NULL ||
	    !topic_parse((struct slice){document->name, name.len}, &document->topic)) {
		document_free(document);
		return NULL;
	}
	memcpy(document->text, text.ptr, text.len);
	document->text_len = text.len;
	document->json = json;
	return document;
}

static struct document *document_find(const struct catalog *catalog, struct slice name)
{
	struct document *document = NULL;
	HASH_FIND(hh, catalog->documents, name.ptr, name.len, document);
	return document;
}

static void document_add(struct catalog *catalog, struct document *document)
{
	HASH_ADD_KEYPTR(hh, catalog->documents, document->name, strlen(document->name), document);
}

static void document_remove(struct catalog *catalog, struct document *document)
{
	HASH_DEL(catalog->documents, document);
}

/* The document at a level of a sensor's hierarchy; NULL: none. */
static const cJSON *level_json(const struct catalog *catalog, struct slice location, struct slice device,
                               struct slice sensor)
{
	char name[TOPIC_MAX + 32];
	int len = snprintf(name, sizeof name, "%.*s/%.*s/%.*s/config", (int)location.len, location.ptr, (int)device.len,
	                   device.ptr, (int)sensor.len, sensor.ptr);
	const struct document *document = document_find(catalog, (struct slice){name, (size_t)len});
	return document != NULL ? document->json : NULL;
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
		*error = (struct config_error){"$", "no memory", "try again"};
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
                            struct series *subject, const struct bound_rule *before)
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
		if (rule->inputs[i] == NULL || !series_watch(rule->inputs[i], rule))
			return false;
		rule->latest[i] = &rule->inputs[i]->latest;
	}
	return action_attach(catalog->action, rule, before);
}

/* The same rule in the config that is being replaced. */
static const struct bound_rule *rule_before(const struct series *series, const struct rule *rule)
{
	for (size_t i = 0; series->config != NULL && i < series->config->rule_count; i++) {
		if (series->rules[i].rule->fingerprint == rule->fingerprint)
			return &series->rules[i];
	}
	return NULL;
}

static bool bind(struct catalog *catalog, struct series *series, struct config *config)
{
	size_t count = config != NULL ? config->rule_count : 0;
	struct bound_rule *rules = calloc(count + 1, sizeof *rules);
	if (rules == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!bound_rule_init(catalog, &rules[i], &config->rules[i], series, rule_before(series, &config->rules[i]))) {
			bound_rules_free(catalog, rules, i + 1);
			return false;
		}
	}
	bound_rules_free(catalog, series->rules, series->config != NULL ? series->config->rule_count : 0);
	config_free(series->config);
	series->config = config;
	series->rules = rules;
	series->latest.stale_after_ms = config != NULL ? config->stale_after_ms : 0;
	return true;
}

static bool bind_series(struct catalog *catalog, struct series *series)
{
	struct config_error error;
	struct config *config;
	struct topic topic = series_topic(series);
	if (topic.subject != SUBJECT_VALUE)
		return true;
	if (!compile_for(catalog, &topic, &config, &error))
		return false;
	if (config == NULL && series->config == NULL)
		return true;
	if (bind(catalog, series, config))
		return true;
	config_free(config);
	return false;
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
	struct document *old = document_find(catalog, name), *document = NULL;

	if (!level_valid(topic, error))
		return CATALOG_REFUSED;
	if (old == NULL ? text.len == 0 : slice_equal(text, (struct slice){old->text, old->text_len}))
		return CATALOG_SAME;
	if (text.len > 0) {
		cJSON *json = config_parse(text, error);
		if (json == NULL)
			return CATALOG_REFUSED;
		document = document_new(name, text, json);
		if (document == NULL) {
			cJSON_Delete(json);
			*error = (struct config_error){"$", "no memory", "try again"};
			return CATALOG_REFUSED;
		}
	}
	if (old != NULL)
		document_remove(catalog, old);
	if (document != NULL)
		document_add(catalog, document);
	if (!merges_valid(catalog, topic, error)) {
		if (document != NULL)
			document_remove(catalog, document);
		if (old != NULL)
			document_add(catalog, old);
		document_free(document);
		return CATALOG_REFUSED;
	}
	document_free(old);
	return bind_again(catalog, topic) ? CATALOG_CHANGED : CATALOG_UNBOUND;
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
		bound_rules_free(catalog, series->rules, series->config != NULL ? series->config->rule_count : 0);
		config_free(series->config);
		series->rules = NULL;
		series->config = NULL;
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
