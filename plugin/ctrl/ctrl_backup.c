/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_backup: what is more than a request may hold goes in parts: backups, restores, password files.
 *
 * A backup is the answers' {"version":…,"node":…,"time":…} with the documents of all of them. A restore or an import that
 * stops half-way can be done again: putting something there twice is as once.
 */
#include "ctrl_client.h"
#include "ctrl_file.h"
#include "ctrl_print.h"
#include "ctrl_run.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* Of one request, so that it stays below the 1 MiB (and the changes it makes at once) that the broker takes. */
#define PART_BYTES 700000
#define PART_ITEMS 500

/* ---- backup ---- */

static bool is_end(const cJSON *next)
{
	return !next || cJSON_IsNull(next) || (cJSON_IsString(next) && *next->valuestring == '\0');
}

/* Adds the next answer's documents to `backup`, which is the first answer; *more: there is another. */
static int add_documents(struct ctrl_call *call, cJSON **backup, bool *more)
{
	cJSON *data, *next, *documents, *document, *all;
	int status = ctrl_ask(call, call->request, &data);

	*more = false;
	if (status)
		return status;
	documents = cJSON_GetObjectItemCaseSensitive(data, "documents");
	next = cJSON_DetachItemFromObjectCaseSensitive(data, "next");
	if (!cJSON_IsArray(documents)) {
		cJSON_Delete(next);
		cJSON_Delete(data);
		return ctrl_fail(call, CTRL_REFUSED, "the broker's answer holds no documents");
	}
	*more = !is_end(next) && cJSON_GetArraySize(documents) > 0;
	cJSON_DeleteItemFromObjectCaseSensitive(call->request, "after");
	if (*more)
		cJSON_AddItemToObject(call->request, "after", next);
	else
		cJSON_Delete(next);
	if (!*backup) {
		*backup = data;
		return CTRL_OK;
	}
	all = cJSON_GetObjectItemCaseSensitive(*backup, "documents");
	while ((document = cJSON_DetachItemFromArray(documents, 0)) != NULL)
		cJSON_AddItemToArray(all, document);
	cJSON_Delete(data);
	return CTRL_OK;
}

int ctrl_run_backup(struct ctrl_call *call)
{
	const char *path = call->arguments[0];
	cJSON *backup = NULL;
	bool more = true;
	int status = CTRL_OK;
	char *text;

	while (more && !status)
		status = add_documents(call, &backup, &more);
	if (!status) {
		text = ctrl_must(cJSON_Print(backup));
		status = ctrl_file_write(call, path, text);
		/* It holds the accounts' hashes. */
		explicit_bzero(text, strlen(text));
		cJSON_free(text);
	}
	if (!status && strcmp(path, "-") != 0 && call->json)
		puts("{}");
	else if (!status && strcmp(path, "-") != 0)
		printf("%d documents are in %s.\n", cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(backup, "documents")),
		       path);
	cJSON_Delete(backup);
	return status;
}

/* ---- requests in parts ---- */

/* Lines of a part are counted from its beginning; a person counts from the file's. */
static void shift_lines(const cJSON *answer, int before)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(answer, "refused"))
	{
		cJSON *line = cJSON_GetObjectItemCaseSensitive(one, "line");

		if (cJSON_IsNumber(line))
			cJSON_SetNumberHelper(line, line->valuedouble + before);
	}
}

/* Takes a part's answer over: its numbers and lists are added to those of the parts before, which are `before` items. */
static void add_answer(cJSON **sum, cJSON *answer, int before)
{
	cJSON *item, *have, *element;

	shift_lines(answer, before);
	if (!*sum) {
		*sum = answer;
		return;
	}
	cJSON_ArrayForEach(item, answer)
	{
		have = cJSON_GetObjectItemCaseSensitive(*sum, item->string);
		if (cJSON_IsNumber(have) && cJSON_IsNumber(item))
			cJSON_SetNumberHelper(have, have->valuedouble + item->valuedouble);
		while (cJSON_IsArray(have) && cJSON_IsArray(item) && (element = cJSON_DetachItemFromArray(item, 0)) != NULL)
			cJSON_AddItemToArray(have, element);
	}
	cJSON_Delete(answer);
}

