/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * config_read: one JSON item → one checked field, objects by a table of keys, and the memory of a config.
 *
 * All memory of a config hangs on one list of blocks, so that whatever fails in the middle, freeing is one walk. It
 * comes from cJSON's allocator: one hook (cJSON_InitHooks) lets a test take all memory away.
 */
#include "config_parse.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

struct config_block {
	struct config_block *next;
	max_align_t memory[];
};

void *config_alloc(struct config_reader *reader, size_t count, size_t size)
{
	struct config_block *block = cJSON_malloc(sizeof *block + count * size);
	if (block == NULL) {
		config_refuse_memory(reader->error);
		return NULL;
	}
	block->next = reader->blocks;
	reader->blocks = block;
	return memset(block->memory, 0, count * size);
}

char *config_copy(struct config_reader *reader, struct slice text)
{
	char *copy = config_alloc(reader, text.len + 1, 1);
	return copy != NULL ? memcpy(copy, text.ptr, text.len) : NULL;
}

void config_blocks_free(struct config_block *blocks)
{
	while (blocks != NULL) {
		struct config_block *next = blocks->next;
		cJSON_free(blocks);
		blocks = next;
	}
}

struct config_node config_member(const struct config_node *up, const char *key)
{
	return (struct config_node){.up = up, .key = key, .item = cJSON_GetObjectItemCaseSensitive(up->item, key)};
}

static const struct config_key *find_key(const struct config_shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (strcmp(shape->keys[i].name, name) == 0)
			return &shape->keys[i];
	}
	return NULL;
}

bool config_read_object(struct config_reader *reader, const struct config_node *node, const struct config_shape *shape,
                        void *into)
{
	if (!cJSON_IsObject(node->item))
		return config_refuse(reader->error, node, NULL, shape->wanted);
	for (const cJSON *item = node->item->child; item != NULL; item = item->next) {
		struct config_node member = {.up = node, .key = item->string, .item = item};
		const struct config_key *key = find_key(shape, item->string);
		if (key == NULL)
			return config_refuse_key(reader->error, &member, shape);
		if (!key->read(reader, &member, key, (char *)into + key->offset))
			return false;
	}
	for (size_t i = 0; i < shape->count; i++) {
		struct config_node member = config_member(node, shape->keys[i].name);
		if (shape->keys[i].required && member.item == NULL)
			return config_refuse(reader->error, &member, NULL, shape->keys[i].wanted);
	}
	return true;
}

void *config_read_list(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                       const struct config_list *list, size_t *count)
{
	size_t found = cJSON_IsArray(node->item) ? (size_t)cJSON_GetArraySize(node->item) : 0;
	if (!cJSON_IsArray(node->item) || found < list->least || found > list->most) {
		config_refuse(reader->error, node, NULL, key->wanted);
		return NULL;
	}
	char *items = config_alloc(reader, found, list->size);
	if (items == NULL)
		return NULL;
	struct config_node element = {.up = node};
	for (element.item = node->item->child; element.item != NULL; element.item = element.item->next) {
		if (!list->read(reader, &element, key, items + (size_t)element.index * list->size))
			return NULL;
		element.index++;
	}
	*count = found;
	return items;
}

bool config_read_number(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                        void *field)
{
	double *out = field;
	/* A number beyond a double reads as infinite, which is outside any bounds. */
	bool good =
		cJSON_IsNumber(node->item) && node->item->valuedouble >= key->least && node->item->valuedouble <= key->most;
	if (!good)
		return config_refuse(reader->error, node, NULL, key->wanted);
	*out = node->item->valuedouble;
	return true;
}

bool config_read_pair(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                      void *field)
{
	double *out = field;
	if (!cJSON_IsArray(node->item) || cJSON_GetArraySize(node->item) != 2)
		return config_refuse(reader->error, node, NULL, key->wanted);
	struct config_node first = {.up = node, .index = 0, .item = node->item->child};
	struct config_node second = {.up = node, .index = 1, .item = node->item->child->next};
	const struct config_key number = {.least = key->least, .most = key->most, .wanted = "a number"};
	return config_read_number(reader, &first, &number, &out[0]) &&
	       config_read_number(reader, &second, &number, &out[1]);
}

bool config_read_whole(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                       void *field)
{
	int *out = field;
	double number = 0;
	if (!config_read_number(reader, node, key, &number))
		return false;
	if (number != floor(number))
		return config_refuse(reader->error, node, NULL, key->wanted);
	*out = (int)number;
	return true;
}

bool config_read_seconds(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                         void *field)
{
	int64_t *out = field;
	double seconds = 0;
	if (!config_read_number(reader, node, key, &seconds))
		return false;
	*out = llround(seconds * key->detail);
	if (*out == 0 && seconds > 0)
		*out = 1;
	return true;
}

bool config_read_bool(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                      void *field)
{
	bool *out = field;
	if (!cJSON_IsBool(node->item))
		return config_refuse(reader->error, node, NULL, key->wanted);
	*out = cJSON_IsTrue(node->item);
	return true;
}

bool config_read_text(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                      void *field)
{
	char **out = field;
	size_t len = cJSON_IsString(node->item) ? strlen(node->item->valuestring) : 0;
	if (len == 0 || (double)len > key->most)
		return config_refuse(reader->error, node, NULL, key->wanted);
	*out = config_copy(reader, (struct slice){node->item->valuestring, len});
	return *out != NULL;
}

bool config_read_word(struct config_reader *reader, const struct config_node *node, const struct config_key *key,
                      void *field)
{
	const struct config_key bytes = {.most = CONFIG_WORD_MAX, .wanted = key->wanted};
	struct slice *out = field;
	char *text = NULL;
	if (!config_read_text(reader, node, &bytes, &text))
		return false;
	*out = slice_trim(slice_of(text));
	return out->len > 0 || config_refuse(reader->error, node, NULL, key->wanted);
}
