/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * hasher_test: order, bounds, what is made, and an end with work left; with the thread itself.
 */
#include "hasher.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_S 60

static struct hasher_job verify_job(uint64_t ticket, const char *stored_of, const char *offered, unsigned iterations)
{
	static const uint8_t salt[12] = {1, 2, 3};
	struct hasher_job job = {.ticket = ticket, .kind = HASHER_VERIFY, .plain_len = strlen(offered)};
	char stored[PASSWORD_TEXT_MAX];

	assert_true(password_make(slice_of(stored_of), iterations, salt, stored));
	assert_true(password_read(slice_of(stored), &job.password));
	memcpy(job.plain, offered, job.plain_len);
	return job;
}

/* The next result, which has to come before a deadline. */
static struct hasher_result await(struct hasher *hasher)
{
	const time_t deadline = time(NULL) + DEADLINE_S;
	struct hasher_result result;

	while (!hasher_next(hasher, &result)) {
		assert_true(time(NULL) < deadline);
		nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
	return result;
}

static void verifies_in_order(void **state)
{
	(void)state;
	struct hasher *hasher = hasher_start();

	assert_non_null(hasher);
	for (uint64_t round = 0; round < 20; round++) {
		for (uint64_t i = 0; i < 32; i++) {
			const struct hasher_job job =
				verify_job(round * 32 + i, "correct horse", i % 3 ? "wrong" : "correct horse", 1);
			assert_true(hasher_ask(hasher, &job));
		}
		for (uint64_t i = 0; i < 32; i++) {
			const struct hasher_result result = await(hasher);
			assert_int_equal(result.ticket, round * 32 + i);
			assert_int_equal(result.ok, i % 3 == 0);
			assert_string_equal(result.made, "");
		}
	}
	hasher_stop(hasher);
}

static void takes_no_more_than_it_has_room_for(void **state)
{
	(void)state;
	struct hasher *hasher = hasher_start();
	const struct hasher_job job = verify_job(7, "a", "a", 1);

	/* Done or not: a place is free once its result is fetched. */
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < HASHER_JOBS_MAX; i++)
			assert_true(hasher_ask(hasher, &job));
		assert_false(hasher_ask(hasher, &job));
		await(hasher);
		assert_true(hasher_ask(hasher, &job));
		assert_false(hasher_ask(hasher, &job));
		for (unsigned i = 0; i < HASHER_JOBS_MAX; i++)
			assert_true(await(hasher).ok);
	}
	hasher_stop(hasher);
}

static void makes_hashes_that_differ(void **state)
{
	(void)state;
	struct hasher *hasher = hasher_start();
	struct hasher_job job = {.ticket = 1, .kind = HASHER_MAKE, .plain_len = 4, .plain = "word"};
	struct password first, second;

	assert_true(hasher_ask(hasher, &job));
	assert_true(hasher_ask(hasher, &job));
	const struct hasher_result a = await(hasher);
	const struct hasher_result b = await(hasher);
	assert_true(a.ok && b.ok);
	assert_string_not_equal(a.made, b.made);
	assert_true(password_read(slice_of(a.made), &first));
	assert_true(password_read(slice_of(b.made), &second));
	assert_int_equal(first.iterations, PASSWORD_ITERATIONS);
	assert_true(password_verify(&first, slice_of("word")));
	assert_false(password_verify(&second, slice_of("work")));
	job.plain_len = 0;
	assert_true(hasher_ask(hasher, &job));
	assert_false(await(hasher).ok);
	hasher_stop(hasher);
}

static void ends_with_work_left(void **state)
{
	(void)state;
	const struct hasher_job job = verify_job(1, "a", "a", 20000);

	for (unsigned asked = 0; asked <= HASHER_JOBS_MAX; asked += 16) {
		struct hasher *hasher = hasher_start();
		for (unsigned i = 0; i < asked; i++)
			assert_true(hasher_ask(hasher, &job));
		const clock_t begin = clock();
		hasher_stop(hasher);
		/* One job in work, not all of them: 64 would take 0.6 s. */
		assert_true(clock() - begin < CLOCKS_PER_SEC / 4);
	}
	hasher_stop(NULL);
}

/* Of the thread that is not ours. */
static int other_thread(void)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;
	int found = 0;

	assert_non_null(tasks);
	while ((task = readdir(tasks))) {
		const int number = (int)strtol(task->d_name, NULL, 10);
		if (number > getpid())
			found = number;
	}
	closedir(tasks);
	return found;
}

static void is_nice_and_takes_no_signals(void **state)
{
	(void)state;
	struct hasher *hasher = hasher_start();
	const struct hasher_job job = verify_job(1, "a", "a", 1);
	char path[64];
	char line[128];
	unsigned long long blocked = 0;

	hasher_ask(hasher, &job);
	await(hasher); /* it has begun */
	const int thread = other_thread();
	const int nicer = getpriority(PRIO_PROCESS, 0) + 10;
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)thread), nicer > 19 ? 19 : nicer);
	snprintf(path, sizeof path, "/proc/self/task/%d/status", thread);
	FILE *status = fopen(path, "re");
	assert_non_null(status);
	while (fgets(line, sizeof line, status)) {
		if (strncmp(line, "SigBlk:", 7) == 0)
			blocked = strtoull(line + 7, NULL, 16);
	}
	fclose(status);
	assert_true(blocked >> (SIGTERM - 1) & 1);
	assert_true(blocked >> (SIGHUP - 1) & 1);
	hasher_stop(hasher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies_in_order),
		cmocka_unit_test(takes_no_more_than_it_has_room_for),
		cmocka_unit_test(makes_hashes_that_differ),
		cmocka_unit_test(ends_with_work_left),
		cmocka_unit_test(is_nice_and_takes_no_signals),
	};
	return cmocka_run_group_tests_name("hasher", tests, NULL, NULL);
}
