/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * account_table: all accounts by name. Open addressing with linear probing, at most half full, so that a look-up takes
 * as long with many accounts as with few; and a list of them that is sorted when somebody asks for the order.
 *
 * The list holds every account once, and each knows its place in it.
 */
#include "account_internal.h"
#include "mix.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64

struct slot {
	uint64_t hash;
	struct account *account; /* NULL: free */
};

struct list {
	struct account **items;
	size_t count, room;
	bool sorted;
};

struct account_table {
	struct slot *slots;
	size_t mask; /* slots − 1, slots a power of two */
	uint64_t seed, other_seed;
	struct list *list; /* apart, since asking for an order changes it */
};

/* Sixteen bytes at a time. The last are read from both ends, where the two reads may share some. */
static inline uint64_t hash_of(const struct account_table *table, struct slice name)
{
	const char *at = name.ptr;
	size_t left = name.len;
	uint64_t hash = table->seed ^ name.len, first = 0, last = 0;

	for (; left > 16; at += 16, left -= 16)
		hash = mix(account_load(at) ^ hash, account_load(at + 8) ^ table->other_seed);
	if (left >= 8) {
		first = account_load(at);
		last = account_load(at + left - 8);
	} else if (left >= 4) {
		first = account_load_half(at);
		last = account_load_half(at + left - 4);
	} else if (left > 0) {
		first = (uint64_t)(unsigned char)at[0] << 8 | (unsigned char)at[left / 2];
		last = (unsigned char)at[left - 1];
	}
	return mix(mix(first ^ hash, last ^ table->other_seed), MIX_GOLDEN);
}

struct account_table *account_table_new(uint64_t seed)
{
	struct account_table *table = calloc(1, sizeof *table);
	struct slot *slots = calloc(SLOTS_MIN, sizeof *slots);
	struct list *list = calloc(1, sizeof *list);
	if (table == NULL || slots == NULL || list == NULL) {
		free(table);
		free(slots);
		free(list);
		return NULL;
	}
	*table = (struct account_table){.slots = slots,
	                                .mask = SLOTS_MIN - 1,
	                                .seed = seed,
	                                .other_seed = mix(seed ^ MIX_ROOT, MIX_GOLDEN),
	                                .list = list};
	return table;
}

void account_table_free(struct account_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->list->count; i++)
		account_free(table->list->items[i]);
	free(table->list->items);
	free(table->list);
	free(table->slots);
	free(table);
}

static inline bool is_named(const struct account *account, struct slice name)
{
	struct slice own = account_text(account, account->name);
	return own.len == name.len && account_same(own.ptr, name.ptr, name.len);
}

/* The slot of an account, or the free one where it would stand. */
static inline struct slot *slot_find(const struct account_table *table, uint64_t hash, struct slice name)
{
	for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
		struct slot *slot = &table->slots[i];
		if (slot->account == NULL || (slot->hash == hash && is_named(slot->account, name)))
			return slot;
	}
}

/* The first free slot for a hash that is not there yet. */
static struct slot *slot_free(const struct account_table *table, uint64_t hash)
{
	size_t i = hash & table->mask;
	while (table->slots[i].account != NULL)
		i = (i + 1) & table->mask;
	return &table->slots[i];
}

/* Doubles the slots before they are more than half full. */
static bool slots_grow(struct account_table *table)
{
	size_t count = table->mask + 1;
	if (table->list->count < count / 2)
		return true;
	struct slot *old = table->slots;
	struct slot *bigger = calloc(count * 2, sizeof *bigger);
	if (bigger == NULL)
		return false;
	table->slots = bigger;
	table->mask = count * 2 - 1;
	for (size_t i = 0; i < count; i++) {
		if (old[i].account != NULL)
			*slot_free(table, old[i].hash) = old[i];
	}
	free(old);
	return true;
}

static bool list_grow(struct list *list)
{
	if (list->count < list->room)
		return true;
	size_t room = list->room > 0 ? list->room * 2 : SLOTS_MIN;
	struct account **bigger = realloc(list->items, room * sizeof(struct account *));
	if (bigger == NULL)
		return false;
	list->items = bigger;
	list->room = room;
	return true;
}

bool account_put(struct account_table *table, struct account *account)
{
	struct list *list = table->list;
	struct slice name = account_name(account);
	uint64_t hash = hash_of(table, name);
	struct slot *slot = slot_find(table, hash, name);

	if (slot->account != NULL) {
		account->place = slot->account->place;
		list->items[account->place] = account;
		account_free(slot->account);
		slot->account = account;
		return true;
	}
	if (!slots_grow(table) || !list_grow(list))
		return false;
	account->place = list->count;
	list->items[list->count++] = account;
	list->sorted = false;
	*slot_free(table, hash) = (struct slot){hash, account};
	return true;
}

/* Frees a slot and moves up what stands behind it and would not be found past it. */
static void slot_clear(struct account_table *table, struct slot *slot)
{
	size_t hole = (size_t)(slot - table->slots);
	for (size_t i = (hole + 1) & table->mask; table->slots[i].account != NULL; i = (i + 1) & table->mask) {
		size_t from_home = (i - table->slots[i].hash) & table->mask;
		size_t from_hole = (i - hole) & table->mask;
		if (from_home < from_hole)
			continue;
		table->slots[hole] = table->slots[i];
		hole = i;
	}
	table->slots[hole] = (struct slot){0};
}

bool account_remove(struct account_table *table, struct slice name)
{
	struct list *list = table->list;
	struct slot *slot = slot_find(table, hash_of(table, name), name);
	struct account *account = slot->account;
	if (account == NULL)
		return false;
	struct account *last = list->items[--list->count];
	list->items[account->place] = last;
	last->place = account->place;
	list->sorted = list->sorted && last == account;
	slot_clear(table, slot);
	account_free(account);
	return true;
}

const struct account *account_find(const struct account_table *table, struct slice name)
{
	return slot_find(table, hash_of(table, name), name)->account;
}

size_t account_count(const struct account_table *table)
{
	return table->list->count;
}

static int compare_names(const void *a, const void *b)
{
	struct slice left = account_name(*(struct account *const *)a), right = account_name(*(struct account *const *)b);
	int order = memcmp(left.ptr, right.ptr, left.len < right.len ? left.len : right.len);
	return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

const struct account *account_at(const struct account_table *table, size_t n)
{
	struct list *list = table->list;
	if (!list->sorted) {
		qsort(list->items, list->count, sizeof(struct account *), compare_names);
		for (size_t i = 0; i < list->count; i++)
			list->items[i]->place = i;
		list->sorted = true;
	}
	return list->items[n];
}
