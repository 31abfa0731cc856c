/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * catalog_documents: see catalog_documents.h.
 */
#include "catalog_documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void content_free(struct content *content)
{
	cJSON_Delete(content->json);
	free(content->text);
}

bool content_read(struct slice text, struct content *out, struct config_error *error)
{
	*out = (struct content){0};
	if (text.len == 0)
		return true;
	cJSON *json = config_parse(text, error);
	char *copy = json != NULL ? malloc(text.len) : NULL;
	if (copy == NULL) {
		if (json != NULL)
			*error = (struct config_error){"$", "no memory", "the same again when there is some"};
		cJSON_Delete(json);
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	*out = (struct content){copy, text.len, json};
	return true;
}

static void document_free(struct catalog_document *document)
{
	content_free(&document->content);
	free(document->author);
	free(document->name);
	free(document);
}

struct catalog_document *catalog_document_find(const struct catalog_documents *documents, struct slice name)
{
	struct catalog_document *document = NULL;
	HASH_FIND(hh, documents->all, name.ptr, name.len, document);
	return document;
}

struct catalog_document *catalog_document_intern(struct catalog_documents *documents, struct slice name)
{
	struct catalog_document *document = catalog_document_find(documents, name);
	if (document != NULL)
		return document;
	document = calloc(1, sizeof *document);
	if (document == NULL)
		return NULL;
	document->name = strndup(name.ptr, name.len);
	document->author = strdup("");
	if (document->name == NULL || document->author == NULL ||
	    !topic_parse((struct slice){document->name, name.len}, &document->topic))
		goto fail;
	HASH_ADD_KEYPTR(hh, documents->all, document->name, name.len, document);
	if (document->hh.tbl == NULL)
		goto fail;
	return document;

fail:
	document_free(document);
	return NULL;
}

bool catalog_document_set_author(struct catalog_document *document, struct slice author)
{
	char *copy = strndup(author.len > 0 ? author.ptr : "", author.len);
	if (copy == NULL)
		return false;
	free(document->author);
	document->author = copy;
	return true;
}

void catalog_document_drop_empty(struct catalog_documents *documents, struct catalog_document *document)
{
	if (document->content.json != NULL)
		return;
	HASH_DEL(documents->all, document);
	document_free(document);
}

void catalog_documents_free(struct catalog_documents *documents)
{
	struct catalog_document *document = documents->all;
	HASH_CLEAR(hh, documents->all); /* the table goes, the elements stay linked */
	while (document != NULL) {
		struct catalog_document *next = document->hh.next;
		document_free(document);
		document = next;
	}
}

/* The document at a level of a sensor's hierarchy; NULL: none that is in force. */
static const cJSON *level_json(const struct catalog_documents *documents, struct slice location, struct slice device,
                               struct slice sensor)
{
	char name[TOPIC_MAX + 32];
	int len = snprintf(name, sizeof name, "%.*s/%.*s/%.*s/config", (int)location.len, location.ptr, (int)device.len,
	                   device.ptr, (int)sensor.len, sensor.ptr);
	const struct catalog_document *document = catalog_document_find(documents, (struct slice){name, (size_t)len});
	return document != NULL && !document->suspended ? document->content.json : NULL;
}

bool catalog_documents_merge(const struct catalog_documents *documents, const struct topic *topic, cJSON **out)
{
	const struct slice all = slice_of(TOPIC_ALL);
	const cJSON *house = level_json(documents, all, all, topic->sensor);
	const cJSON *location = level_json(documents, topic->location, all, topic->sensor);
	const cJSON *device = level_json(documents, topic->location, topic->device, topic->sensor);

	*out = NULL;
	if (house == NULL && location == NULL && device == NULL)
		return true;
	*out = config_merge(house, location, device);
	return *out != NULL;
}
