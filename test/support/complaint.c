/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See complaint.h. */
#include "complaint.h"

#include "client.h"
#include "patience.h"

#include <cjson/cJSON.h>
#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* True if `word` is one of the words that '|' separates. */
static bool one_of(const char *words, const char *word)
{
	size_t len = strlen(word);

	while (words != NULL) {
		if (strncmp(words, word, len) == 0 && (words[len] == '|' || words[len] == '\0'))
			return true;
		words = strchr(words, '|');
		if (words != NULL)
			words++;
	}
	return false;
}

/* The text of a key, which must be there. */
static const char *text_of(const cJSON *document, const char *key, const char *payload)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(document, key));

	if (text == NULL)
		fail_msg("the error document has no text \"%s\": %s", key, payload);
	return text;
}

char *expect_complaint(struct client *client, const char *sensor, const char *subject, const char *code)
{
	const struct message *message;
	cJSON *document;
	char *topic = NULL, *path = NULL;

	assert_true(asprintf(&topic, "%s/error", sensor) >= 0);
	message = client_take(client, topic, SOON);
	if (message == NULL) {
		fail_msg("no error on %.200s about %s: %s", topic, subject, code);
		return NULL;
	}
	free(topic);
	assert_false(message->retain);
	document = cJSON_Parse(message->payload);
	if (document == NULL)
		fail_msg("the error is no JSON: %s", message->payload);
	if (!one_of(code, text_of(document, "code", message->payload)))
		fail_msg("wanted code %s: %s", code, message->payload);
	assert_string_equal(text_of(document, "subject", message->payload), subject);
	text_of(document, "found", message->payload);
	assert_int_not_equal(strlen(text_of(document, "wanted", message->payload)), 0);
	assert_true(strlen(text_of(document, "time", message->payload)) >= strlen("2026-11-22T10:00:00Z"));
	if (cJSON_HasObjectItem(document, "path"))
		path = strdup(text_of(document, "path", message->payload));
	cJSON_Delete(document);
	return path;
}
