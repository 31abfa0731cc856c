/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_test: appending, rotating, reading, trimming, the quota, and the three kinds of threads at once.
 */
#include "journal_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

static void reads_back_every_size(void **state)
{
	struct fixture *fixture = *state;
	static const size_t large[] = {65535, 65536, 200001, JOURNAL_PAYLOAD_MAX - 1, JOURNAL_PAYLOAD_MAX};
	const size_t larges = sizeof large / sizeof *large;
	const size_t smalls = 3000;
	uint64_t positions[3000 + sizeof large / sizeof *large];
	struct journal_record record;

	fixture_open(fixture, 64 * KIB * KIB, 4 * KIB * KIB);
	for (size_t n = 0; n < smalls + larges; n++) {
		positions[n] = append(fixture->journal, n, n < smalls ? n : large[n - smalls], JOURNAL_READING);
		assert_int_not_equal(positions[n], 0);
		if (n % 100 == 0)
			fixture_sync(fixture);
	}
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	for (size_t n = 0; n < smalls + larges; n++) {
		expect_record(cursor, &record, n, n < smalls ? n : large[n - smalls]);
		assert_int_equal(record.position, positions[n]);
		assert_true(n == 0 || positions[n] > positions[n - 1]);
		assert_true(record.segment > 0 && record.segment < record.position);
	}
	assert_int_equal(record.end, journal_head(fixture->journal));
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	/* What comes later is seen by the same cursor. */
	append(fixture->journal, 77, 5, JOURNAL_READING);
	expect_record(cursor, &record, 77, 5);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	journal_cursor_free(cursor);
}

/* The most that one segment of SMALL takes: the rest are its header and a mark. */
#define LARGEST (SMALL - 64 - MARK)

static void refuses_what_was_not_reserved(void **state)
{
	struct fixture *fixture = *state;
	static uint8_t payload[JOURNAL_PAYLOAD_MAX + 1];

	fixture_open(fixture, 4 * SMALL, SMALL);
	const uint64_t head = journal_head(fixture->journal);
	assert_int_equal(journal_append(fixture->journal, 0, "x", 1), 0);
	assert_int_equal(journal_append(fixture->journal, 1, payload, SMALL), 0);
	assert_int_equal(journal_append(fixture->journal, 1, payload, sizeof payload), 0);
	/* One that fits no segment is refused; the largest that does is not. */
	assert_int_equal(journal_reserve(fixture->journal, SIZE_MAX, JOURNAL_CONTROL), 0);
	assert_int_equal(journal_reserve(fixture->journal, LARGEST + 1, JOURNAL_CONTROL), 0);
	assert_int_equal(journal_head(fixture->journal), head);
	assert_int_not_equal(append(fixture->journal, 1, LARGEST - 8, JOURNAL_READING), 0);
	assert_int_equal(journal_head(fixture->journal), head + SMALL - 64);
	assert_int_not_equal(append(fixture->journal, 2, 8, JOURNAL_READING), 0);

	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	struct journal_record record;
	expect_record(cursor, &record, 1, LARGEST - 8);
	expect_record(cursor, &record, 2, 8);
	journal_cursor_free(cursor);
}

