/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Nobody's message is changed: thousands of random payloads on random topics, with Hearth storing, complaining and
 * commanding meanwhile, arrive byte for byte, in order, with the retain flag that they were published with.
 *
 * The random numbers' seed is printed; HEARTH_SEED repeats a run.
 */
#include "client.h"
#include "house.h"
#include "patience.h"
#include "quotes.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANDOM_MESSAGES 4000
#define RANDOM_TOPICS   80

struct sent {
	int topic;
	char payload[300];
	size_t len;
	bool retain;
};

static char topics[RANDOM_TOPICS][128];
static struct sent sent[RANDOM_MESSAGES];
static unsigned seed;

static int below(int limit)
{
	return rand_r(&seed) % limit;
}

/* Topic names with and without Hearth's shape; the subjects that Hearth answers or withholds are left out. */
static void make_topics(void)
{
	static const char *const words[] = {"home", "uno1", "거실", "온도", "a b", "x", "", "ümlaut", "$b", "motor"};
	static const char *const subjects[] = {"value", "set", "state", "status", "ack", "other", ""};

	for (int i = 0; i < RANDOM_TOPICS; i++) {
		int levels = below(3) == 0 ? below(6) : 3;
		char *end = topics[i] + sprintf(topics[i], "%d", i % 20);

		for (int k = 1; k < levels; k++)
			end += sprintf(end, "/%s", words[below((int)(sizeof(words) / sizeof(words[0])))]);
		sprintf(end, "/%s", subjects[below((int)(sizeof(subjects) / sizeof(subjects[0])))]);
	}
}

static void make_payload(struct sent *message)
{
	static const char *const texts[] = {"21.5",   "on", "{\"value\":21.50 , \"unit\":\"C\"}", " 7 ", "{}", "1e999",
	                                    "online", "",   "{\"readings\":[{\"value\":1}]}"};

	if (below(2) == 0) {
		const char *text = texts[below((int)(sizeof(texts) / sizeof(texts[0])))];

		message->len = strlen(text);
		memcpy(message->payload, text, message->len);
		return;
	}
	message->len = (size_t)below((int)sizeof(message->payload));
	for (size_t i = 0; i < message->len; i++)
		message->payload[i] = (char)below(256);
}

/* The next message that some client published, past those of Hearth's own. */
static const struct message *next_of_clients(struct client *watcher)
{
	for (;;) {
		const struct message *message = client_take_any(watcher, SOON);
		const char *last = message == NULL ? NULL : strrchr(message->topic, '/');

		if (last == NULL || (strcmp(last, "/error") != 0 && strncmp(message->topic, "out/", 4) != 0))
			return message;
	}
}

static bool same(const struct message *message, const struct sent *wanted)
{
	return strcmp(message->topic, topics[wanted->topic]) == 0 && message->len == wanted->len &&
	       memcmp(message->payload, wanted->payload, wanted->len) == 0 && message->retain == wanted->retain;
}

/* What a new subscriber gets retained is the last retained payload of each topic. */
static void expect_retained_ones(const struct house *house)
{
	const struct sent *last[RANDOM_TOPICS] = {NULL};
	struct client *late = client_connect(house, CLIENT_V5, NULL);
	size_t wanted = 0, found = 0;

	for (int i = 0; i < RANDOM_MESSAGES; i++)
		for (int k = 0; k < RANDOM_TOPICS; k++)
			if (sent[i].retain && strcmp(topics[k], topics[sent[i].topic]) == 0)
				last[k] = &sent[i];
	client_subscribe(late, "#");
	client_fence(late);
	for (int k = 0; k < RANDOM_TOPICS; k++) {
		bool first = true;

		for (int j = 0; j < k; j++)
			first = first && strcmp(topics[j], topics[k]) != 0;
		if (first && last[k] != NULL && last[k]->len > 0) {
			const struct message *message = client_take(late, topics[k], 0);

			wanted++;
			assert_non_null(message);
			assert_true(same(message, last[k]));
		}
	}
	while (client_take_any(late, 0) != NULL)
		found++;
	/* The config that made the rule, and nothing more. */
	assert_int_equal(found, 1);
	assert_true(wanted > 10);
	client_free(late);
}

static void no_byte_is_changed(void **state)
{
	struct house *house = house_new();
	struct client *author, *watcher;
	const char *repeat = getenv("HEARTH_SEED");

	(void)state;
	seed = repeat != NULL ? (unsigned)strtoul(repeat, NULL, 0) : (unsigned)wall_us();
	print_message("HEARTH_SEED=%u\n", seed);
	make_topics();
	house_start(house);
	author = client_connect(house, CLIENT_V5, NULL);
	watcher = client_connect(house, CLIENT_V5, NULL);
	/* A rule that is busy meanwhile. */
	snprintf(topics[0], sizeof(topics[0]), "home/uno1/cds/value");
	client_publish_retained(author, "home/uno1/cds/config",
	                        json("{'rules':[{'name':'x','when':{'above':10},'then':[{'set':'out/x/y','to':1}],"
	                             "'else':[{'set':'out/x/y','to':0}]}]}"));
	client_subscribe(watcher, "#");
	client_drain(watcher, NULL); /* the config itself */
	for (int i = 0; i < RANDOM_MESSAGES; i++) {
		sent[i].topic = below(RANDOM_TOPICS);
		sent[i].retain = below(3) == 0;
		make_payload(&sent[i]);
		assert_true(client_send(author, topics[sent[i].topic], sent[i].payload, sent[i].len, below(2), sent[i].retain));
	}
	assert_true(client_flush(author));
	for (int i = 0; i < RANDOM_MESSAGES; i++) {
		const struct message *message = next_of_clients(watcher);

		assert_non_null(message);
		if (!same(message, &sent[i]))
			fail_msg("message %d: %s arrived (%zu bytes, retain %d), %s was published (%zu bytes, retain %d)", i,
			         message->topic, message->len, message->retain, topics[sent[i].topic], sent[i].len, sent[i].retain);
	}
	expect_retained_ones(house);
	client_free(author);
	client_free(watcher);
	house_free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(no_byte_is_changed, client_teardown),
	};

	return cmocka_run_group_tests_name("transparency", tests, NULL, NULL);
}
