/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_recovery_test: what is left after a close, a kill, a cut and a flipped bit, and that nothing else ever comes
 * back than what was written.
 */
#include "journal_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define QUOTA  (64 * SMALL)
#define HEADER 64

/* No machine loses its power here, and thousands of journals are opened: a sync may do nothing. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fildes)
{
	(void)fildes;
	return 0;
}

static size_t file_read(const char *path, uint8_t *bytes, size_t room)
{
	int file = open(path, O_RDONLY);
	assert_true(file >= 0);
	ssize_t len = read(file, bytes, room);
	assert_true(len >= 0);
	close(file);
	return (size_t)len;
}

static void file_write(const char *path, const uint8_t *bytes, size_t len)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(file >= 0);
	assert_int_equal(write(file, bytes, len), len);
	close(file);
}

static void flip(const char *path, off_t offset, uint8_t bits)
{
	uint8_t byte;
	int file = open(path, O_RDWR);

	assert_true(file >= 0);
	assert_int_equal(pread(file, &byte, 1, offset), 1);
	byte ^= bits;
	assert_int_equal(pwrite(file, &byte, 1, offset), 1);
	close(file);
}

static off_t file_size(const char *path)
{
	struct stat facts;
	return stat(path, &facts) == 0 ? facts.st_size : -1;
}

/* ---- whole runs ---- */

static void runs_follow_each_other(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	static const uint64_t sizes[] = {SMALL, 4 * SMALL, SMALL, 2 * SMALL};
	uint64_t position = 0;
	uint64_t id = 0;
	uint64_t n = 0;
	char path[256];

	for (unsigned run = 0; run < 40; run++) {
		fixture_open(fixture, QUOTA, sizes[run % 4]);
		assert_int_not_equal(journal_id(fixture->journal), 0);
		assert_true(run == 0 || journal_id(fixture->journal) == id);
		id = journal_id(fixture->journal);
		assert_true(journal_head(fixture->journal) > position);
		const uint64_t begin = journal_head(fixture->journal) - HEADER;
		/* Some runs write nothing, others several segments. */
		for (unsigned i = 0; i < run % 5 * 100; i++, n++) {
			uint64_t next = append(fixture->journal, n, n % 500, JOURNAL_READING);
			assert_true(next > position);
			position = next;
			fixture_sync(fixture);
		}
		segment_path(fixture, begin, path);
		const uint64_t head = journal_head(fixture->journal);
		fixture_close(fixture);
		if (head < begin + SMALL) /* and perhaps the last mark */
			assert_in_range(file_size(path), head - begin, head - begin + MARK);
	}
	fixture_open(fixture, QUOTA, SMALL);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	for (uint64_t i = 0; i < n; i++)
		expect_record(cursor, &record, i, i % 500);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	journal_cursor_free(cursor);

	/* A consumer that is done with the last record begins behind it, and all earlier runs can go. */
	cursor = journal_cursor_new(fixture->journal, record.end);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	journal_trim(fixture->journal, record.end);
	assert_int_equal(journal_begin(fixture->journal), journal_head(fixture->journal) - HEADER);
	append(fixture->journal, n, 9, JOURNAL_READING);
	expect_record(cursor, &record, n, 9);
	journal_cursor_free(cursor);
}

static void a_new_folder_is_a_new_journal(void **state)
{
	struct fixture *fixture = *state;

	fixture_open(fixture, QUOTA, SMALL);
	const uint64_t id = journal_id(fixture->journal);
	fixture_close(fixture);
	each_file(fixture, visit_remove, NULL);
	fixture_open(fixture, QUOTA, SMALL);
	assert_int_not_equal(journal_id(fixture->journal), id);
}

static void a_full_journal_does_not_grow_at_each_start(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t quota = 8 * SMALL;

	fixture_open(fixture, quota, SMALL);
	for (uint64_t n = 0; append(fixture->journal, n, 100, JOURNAL_READING) != 0; n++)
		fixture_sync(fixture);
	for (unsigned run = 0; run < 20; run++) {
		fixture_close(fixture);
		fixture_open(fixture, quota, SMALL);
		fixture_sync(fixture);
		while (append(fixture->journal, 1, 100, JOURNAL_READING) != 0)
			fixture_sync(fixture);
		assert_int_not_equal(append(fixture->journal, run, 100, JOURNAL_CONTROL), 0);
	}
	fixture_close(fixture);
	assert_true(folder_size(fixture) < quota + SMALL);
	fixture_open(fixture, quota, SMALL);
	journal_trim(fixture->journal, journal_begin(fixture->journal) + 4 * SMALL);
	fixture_sync(fixture);
	assert_int_not_equal(append(fixture->journal, 1, 100, JOURNAL_READING), 0);
}