static void what_is_reserved_stays_in_one_segment(void **state)
{
	struct fixture *fixture = *state;
	uint64_t last_segment = 0;
	unsigned segments = 0;

	fixture_open(fixture, 64 * SMALL, SMALL);
	for (uint64_t n = 0; n < 4000; n++) {
		const size_t first = n % 300;
		const size_t second = n % 77;
		uint8_t payload[512] = {0};
		uint64_t segment = journal_reserve(fixture->journal, journal_record_size(first) + journal_record_size(second),
		                                   JOURNAL_READING);
		assert_int_not_equal(segment, 0);
		uint64_t a = journal_append(fixture->journal, 1, payload, first);
		uint64_t b = journal_append(fixture->journal, 2, payload, second);
		assert_true(segment < a && a < b && b + journal_record_size(second) <= segment + SMALL);
		if (segment != last_segment) {
			assert_true(segment > last_segment);
			segments++;
			fixture_sync(fixture);
		}
		last_segment = segment;
	}
	assert_true(segments > 10);
	/* A rotation with nothing behind it yet: the cursor waits at the seal, then goes on. */
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, UINT64_MAX);
	struct journal_record record;
	while (journal_next(cursor, &record) == JOURNAL_RECORD)
		assert_int_equal(record.segment, last_segment);
	assert_true(journal_reserve(fixture->journal, LARGEST, JOURNAL_READING) > last_segment);
	fixture_sync(fixture);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	append(fixture->journal, 5, 3, JOURNAL_READING);
	expect_record(cursor, &record, 5, 3);
	journal_cursor_free(cursor);
}

/* Fills the journal with readings of 100 bytes until it says that it is full. */
static uint64_t fill(struct fixture *fixture, uint64_t n)
{
	while (append(fixture->journal, n, 100, JOURNAL_READING) != 0) {
		n++;
		fixture_sync(fixture);
	}
	return n;
}

static void full_keeps_room_for_control(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	unsigned controls = 0;

	fixture_open(fixture, 6 * SMALL, SMALL);
	uint64_t n = fill(fixture, 0);
	assert_true(n > 5 * SMALL / (112 + MARK));
	assert_true(folder_size(fixture) <= 6 * SMALL);
	assert_true(journal_bytes(fixture->journal) > journal_quota(fixture->journal) * 8 / 10);
	assert_true(journal_bytes(fixture->journal) <= journal_quota(fixture->journal));

	for (unsigned i = 0; append(fixture->journal, n, 100, JOURNAL_CONTROL) != 0; i++, n++)
		controls++;
	assert_in_range(controls, SMALL / 4 / 112 - 2, SMALL / 4 / 112 + 2);
	assert_int_equal(append(fixture->journal, n, 100, JOURNAL_READING), 0);
	fixture_sync(fixture);
	assert_int_equal(append(fixture->journal, n, 100, JOURNAL_CONTROL), 0);

	/* Room again: not at once, but with the next sync. */
	const uint64_t begin = journal_begin(fixture->journal);
	journal_trim(fixture->journal, begin + 3 * SMALL);
	assert_int_equal(journal_begin(fixture->journal), begin + 3 * SMALL);
	assert_int_equal(append(fixture->journal, n, 100, JOURNAL_READING), 0);
	fixture_sync(fixture);
	uint64_t more = fill(fixture, n);
	assert_true(more > n + 2 * SMALL / 112);

	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_RECORD);
	assert_int_equal(record.segment, begin + 3 * SMALL);
	while (journal_next(cursor, &record) == JOURNAL_RECORD)
		continue;
	assert_true(record_is(&record, more - 1, 100));
	journal_cursor_free(cursor);
}

static void trims_whole_segments_but_never_the_current(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	const size_t len = 1000;
	uint64_t n = 0;

	fixture_open(fixture, 32 * SMALL, SMALL);
	const uint64_t begin = journal_begin(fixture->journal);
	assert_true(begin > 0);
	while (journal_head(fixture->journal) < begin + 3 * SMALL) {
		append(fixture->journal, n++, len, JOURNAL_READING);
		fixture_sync(fixture);
	}
	assert_int_equal(journal_bytes(fixture->journal), journal_head(fixture->journal) - begin);

	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	expect_record(cursor, &record, 0, len);
	journal_trim(fixture->journal, begin + SMALL - 1);
	assert_int_equal(journal_begin(fixture->journal), begin);
	journal_trim(fixture->journal, begin + SMALL);
	assert_int_equal(journal_begin(fixture->journal), begin + SMALL);
	assert_int_equal(journal_bytes(fixture->journal), journal_head(fixture->journal) - begin - SMALL);
	journal_trim(fixture->journal, UINT64_MAX);
	assert_int_equal(journal_begin(fixture->journal), begin + 3 * SMALL);

	/* The cursor reads the removed segment to its end and goes on with what is left. */
	uint64_t expected = 1;
	while (journal_next(cursor, &record) == JOURNAL_RECORD && record.segment == begin)
		assert_true(record_is(&record, expected++, len));
	assert_int_equal(record.segment, begin + 3 * SMALL);
	assert_true(record_is(&record, n - 1, len));
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	journal_cursor_free(cursor);
}

