/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_mariadb_series: the ids of series, all known after one question, so that an outage's thousand series do not cost a
 * thousand round trips.
 *
 * New ones get the numbers behind the largest, and are put into the table by the batch that needs them, in bulk. Another
 * broker of this database may do the same at that moment; then the table refuses one of the two, whose batch is taken back,
 * and who asks again.
 */
#include "store_mariadb_internal.h"
#include "store_shared.h"

#include <mariadb/mysqld_error.h>
#include <stdlib.h>
#include <string.h>

/* Without memory uthash would end the process; so it leaves hh.tbl NULL instead. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* New ones in one statement: topics of 512 bytes have to fit into a server's 1 MiB. */
#define SERIES_ROWS 1000

struct maria_series {
	UT_hash_handle hh;
	uint32_t id;
	unsigned len;
	char topic[]; /* not NUL-terminated */
};

void maria_forget_series(struct store *store)
{
	struct maria_series *one = store->series;

	HASH_CLEAR(hh, store->series); /* the table; its items are still one behind the other */
	while (one) {
		struct maria_series *next = one->hh.next;
		free(one);
		one = next;
	}
	free(store->added);
	store->added = NULL;
	store->added_count = 0;
	store->series_known = false;
}

static struct maria_series *remember(struct store *store, struct slice topic, uint32_t id)
{
	struct maria_series *one = malloc(sizeof *one + topic.len);

	if (!one)
		return NULL;
	one->id = id;
	one->len = (unsigned)topic.len;
	memcpy(one->topic, topic.ptr, topic.len);
	HASH_ADD(hh, store->series, topic, one->len, one);
	if (!one->hh.tbl) {
		free(one);
		return NULL;
	}
	if (id > store->series_last)
		store->series_last = id;
	return one;
}

static enum store_result no_memory(struct store *store)
{
	maria_say(store, "out of memory");
	maria_rollback(store);
	return STORE_AWAY;
}

static enum store_result learn_series(struct store *store)
{
	char topic[TOPIC_MAX];
	unsigned long len = 0;
	int64_t id = 0;
	MYSQL_BIND columns[] = {
		maria_bind_integer(&id, false),
		{.buffer_type = MYSQL_TYPE_STRING, .buffer = topic, .buffer_length = TOPIC_MAX, .length = &len}};
	int code = 0;

	MYSQL_STMT *statement = maria_execute(store, MARIA_LIST_SERIES, NULL);
	if (!statement || mysql_stmt_bind_result(statement, columns) != 0)
		return maria_fail(store, store->statements[MARIA_LIST_SERIES]);
	store->series_last = 0;
	while ((code = mysql_stmt_fetch(statement)) == 0 || code == MYSQL_DATA_TRUNCATED) {
		/* One that is longer than a topic can be is not Hearth's; its number is taken all the same. */
		struct slice name = {topic, len <= TOPIC_MAX ? len : 0};
		if (!remember(store, name, (uint32_t)id)) {
			mysql_stmt_free_result(statement);
			return no_memory(store);
		}
	}
	if (code != MYSQL_NO_DATA) /* freeing the result makes libmariadb forget why */
		return maria_fail(store, statement);
	mysql_stmt_free_result(statement);
	store->series_known = true;
	return STORE_OK;
}

/* Gives it the next number; it is put into the table with the next batch. */
static struct maria_series *add(struct store *store, struct slice topic)
{
	size_t count = store->added_count;

	if ((count & (count - 1)) == 0) { /* 0 or a power of two: the room is used up */
		struct maria_series **bigger =
			realloc(store->added, (count > 0 ? 2 * count : 1) * sizeof(struct maria_series *));
		if (!bigger)
			return NULL;
		store->added = bigger;
	}
	struct maria_series *one = remember(store, topic, store->series_last + 1);
	if (one)
		store->added[store->added_count++] = one;
	return one;
}

enum store_result maria_series_id(struct store *store, const struct topic *topic, int64_t *id)
{
	char buffer[TOPIC_MAX + 1];
	const struct slice name = store_topic_name(topic, buffer);
	struct maria_series *one;

	if (!store->series_known) {
		enum store_result result = learn_series(store);
		if (result != STORE_OK)
			return result;
	}
	HASH_FIND(hh, store->series, name.ptr, (unsigned)name.len, one);
	if (!one)
		one = add(store, name);
	if (!one)
		return no_memory(store);
	*id = one->id;
	return STORE_OK;
}

/* ---- into the table ---- */

static void set_levels(struct maria_columns *columns, size_t i, struct maria_series *one)
{
	struct topic topic;
	struct slice levels[4];

	topic_parse((struct slice){one->topic, one->len}, &topic);
	levels[0] = topic.location;
	levels[1] = topic.device;
	levels[2] = topic.sensor;
	levels[3] = slice_of(topic_subject_name(topic.subject));
	columns->series[i] = one->id;
	for (size_t level = 0; level < 4; level++) {
		columns->level[level][i] = levels[level].ptr;
		columns->level_len[level][i] = levels[level].len;
	}
}

enum store_result maria_add_series(struct store *store)
{
	struct maria_columns *columns = store->columns;
	MYSQL_BIND binds[5] = {{.buffer_type = MYSQL_TYPE_LONG, .buffer = columns->series, .is_unsigned = true}};

	for (size_t level = 0; level < 4; level++)
		binds[1 + level] = (MYSQL_BIND){
			.buffer_type = MYSQL_TYPE_STRING, .buffer = columns->level[level], .length = columns->level_len[level]};
	for (size_t at = 0; at < store->added_count;) {
		size_t count = 0;
		while (count < SERIES_ROWS && at < store->added_count)
			set_levels(columns, count++, store->added[at++]);
		if (maria_execute_bulk(store, MARIA_ADD_SERIES, binds, count))
			continue;
		MYSQL_STMT *statement = store->statements[MARIA_ADD_SERIES];
		if (!statement || mysql_stmt_errno(statement) != ER_DUP_ENTRY)
			return maria_fail(store, statement);
		maria_rollback(store);
		return STORE_MOVED;
	}
	return STORE_OK;
}

void maria_series_added(struct store *store)
{
	free(store->added);
	store->added = NULL;
	store->added_count = 0;
}
