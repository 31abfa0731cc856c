/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_print: see ctrl_print.h.
 */
#include "ctrl_print.h"

#include "ctrl_text.h"
#include "value.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 24

/* Keys of the objects of a table, in the order of its columns. */
struct columns {
	size_t count;
	const char *name[COLUMNS_MAX];
	size_t len[COLUMNS_MAX];
};

static void add_column(struct columns *columns, const char *name, size_t len)
{
	for (size_t i = 0; i < columns->count; i++)
		if (columns->len[i] == len && memcmp(columns->name[i], name, len) == 0)
			return;
	if (columns->count == COLUMNS_MAX)
		return;
	columns->name[columns->count] = name;
	columns->len[columns->count++] = len;
}

static bool has_key(const cJSON *rows, const char *name, size_t len)
{
	const cJSON *row, *item;

	cJSON_ArrayForEach(row, rows)
	{
		cJSON_ArrayForEach(item, row)
		{
			if (item->string && strlen(item->string) == len && memcmp(item->string, name, len) == 0)
				return true;
		}
	}
	return false;
}

static struct columns columns_of(const cJSON *rows, const char *first)
{
	struct columns columns = {0};
	const cJSON *row, *item;

	while (first && *first) {
		size_t len = strcspn(first, " ");

		if (has_key(rows, first, len))
			add_column(&columns, first, len);
		first += len + (first[len] == ' ');
	}
	cJSON_ArrayForEach(row, rows)
	{
		cJSON_ArrayForEach(item, row)
		{
			if (item->string)
				add_column(&columns, item->string, strlen(item->string));
		}
	}
	return columns;
}

/* "clientIds" → "client ids". */
static void add_heading(struct ctrl_grid *grid, const char *key, size_t len)
{
	char text[64];
	size_t to = 0;

	for (size_t i = 0; i < len && to + 2 < sizeof text; i++) {
		if (isupper((unsigned char)key[i]) && i > 0 && islower((unsigned char)key[i - 1]))
			text[to++] = ' ';
		text[to++] = (char)tolower((unsigned char)key[i]);
	}
	text[to] = '\0';
	ctrl_grid_add(grid, text);
}

/* What is no list as text; an object as JSON. The caller frees it. */
static char *text_of_one(const cJSON *item)
{
	if (!item || cJSON_IsNull(item))
		return ctrl_must(strdup(""));
	if (cJSON_IsString(item))
		return ctrl_must(strdup(item->valuestring));
	if (cJSON_IsBool(item))
		return ctrl_must(strdup(cJSON_IsTrue(item) ? "yes" : "no"));
	return ctrl_must(cJSON_PrintUnformatted(item));
}

/* The same of anything: what is in a list with commas. */
static char *text_of(const cJSON *item)
{
	char *text = NULL;
	size_t len;
	FILE *out;
	const cJSON *element;

	if (!cJSON_IsArray(item))
		return text_of_one(item);
	out = ctrl_must(open_memstream(&text, &len));
	cJSON_ArrayForEach(element, item)
	{
		char *part = text_of_one(element);

		fprintf(out, "%s%s", element == item->child ? "" : ", ", part);
		free(part);
	}
	fclose(out);
	return ctrl_must(text);
}

static void add_value(struct ctrl_grid *grid, const cJSON *item)
{
	char *text = text_of(item);

	ctrl_grid_add(grid, text);
	free(text);
}

static bool is_table(const cJSON *item)
{
	return cJSON_IsArray(item) && cJSON_IsObject(item->child);
}

static void print_table(FILE *out, const cJSON *rows, const char *first)
{
	struct columns columns = columns_of(rows, first);
	struct ctrl_grid grid = {.columns = columns.count};
	const cJSON *row;

	if (columns.count == 0)
		return;
	for (size_t i = 0; i < columns.count; i++)
		add_heading(&grid, columns.name[i], columns.len[i]);
	cJSON_ArrayForEach(row, rows)
	{
		for (size_t i = 0; i < columns.count; i++) {
			char key[128];

			snprintf(key, sizeof key, "%.*s", (int)columns.len[i], columns.name[i]);
			add_value(&grid, cJSON_GetObjectItemCaseSensitive(row, key));
		}
	}
	ctrl_grid_print(&grid, out);
}