static void cursor_begins_with_its_segment(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	uint64_t positions[500];

	fixture_open(fixture, 32 * SMALL, SMALL);
	for (uint64_t n = 0; n < 500; n++) {
		positions[n] = append(fixture->journal, n, 600, JOURNAL_READING);
		fixture_sync(fixture);
	}
	uint64_t first = 0; /* record of its segment */
	for (uint64_t n = 0; n < 500; n++) {
		if (n > 0 && positions[n] / SMALL != positions[n - 1] / SMALL)
			first = n;
		struct journal_cursor *cursor = journal_cursor_new(fixture->journal, positions[n]);
		expect_record(cursor, &record, first, 600);
		assert_int_equal(record.position, positions[first]);
		assert_int_equal(record.segment, positions[n] / SMALL * SMALL);
		journal_cursor_free(cursor);
	}
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, UINT64_MAX);
	expect_record(cursor, &record, first, 600);
	journal_cursor_free(cursor);
	journal_trim(fixture->journal, positions[200]);
	cursor = journal_cursor_new(fixture->journal, positions[0]);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_RECORD);
	assert_int_equal(record.segment, positions[200] / SMALL * SMALL);
	journal_cursor_free(cursor);
	journal_cursor_free(NULL);
}

static void is_private_and_locked(void **state)
{
	struct fixture *fixture = *state;
	struct fixture inner = {0};
	struct stat facts;
	char path[256];

	snprintf(inner.directory, sizeof inner.directory, "%.100s/inner", fixture->directory);
	fixture_open(&inner, 4 * SMALL, SMALL);
	assert_int_equal(stat(inner.directory, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0700);
	snprintf(path, sizeof path, "%s/%016" PRIx64 ".journal", inner.directory, journal_begin(inner.journal));
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);

	const struct journal_options options = {.directory = inner.directory, .quota = 4 * SMALL, .segment_size = SMALL};
	assert_null(journal_open(&options, inner.error, sizeof inner.error));
	assert_int_equal(errno, EWOULDBLOCK);
	assert_non_null(strstr(inner.error, inner.directory));
	assert_non_null(strstr(inner.error, "open already"));
	fixture_close(&inner);
	fixture_open(&inner, 4 * SMALL, SMALL);
	fixture_remove(&inner);
}

/* Each position that is told has been synced before, also behind a rotation and after a restart. */
static void what_is_synced_is_told(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before;

	for (unsigned run = 0; run < 2; run++) {
		fixture_open(fixture, 64 * SMALL, SMALL);
		assert_true(journal_synced(fixture->journal) > 0 || run == 0);
		assert_true(journal_synced(fixture->journal) <= journal_head(fixture->journal));
		for (uint64_t n = 0; n < 5; n++) {
			before = journal_synced(fixture->journal);
			assert_int_not_equal(append(fixture->journal, n, 30000, JOURNAL_CONTROL), 0);
			assert_int_equal(journal_synced(fixture->journal), before);
			fixture_sync(fixture);
			assert_int_equal(journal_synced(fixture->journal), journal_head(fixture->journal));
		}
		fixture_close(fixture);
	}
}