/* ---- kill -9 ---- */

/* Appends for ever and tells through a pipe how many it has appended. Never returns. */
static void child_appends(struct fixture *fixture, uint64_t n, int told)
{
	char error[256];
	const struct journal_options options = {
		.directory = fixture->directory, .quota = 16384 * SMALL, .segment_size = SMALL};
	struct journal *journal = journal_open(&options, error, sizeof error);

	for (; journal; n++) {
		if (append(journal, n, n % 700, JOURNAL_READING) == 0) {
			journal_sync(journal, error, sizeof error);
			n--;
		} else if (write(told, &n, sizeof n) != sizeof n) {
			break;
		}
	}
	_exit(1);
}

static void a_killed_process_loses_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	uint64_t written = 0; /* records that are surely there */

	for (unsigned round = 0; round < 12; round++) {
		int told[2];
		uint64_t last = 0;
		uint64_t heard = 0;
		assert_int_equal(pipe(told), 0);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(told[0]);
			child_appends(fixture, written, told[1]);
		}
		close(told[1]);
		/* Killed at a moment of its own: after some hundreds of records, then whatever it gets done till then. */
		for (uint64_t n; heard < 37 + round * 211 && read(told[0], &n, sizeof n) == sizeof n; heard++)
			last = n;
		assert_int_equal(heard, 37 + round * 211);
		kill(child, SIGKILL);
		for (uint64_t n; read(told[0], &n, sizeof n) == sizeof n;)
			last = n;
		close(told[0]);
		assert_int_equal(waitpid(child, NULL, 0), child);

		fixture_open(fixture, 16384 * SMALL, SMALL);
		struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
		uint64_t n = 0;
		while (journal_next(cursor, &record) == JOURNAL_RECORD) {
			assert_true(record_is(&record, n, n % 700));
			n++;
		}
		assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
		/* At most the one that was appended and not yet told. */
		assert_in_range(n, last + 1, last + 2);
		written = n;
		journal_cursor_free(cursor);
		fixture_close(fixture);
	}
}

static void unused_files_are_removed_and_others_left(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	static const uint8_t zeros[SMALL];
	char path[256];
	char note[256];
	char shorter[256];

	fixture_open(fixture, QUOTA, SMALL);
	append(fixture->journal, 0, 100, JOURNAL_READING);
	const uint64_t begin = journal_begin(fixture->journal);
	fixture_close(fixture);
	segment_path(fixture, begin + SMALL, path);
	file_write(path, zeros, 0);
	segment_path(fixture, begin + 2 * SMALL, path);
	file_write(path, zeros, 17);
	segment_path(fixture, begin + 3 * SMALL, path);
	file_write(path, zeros, sizeof zeros);
	snprintf(note, sizeof note, "%s/00000000000f0000.journal.bak", fixture->directory);
	file_write(note, zeros, 5);
	snprintf(shorter, sizeof shorter, "%s/10000.journal", fixture->directory);
	file_write(shorter, zeros, 5);

	fixture_open(fixture, QUOTA, SMALL);
	assert_true(journal_head(fixture->journal) > begin + 4 * SMALL);
	for (unsigned i = 1; i <= 3; i++) {
		segment_path(fixture, begin + i * SMALL, path);
		assert_int_equal(file_size(path), -1);
	}
	assert_int_equal(file_size(note), 5);
	assert_int_equal(file_size(shorter), 5);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	expect_record(cursor, &record, 0, 100);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_END);
	journal_cursor_free(cursor);
}

/* ---- one small segment, spoilt in every way ---- */

#define RECORDS 8

/* Lengths that make records with and without padding, and one without a payload. */
static size_t spoilt_len(uint64_t n)
{
	static const size_t lens[RECORDS] = {8, 0, 24, 1, 33, 7, 30, 24};
	return lens[n];
}

