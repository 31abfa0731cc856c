/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * series: see series.h. Open addressing with linear probing over (hash, series) pairs, at most three quarters full.
 */
#include "series.h"

#include "mix.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 1024

struct slot {
	uint64_t hash;
	struct series *series; /* NULL: free */
};

struct series_table {
	struct slot *slots;
	size_t mask; /* slots − 1, slots a power of two */
	struct series **by_number;
	size_t count, room, max;
	uint64_t seed;
};

struct resend_ring {
	uint64_t key[SERIES_RESEND_KEYS];
	unsigned next;
};

/* Sixteen bytes at a time. */
static uint64_t hash_of(uint64_t seed, struct slice name)
{
	const char *p = name.ptr;
	size_t left = name.len;
	uint64_t hash = seed ^ (name.len * MIX_GOLDEN);
	uint64_t word[2];

	for (; left >= sizeof word; p += sizeof word, left -= sizeof word) {
		memcpy(word, p, sizeof word);
		hash = mix(word[0] ^ MIX_ROOT, word[1] ^ hash);
	}
	if (name.len >= sizeof word) {
		memcpy(word, p + left - sizeof word,
		       sizeof word); /* overlaps what was taken: a copy of fixed size is quicker */
	} else {
		word[0] = word[1] = 0;
		memcpy(word, p, left);
	}
	return mix(mix(word[0] ^ MIX_ROOT, word[1] ^ hash) ^ seed, MIX_GOLDEN);
}

struct series_table *series_table_new(size_t max, uint64_t seed)
{
	struct series_table *table = calloc(1, sizeof *table);
	struct slot *slots = calloc(SLOTS_MIN, sizeof *slots);
	if (table == NULL || slots == NULL) {
		free(table);
		free(slots);
		return NULL;
	}
	*table = (struct series_table){.slots = slots, .mask = SLOTS_MIN - 1, .max = max, .seed = seed};
	return table;
}

void series_table_free(struct series_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->count; i++) {
		struct series *series = table->by_number[i];
		free((char *)series->latest.value.text.ptr);
		free(series->resend);
		free(series->watchers);
		free(series);
	}
	free(table->by_number);
	free(table->slots);
	free(table);
}

static struct slot *slot_find(const struct series_table *table, uint64_t hash, struct slice name)
{
	for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
		struct slot *slot = &table->slots[i];
		if (slot->series == NULL)
			return slot;
		if (slot->hash == hash && slot->series->name_len == name.len &&
		    memcmp(slot->series->name, name.ptr, name.len) == 0)
			return slot;
	}
}

struct series *series_find(const struct series_table *table, struct slice name)
{
	return slot_find(table, hash_of(table->seed, name), name)->series;
}

/* Doubles the slots before they are three quarters full. */
static bool slots_grow(struct series_table *table)
{
	size_t slots = table->mask + 1;
	if (table->count + 1 <= slots / 4 * 3)
		return true;
	struct slot *old = table->slots;
	struct slot *bigger = calloc(slots * 2, sizeof *bigger);
	if (bigger == NULL)
		return false;
	table->slots = bigger;
	table->mask = slots * 2 - 1;
	for (size_t i = 0; i < table->count; i++) {
		struct series *series = table->by_number[i];
		*slot_find(table, series->hash, (struct slice){series->name, series->name_len}) =
			(struct slot){series->hash, series};
	}
	free(old);
	return true;
}

static bool numbers_grow(struct series_table *table)
{
	if (table->count < table->room)
		return true;
	size_t room = table->room ? table->room * 2 : 256;
	struct series **bigger = realloc(table->by_number, room * sizeof(struct series *));
	if (bigger == NULL)
		return false;
	table->by_number = bigger;
	table->room = room;
	return true;
}