static void wrong_options_are_named(void **state)
{
	struct fixture *fixture = *state;
	char missing[256];
	char error[512];

	snprintf(missing, sizeof missing, "%s/none/journal", fixture->directory);
	const struct {
		struct journal_options options;
		const char *says;
	} cases[] = {
		{{.directory = fixture->directory, .quota = 4 * SMALL, .segment_size = SMALL + 8}, "power of two"},
		{{.directory = fixture->directory, .quota = 4 * SMALL, .segment_size = SMALL / 2}, "power of two"},
		{{.directory = fixture->directory, .quota = 4 * SMALL - 1, .segment_size = SMALL}, "four segments"},
		{{.directory = fixture->directory, .quota = 3 * KIB * KIB, .segment_size = 0}, "four segments"},
		{{.directory = missing, .quota = 4 * SMALL, .segment_size = SMALL}, strerror(ENOENT)},
		{{.directory = "/dev/null", .quota = 4 * SMALL, .segment_size = SMALL}, strerror(ENOTDIR)},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(journal_open(&cases[i].options, error, sizeof error));
		assert_non_null(strstr(error, cases[i].options.directory));
		assert_non_null(strstr(error, cases[i].says));
	}
}

static void segment_size_follows_the_quota(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		uint64_t quota_mib, segment_mib;
	} cases[] = {{4, 1}, {64, 1}, {127, 1}, {128, 2}, {600, 8}, {1024, 16}, {100000, 16}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const size_t whole = (size_t)(cases[i].segment_mib * KIB * KIB - 64 - MARK);
		fixture_open(fixture, cases[i].quota_mib * KIB * KIB, 0);
		assert_int_not_equal(journal_reserve(fixture->journal, whole, JOURNAL_READING), 0);
		assert_int_equal(journal_reserve(fixture->journal, whole + 1, JOURNAL_READING), 0);
		fixture_close(fixture);
	}
}