struct original {
	uint64_t begin;
	size_t size;
	size_t ends[RECORDS]; /* offset behind record n */
	uint8_t bytes[4096];
};

static void make_original(struct fixture *fixture, struct original *original)
{
	char path[256];

	fixture_open(fixture, QUOTA, SMALL);
	original->begin = journal_begin(fixture->journal);
	for (uint64_t n = 0; n < RECORDS; n++) {
		append(fixture->journal, n, spoilt_len(n), JOURNAL_READING);
		original->ends[n] = (size_t)(journal_head(fixture->journal) - original->begin);
	}
	fixture_close(fixture);
	segment_path(fixture, original->begin, path);
	original->size = file_read(path, original->bytes, sizeof original->bytes);
	assert_int_equal(original->size, original->ends[RECORDS - 1] + MARK);
}

struct outcome {
	unsigned records; /* of the original, from its first on */
	unsigned damaged;
};

/*
 * Puts `size` bytes in the place of the original segment, opens the journal and reads it; a new record must work too.
 * Fails if anything comes back but a prefix of the original.
 */
static struct outcome read_spoilt(struct fixture *fixture, const struct original *original, const uint8_t *bytes,
                                  size_t size)
{
	struct outcome outcome = {0};
	struct journal_record record;
	enum journal_next next;
	char path[256];

	each_file(fixture, visit_remove, NULL);
	segment_path(fixture, original->begin, path);
	file_write(path, bytes, size);
	fixture_open(fixture, QUOTA, SMALL);
	const uint64_t fresh = append(fixture->journal, 1000, 20, JOURNAL_READING);
	assert_true(fresh > original->begin + size);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	while ((next = journal_next(cursor, &record)) != JOURNAL_END && record.position < fresh) {
		if (next == JOURNAL_DAMAGED) {
			outcome.damaged++;
			assert_true(record.position >= original->begin && record.end <= original->begin + size);
			continue;
		}
		assert_int_equal(outcome.damaged, 0);
		assert_true(outcome.records < RECORDS);
		assert_true(record_is(&record, outcome.records, spoilt_len(outcome.records)));
		assert_int_equal(record.end - original->begin, original->ends[outcome.records]);
		outcome.records++;
	}
	assert_int_equal(next, JOURNAL_RECORD);
	assert_int_equal(record.position, fresh);
	assert_true(record_is(&record, 1000, 20));
	journal_cursor_free(cursor);
	fixture_close(fixture);
	return outcome;
}

static void a_cut_at_any_byte_leaves_a_prefix(void **state)
{
	struct fixture *fixture = *state;
	struct original original;
	unsigned whole = 0;

	make_original(fixture, &original);
	for (size_t size = 0; size <= original.size; size++) {
		while (whole < RECORDS && original.ends[whole] <= size)
			whole++;
		struct outcome outcome = read_spoilt(fixture, &original, original.bytes, size);
		assert_int_equal(outcome.records, size < HEADER ? 0 : whole);
		assert_int_equal(outcome.damaged, 0);
	}
}

/* As after a loss of power: the file has its full size and the rest of it is zeros. */
static void zeros_from_any_byte_on_leave_a_prefix(void **state)
{
	struct fixture *fixture = *state;
	static uint8_t bytes[SMALL];
	struct original original;
	unsigned whole = 0;

	make_original(fixture, &original);
	for (size_t size = HEADER; size <= original.size; size++) {
		memset(bytes, 0, sizeof bytes);
		memcpy(bytes, original.bytes, size);
		while (whole < RECORDS && original.ends[whole] <= size)
			whole++;
		struct outcome outcome = read_spoilt(fixture, &original, bytes, sizeof bytes);
		/* Padding may be cut, and bytes that were zero anyway. */
		assert_in_range(outcome.records, whole, whole + 1);
		assert_int_equal(outcome.damaged, 0);
	}
}

