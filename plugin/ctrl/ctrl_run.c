/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_run: one request and its answer, and lists that come in pages.
 */
#include "ctrl_run.h"

#include "ctrl_client.h"
#include "ctrl_print.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static int ask_and_print(struct ctrl_call *call)
{
	cJSON *data;
	int status = ctrl_ask(call, call->request, &data);

	if (!status)
		ctrl_print(call, data);
	cJSON_Delete(data);
	return status;
}

int ctrl_run(struct ctrl_call *call)
{
	const struct ctrl_command *command = call->command;
	int status = command->prepare ? command->prepare(call) : CTRL_OK;

	if (status)
		return status;
	status = command->run ? command->run(call) : ask_and_print(call);
	ctrl_client_close(call);
	if (!status && (fflush(stdout) != 0 || ferror(stdout)))
		return ctrl_fail(call, CTRL_FILE, "standard output cannot be written");
	return status;
}

/* The list in an answer: its first array. */
static cJSON *list_in(const cJSON *data)
{
	cJSON *item;

	cJSON_ArrayForEach(item, data)
	{
		if (cJSON_IsArray(item))
			return item;
	}
	return NULL;
}

static void set_number(cJSON *object, const char *key, double number)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	ctrl_must(cJSON_AddNumberToObject(object, key, number));
}

/* What the broker's lists have if nothing else is asked for. */
#define PAGE_FULL 1000

/*
 * Where the page after this one begins: where it says so itself (`next`, which is taken away), or behind what there is by now if
 * there is more in all or the page was full. −1: nowhere.
 */
static double next_offset(cJSON *page, int page_count, int count)
{
	cJSON *next = cJSON_DetachItemFromObjectCaseSensitive(page, "next");
	const cJSON *total = cJSON_GetObjectItemCaseSensitive(page, "totalCount");
	double offset = -1;

	if (cJSON_IsNumber(next))
		offset = next->valuedouble;
	else if (cJSON_IsNumber(total) ? total->valuedouble > count && page_count > 0 : page_count == PAGE_FULL)
		offset = count;
	cJSON_Delete(next);
	return offset;
}

/* Asks for the pages after the first one and adds them to it. */
static int add_pages(struct ctrl_call *call, cJSON *data)
{
	cJSON *list = list_in(data), *page, *item;
	int count = cJSON_GetArraySize(list), status = CTRL_OK;
	double offset = next_offset(data, count, count), before = 0;

	/* An offset that does not grow would have no end. */
	while (!status && list && offset > before) {
		int page_count;

		before = offset;
		set_number(call->request, "offset", offset);
		status = ctrl_ask(call, call->request, &page);
		page_count = cJSON_GetArraySize(list_in(page));
		count += page_count;
		offset = next_offset(page, page_count, count);
		while ((item = cJSON_DetachItemFromArray(list_in(page), 0)) != NULL)
			cJSON_AddItemToArray(list, item);
		cJSON_Delete(page);
	}
	return status;
}

int ctrl_run_list(struct ctrl_call *call)
{
	cJSON *data;
	int status = ctrl_ask(call, call->request, &data);

	if (!status && !ctrl_value(call, "count") && !ctrl_value(call, "offset"))
		status = add_pages(call, data);
	if (!status)
		ctrl_print(call, data);
	cJSON_Delete(data);
	return status;
}
