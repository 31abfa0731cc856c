/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * journal_crash_test: whatever a disk may hold after a loss of power, the journal that opens it is a prefix of what was
 * appended, and holds at least what was synced.
 *
 * A run is a journal that lives through random appends, syncs, trims, closes, kills and losses of power. The calls that
 * it makes on files are trapped here, so that a run's disk (crash_image.h) knows what is durable, and so that a run can
 * be copied at any of them: as it would be after a kill, or after a loss of power. The copy opens the journal, is
 * checked, and lives on for a while as a run of its own, of which copies are taken in turn, in the middle of its recovery
 * too.
 *
 * All follows from a seed, which is printed; HEARTH_SEED=… begins with that one. TEST_LONG=1 takes some minutes.
 */
#include "crash_image.h"
#include "journal_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define QUOTA        (64 * SMALL)
#define QUOTA_TIGHT  (5 * SMALL) /* no spare segments now and then */
#define LIVE_MOST    (6 * SMALL) /* what a consumer leaves in the journal */
#define RECORD_MOST  (20 * 1024)
#define MASKED_MOST  4 /* so many changed sectors are lost in every combination */
#define RUNS_NESTED  3 /* a copy of a copy of a copy is copied no more */
#define SECONDS      10
#define SECONDS_LONG 300
#define IMAGES       20000

/* A record that was appended. */
struct note {
	uint64_t number;
	uint64_t position;
	size_t len;
};

struct run {
	struct crash_disk disk;
	struct journal *journal;
	const struct run *parent; /* that this is a copy of; NULL: none */
	const char *origin;       /* how this copy came about */
	const char *doing;
	const char *call;   /* that was trapped; NULL: none */
	struct note *notes; /* in the order of their positions */
	size_t count;
	size_t room;
	size_t trimmed; /* of them: at the front, may be missing */
	size_t durable; /* of them: what a loss of power must leave */
	size_t told;    /* of them: what a kill must leave */
	uint64_t number;
	uint64_t highest; /* behind all positions ever given out */
	uint64_t id;
	uint64_t quota;
	unsigned nested;
	bool others_append; /* in the middle of a call, as another thread may */
	bool calls_fail;
};

static struct {
	char directory[128];
	uint64_t seed; /* of this scenario */
	uint64_t images;
	uint64_t kills;
	uint64_t scenarios;
	uint64_t folders;
	int64_t deadline;
	uint64_t images_most;
} test;

/* The run whose calls are trapped; NULL: calls pass. */
static struct run *traced;