static void any_flipped_bit_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct original original;

	make_original(fixture, &original);
	for (size_t bit = 0; bit < 8 * original.size; bit++) {
		const size_t byte = bit / 8;
		unsigned hit = 0; /* the record that holds the bit */
		while (hit < RECORDS && original.ends[hit] <= byte)
			hit++;
		const size_t start = hit == 0 ? HEADER + MARK : original.ends[hit - 1];
		const bool padding = hit < RECORDS && byte >= start + 8 + spoilt_len(hit);

		original.bytes[byte] ^= (uint8_t)(1u << bit % 8);
		struct outcome outcome = read_spoilt(fixture, &original, original.bytes, original.size);
		original.bytes[byte] ^= (uint8_t)(1u << bit % 8);

		/* In the header nothing can be trusted; without its mark the end is one that a crash tore; padding says nothing. */
		const unsigned records = byte < HEADER ? 0 : padding ? RECORDS : hit;
		const unsigned damaged = byte < HEADER || (!padding && hit < RECORDS) ? 1 : 0;
		assert_int_equal(outcome.records, records);
		assert_int_equal(outcome.damaged, damaged);
	}
}

static void a_record_in_a_wrong_place_is_none(void **state)
{
	struct fixture *fixture = *state;
	struct original original;
	uint8_t bytes[4096];

	/* Records 2 and 7 have the same length: 2 in the place of 7, as a disk may do that mixes up sectors. */
	make_original(fixture, &original);
	memcpy(bytes, original.bytes, original.size);
	memcpy(bytes + original.ends[6], bytes + original.ends[1], original.ends[7] - original.ends[6]);
	struct outcome outcome = read_spoilt(fixture, &original, bytes, original.size);
	assert_int_equal(outcome.records, 7);
	assert_int_equal(outcome.damaged, 1);

	/* The same segment under another name. */
	original.begin += 4 * SMALL;
	outcome = read_spoilt(fixture, &original, original.bytes, original.size);
	assert_int_equal(outcome.records, 0);
	assert_int_equal(outcome.damaged, 0);
}

/* ---- damage among several segments ---- */

/* A record of 500 bytes with the mark before it. */
#define STRIDE (512 + MARK)

/* Five segments of 500-byte records; returns how many. */
static uint64_t make_several(struct fixture *fixture, uint64_t *begin)
{
	uint64_t n = 0;

	fixture_open(fixture, QUOTA, SMALL);
	*begin = journal_begin(fixture->journal);
	while (journal_head(fixture->journal) < *begin + 4 * SMALL + SMALL / 2) {
		append(fixture->journal, n++, 500, JOURNAL_READING);
		fixture_sync(fixture);
	}
	fixture_close(fixture);
	return n;
}

static void damage_costs_the_rest_of_its_segment(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t in_segment = (SMALL - HEADER) / STRIDE;
	static const uint8_t zeros[4096];
	static const struct {
		off_t offset;
		uint64_t before; /* records of that segment that are left */
		unsigned segment;
		bool zero; /* 4 KiB of zeros there, else one flipped bit */
	} cases[] = {
		{HEADER, 0, 0, false},
		{0, 0, 1, false},
		{HEADER + 10 * STRIDE + 100, 10, 1, false},
		{HEADER + 20 * STRIDE, 20, 2, true},
		{HEADER, 0, 3, true},
		{SMALL - 4096, (SMALL - 4096 - HEADER) / STRIDE, 3, true},
		{HEADER + 3 * STRIDE + 9, 3, 4, false},
	};
	uint64_t begin;
	char path[256];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const uint64_t count = make_several(fixture, &begin);
		const uint64_t spoilt = begin + cases[i].segment * SMALL;
		segment_path(fixture, spoilt, path);
		if (cases[i].zero) {
			int file = open(path, O_WRONLY);
			assert_int_equal(pwrite(file, zeros, sizeof zeros, cases[i].offset), sizeof zeros);
			close(file);
		} else {
			flip(path, cases[i].offset, 4);
		}
		fixture_open(fixture, QUOTA, SMALL);

		struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
		struct journal_record record;
		enum journal_next next;
		unsigned damaged = 0;
		uint64_t n = 0;
		while ((next = journal_next(cursor, &record)) != JOURNAL_END) {
			if (next == JOURNAL_RECORD) {
				assert_true(record_is(&record, n++, 500));
				continue;
			}
			damaged++;
			assert_int_equal(n, cases[i].segment * in_segment + cases[i].before);
			assert_int_equal(record.segment, spoilt);
			const uint64_t place = spoilt + HEADER + cases[i].before * STRIDE;
			assert_in_range(record.position, cases[i].before ? place : spoilt, place + MARK);
			assert_true(record.end > record.position && record.end <= spoilt + SMALL);
			n = (cases[i].segment + 1) * in_segment;
		}
		assert_int_equal(damaged, 1);
		assert_int_equal(n, cases[i].segment == 4 ? 5 * in_segment : count);
		journal_cursor_free(cursor);

		/* Whoever goes on from where the damage ends does not meet it again, and it can be trimmed. */
		journal_trim(fixture->journal, spoilt + SMALL);
		assert_true(journal_begin(fixture->journal) > spoilt);
		fixture_close(fixture);
		each_file(fixture, visit_remove, NULL);
	}
}