static void a_disk_that_refuses_is_said(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit before;

	fixture_open(fixture, 16 * SMALL, SMALL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	struct rlimit none = {SMALL / 2, before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);

	/* The four spare segments are used up, then readings stop; nothing hangs or crashes. */
	uint64_t n = 0;
	for (; append(fixture->journal, n, 100, JOURNAL_READING) != 0; n++)
		journal_sync(fixture->journal, fixture->error, sizeof fixture->error);
	assert_in_range(n, 4 * SMALL / (112 + MARK), 5 * SMALL / 112);
	assert_false(journal_sync(fixture->journal, fixture->error, sizeof fixture->error));
	assert_non_null(strstr(fixture->error, fixture->directory));
	assert_non_null(strstr(fixture->error, strerror(EFBIG)));
	assert_int_not_equal(append(fixture->journal, n++, 100, JOURNAL_CONTROL), 0);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	fixture_sync(fixture);
	assert_int_not_equal(append(fixture->journal, n++, 100, JOURNAL_READING), 0);

	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	struct journal_record record;
	for (uint64_t i = 0; i < n; i++)
		expect_record(cursor, &record, i, 100);
	journal_cursor_free(cursor);
}

static void *wake_later(void *context)
{
	journal_wake(context);
	return NULL;
}

static void waiting_ends_early_for_a_reason(void **state)
{
	struct fixture *fixture = *state;
	pthread_t thread;
	int64_t begin;

	fixture_open(fixture, 8 * SMALL, SMALL);
	begin = monotonic_ms();
	journal_wait(fixture->journal, 30);
	assert_in_range(monotonic_ms() - begin, 29, 5000);

	begin = monotonic_ms();
	assert_int_equal(pthread_create(&thread, NULL, wake_later, fixture->journal), 0);
	journal_wait(fixture->journal, 60000);
	assert_true(monotonic_ms() - begin < 30000);
	pthread_join(thread, NULL);

	/* A segment that gets half full wakes, once; so does its end. */
	for (uint64_t n = 0; n < SMALL / 2 / 112 + 1; n++)
		append(fixture->journal, n, 100, JOURNAL_READING);
	begin = monotonic_ms();
	journal_wait(fixture->journal, 60000);
	assert_true(monotonic_ms() - begin < 30000);
	begin = monotonic_ms();
	append(fixture->journal, 1, 100, JOURNAL_READING);
	journal_wait(fixture->journal, 30);
	assert_in_range(monotonic_ms() - begin, 29, 5000);
	begin = monotonic_ms();
	append(fixture->journal, 1, SMALL - 100, JOURNAL_READING);
	journal_wait(fixture->journal, 60000);
	assert_true(monotonic_ms() - begin < 30000);
}

/* ---- three threads ---- */

#define RECORDS 200000u

struct crew {
	struct journal *journal;
	_Atomic uint64_t consumed; /* position */
	_Atomic bool done;
	_Atomic bool failed;
	char error[256];
};

static size_t crew_len(uint64_t n)
{
	return n % 1009 == 0 ? 5000 : n % 41;
}

static void *crew_append(void *context)
{
	struct crew *crew = context;

	for (uint64_t n = 0; n < RECORDS && !crew->failed; n++)
		while (append(crew->journal, n, crew_len(n), n % 7 ? JOURNAL_READING : JOURNAL_CONTROL) == 0 && !crew->failed)
			sched_yield();
	return NULL;
}

static void *crew_keep(void *context)
{
	struct crew *crew = context;

	while (!crew->done) {
		journal_wait(crew->journal, 5);
		if (!journal_sync(crew->journal, crew->error, sizeof crew->error))
			crew->failed = true;
		journal_trim(crew->journal, crew->consumed);
	}
	return NULL;
}

static void *crew_read(void *context)
{
	struct crew *crew = context;
	struct journal_cursor *cursor = journal_cursor_new(crew->journal, 0);
	struct journal_record record;
	const int64_t deadline = monotonic_ms() + 120000;
	uint64_t n = 0;

	while (n < RECORDS && !crew->failed) {
		switch (journal_next(cursor, &record)) {
		case JOURNAL_RECORD:
			if (!record_is(&record, n, crew_len(n)))
				crew->failed = true;
			n++;
			crew->consumed = record.end;
			break;
		case JOURNAL_DAMAGED:
		case JOURNAL_FAILED:
			crew->failed = true;
			break;
		case JOURNAL_END:
			if (monotonic_ms() > deadline)
				crew->failed = true;
			journal_wake(crew->journal);
			sched_yield();
			break;
		}
		if (journal_bytes(crew->journal) > journal_quota(crew->journal))
			crew->failed = true;
	}
	journal_cursor_free(cursor);
	crew->done = true;
	journal_wake(crew->journal);
	return NULL;
}

static void threads_share_it(void **state)
{
	struct fixture *fixture = *state;
	struct crew crew = {0};
	pthread_t threads[3];

	fixture_open(fixture, 8 * SMALL, SMALL);
	crew.journal = fixture->journal;
	assert_int_equal(pthread_create(&threads[0], NULL, crew_append, &crew), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, crew_keep, &crew), 0);
	assert_int_equal(pthread_create(&threads[2], NULL, crew_read, &crew), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_string_equal(crew.error, "");
	assert_false(crew.failed);
	assert_int_equal(crew.consumed, journal_head(fixture->journal));
	assert_true(journal_begin(fixture->journal) > 50 * SMALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_back_every_size, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_was_not_reserved, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(what_is_reserved_stays_in_one_segment, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(full_keeps_room_for_control, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(trims_whole_segments_but_never_the_current, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(cursor_begins_with_its_segment, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(is_private_and_locked, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(what_is_synced_is_told, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(wrong_options_are_named, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(segment_size_follows_the_quota, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_disk_that_refuses_is_said, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(waiting_ends_early_for_a_reason, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(threads_share_it, fixture_set_up, fixture_tear_down),
	};
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