struct series *series_intern(struct series_table *table, struct slice name, const struct topic *topic, bool *made)
{
	uint64_t hash = hash_of(table->seed, name);
	struct series *series = slot_find(table, hash, name)->series;
	*made = series == NULL;
	if (series != NULL)
		return series;
	if (table->count >= table->max || !slots_grow(table) || !numbers_grow(table))
		return NULL;

	series = calloc(1, sizeof *series + name.len + 1);
	if (series == NULL)
		return NULL;
	memcpy(series->name, name.ptr, name.len);
	series->name_len = (uint32_t)name.len;
	series->hash = hash;
	series->number = (uint32_t)table->count;
	series->level_end[0] = (uint16_t)topic->location.len;
	series->level_end[1] = (uint16_t)(series->level_end[0] + 1 + topic->device.len);
	series->level_end[2] = (uint16_t)(series->level_end[1] + 1 + topic->sensor.len);
	series->subject = (uint8_t)topic->subject;
	series->own = slice_is(topic->device, TOPIC_OWN_DEVICE);
	series->stored_us = INT64_MIN;
	*slot_find(table, hash, name) = (struct slot){hash, series};
	table->by_number[table->count++] = series;
	return series;
}

size_t series_count(const struct series_table *table)
{
	return table->count;
}

struct series *series_at(const struct series_table *table, size_t n)
{
	return table->by_number[n];
}

struct topic series_topic(const struct series *series)
{
	const uint16_t *end = series->level_end;
	return (struct topic){
		.location = {series->name, end[0]},
		.device = {series->name + end[0] + 1, (size_t)end[1] - end[0] - 1},
		.sensor = {series->name + end[1] + 1, (size_t)end[2] - end[1] - 1},
		.subject = (enum topic_subject)series->subject,
	};
}

bool series_set_latest(struct series *series, const struct value *value, int64_t time_us, int64_t received_ms)
{
	struct latest *latest = &series->latest;
	char *text = (char *)latest->value.text.ptr;

	if (value->text.len > latest->value.text.len || (value->text.len > 0 && text == NULL)) {
		char *bigger = realloc(text, value->text.len);
		if (bigger == NULL)
			return false;
		text = bigger;
	}
	if (value->text.len > 0)
		memmove(text, value->text.ptr, value->text.len);
	latest->value =
		(struct value){.number = value->number, .text = {text, value->text.len}, .is_number = value->is_number};
	latest->time_us = time_us;
	latest->received_ms = received_ms;
	latest->known = true;
	return true;
}

bool series_is_resend(const struct series *series, uint64_t key)
{
	const struct resend_ring *ring = series->resend;
	for (unsigned i = 0; ring != NULL && i < SERIES_RESEND_KEYS; i++) {
		if (ring->key[i] == key)
			return true;
	}
	return false;
}

void series_remember(struct series *series, uint64_t key)
{
	if (series->resend == NULL)
		series->resend = calloc(1, sizeof *series->resend);
	struct resend_ring *ring = series->resend;
	if (ring == NULL)
		return;
	ring->key[ring->next] = key;
	ring->next = (ring->next + 1) % SERIES_RESEND_KEYS;
}

bool series_watch(struct series *series, struct bound_rule *rule)
{
	uint32_t count = series->watcher_count;
	/* Room grows by doubling: at each power of two. */
	if ((count & (count - 1)) == 0) {
		struct bound_rule **more =
			realloc(series->watchers, (count ? 2 * (size_t)count : 1) * sizeof(struct bound_rule *));
		if (more == NULL)
			return false;
		series->watchers = more;
	}
	series->watchers[series->watcher_count++] = rule;
	return true;
}

void series_unwatch(struct series *series, const struct bound_rule *rule)
{
	/* A config that is replaced leaves from the front, where its rules have moved up to. */
	for (uint32_t i = 0; i < series->watcher_count; i++) {
		if (series->watchers[i] != rule)
			continue;
		series->watcher_count--;
		memmove(&series->watchers[i], &series->watchers[i + 1],
		        (series->watcher_count - i) * sizeof(struct bound_rule *));
		return;
	}
}