/* Takes items from the front of `all` until they fill a part. */
static cJSON *next_part(cJSON *all)
{
	cJSON *part = ctrl_must(cJSON_CreateArray());
	size_t bytes = 0;

	for (int n = 0; n < PART_ITEMS && all->child; n++) {
		char *text = ctrl_must(cJSON_PrintUnformatted(all->child));

		bytes += strlen(text) + 1;
		cJSON_free(text);
		if (n > 0 && bytes > PART_BYTES)
			break;
		cJSON_AddItemToArray(part, cJSON_DetachItemFromArray(all, 0));
	}
	return part;
}

/* Says what became of it; some of it may be refused though all was asked. */
static int report(struct ctrl_call *call, int status, const cJSON *sum, int done, int count)
{
	int refused = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(sum, "refused"));
	char reason[CTRL_ERROR_MAX];

	if (status && done == 0)
		return status;
	if (status) {
		memcpy(reason, call->error, sizeof reason);
		return ctrl_fail(call, status, "stopped after the first %d of %d: %.900s", done, count, reason);
	}
	ctrl_print(call, sum);
	if (refused > 0)
		return ctrl_fail(call, CTRL_REFUSED, "%d of %d were refused", refused, count);
	return CTRL_OK;
}

/* Asks with `all`, a part at a time, under the key; takes `all` over. */
static int ask_in_parts(struct ctrl_call *call, const char *key, cJSON *all)
{
	cJSON *sum = NULL, *data;
	int done = 0, count = cJSON_GetArraySize(all), status;

	do {
		cJSON *part = next_part(all);
		int size = cJSON_GetArraySize(part);

		cJSON_DeleteItemFromObjectCaseSensitive(call->request, key);
		cJSON_AddItemToObject(call->request, key, part);
		status = ctrl_ask(call, call->request, &data);
		if (data)
			add_answer(&sum, data, done);
		done += status ? 0 : size;
	} while (!status && all->child);
	status = report(call, status, sum, done, count);
	cJSON_Delete(sum);
	cJSON_Delete(all);
	return status;
}

int ctrl_run_restore(struct ctrl_call *call)
{
	cJSON *backup, *version, *documents;
	char *text;
	int status = ctrl_file_read(call, call->arguments[0], &text);

	if (status)
		return status;
	backup = cJSON_Parse(text);
	explicit_bzero(text, strlen(text));
	free(text);
	version = cJSON_DetachItemFromObjectCaseSensitive(backup, "version");
	documents = cJSON_DetachItemFromObjectCaseSensitive(backup, "documents");
	cJSON_Delete(backup);
	if (!version || !cJSON_IsArray(documents)) {
		cJSON_Delete(version);
		cJSON_Delete(documents);
		return ctrl_fail(call, CTRL_FILE, "%s: wanted a file that `backup` wrote", call->arguments[0]);
	}
	cJSON_AddItemToObject(call->request, "version", version);
	return ask_in_parts(call, "documents", documents);
}

int ctrl_run_import(struct ctrl_call *call)
{
	cJSON *lines = ctrl_must(cJSON_CreateArray());
	char *text, *rest, *line;
	int status = ctrl_file_read(call, call->arguments[0], &text);
	bool any = false;

	if (status) {
		cJSON_Delete(lines);
		return status;
	}
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		line[strcspn(line, "\r")] = '\0';
		any = any || strchr(line, ':');
		/* What is no account keeps its place, so that the broker counts lines as the file has them. */
		cJSON_AddItemToArray(lines, ctrl_must(cJSON_CreateString(*line == '#' ? "" : line)));
	}
	free(text);
	if (!any) {
		cJSON_Delete(lines);
		return ctrl_fail(call, CTRL_FILE, "%s: holds no line USERNAME:HASH", call->arguments[0]);
	}
	return ask_in_parts(call, "lines", lines);
}