static bool one_in(uint64_t n)
{
	return crash_random(n) == 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool time_is_up(void)
{
	return test.images >= test.images_most || monotonic_ms() >= test.deadline;
}

/* ---- failing ---- */

static void report(const struct run *run)
{
	for (; run; run = run->parent)
		print_error("    %s; now in %s%s%s; %zu records, %zu durable, %zu trimmed\n", run->origin, run->doing,
		            run->call ? ": " : "", run->call ? run->call : "", run->count, run->durable, run->trimmed);
}

#define CHECK(run, condition, ...)                                                                                     \
	do {                                                                                                               \
		if (!(condition)) {                                                                                            \
			print_error("HEARTH_SEED=%" PRIu64 " (image %" PRIu64 "): ", test.seed, test.images);                      \
			print_error(__VA_ARGS__);                                                                                  \
			print_error("\n");                                                                                         \
			report(run);                                                                                               \
			fail();                                                                                                    \
		}                                                                                                              \
	} while (0)

/* ---- folders ---- */

static void new_folder(char directory[160])
{
	snprintf(directory, 160, "%s/%" PRIu64, test.directory, test.folders++);
	assert_int_equal(mkdir(directory, 0700), 0);
}

static void remove_folder(const char *directory)
{
	struct fixture folder = {.journal = NULL};

	snprintf(folder.directory, sizeof folder.directory, "%s", directory);
	fixture_remove(&folder);
}

/* ---- records ---- */

/* What records hold: pieces of one long row of random bytes, each from a place of its own. */
static const uint8_t *payload_of(uint64_t number)
{
	static uint8_t noise[1 << 20];

	if (noise[0] == 0) {
		record_fill(noise, sizeof noise, 1);
		noise[0] = 1;
	}
	return noise + number * 61 % (sizeof noise - RECORD_MOST);
}

static size_t random_len(void)
{
	static const uint64_t mosts[] = {1, 200, 200, 200, 1000, 4000, 8000, RECORD_MOST};
	const uint64_t choice = crash_random(40);

	return (size_t)crash_random(mosts[choice / 5 % 8] + 1);
}

static void add_note(struct run *run, uint64_t position, size_t len)
{
	if (run->count == run->room) {
		run->room = 2 * run->room + 64;
		run->notes = realloc(run->notes, run->room * sizeof *run->notes);
		assert_non_null(run->notes);
	}
	run->notes[run->count++] = (struct note){run->number++, position, len};
	run->told = run->count;
	run->highest = position + journal_record_size(len);
}

/* The first noted record at or behind a position. */
static size_t note_at(const struct run *run, uint64_t position)
{
	size_t low = 0;

	for (size_t high = run->count; low < high;) {
		const size_t middle = (low + high) / 2;
		if (run->notes[middle].position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* False: no room. */
static bool append_one(struct run *run, enum journal_priority priority)
{
	const size_t len = random_len();
	const uint64_t before = journal_head(run->journal);
	char name[32];

	const uint64_t segment = journal_reserve(run->journal, journal_record_size(len), priority);
	if (segment == 0)
		return false;
	const uint64_t position = journal_append(run->journal, record_type_of(run->number), payload_of(run->number), len);
	CHECK(run, position >= run->highest, "a record was given a position that had been given out");
	add_note(run, position, len);

	if (!traced)
		return true;
	snprintf(name, sizeof name, "%016" PRIx64 ".journal", segment);
	if (before > segment)
		crash_disk_look_at(&run->disk, name, (size_t)(before - segment), (size_t)(run->highest - segment));
	else
		crash_disk_look(&run->disk);
	return true;
}

static bool is_noted(const struct journal_record *record, const struct note *note)
{
	return record->position == note->position && record->len == note->len &&
	       record->type == record_type_of(note->number) &&
	       record->end == record->position + journal_record_size(record->len) &&
	       memcmp(record->payload, payload_of(note->number), note->len) == 0;
}

/*
 * Reads what there is from record `end` on. It must be what was noted, without a gap behind what was trimmed. Returns
 * how many records of all notes that makes.
 */
static size_t read_all(struct run *run, struct journal_cursor *cursor, size_t end)
{
	struct journal_record record;
	enum journal_next next;

	while ((next = journal_next(cursor, &record)) != JOURNAL_END) {
		CHECK(run, next == JOURNAL_RECORD, "damage at %" PRIx64 ", offset %" PRIu64, record.segment,
		      record.position - record.segment);
		const size_t index = note_at(run, record.position);
		CHECK(run, index < run->count && is_noted(&record, &run->notes[index]),
		      "a record that was never appended, at %" PRIx64 ", offset %" PRIu64, record.segment,
		      record.position - record.segment);
		CHECK(run, index == end || (index > end && index <= run->trimmed), "record %zu is followed by %zu of %zu", end,
		      index, run->count);
		end = index + 1;
	}
	if (end < run->trimmed)
		end = run->trimmed;
	return end;
}

/* ---- runs ---- */

static void live(struct run *run, unsigned steps);

static void open_run(struct run *run, size_t kept)
{
	const struct journal_options options = {
		.directory = run->disk.directory, .quota = run->quota, .segment_size = SMALL};
	char error[512];

	traced = run->nested < RUNS_NESTED ? run : NULL;
	run->doing = "journal_open";
	run->journal = journal_open(&options, error, sizeof error);
	run->doing = "reading";
	CHECK(run, run->journal, "not opened: %s", error);
	if (traced)
		crash_disk_look(&run->disk);
	CHECK(run, kept <= run->trimmed || journal_id(run->journal) == run->id, "the journal's id has changed");
	run->id = journal_id(run->journal);

	struct journal_cursor *cursor = journal_cursor_new(run->journal, 0);
	const size_t end = read_all(run, cursor, 0);
	CHECK(run, end >= kept, "only %zu records are left, wanted %zu", end, kept);
	run->count = run->told = end;
	if (run->trimmed > end)
		run->trimmed = end;
	if (run->durable > end)
		run->durable = end;

	/* Readings may find it full. */
	CHECK(run, append_one(run, JOURNAL_CONTROL), "nothing can be appended");
	CHECK(run, read_all(run, cursor, end) == run->count, "the new record is not read");
	journal_cursor_free(cursor);
}

/* A run that goes on where another one stands, with an empty folder. */
static struct run *copy_run(const struct run *run, const char *origin, unsigned nested)
{
	struct run *copy = malloc(sizeof *copy);

	assert_non_null(copy);
	*copy = *run;
	copy->journal = NULL;
	copy->parent = run;
	copy->origin = origin;
	copy->doing = "copying";
	copy->call = NULL;
	copy->nested = nested;
	copy->others_append = copy->calls_fail = false;
	copy->disk = (struct crash_disk){0};
	copy->room = run->count + 64;
	copy->notes = malloc(copy->room * sizeof *copy->notes);
	assert_non_null(copy->notes);
	if (run->count > 0)
		memcpy(copy->notes, run->notes, run->count * sizeof *copy->notes);
	/* Its folder is filled by calls that are none of a journal's. */
	traced = NULL;
	return copy;
}

/* The journal of a run that is over is not looked at any more. */
static void end_run(struct run *run)
{
	traced = NULL;
	if (run->journal)
		journal_close(run->journal);
	remove_folder(run->disk.directory);
	crash_disk_close(&run->disk);
	free(run->notes);
	free(run);
}

/* A record that was being written: its payload, or some of it, without its frame. */
static void leave_half_a_record(const struct run *run)
{
	const uint64_t head = journal_head(run->journal);
	char path[256];

	if (head % SMALL == 0 || head % SMALL + 8 + RECORD_MOST > SMALL)
		return;
	snprintf(path, sizeof path, "%s/%016" PRIx64 ".journal", run->disk.directory, head / SMALL * SMALL);
	int file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return;
	const size_t len = random_len();
	assert_int_equal(pwrite(file, payload_of(run->number), len, (off_t)(head % SMALL + 8)), len);
	close(file);
}

/* What the run is after its process was killed now; not opened yet. */
static struct run *kill_run(struct run *run, unsigned nested)
{
	struct run *killed = copy_run(run, "killed", nested);
	char directory[160];

	test.kills++;
	if (run->journal && one_in(2))
		leave_half_a_record(run);
	crash_disk_look(&run->disk);
	new_folder(directory);
	crash_disk_copy(&run->disk, directory, &killed->disk);
	return killed;
}

/* What the run is after the power failed now; not opened yet. */
static struct run *crash_run(const struct run *run, unsigned nested, enum crash_choice choice, uint64_t number)
{
	static const char *const origins[] = {"power lost, random states", "power lost, each sector old or new",
	                                      "power lost, one sector old", "power lost, one sector new"};
	struct run *crashed = copy_run(run, origins[choice], nested);
	char directory[160];

	test.images++;
	new_folder(directory);
	crash_image_make(&run->disk, directory, choice, number);
	crash_disk_open(&crashed->disk, directory, crashed->nested < RUNS_NESTED);
	/* What was not durable may be there or not: a kill while it is recovered tells as little. */
	crashed->told = crashed->durable;
	return crashed;
}

static struct run *crash_somehow(const struct run *run, unsigned nested)
{
	const unsigned changed = crash_disk_changed(&run->disk);
	const enum crash_choice choice = (enum crash_choice)crash_random(4);

	return crash_run(run, nested, choice, choice == CRASH_RANDOM ? crash_random(101) : crash_random(changed + 1));
}

static void open_copy(struct run *copy, size_t kept, bool power_lost)
{
	open_run(copy, kept);
	/* What came off the disk is on the disk. */
	if (power_lost)
		copy->durable = copy->count - 1;
}

/* NOLINTBEGIN(misc-no-recursion): copies of copies are taken, RUNS_NESTED deep at most */
static void live_and_end(struct run *copy, size_t kept, bool power_lost)
{
	open_copy(copy, kept, power_lost);
	live(copy, (unsigned)crash_random(5));
	end_run(copy);
}

/* Most copies are not copied in turn, and then their calls need not be followed. */
static unsigned nesting(const struct run *run)
{
	return one_in(3) ? run->nested + 1 : RUNS_NESTED;
}

static void crash_now(struct run *run)
{
	struct run *const before = traced;
	const unsigned changed = crash_disk_changed(&run->disk);

	if (changed <= MASKED_MOST && one_in(2)) {
		for (uint64_t mask = 0; mask < UINT64_C(1) << changed; mask++)
			live_and_end(crash_run(run, nesting(run), CRASH_MASK, mask), run->durable, true);
	} else {
		live_and_end(crash_somehow(run, nesting(run)), run->durable, true);
	}
	if (one_in(8)) {
		struct run *killed = kill_run(run, nesting(run));
		live_and_end(killed, killed->told, false);
	}
	traced = before;
}

static void maybe_crash(struct run *run)
{
	static const unsigned one_in_so_many[RUNS_NESTED] = {4, 4, 8};

	if (run->nested < RUNS_NESTED && !time_is_up() && one_in(one_in_so_many[run->nested]))
		crash_now(run);
}

/* NOLINTEND(misc-no-recursion) */

/* ---- trapped calls ---- */

/* Right before and right behind a call on files. */
static struct run *trap(const char *call)
{
	struct run *run = traced;

	if (!run)
		return NULL;
	run->call = call;
	crash_disk_look(&run->disk);
	while (run->others_append && one_in(4))
		append_one(run, JOURNAL_READING);
	maybe_crash(run);
	run->call = NULL;
	return run;
}

static int sync_trapped(int fd, const char *before, const char *behind)
{
	struct run *run = trap(before);

	if (run && run->calls_fail && one_in(16)) {
		errno = EIO;
		return -1;
	}
	if (run)
		crash_disk_sync(&run->disk, fd);
	trap(behind);
	return 0;
}

int fsync(int fd)
{
	return sync_trapped(fd, "fsync", "fsync, done");
}

int fdatasync(int fildes)
{
	return sync_trapped(fildes, "fdatasync", "fdatasync, done");
}

int ftruncate(int fd, off_t length)
{
	trap("ftruncate");
	const long result = syscall(SYS_ftruncate, fd, length);
	trap("ftruncate, done");
	return (int)result;
}

int unlinkat(int fd, const char *name, int flag)
{
	trap("unlinkat");
	const long result = syscall(SYS_unlinkat, fd, name, flag);
	trap("unlinkat, done");
	return (int)result;
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	const struct run *run = trap("posix_fallocate");

	if (run && run->calls_fail && one_in(16))
		return ENOSPC;
	const long result = syscall(SYS_fallocate, fd, 0, offset, len);
	trap("posix_fallocate, done");
	return result == 0 ? 0 : errno;
}

/* ---- what happens in a run ---- */

/* NOLINTBEGIN(misc-no-recursion): as above */

/* Now and then so many that segments are full which no sync has seen. */
static void append_some(struct run *run)
{
	run->doing = "appending";
	for (uint64_t n = crash_random(one_in(8) ? 100 : 8); n > 0; n--) {
		append_one(run, one_in(10) ? JOURNAL_CONTROL : JOURNAL_READING);
		if (one_in(4))
			maybe_crash(run);
	}
	maybe_crash(run);
}

static void sync_now(struct run *run)
{
	const size_t before = run->count;
	char error[256];

	run->doing = "journal_sync";
	run->others_append = true;
	run->calls_fail = one_in(4);
	if (journal_sync(run->journal, error, sizeof error))
		run->durable = before;
	else
		CHECK(run, run->calls_fail, "not synced: %s", error);
	run->others_append = run->calls_fail = false;
	maybe_crash(run);
}

/* Up to where a consumer is done. */
static void trim_some(struct run *run)
{
	const uint64_t begin = journal_begin(run->journal);
	const uint64_t head = journal_head(run->journal);
	const size_t before = run->trimmed;
	const uint64_t position = larger(begin + crash_random(head - begin + 1), head > LIVE_MOST ? head - LIVE_MOST : 0);

	run->doing = "journal_trim";
	run->trimmed = larger(before, note_at(run, position));
	run->others_append = true;
	journal_trim(run->journal, position);
	run->others_append = false;
	run->trimmed = larger(before, note_at(run, journal_begin(run->journal)));
	maybe_crash(run);
}

static void close_and_open(struct run *run)
{
	run->doing = "journal_close";
	journal_close(run->journal);
	run->journal = NULL;
	run->durable = run->count;
	if (traced)
		crash_disk_look(&run->disk);
	maybe_crash(run);
	open_run(run, run->count);
}

static void live(struct run *run, unsigned steps)
{
	for (; steps > 0 && !time_is_up(); steps--) {
		const uint64_t choice = crash_random(100);
		if (choice < 60)
			append_some(run);
		else if (choice < 94)
			sync_now(run);
		else if (choice < 97 || (one_in(4) && journal_bytes(run->journal) > run->quota / 2) ||
		         journal_head(run->journal) - journal_begin(run->journal) > LIVE_MOST)
			trim_some(run);
		else
			close_and_open(run);
	}
}

/* NOLINTEND(misc-no-recursion) */

/* ---- scenarios ---- */

/* The run dies and its copy takes its place. */
static struct run *replace(struct run *run, bool power_lost)
{
	struct run *copy = power_lost ? crash_somehow(run, 0) : kill_run(run, 0);
	const size_t kept = power_lost ? run->durable : run->told;

	copy->parent = NULL;
	end_run(run);
	open_copy(copy, kept, power_lost);
	return copy;
}

static void scenario(void)
{
	struct run *run = calloc(1, sizeof *run);
	char directory[160];

	assert_non_null(run);
	run->origin = "begun";
	run->quota = one_in(2) ? QUOTA : QUOTA_TIGHT;
	new_folder(directory);
	crash_disk_open(&run->disk, directory, true);
	open_run(run, 0);
	for (uint64_t lives = 1 + crash_random(4); lives > 0 && !time_is_up(); lives--) {
		live(run, (unsigned)crash_random(40));
		run = replace(run, one_in(2));
	}
	end_run(run);
}

static void what_was_synced_survives_every_loss_of_power(void **state)
{
	(void)state;
	while (!time_is_up()) {
		crash_seed(test.seed);
		scenario();
		test.seed++;
		test.scenarios++;
	}
	print_message("%" PRIu64 " losses of power and %" PRIu64 " kills in %" PRIu64 " scenarios\n", test.images,
	              test.kills, test.scenarios);
	assert_true(test.images > 100);
}

static int set_up(void **state)
{
	const char *parent = getenv("TMPDIR");
	const char *seed = getenv("HEARTH_SEED");
	const bool longer = getenv("TEST_LONG") != NULL;

	(void)state;
	/* The images are written by the thousand: into memory, if nothing else is wanted. */
	if (!parent)
		parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(test.directory, sizeof test.directory, "%s/journal_crash_XXXXXX", parent);
	assert_non_null(mkdtemp(test.directory));
	test.seed = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 1000000;
	test.deadline = monotonic_ms() + 1000 * (longer ? SECONDS_LONG : SECONDS);
	test.images_most = longer ? UINT64_MAX : IMAGES;
	print_message("HEARTH_SEED=%" PRIu64 "\n", test.seed);
	return 0;
}

/* A scenario that failed leaves its folders. */
static int tear_down(void **state)
{
	(void)state;
	traced = NULL;
	for (uint64_t i = 0; i < test.folders; i++) {
		char directory[160];
		snprintf(directory, sizeof directory, "%s/%" PRIu64, test.directory, i);
		if (access(directory, F_OK) == 0)
			remove_folder(directory);
	}
	return rmdir(test.directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_synced_survives_every_loss_of_power, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("journal_crash", tests, NULL, NULL);
}