/* Names and values, without empty lists; what an object holds goes under "outer.inner". */
static void print_list(FILE *out, const cJSON *data)
{
	struct ctrl_grid grid = {.columns = 2, .plain = true};
	const cJSON *item, *inner;

	cJSON_ArrayForEach(item, data)
	{
		if (is_table(item) || (cJSON_IsArray(item) && !item->child))
			continue;
		if (!cJSON_IsObject(item)) {
			add_heading(&grid, item->string, strlen(item->string));
			add_value(&grid, item);
			continue;
		}
		cJSON_ArrayForEach(inner, item)
		{
			char name[128];

			snprintf(name, sizeof name, "%s.%s", item->string, inner->string);
			add_heading(&grid, name, strlen(name));
			add_value(&grid, inner);
		}
	}
	ctrl_grid_print(&grid, out);
}

static void print_lines(FILE *out, const cJSON *array)
{
	struct ctrl_grid grid = {.columns = 1, .plain = true};
	const cJSON *item;

	cJSON_ArrayForEach(item, array)
	{
		add_value(&grid, item);
	}
	ctrl_grid_print(&grid, out);
}

static void add_title(FILE *out, const char *key)
{
	char *clean = ctrl_text_clean(key);

	fprintf(out, "\n%s:\n", clean);
	free(clean);
}

/* The only thing in an answer, besides how many there are of it. NULL: there are more. */
static const cJSON *only_item(const cJSON *data)
{
	const cJSON *item, *only = NULL;

	cJSON_ArrayForEach(item, data)
	{
		if (strcmp(item->string, "totalCount") == 0)
			continue;
		if (only)
			return NULL;
		only = item;
	}
	return only;
}

void ctrl_print_data(FILE *out, const cJSON *data, const char *columns)
{
	const cJSON *item, *only;

	/* {"account":{…}} says no more than {…}, and {"accounts":[…]} no more than […]. */
	while (cJSON_IsObject(data) && (only = only_item(data)) != NULL && (cJSON_IsObject(only) || cJSON_IsArray(only)))
		data = only;
	if (is_table(data)) {
		print_table(out, data, columns);
		return;
	}
	if (!cJSON_IsObject(data)) {
		print_lines(out, data);
		return;
	}
	print_list(out, data);
	cJSON_ArrayForEach(item, data)
	{
		if (!is_table(item))
			continue;
		add_title(out, item->string);
		print_table(out, item, columns);
	}
}

void ctrl_print_json(FILE *out, const cJSON *data)
{
	char *text = ctrl_must(cJSON_Print(data));
	char *clean = ctrl_text_clean_json(text);

	fprintf(out, "%s\n", clean);
	free(clean);
	cJSON_free(text);
}

void ctrl_print(const struct ctrl_call *call, const cJSON *data)
{
	const struct ctrl_command *command = call->command;

	if (call->json && data)
		ctrl_print_json(stdout, data);
	else if (call->json)
		puts("{}");
	else if (data && command->print)
		command->print(data);
	else if (data && cJSON_GetArraySize(data) > 0)
		ctrl_print_data(stdout, data, command->columns);
	else if (command->done)
		puts(command->done);
	if (command->note && !call->json)
		fprintf(stderr, "hearth: %s\n", command->note);
}

/* Seconds since 1970 as they stand in a history's answer. */
static void add_time(struct ctrl_grid *grid, const cJSON *seconds)
{
	char text[TIME_TEXT_MAX];
	double value = cJSON_IsNumber(seconds) ? seconds->valuedouble : 0;

	/* The years that time_print can write. */
	if (!(value > -62167219200.0 && value < 253402300800.0))
		value = 0;
	ctrl_grid_add(grid, time_print((int64_t)llround(value * 1e6), text));
}

void ctrl_print_history(const cJSON *data)
{
	static const char *const readings[] = {"time", "value", "text"};
	static const char *const buckets[] = {"time", "min", "avg", "max", "count"};
	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(data, "readings"), *row;
	struct ctrl_grid grid = {.columns = rows ? 3 : 5};

	if (!rows)
		rows = cJSON_GetObjectItemCaseSensitive(data, "buckets");
	for (size_t i = 0; i < grid.columns; i++)
		ctrl_grid_add(&grid, grid.columns == 3 ? readings[i] : buckets[i]);
	cJSON_ArrayForEach(row, rows)
	{
		add_time(&grid, cJSON_GetArrayItem(row, 0));
		for (size_t i = 1; i < grid.columns; i++)
			add_value(&grid, cJSON_GetArrayItem(row, (int)i));
	}
	ctrl_grid_print(&grid, stdout);
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(data, "more")))
		fputs("hearth: there are more; take a shorter time, or --buckets N\n", stderr);
}

void ctrl_print_config(const cJSON *data)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(data, "config");

	ctrl_print_json(stdout, config ? config : data);
}
