/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* See mariadb_fixture.h. */
#include "mariadb_fixture.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STORES_MAX 8

struct mariadb_server *maria_server;

static char *answer;
static struct {
	struct store *store;
	struct store_place place;
	char location[160];
} stores[STORES_MAX];

int maria_group_start(void **state)
{
	(void)state;
	maria_server = mariadb_server_new(NULL);
	if (maria_server != NULL && mariadb_server_start(maria_server))
		return 0;
	print_message("%s\n", mariadb_server_error(maria_server));
	return -1;
}

int maria_group_end(void **state)
{
	(void)state;
	free(answer);
	answer = NULL;
	mariadb_server_free_all();
	return 0;
}

int maria_make_database(void **state)
{
	(void)state;
	maria_ask("DROP DATABASE IF EXISTS " DATABASE "; CREATE DATABASE " DATABASE);
	return 0;
}

int maria_close_stores(void **state)
{
	(void)state;
	for (size_t i = 0; i < STORES_MAX; i++)
		if (stores[i].store != NULL)
			maria_shut(stores[i].store);
	return 0;
}

const char *maria_ask(const char *sql)
{
	const bool about_all = strncmp(sql, "DROP DATABASE", strlen("DROP DATABASE")) == 0;

	free(answer);
	answer = mariadb_server_query(maria_server, about_all ? NULL : DATABASE, sql);
	if (answer == NULL)
		fail_msg("%s\n%s", sql, mariadb_server_error(maria_server));
	return answer;
}

long long maria_ask_number(const char *sql)
{
	return strtoll(maria_ask(sql), NULL, 10);
}

struct store *maria_open_as(const char *user, const char *password, const char *node)
{
	char error[512] = "";
	size_t i = 0;

	while (i < STORES_MAX && stores[i].store != NULL)
		i++;
	if (i == STORES_MAX) {
		fail_msg("more than %d stores", STORES_MAX);
		return NULL;
	}
	snprintf(stores[i].location, sizeof(stores[i].location), "//%s@%s/%s",
	         user == NULL ? mariadb_server_owner(maria_server) : user, mariadb_server_socket(maria_server), DATABASE);
	stores[i].place = (struct store_place){.location = stores[i].location, .node = node};
	if (password != NULL)
		setenv(STORE_PASSWORD_VARIABLE, password, 1);
	enum store_result result = store_mariadb.open(&stores[i].place, &stores[i].store, error, sizeof(error));
	unsetenv(STORE_PASSWORD_VARIABLE);
	if (result != STORE_OK)
		fail_msg("%d: %s", (int)result, error);
	return stores[i].store;
}

struct store *maria_open(const char *node)
{
	return maria_open_as(NULL, NULL, node);
}

void maria_shut(struct store *store)
{
	for (size_t i = 0; i < STORES_MAX; i++)
		if (stores[i].store == store)
			stores[i].store = NULL;
	store_mariadb.close(store);
}

int64_t maria_series(struct store *store, const char *name)
{
	struct topic topic;
	int64_t id = 0;

	assert_true(topic_parse(slice_of(name), &topic));
	if (store_mariadb.series(store, &topic, &id) != STORE_OK)
		fail_msg("%s: %s", name, store_mariadb.error(store));
	return id;
}

struct store_row number_row(int64_t id, int64_t time_us, int64_t seq, double number)
{
	return (struct store_row){id, time_us, seq, {.number = number, .is_number = true}};
}

struct store_row text_row(int64_t id, int64_t time_us, int64_t seq, const char *text)
{
	return (struct store_row){id, time_us, seq, {.text = slice_of(text)}};
}

struct store_position maria_position(struct store *store, uint64_t journal)
{
	struct store_position at = {9, 9};

	if (store_mariadb.position(store, journal, &at) != STORE_OK)
		fail_msg("%s", store_mariadb.error(store));
	return at;
}

enum store_result maria_put(struct store *store, const struct store_row *rows, size_t count, uint64_t to,
                            size_t *rejected)
{
	const struct store_batch batch = {rows, count, maria_position(store, JOURNAL), {JOURNAL, to}, NULL};

	return store_mariadb.write(store, &batch, rejected);
}
