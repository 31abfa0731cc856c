/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_fixture: what the tests of config share: documents by text, and the rows of config_documents.json.
 *
 * Every text that is parsed ends right before an unreadable page, so that reading one byte too far crashes.
 */
#ifndef TEST_CONFIG_FIXTURE_H
#define TEST_CONFIG_FIXTURE_H

#include "config.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static const struct topic livingroom = {{"livingroom", 10}, {"uno1", 4}, {"temperature", 11}, SUBJECT_CONFIG};

/* A document with one rule, and one whose condition is given. */
#define RULE(rest) "{\"rules\":[{\"name\":\"a\"," rest "}]}"
#define WHEN(rest) RULE("\"when\":{" rest "},\"then\":[{\"set\":\"a/b/c\",\"to\":1}]")

#define TEXT_MAX ((size_t)2 * CONFIG_PAYLOAD_MAX)
static char *fence; /* the first unreadable byte; TEXT_MAX bytes before it are ours */

static inline int raise_fence(void **state)
{
	(void)state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, TEXT_MAX + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	fence = memory + TEXT_MAX;
	assert_int_equal(mprotect(fence, page, PROT_NONE), 0);
	return 0;
}

static inline int lower_fence(void **state)
{
	(void)state;
	return munmap(fence - TEXT_MAX, TEXT_MAX + (size_t)sysconf(_SC_PAGESIZE));
}

/* The text moved to where its end is the end of readable memory. */
static inline struct slice fenced(const char *text, size_t len)
{
	assert_true(len <= TEXT_MAX);
	return (struct slice){memmove(fence - len, text, len), len};
}

static inline cJSON *parse(const char *text, struct config_error *error)
{
	*error = (struct config_error){0};
	return config_parse(fenced(text, strlen(text)), error);
}

/* Parses and compiles; NULL with the error set. */
static inline struct config *compile_slice(struct slice text, const struct topic *sensor, struct config_error *error)
{
	*error = (struct config_error){0};
	cJSON *document = config_parse(text, error);
	if (document == NULL)
		return NULL;
	struct config *config = config_compile(document, sensor, error);
	cJSON_Delete(document);
	return config;
}

static inline struct config *compile(const char *text, struct config_error *error)
{
	return compile_slice(fenced(text, strlen(text)), &livingroom, error);
}

/* The config of a document that must be good. */
static inline struct config *compiled_for(const char *text, const struct topic *sensor)
{
	struct config_error error;
	struct config *config = compile_slice(fenced(text, strlen(text)), sensor, &error);
	if (config == NULL)
		fail_msg("%s: %s: %s", error.path, error.found, error.wanted);
	return config;
}

static inline struct config *compiled(const char *text)
{
	return compiled_for(text, &livingroom);
}

static inline void assert_error_is_text(const struct config_error *error)
{
	assert_true(memchr(error->path, '\0', sizeof error->path) != NULL);
	assert_true(memchr(error->found, '\0', sizeof error->found) != NULL);
	assert_true(memchr(error->wanted, '\0', sizeof error->wanted) != NULL);
	assert_true(error->path[0] == '$' && error->found[0] != '\0' && error->wanted[0] != '\0');
	assert_true(utf8_valid(slice_of(error->path)));
	assert_true(utf8_valid(slice_of(error->found)));
	assert_true(utf8_valid(slice_of(error->wanted)));
}

/* The rows of config_documents.json; TEST_FOLDER says where test/ is, if it is not in the current folder. */
static inline cJSON *table_load(void)
{
	char path[4096];
	const char *tests = getenv("TEST_FOLDER");
	snprintf(path, sizeof path, "%s/unit/config_documents.json", tests != NULL ? tests : "test");
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("cannot open %s", path);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	long size = ftell(file);
	rewind(file);
	char *text = malloc((size_t)size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	text[size] = '\0';
	cJSON *table = cJSON_Parse(text);
	free(text);
	assert_true(cJSON_IsArray(table));
	return table;
}

/* A row's payload; the caller frees it. */
static inline char *row_text(const cJSON *row)
{
	const cJSON *text = cJSON_GetObjectItemCaseSensitive(row, "text");
	char *payload = text != NULL ? strdup(text->valuestring)
	                             : cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(row, "document"));
	assert_non_null(payload);
	return payload;
}

#endif
