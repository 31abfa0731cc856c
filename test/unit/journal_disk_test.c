/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_disk_test: a disk that has no room, forgets, or takes a segment away while it is written.
 *
 * The sync and the write of this program stand before libc's, so that a test can have one fail and see what is written.
 */
#include "journal_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define QUOTA (8 * SMALL) /* two spare segments */

static int failing_syncs;      /* so many will fail */
static off_t written_from = 0; /* what pwrite wrote since it was last looked at */
static off_t written_to = 0;

static ino_t failing_inode; /* of a file that cannot be synced; 0: none */
static unsigned good_syncs; /* since it was set */

int fdatasync(int fildes)
{
	struct stat facts;

	if (failing_inode != 0 && fstat(fildes, &facts) == 0 && facts.st_ino == failing_inode) {
		errno = EIO;
		return -1;
	}
	good_syncs++;
	if (failing_syncs == 0)
		return 0;
	failing_syncs--;
	errno = EIO;
	return -1;
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	if (written_from == written_to)
		written_from = written_to = offset;
	if (offset == written_to)
		written_to = offset + (off_t)n;
	return syscall(SYS_pwrite64, fd, buf, n, offset);
}

static int failing_reads; /* so many will fail */

ssize_t pread(int fd, void *buf, size_t nbytes, off_t offset)
{
	if (failing_reads > 0) {
		failing_reads--;
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, buf, nbytes, offset);
}

/* No file may grow beyond so many bytes: what a full disk is to posix_fallocate. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void it_opens_without_room_and_waits_for_some(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;

	fixture_open(fixture, QUOTA, SMALL);
	for (uint64_t n = 0; n < 10; n++)
		append(fixture->journal, n, 100, JOURNAL_READING);
	fixture_close(fixture);

	limit_files(SMALL / 2);
	fixture_open(fixture, QUOTA, SMALL);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(append(fixture->journal, 10, 100, JOURNAL_READING), 0);
		assert_int_equal(append(fixture->journal, 10, 100, JOURNAL_CONTROL), 0);
		assert_false(journal_sync(fixture->journal, fixture->error, sizeof fixture->error));
		assert_non_null(strstr(fixture->error, strerror(EFBIG)));
	}
	/* What was there can be read, and a stop and a start in between change nothing. */
	for (unsigned i = 0; i < 2; i++) {
		struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
		for (uint64_t n = 0; n < 10; n++)
			expect_record(cursor, &record, n, 100);
		assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
		journal_cursor_free(cursor);
		fixture_close(fixture);
		fixture_open(fixture, QUOTA, SMALL);
	}

	limit_files(RLIM_INFINITY);
	fixture_sync(fixture);
	assert_true(append(fixture->journal, 10, 100, JOURNAL_READING) > record.end);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	for (uint64_t n = 0; n < 11; n++)
		expect_record(cursor, &record, n, 100);
	journal_trim(fixture->journal, record.position);
	assert_true(journal_begin(fixture->journal) < record.position);
	journal_cursor_free(cursor);
}

static void none_takes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;

	fixture->journal = journal_open_none();
	assert_non_null(fixture->journal);
	assert_int_equal(append(fixture->journal, 1, 10, JOURNAL_CONTROL), 0);
	fixture_sync(fixture);
	journal_trim(fixture->journal, UINT64_MAX);
	assert_int_equal(append(fixture->journal, 1, 10, JOURNAL_CONTROL), 0);
	assert_int_equal(journal_bytes(fixture->journal), 0);
	assert_int_equal(journal_head(fixture->journal), 0);
	assert_int_equal(journal_synced(fixture->journal), 0);
	assert_int_equal(journal_id(fixture->journal), 0);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	journal_cursor_free(cursor);
}

/* The kernel tells a failed write once and then takes the pages for written: they have to be written again. */
static void a_failed_sync_is_not_believed_the_next_time(void **state)
{
	struct fixture *fixture = *state;

	fixture_open(fixture, QUOTA, SMALL);
	append(fixture->journal, 0, 3000, JOURNAL_READING);
	fixture_sync(fixture);
	const uint64_t begin = journal_begin(fixture->journal);
	const uint64_t from = journal_head(fixture->journal);
	assert_int_equal(journal_synced(fixture->journal), from);
	append(fixture->journal, 1, 20000, JOURNAL_READING);
	failing_syncs = 2;
	for (unsigned i = 0; i < 2; i++) {
		assert_false(journal_sync(fixture->journal, fixture->error, sizeof fixture->error));
		assert_non_null(strstr(fixture->error, strerror(EIO)));
		assert_int_equal(journal_synced(fixture->journal), from);
	}
	append(fixture->journal, 2, 500, JOURNAL_READING);
	written_from = written_to = 0;
	fixture_sync(fixture);
	assert_int_equal(journal_synced(fixture->journal), journal_head(fixture->journal));
	assert_int_equal(written_from, from - begin);
	assert_int_equal(written_to, journal_head(fixture->journal) - begin);

	/* And no more once it has worked. */
	append(fixture->journal, 3, 500, JOURNAL_READING);
	written_from = written_to = 0;
	fixture_sync(fixture);
	assert_int_equal(written_to, 0);
}

