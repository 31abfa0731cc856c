/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * catalog_documents: the config documents by their topic, each as its text and as JSON. Private to catalog*.c.
 */
#ifndef HEARTH_CATALOG_DOCUMENTS_H
#define HEARTH_CATALOG_DOCUMENTS_H

#include "config.h"

#include <cjson/cJSON.h>
#define HASH_NONFATAL_OOM 1 /* an element that found no memory has hh.tbl NULL */
#include <uthash.h>

struct content {
	char *text;
	size_t text_len;
	cJSON *json;
};

struct catalog_document {
	char *name;         /* the config topic */
	struct topic topic; /* into name */
	char *author;       /* user name; "": nobody is known */
	struct content content;
	UT_hash_handle hh;
	bool suspended; /* its author may not command what its rules name: it counts for nothing */
};

struct catalog_documents {
	struct catalog_document *all; /* in the order in which they were put first */
};

/* What a payload holds; nothing if it is empty. False: *error is set. */
bool content_read(struct slice text, struct content *out, struct config_error *error);
void content_free(struct content *content);

struct catalog_document *catalog_document_find(const struct catalog_documents *documents, struct slice name);

/* The document of a name, made without content and author if it is new. NULL: no memory. */
struct catalog_document *catalog_document_intern(struct catalog_documents *documents, struct slice name);

/* False: no memory, nothing changed. */
bool catalog_document_set_author(struct catalog_document *document, struct slice author);

/* A document without content is none. */
void catalog_document_drop_empty(struct catalog_documents *documents, struct catalog_document *document);

void catalog_documents_free(struct catalog_documents *documents);

/*
 * The documents in force that rule a sensor, merged. *out is NULL if there is none, else the caller's. False: no memory.
 */
bool catalog_documents_merge(const struct catalog_documents *documents, const struct topic *topic, cJSON **out);

#endif
