/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crew: which thread a function runs in, and which files exist where. Files under test get numbers far beyond those in use,
 * so that a number means the same file in both tables or none. What a thread saw is judged in the main one: cmocka's
 * assertions jump, and may not leave another thread's stack.
 */
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define RUNS 1000

enum { MAIN_FILE = 400, CREW_FILE = 500, CHILD_FILE = 600 };

static struct crew *crew;

static int set_up(void **state)
{
	(void)state;
	crew = crew_start();
	return crew ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	crew_stop(crew);
	crew = NULL;
	return 0;
}

/* ---- files ---- */

/* Opens a file under a number of the caller's, which must be free. */
static bool file_open(int number)
{
	int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int second = fcntl(first, F_DUPFD_CLOEXEC, number);
	close(first);
	return second == number;
}

/* 0, or why a number is no open file of this thread. */
static int file_error(int number)
{
	return fcntl(number, F_GETFD) >= 0 ? 0 : errno;
}

/* The crew stays in the common table under ThreadSanitizer; crew.c says why. */
#if defined(__SANITIZE_THREAD__)
#define SHARE_FILES true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SHARE_FILES true
#endif
#endif
#ifndef SHARE_FILES
#define SHARE_FILES false
#endif

/* What the kernel lets a thread do, tried in a thread that then ends. */
struct permission {
	bool unshare, close_range;
};

static void *permission_ask(void *context)
{
	struct permission *permission = context;
	permission->close_range = !SHARE_FILES && close_range(UINT_MAX, UINT_MAX, CLOSE_RANGE_UNSHARE) == 0;
	permission->unshare = !SHARE_FILES && unshare(CLONE_FILES) == 0;
	return NULL;
}

static struct permission permission(void)
{
	struct permission found = {false, false};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, permission_ask, &found), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return found;
}

/* A container's system call filter, or a kernel before 5.9, leaves nothing to test. */
static void skip_without_own_table(void)
{
	struct permission found = permission();
	if (!found.unshare && !found.close_range)
		skip();
}

/* ---- running ---- */

struct visit {
	pthread_t thread;
	int count; /* plain: that crew_run waits is what makes it safe */
};

static void visit_note(void *context)
{
	struct visit *visit = context;
	for (int i = 0; i < 10; i++) /* time for a caller that does not wait */
		sched_yield();
	visit->thread = pthread_self();
	visit->count++;
}

static void test_runs_in_another_thread(void **state)
{
	struct visit first = {.count = 0}, second = {.count = 0};

	(void)state;
	crew_run(crew, visit_note, &first);
	crew_run(crew, visit_note, &second);
	assert_int_equal(first.count, 1);
	assert_int_equal(second.count, 1);
	assert_false(pthread_equal(first.thread, pthread_self()));
	assert_true(pthread_equal(first.thread, second.thread));
}

static void test_run_waits(void **state)
{
	struct visit visit = {.count = 0};

	(void)state;
	for (int i = 1; i <= RUNS; i++) {
		crew_run(crew, visit_note, &visit);
		assert_int_equal(visit.count, i);
	}
}

static void test_two_crews(void **state)
{
	struct visit here = {.count = 0}, there = {.count = 0};
	struct crew *other = crew_start();

	(void)state;
	assert_non_null(other);
	crew_run(crew, visit_note, &here);
	crew_run(other, visit_note, &there);
	crew_stop(other);
	crew_run(crew, visit_note, &here);
	assert_int_equal(here.count, 2);
	assert_int_equal(there.count, 1);
	assert_false(pthread_equal(here.thread, there.thread));
}

static void test_stop_without_a_run(void **state)
{
	struct crew *idle = crew_start();

	(void)state;
	assert_non_null(idle);
	crew_stop(idle);
	crew_stop(NULL);
}

/* ---- whose files ---- */

struct look {
	int number, error;
};

static void look_at(void *context)
{
	struct look *look = context;
	look->error = file_error(look->number);
}

static int seen_in_crew(struct crew *whose, int number)
{
	struct look look = {number, -1};
	crew_run(whose, look_at, &look);
	return look.error;
}

static void test_files_opened_after_start(void **state)
{
	(void)state;
	skip_without_own_table();
	assert_true(file_open(MAIN_FILE));
	int error = seen_in_crew(crew, MAIN_FILE);
	close(MAIN_FILE);
	assert_int_equal(error, EBADF);
}

static void test_files_opened_before_start(void **state)
{
	(void)state;
	if (!permission().close_range) /* unshare(2) copies the table with what is open in it */
		skip();
	assert_true(file_open(MAIN_FILE));
	struct crew *later = crew_start();
	assert_non_null(later);
	int in_crew = seen_in_crew(later, MAIN_FILE);
	int here = file_error(MAIN_FILE);
	crew_stop(later);
	int here_in_the_end = file_error(MAIN_FILE);
	close(MAIN_FILE);
	assert_int_equal(in_crew, EBADF);
	assert_int_equal(here, 0);
	assert_int_equal(here_in_the_end, 0);
}

static void test_standard_files_stay(void **state)
{
	(void)state;
	for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++)
		assert_int_equal(seen_in_crew(crew, number), file_error(number));
}

static void open_in_crew(void *context)
{
	*(bool *)context = file_open(CREW_FILE);
}