/* A disk that was unplugged comes back; a bad sector does not. */
static void what_cannot_be_read_is_tried_again(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	enum journal_next next;

	fixture_open(fixture, QUOTA, SMALL);
	append(fixture->journal, 0, 100, JOURNAL_READING);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	expect_record(cursor, &record, 0, 100);
	append(fixture->journal, 1, 100, JOURNAL_READING);
	for (unsigned i = 0; i < 15; i++) {
		failing_reads = 2; /* a large read and then one of just what is needed */
		assert_int_equal(journal_next(cursor, &record), JOURNAL_FAILED);
		assert_int_equal(errno, EIO);
	}
	expect_record(cursor, &record, 1, 100);

	/* Not for ever; and another cursor's troubles do not count. */
	struct journal_cursor *other = journal_cursor_new(fixture->journal, 0);
	append(fixture->journal, 2, 100, JOURNAL_READING);
	const int64_t begin = monotonic_ms();
	do {
		failing_reads = 2;
		next = journal_next(cursor, &record);
		failing_reads = 2;
		assert_int_equal(journal_next(other, &record), JOURNAL_FAILED);
	} while (next == JOURNAL_FAILED && monotonic_ms() - begin < 190);
	while (next == JOURNAL_FAILED) {
		failing_reads = 2;
		next = journal_next(cursor, &record);
	}
	assert_int_equal(next, JOURNAL_DAMAGED);
	assert_in_range(monotonic_ms() - begin, 200, 20000);
	failing_reads = 0;
	journal_cursor_free(other);
	journal_cursor_free(cursor);
}

static void failing_inode_of(const struct fixture *fixture, uint64_t begin)
{
	struct stat facts;
	char path[256];

	segment_path(fixture, begin, path);
	assert_int_equal(stat(path, &facts), 0);
	failing_inode = facts.st_ino;
	good_syncs = 0;
}

/* As a disk does that fails: what is written through the mapping is refused with a signal. */
static void a_segment_that_goes_away_costs_itself_alone(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	char path[256];

	fixture_open(fixture, QUOTA, SMALL);
	for (uint64_t n = 0; n < 10; n++)
		append(fixture->journal, n, 100, JOURNAL_READING);
	const uint64_t first = journal_begin(fixture->journal);
	segment_path(fixture, first, path);
	assert_int_equal(truncate(path, 0), 0);

	/* Refused, and told so; and then there is the next segment. */
	assert_int_equal(append(fixture->journal, 10, 100, JOURNAL_READING), 0);
	assert_int_equal(journal_append(fixture->journal, 1, "x", 1), 0);
	const uint64_t second = append(fixture->journal, 11, 100, JOURNAL_READING);
	assert_true(second > first + SMALL);

	/* All of them gone at once, as with a file system that fails as a whole. */
	segment_path(fixture, first + SMALL, path);
	assert_int_equal(truncate(path, 0), 0);
	segment_path(fixture, first + 2 * SMALL, path);
	assert_int_equal(truncate(path, 0), 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(append(fixture->journal, 12, 100, JOURNAL_CONTROL), 0);

	/* And back again. */
	fixture_sync(fixture);
	assert_int_not_equal(append(fixture->journal, 13, 100, JOURNAL_READING), 0);
	fixture_sync(fixture);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, first + 3 * SMALL);
	expect_record(cursor, &record, 13, 100);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	journal_cursor_free(cursor);
	fixture_close(fixture);
	fixture_open(fixture, QUOTA, SMALL);
	assert_int_not_equal(append(fixture->journal, 14, 100, JOURNAL_READING), 0);
	cursor = journal_cursor_new(fixture->journal, first + 3 * SMALL);
	expect_record(cursor, &record, 13, 100);
	expect_record(cursor, &record, 14, 100);
	journal_cursor_free(cursor);
}

/* Fills the current segment up to shortly before `offset` and has the disk refuse what lies behind it. */
static uint64_t fill_and_cut(struct fixture *fixture, uint64_t n, uint64_t begin, uint64_t offset)
{
	char path[256];

	while (journal_head(fixture->journal) - begin < offset - 200)
		assert_int_not_equal(append(fixture->journal, n++, 100, JOURNAL_READING), 0);
	segment_path(fixture, begin, path);
	assert_int_equal(truncate(path, (off_t)offset), 0);
	return n;
}

