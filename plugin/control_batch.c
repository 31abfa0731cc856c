/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_batch: accounts that are put in force together.
 */
#include "control_internal.h"

#include <stdlib.h>
#include <string.h>

static bool grow(struct control_batch *batch)
{
	size_t room = batch->room > 0 ? batch->room * 2 : 16;
	char **texts = realloc(batch->texts, room * sizeof *texts);
	if (texts == NULL)
		return false;
	batch->texts = texts;
	struct document *documents = realloc(batch->documents, room * sizeof *documents);
	if (documents == NULL)
		return false;
	batch->documents = documents;
	batch->room = room;
	return true;
}

bool control_batch_add(struct control_batch *batch, struct slice username, struct slice body)
{
	const size_t prefix = strlen(DOCUMENT_ACCOUNT);
	if (batch->count == batch->room && !grow(batch))
		return false;
	char *text = malloc(prefix + username.len + body.len + 1);
	if (text == NULL)
		return false;
	char *at = mempcpy(mempcpy(text, DOCUMENT_ACCOUNT, prefix), username.ptr, username.len);
	memcpy(at, body.ptr, body.len);
	batch->documents[batch->count] = (struct document){{text, prefix + username.len}, {at, body.len}};
	batch->texts[batch->count++] = text;
	batch->bytes += prefix + username.len + body.len;
	return true;
}

bool control_batch_has(const struct control_batch *batch, struct slice username)
{
	const size_t prefix = strlen(DOCUMENT_ACCOUNT);
	for (size_t i = 0; i < batch->count; i++) {
		struct slice name = batch->documents[i].name;
		if (slice_equal((struct slice){name.ptr + prefix, name.len - prefix}, username))
			return true;
	}
	return false;
}

void control_batch_free(struct control_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->texts[i]);
	free(batch->texts);
	free(batch->documents);
}