/* What a consumer remembers behind a damaged place must lie behind all that was written, and before all that will be. */
static void the_next_run_begins_behind_a_damaged_end(void **state)
{
	struct fixture *fixture = *state;
	struct journal_record record;
	char path[256];

	fixture_open(fixture, QUOTA, 4 * SMALL);
	segment_path(fixture, journal_begin(fixture->journal), path);
	append(fixture->journal, 0, 100, JOURNAL_READING);
	append(fixture->journal, 1, 100, JOURNAL_READING);
	flip(path, HEADER + 20, 1);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, 0);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_DAMAGED);
	assert_int_equal(journal_next(cursor, &(struct journal_record){0}), JOURNAL_END);
	journal_cursor_free(cursor);
	assert_true(record.end >= journal_head(fixture->journal));
	fixture_close(fixture);
	fixture_open(fixture, QUOTA, SMALL);
	assert_true(append(fixture->journal, 2, 100, JOURNAL_READING) > record.end);
}

static void another_journals_segment_is_damage(void **state)
{
	struct fixture *fixture = *state;
	static uint8_t bytes[SMALL];
	struct journal_record record;
	uint64_t begin;
	char path[256];

	make_several(fixture, &begin);
	segment_path(fixture, begin + SMALL, path);
	const size_t size = file_read(path, bytes, sizeof bytes);
	each_file(fixture, visit_remove, NULL);
	make_several(fixture, &begin);
	file_write(path, bytes, size);
	fixture_open(fixture, QUOTA, SMALL);
	struct journal_cursor *cursor = journal_cursor_new(fixture->journal, begin + SMALL);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_DAMAGED);
	assert_int_equal(record.position, begin + SMALL);
	assert_int_equal(record.end, begin + 2 * SMALL);
	assert_int_equal(journal_next(cursor, &record), JOURNAL_RECORD);
	assert_int_equal(record.segment, begin + 2 * SMALL);
	journal_cursor_free(cursor);
}

static void a_newer_format_is_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct journal_options options = {.directory = fixture->directory, .quota = QUOTA, .segment_size = SMALL};
	/* Version 2 at 0x10000 with a span of 64 KiB and id 7; its CRC was worked out bit by bit. */
	static const uint8_t bytes[HEADER] = {
		'H', 'E', 'A', 'R', 'T', 'H', 'J', '\n', 2, [18] = 1, [26] = 1, [32] = 7, [60] = 0x7c, 0x49, 0x6c, 0x99,
	};
	char path[256];

	segment_path(fixture, SMALL, path);
	file_write(path, bytes, sizeof bytes);
	assert_null(journal_open(&options, fixture->error, sizeof fixture->error));
	assert_non_null(strstr(fixture->error, path));
	assert_non_null(strstr(fixture->error, "version 2"));
	assert_int_equal(file_size(path), HEADER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs_follow_each_other, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_new_folder_is_a_new_journal, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_full_journal_does_not_grow_at_each_start, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_killed_process_loses_nothing, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(unused_files_are_removed_and_others_left, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_cut_at_any_byte_leaves_a_prefix, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(zeros_from_any_byte_on_leave_a_prefix, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(any_flipped_bit_is_found, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_record_in_a_wrong_place_is_none, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(damage_costs_the_rest_of_its_segment, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(the_next_run_begins_behind_a_damaged_end, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(another_journals_segment_is_damage, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_newer_format_is_refused, fixture_set_up, fixture_tear_down),
	};
	return cmocka_run_group_tests_name("journal_recovery", tests, NULL, NULL);
}