static void close_in_crew(void *context)
{
	*(bool *)context = close(CREW_FILE) == 0;
}

static void test_files_of_the_crew(void **state)
{
	bool opened = false, closed = false;

	(void)state;
	skip_without_own_table();
	crew_run(crew, open_in_crew, &opened);
	int here = file_error(CREW_FILE);
	int in_crew = seen_in_crew(crew, CREW_FILE);
	crew_run(crew, close_in_crew, &closed);
	assert_true(opened);
	assert_int_equal(here, EBADF);
	assert_int_equal(in_crew, 0);
	assert_true(closed);
	assert_int_equal(seen_in_crew(crew, CREW_FILE), EBADF);
}

/* ---- threads started from the crew ---- */

/* Started in one crew_run, ended in another, with something of the main thread's in between, as storage does it. */
struct child {
	pthread_t thread;
	sem_t go;
	bool crew_opened, started, opened;
	int main_file, crew_file; /* what those are in the child */
	int child_file;           /* what that is in the crew */
};

static void *child_main(void *context)
{
	struct child *child = context;
	while (sem_wait(&child->go) != 0)
		continue;
	child->main_file = file_error(MAIN_FILE);
	child->crew_file = file_error(CREW_FILE);
	child->opened = file_open(CHILD_FILE);
	return NULL;
}

static void child_start(void *context)
{
	struct child *child = context;
	child->started = pthread_create(&child->thread, NULL, child_main, child) == 0;
	child->crew_opened = file_open(CREW_FILE); /* after the thread began: the table is one, not a copy */
}

static void child_end(void *context)
{
	struct child *child = context;
	if (child->started)
		pthread_join(child->thread, NULL);
	child->child_file = file_error(CHILD_FILE);
	close(CREW_FILE);
	close(CHILD_FILE);
}

static void test_child_shares_the_crews_files(void **state)
{
	struct child child = {.main_file = -1, .crew_file = -1, .child_file = -1};

	(void)state;
	skip_without_own_table();
	assert_int_equal(sem_init(&child.go, 0, 0), 0);
	assert_true(file_open(MAIN_FILE));
	crew_run(crew, child_start, &child);
	sem_post(&child.go);
	crew_run(crew, child_end, &child);
	int here = file_error(CHILD_FILE);
	close(MAIN_FILE);
	sem_destroy(&child.go);

	assert_true(child.started);
	assert_true(child.crew_opened);
	assert_true(child.opened);
	assert_int_equal(child.crew_file, 0);
	assert_int_equal(child.child_file, 0);
	assert_int_equal(child.main_file, EBADF);
	assert_int_equal(here, EBADF);
}

/* ---- signals ---- */

struct masks {
	sigset_t crew, child;
	bool child_started;
};

static void *mask_of_child(void *context)
{
	struct masks *masks = context;
	pthread_sigmask(SIG_BLOCK, NULL, &masks->child);
	return NULL;
}

static void mask_of_crew(void *context)
{
	struct masks *masks = context;
	pthread_t thread;
	pthread_sigmask(SIG_BLOCK, NULL, &masks->crew);
	masks->child_started = pthread_create(&thread, NULL, mask_of_child, masks) == 0;
	if (masks->child_started)
		pthread_join(thread, NULL);
}

/* All but the two that nobody can block, the one that journal_guard answers, and those between the last named one and SIGRTMIN, which are the C library's. */
static void assert_all_blocked(const sigset_t *mask)
{
	for (int number = 1; number <= SIGRTMAX; number++) {
		bool blockable =
			number != SIGKILL && number != SIGSTOP && number != SIGBUS && (number < 32 || number >= SIGRTMIN);
		if (blockable && sigismember(mask, number) != 1)
			fail_msg("signal %d is not blocked", number);
	}
}

static void test_signals_are_blocked(void **state)
{
	struct masks masks = {.child_started = false};

	(void)state;
	sigemptyset(&masks.crew);
	sigemptyset(&masks.child);
	crew_run(crew, mask_of_crew, &masks);
	assert_true(masks.child_started);
	assert_all_blocked(&masks.crew);
	assert_all_blocked(&masks.child);
}

static void test_signals_of_the_caller_stay(void **state)
{
	sigset_t some, before, after;

	(void)state;
	sigemptyset(&some);
	sigaddset(&some, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &some, &before);
	struct crew *other = crew_start();
	pthread_sigmask(SIG_SETMASK, &before, &after);
	crew_stop(other);
	assert_non_null(other);
	for (int number = 1; number <= SIGRTMAX; number++)
		assert_int_equal(sigismember(&after, number) == 1, number == SIGUSR1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_in_another_thread),
		cmocka_unit_test(test_run_waits),
		cmocka_unit_test(test_two_crews),
		cmocka_unit_test(test_stop_without_a_run),
		cmocka_unit_test(test_files_opened_after_start),
		cmocka_unit_test(test_files_opened_before_start),
		cmocka_unit_test(test_standard_files_stay),
		cmocka_unit_test(test_files_of_the_crew),
		cmocka_unit_test(test_child_shares_the_crews_files),
		cmocka_unit_test(test_signals_are_blocked),
		cmocka_unit_test(test_signals_of_the_caller_stay),
	};
	return cmocka_run_group_tests_name("crew", tests, set_up, tear_down);
}