/* kill -9 after the disk has refused a page: what was taken before and after it is there, and nothing is called damaged. */
static void a_kill_after_a_refusal_loses_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;

	for (unsigned sync = 0; sync < 2; sync++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			fixture_open(fixture, QUOTA, SMALL);
			const uint64_t begin = journal_begin(fixture->journal);
			uint64_t n = fill_and_cut(fixture, 0, begin, 8192);
			while (append(fixture->journal, n, 100, JOURNAL_READING) != 0)
				n++;
			/* The next segment takes what comes. */
			append(fixture->journal, n, 100, JOURNAL_READING);
			for (unsigned i = 1; i < 20; i++)
				append(fixture->journal, n + i, 100, JOURNAL_READING);
			if (sync)
				journal_sync(fixture->journal, fixture->error, sizeof fixture->error);
			_exit((int)(n + 20 - 50));
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		const uint64_t count = (uint64_t)WEXITSTATUS(status) + 50;
		assert_in_range(count, 70, 120);

		fixture_open(fixture, QUOTA, SMALL);
		assert_int_equal(journal_torn(fixture->journal), 0);
		struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
		for (uint64_t n = 0; n < count; n++)
			expect_record(cursor, &record, n, 100);
		assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
		journal_cursor_free(cursor);
		fixture_close(fixture);
		each_file(fixture, visit_remove, NULL);
	}
}

/* One file that the disk will not sync keeps the others from being marked, not from being synced; and not once it is gone. */
static void a_segment_that_cannot_be_synced_is_left_behind(void **state)
{
	struct fixture *fixture = *state;
	uint64_t n = 0;

	fixture_open(fixture, 64 * SMALL, SMALL);
	const uint64_t begin = journal_begin(fixture->journal);
	append(fixture->journal, n++, 100, JOURNAL_READING);
	failing_inode_of(fixture, begin);
	while (journal_head(fixture->journal) < begin + 3 * SMALL)
		append(fixture->journal, n++, 100, JOURNAL_READING);
	assert_false(journal_sync(fixture->journal, fixture->error, sizeof fixture->error));
	char path[256];
	segment_path(fixture, begin, path);
	assert_non_null(strstr(fixture->error, path));
	assert_true(good_syncs >= 3);
	assert_int_equal(journal_synced(fixture->journal), begin);
	journal_trim(fixture->journal, begin + SMALL);
	fixture_sync(fixture);
	failing_inode = 0;
}

static void a_removed_segment_is_told(void **state)
{
	struct fixture *fixture = *state;
	char path[256];

	fixture_open(fixture, QUOTA, SMALL);
	append(fixture->journal, 0, 100, JOURNAL_READING);
	fixture_sync(fixture);
	segment_path(fixture, journal_begin(fixture->journal) + SMALL, path); /* a spare one */
	assert_int_equal(unlink(path), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_false(journal_sync(fixture->journal, fixture->error, sizeof fixture->error));
		assert_non_null(strstr(fixture->error, path));
		assert_non_null(strstr(fixture->error, "removed"));
	}
}

/* What is in it, and what comes behind it, is never told to be safe; not even when the file is left behind. */
static void what_is_in_a_removed_segment_is_not_durable(void **state)
{
	struct fixture *fixture = *state;
	char path[256];
	uint64_t n = 0;

	fixture_open(fixture, 64 * SMALL, SMALL);
	const uint64_t begin = journal_begin(fixture->journal);
	assert_true(journal_synced(fixture->journal) <= begin);
	segment_path(fixture, begin + SMALL, path); /* a spare one */
	assert_int_equal(unlink(path), 0);
	append(fixture->journal, n++, 100, JOURNAL_READING);
	assert_false(journal_sync(fixture->journal, fixture->error, sizeof fixture->error));
	assert_int_equal(journal_synced(fixture->journal), journal_head(fixture->journal));
	for (unsigned segment = 1; segment < 4; segment++) {
		while (journal_head(fixture->journal) < begin + segment * SMALL + 1000)
			append(fixture->journal, n++, 100, JOURNAL_READING);
		journal_sync(fixture->journal, fixture->error, sizeof fixture->error);
		assert_int_equal(journal_synced(fixture->journal), begin + SMALL);
	}
}

/* Somebody else's fault stays somebody else's, and is deadly as ever. */
static void a_foreign_signal_is_passed_on(void **state)
{
	struct fixture *fixture = *state;
	int status;

	signal(SIGBUS, SIG_DFL); /* cmocka has a handler of its own */
	fixture_open(fixture, QUOTA, SMALL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		FILE *file = tmpfile();
		volatile char *page = file ? mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0) : MAP_FAILED;
		if (page != MAP_FAILED)
			page[0] = 1; /* behind the end of the file */
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
#else
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_opens_without_room_and_waits_for_some, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(none_takes_nothing, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_failed_sync_is_not_believed_the_next_time, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_tried_again, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_segment_that_goes_away_costs_itself_alone, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_kill_after_a_refusal_loses_nothing, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_segment_that_cannot_be_synced_is_left_behind, fixture_set_up,
	                                    fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_removed_segment_is_told, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(what_is_in_a_removed_segment_is_not_durable, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_foreign_signal_is_passed_on, fixture_set_up, fixture_tear_down),
	};
	return cmocka_run_group_tests_name("journal_disk", tests, NULL, NULL);
}
