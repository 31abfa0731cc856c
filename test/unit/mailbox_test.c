/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mailbox_test: order, bounds, what is dropped, two threads, and where a notice is cut.
 */
#include "mailbox.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static void refuses_impossible_sizes(void **state)
{
	(void)state;
	static const struct {
		size_t size, capacity;
	} cases[] = {{8, 0}, {8, 3}, {8, 100}, {0, 4}, {SIZE_MAX / 2, 4}, {4, SIZE_MAX / 2 + 1}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_null(mailbox_new(cases[i].size, cases[i].capacity));
	mailbox_free(NULL);
}

static void keeps_order_and_counts_what_it_drops(void **state)
{
	(void)state;
	static const size_t capacities[] = {1, 2, 8, 64};
	/* A size that fits no alignment. */
	char message[11];
	char wanted[11];

	for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
		const unsigned capacity = (unsigned)capacities[i];
		struct mailbox *mailbox = mailbox_new(sizeof message, capacity);
		unsigned put = 0;
		unsigned got = 0;

		assert_non_null(mailbox);
		assert_false(mailbox_get(mailbox, message));
		/* Fill it and empty a part of it, again and again, so that the ring wraps at each place. */
		for (unsigned round = 0; round < 200; round++) {
			while (put - got < capacity) {
				snprintf(message, sizeof message, "%010u", put++);
				assert_true(mailbox_put(mailbox, message));
			}
			assert_int_equal(mailbox_dropped(mailbox), round);
			assert_false(mailbox_put(mailbox, "too much  "));
			assert_int_equal(mailbox_dropped(mailbox), round + 1);
			for (unsigned n = 0; n <= round % capacity; n++) {
				snprintf(wanted, sizeof wanted, "%010u", got++);
				assert_true(mailbox_get(mailbox, message));
				assert_memory_equal(message, wanted, sizeof wanted);
			}
		}
		for (; got < put; got++)
			assert_true(mailbox_get(mailbox, message));
		assert_false(mailbox_get(mailbox, message));
		mailbox_free(mailbox);
	}
}

#define MESSAGES 200000u

struct letter {
	uint64_t number;
	uint64_t copies[5];
};

static void *send_letters(void *context)
{
	for (uint64_t n = 0; n < MESSAGES; n++) {
		const struct letter letter = {n, {n, n, n, n, n}};
		while (!mailbox_put(context, &letter))
			sched_yield();
	}
	return NULL;
}

static void passes_from_thread_to_thread(void **state)
{
	(void)state;
	struct mailbox *mailbox = mailbox_new(sizeof(struct letter), 16);
	struct letter letter;
	pthread_t sender;
	uint64_t wrong = 0;

	assert_non_null(mailbox);
	assert_int_equal(pthread_create(&sender, NULL, send_letters, mailbox), 0);
	for (uint64_t n = 0; n < MESSAGES; n++) {
		while (!mailbox_get(mailbox, &letter))
			sched_yield();
		wrong += letter.number != n;
		for (int i = 0; i < 5; i++)
			wrong += letter.copies[i] != n;
	}
	pthread_join(sender, NULL);
	assert_int_equal(wrong, 0);
	assert_false(mailbox_get(mailbox, &letter));
	mailbox_free(mailbox);
}

static void a_notice_is_formatted(void **state)
{
	(void)state;
	struct mailbox *mailbox = mailbox_new(sizeof(struct notice), 2);
	struct notice notice;

	notice_post(mailbox, NOTICE_WARNING, "%s: %d %%", "disk", 97);
	notice_post(mailbox, NOTICE_INFO, "%s", "");
	notice_post(mailbox, NOTICE_ERROR, "no room");
	assert_int_equal(mailbox_dropped(mailbox), 1);
	assert_true(mailbox_get(mailbox, &notice));
	assert_int_equal(notice.level, NOTICE_WARNING);
	assert_string_equal(notice.text, "disk: 97 %");
	assert_true(mailbox_get(mailbox, &notice));
	assert_int_equal(notice.level, NOTICE_INFO);
	assert_string_equal(notice.text, "");
	mailbox_free(mailbox);
}

static void a_notice_is_cut_between_characters(void **state)
{
	(void)state;
	const size_t most = sizeof((struct notice *)NULL)->text - 1;
	/* One to four bytes each, and bytes that are no UTF-8: they stay as they are. */
	static const char *const characters[] = {"a", "é", "실", "🔥", "\x80", "\xff"};
	struct mailbox *mailbox = mailbox_new(sizeof(struct notice), 1);
	struct notice notice;

	for (size_t c = 0; c < sizeof characters / sizeof *characters; c++) {
		const size_t len = strlen(characters[c]);
		for (size_t before = most - 8; before <= most + 1; before++) {
			char text[1024];
			memset(text, 'x', before);
			for (size_t i = 0; i < 10; i++)
				memcpy(text + before + i * len, characters[c], len);
			text[before + 10 * len] = '\0';
			notice_post(mailbox, NOTICE_INFO, "%s", text);
			assert_true(mailbox_get(mailbox, &notice));
			const size_t wanted = before >= most ? most : before + (most - before) / len * len;
			if (c != 5 && c != 4)
				assert_int_equal(strlen(notice.text), wanted);
			assert_true(strlen(notice.text) + 3 >= most);
			assert_memory_equal(notice.text, text, strlen(notice.text));
		}
	}
	mailbox_free(mailbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_impossible_sizes),           cmocka_unit_test(keeps_order_and_counts_what_it_drops),
		cmocka_unit_test(passes_from_thread_to_thread),       cmocka_unit_test(a_notice_is_formatted),
		cmocka_unit_test(a_notice_is_cut_between_characters),
	};
	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
